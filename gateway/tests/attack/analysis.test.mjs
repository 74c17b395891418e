/*
 * analysis.test.mjs
 *		Nothing of a stranger's runs before the seal has looked, or past it (P44 P45).
 *
 * A text is analyzed before it can be refused, and an empty one is not analyzed at all.
 * The attacker may create in one schema: there he makes types whose conversion runs code
 * of his, of server functions only, stored parsed or with the rights of an application.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { message } from '../e2e/harness/wire.mjs';
import { APP, LOGINS, REFUSED, Stage, told } from './stage.mjs';

let stage, types;

before(async () =>
{
	stage = await Stage.set();
	await stage.db.sql(`CREATE SCHEMA evil AUTHORIZATION ${APP}; GRANT USAGE ON SCHEMA evil TO PUBLIC`);

	const app = await stage.open(APP);

	/* a sequence keeps its value whatever is rolled back */
	await app.sql(`
		CREATE SEQUENCE evil.ran;
		GRANT ALL ON SEQUENCE evil.ran TO PUBLIC;
		CREATE TABLE evil.loot (what text);
		CREATE FUNCTION evil.note(v text) RETURNS boolean LANGUAGE sql
			BEGIN ATOMIC SELECT nextval('evil.ran') > 0; END;
		CREATE FUNCTION evil.do(v text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
			BEGIN PERFORM nextval('evil.ran'); EXECUTE v; RETURN true; END $$;
		CREATE FUNCTION evil.steal(k text, n text, a text) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER AS $$
			BEGIN INSERT INTO evil.loot VALUES (k); RETURN wa.authenticate(k::wa.secret, n::wa.permissions, a); END $$;
		CREATE DOMAIN evil.word AS text CHECK (evil.note(VALUE));
		CREATE DOMAIN evil.command AS text CHECK (evil.do(VALUE));
		CREATE DOMAIN evil.locked AS text CHECK (pg_advisory_lock(99) IS NOT NULL AND nextval('evil.ran') > 0);
		CREATE DOMAIN evil.id AS uuid CHECK (evil.note(VALUE::text));
		CREATE TYPE evil.pair AS (a evil.word);
		CREATE TYPE evil.span AS RANGE (subtype = evil.word)`);
	await app.close();
	types = Object.fromEntries((await stage.db.sql(
		"SELECT name, ('evil.' || name)::regtype::oid AS oid FROM unnest(ARRAY['word', 'word[]', 'locked', 'locked[]', 'id', 'pair', 'span']) name"))
		.map((row) => [row.name, Number(row.oid)]));
	await reset();
});

/* How often code of the attacker's ran since the last reset. */
async function ran()
{
	return Number(await stage.db.value('SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM evil.ran'));
}

async function reset()
{
	await stage.db.sql("SELECT setval('evil.ran', 1, false)");
}

const LITERALS = [
	"SELECT '{x}'::evil.word[]", "SELECT '(x)'::evil.pair", "SELECT '[a,b]'::evil.span", "SELECT '{\"(x)\"}'::evil.pair[]",
	"SELECT '{x}'::evil.locked[]", "VALUES ('{x}'::evil.word[])", "SELECT ARRAY['x'::evil.word]", "INSERT INTO evil.loot SELECT ('{x}'::evil.word[])[1]",
	"SELECT 1 WHERE '{x}'::evil.word[] IS NULL", "WITH a AS (SELECT '{x}'::evil.word[]) SELECT FROM a", "EXPLAIN SELECT '{x}'::evil.word[]",
	"SELECT CAST('{x}' AS evil.word[])", "/* session_list */ SELECT '{x}'::evil.word[]",
	"DECLARE c CURSOR FOR SELECT '{x}'::evil.word[]", "BEGIN; SELECT '{x}'::evil.word[]", "CREATE TEMP TABLE t AS SELECT '{x}'::evil.word[]",
	"COPY (SELECT '{x}'::evil.word[]) TO STDOUT", "PREPARE p AS SELECT '{x}'::evil.word[]",
];

/* What is there and what is not: roles, schemas, types, columns, and texts that mean nothing. */
const UNREGISTERED = [
	"SELECT 'wa_owner'::regrole", "SELECT 'no_such'::regrole", "SELECT 'wa'::regnamespace", "SELECT 'no_such'::regnamespace",
	"SELECT 'pg_class'::regclass", "SELECT 'no_such'::regclass", "SELECT 'wa.session'::regclass", "SELECT 'wa.no_such'::regclass",
	"SELECT 'evil.word'::regtype", "SELECT 'evil.no_such'::regtype", "SELECT 'no_such.word'::regtype", "SELECT 'evil.note'::regproc",
	"SELECT 'evil.note(text)'::regprocedure", "SELECT 'evil.no(text)'::regprocedure", "SELECT 'evil.@@'::regoper", "SELECT '@@'::regoper", "SELECT 'no_such'::regconfig",
	"SELECT 'no_such'::regdictionary", "SELECT 'no_such'::regcollation", "SELECT 'wa_owner=r/wa_owner'::aclitem", "SELECT 'no_such=r/wa_owner'::aclitem",
	"SELECT '{no_such=r/wa_owner}'::aclitem[]", "SELECT '{no_such}'::regrole[]", 'SELECT * FROM pg_toast.no_such', 'SELECT * FROM no_such.session',
	'SELECT no_such.f()', 'SELECT NULL::no_such.t', 'SELECT 1 COLLATE no_such.c', 'SELECT 1 OPERATOR(no_such.=) 1', 'SELECT no_such FROM pg_class',
	'SELECT relname FROM pg_class', 'SELECT * FROM wa_gateway', "SELECT 'x'::int", 'SELECT $1::no_such', 'SELECT', 'SELEC', "SELECT 'open", 'SELECT 1; SELECT 2', 'SELECT 1/0',
	"SELECT 'wa_owner'::regrole; SELECT 'no_such'::regrole", "EXPLAIN SELECT 'no_such'::regrole", 'SET ROLE no_such', 'DROP ROLE no_such', 'COMMIT', 'TABLE evil.loot', 'EXECUTE no_such',
];

/* A session that has searched pg_catalog for a registered text, and does not have to ask again. */
async function knowing(role = 'wa_gateway')
{
	const wire = await stage.open(role);

	assert.equal((await wire.exchange(message.parse('', stage.statements.find((one) => one.role_name === role).source), message.sync())).error, null);
	return wire;
}

test('the control: where nothing is sealed, converting a literal runs the code', async () =>
{
	const app = await stage.open(APP);

	for (const text of LITERALS.slice(0, 4))
		await app.exchange(message.parse('', text), message.sync());
	assert.ok(await ran() >= 3);
	await reset();
	await app.close();
});

for (const [role, login] of Object.entries(LOGINS))
{
	test(`${login}: a literal in a text that is refused runs nothing`, async () =>
	{
		const wire = await stage.open(role);

		for (const text of LITERALS)
		{
			const answers = [await wire.exchange(message.query(text))];

			if (!text.includes(';'))
				answers.push(await wire.exchange(message.parse('', text), message.bind(''), message.execute(), message.sync()));
			for (const got of answers)
			{
				assert.equal(got.error?.code, REFUSED, text);
				assert.match(got.error.text, /not registered/, text);
				assert.equal(got.status, 'I', text);
			}
		}
		assert.equal(await ran(), 0);
		assert.equal(await stage.db.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), '0');
		await wire.close();
	});

	test(`${login}: an unregistered text tells nothing of what there is in a schema`, async () =>
	{
		const wire = await stage.open(role);

		for (const [there, invented] of [
			['SELECT label FROM wa.session', 'SELECT label FROM wa.no_such_table'], ['SELECT label FROM wa.session', 'SELECT no_such FROM wa.session'],
			["SELECT wa.create_org('x')", "SELECT wa.no_such('x')"], ['SELECT NULL::evil.word', 'SELECT NULL::evil.no_such'],
			['SELECT 1 OPERATOR(wa.=) 1', 'SELECT 1 OPERATOR(wa.@@@) 1'], ['SELECT * FROM evil.loot', 'SELECT * FROM evil.no_such'],
		])
			assert.equal(told(await wire.exchange(message.query(there))), told(await wire.exchange(message.query(invented))), invented);
		await wire.close();
	});

	test(`${login}: every text that is not registered gets the same answer, whatever analysis finds in it`, async () =>
	{
		const wire = await knowing(role);
		const refused = told(await wire.exchange(message.query('SELECT 1')));

		for (const text of UNREGISTERED)
			for (const got of [await wire.exchange(message.query(text)), await wire.exchange(message.parse('', text), message.sync())])
			{
				assert.equal(got.error?.code, REFUSED, text);
				assert.equal(told(got), refused, text);
			}
		await wire.close();
	});
}

test('the control: who is not sealed is told what there is', async () =>
{
	const app = await stage.open(APP);
	const answers = new Set();

	for (const text of UNREGISTERED)
		answers.add((await app.exchange(message.parse('', text), message.sync())).error?.text);
	assert.ok(answers.size > 20, `${answers.size} answers`);
	await app.close();
});

test('the log has what was wrong with a refused text', async () =>
{
	const wire = await knowing();

	await wire.exchange(message.query("SELECT 'nobody_of_this_name'::regrole"));
	await wire.close();
	assert.match(fs.readFileSync(path.join(stage.cluster.place, 'postgresql.log'), 'utf8'), /not registered for a sealed role\n.*Its analysis ended with: role "nobody_of_this_name" does not exist\./);
});

test('a registered text whose parameter is declared as such a type converts nothing', async () =>
{
	const wire = await stage.open();

	for (const statement of stage.statements.filter((one) => one.role_name === 'wa_gateway'))
		for (const at of statement.parameters.keys())
			for (const oid of Object.values(types))
				await wire.exchange(message.parse('', statement.source, statement.parameters.with(at, oid)), message.sync());
	assert.equal(await ran(), 0);
	await wire.close();
});

test('an empty text with parameters of such a type converts nothing', async () =>
{
	for (const text of ['', ' ', ';', '/* authenticate */', '-- x', '\n'])
	{
		const wire = await stage.open();

		for (const [name, oid] of Object.entries(types))
		{
			const got = await wire.exchange(message.parse('e', text, [oid]),
				message.bind('e', [name === 'pair' ? '(x)' : name.endsWith('[]') ? '{x}' : 'x']), message.execute(), message.sync());

			assert.notEqual(got.error, null, `${JSON.stringify(text)} ${name}`);
			await wire.exchange(message.close('S', 'e'), message.sync());
		}
		await wire.close();
	}
	assert.equal(await ran(), 0);
});

/* A request by the names that the gateway uses: a change that tells whose organization it was. */
function create(tenant, name)
{
	return [
		message.bind('authenticate', stage.credential(tenant.key.secret, 'manage')), message.execute(),
		message.bind('session_create', [name, 'f', ...Array(8).fill(null)]), message.execute(), message.sync(),
	];
}

test('behind an empty text in place of authenticate nothing runs, whoever is bound (P45)', async () =>
{
	const declared = stage.statement('authenticate').parameters;

	for (const [text, bindings] of [['', declared], ['/* authenticate */', declared], ['', [25, 25, 25, 25, 25]], [';', declared]])
	{
		const wire = await stage.open();

		await wire.exchange(message.parse('session_create', stage.text('session_create')), message.sync());
		/* the one that belongs there has run before */
		await wire.exchange(message.parse('authenticate', stage.text('authenticate')), message.sync());
		assert.equal((await wire.exchange(...create(stage.ours, 'ours'))).error, null);
		await wire.exchange(message.close('S', 'authenticate'), message.parse('authenticate', text, bindings), message.sync());
		/* bound to ours, in a pipeline that does not end */
		wire.send(...stage.authenticate(stage.ours.key.secret, 'manage'));

		const got = await wire.exchange(...create(stage.theirs, 'in whose organization'));

		assert.equal(got.error?.code, REFUSED, JSON.stringify(text));
		assert.equal(await stage.db.value("SELECT count(*) FROM wa.session WHERE label = 'in whose organization'"), '0');
		await wire.close();
	}

	/* the control: with the statement that belongs there it is theirs */
	const wire = await stage.open();

	for (const name of ['authenticate', 'session_create'])
		await wire.exchange(message.parse(name, stage.text(name)), message.sync());
	assert.equal((await wire.exchange(...create(stage.theirs, 'in their organization'))).error, null);
	assert.equal(await stage.db.value("SELECT org_id FROM wa.session WHERE label = 'in their organization'"), stage.theirs.org.uuid);
	await wire.close();
});

test('a statement that SQL has prepared is not run for a sealed login', async () =>
{
	const later = 'later';
	const types = stage.statement('authenticate').parameters.map(() => 'text');
	const body = `/* authenticate */ PREPARE authenticate(${types}) AS SELECT evil.steal($1, $2, $3)`;

	/* such code cannot run in a sealed session; so let it be there from before */
	await stage.db.sql(`CREATE ROLE ${later} LOGIN IN ROLE wa_app; ALTER ROLE ${later} SET search_path = pg_catalog, pg_temp`);

	const wire = await stage.open(later);

	await wire.sql(body);
	await stage.db.sql(`GRANT wa_gateway TO ${later}`);

	const got = await wire.exchange(message.bind('authenticate', stage.credential(stage.theirs.key.secret, 'read')), message.execute(), message.sync());

	assert.equal(got.error?.code, REFUSED);
	assert.deepEqual(await stage.db.sql('SELECT * FROM evil.loot'), []);
	await wire.close();

	/* and by a literal it cannot get there */
	const sealed = await stage.open();

	await sealed.exchange(message.parse('authenticate', stage.text('authenticate')), message.sync());
	assert.equal((await sealed.exchange(message.query(`SELECT '{"DEALLOCATE authenticate","${body}"}'::evil.command[]`))).error?.code, REFUSED);
	assert.equal((await sealed.exchange(
		message.bind('authenticate', stage.credential(stage.theirs.key.secret, 'read')), message.execute(), message.sync())).error, null);
	assert.deepEqual(await stage.db.sql('SELECT * FROM evil.loot'), []);
	assert.equal(await ran(), 0);
	await sealed.close();
});

test('a binding serves one statement, so that a lost Sync runs nothing under it', async () =>
{
	const wire = await stage.open();
	const authenticate = (tenant) => stage.authenticate(tenant.key.secret, 'manage');
	const make = (label) => [
		message.parse('', stage.text('session_create')), message.bind('', [label, 'f', ...Array(8).fill(null)]), message.execute()];
	const count = (label) => stage.db.value('SELECT count(*) FROM wa.session WHERE label = $1', [label]);

	/* the Sync of ours and the authenticate of theirs have been cut out */
	const got = await wire.exchange(...authenticate(stage.ours), ...make('ours, then theirs'), ...make('theirs'), message.sync());

	assert.equal(got.error?.code, '25000');
	assert.match(got.error.text, /has served a statement already/);
	assert.equal(await count('theirs'), '0');
	assert.equal(await count('ours, then theirs'), '0');

	/* nor does it serve more who were ready to run before there was one */
	const ready = (label) => [
		message.parse('', stage.text('session_create')), message.bind('', [label, 'f', ...Array(8).fill(null)], label)];
	const both = await wire.exchange(...ready('ready'), ...ready('ready, too'), ...authenticate(stage.ours),
		message.execute('ready'), message.execute('ready, too'), message.sync());

	assert.equal(both.error?.code, '25000');
	assert.equal(await count('ready'), '0');
	assert.equal(await count('ready, too'), '0');

	/* with them, both run, each for its own */
	for (const [tenant, label] of [[stage.ours, 'of ours'], [stage.theirs, 'of theirs']])
	{
		assert.equal((await wire.exchange(...authenticate(tenant), ...make(label), message.sync())).error, null);
		assert.equal(await stage.db.value('SELECT org_id FROM wa.session WHERE label = $1', [label]), tenant.org.uuid);
	}
	await wire.close();
});
