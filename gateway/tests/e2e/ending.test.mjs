/*
 * ending.test.mjs
 *		SIGTERM with a delay, in which load balancers can see what comes; SIGHUP, which ends no
 *		program, and has the gateway read its certificate again.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Client, Connection } from './harness/http.mjs';
import { PROGRAMS, Program, SCRIPTS, makeCertificate, must, until } from './harness/processes.mjs';
import { Gateway, Sandbox, Worker, runGateway } from './harness/programs.mjs';
import { Socket, openRefused } from './harness/socket.mjs';
import { createTenant } from './harness/tenants.mjs';

const SESSIONS = '/api/v1/sessions';

let cluster, db, tenant;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
});

/* ---- SIGTERM ---- */

test('in the delay it serves on, says that it goes, and is not ready', async () =>
{
	for (const workers of [1, 2])
	{
		const gateway = await Gateway.start(cluster, { workers, args: ['--drain-delay', '3600'] });
		const { client } = gateway;
		const socket = await Socket.open(gateway, { key: tenant.key.secret });
		const kept = await Connection.open(gateway.port);

		gateway.kill('SIGTERM');
		await until('it leaves', () => gateway.events('leaving').length === workers);
		for (let i = 0; i < 4; i++)
		{
			const ready = await client.get('/readyz');
			const answer = await client.get(SESSIONS, tenant.key.secret);

			assert.equal(ready.status, 503);
			assert.equal(ready.headers.connection, 'close');
			assert.equal(answer.status, 200);
			assert.equal(answer.headers.connection, 'close');
			assert.equal((await client.get('/healthz')).status, 200);
		}
		kept.send(`GET ${SESSIONS} HTTP/1.1\r\nHost: x\r\nx-api-key: ${tenant.key.secret}\r\n\r\n`);
		assert.equal((await kept.answer()).headers.connection, 'close');
		assert.equal((await openRefused(gateway, { key: tenant.key.secret })).status, 503);

		/* a socket from before is served until the end */
		await db.sql("SELECT wa.emit($1, 'message', NULL, '{}')", [tenant.org.uuid]);
		await socket.waitFor(1);
		assert.equal(gateway.events('draining').length, 0);
		assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
	}
});

test('when the delay is over it ends, and not before', async () =>
{
	for (const workers of [1, 2])
	{
		const gateway = await Gateway.start(cluster, { workers, args: ['--drain-delay', '3'] });
		const begun = performance.now();

		gateway.kill('SIGTERM');
		assert.deepEqual(await gateway.exited, { code: 0, signal: null });
		assert.ok(performance.now() - begun >= 3000);
		assert.equal(gateway.events('draining').length, workers);
	}
});

test('a second SIGTERM ends the delay', async () =>
{
	const gateway = await Gateway.start(cluster, { args: ['--drain-delay', '3600'] });

	gateway.kill('SIGTERM');
	await until('it leaves', () => gateway.events('leaving').length === 1);
	assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
});

/* ---- SIGHUP ---- */

test('SIGHUP ends no program, neither at work nor while it waits for the database', async () =>
{
	const gateway = await Gateway.start(cluster);
	const several = await Gateway.start(cluster, { workers: 2 });
	const programs = [gateway, several, await Worker.start(cluster), await Sandbox.start(cluster)];
	const waiting = ['wa-gateway', 'wa-worker', 'wa-sandbox'].map((name) =>
	{
		const log = path.join(cluster.place, `waiting-${name}.log`);

		return new Program(path.join(PROGRAMS, name), ['--database', `host=${cluster.place}`,
			...name === 'wa-gateway' ? ['--listen', '127.0.0.1:0'] : []], { log });
	});

	for (const program of waiting)
		await until('it waits', () => /event=(waiting_for_database|database_unreachable)/.test(program.log()));
	for (const program of [...programs, ...waiting])
		program.kill('SIGHUP');
	for (const line of several.events('listening'))
		process.kill(Number(/pid=([0-9]+)/.exec(line)[1]), 'SIGHUP');

	/* SIGTERM comes behind it, and it is what they end by */
	for (const { port } of [gateway, several])
		assert.equal((await new Client(port).get(SESSIONS, tenant.key.secret)).status, 200);
	for (const program of programs)
		assert.deepEqual(await program.stop(), { code: 0, signal: null });
	for (const program of waiting)
		assert.equal((await program.stop()).signal, null);
	assert.equal(several.events('worker_ended').every((line) => line.includes('signal=0')), true);
});

/* The fingerprint of the certificate that a new connection is shown. */
function shown(port)
{
	return new Promise((resolve, reject) =>
	{
		const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () =>
		{
			resolve(socket.getPeerCertificate().fingerprint256);
			socket.destroy();
		});

		socket.on('error', reject);
	});
}

test('SIGHUP has certificate and key read again, by each process; what cannot be used changes nothing', async () =>
{
	for (const workers of [1, 2])
	{
		const files = makeCertificate(cluster.place);
		const gateway = await Gateway.start(cluster, { tls: files, workers });
		const first = await shown(gateway.port);

		makeCertificate(cluster.place);
		gateway.kill('SIGHUP');
		await until('it is read again', () => gateway.events('tls_reloaded').length === workers);
		const second = await shown(gateway.port);

		assert.notEqual(second, first);
		for (let i = 0; i < 8; i++)
			assert.equal(await shown(gateway.port), second);
		fs.truncateSync(files.key);
		gateway.kill('SIGHUP');
		await until('it says why not', () => gateway.events('tls_not_reloaded').length === workers);
		assert.match(gateway.events('tls_not_reloaded')[0], /level=error .*key\.pem.* holds no key in PEM form/);
		assert.equal(await shown(gateway.port), second);
		assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
	}
});

test('a key with a passphrase is refused at once, and nobody is asked for it', () =>
{
	const files = makeCertificate(cluster.place);
	const encrypted = path.join(cluster.place, 'encrypted.pem');

	must(path.join(SCRIPTS, 'as-user'), ['openssl', 'pkey', '-in', files.key, '-aes256', '-passout', 'pass:secret', '-out', encrypted]);

	const { code, stderr } = runGateway(['--check-config', '--tls-cert', files.certificate, '--tls-key', encrypted]);

	assert.equal(code, 1);
	assert.match(stderr, /event=cannot_start reason="TLS key file .*encrypted\.pem.* is encrypted/);
	assert.doesNotMatch(stderr, /Enter/);
});
