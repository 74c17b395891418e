/*
 * idempotency.test.mjs
 *		Idempotency-Key: one message however often the request comes.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { createUnlimitedSession } from './harness/fixtures.mjs';
import { Connection } from './harness/http.mjs';
import { Gateway } from './harness/programs.mjs';
import { createKey, createSession, createTenant } from './harness/tenants.mjs';

const PHONE = '15551234567';
const BODY = { type: 'text', to: PHONE, text: 'hello' };

let db, client, gateway, tenant, session, names = 0;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	session = await createUnlimitedSession(db, tenant.org);
	gateway = await Gateway.start(cluster);
	client = gateway.client;
});

const fresh = () => `test ${++names}`;
const count = (org = tenant.org) => db.value('SELECT count(*) FROM wa.message WHERE org_id = $1', [org.uuid]);

function send(name, json = BODY, { key = tenant.key.secret, to = session } = {})
{
	return client.post(`/api/v1/sessions/${to.id}/messages`, key, json, { headers: { 'Idempotency-Key': name } });
}

test('the same request again is the same answer, marked as replayed', async () =>
{
	const name = fresh();
	const before = Number(await count());
	const first = await send(name);
	const again = [await send(name), await send(name)];

	assert.equal(first.status, 202);
	assert.equal(first.json.replayed, undefined);
	for (const answer of again)
	{
		assert.equal(answer.status, 200);
		assert.deepEqual(answer.json, { ...first.json, replayed: true });
	}
	assert.equal(Number(await count()), before + 1);
});

test('what means the same is the same body', async () =>
{
	const name = fresh();
	const first = await send(name);

	for (const json of [{ text: 'hello', to: PHONE, type: 'text' }, { ...BODY, to: `+${PHONE}` }, { ...BODY, to: `${PHONE}@c.us` }])
		assert.equal((await send(name, json)).json.id, first.json.id);
});

test('the same key with another body is a 409, and makes nothing', async () =>
{
	const name = fresh();
	const elsewhere = await createUnlimitedSession(db, tenant.org);

	assert.equal((await send(name)).status, 202);

	const before = await count();

	for (const [json, options] of [
		[{ ...BODY, text: 'other' }], [{ ...BODY, to: '15557654321' }], [{ ...BODY, mentions: [PHONE] }],
		[{ type: 'location', to: PHONE, latitude: 1, longitude: 1 }], [BODY, { to: elsewhere }],
	])
	{
		const answer = await send(name, json, options);

		assert.equal(answer.status, 409);
		assert.equal(answer.json.error.code, 'conflict');
		assert.match(answer.json.error.message, /Idempotency-Key/);
	}
	assert.equal(await count(), before);
	assert.equal((await send(name)).status, 200);
});

test('simultaneous requests make one message', async () =>
{
	for (let round = 0; round < 5; round++)
	{
		const name = fresh();
		const before = Number(await count());
		const connections = await Promise.all(Array.from({ length: 16 }, () => Connection.open(gateway.port)));
		const answers = await Promise.all(connections.map((connection) => connection.request('POST', `/api/v1/sessions/${session.id}/messages`,
			{ key: tenant.key.secret, json: BODY, headers: { 'Idempotency-Key': name } })));

		connections.forEach((connection) => connection.close());
		assert.equal(new Set(answers.map((answer) => answer.json.id)).size, 1);
		assert.deepEqual(answers.map((answer) => answer.status).sort(), [...Array(15).fill(200), 202]);
		assert.equal(Number(await count()), before + 1);
	}
});

test('simultaneous requests with different bodies: one wins, the others are told', async () =>
{
	const name = fresh();
	const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => send(name, { ...BODY, text: `text ${i}` })));

	assert.deepEqual(answers.map((answer) => answer.status).sort(), [202, ...Array(7).fill(409)]);
});

test('a request that was refused can be sent again, put right, under the same key', async () =>
{
	const name = fresh();
	const out = await createSession(db, tenant.org, { status: 'logged_out' });

	assert.equal((await send(name, { ...BODY, text: '' })).status, 400);
	assert.equal((await send(name, BODY, { to: out })).status, 409);
	assert.equal((await send(name)).status, 202);
});

test('organizations do not share keys; the keys of one organization do', async () =>
{
	const name = fresh();
	const other = await createTenant(db, 'Other');
	const theirs = await createUnlimitedSession(db, other.org);
	const second = await createKey(db, tenant.org, ['send']);
	const first = await send(name);

	assert.equal((await send(name, BODY, { key: other.key.secret, to: theirs })).status, 202);
	assert.equal((await send(name, BODY, { key: second.secret })).json.id, first.json.id);
});

test('after 24 hours a key names a new request', async () =>
{
	const name = fresh();
	const first = await send(name);

	await db.sql("UPDATE wa.idempotency SET created_at = created_at - interval '23 hours 59 minutes' WHERE key = $1", [name]);
	assert.equal((await send(name)).status, 200);
	await db.sql("UPDATE wa.idempotency SET created_at = created_at - interval '2 minutes' WHERE key = $1", [name]);

	const later = await send(name, { ...BODY, text: 'another' });

	assert.equal(later.status, 202);
	assert.notEqual(later.json.id, first.json.id);
	assert.equal((await send(name, { ...BODY, text: 'another' })).json.id, later.json.id);
});

test('a key is 1 to 255 printable characters, once', async () =>
{
	const path = `/api/v1/sessions/${session.id}/messages`;

	assert.equal((await send('k'.repeat(255))).status, 202);
	assert.equal((await send('~!@#$%^&*() "quoted" \\')).status, 202);
	for (const name of ['', 'k'.repeat(256), 'clé', '\x7f', 'a\tb'])
	{
		const answer = await send(name);

		assert.equal(answer.status, 400, JSON.stringify(name));
		if (name !== '\x7f')
			assert.deepEqual(Object.keys(answer.json.error.details), ['Idempotency-Key'], JSON.stringify(name));
	}

	const twice = await client.post(path, tenant.key.secret, BODY, { headers: { 'Idempotency-Key': 'a', 'idempotency-key': 'a' } });

	assert.equal(twice.status, 400);
});

test('a replay counts against no limit', async () =>
{
	const limited = await createSession(db, tenant.org);
	const name = fresh();

	await client.request('PATCH', `/api/v1/sessions/${limited.id}`, { key: tenant.key.secret, json: { ratePerMin: 1 } });
	assert.equal((await send(name, BODY, { to: limited })).status, 202);
	assert.equal((await send(name, BODY, { to: limited })).status, 200);
	assert.equal((await send(fresh(), BODY, { to: limited })).status, 429);
	assert.equal((await send(name, BODY, { to: limited })).status, 200);
});
