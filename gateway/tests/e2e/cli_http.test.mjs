/*
 * cli_http.test.mjs
 *		wa over HTTP with a user token: it prints what it prints with a database, says why it is
 *		refused, trusts no server that it should not, and shows the token nowhere.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { tokenOf } from './harness/people.mjs';
import { PROGRAMS, Program, makeCertificate, makePlace, must, onEnd, run, until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { createKey, createOrg, createPerson, createSession } from './harness/tenants.mjs';

const ADMIN = 'wa_cli_http_admin';
const WA = path.join(PROGRAMS, 'wa');
const SECRET = /^wa_[0-9A-Za-z]{49}$/;
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z$/;
const UNKNOWN = '00000000000000000000000000';

let cluster, db, gateway, place;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	await db.sql(`CREATE ROLE ${ADMIN} LOGIN IN ROLE wa_admin`);
	gateway = await Gateway.start(cluster);
	place = makePlace();
});

let files = 0;

/* A file of the user that wa runs as. */
function fileOf(text, mode = 0o600)
{
	const file = path.join(place, `token${++files}`);
	const { uid } = fs.statSync(place);

	fs.writeFileSync(file, text);
	fs.chmodSync(file, mode);
	if (uid !== process.getuid())
		fs.chownSync(file, uid, -1);
	return file;
}

const urlOf = ({ port }) => `http://127.0.0.1:${port}`;

/* A person of an organization at a shell, and the same organization's administrator with a database. */
async function shellOf(org, role = 'owner')
{
	const person = await createPerson(db, { org, role });
	const token = await tokenOf(gateway.client, person);
	const env = { WA_URL: urlOf(gateway), WA_TOKEN_FILE: fileOf(`${token}\n`) };
	const wa = (...args) => run(WA, args, { env });
	const said = (...args) =>
	{
		const { code, stdout, stderr } = wa(...args);

		assert.deepEqual([code, stderr], [0, ''], args.join(' '));
		return stdout;
	};
	const refused = (args, status, words) =>
	{
		const { code, stdout, stderr } = wa(...args);

		assert.deepEqual([code, stdout], [status, ''], stderr);
		assert.match(stderr, words);
		assert.ok(!stderr.includes(token.slice(4)), 'the token is in an error');
	};
	const json = (...args) => JSON.parse(said(...args, '--json'));

	return { person, token, env, wa, said, refused, json };
}

const byDatabase = (...args) => JSON.parse(must(WA, [...args, '--json'], { env: cluster.environment('wa', ADMIN) }));

/* What the REST API tells of a key: nothing of its organization, which is the token's, and times in milliseconds. */
function told({ organizationId, organization, lastUsedFrom, disabledBy, revokedBy, changed, ...key })
{
	return inMilliseconds(key);
}

function inMilliseconds(row)
{
	return Object.fromEntries(Object.entries(row).map(([name, value]) =>
		[name, typeof value === 'string' && TIME.test(value) ? value.replace(/\.([0-9]{1,3})[0-9]*Z$/, (_, digits) => `.${digits}`.replace(/\.?0*$/, '') + 'Z') : value]));
}

test('a key is made, shown, listed, changed, switched, rotated and revoked, as with a database', async () =>
{
	const org = await createOrg(db, 'Over HTTP');
	const sessions = [await createSession(db, org), await createSession(db, org)];
	const { person, json, said } = await shellOf(org);
	const made = json('key', 'create', 'shop', 'read,send', '--expires', '2100-01-02T03:04:05Z', '--sessions', sessions.map(({ id }) => id).join(),
		'--addresses', '127.0.0.1,203.0.113.0/24', '--per-minute', '60', '--burst', '20');
	const same = (id) => assert.deepEqual(json('key', 'show', id), told(byDatabase('key', 'show', id)));

	assert.match(made.key, SECRET);
	assert.deepEqual([made.name, made.permissions, made.expiresAt, made.rateLimit, made.status, made.createdBy],
		['shop', ['read', 'send'], '2100-01-02T03:04:05Z', { requestsPerMinute: 60, burst: 20 }, 'live', person.id]);
	assert.deepEqual(made.sessions, sessions.map(({ id }) => id).sort());
	same(made.id);

	const changed = json('key', 'change', made.id, '--name', 'tills', '--permissions', 'read', '--expires', 'infinity', '--sessions', 'all', '--addresses', 'any', '--per-minute', 'any');

	assert.deepEqual([changed.name, changed.permissions, changed.expiresAt, changed.sessions, changed.addresses, changed.rateLimit],
		['tills', ['read'], undefined, undefined, undefined, undefined]);
	same(made.id);
	assert.deepEqual(json('key', 'change', made.id, '--per-minute', '6').rateLimit, { requestsPerMinute: 6, burst: 1 });
	assert.equal(said('key', 'disable', made.id), `${made.id} ("tills") is switched off\n`);
	same(made.id);
	assert.equal(json('key', 'enable', made.id).status, 'live');

	const successor = json('key', 'rotate', made.id, '--overlap', '2 hours', '--expires', 'infinity');
	const { expiresAt } = json('key', 'show', made.id);

	assert.match(successor.key, SECRET);
	assert.deepEqual([successor.expiresAt, successor.previousExpiresAt], [undefined, expiresAt]);
	assert.equal(json('key', 'show', made.id).status, 'rotated');
	assert.ok(Math.abs(Date.parse(expiresAt) - Date.now() - 7200_000) < 300_000, expiresAt);
	assert.equal(json('key', 'create', 'sandboxed', 'read', '--test').test, true);
	assert.equal(said('key', 'revoke', successor.id, '--reason', 'on a wiki & more'), `${successor.id} ("tills") is revoked\n`);
	assert.equal(json('key', 'show', successor.id).revokedReason, 'on a wiki & more');
	/* a UUID is an id here, too */
	assert.equal(json('key', 'show', await db.value("SELECT wa.from_typeid('key', $1)", [made.id])).id, made.id);

	const keys = json('key', 'list');

	assert.deepEqual(keys.map(({ restrictedBy, ...key }) => key), byDatabase('key', 'list', org.id).map(told).map(({ restrictedBy, ...key }) => key));
	assert.deepEqual(keys.map(({ name, status, restrictedBy }) => [name, status, restrictedBy]),
		[['tills', 'rotated', ['rateLimit']], ['tills', 'revoked', ['rateLimit']], ['sandboxed', 'live', ['test']]]);
	assert.deepEqual(json('key', 'list', '--status', 'revoked').map(({ id }) => id), [successor.id]);
	assert.match(said('key', 'list'), /^ID +NAME +PREFIX +PERMISSIONS +STATUS +EXPIRES AT +LAST USED AT +RESTRICTED BY$/m);
	assert.match(said('key', 'list'), /sandboxed .* test$/m);
});

test('a list is read to its end, the oldest first', async () =>
{
	const org = await createOrg(db, 'Many');
	const { json } = await shellOf(org);

	for (let i = 0; i < 120; i++)
		await createKey(db, org, ['read']);

	const keys = json('key', 'list');

	assert.equal(keys.length, 120);
	assert.deepEqual(keys.map(({ id }) => id), byDatabase('key', 'list', org.id).map(({ id }) => id));
	assert.equal(json('audit', 'list', '--limit', '110').length, 110);
	assert.equal(json('audit', 'list').length, 50);
	assert.equal(json('key', 'revoke-all', '--yes', '--reason', 'over').revoked, 120);
	assert.deepEqual(json('key', 'list', '--status', 'live'), []);
});

test('usage and policy', async () =>
{
	const org = await createOrg(db, 'Counted over HTTP');
	const { json, refused } = await shellOf(org);
	const key = await createKey(db, org, ['read']);

	await db.sql(`INSERT INTO wa.api_key_hour (org_id, key_id, hour, allowed, rate, session) SELECT k.org_id, k.id,
		date_bin('1 hour', now(), '2000-01-01+00') - h * interval '1 hour', h + 1, 2, h FROM wa.api_key k, generate_series(0, 9) h WHERE k.id = $1`, [key.uuid]);
	assert.equal(json('key', 'usage', key.id).length, 10);
	assert.deepEqual(json('key', 'usage', key.id), byDatabase('key', 'usage', key.id));
	assert.equal(json('key', 'usage', key.id, '--hours', '3').length, 3);

	assert.deepEqual(json('key', 'policy'), {});
	assert.deepEqual(json('key', 'policy', '--default-days', '30', '--max-days', '90'), { defaultDays: 30, maxDays: 90 });
	assert.deepEqual(json('key', 'policy'), { defaultDays: 30, maxDays: 90 });
	refused(['key', 'policy', '--max-days', '9'], 2, /^wa: over HTTP, key policy needs all of its options, or none\n/);
	refused(['key', 'policy', '--default-days', '91', '--max-days', '90'], 1, /^wa: .*\n {2}defaultDays: /);
	assert.deepEqual(json('key', 'policy', '--default-days', 'none', '--max-days', 'none'), {});
});

test('the audit log: list, export and head', async () =>
{
	const org = await createOrg(db, 'Audited over HTTP');
	const { json, said } = await shellOf(org);
	const { id } = json('key', 'create', 'noted', 'read');

	await db.sql("SELECT wa.housekeep('audit', 10000)");
	assert.deepEqual(json('audit', 'list', '--subject', id), byDatabase('audit', 'list', org.id, '--subject', id).map(inMilliseconds));
	assert.deepEqual(json('audit', 'list', '--action', 'key.created', '--from', '2100-01-01'), []);
	assert.equal(json('audit', 'list', '--action', 'key.created', '--from', '2020-01-01', '--to', '2100-01-01T00:00:00Z').length, 1);
	assert.deepEqual(json('audit', 'head'), inMilliseconds(byDatabase('audit', 'head', org.id)));

	const lines = (text) => text.trimEnd().split('\n').map((line) => JSON.parse(line));
	const exported = must(WA, ['audit', 'export', org.id], { env: cluster.environment('wa', ADMIN) });

	assert.deepEqual(lines(said('audit', 'export')), lines(exported));
	assert.deepEqual(lines(said('audit', 'export', '--after', '1')), lines(exported).slice(1));
});

test('all keys of a person, or of the organization, are revoked only if it is meant', async () =>
{
	const org = await createOrg(db, 'All over');
	const { json, person, refused, said } = await shellOf(org);
	const { id } = json('key', 'create', 'mine', 'read');
	const other = await createKey(db, org);

	refused(['key', 'revoke-all'], 2, /^wa: key revoke-all needs --yes, because it cannot be undone\n/);
	assert.equal(said('key', 'revoke-all', '--created-by', person.id, '--yes'), 'keys revoked: 1\n');
	assert.deepEqual([json('key', 'show', id).status, json('key', 'show', other.id).status], ['revoked', 'live']);
	assert.equal(said('key', 'revoke-all', '--yes'), 'keys revoked: 1\n');
	assert.equal(json('key', 'show', other.id).status, 'revoked');
});

test('what the server refuses is said in its words: 400, 401, 403, 404 and 409', async () =>
{
	const org = await createOrg(db, 'Refused');
	const { env, json, refused, token } = await shellOf(org);
	const foreign = await createKey(db, await createOrg(db, 'Another'));
	const { id } = json('key', 'create', 'taken', 'read');

	refused(['key', 'create', 'taken', 'read'], 1, /^wa: a live key of this organization has this name already/);
	refused(['key', 'create', 'x', 'read,admin'], 1, /^wa: .*\n {2}permissions/);
	refused(['key', 'create', 'x', ''], 1, /^wa: .*\n {2}permissions/);
	refused(['key', 'change', id], 2, /^wa: nothing is to be changed\n/);
	refused(['key', 'change', id, '--per-minute', 'any', '--burst', '5'], 1, /^wa: .*\n {2}rateLimit/);
	refused(['audit', 'list', '--action', 'key'], 1, /^wa: .*\n {2}action: /);
	for (const [command, ...more] of [['show'], ['usage'], ['revoke'], ['disable'], ['enable'], ['rotate'], ['change', '--name', 'y']])
	{
		const texts = [foreign.id, `key_${UNKNOWN}`, '..', 'key_x/../../sessions?'].map((key) => run(WA, ['key', command, key, ...more], { env }));

		for (const { code, stdout, stderr } of texts)
			assert.deepEqual([code, stdout, stderr], [1, '', texts[0].stderr], command);
		assert.match(texts[0].stderr, /^wa: .*(not found|no such)/);
	}

	const member = await shellOf(org, 'member');

	for (const args of [['key', 'list'], ['key', 'create', 'x', 'read'], ['key', 'revoke', id], ['key', 'revoke-all', '--yes'], ['key', 'policy'], ['audit', 'list'], ['audit', 'head'], ['audit', 'export']])
		member.refused(args, 1, /^wa: permission denied\n {2}required: manage\n$/);
	assert.equal(json('key', 'show', id).status, 'live');

	/* a token that has ended */
	assert.equal((await gateway.client.request('GET', '/api/v1/me', { bearer: token })).status, 200);
	await db.sql("UPDATE wa.user_token SET expires_at = now() - interval '1 second'");
	refused(['key', 'list'], 1, /^wa: .*\n {2}A user token ends after 15 minutes/);
});

test('what cannot be sent is a usage error, and nothing is sent', async () =>
{
	const { refused } = await shellOf(await createOrg(db, 'Typed wrongly'));
	const key = `key_${UNKNOWN}`;

	for (const [args, words] of [
		[['key', 'create', 'org_x', 'name', 'read'], /key create has too many arguments/],
		[['key', 'create', 'name'], /PERMISSIONS is missing/],
		[['key', 'create', 'x', 'read', '--expires', 'tomorrow'], /--expires must be a time in UTC/],
		[['key', 'create', 'x', 'read', '--expires', '2027-02-31'], /--expires must be a time in UTC/],
		[['key', 'create', 'x', 'read', '--per-minute', '6 '], /--per-minute must be a whole number/],
		[['key', 'change', key, '--burst', ''], /--burst must be a whole number/],
		[['key', 'rotate', key, '--overlap', '1 fortnight'], /--overlap must be a number of seconds/],
		[['key', 'usage', key, '--hours', 'all'], /--hours must be a whole number/],
		[['audit', 'list', '--limit', '0'], /--limit must be a whole number above 0/],
		[['org', 'list'], /org list works with a database only, not over HTTP/],
		[['key', 'explain', '-'], /key explain works with a database only/],
		[['key', 'show', 'k'.repeat(5000)], /the arguments are too long/],
		[['--database', 'x', '--url', 'http://127.0.0.1:1', 'key', 'list'], /--database cannot be combined/]])
		refused(args, 2, new RegExp(`^wa: ${words.source}`));
});

test('a URL alone in the environment means nothing; a token, --url or --token-file do, and --database comes before the environment', async () =>
{
	const org = await createOrg(db, 'Two ways');
	const { env } = await shellOf(org);
	const both = { ...cluster.environment('wa', ADMIN), ...env };
	const { WA_TOKEN_FILE: file, ...withoutToken } = both;
	const ways = (args, environment) => run(WA, args, { env: environment });

	assert.equal(ways(['org', 'list'], withoutToken).code, 0);
	assert.match(ways(['org', 'list'], both).stderr, /^wa: org list works with a database only/);
	assert.equal(ways(['--database', 'dbname=wa', 'org', 'list'], both).code, 0);
	assert.equal(ways(['key', 'list', '--token-file', file], withoutToken).code, 0);
	assert.match(ways(['key', 'list', '--url', env.WA_URL], withoutToken).stderr, /^wa: --token-file is missing/);
	assert.match(ways(['key', 'list'], { WA_TOKEN_FILE: file }).stderr, /^wa: --url is missing/);
	assert.equal(ways(['key', 'list', '--url', `${env.WA_URL}///`, `--token-file=${file}`], {}).code, 0);
	assert.equal(ways(['--help'], both).code, 0);
	assert.equal(ways(['manual'], both).code, 0);
});

test('a file of a token is its owner\'s alone, and has a token', async () =>
{
	const { token, wa } = await shellOf(await createOrg(db, 'Files'));
	const refused = (file, words) =>
	{
		const { code, stdout, stderr } = wa('key', 'list', '--token-file', file);

		assert.deepEqual([code, stdout], [2, '']);
		assert.match(stderr, new RegExp(`^wa: --token-file cannot be used: ${words.source}`));
		assert.ok(!stderr.includes(token.slice(4)));
	};

	for (const mode of [0o640, 0o604, 0o620, 0o602, 0o644, 0o666])
		refused(fileOf(token, mode), /others may read or change it/);
	assert.equal(wa('key', 'list', '--token-file', fileOf(`${token}\r\n`, 0o400)).code, 0);
	refused(path.join(place, 'none'), /No such file/);
	refused(place, /it is no file|others may|Is a directory/);
	for (const text of ['', 'hush', `${token}x`, `${token} ${token}`, token.replace('wau_', 'wa_'), `${token}\n\n${'x'.repeat(2000)}`])
		refused(fileOf(text), /it has no user token/);
	refused(fileOf((await createKey(db, await createOrg(db, 'Key'))).secret), /it has no user token/);
});

/* A server that is none of ours, and what it was asked. */
async function impostor(answer)
{
	const asked = [];
	const server = http.createServer((request, response) =>
	{
		asked.push(request);
		answer(response, request);
	});

	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	onEnd(() => new Promise((resolve) => { server.closeAllConnections?.(); server.close(resolve); }), () => server.close());
	return { url: urlOf(server.address()), asked };
}

/* Runs wa while this process answers it. */
async function meanwhile(args, env)
{
	const program = new Program(WA, args, { log: path.join(place, `out${++files}`), env });
	const { code } = await program.exited;

	return { code, text: program.log() };
}

test('a refusal that has to wait says how long, and no answer is believed that is none', async () =>
{
	const { env, token } = await shellOf(await createOrg(db, 'Impostors'));
	const ask = async (answer, ...args) =>
	{
		const { url, asked } = await impostor(answer);
		const { code, text } = await meanwhile(args.length > 0 ? args : ['key', 'list'], { ...env, WA_URL: url });

		assert.ok(!text.includes(token.slice(4)));
		return { code, text, asked };
	};
	const error = (status, code, message, headers = {}) => (response) =>
	{
		response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
		response.end(JSON.stringify({ error: { code, message } }));
	};
	const said = async (answer, ...args) => { const { code, text } = await ask(answer, ...args); return [code, text]; };

	assert.deepEqual(await said(error(429, 'rate_limited', 'too many requests', { 'Retry-After': '7' })), [1, 'wa: too many requests\n  Try again in 7 seconds.\n']);
	assert.deepEqual(await said(error(503, 'unavailable', 'no database', { 'Retry-After': '2' })), [1, 'wa: no database\n  Try again in 2 seconds.\n']);
	/* a terminal gets no orders */
	assert.deepEqual(await said(error(500, 'internal', 'a\x1b[2Jb\nc')), [1, 'wa: a [2Jb c\n']);
	assert.deepEqual(await said((response) => response.writeHead(502).end('<html>')), [1, 'wa: the server answered with the status 502, and not as this API does\n']);
	for (const body of ['', 'x', '[]', '{}', '{"data":{}}', '{"data":[1]}', '{"data":[{"id":7}]}', '{"data":[{"id":"key_x","createdAt":"now"}]}', '{"data":[{"createdAt":-1}]}'])
		assert.deepEqual(await said((response) => response.end(body)), [1, 'wa: the server\'s answer is not one of this API\n'], body);
	assert.deepEqual(await said((response) => response.end('{"data":[],"nextCursor":"again"}'.padEnd(17 * 1024 * 1024))), [1, 'wa: no answer from the server: the answer is too large\n']);
	assert.deepEqual(await said((response) => response.socket.destroy()), [1, 'wa: no answer from the server: the connection was closed before the end of the answer\n']);

	/* the place that a redirect names gets nothing, least of all the token */
	const elsewhere = await impostor((response) => response.end('{"data":[]}'));

	for (const status of [301, 302, 303, 307, 308])
	{
		const { code, text, asked } = await ask((response) => response.writeHead(status, { Location: `${elsewhere.url}/api/v1/api-keys` }).end());

		assert.deepEqual([code, text], [1, 'wa: the server redirects, which is not followed: give the URL that it leads to as --url\n']);
		assert.deepEqual([asked.length, asked[0].url, asked[0].headers.authorization], [1, '/api/v1/api-keys?limit=50', `Bearer ${token}`]);
	}
	assert.equal(elsewhere.asked.length, 0);
});

test('a server is not trusted without a certificate for its name, nor without TLS but on this machine', async () =>
{
	const { json, env, token } = await shellOf(await createOrg(db, 'Certificates'));
	const folder = makePlace();
	const secure = await Gateway.start(cluster, { tls: makeCertificate(folder, 'localhost'), ready: false });
	const ca = path.join(folder, 'certificate.pem');
	const at = (url, ...args) => run(WA, ['key', 'list', '--json', '--url', url, ...args], { env });

	await until('it is ready', () => at(`https://localhost:${secure.port}`, '--ca-file', ca).code === 0);
	assert.deepEqual(JSON.parse(at(`https://localhost:${secure.port}`, '--ca-file', ca).stdout), json('key', 'list'));
	for (const [url, ...args] of [[`https://localhost:${secure.port}`], [`https://127.0.0.1:${secure.port}`, '--ca-file', ca]])
		assert.deepEqual(at(url, ...args), { code: 1, stdout: '', stderr: 'wa: no answer from the server: the certificate could not be verified\n' });
	assert.match(at(`https://localhost:${secure.port}`, '--ca-file', '/none').stderr, /^wa: no answer from the server: .*certificate/);
	for (const [url, words] of [['http://192.0.2.1', /must begin with https/], ['http://gateway.example', /must begin with https/], ['http://localhost.example', /must begin with https/],
		['http://127.0.0.1.example', /must begin with https/], ['http://127.1', /address/], [`https://${token}@localhost`, /a user does not belong into it/],
		['https://localhost/?x=1', /a query does not belong/], ['https://localhost/#x', /./], ['ftp://localhost', /./], ['file:///etc/passwd', /./], ['localhost', /./]])
	{
		const { code, stdout, stderr } = at(url);

		assert.deepEqual([code, stdout], [2, ''], url);
		assert.match(stderr, new RegExp(`^wa: --url cannot be used: .*${words.source}`), url);
	}
	assert.match(at(`http://127.0.0.1:${(await closedPort())}`).stderr, /^wa: no answer from the server: could not connect\n$/);
	assert.ok(!secure.log().includes(token.slice(4)));
});

/* A port at which nobody listens. */
async function closedPort()
{
	const server = http.createServer();

	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

	const { port } = server.address();

	await new Promise((resolve) => server.close(resolve));
	return port;
}

test('nothing of the environment leads the request elsewhere', async () =>
{
	const { env } = await shellOf(await createOrg(db, 'Proxies'));
	const proxy = await impostor((response) => response.end('{"data":[]}'));
	const more = Object.fromEntries(['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'all_proxy'].map((name) => [name, proxy.url]));

	assert.equal((await meanwhile(['key', 'list'], { ...env, ...more })).code, 0);
	assert.equal(proxy.asked.length, 0);
});

test('the token is in no argument, log or table, and a lost secret is named', async () =>
{
	const org = await createOrg(db, 'Hidden');
	const { env, json, token } = await shellOf(org);
	const hidden = token.slice(4);
	let seen = '';
	const { url } = await impostor((response, request) =>
	{
		/* while it waits for its answer */
		for (const entry of fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)))
			for (const file of ['cmdline', 'environ'])
				try { seen += fs.readFileSync(`/proc/${entry}/${file}`, 'latin1'); } catch { /* it has ended, or is closed to us */ }
		response.end('{"data":[]}');
	});

	assert.equal((await meanwhile(['key', 'list'], { ...env, WA_URL: url })).code, 0);
	assert.ok(seen.includes('key\0list'), 'the control: its arguments were seen');
	assert.ok(!seen.includes(hidden));
	json('key', 'list');
	for (const text of [gateway.log(), fs.readFileSync(path.join(cluster.place, 'postgresql.log'), 'utf8')])
		assert.ok(!text.includes(hidden));

	const { code, stderr } = run('bash', ['-c', 'exec "$0" key create lost read >/dev/full', WA], { env });
	const [lost] = json('key', 'list');

	assert.equal(code, 1);
	assert.match(stderr, new RegExp(`\nwa: the secret of ${lost.id} could not be written: revoke it\n$`));
});
