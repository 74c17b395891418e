/*
 * delivery_slow.test.mjs
 *		Receivers that do not answer cost those of other organizations nothing.
 *
 * The receivers of the hostile organizations answer when the test says so: after the other
 * organization has got what is its own.  A worker that waits for them waits for ever.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { until } from './harness/processes.mjs';
import { Worker } from './harness/programs.mjs';
import { Receiver } from './harness/receiver.mjs';
import { createOrg, createSession } from './harness/tenants.mjs';

/* A worker holds 128 webhooks, and 96 of one organization (dispatch.h). */
const PLACES = 128;
const OF_ONE = 96;

/* More than a turn has time for, one after the other; and what a turn of two seconds has. */
const EVENTS = 40;
const ANSWER_MS = 500;
const REQUESTS_MAX = 8;

let cluster, db;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
});

/* An organization with so many webhooks, each with events to deliver. */
async function hostile(name, receiver, webhooks, { events = 3, session = false } = {})
{
	const org = await createOrg(db, name);
	const of = session ? (await createSession(db, org)).uuid : null;

	await db.sql(`INSERT INTO wa.webhook (org_id, url, secret, events)
		SELECT $1, $2 || '/' || n, 'a-secret-of-sixteen', '{presence.update}' FROM generate_series(1, $3::int) n`, [org.uuid, receiver.url, webhooks]);
	await db.sql("SELECT wa.emit($1, 'presence.update', $2, '{}') FROM generate_series(1, $3::int)", [org.uuid, of, events]);
}

async function honest(name)
{
	const receiver = await Receiver.start();
	const org = await createOrg(db, name);
	const session = await createSession(db, org);

	await db.sql("INSERT INTO wa.webhook (org_id, url, secret, events) VALUES ($1, $2, 'a-secret-of-sixteen', '{message}')", [org.uuid, receiver.url]);
	return { receiver, emit: () => db.sql("SELECT wa.emit($1, 'message', $2, '{}')", [org.uuid, session.uuid]) };
}

/* Receivers that hold every request until they are let go. */
async function silent()
{
	const held = [];
	let free = false;
	const receiver = await Receiver.start({ answer: (request, response) => (free ? response.end() : held.push(response)) });

	return { receiver, held, letGo: () => { free = true; held.forEach((response) => response.end()); } };
}

const undelivered = () => db.value("SELECT count(*)::int FROM wa.delivery WHERE status <> 'delivered'").then(Number);

test('200 webhooks whose receivers do not answer hold up no other organization', async () =>
{
	const { receiver, held, letGo } = await silent();
	const other = await honest('Honest');

	await hostile('Hostile', receiver, 200);
	const worker = await Worker.start(cluster);

	/* one each, because they are of the same session, which is none */
	await until('the hostile one holds all that it can', () => held.length >= OF_ONE);

	/* a machine so slow that the worker gives them up takes others in their place meanwhile */
	let unaided = 0;

	for (let i = 1; i <= EVENTS && unaided < 10; i++)
	{
		const before = held.length;

		await other.emit();
		await until(`event ${i} of the other has arrived`, () => other.receiver.requests.length === i);
		unaided += held.length === before ? 1 : 0;
	}
	assert.equal(unaided, 10, 'none of the others had to end first');
	letGo();
	await until('all is delivered in the end', async () => await undelivered() === 0, { pauseMs: 200 });
	assert.equal((await worker.stop()).code, 0);
});

/*
 * With the turn of a worker that has places left each of them would be sent to twenty times.
 */
test('when all places are taken, nobody who has much to deliver keeps one for long', async () =>
{
	const receiver = await Receiver.start({ answer: (request, response) => setTimeout(() => response.end(), ANSWER_MS) });
	const other = await honest('Patient');

	for (let i = 1; i <= 5; i++)
		await hostile(`Hostile ${i}`, receiver, 60, { events: EVENTS, session: true });
	const worker = await Worker.start(cluster);

	await until('all places are taken', async () => Number(await db.value(
		'SELECT count(*)::int FROM wa.webhook_lane WHERE lease_until > clock_timestamp()')) === PLACES);
	const before = receiver.requests.length;

	await other.emit();
	await until('the other is served', () => other.receiver.requests.length === 1);

	const counts = receiver.requests.slice(before).reduce((found, { path, json }) =>
		found.set(path + json.organization, (found.get(path + json.organization) ?? 0) + 1), new Map());

	assert.ok(Math.max(...counts.values()) <= REQUESTS_MAX, `${Math.max(...counts.values())} requests to one of them came first`);
	worker.kill('SIGKILL');
});
