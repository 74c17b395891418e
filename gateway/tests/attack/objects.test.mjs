/*
 * objects.test.mjs
 *		What somebody makes, or writes past the functions, opens nothing
 *		(P19 P20 P21 P22 P23 P26 P27 P28 P39).
 *
 * As a login of wa_app that may create and has ours' key, beside the naive twin; and the same
 * SQL as each sealed login, which is refused all of it.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createKey } from '../e2e/harness/tenants.mjs';
import { message } from '../e2e/harness/wire.mjs';
import { APP, LOGINS, REFUSED, Stage, buildNaiveTwin, marks, told } from './stage.mjs';

let stage, app;

before(async () =>
{
	stage = await Stage.set();
	await buildNaiveTwin(stage);
	await stage.db.sql(`
		GRANT TEMPORARY, CREATE ON DATABASE wa TO ${APP}; GRANT CREATE ON SCHEMA public, naive TO ${APP};
		CREATE TABLE public.item (org_id uuid NOT NULL, id integer, body text, PRIMARY KEY (org_id, id));
		INSERT INTO public.item VALUES ('${stage.ours.org.uuid}', 1, 'our item'), ('${stage.theirs.org.uuid}', 1, 'their item'), ('${stage.theirs.org.uuid}', 2, 'another of theirs');
		SELECT wa.protect('public.item');
		GRANT SELECT, INSERT, UPDATE, DELETE ON public.item TO ${APP}`);
	app = await stage.open(APP);
	await app.sql("SET naive.org = 'ours'");
});

const bound = (sql, tenant = stage.ours) => app.exchange(message.query(`SELECT wa.authenticate('${tenant.key.secret}') IS NOT NULL AS bound; ${sql}`));

/* The rows of all but the binding. */
async function rows(sql, tenant)
{
	const got = await bound(sql, tenant);

	if (got.error)
		throw got.error;
	return got.rows.filter((row) => !('bound' in row));
}

async function refused(...texts)
{
	for (const role of Object.keys(LOGINS))
	{
		const wire = await stage.open(role);

		for (const sql of texts)
		{
			const got = await wire.exchange(message.query(sql));

			assert.notEqual(got.error, null, sql);
			assert.deepEqual(got.rows, [], sql);
			assert.deepEqual(got.commands, [], sql);
			assert.equal(got.status, 'I', sql);
		}
		await wire.close();
	}
}

const theirItems = () => stage.db.sql('SELECT id, body FROM public.item WHERE org_id = $1 ORDER BY id', [stage.theirs.org.uuid]);

/* A condition that tells what it is given. */
const LEAKY = `
	CREATE FUNCTION public.tell(what text) RETURNS boolean LANGUAGE plpgsql COST 0.0001
		AS $$BEGIN RAISE NOTICE 'told: %', what; RETURN true; END$$`;

test('ON CONFLICT and MERGE with conditions that leak reach one\'s own rows only (P19)', async () =>
{
	const before = await theirItems();
	const org = stage.theirs.org.uuid;
	const told = [];

	await app.sql(LEAKY);

	/* notices are messages of type N, which receive() only counts */
	const attacks = [
		[`INSERT INTO public.item VALUES ('${org}', 1, 'x') ON CONFLICT (org_id, id) DO UPDATE SET body = 'taken' WHERE public.tell(item.body)`, REFUSED],
		[`INSERT INTO public.item VALUES ('${org}', 99, 'x') ON CONFLICT (org_id, id) DO UPDATE SET body = 'taken' WHERE public.tell(item.body)`, REFUSED],
		[`INSERT INTO public.item VALUES ('${org}', 1, 'x') ON CONFLICT DO NOTHING`, REFUSED],
		[`INSERT INTO public.item VALUES ('${org}', 99, 'x') ON CONFLICT DO NOTHING`, REFUSED],
		[`MERGE INTO public.item i USING (VALUES ('${org}'::uuid, 1)) v (org_id, id) ON i.org_id = v.org_id AND i.id = v.id AND public.tell(i.body) WHEN MATCHED THEN UPDATE SET body = 'taken' WHEN NOT MATCHED THEN DO NOTHING`, null],
		[`MERGE INTO public.item i USING (VALUES ('${org}'::uuid, 99)) v (org_id, id) ON i.org_id = v.org_id AND i.id = v.id WHEN NOT MATCHED THEN INSERT VALUES (v.org_id, v.id, 'x')`, REFUSED],
		[`UPDATE public.item SET body = 'taken' WHERE public.tell(body) AND org_id = '${org}'`, null],
		[`DELETE FROM public.item WHERE public.tell(body) AND org_id = '${org}'`, null],
		[`UPDATE public.item SET org_id = '${org}', id = 50`, REFUSED],
	];

	for (const [sql, code] of attacks)
	{
		const got = await bound(sql);

		assert.equal(got.error?.code ?? null, code, sql);
		assert.ok(!got.types.includes('N'), sql);
		told.push(got.types);
	}
	assert.deepEqual(await theirItems(), before);

	/* the control: of one's own rows it tells */
	assert.ok((await bound('UPDATE public.item SET body = body WHERE public.tell(body)')).types.includes('N'));
});

test('a permissive policy that is added later, or a restrictive one that goes, opens nothing (P20)', async () =>
{
	await stage.db.sql('CREATE POLICY more ON naive.note FOR SELECT USING (true); CREATE POLICY more ON wa.session FOR SELECT USING (true)');
	/* the control */
	assert.equal((await app.sql("SELECT DISTINCT org FROM naive.note")).length, 2);
	assert.deepEqual((await rows('SELECT id FROM wa.session')).map((row) => row.id), [stage.ours.session.uuid]);
	assert.notEqual((await app.exchange(message.query('SELECT id FROM wa.session'))).error, null);
	await stage.db.sql('DROP POLICY more ON naive.note; DROP POLICY more ON wa.session');
});

test('a missing permission is an error also where there is no row (P20)', async () =>
{
	const sends = await createKey(stage.db, stage.ours.org, ['send']);

	for (const sql of ['SELECT id FROM wa.session', "SELECT id FROM wa.session WHERE label = 'none'", 'SELECT count(*) FROM wa.message', 'SELECT id FROM wa.session LIMIT 0',
		'SELECT EXISTS (SELECT FROM wa.message)', 'SELECT 1 FROM wa.chat c JOIN wa.message m ON false'])
	{
		const got = await app.exchange(message.query(`SELECT wa.authenticate('${sends.secret}') IS NOT NULL AS bound; ${sql}`));

		assert.equal(got.error?.code, REFUSED, sql);
	}
	/* a request says what it needs, and that does not rest on any row */
	assert.equal((await app.exchange(message.query(`SELECT wa.authenticate('${sends.secret}', 'read')`))).error?.code, REFUSED);
});

test('keys are not written, and none makes another (P21)', async () =>
{
	/* the control */
	assert.equal((await app.exchange(message.query("UPDATE naive.key SET permissions = 'all'"))).commands[0], 'UPDATE 2');

	const state = () => stage.db.sql('SELECT md5(string_agg(k::text, E\'\\n\' ORDER BY k.id)) FROM wa.api_key k');
	const before = await state();
	const org = stage.ours.org.uuid;
	const attacks = [
		"UPDATE wa.api_key SET permissions = '{read,send,manage,events}'", 'SELECT * FROM wa.api_key', 'SELECT digest FROM wa.api_key', 'DELETE FROM wa.api_key',
		`INSERT INTO wa.api_key (org_id, name) VALUES ('${org}', 'x')`, `SELECT wa.create_key('${org}', 'x', '{read}')`, `SELECT wa.create_key('${stage.theirs.org.uuid}', 'x', '{read}')`,
		`SELECT wa.rotate_key('${stage.ours.key.uuid}', '1 day')`, `SELECT wa.update_key('${stage.ours.key.uuid}', permissions => '{read,send,manage,events}')`,
		`SELECT wa.update_key('${stage.ours.key.uuid}', expires_at => 'infinity')`, `SELECT wa.revoke_key('${stage.theirs.key.uuid}')`, "SELECT wa.make_secret('api_key')",
		`SELECT wa.create_user('x@example.com', 'x')`, 'DELETE FROM wa.audit', 'UPDATE wa.audit SET detail = NULL', 'TRUNCATE wa.audit', 'COPY wa.api_key TO STDOUT',
	];

	for (const sql of attacks)
	{
		assert.notEqual((await bound(sql)).error, null, sql);
		assert.notEqual((await app.exchange(message.query(sql))).error, null, sql);
	}
	assert.deepEqual(await state(), before);
	await refused(...attacks);

	/* and by the statements of people: an API key is no person */
	const wire = await stage.open();

	for (const { name, parameters } of stage.statements.filter((one) => one.role_name === 'wa_gateway' && /^(api_key|member|invitation|audit)_/.test(one.name)))
	{
		const got = await wire.exchange(...stage.request(stage.ours.key.secret, null, name, Array(parameters.length).fill(null).fill(stage.ours.key.uuid, 0, 1)));

		assert.notEqual(got.error, null, name);
	}
	assert.deepEqual(await state(), before);
	await wire.close();
});

test('what hides our names is not what our functions use (P22, P23)', async () =>
{
	/* the control: a definer function that pins nothing */
	await stage.db.sql(`
		CREATE FUNCTION naive.count() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN RETURN (SELECT count(*) FROM note); END$$;
		GRANT EXECUTE ON FUNCTION naive.count() TO PUBLIC`);
	await app.sql("SET search_path = pg_temp, naive, public; CREATE TEMPORARY TABLE note (id int)");
	assert.equal(await app.value('SELECT naive.count()'), '0');

	/* temporary tables, and functions and operators, with the names that ours have */
	await app.sql(`
		CREATE TEMPORARY TABLE session (org_id uuid, id uuid); CREATE TEMPORARY TABLE api_key (org_id uuid, id uuid); CREATE TEMPORARY TABLE message (id uuid);
		CREATE TEMPORARY TABLE org (id uuid); CREATE SCHEMA shadow; CREATE FUNCTION shadow.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT 'infinity'::timestamptz$$;
		CREATE FUNCTION shadow.org_for(text) RETURNS uuid LANGUAGE sql AS $$SELECT '${stage.theirs.org.uuid}'::uuid$$;
		CREATE FUNCTION shadow.uuideq(uuid, uuid) RETURNS boolean LANGUAGE sql AS $$SELECT true$$;
		CREATE OPERATOR shadow.= (FUNCTION = shadow.uuideq, LEFTARG = uuid, RIGHTARG = uuid);
		SET search_path = pg_temp, shadow, wa, pg_catalog`);
	assert.deepEqual((await rows('SELECT id FROM wa.session')).map((row) => row.id), [stage.ours.session.uuid]);

	const sent = await rows(`SELECT m.session_id FROM wa.send_message('${stage.ours.session.uuid}', '15551234567', 'text', '{"text":"x"}') AS m`);

	assert.deepEqual(sent.map((row) => row.session_id), [stage.ours.session.uuid]);
	assert.notEqual((await bound(`SELECT wa.send_message('${stage.theirs.session.uuid}', '15551234567', 'text', '{"text":"x"}')`)).error, null);
	await app.sql('RESET search_path; DROP SCHEMA shadow CASCADE; DISCARD TEMP');
	await refused('CREATE TEMPORARY TABLE session (id uuid)', 'CREATE FUNCTION pg_temp.now() RETURNS int LANGUAGE sql AS $$SELECT 1$$', 'SET search_path = pg_temp, wa');
});

test('views, materialized views and functions show the rows of who asks (P27)', async () =>
{
	/* the control: a view of somebody whom row security does not bind */
	await stage.db.sql('CREATE VIEW naive.every AS SELECT org FROM naive.note; GRANT SELECT ON naive.every TO PUBLIC');
	assert.equal((await app.sql('SELECT DISTINCT org FROM naive.every')).length, 2);

	await app.sql(`CREATE VIEW public.every AS SELECT id FROM wa.session;
		CREATE FUNCTION public.every_one() RETURNS SETOF uuid LANGUAGE sql SECURITY DEFINER AS 'SELECT id FROM wa.session'`);
	for (const sql of ['SELECT id FROM public.every', 'SELECT public.every_one() AS id', 'SELECT id FROM (TABLE wa.session) AS s', 'WITH a AS MATERIALIZED (SELECT * FROM wa.session) SELECT id FROM a'])
		for (const tenant of [stage.ours, stage.theirs])
		{
			const got = await bound(sql, tenant);

			if (got.error)
				assert.equal(got.error.code, REFUSED, sql);		/* * asks for columns that are not granted */
			else
				assert.deepEqual(got.rows.filter((row) => row.id).map((row) => row.id), [tenant.session.uuid], sql);
		}
	assert.notEqual((await app.exchange(message.query('CREATE MATERIALIZED VIEW public.kept AS SELECT id FROM wa.session'))).error, null);
	await refused('SELECT * FROM public.every', 'SELECT public.every_one()', 'CREATE VIEW public.v AS SELECT 1', 'REFRESH MATERIALIZED VIEW public.kept');
});

test('system columns, row locks and table locks are not an application\'s (P28)', async () =>
{
	/* the control */
	assert.ok((await app.sql('SELECT ctid, xmin FROM naive.note LIMIT 1')).length > 0);

	for (const sql of ['SELECT ctid FROM wa.session', 'SELECT xmin FROM wa.message', 'SELECT tableoid FROM wa.session', "SELECT currtid2('wa.session', '(0,1)')", 'SELECT 1 FROM wa.session FOR UPDATE',
		'LOCK TABLE wa.session', 'LOCK TABLE wa.message IN EXCLUSIVE MODE'])
	{
		const got = await bound(sql);

		assert.notEqual(got.error, null, sql);
		for (const mark of marks(stage.theirs))
			assert.ok(!told(got).includes(mark), sql);
	}
	await refused('SELECT ctid FROM wa.session', 'SELECT xmin FROM wa.message', "SELECT currtid2('wa.session', '(0,1)')", 'LOCK TABLE wa.session');
});

test('no sealed login changes its role or gets out by another way (P26, P39)', async () =>
{
	await refused("ALTER ROLE CURRENT_USER PASSWORD 'x'", 'ALTER ROLE CURRENT_USER SUPERUSER', "ALTER ROLE CURRENT_USER SET work_mem = '1TB'", 'ALTER ROLE CURRENT_USER RESET ALL',
		"PREPARE TRANSACTION 'x'", "COMMIT PREPARED 'x'", "SELECT pg_create_logical_replication_slot('x', 'test_decoding')", 'CREATE EXTENSION dblink', 'CREATE SERVER x FOREIGN DATA WRAPPER y',
		"CREATE SUBSCRIPTION x CONNECTION 'host=/tmp' PUBLICATION y", 'CREATE PUBLICATION x FOR ALL TABLES', "COPY (SELECT 1) TO PROGRAM 'true'", "SELECT pg_read_file('postgresql.conf')", "LOAD 'x'");
	/* the control: an unsealed login does lock itself out */
	assert.equal((await app.exchange(message.query("ALTER ROLE CURRENT_USER PASSWORD 'x'"))).error, null);

	const wire = await stage.open();

	assert.deepEqual(await stage.sessions(wire, stage.ours), [stage.ours.session.uuid]);
	await wire.close();
});
