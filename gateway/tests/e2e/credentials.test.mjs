/*
 * credentials.test.mjs
 *		Credentials of a session's connector: sealed by the gateway, so that the database, its
 *		log and its dumps have none that work, and opened with the connector's secret key only.
 *
 * libsodium's JavaScript build opens what the gateway has sealed.  sql/credentials.sql tests what
 * the database does with it.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import sodium from 'libsodium-wrappers';
import { prepareCluster } from './harness/cluster.mjs';
import { must, postgresProgram } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { createKey, createOrg, createSession } from './harness/tenants.mjs';

const IDS = { phoneNumberId: '106540352242922', wabaId: '102290129340398', appId: '670843887433847' };
const SECRETS = { accessToken: `EAAJdVZBk3qZCsBO5${'x'.repeat(200)}`, appSecret: '0f1e2d3c4b5a69788796a5b4c3d2e1f0', verifyToken: 'w7"\\{}~!gR2' };
const CREDENTIALS = { ...IDS, ...SECRETS };

let cluster, db, client, org, key;

const pathOf = (session) => `/api/v1/sessions/${session.id}/credentials`;
const put = (session, json, secret = key.secret) => client.request('PUT', pathOf(session), { key: secret ?? undefined, json });
const cloudSession = (options = {}) => createSession(db, org, { connector: 'cloud', ...options });

async function addKey(connector = 'cloud')
{
	const pair = sodium.crypto_box_keypair();

	pair.id = await db.value('SELECT wa.add_connector_key($1, $2)', [connector, `\\x${Buffer.from(pair.publicKey).toString('hex')}`]);
	return pair;
}

async function sealedOf(session)
{
	const [row] = await db.sql("SELECT key_id, encode(sealed, 'hex') AS sealed FROM wa.session_credentials WHERE session_id = wa.from_typeid('sess', $1)", [session.id]);

	return row && { key: row.key_id, bytes: Buffer.from(row.sealed, 'hex') };
}

const open = (sealed, pair) => JSON.parse(Buffer.from(sodium.crypto_box_seal_open(sealed.bytes, pair.publicKey, pair.privateKey)).toString());

before(async () =>
{
	await sodium.ready;
	cluster = prepareCluster();
	db = await cluster.open('wa');
	await db.sql("ALTER DATABASE wa SET wa.connectors = 'sandbox, cloud, others'");
	({ client } = await Gateway.start(cluster, { args: ['--log-level', 'debug'] }));
	org = await createOrg(db, 'Acme');
	key = await createKey(db, org);
});

test('a connector without a key takes no credentials: 409 says so, and nothing is made', async () =>
{
	const session = await cloudSession();

	for (const answer of [await put(session, CREDENTIALS), await client.post('/api/v1/sessions', key.secret, { connector: 'cloud', credentials: CREDENTIALS })])
	{
		assert.equal(answer.status, 409);
		assert.equal(answer.json.error.message, 'connector cloud has no key to seal credentials to');
	}
	assert.equal((await client.post('/api/v1/sessions', key.secret, { credentials: CREDENTIALS })).json.error.message, 'connector sandbox has no key to seal credentials to');
	assert.equal(await db.value('SELECT count(*) FROM wa.session'), '1');
});

test('what is given is opened with the connector\'s secret key, and the answer has the ids only', async () =>
{
	const pair = await addKey();
	const session = await cloudSession();

	assert.equal((await client.get(pathOf(session), key.secret)).status, 404);
	for (const credentials of [CREDENTIALS, { ...CREDENTIALS, accessToken: '!'.repeat(2048), appSecret: '"'.repeat(128), verifyToken: '\\'.repeat(256), graphVersion: 'v25.0' }])
	{
		const { status, json } = await put(session, credentials);
		const sealed = await sealedOf(session);

		assert.equal(status, 200);
		assert.deepEqual(json, { ...IDS, updatedAt: json.updatedAt });
		assert.ok(Math.abs(json.updatedAt - Date.now()) < 60000);
		assert.deepEqual((await client.get(pathOf(session), key.secret)).json, json);
		assert.equal(sealed.key, pair.id);
		assert.deepEqual(open(sealed, pair), { organizationId: org.id, ...credentials });
		assert.throws(() => open(sealed, sodium.crypto_box_keypair()));
	}
});

test('a session is made with its credentials, or not at all', async () =>
{
	const pair = await addKey();
	const made = await client.post('/api/v1/sessions', key.secret, { label: 'Cloud', connector: 'cloud', credentials: CREDENTIALS });
	const count = await db.value('SELECT count(*) FROM wa.session');

	assert.equal(made.status, 201);
	assert.equal(made.json.connector, 'cloud');
	assert.deepEqual(Object.keys(made.json).filter((name) => name in CREDENTIALS || name === 'credentials'), []);
	assert.deepEqual(open(await sealedOf(made.json), pair), { organizationId: org.id, ...CREDENTIALS });

	const without = await client.post('/api/v1/sessions', key.secret, { label: 'Without', connector: 'cloud' });

	assert.equal(without.status, 201);
	assert.equal(await sealedOf(without.json), undefined);
	for (const [json, detail] of [[{ credentials: null }, 'credentials'], [{ credentials: 'x' }, 'credentials'], [{ credentials: [] }, 'credentials'],
		[{ credentials: { ...CREDENTIALS, accessToken: undefined } }, 'credentials.accessToken'], [{ credentials: { ...CREDENTIALS, more: 1 } }, 'credentials.more'],
		[{ credentials: CREDENTIALS, label: '' }, 'label'], [{ credentials: CREDENTIALS, connector: 7 }, 'connector'], [{ credentials: CREDENTIALS, connector: 'nobody' }, 'connector']])
	{
		const answer = await client.post('/api/v1/sessions', key.secret, { connector: 'cloud', ...json });

		assert.equal(answer.status, 400, JSON.stringify(json));
		assert.deepEqual(Object.keys(answer.json.error.details), [detail]);
	}
	assert.equal(await db.value('SELECT count(*) FROM wa.session'), String(Number(count) + 1));
});

test('each wrong text is named', async () =>
{
	const session = await cloudSession();

	await addKey();
	for (const [wrong, text] of [
		[{ phoneNumberId: '' }, 'must have 1 to 20 digits'], [{ wabaId: '1'.repeat(21) }, 'must have 1 to 20 digits'], [{ appId: '12a' }, 'must have 1 to 20 digits'],
		[{ appId: 12 }, 'must be a string'], [{ accessToken: undefined }, 'is required'], [{ accessToken: 'a b' }, 'must have 1 to 2048 visible ASCII characters'],
		[{ accessToken: 'a\r\nHost: x' }, 'must have 1 to 2048 visible ASCII characters'], [{ accessToken: 'x'.repeat(2049) }, 'must have 1 to 2048 visible ASCII characters'],
		[{ appSecret: 'é' }, 'must have 1 to 128 visible ASCII characters'], [{ verifyToken: '' }, 'must have 1 to 256 visible ASCII characters'],
		...['25.0', 'v25', 'v.0', 'v25.', 'v25.0/', 'v25.0.1', '../..', 'v123456.0'].map((graphVersion) => [{ graphVersion }, 'must have 1 to 8 characters, such as v25.0']),
		[{ graphVersion: null }, 'must be a string'], [{ colour: 'red' }, 'is not known here']])
	{
		const { status, json } = await put(session, { ...CREDENTIALS, ...wrong });

		assert.equal(status, 400, JSON.stringify(wrong));
		assert.deepEqual(json.error.details, { [Object.keys(wrong)[0]]: text });
	}
	assert.deepEqual(Object.keys((await client.request('PUT', pathOf(session), { key: key.secret })).json.error.details), Object.keys(CREDENTIALS));
	assert.equal(await sealedOf(session), undefined);
});

test('whoever may not manage the session gives and reads nothing', async () =>
{
	const session = await cloudSession();
	const strangers = await createKey(db, await createOrg(db, 'Other'));
	const elsewhere = await createKey(db, org, undefined, { sessions: [(await cloudSession()).id] });

	await addKey();
	assert.equal((await put(session, CREDENTIALS)).status, 200);
	for (const [secret, status] of [[strangers.secret, 404], [elsewhere.secret, 404], [(await createKey(db, org, ['read', 'send', 'events'])).secret, 403], [null, 401]])
	{
		assert.equal((await put(session, { ...CREDENTIALS, appId: '1' }, secret)).status, status);
		assert.equal((await client.get(pathOf(session), secret ?? undefined)).status, status);
	}
	assert.equal((await client.get(pathOf(session), key.secret)).json.appId, IDS.appId);
});

test('several keys: the newest seals, and one that was removed is not sealed to', async () =>
{
	const [first, second] = [await addKey('others'), await addKey('others')];
	const session = await createSession(db, org, { connector: 'others' });

	assert.equal((await put(session, CREDENTIALS)).status, 200);
	assert.equal((await sealedOf(session)).key, second.id);
	await assert.rejects(db.sql('SELECT wa.remove_connector_key($1)', [second.id]), /credentials of 1 sessions are sealed to this key/);
	await client.post(`/api/v1/sessions/${session.id}:logout`, key.secret);
	assert.equal((await client.get(pathOf(session), key.secret)).status, 404);
	await db.sql('SELECT wa.remove_connector_key($1)', [second.id]);
	assert.equal((await put(session, CREDENTIALS)).status, 200);
	assert.equal((await sealedOf(session)).key, first.id);
});

/* A key of small order, with which everybody could open what is sealed; it is refused when it is added, too. */
test('nothing is stored if the connector\'s key cannot be sealed to', async () =>
{
	const session = await createSession(db, org, { connector: 'others' });
	const id = await db.value("INSERT INTO wa.connector_key (connector, public_key, added_by) VALUES ('others', $1, 'nobody') RETURNING id", [`\\x${'00'.repeat(32)}`]);

	assert.equal((await put(session, CREDENTIALS)).status, 503);
	assert.equal(await sealedOf(session), undefined);
	await db.sql('SELECT wa.remove_connector_key($1)', [id]);
});

/* canary.test.mjs searches the log, memory.test.mjs the gateway's memory. */
test('a dump has what is sealed, and nothing of what is in it', async () =>
{
	const pair = await addKey();
	const session = await cloudSession();

	assert.equal((await put(session, CREDENTIALS)).status, 200);

	const dump = must(postgresProgram('pg_dump'), ['-d', 'wa'], { env: cluster.environment('wa') });
	const sealed = await sealedOf(session);

	assert.ok(dump.includes(sealed.bytes.toString('hex')));
	assert.equal(open(sealed, pair).accessToken, SECRETS.accessToken);
	for (const secret of Object.values(SECRETS))
		for (const form of [secret, Buffer.from(secret).toString('hex')])
			assert.ok(!dump.includes(form));
});
