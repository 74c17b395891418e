/*
 * sandbox.test.mjs
 *		Connectors share the work and take over from one another, and nothing is sent twice.
 *
 * The telephones of the sandbox answer every text once.  So the number of answers that
 * quote a message says how often it reached the outside.  Where a test needs a lease to run
 * out it sets it back in the database, and waits for no clock.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { before, beforeEach, test } from 'node:test';
import { GATEWAY_LOGIN, SANDBOX_LOGIN, prepareCluster } from './harness/cluster.mjs';
import { PROGRAMS, run, until } from './harness/processes.mjs';
import { Gateway, Sandbox, conninfo } from './harness/programs.mjs';
import { createKey, createOrg, createSession } from './harness/tenants.mjs';

const SLOW = 60000;		/* a step that no test lives to see */

let cluster, db, client, org, key;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	client = (await Gateway.start(cluster)).client;
});

beforeEach(async () =>
{
	/* nobody works on what an earlier test has left */
	await db.sql("UPDATE wa.session SET status = 'stopped'");
	org = await createOrg(db, 'Acme');
	key = (await createKey(db, org)).secret;
});

/* Sessions that the sandbox is to pair, or that are paired already. */
function makeSessions(count, status = 'working')
{
	return Promise.all(Array.from({ length: count }, () => createSession(db, org, { status, connector: 'sandbox' })));
}

let numbers = 1000;

/* Sends so many texts by each session, each to a number of its own. */
async function sendTexts(sessions, count)
{
	const answers = await Promise.all(sessions.flatMap((session) => Array.from({ length: count }, (_, i) =>
		client.post(`/api/v1/sessions/${session.id}/messages`, key, { type: 'text', to: `1555100${++numbers}`, text: `text ${i}` }))));

	assert.ok(answers.every((answer) => answer.status === 202));
	return answers.length;
}

/* For every message that was sent: its status, how often it was taken, and how often it was answered. */
async function outcome()
{
	return await db.sql(`
		SELECT m.status, m.attempts::text, m.error, count(e.id)::text AS echoes
		FROM wa.message m
		LEFT JOIN wa.message e ON e.org_id = m.org_id AND e.session_id = m.session_id AND e.chat_jid = m.chat_jid
			AND e.direction = 'in'
		WHERE m.direction = 'out' AND m.org_id = $1
		GROUP BY m.org_id, m.id`, [org.uuid]);
}

async function count(where)
{
	return Number(await db.value(`SELECT count(*) FROM wa.message WHERE org_id = $1 AND ${where}`, [org.uuid]));
}

async function untilAllAnswered(total)
{
	await until(`${total} messages are answered`, async () => await count("direction = 'in'") >= total);
}

/* As if the time of all leases were over. */
async function endLeases()
{
	await db.sql("UPDATE wa.session SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL");
	await db.sql("UPDATE wa.message SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL AND status = 'sending'");
}

test('a session goes from starting by a QR code to working, and its pairing is gone then', async () =>
{
	const [session] = await makeSessions(1, 'starting');
	const sandbox = await Sandbox.start(cluster, { stepMs: 150 });
	const seen = [];

	await until('the session works', async () =>
	{
		const [row] = await db.sql(`
			SELECT s.status, s.phone_number, s.last_connected_at, p.qr_code
			FROM wa.session s LEFT JOIN wa.session_pairing p ON p.org_id = s.org_id AND p.session_id = s.id
			WHERE s.id = $1`, [session.uuid]);

		if (seen.at(-1)?.status !== row.status)
			seen.push(row);
		return row.status === 'working';
	});
	assert.equal(seen.at(-1).qr_code, null);
	assert.match(seen.at(-1).phone_number, /^[1-9][0-9]{6,14}$/);
	assert.notEqual(seen.at(-1).last_connected_at, null);

	/* how many states are seen on the way depends on how fast this process looks */
	for (const row of seen.filter(({ status }) => status === 'scan_qr_code'))
		assert.notEqual(row.qr_code, null);
	await sandbox.stop();
});

test('two sandboxes side by side: every message is sent once and answered once', async () =>
{
	const sessions = await makeSessions(6);
	const sandboxes = await Promise.all([Sandbox.start(cluster), Sandbox.start(cluster)]);
	const total = await sendTexts(sessions, 10);

	await untilAllAnswered(total);
	await until('all are read', async () => await count("direction = 'out' AND status = 'read'") === total);
	assert.ok((await outcome()).every((row) => row.status === 'read' && row.attempts === '1' && row.echoes === '1'));
	assert.equal(await count("direction = 'in'"), total);
	assert.equal(Number(await db.value("SELECT count(DISTINCT wa_message_id) FROM wa.message WHERE org_id = $1", [org.uuid])), 2 * total);
	for (const sandbox of sandboxes)
	{
		assert.deepEqual(await sandbox.stop(), { code: 0, signal: null });
		assert.equal(sandbox.events('message_taken_over').length, 0);
	}
});

test('each session is leased by one sandbox at a time, and given back when that one ends', async () =>
{
	const sessions = await makeSessions(4);
	const first = await Sandbox.start(cluster, { args: ['--owner', 'first'] });
	const owners = async () => (await db.sql('SELECT DISTINCT lease_owner AS o FROM wa.session WHERE org_id = $1', [org.uuid])).map((row) => row.o);

	await until('all are leased', async () => (await owners()).join() === 'first');

	const second = await Sandbox.start(cluster, { args: ['--owner', 'second'] });
	const total = await sendTexts(sessions, 3);

	await untilAllAnswered(total);
	assert.deepEqual(await owners(), ['first']);
	await first.stop();
	await until('the second has them', async () => (await owners()).join() === 'second');
	await sendTexts(sessions, 3);
	await untilAllAnswered(2 * total);
	await second.stop();
});

test('a sandbox that is asked to end finishes what it has taken', async () =>
{
	const sessions = await makeSessions(2);
	const sandbox = await Sandbox.start(cluster, { stepMs: 2000 });
	const total = await sendTexts(sessions, 5);

	await until('all are taken', async () => await count("status = 'sending'") === total);
	assert.deepEqual(await sandbox.stop(), { code: 0, signal: null });
	assert.ok((await outcome()).every((row) => row.status === 'read' && row.echoes === '1'));
});

test('what a sandbox has taken it drops when its session is logged out, stopped or deleted', async () =>
{
	const [out, stopped, deleted, stays] = await makeSessions(4);
	const sandbox = await Sandbox.start(cluster, { stepMs: 4000 });
	const of = (session) => count(`session_id = '${session.uuid}' AND status = 'sending'`);
	const end = async (session, command) => assert.ok((await client.request(command === undefined ? 'DELETE' : 'POST',
		`/api/v1/sessions/${session.id}${command === undefined ? '' : `:${command}`}`, { key })).status < 300);

	await sendTexts([out, stopped, deleted], 2);
	await until('all are taken', async () => await of(out) + await of(stopped) + await of(deleted) === 6);
	await Promise.all([end(out, 'logout'), end(stopped, 'stop'), end(deleted)]);
	await until('they are dropped', () => sandbox.events('message_forgotten').length === 6);
	await until('so are the sessions', () => sandbox.events('session_gone').length === 3);

	/* the sandbox goes on, and what it sends now would have been sent behind them */
	await sendTexts([stays], 1);
	await until('another is sent', async () => await count(`session_id = '${stays.uuid}' AND direction = 'out' AND status NOT IN ('queued', 'sending')`) === 1);
	assert.equal(await of(out), 2);
	assert.equal(await of(stopped), 2);

	/* when their leases are over the one is not sent any more, the other by whoever starts it again */
	await endLeases();
	assert.ok(Number(await db.value("SELECT wa.housekeep('unsent')")) > 0);
	assert.equal(await count(`session_id = '${out.uuid}' AND status = 'failed' AND error = 'session was logged out before WhatsApp confirmed it'`), 2);
	await end(stopped, 'start');
	await until('it is sent', async () => await count(`session_id = '${stopped.uuid}' AND direction = 'out' AND status NOT IN ('queued', 'sending', 'failed')`) === 2);
	await sandbox.stop();
});

test('what a killed sandbox had taken is sent once by another, when the lease is over and not before', async () =>
{
	const sessions = await makeSessions(3);
	const killed = await Sandbox.start(cluster, { stepMs: SLOW });
	const total = await sendTexts(sessions, 5);

	await until('all are taken', async () => await count("status = 'sending'") === total);
	killed.kill('SIGKILL');
	assert.equal((await killed.exited).signal, 'SIGKILL');

	const heir = await Sandbox.start(cluster);
	const idle = await createSession(db, org, { connector: 'sandbox' });

	/* a message that came later is answered while the others still wait */
	await sendTexts([idle], 1);
	await untilAllAnswered(1);
	assert.equal(await count("status = 'sending'"), total);

	await endLeases();
	await untilAllAnswered(total + 1);
	await until('all are read', async () => await count("direction = 'out' AND status = 'read'") === total + 1);
	await until('each is told', () => heir.events('message_taken_over').length === total);
	assert.ok((await outcome()).every((row) => row.echoes === '1'));
	assert.equal(await count("direction = 'in'"), total + 1);
	await heir.stop();
});

test('killed in the middle of everything: no message is sent twice, none is lost', async () =>
{
	const sessions = await makeSessions(4);
	const heirs = [];
	let total = 0;

	/* again and again, at whatever point the work on each message has got to */
	for (let round = 0; round < 3; round++)
	{
		const killed = await Sandbox.start(cluster, { stepMs: 40 });
		const answered = await count("direction = 'in'");

		await endLeases();
		for (let i = 0; i < 6; i++)
			total += await sendTexts(sessions, 1);
		await until('it has answered something', async () => await count("direction = 'in'") > answered, { pauseMs: 1 });
		total += await sendTexts(sessions, 1);
		killed.kill('SIGKILL');
		await killed.exited;
	}
	for (let i = 0; i < 2; i++)
		heirs.push(await Sandbox.start(cluster));
	await endLeases();

	/*
	 * What had been sent stays as it was, for the telephone that would have answered has
	 * died with its sandbox; all else is answered once.  A sandbox ends when it is done with
	 * all that it has.
	 */
	await until('nothing is on its way', async () => await count("direction = 'out' AND status IN ('queued', 'sending')") === 0);
	for (const heir of heirs)
		await heir.stop();

	const rows = await outcome();

	assert.equal(rows.length, total);
	assert.ok(rows.every((row) => Number(row.echoes) <= 1), 'no message is answered twice');
	assert.ok(rows.every((row) => ['sent', 'delivered', 'read'].includes(row.status)), 'every message is sent');
	assert.ok(rows.filter((row) => row.echoes === '1').every((row) => row.status === 'read'));
	assert.equal(Number(await db.value("SELECT count(DISTINCT wa_message_id) FROM wa.message WHERE org_id = $1 AND direction = 'out'", [org.uuid])), total);
});

test('the database goes away and comes back: the sandbox goes on, and nothing is sent twice', async () =>
{
	const sessions = await makeSessions(3);
	const sandbox = await Sandbox.start(cluster, { stepMs: 30 });
	const total = await sendTexts(sessions, 8);

	await until('it has begun', async () => await count("direction = 'in'") > 0, { pauseMs: 1 });
	await db.sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [SANDBOX_LOGIN]);
	await until('it has connected again', () => sandbox.events('database_connected').length > 1);
	await endLeases();
	await untilAllAnswered(total);
	await until('all are read', async () => await count("direction = 'out' AND status = 'read'") === total);
	assert.ok((await outcome()).every((row) => row.echoes === '1'));
	assert.deepEqual(await sandbox.stop(), { code: 0, signal: null });
});

/* An ordinal is that of a transaction. */
test('what is due together is reported in one transaction, in its order', async () =>
{
	const [session] = await makeSessions(1);
	const total = await sendTexts([session], 20);
	const sandbox = await Sandbox.start(cluster);

	await untilAllAnswered(total);
	await until('all are read', async () => await count("direction = 'out' AND status = 'read'") === total);
	for (const status of ['sent', 'delivered', 'read'])
	{
		const rows = await db.sql(`
			SELECT e.epoch || '.' || e.ordinal AS transaction, e.envelope::json -> 'payload' ->> 'id' AS message
			FROM wa.event e
			WHERE e.org_id = $1 AND e.type = 'message.status' AND e.envelope::json -> 'payload' ->> 'status' = $2
			ORDER BY e.epoch, e.ordinal, e.id`, [org.uuid, status]);

		assert.equal(rows.length, total);
		assert.ok(new Set(rows.map((row) => row.transaction)).size <= total / 4, status);
		assert.deepEqual(rows.map((row) => row.message), rows.map((row) => row.message).sort(), status);
	}
	await sandbox.stop();
});

test('a sandbox whose login is no connector says so and ends', () =>
{
	const { code, stderr } = run(path.join(PROGRAMS, 'wa-sandbox'), ['--database', conninfo(cluster, 'wa', GATEWAY_LOGIN)]);

	assert.equal(code, 1);
	assert.match(stderr, /event=cannot_start/);
});
