/*
 * turns.mjs
 *		Measures what one organization notices of another where a program works for all;
 *		bench/turns runs it.
 *
 * A *measurement* does something for organization B so many times, and gives the milliseconds
 * of each.  It is made without and with the load of organization A, in the same program.  What
 * A does is the worst that its limits allow (wa.set_org_limit()).
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { prepareCluster } from '../../gateway/tests/e2e/harness/cluster.mjs';
import { Gateway, Sandbox, Worker } from '../../gateway/tests/e2e/harness/programs.mjs';
import { createChat, createKey, createOrg, createSession } from '../../gateway/tests/e2e/harness/tenants.mjs';
import { Receivers } from './receivers.mjs';
import { latencyOf, openMany } from './socket_client.mjs';
import { note, run } from './values.mjs';

const SAMPLES = Number(process.env.SAMPLES ?? 200);
const HOOKS = Number(process.env.HOOKS ?? 10000);
const SLOW_HOOKS = 200;
const SLOW_MS = 9000;
const QUEUED = Number(process.env.QUEUED ?? 50000);
const HELD = 256;		/* sessions of a sandbox: sessions.h */
const SESSIONS = Number(process.env.SESSIONS ?? 1100);
const SOCKETS = Number(process.env.SOCKETS ?? 2000);
const SOCKET_KEYS = Math.min(SOCKETS, 400);
const PACE_MS = 20;		/* between two events of B */
const START_PACE_MS = 170;
const LOAD_PACE_MS = 100;	/* between two events of A */

const ARRIVAL_MS_MAX = 120000;

/* ---- measuring ---- */

function p99(samples)
{
	assert.equal(samples.length, SAMPLES);
	return samples.sort((a, b) => a - b)[Math.ceil(SAMPLES * 0.99) - 1];
}

/* A load is a function that begins it and returns one that ends it; it tells whether A still has something to do. */
async function compare(name, measure, loads)
{
	note(`${name}_alone`, p99(await measure()));
	for (const [load, begin] of Object.entries(loads))
	{
		const end = await begin();

		note(`${name}_${load}`, p99(await measure()));
		assert.ok(await end(), `${name}: the load of A was over before the measurement`);
	}
}

/* The milliseconds until something is so. */
async function timeUntil(what)
{
	const begin = performance.now();

	while (!await what())
	{
		assert.ok(performance.now() - begin < ARRIVAL_MS_MAX, 'nothing has come');
		await sleep(1);
	}
	return performance.now() - begin;
}

async function oneAfterTheOther(measureOne)
{
	const samples = [];

	for (let i = 0; i < SAMPLES; i++)
		samples.push(await measureOne(i));
	return samples;
}

const emit = (db, org, type) => db.sql("SELECT wa.emit($1, $2, NULL, '{}')", [org.uuid, type]);

/* Does something at an even pace until it is told to stop. */
function repeat(action, paceMs)
{
	let going = true;
	const all = (async () =>
	{
		while (going)
		{
			await action();
			await sleep(paceMs);
		}
	})();

	return async () =>
	{
		going = false;
		await all;
	};
}

/* ---- deliveries ---- */

/* The time from an event of B to its arrival at B's receiver. */
async function deliveryTimes(db, org, arrivals)
{
	arrivals.length = 0;
	for (let i = 0; i < SAMPLES; i++)
	{
		await emit(db, org, 'message');
		await sleep(PACE_MS);
	}
	await timeUntil(() => arrivals.length >= SAMPLES);
	return [...arrivals];
}

/* A server that gives each request's body and answer to a function. */
function serve(onRequest)
{
	return new Promise((resolve) =>
	{
		const server = http.createServer((request, response) =>
		{
			const parts = [];

			request.on('data', (part) => parts.push(part));
			request.on('end', () => onRequest(Buffer.concat(parts), response));
			request.on('error', () => {});
			response.on('error', () => {});
		});

		server.listen(0, '127.0.0.1', () => resolve({ server, url: `http://127.0.0.1:${server.address().port}/` }));
	});
}

function addHooks(db, org, url, count)
{
	return db.sql(`INSERT INTO wa.webhook (org_id, url, secret, events)
		SELECT $1, $2, 'a-secret-of-sixteen', '{presence.update}' FROM generate_series(1, $3::int)`, [org.uuid, url, count]);
}

/* Whether an organization has deliveries that wait; they and its webhooks are removed. */
async function removeHooks(db, org)
{
	const waits = await db.value("SELECT EXISTS (SELECT FROM wa.delivery WHERE org_id = $1 AND status <> 'delivered')", [org.uuid]);

	await db.sql('DELETE FROM wa.webhook WHERE org_id = $1', [org.uuid]);
	await db.sql('DELETE FROM wa.delivery WHERE org_id = $1', [org.uuid]);
	return waits === 't';
}

/* The receivers of these webhooks answer after nine seconds. */
async function slowReceivers(db)
{
	const org = await createOrg(db, 'Slow');
	const { server, url } = await serve((body, response) => setTimeout(() => response.end(), SLOW_MS).unref());

	await addHooks(db, org, url, SLOW_HOOKS);
	await emit(db, org, 'presence.update');
	const end = repeat(() => emit(db, org, 'presence.update'), LOAD_PACE_MS);

	await sleep(1000);
	return async () =>
	{
		await end();
		const waited = await removeHooks(db, org);

		server.close();
		return waited;
	};
}

/* All of these webhooks always have something to deliver. */
async function manyLanes(db)
{
	const org = await createOrg(db, 'Many');
	const receivers = await Receivers.start();

	await addHooks(db, org, `http://127.0.0.1:${receivers.port}/`, HOOKS);
	for (let i = 0; i < 4; i++)
		await emit(db, org, 'presence.update');
	const end = repeat(() => emit(db, org, 'presence.update'), LOAD_PACE_MS);

	return async () =>
	{
		await end();
		const waited = await removeHooks(db, org);

		receivers.stop();
		return waited;
	};
}

async function measureDeliveries(cluster, db)
{
	const org = await createOrg(db, 'B delivers');
	const arrivals = [];
	const { server, url } = await serve((body, response) =>
	{
		arrivals.push(latencyOf(body));
		response.end();
	});

	await db.sql("INSERT INTO wa.webhook (org_id, url, secret, events) VALUES ($1, $2, 'a-secret-of-sixteen', '{message}')", [org.uuid, url]);
	const worker = await Worker.start(cluster);

	await deliveryTimes(db, org, arrivals);
	await compare('delivery', () => deliveryTimes(db, org, arrivals), { slow: () => slowReceivers(db), lanes: () => manyLanes(db) });
	await worker.stop();
	server.close();
}

/* ---- messages ---- */

async function addQueued(db, org, sessions)
{
	for (let i = 0; i < sessions; i++)
	{
		const session = await createSession(db, org, { connector: 'sandbox' });

		await createChat(db, session, '15551230001@s.whatsapp.net');
		await db.sql(`INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status)
			SELECT $1, $2, '15551230001@s.whatsapp.net', 'out', 'text', 'waits', 'queued' FROM generate_series(1, $3::int)`,
			[org.uuid, session.uuid, Math.ceil(QUEUED / sessions)]);
	}
	await db.sql('ANALYZE wa.message');
}

async function longQueue(db)
{
	const org = await createOrg(db, 'Queues');

	await addQueued(db, org, 5);
	return async () =>
	{
		const waits = await db.value("SELECT EXISTS (SELECT FROM wa.message WHERE org_id = $1 AND status = 'queued')", [org.uuid]);

		await db.sql("UPDATE wa.session SET status = 'stopped' WHERE org_id = $1", [org.uuid]);
		return waits === 't';
	};
}

/* The time from a request to send until the connector has reported it as sent. */
async function measureMessages(cluster, db)
{
	const org = await createOrg(db, 'B sends');
	const key = await createKey(db, org);
	const session = await createSession(db, org, { connector: 'sandbox' });
	const sandbox = await Sandbox.start(cluster, { stepMs: 0 });
	const measureOne = async () =>
	{
		const id = await db.value(`SELECT s.id FROM wa.authenticate($1, 'send'),
			wa.send_message($2, '15551230002', 'text', '{"text":"a message"}') s`, [key.secret, session.uuid]);

		return await timeUntil(async () => await db.value("SELECT status NOT IN ('queued', 'sending') FROM wa.message WHERE org_id = $1 AND id = $2",
			[org.uuid, id]) === 't');
	};

	await measureOne();
	await compare('message', () => oneAfterTheOther(measureOne), { queue: () => longQueue(db) });
	await sandbox.stop();
}

/* ---- sessions ---- */

async function manySessions(db)
{
	const org = await createOrg(db, 'Sessions');

	await db.sql("INSERT INTO wa.session (org_id, status, connector) SELECT $1, 'working', 'sandbox' FROM generate_series(1, $2::int)",
		[org.uuid, SESSIONS]);
	await timeUntil(async () => Number(await db.value('SELECT count(*) FROM wa.session WHERE org_id = $1 AND lease_owner IS NOT NULL', [org.uuid]))
		>= Math.min(SESSIONS, HELD - 1));
	return async () =>
	{
		const wanted = await db.value("SELECT count(*) FROM wa.session WHERE org_id = $1 AND status = 'working'", [org.uuid]);

		await db.sql("UPDATE wa.session SET status = 'stopped' WHERE org_id = $1", [org.uuid]);
		return Number(wanted) === SESSIONS;
	};
}

/*
 * The time from the start of a session until it is paired.  A connector whose sessions all work looks
 * for others once a second, so sessions are started at a pace that meets it at any moment.
 */
async function startTimes(db, org, count = SAMPLES)
{
	const startOne = async () =>
	{
		const session = await createSession(db, org, { status: 'starting', connector: 'sandbox' });
		const ms = await timeUntil(async () => await db.value("SELECT status = 'working' FROM wa.session WHERE id = $1", [session.uuid]) === 't');

		await db.sql("UPDATE wa.session SET status = 'stopped' WHERE id = $1", [session.uuid]);
		return ms;
	};
	const started = [];

	for (let i = 0; i < count; i++)
	{
		started.push(startOne());
		await sleep(START_PACE_MS);
	}
	return await Promise.all(started);
}

async function measureSessions(cluster, db)
{
	const org = await createOrg(db, 'B starts');
	const sandbox = await Sandbox.start(cluster, { stepMs: 0 });

	await startTimes(db, org, 1);
	await compare('start', () => startTimes(db, org), { sessions: () => manySessions(db) });
	await sandbox.stop();
}

/* ---- sockets ---- */

async function keysOf(db, org, count)
{
	const keys = [];

	for (let i = 0; i < count; i++)
		keys.push((await createKey(db, org, ['events'])).secret);
	return keys;
}

/* In a process of their own, which counts nothing. */
async function subscribe({ port, keys })
{
	await openMany(port, keys, SOCKETS);
	process.send('ready');
}

async function manySockets(db, port)
{
	const org = await createOrg(db, 'Sockets');
	const keys = await keysOf(db, org, SOCKET_KEYS);
	const child = fork(fileURLToPath(import.meta.url), { env: { ...process.env, SUBSCRIBE: JSON.stringify({ port, keys }) } });

	await new Promise((resolve, reject) =>
	{
		child.once('message', resolve);
		child.once('exit', () => reject(new Error('the sockets of A have ended')));
	});
	const end = repeat(() => emit(db, org, 'message'), LOAD_PACE_MS);

	return async () =>
	{
		await end();
		return child.kill();
	};
}

/* The time from an event of B to its arrival at B's socket, which has an address of its own. */
async function measureSockets(cluster, db)
{
	const gateway = await Gateway.start(cluster);
	const org = await createOrg(db, 'B listens');
	const arrivals = [];
	const onText = (text) =>
	{
		const ms = latencyOf(text);

		if (ms !== null)
			arrivals.push(ms);
	};
	const [socket] = await openMany(gateway.port, await keysOf(db, org, 1), 1, onText, 10000);

	await deliveryTimes(db, org, arrivals);
	await compare('socket', () => deliveryTimes(db, org, arrivals), { sockets: () => manySockets(db, gateway.port) });
	socket.removeAllListeners('close').on('error', () => {}).destroy();
	await gateway.stop();
}

async function measureAll()
{
	const cluster = prepareCluster(['max_connections = 60', 'max_wal_size = 2GB', 'wa.verify_functions = off']);
	const db = await cluster.open('wa');

	await measureDeliveries(cluster, db);
	await measureMessages(cluster, db);
	await measureSessions(cluster, db);
	await measureSockets(cluster, db);
}

if (process.env.SUBSCRIBE !== undefined)
	await subscribe(JSON.parse(process.env.SUBSCRIBE));
else
	await run(measureAll);
