/*
 * events.test.mjs
 *		Events over HTTP: each committed one once and in one order, however late its
 *		transaction commits, on this server and on the next one.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Cluster, prepareCluster } from './harness/cluster.mjs';
import { createSentMessage } from './harness/fixtures.mjs';
import { until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { createChat, createKey, createSession, createTenant } from './harness/tenants.mjs';

const EVENTS = '/api/v1/events';
const WRITERS = 12;
const TRANSACTIONS = 12;	/* of each writer */
const LAST = 'the last';
const HOLD_MS = 1500;		/* a transaction stays open for so long at most */

let cluster, db, client, tenant, other, key;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	other = await createTenant(db, 'Other');
	key = (await createKey(db, tenant.org, ['events', 'manage'])).secret;
	client = (await Gateway.start(cluster)).client;
});

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const read = (query = {}, secret = key, from = client) => from.get(`${EVENTS}?${new URLSearchParams(query)}`, secret);
const stored = (wire = db, org = tenant.org) => wire.sql(
	'SELECT wa.typeid(\'evt\', id) AS id, envelope FROM wa.event WHERE org_id = $1 ORDER BY epoch, ordinal, id', [org.uuid]);

/* All that is kept behind an event, in pages. */
async function readAll(since, { limit = 200, secret = key, from = client } = {})
{
	const found = [];
	let last = since;

	for (;;)
	{
		const { status, json } = await read({ limit, ...last && { since: last } }, secret, from);

		assert.equal(status, 200);
		found.push(...json.data);
		if (json.data.length === 0)
			return found;
		last = json.data.at(-1).id;
	}
}

/* Readers wait for those who still write events of the organization. */
const settled = (count, since) => until('all events are below the horizon', async () =>
{
	const found = await readAll(since);

	return found.length >= count && found;
});

test('events are shown as they are stored, byte for byte, oldest first', async () =>
{
	const rows = await stored();
	const answer = await until('all are shown', async () =>
	{
		const found = await read({ limit: 200 });

		return found.json.data.length === rows.length && found;
	});

	assert.equal(answer.text, `{"data":[${rows.map((row) => row.envelope).join(',')}]}`);
	assert.deepEqual(answer.json.data.map((event) => event.id), rows.map((row) => row.id));

	/* the newest of them, and what follows in a page behind */
	const page = (await read({ last: 3, limit: 2 })).json;

	assert.deepEqual(page.data.map((event) => event.id), rows.slice(-3, -1).map((row) => row.id));
	assert.deepEqual((await read({ last: 3, limit: 2, cursor: page.nextCursor })).json.data.map((event) => event.id), rows.slice(-1).map((row) => row.id));
	for (const last of ['0', '1001', 'x'])
		assert.equal((await read({ last })).status, 400, last);
	assert.ok(answer.json.data.every((event) => event.organization === tenant.org.id));
});

test('pages go on by cursor and by since, and show the same', async () =>
{
	const all = await readAll();
	const first = (await read({ limit: 2 })).json;
	const byCursor = (await read({ limit: 2, cursor: first.nextCursor })).json;
	const bySince = (await read({ limit: 2, since: first.data[1].id })).json;

	assert.deepEqual(byCursor.data, all.slice(2, 4));
	assert.deepEqual(bySince.data, byCursor.data);
	assert.deepEqual(await readAll(undefined, { limit: 1 }), all);
	assert.deepEqual((await read({ since: all.at(-1).id })).json, { data: [] });
});

test('what an event tells of a thing is what the thing\'s endpoint tells', async () =>
{
	const all = (await createKey(db, tenant.org)).secret;
	const since = (await readAll()).at(-1).id;
	const session = await createSession(db, tenant.org, { label: 'shown' });
	const chat = await createChat(db, session, '15557654321@s.whatsapp.net');
	const inbound = await createSentMessage(db, chat, { direction: 'in', type: 'image', body: 'look', senderJid: chat.jid });
	const sent = (await client.post(`/api/v1/sessions/${session.id}/messages`, all,
		{ type: 'location', to: '15557654321', latitude: 1.5, longitude: -2, replyTo: inbound.id, mentions: ['15550000001'] })).json;
	const events = await settled(4, since);
	const get = async (target) => (await client.get(`/api/v1/sessions/${session.id}${target}`, all)).json;
	const payload = (type, id) => events.find((event) => event.event === type && [event.payload.id, event.payload.jid].includes(id)).payload;
	/* of a session and a chat, what changed in between */
	const without = ({ updatedAt, lastMessageAt, ratePerMin, ratePerHour, ...rest }) => rest;

	assert.deepEqual(without(payload('session.status', session.id)), without(await get('')));
	assert.deepEqual(without(payload('chat.update', chat.jid)), without(await get(`/chats/${chat.jid}`)));
	assert.deepEqual(payload('message', inbound.id), await get(`/messages/${inbound.id}`));
	assert.deepEqual(payload('message.from_me', sent.id), await get(`/messages/${sent.id}`));
});

test('filters: types and session; what cannot be one is a 400', async () =>
{
	const { json } = await read({ types: 'message,session.status', session: tenant.session.id });

	assert.ok(json.data.length >= 2);
	assert.ok(json.data.every((event) => ['message', 'session.status'].includes(event.event) && event.session === tenant.session.id));
	assert.deepEqual((await read({ session: other.session.id })).json, { data: [] });
	assert.match((await read({ types: 'message,nonsense' })).json.error.details.types, /^types\[1\] is "nonsense", but must be an event type, or \*: .*\bmessage\.edited\b/);
});

test('an event that is unknown, another\'s or expired is a 410 that says to start anew', async () =>
{
	const [{ id: others }] = await stored(db, other.org);
	const shapes = new Set();

	for (const since of [others, 'evt_01h455vb4pex5vsknk084sn02q'])
	{
		const answer = await read({ since });

		assert.equal(answer.status, 410);
		assert.equal(answer.json.error.code, 'resync_required');
		shapes.add(answer.shape);
	}
	assert.equal(shapes.size, 1);
	assert.equal((await read({ since: tenant.session.id })).status, 400);
});

test('auth.* events are for those who may manage, too', async () =>
{
	const listener = (await createKey(db, tenant.org, ['events'])).secret;
	const session = await createSession(db, tenant.org, { status: 'scan_qr_code' });

	await db.sql("INSERT INTO wa.session_pairing (org_id, session_id, qr_code) VALUES ($1, $2, 'take me over')", [tenant.org.uuid, session.uuid]);
	await until('it is shown', async () => (await read({ types: 'auth.qr', session: session.id })).json.data.length === 1);
	assert.deepEqual((await read({ types: 'auth.qr', session: session.id }, listener)).json, { data: [] });
	assert.ok(!(await client.get(`${EVENTS}?session=${session.id}`, listener)).text.includes('take me over'));
});

/*
 * A connection that writes in transactions of its own: some are slow, some roll back, wholly or
 * to a savepoint behind their first event, and some write another organization's first.
 */
async function writer(number, written)
{
	const wire = await cluster.open('wa');
	const insert = (org, label) => wire.sql('INSERT INTO wa.session (org_id, label) VALUES ($1, $2)', [org.uuid, label]);

	for (let i = 0; i < TRANSACTIONS; i++)
	{
		const rolls = (number + i) % 4 === 0;

		await wire.sql('BEGIN');
		if (i % 3 === 0)
			await insert(other.org, 'of another organization');
		if ((number + i) % 3 === 0)
		{
			await wire.sql('SAVEPOINT s');
			await insert(tenant.org, 'taken back');
			await wire.sql('ROLLBACK TO s');
		}
		for (const step of [1, 2])
		{
			const label = `${number}-${i}-${step}`;

			await insert(tenant.org, label);
			if (!rolls)
				written.push(label);
			/* a few for long, most of them not at all */
			await pause((number * 7 + i * 3) % 11 === 0 ? Math.random() * HOLD_MS : Math.random() * 20);
		}
		await wire.sql(rolls ? 'ROLLBACK' : 'COMMIT');
	}
	await wire.close();
}

test('many writers at once, late, slow and rolling back: every reader sees each event once, in the same order', async () =>
{
	const since = (await readAll()).at(-1).id;
	const written = [];
	/* up to what is written when all writers have ended: nothing comes behind it */
	const follow = async (limit) =>
	{
		const seen = [];

		for (let last = since; seen.at(-1)?.payload.label !== LAST;)
		{
			const { json } = await read({ since: last, limit });

			seen.push(...json.data);
			last = json.data.at(-1)?.id ?? last;
			if (json.data.length === 0)
				await pause(10);
		}
		return seen;
	};
	const readers = [follow(1), follow(7), follow(200)];

	await Promise.all(Array.from({ length: WRITERS }, (_, number) => writer(number, written)));
	await createSession(db, tenant.org, { label: LAST });
	written.push(LAST);

	const seen = await Promise.all(readers);
	const labels = seen.map((events) => events.map((event) => event.payload.label));

	assert.ok(written.length > WRITERS * TRANSACTIONS);
	for (const list of labels)
	{
		assert.deepEqual([...list].sort(), [...written].sort(), 'every committed event, once, and no other');
		assert.deepEqual(list, labels[0], 'one order');
	}
	/* what one transaction wrote stands together, in the order in which it was written */
	for (const [i, label] of labels[0].entries())
	{
		if (label.endsWith('-1'))
			assert.equal(labels[0][i + 1], label.replace(/-1$/, '-2'));
	}
	assert.deepEqual((await stored()).slice(-written.length).map((row) => row.envelope), seen[0].map((event) => JSON.stringify(event)));
});

test('a dump that is restored into a younger server keeps every cursor right', async () =>
{
	const target = new Cluster();
	const file = path.join(cluster.place, 'events.dump');

	/* so far ahead that its transactions have numbers which the other server will not reach */
	await db.sql('DO $$ BEGIN FOR i IN 1..3000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$');
	await createSession(db, tenant.org, { label: 'far ahead' });

	const known = await readAll();
	const cursor = known.at(-3).id;

	cluster.program('pg_dump', 'wa', ['--format', 'custom', '--file', file]);
	target.createDatabase('restored');
	target.program('pg_restore', 'postgres', ['--exit-on-error', '--dbname', 'restored', file]);
	target.prepare('restored');

	const restored = await target.open('restored');
	const gateway = await Gateway.start(target, { database: 'restored' });
	const from = gateway.client;

	assert.deepEqual(await stored(restored), await stored(), 'what was restored writes no events');
	assert.equal(await restored.value('SELECT (SELECT max(ordinal >> 12) FROM wa.event) > (pg_current_xact_id()::text)::bigint'), 't', 'the server is younger');
	assert.deepEqual(await readAll(undefined, { from }), known);
	for (const label of ['younger 1', 'younger 2'])
		await restored.sql('INSERT INTO wa.session (org_id, label) VALUES ($1, $2)', [tenant.org.uuid, label]);

	const behind = await until('the new ones are shown', async () =>
	{
		const found = await readAll(cursor, { from });

		return found.length === 4 && found;
	});

	assert.deepEqual(behind.slice(0, 2), known.slice(-2));
	assert.deepEqual(behind.slice(2).map((event) => event.payload.label), ['younger 1', 'younger 2']);
	await gateway.stop();
	await restored.close();
});

test('a page of a rare type ends behind what was looked at, and the cursor goes on there', async () =>
{
	const { org } = await createTenant(db, 'Rare');
	const { secret } = await createKey(db, org, ['events']);

	await db.sql(`INSERT INTO wa.event (org_id, epoch, ordinal, id, type, envelope)
		SELECT $1, 1, i, id, type, wa.envelope(id, type, NULL, $1, clock_timestamp(), '{"i":' || i || '}')
		FROM generate_series(1, 11000) i CROSS JOIN LATERAL (
			SELECT wa.uuid7() AS id, CASE WHEN i IN (6000, 6001) THEN 'presence.update' ELSE 'message' END AS type) made`, [org.uuid]);

	const pages = [];

	for (let cursor; pages.length < 10;)
	{
		const { status, json } = await read({ types: 'presence.update', limit: 50, ...cursor && { cursor } }, secret);

		assert.equal(status, 200);
		pages.push(json.data.map((event) => event.payload.i));
		cursor = json.nextCursor;
		if (cursor === undefined)
			break;
	}
	assert.deepEqual(pages, [[], [6000, 6001], []]);
});

test('a ticket is for one who may listen, and the answer shows how to use it', async () =>
{
	const { status, json } = await client.post('/api/v1/realtime/ticket', key, { scope: 'session', session: tenant.session.id, events: ['message'] });

	assert.equal(status, 201);
	assert.match(json.ticket, /^rt_[0-9A-Za-z]{49}$/);
	assert.deepEqual(json, { ticket: json.ticket, expiresInSeconds: 30, url: `/api/v1/realtime?ticket=${json.ticket}` });
	assert.equal((await client.post('/api/v1/realtime/ticket', key, { scope: 'session' })).json.error.details.session,
		'must be given for the scope session, and for no other');
	assert.equal((await client.post('/api/v1/realtime/ticket', key, { scope: 'session', session: other.session.id })).status, 400);
	/* it is no credential of the API */
	assert.equal((await client.get('/api/v1/me', json.ticket)).status, 401);
});

after(() => db.close());
