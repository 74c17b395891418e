/*
 * key_sessions.test.mjs
 *		An API key that is restricted to some sessions: how it is made, what its lists, events
 *		and sockets show, and what it cannot do.  matrix.test.mjs asks every endpoint with an id
 *		for another session.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { tokenOf } from './harness/people.mjs';
import { Gateway } from './harness/programs.mjs';
import { emit, Socket } from './harness/socket.mjs';
import { createKey, createOrg, createPerson, createSession, createTenant } from './harness/tenants.mjs';

const INVENTED = 'sess_01h455vb4pex5vsknk084sn02q';
const NOBODY = 'sess_00000000000000000000000000';
const NOT_OF_HERE = 'must be a session of this organization';

let db, gateway, client, org, mine, other, every, restricted, stranger, keys;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	gateway = await Gateway.start(cluster);
	client = gateway.client;
	org = await createOrg(db, 'Acme');
	mine = await createSession(db, org, { label: 'mine' });
	other = await createSession(db, org, { label: 'other' });
	every = await createKey(db, org);
	restricted = await createKey(db, org, undefined, { sessions: [mine.id] });
	stranger = await createTenant(db, 'Stranger');

	const owner = await tokenOf(client, await createPerson(db, { org }));

	keys = (method, path, json) => client.request(method, `/api/v1/api-keys${path}`, { bearer: owner, json });
});

const get = async (path, key = restricted) => (await client.get(`/api/v1${path}`, key.secret)).json;
const labels = async (secret) => (await client.get('/api/v1/sessions', secret)).json.data.map(({ label }) => label);

test('a key is made for some sessions, changed and rotated, and shows them', async () =>
{
	const made = await keys('POST', '', { name: 'support', permissions: ['read'], sessions: [other.id, mine.id, mine.id] });
	const { id, key } = made.json;

	assert.equal(made.status, 201);
	assert.deepEqual(made.json.sessions, [mine.id, other.id]);
	assert.deepEqual(await labels(key), ['other', 'mine']);

	const narrowed = await keys('PATCH', `/${id}`, { sessions: [mine.id] });

	assert.deepEqual(narrowed.json.sessions, [mine.id]);
	assert.deepEqual(await labels(key), ['mine']);
	assert.deepEqual((await keys('PATCH', `/${id}`, { name: 'support 2' })).json.sessions, [mine.id]);
	assert.deepEqual((await keys('GET', '')).json.data.find((row) => row.id === id).sessions, [mine.id]);

	const successor = await keys('POST', `/${id}/rotate`, {});

	assert.deepEqual(successor.json.sessions, [mine.id]);
	assert.deepEqual(await labels(successor.json.key), ['mine']);

	const opened = await keys('PATCH', `/${successor.json.id}`, { sessions: null });

	assert.equal(opened.status, 200);
	assert.equal(opened.json.sessions, undefined);
	assert.deepEqual(await labels(successor.json.key), ['other', 'mine']);
	assert.equal((await keys('POST', '', { name: 'all', permissions: ['read'] })).json.sessions, undefined);
	assert.deepEqual(JSON.parse(await db.value("SELECT jsonb_agg(detail -> 'sessions' ORDER BY id) FROM wa.audit WHERE org_id = $1 AND detail ? 'sessions' AND actor LIKE 'usr_%'",
		[org.uuid])), [[mine.id, other.id], [mine.id], [mine.id], 'all']);
});

test('what is no list of sessions of the organization is refused, the same for a stranger\'s and an invented one', async () =>
{
	const { id } = (await keys('POST', '', { name: 'refused', permissions: ['read'] })).json;
	const ask = async (sessions) => (await Promise.all([keys('POST', '', { name: 'never', permissions: ['read'], sessions }), keys('PATCH', `/${id}`, { sessions })]))
		.map((answer) => [answer.status, answer.json.error.details.sessions]);
	const both = (text) => [[400, text], [400, text]];

	assert.deepEqual(await ask([]), both('must be a list of 1 to 32 sessions'));
	assert.deepEqual(await ask(Array(33).fill(mine.id)), both('must have at most 32 elements'));
	for (const stray of [stranger.session.id, INVENTED, NOBODY, 'x', mine.id.toUpperCase(), org.id])
		assert.deepEqual(await ask([mine.id, stray]), both(`sessions[1] ${NOT_OF_HERE}`), stray);
	assert.deepEqual(await ask(['']), both('sessions[0] must have 1 to 64 characters'));
	assert.deepEqual((await keys('POST', '', { name: 'never', permissions: ['read'], sessions: null })).json.error.details, { sessions: 'must be an array of strings' });
});

test('lists show what is in its sessions', async () =>
{
	const hooks = [];

	for (const sessionId of [mine.id, other.id, undefined])
		hooks.push((await client.post('/api/v1/webhooks', every.secret, { url: 'https://receiver.example/', sessionId })).json.id);
	assert.deepEqual((await get('/sessions')).data.map(({ id }) => id), [mine.id]);
	assert.deepEqual((await get('/sessions', every)).data.map(({ id }) => id), [other.id, mine.id]);
	assert.deepEqual((await get('/webhooks')).data.map(({ id }) => id), [hooks[0]]);
	assert.deepEqual((await get('/webhooks', every)).data.map(({ id }) => id), hooks.reverse());
	assert.equal((await get('/me')).organizationId, org.id);
});

test('it makes no sessions, and webhooks for its own sessions only', async () =>
{
	const refused = { code: 'forbidden', message: 'this API key is restricted to some sessions' };
	const post = (path, json) => client.post(`/api/v1${path}`, restricted.secret, json);
	const hook = { url: 'https://receiver.example/' };
	const made = await post('/webhooks', { ...hook, sessionId: mine.id });
	const change = (json) => client.request('PATCH', `/api/v1/webhooks/${made.json.id}`, { key: restricted.secret, json });

	assert.equal(made.status, 201);
	for (const answer of [await post('/sessions', { label: 'new' }), await post('/webhooks', hook), await change({ sessionId: null })])
	{
		assert.equal(answer.status, 403);
		assert.deepEqual(answer.json.error, refused);
	}
	for (const ask of [(sessionId) => post('/webhooks', { ...hook, sessionId }), (sessionId) => change({ sessionId })])
	{
		assert.equal((await ask(other.id)).shape, (await ask(INVENTED)).shape);
		assert.deepEqual((await ask(other.id)).json.error.details, { sessionId: NOT_OF_HERE });
	}
	assert.equal((await change({ active: false })).status, 200);
	assert.equal((await client.post('/api/v1/sessions', every.secret, { label: 'new', start: false })).status, 201);
	assert.equal((await keys('POST', '', { name: 'n', permissions: ['read'] })).status, 201);
	assert.equal((await client.request('GET', '/api/v1/api-keys', { key: restricted.secret })).status, 403);
});

test('another session is no bound, no answer and no filter', async () =>
{
	const to = '15551234567';
	const send = async (session, key, json = {}) => await client.post(`/api/v1/sessions/${session.id}/messages`, key.secret, { type: 'text', to, text: 'x', ...json });
	const theirs = (await send(other, every)).json.id;
	const ours = (await send(mine, restricted)).json.id;
	const nothing = 'msg_01h455vb4pex5vsknk084sn02q';
	const messages = `/api/v1/sessions/${mine.id}/chats/${to}/messages`;

	assert.equal((await send(mine, restricted, { replyTo: theirs })).shape, (await send(mine, restricted, { replyTo: nothing })).shape);
	assert.equal((await send(mine, restricted, { replyTo: ours })).status, 202);
	for (const bound of ['before', 'after'])
		assert.equal((await client.get(`${messages}?${bound}=${theirs}`, restricted.secret)).shape, (await client.get(`${messages}?${bound}=${nothing}`, restricted.secret)).shape);
	for (const query of [(id) => `session=${id}`, (id) => `session=${id}&types=message`])
		assert.equal((await client.get(`/api/v1/events?${query(other.id)}`, restricted.secret)).shape, (await client.get(`/api/v1/events?${query(INVENTED)}`, restricted.secret)).shape);

	const ticket = (session) => client.post('/api/v1/realtime/ticket', restricted.secret, { scope: 'session', session });

	assert.equal((await ticket(other.id)).shape, (await ticket(INVENTED)).shape);
	assert.equal((await ticket(mine.id)).status, 201);
});

test('an Idempotency-Key that somebody has used in another session is unused', async () =>
{
	const headers = { 'Idempotency-Key': 'order-1' };
	const send = (session, key, text) => client.request('POST', `/api/v1/sessions/${session.id}/messages`, { key: key.secret, headers, json: { type: 'text', to: '15551234567', text } });

	assert.equal((await send(other, every, 'one')).status, 202);
	assert.equal((await send(mine, every, 'one')).status, 409);
	assert.equal((await send(mine, restricted, 'one')).status, 202);
	assert.equal((await send(mine, restricted, 'one')).status, 200);
	assert.equal((await send(mine, restricted, 'two')).status, 409);
});

test('events are those of its sessions, and no other event is a place to go on from', async () =>
{
	const [ours, theirs, nobodys] = [await emit(db, org, 'message', { session: mine }), await emit(db, org, 'message', { session: other }), await emit(db, org, 'key.created')];
	const list = async (key, query = '') => await client.get(`/api/v1/events?limit=200${query}`, key.secret);
	const shown = (await list(restricted)).json.data;

	assert.ok(shown.some(({ id }) => id === ours));
	assert.ok(shown.every(({ session }) => session === mine.id));
	assert.deepEqual((await list(every, `&since=${ours}`)).json.data.map(({ id }) => id), [theirs, nobodys]);
	assert.deepEqual((await list(restricted, `&since=${ours}`)).json.data, []);

	const invented = await list(restricted, '&since=evt_01h455vb4pex5vsknk084sn02q');

	assert.equal(invented.status, 410);
	for (const since of [theirs, nobodys])
		assert.equal((await list(restricted, `&since=${since}`)).shape, invented.shape);
});

test('sockets get the events of its sessions, also when they are changed while a socket is open', async () =>
{
	const key = (await keys('POST', '', { name: 'listener', permissions: ['events'], sessions: [mine.id] })).json;
	const { json: { ticket } } = await client.post('/api/v1/realtime/ticket', key.key, {});
	const sockets = [await Socket.open(gateway, { key: key.key }), await Socket.open(gateway, { ticket })];
	const whole = await Socket.open(gateway, { key: every.secret });
	const sent = [];
	const expected = [];
	/* The last one is an event that they get, so that what they should not get would have come before. */
	const round = async (sessions, reached) =>
	{
		for (const session of sessions)
		{
			sent.push(await emit(db, org, 'message', { session }));
			if (reached.includes(session))
				expected.push(sent.at(-1));
		}
		for (const socket of sockets)
		{
			await socket.waitFor(expected.length);
			assert.deepEqual(socket.events.map(({ id }) => id), expected);
		}
	};

	await round([other, mine], [mine]);
	await keys('PATCH', `/${key.id}`, { sessions: [other.id] });
	await round([mine, other], [other]);
	await keys('PATCH', `/${key.id}`, { sessions: null });
	await round([mine, other], [mine, other]);
	await whole.waitFor(sent.length);
	assert.deepEqual(whole.events.filter(({ event }) => event === 'message').map(({ id }) => id), sent);
});
