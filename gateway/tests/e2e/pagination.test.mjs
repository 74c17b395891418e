/*
 * pagination.test.mjs
 *		Lists come page by page: complete, without repeats, while rows are added; and a
 *		cursor is good for the list that gave it and for nothing else.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Gateway } from './harness/programs.mjs';
import { createChat, createMessage, createOrg, createKey, createSession, createTenant } from './harness/tenants.mjs';

let db, client;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	client = (await Gateway.start(cluster)).client;
});

function withQuery(path, values)
{
	const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== undefined));

	return `${path}?${query}`;
}

/* All rows of a list, page by page; between() is called after each page. */
async function readAll(path, key, limit, between = async () => {})
{
	const rows = [];
	let cursor;

	do
	{
		const page = await client.get(withQuery(path, { limit, cursor }), key);

		assert.equal(page.status, 200);
		assert.ok(page.json.data.length <= limit);
		assert.ok(page.json.nextCursor === undefined || page.json.data.length > 0);
		rows.push(...page.json.data);
		cursor = page.json.nextCursor;
		await between(rows.length);
	}
	while (cursor !== undefined);
	return rows;
}

/* Every row that was there before the first page is there once, in order; so is no other twice. */
function assertComplete(rows, name, expected)
{
	const names = rows.map((row) => row[name]);

	assert.equal(new Set(names).size, names.length, 'no repeats');
	assert.deepEqual(names.filter((each) => expected.includes(each)), expected, 'complete and in order');
}

test('sessions: newest first, each once, while sessions are added', async () =>
{
	const org = await createOrg(db, 'Many sessions');
	const other = await createOrg(db, 'Other sessions');
	const { secret } = await createKey(db, org);
	const made = [];

	for (let i = 0; i < 57; i++)
	{
		made.unshift((await createSession(db, org)).id);
		await createSession(db, other);
	}
	for (const limit of [1, 7, 57, 200])
	{
		const added = [];
		const rows = await readAll('/api/v1/sessions', secret, limit, async (seen) =>
		{
			if (limit === 7 && seen < 57)
				added.push((await createSession(db, org)).id);
		});

		assertComplete(rows, 'id', made);
		assert.ok(added.every((id) => !rows.some((row) => row.id === id)), 'what is newer than the first page is not in it');
		assert.ok(rows.every((row) => row.organizationId === org.id));
		if (limit === 7)
			made.unshift(...added.reverse());
	}
});

test('sessions by status: the filter holds on every page', async () =>
{
	const org = await createOrg(db, 'By status');
	const { secret } = await createKey(db, org);
	const stopped = [];

	for (let i = 0; i < 12; i++)
	{
		await createSession(db, org, { status: 'working' });
		stopped.unshift((await createSession(db, org, { status: 'stopped' })).id);
	}

	const rows = await readAll('/api/v1/sessions', secret, 5);
	const first = await client.get('/api/v1/sessions?status=stopped&limit=5', secret);
	const second = await client.get(withQuery('/api/v1/sessions', { status: 'stopped', limit: 200, cursor: first.json.nextCursor }), secret);

	assert.equal(rows.length, 24);
	assert.deepEqual([...first.json.data, ...second.json.data].map((row) => row.id), stopped);
	assert.equal((await client.get('/api/v1/sessions?status=asleep', secret)).status, 400);
});

test('chats: the last active first, each once, also when many were active at the same time', async () =>
{
	const tenant = await createTenant(db, 'Many chats');
	const path = `/api/v1/sessions/${tenant.session.id}/chats`;
	const made = [tenant.chat.jid];

	/* thirty at one moment, which only their names tell apart */
	for (let i = 0; i < 30; i++)
		made.push((await createChat(db, tenant.session, `1555000${1000 + i}@s.whatsapp.net`, { activeAt: '2024-01-01' })).jid);
	for (let i = 0; i < 10; i++)
		made.push((await createChat(db, tenant.session, `1555001${1000 + i}@s.whatsapp.net`,
			{ activeAt: `2023-01-01 00:00:00.00000${9 - i}` })).jid);
	for (const limit of [1, 3, 41])
	{
		const rows = await readAll(path, tenant.key.secret, limit, async (seen) =>
		{
			if (limit === 3)
				await createChat(db, tenant.session, `1555002${1000 + seen}@s.whatsapp.net`);
		});

		assertComplete(rows, 'jid', made);
	}
});

test('messages: newest first, each once, and before and after narrow the list', async () =>
{
	const tenant = await createTenant(db, 'Many messages');
	const path = `/api/v1/sessions/${tenant.session.id}/chats/${tenant.chat.jid}/messages`;
	const made = [tenant.message.id];

	for (let i = 0; i < 40; i++)
		made.unshift((await createMessage(db, tenant.chat, `message ${i}`)).id);
	for (const limit of [1, 9, 200])
	{
		const rows = await readAll(path, tenant.key.secret, limit, async (seen) =>
		{
			if (limit === 9)
				await createMessage(db, tenant.chat, `late message ${seen}`);
		});

		assertComplete(rows, 'id', made);
	}

	const older = await client.get(`${path}?before=${made[10]}&limit=200`, tenant.key.secret);
	const between = await client.get(`${path}?before=${made[10]}&after=${made[15]}`, tenant.key.secret);
	const firstPage = await client.get(`${path}?before=${made[10]}&limit=3`, tenant.key.secret);
	const nextPage = await client.get(withQuery(path, { before: made[10], limit: 3, cursor: firstPage.json.nextCursor }), tenant.key.secret);

	assert.deepEqual(older.json.data.map((row) => row.id), made.slice(11));
	assert.deepEqual(between.json.data.map((row) => row.id), made.slice(11, 15));
	assert.deepEqual([...firstPage.json.data, ...nextPage.json.data].map((row) => row.id), made.slice(11, 17));
});

test('an empty list is a list: no rows, no cursor', async () =>
{
	const org = await createOrg(db, 'Empty');
	const { secret } = await createKey(db, org);

	assert.deepEqual((await client.get('/api/v1/sessions', secret)).json, { data: [] });

	const session = await createSession(db, org);

	assert.deepEqual((await client.get(`/api/v1/sessions/${session.id}/chats`, secret)).json, { data: [] });

	const chat = await createChat(db, session, '15551230001@s.whatsapp.net');

	assert.deepEqual((await client.get(`/api/v1/sessions/${session.id}/chats/${chat.jid}/messages`, secret)).json, { data: [] });
});

test('a limit is 1 to 200, 50 if none is given; anything else is a 400', async () =>
{
	const org = await createOrg(db, 'Limits');
	const { secret } = await createKey(db, org);

	for (let i = 0; i < 51; i++)
		await createSession(db, org);
	assert.equal((await client.get('/api/v1/sessions', secret)).json.data.length, 50);
	assert.equal((await client.get('/api/v1/sessions?limit=1', secret)).json.data.length, 1);
	assert.equal((await client.get('/api/v1/sessions?limit=200', secret)).json.data.length, 51);
	for (const limit of ['0', '201', '-1', '+1', '1.5', '1e1', '0x10', 'all', '', '%20', '99999999999999999999', '%D9%A1'])
	{
		const refused = await client.get(`/api/v1/sessions?limit=${limit}`, secret);

		assert.equal(refused.status, 400, limit);
		assert.deepEqual(Object.keys(refused.json.error.details), ['limit'], limit);
	}
	assert.equal((await client.get('/api/v1/sessions?limit=1&limit=1', secret)).status, 400);
});

/* First pages with a cursor, one of each kind of list, and twins of the same kind. */
async function listsWithCursors()
{
	const tenant = await createTenant(db, 'Cursors');
	const { secret } = tenant.key;
	const lists = {};
	const sessions = [tenant.session, await createSession(db, tenant.org)];

	for (const session of sessions)
	{
		const base = `/api/v1/sessions/${session.id}/chats`;

		for (const jid of ['15551230001@s.whatsapp.net', '15551230002@s.whatsapp.net'])
		{
			const chat = session === tenant.session && jid === tenant.chat.jid ? tenant.chat : await createChat(db, session, jid);

			await createMessage(db, chat, 'one');
			await createMessage(db, chat, 'two');
			lists[`${base}/${jid}/messages`] = null;
		}
		lists[base] = null;
	}
	lists['/api/v1/sessions'] = null;
	for (const path of Object.keys(lists))
	{
		lists[path] = (await client.get(`${path}?limit=1`, secret)).json.nextCursor;
		assert.match(lists[path], /^[0-9A-Za-z_-]+$/, path);
	}
	return { secret, lists };
}

async function assertNoCursor(path, cursor, secret, what)
{
	const refused = await client.get(withQuery(path, { cursor }), secret);

	assert.equal(refused.status, 400, what);
	assert.deepEqual(Object.keys(refused.json.error.details), ['cursor'], what);
}

test('a cursor of another list is a 400, also of another session or chat', async () =>
{
	const { secret, lists } = await listsWithCursors();

	for (const [path, own] of Object.entries(lists))
	{
		assert.equal((await client.get(withQuery(path, { cursor: own }), secret)).status, 200);
		for (const [from, cursor] of Object.entries(lists))
		{
			if (from !== path)
				await assertNoCursor(path, cursor, secret, `${from} at ${path}`);
		}
	}
});

test('a cursor of which any character was changed is a 400', async () =>
{
	const { secret, lists } = await listsWithCursors();

	for (const [path, cursor] of [Object.entries(lists)[0], Object.entries(lists)[2], Object.entries(lists).at(-1)])
	{
		for (let at = 0; at < cursor.length; at++)
		{
			const changed = cursor[at] === 'A' ? 'B' : 'A';

			await assertNoCursor(path, cursor.slice(0, at) + changed + cursor.slice(at + 1), secret, `${path}: character ${at}`);
		}
		for (const text of ['', 'x', 'AAAA', cursor.slice(0, -1), cursor.slice(1), `${cursor}A`, `${cursor}==`, `${cursor}\0`,
			cursor + cursor, cursor.toLowerCase(), ` ${cursor}`, 'A'.repeat(4000)])
			if (text.includes('\0'))
				assert.equal((await client.get(withQuery(path, { cursor: text }), secret)).status, 400);
			else
				await assertNoCursor(path, text, secret, `${path}: ${text}`);
	}
});

test('a cursor that another organization got shows our own rows and no others', async () =>
{
	const ours = await createOrg(db, 'Ours');
	const theirs = await createOrg(db, 'Theirs');
	const [ourKey, theirKey] = [await createKey(db, ours), await createKey(db, theirs)];

	for (let i = 0; i < 3; i++)
	{
		await createSession(db, ours);
		await createSession(db, theirs);
	}

	const cursor = (await client.get('/api/v1/sessions?limit=1', theirKey.secret)).json.nextCursor;
	const rows = (await client.get(`/api/v1/sessions?cursor=${cursor}`, ourKey.secret)).json.data;

	assert.ok(rows.length > 0);
	assert.ok(rows.every((row) => row.organizationId === ours.id));
});
