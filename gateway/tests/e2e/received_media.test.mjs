/*
 * received_media.test.mjs
 *		Files that come with received messages: the message first, and its file when the connector
 *		has stored it.  Whoever dies meanwhile, no row promises a file that is not there.
 *
 * The invented telephones of the sandbox send files to whoever asks for them.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { pairedSession } from './harness/fixtures.mjs';
import { makePlace, until } from './harness/processes.mjs';
import { Gateway, Sandbox } from './harness/programs.mjs';
import { createKey, createOrg } from './harness/tenants.mjs';

const SOMEBODY = '15551234567';

let cluster, db, folder, gateway, sandbox, client, key, session;

const startSandbox = (more = {}) => Sandbox.start(cluster, { args: ['--media-dir', folder], ...more });
const startGateway = async () =>
{
	gateway = await Gateway.start(cluster, { args: ['--media-dir', folder] });
	client = gateway.client;
};

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	folder = makePlace();
	await startGateway();
	sandbox = await startSandbox();
	key = (await createKey(db, await createOrg(db, 'Receives'))).secret;
	session = await pairedSession(client, key);
});

const send = async (content, to = SOMEBODY) =>
{
	const sent = await client.post(`/api/v1/sessions/${session.id}/messages`, key, { to, ...content });

	assert.equal(sent.status, 202);
	return sent.json;
};

const messages = async (to = SOMEBODY) => (await client.get(`/api/v1/sessions/${session.id}/chats/${to}/messages`, key)).json.data;

/* The file that somebody sends back, when it is no longer pending. */
const received = (to) => until('a file is received', async () =>
	(await messages(to)).find((message) => message.direction === 'in' && message.media?.state !== undefined && message.media.state !== 'pending'));

const download = (message, as = key) => client.request('GET', `/api/v1/sessions/${session.id}/messages/${message.id}/media`, { key: as });

const FILES = {
	'send a picture': ['image', 'picture.png', 'image/png', '\x89PNG'],
	'Please send a voice note!': ['audio', 'voice.ogg', 'audio/ogg; codecs=opus', 'OggS'],
	'SEND A DOCUMENT': ['document', 'document.pdf', 'application/pdf', '%PDF-'],
};

let numbers = 15552000000;

for (const [text, [type, filename, mimetype, begins]] of Object.entries(FILES))
{
	test(`"${text}" is answered with a file`, async () =>
	{
		const to = String(++numbers);

		await send({ type: 'text', text }, to);

		const message = await received(to);
		const got = await download(message);

		assert.equal(message.type, type);
		assert.equal(message.hasMedia, true);
		assert.deepEqual({ ...message.media, id: '', size: 0 }, { id: '', state: 'stored', mimetype, filename, size: 0 });
		assert.equal(got.status, 200);
		assert.equal(got.body.subarray(0, begins.length).toString('latin1'), begins);
		assert.equal(got.body.length, message.media.size);
		assert.equal(got.headers['content-type'], mimetype);
		assert.equal((await client.get(`/api/v1/media/${message.media.id}`, key)).status, 200);

		/* first the message, then its file */
		const events = (await client.get(`/api/v1/events?session=${session.id}&limit=200`, key)).json.data
			.filter(({ payload }) => payload.id === message.id).map(({ event, payload }) => [event, payload.media.state]);

		assert.deepEqual(events, [['message', 'pending'], ['message.media', 'stored']]);
	});
}

test('a file whose caption asks for that is sent back', async () =>
{
	const to = String(++numbers);
	const bytes = randomBytes(300000);
	const { json: { id } } = await client.request('POST', '/api/v1/media', { key, body: bytes });

	await send({ type: 'document', media: { id, filename: 'random.bin' }, caption: 'send it back' }, to);

	const message = await received(to);

	assert.notEqual(message.media.id, id);
	assert.ok((await download(message)).body.equals(bytes));

	/* without being asked nobody does */
	await send({ type: 'document', media: { id }, caption: 'keep it' }, String(++numbers));
	await until('it is read', async () => (await messages(String(numbers)))[0].status === 'read');
	assert.equal((await messages(String(numbers))).length, 1);
});

test('a file is pending until it is fetched, and gone if it cannot be', async () =>
{
	const to = String(++numbers);

	/* nobody fetches anything */
	await sandbox.stop();
	await receive(await db.value("SELECT wa.from_typeid('sess', $1)", [session.id]), to, 'gone', 'sandbox:nothing');

	const [pending] = await messages(to);

	assert.equal(pending.media.state, 'pending');

	const waits = await download(pending);

	assert.equal(waits.status, 409);
	assert.deepEqual(waits.json.error, { code: 'conflict', message: 'the file is still being fetched' });
	assert.equal((await client.get(`/api/v1/media/${pending.media.id}`, key)).status, 409);

	/* another organization: as if it did not exist */
	const other = (await createKey(db, await createOrg(db, 'Other'))).secret;

	assert.equal((await client.get(`/api/v1/media/${pending.media.id}`, other)).status, 404);
	assert.equal((await download(pending, other)).status, 404);

	sandbox = await startSandbox();

	const failed = await received(to);

	assert.equal(failed.media.state, 'failed');
	assert.equal(failed.media.error, 'nobody has sent such a file');
	assert.equal((await download(failed)).status, 410);
	assert.equal((await download(failed)).json.error.code, 'media_gone');
});

/* What a connector reports of a message with a file. */
async function receive(uuid, from, id, reference)
{
	await db.sql(`
		WITH bound AS MATERIALIZED (SELECT wa.act_for(org_id) FROM wa.session WHERE id = $1)
		SELECT r.* FROM bound, wa.connector_report($2::json) r`, [uuid, JSON.stringify([{
		report: 'receive', session: uuid, wa_message_id: id, chat_jid: `${from}@s.whatsapp.net`, sender_jid: `${from}@s.whatsapp.net`,
		type: 'document', media: { reference }, at: new Date().toISOString() }])]);
}

/* Every row that says "stored" has its file, whole. */
async function everyRowIsKept()
{
	const rows = await db.sql("SELECT wa.typeid('org', org_id) AS org, encode(sha256, 'hex') AS digest, size::text FROM wa.media WHERE state = 'stored'");

	for (const { org, digest, size } of rows)
	{
		const bytes = fs.readFileSync(path.join(folder, org, digest.slice(0, 2), digest));

		assert.equal(bytes.length, Number(size));
		assert.equal(createHash('sha256').update(bytes).digest('hex'), digest);
	}
	return rows.length;
}

/* An organization of its own, so that its files are not there yet. */
async function beginRound(round)
{
	key = (await createKey(db, await createOrg(db, `Round ${round}`))).secret;
	session = await pairedSession(client, key);
}

/* As if the time of all leases were over. */
async function endLeases()
{
	for (const table of ['session', 'message', 'media_fetch'])
		await db.sql(`UPDATE wa.${table} SET lease_until = now() - interval '1 second' WHERE lease_owner IS NOT NULL`);
}

const KILLS = {
	'the sandbox is killed': async () =>
	{
		sandbox.kill('SIGKILL');
		await sandbox.exited;
		await endLeases();
		return async () => { sandbox = await startSandbox(); };
	},
	'the gateway is killed': async () =>
	{
		gateway.kill('SIGKILL');
		await gateway.exited;
		return startGateway;
	},
	'the database crashes': async () =>
	{
		cluster.crash();
		return async () =>
		{
			cluster.start();
			db = await cluster.open('wa');
			await until('the gateway is connected again', async () => (await client.get('/readyz')).status === 200);
		};
	},
};

for (const [name, kill] of Object.entries(KILLS))
{
	test(`${name} between the bytes and the row`, { timeout: 400_000 }, async () =>
	{
		for (let round = 0; round < 4; round++)
		{
			await beginRound(round);
			await Promise.all(Object.keys(FILES).map((text, i) => send({ type: 'text', text }, String(numbers + i))));

			/* what is uploaded meanwhile may be lost, with its answer */
			const uploads = Promise.allSettled(Array.from({ length: 4 }, () => client.request('POST', '/api/v1/media', { key, body: randomBytes(100000) })));

			await new Promise((resolve) => setTimeout(resolve, 20 + 40 * round));

			const again = await kill();

			await uploads;
			if (name !== 'the database crashes')
				await everyRowIsKept();
			await again();
			await everyRowIsKept();
			await until('all files are stored', async () =>
			{
				return await db.value("SELECT count(*) FROM wa.media WHERE state = 'pending'") === '0' &&
					await db.value("SELECT count(*) FROM wa.message WHERE status IN ('queued', 'sending')") === '0';
			});
			await everyRowIsKept();
		}
		assert.ok(await everyRowIsKept() > 0);
	});
}
