/*
 * dashboard_picture.mjs
 *		Makes docs/dashboard.png, which the README shows: the page API Keys of an organization
 *		that is in use.  scripts/dashboard-picture runs it; no test does.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { tokenOf } from '../e2e/harness/people.mjs';
import { ROOT } from '../e2e/harness/processes.mjs';
import { createOrg, createPerson } from '../e2e/harness/tenants.mjs';
import { Visitor, openStage, row } from './stage.mjs';

/* Wide enough for all columns, and no higher than the table. */
const VIEW = { width: 1440, height: 612 };

const HOUR = 3600 * 1000;

/* Makes a key as a person does, and uses it. */
async function makeKey(client, token, name, permissions, others = {})
{
	const made = await client.post('/api/v1/api-keys', token, { name, permissions, ...others });

	assert.equal(made.status, 201, made.text);
	await client.get('/api/v1/me', made.json.key);
	return made.json.id;
}

async function furnish({ db, client })
{
	const org = await createOrg(db, 'Acme');
	const owner = await createPerson(db, { org, name: 'Olivia Owner', email: 'olivia@example.com' });
	const token = await tokenOf(client, owner);
	const old = await makeKey(client, token, 'Old shop', ['read', 'send']);

	await client.request('DELETE', `/api/v1/api-keys/${old}`, { key: token });
	await makeKey(client, token, 'Reporting', ['read'], { expiresAt: Date.now() + 30 * 24 * HOUR });
	await makeKey(client, token, 'Provisioning', ['manage']);
	await makeKey(client, token, 'Support desk', ['read', 'send']);
	await makeKey(client, token, 'Web shop', ['send']);
	return owner;
}

test('the picture of the dashboard', async (t) =>
{
	const stage = await openStage();
	const visitor = await Visitor.open(stage, t, { viewport: VIEW, as: await furnish(stage) });

	await row(visitor.page, 'Web shop').waitFor();
	await visitor.page.screenshot({ path: path.join(ROOT, 'docs/dashboard.png'), animations: 'disabled' });
});
