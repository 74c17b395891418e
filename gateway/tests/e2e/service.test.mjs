/*
 * service.test.mjs
 *		A gateway at work: health, a database that goes away and comes back, deadlines, a
 *		gentle end, several processes, TLS.
 *
 * A request is held, without waiting for any time, by a lock on the row of the session that
 * it sends with; reading, and preparing statements, is not held up by that.
 */
import assert from 'node:assert/strict';
import https from 'node:https';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Client, Connection } from './harness/http.mjs';
import { makeCertificate, until } from './harness/processes.mjs';
import { Gateway, waitForLocks } from './harness/programs.mjs';
import { createTenant } from './harness/tenants.mjs';

const SESSIONS = '/api/v1/sessions';

let cluster, db, tenant, patient;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	patient = await waitForLocks(db);
	tenant = await createTenant(db, 'Acme');
});

/* A request that is held, and what it is answered when it no longer is. */
function send(client)
{
	return client.request('POST', `${SESSIONS}/${tenant.session.id}/messages`,
		{ key: tenant.key.secret, json: { type: 'text', to: '15551234567', text: 'hello' } });
}

async function heldStatements()
{
	return Number(await db.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"));
}

/* Runs something while nothing can be sent; it is given a function that ends the hold. */
async function whileHeld(run)
{
	const holder = await cluster.open('wa');

	await holder.sql('BEGIN');
	await holder.sql('SELECT FROM wa.session WHERE id = $1 FOR UPDATE', [tenant.session.uuid]);
	try
	{
		return await run(() => holder.sql('ROLLBACK'));
	}
	finally
	{
		await holder.close();
	}
}

async function untilHeld()
{
	await until('the request waits in the database', async () => await heldStatements() > 0);
}

test('/healthz and /readyz answer without a credential, and no key changes that', async () =>
{
	const gateway = await Gateway.start(cluster);

	for (const route of ['/healthz', '/readyz'])
	{
		for (const key of [undefined, tenant.key.secret, 'wa_x'])
		{
			const answer = await gateway.client.get(route, key);

			assert.equal(answer.status, 200);
			assert.equal(answer.headers['cache-control'], 'no-store');
			assert.equal(typeof answer.json.status, 'string');
		}
	}
	await gateway.stop();
});

test('while the database is away: healthy, not ready, 503 with Retry-After; when it is back, all is well again', async () =>
{
	const gateway = await Gateway.start(cluster, { workers: 2 });
	const { client } = gateway;

	await db.close();
	cluster.stop();
	try
	{
		await until('the gateway is not ready', async () => (await client.get('/readyz')).status === 503);

		const refused = await client.get(SESSIONS, tenant.key.secret);

		assert.equal((await client.get('/healthz')).status, 200);
		assert.equal(refused.status, 503);
		assert.equal(refused.json.error.code, 'unavailable');
		assert.match(refused.headers['retry-after'], /^[1-9][0-9]*$/);
		assert.equal((await client.get(SESSIONS)).status, 401);
	}
	finally
	{
		cluster.start();
		db = await cluster.open('wa');
	}
	await until('the gateway is ready', async () => (await client.get('/readyz')).status === 200);
	await until('both processes answer', async () => (await Promise.all(Array.from({ length: 8 }, () =>
		client.get(SESSIONS, tenant.key.secret)))).every((answer) => answer.status === 200));
	assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
});

test('a connection to the database that is cut costs its request a 503, and the next one nothing', async () =>
{
	const gateway = await Gateway.start(cluster, { args: [...patient, '--db-connections', '1'] });
	const cut = await whileHeld(async () =>
	{
		const answer = send(gateway.client);

		await untilHeld();
		await db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
		return await answer;
	});

	assert.equal(cut.status, 503);
	assert.doesNotMatch(cut.text, /terminat|administrator/);
	await until('it answers again', async () => (await gateway.client.get(SESSIONS, tenant.key.secret)).status === 200);
	await gateway.stop();
});

/* As after an update to another version; a schema that comes and goes has every statement analyzed anew. */
for (const [what, damage] of [
	['is not registered any more', "DELETE FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'me'"],
	['is registered with other parameters', "UPDATE wa.statement SET parameters = '{text}' WHERE role_name = 'wa_gateway' AND name = 'me'"],
])
{
	test(`a statement that ${what} is a 503, and goes on when it is again`, async () =>
	{
		const gateway = await Gateway.start(cluster, { args: ['--db-connections', '1'] });
		const status = async () => (await gateway.client.get('/api/v1/me', tenant.key.secret)).status;

		await db.sql("CREATE TABLE public.spare AS SELECT * FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'me'");
		assert.equal(await status(), 200);
		try
		{
			await db.sql(damage);
			await db.sql('CREATE SCHEMA coming');
			await db.sql('DROP SCHEMA coming');
			assert.equal(await status(), 503);
		}
		finally
		{
			await db.sql("DELETE FROM wa.statement WHERE role_name = 'wa_gateway' AND name = 'me'");
			await db.sql('INSERT INTO wa.statement SELECT * FROM public.spare');
			await db.sql('DROP TABLE public.spare');
		}
		await until('it is answered again', async () => await status() === 200);
		await gateway.stop();
	});
}

test('a request that the database does not answer in time is a 504, and its statement is cancelled', async () =>
{
	const gateway = await Gateway.start(cluster, { args: ['--request-timeout', '1000'] });

	await whileHeld(async () =>
	{
		const late = await send(gateway.client);

		assert.equal(late.status, 504);
		assert.equal(late.json.error.code, 'timeout');
		assert.doesNotMatch(late.text, /cancel|statement/);
		await until('nothing is left waiting', async () => await heldStatements() === 0);
	});
	/* on a busy machine the first one may be late, too */
	await until('it sends again', async () => (await send(gateway.client)).status === 202);
	await until('it reads', async () => (await gateway.client.get(SESSIONS, tenant.key.secret)).status === 200);
	await gateway.stop();
});

test('more requests of one organization than its half of the queue holds: the rest is a 429 at once, and none is lost', async () =>
{
	const gateway = await Gateway.start(cluster, { args: [...patient, '--db-connections', '1', '--db-queue', '4'] });
	const before = Number(await db.value("SELECT count(*) FROM wa.message WHERE session_id = $1 AND direction = 'out'", [tenant.session.uuid]));

	await whileHeld(async (release) =>
	{
		const answers = Array.from({ length: 40 }, () => send(gateway.client));
		let answered = 0;

		answers.forEach((answer) => answer.then(() => answered++));
		await untilHeld();
		await until('some are refused', () => answered > 0);
		await release();

		const all = await Promise.all(answers);
		const statuses = all.map((answer) => answer.status);
		const refused = all.find((answer) => answer.status === 429);

		const stored = await db.value("SELECT count(*) FROM wa.message WHERE session_id = $1 AND direction = 'out'", [tenant.session.uuid]);

		assert.ok(statuses.every((status) => status === 202 || status === 429), statuses.join());
		assert.ok(statuses.includes(202));
		assert.equal(refused.json.error.code, 'rate_limited');
		assert.deepEqual(refused.json.error.details, { limit: 'waitingRequests' });
		assert.equal(refused.headers['retry-after'], '1');
		assert.equal(Number(stored) - before, statuses.filter((status) => status === 202).length);
	});
	await gateway.stop();
});

test('a client that leaves in the middle disturbs nobody', async () =>
{
	const gateway = await Gateway.start(cluster, { args: [...patient, '--db-connections', '1'] });

	await whileHeld(async (release) =>
	{
		const gone = await Connection.open(gateway.port);

		send(gone);
		await untilHeld();

		const stays = gateway.client.get('/api/v1/me', tenant.key.secret);

		gone.close();
		await release();
		assert.equal((await stays).status, 200);
	});
	for (let i = 0; i < 20; i++)
		assert.equal((await gateway.client.get(SESSIONS, tenant.key.secret)).json.data[0].id, tenant.session.id);
	await gateway.stop();
});

test('SIGTERM: open requests are answered, new connections are not taken, then exit code 0', async () =>
{
	const gateway = await Gateway.start(cluster, { args: patient });
	const idle = await Connection.open(gateway.port);

	assert.equal((await idle.request('GET', '/healthz')).status, 200);
	await whileHeld(async (release) =>
	{
		const connection = await Connection.open(gateway.port);
		const answer = send(connection);

		await untilHeld();
		gateway.kill('SIGTERM');
		await idle.ended;
		await assert.rejects(Connection.open(gateway.port), { code: 'ECONNREFUSED' });
		assert.equal(gateway.running, true);
		await release();
		assert.equal((await answer).status, 202);
		assert.equal((await answer).headers.connection, 'close');
		await connection.ended;
	});
	assert.deepEqual(await gateway.exited, { code: 0, signal: null });
});

test('a second SIGTERM does not wait for what is open; nor does the end of the drain timeout', async () =>
{
	for (const args of [[], ['--drain-timeout', '0']])
	{
		const gateway = await Gateway.start(cluster, { args: [...patient, ...args] });

		await whileHeld(async () =>
		{
			send(await Connection.open(gateway.port));
			await untilHeld();
			gateway.kill('SIGTERM');
			if (args.length === 0)
			{
				await until('it drains', () => gateway.events('draining').length === 1);
				gateway.kill('SIGTERM');
			}
			assert.deepEqual(await gateway.exited, { code: 0, signal: null });
		});
	}
});

test('several processes share the port; one that dies is replaced, and all stop together', async () =>
{
	const gateway = await Gateway.start(cluster, { workers: 2 });
	const pids = gateway.events('listening').map((line) => Number(/pid=([0-9]+)/.exec(line)[1]));

	assert.equal(new Set(pids).size, 2);
	process.kill(pids[0], 'SIGKILL');
	await until('another one listens', () => gateway.events('listening').length === 3);
	await until('it answers', async () => (await new Client(gateway.port).get(SESSIONS, tenant.key.secret)).status === 200);
	assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
	await assert.rejects(Connection.open(gateway.port), { code: 'ECONNREFUSED' });
});

test('with a certificate and its key it speaks HTTPS, and nothing else', async () =>
{
	const gateway = await Gateway.start(cluster, { tls: makeCertificate(cluster.place) });
	const { port, certificate } = gateway;
	const ask = (options) => new Promise((resolve, reject) =>
	{
		https.get({ host: '127.0.0.1', port, servername: 'gateway.test', path: SESSIONS, agent: false,
			ca: certificate, headers: { 'x-api-key': tenant.key.secret }, ...options }, (response) =>
		{
			response.resume();
			response.on('end', () => resolve(response.statusCode));
		}).on('error', reject);
	});

	await until('it is ready', async () => await ask({ path: '/readyz' }) === 200);
	assert.equal(await ask({}), 200);
	assert.equal(await ask({ headers: {} }), 401);
	await assert.rejects(ask({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }));

	const plain = await Connection.open(port);

	plain.send('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
	await plain.ended;
	assert.equal(plain.answers.length, 0);
	assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
});
