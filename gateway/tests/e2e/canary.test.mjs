/*
 * canary.test.mjs
 *		A credential appears in no log, view, file or answer.
 *
 * The server logs all that it can log: every statement with its parameters, plans,
 * durations, connections, errors with their parameters and context, in all its formats.
 * Credentials then pass through it in every way that there is, most of them with errors.
 * Behind each way all that the server has written or would show is searched for the random
 * parts of all credentials.
 *
 * One limit is documented: a credential that somebody types into a statement, in place of
 * a parameter, is part of that statement's text.  The log masks it even so, but
 * pg_stat_activity shows a session's last statement as it is, and pg_stat_statements keeps
 * comments and utility statements as they are.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, test } from 'node:test';
import { GATEWAY_LOGIN, WORKER_LOGIN, prepareCluster } from './harness/cluster.mjs';
import { Connection } from './harness/http.mjs';
import { LOGS, Leaks } from './harness/leaks.mjs';
import { makePlace, postgresProgram, run, until } from './harness/processes.mjs';
import { statementText } from './harness/statements.mjs';
import { Gateway, Sandbox, Worker } from './harness/programs.mjs';
import { Browser } from './harness/people.mjs';
import { Receiver } from './harness/receiver.mjs';
import { Socket } from './harness/socket.mjs';
import { createKey, createPerson, createTenant } from './harness/tenants.mjs';
import { message } from './harness/wire.mjs';

const SETTINGS = [
	"shared_preload_libraries = 'wa_apikeys, auto_explain, pg_stat_statements'",
	'logging_collector = on',
	"log_destination = 'stderr, csvlog, jsonlog'",
	"log_directory = 'log'",
	"log_filename = 'server.log'",
	'log_min_messages = debug1',
	'log_min_error_statement = debug1',
	'log_error_verbosity = verbose',
	'log_statement = all',
	'log_min_duration_statement = 0',
	'log_duration = on',
	'log_connections = on',
	'log_disconnections = on',
	'log_parameter_max_length = -1',
	'log_parameter_max_length_on_error = -1',
	'auto_explain.log_min_duration = 0',
	'auto_explain.log_nested_statements = on',
	'auto_explain.log_verbose = on',
	'auto_explain.log_parameter_max_length = -1',
	'pg_stat_statements.track = all',
	'track_activity_query_size = 16kB',
	"wa.allowed_targets = '127.0.0.0/8'",
];

let cluster, db, tenant, gateway, leaks;

async function newKey(permissions)
{
	const key = await createKey(db, tenant.org, permissions);

	leaks.remember(key.secret);
	return key;
}

/* A key that nobody has. */
async function unknownKey()
{
	return leaks.remember(await db.value("SELECT secret FROM wa.make_secret('api_key')"));
}

/* A key with one character changed, which the checksum finds. */
function damage(secret, at = secret.length - 1)
{
	return leaks.remember(secret.slice(0, at) + (secret[at] === '0' ? '1' : '0') + secret.slice(at + 1));
}

before(async () =>
{
	cluster = prepareCluster();
	cluster.configure(SETTINGS);
	cluster.stop();
	cluster.start();
	db = await cluster.open('wa');
	await db.sql('CREATE EXTENSION pg_stat_statements');
	await db.sql('CREATE ROLE app LOGIN IN ROLE wa_app');
	tenant = await createTenant(db, 'Acme');
	gateway = await Gateway.start(cluster, { args: ['--log-level', 'debug', '--media-dir', makePlace()] });
	leaks = new Leaks(cluster, db, [gateway, await Sandbox.start(cluster, { args: ['--log-level', 'debug'] })]);
	leaks.remember(tenant.key.secret);
});

/* A request to the gateway, whose answer is searched as well. */
async function ask(method, target, options)
{
	const answer = await gateway.client.request(method, target, options);

	leaks.note(answer.lines.join('\n'), answer.text);
	return answer;
}

/* A statement by the extended protocol; all that the server says is searched as well. */
async function execute(wire, sql, list)
{
	const got = await wire.execute(sql, list);

	leaks.note(JSON.stringify(got));
	return got;
}

function psql(...statements)
{
	for (const sql of statements)
		run(postgresProgram('psql'), ['-X', '-d', 'wa'], { input: sql, env: cluster.environment('wa', 'app') });
}

/* Runs something while the server has these settings, and waits until a session has them. */
async function withSettings(wire, settings, something)
{
	const current = async () => Object.fromEntries((await wire.sql('SELECT name, setting FROM pg_settings')).map((row) => [row.name, row.setting]));
	const before = await current();
	const reached = (wanted) => until('the settings are in force', async () =>
	{
		const now = await current();

		return Object.keys(settings).every((name) => now[name] === String(wanted[name]));
	});

	for (const [name, value] of Object.entries(settings))
		await db.sql(`ALTER SYSTEM SET ${name} = '${value}'`);
	await db.sql('SELECT pg_reload_conf()');
	await reached(settings);
	await something();
	for (const name of Object.keys(settings))
		await db.sql(`ALTER SYSTEM RESET ${name}`);
	await db.sql('SELECT pg_reload_conf()');
	await reached(before);
}

/* ---- the ways ---- */

test('the search finds what does leak', async () =>
{
	const bait = leaks.remember(await db.value("SELECT secret FROM wa.make_secret('ticket')"));

	/* without its prefix it is no credential to anybody */
	await db.sql(`SELECT 'bait', '${bait.slice(3)}', '\\x${Buffer.from(bait).toString('hex')}'::bytea`);
	assert.deepEqual((await leaks.find()).map((place) => place.split(':')[0]), [...LOGS, 'server.log, its lines joined']);
	leaks.forget(bait);
});

test('by the gateway: accepted, refused, malformed, and with errors behind the authentication', async () =>
{
	const good = await newKey();
	const readOnly = await newKey(['read']);
	const revoked = await newKey();
	const unknown = await unknownKey();
	const imported = leaks.remember('wa_imported-from-elsewhere-0123456789abcdef');
	const damaged = damage(good.secret, 30);

	await db.sql('SELECT wa.revoke_key($1::uuid)', [revoked.uuid]);
	for (const secret of [good.secret, readOnly.secret, revoked.secret, unknown, imported, damaged])
	{
		for (const options of [{ key: secret }, { bearer: secret }, { bearer: `${secret} ` }, { headers: { Authorization: secret } }])
		{
			await ask('GET', '/api/v1/me', options);
			await ask('GET', '/api/v1/sessions', options);
			await ask('POST', '/api/v1/sessions', { ...options, json: { label: 'x', start: false } });
			await ask('POST', '/api/v1/sessions', { ...options, json: { label: '' } });
			await ask('GET', '/api/v1/sessions?cursor=x', options);
			await ask('GET', '/api/v1/nowhere', options);
		}
	}
	await leaks.assertNone(['wa.authenticate($1, $2, $3, $4)', 'permission', 'plan:', "parameters: $1 = 'wa_"]);
});

test('by the gateway: in URLs, in both headers, in the wrong headers, in broken requests', async () =>
{
	const { secret } = await newKey();

	for (const name of ['api_key', 'token', 'access_token', 'key', 'x-api-key', 'anything'])
		await ask('GET', `/api/v1/sessions?${name}=${secret}`);
	await ask('GET', `/api/v1/sessions?cursor=${secret}`, { key: secret });
	await ask('GET', `/api/v1/sessions?${secret}`);
	await ask('GET', `/api/v1/sessions/${secret}`, { key: secret });
	await ask('GET', `/api/v1/sessions/${secret}`);
	await ask('GET', `/${secret}`);
	await ask('GET', `/${secret.replace('_', '%5F')}`);
	await ask('GET', '/api/v1/me', { key: secret, bearer: secret });
	await ask('GET', '/api/v1/me', { headers: { 'X-Api-Token': secret, Cookie: `key=${secret}`, Referer: `http://x/?api_key=${secret}` } });
	await ask('GET', '/api/v1/me', { headers: { 'X-Request-Id': `req ${secret}` } });

	/* what comes back to the one who sent it is no leak, but the logs are searched */
	await gateway.client.request('GET', '/api/v1/me', { headers: { 'X-Request-Id': secret } });
	await gateway.client.post('/api/v1/sessions', secret, { [secret]: secret });
	await gateway.client.post('/api/v1/sessions/sess_x/messages', secret, { type: secret, to: secret });

	for (const bytes of [
		`GET /api/v1/me HTTP/1.1\r\nHost: x\r\nx-api-key : ${secret}\r\n\r\n`,
		`GET /api/v1/me HTTP/1.1\r\nx-api-key: ${secret}\r\n\r\n`,
		`GET ${secret} HTTP/1.1\r\nHost: x\r\n\r\n`,
		`${secret} / HTTP/1.1\r\nHost: x\r\n\r\n`,
		`GET / HTTP/1.1\r\nHost: ${secret}:x\r\n\r\n`,
		`POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nx-api-key: ${secret}\r\nContent-Length: 5\r\nContent-Type: application/json\r\n\r\n{"a":`,
	])
	{
		const connection = await Connection.open(gateway.port);

		connection.send(bytes);
		leaks.note((await connection.answer())?.text ?? '');
		connection.close();
	}
	await leaks.assertNone([]);
});

test('as a text parameter of a client of its own, with errors in the same transaction', async () =>
{
	const app = await cluster.open('wa', 'app');
	const good = (await newKey()).secret;
	const second = (await newKey()).secret;
	const readOnly = (await newKey(['read'])).secret;
	const unknown = await unknownKey();
	const damaged = damage(good);
	const bind = 'SELECT wa.authenticate($1)';
	const codeOf = async (sql, list) => (await execute(app, sql, list)).error?.code;

	assert.equal(await codeOf(bind, [good]), undefined);
	assert.equal(await codeOf(bind, [Buffer.from(good)]), undefined);
	assert.equal(await codeOf(bind, [unknown]), '28000');
	assert.equal(await codeOf(bind, [damaged]), '22P02');
	assert.equal(await codeOf(bind, [Buffer.from(damaged)]), '22P02');
	assert.equal(await codeOf("SELECT wa.authenticate($1, 'send')", [readOnly]), '42501');
	assert.equal(await codeOf('SELECT wa.authenticate($1), 1 / $2::integer', [good, '0']), '22012');
	assert.equal(await codeOf('SELECT wa.authenticate($1), $2::text::integer', [good, second]), '22P02');
	assert.equal(await codeOf('SELECT $1::text::integer', [good]), '22P02');
	assert.equal(await codeOf('SELECT $1::integer', [good]), '22P02');
	assert.equal(await codeOf('SELECT $1::uuid', [Buffer.from(good)]), '22P03');
	assert.equal(await codeOf('SELECT wa.authenticate($1) FROM wa.nothing', [good]), '42P01');
	assert.equal(await codeOf('SELECT $1::wa.secret', [good]), undefined);
	assert.equal(await codeOf('SELECT ($1::wa.secret)::text', [good]), undefined);
	assert.equal(await codeOf("SELECT wa.authenticate(($1::text || '')::wa.secret)", [good]), undefined);

	for (const failing of ['SELECT 1 / 0', "SELECT 'x'::integer", 'SELECT count(*) FROM wa.api_key', 'SELECT nothing',
		'SELECT * FROM wa.message WHERE body = 1', "DO $$ BEGIN PERFORM 1 / 0; END $$", bind])
	{
		await app.sql('BEGIN');
		assert.equal(await codeOf(bind, [good]), undefined);
		assert.notEqual(await codeOf(failing, failing === bind ? [second] : []), undefined, failing);
		await codeOf(bind, [good]);
		await app.sql('ROLLBACK');
	}

	/* a named statement and portal, whose parameters the server describes in its context */
	leaks.note(JSON.stringify(await app.exchange(
		message.parse('bind', 'SELECT wa.authenticate($1), 1 / $2::integer'), message.bind('bind', [good, '0'], 'portal'),
		message.execute('portal'), message.sync())));
	await app.close();
	await leaks.assertNone(['division by zero', 'invalid credential', 'permission', "parameters: $1 = 'wa_"]);
});

test('as a parameter of which the server quotes only the beginning', async () =>
{
	const app = await cluster.open('wa', 'app');
	const { secret } = await newKey();

	for (const length of [10, 16, 20, 24, 30, 48])
		await withSettings(app, { log_parameter_max_length_on_error: length, log_parameter_max_length: length }, async () =>
		{
			await execute(app, 'SELECT wa.authenticate($1), 1 / $2::integer', [secret, '0']);
			await execute(app, 'SELECT $1::integer', [secret]);
			await execute(app, 'SELECT $1::text, $2::text, 1 / $3::integer', [`  ${secret}`, `Bearer ${secret}`, '0']);
		});
	await app.close();
	await leaks.assertNone(['division by zero']);
});

test('in the trees that debug_print_parse and its siblings write', async () =>
{
	const app = await cluster.open('wa', 'app');
	const { secret } = await newKey();

	await withSettings(app, { debug_print_parse: 'on', debug_print_rewritten: 'on', debug_print_plan: 'on' }, async () =>
	{
		assert.equal((await execute(app, 'SELECT wa.authenticate($1)', [secret])).error, null);
		assert.equal((await execute(app, `SELECT wa.authenticate('${secret}')`, [])).error, null);
		assert.equal((await execute(app, `SELECT '${secret}'::wa.secret`, [])).error, null);
		assert.equal((await ask('GET', '/api/v1/me', { key: secret })).status, 200);
		assert.equal((await ask('POST', '/api/v1/sessions', { key: secret, json: { start: false } })).status, 201);
	});
	await app.close();
	await leaks.assertNone(['parse tree:', 'rewritten parse tree:', 'constvalue']);
});

test('as a literal that somebody types, right or wrong', async () =>
{
	const { secret } = await newKey();
	const readOnly = (await newKey(['read'])).secret;
	const unknown = await unknownKey();
	const damaged = damage(secret);

	psql(
		`SELECT wa.authenticate('${secret}')`,
		`SELECT wa.authenticate('${unknown}')`,
		`SELECT wa.authenticate('${damaged}')`,
		`SELECT wa.authenticate('${readOnly}', 'send')`,
		`BEGIN; SELECT wa.authenticate('${secret}'); SELECT 1 / 0; COMMIT`,
		`BEGIN; SELECT wa.authenticate('${secret}'); SELECT * FROM wa.session; SELECT nothing; COMMIT`,
		`SELECT wa.authenticate('${secret}'), 1 / 0`,
		`SELECT wa.authenticate(${secret})`,
		`SELECT wa.authenticate("${secret}")`,
		`SELECT ${secret}`,
		`SELECT wa.authenticate('${secret}`,
		`SELECT '${secret}'::integer`,
		`SELECT '${secret}'::wa.permissions`,
		`SELECT 'x=${secret}&y', 'Bearer ${secret}', '{"key":"${secret}"}', ' ${secret}.'`,
		`SELECT * FROM wa.session WHERE label = '${secret}'`,
		`WITH k AS (SELECT '${secret}'::wa.secret AS s) SELECT wa.authenticate(s) FROM k`,
		`\\echo ${secret}\n\\set key ${secret}\nSELECT wa.authenticate(:'key')`,
	);
	await leaks.assertNone(['authenticate', 'division by zero', 'invalid credential']);
});

test('as a literal that stands behind a letter or a digit', async () =>
{
	const { secret } = await newKey();

	psql(`SELECT E'\\n${secret}'`, `SELECT E'a\\t${secret}', 1 / 0`, `SELECT 'Bearer%20${secret}'`, `SELECT 'key${secret}'::integer`);
	await leaks.assertNone(['division by zero']);
});

test('as a literal in comments and utility statements: the log masks it', async () =>
{
	const { secret } = await newKey();
	const damaged = damage(secret);

	psql(
		`SELECT 1 -- ${secret}`,
		`PREPARE p AS SELECT wa.authenticate($1); EXECUTE p('${secret}'); EXECUTE p('${damaged}')`,
		`PREPARE q AS SELECT wa.authenticate('${secret}'); EXECUTE q`,
		`DO $$ BEGIN PERFORM wa.authenticate('${secret}'); PERFORM 1 / 0; END $$`,
		`DO $$ BEGIN EXECUTE 'SELECT wa.authenticate(''${secret}''), 1 / 0'; END $$`,
		`DO $$ BEGIN RAISE EXCEPTION 'key is %', '${secret}'; END $$`,
		`DO $$ BEGIN RAISE WARNING 'key is %', '${secret}' USING DETAIL = 'Bearer ${secret}', HINT = 'x=${secret}'; END $$`,
		`SET work_mem = '${secret}'`,
		`EXPLAIN (VERBOSE) SELECT wa.authenticate('${secret}')`,
		`DECLARE c CURSOR WITH HOLD FOR SELECT wa.authenticate('${secret}'), 1 / 0`,
		`COPY (SELECT '${secret}') TO STDOUT`,
	);
	await leaks.assertNone(['EXECUTE', 'key is wa_'], { without: ['pg_stat_statements'] });
	await db.sql('SELECT pg_stat_statements_reset()');
});

/*
 * What is refused is logged, whatever stands in it: nobody keeps it out of the log by a text
 * that looks like a credential, is refused as one, or is taken for a password (P52).
 */
test('a refused statement is in every log, with its secrets masked', async () =>
{
	const { secret } = await newKey();
	const invented = leaks.remember(`wa_${'aB3'.repeat(15)}`);
	const sealed = await cluster.open('wa', GATEWAY_LOGIN);
	const logged = async (mark) =>
	{
		const logs = Object.entries(await leaks.logs());

		assert.deepEqual(leaks.search(logs), []);
		assert.doesNotMatch(logs[0][1].toString('latin1'), /STATEMENT:[^\n]*hunter/);
		return logs.filter(([, log]) => log.includes(mark)).map(([name]) => name);
	};

	for (const [i, hider] of [`/* ${secret} */ 1`, `1 -- ${invented}\n`, `'${secret}'`, "'wa_nonsense'::wa.secret", "'correct horse battery'::wa.password",
		"repeat('x', 2000)::wa.password", `'a', '${invented}'::wa.secret`].entries())
	{
		const mark = `attack_number_${'abcdefgh'[i]}`;
		const text = `SELECT ${hider}, relname AS ${mark} FROM pg_class`;

		assert.notEqual((await sealed.exchange(message.query(text))).error, null);
		assert.deepEqual(await logged(mark), LOGS, text);
		assert.notEqual((await execute(sealed, text.replace(mark, `${mark}_parsed`), [])).error, null);
		assert.deepEqual(await logged(`${mark}_parsed`), LOGS, text);
	}

	/* beyond what is shown of a statement; the cut goes through a credential */
	for (const before of [20, 30, 40, 50])
	{
		const head = 'SELECT relname AS attack_number_y, ';
		const text = `${head}'${' '.repeat(1024 * 1024 - head.length - before)}${secret}'`;

		assert.notEqual((await sealed.exchange(message.query(text))).error, null);
		assert.deepEqual(await logged('attack_number_y'), LOGS);
	}
	await sealed.close();

	/* others' statements: up to the first literal, behind which the password may be */
	const app = await cluster.open('wa', 'app');
	const password = 'hunter two and a half';

	for (const text of [`SELECT NULL AS attack_number_x, '${password}'::wa.password, 1 / 0`, `SELECT NULL AS attack_number_x, 'wa_nonsense'::wa.secret`])
	{
		assert.notEqual((await app.exchange(message.query(text))).error, null);
		assert.deepEqual(await logged('SELECT NULL AS attack_number_x, ...'), LOGS, text);
	}
	await app.close();
	await leaks.assertNone([], { without: ['pg_stat_activity', 'pg_stat_statements'] });
	await db.sql('SELECT pg_stat_statements_reset()');
});

test('the documented limit: a literal is in its session\'s pg_stat_activity, and in nothing else', async () =>
{
	const app = await cluster.open('wa', 'app');
	const { secret } = await newKey();
	const shown = "SELECT query FROM pg_stat_activity WHERE usename = 'app' AND query LIKE '%authenticate%'";

	await app.sql('SELECT wa.authenticate($1)', [secret]);
	assert.equal(await db.value(shown), 'SELECT wa.authenticate($1)');
	await app.sql(`SELECT wa.authenticate('${secret}')`);
	assert.equal(await db.value(shown), `SELECT wa.authenticate('${secret}')`);

	/* nobody is shown it but that role itself and those who may see everything */
	await db.sql('CREATE ROLE stranger LOGIN IN ROLE wa_app');

	const stranger = await cluster.open('wa', 'stranger');

	assert.ok(!JSON.stringify(await stranger.sql('SELECT query FROM pg_stat_activity')).includes(secret));
	await leaks.assertNone([], { without: ['pg_stat_activity'] });
	await app.sql('SELECT 1');
	await leaks.assertNone([]);
});

test('by making keys: neither log nor tables hold the secret', async () =>
{
	const [made] = await db.sql("SELECT * FROM wa.create_key($1, 'made', '{read}')", [tenant.org.uuid]);
	const [rotated] = await db.sql("SELECT * FROM wa.rotate_key($1, '1 day')", [made.id]);

	const moved = leaks.remember('wa_moved-here-from-another-system-0123456789');

	leaks.remember(made.secret);
	leaks.remember(rotated.secret);
	await db.sql("SELECT wa.import_key($1, 'moved', wa.hash_key($2), '{read}')", [tenant.org.uuid, moved]);
	assert.equal((await ask('GET', '/api/v1/me', { key: rotated.secret })).status, 200);
	assert.equal((await ask('GET', '/api/v1/me', { key: moved })).status, 200);
	await leaks.assertNone(['wa.hash_key', 'wa.create_key', 'wa.rotate_key']);
});

/* A value for a parameter that is no secret. */
function otherValue(type)
{
	const values = { uuid: tenant.org.uuid, 'wa.org_id': tenant.org.uuid, text: 'x', inet: '192.0.2.1', 'wa.permissions': '{read}', 'wa.permission': 'read' };

	if (type.endsWith('[]'))
		return '{}';
	return values[type] ?? null;
}

test('by every function that takes a credential, a password or a key as text', async () =>
{
	const functions = await db.sql(`
		SELECT p.proname AS name, p.proargtypes::regtype[]::text[] AS types
		FROM pg_proc p WHERE p.pronamespace = 'wa'::regnamespace AND p.proname NOT IN ('secret_out', 'secret_send', 'password_out', 'password_send')
			AND (p.proargtypes::regtype[] && '{wa.secret,wa.secret[],wa.password}' OR p.proname IN ('find_key', 'hash_key', 'report_leaks'))
		ORDER BY 1`);
	const { secret } = await newKey();
	const damaged = damage(secret);
	const password = leaks.remember('pw_a password that nobody else has chosen');

	for (const { name, types } of functions)
	{
		const list = types.slice(1, -1).split(',').map((type) => type.replaceAll('"', ''));
		const call = `wa.${name}(${list.map((type, i) => `$${i + 1}::${type}`)})`;

		for (const credential of [secret, damaged, await unknownKey()])
		{
			const values = list.map((type) =>
			{
				if (type === 'wa.secret')
					return credential;
				if (type === 'wa.secret[]')
					return `{${credential}}`;
				if (type === 'wa.leak_report')
					return JSON.stringify([{ token: credential, type: 'key' }]);
				return type === 'wa.password' ? password : otherValue(type);
			});

			if (!list.some((type) => /^wa\.(secret|password|leak_report)/.test(type)))
				values[list.indexOf('text')] = credential;
			await execute(db, `SELECT * FROM ${call}`, values);
			await execute(db, `SELECT 1 / (SELECT count(*) - count(*) FROM ${call})`, values);
		}
	}
	assert.ok(functions.length > 20, `${functions.length} functions`);
	await leaks.assertNone(functions.map(({ name }) => `wa.${name}($1`));
});

test('by tickets, uploads and reports of leaked keys', async () =>
{
	const { secret } = await newKey();
	const unknown = await unknownKey();
	const ticket = leaks.remember((await gateway.client.post('/api/v1/realtime/ticket', secret, {})).json.ticket);

	await ask('GET', `/api/v1/realtime?ticket=${ticket}`);
	await (await Socket.open(gateway, { ticket })).close();
	await ask('GET', '/api/v1/realtime', { key: unknown });
	for (const key of [secret, unknown])
	{
		await ask('POST', '/api/v1/media', { key, body: 'text', headers: { 'Content-Type': 'text/plain' } });
		await ask('POST', '/api/v1/media', { key, body: 'text', headers: { 'Content-Type': secret } });
		await ask('POST', '/api/v1/media', { key, body: 'text', headers: { 'Content-Disposition': `attachment; filename="${secret}` } });
		for (const media of [{ data: 'AAEC' }, { data: 'AAEC', mimetype: secret }, { data: 'AAEC', [secret]: 'x' }])
			await ask('POST', `/api/v1/sessions/${tenant.session.id}/messages`, { key, json: { type: 'document', to: '15551234567', media } });
		await ask('GET', '/api/v1/media/med_x', { key, headers: { Range: secret, 'If-None-Match': `"${unknown}"` } });
		await ask('POST', '/api/v1/secret-scanning', { body: JSON.stringify([{ token: key, type: 'key' }]), headers: { 'Content-Type': 'application/json',
			'Github-Public-Key-Identifier': 'first', 'Github-Public-Key-Signature': 'MEUCIQD=' } });
	}
	await leaks.assertNone(['wa.report_leaks($1', 'wa.redeem_ticket($1']);
});

test('by signing in: neither password nor cookie, token or invitation', async () =>
{
	/* 20 random characters stand for a password; the mask of a credential shows none of them */
	const word = (name) => leaks.remember(`pw_${name}${Buffer.from(name.repeat(9)).toString('base64').slice(0, 32)}`);
	const old = word('first');
	const person = { ...await createPerson(db, { org: tenant.org }), password: old };
	const browser = new Browser(gateway.client);
	const call = async (method, path, json, headers) =>
	{
		const answer = await browser.call(method, path, json, headers);

		leaks.note(...answer.status < 300 ? [] : [answer.lines.join('\n'), answer.text]);
		return answer;
	};
	const statusOf = async (...request) => (await call(...request)).status;

	await db.execute('UPDATE wa.app_user u SET password_hash = wa.hash_password($1) WHERE u.id = $2', [old, person.uuid]);
	assert.equal(await statusOf('POST', '/auth/sign-in', { email: person.email, password: word('wrong') }), 401);
	assert.equal(await statusOf('POST', '/auth/sign-in', { email: 'nobody@example.com', password: word('nobody') }), 401);
	assert.equal(await statusOf('POST', '/auth/sign-in', { email: person.email, password: old, more: word('more') }), 400);
	assert.equal((await browser.signIn(person)).status, 200);
	leaks.remember(browser.cookie.value);

	const bearer = leaks.remember(await browser.token());

	await call('POST', '/auth/sign-in', { email: person.email, password: old }, { Origin: 'http://evil.example' });
	assert.equal(await statusOf('POST', '/auth/password', { oldPassword: word('not this'), newPassword: word('new') }), 400);
	assert.equal(await statusOf('POST', '/auth/password', { oldPassword: old, newPassword: 'short' }), 400);
	assert.equal(await statusOf('POST', '/auth/password', { oldPassword: old, newPassword: word('second') }), 204);
	await ask('GET', `/auth/me?token=${browser.cookie.value}`);
	await ask('GET', `/auth/${browser.cookie.value}`);
	await ask('GET', '/api/v1/me', { bearer });
	await ask('GET', '/api/v1/me', { bearer: browser.cookie.value });

	const invited = await gateway.client.post('/api/v1/invitations', bearer, { email: 'invited@example.com', role: 'member' });
	const invitation = leaks.remember(invited.json.invitation);

	assert.equal(await statusOf('POST', '/auth/invitation', { invitation }), 200);
	assert.equal(await statusOf('POST', '/auth/invitation/accept', { invitation, name: 'I', password: 'short' }), 400);
	assert.equal(await statusOf('POST', '/auth/invitation/accept', { invitation, name: '', password: word('third') }), 400);
	assert.equal(await statusOf('POST', '/auth/invitation/accept', { invitation, name: 'I', password: word('third') }), 200);

	const made = await gateway.client.post('/api/v1/api-keys', bearer, { name: 'by hand', permissions: ['read'] });

	leaks.remember(made.json.key);
	await ask('GET', '/api/v1/api-keys', { bearer });
	await ask('GET', '/api/v1/audit', { bearer });
	assert.equal(await statusOf('POST', '/auth/sign-out'), 204);
	await leaks.assertNone(['wa.sign_in($1', 'wa.change_password($1', 'wa.accept_invitation($1', 'email or password is wrong']);
});

test('by giving a session its credentials, taken or refused', async () =>
{
	const target = `/api/v1/sessions/${tenant.session.id}/credentials`;
	const word = () => leaks.remember(randomBytes(30).toString('hex'));
	const credentials = (more) => ({ phoneNumberId: '106540352242922', wabaId: '2', appId: '3', accessToken: word(), appSecret: word(), verifyToken: word(), ...more });
	const give = (json) => ask('PUT', target, { key: tenant.key.secret, json });

	assert.equal((await give(credentials())).status, 409);
	await db.sql("SELECT wa.add_connector_key(c, set_byte(sha256('key'), 31, 0)) FROM unnest('{sandbox,none}'::text[]) c");
	assert.equal((await give(credentials())).status, 200);
	assert.equal((await give(credentials({ appId: 'x' }))).status, 400);
	assert.equal((await ask('POST', '/api/v1/sessions', { key: tenant.key.secret, json: { start: false, credentials: credentials() } })).status, 201);
	assert.equal((await ask('GET', target, { key: tenant.key.secret })).status, 200);
	await leaks.assertNone(['106540352242922']);
});

/* Signing needs the secret of a webhook, so that the server's files hold it; nothing else does. */
test('by delivering webhooks: the worker gets signatures and no secret', async () =>
{
	const receiver = await Receiver.start();
	const worker = await Worker.start(cluster, { args: ['--log-level', 'debug'] });
	const made = await gateway.client.post('/api/v1/webhooks', tenant.key.secret, { url: receiver.url });
	const secrets = [leaks.remember(made.json.secret)];
	const emit = () => db.sql("SELECT wa.emit($1, 'presence.update', NULL, '{}')", [tenant.org.uuid]);
	const rotate = async () =>
	{
		const rotated = await gateway.client.post(`/api/v1/webhooks/${made.json.id}/secret`, tenant.key.secret, {});

		secrets.push(leaks.remember(rotated.json.secret));
	};

	leaks.programs.push(worker);
	await emit();
	await rotate();
	await emit();
	await ask('POST', `/api/v1/webhooks/${made.json.id}/test`, { key: tenant.key.secret });
	await until('all three have come', () => receiver.requests.length === 3);
	for (const target of ['', `/${made.json.id}`, `/${made.json.id}/deliveries`])
		await ask('GET', `/api/v1/webhooks${target}`, { key: tenant.key.secret });
	leaks.note(...receiver.requests.map(({ headers, body }) => JSON.stringify(headers) + body));
	await worker.stop();
	await emit();

	/* and to whoever has the worker's login, by all that tells of a webhook */
	const thief = await cluster.open('wa', WORKER_LOGIN);
	const [hook] = await db.sql('SELECT id FROM wa.webhook WHERE org_id = $1', [tenant.org.uuid]);
	const run = (name, list) => [
		message.parse('', statementText(name, 'worker')),
		message.bind('', list), message.describe('P', ''), message.execute()];
	const got = [
		await thief.exchange(...run('claim_webhooks', ['thief', 10, 60000]), message.sync()),
		await thief.exchange(...run('act_for', [tenant.org.uuid, 0]), ...run('deliveries_take', ['thief', hook.id, 10, null]), message.sync()),
	];

	assert.deepEqual(got.map(({ errors, rows }) => [errors, rows.length]), [[[], 1], [[], 2]]);
	leaks.note(JSON.stringify(got));
	await leaks.assertNone(['wa.take_deliveries($1', 'wa.lane_target($1']);
	secrets.forEach((secret) => leaks.forget(secret));
});

/* Tables, indexes, the write-ahead log, statistics: whatever the server keeps. */
test('in no file of the server', async () =>
{
	await db.sql('CHECKPOINT');
	assert.deepEqual(leaks.findInFiles(), []);
});
