/*
 * deliveries.mjs
 *		Measures a worker that delivers webhooks; bench/deliveries runs it.
 */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareCluster } from '../../gateway/tests/e2e/harness/cluster.mjs';
import { Worker } from '../../gateway/tests/e2e/harness/programs.mjs';
import { Receivers } from './receivers.mjs';
import { note, run } from './values.mjs';

const RECEIVERS = (process.env.RECEIVERS ?? '1 1000').split(' ').map(Number);
const DELIVERIES = Number(process.env.DELIVERIES ?? 20000);
const SECONDS = Number(process.env.SECONDS_OF_LOAD ?? 10);
const DURABLE = process.env.DURABLE === '1';
const SESSIONS = 50;	/* in all: a session's deliveries go one after the other */
const WRITERS = 4;
const IDLE_SECONDS = Number(process.env.IDLE_SECONDS ?? 10);

/* ---- what the system reports ---- */

const stat = (pid) => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');

/* The processor time in milliseconds. */
const cpuMs = (pid) => (Number(stat(pid)[11]) + Number(stat(pid)[12])) * 10;

async function use(db, worker)
{
	const backends = await db.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'wa-worker'");
	const transactions = Number(await db.value("SELECT sum(xact_commit) FROM pg_stat_database WHERE datname = 'wa'"));

	return { worker: cpuMs(worker.pid), backends: backends.reduce((sum, { pid }) => sum + cpuMs(pid), 0), transactions };
}

function perDelivery(used, count)
{
	const each = (ms) => (ms * 1000 / count).toFixed(0);

	return `processor time of each: worker ${each(used.worker)} µs, its connections ${each(used.backends)} µs`;
}

/* ---- measurements ---- */

/* As many organizations as receivers, each with a webhook. */
async function prepare(db, count, port)
{
	await db.sql('DELETE FROM wa.webhook');
	await db.sql('DELETE FROM wa.delivery');
	await db.sql('CREATE TABLE IF NOT EXISTS public.org (n int PRIMARY KEY, id uuid, sessions uuid[])');
	await db.sql('TRUNCATE public.org');
	await db.sql(`INSERT INTO public.org SELECT n, wa.create_org('Benchmark ' || n), ARRAY(
		SELECT wa.uuid7() FROM generate_series(1, $1::int)) FROM generate_series(0, $2::int - 1) n`, [Math.ceil(SESSIONS / count), count]);
	await db.sql('INSERT INTO wa.session (org_id, id) SELECT o.id, s FROM public.org o, unnest(o.sessions) s');
	await db.sql(`INSERT INTO wa.webhook (org_id, url, secret, events)
		SELECT id, format('http://127.0.%s.%s:%s/', 1 + n / 250, 1 + n % 250, $1::int), 'whsec_0123456789abcdef', '{message}' FROM public.org`, [port]);
	await db.sql('VACUUM ANALYZE');
}

const PAYLOAD = JSON.stringify({ text: 'x'.repeat(300) });

/* The events from one number to another, the organizations in turn. */
const emit = (connection, from, to, count) => connection.sql(`SELECT count(wa.emit(o.id, 'message', o.sessions[1 + i / $3::int % cardinality(o.sessions)], $4))
	FROM generate_series($1::int, $2::int - 1) i JOIN public.org o ON o.n = i % $3::int`, [from, to, count, PAYLOAD]);

async function untilDelivered(db)
{
	while (Number(await db.value("SELECT count(*) FROM wa.delivery WHERE status <> 'delivered'")) > 0)
		await sleep(20);
}

async function measurePace(cluster, db, receivers, count)
{
	await emit(db, 0, DELIVERIES, count);
	await db.sql('VACUUM ANALYZE wa.delivery, wa.event, wa.webhook');
	await receivers.tell();

	const worker = await Worker.start(cluster);
	const begin = performance.now();
	let came = 0;
	let connections = 0;

	while (came < DELIVERIES)
	{
		await sleep(20);
		const told = await receivers.tell();

		came += told.requests;
		connections += told.connections;
		if (performance.now() - begin > 300000)
			throw new Error(`${came} of ${DELIVERIES} came`);
	}

	const seconds = (performance.now() - begin) / 1000;

	await untilDelivered(db);
	const used = await use(db, worker);
	const pace = came / seconds;

	console.log(`${count} receivers: ${pace.toFixed(0)} deliveries/s; ${perDelivery(used, came)}; ${connections} connections to receivers`);
	note(`pace_${count}`, pace);
	await worker.stop();
	return pace;
}

/* Writes events at an even pace, ten in a transaction. */
async function write(cluster, perSecond, first, count)
{
	const connection = await cluster.open('wa');
	const begin = performance.now();
	let written = 0;

	while (performance.now() - begin < SECONDS * 1000)
	{
		if (written > (performance.now() - begin) / 1000 * perSecond)
		{
			await sleep(1);
			continue;
		}
		await emit(connection, first + written, first + written + 10, count);
		written += 10;
	}
	return written;
}

async function measureLatency(cluster, db, receivers, count, perSecond)
{
	const worker = await Worker.start(cluster);

	await sleep(500);
	await receivers.tell();
	const parts = await Promise.all(Array.from({ length: WRITERS }, (_, i) => write(cluster, perSecond / WRITERS, i * 1000003, count)));
	const written = parts.reduce((a, b) => a + b);

	await untilDelivered(db);
	const { requests, median, most, worst } = await receivers.tell();
	const used = await use(db, worker);

	console.log(`${count} receivers, ${(written / SECONDS).toFixed(0)} events/s: ${requests} of ${written} came; milliseconds: median ${median}, 99 % ${most}, worst ${worst}; `
		+ perDelivery(used, requests));
	note(`late_${count}`, most);
	note(`cost_${count}`, (used.worker + used.backends) * 1000 / requests);
	await worker.stop();
}

async function measureIdle(cluster, db)
{
	await db.sql('DELETE FROM wa.delivery');

	const worker = await Worker.start(cluster);

	await sleep(3000);
	const before = await use(db, worker);

	await sleep(IDLE_SECONDS * 1000);
	const after = await use(db, worker);
	const part = (name) => ((after[name] - before[name]) / IDLE_SECONDS / 10).toFixed(2);

	console.log(`idle: worker ${part('worker')} % of a processor, its connections ${part('backends')} %, `
		+ `${((after.transactions - before.transactions) / IDLE_SECONDS).toFixed(1)} transactions/s`);
	note('idle', Number(part('worker')) + Number(part('backends')));
	await worker.stop();
}

await run(async () =>
{
	const cluster = prepareCluster(['max_connections = 60', 'max_wal_size = 2GB', 'wa.verify_functions = off', ...DURABLE ? ['fsync = on', 'full_page_writes = on'] : []]);
	const db = await cluster.open('wa');
	const receivers = await Receivers.start();

	for (const count of RECEIVERS)
	{
		await prepare(db, count, receivers.port);
		const pace = await measurePace(cluster, db, receivers, count);

		await measureLatency(cluster, db, receivers, count, Number(process.env.LOAD ?? pace / 2));
	}
	await measureIdle(cluster, db);
	receivers.stop();
});
