/*
 * event_writers.test.mjs
 *		What holds up an organization's events: transactions that write events of it, until
 *		they have ended for everybody, and nothing else.
 *
 * That an event is not held up is asked while the other transaction is still open.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, Standby, prepareCluster } from './harness/cluster.mjs';
import { until } from './harness/processes.mjs';
import { Gateway, Worker } from './harness/programs.mjs';
import { Receiver } from './harness/receiver.mjs';
import { Socket, emit } from './harness/socket.mjs';
import { createKey, createOrg } from './harness/tenants.mjs';

const EVENTS = '/api/v1/events';
const WRITERS = 14;
const TRANSACTIONS = 300;	/* of each of them */
const LISTED_MAX = 1024;	/* writers that the server lists, of as many organizations */
const LISTED_OF_ONE = 64;	/* organizations of one transaction */

const opened = [];		/* connections of a test */

let cluster, db, gateway, org, other, key, since;

before(async () =>
{
	cluster = prepareCluster(["wa.allowed_targets = '127.0.0.0/8'"]);
	db = await cluster.open('wa');
	await db.sql('CREATE TABLE public.large (number integer)');
	cluster.createDatabase('elsewhere');
	cluster.prepare('elsewhere');
	gateway = await Gateway.start(cluster);
	await Worker.start(cluster);
});

beforeEach(async () =>
{
	org = await createOrg(db, 'Acme');
	other = await createOrg(db, 'Other');
	key = (await createKey(db, org, ['events', 'manage'])).secret;
	since = await db.value("SELECT wa.typeid('evt', id) FROM wa.event WHERE org_id = $1 ORDER BY id DESC LIMIT 1", [org.uuid]);
});

afterEach(async () =>
{
	for (const wire of opened.splice(0))
		await wire.close();
});

async function list(from)
{
	const { status, json } = await gateway.client.get(`${EVENTS}?limit=200${from ? `&since=${from}` : ''}`, key);

	assert.equal(status, 200);
	return json.data;
}

/* What readers in SQL see behind the event that every test begins with. */
async function seen(wire = db, secret = key)
{
	await wire.sql('BEGIN');
	await wire.sql("SELECT wa.authenticate($1::wa.secret, 'events')", [secret]);

	const rows = await wire.sql("SELECT wa.typeid('evt', e.id) AS id FROM wa.read_events(max => 1000) e");

	await wire.sql('COMMIT');

	const ids = rows.map(({ id }) => id);

	return ids.slice(ids.indexOf(since) + 1);
}

const show = (from = since) => list(from).then((events) => events.map(({ id }) => id));

/* A connection with a transaction that has done something, and is open. */
async function open(database, ...statements)
{
	const wire = await cluster.open(database);

	opened.push(wire);
	await wire.sql('BEGIN');
	for (const statement of statements)
		await wire.sql(statement);
	return wire;
}

/* List, socket and webhook have an event that is written now. */
async function arrivesEverywhere()
{
	const receiver = await Receiver.start();
	const socket = await Socket.open(gateway, { key });
	const made = await gateway.client.post('/api/v1/webhooks', key, { url: receiver.url, events: ['message'] });

	assert.equal(made.status, 201, made.text);

	const id = await emit(db, org);

	await until('the list shows it', async () => (await show()).includes(id));
	await until('the socket gets it', () => socket.events.some((event) => event.id === id));
	await until('the webhook gets it', () => receiver.requests.some(({ json }) => json.id === id));
	await db.sql('UPDATE wa.webhook SET active = false');
	await socket.close();
}

const STRANGERS = {
	'a transaction with a number in another database': () => open('elsewhere', 'SELECT pg_current_xact_id()'),
	'one that writes events in another database, of an organization with the same id': () =>
		open('elsewhere', `SELECT wa.emit('${org.uuid}', 'message', NULL, '{}')`),
	'an ANALYZE': () => open('wa', 'SELECT pg_current_xact_id()', 'ANALYZE wa.event'),
	'a CREATE INDEX': () => open('wa', 'CREATE INDEX ON public.large (number)'),
	'one that writes and makes no event': () => open('wa', 'INSERT INTO public.large VALUES (1)'),
	'one that writes events of another organization': () => open('wa', `SELECT wa.emit('${other.uuid}', 'message', NULL, '{}')`),
	'a REPEATABLE READ transaction that reads': () => open('wa', 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ', 'SELECT count(*) FROM wa.event'),
};

for (const [what, begin] of Object.entries(STRANGERS))
{
	test(`it is not ${what}`, async () =>
	{
		const stranger = await begin();

		await arrivesEverywhere();
		assert.equal(await stranger.value('SELECT 1'), '1', 'it is still open');
	});
}

test('it is one that writes events of the organization, whatever it did first, until it ends', async () =>
{
	for (const end of ['COMMIT', 'ROLLBACK'])
	{
		const begun = await show();
		const writer = await open('wa', `SELECT wa.emit('${other.uuid}', 'message', NULL, '{}')`);
		const pid = await writer.value('SELECT pg_backend_pid()');
		const before = await emit(db, org);
		const its = await emit(writer, org);
		const behind = await emit(db, org);

		assert.deepEqual(await show(), [...begun, before]);
		assert.deepEqual(await db.sql('SELECT org_id, pid FROM wa.event_writers()'),
			[other, org].map(({ uuid }) => ({ org_id: uuid, pid })));
		await writer.sql(end);
		assert.deepEqual(await db.sql('SELECT org_id, pid FROM wa.event_writers()'), []);
		assert.deepEqual(await show(), [...begun, before, ...(end === 'COMMIT' ? [its] : []), behind]);
	}
});

test('a backend that is told to end holds up nothing any more', async () =>
{
	const writer = await open('wa');
	const pid = await writer.value('SELECT pg_backend_pid()');

	await emit(writer, org);

	const behind = await emit(db, org);

	assert.deepEqual(await show(), []);
	await db.sql('SELECT pg_terminate_backend($1, 60000)', [pid]);
	assert.deepEqual(await show(), [behind]);
});

test('a writer that there was no place for holds up all, and the log says so', async () =>
{
	const writers = [];
	const orgs = (number) => `SELECT count(wa.emit(md5(i::text)::uuid, 'message', NULL, '{}'))
		FROM generate_series(${number * LISTED_OF_ONE}, ${(number + 1) * LISTED_OF_ONE - 1}) i`;

	for (let number = 0; number < LISTED_MAX / LISTED_OF_ONE; number++)
		writers.push(await open('wa', orgs(number)));

	const stranger = await open('wa', `SELECT wa.emit('${other.uuid}', 'message', NULL, '{}')`);
	const written = await emit(db, org);

	assert.deepEqual(await show(), []);
	assert.match(fs.readFileSync(path.join(cluster.place, 'postgresql.log'), 'utf8'),
		/events of all organizations may wait until this transaction ends/);
	await stranger.sql('ROLLBACK');
	assert.deepEqual(await show(), [written], 'those that are listed hold up their own only');
	for (const writer of writers)
		await writer.sql('ROLLBACK');
	await stranger.sql('BEGIN');
	await emit(stranger, other);

	const next = await emit(db, org);

	assert.deepEqual(await show(), [written, next], 'there is a place for it again');
});

test('a commit that others do not see yet is passed by nobody', async () =>
{
	/* It waits for a standby that does not exist; the others do not wait. */
	const slow = new Cluster(["synchronous_standby_names = 'nobody'", 'synchronous_commit = local']);

	slow.createDatabase('wa');
	slow.prepare('wa');

	const wire = await slow.open('wa');
	const acme = await createOrg(wire, 'Acme');
	const { secret } = await createKey(wire, acme, ['events']);
	const writer = await slow.open('wa');
	const pid = await writer.value('SELECT pg_backend_pid()');

	await writer.sql("SET synchronous_commit = 'on'");
	await writer.sql('BEGIN');

	const late = await emit(writer, acme);
	const begun = (await seen(wire, secret));
	const commit = writer.sql('COMMIT');

	await until('its commit is on disk and waits', async () =>
		await wire.value('SELECT wait_event FROM pg_stat_activity WHERE pid = $1', [pid]) === 'SyncRep');

	const behind = await emit(wire, acme);

	assert.deepEqual(await seen(wire, secret), begun);
	await wire.sql('SELECT pg_cancel_backend($1)', [pid]);
	await commit;
	assert.deepEqual(await seen(wire, secret), [...begun, late, behind]);
});

test('without preload nothing is lost either, but strangers hold up', async () =>
{
	const bare = new Cluster(["shared_preload_libraries = ''"]);

	bare.createDatabase('wa');
	bare.psql('wa', 'CREATE EXTENSION wa_apikeys');

	const wire = await bare.open('wa');
	const acme = await createOrg(wire, 'Acme');
	const { secret } = await createKey(wire, acme, ['events']);
	const writer = await bare.open('wa');
	const begun = await seen(wire, secret);

	await writer.sql('BEGIN');

	const late = await emit(writer, acme);
	const behind = await emit(wire, acme);

	assert.deepEqual(await wire.sql('SELECT * FROM wa.event_writers()'), []);
	assert.deepEqual(await seen(wire, secret), begun);
	await writer.sql('COMMIT');
	assert.deepEqual(await seen(wire, secret), [...begun, late, behind]);

	await writer.sql('BEGIN');
	await writer.sql('SELECT pg_current_xact_id()');

	const next = await emit(wire, acme);

	assert.deepEqual(await seen(wire, secret), [...begun, late, behind]);
	await writer.sql('ROLLBACK');
	assert.deepEqual(await seen(wire, secret), [...begun, late, behind, next]);
});

/* Transactions without a pause, of both organizations in either order; some roll back. */
async function write(number)
{
	const wire = await cluster.open('wa');
	const orgs = [org, other];

	for (let i = 0; i < TRANSACTIONS; i++)
	{
		await wire.sql('BEGIN');
		if (i % 5 === 0)
			await wire.sql('SELECT pg_current_xact_id()');
		await emit(wire, orgs[(number + i) % 2]);
		if (i % 4 === 0)
			await emit(wire, orgs[(number + i + 1) % 2]);
		await emit(wire, orgs[(number + i) % 2]);
		await wire.sql(i % 7 === 0 ? 'ROLLBACK' : 'COMMIT');
	}
	await wire.close();
}

const BINDING = "wa.authenticate($1::wa.secret, 'events')";
const PAGE = "SELECT wa.typeid('evt', e.id) AS id FROM wa.read_events(wa.from_typeid('evt', $1), max => 200) e";
const BINDING_PAGE = `SELECT wa.typeid('evt', e.id) AS id FROM ${BINDING}, wa.read_events(wa.from_typeid('evt', $2), max => 200) e`;

/* How a reader reads a page, by a connection, with a key, behind an event. */
const READERS = {
	'a statement behind the one that binds': async (wire, secret, last) =>
	{
		await wire.sql('BEGIN');
		await wire.sql(`SELECT ${BINDING}`, [secret]);

		const rows = await wire.sql(PAGE, [last]);

		await wire.sql('COMMIT');
		return rows;
	},
	'the statement that binds': (wire, secret, last) => wire.sql(BINDING_PAGE, [secret, last]),
	'a snapshot that is older than the binding': async (wire, secret, last) =>
	{
		await wire.sql('BEGIN ISOLATION LEVEL REPEATABLE READ');
		await wire.sql('SELECT count(*) FROM wa.org');
		await sleep(3);
		await wire.sql(`SELECT ${BINDING}`, [secret]);

		const rows = await wire.sql(PAGE, [last]);

		await wire.sql('COMMIT');
		return rows;
	},
	'a transaction that goes on reading': async (wire, secret, last) =>
	{
		await wire.sql('BEGIN');
		await wire.sql(`SELECT ${BINDING}`, [secret]);

		const first = await wire.sql(PAGE, [last]);
		const next = await wire.sql(PAGE, [first.at(-1)?.id ?? last]);

		await wire.sql('COMMIT');
		return [...first, ...next];
	},
};

test('many writers without a pause: in whatever transaction one reads, each event comes once, in one order', async () =>
{
	const first = since;
	let end;
	const follow = async (read) =>
	{
		const wire = await cluster.open('wa');
		const ids = [];

		while (end === undefined || ids.at(-1) !== end)
			ids.push(...(await read(wire, key, ids.at(-1) ?? first)).map(({ id }) => id));
		await wire.close();
		return ids;
	};
	const readers = Object.values(READERS).map(follow);

	await Promise.all(Array.from({ length: WRITERS }, (_, number) => write(number)));
	/* nothing comes behind what is written when all writers have ended */
	end = await emit(db, org);

	const log = (await db.sql("SELECT wa.typeid('evt', id) AS id FROM wa.event WHERE org_id = $1 ORDER BY epoch, ordinal, id", [org.uuid]))
		.map(({ id }) => id);

	assert.ok(log.length > WRITERS * TRANSACTIONS * 0.5);
	for (const [i, what] of Object.keys(READERS).entries())
		assert.deepEqual(await readers[i], log.slice(log.indexOf(first) + 1), what);
});

test('a standby shows nothing behind a writer that runs on its primary; promoted, it goes on behind what it showed', async () =>
{
	const standby = new Standby(cluster);
	const wire = await standby.open('wa');
	const replayed = (id) => until('it is replayed', async () =>
		await wire.value("SELECT count(*) FROM wa.event WHERE wa.typeid('evt', id) = $1", [id]) === '1');
	const writer = await open('wa');
	const before = await emit(db, org);
	const late = await emit(writer, org);
	const behind = await emit(db, org);

	await replayed(behind);
	assert.deepEqual(await seen(wire), [before]);
	await writer.sql('COMMIT');
	/* the primary says what runs every 15 seconds, and the standby knows of ends at once */
	await until('they are shown', async () => (await seen(wire)).length >= 3);
	assert.deepEqual(await seen(wire), [before, late, behind]);

	standby.promote();
	assert.deepEqual(await seen(wire), [before, late, behind]);

	const another = await standby.open('wa');

	await another.sql('BEGIN');
	await emit(another, org);

	const next = await emit(wire, org);

	assert.deepEqual(await seen(wire), [before, late, behind]);
	await another.sql('ROLLBACK');
	assert.deepEqual(await seen(wire), [before, late, behind, next]);
	await another.close();
	await wire.close();
});

test('a killed backend: the server begins anew, and what is written then comes behind', async () =>
{
	const writer = await open('wa');
	const pid = Number(await writer.value('SELECT pg_backend_pid()'));
	const before = await emit(db, org);

	await emit(writer, org);
	process.kill(pid, 'SIGKILL');
	await until('the server throws all out', () => db.value('SELECT 1').then(() => false, () => true));
	await until('it lets us in', async () => { db = await cluster.open('wa'); return true; });

	const written = [await emit(db, org), await emit(db, org)];

	await until('the gateway is back', async () => (await gateway.client.get(EVENTS, key)).status === 200);
	assert.deepEqual(await show(), [before, ...written]);
	assert.deepEqual(await show(before), written);
});
