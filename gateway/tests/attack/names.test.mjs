/*
 * names.test.mjs
 *		Names in registered statements mean the server's objects and the extension's (P46), and a
 *		statement runs under its own name (P45).
 *
 * Whoever may create in "public", or in a schema that is called like a login, can put a
 * function or an operator there that fits a call better than the server's own.  Two walls:
 * a sealed session that would search another schema than pg_catalog runs nothing, and a
 * statement whose analyzed form uses a stranger's object is refused, whatever the path.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { message } from '../e2e/harness/wire.mjs';
import { APP, BINDING_COLUMNS, LOGINS, REFUSED, Stage } from './stage.mjs';

const NOT_PINNED = '55000';

let stage;

/* The traps fit exactly where the server's functions and operators fit by conversion only. */
function traps(schema)
{
	return `
		CREATE SCHEMA IF NOT EXISTS "${schema}";
		CREATE FUNCTION "${schema}".trap(text[], text[]) RETURNS boolean LANGUAGE sql SECURITY DEFINER
			BEGIN ATOMIC INSERT INTO trap.sprung VALUES (session_user) RETURNING true; END;
		CREATE OPERATOR "${schema}".<@ (FUNCTION = "${schema}".trap, LEFTARG = text[], RIGHTARG = text[]);
		CREATE OPERATOR "${schema}".&& (FUNCTION = "${schema}".trap, LEFTARG = text[], RIGHTARG = text[]);
		CREATE FUNCTION "${schema}".times(integer, interval) RETURNS interval LANGUAGE sql SECURITY DEFINER
			BEGIN ATOMIC INSERT INTO trap.sprung VALUES (session_user) RETURNING interval '0'; END;
		CREATE OPERATOR "${schema}".* (FUNCTION = "${schema}".times, LEFTARG = integer, RIGHTARG = interval);
		CREATE FUNCTION "${schema}".jsonb_build_object(text, text) RETURNS jsonb LANGUAGE sql SECURITY DEFINER
			BEGIN ATOMIC INSERT INTO trap.sprung VALUES (session_user) RETURNING jsonb '{}'; END;
		GRANT USAGE ON SCHEMA "${schema}" TO PUBLIC`;
}

before(async () =>
{
	stage = await Stage.set();
	await stage.db.sql('CREATE SCHEMA trap; CREATE TABLE trap.sprung (who name)');
	for (const schema of ['public', APP, ...Object.values(LOGINS)])
		await stage.db.sql(traps(schema));
});

const sprung = () => stage.db.value('SELECT count(*) FROM trap.sprung');

test('the control: where nothing is sealed the traps are sprung', async () =>
{
	const app = await stage.open(APP);

	await app.sql("SELECT ARRAY['a'] <@ ARRAY['a'], 2 * interval '1 s', jsonb_build_object('a'::text, 'b'::text)");
	assert.equal(await sprung(), '3');
	await stage.db.sql('DELETE FROM trap.sprung');
	await app.close();
});

for (const [role, login] of Object.entries(LOGINS))
{
	test(`${login} with its own settings runs everything and springs nothing`, async () =>
	{
		const wire = await stage.open(role);

		for (const one of stage.statements.filter((statement) => statement.role_name === role))
			assert.equal((await wire.exchange(message.parse('', one.source), message.sync())).error, null, one.name);
		if (role === 'wa_gateway')
			assert.deepEqual(await stage.sessions(wire, stage.ours), [stage.ours.session.uuid]);
		assert.equal(await sprung(), '0');
		await wire.close();
	});

	test(`${login} with any other search path runs nothing`, async () =>
	{
		for (const path of [null, 'public', 'public, pg_catalog', 'pg_catalog, public', '"$user"', '"$user", public', `pg_catalog, "${login}"`, 'trap', "''"])
		{
			await stage.db.sql(`ALTER ROLE ${login} ${path === null ? 'RESET search_path' : `SET search_path = ${path}`}`);

			const wire = await stage.open(role);

			for (const one of stage.statements.filter((statement) => statement.role_name === role))
			{
				const got = await wire.exchange(message.parse('', one.source), message.sync());

				/* pg_catalog is in front of every path that does not name it; a schema that is closed is not searched */
				if (path === "''" || path === 'trap')
					assert.equal(got.error, null, one.name);
				else
				{
					assert.equal(got.error?.code, NOT_PINNED, `${path}: ${one.name}`);
					assert.match(got.error.hint, new RegExp(`ALTER ROLE "${login}" SET search_path`));
				}
			}
			await wire.close();
		}
		await stage.db.sql(`ALTER ROLE ${login} SET search_path = pg_catalog, pg_temp`);
		assert.equal(await sprung(), '0');
	});
}

/* Statements that somebody has got into the list past wa.register_statement(). */
const STRANGERS = {
	'a function': 'SELECT public.jsonb_build_object($1::text, $1::text)',
	'an operator': 'SELECT ARRAY[$1::text] OPERATOR(public.<@) ARRAY[$1::text]',
	'a table': 'SELECT who FROM trap.sprung WHERE who = $1::text',
	'a table, deep inside': 'SELECT $1::text WHERE EXISTS (WITH a AS (SELECT FROM (SELECT FROM trap.sprung) AS b) SELECT FROM a)',
	'a type': 'SELECT $1::text::trap.kind',
	'an array of a type': 'SELECT ARRAY[$1::text]::trap.kind[]',
	'a domain': 'SELECT $1::text::trap.word',
	'the row type of a table': 'SELECT (NULL::trap.sprung).who, $1::text',
	'a cast by input and output': "SELECT '(a)'::trap.pair::text, $1::text",
	'a function in FROM': 'SELECT $1::text FROM trap.rows()',
	'a type of columns': 'SELECT $1::text FROM json_to_record(NULL) AS x (a trap.kind)',
	'an aggregate': 'SELECT trap.total(1), $1::text',
	'a collation': 'SELECT $1::text COLLATE trap.german',
	'an operator to sort by': 'SELECT $1::text AS a ORDER BY a USING OPERATOR(trap.<)',
	'a function in a limit': 'SELECT $1::text LIMIT (SELECT count(*) FROM trap.rows())',
	'a table to write to': 'INSERT INTO trap.sprung VALUES ($1::text)',
	'a table to delete from': 'DELETE FROM trap.sprung WHERE who = $1::text',
};

test('a statement that uses a stranger\'s object is not registered, and not run where it is', async () =>
{
	await stage.db.sql(`
		CREATE TYPE trap.kind AS ENUM ('a');
		CREATE DOMAIN trap.word AS text;
		CREATE TYPE trap.pair AS (a text);
		CREATE FUNCTION trap.rows() RETURNS SETOF integer LANGUAGE sql AS 'SELECT 1';
		CREATE AGGREGATE trap.total(integer) (SFUNC = int4pl, STYPE = integer);
		CREATE COLLATION trap.german (provider = icu, locale = 'de');
		CREATE FUNCTION trap.lt(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < $2';
		CREATE OPERATOR trap.< (FUNCTION = trap.lt, LEFTARG = text, RIGHTARG = text);
		CREATE OPERATOR FAMILY trap.words USING btree;
		CREATE OPERATOR CLASS trap.words FOR TYPE text USING btree FAMILY trap.words AS
			OPERATOR 1 trap.<, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 bttextcmp(text, text);
		GRANT USAGE ON SCHEMA trap TO PUBLIC;
		GRANT ALL ON ALL TABLES IN SCHEMA trap TO PUBLIC`);
	for (const [name, sql] of Object.entries(STRANGERS))
	{
		const source = `/* stranger */ ${sql}`;

		await assert.rejects(stage.db.sql('SELECT wa.register_statement($1, $2, $3)', ['wa_gateway', 'stranger', source]),
			{ code: '42P17', text: /a registered statement cannot use/ }, name);

		await stage.db.sql(`INSERT INTO wa.statement (role_name, name, digest, parameters, source)
			VALUES ('wa_gateway', 'stranger', wa.hash_key($1), '{text}', $1)`, [source]);

		const wire = await stage.open();
		const got = await wire.exchange(message.parse('', source), message.bind('', ['a']), message.execute(), message.sync());

		assert.equal(got.error?.code, REFUSED, `${name}: ${got.error?.text}`);
		assert.match(got.error.text, /^this statement uses /, name);
		assert.equal(got.types, 'EZ', name);
		await wire.close();
		await stage.db.sql("DELETE FROM wa.statement WHERE name = 'stranger'");
	}
	assert.equal(await sprung(), '0');
});

test('a statement can be prepared under its own name only, or without one (P08)', async () =>
{
	const wire = await stage.open();
	const text = stage.text('session_list');
	const run = (name) => wire.exchange(
		...stage.authenticate(stage.ours.key.secret),
		message.parse(name, text), message.bind(name, [null, null, '50']), message.execute(), message.sync());

	for (const name of ['', 'session_list'])
		assert.equal((await run(name)).error, null, name);
	for (const name of ['session', 'session_list ', 'session_lis', 'session_list */', 'authenticate', 'session_get', ' ', '/* session_list */', 'SESSION_LIST'])
	{
		const got = await run(name);

		assert.equal(got.error?.code, REFUSED, name);
		assert.match(got.error.text, /prepared under another name/);
		assert.deepEqual(got.rows.filter((row) => row.length > BINDING_COLUMNS), [], name);
	}
	await wire.close();
});

test('the text of every registered statement begins with its name', async () =>
{
	for (const one of stage.statements)
		assert.ok(one.source.startsWith(`/* ${one.name} */\n`), one.name);
	await assert.rejects(stage.db.sql("SELECT wa.register_statement('wa_gateway', 'one', '/* other */ SELECT 1')"), { code: '23514' });
});
