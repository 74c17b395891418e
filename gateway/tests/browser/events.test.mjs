/*
 * events.test.mjs
 *		Webhooks and events: what a person sets up, and sees arrive, by the real socket and the
 *		real worker.
 *
 * A socket is broken by a relay in the page (relaySockets()); what comes before and after is
 * the gateway's.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createUnlimitedSession } from '../e2e/harness/fixtures.mjs';
import { until } from '../e2e/harness/processes.mjs';
import { Receiver } from '../e2e/harness/receiver.mjs';
import { emit } from '../e2e/harness/socket.mjs';
import { createKey, createOrg, createPerson } from '../e2e/harness/tenants.mjs';
import { Visitor, assertFits, everythingOf, heading, leaveSecret, openStage, press, row, screenshot, secretField } from './stage.mjs';

const KEPT = 200;		/* events on the page, as page_events.js has it */

let stage;

before(async () => { stage = await openStage({ delivers: true }); });

const visit = (t, section, person) => Visitor.open(stage, t, { as: person, section });

async function organization()
{
	const org = await createOrg(stage.db, 'Acme');

	return { org, owner: await createPerson(stage.db, { org }), key: (await createKey(stage.db, org)).secret };
}

const isLive = (page) => page.getByText('Live', { exact: true }).waitFor();
const shown = (page, id) => page.locator('.events code').getByText(id, { exact: true }).waitFor({ state: 'attached' });
const idsOf = (page) => page.locator('.events code').allTextContents();

/* Resolves when the page shows a text, however short. */
const showsOnce = (page, text) => page.evaluate((wanted) => new Promise((resolve) =>
{
	new MutationObserver((_, observer) =>
	{
		if (!document.body.innerText.includes(wanted))
			return;
		observer.disconnect();
		resolve();
	}).observe(document.body, { childList: true, subtree: true, characterData: true });
}), text);

/*
 * Lets the page's sockets through to the gateway.  Returns { tickets, cut }: what tickets were
 * asked for, and what breaks the last socket.  What is to be done before the page comes back,
 * cut() does: until then no ticket is given.
 */
async function relaySockets(page)
{
	const tickets = [];
	let last, given = Promise.resolve();

	page.on('request', (request) =>
	{
		if (new URL(request.url()).pathname.endsWith('/realtime/ticket'))
			tickets.push(request.postDataJSON());
	});
	await page.route('**/realtime/ticket', async (route) =>
	{
		await given;
		await route.fallback();
	});
	await page.routeWebSocket(/\/api\/v1\/realtime/, (socket) => { last = { socket, server: socket.connectToServer() }; });
	return {
		tickets,
		async cut(meanwhile = async () => {})
		{
			const told = showsOnce(page, 'the connection broke');
			let give;

			given = new Promise((resolve) => { give = resolve; });
			await last.server.close();
			await last.socket.close({ code: 1011 });
			await told;
			await meanwhile();
			give();
		},
	};
}

test('a webhook is made, changed, gets another secret and is deleted; each secret is shown once', async (t) =>
{
	const visitor = await visit(t, 'webhooks', (await organization()).owner);
	const { page } = visitor;
	const url = 'https://receiver.example/hook';

	await page.getByText('No webhooks yet').waitFor();
	await page.getByRole('button', { name: 'New webhook' }).first().click();
	await page.getByLabel('Address').fill('not an address');
	await page.getByRole('button', { name: 'Create webhook' }).click();
	await page.locator('input[aria-invalid="true"]').waitFor();
	await page.getByLabel('Address').fill(url);
	await page.getByRole('radio', { name: 'Only these' }).check();
	await page.getByRole('checkbox', { name: 'message', exact: true }).check();
	await page.getByRole('button', { name: 'Create webhook' }).click();

	const secret = (await secretField(page, 'Signing secret').textContent()).trim();

	assert.match(secret, /^whsec_/);
	await leaveSecret(page);
	assert.ok(!(await everythingOf(page)).includes(secret));
	await row(page, url).getByText('message', { exact: true }).waitFor();

	await press(row(page, url), 'Change');
	await page.getByRole('radio', { name: 'All events' }).check();
	await page.getByRole('checkbox', { name: 'Active' }).uncheck();
	await page.getByRole('button', { name: 'Save' }).click();
	await row(page, url).getByText('all events').waitFor();
	await row(page, url).getByText('Off').waitFor();

	await press(row(page, url), 'Rotate secret');
	await page.getByRole('dialog').getByRole('button', { name: 'Rotate secret' }).click();

	const next = (await secretField(page, 'Signing secret').textContent()).trim();

	assert.match(next, /^whsec_/);
	assert.notEqual(next, secret);
	await page.reload();
	await row(page, url).waitFor();
	assert.ok(!(await everythingOf(page)).includes(next));

	await press(row(page, url), 'Delete');
	await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	await page.getByText('No webhooks yet').waitFor();
	visitor.assertWellBehaved();
});

test('a webhook that was paused says since when and why, and is made active again', async (t) =>
{
	const { owner, key } = await organization();
	const made = (await stage.client.post('/api/v1/webhooks', key, { url: 'https://receiver.example/down' })).json;

	await stage.db.sql("UPDATE wa.webhook SET active = false, disabled_at = now(), disabled_reason = 'status 503' WHERE url = $1", [made.url]);

	const { page } = await visit(t, 'webhooks', owner);

	await row(page, made.url).getByText('Paused', { exact: true }).waitFor();
	await press(row(page, made.url), 'Deliveries');
	await page.getByText('its receiver has failed for too long (status 503)').waitFor();
	await page.goBack();
	await press(row(page, made.url), 'Change');
	await page.getByRole('checkbox', { name: 'Active' }).check();
	await page.getByRole('button', { name: 'Save' }).click();
	await row(page, made.url).getByText('Active', { exact: true }).waitFor();
});

test('a change of a webhook sends what differs, and leaves alone what somebody else has changed', async (t) =>
{
	const { owner, key } = await organization();
	const made = (await stage.client.post('/api/v1/webhooks', key, { url: 'https://receiver.example/shared', events: ['message', 'chat.update'] })).json;
	const { page } = await visit(t, 'webhooks', owner);
	const sent = [];

	page.on('request', (request) =>
	{
		if (request.method() === 'PATCH')
			sent.push(request.postDataJSON());
	});
	await press(row(page, made.url), 'Change');
	await stage.client.request('PATCH', `/api/v1/webhooks/${made.id}`, { key, json: { active: false } });
	await page.getByRole('checkbox', { name: 'message', exact: true }).uncheck();
	await page.getByRole('button', { name: 'Save' }).click();
	await row(page, made.url).getByText('Off').waitFor();
	await row(page, made.url).getByText('chat.update', { exact: true }).waitFor();
	assert.deepEqual(sent, [{ events: ['chat.update'] }]);

	/* nothing differs: nothing is sent */
	await press(row(page, made.url), 'Change');
	await page.getByRole('button', { name: 'Save' }).click();
	await page.getByRole('dialog').waitFor({ state: 'detached' });
	assert.equal(sent.length, 1);
});

test('a message appears on the page Events as it is sent, answered and read', async (t) =>
{
	const { org, owner, key } = await organization();
	const session = await createUnlimitedSession(stage.db, org, { connector: 'sandbox', status: 'working' });

	await stage.db.sql('UPDATE wa.session SET phone_number = $1, wa_jid = $2 WHERE org_id = $3 AND id = $4',
		['15559990000', '15559990000@s.whatsapp.net', org.uuid, session.uuid]);

	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	const closed = new Promise((resolve) => { page.on('websocket', (socket) => socket.on('close', resolve)); });
	const events = page.getByRole('list', { name: 'Events' });
	const text = '<img src=x onerror="window.pwned=1">';

	await visitor.enter(owner, 'events');
	await isLive(page);
	await stage.client.post(`/api/v1/sessions/${session.id}/messages`, key, { type: 'text', to: '15551234567', text });
	for (const type of ['message.from_me', 'message.status', 'message'])
		await events.getByText(type, { exact: true }).first().waitFor();
	await events.getByText('message.from_me', { exact: true }).click();
	await events.locator('details[open] pre').getByText(text.slice(0, 10)).waitFor();
	assert.equal(await page.evaluate(() => window.pwned), undefined);
	await page.getByLabel('Type').selectOption('message.from_me');
	assert.equal(await events.locator('summary').count(), 1);

	/* another page ends the socket */
	await page.getByRole('link', { name: 'Sessions' }).click();
	await closed;
	visitor.assertWellBehaved();
});

test('the events that are kept are there at once, in a line each with second, session and summary', async (t) =>
{
	const { org, owner } = await organization();
	const session = await createUnlimitedSession(stage.db, org, { label: 'Support line' });
	const other = await createUnlimitedSession(stage.db, org, { label: 'Sales' });

	await stage.db.sql("SELECT wa.emit($1::uuid, 'chat.update', $2::uuid, '{\"name\":\"old\"}') FROM generate_series(1, 200)", [org.uuid, session.uuid]);
	await emit(stage.db, org, 'message', { session, payload: { senderName: 'Ann', senderJid: '15551234567@s.whatsapp.net', chatJid: '15551234567@s.whatsapp.net', type: 'text', body: 'where is my parcel?' } });

	const newest = await emit(stage.db, org, 'session.status', { session: other, payload: { status: 'working' } });
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	const { tickets } = await relaySockets(page);
	const lines = page.getByRole('list', { name: 'Events' }).locator('summary');

	await visitor.enter(owner, 'events');
	await isLive(page);
	assert.equal(await lines.count(), 200);
	assert.match(await lines.nth(0).innerText(), /\d\d:\d\d:\d\d\s+session\.status\s+Working\s+Sales/);
	assert.match(await lines.nth(1).innerText(), /\d\d:\d\d:\d\d\s+message\s+Ann: where is my parcel\?\s+Support line/);
	assert.deepEqual(tickets, [{ scope: 'organization', since: newest }]);

	/* one comes; a filter that matches nothing says so; cleared, the page says that too */
	await emit(stage.db, org, 'message.status', { session, payload: { chatJid: '15551234567@s.whatsapp.net', status: 'read' } });
	await lines.nth(0).getByText('to +15551234567: read').waitFor();
	await page.getByLabel('Session').selectOption('Sales');
	await until('only those of the session', async () => await lines.count() === 1);
	await page.getByLabel('Type').selectOption('poll.vote');
	await page.getByText('No event matches.').waitFor();
	await page.getByRole('button', { name: 'Clear' }).click();
	await page.getByText('Events that come from now on appear here.').waitFor();
	await page.getByLabel('Type').selectOption('');
	await page.getByLabel('Session').selectOption('');
	for (const colorScheme of ['light', 'dark'])
		for (const width of [390, 768, 1024, 1100, 1280, 1440])
		{
			await page.setViewportSize({ width, height: 800 });
			await page.emulateMedia({ colorScheme });
			await emit(stage.db, org, 'message', { session, payload: { senderName: 'W'.repeat(100), chatJid: '1@g.us', body: 'w'.repeat(400) } });
			await until('it is there', async () => await lines.count() > 0);
			await assertFits(page, String(width));
			await screenshot(page, `events-${width}-${colorScheme}`);
		}
	visitor.assertWellBehaved();
});

test('the page is live only while the gateway can read events', async (t) =>
{
	const { owner } = await organization();
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	let down = false;

	/* the answers of /readyz are those of a gateway whose database is gone */
	await page.route('**/readyz', (route) => (down ? route.fulfill({ status: 503, json: { error: { code: 'unavailable', message: 'the database cannot be reached' } } }) : route.continue()));
	await page.clock.install();
	await visitor.enter(owner, 'events');
	await isLive(page);
	down = true;
	await page.clock.runFor(11000);
	await page.getByText('Not live', { exact: true }).waitFor();
	await page.getByText('The database cannot be reached.').waitFor();
	down = false;
	await page.clock.runFor(11000);
	await isLive(page);
	visitor.assertWellBehaved();
});

test('after a break events go on from where they were; what may be missing is told', async (t) =>
{
	const { org, owner } = await organization();
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	const { tickets, cut } = await relaySockets(page);
	const interrupted = page.getByText('The connection was interrupted; events in between may be missing.');
	const expired = page.getByText('no longer kept');

	/* in an organization without events there is nothing to go on from */
	await stage.db.sql('DELETE FROM wa.event WHERE org_id = $1', [org.uuid]);
	await visitor.enter(owner, 'events');
	await isLive(page);
	assert.equal(await interrupted.count(), 0);
	await cut();
	await isLive(page);
	await interrupted.waitFor();
	assert.deepEqual(tickets, [{ scope: 'organization' }, { scope: 'organization' }]);
	await page.getByRole('button', { name: 'Clear' }).click();
	await interrupted.waitFor({ state: 'detached' });

	/* after it there is */
	const first = await emit(stage.db, org);

	await shown(page, first);
	await cut();

	const second = await emit(stage.db, org);

	await shown(page, second);
	assert.deepEqual(await idsOf(page), [second, first]);
	assert.deepEqual(tickets[2], { scope: 'organization', since: first });
	assert.equal(await interrupted.count(), 0);

	/* unless the gateway no longer has it */
	await cut(() => stage.db.sql('DELETE FROM wa.event WHERE org_id = $1', [org.uuid]));
	await expired.waitFor();
	await isLive(page);
	assert.equal(await interrupted.count(), 0);
	visitor.assertWellBehaved();
});

test('a break before the first event loses nothing where there was one before', async (t) =>
{
	const { org, owner } = await organization();
	const before = await emit(stage.db, org);
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	const { tickets, cut } = await relaySockets(page);

	await visitor.enter(owner, 'events');
	await isLive(page);
	await cut();

	const missed = await emit(stage.db, org);

	await shown(page, missed);
	assert.deepEqual((await idsOf(page)).slice(0, 2), [missed, before]);
	assert.deepEqual(tickets, [{ scope: 'organization', since: before }, { scope: 'organization', since: before }]);
	assert.equal(await page.getByText('events in between may be missing').count(), 0);
});

test('paused, nothing moves and nothing is lost, up to what the page keeps; beyond that it says so', async (t) =>
{
	const { org, owner } = await organization();
	const { page } = await visit(t, 'events', owner);
	const dropped = page.getByText(`While this page was paused more than ${KEPT} events came.`);
	/* shows when events have come */
	const other = await visit(t, 'events', owner);
	const emitMany = (count) => stage.db.sql("SELECT wa.emit($1::uuid, 'message', NULL, '{}') FROM generate_series(1, $2::int)", [org.uuid, count]);

	await isLive(page);
	await isLive(other.page);

	const first = await emit(stage.db, org);

	await shown(page, first);
	await page.getByRole('button', { name: 'Pause' }).click();
	await page.getByText('Paused', { exact: true }).waitFor();
	await emitMany(KEPT - 1);

	const last = await emit(stage.db, org);

	await shown(other.page, last);
	assert.equal((await idsOf(page))[0], first);
	await page.getByRole('button', { name: 'Go on' }).click();
	await shown(page, last);
	assert.equal((await idsOf(page)).length, KEPT);
	assert.equal(await dropped.count(), 0);

	await page.getByRole('button', { name: 'Pause' }).click();
	await emitMany(KEPT + 1);
	await dropped.waitFor();
	assert.equal((await idsOf(page))[0], last);
	await page.getByRole('button', { name: 'Go on' }).click();
	await until('the newest are shown', async () => !(await idsOf(page)).includes(last));
	assert.equal((await idsOf(page)).length, KEPT);
});

test('the events end with the sign-in, and with the membership', async (t) =>
{
	const { org, owner } = await organization();
	const admin = await createPerson(stage.db, { org, role: 'admin' });
	const visitor = await visit(t, 'events', owner);
	const removed = await visit(t, 'events', admin);
	const second = await visitor.newPage();

	await isLive(visitor.page);
	await isLive(removed.page);
	await visitor.go('keys', second);
	await second.getByRole('button', { name: 'Sign out' }).click();
	await heading(visitor.page, 'Sign in').waitFor();
	await visitor.page.getByText('You are signed out').waitFor();

	await stage.db.sql('SELECT wa.change_member($1, $2, NULL)', [org.uuid, admin.uuid]);
	await heading(removed.page, 'No organization yet').waitFor();
	visitor.assertWellBehaved();
	removed.assertWellBehaved();
});

test('a test delivery arrives; one that fails is given up, and arrives when it is sent again', async (t) =>
{
	const { org, owner } = await organization();
	let status = 503;
	const receiver = await Receiver.start({ answer: (request, response) => response.writeHead(request.json.event === 'message' ? 500 : status).end() });
	const visitor = await visit(t, 'webhooks', owner);
	const { page } = visitor;
	const latest = () => page.getByRole('table', { name: 'Deliveries' }).getByRole('row').nth(1);

	await page.getByRole('button', { name: 'New webhook' }).first().click();
	await page.getByLabel('Address').fill(receiver.url);
	await page.getByRole('button', { name: 'Create webhook' }).click();
	await leaveSecret(page);
	await press(row(page, receiver.url), 'Deliveries');
	await page.getByText('No deliveries').waitFor();

	await page.getByRole('button', { name: 'Send a test' }).click();
	await page.getByText('A test event is on its way.').waitFor();
	await latest().getByText('Given up').waitFor();
	await latest().getByText('status 503').waitFor();
	assert.equal(receiver.of('webhook.test').length, 1);

	status = 200;
	await press(latest(), 'Send again');
	await page.getByText('The event is sent again.').waitFor();
	await page.getByText('Delivered', { exact: true }).and(page.locator('.badge')).waitFor();
	await page.getByText('status 200').waitFor();
	assert.equal(receiver.of('webhook.test').length, 2);

	/* an event that is tried again by itself */
	await emit(stage.db, org);
	await page.getByLabel('Status').selectOption('Will be tried again');
	await latest().getByText('Will be tried again').waitFor();
	await latest().getByText('status 500').waitFor();
	visitor.assertWellBehaved();
});

/* A gateway that has neither is not there to be tried: its OpenAPI document is played to the page. */
test('a gateway without the socket or the log of deliveries is told as such', async (t) =>
{
	const { owner } = await organization();
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	const paths = { '/events': { get: {} } };

	await page.route('**/openapi.json', (route) => route.fulfill({ json: { paths } }));
	await visitor.enter(owner, 'events');
	await page.getByText('This gateway has no WebSocket.').waitFor();
	await page.evaluate(() => { location.hash = '#/webhooks/wh_any'; });
	await page.getByText('This gateway keeps no log of deliveries.').waitFor();
	delete paths['/events'];
	await visitor.enter(owner, 'events');
	await page.getByText('This gateway does not tell events yet.').waitFor();
	visitor.assertWellBehaved();
});
