/*
 * sealed.test.mjs
 *		Whoever holds the gateway's login can run registered statements and nothing else,
 *		whatever bytes he sends.
 *
 * Each attack is made twice: as the sealed login, which is refused, and as a login of
 * wa_app, which is not sealed, to show that the attack works where nothing stops it.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { GATEWAY_LOGIN, SANDBOX_LOGIN, prepareCluster } from './harness/cluster.mjs';
import { emit } from './harness/socket.mjs';
import { statementText as statement } from './harness/statements.mjs';
import { createKey, createSession, createTenant } from './harness/tenants.mjs';
import { message } from './harness/wire.mjs';

const APP = 'app';
const REFUSED = '42501';

let cluster, db, ours, theirs;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	await db.sql(`CREATE ROLE ${APP} LOGIN IN ROLE wa_app`);
	await db.sql('GRANT TEMPORARY ON DATABASE wa TO PUBLIC');		/* for the controls */
	ours = await createTenant(db, 'Ours');
	theirs = await createTenant(db, 'Theirs');
});

/* authenticate and then a statement, as one request of the gateway. */
function request(secret, needs, text, list = [])
{
	return [
		message.parse('', statement('authenticate')), message.bind('', [secret, needs, null, '1']), message.execute(),
		message.parse('', text), message.bind('', list), message.describe('P', ''), message.execute(), message.sync(),
	];
}

async function oidOf(signature)
{
	return Number(await db.value('SELECT $1::text::regprocedure::oid', [signature]));
}

/* ---- what is allowed ---- */

test('the registered statements run, with a key, and show that organization\'s rows', async () =>
{
	const gateway = await cluster.open('wa', GATEWAY_LOGIN);
	const got = await gateway.exchange(...request(ours.key.secret, 'read', statement('session_list'), [null, null, '50']));

	assert.equal(got.error, null);
	assert.deepEqual(got.rows.filter((row) => row.org_id).map((row) => row.id), [ours.session.uuid]);
	await gateway.close();
});

test('no transaction is begun or ended by a statement', async () =>
{
	const gateway = await cluster.open('wa', GATEWAY_LOGIN);

	for (const sql of ['BEGIN', 'START TRANSACTION', 'BEGIN ISOLATION LEVEL SERIALIZABLE', 'BEGIN READ ONLY', 'COMMIT', 'END', 'ROLLBACK',
		'ABORT', 'COMMIT AND CHAIN', 'SAVEPOINT a', "PREPARE TRANSACTION 'a'", 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ'])
	{
		for (const got of [await gateway.exchange(message.query(sql)), await gateway.execute(sql),
			await gateway.exchange(message.parse('b', sql), message.bind('b'), message.execute(), message.sync())])
		{
			assert.equal(got.error?.code, REFUSED, sql);
			assert.equal(got.status, 'I', sql);
		}
	}
	await gateway.close();
});

/* ---- any other text ---- */

const TEXTS = [
	'SELECT 1',
	'SELECT * FROM wa.session',
	"SELECT set_config('wa.org', 'x', true)",
	"SET work_mem = '1GB'",
	"SET LOCAL client_min_messages = 'log'",
	'RESET ALL',
	'SHOW work_mem',
	'EXPLAIN SELECT 1',
	'EXPLAIN (ANALYZE) SELECT * FROM wa.message',
	'PREPARE me AS SELECT 1',
	'DEALLOCATE ALL',
	'DISCARD ALL',
	'CREATE TEMPORARY TABLE session (id uuid)',
	'BEGIN; DECLARE c CURSOR FOR SELECT 1; COMMIT',
	'DECLARE c CURSOR WITH HOLD FOR SELECT 1',
	'LISTEN anything',
	'NOTIFY anything',
	'UNLISTEN *',
	'SELECT pg_advisory_lock(1)',
	'SELECT pg_notify(\'a\', \'b\')',
	'DO $$ BEGIN PERFORM 1; END $$',
	'COPY (SELECT 1) TO STDOUT',
	'SELECT query FROM pg_stat_activity',
	'SELECT pg_cancel_backend(pg_backend_pid())',
	'SELECT relname, n_tup_ins FROM pg_stat_user_tables',
	'SELECT pg_current_wal_lsn()',
	'SELECT lo_create(0)',
	'BEGIN; LOCK TABLE wa.session IN ACCESS SHARE MODE; COMMIT',
	'SET ROLE wa_app',
	'ALTER ROLE CURRENT_USER SET work_mem = 64',
	'VALUES (1)',
	'TABLE wa.session',
	'SELECT 1; SELECT 2',
];

/* Some are errors to an unsealed role too, but none of them is one of the seal. */
for (const text of TEXTS)
{
	test(`refused: ${text}`, async () =>
	{
		const gateway = await cluster.open('wa', GATEWAY_LOGIN);
		const connector = await cluster.open('wa', SANDBOX_LOGIN);
		const app = await cluster.open('wa', APP);

		for (const sealed of [gateway, connector])
		{
			const bySimple = await sealed.exchange(message.query(text));

			await sealed.exchange(message.query('ROLLBACK'));
			assert.equal(bySimple.error?.code, REFUSED);
			assert.match(bySimple.error.text, /not registered/);
			assert.deepEqual(bySimple.rows, []);
			if (!text.includes(';'))
			{
				assert.match((await sealed.execute(text)).error.text, /not registered/);
				assert.match((await sealed.exchange(message.parse('s', text), message.sync())).error.text, /not registered/);
			}
		}
		assert.doesNotMatch((await app.exchange(message.query(text))).error?.text ?? '', /not registered/);
		await Promise.all([gateway.close(), connector.close(), app.close()]);
	});
}

test('a registered text must be sent to the byte', async () =>
{
	const gateway = await cluster.open('wa', GATEWAY_LOGIN);
	const text = statement('me');

	for (const [name, changed] of Object.entries({
		'a space more': `${text} `, 'a semicolon more': `${text};`, 'a comment more': `${text} -- x`, 'upper case': text.toUpperCase(),
		'a second statement': `${text}; SELECT 1`, 'the same twice': `${text};${text}`, 'a statement before': `BEGIN; ${text}`,
		'a space in front': ` ${text}`, 'a union': `${text} UNION ALL ${text}`,
		'explained': `EXPLAIN ${text}`, 'prepared': `PREPARE p AS ${text}`, 'copied': `COPY (${text}) TO STDOUT`,
		'in a cursor': `DECLARE c CURSOR FOR ${text}`, 'a connector\'s': statement('act_for', 'connector').replace('$1', `'${theirs.org.uuid}'`).replace('$2::int8', '1'),
	}))
	{
		const got = await gateway.exchange(message.query(changed));

		await gateway.exchange(message.query('ROLLBACK'));
		assert.equal(got.error?.code, REFUSED, name);
		assert.deepEqual(got.rows, [], name);
	}
	assert.equal((await gateway.exchange(...request(ours.key.secret, null, text))).error, null);
	await gateway.close();
});

test('one sealed role cannot run the statements of the other', async () =>
{
	const gateway = await cluster.open('wa', GATEWAY_LOGIN);
	const connector = await cluster.open('wa', SANDBOX_LOGIN);

	for (const name of ['act_for', 'claim', 'sessions', 'receive'])
		assert.equal((await gateway.exchange(message.parse('', statement(name, 'connector')), message.sync())).error?.code, REFUSED, name);
	for (const name of ['authenticate', 'session_list', 'message_send', 'me'])
		assert.equal((await connector.exchange(message.parse('', statement(name)), message.sync())).error?.code, REFUSED, name);
	assert.equal((await connector.execute(statement('act_for', 'connector'), [ours.org.uuid, '1'])).error, null);
	await Promise.all([gateway.close(), connector.close()]);
});

/* ---- names, types, portals ---- */

test('a prepared statement\'s name cannot be taken', async () =>
{
	const gateway = await cluster.open('wa', GATEWAY_LOGIN);
	const poison = (name, text) => gateway.exchange(message.close('S', name), message.parse(name, text), message.sync());

	assert.equal((await gateway.exchange(message.parse('session_list', statement('session_list')), message.sync())).error, null);
	assert.equal((await poison('session_list', `SELECT '${theirs.session.uuid}'::uuid AS id`)).error?.code, REFUSED);

	/* what a later request finds under the name is nothing, not somebody's statement */
	const missing = await gateway.exchange(message.bind('session_list', [null, null, '1']), message.execute(), message.sync());

	assert.equal(missing.error?.code, '26000');
	assert.deepEqual(missing.rows, []);

	/* another registered text can be put there, and never be run by that name */
	for (const other of ['me', 'session_get', 'session_delete', 'authenticate'])
	{
		assert.equal((await poison('session_list', statement(other))).error, null);

		const got = await gateway.exchange(message.bind('session_list', other === 'me' ? [] : [null]), message.execute(), message.sync());

		assert.notEqual(got.error, null);
		assert.deepEqual(got.rows, []);
		if (other === 'me')
			assert.match(got.error.text, /prepared under another name/);
	}
	await gateway.close();
});

test('types that a client declares for parameters lead to no other function', async () =>
{
	const gateway = await cluster.open('wa', GATEWAY_LOGIN);
	const text = 25;
	const bytea = 17;
	const record = 2249;

	for (const types of [[text, text], [bytea, text], [record, record], [text]])
	{
		const got = await gateway.exchange(message.parse('', statement('authenticate'), types), message.sync());

		assert.notEqual(got.error, null, types.join());
	}
	await gateway.close();
});

test('a context ends with its Sync: what follows it has none', async () =>
{
	const gateway = await cluster.open('wa', GATEWAY_LOGIN);
	const list = statement('session_list');

	gateway.send(...request(ours.key.secret, 'read', list, [null, null, '5']),
		message.parse('', list), message.bind('', [null, null, '5']), message.execute(), message.sync(),
		...request(theirs.key.secret, 'read', list, [null, null, '5']));

	const answers = [await gateway.receive(), await gateway.receive(), await gateway.receive()];

	assert.deepEqual(answers[0].rows.filter((row) => row.id).map((row) => row.id), [ours.session.uuid]);
	assert.equal(answers[1].error?.code, '28000');
	assert.deepEqual(answers[1].rows, []);
	assert.deepEqual(answers[2].rows.filter((row) => row.id).map((row) => row.id), [theirs.session.uuid]);
	await gateway.close();
});

test('a pipeline that is left open binds nobody else\'s key', async () =>
{
	const gateway = await cluster.open('wa', GATEWAY_LOGIN);
	const list = statement('session_list');

	gateway.send(...request(theirs.key.secret, 'read', list, [null, null, '5']).slice(0, -1));

	const next = await gateway.exchange(...request(ours.key.secret, 'read', list, [null, null, '5']));

	assert.match(next.error?.text ?? '', /has served a statement already/);
	assert.ok(next.rows.every((row) => row.id !== ours.session.uuid));
	await gateway.close();
});

test('a portal does not outlive its transaction', async () =>
{
	const gateway = await cluster.open('wa', GATEWAY_LOGIN);
	const got = await gateway.exchange(
		message.parse('', statement('authenticate')), message.bind('', [theirs.key.secret, 'read', null, '1']), message.execute(),
		message.parse('session_list', statement('session_list')), message.bind('session_list', [null, null, '5'], 'kept'), message.sync());

	assert.equal(got.error, null);
	assert.equal((await gateway.exchange(message.execute('kept'), message.sync())).error?.code, '34000');
	await gateway.close();
});

/* Reads until the portal is suspended; returns how many rows came. */
async function untilSuspended(wire)
{
	let rows = 0;

	for (;;)
	{
		const { type } = await wire.next();

		assert.notEqual(type, 'E');
		rows += type === 'D' ? 1 : 0;
		if (type === 's')
			return rows;
	}
}

test('a portal of which the client has read a part is not read on once its key is revoked', async () =>
{
	await createSession(db, ours.org);
	for (const revoked of [false, true])
	{
		const gateway = await cluster.open('wa', GATEWAY_LOGIN);
		const key = await createKey(db, ours.org, ['read']);

		gateway.send(message.parse('', statement('authenticate')), message.bind('', [key.secret, 'read', null, '0']), message.execute(),
			message.parse('', statement('session_list')), message.bind('', [null, null, '50'], 'half'), message.execute('half', 1),
			message.flush());
		assert.equal(await untilSuspended(gateway), 2);		/* what authenticate answers, and one session */
		if (revoked)
			await db.value('SELECT wa.revoke_key($1::uuid)', [key.uuid]);

		const rest = await gateway.exchange(message.execute('half'), message.sync());

		assert.equal(rest.error?.code, revoked ? '28000' : undefined);
		assert.equal([...rest.types].includes('D'), !revoked);
		await gateway.close();
	}
});

/* ---- waiting for events ---- */

test('who waits for events hears of the organizations whose sockets\' credentials he has, and of no others (P50)', async () =>
{
	const gateway = await cluster.open('wa', GATEWAY_LOGIN);
	const name = '01234567-89ab-4def-8123-456789abcdef';
	const key = await createKey(db, ours.org, ['events']);
	const wait = async (credentials = [], ms = 0, as = name) =>
	{
		const eight = Array.from({ length: 8 }, (_, i) => credentials[i] ?? null);
		const got = await gateway.execute(statement('event_wait'), [as, String(ms), ...eight]);

		assert.equal(got.error, null);
		return got.rows.map(({ org_id, watched }) => [org_id, watched]);
	};
	const opened = await gateway.exchange(...request(key.secret, 'events', statement('realtime_open'), [null]));
	const { socket } = opened.rows.at(-1);

	/* without a credential: nothing, whatever the others do, and whatever is stimulated */
	assert.deepEqual(await wait(), [[null, 'f']]);
	for (let i = 0; i < 4; i++)
	{
		await Promise.all([emit(db, theirs.org), emit(db, ours.org)]);
		assert.deepEqual(await wait(), [[null, 't']]);
	}
	/* with one: that organization, and not that another was active */
	assert.deepEqual(await wait([socket]), [[null, 't'], [ours.org.uuid, 't']]);
	await emit(db, theirs.org);

	const before = performance.now();
	const waiting = wait([], 500);

	await emit(db, theirs.org);
	assert.deepEqual(await waiting, [[null, 't']]);
	assert.ok(performance.now() - before >= 490, 'another\'s event has ended the wait');
	await Promise.all([emit(db, theirs.org), emit(db, ours.org)]);
	assert.deepEqual(await wait(), [[null, 't'], [ours.org.uuid, 't']]);
	/* named like the organization, as if its events were knocks */
	assert.deepEqual(await wait([], 0, theirs.org.uuid), [[null, 'f']]);
	await emit(db, theirs.org);
	assert.deepEqual(await wait([], 0, theirs.org.uuid), [[null, 't']]);
	/* once the key is revoked: that it is over, and nothing more */
	await wait([socket]);
	await db.value('SELECT wa.revoke_key($1::uuid)', [key.uuid]);
	assert.deepEqual(await wait(), [[null, 't'], [ours.org.uuid, 'f']]);
	await emit(db, ours.org);
	assert.deepEqual(await wait(), [[null, 't']]);
	assert.deepEqual(await wait([socket]), [[null, 't']]);
	await gateway.close();
});

/* ---- a pipeline ---- */

test('behind an authenticate that failed nothing runs', async () =>
{
	const gateway = await cluster.open('wa', GATEWAY_LOGIN);
	const create = statement('session_create');
	const values = ['made in a pipeline', 'f', null, null, null];
	const count = () => db.value("SELECT count(*) FROM wa.session WHERE label = 'made in a pipeline'");
	const unknown = await db.value("SELECT secret FROM wa.make_secret('api_key')");
	const readOnly = (await createKey(db, ours.org, ['read'])).secret;

	for (const [name, secret, needs, code] of [
		['unknown', unknown, 'manage', '28000'], ['malformed', 'wa_x', 'manage', '22P02'], ['none', null, 'manage', '28000'],
		['not allowed', readOnly, 'manage', '42501'], ['not allowed, and not asked for', readOnly, null, '42501'],
	])
	{
		const got = await gateway.exchange(...request(secret, needs, create, values));

		assert.equal(got.error?.code, code, name);
		assert.equal(got.errors.length, 1, name);
		assert.equal(await count(), '0', name);
	}
	assert.equal((await gateway.exchange(...request(ours.key.secret, 'manage', create, values))).error, null);
	assert.equal(await count(), '1');
	await gateway.close();
});

test('a change whose pipeline fails later is undone', async () =>
{
	const gateway = await cluster.open('wa', GATEWAY_LOGIN);
	const parts = request(ours.key.secret, 'manage', statement('session_create'), ['undone', 'f', null, null, null]).slice(0, -1);
	const got = await gateway.exchange(...parts, message.parse('', 'SELECT 1'), message.sync());

	assert.equal(got.error?.code, REFUSED);
	assert.equal(await db.value("SELECT count(*) FROM wa.session WHERE label = 'undone'"), '0');
	await gateway.close();
});

/* ---- the fast path ---- */

test('a function call without a statement (P02) is refused; an unsealed role can make one', async () =>
{
	const md5 = await oidOf('pg_catalog.md5(text)');
	const setConfig = await oidOf('pg_catalog.set_config(text,text,boolean)');
	const authenticate = await oidOf('wa.authenticate(wa.secret,wa.permission,text)');
	const app = await cluster.open('wa', APP);
	const called = await app.exchange(message.functionCall(md5, ['control']));

	assert.equal(called.error, null);
	assert.equal(called.value.toString(), 'fc5364bf9dbfa34954526becad136d4b');

	for (const login of [GATEWAY_LOGIN, SANDBOX_LOGIN])
	{
		const sealed = await cluster.open('wa', login);
		const calls = [
			message.functionCall(md5, ['attack']),
			message.functionCall(setConfig, ['work_mem', '1GB', 'f']),
			message.functionCall(authenticate, [theirs.key.secret, 'read', '']),
		];

		for (const call of calls)
		{
			const got = await sealed.exchange(call);

			assert.equal(got.error?.code, REFUSED);
			assert.equal(got.value, undefined);
		}

		await sealed.close();
	}
	await app.close();
});

test('a function call in the middle of a pipeline is refused', async () =>
{
	const md5 = await oidOf('pg_catalog.md5(text)');
	const gateway = await cluster.open('wa', GATEWAY_LOGIN);
	const [parse, bind, execute] = request(ours.key.secret, 'read', statement('me'));

	/* the server answers a function call with a ReadyForQuery of its own, and a Sync with another */
	for (const before of [[parse], [parse, bind], [parse, bind, execute], [message.flush()]])
	{
		gateway.send(...before, message.functionCall(md5, ['attack']), message.sync());

		const answers = [await gateway.receive(), await gateway.receive()];

		assert.ok(answers.some((got) => got.error?.code === REFUSED));
		assert.ok(answers.every((got) => got.value === undefined));
	}
	await gateway.close();
});

/* ---- startup ---- */

test('at startup a sealed login may name itself and its encoding, and nothing else', async () =>
{
	for (const login of [GATEWAY_LOGIN, SANDBOX_LOGIN])
	{
		await (await cluster.open('wa', login, { application_name: 'x', client_encoding: 'UTF8' })).close();
		for (const options of [
			{ options: '-c debug_print_plan=on' }, { options: '-c log_parameter_max_length_on_error=-1' }, { options: '--work-mem=1GB' },
			{ options: ' ' }, { search_path: 'public' }, { DateStyle: 'German' }, { TimeZone: 'UTC' }, { geqo: 'off' }, { work_mem: '1GB' },
			{ statement_timeout: '0' }, { plan_cache_mode: 'auto' }, { row_security: 'off' }, { client_min_messages: 'log' },
			{ role: 'wa_owner' }, { session_authorization: 'postgres' }, { 'wa.org': theirs.org.uuid },
		])
			await assert.rejects(cluster.open('wa', login, options), (error) => /^(28000|22023|42501)$/.test(error.code), JSON.stringify(options));
	}

	const app = await cluster.open('wa', APP, { options: '-c debug_print_plan=on', work_mem: '1GB' });

	assert.equal(await app.value('SHOW debug_print_plan'), 'on');
	assert.equal(await app.value('SHOW work_mem'), '1GB');
	await app.close();
});

test('a sealed login gets no replication connection, even if somebody has given it that attribute', async () =>
{
	await db.sql(`CREATE ROLE sealed_replicator LOGIN REPLICATION IN ROLE wa_gateway; CREATE ROLE replicator LOGIN REPLICATION`);
	for (const replication of ['true', 'database'])
	{
		await assert.rejects(cluster.open('wa', 'sealed_replicator', { replication }), { code: '28000', text: /replication/ });
		await assert.rejects(cluster.open('wa', GATEWAY_LOGIN, { replication }), (error) => /^(28000|42501)$/.test(error.code));

		const control = await cluster.open('wa', 'replicator', { replication });

		assert.equal((await control.exchange(message.query('IDENTIFY_SYSTEM'))).rows.length, 1);
		await control.close();
	}
});

test('a role that is put into a sealed group is sealed from its next statement on', async () =>
{
	await db.sql('CREATE ROLE later LOGIN IN ROLE wa_app');

	const later = await cluster.open('wa', 'later');

	assert.equal(await later.value('SELECT 1'), '1');
	await db.sql('GRANT wa_gateway TO later');
	await assert.rejects(later.sql('SELECT 1'), { code: REFUSED });
	await db.sql('REVOKE wa_gateway FROM later');
	assert.equal(await later.value('SELECT 1'), '1');
	await later.close();
});
