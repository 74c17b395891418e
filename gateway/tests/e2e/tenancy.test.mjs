/*
 * tenancy.test.mjs
 *		One organization learns nothing of another, not even that something exists.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Gateway } from './harness/programs.mjs';
import { createChat, createMessage, createSession, createTenant, publicId } from './harness/tenants.mjs';

const OTHER_JID = '15559990001@s.whatsapp.net';
const SEND = { type: 'text', to: '15551234567', text: 'hello' };

let db, client, ours, theirs;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	ours = await createTenant(db, 'Ours');
	theirs = await createTenant(db, 'Theirs', { jid: OTHER_JID });
	client = (await Gateway.start(cluster)).client;
});

async function invented(prefix)
{
	return await publicId(db, prefix, await db.value('SELECT wa.uuid7()'));
}

/* Texts in the place of an id that are no id of the kind, and none of which is a path's end. */
function malformed(prefix, id)
{
	return [
		`${prefix}_`, prefix, 'x', '0', '-1', 'null', '%27', '%20', '%5C', "'%20OR%20true--",
		`${prefix}_${'8'.repeat(26)}`, id.slice(0, -1), `${id}0`, id.toUpperCase(), id.replace('_', '-'),
		id.replace(`${prefix}_`, 'org_'), id.replace(`${prefix}_`, ''), `${id.slice(0, -1)}u`, 'a'.repeat(1000),
		'00000000-0000-0000-0000-000000000000',
	];
}

/*
 * Every place of an id in a path: the request with the id in its place, our id, the other
 * organization's, and those that nobody has.
 */
async function idPlaces()
{
	const session = (path, more) => ({
		path: (id) => `/api/v1/sessions/${id}${path}`, ...more,
		own: ours.session.id, others: [theirs.session.id], none: nobody.session, bad: malformed('sess', ours.session.id),
	});
	const nobody = { session: await invented('sess'), message: await invented('msg') };
	const base = `/api/v1/sessions/${ours.session.id}`;
	const chats = { own: ours.chat.jid, others: [theirs.chat.jid], none: '15550009999@s.whatsapp.net',
		bad: ['x', '%27', '@', 's.whatsapp.net', `${ours.chat.jid}x`, ours.chat.jid.replace('whatsapp', 'whatsupp'), 'a'.repeat(1000)] };

	return {
		'GET a session': session(''),
		'GET the chats of a session': session('/chats'),
		'GET a chat of a session': session(`/chats/${ours.chat.jid}`),
		'GET a message of a session': session(`/messages/${ours.message.id}`),
		'GET the messages of a chat of a session': session(`/chats/${ours.chat.jid}/messages`),
		'POST a message to a session': session('/messages', { method: 'POST', json: SEND, status: 202 }),
		'GET a chat': { path: (id) => `${base}/chats/${id}`, ...chats },
		'GET the messages of a chat': { path: (id) => `${base}/chats/${id}/messages`, ...chats },
		'GET a message': {
			path: (id) => `${base}/messages/${id}`, own: ours.message.id, others: [theirs.message.id],
			none: nobody.message, bad: malformed('msg', ours.message.id),
		},
	};
}

test('another organization\'s id, an invented one and no id at all: one 404, byte for byte', async () =>
{
	for (const [name, place] of Object.entries(await idPlaces()))
	{
		const ask = (id) => client.request(place.method ?? 'GET', place.path(id), { key: ours.key.secret, json: place.json });
		const own = await ask(place.own);
		const missing = await ask(place.none);

		assert.equal(own.status, place.status ?? 200, name);
		assert.equal(missing.status, 404, name);
		assert.equal(missing.json.error.code, 'not_found', name);
		assert.equal(missing.json.error.details, undefined, name);
		for (const id of [...place.others, ...place.bad])
			assert.equal((await ask(id)).shape, missing.shape, `${name}: ${id}`);
	}
});

test('the same ids open all of it to the organization whose they are', async () =>
{
	const base = `/api/v1/sessions/${theirs.session.id}`;

	for (const path of ['', '/chats', `/chats/${OTHER_JID}`, `/chats/${OTHER_JID}/messages`, `/messages/${theirs.message.id}`])
	{
		assert.equal((await client.get(base + path, theirs.key.secret)).status, 200, path);
		assert.equal((await client.get(base + path, ours.key.secret)).status, 404, path);
	}
});

test('a message or chat of another session of ours is not found either', async () =>
{
	const session = await createSession(db, ours.org);
	const base = `/api/v1/sessions/${session.id}`;
	const missing = await client.get(`${base}/messages/${await invented('msg')}`, ours.key.secret);

	assert.equal((await client.get(`${base}/messages/${ours.message.id}`, ours.key.secret)).shape, missing.shape);
	assert.equal((await client.get(`${base}/chats/${ours.chat.jid}`, ours.key.secret)).shape, missing.shape);
});

test('nothing is written for a send that was not found', async () =>
{
	const before = await db.value('SELECT count(*) FROM wa.message WHERE org_id = $1', [theirs.org.uuid]);

	assert.equal((await client.post(`/api/v1/sessions/${theirs.session.id}/messages`, ours.key.secret, SEND)).status, 404);
	assert.equal(await db.value('SELECT count(*) FROM wa.message WHERE org_id = $1', [theirs.org.uuid]), before);
});

test('an answer to another organization\'s message is refused as one to an invented message', async () =>
{
	const path = `/api/v1/sessions/${ours.session.id}/messages`;
	const to = ours.chat.jid;
	const reply = async (id) => await client.post(path, ours.key.secret, { ...SEND, to, replyTo: id });
	const missing = await reply(await invented('msg'));

	assert.equal(missing.status, 400);
	assert.deepEqual(Object.keys(missing.json.error.details), ['replyTo']);
	assert.equal((await reply(theirs.message.id)).shape, missing.shape);
	assert.equal((await reply(ours.message.id)).status, 202);
});

test('a request that is wrong and for somebody else\'s session tells no more than one for nobody\'s', async () =>
{
	const wrong = [undefined, {}, { type: 'text' }, { ...SEND, text: '' }, { ...SEND, to: 'x' }, { ...SEND, mentions: ['x'] }];
	const nobody = await invented('sess');

	for (const json of wrong)
	{
		const ask = (id) => client.post(`/api/v1/sessions/${id}/messages`, ours.key.secret, json);

		assert.equal((await ask(theirs.session.id)).shape, (await ask(nobody)).shape, JSON.stringify(json));
	}
	for (const query of ['limit=0', 'cursor=x', 'limit=x&cursor=x'])
	{
		const ask = (id) => client.get(`/api/v1/sessions/${id}/chats?${query}`, ours.key.secret);

		assert.equal((await ask(theirs.session.id)).shape, (await ask(nobody)).shape, query);
	}
});

test('lists show the rows of the organization and no others', async () =>
{
	const chats = `/api/v1/sessions/${ours.session.id}/chats`;
	const messages = `${chats}/${ours.chat.jid}/messages`;
	const sessions = (await client.get('/api/v1/sessions?limit=200', ours.key.secret)).json.data;
	const expected = await db.sql("SELECT wa.typeid('sess', id) AS id FROM wa.session WHERE org_id = $1 ORDER BY id DESC",
		[ours.org.uuid]);

	/* the other side has a chat with the same person, and a message in it */
	await createMessage(db, await createChat(db, theirs.session, ours.chat.jid), 'not for you');

	assert.deepEqual(sessions.map((row) => row.id), expected.map((row) => row.id));
	assert.ok(sessions.every((row) => row.organizationId === ours.org.id));
	for (const row of (await client.get(chats, ours.key.secret)).json.data)
		assert.equal(row.sessionId, ours.session.id);
	for (const row of (await client.get(messages, ours.key.secret)).json.data)
		assert.equal(row.sessionId, ours.session.id);
	assert.doesNotMatch((await client.get(messages, ours.key.secret)).text, /not for you|Theirs/);
	assert.match((await client.get(`/api/v1/sessions/${theirs.session.id}/chats/${ours.chat.jid}/messages`,
		theirs.key.secret)).text, /not for you/);
});

test('another organization\'s message as a bound of a list shows our rows only', async () =>
{
	const base = `/api/v1/sessions/${ours.session.id}/chats/${ours.chat.jid}/messages`;

	for (const bound of ['before', 'after'])
	{
		const answer = await client.get(`${base}?${bound}=${theirs.message.id}`, ours.key.secret);

		assert.equal(answer.status, 200);
		assert.ok(answer.json.data.every((row) => row.sessionId === ours.session.id));
	}
	for (const bound of ['before=x', 'before=sess_00000000000000000000000000', 'after=-1', 'before=1&before=2'])
		assert.equal((await client.get(`${base}?${bound}`, ours.key.secret)).status, 400, bound);
});
