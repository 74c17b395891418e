/*
 * conversations.test.mjs
 *		Chats, contacts and messages as people know them from WhatsApp.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { createUnlimitedSession, pairedSession } from './harness/fixtures.mjs';
import { until } from './harness/processes.mjs';
import { Gateway, Sandbox } from './harness/programs.mjs';
import { createTenant } from './harness/tenants.mjs';

let db, client, tenant, key, session, at;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	key = tenant.key.secret;
	client = (await Gateway.start(cluster)).client;
	await Sandbox.start(cluster);
	session = await createUnlimitedSession(db, tenant.org);
	at = `/api/v1/sessions/${session.id}`;
});

test('a session is made for a connector that exists only, and the list of those is told', async () =>
{
	const refused = await client.post('/api/v1/sessions', key, { connector: 'sandbux' });

	assert.equal(refused.status, 400);
	assert.deepEqual(refused.json.error.details, { connector: 'must be one of: sandbox' });
	assert.equal((await client.post('/api/v1/sessions', key, { connector: 'sandbox', start: false })).status, 201);
	assert.equal((await client.post('/api/v1/sessions', key, { start: false })).json.connector, 'sandbox');
});

test('a time in seconds is told to be one, in a body and in a query', async () =>
{
	const chat = `${at}/chats/15553334444`;
	const seconds = Math.floor(Date.now() / 1000);

	await client.post(`${at}/messages`, key, { type: 'text', to: '15553334444', text: 'hello' });
	for (const [answer, name] of [
		[await client.request('PATCH', chat, { key, json: { mutedUntil: seconds } }), 'mutedUntil'],
		[await client.get(`${chat}/messages?before=${seconds}`, key), 'before'],
		[await client.get(`${chat}/messages?after=${seconds}`, key), 'after'],
	])
	{
		assert.equal(answer.status, 400, name);
		assert.deepEqual(answer.json.error.details, { [name]: `must be milliseconds since 1970, and ${seconds} is in seconds` });
	}

	const muted = await client.request('PATCH', chat, { key, json: { mutedUntil: (seconds + 60) * 1000 } });

	assert.equal(muted.json.mutedUntil, (seconds + 60) * 1000);
	assert.equal((await client.get(`${chat}/messages?after=0&before=${(seconds + 60) * 1000}`, key)).json.data.length, 1);
});

test('contacts are found by a number however it is written, and by a name without its accents', async () =>
{
	await db.sql(`
		INSERT INTO wa.contact (org_id, session_id, jid, phone_number, name, business_name)
		VALUES ($1, $2, '15551234567@s.whatsapp.net', '15551234567', 'Zoë Łukasz', NULL),
			($1, $2, '4915551239999@s.whatsapp.net', '4915551239999', 'Ann', 'Café Ørsted')`, [tenant.org.uuid, session.uuid]);

	const found = async (query) =>
	{
		const answer = await client.get(`${at}/contacts?q=${query}`, key);

		assert.equal(answer.status, 200, query);
		return answer.json.data.map(({ phoneNumber }) => phoneNumber);
	};
	const [first, second] = ['15551234567', '4915551239999'];

	for (const query of ['+1555', '%2B1555', '1555%20123-4567', '+1+(555)+123.4567', '15551234567@c.us', '15551234567%40s.whatsapp.net', '15551234567@C.US', 'zoe', 'ZO%C3%8B', 'ZOE%CC%88', 'lukasz'])
		assert.ok((await found(query)).includes(first), query);
	assert.deepEqual(await found('%2B1555'), [first]);
	assert.deepEqual(await found('1555123'), [first, second]);
	for (const query of ['cafe', 'CAF%C3%89', 'orsted', '%2B49+1555', 'ann'])
		assert.deepEqual(await found(query), [second], query);
	for (const query of ['zoa', '%25', '_', '%2B5', 'Zo%C3%AB+Ann', '()', '1555x'])
		assert.deepEqual(await found(query), [], query);
});

test('what is typed on the session\'s own phone is a message that was sent, and can be edited and deleted', async () =>
{
	const { id } = await pairedSession(client, key);
	const messages = `/api/v1/sessions/${id}/messages`;
	const chat = `/api/v1/sessions/${id}/chats/15552223333`;

	await client.post(messages, key, { type: 'text', to: '15552223333', text: 'answer from my phone' });

	const typed = await until('the phone has written', async () =>
		(await client.get(`${chat}/messages`, key)).json.data.find(({ body }) => body === 'typed on the phone itself'));

	assert.deepEqual([typed.direction, typed.fromMe, typed.status, typed.senderJid], ['out', true, 'sent', undefined]);
	assert.equal((await client.get(chat, key)).json.unreadCount, 1, 'the answer of the other side only');
	assert.equal((await client.request('PATCH', `${messages}/${typed.id}`, { key, json: { text: 'better' } })).status, 202);
	await until('the edit shows', async () => (await client.get(`${messages}/${typed.id}`, key)).json.body === 'better');
	assert.equal((await client.request('DELETE', `${messages}/${typed.id}`, { key })).status, 202);
	await until('it is deleted', async () => (await client.get(`${messages}/${typed.id}`, key)).json.revoked);

	const events = (await client.get(`/api/v1/events?session=${id}&types=message.from_me`, key)).json.data;

	assert.ok(events.some(({ payload }) => payload.id === typed.id));
});

test('chats are listed by whether they are unread or archived, page by page', async () =>
{
	const own = await createUnlimitedSession(db, tenant.org);
	const path = `/api/v1/sessions/${own.id}/chats`;
	const jids = Array.from({ length: 6 }, (_, i) => `1555777000${i}@s.whatsapp.net`);

	await db.sql(`
		INSERT INTO wa.chat (org_id, session_id, jid, type, active_at, unread_count, archived)
		SELECT $1, $2, jid, 'dm', now() - i * interval '1 minute', i % 2, i >= 3 FROM unnest($3::text[]) WITH ORDINALITY AS j (jid, n), LATERAL (SELECT n - 1 AS i) k`,
	[tenant.org.uuid, own.uuid, `{${jids.join()}}`]);

	const listed = async (query) =>
	{
		const all = [];

		for (let cursor = ''; cursor !== undefined;)
		{
			const { json } = await client.get(`${path}?limit=1&${query}${cursor && `&cursor=${cursor}`}`, key);

			all.push(...json.data.map(({ jid }) => jids.indexOf(jid)));
			cursor = json.nextCursor;
		}
		return all;
	};

	assert.deepEqual(await listed(''), [0, 1, 2, 3, 4, 5]);
	assert.deepEqual(await listed('unread=true'), [1, 3, 5]);
	assert.deepEqual(await listed('unread=false'), [0, 2, 4]);
	assert.deepEqual(await listed('archived=true'), [3, 4, 5]);
	assert.deepEqual(await listed('archived=false&unread=true'), [1]);
	for (const query of ['unread=1', 'archived=', 'unread=true&unread=true'])
		assert.equal((await client.get(`${path}?${query}`, key)).status, 400, query);
	assert.equal((await client.get(`/api/v1/sessions/sess_01h455vb4pex5vsknk084sn02q/chats?unread=true`, key)).status, 404);
});

test('null takes away what may be absent, and nothing else', async () =>
{
	const own = await createUnlimitedSession(db, tenant.org);
	const path = `/api/v1/sessions/${own.id}`;
	const patch = (url, json) => client.request('PATCH', url, { key, json });

	assert.equal((await patch(path, { label: 'named' })).json.label, 'named');
	assert.equal((await patch(path, { autoRead: true })).json.label, 'named');
	assert.equal((await patch(path, { label: null })).json.label, undefined);

	await client.post(`${path}/messages`, key, { type: 'text', to: '15556660000', text: 'hello' });
	assert.notEqual((await patch(`${path}/chats/15556660000`, { mutedUntil: 4e12 })).json.mutedUntil, undefined);
	assert.notEqual((await patch(`${path}/chats/15556660000`, { pinned: true })).json.mutedUntil, undefined);
	assert.equal((await patch(`${path}/chats/15556660000`, { mutedUntil: null })).json.mutedUntil, undefined);

	const webhook = (await client.post('/api/v1/webhooks', key, { url: 'https://hooks.example/', sessionId: own.id, customHeaders: { 'x-a': '1' } })).json;
	const kept = (await patch(`/api/v1/webhooks/${webhook.id}`, { active: true })).json;

	assert.deepEqual([kept.sessionId, kept.customHeaders], [own.id, { 'x-a': '1' }]);
	assert.equal((await patch(`/api/v1/webhooks/${webhook.id}`, { sessionId: null })).json.sessionId, undefined);
	assert.equal((await patch(`/api/v1/webhooks/${webhook.id}`, { customHeaders: null })).json.customHeaders, undefined);

	for (const [url, json] of [[path, { autoRead: null }], [path, { label: '' }], [`${path}/chats/15556660000`, { archived: null }], [`/api/v1/webhooks/${webhook.id}`, { url: null }],
		[`/api/v1/webhooks/${webhook.id}`, { sessionId: 'sess_00000000000000000000000001' }]])
	{
		const refused = await patch(url, json);

		assert.deepEqual([refused.status, Object.keys(refused.json.error.details)], [400, Object.keys(json)], JSON.stringify(json));
	}
});

test('messages are listed by WhatsApp\'s time, a late one where it belongs, page by page and between bounds', async () =>
{
	const own = await createUnlimitedSession(db, tenant.org);
	const path = `/api/v1/sessions/${own.id}/chats/15556661111/messages`;
	const start = 1790000000000;
	/* seconds, in the order of arrival; two are the same, and one was sent long before */
	const seconds = [10, 20, 20, 30, 5, 40, 25];

	await db.sql("INSERT INTO wa.chat (org_id, session_id, jid, type) VALUES ($1, $2, '15556661111@s.whatsapp.net', 'dm')", [tenant.org.uuid, own.uuid]);
	for (const [i, second] of seconds.entries())
		await db.sql(`
			INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status, sent_at)
			VALUES ($1, $2, '15556661111@s.whatsapp.net', 'in', 'text', $3, 'read', to_timestamp($4::float8))`,
		[tenant.org.uuid, own.uuid, String(i), start / 1000 + second]);

	const order = ['5', '3', '6', '2', '1', '0', '4'];
	const all = (await client.get(path, key)).json.data;
	const bodies = async (query) => (await client.get(`${path}?${query}`, key)).json.data.map(({ body }) => body);

	assert.deepEqual(all.map(({ body }) => body), order);
	for (const limit of [1, 2, 3])
	{
		const read = [];

		for (let cursor = ''; cursor !== undefined;)
		{
			const { json } = await client.get(`${path}?limit=${limit}${cursor && `&cursor=${cursor}`}`, key);

			read.push(...json.data.map(({ body }) => body));
			cursor = json.nextCursor;
			/* what comes late, behind the reader or in front of him, moves nothing */
			if (read.length <= limit && limit === 2)
				await db.sql(`
					INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status, sent_at)
					VALUES ($1, $2, '15556661111@s.whatsapp.net', 'in', 'text', 'late', 'read', to_timestamp($3::float8))`, [tenant.org.uuid, own.uuid, start / 1000 + 50]);
		}
		assert.deepEqual(read.filter((body) => body !== 'late'), order, `${limit}`);
	}
	assert.deepEqual(await bodies(`before=${all[3].id}`), order.slice(4));
	assert.deepEqual(await bodies(`after=${all[4].id}&before=${all[0].id}`), order.slice(1, 4));
	assert.deepEqual(await bodies(`before=${start + 20000}`), order.slice(5));
	assert.deepEqual(await bodies(`after=${start + 20000}&before=${start + 40000}`), ['3', '6']);
});
