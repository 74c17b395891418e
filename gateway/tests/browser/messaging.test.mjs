/*
 * messaging.test.mjs
 *		Sessions, chats, webhooks and events, as a person works with them.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createSentMessage, createUnlimitedSession, createWebhook, showQrCode } from '../e2e/harness/fixtures.mjs';
import { until } from '../e2e/harness/processes.mjs';
import { createChat, createOrg, createPerson, createSession } from '../e2e/harness/tenants.mjs';
import { qrcode } from '../../web/vendor/qrcode.js';
import { Visitor, everythingOf, heading, openStage, row, secretField } from './stage.mjs';

const JID = '15551234567@s.whatsapp.net';

let stage, org, owner;

before(async () =>
{
	stage = await openStage();
	org = await createOrg(stage.db, 'Acme');
	owner = await createPerson(stage.db, { org });
});

const visit = (t, section, person = owner) => Visitor.open(stage, t, { as: person, section });

/* A session that the sandbox works for, as if it had been paired before. */
async function workingSession(label)
{
	const session = await createUnlimitedSession(stage.db, org, { connector: 'sandbox', status: 'working', label });

	await stage.db.sql('UPDATE wa.session SET phone_number = $1, wa_jid = $2 WHERE org_id = $3 AND id = $4',
		['15559990000', '15559990000@s.whatsapp.net', org.uuid, session.uuid]);
	return session;
}

const chatPath = (session, jid = JID) => `chats/${session.id}/${encodeURIComponent(jid)}`;
const bubble = (page, text) => page.getByRole('listitem').filter({ has: page.locator('.bubble', { hasText: text }) });

test('a session is made, pairs, and sends a text that becomes read; the answer is in the chat', async (t) =>
{
	const visitor = await visit(t, 'sessions');
	const { page } = visitor;

	await page.getByText('No sessions yet').waitFor();
	await page.getByRole('button', { name: 'New session' }).first().click();
	await page.getByRole('dialog').getByLabel('Label').fill('Support');
	await page.getByRole('button', { name: 'Create session' }).click();
	await heading(page, 'Support').waitFor();
	await page.getByRole('status').getByText('Working').waitFor();

	await page.getByLabel('To').fill('+1 555 123-4567');
	await page.getByLabel('Text').fill('good morning');
	await page.getByRole('button', { name: 'Send', exact: true }).click();
	await page.getByRole('list', { name: 'Message' }).locator('li.reached', { hasText: 'read' }).waitFor();
	await page.getByRole('link', { name: 'See the chat' }).click();
	await heading(page, 'Chat with +15551234567').waitFor();
	await page.locator('.message.mine', { hasText: 'good morning' }).waitFor();
	await page.locator('.message:not(.mine)', { hasText: 'good morning' }).getByText('Sandbox').waitFor();
	visitor.assertWellBehaved();
});

test('a message that fails says why', async (t) =>
{
	const session = await workingSession('fails');
	const { page } = await visit(t, `sessions/${session.id}`);

	await page.getByLabel('To').fill('15550000000');
	await page.getByRole('button', { name: 'Send', exact: true }).click();
	await page.getByText('the number is not on WhatsApp').waitFor();
});

test('a session is stopped, started, restarted, logged out and deleted', async (t) =>
{
	const session = await workingSession('switched');
	const { page } = await visit(t, `sessions/${session.id}`);
	const status = (words) => page.getByLabel('State').getByRole('status').getByText(words, { exact: true }).waitFor();

	await page.getByRole('button', { name: 'Stop' }).click();
	await status('Stopped');
	await page.getByRole('button', { name: 'Start', exact: true }).click();
	await status('Working');
	await page.getByRole('button', { name: 'Restart' }).click();
	await page.getByText('Session restarted.').waitFor();
	await status('Working');
	await page.getByRole('button', { name: 'Log out' }).click();
	await page.getByRole('dialog', { name: 'Log out “switched”?' }).getByRole('button', { name: 'Log out' }).click();
	await status('Logged out');
	await page.getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('dialog', { name: 'Delete “switched”?' }).getByRole('button', { name: 'Delete' }).click();
	await heading(page, 'Sessions').waitFor();
	assert.equal(await row(page, 'switched').count(), 0);
});

test('a phone is paired by a picture of the QR code, or by a code', async (t) =>
{
	const code = '2@YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=,MTIzNDU2Nzg5MA==,QUJDREVGR0g=';
	const session = await createSession(stage.db, org, { status: 'scan_qr_code', label: 'to pair' });
	const { page } = await visit(t, `sessions/${session.id}`);

	await page.getByText('Waiting for a QR code').waitFor();
	await showQrCode(stage.db, session, code);

	const picture = page.getByRole('img', { name: 'QR code to pair a phone' });
	const modules = qrcode(0, 'M');

	await picture.waitFor();
	modules.addData(code);
	modules.make();

	/* the picture is drawn: each module is as dark or light as it should be */
	const count = modules.getModuleCount();
	const drawn = await picture.evaluate((svg, size) =>
	{
		const shape = svg.querySelector('path');
		const point = svg.createSVGPoint();

		return Array.from({ length: size * size }, (_, index) =>
		{
			point.x = index % size + 4.5;
			point.y = Math.floor(index / size) + 4.5;
			return shape.isPointInFill(point);
		});
	}, count);

	assert.ok(drawn.every((dark, index) => dark === modules.isDark(Math.floor(index / count), index % count)));

	await page.getByLabel('Phone number').fill('+1 (555) 123-4567');
	await page.getByRole('button', { name: 'Get a code' }).click();
	assert.match(await page.locator('.pairing-code').innerText(), /^[1-9A-Z]{4}-[1-9A-Z]{4}$/);
});

test('a message is reacted to, edited, forwarded and deleted', async (t) =>
{
	const session = await workingSession('chatting');
	const chat = await createChat(stage.db, session, JID);

	await createSentMessage(stage.db, chat, { direction: 'in', senderJid: JID, body: 'how are you?' });

	const visitor = await visit(t, chatPath(session));
	const { page } = visitor;
	const act = async (text, name) =>
	{
		await bubble(page, text).last().getByText('Actions').click();
		await bubble(page, text).last().getByRole('button', { name }).click();
	};

	await bubble(page, 'how are you?').waitFor();
	await page.getByLabel('Message', { exact: true }).fill('fine, and you?\nreally');
	await page.getByRole('button', { name: 'Send' }).click();
	await bubble(page, 'fine, and you?').first().getByText('· read').waitFor();
	assert.equal(await page.getByLabel('Message', { exact: true }).inputValue(), '');

	await act('how are you?', 'React with 👍');
	await bubble(page, 'how are you?').getByRole('list', { name: 'Reactions' }).getByText('👍').waitFor();

	const mine = page.locator('.message.mine');

	await mine.getByText('Actions').click();
	await mine.getByRole('button', { name: 'Edit' }).click();
	await page.getByRole('dialog').getByLabel('Text').fill('never better');
	await page.getByRole('button', { name: 'Save' }).click();
	await mine.getByText('never better').waitFor();
	await mine.getByText('· edited').waitFor();

	await mine.getByText('Actions').click();
	await mine.getByRole('button', { name: 'Forward' }).click();
	await page.getByRole('dialog').getByLabel('To').fill('15557654321');
	await page.getByRole('dialog').getByRole('button', { name: 'Forward' }).click();
	await page.getByLabel('Chats').getByText('+15557654321').waitFor();

	await mine.getByText('Actions').click();
	await mine.getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Delete for everyone' }).click();
	await mine.getByText('This message was deleted.').waitFor();

	await page.getByLabel('Chats').getByText('+15557654321').click();
	await page.getByText('· forwarded').first().waitFor();
	visitor.assertWellBehaved();
});

test('a text whose answer was lost is sent once, however often it is tried', async (t) =>
{
	const session = await workingSession('unlucky');

	await createChat(stage.db, session, JID);

	const { page, context } = await visit(t, chatPath(session));
	const send = page.getByRole('button', { name: 'Send' });
	const count = () => stage.db.value("SELECT count(*) FROM wa.message WHERE org_id = $1 AND session_id = $2 AND direction = 'out'", [org.uuid, session.uuid]);

	await page.getByLabel('Message', { exact: true }).fill('only once');
	for (let losses = 0; losses < 2; losses++)
	{
		await page.route('**/messages', async (route) =>
		{
			await route.fetch();
			await route.abort();
		}, { times: 1 });
		await send.click();
		await page.getByRole('alert').getByText('The gateway cannot be reached').waitFor();
		await send.and(page.locator(':enabled')).waitFor();
		assert.equal(await page.getByLabel('Message', { exact: true }).inputValue(), 'only once');
	}
	await send.click();
	await bubble(page, 'only once').first().waitFor();
	assert.equal(await count(), '1');

	/* the same words again are another message */
	await until('the field is empty', async () => await page.getByLabel('Message', { exact: true }).inputValue() === '');
	await page.getByLabel('Message', { exact: true }).fill('only once');
	await send.click();
	await until('two are sent', async () => await count() === '2');

	/* without a network the page says so, keeps what it shows, and goes on by itself */
	await context.setOffline(true);
	await page.getByText('The gateway cannot be reached').first().waitFor();
	await bubble(page, 'only once').first().waitFor();
	await context.setOffline(false);
	await page.getByText('The gateway cannot be reached').first().waitFor({ state: 'detached' });
});

test('a long conversation is read page by page', async (t) =>
{
	const session = await createSession(stage.db, org, { label: 'long' });

	await createChat(stage.db, session, JID);
	await stage.db.sql(`
		INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status, sent_at)
		SELECT $1, $2, $3, 'in', 'text', 'line ' || n, 'delivered', now() - (200 - n) * interval '1 minute' FROM generate_series(1, 120) AS n`,
		[org.uuid, session.uuid, JID]);

	const { page } = await visit(t, chatPath(session));

	await page.getByText('line 120', { exact: true }).waitFor();
	assert.equal(await page.getByText('line 1', { exact: true }).count(), 0);
	await page.getByRole('button', { name: 'Show earlier messages' }).click();
	await page.getByText('line 50', { exact: true }).waitFor();
	await page.getByRole('button', { name: 'Show earlier messages' }).click();
	await page.getByText('line 1', { exact: true }).waitFor();
});

test('a webhook is made, changed, gets another secret and is deleted; each secret is shown once', async (t) =>
{
	const visitor = await visit(t, 'webhooks');
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
	await page.getByRole('button', { name: 'Done', exact: true }).click();
	assert.ok(!(await everythingOf(page)).includes(secret));
	await row(page, url).getByText('message', { exact: true }).waitFor();

	await row(page, url).getByRole('button', { name: 'Change' }).click();
	await page.getByRole('radio', { name: 'All events' }).check();
	await page.getByRole('checkbox', { name: 'Active' }).uncheck();
	await page.getByRole('button', { name: 'Save' }).click();
	await row(page, url).getByText('all events').waitFor();
	await row(page, url).getByText('Off').waitFor();

	await row(page, url).getByRole('button', { name: 'Rotate secret' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Rotate secret' }).click();

	const next = (await secretField(page, 'Signing secret').textContent()).trim();

	assert.match(next, /^whsec_/);
	assert.notEqual(next, secret);
	await page.reload();
	await row(page, url).waitFor();
	assert.ok(!(await everythingOf(page)).includes(next));

	await row(page, url).getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	await page.getByText('No webhooks yet').waitFor();
	visitor.assertWellBehaved();
});

test('a member reads and sends, and is told what only others may', async (t) =>
{
	const member = await createPerson(stage.db, { org, role: 'member' });
	const session = await workingSession('shared');
	const visitor = await visit(t, 'webhooks', member);
	const { page } = visitor;

	await page.getByText('Only owners and admins see and change webhooks.').waitFor();
	await visitor.open('Sessions');
	await page.getByText('Only owners and admins create and change sessions.').waitFor();
	assert.equal(await page.getByRole('button', { name: 'New session' }).count(), 0);
	await row(page, 'shared').getByRole('link', { name: 'shared', exact: true }).click();
	await page.getByLabel('To').fill('15551234567');
	await page.getByRole('button', { name: 'Send', exact: true }).click();
	await page.getByRole('list', { name: 'Message' }).locator('li.reached', { hasText: 'read' }).waitFor();
	for (const name of ['Stop', 'Restart', 'Log out', 'Delete'])
		assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
	assert.ok(session.id);
});

/*
 * Events and deliveries, where the gateway has them.  What the API says of them is played to
 * the page here, so that the page is tested whether or not this gateway has them.
 */
const DELIVERIES = ['GET /webhooks/{w}/deliveries', 'POST /webhooks/{w}/test', 'POST /webhooks/{w}/deliveries/{d}/replay'];

async function playDocument(page, operations)
{
	const paths = {};

	for (const [method, path] of operations.map((operation) => operation.split(' ')))
		paths[path] = { ...paths[path], [method.toLowerCase()]: {} };
	await page.route('**/openapi.json', (route) => route.fulfill({ json: { paths } }));
}

const event = (number, text) => ({
	schema: 'v1', id: `evt_${number}`, event: 'message', organization: org.id, timestamp: 1790000000000 + number, payload: { body: text },
});

test('events are shown as they come, and after a break from where it was', async (t) =>
{
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	const tickets = [];
	const sockets = [];
	let closing;
	const closed = new Promise((resolve) => { closing = resolve; });

	await playDocument(page, ['POST /realtime/ticket']);
	await page.route('**/realtime/ticket', (route) =>
	{
		tickets.push(route.request().postDataJSON());
		return route.fulfill({ status: 201, json: { ticket: `rt_${tickets.length}`, expiresInSeconds: 30, url: '/api/v1/realtime' } });
	});
	await page.routeWebSocket(/\/api\/v1\/realtime/, (socket) =>
	{
		sockets.push(socket);
		socket.onClose(() => closing());
		socket.send(JSON.stringify({ event: 'connected', heartbeatSeconds: 20 }));
		socket.send(JSON.stringify({ event: 'ping' }));
	});
	await visitor.enter(owner, 'events');
	await page.getByText('Live', { exact: true }).waitFor();
	assert.equal(new URL(sockets[0].url()).searchParams.get('ticket'), 'rt_1');
	assert.deepEqual(tickets[0], { scope: 'organization' });

	sockets[0].send(JSON.stringify(event(1, 'first')));
	sockets[0].send(JSON.stringify(event(2, '<img src=x onerror="window.pwned=1">')));
	await page.getByText('evt_2', { exact: true }).waitFor();
	await page.getByText('evt_2', { exact: true }).click();
	await page.getByText('<img src=x onerror').waitFor();
	assert.equal(await page.evaluate(() => window.pwned), undefined);

	await sockets[0].close({ code: 1011 });
	await until('there is another socket', () => sockets.length === 2);
	assert.deepEqual(tickets[1], { scope: 'organization', since: 'evt_2' });
	await page.getByText('Live', { exact: true }).waitFor();
	sockets[1].send(JSON.stringify(event(3, 'third')));
	await page.getByText('evt_3', { exact: true }).waitFor();

	/* paused, nothing moves; and nothing is lost */
	await page.getByRole('button', { name: 'Pause' }).click();
	sockets[1].send(JSON.stringify(event(4, 'fourth')));
	sockets[1].send(JSON.stringify({ event: 'resync_required' }));
	await page.getByText('no longer kept').waitFor();
	assert.equal(await page.getByText('evt_4', { exact: true }).count(), 0);
	await page.getByRole('button', { name: 'Go on' }).click();
	assert.deepEqual(await page.locator('.events code').allTextContents(), ['evt_4', 'evt_3', 'evt_2', 'evt_1']);

	await page.getByRole('link', { name: 'Sessions' }).click();
	await closed;
	visitor.assertWellBehaved();
});

test('deliveries are listed with what came of them, and are sent again', async (t) =>
{
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	const url = 'https://receiver.example/deliveries';
	const webhook = await createWebhook(stage.db, org, { url });
	const asked = [];
	const data = [
		{ id: 'dlv_1', eventId: 'evt_1', event: 'message', status: 'dead', attempts: 15, statusCode: 503, createdAt: Date.now(), updatedAt: Date.now() },
		{ id: 'dlv_2', eventId: 'evt_2', event: 'message', status: 'failed', attempts: 2, error: 'connection refused', nextAttemptAt: Date.now() + 60000, createdAt: Date.now(), updatedAt: Date.now() },
	];

	await playDocument(page, DELIVERIES);
	await page.route('**/deliveries?*', (route) => route.fulfill({ json: { data } }));
	await page.route(/\/(test|replay)$/, (route) =>
	{
		asked.push(new URL(route.request().url()).pathname);
		return route.fulfill({ status: 202, json: { id: 'dlv_3' } });
	});
	await visitor.enter(owner, 'webhooks');
	await row(page, url).getByRole('link', { name: 'Deliveries' }).click();
	await heading(page, 'Deliveries').waitFor();
	await row(page, 'evt_1').getByText('Given up').waitFor();
	await row(page, 'evt_1').getByText('status 503').waitFor();
	await row(page, 'evt_2').getByText('connection refused').waitFor();
	assert.equal(await row(page, 'evt_2').getByRole('button').count(), 0);
	await row(page, 'evt_1').getByRole('button', { name: 'Send again' }).click();
	await page.getByText('The event is sent again.').waitFor();
	await page.getByRole('button', { name: 'Send a test' }).click();
	await page.getByText('A test event is on its way.').waitFor();
	assert.deepEqual(asked, [`/api/v1/webhooks/${webhook.id}/deliveries/dlv_1/replay`, `/api/v1/webhooks/${webhook.id}/test`]);
	visitor.assertWellBehaved();
});
