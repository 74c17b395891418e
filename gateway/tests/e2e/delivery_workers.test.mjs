/*
 * delivery_workers.test.mjs
 *		Several workers share the webhooks, stop gently, take over from the dead, outlive the database.
 */
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { WORKER_LOGIN, prepareCluster } from './harness/cluster.mjs';
import { PROGRAMS, run, until } from './harness/processes.mjs';
import { Gateway, Worker, conninfo } from './harness/programs.mjs';
import { Receiver } from './harness/receiver.mjs';
import { createChat, createKey, createMessage, createOrg, createSession } from './harness/tenants.mjs';

/* A lease that a worker has time to renew on a busy machine. */
const LEASE_SECONDS = 5;

let cluster, db, org, chats;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
});

beforeEach(async () =>
{
	await db.sql('UPDATE wa.webhook SET active = false');
	org = await createOrg(db, 'Acme');
	chats = [];
	for (let i = 0; i < 3; i++)
		chats.push(await createChat(db, await createSession(db, org), '15551230001@s.whatsapp.net'));
});

const hook = (receiver) => db.value(`
	INSERT INTO wa.webhook (org_id, url, secret, events) VALUES ($1, $2, 'a-secret-of-sixteen', '{message}') RETURNING id`,
	[org.uuid, receiver.url]);

let texts = 0;

/* Messages that arrive, and with them the events; returns how many there are. */
async function receive(count)
{
	for (let i = 0; i < count; i++)
		await createMessage(db, chats[i % chats.length], `text ${++texts}`);
	return count;
}

const ids = (receiver) => receiver.requests.map(({ json }) => json.id);
const distinct = (receiver) => new Set(ids(receiver)).size;
const open = () => db.value("SELECT count(*)::int FROM wa.delivery d JOIN wa.webhook w ON w.id = d.webhook_id AND w.active WHERE d.status <> 'delivered'");
const allDelivered = () => until('all is delivered', async () => Number(await open()) === 0);
const leases = () => db.sql('SELECT webhook_id, lease_owner FROM wa.webhook_lane WHERE lease_until > clock_timestamp()');

test('a login that is no worker, or a bad setting, is refused at the start', async () =>
{
	const start = (...args) => run(`${PROGRAMS}/wa-worker`, ['--database-wait', '0', '--database', conninfo(cluster, 'wa', WORKER_LOGIN), ...args]);
	const refusals = [
		[['--allow-target', '10.0.0.0/33'], 1, /--allow-target takes/], [['--resolver', 'localhost'], 1, /--resolver takes/],
		[['--ca-file', '/does/not/exist'], 1, /cannot be read/], [['--metrics', 'nowhere'], 1, /cannot_start/],
		[['--timeout', '0'], 2, /timeout/], [['--unknown'], 2, /unknown/],
		[['--database', conninfo(cluster, 'wa', 'wa_gateway_login')], 1, /statement/],
		[['--database', conninfo(cluster, 'wa', 'postgres')], 1, /login_not_superuser/],
	];

	for (const [args, code, words] of refusals)
	{
		const ended = start(...args);

		assert.equal(ended.code, code, args.join(' '));
		assert.match(ended.stderr, words);
	}
	assert.equal(start('--check-config').code, 0);
});

test('several workers share the webhooks, and nothing comes twice', async () =>
{
	const receivers = await Promise.all(Array.from({ length: 6 }, () => Receiver.start()));

	for (const receiver of receivers)
		await hook(receiver);
	const workers = await Promise.all(Array.from({ length: 3 }, () => Worker.start(cluster)));
	const count = await receive(90);

	await allDelivered();
	for (const receiver of receivers)
	{
		assert.equal(receiver.requests.length, count);
		assert.equal(distinct(receiver), count);
	}
	for (const worker of workers)
		assert.equal((await worker.stop()).code, 0);
	assert.deepEqual(await leases(), []);
});

test('a worker that is told to stop finishes what it has begun and gives the rest back', async () =>
{
	const receiver = await Receiver.start({ answer: (request, response) => setTimeout(() => response.end(), 400) });

	await hook(receiver);
	const count = await receive(30);
	const worker = await Worker.start(cluster);

	await until('some are under way', () => receiver.requests.length > 0);
	assert.deepEqual(await worker.stop(), { code: 0, signal: null });
	const begun = receiver.requests.length;

	assert.ok(begun < count);
	assert.deepEqual(await leases(), []);
	assert.equal(Number(await db.value("SELECT count(*)::int FROM wa.delivery d JOIN wa.webhook w ON w.id = d.webhook_id AND w.active WHERE d.status = 'delivered'")), begun);
	assert.equal(Number(await db.value("SELECT count(*)::int FROM wa.delivery d JOIN wa.webhook w ON w.id = d.webhook_id AND w.active WHERE d.status = 'failed'")), 0);
	receiver.answer = (request, response) => response.end();
	const next = await Worker.start(cluster);

	await allDelivered();
	assert.equal(receiver.requests.length, count);
	await next.stop();
});

test('a second signal cuts what is under way', async () =>
{
	const receiver = await Receiver.start({ answer: () => {} });

	await hook(receiver);
	await receive(1);
	const worker = await Worker.start(cluster);

	await until('it is under way', () => receiver.requests.length === 1);
	worker.kill('SIGTERM');
	await until('it drains', () => worker.events('draining').length === 1);
	worker.kill('SIGTERM');
	assert.equal((await worker.exited).code, 0);
	/* the attempt did not come to its own end, which would be that of its time */
	assert.deepEqual(await db.sql("SELECT d.status, d.attempts::int FROM wa.delivery d JOIN wa.webhook w ON w.id = d.webhook_id AND w.active"), [{ status: 'pending', attempts: '0' }]);
});

test('when a worker is killed, another sends again what was not reported: same id and bytes', async () =>
{
	const receiver = await Receiver.start({ answer: () => {} });

	await hook(receiver);
	const count = await receive(12);
	const killed = await Worker.start(cluster, { args: ['--lease', '2'] });

	await until('some are under way', () => receiver.requests.length >= 3);
	killed.kill('SIGKILL');
	await killed.exited;
	receiver.answer = (request, response) => response.end();
	const next = await Worker.start(cluster);
	await allDelivered();
	assert.equal(distinct(receiver), count);
	assert.equal(new Set(receiver.requests.map(({ body }) => body)).size, count);
	await next.stop();
});

test('a lease is renewed for as long as it is needed', async () =>
{
	const receiver = await Receiver.start({ answer: (request, response) => setTimeout(() => response.end(), 1300) });
	const args = ['--lease', String(LEASE_SECONDS)];

	await hook(receiver);
	const workers = [await Worker.start(cluster, { args }), await Worker.start(cluster, { args })];
	const begun = performance.now();

	const count = await receive(18);
	await until('it is held', async () => (await leases()).length === 1);
	const [{ lease_owner: owner }] = await leases();

	while (receiver.requests.length < count)
	{
		assert.equal((await leases())[0]?.lease_owner, owner);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	assert.ok(performance.now() - begun > 1000 * LEASE_SECONDS);
	await allDelivered();
	assert.equal(receiver.requests.length, count);
	await Promise.all(workers.map((worker) => worker.stop()));
});

test('a worker outlives its database, and nothing is lost', async () =>
{
	const receiver = await Receiver.start({ answer: (request, response) => setTimeout(() => response.end(), 20) });

	await hook(receiver);
	const worker = await Worker.start(cluster, { args: ['--lease', '2'] });
	const count = await receive(40);

	await until('some have come', () => receiver.requests.length > 5);
	cluster.crash();
	await until('it has noticed', () => worker.events('database_connection_broken').length > 0);
	cluster.start();
	db = await cluster.open('wa');
	await allDelivered();
	assert.equal(distinct(receiver), count);
	assert.equal((await worker.stop()).code, 0);
});

test('what has expired is taken away', async () =>
{
	const receiver = await Receiver.start();

	await hook(receiver);
	const worker = await Worker.start(cluster, { args: ['--housekeeping', '1', '--metrics', '127.0.0.1:0'] });

	await receive(20);
	await allDelivered();
	await db.sql("UPDATE wa.event SET created_at = now() - interval '30 days' WHERE org_id = $1", [org.uuid]);
	await until('the events are gone', async () => Number(await db.value('SELECT count(*)::int FROM wa.event WHERE org_id = $1', [org.uuid])) === 0);
	await until('it is counted', async () =>
		/wa_housekeeping_rows_total\{task="events"\} [1-9]/.test(await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text()));
	await worker.stop();
});

test('a session with thousands of queued messages is logged out at once, and the worker fails the rest', async () =>
{
	const gateway = await Gateway.start(cluster);
	const key = await createKey(db, org, ['read', 'send', 'manage']);
	const session = await createSession(db, org);
	const jid = '15551230000@s.whatsapp.net';
	const failed = () => db.value("SELECT count(*) FROM wa.message WHERE org_id = $1 AND session_id = $2 AND status = 'failed'", [org.uuid, session.uuid]);

	await createChat(db, session, jid);
	await db.sql(`INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status)
		SELECT $1, $2, $3, 'out', 'text', 'x', 'queued' FROM generate_series(1, 2200)`, [org.uuid, session.uuid, jid]);
	assert.equal((await gateway.client.post(`/api/v1/sessions/${session.id}:logout`, key.secret)).status, 200);
	assert.equal(await failed(), '1000');

	const worker = await Worker.start(cluster, { args: ['--housekeeping', '1', '--metrics', '127.0.0.1:0'] });

	await until('all have failed', async () => await failed() === '2200');
	await until('it is counted', async () =>
		/wa_housekeeping_rows_total\{task="unsent"\} [1-9]/.test(await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text()));
	assert.equal(await db.value("SELECT count(*) FROM wa.event WHERE org_id = $1 AND session_id = $2 AND type = 'message.status'", [org.uuid, session.uuid]), '2200');
	await worker.stop();
	await gateway.stop();
});

test('a session with thousands of messages is deleted at once, a large chat is read at once, and the worker does the rest', async () =>
{
	const gateway = await Gateway.start(cluster);
	const key = await createKey(db, org, ['read', 'send', 'manage']);
	const sessions = [await createSession(db, org), await createSession(db, org)];
	const [deleted, read] = sessions.map(({ id }) => `/api/v1/sessions/${id}`);
	const jid = '15551230000@s.whatsapp.net';
	const left = (session, more = '') => db.value(`SELECT count(*) FROM wa.message WHERE org_id = $1 AND session_id = $2 ${more}`, [org.uuid, session.uuid]);

	for (const session of sessions)
	{
		await createChat(db, session, jid);
		await db.sql(`INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status)
			SELECT $1, $2, $3, 'in', 'text', 'x', 'delivered' FROM generate_series(1, 3000)`, [org.uuid, session.uuid, jid]);
	}

	const oldest = await db.value("SELECT wa.typeid('msg', id) FROM wa.message WHERE org_id = $1 AND session_id = $2 ORDER BY id LIMIT 1", [org.uuid, sessions[1].uuid]);

	assert.equal((await gateway.client.request('DELETE', deleted, { key: key.secret })).status, 204);
	assert.equal((await gateway.client.post(`${read}/chats/${jid}/read`, key.secret)).json.unreadCount, 0);

	/* before any row was touched */
	assert.equal(await left(sessions[0]), '3000');
	assert.equal(await left(sessions[1], "AND status = 'read'"), '1000');
	for (const path of ['', '/chats', `/chats/${jid}`, `/chats/${jid}/messages`, '/contacts'])
		assert.equal((await gateway.client.get(`${deleted}${path}`, key.secret)).status, 404, path);
	assert.ok((await gateway.client.get('/api/v1/sessions?limit=200', key.secret)).json.data.every(({ id }) => id !== sessions[0].id));
	assert.equal((await gateway.client.request('DELETE', deleted, { key: key.secret })).status, 404);
	assert.equal((await gateway.client.get(`${read}/messages/${oldest}`, key.secret)).json.status, 'read');

	const worker = await Worker.start(cluster, { args: ['--housekeeping', '1', '--metrics', '127.0.0.1:0'] });
	const counted = async (task) => new RegExp(`wa_housekeeping_rows_total\\{task="${task}"\\} [1-9]`).test(await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text());

	await until('the rows are gone', async () => await db.value('SELECT count(*) FROM wa.session WHERE id = $1', [sessions[0].uuid]) === '0');
	assert.equal(await left(sessions[0]), '0');
	await until('all are marked', async () => await left(sessions[1], "AND status = 'read'") === '3000');
	await until('both are counted', async () => await counted('deleted_sessions') && await counted('read_chats'));
	assert.equal((await gateway.client.get(`${read}/messages/${oldest}`, key.secret)).json.status, 'read');
	await worker.stop();
	await gateway.stop();
});
