/*
 * sockets.mjs
 *		Measures the cost of WebSockets; bench/sockets runs it.
 *
 * If the clients have work to do they run in a separate process.
 */
import { fork } from 'node:child_process';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { prepareCluster } from '../../gateway/tests/e2e/harness/cluster.mjs';
import { Gateway } from '../../gateway/tests/e2e/harness/programs.mjs';
import { createKey, createOrg } from '../../gateway/tests/e2e/harness/tenants.mjs';
import { latencyOf, openMany } from './socket_client.mjs';
import { run } from './values.mjs';

const SOCKETS = Number(process.env.SOCKETS ?? 5000);
const SUBSCRIBERS = Number(process.env.SUBSCRIBERS ?? 100);
const EVENTS = Number(process.env.EVENTS ?? 1000);
const SECONDS = Number(process.env.SECONDS_OF_LOAD ?? 20);
const WARM_SECONDS = Math.min(3, SECONDS / 2);	/* not evaluated: the caches are still empty */
const WRITERS = 4;
const IDLE_SECONDS = Number(process.env.IDLE_SECONDS ?? 10);

/* ---- the subscribers' process ---- */

async function subscribe({ port, keys, count })
{
	const histogram = new Array(10001).fill(0);
	let received = 0;

	await openMany(port, keys, count, (text) =>
	{
		const latency = latencyOf(text);

		if (latency === null)
			return;
		received++;
		histogram[Math.min(10000, Math.max(0, latency))]++;
	});
	process.send('ready');
	process.on('message', (word) =>
	{
		if (word === 'warm')
			histogram.fill(0);
		else
			process.send({ histogram, received }, () => process.exit(0));
	});
}

/* ---- what the system reports about the gateway ---- */

/*
 * Bytes of memory that the process does not share, mainly its heap.  More exact numbers
 * need more privileges.
 */
function privateBytes(pid)
{
	return Number(/^RssAnon:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
}

/* The processor time in milliseconds. */
function cpuMs(pid)
{
	const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');

	return (Number(fields[11]) + Number(fields[12])) * 10;
}

/* ---- measurements ---- */

async function measureIdle(cluster, db, keyCount)
{
	const gateway = await Gateway.start(cluster, { args: ['--sockets', String(2 * SOCKETS), '--sockets-per-key', String(SOCKETS)] });
	const org = await createOrg(db, `Idle ${keyCount}`);
	const keys = [];

	for (let i = 0; i < keyCount; i++)
		keys.push((await createKey(db, org, ['events'])).secret);

	/*
	 * the first socket also opens the connection that waits, which is not a cost of each
	 * socket
	 */
	const [first] = await openMany(gateway.port, keys, 1);

	await sleep(1000);
	const before = privateBytes(gateway.pid);
	const sockets = await openMany(gateway.port, keys, SOCKETS - 1);

	await sleep(1000);
	const bytes = (privateBytes(gateway.pid) - before) / sockets.length;
	const cpu = cpuMs(gateway.pid);

	await sleep(IDLE_SECONDS * 1000);
	console.log(`${SOCKETS} idle sockets of ${keyCount} keys: ${bytes.toFixed(0)} bytes of memory each, `
		+ `${((cpuMs(gateway.pid) - cpu) / IDLE_SECONDS / 10).toFixed(2)} % of a processor for all`);
	for (const socket of [first, ...sockets])
		socket.removeAllListeners('close').on('error', () => {}).destroy();
	await gateway.stop();
}

async function measureNobody(cluster)
{
	const gateway = await Gateway.start(cluster);

	await sleep(1000);
	const cpu = cpuMs(gateway.pid);

	await sleep(IDLE_SECONDS * 1000);
	console.log(`no socket: ${((cpuMs(gateway.pid) - cpu) / IDLE_SECONDS / 10).toFixed(2)} % of a processor`);
	await gateway.stop();
}

/*
 * Writes events at an even pace, each in its own transaction, until the time is over.
 * Returns their number.
 */
async function write(cluster, org, perSecond)
{
	const connection = await cluster.open('wa');
	const begin = performance.now();
	const payload = JSON.stringify({ text: 'x'.repeat(300) });
	let written = 0;

	while (performance.now() - begin < SECONDS * 1000)
	{
		if (written > (performance.now() - begin) / 1000 * perSecond)
		{
			await sleep(1);
			continue;
		}
		await connection.sql("SELECT wa.emit($1::uuid, 'message', NULL, $2)", [org.uuid, payload]);
		written++;
	}
	return written;
}

function percentile(histogram, share)
{
	const total = histogram.reduce((sum, count) => sum + count, 0);
	let seen = 0;

	return histogram.findIndex((count) => (seen += count) >= total * share);
}

async function measureFanOut(cluster, db, keyCount)
{
	const gateway = await Gateway.start(cluster);
	const org = await createOrg(db, `Fan-out ${keyCount}`);
	const keys = [];

	for (let i = 0; i < keyCount; i++)
		keys.push((await createKey(db, org, ['events'])).secret);

	const child = fork(fileURLToPath(import.meta.url), { env: { ...process.env, SUBSCRIBE: JSON.stringify({ port: gateway.port, keys, count: SUBSCRIBERS }) } });
	const said = () => new Promise((resolve) => child.once('message', resolve));

	await said();
	const cpu = cpuMs(gateway.pid);

	setTimeout(() => child.send('warm'), WARM_SECONDS * 1000);
	const written = (await Promise.all(Array.from({ length: WRITERS }, () => write(cluster, org, EVENTS / WRITERS)))).reduce((a, b) => a + b);
	const used = cpuMs(gateway.pid) - cpu;

	await sleep(1000);
	child.send('tell');
	const { histogram, received } = await said();

	console.log(`${(written / SECONDS).toFixed(0)} events/s to ${SUBSCRIBERS} subscribers with ${keyCount} keys: `
		+ `${received} of ${written * SUBSCRIBERS} came; milliseconds: median ${percentile(histogram, 0.5)}, `
		+ `99 % ${percentile(histogram, 0.99)}, 99.9 % ${percentile(histogram, 0.999)}, worst ${histogram.findLastIndex((count) => count > 0)}; `
		+ `the gateway took ${(used / SECONDS / 10).toFixed(0)} % of a processor`);
	await gateway.stop();
}

async function measureAll()
{
	const cluster = prepareCluster(['max_connections = 60']);
	const db = await cluster.open('wa');

	await measureNobody(cluster);
	await measureIdle(cluster, db, 1);
	await measureIdle(cluster, db, Math.min(SOCKETS, 1000));
	await measureFanOut(cluster, db, 1);
	await measureFanOut(cluster, db, SUBSCRIBERS);
}

if (process.env.SUBSCRIBE !== undefined)
	await subscribe(JSON.parse(process.env.SUBSCRIBE));
else
	await run(measureAll);
