/*
 * media_urls.test.mjs
 *		Files that are sent by their URL: the connector fetches the file into the store, and sends
 *		what is stored.  A URL leads nowhere inside, not by its address, its name or a redirect,
 *		and neither a slow server nor an endless file holds anything up.
 *
 * Every refusal has its control.  The name server is the test's own, so that names can lie.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import { before, beforeEach, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { pairedSession } from './harness/fixtures.mjs';
import { refuseOthers } from './harness/options.mjs';
import { makePlace, onEnd, until } from './harness/processes.mjs';
import { Gateway, Sandbox } from './harness/programs.mjs';
import { NameServer } from './harness/receiver.mjs';
import { createKey, createOrg } from './harness/tenants.mjs';

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const MAX_BYTES = 600_000;
const TIMEOUT_MS = 20_000;
const SHORT_TIMEOUT_MS = 1500;		/* for servers that do not answer */

let cluster, db, folder, client, key, session, names, records, sandbox, files;
let numbers = 15553000000;

function end(server)
{
	server.closeAllConnections();
	server.close();
}

/* A server of files.  answers has a function for each path; requests has what came. */
async function serve(host, port = 0)
{
	const server = http.createServer((request, response) =>
	{
		server.requests.push({ method: request.method, url: request.url, headers: request.headers });
		(server.answers[request.url] ?? ((_, missing) => missing.writeHead(404).end('nothing')))(request, response);
	});

	server.requests = [];
	server.answers = {};
	await new Promise((resolve, reject) => server.on('error', reject).listen(port, host, resolve));
	onEnd(() => end(server), () => end(server));
	server.port = server.address().port;
	return server;
}

/* Addresses that the operator allows for URLs; 127.0.0.2 plays the inside. */
async function startSandbox({ allowed = ['127.0.0.1'], media = ['--media-dir', folder], timeoutMs = TIMEOUT_MS, ...others } = {})
{
	refuseOthers(others);
	sandbox = await Sandbox.start(cluster, { args: [...media, '--resolver', names.address, '--fetch-timeout', String(timeoutMs),
		'--media-max-bytes', String(MAX_BYTES), ...allowed.flatMap((range) => ['--allow-target', range])] });
}

before(async () =>
{
	cluster = prepareCluster(["wa.allowed_targets = '127.0.0.0/8'"]);
	db = await cluster.open('wa');
	folder = makePlace();
	names = await NameServer.start((name, n) => records[name]?.(n) ?? null);
	client = (await Gateway.start(cluster, { args: ['--media-dir', folder] })).client;
	await startSandbox();
	key = (await createKey(db, await createOrg(db, 'Sends'))).secret;
	session = await pairedSession(client, key);
});

beforeEach(async () =>
{
	records = { 'files.example': () => ['127.0.0.1'] };
	files = await serve('127.0.0.1');
	files.answers['/view.png'] = (_, response) => response.writeHead(200, { 'Content-Type': 'image/png' }).end(PNG);
});

const url = (path, host = '127.0.0.1', port = files.port) => `http://${host}:${port}${path}`;

async function send(media, more = {})
{
	const to = String(++numbers);
	const sent = await client.post(`/api/v1/sessions/${session.id}/messages`, key, { to, type: 'image', media, ...more });

	assert.equal(sent.status, 202, sent.text);
	return { to, id: sent.json.id };
}

const messages = async (to) => (await client.get(`/api/v1/sessions/${session.id}/chats/${to}/messages`, key)).json.data;
const download = (id) => client.request('GET', `/api/v1/sessions/${session.id}/messages/${id}/media`, { key });

/* The message when it is read, or has failed.  Its file is tried again at once. */
const outcome = ({ id }) => until('the message is read or has failed', async () =>
{
	await db.sql("UPDATE wa.media_fetch SET lease_until = now() WHERE lease_owner IS NULL AND lease_until > now()");

	const { json } = await client.get(`/api/v1/sessions/${session.id}/messages/${id}`, key);

	return ['read', 'failed'].includes(json.status) && json;
});

async function failsWith(media, error)
{
	const message = await outcome(await send(media));

	assert.equal(message.status, 'failed', JSON.stringify(media));
	assert.match(message.error, error, JSON.stringify(media));
	assert.equal(message.media.state, 'failed');
	assert.equal((await download(message.id)).status, 410);
	return message;
}

test('the file is fetched once, stored, and sent from the store', async () =>
{
	const sent = await send({ url: url('/view.png', 'files.example'), mimetype: 'image/png', filename: 'view.png' }, { caption: 'send it back' });
	const message = await outcome(sent);
	const got = await download(message.id);

	assert.equal(message.status, 'read');
	assert.deepEqual({ ...message.media, id: '' }, { id: '', url: url('/view.png', 'files.example'), state: 'stored', mimetype: 'image/png', filename: 'view.png', size: PNG.length });
	assert.equal(got.status, 200);
	assert.ok(got.body.equals(PNG));

	/* the telephone sends back what it got */
	const back = await until('it is sent back', async () => (await messages(sent.to)).find(({ direction, media }) => direction === 'in' && media?.state === 'stored'));

	assert.ok((await download(back.id)).body.equals(PNG));
	assert.equal(files.requests.length, 1);
	assert.equal(files.requests[0].method, 'GET');
	assert.deepEqual(Object.keys(files.requests[0].headers).sort(), ['accept', 'host', 'user-agent']);
	assert.equal(files.requests[0].headers['user-agent'], 'wa-sandbox');

	/* another organization: as if it did not exist */
	const other = (await createKey(db, await createOrg(db, 'Other'))).secret;

	assert.equal((await client.get(`/api/v1/media/${message.media.id}`, other)).status, 404);
	assert.equal((await client.get(`/api/v1/media/${message.media.id}`, key)).status, 200);
});

test('every type of attachment is sent by its URL', async () =>
{
	for (const type of ['image', 'video', 'audio', 'document', 'sticker'])
	{
		const message = await outcome(await send({ url: url('/view.png') }, { type }));

		assert.deepEqual([message.type, message.status, message.media.state], [type, 'read', 'stored']);
	}
});

test('a large file is not held up by the store', async () =>
{
	const large = Buffer.concat([PNG, Buffer.alloc(MAX_BYTES - PNG.length, 'x')]);

	files.answers['/large'] = (_, response) => response.end(large);

	const message = await outcome(await send({ url: url('/large') }));

	assert.equal(message.status, 'read');
	assert.ok((await download(message.id)).body.equals(large));
});

test('a forwarded copy has the same file', async () =>
{
	const message = await outcome(await send({ url: url('/view.png') }));
	const to = String(++numbers);
	const forwarded = await client.post(`/api/v1/sessions/${session.id}/messages/${message.id}/forward`, key, { to });

	assert.equal(forwarded.status, 202, forwarded.text);

	const [copy] = await until('the copy is there', async () => { const all = await messages(to); return all.length > 0 && all; });

	assert.equal(copy.media.id, message.media.id);
	assert.ok((await download(copy.id)).body.equals(PNG));
	assert.equal(files.requests.length, 1);
});

test('redirects are followed, each to a place that is checked again', async () =>
{
	const inside = await serve('127.0.0.2');

	inside.answers['/view.png'] = files.answers['/view.png'];
	records['inside.example'] = () => ['127.0.0.2'];
	for (const status of [301, 302, 303, 307, 308])
		files.answers[`/good${status}`] = (_, response) => response.writeHead(status, { Location: 'view.png' }).end();

	const places = [url('/view.png', '127.0.0.2', inside.port), url('/view.png', 'inside.example', inside.port), url('/view.png', '2130706434', inside.port),
		`http://user:secret@127.0.0.1:${files.port}/view.png`, 'file:///etc/passwd', 'gopher://127.0.0.1/'];

	places.forEach((place, i) => { files.answers[`/bad${i}`] = (_, response) => response.writeHead(302, { Location: place }).end(); });
	files.answers['/loop'] = (_, response) => response.writeHead(302, { Location: '/loop' }).end();
	for (const status of [301, 302, 303, 307, 308])
		assert.equal((await outcome(await send({ url: url(`/good${status}`) }))).status, 'read', String(status));
	for (let i = 0; i < places.length; i++)
		await failsWith({ url: url(`/bad${i}`) }, /not allowed|no address that is allowed|the host is no|a user does not|neither http/);
	assert.deepEqual(inside.requests, []);
	await failsWith({ url: url('/loop') }, /there are too many redirects/);
	assert.equal(files.requests.filter((request) => request.url === '/loop').length, 6);

	/* who allows it, reaches it */
	await sandbox.stop();
	await startSandbox({ allowed: ['127.0.0.0/8'] });
	for (const i of [0, 1])
		assert.equal((await outcome(await send({ url: url(`/bad${i}`) }))).status, 'read');
	await sandbox.stop();
	await startSandbox();
});

test('addresses and names of the inside get nothing', async () =>
{
	const inside = await serve('127.0.0.2', files.port);

	inside.answers['/view.png'] = files.answers['/view.png'];
	Object.assign(records, {
		'inside.example': () => ['127.0.0.2'],
		'both.example': () => ['127.0.0.1', '127.0.0.2'],
		'mapped.example': () => ['127.0.0.1', '::ffff:7f00:2'],
		'metadata.example': () => ['169.254.169.254'],
	});
	await failsWith({ url: url('/view.png', '127.0.0.2') }, /the address is not allowed/);
	for (const name of ['inside.example', 'both.example', 'mapped.example', 'metadata.example', 'unknown.example', 'localhost'])
		await failsWith({ url: url('/view.png', name) }, /the name leads to no address that is allowed/);
	assert.match(sandbox.log(), /event=egress_refused host=inside\.example kind=loopback/);
	assert.deepEqual(inside.requests, []);
	assert.deepEqual(files.requests, []);

	/* what the API sees by itself, it says at once */
	for (const bad of ['http://10.0.0.1/a', 'http://169.254.169.254/a', 'http://[::ffff:10.0.0.1]/a', 'http://0x7f.1/a', 'http://media.example:22/a'])
	{
		const { status, json } = await client.post(`/api/v1/sessions/${session.id}/messages`, key, { to: '15551234567', type: 'image', media: { url: bad } });

		assert.equal(status, 400, bad);
		assert.deepEqual(Object.keys(json.error.details), ['media.url']);
	}
});

/* The name server says a good address to whoever checks and a bad one to whoever asks again. */
test('a name that changes its address between check and connection gains nothing', async () =>
{
	const inside = await serve('127.0.0.2', files.port);

	records['rebinding.example'] = (n) => [n === 0 ? '127.0.0.1' : '127.0.0.2'];
	assert.equal((await outcome(await send({ url: url('/view.png', 'rebinding.example') }))).status, 'read');
	await failsWith({ url: url('/view.png', 'rebinding.example') }, /no address that is allowed/);
	assert.deepEqual(inside.requests, []);
	assert.equal(files.requests.length, 1);
});

test('slow, endless, empty and missing files, and those of another type, fail with a reason', async () =>
{
	const endless = (response) => { const more = setInterval(() => response.write(Buffer.alloc(65536)), 1); response.on('close', () => clearInterval(more)); };

	files.answers['/announced'] = (_, response) => response.writeHead(200, { 'Content-Length': MAX_BYTES + 1 }).end(Buffer.alloc(MAX_BYTES + 1));
	files.answers['/endless'] = (_, response) => endless(response.writeHead(200));
	files.answers['/empty'] = (_, response) => response.end();
	files.answers['/page'] = (_, response) => response.end('<!DOCTYPE html><html><body>no picture</body></html>');
	files.answers['/private'] = (_, response) => response.writeHead(403).end();
	await failsWith({ url: url('/announced') }, /^the file could not be fetched: the file is too large$/);
	await failsWith({ url: url('/endless') }, /the file is too large/);
	await failsWith({ url: url('/empty') }, /the file is empty/);
	await failsWith({ url: url('/page'), mimetype: 'image/png' }, /not of the type that was announced/);
	await failsWith({ url: url('/private') }, /the answer has the status 403/);
	await failsWith({ url: url('/missing') }, /the answer has the status 404/);
	for (const path of ['/announced', '/endless', '/empty', '/page', '/private', '/missing'])
		assert.equal(files.requests.filter((request) => request.url === path).length, 1, path);
});

test('what may pass is tried again', async () =>
{
	let busy = 2;

	files.answers['/busy'] = (...both) => busy-- > 0 ? both[1].writeHead(503).end() : files.answers['/view.png'](...both);
	assert.equal((await outcome(await send({ url: url('/busy') }))).status, 'read');
	assert.equal(files.requests.length, 3);

	/* but not for ever, and each time only for a while */
	await sandbox.stop();
	await startSandbox({ timeoutMs: SHORT_TIMEOUT_MS });
	const drips = (response) => { const more = setInterval(() => response.write('x'), 100); response.on('close', () => clearInterval(more)); };

	files.answers['/drip'] = (_, response) => drips(response.writeHead(200));
	files.answers['/silent'] = () => {};
	files.answers['/broken'] = (_, response) => { response.writeHead(200, { 'Content-Length': 100 }); response.write('x', () => response.destroy()); };
	await Promise.all([
		failsWith({ url: url('/drip') }, /the file did not come in time/),
		failsWith({ url: url('/silent') }, /no answer in time/),
		failsWith({ url: url('/broken') }, /the connection was closed before the end of the file/),
	]);
	for (const path of ['/drip', '/silent', '/broken'])
		assert.equal(files.requests.filter((request) => request.url === path).length, 8, path);

	/* meanwhile others went on, and nothing of it is left */
	assert.equal((await outcome(await send({ url: url('/view.png') }))).status, 'read');
	assert.equal(await db.value('SELECT count(*) FROM wa.media_fetch'), '0');
	await sandbox.stop();
	await startSandbox();
});

test('a connector without a store says so', async () =>
{
	await sandbox.stop();
	await startSandbox({ allowed: [], media: [] });
	await failsWith({ url: url('/view.png') }, /this connector has no store for files/);
	assert.deepEqual(files.requests, []);
	await sandbox.stop();
	await startSandbox();
});
