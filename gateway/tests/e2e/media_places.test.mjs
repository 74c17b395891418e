/*
 * media_places.test.mjs
 *		Uploads that take long: organizations share the places for them, and a credential that
 *		ends loses its uploads and downloads.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, beforeEach, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { createSentMessage } from './harness/fixtures.mjs';
import { Connection } from './harness/http.mjs';
import { tokenOf } from './harness/people.mjs';
import { makePlace, until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { createChat, createKey, createOrg, createPerson, createSession } from './harness/tenants.mjs';

/* gateway/api/upload.h */
const PLACES = 112;
const BODY = 10_000_000;
/* In front of each of these a part of the file is written to the folder. */
const WRITTEN = 256 * 1024;

let cluster, db, gateway, folder, orgs;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	folder = makePlace();
	gateway = await Gateway.start(cluster, { args: ['--media-dir', folder] });
});

beforeEach(async () =>
{
	orgs = [];
	for (const name of ['A', 'B', 'C'])
	{
		const org = await createOrg(db, name);

		orgs.push({ org, key: await createKey(db, org, ['send']) });
	}
});

const incoming = () => fs.readdirSync(path.join(folder, 'incoming')).length;
const upload = (secret) => gateway.client.request('POST', '/api/v1/media', { key: secret, body: Buffer.from('a file') });

/* A connection on which a file arrives, slowly. */
class Slow
{
	static async begin(headers)
	{
		const slow = new Slow();

		slow.connection = await Connection.open(gateway.port);
		slow.connection.send(`POST /api/v1/media HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n${headers}\r\nContent-Length: ${BODY}\r\n\r\n`);
		slow.head = await slow.connection.answer();
		return slow;
	}

	/* Sends a part of the file every second. */
	goOn()
	{
		this.timer = setInterval(() => this.connection.send(Buffer.alloc(8192)), 1000).unref();
	}

	async answer()
	{
		const answer = await this.connection.answer();

		this.end();
		return answer;
	}

	end()
	{
		clearInterval(this.timer);
		this.connection.close();
	}
}

async function begin(count, secret)
{
	const all = [];

	for (let i = 0; i < count; i++)
		all.push(await Slow.begin(`x-api-key: ${secret}`));
	return all;
}

const statuses = (all) => all.map(({ head }) => head.status);

test('one organization gets half of the places, and others upload', async () =>
{
	const [a, b] = orgs;
	const more = await createKey(db, a.org, ['send']);
	const slow = [...await begin(PLACES / 2 - 1, a.key.secret), ...await begin(1, more.secret)];

	assert.deepEqual(statuses(slow), Array(PLACES / 2).fill(100));

	const refused = await upload(more.secret);

	assert.equal(refused.status, 429);
	assert.deepEqual(refused.json.error.details, { limit: 'uploads' });
	assert.equal((await upload(b.key.secret)).status, 201);
	slow[0].end();
	await until('there is a place again', async () => (await upload(a.key.secret)).status === 201);
	for (const one of slow)
		one.end();
});

test('when all places are taken, who has most of them loses its newest upload', async () =>
{
	const [a, b, c] = orgs;
	const slow = [...await begin(PLACES / 2, a.key.secret), ...await begin(PLACES / 2, b.key.secret)];

	assert.deepEqual(statuses(slow), Array(PLACES).fill(100));
	assert.equal((await upload(c.key.secret)).status, 201);

	const lost = await slow.at(-1).answer();

	assert.equal(lost.status, 429);
	assert.deepEqual(lost.json.error.details, { limit: 'uploads' });
	for (const one of slow)
		one.end();
});

test('a body that does not say its length is not kept beyond the room of its organization', async () =>
{
	const [a] = orgs;
	const stored = () => fs.readdirSync(folder, { recursive: true }).length;

	await db.sql("SELECT wa.set_org_limit($1, 'media_mebibytes', 1)", [a.org.uuid]);
	assert.equal((await upload(a.key.secret)).status, 201);

	const before = stored();
	const connection = await Connection.open(gateway.port);
	const bytes = Buffer.alloc(1024 * 1024, 'x');

	connection.send(`POST /api/v1/media HTTP/1.1\r\nHost: h\r\nx-api-key: ${a.key.secret}\r\nTransfer-Encoding: chunked\r\n\r\n${bytes.length.toString(16)}\r\n`);
	connection.send(bytes);
	connection.send('\r\n0\r\n\r\n');

	const answer = await connection.answer();

	assert.equal(answer.status, 507);
	await until('nothing is left of it', async () => stored() === before);
	connection.close();
});

/* libmagic looks longest at texts of short lines. */
test('files that are hard to recognize do not hold up those of others', async () =>
{
	const [a, b] = orgs;
	const hard = Buffer.from('arequire ,public '.padEnd(WRITTEN / 4, '\n'));
	let answered = 0;
	const connections = await Promise.all(Array.from({ length: PLACES / 2 }, () => Connection.open(gateway.port)));
	const other = await Connection.open(gateway.port);

	/* it finds all of them when it goes on */
	process.kill(gateway.pid, 'SIGSTOP');

	const all = connections.map(async (connection) =>
	{
		const answer = await connection.request('POST', '/api/v1/media', { key: a.key.secret, body: hard });

		answered++;
		return answer.status;
	});
	const upload = other.request('POST', '/api/v1/media', { key: b.key.secret, body: Buffer.from('a file') });

	process.kill(gateway.pid, 'SIGCONT');
	assert.equal((await upload).status, 201);
	assert.ok(answered < PLACES / 4, String(answered));
	assert.deepEqual(await Promise.all(all), Array(PLACES / 2).fill(201));
});

test('a key that is revoked, and a person who signs out, lose their uploads', async () =>
{
	const [{ org, key }, other] = orgs;
	const person = await createPerson(db, { org });
	const token = await tokenOf(gateway.client, person);
	const ending = [await Slow.begin(`x-api-key: ${key.secret}`), await Slow.begin(`Authorization: Bearer ${token}`)];
	const [going] = await begin(1, other.key.secret);

	for (const one of [...ending, going])
	{
		one.connection.send(Buffer.alloc(WRITTEN));
		one.goOn();
	}
	await until('parts of them are written', async () => incoming() === 3);
	await db.sql('SELECT wa.revoke_key($1, $2)', [org.uuid, key.name]);
	await db.sql('DELETE FROM wa.sign_in WHERE user_id = $1', [person.uuid]);
	for (const one of ending)
		assert.equal((await one.answer()).status, 401);
	await until('nothing is left of them', async () => incoming() === 1);
	assert.ok(!going.connection.over);
	going.end();
});

test('a key that is revoked or restricted, and a person who signs out, lose their downloads', async () =>
{
	const [{ org }] = orgs;
	const bytes = Buffer.alloc(16_000_000, 'file');
	const writer = await createKey(db, org, ['send']);
	const { json: { id } } = await gateway.client.request('POST', '/api/v1/media', { key: writer.secret, body: bytes });
	const [revoked, unable, elsewhere, narrowed, other] = await Promise.all(Array.from({ length: 5 }, () => createKey(db, org, ['read', 'events'])));
	const session = await createSession(db, org, { connector: 'none' });
	const message = await createSentMessage(db, await createChat(db, session, '15551234567@s.whatsapp.net'), { type: 'image', media: { state: 'stored' } });
	const inMessage = `/api/v1/sessions/${session.id}/messages/${message.id}/media`;
	const person = await createPerson(db, { org });
	const token = await tokenOf(gateway.client, person);
	/* The files that the gateway reads. */
	const reading = () => fs.readdirSync(`/proc/${gateway.pid}/fd`).filter((fd) =>
	{
		try
		{
			return fs.readlinkSync(`/proc/${gateway.pid}/fd/${fd}`).startsWith(path.join(folder, 'org_'));
		}
		catch
		{
			return false;
		}
	}).length;
	const slow = [];

	await db.sql('UPDATE wa.message SET media_id = wa.from_typeid($2, $3) WHERE id = $1', [message.uuid, 'med', id]);
	for (const [header, place] of [[`Authorization: Bearer ${token}`], ...[revoked, unable, elsewhere].map(({ secret }) => [`x-api-key: ${secret}`]),
		[`x-api-key: ${narrowed.secret}`, inMessage], [`x-api-key: ${other.secret}`, inMessage]])
	{
		const connection = await Connection.open(gateway.port);

		connection.socket.pause();
		connection.send(`GET ${place ?? `/api/v1/media/${id}`} HTTP/1.1\r\nHost: h\r\n${header}\r\n\r\n`);
		slow.push(connection);
	}
	await until('the files are read', () => reading() === 6);
	await db.sql('SELECT wa.revoke_key($1, $2)', [org.uuid, revoked.name]);
	await db.sql('DELETE FROM wa.sign_in WHERE user_id = $1', [person.uuid]);
	await until('two of them are not', () => reading() === 4);
	await db.sql("SELECT wa.update_key($1::uuid, permissions => '{events}')", [unable.uuid]);
	await until('without its permission', () => reading() === 3);
	await db.sql("SELECT wa.update_key($1::uuid, addresses => '{192.0.2.1}')", [elsewhere.uuid]);
	await until('from another address', () => reading() === 2);
	await db.sql('SELECT wa.update_key($1::uuid, sessions => ARRAY[$2::uuid])', [narrowed.uuid, (await createSession(db, org, { connector: 'none' })).uuid]);
	await until('in another session', () => reading() === 1);

	let read = 0;

	slow[5].socket.removeAllListeners('data');
	slow[5].socket.on('data', (part) => { read += part.length; });
	slow[5].socket.resume();
	await until('the last has all', () => read > bytes.length);
	for (const connection of slow)
		connection.close();
});
