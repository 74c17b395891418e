/*
 * memory.test.mjs
 *		A dump of a running program holds no secret that has been answered.
 *
 * Secrets pass through the programs in every way that there is.  Then all memory that the
 * program can write to is read and searched for pieces of them: stacks, freed blocks, and
 * the buffers of the libraries.  What is still under way is found, which shows that the
 * search would find the rest.
 *
 * Not sanitized: the address sanitizer keeps what is freed as it is.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { before, test as plainTest } from 'node:test';
import { addConnectorKey, createCloudSession, makeCredentials } from './harness/cloud.mjs';
import { GATEWAY_LOGIN, prepareCluster } from './harness/cluster.mjs';
import { endpoints } from './harness/endpoints.mjs';
import { Graph } from './harness/graph.mjs';
import { Connection } from './harness/http.mjs';
import { findInMemory, memoryIsClosed } from './harness/memory.mjs';
import { Browser } from './harness/people.mjs';
import { freePort } from './harness/ports.mjs';
import { makeCertificate, makePlace, until } from './harness/processes.mjs';
import { Cloud, Gateway, Sandbox, Worker, waitForLocks } from './harness/programs.mjs';
import { Receiver } from './harness/receiver.mjs';
import { Socket, openRefused } from './harness/socket.mjs';
import { createKey, createPerson, createTenant } from './harness/tenants.mjs';

const SESSIONS = '/api/v1/sessions';
const WEBHOOKS = '/api/v1/webhooks';
const TICKET = '/api/v1/realtime/ticket';

const test = (name, run) => plainTest(name, { skip: memoryIsClosed() }, run);

let cluster, db, tenant, gateway, secrets;

before(async () =>
{
	cluster = prepareCluster(["wa.allowed_targets = '127.0.0.0/8'", "wa.connectors = 'none, sandbox, cloud'"]);
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	gateway = await Gateway.start(cluster, { args: [...await waitForLocks(db), '--log-level', 'debug', '--media-dir', makePlace()] });
	secrets = new Map();
});

let words = 0;

/* From now on this is searched for.  Returns it. */
function remember(what, secret)
{
	assert.ok(secret.length > 16, what);
	secrets.set(`${what} ${++words}`, secret);
	return secret;
}

async function newKey(what, permissions)
{
	return remember(what, (await createKey(db, tenant.org, permissions)).secret);
}

/* A key that nobody has. */
async function unknownKey(what)
{
	return remember(what, await db.value("SELECT secret FROM wa.make_secret('api_key')"));
}

/* Characters that nobody can guess, for a password or a secret of the caller's choice. */
function word(what)
{
	return remember(what, Buffer.from(Array.from({ length: 24 }, () => Math.floor(256 * Math.random()))).toString('hex'));
}

/* What was under way a moment ago may be there for a moment longer. */
async function assertForgotten(...programs)
{
	const searched = secrets;
	let found = [];
	const search = () => { found = programs.flatMap(({ pid }) => findInMemory(pid, searched)); return found.length === 0; };

	secrets = new Map();
	await until('all is forgotten', search, { pauseMs: 200 }).catch((error) => assert.fail(found.join('\n') || error.cause));
}

test('while a request is under way its key is there: the search finds what is to be found', async () =>
{
	const holder = await cluster.open('wa');
	const key = await newKey('held key');

	await holder.sql('BEGIN');
	await holder.sql('SELECT FROM wa.session WHERE id = $1 FOR UPDATE', [tenant.session.uuid]);

	const sent = gateway.client.post(`${SESSIONS}/${tenant.session.id}/messages`, key, { type: 'text', to: '15551234567', text: 'hello' });

	await until('it is held', async () => Number(await db.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")) > 0);
	assert.notEqual(findInMemory(gateway.pid, secrets).length, 0);
	await holder.sql('ROLLBACK');
	await holder.close();
	assert.equal((await sent).status, 202);
	await assertForgotten(gateway);
});

test('keys, in either header, whatever became of the request', async () =>
{
	const { client } = gateway;
	const damaged = async (what) => remember(what, (await unknownKey('as it was')).replace(/.$/, (last) => (last === '0' ? '1' : '0')));

	for (const how of ['key', 'bearer'])
	{
		assert.equal((await client.request('GET', '/api/v1/me', { [how]: await newKey('key') })).status, 200);
		assert.equal((await client.request('GET', SESSIONS, { [how]: await newKey('key without read', ['send']) })).status, 403);
		assert.equal((await client.request('GET', SESSIONS, { [how]: await unknownKey('unknown key') })).status, 401);
		assert.equal((await client.request('GET', SESSIONS, { [how]: await damaged('damaged key') })).status, 401);
		assert.equal((await client.request('GET', SESSIONS, { [how]: `${await unknownKey('doubled key')}${word('tail')}` })).status, 401);
		assert.equal((await client.request('GET', '/api/v1/nowhere', { [how]: await newKey('key to nowhere') })).status, 404);
		assert.equal((await client.request('POST', WEBHOOKS, { [how]: await newKey('key with a bad body'), body: '{', headers: { 'Content-Type': 'application/json' } })).status, 400);
	}
	assert.equal((await client.request('GET', '/api/v1/me', { key: await newKey('one of two'), bearer: await newKey('two of two') })).status, 400);
	assert.equal((await client.get(`/api/v1/me?apikey=${await newKey('key in the URL')}`)).status, 400);
	await assertForgotten(gateway);
});

test('keys of many requests at once', async () =>
{
	const keys = await Promise.all(Array.from({ length: 100 }, () => newKey('one of many')));
	const answers = await Promise.all(keys.map((key) => gateway.client.get(SESSIONS, key)));

	assert.ok(answers.every(({ status }) => status === 200));
	await assertForgotten(gateway);
});

test('keys in pipelines, in pieces, and on connections that end in the middle', async () =>
{
	const head = (key, more = '') => `GET /api/v1/me HTTP/1.1\r\nHost: gateway.test\r\nx-api-key: ${key}\r\n${more}`;
	const pipelined = await Connection.open(gateway.port);
	const broken = await Connection.open(gateway.port);
	const cut = await Promise.all(Array.from({ length: 3 }, () => Connection.open(gateway.port)));
	const pieces = await Connection.open(gateway.port);

	pipelined.send((await Promise.all(Array.from({ length: 20 }, () => newKey('pipelined key')))).map((key) => `${head(key)}\r\n`).join(''));
	for (let i = 0; i < 20; i++)
		assert.equal((await pipelined.answer()).status, 200);
	broken.send(`${head(await newKey('key before rubbish'))}\r\n${head(await newKey('key in rubbish'), 'Host: again\r\n')}\r\n${head(await newKey('key behind rubbish'))}\r\n`);
	assert.deepEqual((await broken.answersUntilClose()).map(({ status }) => status), [200, 400]);
	for (const byte of Buffer.from(`${head(await newKey('key in pieces'))}\r\n`))
		pieces.send(Buffer.from([byte]));
	assert.equal((await pieces.answer()).status, 200);
	cut[0].send(head(await newKey('key in half a head')));
	cut[1].send(head(await newKey('key in half a body'), 'Content-Length: 100\r\n\r\n{"half":'));
	cut[2].send(`${head(await newKey('key of one who leaves'))}\r\n`);
	await until('all has arrived', async () => (await gateway.client.get('/readyz')).status === 200);
	for (const connection of cut)
		connection.close();
	await assertForgotten(gateway);
});

test('what is in large bodies', async () =>
{
	for (const size of [9000, 20000, 300000])
	{
		const wrong = { filler: 'x'.repeat(Math.min(size, 7000)), email: 'nobody@example.com', password: word('password in a large body') };
		const text = `${'x'.repeat(Math.min(size, 60000))}${word('end of a text')}`;

		assert.equal((await gateway.client.post('/auth/sign-in', undefined, wrong)).status, 400);
		await gateway.client.post(`${SESSIONS}/${tenant.session.id}/messages`, await newKey('key of a large body'), { type: 'text', to: '15551234567', text });
	}
	await assertForgotten(gateway);
});

test('passwords, cookies, tokens, invitations, and keys that are made', async () =>
{
	const person = await createPerson(db, { org: tenant.org });
	const browser = new Browser(gateway.client);
	const [first, second] = [remember('first password', person.password), word('second password')];

	assert.equal((await browser.signIn(person, word('wrong password'))).status, 401);
	assert.equal((await browser.call('POST', '/auth/sign-in', { email: 'nobody@example.com', password: word('password of nobody') })).status, 401);
	assert.equal((await browser.call('POST', '/auth/sign-in', { email: person.email, password: word('password'), more: word('more') })).status, 400);
	assert.equal((await browser.signIn(person)).status, 200);
	remember('cookie', browser.cookie.value);

	const token = remember('token', await browser.token());
	const made = (await gateway.client.request('POST', '/api/v1/api-keys', { bearer: token, json: { name: 'made', permissions: ['read'] } })).json;

	remember('made key', made.key);
	remember('rotated key', (await gateway.client.request('POST', `/api/v1/api-keys/${made.id}/rotate`, { bearer: token, json: {} })).json.key);

	const { invitation } = (await gateway.client.request('POST', '/api/v1/invitations', { bearer: token, json: { email: 'guest@example.com', role: 'member' } })).json;

	remember('invitation', invitation);
	assert.equal((await browser.call('POST', '/auth/invitation', { invitation })).status, 200);
	assert.equal((await browser.call('POST', '/auth/invitation/accept', { invitation, name: 'Guest', password: word('password of a guest') })).status, 200);
	assert.equal((await browser.call('POST', '/auth/password', { oldPassword: first, newPassword: second })).status, 204);
	assert.equal((await browser.call('POST', '/auth/sign-out')).status, 204);
	assert.equal((await gateway.client.get('/api/v1/me', undefined, { bearer: token })).status, 401);
	await assertForgotten(gateway);
});

test('secrets of webhooks', async () =>
{
	const { client } = gateway;
	const key = await newKey('key');
	const made = (await client.post(WEBHOOKS, key, { url: 'http://127.0.0.1:81/' })).json;
	const chosen = await client.post(WEBHOOKS, key, { url: 'http://127.0.0.1:81/', secret: word('chosen secret') });

	remember('made secret', made.secret);
	assert.equal(chosen.status, 201);
	remember('rotated secret', (await client.post(`${WEBHOOKS}/${made.id}/secret`, key, {})).json.secret);
	assert.equal((await client.post(`${WEBHOOKS}/${made.id}/secret`, key, { secret: word('refused secret').slice(0, 8) })).status, 400);
	await assertForgotten(gateway);
});

test('credentials of a connector, taken and refused', async () =>
{
	const { client } = gateway;
	const target = `${SESSIONS}/${tenant.session.id}/credentials`;
	const credentials = (more) => ({ phoneNumberId: '1', wabaId: '2', appId: '3', accessToken: word('access token'), appSecret: word('app secret'), verifyToken: word('verify token'), ...more });
	const put = async (json) => (await client.request('PUT', target, { key: await newKey('key'), json })).status;

	assert.equal(await put(credentials()), 409);
	await db.sql("SELECT wa.add_connector_key(c, set_byte(sha256('key'), 31, 0)) FROM unnest('{sandbox,none}'::text[]) c");
	assert.equal(await put(credentials()), 200);
	assert.equal(await put(credentials({ appId: 'x' })), 400);
	assert.equal(await put(credentials({ accessToken: `${word('long token')}${'x'.repeat(3000)}` })), 400);
	assert.equal((await client.post(SESSIONS, await newKey('key'), { start: false, credentials: credentials() })).status, 201);
	assert.equal((await client.post(SESSIONS, await newKey('key'), { connector: 'nobody', credentials: credentials() })).status, 400);
	await assertForgotten(gateway);
});

test('keys of files that are stored, sent, refused and broken off', async () =>
{
	const { client } = gateway;
	const file = (key, body = 'x'.repeat(100000), headers = {}) => client.request('POST', '/api/v1/media', { key, body, headers: { 'Content-Type': 'text/plain', ...headers } });
	const made = await file(await newKey('key of an upload'));
	const target = `/api/v1/media/${made.json.id}`;
	const cut = await Connection.open(gateway.port);

	assert.equal(made.status, 201, made.text);
	assert.equal((await client.get(target, await newKey('key of a download'))).status, 200);
	assert.equal((await client.request('GET', target, { key: await newKey('key of a part'), headers: { Range: 'bytes=5-9' } })).status, 206);
	assert.equal((await client.request('GET', target, { key: await newKey('key of a condition'), headers: { 'If-None-Match': `"${made.json.sha256}"` } })).status, 304);
	assert.equal((await client.get(target, await unknownKey('unknown key of a download'))).status, 401);
	assert.equal((await file(await newKey('key without send', ['read']))).status, 403);
	assert.equal((await file(await unknownKey('unknown key of an upload'))).status, 401);
	assert.equal((await file(await newKey('key of a picture that is none'), '<html>', { 'Content-Type': 'image/png' })).status, 415);
	assert.equal((await file(await newKey('key of an empty file'), '')).status, 400);
	assert.equal((await file(await newKey('key of a bad name'), 'x', { 'Content-Disposition': 'attachment; filename=' })).status, 400);
	cut.send(`POST /api/v1/media HTTP/1.1\r\nHost: x\r\nx-api-key: ${await newKey('key of half a file')}\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(100000)}`);
	await until('it has come', async () => (await client.get('/readyz')).status === 200);
	cut.close();
	await assertForgotten(gateway);
});

test('keys that are reported as leaked', async () =>
{
	const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
	const tokens = [await newKey('reported key'), await newKey('another reported key'), await unknownKey('unknown reported key')];
	const report = (body, signed = body) => gateway.client.request('POST', '/api/v1/secret-scanning', { body, headers: {
		'Content-Type': 'application/json', 'Github-Public-Key-Identifier': 'first',
		'Github-Public-Key-Signature': sign('sha256', Buffer.from(signed), privateKey).toString('base64') } });
	const body = JSON.stringify(tokens.map((token) => ({ token, type: 'key', url: 'https://git.example/', source: 'content' })));

	await db.sql('SELECT wa.set_scanner_keys($1, $2)', ['github',
		JSON.stringify({ public_keys: [{ key_identifier: 'first', key: publicKey.export({ type: 'spki', format: 'pem' }), is_current: true }] })]);
	assert.equal((await report(body)).status, 200);
	assert.equal((await report(body, `${body} `)).status, 401);
	assert.notEqual((await report(body.slice(0, -1))).status, 200);
	await assertForgotten(gateway);
});

test('keys and tokens at every endpoint there is', async () =>
{
	const browser = new Browser(gateway.client);
	const person = await createPerson(db, { org: tenant.org, role: 'owner' });

	assert.equal((await browser.signIn(person)).status, 200);
	remember('cookie of an owner', browser.cookie.value);

	const bearer = remember('token of an owner', await browser.token());
	const statuses = new Set();

	for (const { method, pattern } of endpoints().filter(({ open }) => !open))
	{
		const ask = (credential, json = {}) => gateway.client.request(method, pattern.replaceAll(/\{[a-zA-Z]+\}/g, 'x'),
			{ ...credential, ...method === 'GET' ? {} : { json } });

		for (const credential of [{ key: await newKey(`key at ${pattern}`) }, { key: await unknownKey(`unknown key at ${pattern}`) }, { bearer }])
			statuses.add((await ask(credential)).status);
	}
	assert.deepEqual([200, 400, 401, 403, 404].filter((status) => !statuses.has(status)), []);
	await assertForgotten(gateway);
});

test('keys and tickets of sockets, also while they are open', async () =>
{
	const ticket = async () => remember('ticket', (await gateway.client.post(TICKET, await newKey('key of a ticket'), {})).json.ticket);
	const used = await ticket();
	const sockets = [
		await Socket.open(gateway, { ticket: used }),
		await Socket.open(gateway, { key: await newKey('key of a socket') }),
	];

	await ticket();
	assert.equal((await openRefused(gateway, { ticket: used })).status, 401);
	assert.equal((await openRefused(gateway, { key: await unknownKey('unknown key of a socket') })).status, 401);
	await Promise.all(sockets.map((socket) => until('it is served', () => socket.frames.length > 0)));
	await assertForgotten(gateway);
	for (const socket of sockets)
		await socket.close();
});

/* ---- TLS ---- */

test('over TLS it is the same', async () =>
{
	const secure = await Gateway.start(cluster, { tls: makeCertificate(cluster.place) });
	const agent = new https.Agent({ keepAlive: true });
	const ask = (method, target, headers, json, more = {}) => new Promise((resolve, reject) =>
	{
		const request = https.request({ host: '127.0.0.1', port: secure.port, servername: 'gateway.test', ca: secure.certificate,
			method, path: target, agent, headers: { ...headers, ...(json ? { 'Content-Type': 'application/json' } : {}) }, ...more }, (response) =>
		{
			const parts = [];

			response.on('data', (part) => parts.push(part));
			response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(parts).toString() }));
		});

		request.on('error', reject);
		request.end(json ? JSON.stringify(json) : undefined);
	});
	const person = await createPerson(db, { org: tenant.org });

	for (const version of ['TLSv1.2', 'TLSv1.3'])
	{
		const versions = { minVersion: version, maxVersion: version };

		for (const more of [versions, { ...versions, agent: false }])
		{
			assert.equal((await ask('GET', '/api/v1/me', { 'x-api-key': await newKey('key over TLS') }, undefined, more)).status, 200);
			assert.equal((await ask('GET', '/api/v1/me', { Authorization: `Bearer ${await unknownKey('unknown key over TLS')}` }, undefined, more)).status, 401);
			remember('secret over TLS', JSON.parse((await ask('POST', WEBHOOKS, { 'x-api-key': await newKey('key over TLS') }, { url: 'http://127.0.0.1:81/' }, more)).text).secret);
			await ask('POST', '/auth/sign-in', {}, { email: person.email, password: word('wrong password'), filler: 'x'.repeat(40000) }, more);
		}
	}

	const signedIn = await ask('POST', '/auth/sign-in', {}, { email: person.email, password: remember('password over TLS', person.password) });

	assert.equal(signedIn.status, 200);
	remember('cookie over TLS', /=([^;]+)/.exec(signedIn.headers['set-cookie'][0])[1]);
	await assertForgotten(secure);
	agent.destroy();
	await secure.stop();
});

test('where the gateway speaks TLS to the database it is the same', async () =>
{
	const remote = prepareCluster(["wa.allowed_targets = '127.0.0.0/8'"]);
	const files = makeCertificate(remote.place);

	remote.stop();
	remote.port = await freePort();
	remote.configure([`port = ${remote.port}`, "listen_addresses = '127.0.0.1'", 'ssl = on', `ssl_cert_file = '${files.certificate}'`, `ssl_key_file = '${files.key}'`]);
	fs.writeFileSync(path.join(remote.data, 'pg_hba.conf'), 'local all all trust\nhostssl all all 127.0.0.1/32 trust\n');
	remote.start();

	const admin = await remote.open('wa');
	const { org } = await createTenant(admin, 'Remote');
	const encrypted = await Gateway.start(remote, { host: '127.0.0.1' });
	const key = async () => remember('key', (await createKey(admin, org)).secret);

	assert.equal(await admin.value("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = $1 AND NOT ssl", [GATEWAY_LOGIN]), '0');
	for (let i = 0; i < 10; i++)
		remember('made secret', (await encrypted.client.post(WEBHOOKS, await key(), { url: 'http://127.0.0.1:81/' })).json.secret);
	await assertForgotten(encrypted);
	await encrypted.stop();
});

/* ---- the other programs ---- */

test('wa-cloud has the token of a session while it runs, and keeps nothing of it when it is stopped', async () =>
{
	const graph = await Graph.start();
	const cloud = await Cloud.start(cluster, { graph, keyFiles: [await addConnectorKey(db)] });
	const key = await newKey('key');
	const credentials = makeCredentials({ accessToken: word('access token'), appSecret: word('app secret'), verifyToken: word('verify token') });

	graph.addNumber(credentials);

	const session = await createCloudSession(gateway.client, key, credentials);
	const sent = async () => (await gateway.client.post(`${SESSIONS}/${session.id}/messages`, key, { type: 'text', to: '15551234567', text: 'hello' })).status;

	await until('it works', async () => (await gateway.client.get(`${SESSIONS}/${session.id}`, key)).json.status === 'working');
	assert.equal(await sent(), 202);
	await until('a message was sent', () => graph.messages.length === 1);
	assert.notEqual(findInMemory(cloud.pid, secrets).length, 0);
	assert.equal((await gateway.client.post(`${SESSIONS}/${session.id}:stop`, key, {})).status, 200);
	await until('it is gone', () => cloud.events('session_gone').length === 1);
	await assertForgotten(cloud, gateway);
	await cloud.stop();
});

test('the worker and the sandbox keep no secret of a webhook that was delivered to', async () =>
{
	const receiver = await Receiver.start();
	const worker = await Worker.start(cluster);
	const sandbox = await Sandbox.start(cluster);
	const key = await newKey('key');
	const made = await gateway.client.post(WEBHOOKS, key, { url: receiver.url, events: ['message.from_me'] });
	const chosen = await gateway.client.post(WEBHOOKS, key, { url: receiver.url, events: ['message.from_me'], secret: word('chosen secret'),
		customHeaders: { Authorization: `Bearer ${word('token of a receiver')}` } });

	assert.equal(chosen.status, 201, chosen.text);
	remember('made secret', made.json.secret);
	for (let i = 0; i < 3; i++)
		assert.equal((await gateway.client.post(`${SESSIONS}/${tenant.session.id}/messages`, key, { type: 'text', to: '15551234567', text: 'hello' })).status, 202);
	await until('all was delivered', () => receiver.requests.length >= 6);
	await assertForgotten(worker, sandbox, gateway);
});
