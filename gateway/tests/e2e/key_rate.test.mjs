/*
 * key_rate.test.mjs
 *		Keys that may make so many requests a minute: what is answered, and that all gateways
 *		count together.
 *
 * The rates are low, so that nothing comes back while a test runs, except where that is tested.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { tokenOf } from './harness/people.mjs';
import { makePlace, until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { Socket, openRefused } from './harness/socket.mjs';
import { createKey, createOrg, createPerson, createSession } from './harness/tenants.mjs';

const ME = '/api/v1/me';

let cluster, db, gateway, second;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	gateway = await Gateway.start(cluster);
	second = await Gateway.start(cluster, { workers: 2 });
});

async function keysOf(name)
{
	const org = await createOrg(db, name);
	const bearer = await tokenOf(gateway.client, await createPerson(db, { org }));
	const call = (method, path, json) => gateway.client.request(method, `/api/v1/api-keys${path}`, { bearer, json });
	const make = async (rateLimit, permissions = ['read', 'events']) => (await call('POST', '', { name: `${name} ${JSON.stringify(rateLimit)}`, permissions, rateLimit })).json;

	return { org, call, make };
}

const rateOf = ({ headers }) => [headers['ratelimit-policy'], headers.ratelimit];

test('every answer to a key with a rate says what is left, and the request after the burst is a 429', async () =>
{
	const { org, make } = await keysOf('Rates');
	const key = await make({ requestsPerMinute: 1, burst: 5 });
	const other = await make({ requestsPerMinute: 2 });
	const free = await createKey(db, org);
	const policy = '"key";q=1;w=60';

	assert.deepEqual([key.rateLimit, other.rateLimit], [{ requestsPerMinute: 1, burst: 5 }, { requestsPerMinute: 2, burst: 1 }]);
	for (const [left, path, status] of [[4, ME, 200], [3, '/api/v1/sessions/none', 404], [2, '/api/v1/sessions?limit=0', 400], [1, '/api/v1/events', 200], [0, ME, 200]])
	{
		const answer = await gateway.client.get(path, key.key);

		assert.equal(answer.status, status, path);
		assert.equal(answer.headers['ratelimit-policy'], policy);

		const [, r, t] = /^"key";r=([0-9]+);t=([0-9]+)$/.exec(answer.headers.ratelimit);

		assert.equal(Number(r), left);
		assert.ok(t > (5 - left - 1) * 60 && t <= (5 - left) * 60, t);
	}
	// A missing permission is said first, and costs nothing.
	assert.equal((await gateway.client.request('POST', '/api/v1/sessions', { key: key.key, json: {} })).status, 403);
	for (let i = 0; i < 3; i++)
	{
		const answer = await gateway.client.get(ME, key.key);

		assert.equal(answer.status, 429);
		assert.deepEqual(answer.json, { error: { code: 'rate_limited', message: 'this key has made as many requests as it may', details: { limit: 'requestsPerMinute' } } });
		assert.ok(answer.headers['retry-after'] > 0 && answer.headers['retry-after'] <= 60, answer.headers['retry-after']);
		assert.equal(answer.headers['ratelimit-policy'], policy);
		assert.match(answer.headers.ratelimit, /^"key";r=0;t=[0-9]+$/);
	}
	// Other keys of the organization are not affected; without a rate nothing is said of one.
	assert.deepEqual(rateOf(await gateway.client.get(ME, other.key)), ['"key";q=2;w=60', '"key";r=0;t=30']);
	assert.deepEqual(rateOf(await gateway.client.get(ME, free.secret)), [undefined, undefined]);
});

test('several processes of several gateways let exactly the burst through', async () =>
{
	const { make } = await keysOf('Together');
	const key = await make({ requestsPerMinute: 1, burst: 40 });
	const asked = Array.from({ length: 120 }, (_, i) => (i % 2 === 0 ? gateway : second).client.get(ME, key.key));
	const statuses = (await Promise.all(asked)).map(({ status }) => status);

	assert.deepEqual([statuses.filter((status) => status === 200).length, statuses.filter((status) => status === 429).length], [40, 80]);
});

test('what was used comes back, and another rate holds from the next request on', async () =>
{
	const { make, call } = await keysOf('Changes');
	const key = await make({ requestsPerMinute: 600, burst: 1 });
	const status = async () => (await gateway.client.get(ME, key.key)).status;
	const change = async (rateLimit) => (await call('PATCH', `/${key.id}`, { rateLimit })).json.rateLimit;

	for (let i = 0; i < 3; i++)
		await until('it is accepted', async () => await status() === 200);
	assert.deepEqual(await change({ requestsPerMinute: 1, burst: 3 }), { requestsPerMinute: 1, burst: 3 });
	await until('the burst is used', async () => await status() === 429);
	assert.deepEqual(await change({ requestsPerMinute: 1, burst: 5 }), { requestsPerMinute: 1, burst: 5 });
	assert.deepEqual([await status(), await status(), await status()], [200, 200, 429]);
	assert.deepEqual((await call('PATCH', `/${key.id}`, { name: 'another' })).json.rateLimit, { requestsPerMinute: 1, burst: 5 });
	assert.equal(await change(null), undefined);
	for (let i = 0; i < 20; i++)
		assert.equal(await status(), 200);
	await change({ requestsPerMinute: 1 });

	const rotated = (await call('POST', `/${key.id}/rotate`, {})).json;

	assert.deepEqual(rotated.rateLimit, { requestsPerMinute: 1, burst: 1 });
	assert.deepEqual((await call('GET', '')).json.data.map(({ rateLimit }) => rateLimit), [rotated.rateLimit, rotated.rateLimit]);
});

test('what is wrong with a rate is named', async () =>
{
	const { make, call } = await keysOf('Problems');
	const key = await make({ requestsPerMinute: 60, burst: 10 });

	for (const [rateLimit, field, problem] of [
		[{}, 'rateLimit.requestsPerMinute', 'is required'],
		[{ requestsPerMinute: 0 }, 'rateLimit.requestsPerMinute', 'must be a whole number from 1 to 1000000'],
		[{ requestsPerMinute: 1.5 }, 'rateLimit.requestsPerMinute', 'must be a whole number from 1 to 1000000'],
		[{ requestsPerMinute: 1, burst: 61 }, 'rateLimit.burst', 'must be from 1 to 60, as many as are allowed in an hour'],
		[{ requestsPerMinute: 1, burst: '1' }, 'rateLimit.burst', 'must be a whole number from 1 to 1000000'],
		[{ requestsPerMinute: 1, second: 1 }, 'rateLimit', '"second" is not known here'],
		[60, 'rateLimit', 'must be an object'],
	])
	{
		for (const answer of [await call('POST', '', { name: 'wrong', permissions: ['read'], rateLimit }), await call('PATCH', `/${key.id}`, { rateLimit })])
			assert.deepEqual([answer.status, answer.json.error.details], [400, { [field]: problem }], JSON.stringify(rateLimit));
	}
	assert.equal((await call('GET', '')).json.data.length, 1);
});

test('a request with a large body counts twice: its sender is asked for before the body is read', async () =>
{
	const { make } = await keysOf('Large');
	const key = await make({ requestsPerMinute: 1, burst: 5 }, ['send']);
	const send = async (text) => await gateway.client.request('POST', '/api/v1/sessions/none/messages', { key: key.key, json: { to: '15550001111', type: 'text', text } });
	const left = async (text) =>
	{
		const answer = await send(text);

		assert.equal(answer.status, 404);
		return /r=([0-9]+)/.exec(answer.headers.ratelimit)[1];
	};

	assert.equal(await left('x'), '4');
	assert.equal(await left('😀'.repeat(20000)), '2');
	assert.equal(await left('x'), '1');
});

test('a message with a file in it counts three times: it is asked for, its file is noted, and it is sent', async () =>
{
	const { org, make } = await keysOf('Files');
	const key = await make({ requestsPerMinute: 1, burst: 20 }, ['send']);
	const session = await createSession(db, org);
	const { client } = await Gateway.start(cluster, { args: ['--media-dir', makePlace()] });
	const left = async (bytes) =>
	{
		const answer = await client.request('POST', `/api/v1/sessions/${session.id}/messages`, { key: key.key,
			json: { to: '15550001111', type: 'document', media: { data: Buffer.alloc(bytes, bytes).toString('base64') } } });

		assert.equal(answer.status, 202, answer.text);
		return /r=([0-9]+)/.exec(answer.headers.ratelimit)[1];
	};

	assert.equal(await left(10), '17');
	assert.equal(await left(100000), '13');
});

test('opening a socket by key or making a ticket is a request; what the socket reads is none', async () =>
{
	const { org, make } = await keysOf('Sockets');
	const key = await make({ requestsPerMinute: 1, burst: 2 });
	const { json: { ticket } } = await gateway.client.request('POST', '/api/v1/realtime/ticket', { key: key.key, json: {} });
	const socket = await Socket.open(gateway, { key: key.key });
	const refused = await openRefused(gateway, { key: key.key });

	assert.deepEqual([refused.status, refused.json.error.details], [429, { limit: 'requestsPerMinute' }]);
	assert.ok(refused.headers['retry-after'] > 1, refused.headers['retry-after']);
	assert.match(refused.headers.ratelimit, /^"key";r=0;/);

	const byTicket = await Socket.open(gateway, { ticket });

	for (let i = 0; i < 20; i++)
		await db.sql('INSERT INTO wa.session (org_id, label) VALUES ($1, $2)', [org.uuid, `session ${i}`]);
	await db.sql('UPDATE wa.session SET status = $2 WHERE org_id = $1', [org.uuid, 'working']);
	await socket.waitFor(20);
	await byTicket.waitFor(20);
	assert.equal((await gateway.client.get(ME, key.key)).status, 429);
});

test('a refusal is in the access log; keys that are guessed count for nobody', async () =>
{
	const { make } = await keysOf('Log');
	const key = await make({ requestsPerMinute: 1, burst: 1 });

	for (let i = 0; i < 20; i++)
		assert.equal((await gateway.client.get(ME, `wa_guessed_${i}_of_this_organization`)).status, 401);
	assert.equal((await gateway.client.get(ME, key.key)).status, 200);

	const id = (await gateway.client.get(ME, key.key)).headers['x-request-id'];
	const line = await until('the line', () => gateway.events('request').find((each) => each.includes(`request_id=${id}`)));

	assert.match(line, /status=429 .*denied=rate/);
});

test('a crash of the server forgets the counts; without the preload a key with a rate is refused', async () =>
{
	const { org, make } = await keysOf('Restart');
	const key = await make({ requestsPerMinute: 1, burst: 1 });
	const free = await createKey(db, org);
	const accepts = async (secret) => await db.value(`SELECT wa.authenticate('${secret}', 'read') IS NOT NULL`);

	assert.equal(await accepts(key.key), 't');
	await assert.rejects(accepts(key.key), /too many requests/);
	await Promise.all([gateway.stop(), second.stop()]);
	await db.close();
	cluster.crash();
	cluster.start();
	db = await cluster.open('wa');
	assert.equal(await accepts(key.key), 't');
	await assert.rejects(accepts(key.key), /too many requests/);
	await db.close();
	cluster.stop();
	cluster.configure(["shared_preload_libraries = ''"]);
	cluster.start();
	db = await cluster.open('wa');
	await assert.rejects(accepts(key.key), /the requests of this key cannot be counted/);
	assert.equal(await accepts(free.secret), 't');
});
