/*
 * bodies.test.mjs
 *		How large a body may be, when it is looked at, and what it may cost.
 *
 * Not sanitized: memory is measured.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareCluster } from './harness/cluster.mjs';
import { endpoints, nameOf } from './harness/endpoints.mjs';
import { createUnlimitedSession } from './harness/fixtures.mjs';
import { Connection } from './harness/http.mjs';
import { until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { createKey, createTenant } from './harness/tenants.mjs';

const MIB = 1 << 20;
const TYPE = { 'Content-Type': 'application/json' };

/* Right in form, with the right checksum, and never given to anybody. */
const NOBODYS = 'wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT';

let cluster, db, tenant, gateway, client, messages;

before(async () =>
{
	/* on a busy machine the gateway may be slow to send a large value */
	cluster = prepareCluster(['wa.idle_in_transaction_timeout = 60s']);
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	gateway = await Gateway.start(cluster);
	client = gateway.client;
	messages = `/api/v1/sessions/${tenant.session.id}/messages`;
});

const path = (pattern) => pattern.replace('{sessionId}', tenant.session.id).replace(/\{chat\}/, '15551230001@s.whatsapp.net').replace(/\{[a-zA-Z]+\}/, 'x');

for (const row of endpoints().filter(({ bodyMax, door }) => bodyMax !== undefined && door !== 'cookie'))
{
	test(`${nameOf(row)}: a body of ${row.bodyMax} bytes is read, one byte more is a 413`, async () =>
	{
		const ask = (size) => client.request(row.method, path(row.pattern), {
			key: row.door === 'credential' ? tenant.key.secret : undefined, body: `{"x":"${'x'.repeat(size - 8)}"}`, headers: TYPE });
		const [largest, larger] = [await ask(row.bodyMax), await ask(row.bodyMax + 1)];

		/* no endpoint knows an "x", and not all things of these names are there */
		assert.ok([400, 403, 404].includes(largest.status), `${largest.status} ${largest.text}`);
		assert.equal(larger.status, 413);
		assert.equal(larger.json.error.code, 'payload_too_large');
	});
}

/* What is answered when nothing but the head has been sent. */
async function behindTheHead(method, target, fields)
{
	const connection = await Connection.open(gateway.port);

	connection.send(`${method} ${target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${fields.join('\r\n')}\r\n\r\n`);
	const answer = await connection.answer();

	assert.equal(answer.headers.connection, 'close');
	connection.close();
	return answer;
}

test('who brings no credential, or asks for what is not there, hears so before the body', async () =>
{
	const size = `Content-Length: ${MIB}`;

	for (const how of [size, 'Transfer-Encoding: chunked', `${size}\r\nExpect: 100-continue`])
	{
		assert.equal((await behindTheHead('POST', messages, [how])).status, 401);
		assert.equal((await behindTheHead('POST', messages, [how, 'x-api-key: wa_x'])).status, 401);
		assert.equal((await behindTheHead('POST', messages, [how, `x-api-key: ${tenant.key.secret}`, 'Authorization: Bearer x'])).status, 400);
		assert.equal((await behindTheHead('POST', `${messages}?key=${tenant.key.secret}`, [how])).status, 400);
		assert.equal((await behindTheHead('POST', '/nowhere', [how])).status, 404);
		assert.equal((await behindTheHead('PUT', messages, [how])).status, 405);
		assert.equal((await behindTheHead('POST', '/auth/token', [how])).status, 401);
		assert.equal((await behindTheHead('POST', '/auth/sign-in', [how, 'Origin: https://elsewhere.test'])).status, 403);
	}
	assert.equal((await behindTheHead('POST', '/auth/sign-in', [size])).status, 413);
});

test('a large body is not looked at before the database has accepted its credential', async () =>
{
	const reader = (await createKey(db, tenant.org, ['read'])).secret;
	const ask = (key, body) => client.request('POST', messages, { key, body, headers: TYPE });
	const wrong = 'x'.repeat(MIB);

	assert.equal((await ask(NOBODYS, wrong)).status, 401);
	assert.equal((await ask(reader, wrong)).status, 403);
	assert.equal((await ask(tenant.key.secret, wrong)).status, 400);

	const data = Buffer.alloc(600000, 'x').toString('base64');
	const sent = await client.post(messages, tenant.key.secret,
		{ type: 'document', to: '15551230001', media: { data, mimetype: 'text/plain', filename: 'x.txt' } });

	assert.equal(sent.status, 202, sent.text);
});

test('the number of values in a body has a bound, names included', async () =>
{
	const ask = (count) => client.request('POST', '/api/v1/sessions',
		{ key: tenant.key.secret, body: `{"label":[${Array(count).fill('{}')}]}`, headers: TYPE });
	const [most, more] = [await ask(10000 - 3), await ask(10000 - 2)];

	assert.deepEqual(Object.keys(most.json.error.details), ['label']);
	assert.deepEqual(more.json.error.details, { body: `JSON has too many values, at line 1, column ${'{"label":['.length + 3 * 9997 + 1}` });
});

const mib = (name) => Number(new RegExp(`^${name}:\\s+([0-9]+) kB`, 'm').exec(fs.readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))[1]) / 1024;

test('many large bodies at once cost what they are long, and the memory is given back', async () =>
{
	const session = await createUnlimitedSession(db, tenant.org);
	const before = mib('VmRSS');
	const many = `{"type":"text","to":"15551230001","text":[${'{},'.repeat(MIB / 3 - 30)}{}]}`;
	const data = Buffer.alloc(700000, 'x').toString('base64');
	/*
	 * A request waits for another one's lock no longer than the login's lock_timeout, so none
	 * has to: each has a chat of its own, and one before them counts the session's queue.
	 */
	const fileFor = (i) => JSON.stringify({ type: 'document', to: String(15551230100 + i), media: { data, mimetype: 'text/plain', filename: 'x.txt' } });
	const ask = (body) => client.request('POST', `/api/v1/sessions/${session.id}/messages`, { key: tenant.key.secret, body, headers: TYPE });

	assert.ok(many.length <= MIB && fileFor(0).length <= MIB);
	assert.equal((await ask(fileFor(99))).status, 202);
	for (const [bodyFor, status] of [[() => many, 400], [fileFor, 202]])
		for (const answer of await Promise.all(Array.from({ length: 20 }, (_, i) => ask(bodyFor(i)))))
			assert.equal(answer.status, status, answer.text);
	assert.ok(mib('VmHWM') < before + 120, `${mib('VmHWM')} MiB at the highest`);
	await until('the memory is given back', () => mib('VmRSS') < before + 24);
});

/* Opens connections and sends of each a head and a part of its body, until all have. */
async function hold(count, bytes, from)
{
	const part = Buffer.alloc(bytes, 'x');

	return await Promise.all(Array.from({ length: count }, async () =>
	{
		const connection = await Connection.open(gateway.port, { from });

		connection.send(`POST ${messages} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nx-api-key: ${NOBODYS}\r\nContent-Length: ${MIB}\r\n\r\n`);
		await new Promise((resolve) => { connection.socket.write(part, resolve); });
		return connection;
	}));
}

/* Requests with this body, each on a connection of its own. */
async function send(count, from, session, key, body)
{
	return await Promise.all(Array.from({ length: count }, async () =>
	{
		const connection = await Connection.open(gateway.port, { from });

		connection.send(`POST /api/v1/sessions/${session.id}/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nx-api-key: ${key.secret}\r\n`
			+ `Content-Length: ${body.length}\r\n\r\n`);
		connection.socket.write(body);
		return connection;
	}));
}

/* Waits until a number is not 0 and has not changed for a while. */
async function settled(number)
{
	for (let before = 0; number() === 0 || number() !== before;)
	{
		before = number();
		await sleep(500);
	}
}

test('complete bodies that wait for a locked row of their organization keep no body of another one out', async () =>
{
	const other = await createTenant(db, 'Other');
	const session = await createUnlimitedSession(db, other.org);
	const holder = await cluster.open('wa');
	const body = Buffer.from(JSON.stringify({ type: 'document', to: '15551230001',
		media: { data: Buffer.alloc(786000, 'x').toString('base64'), mimetype: 'text/plain', filename: 'x.txt' } }));

	await holder.sql('BEGIN');
	await holder.sql('SELECT FROM wa.session WHERE id = $1 FOR UPDATE', [tenant.session.uuid]);
	const hogs = await send(300, '127.0.0.2', tenant.session, tenant.key, body);

	try
	{
		const answered = () => hogs.filter((hog) => hog.answers.length > 0);

		await settled(() => answered().length);
		for (const { status, json } of await Promise.all(answered().map((hog) => hog.answer())))
			/*
			 * a 503: it has waited for as long as one may wait for a lock, or it still arrived while
			 * refused ones were waiting to be told, and its address had the most
			 */
			if (status === 429)
				assert.deepEqual(json.error.details, { limit: 'waitingRequests' });
			else
				assert.deepEqual([status, /^(service is not available at the moment|too many request bodies at once)$/.test(json.error.message)], [503, true]);
		for (let i = 0; i < 5; i++)
		{
			const [connection] = await send(1, undefined, session, other.key, body);

			assert.equal((await connection.answer()).status, 202);
			connection.close();
		}
	}
	finally
	{
		for (const hog of hogs)
			hog.close();
		await holder.sql('ROLLBACK');
	}
});

test('who fills the room of all bodies keeps nobody else\'s out', async () =>
{
	const session = await createUnlimitedSession(db, tenant.org);
	const before = mib('VmRSS');
	const hogs = await hold(420, 650_000, '127.0.0.2');
	const data = Buffer.alloc(700000, 'x').toString('base64');
	const bodies = [
		{ type: 'text', to: '15551230001', text: 'small' },
		{ type: 'document', to: '15551230001', media: { data, mimetype: 'text/plain', filename: 'x.txt' } },
	];

	await until('there is no room', () => hogs.some((hog) => hog.answers.length > 0));
	assert.equal((await hogs.find((hog) => hog.answers.length > 0).answer()).status, 503);
	/* also from the same address, if it is smaller than what is held there */
	for (const [from, body] of [[undefined, bodies[0]], [undefined, bodies[1]], ['127.0.0.2', bodies[0]]])
		for (let i = 0; i < 5; i++)
		{
			const connection = await Connection.open(gateway.port, { from });
			const answer = await connection.request('POST', `/api/v1/sessions/${session.id}/messages`,
				{ key: tenant.key.secret, body: JSON.stringify(body), headers: TYPE });

			assert.equal(answer.status, 202, answer.text);
			connection.close();
		}
	for (const hog of hogs)
		hog.close();
	await until('the memory is given back', () => mib('VmRSS') < before + 24);
});
