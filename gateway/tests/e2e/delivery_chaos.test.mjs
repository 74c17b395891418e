/*
 * delivery_chaos.test.mjs
 *		Worker, gateway and PostgreSQL are killed again and again under load; nothing is lost.
 *
 * While callers send, everything is killed by SIGKILL in turn and started again.  In the end
 * three counts are equal: events in the log, distinct events at each receiver, events that
 * a reader has seen who followed /events across all of it.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareCluster } from './harness/cluster.mjs';
import { until } from './harness/processes.mjs';
import { Gateway, Worker } from './harness/programs.mjs';
import { Receiver, verifyStandard } from './harness/receiver.mjs';
import { createKey, createOrg, createSession } from './harness/tenants.mjs';

/* Three rounds of killing everything, or as many as a slow machine has the time for, but one at least. */
const KILLS = 12;
const KILLS_MIN = 4;
const CHAOS_MS = 40000;
const SETTLE_SECONDS = 150;
const SECRET = 'a-secret-for-the-chaos';

let cluster, db, org, key, sessions, gateway, workers;

const startWorker = () => Worker.start(cluster, { args: ['--lease', '2', '--timeout', '2000'] });

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	org = await createOrg(db, 'Acme');
	key = (await createKey(db, org)).secret;
	sessions = await Promise.all(Array.from({ length: 4 }, () => createSession(db, org)));
	gateway = await Gateway.start(cluster);
	workers = [await startWorker(), await startWorker()];
});

function hook(receiver)
{
	return db.value("INSERT INTO wa.webhook (org_id, url, secret) VALUES ($1, $2, $3) RETURNING wa.typeid('wh', id)", [org.uuid, receiver.url, SECRET]);
}

/* Sends until it is over, whatever happens to the gateway; counts what was accepted. */
async function load(session, state)
{
	for (let i = 0; !state.over; i++)
	{
		try
		{
			const { status } = await gateway.client.post(`/api/v1/sessions/${session.id}/messages`, key, { type: 'text', to: '15551230001', text: `text ${i}` });

			state.accepted += status === 202 ? 1 : 0;
		}
		catch
		{
			await sleep(20);
		}
	}
}

/* Reads all events from the first one on, each after the last that it has. */
async function follow(state, seen)
{
	let since = state.first;

	while (!state.failed && (!state.end || !seen.has(state.end)))
	{
		try
		{
			const { status, json } = await gateway.client.get(`/api/v1/events?limit=200&since=${since}`, key);

			if (status !== 200)
				throw new Error(`status ${status}`);
			for (const event of json.data)
			{
				assert.ok(!seen.has(event.id), 'twice');
				seen.set(event.id, event);
				since = event.id;
			}
			if (json.data.length === 0)
				await sleep(20);
		}
		catch (error)
		{
			if (error instanceof assert.AssertionError)
				throw error;
			await sleep(20);
		}
	}
}

const killings = {
	async worker(n)
	{
		const killed = workers.splice(n % workers.length, 1)[0];

		killed.kill('SIGKILL');
		await killed.exited;
		workers.push(await startWorker());
	},
	async gateway()
	{
		gateway.kill('SIGKILL');
		await gateway.exited;
		gateway = await Gateway.start(cluster);
	},
	async database()
	{
		await cluster.kill();
		await until('it lets us in', async () =>
		{
			db = await cluster.open('wa');
			return Number(await db.value('SELECT 1')) === 1;
		});
	},
};

async function kill(kills)
{
	const end = performance.now() + CHAOS_MS;

	for (let n = 0; n < KILLS && (n < KILLS_MIN || performance.now() < end); n++)
	{
		const name = ['worker', 'gateway', 'worker', 'database'][n % 4];

		await sleep(50 + Math.random() * 350);
		await killings[name](n);
		kills[name]++;
	}
}

test('whatever is killed, events written = events received = events read', { timeout: 400_000 }, async () =>
{
	const answers = [(request, response) => response.end(), (request, response) => setTimeout(() => response.end(), 15),
		(request, response) => (Math.random() < 0.02 ? response.socket.destroy() : response.end())];
	const receivers = await Promise.all(answers.map((answer) => Receiver.start({ answer })));
	const state = { over: false, accepted: 0 };
	const seen = new Map();

	await Promise.all(receivers.map(hook));
	/* what was there before the webhooks is of no account */
	state.first = await db.value("SELECT wa.typeid('evt', id) FROM wa.event WHERE org_id = $1 ORDER BY epoch DESC, ordinal DESC, id DESC LIMIT 1", [org.uuid]);

	const loads = sessions.map((session) => load(session, state));
	const following = follow(state, seen);
	const kills = { worker: 0, gateway: 0, database: 0 };

	try
	{
		await kill(kills);
	}
	catch (error)
	{
		state.failed = true;
		throw error;
	}
	finally
	{
		state.over = true;
	}
	await Promise.all(loads);
	/* what waits because of an answer that was cut has waited enough */
	await until('all is delivered', async () =>
	{
		await db.sql("UPDATE wa.delivery SET next_attempt_at = clock_timestamp() WHERE status = 'failed' AND next_attempt_at > clock_timestamp() + interval '1 second'");
		return Number(await db.value("SELECT count(*)::int FROM wa.delivery WHERE status <> 'delivered'")) === 0;
	}, { seconds: SETTLE_SECONDS, pauseMs: 300 });

	const all = await db.sql("SELECT wa.typeid('evt', id) AS id, envelope, type FROM wa.event WHERE org_id = $1 ORDER BY epoch, ordinal, id", [org.uuid]);
	const written = all.slice(all.findIndex(({ id }) => id === state.first) + 1);

	state.end = written.at(-1).id;
	await following;

	const envelopes = new Map(written.map(({ id, envelope }) => [id, envelope]));
	const sent = written.filter(({ type }) => type === 'message.from_me').length;

	assert.ok(sent >= state.accepted, `${state.accepted} accepted, ${sent} in the log`);
	assert.ok(Object.values(kills).every((count) => count >= 1), JSON.stringify(kills));
	assert.deepEqual([...seen.keys()], written.map(({ id }) => id));
	for (const receiver of receivers)
	{
		const ids = new Set(receiver.requests.map(({ json }) => json.id));

		assert.equal(ids.size, written.length);
		for (const request of receiver.requests)
			assert.equal(request.body, envelopes.get(request.json.id));
		receiver.requests.slice(-50).forEach((request) => verifyStandard(request, SECRET));
	}
	const dead = await db.value("SELECT count(*)::int FROM wa.delivery WHERE status = 'dead'");

	assert.equal(Number(dead), 0);
	console.log(`# killed ${JSON.stringify(kills)}; ${written.length} events; requests ${receivers.map(({ requests }) => requests.length).join(', ')}`);
});
