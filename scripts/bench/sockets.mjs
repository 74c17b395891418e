/*
 * sockets.mjs
 *		Measures the cost of WebSockets; bench/sockets runs it.
 *
 * The clients use no library.  They parse as little of each frame as is needed, so that the
 * gateway is measured and not the clients.  If they have work to do they run in a separate
 * process.
 */
import { fork } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { prepareCluster } from '../../gateway/tests/e2e/harness/cluster.mjs';
import { Gateway } from '../../gateway/tests/e2e/harness/programs.mjs';
import { createKey, createOrg } from '../../gateway/tests/e2e/harness/tenants.mjs';

const SOCKETS = Number(process.env.SOCKETS ?? 5000);
const SUBSCRIBERS = Number(process.env.SUBSCRIBERS ?? 100);
const EVENTS = Number(process.env.EVENTS ?? 1000);
const SECONDS = Number(process.env.SECONDS_OF_LOAD ?? 20);
const WARM_SECONDS = Math.min(3, SECONDS / 2);	/* not evaluated: the caches are still empty */
const WRITERS = 4;
const PER_ADDRESS = 900;	/* connections from one address; the gateway accepts 1000 */
const AT_ONCE = 50;		/* handshakes at a time */
const IDLE_SECONDS = Number(process.env.IDLE_SECONDS ?? 10);

/* ---- a client ---- */

/* Opens a socket.  onText is called with each text frame, and onEnd when the socket has ended. */
function open(port, key, number, onText = () => {})
{
	return new Promise((resolve, reject) =>
	{
		const socket = net.connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + Math.floor(number / PER_ADDRESS)}` });
		let rest = Buffer.alloc(0);
		let upgraded = false;

		socket.setNoDelay(true);
		socket.on('error', reject);
		socket.on('close', () => reject(new Error('the socket was closed')));
		socket.write(`GET /api/v1/realtime HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${key}\r\nConnection: Upgrade\r\n`
			+ 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
		socket.on('data', (data) =>
		{
			rest = rest.length > 0 ? Buffer.concat([rest, data]) : data;
			if (!upgraded)
			{
				const end = rest.indexOf('\r\n\r\n');

				if (end < 0)
					return;
				if (!rest.toString('latin1', 0, end).startsWith('HTTP/1.1 101 '))
				{
					reject(new Error(rest.toString('latin1', 0, end)));
					return;
				}
				upgraded = true;
				rest = rest.subarray(end + 4);
				resolve(socket);
			}
			rest = readFrames(socket, rest, onText);
		});
	});
}

const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/* Answers pings and passes texts on.  Returns the bytes of an incomplete frame. */
function readFrames(socket, bytes, onText)
{
	let at = 0;

	while (bytes.length - at >= 2)
	{
		const short = bytes[at + 1];
		const head = short < 126 ? 2 : short === 126 ? 4 : 10;

		if (bytes.length - at < head)
			break;

		const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));

		if (bytes.length - at < head + length)
			break;
		if (bytes[at] === 0x89)
			socket.write(PONG);
		else if (bytes[at] === 0x81)
			onText(bytes.subarray(at + head, at + head + length));
		at += head + length;
	}
	return bytes.subarray(at);
}

async function openMany(port, keys, count, onText)
{
	const sockets = [];

	while (sockets.length < count)
	{
		const batch = Math.min(AT_ONCE, count - sockets.length);

		sockets.push(...await Promise.all(Array.from({ length: batch }, (_, i) =>
			open(port, keys[(sockets.length + i) % keys.length], sockets.length + i, onText))));
	}
	return sockets;
}

/* ---- the subscribers' process ---- */

const TIMESTAMP = Buffer.from('"timestamp":');

/* Milliseconds from the event's own timestamp, which is when it was written, to its arrival. */
function latencyOf(text)
{
	const at = text.indexOf(TIMESTAMP);

	return at < 0 ? null : Date.now() - Number(text.toString('latin1', at + TIMESTAMP.length, at + TIMESTAMP.length + 13));
}

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

if (process.env.SUBSCRIBE !== undefined)
	await subscribe(JSON.parse(process.env.SUBSCRIBE));
else
{
	const cluster = prepareCluster(['max_connections = 60']);
	const db = await cluster.open('wa');

	await measureNobody(cluster);
	await measureIdle(cluster, db, 1);
	await measureIdle(cluster, db, Math.min(SOCKETS, 1000));
	await measureFanOut(cluster, db, 1);
	await measureFanOut(cluster, db, SUBSCRIBERS);
	process.exit(0);
}
