/*
 * programs.mjs
 *		wa-gateway, wa-worker, wa-sandbox and wa-cloud, started for a test.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { GATEWAY_LOGIN, SANDBOX_LOGIN, WORKER_LOGIN } from './cluster.mjs';
import { Client } from './http.mjs';
import { refuseOthers } from './options.mjs';
import { PROGRAMS, Program, run, until } from './processes.mjs';

const PATIENT_MS = 60_000;

let logs = 0;

export function conninfo(cluster, database, user, host = cluster.host)
{
	return `host=${host} port=${cluster.port} dbname=${database} user=${user}`;
}

function logFile(cluster, name)
{
	return path.join(cluster.place, `${name}-${++logs}.log`);
}

function lines(text, event)
{
	return text.split('\n').filter((line) => line.includes(` event=${event} `) || line.endsWith(` event=${event}`));
}

function portIn(line)
{
	return Number(/ port=([0-9]+)/.exec(line)[1]);
}

/*
 * One that talks to PostgreSQL.  An honest server never gives it a reason for an alarm: where
 * a test has nobody in the middle who does (lied), it ends without one.
 */
class DatabaseProgram extends Program
{
	lied = false;

	/* The lines of its log that tell of an event. */
	events(name)
	{
		return lines(this.log(), name);
	}

	/* Where it serves metrics, when it was told to. */
	get metricsPort()
	{
		return portIn(this.events('metrics_listening')[0]);
	}

	async stop(seconds)
	{
		const result = await super.stop(seconds);

		if (!this.lied)
			assert.deepEqual(this.events('database_protocol_violation'), []);
		return result;
	}
}

export class Gateway extends DatabaseProgram
{
	/*
	 * Starts it and returns when it is ready, or without that when it listens.  "tls" are the
	 * paths of a certificate and its key; then it has no client.
	 */
	static async start(cluster, { database = 'wa', user = GATEWAY_LOGIN, host, args = [], env, port = 0, workers = 1, root, tls, ready = true, ...others } = {})
	{
		refuseOthers(others);

		const gateway = new Gateway(path.join(PROGRAMS, 'wa-gateway'), [
			'--listen', `127.0.0.1:${port}`, '--database', conninfo(cluster, database, user, host),
			...(workers > 1 ? ['--workers', String(workers)] : []),
			...(tls ? ['--tls-cert', tls.certificate, '--tls-key', tls.key] : []), ...args,
		], { log: logFile(cluster, 'gateway'), env, root });

		await until('the gateway listens', () => !gateway.running || gateway.events('listening').length === workers);
		if (!gateway.running)
			throw new Error(`the gateway has ended:\n${gateway.log()}`);
		gateway.port = portIn(gateway.events('listening')[0]);
		await gateway.prepareClient(tls, ready);
		return gateway;
	}

	async prepareClient(tls, ready)
	{
		let isReady;

		if (tls)
		{
			this.certificate = fs.readFileSync(tls.certificate);
			isReady = async () => await statusOverTls(this, '/readyz') === 200;
		}
		else
		{
			this.client = new Client(this.port);
			isReady = async () => (await this.client.get('/readyz')).status === 200;
		}
		if (ready)
			await until('the gateway is ready', isReady);
	}
}

function statusOverTls({ port, certificate }, target)
{
	return new Promise((resolve, reject) =>
	{
		https.get({ host: '127.0.0.1', port, servername: 'gateway.test', ca: certificate, path: target, agent: false }, (response) =>
		{
			response.resume();
			response.on('end', () => resolve(response.statusCode));
		}).on('error', reject);
	});
}

/*
 * From now on a gateway that is started waits for locks, and for the database, for as long as a
 * test holds them: by default it gives a request up after two seconds, which pass on a busy
 * machine while the test does what it wants to see done meanwhile.  To be given to start() as
 * "args".
 */
export async function waitForLocks(db)
{
	for (const setting of ['lock_timeout', 'statement_timeout'])
		await db.sql(`ALTER ROLE ${GATEWAY_LOGIN} SET ${setting} = '${PATIENT_MS}ms'`);
	return ['--request-timeout', String(PATIENT_MS)];
}

/* Runs the gateway to its end, which is expected.  Returns { code, stdout, stderr }. */
export function runGateway(args, env)
{
	return run(path.join(PROGRAMS, 'wa-gateway'), args, { env });
}

/* The same against a database, which it should refuse. */
export function tryGateway(cluster, { database = 'wa', user = GATEWAY_LOGIN, args = [], ...others } = {})
{
	refuseOthers(others);
	return runGateway(['--listen', '127.0.0.1:0', '--database-wait', '0',
		'--database', conninfo(cluster, database, user), ...args]);
}

export class Sandbox extends DatabaseProgram
{
	static async start(cluster, { database = 'wa', stepMs = 10, pollMs = 20, args = [], ...others } = {})
	{
		refuseOthers(others);

		const sandbox = new Sandbox(path.join(PROGRAMS, 'wa-sandbox'), [
			'--database', conninfo(cluster, database, SANDBOX_LOGIN),
			'--step-ms', String(stepMs), '--poll-ms', String(pollMs), ...args,
		], { log: logFile(cluster, 'sandbox') });

		await until('the sandbox is connected', () => !sandbox.running || sandbox.events('database_connected').length > 0);
		if (!sandbox.running)
			throw new Error(`the sandbox has ended:\n${sandbox.log()}`);
		return sandbox;
	}
}

export class Cloud extends DatabaseProgram
{
	/*
	 * "graph" is a Graph (graph.mjs), "keyFiles" the paths of secret keys.  If it is told to listen,
	 * "port" is where.
	 */
	static async start(cluster, { graph, keyFiles, database = 'wa', pollMs = 20, args = [], ...others } = {})
	{
		refuseOthers(others);

		const cloud = new Cloud(path.join(PROGRAMS, 'wa-cloud'), [
			'--database', conninfo(cluster, database, SANDBOX_LOGIN), '--graph-url', graph.url,
			...keyFiles.flatMap((file) => ['--key-file', file]), '--poll-ms', String(pollMs), ...args,
		], { log: logFile(cluster, 'cloud') });

		await until('wa-cloud is connected', () => !cloud.running || cloud.events('database_connected').length > 0);
		if (!cloud.running)
			throw new Error(`wa-cloud has ended:\n${cloud.log()}`);

		const [listening] = cloud.events('listening');

		cloud.port = listening && portIn(listening);
		return cloud;
	}
}

export class Worker extends DatabaseProgram
{
	/* Webhooks may lead to the loopback, unless "allow" says otherwise. */
	static async start(cluster, { database = 'wa', allow = ['127.0.0.0/8'], args = [], env, ...others } = {})
	{
		refuseOthers(others);

		const worker = new Worker(path.join(PROGRAMS, 'wa-worker'), [
			'--database', conninfo(cluster, database, WORKER_LOGIN),
			...allow.flatMap((range) => ['--allow-target', range]), ...args,
		], { log: logFile(cluster, 'worker'), env });

		await until('the worker has started', () => !worker.running || worker.events('started').length > 0);
		if (!worker.running)
			throw new Error(`the worker has ended:\n${worker.log()}`);
		return worker;
	}
}
