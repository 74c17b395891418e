/*
 * event_epochs.test.mjs
 *		A place that a reader was given still counts after a crash that took transactions
 *		with it: whatever is written afterwards lies behind it.
 *
 * The server gives out again the numbers of transactions that were on no disk.  So that there
 * are some, its WAL writer sleeps while they are used up.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { until } from './harness/processes.mjs';
import { emit } from './harness/socket.mjs';
import { createKey, createTenant } from './harness/tenants.mjs';

const NUMBERS = 500;	/* of transactions that the crash takes */

let cluster, db, tenant, key;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	key = await createKey(db, tenant.org, ['events']);
});

/* A new run of the server, in which no event has been written. */
async function begin()
{
	await db.close();
	cluster.stop();
	cluster.start();
	db = await cluster.open('wa');
}

/* Does something and gives a place, then crashes before the WAL of it was written. */
async function crashAfter(act)
{
	const writer = Number(await db.value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"));

	process.kill(writer, 'SIGSTOP');
	await act();
	await db.sql(`DO $$ BEGIN FOR i IN 1..${NUMBERS} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$`);

	const place = (await db.sql("SELECT p.epoch, p.ordinal, p.id FROM wa.authenticate($1::wa.secret, 'events'), wa.event_position(NULL) p", [key.secret]))[0];
	const next = BigInt(await db.value('SELECT pg_snapshot_xmax(pg_current_snapshot())'));

	await cluster.kill([writer]);
	await until('it lets us in', async () => { db = await cluster.open('wa'); return true; });
	assert.ok(BigInt(await db.value('SELECT pg_snapshot_xmax(pg_current_snapshot())')) < next, 'numbers are given out again');
	return place;
}

async function allBehind(place)
{
	const written = [];

	for (let i = 0; i < 3; i++)
		written.push(await emit(db, tenant.org));

	const limit = (await db.sql("SELECT l.epoch, l.ordinal FROM wa.authenticate($1::wa.secret, 'events'), wa.event_limit($2, $3, $4) l",
		[key.secret, place.epoch, place.ordinal, place.id]))[0];
	const behind = await db.sql(`SELECT wa.typeid('evt', id) AS id FROM wa.event
		WHERE org_id = $1 AND (epoch, ordinal, id) > ($2, $3, $4) AND (epoch, ordinal) < ($5, $6) ORDER BY epoch, ordinal, id`,
		[tenant.org.uuid, place.epoch, place.ordinal, place.id, limit.epoch, limit.ordinal]);

	assert.deepEqual(behind.map(({ id }) => id).slice(-3), written);
}

test('a place that was given before the run had an event', async () =>
{
	await begin();
	await allBehind(await crashAfter(async () => {}));
});

test('a place that was given after an event that no disk was waited for', async () =>
{
	await begin();
	await allBehind(await crashAfter(async () =>
	{
		await db.sql('SET synchronous_commit = off');
		await emit(db, tenant.org);
	}));
});
