/*
 * reference.test.mjs
 *		docs/reference.md is what the catalog says: every object, who may use it, its comment, and
 *		docs/connectors.md has every statement of a connector;
 *		the list of schema wa's objects is what the catalog says;
 *		docs/operations.md says what to do about each row of wa.self_check().
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { ROOT, SCRIPTS, run } from './harness/processes.mjs';

const cluster = prepareCluster();

function checkReference()
{
	return run(path.join(SCRIPTS, 'reference'), ['--check'], { env: cluster.environment('wa') });
}

test('the reference agrees with the catalog and with the list of privileges', () =>
{
	const { code, stdout, stderr } = checkReference();

	assert.equal(code, 0, stdout + stderr);
	assert.match(stdout, /show all [0-9]+ objects/);
});

test('internal functions stand in the order of their names', () =>
{
	const text = fs.readFileSync(path.join(ROOT, 'docs/reference.md'), 'utf8');
	const names = [...text.slice(text.indexOf('## Internal functions')).matchAll(/^\| `wa\.([a-z_0-9]+)\(/gm)].map(([, name]) => name);

	assert.ok(names.length > 100);
	assert.deepEqual(names, [...names].sort());
});

test('the list of objects is what scripts/objects writes', () =>
{
	const check = () => run(path.join(SCRIPTS, 'objects'), ['--check'], { env: cluster.environment('wa') });

	assert.deepEqual(check(), { code: 0, stdout: '', stderr: '' });
	cluster.psql('wa', 'CREATE INDEX unnamed ON wa.message (org_id, id)');
	try
	{
		const { code, stdout } = check();

		assert.equal(code, 1);
		assert.match(stdout, /^> \t\t\('index', 'wa\.unnamed on wa\.message', 'CREATE INDEX unnamed ON wa\.message USING btree \(org_id, id\)'\),$/m);
	}
	finally
	{
		cluster.psql('wa', 'DROP INDEX wa.unnamed');
	}
});

test('what to do about a failed check names every check', () =>
{
	const text = fs.readFileSync(path.join(ROOT, 'docs/operations.md'), 'utf8');
	const rows = text.slice(text.indexOf('## Self check'), text.indexOf('## Gateway')).match(/^\| [^`|]+ \|/gm)
		.flatMap((cell) => cell.slice(2, -2).split(', ')).filter((name) => !['row', '---'].includes(name));

	assert.deepEqual(rows.sort(), cluster.psql('wa', 'SELECT name FROM wa.self_check()').split('\n').sort());
});

test('an object that it does not show is told', () =>
{
	cluster.psql('wa', `CREATE TABLE wa.unnamed (org_id uuid); REVOKE ALL ON wa.unnamed FROM PUBLIC;
		COMMENT ON TABLE wa.unnamed IS 'x'; COMMENT ON COLUMN wa.unnamed.org_id IS 'y'`);
	try
	{
		const { code, stdout } = checkReference();

		assert.equal(code, 1);
		assert.match(stdout, /In the catalog, not in docs\/reference\.md:\n[^]*\| `wa\.unnamed\.org_id uuid` \| — \| y \|[^]*In docs/);
	}
	finally
	{
		cluster.psql('wa', 'DROP TABLE wa.unnamed');
	}
});

test('another comment is told', () =>
{
	const [comment] = cluster.psql('wa', "SELECT obj_description('wa.me()'::regprocedure, 'pg_proc')").split('\n');

	cluster.psql('wa', "COMMENT ON FUNCTION wa.me() IS 'something else'");
	try
	{
		const { code, stdout } = checkReference();

		assert.equal(code, 1);
		assert.match(stdout, /In the catalog, [^]* \| something else \|\n/);
		assert.ok(stdout.includes(`| ${comment} |`));
	}
	finally
	{
		cluster.psql('wa', `COMMENT ON FUNCTION wa.me() IS $$${comment}$$`);
	}
});

test('a statement of a connector that is registered anew, or no more, is told', () =>
{
	const register = (name, text) => cluster.psql('wa', `SELECT wa.register_statement('wa_connector', '${name}', '/* ${name} */ ${text}')`);

	register('unnamed', 'SELECT 1');
	cluster.psql('wa', "CREATE TABLE public.kept AS SELECT * FROM wa.statement WHERE role_name = 'wa_connector' AND name = 'release'; DELETE FROM wa.statement s USING public.kept k WHERE (s.role_name, s.name) = (k.role_name, k.name)");
	try
	{
		const { code, stdout } = checkReference();

		assert.equal(code, 1);
		assert.match(stdout, /In the catalog, not in docs\/connectors\.md:\n *\| `unnamed` \| none \| `SELECT 1` \|\n/);
		assert.match(stdout, /In docs\/connectors\.md, not in the catalog:\n *\| `release` \| text \| `SELECT wa\.connector_release\(\$1\)` \|/);
	}
	finally
	{
		cluster.psql('wa', "DELETE FROM wa.statement WHERE name = 'unnamed'; INSERT INTO wa.statement TABLE public.kept; DROP TABLE public.kept");
	}
});

test('an object without a comment is told', () =>
{
	cluster.psql('wa', 'CREATE FUNCTION wa.silent() RETURNS void LANGUAGE sql AS $$$$; REVOKE ALL ON FUNCTION wa.silent() FROM PUBLIC');
	try
	{
		const { code, stderr } = checkReference();

		assert.equal(code, 1);
		assert.match(stderr, /has no comment.*wa\.silent\(\)/);
	}
	finally
	{
		cluster.psql('wa', 'DROP FUNCTION wa.silent()');
	}
});

test('a grant that is not in the list is told', () =>
{
	cluster.psql('wa', 'GRANT EXECUTE ON FUNCTION wa.make_secret(text) TO wa_app');
	try
	{
		const { code, stderr } = checkReference();

		assert.equal(code, 1);
		assert.match(stderr, /too much: EXECUTE on function wa\.make_secret\(text\) to wa_app/);
	}
	finally
	{
		cluster.psql('wa', 'REVOKE EXECUTE ON FUNCTION wa.make_secret(text) FROM wa_app');
	}
});
