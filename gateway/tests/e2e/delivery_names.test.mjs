/*
 * delivery_names.test.mjs
 *		Names that never answer cost their own organization time, and nobody else.
 */
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { until } from './harness/processes.mjs';
import { Worker } from './harness/programs.mjs';
import { NameServer, Receiver } from './harness/receiver.mjs';
import { createChat, createMessage, createOrg, createSession } from './harness/tenants.mjs';

/* Several times the webhooks that a worker holds, each with a name of its own. */
const SILENT = 400;

/* What a worker holds of one organization; 32 of its 128 places are kept for the others. */
const HELD = 96;

let db, names, records;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	/* "silent…" gets no answer, and what is not in records does not exist */
	names = await NameServer.start((name) => (name.startsWith('silent') ? undefined : records[name] ?? null));
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

	return { org, receive: (text) => createMessage(db, chat, text) };
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
	assert.equal(await count(alive, "status <> 'delivered'"), 0);
});

test('a name that failed is not asked for again at once, and is asked for later', async () =>
{
	const org = await tenant('Late');
	const receiver = await Receiver.start();

	await hooks(org, [`http://late.example:${receiver.port}/`], 8);
	await Promise.all(Array.from({ length: 8 }, (_, i) => org.receive(`text ${i}`)));
	await until('each was tried', async () => await count(org, "status = 'failed'") === 8);
	assert.equal(names.asked.get('late.example'), 1);
	records['late.example'] = ['127.0.0.1'];
	await until('all are delivered', async () => await count(org, "status <> 'delivered'") === 0);
	assert.equal(receiver.requests.length, 8);
});
