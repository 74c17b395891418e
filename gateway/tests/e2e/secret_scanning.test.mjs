/*
 * secret_scanning.test.mjs
 *		Keys that were found in public: the reports of services that scan code, and the rules that
 *		find a key before it is published.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { prepareCluster } from './harness/cluster.mjs';
import { Connection } from './harness/http.mjs';
import { onEnd } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { createKey, createTenant } from './harness/tenants.mjs';

const PATH = '/api/v1/secret-scanning';
const ME = '/api/v1/me';
const DOCS = new URL('../../../docs/', import.meta.url);

let cluster, db, gateway, client, tenant, other, privateKey;

const pem = (key) => key.export({ type: 'spki', format: 'pem' });

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Careless');
	other = await createTenant(db, 'Careful');
	gateway = await Gateway.start(cluster);
	client = gateway.client;

	const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

	privateKey = pair.privateKey;
	await db.sql('SELECT wa.set_scanner_keys($1, $2)', ['github', JSON.stringify({ public_keys: [{ key_identifier: 'first', key: pem(pair.publicKey), is_current: true }] })]);
});

/* Sends a report as the service does: the signature is over the bytes of the body. */
function report(leaks, { identifier = 'first', key = privateKey, body = JSON.stringify(leaks), signed = body, headers = {} } = {})
{
	return client.request('POST', PATH, { body, headers: {
		'Content-Type': 'application/json', 'Github-Public-Key-Identifier': identifier,
		'Github-Public-Key-Signature': sign('sha256', Buffer.from(signed), key).toString('base64'), ...headers } });
}

const leak = (token) => ({ token, type: 'wa_apikeys_api_key', url: 'https://git.example.com/shop/.env', source: 'content' });
const hash = (token) => createHash('sha256').update(token).digest('base64');

test('the very next request with a key that is reported is a 401, and people see why', async () =>
{
	const [lost, foreign] = [await createKey(db, tenant.org, ['read']), await createKey(db, other.org, ['read'])];
	const never = `wa_${'0'.repeat(49)}`;
	const connection = await Connection.open(gateway.port);

	assert.equal((await connection.request('GET', ME, { key: lost.secret })).status, 200);

	const answer = await report([leak(lost.secret), leak(never), leak(foreign.secret)]);

	assert.equal(answer.status, 200, answer.text);
	assert.deepEqual(answer.json, [[lost.secret, 'true'], [never, 'false'], [foreign.secret, 'true']].map(([token, is]) =>
		({ label: `${is}_positive`, token_hash: hash(token), token_type: 'wa_apikeys_api_key' })));
	assert.equal((await connection.request('GET', ME, { key: lost.secret })).status, 401);
	assert.equal((await client.get(ME, foreign.secret)).status, 401);
	assert.equal((await client.get(ME, tenant.key.secret)).status, 200);
	assert.deepEqual(await db.sql('SELECT k.status, k.revoked_by, k.revoked_reason FROM wa.keys k WHERE k.id = $1', [lost.uuid]),
		[{ status: 'revoked', revoked_by: 'github', revoked_reason: 'found in public by github: content https://git.example.com/shop/.env' }]);

	for (const secret of [lost.secret, foreign.secret, never])
		assert.ok(!gateway.log().includes(secret.slice(3)));
});

test('only a report that one of the known keys has signed counts', async () =>
{
	const key = await createKey(db, tenant.org, ['read']);
	const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
	const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
	const body = JSON.stringify([leak(key.secret)]);
	const shapes = new Set();

	for (const wrong of [{ identifier: 'second' }, { key: stranger }, { signed: `${body} ` }, { signed: '' },
		{ headers: { 'Github-Public-Key-Signature': 'x' } }, { headers: { 'Github-Public-Key-Signature': '=' } },
		{ headers: { 'x-api-key': tenant.key.secret, 'Github-Public-Key-Signature': 'AAAA' } }])
	{
		const answer = await report(null, { body, ...wrong });

		assert.equal(answer.status, 401, JSON.stringify(wrong));
		shapes.add(answer.shape);
	}
	assert.equal(shapes.size, 1);
	// An RSA signature is longer than any that is read.
	assert.equal((await report(null, { body, key: rsa })).status, 400);
	assert.equal((await client.get(ME, key.secret)).status, 200);
	assert.equal((await report(null, { body })).status, 200);
	assert.equal((await client.get(ME, key.secret)).status, 401);
});

test('what is signed and no report is refused, and shows nothing of its content', async () =>
{
	const { secret, name } = await createKey(db, tenant.org, ['read']);

	for (const body of [`"${secret}"`, `{"token": "${secret}"}`, `[{"token": "${secret}"`, `[{"token": "${secret}\\u0000"}]`, Buffer.from([0x5b, 0xff, 0x5d]), '[1', `[${'0,'.repeat(1000)}0]`])
	{
		const answer = await report(null, { body });

		assert.deepEqual([answer.status, answer.json.error.code, Object.keys(answer.json.error.details)], [400, 'validation_error', ['body']], String(body).slice(0, 60));
		assert.ok(!answer.text.includes(secret.slice(3)));
	}
	assert.equal((await report([leak(secret)], { headers: { 'Content-Type': 'text/plain' } })).status, 415);
	assert.equal((await report([], { body: ' '.repeat(262_145) })).status, 413);
	for (const header of ['Github-Public-Key-Identifier', 'Github-Public-Key-Signature'])
		assert.equal((await report([leak(secret)], { headers: { [header]: '' } })).status, 400);
	assert.equal((await client.get(ME, secret)).status, 200);
	assert.equal(await db.value("SELECT k.status FROM wa.keys k WHERE k.name = $1", [name]), 'live');
	assert.ok(!gateway.log().includes(secret.slice(3)));
});

test('a thousand reports in one are all acted on, and twice is no harm', async () =>
{
	const keys = await Promise.all(Array.from({ length: 3 }, () => createKey(db, tenant.org, ['read'])));
	const leaks = Array.from({ length: 1000 }, (_, i) => leak(i % 400 === 7 ? keys[(i - 7) / 400].secret : `wa_${String(i).padStart(49, '0')}`));

	for (const many of [leaks, leaks])
	{
		const answer = await report(many);

		assert.equal(answer.status, 200, answer.text.slice(0, 200));
		assert.equal(answer.json.filter(({ label }) => label === 'true_positive').length, 3);
	}
	for (const { secret } of keys)
		assert.equal((await client.get(ME, secret)).status, 401);
	assert.equal(await db.value("SELECT count(*) FROM wa.audit a WHERE a.action = 'key.revoked' AND a.subject = ANY ($1)", [`{${keys.map(({ uuid }) => uuid)}}`]), '3');
});

/* ---- before it is published ---- */

const run = promisify(execFile);

test('the rules for scanners match a key, and nothing shorter or longer', async () =>
{
	const gitleaks = await readFile(new URL('operations/gitleaks.toml', DOCS), 'utf8');
	const trufflehog = await readFile(new URL('operations/trufflehog.yaml', DOCS), 'utf8');
	const rules = [/^regex = '''(.*)'''$/m.exec(gitleaks)[1], /^ +key: '(.*)'$/m.exec(trufflehog)[1]];
	const keys = [await createKey(db, tenant.org, ['read']), await createKey(db, tenant.org, ['read'], { test: true })];

	for (const [rule, secret] of rules.flatMap((rule) => keys.map((key) => [rule, key.secret])))
	{
		const finds = (text) => new RegExp(rule).test(text);

		assert.ok(finds(`WA_API_KEY="${secret}"`) && finds(`x-api-key: ${secret}\n`) && finds(secret));
		assert.ok(!finds(secret.slice(0, -1)) && !finds(`${secret}0`) && !finds('wa_message_id') && !finds(`x${secret}`));
	}
});

test('the list of keys is set as the guide says', async () =>
{
	const guide = await readFile(new URL('leaked-keys.md', DOCS), 'utf8');
	const commands = /psql <<'SQL'\n([^`]*`cat [^`]*`[^`]*)SQL\n```/.exec(guide)[1];
	const folder = await mkdtemp(join(tmpdir(), 'wa-keys-'));
	const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

	onEnd(() => rm(folder, { recursive: true, force: true }));
	await writeFile(join(folder, 'keys.json'), JSON.stringify({ public_keys: [{ key_identifier: "it's", key: pem(publicKey) }, { key_identifier: 'b', key: pem(publicKey) }] }, null, '\t'));
	await db.sql("INSERT INTO wa.scanner_key SELECT 'others', identifier, public_key FROM wa.scanner_key");
	assert.equal(cluster.psql('wa', commands.replace('keys.json', join(folder, 'keys.json'))), '2');
	assert.deepEqual(await db.sql('SELECT k.scanner, k.identifier FROM wa.scanner_key k ORDER BY 1, 2'),
		[['github', 'b'], ['github', "it's"], ['others', 'first']].map(([scanner, identifier]) => ({ scanner, identifier })));
});

test('git refuses a commit with a key', async () =>
{
	const folder = await mkdtemp(join(tmpdir(), 'wa-secrets-'));
	const env = { PATH: process.env.PATH, HOME: folder, GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.com', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.com' };
	const git = (...args) => run('git', args, { cwd: folder, env });
	const guide = await readFile(new URL('leaked-keys.md', DOCS), 'utf8');
	const commands = /```sh\n(git secrets[^`]*)```/.exec(guide)[1];

	onEnd(() => rm(folder, { recursive: true, force: true }));
	await git('init', '-q');
	await run('sh', ['-ec', commands], { cwd: folder, env });
	for (const isTest of [false, true])
	{
		const { secret } = await createKey(db, tenant.org, ['read'], { test: isTest });

		await writeFile(join(folder, 'settings'), `key = ${secret}\n`);
		await git('add', 'settings');
		await assert.rejects(git('commit', '-qm', 'with a key'), ({ stderr }) => stderr.includes('settings:1'));
	}
	await writeFile(join(folder, 'settings'), 'key = $WA_API_KEY\n');
	await git('add', 'settings');
	await git('commit', '-qm', 'without one');
});
