/*
 * startup.test.mjs
 *		The gateway starts only where isolation holds, and says why it does not elsewhere.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { before, test } from 'node:test';
import { Cluster, GATEWAY_LOGIN, prepareCluster } from './harness/cluster.mjs';
import { PROGRAMS, run } from './harness/processes.mjs';
import { Gateway, conninfo, runGateway, tryGateway } from './harness/programs.mjs';

let cluster, db;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
});

/* The gateway must end with 1, and its log must say this. */
function assertRefused({ code, stdout, stderr }, ...reasons)
{
	assert.equal(code, 1, stderr);
	assert.equal(stdout, '');
	assert.match(stderr, / event=cannot_start /);
	assert.doesNotMatch(stderr, / event=listening /);
	for (const reason of reasons)
		assert.match(stderr, reason);
}

test('where all is as it should be, it starts', async () =>
{
	const gateway = await Gateway.start(cluster);

	assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
	assert.doesNotMatch(gateway.log(), /level=(warning|error)/);
});

/*
 * What somebody may have done to a database: [what, SQL that does it, SQL that undoes it,
 * what the log must name].
 */
const DAMAGES = [
	['temporary tables are open to everybody', 'GRANT TEMPORARY ON DATABASE wa TO PUBLIC',
		'REVOKE TEMPORARY ON DATABASE wa FROM PUBLIC', /REVOKE TEMPORARY ON DATABASE wa FROM PUBLIC/],
	['row security is off', 'ALTER TABLE wa.message DISABLE ROW LEVEL SECURITY', 'ALTER TABLE wa.message ENABLE ROW LEVEL SECURITY',
		/wa\.message/],
	['row security is not forced', 'ALTER TABLE wa.session NO FORCE ROW LEVEL SECURITY', 'ALTER TABLE wa.session FORCE ROW LEVEL SECURITY',
		/wa\.session/],
	['a policy is gone', 'ALTER POLICY wa_read ON wa.chat RENAME TO gone', 'ALTER POLICY gone ON wa.chat RENAME TO wa_read', /wa\.chat/],
	['a table belongs to a superuser', 'ALTER TABLE wa.contact OWNER TO postgres', 'ALTER TABLE wa.contact OWNER TO wa_owner', /wa\.contact/],
	['a function belongs to a superuser', 'ALTER FUNCTION wa.me() OWNER TO postgres', 'ALTER FUNCTION wa.me() OWNER TO wa_owner', /wa\.me\(\)/],
	['a function has lost its search path', 'ALTER FUNCTION wa.me() RESET search_path',
		'ALTER FUNCTION wa.me() SET search_path = pg_catalog, pg_temp', /wa\.me\(\)/],
	['a getter is immutable', 'ALTER FUNCTION wa.current_org() IMMUTABLE', 'ALTER FUNCTION wa.current_org() STABLE', /wa\.current_org\(\)/],
	['a getter may run in a parallel worker', 'ALTER FUNCTION wa.org_for(wa.permission) PARALLEL SAFE',
		'ALTER FUNCTION wa.org_for(wa.permission) PARALLEL RESTRICTED', /wa\.org_for/],
	['digests can be read', 'GRANT SELECT ON wa.api_key TO wa_monitor', 'REVOKE SELECT ON wa.api_key FROM wa_monitor', /wa_monitor|wa\.api_key/],
	['a table is granted to everybody', 'GRANT SELECT ON wa.org TO PUBLIC', 'REVOKE SELECT ON wa.org FROM PUBLIC', /wa\.org/],
	['an application may make credentials', 'GRANT EXECUTE ON FUNCTION wa.make_secret(text) TO wa_app',
		'REVOKE EXECUTE ON FUNCTION wa.make_secret(text) FROM wa_app', /too much: EXECUTE on function wa\.make_secret\(text\) to wa_app/],
	['a function is granted to everybody', 'GRANT EXECUTE ON FUNCTION wa.act_for(uuid) TO PUBLIC',
		'REVOKE EXECUTE ON FUNCTION wa.act_for(uuid) FROM PUBLIC', /wa\.act_for\(uuid\) to PUBLIC/],
	['a column may be written', 'GRANT UPDATE (permissions) ON wa.api_key TO wa_app', 'REVOKE UPDATE (permissions) ON wa.api_key FROM wa_app',
		/UPDATE \(permissions\) on table wa\.api_key to wa_app/],
	['a privilege may be handed on', 'GRANT USAGE ON TYPE wa.secret TO wa_app WITH GRANT OPTION', 'REVOKE USAGE ON TYPE wa.secret FROM wa_app',
		/USAGE on type wa\.secret to wa_app with grant option/],
	['somebody may create in the schema', 'GRANT CREATE ON SCHEMA wa TO wa_app', 'REVOKE CREATE ON SCHEMA wa FROM wa_app',
		/CREATE on schema wa to wa_app/],
	['a privilege is missing', 'REVOKE EXECUTE ON FUNCTION wa.current_org() FROM wa_app', 'SELECT wa.reset_privileges()',
		/missing: EXECUTE on function wa\.current_org\(\) to wa_app/],
	['default privileges open what is made later', 'ALTER DEFAULT PRIVILEGES IN SCHEMA wa GRANT EXECUTE ON FUNCTIONS TO wa_app',
		'ALTER DEFAULT PRIVILEGES IN SCHEMA wa REVOKE EXECUTE ON FUNCTIONS FROM wa_app', /ALTER DEFAULT PRIVILEGES [^"]* IN SCHEMA wa/],
	['a group role has the rights of another', 'GRANT wa_admin TO wa_app', 'REVOKE wa_admin FROM wa_app', /REVOKE wa_admin FROM wa_app/],
	['the login reads all data', `GRANT pg_read_all_data TO ${GATEWAY_LOGIN}`, `REVOKE pg_read_all_data FROM ${GATEWAY_LOGIN}`, /unprivileged/],
	['an index does not lead with the organization', 'CREATE INDEX leak ON wa.message (body)', 'DROP INDEX wa.leak', /leak/],
	['revocations are not announced', 'ALTER TABLE wa.api_key DISABLE TRIGGER api_key_invalidate',
		'ALTER TABLE wa.api_key ENABLE ALWAYS TRIGGER api_key_invalidate', /api_key_invalidate/],
	['the login has no statement timeout', `ALTER ROLE ${GATEWAY_LOGIN} RESET statement_timeout`,
		`ALTER ROLE ${GATEWAY_LOGIN} SET statement_timeout = '10s'`, /statement_timeout/],
	['the login searches other schemas', `ALTER ROLE ${GATEWAY_LOGIN} SET search_path = public`,
		`ALTER ROLE ${GATEWAY_LOGIN} SET search_path = pg_catalog, pg_temp`,
		/^(?!.*not installed).*search path of a sealed role must be pg_catalog/s],
	['the login has a timeout of nothing', `ALTER ROLE ${GATEWAY_LOGIN} SET statement_timeout = 0`,
		`ALTER ROLE ${GATEWAY_LOGIN} SET statement_timeout = '10s'`, /statement_timeout/],
	['the login may bypass row security', `ALTER ROLE ${GATEWAY_LOGIN} BYPASSRLS`, `ALTER ROLE ${GATEWAY_LOGIN} NOBYPASSRLS`, /BYPASSRLS|unprivileged/],
	['the login may make roles', `ALTER ROLE ${GATEWAY_LOGIN} CREATEROLE`, `ALTER ROLE ${GATEWAY_LOGIN} NOCREATEROLE`, /CREATEROLE|unprivileged/],
	['the login is the owner', `GRANT wa_owner TO ${GATEWAY_LOGIN}`, `REVOKE wa_owner FROM ${GATEWAY_LOGIN}`, /wa_owner/],
	['the login is an administrator', `GRANT wa_admin TO ${GATEWAY_LOGIN}`, `REVOKE wa_admin FROM ${GATEWAY_LOGIN}`, /wa_admin|unprivileged/],
	['a group role can log in', 'ALTER ROLE wa_owner LOGIN', 'ALTER ROLE wa_owner NOLOGIN', /wa_owner/],
	['a column keeps credentials', 'CREATE TABLE public.kept (secret wa.secret)', 'DROP TABLE public.kept', /kept\.secret/],
	['a protected table has an index that leaks, and an owner without any privilege',
		`CREATE ROLE keeper; CREATE TABLE public.kept (org_id uuid PRIMARY KEY, note text); ALTER TABLE public.kept OWNER TO keeper;
		 SELECT wa.protect('public.kept'); CREATE INDEX leak ON public.kept (note)`, 'DROP TABLE public.kept; DROP ROLE keeper', /kept: [^"]*leak: index does not lead with org_id/],
	['the owner of a protected table has dropped its policies',
		`CREATE ROLE keeper; CREATE TABLE public.kept (org_id uuid PRIMARY KEY); ALTER TABLE public.kept OWNER TO keeper; SELECT wa.protect('public.kept');
		 SET ROLE keeper; DROP POLICY wa_open_read ON public.kept; DROP POLICY wa_open_insert ON public.kept; DROP POLICY wa_open_update ON public.kept; DROP POLICY wa_open_delete ON public.kept;
		 DROP POLICY wa_read ON public.kept; DROP POLICY wa_insert ON public.kept;
		 DROP POLICY wa_update ON public.kept; DROP POLICY wa_delete ON public.kept; ALTER TABLE public.kept DISABLE ROW LEVEL SECURITY; RESET ROLE`,
		'DROP TABLE public.kept; DROP ROLE keeper', /kept: policies of wa\.protect\(\) or forced row security are missing/],
	['a table of a restored dump is missing', "INSERT INTO wa.unrestored VALUES ('session')", 'SELECT wa.finish_restore()',
		/restored dumps are complete[^\n]*session/],
	['the extension is older than needed', "UPDATE pg_extension SET extversion = '0.9' WHERE extname = 'wa_apikeys'",
		"UPDATE pg_extension SET extversion = '1.0' WHERE extname = 'wa_apikeys'", /older.*installed=0\.9/],
	['a statement is not registered', "CREATE TABLE public.spare AS DELETE_",
		'INSERT INTO wa.statement SELECT * FROM public.spare; DROP TABLE public.spare', /statement_refused statement=me /],
	['no statement is registered', 'CREATE TABLE public.spare AS SELECT * FROM wa.statement; DELETE FROM wa.statement',
		'INSERT INTO wa.statement SELECT * FROM public.spare; DROP TABLE public.spare', /statement was refused/],
];

for (const [what, damage, repair, reason] of DAMAGES)
{
	test(`it does not start where ${what}`, async () =>
	{
		await db.sql(damage.replace('DELETE_',
			"SELECT * FROM wa.statement WHERE name = 'me' AND role_name = 'wa_gateway'; DELETE FROM wa.statement WHERE name = 'me' AND role_name = 'wa_gateway'"));
		try
		{
			assertRefused(tryGateway(cluster), reason);
		}
		finally
		{
			await db.sql(repair);
		}
		assert.deepEqual(await db.sql('SELECT * FROM wa.self_check() WHERE NOT passed'), []);
	});
}

test('default privileges of the installer open nothing, and it starts', async () =>
{
	cluster.createDatabase('generous');
	cluster.psql('generous', ['FUNCTIONS', 'TABLES', 'TYPES', 'SCHEMAS', 'SEQUENCES']
		.map((kind) => `ALTER DEFAULT PRIVILEGES GRANT ALL ON ${kind} TO PUBLIC, wa_app;`).join('\n'));
	cluster.prepare('generous');
	for (const called of ["wa.make_secret('api_key')", "wa.create_user('eve@example.com', 'Eve')", `wa.act_for('${randomUUID()}')`])
		assert.throws(() => cluster.psql('generous', `SET ROLE wa_app; SELECT ${called}`), /permission denied for function/);
	await (await Gateway.start(cluster, { database: 'generous' })).stop();
});

/*
 * What sql/strangers.sql shows one by one, all together, and many of each: a member of
 * wa_app and a login without any membership, both with a schema of their own.
 */
test('it starts, and no later, whatever others make in their own schemas', async () =>
{
	const many = (what) => `SELECT format(${what}) FROM generate_series(1, 500) n \\gexec`;

	cluster.createDatabase('crowded');
	cluster.prepare('crowded');
	cluster.psql('crowded', `CREATE ROLE mallory LOGIN IN ROLE wa_app; CREATE ROLE eve LOGIN;
		CREATE SCHEMA mallory AUTHORIZATION mallory; CREATE SCHEMA eve AUTHORIZATION eve;
		CREATE TABLE public.bill (org_id uuid PRIMARY KEY); GRANT SELECT, UPDATE ON public.bill TO PUBLIC; SELECT wa.protect('public.bill');
		SET SESSION AUTHORIZATION eve; GRANT USAGE ON SCHEMA eve TO PUBLIC;
		CREATE TABLE eve.t (a int); CREATE POLICY wa_closed ON eve.t AS RESTRICTIVE TO wa_gateway, wa_app USING (a > 1);
		CREATE MATERIALIZED VIEW eve.kept AS SELECT * FROM public.bill; GRANT SELECT ON eve.kept TO PUBLIC;
		ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
		SET SESSION AUTHORIZATION mallory;
		ALTER DEFAULT PRIVILEGES IN SCHEMA wa GRANT ALL ON TABLES TO PUBLIC;
		CREATE FUNCTION mallory.f() RETURNS bigint LANGUAGE sql AS 'SELECT 1';
		CREATE VIEW mallory.v0 WITH (security_invoker) AS SELECT 1 AS n FROM wa.session, wa.chat, wa.message, wa.event, wa.api_key, public.bill;
		${many("'CREATE TABLE mallory.t%s (s wa.secret); CREATE POLICY wa_read ON mallory.t%1$s USING (mallory.f() = 1)', n")}
		${many("'CREATE VIEW mallory.v%s WITH (security_invoker) AS SELECT n FROM mallory.v%s', n, n - 1")}
		${many("'CREATE MATERIALIZED VIEW mallory.m%s AS SELECT n FROM mallory.v%1$s WITH NO DATA', n")}
		${many("'CREATE VIEW mallory.w%s AS SELECT n FROM mallory.v%1$s', n")}
		${many("'CREATE FUNCTION mallory.f%s() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) + mallory.f() FROM wa.session; END', n")}
		GRANT SELECT ON ALL TABLES IN SCHEMA mallory TO PUBLIC;`);

	/* who may write to a table, a protected one as well, can keep everybody out of it */
	const mallory = await cluster.open('crowded', 'mallory');

	await mallory.sql('BEGIN');
	await mallory.sql('LOCK TABLE public.bill, mallory.t1 IN ACCESS EXCLUSIVE MODE');

	/* what looks at each of them as often as there are ways to it is never ready */
	await (await Gateway.start(cluster, { database: 'crowded' })).stop();
	await mallory.close();
	cluster.psql('crowded', 'CREATE INDEX leak ON wa.message (body)');
	assertRefused(tryGateway(cluster, { database: 'crowded' }), /detail="wa\.message: wa\.leak: index does not lead with org_id"/);
});

test('it does not start with a login that is a superuser, not a gateway, or nobody', async () =>
{
	await db.sql("CREATE ROLE root_login LOGIN SUPERUSER");
	assertRefused(tryGateway(cluster, { user: 'root_login' }), /root_login|superuser/);
	await db.sql("DROP ROLE root_login; CREATE ROLE root_gateway LOGIN SUPERUSER IN ROLE wa_gateway; ALTER ROLE root_gateway SET search_path = pg_catalog, pg_temp");
	assertRefused(tryGateway(cluster, { user: 'root_gateway' }), /superuser/);
	assertRefused(tryGateway(cluster), /root_gateway/);
	await db.sql('DROP ROLE root_gateway; CREATE ROLE app LOGIN IN ROLE wa_app; CREATE ROLE stranger LOGIN');
	for (const user of ['app', 'stranger'])
		assertRefused(tryGateway(cluster, { user }));
	assertRefused(tryGateway(cluster, { user: 'wa_sandbox_login' }), /or the login has another role/);
	assertRefused(tryGateway(cluster, { user: 'nobody_of_this_name' }), /nobody_of_this_name/);
});

test('it does not start where the extension is missing, or the database', async () =>
{
	cluster.createDatabase('bare');
	assertRefused(tryGateway(cluster, { database: 'bare' }), /extension wa_apikeys is not installed/);
	assertRefused(tryGateway(cluster, { database: 'nowhere' }), /nowhere/);
	assertRefused(runGateway(['--listen', '127.0.0.1:0', '--database-wait', '0', '--database', 'host=/nonexistent dbname=wa']), /could not connect/);
});

test('it does not start where the library is not preloaded, so that nothing is sealed', async () =>
{
	const unsealed = new Cluster(["shared_preload_libraries = ''"]);

	unsealed.createDatabase('wa');
	unsealed.prepare('wa');
	assertRefused(tryGateway(unsealed), /shared_preload_libraries/);
	unsealed.configure(["shared_preload_libraries = 'wa_apikeys'"]);
	unsealed.stop();
	unsealed.start();
	await (await Gateway.start(unsealed)).stop();
});

test('it does not start on a port that is taken', async () =>
{
	const gateway = await Gateway.start(cluster);

	for (const workers of [[], ['--workers', '2']])
		assertRefused(runGateway(['--listen', `127.0.0.1:${gateway.port}`, '--database', conninfo(cluster, 'wa', GATEWAY_LOGIN), ...workers]),
			/Address already in use/);
	await gateway.stop();
});

test('--help and --version say what there is, without a database', () =>
{
	for (const program of ['wa-gateway', 'wa-sandbox'])
	{
		const help = run(path.join(PROGRAMS, program), ['--help']);
		const version = run(path.join(PROGRAMS, program), ['--version']);

		assert.equal(help.code, 0);
		for (const option of ['--database', '--log-level', '--check-config', '--version'])
			assert.match(help.stdout, new RegExp(option));
		assert.equal(version.code, 0);
		assert.match(version.stdout, new RegExp(`^${program} [0-9]+\\.[0-9]+\n$`));
	}
	assert.match(run(path.join(PROGRAMS, 'wa-gateway'), ['--help']).stdout, /WA_LISTEN[^]*WA_DATABASE/);
});

test('a flag that is wrong: exit code 2, and what is wrong, but not its value', () =>
{
	const wrong = [['--nothing'], ['--listen'], ['--workers', 'many'], ['--workers', '0'], ['--workers', '1000'], ['--db-queue', '-1'],
		['--request-timeout', '1e9'], ['--request-timeout', ''], ['--log-level', 'loud'], ['serve'], ['-x'], ['--workers=2x']];

	for (const args of wrong)
	{
		const { code, stdout, stderr } = runGateway(args);

		assert.equal(code, 2, args.join(' '));
		assert.equal(stdout, '');
		assert.match(stderr, /wa-gateway/);
	}
	assert.equal(runGateway([], { WA_WORKERS: 'password-in-the-wrong-place' }).code, 2);
	assert.doesNotMatch(runGateway([], { WA_WORKERS: 'password-in-the-wrong-place' }).stderr, /password-in/);
	assert.match(runGateway([], { WA_WORKERS: 'x' }).stderr, /WA_WORKERS/);
});

test('--check-config looks at the settings without a database and without listening', () =>
{
	const good = runGateway(['--check-config', '--database', 'host=/nonexistent password=hunter2']);
	const bad = [['--listen', 'nowhere'], ['--listen', '127.0.0.1:99999'], ['--database', 'host=/x nonsense=1 password=hunter2'],
		['--database', 'postgresql://%zz'], ['--tls-cert', '/nonexistent'], ['--tls-cert', '/etc/hostname', '--tls-key', '/etc/hostname']];

	assert.equal(good.code, 0);
	assert.doesNotMatch(good.stdout + good.stderr, /hunter2/);
	for (const args of bad)
	{
		const { code, stdout, stderr } = runGateway(['--check-config', ...args]);

		assert.equal(code, 1, args.join(' '));
		assert.match(stderr, /event=cannot_start reason=/);
		assert.doesNotMatch(stdout + stderr, /hunter2/);
	}
});

test('settings come from the environment too, and a flag goes first', async () =>
{
	const env = { WA_DATABASE: conninfo(cluster, 'nowhere', GATEWAY_LOGIN), WA_LISTEN: '127.0.0.1:0', WA_DATABASE_WAIT: '0' };

	assertRefused(runGateway([], env), /nowhere/);

	const gateway = await Gateway.start(cluster, { env });

	await gateway.stop();
});
