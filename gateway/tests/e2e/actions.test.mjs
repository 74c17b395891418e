/*
 * actions.test.mjs
 *		React, edit, delete, forward: asked for, carried out by the connector, shown by the message.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { createSentMessage, pairedSession } from './harness/fixtures.mjs';
import { until } from './harness/processes.mjs';
import { Gateway, Sandbox } from './harness/programs.mjs';
import { createChat, createSession, createTenant } from './harness/tenants.mjs';

const PHONE = '15551234567';
const FRIEND = '15557654321';

let db, client, tenant, key, session;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	key = tenant.key.secret;
	client = (await Gateway.start(cluster)).client;
	await Sandbox.start(cluster);
	session = await pairedSession(client, key);
});

const pathOf = (message, rest = '') => `/api/v1/sessions/${session.id}/messages/${message}${rest}`;
const act = (method, message, rest, json) => client.request(method, pathOf(message, rest), { key, json });

async function messageWhen(id, what, holds)
{
	return await until(what, async () =>
	{
		const answer = await client.get(pathOf(id), key);

		return answer.status === 200 && holds(answer.json) && answer.json;
	});
}

/* A message that WhatsApp has by now. */
async function sentMessage(content = { type: 'text', text: 'first' }, to = PHONE)
{
	const sent = await client.post(`/api/v1/sessions/${session.id}/messages`, key, { to, ...content });

	assert.equal(sent.status, 202);
	return await messageWhen(sent.json.id, 'the message is read', ({ status }) => status === 'read');
}

/* What the sandbox's other side wrote back. */
async function receivedMessage()
{
	const own = await sentMessage();

	return await until('the answer is there', async () =>
	{
		const { json } = await client.get(`/api/v1/sessions/${session.id}/chats/${own.chatJid}/messages`, key);

		return json.data.find(({ direction }) => direction === 'in');
	});
}

function checkQueued(answer, messageId)
{
	assert.equal(answer.status, 202);
	assert.equal(answer.json.messageId, messageId);
	assert.equal(answer.json.sessionId, session.id);
	assert.equal(answer.json.status, 'queued');
}

test('an edit shows the new text and says that there was one', async () =>
{
	const message = await sentMessage();

	checkQueued(await act('PATCH', message.id, '', { text: 'second ñ 🙂' }), message.id);

	const edited = await messageWhen(message.id, 'the edit shows', (now) => now.edited);

	assert.equal(edited.body, 'second ñ 🙂');
	assert.equal(edited.revoked, false);
});

test('a message deleted for everyone has no content any more, and cannot be acted on', async () =>
{
	const message = await sentMessage();

	checkQueued(await act('DELETE', message.id, ''), message.id);

	const revoked = await messageWhen(message.id, 'it is deleted', (now) => now.revoked);

	assert.equal(revoked.body, undefined);
	for (const answer of [
		await act('DELETE', message.id, ''),
		await act('PATCH', message.id, '', { text: 'x' }),
		await act('PUT', message.id, '/reaction', { emoji: '👍' }),
		await act('POST', message.id, '/forward', { to: FRIEND }),
	])
		assert.equal(answer.status, 409);
});

test('a reaction shows, is replaced by the next one, and is taken back', async () =>
{
	const message = await receivedMessage();

	for (const [method, emoji] of [['PUT', '👍'], ['POST', '❤️'], ['PUT', '👨‍👩‍👧‍👦'], ['PUT', '1️⃣']])
	{
		checkQueued(await act(method, message.id, '/reaction', { emoji }), message.id);
		assert.deepEqual((await messageWhen(message.id, `${emoji} shows`, (now) => now.reactions?.me === emoji)).reactions, { me: emoji });
	}
	checkQueued(await act('DELETE', message.id, '/reaction'), message.id);
	await messageWhen(message.id, 'no reaction is left', (now) => now.reactions === undefined);

	await act('PUT', message.id, '/reaction', { emoji: '🙂' });
	await messageWhen(message.id, 'it is back', (now) => now.reactions !== undefined);
	checkQueued(await act('PUT', message.id, '/reaction', { emoji: '' }), message.id);
	await messageWhen(message.id, 'an empty emoji takes it back too', (now) => now.reactions === undefined);
});

test('the caption of an attachment is edited like a text, up to its own limit', async () =>
{
	const message = await sentMessage({ type: 'image', media: { data: 'AAEC', mimetype: 'image/png' }, caption: 'lok' });
	const refused = await act('PATCH', message.id, '', { text: 'a'.repeat(4097) });

	assert.deepEqual([refused.status, Object.keys(refused.json.error.details)], [400, ['text']]);
	checkQueued(await act('PATCH', message.id, '', { text: 'look' }), message.id);

	const edited = await messageWhen(message.id, 'the caption shows', (now) => now.edited);

	assert.deepEqual([edited.body, edited.media], ['look', message.media]);
});

test('a forward with an Idempotency-Key is done once, and asked for again answers the same', async () =>
{
	const message = await sentMessage();
	const forward = (idempotencyKey, to, path = pathOf(message.id, '/forward')) =>
		client.request('POST', path, { key, json: { to }, headers: { 'idempotency-key': idempotencyKey } });
	const first = await forward('once', FRIEND);
	const again = await forward('once', `+${FRIEND}`);
	const other = await forward('twice', FRIEND);

	assert.equal(first.status, 202);
	assert.equal(first.json.replayed, undefined);
	assert.deepEqual([again.status, again.json], [200, { ...first.json, replayed: true }]);
	assert.notEqual(other.json.messageId, first.json.messageId);
	assert.equal((await forward('once', PHONE)).status, 409);
	assert.equal((await client.request('POST', `/api/v1/sessions/${session.id}/messages`,
		{ key, json: { type: 'text', to: FRIEND, text: 'x' }, headers: { 'idempotency-key': 'once' } })).status, 409);
	for (const { json } of [first, other])
		await messageWhen(json.messageId, 'the copy is there', ({ forwarded }) => forwarded);
	assert.equal(await db.value("SELECT count(*) FROM wa.message_action WHERE wa.typeid('msg', message_id) = $1 AND type = 'forward'", [message.id]), '2');
});

test('a forward makes a copy of the content in the other chat', async () =>
{
	const message = await sentMessage({ type: 'image', media: { data: 'AAEC', mimetype: 'image/png' }, caption: 'look' });
	const forwarded = await act('POST', message.id, '/forward', { to: FRIEND });

	assert.equal(forwarded.status, 202);
	assert.notEqual(forwarded.json.messageId, message.id);

	const copy = await messageWhen(forwarded.json.messageId, 'the copy is there', () => true);

	assert.equal(copy.chatJid, `${FRIEND}@s.whatsapp.net`);
	assert.equal(copy.direction, 'out');
	assert.equal(copy.type, 'image');
	assert.equal(copy.body, 'look');
	assert.deepEqual(copy.media, message.media);
	assert.equal(copy.forwarded, true);
	assert.equal(message.forwarded, false);
});

test('somebody else\'s message can be forwarded and reacted to, not edited or deleted', async () =>
{
	const message = await receivedMessage();

	assert.equal((await act('PATCH', message.id, '', { text: 'x' })).status, 409);
	assert.equal((await act('DELETE', message.id, '')).status, 409);
	assert.equal((await act('POST', message.id, '/forward', { to: FRIEND })).status, 202);
});

test('what has neither a text nor a caption cannot be edited', async () =>
{
	const message = await sentMessage({ type: 'location', latitude: 48.8584, longitude: 2.2945 });
	const refused = await act('PATCH', message.id, '', { text: 'x' });

	assert.equal(refused.status, 409);
	assert.equal(refused.json.error.code, 'conflict');
	assert.match(refused.json.error.message, /no text and no caption/);
});

test('a message that WhatsApp does not have yet cannot be acted on', async () =>
{
	const waiting = await createSession(db, tenant.org, { status: 'starting' });
	const path = `/api/v1/sessions/${waiting.id}/messages`;
	const sent = await client.post(path, key, { type: 'text', to: PHONE, text: 'hello' });

	for (const [method, rest, json] of [['PATCH', '', { text: 'x' }], ['DELETE', ''], ['PUT', '/reaction', { emoji: '👍' }], ['POST', '/forward', { to: FRIEND }]])
		assert.equal((await client.request(method, `${path}/${sent.json.id}${rest}`, { key, json })).status, 409, method + rest);
});

test('a session that is logged out carries out nothing', async () =>
{
	const out = await createSession(db, tenant.org, { status: 'logged_out' });
	const chat = await createChat(db, { ...out }, `${PHONE}@s.whatsapp.net`);
	const message = await createSentMessage(db, chat);
	const answer = await client.request('PUT', `/api/v1/sessions/${out.id}/messages/${message.id}/reaction`, { key, json: { emoji: '👍' } });

	assert.equal(answer.status, 409);
	assert.match(answer.json.error.message, /logged out/);
});

test('a message of another session of the same organization is not found', async () =>
{
	const message = await sentMessage();
	const path = `/api/v1/sessions/${tenant.session.id}/messages/${message.id}`;

	for (const [method, rest, json] of [['GET', ''], ['PATCH', '', { text: 'x' }], ['DELETE', ''], ['PUT', '/reaction', { emoji: '👍' }], ['POST', '/forward', { to: FRIEND }]])
		assert.equal((await client.request(method, path + rest, { key, json })).status, 404, method + rest);
});

test('what is no emoji is refused', async () =>
{
	const message = await receivedMessage();

	for (const emoji of ['x', 'ok', '👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍', '👍 ', '<b>'])
		assert.equal((await act('PUT', message.id, '/reaction', { emoji })).status, 400, emoji);
});
