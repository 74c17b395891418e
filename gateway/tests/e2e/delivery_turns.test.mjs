/*
 * delivery_turns.test.mjs
 *		Webhooks that always have something to deliver do not keep their places in a worker.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { until } from './harness/processes.mjs';
import { Worker } from './harness/programs.mjs';
import { Receiver } from './harness/receiver.mjs';
import { createChat, createMessage, createOrg, createSession } from './harness/tenants.mjs';

/* A worker holds 96 of one organization. */
const WEBHOOKS = 120;

/* More than fits into a turn: one after the other, because they are of one session. */
const MESSAGES = 40;
const ANSWER_MS = 1500;

test('a webhook that finds no place gets one when the turn of another is over', async () =>
{
	const cluster = prepareCluster();
	const db = await cluster.open('wa');
	const org = await createOrg(db, 'Busy');
	const chat = await createChat(db, await createSession(db, org), '15551230001@s.whatsapp.net');
	const receiver = await Receiver.start({ answer: (request, response) => setTimeout(() => response.end(), ANSWER_MS) });

	await db.sql(`INSERT INTO wa.webhook (org_id, url, secret, events)
		SELECT $1, $2 || '/' || n, 'a-secret-of-sixteen', '{message}' FROM generate_series(1, $3::int) n`, [org.uuid, receiver.url, WEBHOOKS]);
	for (let i = 0; i < MESSAGES; i++)
		await createMessage(db, chat, `text ${i}`);

	const worker = await Worker.start(cluster);
	const idsByPath = () => receiver.requests.reduce((found, { path, json }) => found.set(path, [...found.get(path) ?? [], json.id]), new Map());

	await until('each webhook had its turn', () => idsByPath().size === WEBHOOKS, { seconds: 120 });
	for (const [path, ids] of idsByPath())
	{
		assert.ok(ids.length < MESSAGES, `${path} had all of its ${ids.length} before others had any`);
		/* what was given back comes once */
		assert.equal(new Set(ids).size, ids.length, path);
	}
	assert.equal((await worker.stop()).code, 0);
});
