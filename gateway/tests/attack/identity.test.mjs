/*
 * identity.test.mjs
 *		Nobody gets another organization's identity, keeps his own beyond its end, or finds
 *		somebody else's (P01 P09 P10 P11 P12 P13 P40 P41 P45).
 *
 * Sealed logins have no BEGIN; so what needs a transaction is tried as a login of wa_app,
 * which sends its own SQL, and in pipelines as the gateway's.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createKey } from '../e2e/harness/tenants.mjs';
import { message } from '../e2e/harness/wire.mjs';
import { APP, LOGINS, NO_CREDENTIAL, REFUSED, Stage, buildNaiveTwin, marks, told } from './stage.mjs';

const ALREADY_BOUND = '25000';

let stage;

before(async () =>
{
	stage = await Stage.set();
	await buildNaiveTwin(stage);
});

/* The sessions that an application sees; the code of the error instead, if there is one. */
async function seen(app, bind = '')
{
	const got = await app.exchange(message.query(`${bind} SELECT id FROM wa.session`));

	return got.error?.code ?? got.rows.map((row) => row.id).filter((id) => id !== null && id !== undefined).at(-1) ?? 'nothing';
}

const bind = (tenant) => `SELECT wa.authenticate('${tenant.key.secret}') IS NOT NULL AS bound;`;
const notes = async (app) => [...new Set((await app.sql('SELECT org FROM naive.note')).map((row) => row.org))].join();

/* ---- P01: settings ---- */

test('a setting is nobody\'s identity (P01)', async () =>
{
	const app = await stage.open(APP);

	/* the control */
	await app.sql("SET naive.org = 'theirs'");
	assert.equal(await notes(app), 'theirs');

	for (const name of ['wa.org', 'wa.org_id', 'wa.current_org', 'wa.key', 'wa.permissions', 'wa.identity'])
		for (const sql of [`SET ${name} = '${stage.theirs.org.uuid}'`, `SELECT set_config('${name}', '${stage.theirs.org.uuid}', false)`])
			assert.notEqual((await app.exchange(message.query(sql))).error, null, sql);
	for (const name of ['naive.org', 'request.jwt.claims', 'app.org_id', 'role', 'application_name', 'search_path'])
		await app.exchange(message.query(`SELECT set_config('${name}', '${stage.theirs.org.uuid}', false)`));
	await app.exchange(message.query(`UPDATE pg_settings SET setting = '${stage.theirs.org.uuid}' WHERE name LIKE 'wa.%'`));
	assert.equal(await seen(app), NO_CREDENTIAL);
	assert.equal(await seen(app, bind(stage.ours)), stage.ours.session.uuid);
	/* the extension's own settings are the superuser's */
	for (const name of ['wa.transaction_timeout', 'wa.verify_functions'])
		assert.equal((await app.exchange(message.query(`SET ${name} = DEFAULT`))).error?.code, REFUSED, name);
	await app.close();
});

test('functions that bind an identity without a key are not an application\'s, nor the gateway\'s (P01)', async () =>
{
	const app = await stage.open(APP);
	const wire = await stage.open();

	assert.equal((await app.exchange(message.query(`SELECT wa.act_for('${stage.theirs.org.uuid}')`))).error?.code, REFUSED);
	assert.equal((await wire.exchange(message.parse('', stage.text('act_for', 'wa_worker')), message.sync())).error?.code, REFUSED);
	await Promise.all([app.close(), wire.close()]);
});

/* ---- P09, P10: plans ---- */

/* The generic plan of a getter that says it never changes. */
const FROZEN = `
	CREATE FUNCTION naive.frozen() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN current_setting('naive.org', true); END$$;
	CREATE TABLE naive.frozen_note (org text, body text);
	INSERT INTO naive.frozen_note VALUES ('ours', 'our note'), ('theirs', 'their note');
	ALTER TABLE naive.frozen_note ENABLE ROW LEVEL SECURITY;
	CREATE POLICY org ON naive.frozen_note USING (org = naive.frozen());
	GRANT SELECT ON naive.frozen_note TO PUBLIC`;

test('a plan that is kept serves each organization its own rows (P09)', async () =>
{
	const app = await stage.open(APP);

	/* the control: theirs is served what is ours */
	await stage.db.sql(FROZEN);
	await app.sql("SET plan_cache_mode = force_generic_plan; SET naive.org = 'ours'; PREPARE kept AS SELECT body FROM naive.frozen_note");
	assert.equal(await app.value('EXECUTE kept'), 'our note');
	await app.sql("SET naive.org = 'theirs'");
	assert.equal(await app.value('EXECUTE kept'), 'our note');
	await app.close();

	const wire = await stage.open();

	await wire.exchange(message.parse('authenticate', stage.text('authenticate')), message.parse('session_list', stage.text('session_list')), message.sync());
	for (let i = 0; i < 8; i++)
		for (const tenant of [stage.ours, stage.theirs, null])
		{
			const credential = tenant ? [message.bind('authenticate', stage.credential(tenant.key.secret, 'read')), message.execute()] : [];
			const got = await wire.exchange(...credential,
				message.bind('session_list', [null, null, '50']), message.describe('P', ''), message.execute(), message.sync());

			assert.equal(got.error?.code ?? null, tenant ? null : NO_CREDENTIAL);
			assert.deepEqual(got.rows.filter((row) => row.organization_id).map((row) => row.id), tenant ? [tenant.session.uuid] : []);
		}
	await wire.close();
});

test('parallel workers are given no query that asks who is there (P10)', async () =>
{
	const app = await stage.open(APP);
	const forced = Number(await app.value('SHOW server_version_num')) >= 160000 ? 'debug_parallel_query' : 'force_parallel_mode';

	await app.sql(`SET ${forced} = on; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0`);
	/* the control: the setting does make workers */
	await app.sql("SET naive.org = 'ours'");
	assert.match(JSON.stringify(await app.sql('EXPLAIN SELECT count(*) FROM naive.note')), /Gather/);
	for (const tenant of [stage.ours, stage.theirs])
	{
		await app.sql(`BEGIN; ${bind(tenant)}`);
		assert.doesNotMatch(JSON.stringify(await app.sql('EXPLAIN SELECT count(*) FROM wa.message')), /Gather/);
		assert.deepEqual((await app.sql('SELECT body FROM wa.message')).map((row) => row.body), [tenant.message.body]);
		await app.sql('COMMIT');
	}
	assert.equal(await seen(app), NO_CREDENTIAL);
	await app.close();
});

/* ---- P11, P40: the end of a transaction, or of a part of it ---- */

test('an identity ends with the subtransaction that it was bound in, when that is undone (P11)', async () =>
{
	const app = await stage.open(APP);

	await app.sql('BEGIN; SAVEPOINT a');
	await app.sql(bind(stage.ours));
	assert.equal(await seen(app), stage.ours.session.uuid);
	await app.sql('ROLLBACK TO a');
	assert.equal(await seen(app), NO_CREDENTIAL);
	await app.sql('ROLLBACK TO a');

	/* it was this transaction's all the same: no other is bound; a part that is kept hands it up */
	assert.equal(await seen(app, bind(stage.theirs)), ALREADY_BOUND);
	await app.sql('ROLLBACK TO a');
	await app.sql(`SAVEPOINT b; ${bind(stage.ours)} RELEASE b`);
	assert.equal(await seen(app), stage.ours.session.uuid);
	await app.sql('COMMIT');
	assert.equal(await seen(app), NO_CREDENTIAL);
	await app.close();
});

const ENDS = [['COMMIT'], ['ROLLBACK'], ['COMMIT AND CHAIN'], ['ROLLBACK AND CHAIN'], ["PREPARE TRANSACTION 'kept'"], ['SELECT 1 / 0', 'ROLLBACK'], ['SELECT 1 / 0', 'COMMIT']];

for (const end of ENDS)
{
	test(`after ${end.join('; ')} there is no identity (P40)`, async () =>
	{
		const app = await stage.open(APP);
		const run = async (...parts) =>
		{
			for (const part of parts)
				await app.exchange(message.query(part));
		};

		/* the control: the session's setting is still there */
		await run("SET naive.org = 'theirs'", 'BEGIN', ...end);
		assert.equal(await notes(app), 'theirs');
		await run('ROLLBACK', "ROLLBACK PREPARED 'kept'");

		await run('BEGIN', bind(stage.theirs));
		assert.equal(await seen(app), stage.theirs.session.uuid);
		await run(...end);
		assert.equal(await seen(app), NO_CREDENTIAL);
		await run('ROLLBACK');
		assert.equal(await seen(app, bind(stage.ours)), stage.ours.session.uuid);
		await run("ROLLBACK PREPARED 'kept'");
		await app.close();
	});
}

test('each end of a request of a sealed login ends its identity (P40)', async () =>
{
	const bound = stage.authenticate(stage.theirs.key.secret);
	const asks = [message.parse('', stage.text('session_list')), message.bind('', [null, null, '50']), message.execute(), message.sync()];
	const ends = {
		'Sync': [message.sync()],
		'an error and Sync': [message.parse('', 'SELECT 1'), message.sync()],
		'an empty query': [message.query('')],
		'a query that is refused': [message.query('SELECT 1'), message.sync()],
		'a function call': [message.functionCall(1, []), message.sync()],
	};

	for (const [name, end] of Object.entries(ends))
	{
		const wire = await stage.open();

		wire.send(...bound, ...end, ...asks);

		/* as many answers as there are ends; the last is that to "asks" */
		let got = await wire.receive();

		while (!(got.error?.code === NO_CREDENTIAL))
		{
			assert.ok(marks(stage.theirs).every((mark) => mark === stage.theirs.org.uuid || mark === stage.theirs.key.uuid || !told(got).includes(mark)), name);
			got = await wire.receive();
			assert.notEqual(got.status, null, name);
		}
		assert.deepEqual(got.rows, [], name);
		assert.deepEqual(await stage.sessions(wire, stage.ours), [stage.ours.session.uuid], name);
		await wire.close();
	}
});

/* ---- P12, P13: revoked meanwhile ---- */

const revoke = (key) => stage.db.sql('SELECT wa.revoke_key($1)', [key.uuid]);

test('a snapshot from before the revocation does not let a key in (P12)', async () =>
{
	const app = await stage.open(APP);
	const key = await createKey(stage.db, stage.ours.org);

	for (const level of ['REPEATABLE READ', 'SERIALIZABLE'])
	{
		/* the control: a table of keys that is read like any other */
		await stage.db.sql('UPDATE naive.key SET revoked = false');
		await app.sql(`BEGIN ISOLATION LEVEL ${level}; SELECT count(*) FROM naive.key`);
		await stage.db.sql('UPDATE naive.key SET revoked = true');
		assert.equal(await app.value("SELECT org FROM naive.key WHERE secret = 'their key' AND NOT revoked"), 'theirs');
		await app.sql('COMMIT');

		const fresh = await createKey(stage.db, stage.ours.org);

		await app.sql(`BEGIN ISOLATION LEVEL ${level}; SELECT count(*) FROM naive.key`);
		await revoke(fresh);
		assert.equal((await app.exchange(message.query(`SELECT wa.authenticate('${fresh.secret}')`))).error?.code, NO_CREDENTIAL, level);
		await app.sql('ROLLBACK');
	}
	assert.equal(await seen(app, `SELECT wa.authenticate('${key.secret}');`), stage.ours.session.uuid);
	await app.close();
});

test('a transaction does not outlive the revocation of its key (P13)', async () =>
{
	const app = await stage.open(APP);
	const wire = await stage.open();
	const ofApp = await createKey(stage.db, stage.ours.org);
	const ofWire = await createKey(stage.db, stage.ours.org);

	/* the control: a credential that was looked at once */
	await app.sql("SET naive.org = 'ours'; BEGIN");
	await stage.db.sql("UPDATE naive.key SET revoked = true");
	assert.equal(await notes(app), 'ours');
	await app.sql('COMMIT');

	await app.sql(`BEGIN; SELECT wa.authenticate('${ofApp.secret}')`);
	wire.send(...stage.authenticate(ofWire.secret), message.flush());
	for (const type of '12DC')
		assert.equal((await wire.next()).type, type);
	assert.equal(await seen(app), stage.ours.session.uuid);
	await revoke(ofApp);
	await revoke(ofWire);
	assert.equal(await seen(app), NO_CREDENTIAL);
	await app.exchange(message.query('ROLLBACK'));

	const got = await wire.exchange(message.parse('', stage.text('session_list')), message.bind('', [null, null, '50']), message.execute(), message.sync());

	assert.equal(got.error?.code, NO_CREDENTIAL);
	assert.deepEqual(got.rows, []);
	assert.deepEqual(await stage.sessions(wire, stage.ours), [stage.ours.session.uuid]);
	await Promise.all([app.close(), wire.close()]);
});

/* ---- P41, P45: a second identity ---- */

test('a transaction has one identity: a second credential is an error (P41)', async () =>
{
	const app = await stage.open(APP);

	/* the control: a setting is changed as often as one likes */
	await app.sql("BEGIN; SET LOCAL naive.org = 'ours'; SET LOCAL naive.org = 'theirs'");
	assert.equal(await notes(app), 'theirs');
	await app.sql('COMMIT');

	const other = await createKey(stage.db, stage.ours.org, ['read']);

	for (const second of [stage.theirs.key.secret, other.secret])
	{
		await app.sql(`BEGIN; ${bind(stage.ours)}`);
		assert.equal((await app.exchange(message.query(`SELECT wa.authenticate('${second}')`))).error?.code, ALREADY_BOUND);
		await app.sql('ROLLBACK');

		/* nor does it help to undo the part that failed */
		await app.sql(`BEGIN; ${bind(stage.ours)} SAVEPOINT a`);
		await app.exchange(message.query(`SELECT wa.authenticate('${second}')`));
		await app.sql('ROLLBACK TO a');
		assert.equal(await seen(app), stage.ours.session.uuid);
		await app.sql('ROLLBACK');
	}
	await app.close();
});

test('the same in a pipeline, and by whatever statement that binds (P41)', async () =>
{
	const wire = await stage.open();
	const binds = stage.statements.filter((one) => one.role_name === 'wa_gateway' && /wa\.(authenticate|authenticate_socket|signed_in|redeem)/.test(one.source));

	assert.ok(binds.length > 0);
	for (const { name, source, parameters } of binds)
	{
		const got = await wire.exchange(
			...stage.authenticate(stage.ours.key.secret),
			message.parse('', source), message.bind('', [stage.theirs.key.secret, ...Array(parameters.length - 1).fill(null)]), message.execute(),
			message.parse('', stage.text('session_list')), message.bind('', [null, null, '50']), message.execute(), message.sync());

		assert.ok(!told(got).includes(stage.theirs.session.uuid), name);
		assert.deepEqual(await stage.sessions(wire, stage.ours), [stage.ours.session.uuid], name);
	}
	await wire.close();
});

test('what stands under "authenticate" is authenticate, whatever was put there (P45)', async () =>
{
	const wire = await stage.open();

	for (const { name, source, role_name } of stage.statements)
	{
		if (role_name !== 'wa_gateway' || name === 'authenticate')
			continue;
		/* bound to ours and not ended; then a request of theirs by the gateway's names */
		wire.send(message.close('S', 'authenticate'), ...stage.authenticate(stage.ours.key.secret), message.parse('authenticate', source));

		const got = await wire.exchange(message.bind('authenticate', stage.credential(stage.theirs.key.secret, 'read')), message.execute(),
			message.parse('', stage.text('session_list')), message.bind('', [null, null, '50']), message.execute(), message.sync());

		assert.notEqual(got.error, null, name);
		assert.ok(!told(got).includes(stage.ours.session.uuid), name);
		assert.deepEqual(await stage.sessions(wire, stage.theirs), [stage.theirs.session.uuid], name);
	}
	await wire.close();
});

test('no sealed login binds anything by a text of its own (P01)', async () =>
{
	for (const role of Object.keys(LOGINS))
	{
		const wire = await stage.open(role);

		for (const sql of [`SELECT wa.act_for('${stage.theirs.org.uuid}')`, `SELECT wa.authenticate('${stage.ours.key.secret}')`,
			`SELECT set_config('wa.org', '${stage.theirs.org.uuid}', false)`, 'SET ROLE wa_owner', 'SET SESSION AUTHORIZATION postgres', 'RESET SESSION AUTHORIZATION'])
			assert.equal((await wire.exchange(message.query(sql))).error?.code, REFUSED, sql);
		await wire.close();
	}
});
