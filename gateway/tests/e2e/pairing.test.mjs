/*
 * pairing.test.mjs
 *		From a new session to one that works: QR code, pairing code, start, stop, restart, logout.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { pairedSession } from './harness/fixtures.mjs';
import { until } from './harness/processes.mjs';
import { Gateway, Sandbox } from './harness/programs.mjs';
import { createKey, createSession, createTenant } from './harness/tenants.mjs';

const SESSIONS = '/api/v1/sessions';
const PHONE = '15551234567';

let cluster, db, client, tenant, key, sandbox;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	key = tenant.key.secret;
	client = (await Gateway.start(cluster)).client;
	sandbox = await Sandbox.start(cluster);
});

const get = (session, rest = '') => client.get(`${SESSIONS}/${session.id}${rest}`, key);
const command = (session, verb, separator = ':') => client.post(`${SESSIONS}/${session.id}${separator}${verb}`, key);
const requestCode = (session, phone = PHONE) => client.post(`${SESSIONS}/${session.id}/pairing-code`, key, { phone });

function inStatus(session, status)
{
	return until(`the session is ${status}`, async () =>
	{
		const { json } = await get(session);

		return json.status === status && json;
	});
}

test('a session that is started pairs, and knows its phone', async () =>
{
	const session = await pairedSession(client, key);
	const me = await get(session, '/me');

	assert.match(session.phoneNumber, /^[1-9][0-9]{6,14}$/);
	assert.equal(session.waJid, `${session.phoneNumber}@s.whatsapp.net`);
	assert.ok(session.lastConnectedAt >= session.createdAt);
	assert.deepEqual(me.json, { sessionId: session.id, phoneNumber: session.phoneNumber, waJid: session.waJid });
	assert.equal((await get(session, '/qr')).status, 409);
	assert.equal((await requestCode(session)).status, 409);
});

test('a session that waits shows its QR code to who may manage, and to nobody else', async () =>
{
	const session = await createSession(db, tenant.org, { status: 'scan_qr_code' });
	const readOnly = await createKey(db, tenant.org, ['read', 'send', 'events']);

	assert.equal((await get(session, '/qr')).status, 409);
	await db.sql(`
		INSERT INTO wa.session_pairing (org_id, session_id, qr_code, qr_expires_at)
		VALUES ($1, $2, '2@code', '2030-01-01T00:00:00.123Z')`, [tenant.org.uuid, session.uuid]);

	const shown = await get(session, '/qr');

	assert.deepEqual(shown.json, { code: '2@code', expiresAt: Date.UTC(2030, 0, 1, 0, 0, 0, 123) });
	assert.equal((await client.get(`${SESSIONS}/${session.id}/qr`, readOnly.secret)).status, 403);
});

test('a session says why it has failed, until it is started again', async () =>
{
	const session = await createSession(db, tenant.org, { status: 'working' });

	assert.ok(!('statusReason' in (await get(session)).json));
	await db.sql("UPDATE wa.session SET status = 'failed', status_reason = 'the access token has expired' WHERE id = $1", [session.uuid]);
	assert.equal((await get(session)).json.statusReason, 'the access token has expired');
	assert.ok((await client.get(SESSIONS, key)).json.data.some(({ id, statusReason }) => id === session.id && statusReason));
	assert.ok(!('statusReason' in (await command(session, 'restart')).json));
});

test('a pairing code is for one phone; asked again there is a new one', async () =>
{
	const session = await createSession(db, tenant.org, { status: 'scan_qr_code' });
	const first = await requestCode(session);
	const second = await requestCode(session, `+${PHONE}`);

	assert.match(first.json.code, /^[1-9A-HJ-NP-TV-Z]{8}$/);
	assert.notEqual(second.json.code, first.json.code);
	for (const phone of ['', '123', 'phone', '0123456789', '1'.repeat(16), `${PHONE}@c.us`])
	{
		const refused = await requestCode(session, phone);

		assert.equal(refused.status, 400, phone);
		assert.deepEqual(Object.keys(refused.json.error.details), ['phone']);
	}
	for (const status of ['working', 'stopped', 'failed', 'logged_out'])
		assert.equal((await requestCode(await createSession(db, tenant.org, { status }))).status, 409, status);
});

test('a session is made stopped when it is not to start, and starts when it is told', async () =>
{
	const { json: session } = await client.post(SESSIONS, key, { start: false, label: 'waits', autoRead: true });

	assert.equal(session.status, 'stopped');
	assert.equal(session.autoRead, true);
	assert.equal((await command(session, 'start')).json.status, 'starting');
	await inStatus(session, 'working');
	/* what runs already stays as it is */
	assert.equal((await command(session, 'start')).json.status, 'working');
});

test('stop, restart and logout, with a colon and with a slash', async () =>
{
	for (const separator of [':', '/'])
	{
		const session = await pairedSession(client, key);

		assert.equal((await command(session, 'stop', separator)).json.status, 'stopped');
		assert.equal((await command(session, 'stop', separator)).json.status, 'stopped');
		assert.equal((await command(session, 'restart', separator)).json.status, 'starting');
		assert.equal((await inStatus(session, 'working')).phoneNumber, session.phoneNumber);

		const out = await command(session, 'logout', separator);

		assert.equal(out.json.status, 'logged_out');
		assert.equal(out.json.phoneNumber, undefined);
		assert.equal(out.json.waJid, undefined);
		assert.equal((await command(session, 'logout', separator)).json.status, 'logged_out');
		assert.equal((await command(session, 'start', separator)).json.status, 'starting');
	}
});

test('what waits when a session is logged out is not sent by the next number', async () =>
{
	const session = await pairedSession(client, key);
	const texts = (text, more) => client.post(`${SESSIONS}/${session.id}/messages`, key, { type: 'text', to: PHONE, text, ...more });
	const message = (sent) => get(session, `/messages/${sent.json.id}`).then(({ json }) => json);
	const sent = await texts('sent by the first');

	await until('the first is read', async () => (await message(sent)).status === 'read');
	assert.equal((await command(session, 'stop')).json.status, 'stopped');

	const waits = await texts('waits', { replyTo: sent.json.id });

	/* stopped and started again, the session still sends what waited */
	await command(session, 'start');
	await until('what waited is read', async () => (await message(waits)).status === 'read');
	await command(session, 'stop');

	const since = (await client.get(`/api/v1/events?session=${session.id}&limit=200`, key)).json.data.at(-1).id;
	const left = await texts('left behind');
	const action = await client.request('PUT', `${SESSIONS}/${session.id}/messages/${sent.json.id}/reaction`, { key, json: { emoji: '👍' } });

	assert.equal(action.status, 202);
	assert.equal((await command(session, 'logout')).json.status, 'logged_out');

	const failed = await message(left);

	assert.equal(failed.status, 'failed');
	assert.equal(failed.error, 'session was logged out before it was sent');
	assert.equal(failed.sessionPhoneNumber, session.phoneNumber);
	assert.equal((await texts('too late')).status, 409);

	/* with another phone */
	await sandbox.stop();			/* or it pairs the session before the code is asked for */
	await command(session, 'start');
	assert.equal((await requestCode(session, '15557654321')).status, 200);
	sandbox = await Sandbox.start(cluster);
	assert.equal((await inStatus(session, 'working')).phoneNumber, '15557654321');

	const next = await texts('sent by the second');

	await until('the next is read', async () => (await message(next)).status === 'read');
	assert.equal((await message(next)).sessionPhoneNumber, '15557654321');
	assert.equal((await message(sent)).sessionPhoneNumber, session.phoneNumber);
	assert.deepEqual(await message(left), failed);
	assert.equal((await message(sent)).reactions, undefined);
	assert.equal((await texts('answers the first', { replyTo: sent.json.id })).status, 409);

	/* the list says the same, and so did the events */
	const list = (await get(session, `/chats/${PHONE}/messages?limit=100`)).json.data;
	const numbers = Object.fromEntries(list.filter(({ fromMe }) => fromMe).map(({ body, sessionPhoneNumber }) => [body, sessionPhoneNumber]));

	assert.deepEqual(numbers, { 'sent by the first': session.phoneNumber, waits: session.phoneNumber, 'left behind': session.phoneNumber, 'sent by the second': '15557654321' });

	const events = (await client.get(`/api/v1/events?session=${session.id}&since=${since}&limit=200`, key)).json.data;

	assert.deepEqual(events.filter(({ event, payload }) => event === 'message.status' && payload.id === left.json.id).map(({ payload }) => [payload.status, payload.error, payload.sessionPhoneNumber]),
		[['failed', failed.error, session.phoneNumber]]);
});

test('a command that does not exist is none of this path', async () =>
{
	const post = (rest) => client.post(`${SESSIONS}/${tenant.session.id}${rest}`, key);

	for (const rest of ['/explode', '/:start', ':start/', '/start/'])
		assert.equal((await post(rest)).status, 404, rest);
	/* read as a session's id, which has other methods */
	for (const rest of [':explode', ':', ':START'])
		assert.equal((await post(rest)).status, 405, rest);
	assert.equal((await client.post(`${SESSIONS}/${tenant.session.id}:start:stop`, key)).status, 404);
	assert.equal((await get(tenant.session)).json.status, 'working');
});

test('settings change one by one', async () =>
{
	const patch = async (json) => (await client.request('PATCH', `${SESSIONS}/${tenant.session.id}`, { key, json })).json;
	const before = (await get(tenant.session)).json;

	assert.equal((await patch({ label: ' new name ' })).label, 'new name');
	assert.equal((await patch({ autoRead: true })).autoRead, true);
	assert.equal((await patch({ presenceTyping: true })).presenceTyping, true);
	assert.equal((await patch({ ratePerMin: 0 })).ratePerMin, 0);

	const after = await patch({ ratePerHour: 1000000 });

	assert.deepEqual(after, { ...before, label: 'new name', autoRead: true, presenceTyping: true, ratePerMin: 0, ratePerHour: 1000000, updatedAt: after.updatedAt });
	assert.deepEqual((await get(tenant.session)).json, after);
});

test('a deleted session is gone with everything in it', async () =>
{
	const session = await pairedSession(client, key);
	const sent = await client.post(`${SESSIONS}/${session.id}/messages`, key, { type: 'text', to: PHONE, text: 'hello' });
	const removed = await client.request('DELETE', `${SESSIONS}/${session.id}`, { key });

	assert.equal(removed.status, 204);
	assert.equal(removed.body.length, 0);
	for (const rest of ['', '/chats', '/contacts', `/messages/${sent.json.id}`, `/chats/${PHONE}@s.whatsapp.net/messages`])
		assert.equal((await get(session, rest)).status, 404, rest);
	assert.equal((await client.request('DELETE', `${SESSIONS}/${session.id}`, { key })).status, 404);
});
