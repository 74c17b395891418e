/*
 * install.test.mjs
 *		Installing, updating and administering where everything but pg_catalog is a trap.
 *
 * mallory has no privileges but to create in some schemas, and has filled them with better
 * matches for whatever the scripts could mean (harness/traps.sql).  A superuser installs,
 * updates and works there, with these schemas in the search path, in front of pg_catalog.
 * No trap may be stepped into, and nothing may be bound to one.  The controls are the same
 * scripts without their first statement.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { Cluster } from './harness/cluster.mjs';
import { ROOT, SCRIPTS, makePlace, must, postgresFolder, run } from './harness/processes.mjs';

const PIN = 'SET LOCAL search_path = pg_catalog, pg_temp;\n';
const PINNED = { search_path: 'pg_catalog, pg_temp' };
const RELEASE = '1.0';

/* pgcrypto's, everybody's, and the one of the superuser's name. */
const SCHEMAS = ['crypto', 'public', 'postgres'];
const HOSTILE_PATH = [...SCHEMAS, 'pg_catalog'].join(', ');

const TRAPS = fs.readFileSync(new URL('harness/traps.sql', import.meta.url), 'utf8');
const TRAPPED = { code: '09000' };

let extensions, script, update, cluster, ours;

/* A version of the extension of this test's own; what it requires is in its path. */
function makeVersion(name, text, requires)
{
	fs.writeFileSync(path.join(extensions, `wa_apikeys--${name}.sql`), text);
	if (requires)
		fs.writeFileSync(path.join(extensions, `wa_apikeys--${name.split('--').at(-1)}.control`), `requires = '${requires}'\n`);
}

function withoutPin(text)
{
	assert.ok(text.includes(PIN));
	return text.replace(PIN, '');
}

/*
 * An update that has a bit of everything a release may bring, made as `make` makes it from
 * a file in schema/updates.
 */
function buildUpdate(name)
{
	const place = makePlace();
	const body = fs.readFileSync(path.join(ROOT, 'schema/94-ownership.sql'), 'utf8') + `
		CREATE TABLE wa.note (
			org_id uuid NOT NULL REFERENCES wa.org,
			kind text NOT NULL CHECK (kind IN ('long', 'short') AND char_length(kind) < 10),
			permission wa.permission NOT NULL CHECK (permission <> 'read'),
			keep_until timestamptz NOT NULL DEFAULT now() + interval '1 day' CHECK (isfinite(keep_until)),
			PRIMARY KEY (org_id, kind));
		CREATE POLICY stays ON wa.note USING (org_id = wa.current_org() AND kind LIKE 'l%');
		CREATE VIEW wa.noted AS SELECT n.org_id, min(n.kind) AS first, count(*) FROM wa.note n
			WHERE n.org_id IN (SELECT o.id FROM wa.org o WHERE lower(o.name) = 'x') GROUP BY n.org_id;
		CREATE FUNCTION wa.class_of(name text) RETURNS oid LANGUAGE sql STABLE STRICT PARALLEL SAFE
			SET search_path = pg_catalog, pg_temp
			RETURN (SELECT max(c.oid) FROM pg_class c WHERE c.relname = name AND c.relnamespace = 'wa'::regnamespace);
		DO $$ BEGIN
			PERFORM FROM pg_class c WHERE c.oid = 'wa.note'::regclass AND c.relowner = 'wa_owner'::regrole;
		END $$;\n`.replace(/^\t\t/gm, '');

	fs.mkdirSync(path.join(place, 'schema/updates'), { recursive: true });
	fs.writeFileSync(path.join(place, `schema/updates/${name}.sql`), body);
	fs.symlinkSync(SCRIPTS, path.join(place, 'scripts'));
	must('make', ['-s', '-C', place, '-f', path.join(ROOT, 'Makefile'), `wa_apikeys--${name}.sql`]);
	return fs.readFileSync(path.join(place, `wa_apikeys--${name}.sql`), 'utf8');
}

/* What the release makes, from a database in which nobody was before. */
function objectsOfRelease()
{
	cluster.createDatabase('reference');
	cluster.psql('reference', 'CREATE EXTENSION wa_apikeys');
	return cluster.psql('reference', `
		SELECT 'relation', relname, '{}' FROM pg_class WHERE relnamespace = 'wa'::regnamespace AND relkind IN ('r', 'v')
		UNION SELECT 'type', typname, '{}' FROM pg_type WHERE typnamespace = 'wa'::regnamespace AND typtype IN ('b', 'e') AND typelem = 0
		UNION SELECT 'function', proname, proargtypes::regtype[]::text FROM pg_proc
		WHERE pronamespace = 'wa'::regnamespace AND prokind = 'f' AND proargtypes::regtype[]::text !~ 'wa\\.|internal|cstring'`)
		.split('\n').map((line) => line.split('|'));
}

async function setTraps(database, schemas)
{
	const wire = await cluster.open(database);
	const words = [...new Set((script + update).match(/\b[a-z_][a-z0-9_]*\b/g))];

	cluster.psql(database, TRAPS);
	await wire.sql(`INSERT INTO trap.named SELECT unnest($1::text[])`, [`{${words.join()}}`]);
	for (const [kind, name, types] of ours)
		await wire.sql('INSERT INTO trap.ours VALUES ($1, $2, $3::regtype[])', [kind, name, types]);
	await wire.sql('SET ROLE mallory; SET search_path = pg_catalog, pg_temp');
	await wire.sql('CALL trap.find_types()');
	await wire.sql('CALL trap.find_signatures()');
	await wire.sql('CALL trap.make_casts()');
	for (const schema of schemas)
		await wire.sql(`CALL trap.fill('${schema}')`);
	await wire.close();
}

/* mallory's schemas, with her pgcrypto in one of them. */
async function makeSchemas(database)
{
	const mallory = await cluster.open(database, 'mallory');

	await mallory.sql('CREATE SCHEMA crypto; CREATE SCHEMA postgres; CREATE EXTENSION pgcrypto SCHEMA crypto');
	await mallory.close();
}

/* A database like another one, in which every session begins with the hostile path. */
async function copyDatabase(name, template)
{
	cluster.psql('postgres', `CREATE DATABASE ${name} TEMPLATE ${template};
		ALTER DATABASE ${name} SET search_path = ${HOSTILE_PATH}`);
}

/* A superuser's session there, with traps in its own temporary schema. */
async function openTrapped(database)
{
	const wire = await cluster.open(database);

	await wire.sql("SET search_path = pg_catalog; CALL trap.fill_names('pg_temp'); RESET search_path");
	return wire;
}

/* How many traps were stepped into since the last time. */
async function steps(database)
{
	const wire = await cluster.open(database, 'postgres', PINNED);
	const count = Number(await wire.value('SELECT trap.count()'));

	await wire.close();
	return count;
}

/*
 * Objects of the extension, with what belongs to them (policies, defaults, constraints,
 * triggers, bodies that are stored parsed), that depend on something that is neither the
 * extension's nor PostgreSQL's.
 */
async function boundElsewhere(database)
{
	const wire = await cluster.open(database, 'postgres', PINNED);
	const bound = await wire.sql(`
		WITH RECURSIVE ours AS (
			SELECT 'pg_extension'::regclass::oid AS class, oid AS object FROM pg_extension WHERE extname = 'wa_apikeys'
			UNION SELECT d.classid, d.objid FROM pg_depend d JOIN ours o ON o.class = d.refclassid AND o.object = d.refobjid
			WHERE d.deptype IN ('e', 'i', 'a'))
		SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS object,
			pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) AS elsewhere
		FROM pg_depend d JOIN ours o ON o.class = d.classid AND o.object = d.objid
		WHERE d.refobjid >= 16384 AND (d.refclassid, d.refobjid) NOT IN (SELECT class, object FROM ours)`);

	await wire.close();
	return bound;
}

before(async () =>
{
	/* what this file and its children use from here on: nothing is put into the one that is tested */
	process.env.PG_CONFIG = must(path.join(SCRIPTS, 'private-server'), [makePlace()]).trim();
	extensions = path.join(postgresFolder('sharedir'), 'extension');
	script = fs.readFileSync(path.join(extensions, `wa_apikeys--${RELEASE}.sql`), 'utf8');
	update = buildUpdate(`${RELEASE}--pinned`);
	makeVersion('open', withoutPin(script), 'pgcrypto');
	makeVersion('required', script, 'pgcrypto');
	makeVersion('early_temp', script.replace(PIN, 'SET LOCAL search_path = pg_catalog;\n'));
	makeVersion(`${RELEASE}--pinned`, update, 'pgcrypto');
	makeVersion(`${RELEASE}--unpinned`, withoutPin(update), 'pgcrypto');

	cluster = new Cluster();
	ours = objectsOfRelease();
	cluster.psql('postgres', 'CREATE ROLE mallory LOGIN; CREATE DATABASE plain; CREATE DATABASE upgraded');
	for (const database of ['plain', 'upgraded'])
		cluster.psql(database, `GRANT CREATE ON DATABASE ${database} TO mallory; GRANT CREATE ON SCHEMA public TO mallory`);
	await makeSchemas('plain');
	await copyDatabase('trapped', 'plain');
	await setTraps('trapped', SCHEMAS);
});

test('each kind of trap bites who does not pin the path', async () =>
{
	await copyDatabase('control', 'trapped');

	const wire = await openTrapped('control');

	await wire.sql('SET search_path = pg_catalog, crypto');
	for (const statement of ["SELECT 1::pg_catalog.oid = 'pg_class'::regclass", "SELECT pg_catalog.lower('x') ~ 'x'::name",
		'SELECT has_table_privilege(1::int2, \'SELECT\'::name)', "SELECT lower('x'::name)", "SELECT current_org()"])
		await assert.rejects(wire.sql(statement), TRAPPED, statement);
	await wire.sql('SET search_path = crypto, pg_catalog');
	for (const statement of ['SELECT relname FROM pg_class', "SELECT 'x'::text", 'TABLE api_key', "SELECT 'x'::secret",
		'SELECT (1::pg_catalog.int4)::trap.anything'])
		await assert.rejects(wire.sql(statement), TRAPPED, statement);
	assert.equal(await steps('control'), 10);
	await wire.close();
});

test('the release is installed among the traps without stepping into one, by hand and by logins.sql', async () =>
{
	await copyDatabase('installed', 'trapped');

	const wire = await openTrapped('installed');

	await wire.sql('CREATE EXTENSION wa_apikeys');
	await wire.close();
	cluster.prepare('installed');
	await copyDatabase('prepared', 'trapped');
	cluster.prepare('prepared');
	for (const database of ['installed', 'prepared'])
	{
		assert.equal(await steps(database), 0);
		assert.deepEqual(await boundElsewhere(database), []);
		cluster.prepare(database);	/* and again, as after an upgrade */
		assert.equal(await steps(database), 0);
	}
});

test('the same script without its first statement steps into one; with it the schemas of required extensions do no harm', async () =>
{
	await copyDatabase('required', 'trapped');

	const wire = await openTrapped('required');

	await assert.rejects(wire.sql("CREATE EXTENSION wa_apikeys VERSION 'open'"), TRAPPED);
	assert.equal(await steps('required'), 1);
	await assert.rejects(wire.sql("CREATE EXTENSION wa_apikeys VERSION 'early_temp'"), TRAPPED, 'pg_temp first');
	assert.equal(await steps('required'), 1);
	await wire.sql("CREATE EXTENSION wa_apikeys VERSION 'required'");
	assert.equal(await steps('required'), 0);
	assert.deepEqual((await boundElsewhere('required')).map((row) => row.elsewhere), ['extension pgcrypto']);
	await wire.close();
});

test('mallory becomes a superuser by the script without its first statement, and not by ours', async () =>
{
	await copyDatabase('taken', 'plain');

	const mallory = await cluster.open('taken', 'mallory', PINNED);
	const wire = await cluster.open('taken', 'postgres', PINNED);
	const isSuperuser = async () => await wire.value("SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'");

	await mallory.sql(`
		CREATE FUNCTION crypto.take(oid, regnamespace) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
		BEGIN
			IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
				ALTER ROLE mallory SUPERUSER;
			END IF;
			RETURN $1 OPERATOR(pg_catalog.=) $2::oid;
		END $$;
		CREATE OPERATOR crypto.= (FUNCTION = crypto.take, LEFTARG = oid, RIGHTARG = regnamespace)`);
	for (const [version, taken] of [['open', 't'], ['required', 'f'], [RELEASE, 'f']])
	{
		await wire.sql(`CREATE EXTENSION wa_apikeys VERSION '${version}'`);
		assert.equal(await isSuperuser(), taken, version);
		await wire.sql('ALTER ROLE mallory NOSUPERUSER; DROP EXTENSION wa_apikeys');
	}
	await wire.close();
	await mallory.close();
});

test('who owns pgcrypto, its schema, or the one of the superuser\'s name takes nothing of ours away by dropping it', async () =>
{
	await copyDatabase('dropped', 'plain');
	cluster.psql('dropped', 'CREATE EXTENSION wa_apikeys');

	const mallory = await cluster.open('dropped', 'mallory', PINNED);

	await mallory.sql('DROP EXTENSION pgcrypto CASCADE; DROP SCHEMA crypto CASCADE; DROP SCHEMA postgres CASCADE');
	assert.equal(cluster.psql('dropped', "SELECT count(*) FROM pg_extension WHERE extname = 'wa_apikeys'"), '1');
	assert.match(cluster.psql('dropped', "SELECT initial_password FROM wa.create_user('ann@example.com', 'Ann')"), /^\S{12}/);
	await mallory.close();
});

test('what is bound to a trap would be noticed', async () =>
{
	await copyDatabase('noticed', 'installed');
	cluster.psql('noticed', `CREATE POLICY stray ON wa.org USING (name = 'x');
		ALTER TABLE wa.org ALTER name SET DEFAULT pg_catalog.lower('x') || 'y'`);
	assert.deepEqual((await boundElsewhere('noticed')).map((row) => row.elsewhere).sort(),
		['operator crypto.=(text,text)', 'operator crypto.||(text,text)']);
});

/* The tasks of housekeeping, which a wrong one is told. */
async function housekeepingTasks(wire)
{
	const { message } = await wire.sql("SELECT wa.housekeep('x', 1)").then(() => assert.fail('x is no task'), (error) => error);

	return message.slice(message.indexOf('must be ') + 8).split(/, | or /);
}

/*
 * The session's path has every schema of mallory's in front of pg_catalog; so these name
 * nothing but what is called, and give literals.
 */
test('a superuser works with the extension among the traps: functions, views, triggers, defaults, checks', async () =>
{
	const wire = await openTrapped('installed');
	const org = await wire.value("SELECT wa.create_org('Acme')");
	const secret = await wire.value(`SELECT secret FROM wa.create_key('${org}', 'shop', '{read,send,manage,events}')`);
	const person = await wire.value("SELECT id FROM wa.create_user('ann@example.com', 'Ann', 'correct horse')");
	const session = await wire.value(`INSERT INTO wa.session (org_id, label, status) VALUES ('${org}', 'phone', 'working') RETURNING id`);

	await wire.sql("SELECT wa.define_permission('files:read', 'reads files')");

	const [own] = await wire.sql(`SELECT id, secret FROM wa.create_key('${org}', 'own', '{read}', own_permissions => '{files:read}')`);
	const moved = await wire.value(`SELECT wa.import_key('${org}', 'moved, too', wa.hash_key('wa_from-another-system-0123456789'), '{read}')`);

	for (const statement of [
		`SELECT wa.add_member('${org}', '${person}', 'owner')`,
		`SELECT wa.reset_password('${person}')`,
		`INSERT INTO wa.chat (org_id, session_id, jid, type) VALUES ('${org}', '${session}', '15550001111@s.whatsapp.net', 'dm')`,
		`INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status)
			VALUES ('${org}', '${session}', '15550001111@s.whatsapp.net', 'in', 'text', 'hello', 'delivered')`,
		`INSERT INTO wa.webhook (org_id, url, secret) VALUES ('${org}', 'https://example.com/', 'whsec_0123456789abcdef')`,
		`UPDATE wa.session SET status = 'stopped'`,
		`BEGIN; SELECT wa.authenticate('${secret}', 'read'); SELECT * FROM wa.session; SELECT * FROM wa.message; COMMIT`,
		'CREATE TABLE postgres.invoice (org_id pg_catalog.uuid NOT NULL, id pg_catalog.int4 NOT NULL, PRIMARY KEY (org_id, id))',
		"SELECT wa.protect('postgres.invoice')", "SELECT * FROM wa.leaks('postgres.invoice', 'org_id')",
		"SELECT wa.is_protected('postgres.invoice')", "SELECT wa.unprotect('postgres.invoice')",
		...(await housekeepingTasks(wire)).map((task) => `SELECT wa.housekeep('${task}', 10)`),
		'SELECT wa.flush_key_usage()', 'TABLE wa.keys', 'TABLE wa.people', 'TABLE wa.audit', 'TABLE wa.event', 'TABLE wa.delivery',
		`SELECT wa.set_org_limit('${org}', 'sessions', 9)`,
		`SELECT wa.set_event_days('${org}', 7)`, `SELECT wa.set_media_days('${org}', 30)`, 'SELECT * FROM wa.default_limits()', 'SELECT wa.set_media_scan(false)', 'TABLE wa.key_usage', 'TABLE wa.protected',
		`SELECT * FROM wa.import_keys('list', '${org}', '{"name": "moved", "digest": "${'ab'.repeat(32)}", "permissions": ["read"]}')`,
		`SELECT * FROM wa.explain_denial('${secret}', 'read')`, "SELECT * FROM wa.find_key('shop')", `SELECT wa.rotate_key('${own.id}', '1 day')`,
		`SELECT wa.update_key('${moved}', name => 'moved here', permissions => '{read,send}', lift => '{sessions}', addresses => '{192.0.2.1}', per_minute => 60)`,
		`SELECT wa.disable_key('${moved}')`, `SELECT wa.enable_key('${moved}')`,
		'SELECT * FROM wa.event_writers()', `SELECT * FROM wa.tail_events('${org}')`, `SELECT * FROM wa.tail_events('${org}', '00000000-0000-0000-0000-000000000000', '{key.revoked}')`, `SELECT wa.audit_head('${org}')`, `SELECT * FROM wa.verify_audit('${org}')`,
		"SELECT wa.set_scanner_keys('github', '{\"public_keys\": []}')", `SELECT wa.revoke_secret('${own.secret}', 'found')`,
		`SELECT wa.revoke_key('${org}', 'shop')`, `SELECT wa.revoke_keys('${org}')`, `SELECT wa.disable_user('${person}')`, `SELECT wa.enable_user('${person}')`,
		"SELECT wa.drop_permission('files:read')", `SELECT wa.set_key_policy('${org}', 7, 30)`, 'DELETE FROM wa.message',
	])
		await wire.sql(statement).catch((error) => assert.fail(`${statement}: ${error.message}`));

	const checks = await wire.sql('SELECT * FROM wa.self_check()');

	assert.deepEqual(checks.filter((row) => row.passed !== 't'), []);
	assert.ok(checks.length > 20);
	assert.equal(await steps('installed'), 0);
	await wire.close();
});

test('the documentation lists what is there, asked among the traps', async () =>
{
	const programs = path.dirname(process.env.PG_CONFIG);

	must(path.join(SCRIPTS, 'reference'), ['--check'],
		{ env: { ...cluster.environment('installed'), PATH: `${programs}:${process.env.PATH}` } });
	assert.equal(await steps('installed'), 0);
});

test('an update steps into no trap, not for our own types either; without its first statement it does', async () =>
{
	/* mallory may use the types of schema wa by now */
	await makeSchemas('upgraded');
	cluster.psql('upgraded', 'CREATE EXTENSION wa_apikeys; GRANT wa_app TO mallory');
	await setTraps('upgraded', ['crypto']);
	await copyDatabase('unpinned', 'upgraded');
	await copyDatabase('pinned', 'upgraded');

	const wire = await openTrapped('unpinned');

	await assert.rejects(wire.sql("SET search_path = crypto, pg_catalog; SELECT 'read'::wa.permission = 'send'::wa.permission"), TRAPPED);
	assert.equal(await steps('unpinned'), 1);
	await assert.rejects(wire.sql("ALTER EXTENSION wa_apikeys UPDATE TO 'unpinned'"), TRAPPED);
	assert.equal(await steps('unpinned'), 1);

	const upgrade = await openTrapped('pinned');

	await upgrade.sql("ALTER EXTENSION wa_apikeys UPDATE TO 'pinned'");
	assert.equal(await steps('pinned'), 0);
	assert.deepEqual((await boundElsewhere('pinned')).map((row) => row.elsewhere), ['extension pgcrypto']);
	await wire.close();
	await upgrade.close();
});

test('the build refuses a script without the first statement, and one that changes the path', () =>
{
	const place = makePlace();
	const check = (text) =>
	{
		const file = path.join(place, 'script.sql');

		fs.writeFileSync(file, text);
		return run(path.join(SCRIPTS, 'extension-script'), ['check', file]).code;
	};

	assert.equal(check(script), 0);
	assert.equal(check(update), 0);
	assert.equal(check(withoutPin(script)), 1);
	assert.equal(check(`SELECT 1;\n${script}`), 1);
	for (const change of ['SET search_path = public;', 'set local search_path to public;', 'SET SCHEMA \'public\';', 'RESET ALL;',
		'RESET search_path;', "SELECT set_config('search_path', 'public', true);",
		"SELECT pg_catalog.set_config(\n\t'search_path', 'public', true);", 'SET LOCAL\n\tsearch_path = public;', "DO $$ BEGIN SET search_path = public; END $$;",
		'ALTER FUNCTION wa.me() SET search_path = public;', 'ALTER FUNCTION wa.me() RESET search_path;',
		"EXECUTE pg_catalog.format('ALTER FUNCTION %s SET search_path = pg_catalog, public', function);"])
		assert.equal(check(`${script}\n${change}\n`), 1, change);
	for (const name of fs.readdirSync(extensions).filter((each) => /^wa_apikeys--.*\.sql$/.test(each)
		&& fs.lstatSync(path.join(extensions, each)).isSymbolicLink()))
		must(path.join(SCRIPTS, 'extension-script'), ['check', path.join(extensions, name)]);
});
