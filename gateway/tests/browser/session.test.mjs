/*
 * session.test.mjs
 *		The page of a session: its settings.
 *
 * No connector works for these sessions.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createOrg, createPerson, createSession } from '../e2e/harness/tenants.mjs';
import { Visitor, assertFits, heading, openStage, screenshot } from './stage.mjs';

const WIDTHS = [390, 768, 1024, 1100, 1280, 1440];

let stage, org, owner;

before(async () =>
{
	stage = await openStage();
	org = await createOrg(stage.db, 'Acme');
	owner = await createPerson(stage.db, { org });
});

const kept = (session) => stage.db.value(`SELECT concat_ws(' ', COALESCE(label, '-'), rate_per_min, rate_per_hour, auto_read, presence_typing)
	FROM wa.session WHERE org_id = $1 AND id = $2`, [org.uuid, session.uuid]);

test('settings are changed, and what is wrong is told at its field, all of it at once', async (t) =>
{
	const session = await createSession(stage.db, org, { label: 'Support' });
	const visitor = await Visitor.open(stage, t, { as: owner, section: `sessions/${session.id}` });
	const { page } = visitor;
	const dialog = page.getByRole('dialog', { name: 'Change session' });
	const change = () => page.getByRole('button', { name: 'Change', exact: true }).click();

	await page.getByText('no limit').waitFor();
	await change();
	await dialog.getByLabel('Messages a minute').fill('many');
	await dialog.getByLabel('Messages an hour').fill('1000001');
	await dialog.getByRole('button', { name: 'Save' }).click();
	await dialog.getByText('Enter 0 to 100000.').waitFor();
	await dialog.getByText('Enter 0 to 1000000.').waitFor();
	await dialog.getByLabel('Messages a minute').and(page.locator(':focus')).waitFor();

	await dialog.getByLabel('Label').fill('Sales');
	await dialog.getByLabel('Messages a minute').fill('7');
	await dialog.getByLabel('Messages an hour').fill('100');
	await dialog.getByRole('checkbox', { name: 'Mark as read' }).check();
	await dialog.getByRole('button', { name: 'Save' }).click();
	await heading(page, 'Sales').waitFor();
	await page.getByText('at most 7 a minute, 100 an hour').waitFor();
	await page.getByText('marks messages as read').waitFor();
	assert.equal(await kept(session), 'Sales 7 100 t f');

	/* an empty label takes it away; what somebody else has changed meanwhile stays */
	await change();
	await stage.db.sql('UPDATE wa.session SET rate_per_min = 9 WHERE org_id = $1 AND id = $2', [org.uuid, session.uuid]);
	await dialog.getByLabel('Label').fill('');
	await dialog.getByRole('button', { name: 'Save' }).click();
	await heading(page, session.id).waitFor();
	await page.getByText('at most 9 a minute, 100 an hour').waitFor();
	assert.equal(await kept(session), '- 9 100 t f');
	visitor.assertWellBehaved();
});

test('what only the gateway knows to be wrong is told at the field, and Escape changes nothing', async (t) =>
{
	const session = await createSession(stage.db, org, { label: 'Escape' });
	const visitor = await Visitor.open(stage, t, { as: owner, section: `sessions/${session.id}` });
	const { page } = visitor;
	const dialog = page.getByRole('dialog', { name: 'Change session' });

	await page.getByRole('button', { name: 'Change', exact: true }).focus();
	await page.keyboard.press('Enter');
	await dialog.getByLabel('Label').fill('x\u200by');
	await page.keyboard.press('Enter');
	await dialog.getByText(/U\+200B/).waitFor();
	await page.keyboard.press('Escape');
	await dialog.waitFor({ state: 'detached' });
	await page.getByRole('button', { name: 'Change', exact: true }).and(page.locator(':focus')).waitFor();
	assert.match(await kept(session), /^Escape 0 0 /);
	visitor.assertWellBehaved();
});

test('a member sees the settings and cannot change them', async (t) =>
{
	const session = await createSession(stage.db, org, { label: 'Seen' });
	const visitor = await Visitor.open(stage, t, { as: await createPerson(stage.db, { org, role: 'member' }), section: `sessions/${session.id}` });
	const { page } = visitor;

	await page.getByText('no limit').waitFor();
	assert.equal(await page.getByRole('button', { name: 'Change', exact: true }).count(), 0);
	visitor.assertWellBehaved();
});

for (const scheme of ['light', 'dark'])
	test(`the page and its dialog fit at every width (${scheme})`, async (t) =>
	{
		const session = await createSession(stage.db, org, { label: 'W'.repeat(100), status: 'failed' });
		const visitor = await Visitor.open(stage, t, { as: owner, section: `sessions/${session.id}`, scheme });
		const { page } = visitor;

		await page.getByText('no limit').waitFor();
		for (const width of WIDTHS)
		{
			await page.setViewportSize({ width, height: 900 });
			await assertFits(page, `session at ${width}`);
			await screenshot(page, `session-${width}-${scheme}`);
			await page.getByRole('button', { name: 'Change', exact: true }).click();
			await page.getByLabel('Label').waitFor();
			await assertFits(page, `dialog at ${width}`);
			await screenshot(page, `session-change-${width}-${scheme}`);
			await page.keyboard.press('Escape');
		}
		visitor.assertWellBehaved();
	});
