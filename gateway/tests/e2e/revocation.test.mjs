/*
 * revocation.test.mjs
 *		Once wa.revoke_key() has returned, no request that begins is accepted.
 *
 * "Begins after" is meant strictly: this process has read the server's answer to the
 * revocation before it writes the first byte of the request.  Nothing here waits for a
 * revocation to take effect.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Connection } from './harness/http.mjs';
import { until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { createKey, createOrg, createTenant } from './harness/tenants.mjs';

const ME = '/api/v1/me';

const REVOCATIONS = 10000;
const ORGANIZATIONS = 4;
const ADMINISTRATORS = 8;		/* connections that revoke at the same time */
const HAMMERS = 3;			/* connections to each gateway process */
const AT_WORK = 200;			/* keys that are used while they wait to be revoked */

let cluster, db, tenant;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
});

test('the very next request with a revoked key is a 401, on every connection', async () =>
{
	const gateway = await Gateway.start(cluster);
	const connections = await Promise.all(Array.from({ length: 8 }, () => Connection.open(gateway.port)));
	const key = await createKey(db, tenant.org);
	const other = await createKey(db, tenant.org);
	const ask = (secret) => Promise.all(connections.map((connection) => connection.request('GET', ME, { key: secret })));

	for (let i = 0; i < 3; i++)
		assert.deepEqual((await ask(key.secret)).map((answer) => answer.status), connections.map(() => 200));
	assert.equal(await db.value('SELECT wa.revoke_key($1::uuid)', [key.uuid]), 't');
	assert.deepEqual((await ask(key.secret)).map((answer) => answer.status), connections.map(() => 401));
	assert.deepEqual((await ask(other.secret)).map((answer) => answer.status), connections.map(() => 200));
	await gateway.stop();
});

test('a key is revoked by name, with its rotated predecessor; a second time there is nothing to revoke', async () =>
{
	const gateway = await Gateway.start(cluster);
	const status = async (secret) => (await gateway.client.get(ME, secret)).status;
	const old = await createKey(db, tenant.org, ['read'], { name: 'Deploy' });
	const successor = await db.value("SELECT secret FROM wa.rotate_key($1, '1 hour')", [old.uuid]);

	assert.deepEqual([await status(old.secret), await status(successor)], [200, 200]);
	assert.equal(await db.value("SELECT wa.revoke_key($1, 'deploy')", [tenant.org.uuid]), '2');
	assert.deepEqual([await status(old.secret), await status(successor)], [401, 401]);
	assert.equal(await db.value('SELECT wa.revoke_key($1::uuid)', [old.uuid]), 'f');
	await assert.rejects(db.value("SELECT wa.revoke_key($1, 'deploy')", [tenant.org.uuid]), { code: 'P0002' });
	await gateway.stop();
});

test('a key that is rotated without overlap is refused at once, its successor accepted', async () =>
{
	const gateway = await Gateway.start(cluster);
	const status = async (secret) => (await gateway.client.get(ME, secret)).status;
	const old = await createKey(db, tenant.org);

	assert.equal(await status(old.secret), 200);

	const successor = await db.value("SELECT secret FROM wa.rotate_key($1, '0')", [old.uuid]);

	assert.deepEqual([await status(old.secret), await status(successor)], [401, 200]);
	await gateway.stop();
});

test('a revocation counts from its commit, and not at all if it is rolled back', async () =>
{
	const gateway = await Gateway.start(cluster);
	const status = async (secret) => (await gateway.client.get(ME, secret)).status;
	const key = await createKey(db, tenant.org);

	await db.sql('BEGIN');
	await db.sql('SELECT wa.revoke_key($1::uuid)', [key.uuid]);
	assert.equal(await status(key.secret), 200);
	await db.sql('ROLLBACK');
	assert.equal(await status(key.secret), 200);
	await db.sql('BEGIN');
	await db.sql('SELECT wa.revoke_key($1::uuid)', [key.uuid]);
	assert.equal(await status(key.secret), 200);
	await db.sql('COMMIT');
	assert.equal(await status(key.secret), 401);
	await gateway.stop();
});

/* ---- under load ---- */

/* In one statement each, because ten thousand calls of wa.create_key() take their time. */
async function makeKeys()
{
	const keys = [];

	for (let i = 0; i < ORGANIZATIONS; i++)
	{
		const org = await createOrg(db, `Org ${i}`);
		const rows = await db.sql(`
			WITH made AS MATERIALIZED (
				SELECT wa.uuid7() AS id, i, m.*
				FROM generate_series(1, $2::integer) AS i
				CROSS JOIN LATERAL wa.make_secret(CASE WHEN i > 0 THEN 'api_key' END) AS m),
			stored AS (
				INSERT INTO wa.api_key (org_id, id, name, digest, prefix, permissions, created_by)
				SELECT $1::uuid, id, 'key ' || i, digest, prefix, '{read}', 'test' FROM made)
			SELECT id, secret FROM made`, [org.uuid, REVOCATIONS / ORGANIZATIONS]);

		keys.push(...rows.map((row) => ({ uuid: row.id, secret: row.secret, revoked: false })));
	}
	return keys;
}

/* Connections to every process of the gateways, so many to each. */
async function connectToAll(gateways, processes)
{
	const connections = [];
	const counts = new Map();

	for (let tries = 0; tries < 200 && connections.length < processes * HAMMERS; tries++)
	{
		const gateway = gateways[tries % gateways.length];
		const connection = await Connection.open(gateway.port);
		const answer = await connection.request('GET', '/healthz');
		const line = await until('the request is logged',
			() => gateway.events('request').find((each) => each.includes(answer.headers['x-request-id'])));
		const pid = /pid=([0-9]+)/.exec(line)[1];
		const count = counts.get(pid) ?? 0;

		if (count < HAMMERS)
		{
			counts.set(pid, count + 1);
			connections.push(connection);
		}
		else
			connection.close();
	}
	assert.equal(counts.size, processes, 'every process has connections');
	assert.equal(connections.length, processes * HAMMERS);
	return connections;
}

/*
 * The life of a key here: fresh, in use (a request with it was accepted), revoked, proved
 * (a request that began after the revocation was refused).  Clients always have something
 * to do: what was just revoked goes first, then fresh keys, then any key that is in use,
 * those that are being revoked at this moment among them.
 */
class Lives
{
	constructor(keys)
	{
		this.fresh = keys;
		this.next = 0;
		this.inUse = [];
		this.revoked = [];
		this.beingRevoked = [];
		this.proved = 0;
		this.begunAfter = 0;
		this.acceptedAfter = 0;
		this.acceptedBefore = 0;
		this.refusedAmid = 0;
		this.unexpected = [];
		this.turn = 0;
	}

	get over()
	{
		return this.proved === REVOCATIONS;
	}

	/* The key for a client's next request. */
	pick()
	{
		if (this.revoked.length > 0)
			return this.revoked.shift();
		if (this.inUse.length < AT_WORK && this.next < this.fresh.length)
			return this.fresh[this.next++];

		const crowd = this.turn++ % 2 === 0 && this.beingRevoked.length > 0 ? this.beingRevoked : this.inUse;

		return crowd.length > 0 ? crowd[this.turn % crowd.length] : this.fresh[this.turn % this.next];
	}

	/* What came of a request with the key, which was revoked before it began or not. */
	note(key, revokedBefore, status)
	{
		if (status !== 200 && status !== 401)
			this.unexpected.push(status);
		if (revokedBefore)
		{
			this.begunAfter++;
			this.acceptedAfter += status === 401 ? 0 : 1;
			this.proved += key.proved ? 0 : 1;
			key.proved = true;
		}
		else if (status === 200)
		{
			this.acceptedBefore++;
			if (!key.used)
			{
				key.used = true;
				this.inUse.push(key);
			}
		}
		else if (key.revoking)
			this.refusedAmid++;
		else
			this.unexpected.push('refused before its revocation began');
	}
}

async function hammer(connection, lives)
{
	while (!lives.over)
	{
		const key = lives.pick();
		const revokedBefore = key.revoked;
		const answer = await connection.request('GET', ME, { key: key.secret });

		lives.note(key, revokedBefore, answer.status);
	}
}

async function revokeAll(administrator, lives)
{
	while (!lives.over)
	{
		const key = lives.inUse.shift();

		if (key === undefined)
		{
			await new Promise(setImmediate);
			continue;
		}
		key.revoking = true;
		lives.beingRevoked.push(key);

		const revoked = await administrator.value('SELECT wa.revoke_key($1::uuid)', [key.uuid]);

		key.revoked = true;
		assert.equal(revoked, 't');
		lives.beingRevoked.splice(lives.beingRevoked.indexOf(key), 1);
		lives.revoked.push(key);
	}
}

test(`${REVOCATIONS} revocations under load: not one request that began after its key's revocation is accepted`, async (t) =>
{
	const gateways = [await Gateway.start(cluster, { workers: 2 }), await Gateway.start(cluster)];
	const administrators = await Promise.all(Array.from({ length: ADMINISTRATORS }, () => cluster.open('wa')));
	const lives = new Lives(await makeKeys());
	const connections = await connectToAll(gateways, 3);
	const begin = performance.now();

	await Promise.all([
		...connections.map((connection) => hammer(connection, lives)),
		...administrators.map((administrator) => revokeAll(administrator, lives)),
	]);
	t.diagnostic(`${REVOCATIONS} revocations and ${lives.acceptedBefore + lives.refusedAmid + lives.begunAfter} requests ` +
		`in ${((performance.now() - begin) / 1000).toFixed(1)} s: ${lives.acceptedBefore} accepted before, ` +
		`${lives.refusedAmid} refused amid, ${lives.begunAfter} begun after, ${lives.acceptedAfter} of them accepted`);

	assert.deepEqual(lives.unexpected, []);
	assert.equal(lives.acceptedAfter, 0);
	assert.equal(lives.proved, REVOCATIONS);
	assert.ok(lives.acceptedBefore >= REVOCATIONS, 'every key was good before');
	assert.ok(Number(await db.value("SELECT count(*) FROM wa.audit WHERE action = 'key.revoked'")) >= REVOCATIONS);
	for (const gateway of gateways)
		assert.deepEqual((await gateway.stop()), { code: 0, signal: null });
});
