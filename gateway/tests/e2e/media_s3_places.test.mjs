/*
 * media_s3_places.test.mjs
 *		Reads of a bucket that take long: organizations share the places for them.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, beforeEach, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Connection } from './harness/http.mjs';
import { makePlace, until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { BUCKET, KEY_ID, Relay, S3Server, SECRET } from './harness/s3.mjs';
import { createKey, createOrg } from './harness/tenants.mjs';

/* gateway/media/s3.h */
const PLACES = 256;
const BODY = 300_000;

let cluster, db, relay, gateway, orgs;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	relay = await Relay.start((await S3Server.start()).port);
	gateway = await Gateway.start(cluster, {
		args: ['--media-dir', makePlace(), '--media-s3-bucket', BUCKET, '--media-s3-endpoint', `http://127.0.0.1:${relay.port}`],
		env: { AWS_ACCESS_KEY_ID: KEY_ID, AWS_SECRET_ACCESS_KEY: SECRET },
	});
});

beforeEach(async () =>
{
	relay.reset();
	orgs = [];
	for (const name of ['A', 'B', 'C'])
	{
		const org = await createOrg(db, name);
		const key = await createKey(db, org, ['read', 'send']);
		const bytes = randomBytes(BODY);
		const made = await gateway.client.request('POST', '/api/v1/media', { key: key.secret, body: bytes });

		assert.equal(made.status, 201);
		orgs.push({ key, bytes, id: made.json.id });
	}
	relay.reset();
});

const read = ({ key, id }) => gateway.client.request('GET', `/api/v1/media/${id}`, { key: key.secret });

/* Begins reads that do not end. */
async function begin(count, { key, id })
{
	const all = [];

	for (let i = 0; i < count; i++)
	{
		const connection = await Connection.open(gateway.port);
		const slow = { connection, got: Buffer.alloc(0), over: false };

		connection.socket.removeAllListeners('data');
		connection.socket.on('data', (part) => { slow.got = Buffer.concat([slow.got, part]); });
		connection.ended.then(() => { slow.over = true; });
		connection.send(`GET /api/v1/media/${id} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nx-api-key: ${key.secret}\r\n\r\n`);
		all.push(slow);
	}
	return all;
}

/* The connections to the store; each has two sockets. */
const asked = (count) => until(`${count} reads have asked the store`, () => relay.sockets.size === 2 * count);

const close = (all) => all.forEach(({ connection }) => connection.close());

test('one organization gets half of the places, and others read', async () =>
{
	const [a, b] = orgs;

	relay.stopped = true;

	const slow = await begin(PLACES / 2, a);

	await asked(PLACES / 2);
	relay.stopped = false;
	assert.equal((await read(a)).status, 503);
	assert.ok((await read(b)).body.equals(b.bytes));
	assert.ok(slow.every(({ over }) => !over));
	close(slow);
	await until('there is a place again', async () => (await read(a)).status === 200);
});

test('when all places are taken by reads that the store does not answer, another organization reads at once', async () =>
{
	const [a, b, c] = orgs;

	relay.stopped = true;

	const slow = [...await begin(PLACES / 2, a), ...await begin(PLACES / 2, b)];

	await asked(PLACES);
	relay.stopped = false;
	assert.ok((await read(c)).body.equals(c.bytes));
	await until('one has lost its place', () => slow.some(({ over }) => over));

	const lost = slow.filter(({ over }) => over);

	assert.equal(lost.length, 1);
	assert.ok(lost[0].got.toString().startsWith('HTTP/1.1 503 '));
	close(slow);
});

test('a read loses its place in the middle of a file, too', async () =>
{
	const [a, b, c] = orgs;

	relay.stallAfter = BODY / 3;

	const slow = [...await begin(PLACES / 2, a), ...await begin(PLACES / 2, b)];

	await until('all have begun', () => slow.every(({ got }) => got.length > BODY / 4));
	relay.stallAfter = Infinity;
	assert.ok((await read(c)).body.equals(c.bytes));
	await until('one has lost its place', () => slow.some(({ over }) => over));

	const lost = slow.filter(({ over }) => over);

	assert.equal(lost.length, 1);
	assert.ok(lost[0].got.toString('latin1', 0, 20).startsWith('HTTP/1.1 200 '));
	assert.ok(lost[0].got.length < BODY, 'the connection is closed before the length that was said');
	close(slow);
});
