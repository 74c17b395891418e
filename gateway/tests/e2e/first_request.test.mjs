/*
 * first_request.test.mjs
 *		The main job: a key made in psql opens the gateway, and nothing else does.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { until } from './harness/processes.mjs';
import { Gateway, Sandbox } from './harness/programs.mjs';
import { createKey, createOrg, createSession, createTenant } from './harness/tenants.mjs';

const SESSIONS = '/api/v1/sessions';
const PHONE = '15551234567';
const JID = `${PHONE}@s.whatsapp.net`;
const DEAD_PHONE = '15550000000';		/* the sandbox's documented magic number */

let cluster, db, gateway, client, tenant;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	gateway = await Gateway.start(cluster);
	client = gateway.client;
	await Sandbox.start(cluster);
});

/* A session that the sandbox has paired. */
async function workingSession(key)
{
	const made = await client.post(SESSIONS, key, { label: 'to send with' });

	assert.equal(made.status, 201);
	return await until('the session works', async () =>
	{
		const { json } = await client.get(`${SESSIONS}/${made.json.id}`, key);

		return json.status === 'working' && json;
	});
}

async function messageWithStatus(session, id, status)
{
	return await until(`the message is ${status}`, async () =>
	{
		const { json } = await client.get(`${SESSIONS}/${session}/messages/${id}`, tenant.key.secret);

		return json.status === status && json;
	});
}

test('a key that psql printed opens the gateway, in either header', async () =>
{
	const org = cluster.psql('wa', "SELECT wa.create_org('Made in psql')");
	const secret = cluster.psql('wa', `SELECT secret FROM wa.create_key('${org}', 'first', '{read,send}')`);
	const byHeader = await client.request('GET', '/api/v1/me', { key: secret });
	const byBearer = await client.request('GET', '/api/v1/me', { bearer: secret });
	const anyCase = await client.request('GET', '/api/v1/me', { headers: { 'authorization': `bEaReR ${secret}` } });

	assert.match(secret, /^wa_[0-9A-Za-z]{49}$/);
	assert.equal(byHeader.status, 200);
	assert.deepEqual(byHeader.json, {
		organizationId: await db.value("SELECT wa.typeid('org', $1)", [org]),
		keyId: await db.value("SELECT key FROM wa.keys WHERE org_id = $1", [org]),
		name: 'first',
		permissions: ['read', 'send'],
		test: false,
	});
	assert.equal(byBearer.shape, byHeader.shape);
	assert.equal(anyCase.shape, byHeader.shape);
});

test('a session is listed and read as it is in the database', async () =>
{
	const list = await client.get(SESSIONS, tenant.key.secret);
	const one = await client.get(`${SESSIONS}/${tenant.session.id}`, tenant.key.secret);
	const [row] = await db.sql(`
		SELECT floor(extract(epoch FROM created_at) * 1000)::bigint AS created,
			floor(extract(epoch FROM updated_at) * 1000)::bigint AS updated
		FROM wa.session WHERE id = $1`, [tenant.session.uuid]);

	assert.equal(list.status, 200);
	assert.equal(list.headers['cache-control'], 'no-store');
	assert.match(list.headers['content-type'], /^application\/json/);
	assert.deepEqual(list.json, { data: [one.json] });
	assert.deepEqual(one.json, {
		id: tenant.session.id, organizationId: tenant.org.id, label: 'session of Acme', status: 'working',
		connector: 'none', autoRead: false, presenceTyping: false, ratePerMin: 0, ratePerHour: 0,
		createdAt: Number(row.created), updatedAt: Number(row.updated),
	});
});

test('none, unknown, malformed, revoked and expired: one answer, byte for byte', async () =>
{
	const revoked = await createKey(db, tenant.org);
	const expired = await createKey(db, tenant.org);
	const { secret } = tenant.key;
	const unknown = await db.value("SELECT secret FROM wa.make_secret('api_key')");
	const userToken = await db.value("SELECT secret FROM wa.make_secret('user_token')");
	const cookie = await db.value("SELECT secret FROM wa.make_secret('sign_in')");
	const ticket = await db.value("SELECT secret FROM wa.make_secret('ticket')");

	assert.equal((await client.get(SESSIONS, revoked.secret)).status, 200);
	assert.equal((await client.get(SESSIONS, expired.secret)).status, 200);
	await db.sql('SELECT wa.revoke_key($1::uuid)', [revoked.uuid]);
	await db.sql("UPDATE wa.api_key SET expires_at = now() - interval '1 second' WHERE id = $1", [expired.uuid]);

	const wrong = {
		'no credential': {},
		'unknown': { key: unknown },
		'unknown, imported shape': { key: 'wa_0123456789abcdefghij' },
		'revoked': { key: revoked.secret },
		'expired': { key: expired.secret },
		'one character changed': { key: secret.slice(0, 20) + (secret[20] === 'a' ? 'b' : 'a') + secret.slice(21) },
		'one character short': { key: secret.slice(0, -1) },
		'one character more': { key: `${secret}0` },
		'empty': { key: '' },
		'no prefix': { key: secret.slice(3) },
		'upper-case prefix': { key: `WA_${secret.slice(3)}` },
		'not base62': { key: `${secret.slice(0, 20)}!${secret.slice(21)}` },
		'not ASCII': { key: `${secret.slice(0, 20)}é${secret.slice(21)}` },
		'user token that nobody has': { key: userToken },
		'sign-in cookie': { key: cookie },
		'realtime ticket': { key: ticket },
		'Basic': { headers: { Authorization: `Basic ${Buffer.from(`:${secret}`).toString('base64')}` } },
		'no scheme': { headers: { Authorization: secret } },
		'scheme only': { headers: { Authorization: 'Bearer' } },
		'no space': { headers: { Authorization: `Bearer${secret}` } },
		'two words': { headers: { Authorization: `Bearer ${secret} ${secret}` } },
		'cookie header': { headers: { Cookie: `session=${secret}; wa=${secret}` } },
		'too long': { key: `wa_${'a'.repeat(4000)}` },
	};

	for (const path of ['/api/v1/me', SESSIONS, `${SESSIONS}/${tenant.session.id}/chats`])
	{
		const expected = await client.request('GET', path);

		assert.equal(expected.status, 401);
		assert.equal(expected.headers['www-authenticate'], 'Bearer');
		assert.deepEqual(Object.keys(expected.json), ['error']);
		assert.equal(expected.json.error.code, 'unauthorized');
		for (const [name, options] of Object.entries(wrong))
			assert.equal((await client.request('GET', path, options)).shape, expected.shape, `${name}: ${path}`);
	}
	assert.equal((await client.get(SESSIONS, secret)).status, 200);
});

test('a key is accepted until its time has come and refused from then on', async () =>
{
	const expiresAt = await db.value("SELECT clock_timestamp() + interval '1 second'");
	const key = await createKey(db, tenant.org, ['read'], { expiresAt });
	const first = await client.get(SESSIONS, key.secret);
	const accepted = await db.value('SELECT clock_timestamp() < $1::timestamptz', [expiresAt]);

	/* on a machine that stood still for a second this says nothing, and nothing is claimed */
	if (accepted === 't')
		assert.equal(first.status, 200);
	await until('the key is refused', async () => (await client.get(SESSIONS, key.secret)).status === 401);
	assert.equal(await db.value('SELECT clock_timestamp() >= $1::timestamptz', [expiresAt]), 't');
});

test('a key whose permission is missing is told which one it is', async () =>
{
	const { secret } = await createKey(db, tenant.org, ['send']);
	const refused = await client.get(SESSIONS, secret);
	const session = await createSession(db, tenant.org);
	const sent = await client.post(`${SESSIONS}/${session.id}/messages`, secret, { type: 'text', to: PHONE, text: 'hello' });

	assert.equal(refused.status, 403);
	assert.equal(refused.json.error.code, 'forbidden');
	assert.deepEqual(refused.json.error.details, { required: 'read' });
	assert.equal(refused.headers['www-authenticate'], undefined);
	assert.equal(sent.status, 202);
	assert.equal(sent.json.status, 'queued');
	assert.equal(sent.json.sessionId, session.id);
	assert.equal(sent.json.messageId, sent.json.id);
	assert.match(sent.json.id, /^msg_[0-7][0-9a-hjkmnp-tv-z]{25}$/);
});

test('a message that a send-only key sends is read, and its echo appears in the chat', async () =>
{
	const { secret } = await createKey(db, tenant.org, ['send']);
	const session = await workingSession(tenant.key.secret);
	const sent = await client.post(`${SESSIONS}/${session.id}/messages`, secret,
		{ type: 'text', to: `+${PHONE}`, text: 'are you there? ñ 漢 🙂' });

	assert.equal(sent.status, 202);

	const message = await messageWithStatus(session.id, sent.json.id, 'read');
	const echo = await until('the echo is there', async () =>
	{
		const { json } = await client.get(`${SESSIONS}/${session.id}/chats/${JID}/messages`, tenant.key.secret);

		return json.data.length === 2 && json.data[0];
	});
	const chats = await client.get(`${SESSIONS}/${session.id}/chats`, tenant.key.secret);

	assert.equal(message.body, 'are you there? ñ 漢 🙂');
	assert.equal(message.chatJid, JID);
	assert.equal(message.direction, 'out');
	assert.equal(message.fromMe, true);
	assert.equal(message.hasMedia, false);
	assert.ok(message.waMessageId.length > 0);
	assert.equal(echo.direction, 'in');
	assert.equal(echo.fromMe, false);
	assert.equal(echo.senderJid, JID);
	assert.match(echo.body, /are you there\? ñ 漢 🙂/);
	assert.equal(chats.json.data.length, 1);
	assert.equal(chats.json.data[0].jid, JID);
	assert.equal(chats.json.data[0].type, 'dm');
	assert.equal(chats.json.data[0].unreadCount, 1);
	assert.equal((await client.get(`${SESSIONS}/${session.id}/chats/${JID}`, tenant.key.secret)).text,
		JSON.stringify(chats.json.data[0]));
});

test('a message to the sandbox\'s magic number fails and says why', async () =>
{
	const session = await workingSession(tenant.key.secret);
	const path = `${SESSIONS}/${session.id}/messages`;
	const dead = await client.post(path, tenant.key.secret, { type: 'text', to: DEAD_PHONE, text: 'anybody?' });
	const alive = await client.post(path, tenant.key.secret, { type: 'text', to: PHONE, text: 'anybody?' });
	const failed = await messageWithStatus(session.id, dead.json.id, 'failed');

	assert.match(failed.error, /./);
	assert.equal((await messageWithStatus(session.id, alive.json.id, 'read')).error, undefined);
});

test('a send to a session that is not working yet waits, to one that is logged out it is a 409', async () =>
{
	const starting = await createSession(db, tenant.org, { status: 'starting' });
	const out = await createSession(db, tenant.org, { status: 'logged_out' });
	const body = { type: 'text', to: PHONE, text: 'hello' };
	const waits = await client.post(`${SESSIONS}/${starting.id}/messages`, tenant.key.secret, body);
	const refused = await client.post(`${SESSIONS}/${out.id}/messages`, tenant.key.secret, body);

	assert.equal(waits.status, 202);
	assert.equal(refused.status, 409);
	assert.equal(refused.json.error.code, 'conflict');
});

test('a wrong send request is told what is wrong with each field', async () =>
{
	const path = `${SESSIONS}/${tenant.session.id}/messages`;
	const wrong = {
		'no body': [undefined, 'to', 'type'],
		'type unknown': [{ type: 'telegram', to: PHONE, text: 'x' }, 'type'],
		'no recipient': [{ type: 'text', text: 'x' }, 'to'],
		'recipient unreadable': [{ type: 'text', to: 'somebody', text: 'x' }, 'to'],
		'no text': [{ type: 'text', to: PHONE }, 'text'],
		'text empty': [{ type: 'text', to: PHONE, text: '' }, 'text'],
		'text is a number': [{ type: 'text', to: PHONE, text: 7 }, 'text'],
		'replyTo unreadable': [{ type: 'text', to: PHONE, text: 'x', replyTo: 'msg_1' }, 'replyTo'],
		'field unknown': [{ type: 'text', to: PHONE, text: 'x', colour: 'red' }, 'colour'],
	};

	for (const [name, [body, ...fields]] of Object.entries(wrong))
	{
		const refused = await client.post(path, tenant.key.secret, body);

		assert.equal(refused.status, 400, name);
		assert.equal(refused.json.error.code, 'validation_error', name);
		assert.deepEqual(Object.keys(refused.json.error.details).sort(), fields, name);
	}
	assert.equal((await client.post(path, tenant.key.secret, { type: 'text', to: PHONE, text: 'x' })).status, 202);
});

test('a key that another system issued opens the gateway once its digest is imported', async () =>
{
	const org = await createOrg(db, 'Moved here');
	const secret = 'wa_fromAnotherSystem_0123456789-abcdefghijklmnop';

	assert.equal((await client.get(SESSIONS, secret)).status, 401);
	await db.sql("SELECT wa.import_key($1, 'old key', wa.hash_key($2), '{read}')", [org.uuid, secret]);
	assert.equal((await client.get(SESSIONS, secret)).status, 200);
	assert.equal((await client.get('/api/v1/me', secret)).json.name, 'old key');
});
