/*
 * deliveries.test.mjs
 *		Webhooks and their deliveries: what is shown of each, what is offered, and the settings.
 *
 * Webhooks whose state is set by SQL are off before they have a delivery, so that the worker
 * leaves them alone.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createDelivery, createWebhook } from '../e2e/harness/fixtures.mjs';
import { until } from '../e2e/harness/processes.mjs';
import { Receiver } from '../e2e/harness/receiver.mjs';
import { emit } from '../e2e/harness/socket.mjs';
import { createKey, createOrg, createPerson } from '../e2e/harness/tenants.mjs';
import { EVENT_TYPES } from '../../web/client/event_types.js';
import { Visitor, actionsOf, heading, leaveSecret, openStage, press, row, screenshot } from './stage.mjs';

const WIDTHS = [390, 768, 1024, 1100, 1280, 1440];

let stage;

before(async () => { stage = await openStage({ delivers: true }); });

async function organization()
{
	const org = await createOrg(stage.db, 'Acme');

	return { org, owner: await createPerson(stage.db, { org }) };
}

/* A webhook that exists before the page is opened. */
async function hook(org, settings)
{
	const made = await stage.client.post('/api/v1/webhooks', (await createKey(stage.db, org)).secret, settings);

	assert.equal(made.status, 201, made.text);
	return made.json;
}

const latest = (page) => page.getByRole('table', { name: 'Deliveries' }).getByRole('row').last();
const outcomes = (page) => page.getByRole('list', { name: 'Attempts' }).locator('.badge').allTextContents();

test('a delivery that failed says when it is tried again, is tried now on request, and shows every attempt and its body', async (t) =>
{
	const { org, owner } = await organization();
	let status = 503;
	const receiver = await Receiver.start({ answer: (request, response) => response.writeHead(status).end() });
	const made = await hook(org, { url: receiver.url, retryPolicy: { policy: 'constant', delaySeconds: 3600, attempts: 5 } });

	const event = await emit(stage.db, org, 'message', { payload: { body: 'shown as it was sent' } });
	const visitor = await Visitor.open(stage, t, { as: owner, section: `webhooks/${made.id}` });
	const { page } = visitor;

	await latest(page).getByText('Will be tried again').waitFor();
	await latest(page).getByText(/^in (\d+ minutes|\d hours?)$/).waitFor();
	await latest(page).getByText('status 503', { exact: true }).waitFor();

	await press(latest(page), 'Show');
	await page.getByRole('dialog').getByText('status 503').waitFor();
	assert.deepEqual(await outcomes(page), ['status 503']);
	assert.match(await page.getByRole('dialog').locator('pre').innerText(), new RegExp(event));

	/* from the dialog, which follows what comes of it */
	status = 204;
	await page.getByRole('dialog').getByRole('button', { name: 'Try now' }).click();
	await page.getByRole('dialog').getByText('status 204').waitFor();
	assert.deepEqual(await outcomes(page), ['status 503', 'status 204']);
	await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
	await latest(page).getByText('Delivered', { exact: true }).waitFor();

	/* and from the row, where it is called by another name now */
	await press(latest(page), 'Send again');
	await until('it has arrived again', () => receiver.requests.length === 3);
	await latest(page).getByText('Delivered', { exact: true }).waitFor();
	await press(latest(page), 'Show');
	await page.getByRole('dialog').getByRole('list', { name: 'Attempts' }).getByText('status 204').nth(1).waitFor();
	visitor.assertWellBehaved();
});

test('of a webhook that is off, or paused, nothing is promised and nothing offered that would be refused', async (t) =>
{
	for (const { paused, words } of [{ paused: false, words: 'This webhook is off' }, { paused: true, words: 'This webhook is paused since' }])
	{
		const { org, owner } = await organization();
		const webhook = await createWebhook(stage.db, org);

		await stage.db.sql(`UPDATE wa.webhook SET active = false, disabled_at = CASE WHEN $2 THEN now() END,
			disabled_reason = CASE WHEN $2 THEN 'status 500' END WHERE id = $1`, [webhook.uuid, paused]);
		for (const status of ['failed', 'pending', 'delivered', 'dead'])
		{
			const { uuid } = await createDelivery(stage.db, webhook);

			await stage.db.sql(`UPDATE wa.delivery SET status = $2, type = 'message',
				next_attempt_at = CASE $2 WHEN 'pending' THEN '-infinity' WHEN 'failed' THEN now() + interval '3 minutes' ELSE 'infinity' END
				WHERE org_id = $3 AND id = $1`, [uuid, status, org.uuid]);
		}

		const visitor = await Visitor.open(stage, t, { as: owner, section: `webhooks/${webhook.id}` });
		const { page } = visitor;
		const rows = page.getByRole('table', { name: 'Deliveries' }).getByRole('row');

		await page.getByText(words).waitFor();
		await rows.nth(4).waitFor();
		assert.deepEqual(await rows.locator('.badge').allTextContents(), ['Given up', 'Delivered', 'On hold', 'On hold']);
		await rows.nth(4).getByText('once active').waitFor();
		for (let i = 1; i <= 4; i++)
			assert.ok((await actionsOf(rows.nth(i))).every((name) => name.startsWith('Show')));
		assert.equal(await page.getByRole('button', { name: 'Send a test' }).count(), 0);
		assert.equal(await page.getByRole('table').getByText('Will be tried again').count(), 0);
		visitor.assertWellBehaved();
	}
});

test('header fields and retries can be set, changed and taken away, and what is wrong is told at its field', async (t) =>
{
	const { org, owner } = await organization();
	const receiver = await Receiver.start();
	const visitor = await Visitor.open(stage, t, { as: owner, section: 'webhooks' });
	const { page } = visitor;
	const dialog = page.getByRole('dialog');
	const kept = async () => JSON.parse(await stage.db.value(`SELECT json_build_object('headers', custom_headers, 'policy', retry_policy,
		'delay', retry_delay_seconds, 'attempts', retry_attempts) FROM wa.webhook WHERE org_id = $1`, [org.uuid]));

	await page.getByRole('button', { name: 'New webhook' }).first().click();
	await dialog.getByLabel('Address').fill(receiver.url);
	await dialog.getByText('Header fields and retries').click();
	await dialog.getByRole('button', { name: 'Add a header field' }).click();
	await dialog.getByLabel('Value of field 1').fill('Bearer abc');
	await dialog.getByLabel('Attempts').fill('0');
	await dialog.getByRole('button', { name: 'Create webhook' }).click();
	await dialog.getByText('Give each header field a name.').waitFor();
	await dialog.getByText('Enter 1 to 50 attempts.').waitFor();

	/* what only the gateway knows */
	await dialog.getByLabel('Name of field 1').fill('Host');
	await dialog.getByLabel('Attempts').fill('3');
	await dialog.getByRole('button', { name: 'Create webhook' }).click();
	await dialog.getByText(/Host.*is set by the delivery itself/).waitFor();

	await dialog.getByLabel('Name of field 1').fill('Authorization');
	await dialog.getByLabel('Pauses').selectOption('All of the same length');
	await dialog.getByLabel('First pause, in seconds').fill('60');
	await dialog.getByRole('button', { name: 'Create webhook' }).click();
	await leaveSecret(page);
	assert.deepEqual(await kept(), { headers: { Authorization: 'Bearer abc' }, policy: 'constant', delay: 60, attempts: 3 });
	await press(row(page, receiver.url), 'Deliveries');
	await page.getByRole('button', { name: 'Send a test' }).click();
	await latest(page).getByText('Delivered', { exact: true }).waitFor();
	assert.equal(receiver.requests[0].headers.authorization, 'Bearer abc');

	await visitor.open('Webhooks');
	await press(row(page, receiver.url), 'Change');
	assert.equal(await dialog.getByLabel('Name of field 1').inputValue(), 'Authorization');
	assert.equal(await dialog.getByLabel('Attempts').inputValue(), '3');
	await dialog.getByRole('button', { name: 'Remove field 1' }).click();
	await dialog.getByLabel('Attempts').fill('4');
	await dialog.getByRole('button', { name: 'Save' }).click();
	await page.getByText('The webhook is saved.').waitFor();
	assert.deepEqual(await kept(), { headers: null, policy: 'constant', delay: 60, attempts: 4 });
	visitor.assertWellBehaved();
});

test('each type of event is explained in one sentence where it is chosen', async (t) =>
{
	const { owner } = await organization();
	const visitor = await Visitor.open(stage, t, { as: owner, section: 'webhooks' });
	const { page } = visitor;
	const dialog = page.getByRole('dialog');

	await page.getByRole('button', { name: 'New webhook' }).first().click();
	await dialog.getByRole('radio', { name: 'Only these' }).check();
	for (const type of EVENT_TYPES)
	{
		const box = dialog.getByRole('checkbox', { name: type, exact: true });
		const id = await box.getAttribute('aria-describedby');

		assert.match(await page.locator(`[id="${id}"]`).innerText(), /^[A-Z].*[^.]\.$/, type);
	}
	visitor.assertWellBehaved();
});

for (const scheme of ['light', 'dark'])
	test(`the dialogs fit at every width (${scheme})`, async (t) =>
	{
		const { org, owner } = await organization();
		const webhook = await createWebhook(stage.db, org, { url: `https://receiver.example/${'long/'.repeat(40)}` });

		await stage.db.sql('UPDATE wa.webhook SET active = false, custom_headers = $2 WHERE id = $1', [webhook.uuid, JSON.stringify({ Authorization: 'x'.repeat(300) })]);

		const { uuid } = await createDelivery(stage.db, webhook);

		await stage.db.sql(`UPDATE wa.delivery SET envelope = $3, status_code = 503, error = 'status 503',
			earlier = '[{"at": 1795495933034, "statusCode": 500}, {"at": 1795495943034, "error": "could not connect"}]' WHERE org_id = $1 AND id = $2`,
			[org.uuid, uuid, JSON.stringify({ event: 'message', payload: { body: 'W'.repeat(400) } })]);

		const visitor = await Visitor.open(stage, t, { as: owner, section: `webhooks/${webhook.id}`, scheme });
		const { page } = visitor;
		const fits = () => page.evaluate(() =>
		{
			const dialog = document.querySelector('dialog');

			return dialog.scrollWidth <= dialog.clientWidth && document.documentElement.scrollWidth <= innerWidth;
		});

		for (const width of WIDTHS)
		{
			await page.setViewportSize({ width, height: 900 });
			await press(latest(page), 'Show');
			await page.getByRole('dialog').getByText('could not connect').waitFor();
			assert.ok(await fits(), `delivery at ${width}`);
			await screenshot(page, `delivery-${width}-${scheme}`);
			await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
		}
		await visitor.go('webhooks');
		for (const width of WIDTHS)
		{
			await page.setViewportSize({ width, height: 900 });
			await press(row(page, /receiver\.example/), 'Change');
			await page.getByRole('radio', { name: 'Only these' }).check();
			await page.getByLabel('Value of field 1').waitFor();
			assert.ok(await fits(), `webhook at ${width}`);
			await screenshot(page, `webhook-${width}-${scheme}`);
			await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
		}
		await heading(page, 'Webhooks').waitFor();
		visitor.assertWellBehaved();
	});
