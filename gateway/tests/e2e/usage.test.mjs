/*
 * usage.test.mjs
 *		When and how often a key was used: seen as soon as it was, kept by a flush.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Gateway } from './harness/programs.mjs';
import { createKey, createOrg } from './harness/tenants.mjs';

const SESSIONS = '/api/v1/sessions';
const NEVER_MADE = 'wa_nobody-has-ever-made-this-key';
const SOON_MS = 60_000;

let cluster, db, gateway, client, org, token;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	org = await createOrg(db, 'Acme');
	gateway = await Gateway.start(cluster, { args: ['--db-connections', '2'] });
	client = gateway.client;
	token = await signIn('oona@example.net', 'Oona');
});

/* The user token of an owner. */
async function signIn(email, name)
{
	const person = await db.value("SELECT id FROM wa.create_user($1, $2, 'correct horse')", [email, name]);

	await db.sql("SELECT wa.add_member($1, $2, 'owner')", [org.uuid, person]);

	const cookie = await db.value("SELECT cookie FROM wa.sign_in($1, 'correct horse', '192.0.2.1', 'test')", [email]);

	return await db.value('SELECT token FROM wa.mint_user_token($1)', [cookie]);
}

/* A key as the API shows it. */
async function shown(id)
{
	const { status, json } = await client.get('/api/v1/api-keys?limit=200', token);

	assert.equal(status, 200);
	return json.data.find((key) => key.id === id);
}

async function lastUse(key)
{
	const [row] = await db.sql('SELECT last_used_at, host(last_used_from) AS address FROM wa.keys WHERE id = $1', [key.uuid]);

	return row;
}

const firstUses = (key) => db.value("SELECT count(*) FROM wa.audit WHERE subject = $1 AND action = 'key.used_first'", [key.uuid]);

test('a key shows its last use, and where from, as soon as a request was answered', async () =>
{
	const key = await createKey(db, org, ['read']);
	const other = await createKey(db, org, ['read']);
	const began = Date.now();

	assert.equal('lastUsedAt' in await shown(key.id), false);
	assert.equal((await client.get(SESSIONS, key.secret)).status, 200);

	const { lastUsedAt } = await shown(key.id);

	assert.ok(lastUsedAt >= began - 1000 && lastUsedAt < began + SOON_MS, String(lastUsedAt));
	assert.equal((await lastUse(key)).address, '127.0.0.1');
	assert.equal('lastUsedAt' in await shown(other.id), false, 'another key of the organization was not used');
});

test('behind a trusted proxy the address is that of the client; from others the header counts for nothing', async () =>
{
	const key = await createKey(db, org, ['read']);
	const request = { key: key.secret, headers: { 'X-Forwarded-For': '2001:db8::9' } };
	const proxied = await Gateway.start(cluster, { args: ['--trusted-proxy', '127.0.0.0/8'] });

	assert.equal((await proxied.client.request('GET', SESSIONS, request)).status, 200);
	assert.equal((await lastUse(key)).address, '2001:db8::9');
	await proxied.stop();

	const other = await createKey(db, org, ['read']);

	assert.equal((await client.request('GET', SESSIONS, { ...request, key: other.secret })).status, 200);
	assert.equal((await lastUse(other)).address, '127.0.0.1');
});

test('a request that is wrong in itself is a use as well: its key was accepted', async () =>
{
	const key = await createKey(db, org, ['read']);

	assert.equal((await client.get(`${SESSIONS}?limit=x`, key.secret)).status, 400);
	assert.ok((await shown(key.id)).lastUsedAt > 0);
});

test('a key that is refused shows no use: unknown, revoked, expired, without the permission', async () =>
{
	const revoked = await createKey(db, org, ['read']);
	const expired = await createKey(db, org, ['read']);
	const lacking = await createKey(db, org, ['send']);

	await db.sql('SELECT wa.revoke_key($1::uuid)', [revoked.uuid]);
	await db.sql("UPDATE wa.api_key SET expires_at = now() - interval '1 hour' WHERE id = $1", [expired.uuid]);

	const known = await db.value('SELECT count(*) FROM wa.unflushed_key_usage()');

	assert.equal((await client.get(SESSIONS, revoked.secret)).status, 401);
	assert.equal((await client.get(SESSIONS, expired.secret)).status, 401);
	assert.equal((await client.get(SESSIONS, lacking.secret)).status, 403);
	assert.equal((await client.get(SESSIONS, NEVER_MADE)).status, 401);
	for (const key of [revoked, expired, lacking])
		assert.equal('lastUsedAt' in await shown(key.id), false, key.name);
	assert.equal(await db.value('SELECT count(*) FROM wa.unflushed_key_usage()'), known);

	/* the control: the same key, where it may */
	assert.equal((await client.get('/api/v1/me', lacking.secret)).status, 200);
	assert.ok((await shown(lacking.id)).lastUsedAt > 0);
});

/* What the endpoint says of a key, with its hours summed up. */
async function usageOf(id, query = '')
{
	const { status, json } = await client.get(`/api/v1/api-keys/${id}/usage${query}`, token);
	const sum = { ...json, allowed: 0, denied: {} };

	assert.equal(status, 200);
	for (const hour of json.hours)
	{
		sum.allowed += hour.allowed;
		for (const [reason, number] of Object.entries(hour.denied))
			sum.denied[reason] = (sum.denied[reason] ?? 0) + number;
	}
	return sum;
}

test('requests are counted by hour and by what became of them, and the last one has its address and program', async () =>
{
	const key = await createKey(db, org, ['read']);
	const before = await usageOf(key.id);

	assert.deepEqual([before.id, before.hours, 'lastUsedAt' in before, 'lastUsedAgent' in before], [key.id, [], false, false]);
	for (let i = 0; i < 5; i++)
		assert.equal((await client.request('GET', SESSIONS, { key: key.secret, headers: { 'User-Agent': 'tests/1.0' } })).status, 200);
	assert.equal((await client.get(`${SESSIONS}?limit=x`, key.secret)).status, 400);
	assert.equal((await client.post(SESSIONS, key.secret, {})).status, 403);
	await db.sql('SELECT wa.flush_key_usage()');
	await db.sql('SELECT wa.disable_key($1::uuid)', [key.uuid]);
	assert.equal((await client.get(SESSIONS, key.secret)).status, 401);
	await db.sql('SELECT wa.revoke_key($1::uuid)', [key.uuid]);
	assert.equal((await client.get(SESSIONS, key.secret)).status, 401);
	assert.equal((await client.get(SESSIONS, key.secret)).status, 401);

	const after = await usageOf(key.id);

	assert.equal(after.allowed, 6);
	assert.deepEqual(after.denied, { permission: 1, disabled: 1, revoked: 2 });
	assert.equal(after.lastUsedFrom, '127.0.0.1');
	assert.ok(after.hours.every(({ from }, i) => from % 3_600_000 === 0 && (i === 0 || from > after.hours[i - 1].from)));
	assert.equal(after.hours.at(-1).from <= Date.now(), true);
});

test('the program is cut, and one that is no printable ASCII is none and denies nothing', async () =>
{
	for (const [sent, kept] of [['curl/8.1', 'curl/8.1'], ['a'.repeat(500), 'a'.repeat(120)], ['caf\u00e9', undefined], [' ', undefined]])
	{
		const key = await createKey(db, org, ['read']);

		assert.equal((await client.request('GET', SESSIONS, { key: key.secret, headers: { 'User-Agent': sent } })).status, 200, sent);
		assert.equal((await usageOf(key.id)).lastUsedAgent, kept);
	}
});

test('only as many hours as are asked for', async () =>
{
	const key = await createKey(db, org, ['read']);

	await db.sql(`INSERT INTO wa.api_key_hour (org_id, key_id, hour, allowed)
		SELECT $1, $2, date_bin('1 hour', now(), '2000-01-01+00') - h * interval '1 hour', 1 FROM unnest('{0,1,2,719,720}'::integer[]) h`, [org.uuid, key.uuid]);
	for (const [query, hours] of [['?hours=1', 1], ['?hours=2', 2], ['?hours=719', 3], ['', 4]])
		assert.ok(Math.abs((await usageOf(key.id, query)).hours.length - hours) <= 1, query);
	for (const query of ['?hours=0', '?hours=721', '?hours=x', '?days=1'])
		assert.equal((await client.get(`/api/v1/api-keys/${key.id}/usage${query}`, token)).status, 400, query);
});

test('who made a key, and which one took its place', async () =>
{
	const made = await client.post('/api/v1/api-keys', token, { name: 'by Oona', permissions: ['read'] });

	assert.equal(made.status, 201);
	assert.equal(made.json.createdByName, 'Oona');
	assert.equal('rotatedTo' in made.json, false);

	const successor = await client.post(`/api/v1/api-keys/${made.json.id}/rotate`, token, { overlapSeconds: 60 });

	assert.equal(successor.status, 201);
	assert.equal((await shown(made.json.id)).rotatedTo, successor.json.id);
	assert.equal('createdByName' in await shown((await createKey(db, org)).id), false, 'a database role has no name');
});

test('what was flushed outlives a crash of the server, and one first use is on record', async () =>
{
	const flushed = await createKey(db, org, ['read']);
	const lost = await createKey(db, org, ['read']);

	assert.equal((await client.get(SESSIONS, flushed.secret)).status, 200);
	assert.ok(await db.value('SELECT wa.flush_key_usage()') >= 1);

	const use = await lastUse(flushed);

	assert.equal((await client.get(SESSIONS, lost.secret)).status, 200);
	assert.notEqual((await lastUse(lost)).last_used_at, null);
	assert.equal(await firstUses(flushed), '1');
	assert.equal(await firstUses(lost), '0');
	await gateway.stop();
	await db.close();
	cluster.crash();
	cluster.start();
	db = await cluster.open('wa');
	assert.deepEqual(await lastUse(flushed), use);
	assert.equal((await lastUse(lost)).last_used_at, null);

	gateway = await Gateway.start(cluster);
	client = gateway.client;
	assert.equal((await client.get(SESSIONS, flushed.secret)).status, 200);
	assert.equal((await client.get(SESSIONS, lost.secret)).status, 200);
	await db.sql('SELECT wa.flush_key_usage()');
	assert.equal(await firstUses(flushed), '1');
	assert.equal(await firstUses(lost), '1');
	assert.ok((await shown(lost.id)).lastUsedAt > 0);
});

test('without the preload keys work, and show what was flushed', async () =>
{
	const key = await createKey(db, org, ['read']);
	const app = `SELECT wa.authenticate('${key.secret}', 'read', '192.0.2.20') IS NOT NULL`;

	assert.equal((await client.get(SESSIONS, key.secret)).status, 200);
	await db.sql('SELECT wa.flush_key_usage()');

	const use = await lastUse(key);

	await gateway.stop();
	await db.close();
	cluster.stop();
	cluster.configure(["shared_preload_libraries = ''"]);
	cluster.start();
	db = await cluster.open('wa');
	assert.equal(await db.value('SELECT wa.preloaded()'), 'f');
	assert.equal(await db.value(app), 't');
	assert.deepEqual(await lastUse(key), use);
	assert.equal(use.address, '127.0.0.1');
	assert.equal(await db.value('SELECT wa.flush_key_usage()'), '0');
	assert.equal(await db.value('SELECT count(*) FROM wa.unflushed_key_usage()'), '0');
});
