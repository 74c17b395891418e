/*
 * cloud_sessions.test.mjs
 *		wa-cloud connects sessions to the Cloud API, and says in words why one cannot be.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { before, test } from 'node:test';
import { addConnectorKey, createCloudSession, makeCredentials, writePrivate } from './harness/cloud.mjs';
import { SANDBOX_LOGIN, prepareCluster } from './harness/cluster.mjs';
import { Graph, refusal } from './harness/graph.mjs';
import { PROGRAMS, makePlace, run, until } from './harness/processes.mjs';
import { Cloud, Gateway, conninfo } from './harness/programs.mjs';
import { createKey, createOrg } from './harness/tenants.mjs';

let cluster, db, client, org, key, graph, cloud, keyFile;

const start = (options = {}) => Cloud.start(cluster, { graph, keyFiles: [keyFile], args: ['--log-level', 'debug', '--health-interval', '1'], ...options });
const get = async (session, secret = key.secret) => (await client.get(`/api/v1/sessions/${session.id}`, secret)).json;
const reaches = (session, status, reason = /./) => until(`the session is ${status}`, async () =>
{
	const now = await get(session);

	return now.status === status && (reason === null ? now.statusReason === undefined : reason.test(now.statusReason ?? ''));
});

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	await db.sql("ALTER DATABASE wa SET wa.connectors = 'sandbox, cloud'");
	({ client } = await Gateway.start(cluster));
	org = await createOrg(db, 'Acme');
	key = await createKey(db, org);
	keyFile = await addConnectorKey(db);
	graph = await Graph.start();
	cloud = await start();
});

test('a session works with its number, and the app is subscribed to the account once', async () =>
{
	const credentials = makeCredentials();
	const number = graph.addNumber({ ...credentials, display: '+1 555-000-1234' });
	const session = await createCloudSession(client, key.secret, credentials);
	const calls = () => graph.of('POST', `/${credentials.wabaId}/subscribed_apps`).length;

	await reaches(session, 'working', null);
	assert.equal((await get(session)).phoneNumber, '15550001234');
	assert.deepEqual([...number.subscribed], [credentials.appId]);
	await client.post(`/api/v1/sessions/${session.id}:restart`, key.secret, {});
	await until('it is connected again', () => graph.of('GET', `/${credentials.wabaId}/subscribed_apps`).length === 2);
	await reaches(session, 'working', null);
	assert.equal(calls(), 1);
	assert.equal(graph.of('GET', `/${credentials.phoneNumberId}`)[0].version, 'v25.0');
});

test('credentials may name a version', async () =>
{
	const credentials = makeCredentials({ graphVersion: 'v26.0' });

	graph.addNumber(credentials);
	await reaches(await createCloudSession(client, key.secret, credentials), 'working', null);
	assert.equal(graph.of('GET', `/${credentials.phoneNumberId}`)[0].version, 'v26.0');
});

test('without credentials it fails, and works when they are given', async () =>
{
	const session = (await client.post('/api/v1/sessions', key.secret, { connector: 'cloud' })).json;
	const credentials = makeCredentials();

	graph.addNumber(credentials);
	await reaches(session, 'failed', /no credentials/);
	assert.equal((await client.request('PUT', `/api/v1/sessions/${session.id}/credentials`, { key: key.secret, json: credentials })).status, 200);
	await client.post(`/api/v1/sessions/${session.id}:restart`, key.secret, {});
	await reaches(session, 'working', null);
});

for (const [what, change, reason] of [
	['a token that is not valid', (right) => ({ ...right, accessToken: 'EAAother' }), /does not accept the access token/],
	['an app secret that is not that of the app', (right) => ({ ...right, appSecret: 'other' }), /check phoneNumberId, accessToken and appSecret.*appsecret_proof/],
	['a number that does not exist', (right) => ({ ...right, phoneNumberId: makeCredentials().phoneNumberId }), /check phoneNumberId/],
	['an account that does not exist', (right) => ({ ...right, wabaId: makeCredentials().wabaId }), /check wabaId/]])
	test(`${what} fails the session with a reason to act on, without the token`, async () =>
	{
		const right = makeCredentials();
		const wrong = change(right);

		graph.addNumber(right);

		const session = await createCloudSession(client, key.secret, wrong);

		await reaches(session, 'failed', reason);
		assert.ok(!JSON.stringify(await get(session)).includes(wrong.accessToken));
	});

for (const [status, reason] of [['BANNED', /has banned/], ['PENDING', /finish its registration/], ['DISCONNECTED', /register it/]])
	test(`a number that is ${status} fails the session`, async () =>
	{
		const credentials = makeCredentials();

		graph.addNumber({ ...credentials, status });
		await reaches(await createCloudSession(client, key.secret, credentials), 'failed', reason);
	});

test('a number that is flagged works, with a warning, and a status of later versions too', async () =>
{
	for (const [status, reason] of [['FLAGGED', /quality/], ['SOMETHING_NEW', null]])
	{
		const credentials = makeCredentials();

		graph.addNumber({ ...credentials, status });
		await reaches(await createCloudSession(client, key.secret, credentials), 'working', reason);
	}
});

test('its health is looked at again and again: a token that dies fails it, and new ones mend it', async () =>
{
	const credentials = makeCredentials();
	const number = graph.addNumber(credentials);
	const session = await createCloudSession(client, key.secret, credentials);
	const renewed = { ...credentials, accessToken: `${credentials.accessToken}New` };

	await reaches(session, 'working', null);
	number.token = renewed.accessToken;
	await reaches(session, 'failed', /new credentials/);
	assert.equal((await client.request('PUT', `/api/v1/sessions/${session.id}/credentials`, { key: key.secret, json: renewed })).status, 200);
	await client.post(`/api/v1/sessions/${session.id}:restart`, key.secret, {});
	await reaches(session, 'working', null);
});

for (const status of [401, 403, 404, 408, 400])
	test(`a page of an edge with status ${status} fails no session, neither one that works nor one that is being connected`, async () =>
	{
		const [working, late] = [makeCredentials(), makeCredentials()];
		const refused = (session) => cloud.events('number_not_checked').filter((line) => line.includes(session)).length;

		graph.addNumber(working);
		graph.addNumber(late);

		const session = await createCloudSession(client, key.secret, working);
		const uuid = await db.value("SELECT wa.from_typeid('sess', $1)", [session.id]);

		await reaches(session, 'working', null);
		graph.edge = () => ({ status, raw: '<html>blocked</html>' });

		const other = await createCloudSession(client, key.secret, late);
		const otherUuid = await db.value("SELECT wa.from_typeid('sess', $1)", [other.id]);

		await until('both were refused', () => refused(uuid) > 0 && refused(otherUuid) > 0);
		assert.equal((await get(session)).status, 'working');
		assert.equal((await get(other)).status, 'starting');
		graph.edge = () => undefined;
		await reaches(other, 'working', null);
		await reaches(session, 'working', null);
	});

test('a look that is refused fails no session that works', async () =>
{
	const credentials = makeCredentials();
	const number = graph.addNumber(credentials);
	const session = await createCloudSession(client, key.secret, credentials);
	const uuid = await db.value("SELECT wa.from_typeid('sess', $1)", [session.id]);

	await reaches(session, 'working', null);
	number.appSecret = 'another';
	await until('it was refused', () => cloud.events('number_not_checked').some((line) => line.includes(uuid)));
	assert.equal((await get(session)).status, 'working');
	number.appSecret = credentials.appSecret;
});

test('new credentials of a session that works connect it anew', async () =>
{
	const first = makeCredentials();
	const second = makeCredentials();

	graph.addNumber({ ...first, display: '15550000001' });
	graph.addNumber({ ...second, display: '15550000002' });

	const session = await createCloudSession(client, key.secret, first);

	await until('it works', async () => (await get(session)).phoneNumber === '15550000001');
	await client.request('PUT', `/api/v1/sessions/${session.id}/credentials`, { key: key.secret, json: second });
	await until('it works with the other number', async () =>
	{
		const { status, phoneNumber } = await get(session);

		return status === 'working' && phoneNumber === '15550000002';
	});
});

test('credentials of another number than they are given for are refused', async () =>
{
	const credentials = makeCredentials();

	graph.addNumber(credentials);

	const session = await createCloudSession(client, key.secret, credentials);

	await reaches(session, 'working', null);
	await db.sql("UPDATE wa.session_credentials SET phone_number_id = '999', has_number = false, updated_at = now() WHERE session_id = wa.from_typeid('sess', $1)", [session.id]);
	await client.post(`/api/v1/sessions/${session.id}:restart`, key.secret, {});
	await reaches(session, 'failed', /another phone number/);
	assert.equal(await db.value("SELECT has_number::text FROM wa.session_credentials WHERE session_id = wa.from_typeid('sess', $1)", [session.id]), 'false');
});

test('credentials that are copied to a session of another organization are refused', async () =>
{
	const credentials = makeCredentials();
	const other = await createKey(db, await createOrg(db, 'Other'));

	graph.addNumber(credentials);

	const session = await createCloudSession(client, key.secret, credentials);

	await reaches(session, 'working', null);

	const theirs = (await client.post('/api/v1/sessions', other.secret, { connector: 'cloud', credentials: makeCredentials() })).json;
	const asked = graph.of('GET', `/${credentials.phoneNumberId}`).length;

	await client.post(`/api/v1/sessions/${session.id}:stop`, key.secret, {});
	await db.sql(`UPDATE wa.session_credentials t SET (phone_number_id, waba_id, app_id, key_id, sealed, updated_at) =
		(SELECT phone_number_id, waba_id, app_id, key_id, sealed, now() FROM wa.session_credentials WHERE session_id = wa.from_typeid('sess', $1))
		WHERE session_id = wa.from_typeid('sess', $2)`, [session.id, theirs.id]);
	await client.post(`/api/v1/sessions/${theirs.id}:restart`, other.secret, {});
	await until('it has failed', async () => /another organization/.test((await get(theirs, other.secret)).statusReason ?? ''));
	assert.equal((await get(theirs, other.secret)).status, 'failed');
	assert.ok(graph.of('GET', `/${credentials.phoneNumberId}`).length <= asked + 1);
});

test('what is sealed to an earlier key is opened, and what nobody can open is said', async () =>
{
	const credentials = makeCredentials();
	const old = keyFile;

	graph.addNumber(credentials);

	const session = await createCloudSession(client, key.secret, credentials);

	await reaches(session, 'working', null);
	await cloud.stop();
	keyFile = await addConnectorKey(db);
	cloud = await start();
	await reaches(session, 'failed', /no key that opens/);
	await cloud.stop();
	cloud = await start({ keyFiles: [keyFile, old] });
	await client.post(`/api/v1/sessions/${session.id}:restart`, key.secret, {});
	await reaches(session, 'working', null);
});

test('a stop gives the leases back, and another process has the sessions at once', async () =>
{
	const credentials = makeCredentials();

	graph.addNumber(credentials);

	const session = await createCloudSession(client, key.secret, credentials);

	await reaches(session, 'working', null);
	assert.deepEqual(await cloud.stop(), { code: 0, signal: null });
	assert.equal(await db.value('SELECT count(*) FROM wa.session WHERE lease_owner IS NOT NULL'), '0');
	cloud = await start();
	await until('it is leased', async () => await db.value("SELECT lease_owner IS NOT NULL FROM wa.session WHERE id = wa.from_typeid('sess', $1)", [session.id]) === 't');
});

test('wrong settings are refused before anything runs', async () =>
{
	const place = makePlace();
	const write = (name, text, mode) => writePrivate(place, name, text, mode);
	const good = `${Buffer.alloc(32, 7).toString('base64')}\n`;
	const refused = async (args, problem) =>
	{
		const { code, stderr } = await run(path.join(PROGRAMS, 'wa-cloud'), ['--database', conninfo(cluster, 'wa', SANDBOX_LOGIN), ...args]);

		assert.equal(code, 1);
		assert.match(stderr, problem);
		assert.ok(!stderr.includes(good.trim()));
	};

	await refused([], /--key-file is needed/);
	await refused(['--key-file', path.join(place, 'none')], /cannot be read/);
	await refused(['--key-file', write('open', good, 0o644)], /nobody but its owner may read/);
	for (const text of ['', 'short\n', `${good.trim()}=`, `${'!'.repeat(44)}\n`])
		await refused(['--key-file', write(`bad${text.length}`, text, 0o600)], /has no key in base64/);
	for (const url of ['http://example.com', 'ftp://127.0.0.1', 'https://example.com/?a', 'https://example.com/'])
		await refused(['--key-file', write('good', good, 0o600), '--graph-url', url], /--graph-url/);
	await refused(['--key-file', path.join(place, 'good'), '--graph-version', '25'], /--graph-version/);
});

test('the log and the database have no secret', async () =>
{
	const log = cloud.log();

	assert.ok(log.includes('event=session '));
	for (const number of graph.numbers.values())
		for (const secret of [number.token, number.appSecret, number.verifyToken])
			assert.ok(!log.includes(secret));
	assert.equal(refusal(190).json.error.code, 190);
	assert.equal(await db.value("SELECT count(*) FROM wa.session WHERE status_reason LIKE '%EAA%'"), '0');
});
