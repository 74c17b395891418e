/*
 * realtime.test.mjs
 *		The WebSocket: who gets one, and what it says.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareCluster } from './harness/cluster.mjs';
import { Connection, exchangeUntilClose } from './harness/http.mjs';
import { until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { Socket, emit, openRefused } from './harness/socket.mjs';
import { ALL, createKey, createSession, createTenant } from './harness/tenants.mjs';

const PATH = '/api/v1/realtime';
const TICKET = '/api/v1/realtime/ticket';
/* Of the gateway that beats often, and of the other one: whom the machine lets wait, it drops as one who does not answer. */
const OFTEN_MS = 1000;
const HEARTBEAT_MS = 60_000;

/* No credential, but in the form of one: from the documented examples of the format. */
const SAMPLE_KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const HANDSHAKE = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n${SAMPLE_KEY}\r\n`;

let cluster, db, gateway, lively, tenant, other;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	other = await createTenant(db, 'Other');
	gateway = await Gateway.start(cluster, { args: ['--socket-heartbeat', String(HEARTBEAT_MS), '--sockets-per-key', '5', '--sockets', '20',
		'--cors-origin', 'https://app.example.com'] });
	lively = await Gateway.start(cluster, { args: ['--socket-heartbeat', String(OFTEN_MS)] });
});

async function ticketFor(secret, body = {})
{
	const answer = await gateway.client.post(TICKET, secret, body);

	assert.equal(answer.status, 201, answer.text);
	return answer.json;
}

const open = (options) => Socket.open(gateway, options);
const refused = (options) => openRefused(gateway, options);
const events = async () => (await createKey(db, tenant.org, ['events'])).secret;

/* ---- who ---- */

test('a key with events opens a socket by its header', async () =>
{
	for (const headers of [{ authorization: `Bearer ${tenant.key.secret}` }, { 'x-api-key': tenant.key.secret }])
	{
		const socket = await open({ headers });

		const { since, ...said } = socket.frames[0];

		assert.deepEqual(said, { event: 'connected', heartbeatSeconds: HEARTBEAT_MS / 1000, organization: tenant.org.id });
		assert.match(since, /^evt_/);
		assert.deepEqual((await socket.close()).code, 1000);
	}
});

test('a ticket opens a socket, once', async () =>
{
	const made = await ticketFor(tenant.key.secret);

	assert.match(made.ticket, /^rt_[0-9A-Za-z]{49}$/);
	assert.equal(made.expiresInSeconds, 30);
	assert.equal(made.url, `${PATH}?ticket=${made.ticket}`);

	const socket = await open({ ticket: made.ticket });
	const again = await refused({ ticket: made.ticket });

	assert.deepEqual([again.status, again.json.error.code], [401, 'unauthorized']);
	await socket.close();
});

test('of many who come with one ticket at the same time one gets in', async () =>
{
	const { ticket } = await ticketFor(await events());
	const results = await Promise.allSettled(Array.from({ length: 8 }, () => open({ ticket })));
	const opened = results.filter(({ status }) => status === 'fulfilled');

	assert.equal(opened.length, 1);
	assert.ok(results.filter(({ status }) => status === 'rejected').every(({ reason }) => reason.status === 401));
	await opened[0].value.close();
});

test('a ticket is over after 30 seconds', async () =>
{
	const { ticket } = await ticketFor(tenant.key.secret);

	/* the 30 seconds have passed by the database's own clock, to which the test cannot wait */
	await db.sql("UPDATE wa.ticket SET expires_at = clock_timestamp() - interval '1 millisecond' WHERE used_at IS NULL");
	assert.equal((await refused({ ticket })).status, 401);
});

test('a ticket is void once its key is revoked, expired, or lacks events', async () =>
{
	const key = await createKey(db, tenant.org, ['events']);
	const ticket = async () => (await ticketFor(key.secret)).ticket;
	const [revoked, expired, lacking] = [await ticket(), await ticket(), await ticket()];

	await db.sql("UPDATE wa.api_key SET permissions = '{read}' WHERE id = $1", [key.uuid]);
	assert.ok([401, 403].includes((await refused({ ticket: lacking })).status));
	await db.sql("UPDATE wa.api_key SET permissions = '{events}', expires_at = clock_timestamp() - interval '1 second' WHERE id = $1", [key.uuid]);
	assert.equal((await refused({ ticket: expired })).status, 401);
	await db.sql('UPDATE wa.api_key SET expires_at = NULL WHERE id = $1', [key.uuid]);
	await db.value('SELECT wa.revoke_key($1::uuid)', [key.uuid]);
	assert.equal((await refused({ ticket: revoked })).status, 401);
});

test('no socket without a credential, with a bad one, or without the permission', async () =>
{
	const without = await createKey(db, tenant.org, ALL.filter((permission) => permission !== 'events'));
	const revoked = await createKey(db, tenant.org);
	const forbidden = await refused({ key: without.secret });

	await db.value('SELECT wa.revoke_key($1::uuid)', [revoked.uuid]);
	assert.equal((await refused({})).status, 401);
	assert.equal((await refused({ key: revoked.secret })).status, 401);
	assert.equal((await refused({ key: `${tenant.key.secret.slice(0, -1)}-` })).status, 401);
	assert.deepEqual([forbidden.status, forbidden.json.error.code, forbidden.json.error.details], [403, 'forbidden', { required: 'events' }]);
});

test('a ticket is the only credential that may be in a URL, and only here', async () =>
{
	const { ticket } = await ticketFor(tenant.key.secret);
	const cases = {
		'a key as the ticket': { ticket: tenant.key.secret },
		'a key beside the ticket': { ticket, query: { api_key: tenant.key.secret } },
		'a key in another parameter': { query: { x: tenant.key.secret } },
		'a ticket in another parameter': { query: { token: ticket } },
		'a ticket and a header': { ticket, key: tenant.key.secret },
	};

	for (const [what, options] of Object.entries(cases))
		assert.equal((await refused(options)).status, 400, what);
	assert.equal((await gateway.client.get(`/api/v1/me?ticket=${ticket}`, tenant.key.secret)).status, 400);
	assert.equal((await gateway.client.get('/api/v1/me', ticket)).status, 401);
	await (await open({ ticket })).close();
});

test('a ticket says everything by itself', async () =>
{
	const { ticket } = await ticketFor(await events());
	const answer = await refused({ ticket, query: { types: 'message' } });

	assert.deepEqual([answer.status, answer.json.error.details], [400, { query: 'a ticket says everything by itself' }]);
});

test('parameters that are wrong are told to those who may be here', async () =>
{
	const key = await events();

	assert.deepEqual((await refused({ key, query: { session: 'x' } })).json.error.details, { session: 'must be the id of a session' });
	assert.deepEqual((await refused({ key, query: { since: 'x' } })).json.error.details, { since: 'must be the id of an event' });
	for (const [types, problem] of [
		['', /^must be event types, or \*, separated by commas$/],
		['message,', /^ends with a comma$/],
		['x'.repeat(65), /^has a type of more than 64 characters$/],
		['message,nothing.known', /^has "nothing.known", but must be event types, or \*: .*\bmessage\.edited\b/],
		[',message', /^has "", but must be event types/],
	])
		assert.match((await refused({ key, query: { types } })).json.error.details.types, problem, types);
	assert.deepEqual((await refused({ key, query: { color: 'red' } })).json.error.details, { color: 'is not known here' });
	assert.equal((await refused({ query: { session: 'x' } })).status, 401);
});

test('no cookie opens a socket', async () =>
{
	const uuid = await db.value("SELECT id FROM wa.create_user('oona@example.net', 'Oona', 'correct horse')");

	await db.sql("SELECT wa.add_member($1, $2, 'owner')", [tenant.org.uuid, uuid]);
	const cookie = await db.value("SELECT cookie FROM wa.sign_in('oona@example.net', 'correct horse', '192.0.2.1', 'x')");

	for (const name of ['wa_session', '__Host-wa_session', 'session', 'token'])
		assert.equal((await refused({ headers: { cookie: `${name}=${cookie}`, origin: `http://127.0.0.1:${gateway.port}` } })).status, 401);
	assert.equal((await refused({ key: cookie })).status, 401);
});

/* ---- the handshake ---- */

test('who asks for something else is told what this is for', async () =>
{
	const answer = await gateway.client.get(PATH, tenant.key.secret);

	assert.deepEqual([answer.status, answer.json.error.code, answer.headers.upgrade, answer.headers['sec-websocket-version']],
		[426, 'upgrade_required', 'websocket', '13']);
	assert.equal((await gateway.client.post(PATH, tenant.key.secret, {})).status, 405);
});

test('a refused handshake ends the connection: nothing behind it is served', async () =>
{
	const credential = `Authorization: Bearer ${tenant.key.secret}\r\n`;
	const second = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
	const request = (lines, target = PATH, version = '1.1') => `GET ${target} HTTP/${version}\r\nHost: x\r\n${lines}\r\n`;
	const cases = {
		'no credential': [401, request(HANDSHAKE)],
		'wrong version': [426, request(credential + HANDSHAKE.replace(': 13', ': 12'))],
		'no version': [426, request(credential + HANDSHAKE.replace('Sec-WebSocket-Version: 13\r\n', ''))],
		'no Connection': [426, request(credential + HANDSHAKE.replace('Connection: Upgrade\r\n', ''))],
		'a Connection that only begins so': [426, request(credential + HANDSHAKE.replace('Connection: Upgrade', 'Connection: Upgrade-Insecure'))],
		'another protocol in the list': [426, request(credential + HANDSHAKE.replace('Upgrade: websocket', 'Upgrade: websocket, h2c'))],
		'a body': [400, `${request(`${credential}${HANDSHAKE}Content-Length: 2\r\n`)}{}`],
		'a chunked body': [400, `${request(`${credential}${HANDSHAKE}Transfer-Encoding: chunked\r\n`)}0\r\n\r\n`],
		'a length and chunks': [400, request(`${credential}${HANDSHAKE}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`)],
		'HTTP/1.0': [505, request(credential + HANDSHAKE, PATH, '1.0')],
		'another path': [200, request(credential + HANDSHAKE, '/api/v1/me')],
		'a path that is not there': [404, request(credential + HANDSHAKE, '/api/v1/realtime/x')],
		'sent ahead': [400, request(credential + HANDSHAKE)],
	};

	for (const [what, [status, bytes]] of Object.entries(cases))
	{
		const answers = await exchangeUntilClose(gateway.port, bytes + second);

		assert.deepEqual(answers.map((answer) => answer.status), [status], what);
	}
});

test('pages of this host and of configured origins may connect, others not', async () =>
{
	const key = await events();
	const allowed = [`http://127.0.0.1:${gateway.port}`, 'https://app.example.com'];
	const denied = ['https://evil.example', 'null', 'http://127.0.0.1', `http://127.0.0.1:${gateway.port}.evil.example`, 'https://app.example.com.evil.example',
		'http://app.example.com', 'https://APP.example.com', `http://evil@127.0.0.1:${gateway.port}`];

	for (const origin of allowed)
		await (await open({ key, headers: { origin } })).close();
	for (const origin of denied)
	{
		const answer = await refused({ key, headers: { origin } });

		assert.deepEqual([answer.status, answer.json.error.code], [403, 'forbidden'], origin);
	}
});

/* ---- what it says ---- */

test('it beats, by its own word and by a ping that every client answers', async () =>
{
	const socket = await Socket.open(lively, { key: await events() });

	await until('three beats', () => socket.frames.filter(({ event }) => event === 'ping').length >= 3);
	assert.ok(socket.pings >= 3);
	await socket.close();
});

test('who does not answer is dropped', async () =>
{
	const socket = await Socket.open(lively, { key: await events(), autoPong: false });
	const { code } = await socket.closed;

	assert.equal(code, 4408);
});

test('events come as the log has them, byte for byte and in order', async () =>
{
	const socket = await open({ key: await events() });
	const ids = [];

	for (let i = 0; i < 20; i++)
		ids.push(await emit(db, tenant.org, 'message', { session: tenant.session, payload: { i, text: 'a "quoted" \u{1f642}' } }));
	await socket.waitFor(20);
	assert.deepEqual(socket.events.map(({ id }) => id), ids);
	assert.deepEqual(socket.texts, (await db.sql('SELECT envelope FROM wa.event WHERE org_id = $1 ORDER BY epoch, ordinal, id', [tenant.org.uuid]))
		.map(({ envelope }) => envelope).slice(-20));
	assert.deepEqual(Object.keys(socket.events[0]), ['schema', 'id', 'event', 'session', 'organization', 'timestamp', 'payload']);
	await socket.close();
});

test('one that is cut off before its first event goes on from where it began', async () =>
{
	const key = await events();
	const cut = await open({ key });
	const { since } = cut.frames[0];

	await cut.close();

	const missed = [await emit(db, tenant.org), await emit(db, tenant.org)];
	const next = await open({ key, query: { since } });

	await next.waitFor(2);
	assert.equal(next.frames[0].since, since);
	assert.deepEqual(next.events.map(({ id }) => id), missed);
	await next.close();
});

test('a filter lets through what it names', async () =>
{
	const session = await createSession(db, tenant.org);
	const key = await events();
	const all = await open({ key });
	const byType = await open({ key, query: { types: 'chat.update,contact.update' } });
	const bySession = await open({ ticket: (await ticketFor(key, { scope: 'session', session: session.id })).ticket });
	const both = await open({ ticket: (await ticketFor(key, { session: session.id, events: ['chat.update'] })).ticket });

	assert.deepEqual(byType.frames[0].events, ['chat.update', 'contact.update']);
	assert.deepEqual({ ...both.frames[0], since: undefined },
		{ event: 'connected', heartbeatSeconds: HEARTBEAT_MS / 1000, organization: tenant.org.id, session: session.id, events: ['chat.update'], since: undefined });

	const message = await emit(db, tenant.org, 'message', { session });
	const chat = await emit(db, tenant.org, 'chat.update', { session });
	const contact = await emit(db, tenant.org, 'contact.update', { session: tenant.session });
	const status = await emit(db, tenant.org, 'session.status', { session: tenant.session });

	await all.waitFor(4);
	await Promise.all([byType.waitFor(2), bySession.waitFor(2), both.waitFor(1)]);
	await sleep(100);
	assert.deepEqual([all, byType, bySession, both].map((socket) => socket.events.map(({ id }) => id)),
		[[message, chat, contact, status], [chat, contact], [message, chat], [chat]]);
	await Promise.all([all, byType, bySession, both].map((socket) => socket.close()));
});

test('auth.* is for those who may manage, also when it is named', async () =>
{
	const [manager, plainKey, namedKey] = [(await createKey(db, tenant.org, ['events', 'manage'])).secret, await events(), await events()];
	const both = await open({ key: manager });
	const plain = await open({ key: plainKey });
	const named = await open({ key: namedKey, query: { types: 'auth.qr,message' } });

	await emit(db, tenant.org, 'auth.qr', { session: tenant.session, payload: { code: '2@secret' } });
	const last = await emit(db, tenant.org, 'message');

	await Promise.all([both.waitFor(2), plain.waitFor(1), named.waitFor(1)]);
	assert.deepEqual(both.events.map(({ event }) => event), ['auth.qr', 'message']);
	assert.deepEqual([plain, named].map((socket) => socket.events.map(({ id }) => id)), [[last], [last]]);
	await Promise.all([both, plain, named].map((socket) => socket.close()));
});

test('nobody gets what belongs to another organization', async () =>
{
	const mine = await open({ key: await events() });
	const theirs = await open({ key: other.key.secret });
	const foreign = await open({ key: other.key.secret, query: { session: tenant.session.id } });

	for (let i = 0; i < 10; i++)
	{
		await emit(db, tenant.org, 'message', { session: tenant.session });
		await emit(db, other.org, 'message', { session: other.session });
	}
	await Promise.all([mine.waitFor(10), theirs.waitFor(10)]);
	await sleep(100);
	assert.deepEqual([...new Set(mine.events.map(({ organization }) => organization))], [tenant.org.id]);
	assert.deepEqual([...new Set(theirs.events.map(({ organization }) => organization))], [other.org.id]);
	assert.deepEqual([mine.events.length, theirs.events.length, foreign.events.length], [10, 10, 0]);
	await Promise.all([mine, theirs, foreign].map((socket) => socket.close()));
});

/* ---- what a client may say ---- */

test('a client has nothing to say: small texts are thrown away, all else ends it', async () =>
{
	const key = await events();
	const cases = [
		[(ws) => ws.send('x'.repeat(1025)), 1009],
		[(ws) => ws.send(Buffer.alloc(1)), 1003],
		[(ws) => { for (let i = 0; i < 100; i++) ws.send('{}'); }, 1008],
	];
	const polite = await open({ key });

	polite.ws.send('{"event":"pong"}');
	for (const [say, code] of cases)
	{
		const socket = await open({ key });

		say(socket.ws);
		assert.equal((await socket.closed).code, code);
	}
	await emit(db, tenant.org);
	await polite.waitFor(1);
	await polite.close();
});

test('reading events is a use of the key, from where the socket comes', async () =>
{
	const key = await createKey(db, tenant.org, ['events']);
	const socket = await open({ key: key.secret });

	await emit(db, tenant.org);
	await socket.waitFor(1);
	await socket.close();

	assert.match(await db.value('SELECT host(used_from) FROM wa.key_last_used($1, $2)', [tenant.org.uuid, key.uuid]), /^127\.0\.0\.1$/);
});

/* ---- bounds ---- */

test('a key has so many sockets, an organization half of all, and the process no more', async () =>
{
	const key = await events();
	const sockets = await Promise.all(Array.from({ length: 5 }, () => open({ key })));
	const answer = await refused({ key });
	const others = [];

	assert.deepEqual([answer.status, answer.json.error.code, answer.headers['retry-after']], [429, 'rate_limited', '1']);

	const fill = async (of) =>
	{
		const more = (await createKey(db, of.org, ['events'])).secret;

		others.push(...await Promise.all(Array.from({ length: 5 }, () => open({ key: more }))));
	};

	await fill(tenant);

	const half = await refused({ key: await events() });

	assert.deepEqual([half.status, half.json.error.code, half.json.error.details, half.headers['retry-after']],
		[429, 'rate_limited', { limit: 'sockets' }, '1']);
	await fill(other);
	await fill(other);

	const full = await refused({ key: await events() });

	assert.deepEqual([full.status, full.json.error.code, full.headers['retry-after']], [503, 'unavailable', '1']);
	await Promise.all([...sockets, ...others].map((socket) => socket.close()));
	await (await open({ key })).close();
});

test('an organization has as many sockets as its limit allows, and another one is not refused', async () =>
{
	const key = await events();
	const limit = (value) => db.sql("SELECT wa.set_org_limit($1, 'sockets', $2)", [tenant.org.uuid, value]);

	await limit(2);

	const sockets = [await open({ key }), await open({ ticket: (await ticketFor(tenant.key.secret)).ticket })];

	for (const how of [{ key }, { ticket: (await ticketFor(tenant.key.secret)).ticket }])
	{
		const answer = await refused(how);

		assert.deepEqual([answer.status, answer.json.error.code, answer.json.error.details, answer.headers['retry-after']],
			[429, 'rate_limited', { limit: 'sockets' }, '1']);
	}
	for (let i = 0; i < 3; i++)
		sockets.push(await open({ key: other.key.secret }));
	await limit(3);
	sockets.push(await open({ key }));
	await limit(0);
	assert.equal((await refused({ key })).status, 429);
	await limit(null);
	sockets.push(await open({ key }));
	await Promise.all(sockets.map((socket) => socket.close()));
});

/* ---- what is left behind ---- */

test('sockets that have closed leave no credential behind, and no log shows one', async () =>
{
	const key = await createKey(db, tenant.org, ['events']);
	const { ticket } = await ticketFor(key.secret);
	const socket = await open({ ticket });

	await socket.close();
	await until('all are forgotten', async () => await db.value('SELECT count(*) FROM wa.realtime') === '0');
	await until('its end is logged', () => gateway.events('socket_closed').some((line) => line.includes(`key_id=${key.id} code=1000`)));

	const log = gateway.log();

	for (const secret of [ticket, ticket.slice(3), key.secret.slice(3)])
		assert.ok(!log.includes(secret));
	assert.ok(!log.includes('?ticket'));
	assert.ok(gateway.events('request').some((line) => line.includes(' status=101 ') && line.includes(`key_id=${key.id}`)
		&& line.includes(`route=${PATH} `)));
});

test('without sockets nobody waits in the database', async () =>
{
	const waiting = () => db.value("SELECT count(*) FROM pg_stat_activity WHERE usename = 'wa_gateway_login' AND query LIKE '%wait_for_events%' AND state = 'active'");

	await until('nobody waits', async () => await waiting() === '0');

	const socket = await open({ key: await events() });

	await until('one waits', async () => await waiting() === '1');
	await socket.close();
	await until('nobody waits again', async () => await waiting() === '0');
});

test('a gateway that stops says goodbye', async () =>
{
	const second = await Gateway.start(cluster);
	const key = await events();
	const sockets = await Promise.all(Array.from({ length: 100 }, () => Socket.open(second, { key })));
	const stopped = second.stop();

	for (const { code } of await Promise.all(sockets.map((socket) => socket.closed)))
		assert.equal(code, 1001);
	assert.deepEqual(await stopped, { code: 0, signal: null });
	await until('all are given back', async () => await db.value('SELECT count(*) FROM wa.realtime') === '0');
});
