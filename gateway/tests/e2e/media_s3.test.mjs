/*
 * media_s3.test.mjs
 *		Files in a bucket of an S3-compatible store: what the folder promises (media.test.mjs)
 *		holds there too, and whatever the store does, nothing is lost, said too early or waited
 *		for by others.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { before, beforeEach, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Connection } from './harness/http.mjs';
import { makePlace, until } from './harness/processes.mjs';
import { Gateway, Worker, runGateway } from './harness/programs.mjs';
import { BUCKET, KEY_ID, Relay, S3Server, SECRET } from './harness/s3.mjs';
import { createKey, createTenant } from './harness/tenants.mjs';

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const INVENTED = 'med_01h455vb4pex5vsknk084sn02q';
const MIB = 1024 * 1024;

/* The gateway waits so long for a store that says nothing (S3_SLOW_SECONDS). */
const SLOW_SECONDS = 15;

const CREDENTIALS = { AWS_ACCESS_KEY_ID: KEY_ID, AWS_SECRET_ACCESS_KEY: SECRET };

let cluster, db, store, relay, folder, gateway, client, tenant, other, keys;

const options = (port, more = []) => ['--media-dir', folder, '--media-s3-bucket', BUCKET, '--media-s3-endpoint', `http://127.0.0.1:${port}`, ...more];

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	folder = makePlace();
	store = await S3Server.start();
	relay = await Relay.start(store.port);
	gateway = await Gateway.start(cluster, { args: options(relay.port), env: CREDENTIALS });
	client = gateway.client;
	tenant = await createTenant(db, 'Files');
	other = await createTenant(db, 'Others');
	keys = { ours: await createKey(db, tenant.org, ['read', 'send']), other: await createKey(db, other.org, ['read', 'send']) };
});

beforeEach(() => relay.reset());

const upload = (body, headers = {}, key = keys.ours, by = client) => by.request('POST', '/api/v1/media', { key: key.secret, body, headers });
const download = (id, headers = {}, key = keys.ours, method = 'GET', by = client) => by.request(method, `/api/v1/media/${id}`, { key: key.secret, headers });

const digestOf = (bytes) => createHash('sha256').update(bytes).digest('hex');
const nameOf = (org, bytes) => `${org.id}/${digestOf(bytes).slice(0, 2)}/${digestOf(bytes)}`;
const rowCount = () => db.value('SELECT count(*) FROM wa.media');
const onTheWay = () => fs.readdirSync(path.join(folder, 'incoming')).length;

/* Nothing of an upload is left: no row, no object, no file on its way. */
async function leavesNothing(act)
{
	const seen = async () => JSON.stringify([await rowCount(), store.objects().length, onTheWay()]);
	const before = await seen();

	await act();
	await until('nothing is left', async () => await seen() === before);
}

/* The log is written by a thread of its own. */
const isLogged = (program, event, line) => until(`${event} is logged`, () => program.events(event).some((each) => line.test(each)));

/* Reads what comes of an answer until the gateway closes, and returns it. */
function readToEnd(connection)
{
	const parts = [];

	connection.socket.removeAllListeners('data');
	connection.socket.on('data', (part) => parts.push(part));
	return connection.ended.then(() => Buffer.concat(parts));
}

const ask = (id) => `GET /api/v1/media/${id} HTTP/1.1\r\nHost: h\r\nx-api-key: ${keys.ours.secret}\r\n\r\n`;

test('a file is stored as an object of its organization, and downloaded as it was', async () =>
{
	const made = await upload(PNG, { 'Content-Type': 'image/png', 'Content-Disposition': 'attachment; filename="view.png"' });

	assert.equal(made.status, 201);
	assert.deepEqual(store.objects(), [nameOf(tenant.org, PNG)]);
	assert.ok(fs.readFileSync(store.fileOf(digestOf(PNG))).equals(PNG));
	await until('it is in the folder no more', () => onTheWay() === 0);

	const got = await download(made.json.id);

	assert.equal(got.status, 200);
	assert.ok(got.body.equals(PNG));
	assert.equal(got.headers['content-type'], 'image/png');
	assert.equal(got.headers.etag, `"${digestOf(PNG)}"`);
	assert.equal(got.headers['content-length'], String(PNG.length));
	assert.equal((await download(made.json.id, { 'If-None-Match': got.headers.etag })).status, 304);
});

test('parts of a file, and its head alone', async () =>
{
	const bytes = randomBytes(300000);
	const { json: { id } } = await upload(bytes);

	for (const [range, first, last] of [['10-19', 10, 19], ['0-1', 0, 1], ['200000-', 200000, 299999], ['-5', 299995, 299999], ['0-299999', 0, 299999]])
	{
		const part = await download(id, { Range: `bytes=${range}` });

		assert.equal(part.status, 206, range);
		assert.ok(part.body.equals(bytes.subarray(first, last + 1)), range);
		assert.equal(part.headers['content-range'], `bytes ${first}-${last}/${bytes.length}`);
	}
	assert.equal((await download(id, { Range: 'bytes=300000-' })).status, 416);

	const head = await download(id, {}, keys.ours, 'HEAD');

	assert.equal(head.status, 200);
	assert.equal(head.headers['content-length'], String(bytes.length));
	assert.ok(relay.bytes.down < 2 * bytes.length + 20000, 'no more comes from the store than is asked for');
});

test('the same bytes are one object of each organization, which is sent once', async () =>
{
	const bytes = randomBytes(1000);
	const ids = new Set();

	for (let i = 0; i < 3; i++)
		ids.add((await upload(bytes)).json.id);
	assert.equal((await upload(bytes, {}, keys.other)).status, 201);
	assert.equal(ids.size, 3);
	assert.deepEqual(store.objects().filter((name) => name.endsWith(digestOf(bytes))).sort(), [nameOf(tenant.org, bytes), nameOf(other.org, bytes)].sort());

	const requests = (method) => store.requests().filter((line) => line.startsWith(`${method} `) && line.endsWith(digestOf(bytes))).length;

	assert.deepEqual([requests('HEAD'), requests('PUT')], [4, 2]);
});

test("another organization's file is as an invented one, byte for byte", async () =>
{
	const { json: { id } } = await upload(randomBytes(100));

	assert.equal((await download(id, {}, keys.other)).shape, (await download(INVENTED, {}, keys.other)).shape);
});

test('what is refused never reaches the store', async () =>
{
	await leavesNothing(async () =>
	{
		assert.equal((await upload('<!DOCTYPE html><html></html>', { 'Content-Type': 'image/png' })).status, 415);
		assert.equal((await upload('')).status, 400);
	});
	assert.equal(relay.bytes.up, 0);
});

test('an object that is gone is a 410, one that is damaged a 500, and its bytes mend it', async () =>
{
	const bytes = randomBytes(2000);
	const { json: { id, sha256 } } = await upload(bytes);

	fs.truncateSync(store.fileOf(sha256), 100);
	assert.equal((await download(id)).status, 500);
	assert.equal((await download(id, { Range: 'bytes=0-9' })).status, 500);
	assert.equal((await download(id, { Range: 'bytes=500-' })).status, 500);
	await upload(bytes);
	assert.ok((await download(id)).body.equals(bytes));

	fs.unlinkSync(store.fileOf(sha256));
	for (const headers of [{}, { Range: 'bytes=0-9' }])
	{
		const gone = await download(id, headers);

		assert.equal(gone.status, 410);
		assert.equal(gone.json.error.code, 'media_gone');
	}
	assert.equal((await download(id, {}, keys.ours, 'HEAD')).status, 410);
	await upload(bytes);
	assert.ok((await download(id)).body.equals(bytes));
});

test('a store that is down is a 503, and loses nothing', async () =>
{
	const bytes = randomBytes(5000);
	const { json: { id } } = await upload(bytes);

	await store.kill();
	await leavesNothing(async () =>
	{
		assert.equal((await upload(randomBytes(5000))).status, 503);
	});
	assert.equal((await download(id)).status, 503);
	assert.equal((await download(id, {}, keys.ours, 'HEAD')).status, 503);
	for (const event of ['media_not_stored', 'media_not_read'])
		await isLogged(gateway, event, / reason="[^"]+" status=0$/);
	await store.run();
	assert.ok((await download(id)).body.equals(bytes));
	assert.equal((await upload(randomBytes(5000))).status, 201);
});

test('a file in a send is an object, and with the store down a 503 that sends nothing', async () =>
{
	const bytes = randomBytes(300_000);
	const messages = () => db.value('SELECT count(*) FROM wa.message');
	const send = (content = bytes) => client.post(`/api/v1/sessions/${tenant.session.id}/messages`, keys.ours.secret,
		{ type: 'document', to: '15551234567', media: { data: content.toString('base64') } }, { headers: { 'Idempotency-Key': digestOf(content) } });

	await store.kill();

	const before = await messages();

	await leavesNothing(async () => assert.equal((await send()).status, 503));
	assert.equal(await messages(), before);
	await store.run();

	const sent = await send();

	assert.equal(sent.status, 202, sent.text);
	assert.ok(store.objects().some((name) => name.endsWith(nameOf(tenant.org, bytes))));
	assert.ok((await client.get(`/api/v1/sessions/${tenant.session.id}/messages/${sent.json.id}/media`, keys.ours.secret)).body.equals(bytes));

	/* what is not what it is said to be never reaches the store */
	const page = Buffer.from('<!DOCTYPE html><html></html>').toString('base64');

	await leavesNothing(async () => assert.equal((await client.post(`/api/v1/sessions/${tenant.session.id}/messages`, keys.ours.secret,
		{ type: 'image', to: '15551234567', media: { data: page, mimetype: 'image/png' } })).status, 400));
});

test('a store that breaks off in the middle', async () =>
{
	const bytes = randomBytes(8 * MIB);

	relay.cutAfter.up = MIB;

	const rows = await rowCount();

	assert.equal((await upload(bytes)).status, 503);
	assert.equal(await rowCount(), rows);
	await until('nothing is on its way', () => onTheWay() === 0);
	relay.reset();

	/* the server may keep what had come, which these bytes replace */

	const { json: { id } } = await upload(bytes);

	relay.reset();
	relay.cutAfter.down = MIB;

	const connection = await Connection.open(gateway.port);
	const read = readToEnd(connection);

	connection.send(ask(id));

	const answer = await read;

	assert.match(answer.toString('latin1', 0, 100), /^HTTP\/1.1 200 /);
	assert.ok(answer.length < bytes.length, 'the connection is closed before the length that was said');
	relay.reset();
	assert.ok((await download(id)).body.equals(bytes));
});

test('a store that says nothing is waited for, by nobody else, for a bounded time', async () =>
{
	const bytes = randomBytes(5000);
	const { json: { id } } = await upload(bytes);

	relay.reset();
	relay.stopped = true;

	const began = performance.now();
	const waiting = [upload(randomBytes(5000)), download(id)];
	let answered = 0;

	waiting.forEach((answer) => answer.then(() => { answered++; }));

	for (let i = 0; i < 20; i++)
		assert.equal((await client.get('/api/v1/sessions', keys.ours.secret)).status, 200);
	assert.equal(answered, 0, 'others are answered meanwhile');
	for (const { status } of await Promise.all(waiting))
		assert.equal(status, 503);
	assert.ok(performance.now() - began > (SLOW_SECONDS - 3) * 1000);
	await until('nothing is on its way', () => onTheWay() === 0);
});

test('a client that leaves ends what is on its way', async () =>
{
	const bytes = randomBytes(MIB);
	const { json: { id } } = await upload(bytes);

	relay.reset();
	relay.stopped = true;
	await leavesNothing(async () =>
	{
		const connection = await Connection.open(gateway.port);

		connection.send(`POST /api/v1/media HTTP/1.1\r\nHost: h\r\nx-api-key: ${keys.ours.secret}\r\nContent-Length: 5\r\n\r\nhello`);
		await until('it is on its way to the store', () => relay.bytes.up > 0);
		connection.socket.resetAndDestroy();
	});

	const connection = await Connection.open(gateway.port);
	const before = relay.bytes.up;

	connection.send(ask(id));
	await until('it is asked for', () => relay.bytes.up > before);
	connection.socket.resetAndDestroy();
	await until('the store is left', () => relay.sockets.size === 0);
});

test('a client that reads slowly is not read ahead for', async () =>
{
	const bytes = randomBytes(48 * MIB);
	const { json: { id } } = await upload(bytes);

	relay.reset();

	const connection = await Connection.open(gateway.port);

	connection.socket.pause();
	connection.send(ask(id));
	await until('it begins', () => relay.bytes.down > 0);

	let last = -1;

	await until('it stands still', () =>
	{
		const same = relay.bytes.down === last;

		last = relay.bytes.down;
		return same;
	}, { pauseMs: 300 });
	assert.ok(relay.bytes.down < bytes.length - 8 * MIB, `${relay.bytes.down} bytes were read ahead`);

	const read = readToEnd(connection);

	connection.socket.resume();
	await until('it goes on', () => relay.bytes.down >= bytes.length);
	connection.socket.end();
	assert.ok((await read).subarray(-bytes.length).equals(bytes));
});

test('a large file takes no memory of the gateway, on its way in or out', { skip: process.env.WA_SANITIZED ? 'sanitizers use memory of their own' : false }, async () =>
{
	const large = await Gateway.start(cluster, { args: options(relay.port), env: CREDENTIALS });
	const highest = () => Number(/^VmHWM:\s+([0-9]+) kB/m.exec(fs.readFileSync(`/proc/${large.pid}/status`, 'utf8'))[1]) / 1024;
	const bytes = randomBytes(48 * MIB);

	await upload(PNG, {}, keys.ours, large.client);

	const before = highest();
	const { json: { id } } = await upload(bytes, {}, keys.ours, large.client);
	const connection = await Connection.open(large.port);
	const read = readToEnd(connection);

	connection.send(ask(id).replace('Host: h', 'Host: h\r\nConnection: close'));
	assert.ok((await read).subarray(-bytes.length).equals(bytes));
	assert.ok(highest() < before + 16, `${before} MiB before, ${highest()} MiB at the highest`);
});

test('wrong credentials, or no such bucket, are a 503 and a clear line in the log, without the secret', async () =>
{
	const { json: { id } } = await upload(randomBytes(100));
	const wrong = [
		[{ AWS_ACCESS_KEY_ID: KEY_ID, AWS_SECRET_ACCESS_KEY: 'not+the/secret0123456789' }, [], 403, 'SignatureDoesNotMatch'],
		[{ AWS_ACCESS_KEY_ID: 'NOBODY', AWS_SECRET_ACCESS_KEY: SECRET }, [], 403, 'InvalidAccessKeyId'],
		[CREDENTIALS, ['--media-s3-bucket', 'another'], 404, 'NoSuchBucket'],
	];

	for (const [env, more, status, code] of wrong)
	{
		const refused = await Gateway.start(cluster, { args: options(store.port, more), env });

		await leavesNothing(async () =>
		{
			assert.equal((await upload(randomBytes(100), {}, keys.ours, refused.client)).status, 503);
		});
		assert.equal((await download(id, {}, keys.ours, 'GET', refused.client)).status, 503);
		for (const event of ['media_not_stored', 'media_not_read'])
			await isLogged(refused, event, new RegExp(` reason="[^"]+" status=${status} code=${code}$`));
		assert.ok(!refused.log().includes('not+the/secret'));
		await refused.stop();
	}
});

test('the secret is in no place that others can see', { skip: process.getuid() === 0 ? false : 'only root may look' }, () =>
{
	const seen = fs.readFileSync(`/proc/${gateway.pid}/environ`, 'latin1') + fs.readFileSync(`/proc/${gateway.pid}/cmdline`, 'latin1');

	assert.ok(!seen.includes(SECRET));
	assert.ok(!gateway.log().includes(SECRET));
});

test('several processes, and the bucket in the host', async () =>
{
	const any = await S3Server.start({ anySignature: true });
	const { client: both } = await Gateway.start(cluster, {
		workers: 2,
		args: ['--media-dir', folder, '--media-s3-bucket', BUCKET, '--media-s3-endpoint', `http://s3.localhost:${any.port}`,
			'--media-s3-style', 'virtual-host'],
		env: CREDENTIALS,
	});
	const bytes = randomBytes(1000);

	for (let i = 0; i < 4; i++)
	{
		const { json: { id } } = await upload(bytes, {}, keys.ours, both);

		assert.ok((await download(id, {}, keys.ours, 'GET', both)).body.equals(bytes));
	}
	assert.deepEqual(any.objects(), [nameOf(tenant.org, bytes)]);
	assert.ok(any.requests().every((line) => line.includes(` ${BUCKET}.s3.localhost:${any.port} /org_`)), 'the path has no bucket');
});

test('credentials from a file', async () =>
{
	const file = path.join(makePlace(), 'credentials');

	fs.writeFileSync(file, `[other]\naws_access_key_id = NOBODY\n\n# ours\n[default]\naws_access_key_id=${KEY_ID}\naws_secret_access_key = ${SECRET}\r\n[more]\naws_secret_access_key = x\n`);

	const { client: reader } = await Gateway.start(cluster, { args: options(store.port, ['--media-s3-credentials', file]) });

	assert.equal((await upload(randomBytes(100), {}, keys.ours, reader)).status, 201);
});

test('SIGHUP reads the file of the credentials again', async () =>
{
	const file = path.join(makePlace(), 'credentials');
	const write = (secret) => fs.writeFileSync(file, `[default]\naws_access_key_id=${KEY_ID}\naws_secret_access_key=${secret}\n`);

	write(SECRET);

	const args = options(store.port, ['--media-s3-credentials', file]);
	const reader = await Gateway.start(cluster, { args });
	const worker = await Worker.start(cluster, { args });
	const reload = async (secret, event, count) =>
	{
		write(secret);
		for (const program of [reader, worker])
		{
			program.kill('SIGHUP');
			await until(event, () => program.events(event).length === count);
		}
	};
	const status = async () => (await upload(randomBytes(100), {}, keys.ours, reader.client)).status;

	assert.equal(await status(), 201);
	await reload('not+the/secret', 'media_credentials_reloaded', 1);
	assert.equal(await status(), 503);
	await reload(SECRET, 'media_credentials_reloaded', 2);
	assert.equal(await status(), 201);
	await reload('not a secret', 'media_credentials_not_reloaded', 1);
	assert.equal(await status(), 201, 'those of before stay');
	for (const program of [reader, worker])
	{
		assert.ok(!program.log().includes('not a secret'));
		await program.stop();
	}
});

test('settings that cannot work are refused at the start', () =>
{
	const file = path.join(makePlace(), 'credentials');
	const check = (args, env = CREDENTIALS) => runGateway(['--check-config', ...args], env);
	const usual = options(store.port);

	fs.writeFileSync(file, '[default]\naws_access_key_id = a b\n');
	assert.equal(check(usual).code, 0);
	for (const [args, env, why] of [
		[usual.slice(2), CREDENTIALS, 'needs --media-dir'],
		[usual.slice(0, 4), CREDENTIALS, 'needs --media-s3-endpoint'],
		[[...usual, '--media-s3-endpoint', 'http://h/path'], CREDENTIALS, 'takes an URL without a path'],
		[[...usual, '--media-s3-endpoint', 'http://user@h'], CREDENTIALS, 'takes an URL without a path'],
		[[...usual, '--media-s3-endpoint', 'file://h'], CREDENTIALS, 'takes an URL without a path'],
		[[...usual, '--media-s3-bucket', '../x'], CREDENTIALS, 'takes the name of a bucket'],
		[[...usual, '--media-s3-region', 'a:b'], CREDENTIALS, 'takes the name of a region'],
		[[...usual, '--media-s3-ca-file', '/nonexistent'], CREDENTIALS, 'cannot be read'],
		[usual, {}, 'the environment lacks AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY'],
		[usual, { ...CREDENTIALS, AWS_SECRET_ACCESS_KEY: 'a secret' }, 'AWS_SECRET_ACCESS_KEY is not valid'],
		[[...usual, '--media-s3-credentials', '/nonexistent'], {}, 'cannot be read'],
		[[...usual, '--media-s3-credentials', file], {}, 'has a value that is not valid'],
	])
	{
		const refused = check(args, env);

		assert.notEqual(refused.code, 0, why);
		assert.ok(refused.stderr.includes(why), `${why}: ${refused.stderr}`);
		assert.ok(!refused.stderr.includes('a secret'));
	}
});
