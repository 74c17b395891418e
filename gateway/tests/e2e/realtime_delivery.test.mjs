/*
 * realtime_delivery.test.mjs
 *		Every event comes once, in order, whatever becomes of the connection.
 *
 * What came is held against the event log as an administrator sees it when all is over.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareCluster } from './harness/cluster.mjs';
import { makeCertificate, must, until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { Socket, emit } from './harness/socket.mjs';
import { createKey, createOrg, createTenant } from './harness/tenants.mjs';

const WRITERS = 6;
const SECONDS = 8;			/* of the load */
const SLOW_BUFFER = 64 * 1024;		/* of the gateway that drops slow readers soon */

let cluster, db, tenant, gateway;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	gateway = await Gateway.start(cluster);
});

async function log(org, behind = null)
{
	const rows = await db.sql(`
		SELECT wa.typeid('evt', id) AS id FROM wa.event e
		WHERE org_id = $1 AND ($2::text IS NULL OR (epoch, ordinal, id) > (SELECT epoch, ordinal, id FROM wa.event WHERE org_id = $1 AND wa.typeid('evt', id) = $2))
		ORDER BY epoch, ordinal, id`, [org.uuid, behind]);

	return rows.map(({ id }) => id);
}

const ids = (socket) => socket.events.map(({ id }) => id);

/* Transactions of one to three events that commit late, some very late, and some never. */
async function write(org, over)
{
	const connection = await cluster.open('wa');
	const random = (most) => Math.floor(Math.random() * most);

	while (!over())
	{
		await connection.sql('BEGIN');
		for (let i = random(3); i >= 0; i--)
			await emit(connection, org, 'message', { payload: { text: 'x'.repeat(random(200)) } });
		await sleep(random(10) === 0 ? 200 + random(600) : random(20));
		await connection.sql(random(5) === 0 ? 'ROLLBACK' : 'COMMIT');
	}
}

/* Reads for a while, leaves in one of several ways, goes on behind the last event it saw. */
async function resume(keys, first, over)
{
	const seen = [];
	let turns = 0;

	for (let since = first; !over(seen); since = seen.at(-1) ?? since)
	{
		const socket = await Socket.open(gateway, { key: keys[turns % keys.length], query: { since } });

		await sleep(Math.random() * 250);
		if (turns % 2 === 0)
			socket.ws.terminate();
		else
			await socket.close();
		assert.ok(socket.frames.every(({ event }) => event !== 'resync_required' && event !== 'error'));
		seen.push(...ids(socket));
		turns++;
	}
	return { seen, turns };
}

test('under load, with writers that commit late or never, nobody misses an event or sees one twice', async (t) =>
{
	const org = await createOrg(db, 'Load');
	const keys = (await Promise.all([1, 2].map(() => createKey(db, org, ['events'])))).map(({ secret }) => secret);
	const first = await emit(db, org);
	const live = await Promise.all([0, 1, 2, 3].map((i) => Socket.open(gateway, { key: keys[i % 2], query: { since: first } })));
	const end = performance.now() + SECONDS * 1000;
	let committed = null;
	const writers = Promise.all(Array.from({ length: WRITERS }, () => write(org, () => performance.now() > end)));
	const readers = Promise.all([0, 1, 2].map(() => resume(keys, first, (seen) => committed !== null && seen.at(-1) === committed.at(-1))));
	const joiners = [];

	while (performance.now() < end)
	{
		/* in the middle of it all, from the beginning: must catch up with those who are live */
		joiners.push(await Socket.open(gateway, { key: keys[0], query: { since: first } }));
		await sleep(SECONDS * 1000 / 8);
	}
	await writers;
	committed = await log(org, first);

	const resumed = await readers;

	await Promise.all([...live, ...joiners].map((socket) => socket.waitFor(committed.length)));
	await sleep(200);
	for (const socket of [...live, ...joiners])
		assert.deepEqual(ids(socket), committed);
	for (const { seen } of resumed)
		assert.deepEqual(seen, committed);
	t.diagnostic(`${committed.length} events; ${live.length} sockets from the start, ${joiners.length} that joined, `
		+ `${resumed.map(({ turns }) => turns).join(', ')} connections of those who left and came back`);
	assert.ok(committed.length > 100);
	await Promise.all([...live, ...joiners].map((socket) => socket.close()));
});

test('without since a socket gets what is committed from then on, also by transactions that began before', async () =>
{
	const writer = await cluster.open('wa');
	const key = (await createKey(db, tenant.org, ['events'])).secret;

	await writer.sql('BEGIN');
	const late = await emit(writer, tenant.org);
	const socket = await Socket.open(gateway, { key });
	const early = await emit(db, tenant.org);

	await sleep(100);
	assert.deepEqual(socket.events, [], 'what is behind an open transaction waits for it');
	await writer.sql('COMMIT');
	await socket.waitFor(2);
	assert.deepEqual(ids(socket), [late, early]);
	await socket.close();
});

test('an event that waited for an older writer comes when that one rolls back, which nobody is told', async () =>
{
	const other = await cluster.open('wa');
	const key = (await createKey(db, tenant.org, ['events'])).secret;
	const socket = await Socket.open(gateway, { key });

	await other.sql('BEGIN');
	await emit(other, tenant.org);

	const id = await emit(db, tenant.org);

	await sleep(300);
	assert.deepEqual(socket.events, []);
	await other.sql('ROLLBACK');
	await socket.waitFor(1);
	assert.deepEqual(ids(socket), [id]);
	await socket.close();
});

test('a since that is not kept, or never was: one resync_required, then what comes', async () =>
{
	const key = (await createKey(db, tenant.org, ['events'])).secret;
	const gone = await emit(db, tenant.org);

	await db.sql("DELETE FROM wa.event WHERE org_id = $1 AND wa.typeid('evt', id) = $2", [tenant.org.uuid, gone]);
	for (const since of [gone, 'evt_01h455vb4pex5vsknk084sn02q'])
	{
		const made = (await gateway.client.post('/api/v1/realtime/ticket', key, { since })).json;

		for (const options of [{ key, query: { since } }, { ticket: made.ticket }])
		{
			const socket = await Socket.open(gateway, options);
			const id = await emit(db, tenant.org);

			await socket.waitFor(1);
			assert.deepEqual(socket.frames.map(({ event }) => event), ['connected', 'resync_required', 'message']);
			assert.deepEqual(ids(socket), [id]);
			await socket.close();
		}
	}
});

test('a since of another organization is as unknown as any', async () =>
{
	const other = await createTenant(db, 'Other');
	const since = await emit(db, other.org);
	const socket = await Socket.open(gateway, { key: tenant.key.secret, query: { since } });

	await until('the second frame', () => socket.frames.length > 1);
	assert.deepEqual(socket.frames[1], { event: 'resync_required' });
	await socket.close();
});

/* ---- slow readers ---- */

test('a slow reader is dropped with 4408, goes on by since, and disturbs nobody', async () =>
{
	const slow = await Gateway.start(cluster, { args: ['--socket-buffer', String(SLOW_BUFFER)] });
	const org = await createOrg(db, 'Slow');
	const key = (await createKey(db, org, ['events'])).secret;
	const first = await emit(db, org);
	const lazy = await Socket.open(slow, { key, query: { since: first } });
	const quick = await Socket.open(slow, { key, query: { since: first } });
	let written = 0;

	lazy.pause();
	for (; slow.events('socket_closed').length === 0; written++)
	{
		assert.ok(written < 2000, 'the kernel takes no end of it');
		await emit(db, org, 'message', { payload: { text: 'x'.repeat(32 * 1024) } });
		await quick.waitFor(written + 1);
	}
	assert.match(slow.events('socket_closed')[0], / code=4408 /);
	lazy.resume();
	assert.equal((await lazy.closed).code, 4408);
	assert.ok(lazy.events.length < written);

	const again = await Socket.open(slow, { key, query: { since: lazy.last ?? first } });

	await again.waitFor(written - lazy.events.length);
	await quick.waitFor(written);
	assert.deepEqual([...ids(lazy), ...ids(again)], await log(org, first));
	assert.deepEqual(ids(quick), await log(org, first));
	await slow.stop();
});

test('who catches up is not dropped, however much there is and however slowly it reads', async () =>
{
	const slow = await Gateway.start(cluster, { args: ['--socket-buffer', String(SLOW_BUFFER)] });
	const org = await createOrg(db, 'Much');
	const key = (await createKey(db, org, ['events'])).secret;
	const first = await emit(db, org);

	await db.sql(`SELECT count(wa.emit($1, 'message', NULL, jsonb_build_object('text', repeat('x', 20000))::text)) FROM generate_series(1, 2000)`, [org.uuid]);

	const socket = await Socket.open(slow, { key, query: { since: first } });

	for (let i = 0; i < 5; i++)
	{
		socket.pause();
		await sleep(100);
		socket.resume();
		await sleep(20);
	}
	await socket.waitFor(2000);
	assert.deepEqual(ids(socket), await log(org, first));

	const live = await emit(db, org);

	await socket.waitFor(2001);
	assert.equal(socket.last, live);
	await slow.stop();
});

test('over TLS it is the same: a catch-up larger than the buffer, then what is new, then the end', async () =>
{
	const secure = await Gateway.start(cluster,
		{ tls: makeCertificate(cluster.place), args: ['--socket-buffer', String(SLOW_BUFFER), '--socket-heartbeat', '1000'] });
	const org = await createOrg(db, 'Secure');
	const key = await createKey(db, org, ['events']);
	const since = await emit(db, org);

	await db.sql("SELECT count(wa.emit($1, 'message', NULL, jsonb_build_object('text', repeat('x', 20000))::text)) FROM generate_series(1, 500)", [org.uuid]);

	const socket = await Socket.open(secure, { key: key.secret, query: { since }, ca: secure.certificate, servername: 'gateway.test' });

	await socket.waitFor(500);
	await emit(db, org);
	await socket.waitFor(501);
	assert.deepEqual(ids(socket), await log(org, since));
	await until('three beats', () => socket.pings >= 3);
	await db.value('SELECT wa.revoke_key($1::uuid)', [key.uuid]);
	assert.equal((await socket.closed).code, 4401);
	assert.deepEqual(await secure.stop(), { code: 0, signal: null });
});

/* ---- the database goes away and comes back ---- */

test('a restart of the database costs no socket and no event', async () =>
{
	const own = prepareCluster();
	const before = await own.open('wa');
	const org = await createOrg(before, 'Restart');
	const key = (await createKey(before, org, ['events'])).secret;
	const there = await Gateway.start(own);
	const socket = await Socket.open(there, { key });
	const sent = [await emit(before, org)];

	await socket.waitFor(1);
	own.stop();
	await sleep(300);
	own.start();

	const after = await own.open('wa');

	for (let i = 0; i < 10; i++)
		sent.push(await emit(after, org));
	await socket.waitFor(11);
	assert.deepEqual(ids(socket), sent);
	await socket.close();
	await there.stop();
});
