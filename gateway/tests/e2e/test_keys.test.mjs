/*
 * test_keys.test.mjs
 *		A test key: how it is made, what its lists, events and sockets show, and what it cannot
 *		do.  matrix.test.mjs asks every endpoint with an id of a session that it does not reach.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { tokenOf } from './harness/people.mjs';
import { Gateway } from './harness/programs.mjs';
import { emit, Socket } from './harness/socket.mjs';
import { createKey, createOrg, createPerson, createSession } from './harness/tenants.mjs';

const INVENTED = 'sess_01h455vb4pex5vsknk084sn02q';
const TEST_KEY = /^wa_test_[0-9A-Za-z]{49}$/;

let db, gateway, client, org, sandbox, other, live, tester, keys;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	await db.sql("ALTER DATABASE wa SET wa.connectors = 'sandbox, other'");
	gateway = await Gateway.start(cluster);
	client = gateway.client;
	org = await createOrg(db, 'Acme');
	sandbox = await createSession(db, org, { label: 'sandbox', connector: 'sandbox' });
	other = await createSession(db, org, { label: 'other' });
	live = await createKey(db, org);
	tester = await createKey(db, org, undefined, { test: true });

	const owner = await tokenOf(client, await createPerson(db, { org }));

	keys = (method, path, json) => client.request(method, `/api/v1/api-keys${path}`, { bearer: owner, json });
});

const get = async (path, key = tester) => (await client.get(`/api/v1${path}`, key.secret)).json;
const labels = async (secret) => (await client.get('/api/v1/sessions', secret)).json.data.map(({ label }) => label);

test('a key is made as a test key, shown as one, and stays one', async () =>
{
	const made = await keys('POST', '', { name: 'ci', permissions: ['read'], test: true });
	const { id, key, prefix } = made.json;

	assert.equal(made.status, 201);
	assert.match(key, TEST_KEY);
	assert.equal(prefix, key.slice(0, 13));
	assert.equal(made.json.test, true);
	assert.deepEqual(await labels(key), ['sandbox']);
	assert.deepEqual((await keys('GET', '')).json.data.filter((row) => row.test).map((row) => row.name).sort(), ['ci', tester.name].sort());
	assert.equal((await keys('PATCH', `/${id}`, { name: 'ci 2' })).json.test, true);

	const refused = await keys('PATCH', `/${id}`, { test: false });

	assert.equal(refused.status, 400);
	assert.ok('test' in refused.json.error.details);

	const successor = (await keys('POST', `/${id}/rotate`, {})).json;

	assert.match(successor.key, TEST_KEY);
	assert.equal(successor.test, true);
	assert.deepEqual(await labels(successor.key), ['sandbox']);
	for (const json of [{ name: 'not said', permissions: ['read'] }, { name: 'said', permissions: ['read'], test: false }])
	{
		const usual = (await keys('POST', '', json)).json;

		assert.equal(usual.test, false);
		assert.match(usual.key, /^wa_[0-9A-Za-z]{49}$/);
		assert.deepEqual(await labels(usual.key), ['other', 'sandbox']);
	}
	assert.equal((await keys('POST', '', { name: 'never', permissions: ['read'], test: 'yes' })).status, 400);
	assert.equal((await get('/me')).test, true);
	assert.equal((await get('/me', live)).test, false);
	assert.ok(!gateway.log().includes(key.slice(13)));
});

test('lists, ids and events are those of the sandbox', async () =>
{
	const hook = { url: 'https://receiver.example/' };
	const hooks = [];

	for (const sessionId of [sandbox.id, other.id, undefined])
		hooks.push((await client.post('/api/v1/webhooks', live.secret, { ...hook, sessionId })).json.id);
	assert.deepEqual((await get('/sessions')).data.map(({ id, connector }) => [id, connector]), [[sandbox.id, 'sandbox']]);
	assert.deepEqual((await get('/webhooks')).data.map(({ id }) => id), [hooks[0]]);
	assert.equal((await client.get(`/api/v1/sessions/${other.id}`, tester.secret)).shape, (await client.get(`/api/v1/sessions/${INVENTED}`, tester.secret)).shape);
	assert.equal((await client.get(`/api/v1/events?session=${other.id}`, tester.secret)).shape, (await client.get(`/api/v1/events?session=${INVENTED}`, tester.secret)).shape);

	const ticket = (session) => client.post('/api/v1/realtime/ticket', tester.secret, { scope: 'session', session });

	assert.equal((await ticket(other.id)).shape, (await ticket(INVENTED)).shape);
	assert.equal((await ticket(sandbox.id)).status, 201);

	const [ours, theirs, nobodys] = [await emit(db, org, 'message', { session: sandbox }), await emit(db, org, 'message', { session: other }), await emit(db, org, 'key.created')];
	const shown = (await get('/events?limit=200')).data;

	assert.ok(shown.some(({ id }) => id === ours));
	assert.ok(shown.every(({ session }) => session === sandbox.id));
	for (const since of [theirs, nobodys])
		assert.equal((await client.get(`/api/v1/events?since=${since}`, tester.secret)).status, 410);
});

test('it makes sessions of the sandbox only, and webhooks for them', async () =>
{
	const post = (path, json, key = tester) => client.post(`/api/v1${path}`, key.secret, json);
	const hook = { url: 'https://receiver.example/' };
	const made = await post('/sessions', { label: 'made', start: false });

	assert.equal(made.status, 201);
	assert.equal(made.json.connector, 'sandbox');
	assert.equal((await post('/webhooks', { ...hook, sessionId: made.json.id })).status, 201);
	assert.equal((await client.request('DELETE', `/api/v1/sessions/${made.json.id}`, { key: tester.secret })).status, 204);
	assert.equal((await post('/webhooks', hook)).status, 403);
	assert.deepEqual((await post('/webhooks', { ...hook, sessionId: other.id })).json.error, (await post('/webhooks', { ...hook, sessionId: INVENTED })).json.error);
	assert.equal((await client.request('GET', '/api/v1/api-keys', { key: tester.secret })).status, 403);

	const ask = (key) => post('/sessions', { label: 'live', start: false, connector: 'other' }, key);

	assert.deepEqual((await ask(tester)).json.error.details, { connector: 'must be sandbox, because this is a test key' });
	assert.equal((await ask(live)).status, 201);
});

test('with a list of sessions it reaches what both allow', async () =>
{
	const both = await keys('POST', '', { name: 'both', permissions: ['read'], test: true, sessions: [sandbox.id] });

	assert.equal(both.status, 201);
	assert.deepEqual(await labels(both.json.key), ['sandbox']);

	const refused = await keys('POST', '', { name: 'never', permissions: ['read'], test: true, sessions: [sandbox.id, other.id] });

	assert.equal(refused.status, 400);
	assert.deepEqual(refused.json.error.details, { sessions: 'sessions[1] must be a session of the sandbox, because this is a test key' });
	assert.equal((await keys('PATCH', `/${both.json.id}`, { sessions: [other.id] })).status, 400);
	assert.equal((await keys('PATCH', `/${both.json.id}`, { sessions: null })).status, 200);
	assert.deepEqual(await labels(both.json.key), ['sandbox']);
});

test('sockets get the events of the sandbox', async () =>
{
	const { json: { ticket } } = await client.post('/api/v1/realtime/ticket', tester.secret, {});
	const sockets = [await Socket.open(gateway, { key: tester.secret }), await Socket.open(gateway, { ticket })];
	const hidden = await emit(db, org, 'message', { session: other });
	const shown = await emit(db, org, 'message', { session: sandbox });

	for (const socket of sockets)
	{
		await socket.waitFor(1);
		assert.deepEqual(socket.events.map(({ id }) => id), [shown], `without ${hidden}`);
	}
});
