/*
 * fairness.test.mjs
 *		What one organization asks for does not keep others from being served.
 *
 * The requests of "Many" are held by a lock on a row of its own, or come while the gateway is
 * stopped.  What counts is how many of them were answered before those of "Few", and never how
 * long anything took.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Connection } from './harness/http.mjs';
import { until } from './harness/processes.mjs';
import { Gateway, waitForLocks } from './harness/programs.mjs';
import { createKey, createTenant } from './harness/tenants.mjs';

const SESSIONS = '/api/v1/sessions';
const MESSAGE = { type: 'text', to: '15551234567', text: 'hello' };
const CHAT = '15551234567%40s.whatsapp.net';

/* Requests in the pipeline of one connection. */
const IN_FLIGHT = 8;

/* Connections that the gateway serves in one pass of its loop (gateway/http/limits.h). */
const TURNS = 16;

let cluster, db, many, few, patient;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	patient = await waitForLocks(db);
	many = await createTenant(db, 'Many');
	few = await createTenant(db, 'Few');
});

/*
 * Runs something with a gateway while a row of Many's is locked; it is given what ends the lock.
 * The gateway knows these keys by then: all come from one address.
 */
async function whileHeld(table, id, args, run, keys = [many.key, few.key])
{
	const gateway = await Gateway.start(cluster, { args: [...patient, ...args] });
	const holder = await cluster.open('wa');

	for (const { secret } of keys)
		assert.equal((await gateway.client.get(SESSIONS, secret)).status, 200);
	await holder.sql('BEGIN');
	await holder.sql(`SELECT FROM wa.${table} WHERE ${id} = $1 FOR UPDATE`, [many.session.uuid]);
	try
	{
		await run(gateway.client, () => holder.sql('ROLLBACK'));
	}
	finally
	{
		await holder.close();
		await gateway.stop();
	}
}

async function untilHeld(count)
{
	await until('requests wait in the database', async () =>
		Number(await db.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")) >= count);
}

/* Requests that are under way: their answers, and how many have come. */
class Requests
{
	answered = 0;

	constructor(promises)
	{
		this.answers = promises.map((promise) => promise.then((answer) =>
		{
			this.answered++;
			return answer;
		}));
	}

	async statuses()
	{
		return (await Promise.all(this.answers)).map((answer) => answer.status);
	}
}

function send(client, tenant, count, keys = [tenant.key])
{
	return new Requests(Array.from({ length: count }, (_, i) =>
		client.request('POST', `${SESSIONS}/${tenant.session.id}/messages`, { key: keys[i % keys.length].secret, json: MESSAGE })));
}

function times(count, status)
{
	return Array(count).fill(status);
}

test('one organization does not fill all connections: others read and send while all of its requests wait', async () =>
{
	await whileHeld('session', 'id', ['--db-connections', '2'], async (client, release) =>
	{
		const held = send(client, many, 60);

		await untilHeld(1);
		assert.equal((await client.get(SESSIONS, few.key.secret)).status, 200);
		assert.deepEqual(await send(client, few, 20).statuses(), times(20, 202));
		assert.equal(held.answered, 0);
		await release();
		assert.deepEqual(await held.statuses(), times(60, 202));
	});
});

/*
 * A credential that the gateway does not know yet takes the turn of its address, so it could be a
 * second owner of connections beside its organization.
 */
for (const connections of [2, 4])
{
	test(`one organization does not fill ${connections} connections with keys that are known and keys that are new`, async () =>
	{
		const fresh = [];

		while (fresh.length < 12)
			fresh.push(await createKey(db, many.org));
		await whileHeld('session', 'id', ['--db-connections', String(connections)], async (client, release) =>
		{
			const first = send(client, many, 6, fresh.slice(0, 6));

			await untilHeld(1);

			const known = send(client, many, 60);
			const last = send(client, many, 6, fresh.slice(6));

			await until('new keys are known', async () =>
				(await client.get(SESSIONS, few.key.secret)).status === 200 && Number(await db.value(
					"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")) === connections - 1);
			assert.deepEqual(await send(client, few, 20).statuses(), times(20, 202));
			assert.equal(first.answered + known.answered + last.answered, 0);
			await release();
			for (const held of [first, known, last])
				assert.ok((await held.statuses()).every((status) => status === 202));
		});
	});
}

for (const [what, count] of [['one key', 1], ['twenty keys', 20]])
{
	test(`with a single connection others wait for what is in its pipeline and no more, whether many use ${what}`, async () =>
	{
		const keys = [many.key];

		while (keys.length < count)
			keys.push(await createKey(db, many.org));
		await whileHeld('session', 'id', ['--db-connections', '1'], async (client, release) =>
		{
			const held = send(client, many, 60, keys);

			await untilHeld(1);

			const mine = client.get(SESSIONS, few.key.secret).then((answer) => [answer.status, held.answered]);

			await client.get('/healthz');		/* behind it, so that it is in the queue */
			await release();

			const [status, before] = await mine;

			assert.equal(status, 200);
			assert.ok(before <= 2 * IN_FLIGHT, `${before} were answered before`);
			assert.deepEqual(await held.statuses(), times(60, 202));
		}, [...keys, few.key]);
	});
}

test('a queue that one organization has filled refuses its requests with 429, and nobody else\'s', async () =>
{
	await whileHeld('session', 'id', ['--db-connections', '2', '--db-queue', '10'], async (client, release) =>
	{
		const held = send(client, many, 60);

		await untilHeld(1);
		await until('some are refused', () => held.answered > 0);
		assert.deepEqual(await send(client, few, 5).statuses(), times(5, 202));
		await release();

		const statuses = await held.statuses();

		assert.ok(statuses.every((status) => status === 202 || status === 429), statuses.join());
		assert.ok(statuses.includes(202));
		assert.ok(statuses.includes(429));
	});
});

test('slow requests of one organization leave a connection for those of others', async () =>
{
	await whileHeld('chat', 'session_id', [], async (client, release) =>
	{
		const held = new Requests(Array.from({ length: 10 }, () =>
			client.request('POST', `${SESSIONS}/${many.session.id}/chats/${CHAT}/read`, { key: many.key.secret })));

		await untilHeld(1);
		assert.equal((await client.get(`${SESSIONS}/${few.session.id}/contacts?q=nobody`, few.key.secret)).status, 200);
		assert.equal((await client.request('POST', `${SESSIONS}/${few.session.id}/chats/${CHAT}/read`, { key: few.key.secret })).status, 200);
		assert.equal(held.answered, 0);
		await release();
		assert.deepEqual(await held.statuses(), times(10, 200));
	});
});

/* The ids of the requests that the gateway has answered, in their order. */
function answeredIds(gateway)
{
	return gateway.events('request').map((line) => / request_id=(\S+)/.exec(line)[1]);
}

/* So many connections, each used by its tenant. */
async function connectionsOf(gateway, tenant, count)
{
	return Promise.all(Array.from({ length: count }, async () =>
	{
		const connection = await Connection.open(gateway.port);

		assert.equal((await connection.request('GET', SESSIONS, { key: tenant.key.secret })).status, 200);
		return connection;
	}));
}

for (const [what, path, status] of [['asks what needs no database', '/healthz', 200], ['is refused at once', '/api/v1/nothing', 404]])
{
	test(`however many connections of one organization ask at once, another's request is handled after a few, when the many ${what}`, async () =>
	{
		const gateway = await Gateway.start(cluster);
		const others = await connectionsOf(gateway, many, 300);
		const [mine] = await connectionsOf(gateway, few, 1);

		process.kill(gateway.pid, 'SIGSTOP');

		const asked = [...others, mine].map((connection) => connection.request('GET', path, { headers: { 'X-Request-Id': connection === mine ? 'mine' : 'other' } }));

		await until('everything was sent', () => [...others, mine].every(({ socket }) => socket.writableLength === 0));
		process.kill(gateway.pid, 'SIGCONT');
		assert.ok((await Promise.all(asked)).every((answer) => answer.status === status));
		await until('the log has all', () => answeredIds(gateway).filter((id) => id === 'other').length === others.length);

		const before = answeredIds(gateway).filter((id) => id === 'other' || id === 'mine').indexOf('mine');

		assert.ok(before < 4 * TURNS, `${before} were answered before`);
		for (const connection of [...others, mine])
			connection.close();
		await gateway.stop();
	});
}
