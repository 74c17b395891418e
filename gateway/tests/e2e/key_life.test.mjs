/*
 * key_life.test.mjs
 *		The life of a key: switched off and on, revoked for a reason or with all others, and how
 *		long it may live.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Connection } from './harness/http.mjs';
import { tokenOf } from './harness/people.mjs';
import { until } from './harness/processes.mjs';
import { Gateway, Worker } from './harness/programs.mjs';
import { Socket } from './harness/socket.mjs';
import { createKey, createOrg, createPerson } from './harness/tenants.mjs';

const ME = '/api/v1/me';
const DAY = 86_400_000;

let cluster, db, gateway, client;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	gateway = await Gateway.start(cluster);
	client = gateway.client;
});

/* An organization and what one of its people asks of its keys. */
async function keysOf(name, role = 'owner')
{
	const org = await createOrg(db, name);
	const person = await createPerson(db, { org, role });
	const bearer = await tokenOf(client, person);
	const call = (method, path, json) => client.request(method, `/api/v1/api-keys${path}`, { bearer, json });

	return { org, person, call };
}

test('the very next request with a key that is switched off is a 401, on every connection, and a 200 when it is on', async () =>
{
	const { org, call } = await keysOf('Off');
	const connections = await Promise.all(Array.from({ length: 8 }, () => Connection.open(gateway.port)));
	const { json: key } = await call('POST', '', { name: 'worker', permissions: ['read', 'events'] });
	const other = await createKey(db, org);
	const ask = async (secret) => (await Promise.all(connections.map((connection) => connection.request('GET', ME, { key: secret })))).map(({ status }) => status);
	const all = (status) => connections.map(() => status);
	const socket = await Socket.open(gateway, { key: key.key });

	for (let i = 0; i < 3; i++)
	{
		assert.deepEqual(await ask(key.key), all(200));

		const off = await call('PATCH', `/${key.id}`, { enabled: false });

		assert.equal(off.status, 200);
		assert.ok(off.json.disabledAt > 0 && off.json.revokedAt === undefined);
		assert.deepEqual(await ask(key.key), all(401));
		assert.deepEqual(await ask(other.secret), all(200));
		assert.equal((await call('PATCH', `/${key.id}`, { enabled: true })).json.disabledAt, undefined);
	}
	// A socket that was open does not come back.
	assert.equal((await socket.closed).code, 4401);
	assert.deepEqual(await ask(key.key), all(200));
});

test('a rotation gives no more time, unless another end is asked for, and says both ends', async () =>
{
	const { call } = await keysOf('No longer');
	const end = Date.now() + 300 * DAY;
	const { json: long } = await call('POST', '', { name: 'long', permissions: ['read'], expiresAt: end });
	const soon = Date.now() + 3 * DAY;

	assert.equal((await call('PATCH', `/${long.id}`, { expiresAt: soon })).json.expiresAt, soon);

	const { json: next } = await call('POST', `/${long.id}/rotate`, { overlapSeconds: 3600 });

	assert.equal(next.expiresAt, soon);
	assert.equal(next.previousExpiresAt, (await call('GET', `/${long.id}`)).json.expiresAt);
	assert.ok(Math.abs(next.previousExpiresAt - Date.now() - 3_600_000) < 300_000);
	assert.deepEqual((await call('POST', `/${next.id}/rotate`, { expiresAt: Date.now() - 1000 })).json.error.details, { expiresAt: 'must be in the future' });

	const { json: longer } = await call('POST', `/${next.id}/rotate`, { expiresAt: end });

	assert.equal(longer.expiresAt, end);

	const { json: forever } = await call('POST', `/${longer.id}/rotate`, { expiresAt: null });

	assert.equal(forever.expiresAt, undefined);
	// The policy allows no longer life than it does to a new key; its default is not looked at.
	assert.equal((await call('PUT', '/policy', { defaultDays: 7, maxDays: 30 })).status, 200);
	assert.match((await call('POST', `/${forever.id}/rotate`, { expiresAt: null })).json.error.details.expiresAt, /^must be at most 30 days/);

	const { json: bounded } = await call('POST', `/${forever.id}/rotate`, {});

	assert.ok(Math.abs(bounded.expiresAt - Date.now() - 30 * DAY) < 300_000);
});

test('a key that is switched off keeps its name, can be changed and revoked, and is not rotated', async () =>
{
	const { call } = await keysOf('Changes');
	const { json: key } = await call('POST', '', { name: 'worker', permissions: ['read'] });
	const off = await call('PATCH', `/${key.id}`, { enabled: false, name: 'worker 2' });

	assert.deepEqual([off.status, off.json.name, off.json.disabledAt > 0], [200, 'worker 2', true]);
	assert.equal((await call('POST', '', { name: 'Worker 2', permissions: ['read'] })).status, 409);

	const rotated = await call('POST', `/${key.id}/rotate`, {});

	assert.deepEqual([rotated.status, rotated.json.error.message], [409, 'key is switched off']);

	const on = await call('PATCH', `/${key.id}`, { enabled: true, permissions: ['send'] });

	assert.deepEqual([on.json.disabledAt, on.json.permissions], [undefined, ['send']]);
	assert.equal((await client.get('/api/v1/sessions', key.key)).status, 403);
	await call('PATCH', `/${key.id}`, { enabled: false });
	assert.equal((await call('DELETE', `/${key.id}`)).status, 204);
	assert.equal((await call('PATCH', `/${key.id}`, { enabled: true })).status, 409);
	assert.equal((await client.get(ME, key.key)).status, 401);
});

test('a key is revoked for a reason that people see', async () =>
{
	const { call } = await keysOf('Reasons');
	const { json: key } = await call('POST', '', { name: 'worker', permissions: ['read'] });
	const reason = 'found in a public repository – the “old” one';

	assert.equal((await call('DELETE', `/${key.id}?reason=${encodeURIComponent('x'.repeat(201))}`)).status, 400);
	assert.equal((await call('DELETE', `/${key.id}?reason=two%0Alines`)).json.error.details.reason, 'must be 1 to 200 characters on one line');
	assert.equal((await client.get(ME, key.key)).status, 200);
	assert.equal((await call('DELETE', `/${key.id}?reason=${encodeURIComponent(reason)}`)).status, 204);

	const { json } = await call('GET', '');

	assert.equal(json.data.find(({ id }) => id === key.id).revokedReason, reason);
	// The reason stays that of the one who has revoked it.
	assert.equal((await call('DELETE', `/${key.id}?reason=another`)).status, 204);
	assert.equal((await call('GET', '')).json.data.find(({ id }) => id === key.id).revokedReason, reason);
});

test('all keys of a person who left are revoked, or all there are, of this organization only', async () =>
{
	const { org, person, call } = await keysOf('Leaving');
	const leaver = await createPerson(db, { org, role: 'admin' });
	const bearer = await tokenOf(client, leaver);
	const made = [];

	for (const name of ['one', 'two'])
		made.push((await client.request('POST', '/api/v1/api-keys', { bearer, json: { name, permissions: ['read'] } })).json);

	const { json: kept } = await call('POST', '', { name: 'kept', permissions: ['read'] });
	const other = await createKey(db, await createOrg(db, 'Other'));
	const status = async (...secrets) => await Promise.all(secrets.map(async (secret) => (await client.get(ME, secret)).status));

	for (const json of [{}, { all: true, createdBy: person.id }, { all: false }, { createdBy: org.id }])
		assert.equal((await call('POST', '/revoke', json)).status, 400, JSON.stringify(json));
	assert.deepEqual(await status(made[0].key, made[1].key, kept.key), [200, 200, 200]);
	assert.deepEqual((await call('POST', '/revoke', { createdBy: leaver.id, reason: 'left' })).json, { revoked: 2 });
	assert.deepEqual(await status(made[0].key, made[1].key, kept.key), [401, 401, 200]);
	assert.deepEqual((await call('POST', '/revoke', { createdBy: leaver.id })).json, { revoked: 0 });
	assert.deepEqual((await call('POST', '/revoke', { all: true })).json, { revoked: 1 });
	assert.deepEqual(await status(kept.key, other.secret), [401, 200]);
});

test('an owner says how long keys live, and nobody lengthens that', async () =>
{
	const { org, call } = await keysOf('Policy');
	const admin = await tokenOf(client, await createPerson(db, { org, role: 'admin' }));
	const ask = (method, path, json) => client.request(method, `/api/v1/api-keys${path}`, { bearer: admin, json });
	const days = ({ json }) => (json.expiresAt - json.createdAt) / DAY;

	assert.deepEqual((await ask('GET', '/policy')).json, {});
	for (const json of [{ defaultDays: 0 }, { maxDays: 3651 }, { defaultDays: 31, maxDays: 30 }, { days: 1 }])
		assert.equal((await call('PUT', '/policy', json)).status, 400, JSON.stringify(json));
	assert.equal((await ask('PUT', '/policy', { maxDays: 30 })).status, 403);
	assert.deepEqual((await call('PUT', '/policy', { defaultDays: 7, maxDays: 30 })).json, { defaultDays: 7, maxDays: 30 });
	assert.deepEqual((await ask('GET', '/policy')).json, { defaultDays: 7, maxDays: 30 });

	const made = await ask('POST', '', { name: 'default', permissions: ['read'] });

	assert.equal(Math.round(days(made)), 7);
	for (const expiresAt of [null, Date.now() + 31 * DAY])
	{
		for (const answer of [await ask('POST', '', { name: 'longer', permissions: ['read'], expiresAt }), await call('PATCH', `/${made.json.id}`, { expiresAt })])
			assert.deepEqual([answer.status, Object.keys(answer.json.error.details)], [400, ['expiresAt']]);
	}
	assert.equal(Math.round(days(await call('PATCH', `/${made.json.id}`, { expiresAt: made.json.createdAt + 30 * DAY - 1000 }))), 30);
	assert.deepEqual((await call('PUT', '/policy', {})).json, {});

	const never = await ask('POST', '', { name: 'never', permissions: ['read'], expiresAt: null });

	assert.deepEqual([never.status, never.json.expiresAt], [201, undefined]);
});

test('those who listen learn that a key is switched off and on, and that it will expire', async () =>
{
	const { org, call } = await keysOf('Listening');
	const listener = await createKey(db, org);
	const socket = await Socket.open(gateway, { key: listener.secret, query: { types: 'key.disabled,key.enabled,key.expiring' } });
	const { json: key } = await call('POST', '', { name: 'worker', permissions: ['read'], expiresAt: Date.now() + 30 * DAY });

	await call('PATCH', `/${key.id}`, { enabled: false });
	await call('PATCH', `/${key.id}`, { enabled: true });
	await db.sql("UPDATE wa.api_key SET created_at = created_at - interval '30 days', expires_at = clock_timestamp() + interval '6 days' WHERE id = wa.from_typeid('key', $1)", [key.id]);
	await Worker.start(cluster, { args: ['--housekeeping', '1'] });
	await socket.waitFor(3);
	assert.deepEqual(socket.events.map(({ event, payload }) => [event, payload.id, payload.disabledAt > 0]),
		[['key.disabled', key.id, true], ['key.enabled', key.id, false], ['key.expiring', key.id, false]]);
	await until('the warning is noted', async () => await db.value("SELECT count(*) FROM wa.key_warning w WHERE w.key_id = wa.from_typeid('key', $1)", [key.id]) === '1');
});
