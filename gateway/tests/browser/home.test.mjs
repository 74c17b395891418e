/*
 * home.test.mjs
 *		The page Home: the first steps of an organization, and what needs somebody.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createWebhook } from '../e2e/harness/fixtures.mjs';
import { createChat, createKey, createOrg, createPerson, createSession } from '../e2e/harness/tenants.mjs';
import { Visitor, assertFits, heading, openStage, screenshot } from './stage.mjs';

const WIDTHS = [390, 768, 1024, 1100, 1280, 1440];
const NAMES = ['Connect a WhatsApp account', 'Make an API key', 'Send the first message', 'Receive events'];

let stage;

before(async () => { stage = await openStage(); });

async function organization(role = 'owner')
{
	const org = await createOrg(stage.db, 'Acme');

	return { org, person: await createPerson(stage.db, { org, role }) };
}

const steps = (page) => page.getByRole('region', { name: 'First steps' });
const done = (page, name) => steps(page).getByRole('listitem').filter({ hasText: name }).getByText('(done)');

test('the dashboard begins at Home, whose steps are done one by one and then gone', async (t) =>
{
	const { org, person } = await organization();
	const visitor = await Visitor.open(stage, t, { as: person, section: '' });
	const { page } = visitor;

	await heading(page, 'Home').waitFor();
	await steps(page).getByText('0 of 4 done').waitFor();
	for (const name of NAMES)
		await steps(page).getByRole('link', { name }).waitFor();

	/* events tell of the first ones, and the focus of the window of the last */
	await createKey(stage.db, org);
	await done(page, 'Make an API key').waitFor();

	const session = await createSession(stage.db, org, { label: 'Support', status: 'stopped' });

	await stage.db.sql("UPDATE wa.session SET status = 'working' WHERE id = $1", [session.uuid]);
	await done(page, 'Connect a WhatsApp account').waitFor();
	await steps(page).getByText('2 of 4 done').waitFor();
	await createChat(stage.db, session, '15551234567@s.whatsapp.net');
	await page.reload();
	await done(page, 'Send the first message').waitFor();
	await createWebhook(stage.db, org);
	await page.evaluate(() => dispatchEvent(new Event('focus')));
	await steps(page).waitFor({ state: 'detached' });
	await page.getByRole('region', { name: 'Sessions' }).getByText('1 of 1 working').waitFor();
	visitor.assertWellBehaved();
});

test('a step leads to the page where it is done, by the keyboard too', async (t) =>
{
	const { person } = await organization();
	const visitor = await Visitor.open(stage, t, { as: person, section: 'home' });
	const { page } = visitor;

	await steps(page).getByRole('link', { name: 'Make an API key' }).focus();
	await page.keyboard.press('Enter');
	await heading(page, 'API Keys').waitFor();
	visitor.assertWellBehaved();
});

test('what needs somebody is named, and leads there', async (t) =>
{
	const { org, person } = await organization();

	for (const [label, status] of [['Support', 'working'], ['Sales', 'failed'], ['Shop', 'logged_out']])
		await createSession(stage.db, org, { label, status });
	await createKey(stage.db, org, ['read'], { name: 'ends soon', expiresAt: new Date(Date.now() + 2 * 24 * 3600 * 1000).toISOString() });
	await createKey(stage.db, org, ['read'], { name: 'stays' });

	const webhook = await createWebhook(stage.db, org, { url: 'https://receiver.example/paused' });

	await createWebhook(stage.db, org, { url: 'https://receiver.example/fine' });
	await stage.db.sql("UPDATE wa.webhook SET active = false, disabled_at = now(), disabled_reason = 'status 500' WHERE id = $1", [webhook.uuid]);

	const visitor = await Visitor.open(stage, t, { as: person, section: 'home' });
	const { page } = visitor;
	const subject = (name) => page.getByRole('region', { name });

	await subject('Sessions').getByText('1 of 3 working').waitFor();
	assert.deepEqual((await subject('Sessions').getByRole('listitem').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim()).sort(), ['Sales Failed', 'Shop Logged out']);
	await subject('Keys').getByText('2 valid').waitFor();
	assert.deepEqual(await subject('Keys').getByRole('listitem').getByRole('link').allInnerTexts(), ['ends soon']);
	await subject('Webhooks').getByText('1 of 2 active').waitFor();
	await subject('Webhooks').getByRole('link', { name: 'https://receiver.example/paused' }).click();
	await heading(page, 'Deliveries').waitFor();
	visitor.assertWellBehaved();
});

test('a member sees sessions and messages, and nothing that a member cannot look at', async (t) =>
{
	const { org, person } = await organization('member');

	await createSession(stage.db, org, { label: 'Support', status: 'failed' });

	const visitor = await Visitor.open(stage, t, { as: person, section: '' });
	const { page } = visitor;
	const asked = [];

	page.on('request', (request) => asked.push(new URL(request.url()).pathname));
	await page.reload();
	await heading(page, 'Home').waitFor();
	await steps(page).getByRole('link', { name: 'Send the first message' }).waitFor();
	assert.equal(await steps(page).getByRole('listitem').count(), 1);
	await page.getByRole('region', { name: 'Sessions' }).getByText('0 of 1 working').waitFor();
	assert.equal(await page.getByRole('region', { name: /Keys|Webhooks/ }).count(), 0);
	assert.deepEqual(asked.filter((path) => /^\/api\/.*(api-keys|webhooks)/.test(path)), []);
	visitor.assertWellBehaved();
});

for (const scheme of ['light', 'dark'])
	test(`Home fits at every width (${scheme})`, async (t) =>
	{
		const { org, person } = await organization();

		for (const label of ['Support', 'W'.repeat(60), ...Array(6).keys()])
			await createSession(stage.db, org, { label: `${label}`, status: 'failed' });
		await createWebhook(stage.db, org, { url: `https://receiver.example/${'long/'.repeat(40)}` });
		await stage.db.sql("UPDATE wa.webhook SET active = false, disabled_at = now(), disabled_reason = 'status 500' WHERE org_id = $1", [org.uuid]);

		const visitor = await Visitor.open(stage, t, { as: person, section: 'home', scheme });
		const { page } = visitor;

		await page.getByRole('link', { name: 'and 3 more' }).waitFor();
		for (const width of WIDTHS)
		{
			await page.setViewportSize({ width, height: 900 });
			await assertFits(page, `Home at ${width}`);
			await screenshot(page, `home-${width}-${scheme}`);
		}
		visitor.assertWellBehaved();
	});
