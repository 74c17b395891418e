/*
 * sent_files.test.mjs
 *		Files in the body of a send: they go to the store, and the message has only their id.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { createUnlimitedSession, pairedSession } from './harness/fixtures.mjs';
import { Connection } from './harness/http.mjs';
import { makePlace, until } from './harness/processes.mjs';
import { Gateway, Sandbox } from './harness/programs.mjs';
import { createKey, createSession, createTenant } from './harness/tenants.mjs';

const PHONE = '15551234567';
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const PAGE = Buffer.from('<!DOCTYPE html><html><script>alert(1)</script></html>');
const INVENTED = 'sess_01h455vb4pex5vsknk084sn02q';

let cluster, db, folder, gateway, client, tenant, other, session, keys, names = 0;

const startGateway = (...args) => Gateway.start(cluster, { args: ['--media-dir', folder, ...args] });

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	folder = makePlace();
	gateway = await startGateway();
	client = gateway.client;
	tenant = await createTenant(db, 'Files');
	other = await createTenant(db, 'Others');
	session = await createUnlimitedSession(db, tenant.org);
	keys = {
		send: await createKey(db, tenant.org, ['send']),
		read: await createKey(db, tenant.org, ['read']),
		events: await createKey(db, tenant.org, ['events']),
		other: await createKey(db, other.org),
	};
});

const base64 = (bytes) => bytes.toString('base64');
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const walk = (place) => fs.readdirSync(place, { withFileTypes: true }).flatMap((entry) => entry.isDirectory() ? walk(path.join(place, entry.name)) : [path.join(place, entry.name)]);
const stored = (bytes) => walk(folder).filter((file) => path.basename(file) === sha256(bytes));
const rowCount = () => db.value('SELECT count(*) FROM wa.media');

function send(media, { key = keys.send, to = session, by = client, name, ...more } = {})
{
	return by.post(`/api/v1/sessions/${to.id}/messages`, key.secret, { type: 'document', to: PHONE, media, ...more },
		name === undefined ? {} : { headers: { 'Idempotency-Key': name } });
}

const show = async (id, of = session, key = keys.read) => (await client.get(`/api/v1/sessions/${of.id}/messages/${id}`, key.secret)).json;
const download = (id, of = session, key = keys.read) => client.get(`/api/v1/sessions/${of.id}/messages/${id}/media`, key.secret);

/* What the row of a message has of its file. */
const kept = async (id) => (await db.sql("SELECT media_data, wa.typeid('med', media_id) AS file, content FROM wa.message WHERE id = wa.from_typeid('msg', $1)", [id]))[0];

/* Neither a row nor a file is made. */
async function leavesNothing(act)
{
	const counts = async () => JSON.stringify([await rowCount(), walk(folder).length, await db.value('SELECT count(*) FROM wa.message')]);
	const before = await counts();

	await act();
	await until('nothing is left', async () => await counts() === before);
}

test('a file goes to the store, and its message has the id', async () =>
{
	const sent = await send({ data: base64(PNG), mimetype: 'IMAGE/png', filename: 'view.png' }, { type: 'image', caption: 'look' });

	assert.equal(sent.status, 202, sent.text);
	assert.equal(sent.json.status, 'queued');

	const { media: { id, ...media }, body, hasMedia } = await show(sent.json.id);

	assert.deepEqual([media, body, hasMedia], [{ state: 'stored', mimetype: 'image/png', size: PNG.length, filename: 'view.png' }, 'look', true]);
	assert.match(id, /^med_/);
	assert.deepEqual(await kept(sent.json.id), { media_data: null, file: id, content: null });
	assert.equal(stored(PNG).length, 1);

	const got = await download(sent.json.id);

	assert.ok(got.body.equals(PNG));
	assert.match(got.headers['content-disposition'], /view\.png/);
	assert.ok((await client.get(`/api/v1/media/${id}`, keys.read.secret)).body.equals(PNG));
});

test('however it is written, the bytes and the type are stored', async () =>
{
	const bytes = Buffer.from([0, 1, 2, 0xfb, 0xff]);

	for (const [media, mimetype, expected] of [
		[{ data: 'AAEC+/8=' }, 'application/octet-stream', bytes],
		[{ data: 'AAEC-_8' }, 'application/octet-stream', bytes],
		[{ data: 'AAEC\r\n+/8=\r\n', mimetype: 'application/x-five' }, 'application/x-five', bytes],
		[{ data: 'data:application/x-five;base64,AAEC%2B/8=' }, 'application/x-five', bytes],
		[{ url: 'DATA:application/x-five;base64,AAEC+/8=' }, 'application/x-five', bytes],
		[{ url: 'data:,hello%20you' }, 'text/plain; charset=US-ASCII', Buffer.from('hello you')],
		[{ data: base64(PNG) }, 'image/png', PNG],
	])
	{
		const { status, json: { id } } = await send(media);

		assert.equal(status, 202, JSON.stringify(media));

		const message = await show(id);

		assert.equal(message.media.mimetype, mimetype, JSON.stringify(media));
		assert.equal(message.media.url, undefined);
		assert.equal((await kept(id)).media_data, null);
		assert.ok((await download(id)).body.equals(expected), JSON.stringify(media));
	}
	assert.equal(stored(bytes).length, 1);
});

test('a file as large as a body may be', async () =>
{
	const bytes = randomBytes(780_000);
	const { status, json: { id }, text } = await send({ data: base64(bytes), filename: 'large.bin' });

	assert.equal(status, 202, text);
	assert.ok((await download(id)).body.equals(bytes));
	assert.equal((await kept(id)).media_data, null);

	await leavesNothing(async () => assert.equal((await send({ data: base64(randomBytes(800_000)) })).status, 413));
});

test('events have the id, and never the file; a connector has it from the store', async () =>
{
	const sandbox = await Sandbox.start(cluster, { args: ['--media-dir', folder] });
	const every = await createKey(db, tenant.org);
	const paired = await pairedSession(client, every.secret);
	const bytes = randomBytes(3000);
	const { json: { id } } = await send({ data: base64(bytes), filename: 'quiet.bin' }, { to: paired, caption: 'send it back' });
	const { media } = await show(id, paired);
	const echo = await until('the sandbox sends it back', async () =>
		(await client.get(`/api/v1/sessions/${paired.id}/chats/${PHONE}/messages`, keys.read.secret)).json.data
			.find((message) => message.direction === 'in' && message.media?.state === 'stored'));

	assert.ok((await download(echo.id, paired)).body.equals(bytes));

	assert.equal((await client.post(`/api/v1/sessions/${paired.id}/messages/${id}/forward`, every.secret, { to: '15557654321' })).status, 202);
	await until('the copy is there', async () => await db.value(
		"SELECT count(*) FROM wa.message WHERE forwarded AND media ->> 'id' = $1 AND media_data IS NULL", [media.id]) === '1');

	const { text } = await client.get('/api/v1/events?limit=200', keys.events.secret);

	assert.ok(text.includes(id));
	assert.ok(!text.includes(base64(bytes).slice(0, 40)));
	await sandbox.stop();
});

test('a repeated request is the first answer, and stores nothing', async () =>
{
	const media = { data: base64(randomBytes(500)), mimetype: 'application/x-some', filename: 'some.bin' };
	const name = `file ${++names}`;
	const first = await send(media, { name });

	assert.equal(first.status, 202);
	await leavesNothing(async () =>
	{
		for (let i = 0; i < 2; i++)
		{
			const again = await send(media, { name });

			assert.equal(again.status, 200);
			assert.deepEqual(again.json, { ...first.json, replayed: true });
		}

		/* another file, another name, and the same file by its id are other requests */
		for (const changed of [{ ...media, data: base64(randomBytes(500)) }, { ...media, filename: 'other.bin' }, { id: (await show(first.json.id)).media.id }])
			assert.equal((await send(changed, { name })).status, 409);
		assert.deepEqual(Object.keys((await send(media, { name: 'é' })).json.error.details), ['Idempotency-Key']);
	});
});

test('a request that came to a gateway without a store is the same request', async () =>
{
	const { client: without } = await Gateway.start(cluster);
	const media = { data: base64(randomBytes(500)) };
	const name = `file ${++names}`;
	const first = await send(media, { name, by: without });

	assert.equal(first.status, 202);
	await leavesNothing(async () =>
		assert.deepEqual((await send(media, { name })).json, { ...first.json, replayed: true }));

	const second = await send(media, { name: `${name} 2` });

	assert.deepEqual((await send(media, { name: `${name} 2`, by: without })).json, { ...second.json, replayed: true });
});

test('requests that are repeated at once are one message', async () =>
{
	const media = { data: base64(randomBytes(500)) };
	const answers = await Promise.all(Array.from({ length: 6 }, () => send(media, { name: 'at once' })));

	assert.equal(new Set(answers.map(({ json }) => json.id)).size, 1);
	assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 200, 200, 202]);
});

test('what is wrong with a request leaves nothing of its file', async () =>
{
	const file = { data: base64(PNG) };
	const wrong = [
		[{ media: { data: 'AAE?' } }, { 'media.data': 'has a character that is not of base64, at character 4' }],
		[{ media: { data: 'AAB' } }, { 'media.data': 'has base64 with bits behind its last byte' }],
		[{ media: { ...file, url: 'https://media.example/' } }, { media: 'must have one of id, url and data' }],
		[{ media: { ...file, mimetype: 'png' } }, { 'media.mimetype': 'must be a media type such as image/png' }],
		[{ media: { data: 'data:image/png;base64,AAEC', mimetype: 'image/gif' } }, { 'media.mimetype': 'is image/gif, but the data: URL says image/png' }],
		[{ media: { ...file, filename: '../../etc/passwd' } }, { 'media.filename': 'must be 1 to 255 characters without slashes' }],
		[{ media: { ...file, filename: 7 } }, { 'media.filename': 'must be a text' }],
		[{ media: { ...file, size: 7 } }, { media: 'has "size", but its fields are id, url, data, mimetype, filename' }],
		[{ media: { data: base64(PAGE), mimetype: 'image/png' } }, { 'media.data': 'is said to be image/png, but is text/html' }],
		[{ media: { url: `data:video/mp4;base64,${base64(PAGE)}` } }, { 'media.url': 'is said to be video/mp4, but is text/html' }],
		[{ media: file, caption: '' }, { caption: 'must be a text of 1 to 4096 characters' }],
		[{ media: file, type: 'text', text: 'x' }, { media: 'is no field of type text' }],
		[{ media: file, to: 'nobody' }, { to: 'must be a phone number in E.164 digits or a WhatsApp address' }],
		[{ media: file, mentions: ['x'] }, { mentions: 'mentions[0] must be a phone number or a WhatsApp address' }],
		[{ media: file, replyTo: 'msg_1' }, { replyTo: 'must be an id that begins with msg_' }],
	];

	await leavesNothing(async () =>
	{
		for (const [json, details] of wrong)
		{
			const refused = await client.post(`/api/v1/sessions/${session.id}/messages`, keys.send.secret, { type: 'document', to: PHONE, ...json });

			assert.equal(refused.status, 400, refused.text);
			assert.deepEqual(refused.json.error.details, details);
		}
	});
});

test('who may not send stores nothing, and learns no more than with an invented session', async () =>
{
	const file = { data: base64(randomBytes(200)) };
	const mine = await createSession(db, tenant.org);
	const restricted = await createKey(db, tenant.org, ['send', 'read'], { sessions: [mine.id] });

	await leavesNothing(async () =>
	{
		assert.equal((await send(file, { key: { secret: 'wa_x' } })).status, 401);
		assert.equal((await send(file, { key: keys.read })).status, 403);

		const invented = await send(file, { key: keys.other, to: { id: INVENTED } });

		assert.equal(invented.status, 404);
		assert.equal((await send(file, { key: keys.other })).shape, invented.shape);
		assert.equal((await send(file, { key: restricted })).shape, (await send(file, { key: restricted, to: { id: INVENTED } })).shape);
		/* also with the name of a request that somebody else has sent */
		assert.equal((await send(file, { key: restricted, name: 'at once' })).status, 404);
	});

	/* a key that is restricted to a session sends in it, and reaches what it has sent */
	const sent = await send(file, { key: restricted, to: mine });

	assert.equal(sent.status, 202, sent.text);
	assert.equal((await download(sent.json.id, mine, restricted)).status, 200);
	assert.equal((await client.get(`/api/v1/media/${(await show(sent.json.id, mine)).media.id}`, keys.other.secret)).status, 404);
});

test('a send that is refused afterwards leaves an upload that is removed unless it is sent', async () =>
{
	const out = await createSession(db, tenant.org, { status: 'logged_out' });
	const before = Number(await rowCount());
	const bytes = randomBytes(300);

	assert.equal((await send({ data: base64(bytes) }, { to: out, name: 'refused' })).status, 409);
	assert.equal(Number(await rowCount()), before + 1);

	const [{ days, id }] = await db.sql(`SELECT round(extract(epoch FROM unused_at - now()) / 86400)::integer AS days, wa.typeid('med', id) AS id
		FROM wa.media WHERE sha256 = $1`, [`\\x${sha256(bytes)}`]);

	assert.equal(Number(days), 7);
	assert.equal((await send({ id })).status, 202);
	/* the name is free: nothing was sent with it */
	assert.equal((await send({ data: base64(bytes) }, { name: 'refused' })).status, 202);
});

test('the limits are those of uploads', async () =>
{
	const full = await createTenant(db, 'Full');
	const key = await createKey(db, full.org, ['send']);
	const bytes = randomBytes(700_000);

	await db.sql("SELECT wa.set_org_limit($1::uuid, 'media_mebibytes', 1)", [full.org.uuid]);
	assert.equal((await send({ data: base64(bytes) }, { key, to: full.session })).status, 202);
	await leavesNothing(async () =>
	{
		const refused = await send({ data: base64(randomBytes(400_000)) }, { key, to: full.session });

		assert.equal(refused.status, 507);
		assert.deepEqual(refused.json.error, { code: 'quota_exceeded', message: 'organization has reached its limit of 1 MiB of files', details: { limit: 'mediaMebibytes' } });

		const { client: small } = await startGateway('--media-max-bytes', '1000');

		assert.equal((await send({ data: base64(randomBytes(1001)) }, { by: small })).status, 413);
	});
});

test('a client that leaves sends nothing, or all of it', async () =>
{
	const body = (bytes) => JSON.stringify({ type: 'document', to: PHONE, media: { data: base64(bytes) } });

	for (let round = 0; round < 8; round++)
	{
		const connection = await Connection.open(gateway.port);
		const json = body(randomBytes(200_000));

		connection.send(`POST /api/v1/sessions/${session.id}/messages HTTP/1.1\r\nHost: h\r\nx-api-key: ${keys.send.secret}\r\n` +
			`Content-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n`);
		connection.send(json);
		await new Promise((resolve) => setTimeout(resolve, 4 * round));
		connection.close();
	}
	await everyRowIsKept();
	assert.equal((await send({ data: base64(PNG) })).status, 202);
});

/* Every row that says "stored" has its file, and no message has bytes of its own. */
async function everyRowIsKept()
{
	const rows = await db.sql("SELECT wa.typeid('org', org_id) AS org, encode(sha256, 'hex') AS digest FROM wa.media WHERE state = 'stored'");

	for (const { org, digest } of rows)
		assert.equal(sha256(fs.readFileSync(path.join(folder, org, digest.slice(0, 2), digest))), digest);
}

test('a gateway that is killed leaves no row without its file', { timeout: 120_000 }, async () =>
{
	for (let round = 0; round < 4; round++)
	{
		const killed = await startGateway();
		const sends = Array.from({ length: 6 }, (_, i) => ({ media: { data: base64(randomBytes(150_000)) }, name: `killed ${round} ${i}` }));
		const lost = Promise.allSettled(sends.map(({ media, name }) => send(media, { name, by: killed.client })));

		await new Promise((resolve) => setTimeout(resolve, 10 + 25 * round));
		killed.kill('SIGKILL');
		await killed.exited;
		await lost;
		await everyRowIsKept();

		/* who has got no answer asks again, and each is one message */
		for (const { media, name } of sends)
			assert.ok([200, 202].includes((await send(media, { name })).status));
		assert.equal(await db.value("SELECT count(*) FROM wa.idempotency WHERE key LIKE $1", [`killed ${round} %`]), '6');
		await everyRowIsKept();
	}
	assert.equal(await db.value("SELECT count(*) FROM wa.message WHERE media_id IS NOT NULL AND media_data IS NOT NULL"), '0');
});

test('a store that cannot store is a 503, and sends nothing', async () =>
{
	const place = makePlace();
	const { client: broken } = await Gateway.start(cluster, { args: ['--media-dir', place] });
	const media = { data: base64(randomBytes(100)) };

	fs.rmSync(path.join(place, 'incoming'), { recursive: true });
	await leavesNothing(async () => assert.equal((await send(media, { by: broken, name: 'broken' })).status, 503));
	fs.mkdirSync(path.join(place, 'incoming'));
	assert.equal((await send(media, { name: 'broken' })).status, 202);
});

test('without a store the file stays with its message, and such a message is sent as before', async () =>
{
	const { client: without } = await Gateway.start(cluster);
	const files = await rowCount();
	const sent = await send({ data: base64(PNG), mimetype: 'image/png', filename: 'view.png' }, { by: without });

	assert.equal(sent.status, 202);
	assert.deepEqual((await show(sent.json.id)).media, { mimetype: 'image/png', filename: 'view.png' });
	assert.ok((await kept(sent.json.id)).media_data.endsWith(PNG.toString('hex')));
	assert.equal(await rowCount(), files);
	assert.equal((await download(sent.json.id)).status, 404);
});
