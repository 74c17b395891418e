/*
 * test_keys.test.mjs
 *		A test key lies in tests and on machines of developers.  Whoever has it, and sends any
 *		SQL as an application does, reaches nothing of a session with a real telephone (P55b).
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onEnd } from '../e2e/harness/processes.mjs';
import { createChat, createKey, createMessage, createSession } from '../e2e/harness/tenants.mjs';
import { APP, REFUSED, Stage } from './stage.mjs';

const TABLES = ['session', 'session_pairing', 'chat', 'contact', 'message', 'message_action', 'event', 'webhook', 'delivery'];

let stage, live, tester, sandbox, wire;

before(async () =>
{
	stage = await Stage.set(["wa.connectors = 'sandbox,none'"]);

	const { db, ours } = stage;

	live = ours.session;
	tester = (await createKey(db, ours.org, undefined, { test: true })).secret;
	sandbox = await createSession(db, ours.org, { connector: 'sandbox' });
	await createMessage(db, await createChat(db, sandbox, '15550001111@s.whatsapp.net'), 'of the sandbox');
	await db.sql('INSERT INTO wa.contact (org_id, session_id, jid) SELECT org_id, id, $1 FROM wa.session', ['15550001111@s.whatsapp.net']);
	await db.sql("INSERT INTO wa.session_pairing (org_id, session_id, qr_code) SELECT org_id, id, 'code' FROM wa.session");
	wire = await stage.open(APP);
	onEnd(() => wire.close());
});

/* What a statement answers under a key, in a transaction that is undone; the error's code instead. */
async function under(secret, text, values = [], prepare = [])
{
	await wire.sql('BEGIN');
	try
	{
		for (const [first, ...its] of prepare)
			await wire.sql(first, its);
		await wire.sql('SELECT wa.authenticate($1)', [secret]);
		return await wire.sql(text, values);
	}
	catch (error)
	{
		if (error.code === undefined)
			throw error;
		return error.code;
	}
	finally
	{
		await wire.sql('ROLLBACK');
	}
}

const idColumn = (table) => (table === 'session' ? 'id' : 'session_id');

test('no table shows a row of a live session, whatever the statement; the control: a live key sees them', async () =>
{
	for (const table of TABLES)
	{
		const count = async (secret) => Number((await under(secret, `SELECT count(*) AS n FROM wa.${table} WHERE ${idColumn(table)} = $1`, [live.uuid]))[0].n);
		const everything = await under(tester, `SELECT DISTINCT ${idColumn(table)} AS id FROM wa.${table}`);

		assert.equal(await count(tester), 0, table);
		assert.deepEqual(everything.filter(({ id }) => id !== sandbox.uuid), [], table);
		if (['session', 'session_pairing', 'chat', 'contact', 'message'].includes(table))
		{
			assert.equal(await count(stage.ours.key.secret), 1, table);
			assert.equal(everything.length, 1, table);
		}
	}
});

test('it cannot be made a live key, nor a session of the sandbox of a live one', async () =>
{
	const attempts = ['UPDATE wa.api_key SET is_test = false', 'SELECT is_test FROM wa.api_key', "UPDATE wa.session SET connector = 'sandbox'",
		"INSERT INTO wa.session (org_id, connector) SELECT wa.current_org(), 'none'", "SELECT wa.act_for(wa.current_org())",
		`SELECT wa.create_key('${stage.ours.org.uuid}', 'live', '{read}')`, 'SET wa.is_test = off', "SELECT wa.update_key(wa.current_key(), lift => '{sessions}')", "SELECT wa.import_key(wa.current_org(), 'x', sha256('wa_x'), '{read}')"];

	for (const attempt of attempts)
		assert.equal(await under(tester, attempt), attempt.startsWith('SET') ? '42602' : REFUSED, attempt);
	assert.equal(await under(tester, "SELECT wa.create_session('live', connector => 'none')"), '22023');
	assert.equal(await stage.db.value('SELECT count(*) FROM wa.session WHERE org_id = $1', [stage.ours.org.uuid]), '2');
	assert.equal(await stage.db.value('SELECT connector FROM wa.session WHERE id = $1', [live.uuid]), 'none');
});

test('a transaction of a test key does not become one of a live key, also by a savepoint', async () =>
{
	assert.equal(await under(stage.ours.key.secret, 'SELECT 1', [], [['SELECT wa.authenticate($1)', tester]]), '25000');
	assert.equal(await under(stage.ours.key.secret, 'SELECT 1', [], [['SAVEPOINT s'], ['SELECT wa.authenticate($1)', tester], ['ROLLBACK TO s']]), '25000');
});

test('one plan serves a live key, then a test key, each with its own', async () =>
{
	await wire.sql('SET plan_cache_mode = force_generic_plan');
	await wire.sql("PREPARE labels AS SELECT id FROM wa.session ORDER BY id");
	for (const [secret, ids] of [[stage.ours.key.secret, [live.uuid, sandbox.uuid]], [tester, [sandbox.uuid]], [stage.ours.key.secret, [live.uuid, sandbox.uuid]]])
		assert.deepEqual((await under(secret, 'EXECUTE labels')).map(({ id }) => id), ids);
	await wire.sql('RESET plan_cache_mode');
});

test('a table of an application refuses it, with a warm plan as well, until it is opened', async () =>
{
	await stage.db.sql('CREATE TABLE public.invoice (org_id uuid NOT NULL, id integer NOT NULL, PRIMARY KEY (org_id, id))');
	await stage.db.sql('INSERT INTO public.invoice VALUES ($1, 1)', [stage.ours.org.uuid]);
	await stage.db.sql('GRANT SELECT ON public.invoice TO wa_app');
	await stage.db.sql("SELECT wa.protect('public.invoice')");
	await wire.sql('PREPARE invoices AS SELECT id FROM public.invoice');
	assert.equal((await under(stage.ours.key.secret, 'EXECUTE invoices')).length, 1);
	assert.equal(await under(tester, 'EXECUTE invoices'), REFUSED);
	assert.equal(await under(tester, 'SELECT count(*) FROM public.invoice'), REFUSED);
	await stage.db.sql("SELECT wa.protect('public.invoice', test_keys => true)");
	assert.equal((await under(tester, 'EXECUTE invoices')).length, 1);
	await stage.db.sql("SELECT wa.protect('public.invoice')");
	assert.equal(await under(tester, 'EXECUTE invoices'), REFUSED);
});
