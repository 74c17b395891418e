/*
 * confinement.test.mjs
 *		What a running program has given up: privileges, capabilities, cores, and what it inherited.
 *
 * The same is said of a program that has given up nothing, to show that it would be seen.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { before, test } from 'node:test';
import { addConnectorKey } from './harness/cloud.mjs';
import { prepareCluster } from './harness/cluster.mjs';
import { Graph } from './harness/graph.mjs';
import { freePort } from './harness/ports.mjs';
import { PROGRAMS, Program, SCRIPTS, makePlace, onEnd, run, until } from './harness/processes.mjs';
import { Cloud, Gateway, Sandbox, Worker } from './harness/programs.mjs';

const CAPABILITIES = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'];
const NONE = '0000000000000000';
const BIND_PORTS = '0000000000000400';
const IS_ROOT = process.getuid() === 0;
const needsRoot = { skip: IS_ROOT ? false : 'takes root' };

let cluster;

before(() =>
{
	cluster = prepareCluster();
});

/* What the kernel says of a process: { name: value }. */
function statusOf(pid)
{
	return Object.fromEntries(fs.readFileSync(`/proc/${pid}/status`, 'utf8').split('\n').map((line) => line.split(/:\s*/)));
}

function coreLimits(pid)
{
	return /^Max core file size +(\S+) +(\S+)/m.exec(fs.readFileSync(`/proc/${pid}/limits`, 'utf8')).slice(1);
}

/* Whether another process of the unprivileged user may look into one. */
function letsLookInto(pid)
{
	return run(path.join(SCRIPTS, 'as-user'), ['cat', `/proc/${pid}/maps`]).code === 0;
}

/* Capabilities are a thread's own; only the first one of a process may bind ports. */
function assertThreadsConfined(pid)
{
	const others = fs.readdirSync(`/proc/${pid}/task`).filter((thread) => Number(thread) !== pid);

	assert.ok(others.length > 0, 'the log has a thread');
	for (const thread of others)
	{
		const status = statusOf(`${pid}/task/${thread}`);

		assert.equal(status.NoNewPrivs, '1');
		for (const name of CAPABILITIES)
			assert.equal(status[name], NONE, name);
	}
}

function assertConfined(pid, { capabilities = NONE } = {})
{
	const status = statusOf(pid);

	assert.equal(status.NoNewPrivs, '1');
	assert.equal(status.Umask, '0077');
	for (const name of CAPABILITIES)
		assert.equal(status[name], name === 'CapPrm' || name === 'CapEff' ? capabilities : NONE, name);
	assertThreadsConfined(pid);
	assert.deepEqual(coreLimits(pid), ['0', '0']);
	assert.equal(letsLookInto(pid), false);
}

test('a program that gives up nothing looks different', async () =>
{
	const control = spawn(path.join(SCRIPTS, 'as-user'), ['sleep', '60'], { stdio: 'ignore' });

	onEnd(() => control.kill('SIGKILL'), () => control.kill('SIGKILL'));
	await until('it runs', () => statusOf(control.pid).Name === 'sleep');
	assert.equal(statusOf(control.pid).NoNewPrivs, '0');
	assert.equal(letsLookInto(control.pid), true);
	assert.throws(() => assertConfined(control.pid));
	control.kill('SIGKILL');
});

for (const [name, start] of [['wa-gateway', () => Gateway.start(cluster)], ['wa-worker', () => Worker.start(cluster)],
	['wa-sandbox', () => Sandbox.start(cluster)],
	['wa-cloud', async () => Cloud.start(cluster, { graph: await Graph.start(), keyFiles: [await addConnectorKey(await cluster.open('wa'))] })]])
{
	test(`${name} keeps no privilege, capability or core, and nobody looks into it`, async () =>
	{
		const program = await start();

		assertConfined(program.pid);
		assert.doesNotMatch(program.log(), /event=(not_confined|runs_as_root)/);
		assert.deepEqual(await program.stop(), { code: 0, signal: null });
	});
}

test('the threads of a gateway that write files keep nothing either', async () =>
{
	const without = await Gateway.start(cluster);
	const gateway = await Gateway.start(cluster, { args: ['--media-dir', makePlace()] });
	const threads = ({ pid }) => fs.readdirSync(`/proc/${pid}/task`).length;

	assert.ok(threads(gateway) > threads(without), 'it has threads for files');
	assertConfined(gateway.pid);
	await gateway.stop();
	await without.stop();
});

test('the command line for administrators keeps its terminal, but no privilege and no core, and nobody looks into it', async () =>
{
	const silent = net.createServer(() => {});

	await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));

	/* it waits for a server that does not answer */
	const wa = new Program(path.join(PROGRAMS, 'wa'), ['org', 'list', '--database', `host=127.0.0.1 port=${silent.address().port} user=x dbname=x`]);

	await until('it waits', () => statusOf(wa.pid).Name === 'wa' && statusOf(wa.pid).NoNewPrivs === '1');
	assert.deepEqual(coreLimits(wa.pid), ['0', '0']);
	await until('it is hidden', () => !letsLookInto(wa.pid));
	await wa.stop();
	silent.close();
});

test('each of several processes of the gateway, and the one that watches them', async () =>
{
	const gateway = await Gateway.start(cluster, { workers: 2 });

	for (const line of gateway.events('listening'))
		assertConfined(Number(/pid=([0-9]+)/.exec(line)[1]));
	assertConfined(gateway.pid);
	await gateway.stop();
});

test('standard input and inherited descriptors are closed; closed output is no socket of ours', async () =>
{
	for (const name of ['wa-gateway', 'wa-worker', 'wa-sandbox'])
	{
		const child = spawn('sh', ['-c', 'exec "$0" "$@" >&-', path.join(PROGRAMS, name), '--database', 'host=/nonexistent', '--log-level', 'debug'],
			{ stdio: ['pipe', 'ignore', 'pipe', 'pipe', 'pipe'] });
		const closed = (stream) => new Promise((resolve) => stream.on('close', resolve).resume());
		const refused = (stream) => new Promise((resolve) => stream.write('x', (error) => resolve(error?.code === 'EPIPE')));

		onEnd(() => child.kill('SIGKILL'), () => child.kill('SIGKILL'));
		child.stdin.on('error', () => {});
		await Promise.all([closed(child.stdio[3]), closed(child.stdio[4]), until('nobody reads its input', () => refused(child.stdin))]);
		assert.equal(child.exitCode, null);
		if (IS_ROOT)
			for (const fd of [0, 1])
				assert.equal(fs.readlinkSync(`/proc/${child.pid}/fd/${fd}`), '/dev/null');
		child.kill('SIGKILL');
	}
});

/* ---- as root ---- */

test('run by root it says so, has no capability left, and bound a port below 1024 before', needsRoot, async () =>
{
	const open = prepareCluster(['unix_socket_permissions = 0777']);

	/* without capabilities even root passes closed folders no longer */
	fs.chmodSync(open.place, 0o711);
	fs.chmodSync(open.host, 0o711);

	const port = await freePort({ from: 700, to: 1024 });
	const gateway = await Gateway.start(open, { port, workers: 2, root: true });
	const workers = () => gateway.events('listening').map((line) => Number(/pid=([0-9]+)/.exec(line)[1]));

	assert.equal(gateway.port, port);
	assert.equal(gateway.events('runs_as_root').length, 1);
	for (const pid of workers())
	{
		assertConfined(pid);
		assert.equal(statusOf(pid).CapBnd, NONE);
	}

	/* the one that watches serves nothing, and keeps what it takes to replace one that died */
	assertConfined(gateway.pid, { capabilities: BIND_PORTS });
	process.kill(workers()[0], 'SIGKILL');
	await until('another one listens', () => gateway.events('listening').length === 3);
	assertConfined(workers()[2]);
	assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
});

test('run by root the worker and the sandbox have nothing left either', needsRoot, async () =>
{
	for (const name of ['wa-worker', 'wa-sandbox'])
	{
		const program = new Program(path.join(PROGRAMS, name), ['--database', 'host=/nonexistent'],
			{ log: path.join(cluster.place, `${name}-root.log`), root: true });

		await until('it says so', () => program.log().includes('event=runs_as_root'));
		assertConfined(program.pid, { capabilities: name === 'wa-worker' ? BIND_PORTS : NONE });
		assert.equal(statusOf(program.pid).CapBnd, NONE);
		await program.stop();
	}
});
