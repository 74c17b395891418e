/*
 * log.test.mjs
 *		A log that nobody reads, or that cannot be written, stops no program: what was lost is
 *		counted, and told of when somebody reads again.
 *
 * What standard error can be besides a pipe is in unit/test_log_output.c.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { GATEWAY_LOGIN, SANDBOX_LOGIN, WORKER_LOGIN, prepareCluster } from './harness/cluster.mjs';
import { Client, Connection } from './harness/http.mjs';
import { freePort } from './harness/ports.mjs';
import { PROGRAMS, Program, must, onEnd, until } from './harness/processes.mjs';
import { conninfo } from './harness/programs.mjs';
import { createSession, createTenant } from './harness/tenants.mjs';

/* A program that waits for its log answers nothing. */
const limited = { timeout: 240_000 };

let cluster, db, tenant, pipes = 0;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
});

/* A named pipe without room for another byte, until read() is called. */
class FullPipe
{
	constructor()
	{
		this.name = path.join(cluster.place, `full-${++pipes}`);
		must('mkfifo', [this.name]);
		this.fd = fs.openSync(this.name, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
		onEnd(() => fs.closeSync(this.fd));
		for (const filler of ['x'.repeat(1023) + '\n', 'x', '\n'])
		{
			try
			{
				for (;;)
					fs.writeSync(this.fd, filler);
			}
			catch (error)
			{
				assert.equal(error.code, 'EAGAIN');
			}
		}
	}

	/* What can be read right now. */
	read()
	{
		const piece = Buffer.alloc(65536);
		let text = '';

		try
		{
			for (;;)
				text += piece.toString('latin1', 0, fs.readSync(this.fd, piece));
		}
		catch (error)
		{
			assert.equal(error.code, 'EAGAIN');
		}
		return text;
	}
}

async function metric(port, name)
{
	const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

	return Number(new RegExp(`^${name} ([0-9]+)$`, 'm').exec(text)[1]);
}

/* So many requests by one connection, with a long line in the log for each. */
async function request(port, count)
{
	const connection = await Connection.open(port);
	const text = `GET /healthz?x=${'y'.repeat(900)} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${'z'.repeat(128)}\r\n\r\n`;

	for (let i = 0; i < count; i += 100)
	{
		connection.send(text.repeat(100));
		for (let j = 0; j < 100; j++)
			assert.equal((await connection.answer()).status, 200);
	}
	connection.socket.destroy();
}

test('the gateway serves on, counts what it loses, tells of it, and stops when it is asked to', limited, async () =>
{
	const pipe = new FullPipe();
	const [port, metrics] = [await freePort(), await freePort()];
	const gateway = new Program(path.join(PROGRAMS, 'wa-gateway'), ['--listen', `127.0.0.1:${port}`, '--metrics', `127.0.0.1:${metrics}`,
		'--database', conninfo(cluster, 'wa', GATEWAY_LOGIN)], { log: pipe.name });
	const client = new Client(port);

	await until('it is ready', async () => (await client.get('/readyz')).status === 200);
	for (let i = 0; i < 100 && await metric(metrics, 'wa_log_lines_lost_total') === 0; i++)
		await request(port, 1000);
	await until('lines are lost', async () => await metric(metrics, 'wa_log_lines_lost_total') > 0);
	assert.equal((await client.get('/healthz')).status, 200);
	assert.equal((await client.get('/api/v1/sessions', tenant.key.secret)).status, 200);

	let text = '';
	const told = await until('it tells of them', () =>
	{
		text += pipe.read();
		return /^time=\S+ level=warning pid=[0-9]+ event=log_lines_lost lines=([0-9]+)$/m.exec(text);
	});

	assert.ok(Number(told[1]) > 0);
	assert.match(text, /^time=\S+ level=info pid=[0-9]+ event=listening /m);

	/* full again, and it ends all the same */
	await request(port, 1000);
	assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
});

test('several processes and the one that watches them do not wait for the log either', limited, async () =>
{
	const pipe = new FullPipe();
	const port = await freePort();
	const gateway = new Program(path.join(PROGRAMS, 'wa-gateway'), ['--listen', `127.0.0.1:${port}`, '--workers', '2',
		'--database', conninfo(cluster, 'wa', GATEWAY_LOGIN)], { log: pipe.name });
	const client = new Client(port);

	await until('it is ready', async () => (await client.get('/readyz')).status === 200);
	const workers = fs.readFileSync(`/proc/${gateway.pid}/task/${gateway.pid}/children`, 'utf8').trim().split(' ').map(Number);

	assert.equal(workers.length, 2);
	process.kill(workers[0], 'SIGKILL');
	await until('the watcher has started another one', () =>
	{
		const now = fs.readFileSync(`/proc/${gateway.pid}/task/${gateway.pid}/children`, 'utf8').trim().split(' ').map(Number);

		return now.length === 2 && !now.includes(workers[0]);
	});
	await until('all serve', async () => (await client.get('/readyz')).status === 200);
	assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
});

test('the worker works and stops', limited, async () =>
{
	const pipe = new FullPipe();
	const metrics = await freePort();
	const worker = new Program(path.join(PROGRAMS, 'wa-worker'), ['--metrics', `127.0.0.1:${metrics}`,
		'--database', conninfo(cluster, 'wa', WORKER_LOGIN)], { log: pipe.name });

	await until('it is connected', async () => /^wa_database_connections_ready\{lane="fast"\} [1-9]/m.test(await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()));
	assert.equal(await metric(metrics, 'wa_log_lines_lost_total'), 0);
	assert.deepEqual(await worker.stop(), { code: 0, signal: null });
});

test('the sandbox works and stops', limited, async () =>
{
	const pipe = new FullPipe();
	const session = await createSession(db, tenant.org, { status: 'starting', connector: 'sandbox' });
	const sandbox = new Program(path.join(PROGRAMS, 'wa-sandbox'), ['--database', conninfo(cluster, 'wa', SANDBOX_LOGIN),
		'--step-ms', '0', '--poll-ms', '10', '--log-level', 'debug'], { log: pipe.name });

	await until('it has paired the session', async () =>
		await db.value('SELECT status FROM wa.session WHERE id = $1', [session.uuid]) === 'working');
	assert.deepEqual(await sandbox.stop(), { code: 0, signal: null });
});

test('a full disk and a reader that is gone stop nothing', limited, async () =>
{
	for (const where of ['/dev/full', 'reader'])
	{
		const pipe = where === 'reader' ? new FullPipe() : undefined;
		const [port, metrics] = [await freePort(), await freePort()];
		const gateway = new Program(path.join(PROGRAMS, 'wa-gateway'), ['--listen', `127.0.0.1:${port}`, '--metrics', `127.0.0.1:${metrics}`,
			'--database', conninfo(cluster, 'wa', GATEWAY_LOGIN)], { log: pipe?.name ?? where });

		if (pipe)
		{
			fs.closeSync(pipe.fd);
			pipe.fd = fs.openSync('/dev/null', 'r');
		}
		await until('lines are lost', async () => await metric(metrics, 'wa_log_lines_lost_total') > 0);
		assert.equal((await new Client(port).get('/api/v1/sessions', tenant.key.secret)).status, 200);
		assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
	}
});

test('a program without standard error writes its log nowhere, and not into a connection', limited, async () =>
{
	const session = await createSession(db, tenant.org, { status: 'starting', connector: 'sandbox' });
	const sandbox = new Program(path.join(PROGRAMS, 'wa-sandbox'), ['--database', conninfo(cluster, 'wa', SANDBOX_LOGIN),
		'--step-ms', '0', '--poll-ms', '10', '--log-level', 'debug'], { closed: true });

	await until('it has paired the session', async () =>
		await db.value('SELECT status FROM wa.session WHERE id = $1', [session.uuid]) === 'working');
	if (process.getuid() === 0)
		for (const fd of [0, 1, 2])
			assert.equal(fs.readlinkSync(`/proc/${sandbox.pid}/fd/${fd}`), '/dev/null');
	assert.deepEqual(await sandbox.stop(), { code: 0, signal: null });
});
