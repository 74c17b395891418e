/*
 * sealed.test.mjs
 *		Whoever holds a sealed login can run registered statements and nothing else, whatever
 *		he sends (P01 P04 P06 P07 P08 P14 P15 P16 P26 P28 P29 P30 P31 P36 P39).
 *
 * Each attack is made twice: as the sealed login, which is refused, and as a login of
 * wa_app, which is not sealed, to show that the attack works where nothing stops it.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { ROOT } from '../e2e/harness/processes.mjs';
import { message } from '../e2e/harness/wire.mjs';
import { APP, LOGINS, NO_CREDENTIAL, REFUSED, Stage } from './stage.mjs';

let stage;

before(async () =>
{
	stage = await Stage.set();
	await stage.db.sql('GRANT TEMPORARY ON DATABASE wa TO PUBLIC');		/* for the controls */
});

/* ---- what is allowed ---- */

test('the registered statements run, with a key, and show that organization\'s rows', async () =>
{
	const gateway = await stage.open();
	const got = await gateway.exchange(...stage.request(stage.ours.key.secret, 'read', 'session_list', [null, null, '50']));

	assert.equal(got.error, null);
	assert.deepEqual(got.rows.filter((row) => row.organization_id).map((row) => row.id), [stage.ours.session.uuid]);
	await gateway.close();
});

test('no transaction is begun or ended by a statement', async () =>
{
	const gateway = await stage.open();

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
		const gateway = await stage.open();
		const connector = await stage.open('wa_connector');
		const app = await stage.open(APP);

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
	const gateway = await stage.open();
	const text = stage.text('me');

	for (const [name, changed] of Object.entries({
		'a space more': `${text} `, 'a semicolon more': `${text};`, 'a comment more': `${text} -- x`, 'upper case': text.toUpperCase(),
		'a second statement': `${text}; SELECT 1`, 'the same twice': `${text};${text}`, 'a statement before': `BEGIN; ${text}`,
		'a space in front': ` ${text}`, 'a union': `${text} UNION ALL ${text}`,
		'explained': `EXPLAIN ${text}`, 'prepared': `PREPARE p AS ${text}`, 'copied': `COPY (${text}) TO STDOUT`,
		'in a cursor': `DECLARE c CURSOR FOR ${text}`, 'a connector\'s': stage.text('act_for', 'wa_connector').replace('$1', `'${stage.theirs.org.uuid}'`).replace('$2::int8', '1'),
	}))
	{
		const got = await gateway.exchange(message.query(changed));

		await gateway.exchange(message.query('ROLLBACK'));
		assert.equal(got.error?.code, REFUSED, name);
		assert.deepEqual(got.rows, [], name);
	}
	assert.equal((await gateway.exchange(...stage.requestOf(stage.ours.key.secret, null, text))).error, null);
	await gateway.close();
});

test('no sealed role can run a statement that only another one has', async () =>
{
	for (const role of Object.keys(LOGINS))
	{
		const wire = await stage.open(role);
		const own = new Set(stage.statements.filter((one) => one.role_name === role).map(({ source }) => source));
		const others = stage.statements.filter((one) => !own.has(one.source));

		assert.ok(others.length > 5);
		for (const { name, source } of others)
			assert.equal((await wire.exchange(message.parse('', source), message.sync())).error?.code, REFUSED, `${role}: ${name}`);
		await wire.close();
	}

	const connector = await stage.open('wa_connector');

	assert.equal((await connector.execute(stage.text('act_for', 'wa_connector'), [stage.ours.org.uuid, '1'])).error, null);
	await connector.close();
});

/* ---- without a credential ---- */

/* A value of a type that could mean something of theirs. */
function guess(type)
{
	const values = { uuid: stage.theirs.session.uuid, text: 'x', boolean: 't', jsonb: '{}', json: '{}', 'wa.secret': `wa_${'0'.repeat(43)}`,
		'wa.permissions': '{read}', 'wa.password': 'a good password', 'wa.leak_report': '[]', bytea: '\\x00', 'timestamp with time zone': '2026-01-01' };

	if (type.endsWith('[]'))
		return '{}';
	return values[type] ?? '1';
}

/* The statements in the threat model's table of what the gateway's login gives. */
function tabled()
{
	const text = fs.readFileSync(path.join(ROOT, 'docs/threat-model.md'), 'utf8');
	const part = text.slice(text.indexOf('**A stolen gateway login'), text.indexOf('**A stolen worker login'));

	return part.split('\n').filter((line) => line.startsWith('| `')).flatMap((line) => [...line.split(' | ')[0].matchAll(/`([a-z_]+)`/g)].map((match) => match[1]));
}

test('without a credential the gateway\'s login runs what the threat model lists, and nothing else', async () =>
{
	const wire = await stage.open();
	const names = Object.fromEntries((await stage.db.sql('SELECT DISTINCT p::oid AS oid, p::regtype::text AS name FROM wa.statement, unnest(parameters) p'))
		.map(({ oid, name }) => [oid, name]));
	const runs = [];

	for (const { name, source, parameters } of stage.statements.filter((one) => one.role_name === 'wa_gateway'))
	{
		const got = await wire.exchange(message.parse('', source), message.bind('', parameters.map((oid) => guess(names[oid]))),
			message.describe('P', ''), message.execute(), message.sync());

		stage.showsNothing(got, name);
		/* a credential that is a parameter is refused as what it is, and not for being missing */
		if (got.error?.code !== NO_CREDENTIAL || parameters.some((oid) => /^wa\.(secret|password|leak_report)/.test(names[oid])))
			runs.push(name);
	}
	assert.deepEqual(runs.sort(), tabled().sort());
	await wire.close();
});

/* ---- startup ---- */

test('at startup a sealed login may name itself and its encoding, and nothing else', async () =>
{
	for (const login of [LOGINS.wa_gateway, LOGINS.wa_connector])
	{
		await (await stage.cluster.open('wa', login, { application_name: 'x', client_encoding: 'UTF8' })).close();
		for (const options of [
			{ options: '-c debug_print_plan=on' }, { options: '-c log_parameter_max_length_on_error=-1' }, { options: '--work-mem=1GB' },
			{ options: ' ' }, { search_path: 'public' }, { DateStyle: 'German' }, { TimeZone: 'UTC' }, { geqo: 'off' }, { work_mem: '1GB' },
			{ statement_timeout: '0' }, { plan_cache_mode: 'auto' }, { row_security: 'off' }, { client_min_messages: 'log' },
			{ role: 'wa_owner' }, { session_authorization: 'postgres' }, { 'wa.org': stage.theirs.org.uuid },
		])
			await assert.rejects(stage.cluster.open('wa', login, options), (error) => /^(28000|22023|42501)$/.test(error.code), JSON.stringify(options));
	}

	const app = await stage.cluster.open('wa', APP, { options: '-c debug_print_plan=on', work_mem: '1GB' });

	assert.equal(await app.value('SHOW debug_print_plan'), 'on');
	assert.equal(await app.value('SHOW work_mem'), '1GB');
	await app.close();
});

test('a sealed login gets no replication connection, even if somebody has given it that attribute', async () =>
{
	await stage.db.sql(`CREATE ROLE sealed_replicator LOGIN REPLICATION IN ROLE wa_gateway; CREATE ROLE replicator LOGIN REPLICATION`);
	for (const replication of ['true', 'database'])
	{
		await assert.rejects(stage.cluster.open('wa', 'sealed_replicator', { replication }), { code: '28000', text: /replication/ });
		await assert.rejects(stage.cluster.open('wa', LOGINS.wa_gateway, { replication }), (error) => /^(28000|42501)$/.test(error.code));

		const control = await stage.cluster.open('wa', 'replicator', { replication });

		assert.equal((await control.exchange(message.query('IDENTIFY_SYSTEM'))).rows.length, 1);
		await control.close();
	}
});

test('a role that is put into a sealed group is sealed from its next statement on', async () =>
{
	await stage.db.sql('CREATE ROLE later LOGIN IN ROLE wa_app');

	const later = await stage.cluster.open('wa', 'later');

	assert.equal(await later.value('SELECT 1'), '1');
	await stage.db.sql('GRANT wa_gateway TO later');
	await assert.rejects(later.sql('SELECT 1'), { code: REFUSED });
	await stage.db.sql('REVOKE wa_gateway FROM later');
	assert.equal(await later.value('SELECT 1'), '1');
	await later.close();
});

/* ---- a login that is not what it was ---- */

test('an open session of a sealed login stays sealed, whatever becomes of the login', async () =>
{
	const { db } = stage;
	const free = ["SELECT string_agg(query, ' ') FROM pg_stat_activity", 'SELECT pg_terminate_backend(0)', 'LISTEN x', "PREPARE authenticate AS SELECT 1",
		"SET work_mem = '1GB'", 'SELECT 1', 'BEGIN'];
	const changes = {
		'its role is revoked': ['REVOKE wa_gateway FROM stolen', 'GRANT wa_gateway TO stolen'],
		'it gets another sealed role instead': ['REVOKE wa_gateway FROM stolen; GRANT wa_worker TO stolen', 'REVOKE wa_worker FROM stolen; GRANT wa_gateway TO stolen'],
		'it gets a role that is not sealed as well': ['REVOKE wa_gateway FROM stolen; GRANT wa_app TO stolen', 'REVOKE wa_app FROM stolen; GRANT wa_gateway TO stolen'],
		'it is dropped': ['DROP ROLE stolen', 'CREATE ROLE stolen LOGIN IN ROLE wa_gateway; ALTER ROLE stolen SET search_path = pg_catalog, pg_temp'],
	};

	await db.sql(changes['it is dropped'][1]);
	for (const [what, [change, back]] of Object.entries(changes))
	{
		const wire = await stage.cluster.open('wa', 'stolen');
		const list = stage.request(stage.ours.key.secret, 'read', 'session_list', [null, null, '50']);

		assert.equal((await wire.exchange(...list)).error, null);
		await db.sql(change);
		for (const sql of free)
			for (const got of [await wire.exchange(message.query(sql)), await wire.execute(sql)])
				assert.equal(got.error?.code, REFUSED, `${what}: ${sql}`);
		/* nor what it ran before */
		assert.equal((await wire.exchange(...list)).error?.code, REFUSED, what);
		await db.sql(back);
		if (what !== 'it is dropped')
			assert.equal((await wire.exchange(...list)).error, null, what);
		await wire.close();
	}
	await db.sql('DROP ROLE stolen');

	/* the control: a session that was never sealed */
	const app = await stage.open(APP);

	await db.sql(`REVOKE wa_app FROM ${APP}`);
	assert.equal((await app.exchange(message.query(free[0]))).error, null);
	await db.sql(`GRANT wa_app TO ${APP}`);
	await app.close();
});
