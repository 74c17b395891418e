/*
 * search.test.mjs
 *		Lists that are searched with ?q=: what is found, what a page may look at, and who sees what.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { tokenOf } from './harness/people.mjs';
import { Gateway } from './harness/programs.mjs';
import { createChat, createKey, createMessage, createOrg, createPerson, createSession, createTenant } from './harness/tenants.mjs';

const JID = '15551234567@s.whatsapp.net';
const GROUP = '120363041234567890@g.us';

let db, client;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	client = (await Gateway.start(cluster)).client;
});

const found = (path, query, credential) => client.request('GET', `/api/v1${path}?${new URLSearchParams(query)}`, credential);

async function bodies(path, query, credential)
{
	const answer = await found(path, query, credential);

	assert.equal(answer.status, 200, answer.text);
	return answer.json.data.map(({ body }) => body);
}

/* All pages of a search, and how many there were. */
async function pagesOf(path, query, credential)
{
	const rows = [];
	let pages = 0;
	let cursor;

	do
	{
		const { status, json, text } = await found(path, { ...query, ...(cursor && { cursor }) }, credential);

		assert.equal(status, 200, text);
		rows.push(...json.data);
		cursor = json.nextCursor;
		pages++;
	}
	while (cursor !== undefined);
	return { rows, pages };
}

async function chatting(name)
{
	const tenant = await createTenant(db, name, { jid: JID });
	const group = await createChat(db, tenant.session, GROUP, { activeAt: '2026-01-01' });

	return { ...tenant, group, path: `/sessions/${tenant.session.id}/messages`, credential: { key: tenant.key.secret } };
}

test('messages are found in all chats or in one, in any case and with or without accents', async () =>
{
	const { chat, group, path, credential } = await chatting('Finds');

	for (const body of ['Zoë said NO', 'İstanbul', 'ПРИВЕТ', 'Übergröße', 'مَرْحَبًا', '100% _sure_', 'か'])
		await createMessage(db, chat, body);
	await createMessage(db, group, 'zoe in the group');

	for (const [q, expected] of [
		['zoe', ['Zoë said NO', 'zoe in the group']], ['ZOË', ['Zoë said NO', 'zoe in the group']], ['Zoe\u0308', ['Zoë said NO', 'zoe in the group']],
		['istanbul', ['İstanbul']], ['привет', ['ПРИВЕТ']], ['ubergrosse', ['Übergröße']], ['مرحبا', ['مَرْحَبًا']],
		['%', ['100% _sure_']], ['_s', ['100% _sure_']], ['zoe%', []], ['が', []], ['nowhere', []],
	])
		assert.deepEqual(await bodies(path, { q }, credential), expected, q);
	assert.deepEqual(await bodies(path, { q: 'zoe', chat: GROUP }, credential), ['zoe in the group']);
	assert.deepEqual(await bodies(path, { q: 'zoe', chat: '15551234567' }, credential), ['Zoë said NO']);
	assert.deepEqual(await bodies(path, { q: 'zoe', chat: '15550000000' }, credential), []);
	for (const query of [{}, { q: '' }, { q: 'x'.repeat(101) }, { q: 'x', chat: '' }])
		assert.equal((await found(path, query, credential)).status, 400, JSON.stringify(query));
});

test('found messages come page by page, each once, those of the latest chat and the newest first', async () =>
{
	const { chat, group, path, credential, session } = await chatting('Pages');

	for (let i = 0; i < 7; i++)
	{
		await createMessage(db, chat, `needle ${i}`);
		await createMessage(db, group, `needle in the group ${i}`);
		await createMessage(db, chat, 'hay');
	}

	const { rows } = await pagesOf(path, { q: 'needle', limit: 3 }, credential);
	const expected = [6, 5, 4, 3, 2, 1, 0];

	assert.deepEqual(rows.map(({ body }) => body), [...expected.map((i) => `needle ${i}`), ...expected.map((i) => `needle in the group ${i}`)]);
	assert.ok(rows.every((row) => row.sessionId === session.id));

	const { json } = await found(path, { q: 'needle', limit: 3 }, credential);

	/* a cursor is of one list, and one that was changed is none */
	for (const other of [`${path.replace('/messages', '/chats')}`, `${path.replace('/messages', '/contacts')}`])
		assert.equal((await found(other, { q: 'needle', cursor: json.nextCursor }, credential)).status, 400);
});

test('one request looks at a bounded number of rows, however many there are, and the next goes on', async () =>
{
	const { chat, path, credential, session } = await chatting('Many');

	await db.sql(`INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status, sent_at)
		SELECT $1, $2, $3, 'in', 'text', CASE WHEN i = 11000 THEN 'the oldest needle' ELSE 'hay ' || i END, 'read', now() - i * interval '1 second'
		FROM generate_series(1, 11000) i`, [session.org.uuid, session.uuid, chat.jid]);

	const first = await found(path, { q: 'needle' }, credential);

	assert.deepEqual(first.json.data, []);
	assert.ok(first.json.nextCursor);

	const { rows, pages } = await pagesOf(path, { q: 'needle' }, credential);

	assert.deepEqual(rows.map(({ body }) => body), ['the oldest needle']);
	assert.equal(pages, 3);

	/* long texts count by their length, and by that of their forms */
	await db.sql(`INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status)
		SELECT $1, $2, $3, 'in', 'text', repeat('x', 60000), 'read' FROM generate_series(1, 300) i`, [session.org.uuid, session.uuid, chat.jid]);
	assert.equal((await pagesOf(path, { q: 'needle' }, credential)).pages, 7);
});

test('chats are found by name or number, beside the filters', async () =>
{
	const { session, credential, path } = await chatting('Chats');
	const chats = path.replace('/messages', '/chats');
	const jids = async (query) => (await pagesOf(chats, query, credential)).rows.map(({ jid }) => jid);

	await db.sql("UPDATE wa.chat SET name = 'Café Ørsted', archived = true WHERE org_id = $1 AND session_id = $2 AND jid = $3", [session.org.uuid, session.uuid, GROUP]);
	for (const q of ['cafe', 'ORSTED', '1203630'])
		assert.deepEqual(await jids({ q }), [GROUP], q);
	for (const q of ['+1 555', '555 123-4567', JID])
		assert.deepEqual(await jids({ q }), [JID], q);
	assert.deepEqual(await jids({ q: 'cafe', archived: false }), []);
	assert.deepEqual(await jids({ q: 'cafe', archived: true }), [GROUP]);
	assert.deepEqual(await jids({ q: 'nowhere' }), []);
	assert.equal((await found('/sessions/sess_01h455vb4pex5vsknk084sn02q/chats', { q: 'x' }, credential)).status, 404);

	/* as many as a page looks at, and one more that is found behind them */
	await db.sql(`INSERT INTO wa.chat (org_id, session_id, jid, type, active_at)
		SELECT $1, $2, (20000000000 + i) || '@s.whatsapp.net', 'dm', now() FROM generate_series(1, 5000) i`, [session.org.uuid, session.uuid]);

	const { rows, pages } = await pagesOf(chats, { q: 'cafe' }, credential);

	assert.deepEqual(rows.map(({ jid }) => jid), [GROUP]);
	assert.equal(pages, 2);
	assert.deepEqual((await jids({ q: '2000000000', limit: 200 })).length, 9);
});

test('contacts are found by name or number, and one request looks at a bounded number of them', async () =>
{
	const { session, credential, path } = await chatting('Contacts');
	const contacts = path.replace('/messages', '/contacts');

	await db.sql(`INSERT INTO wa.contact (org_id, session_id, jid, phone_number, name)
		SELECT $1, $2, (20000000000 + i) || '@s.whatsapp.net', (20000000000 + i)::text, CASE i WHEN 5002 THEN 'Café Ørsted' ELSE 'hay' END FROM generate_series(1, 5002) i`, [session.org.uuid, session.uuid]);

	for (const q of ['cafe', '+2000 000 5002'])
	{
		const { rows, pages } = await pagesOf(contacts, { q }, credential);

		assert.deepEqual(rows.map(({ name }) => name), ['Café Ørsted'], q);
		assert.equal(pages, 2, q);
	}
	assert.equal((await pagesOf(contacts, { q: 'HAY', limit: 200 }, credential)).rows.length, 5001);
	assert.equal((await pagesOf(contacts, { limit: 200 }, credential)).rows.length, 5002);
});

test('what has nothing to look for, or too much, is refused by its name', async () =>
{
	const { org, credential, path } = await chatting('Forms');
	const bearer = await tokenOf(client, await createPerson(db, { org }));

	for (const q of ['\u0301', '\u200b', '\ufdfa'.repeat(100)])
		for (const [list, reader] of [[path, credential], [path.replace('/messages', '/chats'), credential], [path.replace('/messages', '/contacts'), credential], ['/api-keys', { bearer }], ['/members', { bearer }]])
		{
			const { status, json, text } = await found(list, { q }, reader);

			assert.equal(status, 400, `${list}: ${text}`);
			assert.deepEqual(Object.keys(json.error.details ?? {}), ['q'], text);
		}
});

test('keys and members are found by people who manage them', async () =>
{
	const org = await createOrg(db, 'Managed');
	const person = await createPerson(db, { org, name: 'Zoë Owner' });
	const member = await createPerson(db, { org, role: 'member', name: 'Ann Other' });
	const keys = [await createKey(db, org, ['read'], { name: 'Zürich shop' }), await createKey(db, org, ['read'], { name: 'billing' })];
	const bearer = await tokenOf(client, person);
	const names = async (path, query) => (await pagesOf(path, query, { bearer })).rows.map(({ name }) => name);

	for (const q of ['zurich', 'SHOP', keys[0].id, keys[0].secret.slice(0, 8), keys[0].secret.slice(0, 12)])
		assert.deepEqual(await names('/api-keys', { q }), ['Zürich shop'], q);
	assert.deepEqual(await names('/api-keys', { q: 'i', limit: 1 }), ['billing', 'Zürich shop']);
	for (const q of ['nowhere', '%', keys[0].id.slice(0, -1)])
		assert.deepEqual(await names('/api-keys', { q }), [], q);
	for (const q of ['zoe', person.email.toUpperCase()])
		assert.deepEqual(await names('/members', { q }), ['Zoë Owner'], q);
	assert.deepEqual(await names('/members', { q: 'o', limit: 1 }), ['Zoë Owner', 'Ann Other']);

	/* and by nobody else */
	const low = await tokenOf(client, member);

	for (const path of ['/api-keys', '/members'])
	{
		assert.equal((await found(path, { q: 'z' }, { bearer: low })).status, 403, path);
		assert.equal((await found(path, { q: 'z' }, { key: keys[0].secret })).status, 403, path);
	}
	await db.sql("INSERT INTO wa.api_key (org_id, name, digest, prefix, permissions, created_by) SELECT $1, 'hay ' || i, sha256(('search ' || i)::bytea), 'wa_hayhay', '{read}', 'postgres' FROM generate_series(1, 5000) i", [org.uuid]);

	const { rows, pages } = await pagesOf('/api-keys', { q: 'zurich' }, { bearer });

	assert.deepEqual(rows.map(({ name }) => name), ['Zürich shop']);
	assert.equal(pages, 2);
});

test('nobody finds what they may not read', async () =>
{
	const { org, chat, session, path, credential } = await chatting('Denied');
	const hidden = await createSession(db, org, { label: 'hidden' });
	const stranger = await createTenant(db, 'Stranger');
	const ofHidden = `/sessions/${hidden.id}/messages`;

	await createMessage(db, chat, 'needle');
	await createMessage(db, await createChat(db, hidden, JID), 'hidden needle');

	const narrow = { key: (await createKey(db, org, undefined, { sessions: [session.id] })).secret };
	const writer = { key: (await createKey(db, org, ['send'])).secret };

	assert.deepEqual(await bodies(path, { q: 'needle' }, credential), ['needle']);
	assert.deepEqual(await bodies(ofHidden, { q: 'needle' }, credential), ['hidden needle']);
	assert.deepEqual(await bodies(path, { q: 'needle' }, narrow), ['needle']);
	for (const list of ['messages', 'chats'])
	{
		assert.equal((await found(`/sessions/${hidden.id}/${list}`, { q: 'needle' }, narrow)).status, 404, list);
		assert.equal((await found(`/sessions/${session.id}/${list}`, { q: 'needle' }, { key: stranger.key.secret })).status, 404, list);
		assert.equal((await found(`/sessions/${session.id}/${list}`, { q: 'needle' }, writer)).status, 403, list);
		assert.equal((await found(`/sessions/${session.id}/${list}`, { q: 'needle' }, {})).status, 401, list);
	}
});
