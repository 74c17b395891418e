/*
 * install_roles.test.mjs
 *		Roles, schemas and settings that somebody made before the extension is installed.
 *
 * Whoever may create roles, or owns the database, can be first.  The extension is made only
 * where that has changed nothing, and otherwise says what to do.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Cluster } from './harness/cluster.mjs';

const REFUSED = '55000';
const GROUPS = ['wa_owner', 'wa_claim', 'wa_gateway', 'wa_worker', 'wa_connector', 'wa_app', 'wa_admin', 'wa_monitor'];

let cluster, db;

before(async () =>
{
	cluster = new Cluster();
	cluster.psql('postgres', 'CREATE ROLE mallory LOGIN CREATEROLE; CREATE ROLE login LOGIN; CREATE ROLE mighty BYPASSRLS; CREATE ROLE middle; GRANT mighty TO middle');
	cluster.createDatabase('wa');
	db = await cluster.open('wa');
});

/* The error of CREATE EXTENSION after these statements, null if there is none; undoes both. */
async function installAfter(statements)
{
	await db.sql('BEGIN');
	try
	{
		await db.sql(statements);
		await db.sql('SAVEPOINT prepared');
		return await db.sql('CREATE EXTENSION wa_apikeys').then(() => null, (error) => error);
	}
	finally
	{
		await db.sql('ROLLBACK');
	}
}

async function refused(statements, message, hint)
{
	const error = await installAfter(statements);

	assert.equal(error?.code, REFUSED, `${statements}: ${error?.message ?? 'was accepted'}`);
	assert.match(error.text, message);
	assert.match(error.hint, hint);
}

for (const attribute of ['LOGIN', 'SUPERUSER', 'BYPASSRLS', 'CREATEROLE', 'CREATEDB', 'REPLICATION'])
	test(`none of the group roles may be there with ${attribute}`, async () =>
	{
		for (const role of GROUPS)
			await refused(`CREATE ROLE ${role} ${attribute}`, new RegExp(`^role "${role}" exists and has attributes`), /NOLOGIN/);
	});

test('nobody but a superuser may be a member of the owners', async () =>
{
	for (const role of ['wa_owner', 'wa_claim'])
	{
		await refused(`CREATE ROLE ${role} ROLE mallory`, new RegExp(`^role "${role}" exists and has the member "mallory"$`),
			new RegExp(`^REVOKE ${role} FROM mallory`));
		await refused(`CREATE ROLE wa_app; CREATE ROLE ${role} ROLE wa_app`, /has the member "wa_app"/, /^REVOKE/);
		assert.equal(await installAfter(`CREATE ROLE ${role} ROLE postgres`), null);
	}
});

test('nobody but a superuser may be able to grant a group role', async () =>
{
	for (const role of GROUPS)
		await refused(`CREATE ROLE ${role} ADMIN mallory`, new RegExp(`^role "${role}" exists and `),
			new RegExp(`^REVOKE (ADMIN OPTION FOR )?${role} FROM mallory`));
	assert.equal(await installAfter('CREATE ROLE wa_admin ADMIN postgres'), null);
	/* a login of a database that was there first, as one has for each program */
	assert.equal(await installAfter('CREATE ROLE wa_gateway ROLE login'), null);
});

test('a group role may not be a member of what gives it more', async () =>
{
	for (const role of GROUPS)
	{
		await refused(`CREATE ROLE ${role} IN ROLE mighty`, new RegExp(`^role "${role}" exists and is a member of "mighty"$`),
			/^REVOKE the membership/);
		await refused(`CREATE ROLE ${role} IN ROLE middle`, /is a member of "mighty"/, /^REVOKE/);
		for (const given of ['postgres', 'mallory', 'pg_read_all_data', 'pg_write_all_data', 'pg_execute_server_program', 'pg_signal_backend'])
			await refused(`CREATE ROLE ${role}; GRANT ${given} TO ${role}`, /is a member of /, /^REVOKE/);
	}
	await refused('CREATE ROLE wa_admin; CREATE ROLE wa_app IN ROLE wa_admin', /^role "wa_app" exists and is a member of "wa_admin"$/, /^REVOKE/);
	await refused('CREATE ROLE wa_app IN ROLE pg_monitor', /is a member of "pg_/, /^REVOKE/);
	await refused('CREATE ROLE wa_owner; ALTER DATABASE wa OWNER TO wa_owner', /is a member of "pg_database_owner"/, /^REVOKE/);
	assert.equal(await installAfter('CREATE ROLE wa_monitor IN ROLE pg_monitor; CREATE ROLE wa_admin IN ROLE pg_read_all_stats'), null);
	assert.equal(await installAfter('CREATE ROLE plain; CREATE ROLE wa_app IN ROLE plain'), null);
});

test('a schema of our name, of whomever, is not adopted', async () =>
{
	const error = await installAfter('CREATE SCHEMA wa AUTHORIZATION mallory; CREATE TABLE wa.org (id uuid)');

	assert.equal(error.code, '42P06');
});

test('the language that the functions are written in may not be dropped by others', async () =>
{
	/* mallory may install it, because it is trusted, and owns it then */
	await refused(`GRANT CREATE ON DATABASE wa TO mallory; DROP EXTENSION plpgsql; SET ROLE mallory; CREATE EXTENSION plpgsql; RESET ROLE`,
		/^extension plpgsql belongs to role "mallory"/, /^Drop it/);
});

test('a setting that changes what the script says', async () =>
{
	await refused('SET standard_conforming_strings = off', /standard_conforming_strings/, /^SET standard_conforming_strings = on/);
});

test('settings of the owners\' roles and of the database change nothing that the functions do', async () =>
{
	const evil = 'CREATE SCHEMA evil; CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT timestamptz \'2000-01-01\'$$';

	cluster.psql('wa', `${evil}; CREATE ROLE wa_owner; ALTER ROLE wa_owner SET search_path = evil, pg_catalog;
		ALTER ROLE wa_owner SET row_security = off; ALTER DATABASE wa SET search_path = evil, pg_catalog; CREATE EXTENSION wa_apikeys`);

	const wire = await cluster.open('wa');
	const org = await wire.value("SELECT wa.create_org('Acme')");
	const key = await wire.value(`SELECT id FROM wa.create_key('${org}', 'shop', '{read}')`);

	assert.equal(await wire.value('SELECT now()'), '2000-01-01 00:00:00+00', 'the path is in force');
	assert.equal(await wire.value('SELECT min(created_at) > pg_catalog.now() - interval \'1 hour\' FROM (TABLE wa.keys) k'), 't');
	await wire.sql(`SELECT wa.revoke_key('${key}'::uuid)`);
	assert.equal(await wire.value('SELECT min(revoked_at) > pg_catalog.now() - interval \'1 hour\' FROM (TABLE wa.keys) k'), 't');
	await wire.close();

	/* what operations.md tells administrators to set goes before the database's */
	cluster.psql('wa', 'ALTER ROLE postgres SET search_path = pg_catalog, pg_temp');

	const administrator = await cluster.open('wa');

	assert.equal(await administrator.value("SELECT now() > '2020-01-01'"), 't');
	await administrator.close();
});

test('after the refusals it is installed as if nothing had been, and a second database finds the roles', async () =>
{
	cluster.createDatabase('second');
	cluster.psql('second', 'CREATE EXTENSION wa_apikeys');
	assert.equal(cluster.psql('second', `SELECT count(*) FROM pg_roles WHERE rolname LIKE 'wa\\_%' AND NOT rolcanlogin`), String(GROUPS.length));
});
