/*
 * backup.test.mjs
 *		pg_dump and restore keep every row and every key; DROP EXTENSION does what it says.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { Cluster, prepareCluster } from './harness/cluster.mjs';
import { Gateway, Sandbox } from './harness/programs.mjs';
import { until } from './harness/processes.mjs';
import { createKey, createMessage, createSession, createTenant } from './harness/tenants.mjs';

const ROLES = ['wa_admin', 'wa_app', 'wa_claim', 'wa_connector', 'wa_gateway', 'wa_monitor', 'wa_owner', 'wa_worker'];

/* Who is signed in, listens, or delivers belongs to the moment, and is in no dump. */
const OF_THE_MOMENT = ['sign_in', 'ended_sign_in', 'device', 'user_token', 'ticket', 'realtime', 'webhook_lane'];

let source, db, target, tenant, other, keys;

before(async () =>
{
	source = prepareCluster();
	db = await source.open('wa');
	tenant = await createTenant(db, 'Kept');
	other = await createTenant(db, 'Kept too');
	await db.sql("SELECT wa.housekeep('audit')");
	keys = {
		good: await createKey(db, tenant.org, ['read', 'send']),
		revoked: await createKey(db, tenant.org),
		revoked_locked: await createKey(db, tenant.org),
		expired: await createKey(db, tenant.org),
		rotated: await createKey(db, tenant.org),
	};
	await db.sql('SELECT wa.revoke_key($1::uuid)', [keys.revoked.uuid]);
	await db.sql("SELECT wa.mark_ended($1, $2, 'key')", [tenant.org.uuid, keys.revoked_locked.uuid]);
	await db.sql("UPDATE wa.api_key SET expires_at = now() - interval '1 hour' WHERE id = $1", [keys.expired.uuid]);
	keys.successor = { secret: await db.value("SELECT secret FROM wa.rotate_key($1, '1 day')", [keys.rotated.uuid]) };
	keys.imported = { secret: 'wa_imported-from-elsewhere-0123456789' };
	await db.sql("SELECT wa.import_key($1, 'imported', wa.hash_key($2), '{read}')", [tenant.org.uuid, keys.imported.secret]);

	await db.sql(`INSERT INTO wa.api_key_usage SELECT org_id, id, now(), '192.0.2.1', now(), '2001:db8::1', 'curl/8.1'
		FROM wa.api_key WHERE id = $1`, [keys.rotated.uuid]);
	await db.sql("INSERT INTO wa.unknown_key VALUES (date_bin('1 hour', now(), '2000-01-01+00'), 'wa_Ab3xY', 4)");
	await db.sql(`INSERT INTO wa.api_key_hour SELECT org_id, id, date_bin('1 hour', now(), '2000-01-01+00'), 10, 1, 2, 3, 4, 5, 6, 7
		FROM wa.api_key WHERE id = $1`, [keys.rotated.uuid]);

	/* everything that has a state: pairings, queued and taken messages, reactions, odd texts */
	const scanning = await createSession(db, tenant.org, { status: 'scan_qr_code' });

	await db.sql("INSERT INTO wa.session_pairing VALUES ($1, $2, 'qr', now())", [tenant.org.uuid, scanning.uuid]);
	await db.sql(`INSERT INTO wa.contact (org_id, session_id, jid, name) VALUES ($1, $2, 'x@s.whatsapp.net', E'tab\\t\\\\.\\n"quote" ñ 🙂')`,
		[tenant.org.uuid, tenant.session.uuid]);

	const odd = await createMessage(db, tenant.chat, '\\. \\N \t\r\n \'" ñ 漢 🙂');

	await db.sql(`UPDATE wa.message SET status = 'sending', direction = 'out', lease_owner = 'gone', lease_until = now(), mentions = '{a,NULL,"b,c"}',
		reactions = '{"👍": ["x"]}', quoted_message_id = $1 WHERE id = $2`, [tenant.message.uuid, odd.uuid]);
	await db.sql(`WITH file AS (INSERT INTO wa.media (org_id, sha256, size, mimetype, filename) VALUES ($1, sha256('x'), 1, 'image/png', 'é.png') RETURNING *)
		UPDATE wa.message m SET media_id = f.id FROM file f WHERE m.org_id = f.org_id AND m.id = $2`, [tenant.org.uuid, odd.uuid]);
	await db.sql(`WITH file AS (INSERT INTO wa.media (org_id, state, error) VALUES ($1, 'pending', 'é') RETURNING *)
		INSERT INTO wa.media_fetch (org_id, media_id, session_id, reference, sha256, size, lease_owner, lease_until)
		SELECT org_id, id, $2, 'é \\ secret', sha256('x'), 1, 'gone', now() FROM file`, [tenant.org.uuid, tenant.session.uuid]);
	await db.sql(`WITH file AS (INSERT INTO wa.media (org_id, state) VALUES ($1, 'pending') RETURNING *)
		INSERT INTO wa.media_fetch (org_id, media_id, session_id, url) SELECT org_id, id, $2, 'https://media.example/é' FROM file`, [tenant.org.uuid, tenant.session.uuid]);
	await db.sql("INSERT INTO wa.message_action (org_id, session_id, message_id, type) VALUES ($1, $2, $3, 'react')",
		[tenant.org.uuid, tenant.session.uuid, odd.uuid]);

	await db.sql("INSERT INTO wa.session_rate VALUES ($1, $2, now(), 3, '-infinity', 4)", [tenant.org.uuid, tenant.session.uuid]);
	await db.sql("INSERT INTO wa.idempotency VALUES ($1, 'order \\ 1', sha256('x'), $2)", [tenant.org.uuid, odd.uuid]);
	await db.sql(`INSERT INTO wa.webhook (org_id, url, events, custom_headers, secret)
		VALUES ($1, 'https://example.com/', '{message,chat.update}', '{"X-A": "b"}', 'whsec_0123456789abcdef')`, [tenant.org.uuid]);

	await createMessage(db, tenant.chat, 'to be delivered');

	await db.sql("SELECT wa.set_org_limit($1, 'webhooks', 50)", [tenant.org.uuid]);
	await db.sql('SELECT wa.set_key_policy($1, 90, 365)', [tenant.org.uuid]);
	await db.sql("SELECT wa.define_permission('invoices:gone', 'dropped')");
	await db.sql("SELECT wa.drop_permission('invoices:gone')");
	await db.sql("SELECT wa.define_permission('invoices:write', 'Writes invoices', true)");
	await db.sql("SELECT wa.create_key($1, 'own', '{}', own_permissions => '{invoices:write}')", [tenant.org.uuid]);
	await db.sql("SELECT wa.set_connector_capability('sandbox', 'poll', false), wa.set_connector_capability('other', 'text', true)");
	await db.sql(`INSERT INTO wa.session_credentials SELECT $1, $2, '1', '2', '3', wa.add_connector_key('sandbox', set_byte(sha256('key'), 31, 0)), decode(repeat('00ff', 50), 'hex'), true`,
		[tenant.org.uuid, tenant.session.uuid]);
	await db.sql("INSERT INTO wa.scanner_key VALUES ('scanner', 'its key', '\\x30')");
	await db.sql('INSERT INTO wa.key_warning (org_id, key_id, days) VALUES ($1, $2, 7)', [tenant.org.uuid, keys.good.uuid]);

	/* deleted, with a row left */
	await db.sql('SELECT wa.hide_session($1, $2)', [tenant.org.uuid, (await createSession(db, tenant.org)).uuid]);

	/* people, and one of them at a browser */
	const person = await db.value("SELECT id FROM wa.create_user('ann@example.com', 'Ann', 'correct horse')");

	await db.sql("SELECT wa.add_member($1, $2, 'owner')", [tenant.org.uuid, person]);
	await db.sql(`INSERT INTO wa.invitation (org_id, email, role, digest, created_by)
		VALUES ($1, 'ben@example.com', 'member', sha256('invitation'), $2)`, [tenant.org.uuid, person]);

	const signIn = await db.value(`INSERT INTO wa.sign_in (user_id, digest, active_org, address)
		VALUES ($1, sha256('cookie'), $2, '192.0.2.1') RETURNING id`, [person, tenant.org.uuid]);

	await db.sql('INSERT INTO wa.ended_sign_in (user_id, sign_in_id) VALUES ($1, wa.uuid7())', [person]);
	await db.sql("INSERT INTO wa.device (user_id, digest) VALUES ($1, sha256('device'))", [person]);
	await db.sql("INSERT INTO wa.user_token (org_id, user_id, sign_in_id, digest) VALUES ($1, $2, $3, sha256('token'))",
		[tenant.org.uuid, person, signIn]);

	/* what listens now, and who delivers now */
	await db.sql("INSERT INTO wa.ticket (org_id, digest, key_id) VALUES ($1, sha256('ticket'), $2)", [tenant.org.uuid, keys.good.uuid]);
	await db.sql("INSERT INTO wa.realtime (org_id, digest, key_id, expires_at) VALUES ($1, sha256('socket'), $2, now())", [tenant.org.uuid, keys.good.uuid]);
	await db.sql("SELECT wa.claim_webhooks('somebody', 10, '1 minute')");

	/* a server that has never heard of wa_apikeys: no roles, no logins */
	target = new Cluster();
});

/*
 * Every row of every table of the extension that belongs to the installation, not to the
 * release.
 */
async function contents(wire)
{
	const tables = (await wire.sql(`
		SELECT c.relname AS name FROM pg_class c
		WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind = 'r'
			AND c.relname NOT IN ('statement', 'unrestored', ${OF_THE_MOMENT.map((name) => `'${name}'`)}) ORDER BY 1`)).map((row) => row.name);
	const rows = {};

	for (const table of tables)
		rows[table] = (await wire.sql(`SELECT to_jsonb(t)::text AS row FROM wa.${table} AS t ORDER BY 1`)).map((row) => row.row);
	return rows;
}

async function catalog(wire)
{
	return await wire.sql(`
		SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS object,
			COALESCE(pg_get_userbyid(p.proowner), pg_get_userbyid(c.relowner)) AS owner,
			COALESCE(p.proacl, c.relacl)::text AS acl
		FROM pg_depend d
		LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
		LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
		WHERE d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'wa_apikeys')
		ORDER BY 1`);
}

function dump(cluster, database, format = 'plain')
{
	const file = path.join(cluster.place, `${database}.${format}`);

	fs.rmSync(file, { recursive: true, force: true });
	cluster.program('pg_dump', database, ['--format', format, '--file', file]);
	return file;
}

function restore(file, cluster, database, options = [])
{
	cluster.createDatabase(database);
	if (file.endsWith('.plain'))
		cluster.program('psql', database, ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', file]);
	else
		cluster.program('pg_restore', 'postgres', ['--exit-on-error', '--dbname', database, ...options, file]);
}

/* What wa.self_check() says of tables whose rows are missing. */
async function missing(wire)
{
	return await wire.value("SELECT detail FROM wa.self_check() WHERE name = 'restored dumps are complete' AND NOT passed");
}

/* Newer minor releases put a random word into \restrict and \unrestrict. */
function comparable(file)
{
	return fs.readFileSync(file, 'utf8').replace(/^\\(un)?restrict .*$/gm, '');
}

async function statuses(gateway)
{
	const found = {};

	for (const [name, key] of Object.entries(keys))
		found[name] = (await gateway.client.get('/api/v1/sessions', key.secret)).status;
	return found;
}

for (const [format, ...options] of [['custom'], ['plain'], ['custom', '--jobs=4'], ['directory', '--jobs=4'], ['directory', '--jobs=2'],
	['custom', '--single-transaction']])
{
	test(`a ${format} dump restored into an empty server${options.map((option) => ` with ${option}`)}: every row, every key, at once`, async () =>
	{
		const database = ['restored', format, ...options].join('_').replace(/[^a-z0-9]+/g, '_');

		restore(dump(source, 'wa', format), target, database, options);
		target.prepare(database);

		const restored = await target.open(database);
		const rows = await contents(restored);

		assert.deepEqual(rows, await contents(db));
		assert.ok(Object.values(rows).every((table) => table.length > 0), 'no table is empty, so that each is compared');
		for (const table of OF_THE_MOMENT)
			assert.deepEqual([await db.value(`SELECT count(*) FROM wa.${table}`), await restored.value(`SELECT count(*) FROM wa.${table}`)],
				['1', '0'], `${table} is not carried`);
		assert.deepEqual(await catalog(restored), await catalog(db));
		assert.deepEqual(await restored.sql('SELECT * FROM wa.self_check() WHERE NOT passed'), []);

		const before = await Gateway.start(source);
		const after = await Gateway.start(target, { database });

		assert.deepEqual(await statuses(after), await statuses(before));
		assert.deepEqual(await statuses(after),
			{ good: 200, revoked: 401, revoked_locked: 401, expired: 401, rotated: 200, successor: 200, imported: 200 });
		assert.equal((await after.client.get('/api/v1/sessions', tenant.key.secret)).text,
			(await before.client.get('/api/v1/sessions', tenant.key.secret)).text);
		assert.equal((await after.client.get(`/api/v1/sessions/${other.session.id}`, tenant.key.secret)).status, 404);
		await before.stop();
		await after.stop();
		await restored.close();
	});
}

/* The foreign keys that a parallel restore does not look at are there again behind it. */
test('after a parallel restore rows that refer to nothing are refused as ever', async () =>
{
	const wire = await target.open('restored_custom_jobs_4');

	assert.deepEqual(await wire.sql('SELECT * FROM wa.broken_foreign_keys()'), []);
	for (const setting of ['on', 'off'])
	{
		await wire.sql(`SET row_security = ${setting}`);
		await assert.rejects(wire.sql(`INSERT INTO wa.contact (org_id, session_id, jid)
			VALUES (gen_random_uuid(), gen_random_uuid(), 'x@s.whatsapp.net')`), { code: '23503' });
		await assert.rejects(async () => target.psql('restored_custom_jobs_4', `SET row_security = ${setting};
			COPY wa.contact (org_id, session_id, jid) FROM PROGRAM 'echo "${tenant.org.uuid},${tenant.org.uuid},x@s.whatsapp.net"' CSV;`),
		/contact_org_id_session_id_fkey/);
	}
	await wire.close();
});

test('a restore that lacks a table is noticed until the table is there', async () =>
{
	const file = dump(source, 'wa', 'custom');
	const wanted = path.join(source.place, 'wanted.list');
	const entries = target.program('pg_restore', 'postgres', ['--list', file]);
	const data = (table) => [`--data-only`, '--schema=wa', `--table=${table}`];

	fs.writeFileSync(wanted, entries.replace(/^.* TABLE DATA wa (session|webhook) .*$/gm, ''), { mode: 0o644 });
	restore(file, target, 'half', [`--use-list=${wanted}`, '--jobs=4']);
	target.prepare('half');

	const half = await target.open('half');

	assert.equal(await missing(half), 'session, webhook');
	assert.notEqual(await half.value('SELECT count(*) FROM wa.message'), '0');
	/* chats of sessions that are not there cannot be accepted */
	await assert.rejects(half.sql('SELECT wa.finish_restore()'), { code: '23503', detail: /chat_org_id_session_id_fkey of wa\.chat/ });
	await assert.rejects(Gateway.start(target, { database: 'half' }));
	target.program('pg_restore', 'postgres', ['--exit-on-error', '--dbname', 'half', ...data('session'), file]);
	assert.equal(await missing(half), 'webhook');
	target.program('pg_restore', 'postgres', ['--exit-on-error', '--dbname', 'half', ...data('webhook'), file]);
	assert.deepEqual(await half.sql('SELECT * FROM wa.self_check() WHERE NOT passed'), []);
	assert.deepEqual(await contents(half), await contents(db));
	await half.close();
});

test('a dump without data, and one of INSERTs, is complete when an administrator says so', async () =>
{
	const file = path.join(source.place, 'wa.inserts');

	restore(dump(source, 'wa', 'custom'), target, 'empty', ['--schema-only']);
	source.program('pg_dump', 'wa', ['--inserts', '--format=custom', '--file', file]);
	restore(file, target, 'inserted');
	for (const [database, organizations] of [['empty', '0'], ['inserted', await db.value('SELECT count(*) FROM wa.org')]])
	{
		const wire = await target.open(database);

		assert.equal(await wire.value('SELECT count(*) FROM wa.org'), organizations);
		assert.match(await missing(wire), /^api_key, api_key_hour, api_key_usage, app_user, audit, /);
		await wire.sql('SELECT wa.finish_restore()');
		assert.equal(await missing(wire), undefined);
		await wire.close();
	}
});

test('on the restored server keys are made and revoked, and messages sent, as before', async () =>
{
	const restored = await target.open('restored_custom');
	const gateway = await Gateway.start(target, { database: 'restored_custom' });
	const sandbox = await Sandbox.start(target, { database: 'restored_custom' });
	const made = await createKey(restored, tenant.org);
	const session = (await gateway.client.post('/api/v1/sessions', made.secret, {})).json;
	const sent = await gateway.client.post(`/api/v1/sessions/${session.id}/messages`, made.secret,
		{ type: 'text', to: '15551234567', text: 'after the restore' });

	assert.equal(sent.status, 202);
	await until('the message is read', async () =>
		(await gateway.client.get(`/api/v1/sessions/${session.id}/messages/${sent.json.id}`, made.secret)).json.status === 'read');
	await restored.sql('SELECT wa.revoke_key($1::uuid)', [made.uuid]);
	assert.equal((await gateway.client.get('/api/v1/me', made.secret)).status, 401);
	await assert.rejects(restored.sql('DELETE FROM wa.audit'), { code: '42501' });
	assert.ok(Number(await restored.value('SELECT count(*) FROM wa.audit WHERE sequence IS NOT NULL')) > 0);
	await restored.sql("SELECT wa.housekeep('audit')");
	assert.deepEqual(await restored.sql('SELECT v.place, v.problem FROM wa.org o, wa.verify_audit(o.id) v'), []);
	assert.equal(await restored.value('SELECT count(*) FROM wa.audit WHERE sequence IS NULL'), '0');
	await sandbox.stop();
	await gateway.stop();
	await restored.close();
});

test('a dump of what was restored is the dump that it was restored from', () =>
{
	const first = dump(source, 'wa');

	restore(first, target, 'again');
	assert.equal(comparable(dump(target, 'again')), comparable(first));
});

test('a dump holds no secret at all, and nothing of who is signed in', () =>
{
	const text = comparable(dump(source, 'wa'));

	for (const { secret } of Object.values(keys))
		assert.ok(!text.includes(secret.slice(8)));
	assert.match(text, /^CREATE EXTENSION IF NOT EXISTS wa_apikeys /m);
	assert.doesNotMatch(text, /COPY wa\.(statement|sign_in|ended_sign_in|device|user_token|ticket|realtime|webhook_lane) /);
	assert.doesNotMatch(text, /CREATE (TABLE|FUNCTION|POLICY)/);
});

test('ALTER EXTENSION UPDATE to the release that is there changes nothing', async () =>
{
	const before = [await catalog(db), await contents(db)];

	await db.sql('ALTER EXTENSION wa_apikeys UPDATE');
	assert.deepEqual([await catalog(db), await contents(db)], before);
});

test('a second database of the same server has its own organizations and keys', async () =>
{
	target.createDatabase('second');
	target.prepare('second');

	const gateway = await Gateway.start(target, { database: 'second' });

	assert.equal((await gateway.client.get('/api/v1/sessions', keys.good.secret)).status, 401);
	await gateway.stop();
});

test('DROP EXTENSION takes everything in schema wa with it, needs no CASCADE, and leaves the roles', async () =>
{
	const wire = await target.open('again');

	await wire.sql('DROP EXTENSION wa_apikeys');
	assert.equal(await wire.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'wa'"), '0');
	assert.deepEqual((await wire.sql("SELECT rolname FROM pg_roles WHERE rolname = ANY ($1::text[]) ORDER BY 1", [`{${ROLES.join()}}`]))
		.map((row) => row.rolname), ROLES);

	/* and it can be made again, empty */
	await wire.sql('CREATE EXTENSION wa_apikeys');
	assert.equal(await wire.value('SELECT count(*) FROM wa.org'), '0');
	await wire.close();
});

test('a table of somebody\'s own that is protected stays so in a dump, and keeps DROP EXTENSION from running', async () =>
{
	const wire = await target.open('restored_plain');

	/*
	 * Partitions in schemas that a dump restores before and after their table's, with
	 * names on both sides of the policies'; and one of later, which is closed.
	 */
	await wire.sql(`CREATE TABLE public.invoice (org_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (org_id, id));
		SELECT wa.protect('public.invoice', read => 'read', write => 'manage');
		CREATE SCHEMA first; CREATE SCHEMA second;
		CREATE TABLE second.entry (org_id uuid NOT NULL, id int NOT NULL, PRIMARY KEY (org_id, id)) PARTITION BY RANGE (id);
		CREATE TABLE first.entry_1 PARTITION OF second.entry FOR VALUES FROM (1) TO (2);
		CREATE TABLE first.xentry (org_id uuid NOT NULL, id int NOT NULL, PRIMARY KEY (org_id, id)) PARTITION BY RANGE (id);
		CREATE TABLE second.xentry_1 PARTITION OF first.xentry FOR VALUES FROM (1) TO (2);
		SELECT wa.protect('second.entry'), wa.protect('first.xentry');
		CREATE TABLE second.xentry_2 PARTITION OF first.xentry FOR VALUES FROM (2) TO (3)`);

	/* it is so after a restore as well */
	const policies = `SELECT string_agg(format('%s %s %s', polrelid::regclass, polname, pg_get_expr(polqual, polrelid)), '; ' ORDER BY polrelid::regclass::text, polname)
		FROM pg_policy WHERE polname LIKE 'wa%'`;
	const tables = "unnest('{public.invoice,second.entry,first.entry_1,second.xentry_1}'::regclass[]) t";
	const labelled = 'SELECT string_agg(id::regclass::text, \' \' ORDER BY id::regclass::text) FROM wa.labelled_tables()';

	restore(dump(target, 'restored_plain'), target, 'with_invoice');
	assert.equal(target.psql('with_invoice', `SELECT bool_and(wa.is_protected(t)) FROM ${tables}`), 't');
	assert.equal(target.psql('with_invoice', policies), target.psql('restored_plain', policies));
	assert.match(target.psql('with_invoice', policies), /second\.xentry_2 wa_closed false/);
	assert.match(target.psql('with_invoice', labelled), /first\.entry_1 first\.xentry invoice second\.entry second\.xentry_1/);
	assert.equal(target.psql('with_invoice', labelled), target.psql('restored_plain', labelled));
	await assert.rejects(wire.sql('DROP EXTENSION wa_apikeys'), { code: '2BP01' });
	assert.notEqual(await wire.value('SELECT count(*) FROM wa.org'), '0');
	await wire.sql("SELECT wa.unprotect('public.invoice'), wa.unprotect('second.entry'), wa.unprotect('first.xentry')");
	await wire.sql('DROP EXTENSION wa_apikeys');
	await wire.close();
});
