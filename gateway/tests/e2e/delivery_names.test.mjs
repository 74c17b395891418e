/*
 * delivery_names.test.mjs
 *		Names that never answer cost their own organization time, and nobody else.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, beforeEach, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { until } from './harness/processes.mjs';
import { Worker } from './harness/programs.mjs';
import { NameServer, Receiver } from './harness/receiver.mjs';
import { createChat, createMessage, createOrg, createSession } from './harness/tenants.mjs';

/* Several times the webhooks that a worker holds, each with a name of its own. */
const SILENT = 400;

/* What a worker holds of one organization, as its header says; the database decides it. */
const header = readFileSync(new URL('../../webhooks/dispatch.h', import.meta.url), 'utf8');
const [places, kept] = ['MAX', 'KEPT'].map((name) => Number(header.match(new RegExp(`#define DISPATCH_QUEUES_${name} (\\d+)\\b`))[1]));
const HELD = places - kept;

let db, names, records;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	/* "silent…" gets no answer, and what is not in records does not exist, "second…" only at first */
	names = await NameServer.start((name, n) =>
		(name.startsWith('silent') ? undefined : name.startsWith('second') && n === 0 ? null : records[name] ?? null));
	await Worker.start(cluster, { args: ['--resolver', names.address] });
});

beforeEach(async () =>
{
	await db.sql('UPDATE wa.webhook SET active = false');
	records = {};
	names.asked.clear();
});

async function tenant(name)
{
	const org = await createOrg(db, name);
	const chat = await createChat(db, await createSession(db, org), '15551230001@s.whatsapp.net');

	return {
		org,
		receive: (text) => createMessage(db, chat, text),
		/* in one transaction, so that they are delivered together */
		receiveMany: (n) => db.sql(`
			INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status)
			SELECT $1, $2, $3, 'in', 'text', 'text ' || i, 'delivered' FROM generate_series(1, $4::integer) i`,
			[org.uuid, chat.session.uuid, chat.jid, n]),
	};
}

const hooks = ({ org }, urls, pauseSeconds = 3600) => db.sql(`
	INSERT INTO wa.webhook (org_id, url, secret, events, retry_policy, retry_delay_seconds)
	SELECT $1, url, 'a-secret-of-sixteen', '{message}', 'constant', $3 FROM unnest(string_to_array($2, ' ')) url`, [org.uuid, urls.join(' '), pauseSeconds]);

const count = async ({ org }, condition) =>
	Number(await db.value(`SELECT count(*) FROM wa.delivery WHERE org_id = $1 AND ${condition}`, [org.uuid]));

const askedSilent = () => [...names.asked.keys()].filter((name) => name.startsWith('silent')).length;

test('an organization whose names never answer does not hold up another', async () =>
{
	const dead = await tenant('Dead');
	const alive = await tenant('Alive');
	const receiver = await Receiver.start();

	records['receiver.example'] = ['127.0.0.1'];
	await hooks(dead, Array.from({ length: SILENT }, (_, i) => `http://silent${i}.example/`));
	await hooks(alive, [`http://receiver.example:${receiver.port}/`]);
	await dead.receive('for nobody');
	await until('as many webhooks are held as the header says', async () => Number(await db.value(
		'SELECT count(*) FROM wa.webhook_lane WHERE org_id = $1 AND lease_until > clock_timestamp()', [dead.org.uuid])) === HELD);
	await until('as many names are asked for as may be', () => askedSilent() >= HELD);
	for (let i = 1; i <= 5; i++)
	{
		await alive.receive(`text ${i}`);
		await until('it is delivered', () => receiver.requests.length === i);
	}
	/* all that was delivered while others still wait for their first attempt */
	assert.ok(askedSilent() < SILENT, `${askedSilent()} names were asked for`);
	assert.ok(await count(dead, "status = 'pending'") > 0);
	assert.equal(await count(dead, "status = 'delivered'"), 0);
	await until('all are reported', async () => await count(alive, "status <> 'delivered'") === 0);
});

test('a name that failed is not asked for again at once, and is asked for later', async () =>
{
	const org = await tenant('Late');
	const receiver = await Receiver.start();

	await hooks(org, [`http://late.example:${receiver.port}/`], 8);
	await org.receiveMany(8);
	await until('each was tried', async () => await count(org, "status = 'failed'") === 8);
	assert.ok(names.asked.get('late.example') < 8, `${names.asked.get('late.example')} times`);
	records['late.example'] = ['127.0.0.1'];
	await until('all are delivered', async () => await count(org, "status <> 'delivered'") === 0);
	assert.equal(receiver.requests.length, 8);
});

test('the first retry asks for the name anew, after the shortest pause too', async () =>
{
	const org = await tenant('Second');
	const receiver = await Receiver.start();

	records['second.example'] = ['127.0.0.1'];
	await hooks(org, [`http://second.example:${receiver.port}/`], 1);
	await org.receive('text');
	await until('it is delivered', async () => await count(org, "status = 'delivered'") === 1);
	assert.equal(Number(await db.value('SELECT attempts FROM wa.delivery WHERE org_id = $1', [org.org.uuid])), 2);
});
