/*
 * own_permissions.test.mjs
 *		Permissions that an administrator has defined: over HTTP and with the command line.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { tokenOf } from './harness/people.mjs';
import { PROGRAMS, run } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { createKey, createOrg, createPerson } from './harness/tenants.mjs';

let cluster, db, gateway, org, bearer;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	await db.sql("SELECT wa.define_permission('invoices:read', 'Reads invoices', true), wa.define_permission('invoices:write', 'Writes invoices', true), wa.define_permission('invoices:refund', 'Refunds')");
	gateway = await Gateway.start(cluster);
	org = await createOrg(db, 'Acme');
	bearer = await tokenOf(gateway.client, await createPerson(db, { org }));
});

const call = (method, json, key = '') => gateway.client.request(method, `/api/v1/api-keys${key && `/${key}`}`, { bearer, json });
const me = async (key) => (await gateway.client.request('GET', '/api/v1/me', { key })).json.permissions;

test('an owner gives a key what is grantable, beside the four or alone', async () =>
{
	const both = (await call('POST', { name: 'both', permissions: ['invoices:write', 'read', 'invoices:read'] })).json;
	const alone = (await call('POST', { name: 'alone', permissions: ['invoices:read'] })).json;

	assert.deepEqual(both.permissions, ['read', 'invoices:read', 'invoices:write']);
	assert.deepEqual(alone.permissions, ['invoices:read']);
	assert.deepEqual((await call('GET')).json.data.map((key) => key.permissions), [alone.permissions, both.permissions]);
	assert.deepEqual(await me(both.key), both.permissions);
	assert.deepEqual(await me(alone.key), alone.permissions);

	// It opens nothing of the gateway's.
	for (const [method, target] of [['GET', '/api/v1/sessions'], ['POST', '/api/v1/sessions'], ['GET', '/api/v1/webhooks'], ['GET', '/api/v1/events'], ['GET', '/api/v1/api-keys']])
		assert.equal((await gateway.client.request(method, target, { key: alone.key, ...method === 'POST' && { json: {} } })).status, 403, target);

	const changed = await call('PATCH', { permissions: ['read'] }, both.id);

	assert.deepEqual([changed.status, changed.json.permissions], [200, ['read']]);
	assert.deepEqual(await me(both.key), ['read']);
});

test('an owner is told what a key can be given, and nobody else is; another organization\'s owner is told the same', async () =>
{
	const list = (options) => gateway.client.request('GET', '/api/v1/api-keys/permissions', options);
	const stranger = await tokenOf(gateway.client, await createPerson(db, { org: await createOrg(db, 'Beta') }));
	const { status, json } = await list({ bearer });

	assert.equal(status, 200);
	assert.deepEqual(json.permissions.map(({ name }) => name), ['read', 'send', 'manage', 'events', 'invoices:read', 'invoices:write']);
	assert.equal(json.permissions.at(-1).description, 'Writes invoices');
	assert.deepEqual((await list({ bearer: stranger })).json, json);
	assert.equal((await list({ bearer: await tokenOf(gateway.client, await createPerson(db, { org, role: 'member' })) })).status, 403);
	assert.equal((await list({ key: (await createKey(db, org, ['read', 'manage'])).secret })).status, 403);
	assert.equal((await list({})).status, 401);
});

test('what is not grantable, or not defined, is a 400 that names its place; a key keeps what an administrator gave it', async () =>
{
	for (const wrong of ['invoices:refund', 'invoices:*', 'invoices', 'INVOICES:READ', ''])
	{
		const answer = await call('POST', { name: 'wrong', permissions: ['read', wrong] });

		assert.equal(answer.status, 400, wrong);
		assert.match(JSON.stringify(answer.json), /permissions/);
	}

	const key = (await call('POST', { name: 'refunds', permissions: ['read'] })).json;

	await db.sql("SELECT wa.set_own_permissions($1, '{invoices:refund}')", [key.id]);
	assert.deepEqual((await call('PATCH', { permissions: ['send', 'invoices:refund'] }, key.id)).json.permissions, ['send', 'invoices:refund']);
	for (const refused of [await call('POST', {}, `${key.id}/rotate`), await call('PATCH', { addresses: ['192.0.2.0/24'] }, key.id)])
	{
		assert.equal(refused.status, 409);
		assert.match(refused.json.error.message, /only an administrator .* "invoices:refund"/);
	}
	assert.deepEqual((await call('PATCH', { permissions: ['send'] }, key.id)).json.permissions, ['send']);
	assert.equal((await call('PATCH', { permissions: ['send', 'invoices:refund'] }, key.id)).status, 400);
	assert.equal((await call('POST', {}, `${key.id}/rotate`)).status, 201);
});

test('the command line gives and shows them, also what only administrators give', () =>
{
	const wa = (...args) => run(path.join(PROGRAMS, 'wa'), [...args, '--json'], { env: cluster.environment('wa') });
	const made = JSON.parse(wa('key', 'create', org.id, 'by hand', 'read,invoices:refund').stdout);

	assert.deepEqual(made.permissions, ['read', 'invoices:refund']);
	assert.deepEqual(JSON.parse(wa('key', 'show', made.id).stdout).permissions, made.permissions);
	assert.deepEqual(JSON.parse(wa('key', 'create', org.id, 'by hand, alone', 'invoices:read').stdout).permissions, ['invoices:read']);

	for (const wrong of ['invoices:all', 'read,write', ''])
	{
		const refused = wa('key', 'create', org.id, 'wrong', wrong);

		assert.notEqual(refused.code, 0, wrong);
		assert.equal(refused.stdout, '');
	}
});
