/*
 * moving_in.test.mjs
 *		Keys that another system issued go on working as they are: wa import, with a key that
 *		Better Auth has made, and what it says of rows that it refuses.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { prepareCluster } from './harness/cluster.mjs';
import { PROGRAMS, makePlace, run } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { createOrg, createSession } from './harness/tenants.mjs';

const ADMIN = 'wa_import_admin';
const WA = path.join(PROGRAMS, 'wa');
const NAMES = 'messages:read=read,messages:write=send,files:read=';

let cluster, db, client, place;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	await db.sql(`CREATE ROLE ${ADMIN} LOGIN IN ROLE wa_admin`);
	({ client } = await Gateway.start(cluster));
	place = makePlace();
});

const wa = (args, options) => run(WA, args, { env: cluster.environment('wa', ADMIN), ...options });

/* A file with this content; returns its path. */
function file(name, content)
{
	const at = path.join(place, name);

	fs.writeFileSync(at, content);
	return at;
}

/* Imports, and returns the results and the exit status. */
function imported(args, options)
{
	const { code, stdout, stderr } = wa(['import', ...args, '--json'], options);

	assert.equal(stderr, '');
	return { code, rows: JSON.parse(stdout) };
}

const digest = async (text) => Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('hex');

/* Better Auth with its keys in memory, which are the rows of its table. */
async function betterAuthKeys(...wanted)
{
	const tables = { user: [], session: [], account: [], verification: [], apikey: [] };
	const auth = betterAuth({
		database: memoryAdapter(tables), secret: 'a secret of this test, not of anybody else', baseURL: 'http://127.0.0.1:9',
		emailAndPassword: { enabled: true }, logger: { level: 'error' }, telemetry: { enabled: false },
		plugins: [apiKey({ defaultPrefix: 'wa_', rateLimit: { enabled: true, maxRequests: 600, timeWindow: 60_000 } })],
	});
	const { user } = await auth.api.signUpEmail({ body: { email: 'somebody@example.com', password: 'password of somebody', name: 'Somebody' } });
	const made = [];

	for (const body of wanted)
		made.push(await auth.api.createApiKey({ body: { userId: user.id, ...body } }));
	return { made, rows: tables.apikey };
}

test('a key that Better Auth has made opens the gateway as it is, with the permissions and the rate that it had', async () =>
{
	const org = await createOrg(db, 'From Better Auth');
	const { made: [shop, reports], rows } = await betterAuthKeys(
		{ name: 'shop', permissions: { messages: ['read', 'write'], files: ['read'] } }, { name: 'reports', expiresIn: 86_400 });
	const from = file('better_auth.json', JSON.stringify(rows));

	/* nothing yet, and nothing after a dry run */
	assert.equal((await client.request('GET', '/api/v1/me', { key: shop.key })).status, 401);
	assert.deepEqual(imported(['better-auth', org.id, from, '--names', NAMES, '--permissions', 'read', '--dry-run']).rows.map(({ result, id }) => [result, id]),
		[['imported', undefined], ['imported', undefined]]);
	assert.equal((await client.request('GET', '/api/v1/me', { key: shop.key })).status, 401);

	const { code, rows: results } = imported(['better-auth', org.id, from, '--names', NAMES, '--permissions', 'read']);

	assert.equal(code, 0);
	assert.deepEqual(results.map(({ place: row, name, prefix, permissions, result }) => ({ row, name, prefix, permissions, result })), [
		{ row: 1, name: 'shop', prefix: shop.key.slice(0, 6), permissions: ['read', 'send'], result: 'imported' },
		{ row: 2, name: 'reports', prefix: reports.key.slice(0, 6), permissions: ['read'], result: 'imported' }]);

	const me = await client.request('GET', '/api/v1/me', { key: shop.key });

	assert.deepEqual([me.status, me.json.organizationId, me.json.permissions], [200, org.id, ['read', 'send']]);
	assert.deepEqual([me.headers['ratelimit-policy'] !== undefined, (await client.request('POST', '/api/v1/sessions', { key: shop.key, json: { label: 'x' } })).status], [true, 403]);
	assert.deepEqual(await db.sql('SELECT name, per_minute, expires_at IS NULL AS endless FROM wa.keys WHERE org_id = $1 ORDER BY id', [org.uuid]),
		[{ name: 'shop', per_minute: '600', endless: 't' }, { name: 'reports', per_minute: '600', endless: 'f' }]);

	/* a second time there is nothing to do */
	assert.deepEqual(imported(['better-auth', org.id, from, '--names', NAMES, '--permissions', 'read']).rows.map(({ result }) => result), ['exists', 'exists']);
});

test('rows that cannot be taken over are refused with the reason, and the others are imported', async () =>
{
	const org = await createOrg(db, 'From a list');
	const lines = [{ name: 'one', digest: await digest('wa_11111111111111111111'), permissions: ['read'] },
		{ name: 'two', digest: await digest('wa_22222222222222222222'), permissions: ['files:read'] },
		{ name: 'over', digest: await digest('wa_33333333333333333333'), permissions: ['read'], expiresAt: '2020-01-01T00:00:00Z' }];
	const input = lines.map((line) => JSON.stringify(line)).join('\n');
	const { code, rows } = imported(['list', org.id, '-'], { input });

	assert.equal(code, 1);
	assert.deepEqual(rows.map(({ name, result, reason }) => [name, result, reason]), [['one', 'imported', undefined],
		['two', 'refused', 'permissions have "files:read", which must be given a name of ours'], ['over', 'expired', undefined]]);
	assert.equal((await client.request('GET', '/api/v1/sessions', { key: 'wa_11111111111111111111' })).status, 200);
	assert.equal((await client.request('GET', '/api/v1/sessions', { key: 'wa_22222222222222222222' })).status, 401);

	const { code: status, stdout } = wa(['import', 'list', org.id, '-'], { input });

	assert.equal(status, 1);
	assert.match(stdout, /^PLACE +NAME +PREFIX +PERMISSIONS +RESULT +ID +REASON\n1 +one +wa_ +read +exists +- +-\n2 +two +- +- +refused /);
});

test('a test key stays one: it reaches the sandbox and nothing else, whichever row or option says so', async () =>
{
	const org = await createOrg(db, 'Of tests');
	const [sandbox, other] = [await createSession(db, org, { label: 'sandbox', connector: 'sandbox' }), await createSession(db, org, { label: 'of customers' })];
	const keys = ['wa_test_said_by_its_row_1', 'wa_said_by_the_option_1', 'wa_test_said_by_nobody_1'];
	const [said, asked, live] = await Promise.all(keys.map(async (key, i) => ({ name: `key ${i}`, digest: await digest(key), prefix: key, permissions: ['read'] })));
	const inputs = { one: [{ ...said, test: true }, { ...live, test: false }, { ...live, test: 'no' }], all: [asked] };
	const labels = async (key) => (await client.request('GET', '/api/v1/sessions', { key })).json.data.map(({ label }) => label).sort();
	const taken = (rows, ...options) => imported(['list', org.id, '-', ...options], { input: JSON.stringify(rows) }).rows.map(({ result, reason }) => reason ?? result);

	assert.deepEqual(taken(inputs.one), ['imported', 'imported', 'test must be true or false']);
	assert.deepEqual(taken(inputs.all, '--test'), ['imported']);
	assert.deepEqual([await labels(keys[0]), await labels(keys[1]), await labels(keys[2])], [['sandbox'], ['sandbox'], ['of customers', 'sandbox']]);
	assert.deepEqual(await Promise.all(keys.map(async (key) => (await client.request('GET', `/api/v1/sessions/${other.id}`, { key })).status)), [404, 404, 200]);
	assert.equal((await client.request('GET', `/api/v1/sessions/${sandbox.id}`, { key: keys[1] })).status, 200);
	assert.deepEqual((await db.sql('SELECT test, prefix FROM wa.keys WHERE org_id = $1 ORDER BY id', [org.uuid])).map(({ test, prefix }) => [test, prefix]),
		[['t', 'wa_test_said_'], ['f', 'wa_test_said_'], ['t', 'wa_said_']]);
});

test('what is no file, no list and no system is said, and nothing is changed', async () =>
{
	const org = await createOrg(db, 'Nothing');
	const refused = (args, code, words, options) =>
	{
		const answer = wa(['import', ...args], options);

		assert.deepEqual([answer.code, answer.stdout], [code, ''], answer.stderr);
		assert.match(answer.stderr, words);
	};

	refused(['list', org.id, path.join(place, 'nowhere.json')], 2, /^wa: cannot read FILE: No such file or directory\n/);
	refused(['list', org.id, place], 2, /^wa: cannot read FILE: Is a directory\n/);
	refused(['list', org.id, file('zero.json', '[]\0')], 2, /^wa: cannot read FILE: it is not text\n/);
	refused(['list', org.id, file('large.json', Buffer.alloc(64 * 1024 * 1024 + 1, ' '))], 2, /^wa: cannot read FILE: it is larger than 64 MiB\n/);
	refused(['list', org.id, '-'], 1, /^wa: keys must be JSON/, { input: 'name,digest' });
	refused(['keyhippo', org.id, '-'], 1, /^wa: source must be better-auth, unkey or list\n$/, { input: '[{}]' });
	refused(['list', org.id, '-', '--rates', 'some'], 2, /^wa: --rates must be one of: keep drop\n/, { input: '[]' });
	refused(['list', org.id, '-', '--dry-run=yes'], 2, /^wa: --dry-run takes no value\n/, { input: '[]' });
	refused(['list', 'org_00000000000000000000000000', '-', '--permissions', 'everything'], 1, /^wa: invalid permission/, { input: '[]' });
	assert.equal(await db.value('SELECT count(*) FROM wa.keys WHERE org_id = $1', [org.uuid]), '0');
});
