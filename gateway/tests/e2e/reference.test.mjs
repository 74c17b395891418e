/*
 * reference.test.mjs
 *		docs/reference.md names every object of the extension, and who may use it.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { SCRIPTS, run } from './harness/processes.mjs';

const cluster = prepareCluster();

function checkReference()
{
	return run(path.join(SCRIPTS, 'check-reference'), [], { env: cluster.environment('wa') });
}

test('the reference agrees with the catalog and with the list of privileges', () =>
{
	const { code, stdout, stderr } = checkReference();

	assert.equal(code, 0, stdout + stderr);
	assert.match(stdout, /names all [0-9]+ objects/);
});

test('an object that it does not name is told', () =>
{
	cluster.psql('wa', "CREATE TABLE wa.unnamed (org_id uuid); REVOKE ALL ON wa.unnamed FROM PUBLIC");
	try
	{
		const { code, stdout } = checkReference();

		assert.equal(code, 1);
		assert.match(stdout, /In the catalog, not in docs\/reference\.md:\n +wa\.unnamed\.org_id uuid/);
	}
	finally
	{
		cluster.psql('wa', 'DROP TABLE wa.unnamed');
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
