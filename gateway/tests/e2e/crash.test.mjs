/*
 * crash.test.mjs
 *		What has ended or was restricted stays so after a crash of the server, whatever
 *		synchronous_commit says.
 *
 * The control is a change that may be lost: it comes after the end and is gone after the crash.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { createKey, createOrg, createPerson, createSession } from './harness/tenants.mjs';

let cluster, db, org;
let invitations = 0;

before(async () =>
{
	/* nothing writes the log of a commit to disk by itself while a test looks */
	cluster = prepareCluster(['synchronous_commit = off', 'wal_writer_delay = 10s', 'autovacuum = off']);
	await begin();
	org = await createOrg(db, 'Acme');
});

async function begin()
{
	db = await cluster.open('wa');
}

/* Whether a credential is accepted; a cookie is, if a token can be made from it. */
async function accepted(secret)
{
	if (secret.startsWith('wai_'))
		return (await db.sql('SELECT FROM wa.read_invitation($1)', [secret])).length === 1;

	const call = secret.startsWith('was_') ? 'SELECT token FROM wa.mint_user_token($1)' : 'SELECT wa.authenticate($1)';

	try
	{
		await db.sql(call, [secret]);
		return true;
	}
	catch (error)
	{
		assert.equal(error.code, '28000', error.message);
		return false;
	}
}

/* A person who is signed in, with another owner beside them. */
async function signedIn()
{
	const person = await createPerson(db, { org });
	const cookie = await db.value("SELECT cookie FROM wa.sign_in($1, $2, '192.0.2.1', 'x')", [person.email, person.password]);

	return { ...person, secret: cookie, token: await db.value('SELECT token FROM wa.mint_user_token($1)', [cookie]) };
}

async function invited()
{
	const { token } = await signedIn();

	return { ...await as(token, "SELECT id, secret FROM wa.invite_member($1, 'member')", `invited-${++invitations}@example.com`), token };
}

/* The row of one statement in a transaction that is bound to a credential. */
async function as(secret, statement, ...values)
{
	await db.sql('BEGIN');
	await db.sql('SELECT wa.authenticate($1)', [secret]);
	const [row] = await db.sql(statement, values);

	await db.sql('COMMIT');
	return row;
}

async function webhook()
{
	const { secret } = await createKey(db, org);
	const { id } = await as(secret, "SELECT id FROM wa.create_webhook('https://receiver.example/', custom_headers => '{\"X-Token\":\"old\"}')");

	return { key: secret, id, secret: await db.value('SELECT w.secret FROM wa.webhook w WHERE w.id = $1', [id]) };
}

/* Whether it is as it was made: events go to this receiver, with this header, signed with this secret. */
async function delivers({ id, secret })
{
	return await db.value(`SELECT count(*) FROM wa.webhook w WHERE w.id = $1 AND w.active AND w.disabled_at IS NULL AND w.url = 'https://receiver.example/'
		AND w.secret = $2 AND w.events = '{*}' AND w.custom_headers ->> 'X-Token' = 'old'`, [id, secret]) === '1';
}

const changed = (...what) => [webhook, ({ key, id }) => as(key, `SELECT wa.update_webhook($1, ${what})`, id), delivers];

async function session()
{
	return { ...await createSession(db, org), key: (await createKey(db, org)).secret };
}

async function works({ uuid })
{
	return await db.value("SELECT count(*) FROM wa.session s WHERE s.id = $1 AND s.status = 'working' AND s.deleted_at IS NULL", [uuid]) === '1';
}

async function socket()
{
	const key = await createKey(db, org);

	return { key, ...await as(key.secret, 'SELECT socket AS secret FROM wa.open_socket()') };
}

async function ticket()
{
	return await as((await createKey(db, org)).secret, 'SELECT ticket FROM wa.create_ticket()');
}

const isTrue = (condition) => async () => await db.value(`SELECT ${condition}`) === 't';

const ENDS = {
	'a key is revoked': [() => createKey(db, org), ({ uuid }) => db.sql('SELECT wa.revoke_key($1::uuid)', [uuid])],
	'a key is switched off': [() => createKey(db, org), ({ uuid }) => db.sql('SELECT wa.disable_key($1)', [uuid])],
	'a key is revoked whose row somebody has locked': [() => createKey(db, org), async ({ uuid }) =>
	{
		const holder = await cluster.open('wa');

		await holder.sql('BEGIN');
		await holder.sql('SELECT FROM wa.api_key WHERE id = $1 FOR UPDATE', [uuid]);
		await db.sql('SELECT wa.revoke_key($1::uuid)', [uuid]);
	}],
	'somebody signs out': [signedIn, ({ secret }) => db.sql('SELECT wa.sign_out($1)', [secret])],
	'somebody gets another password': [signedIn, ({ uuid }) => db.sql('SELECT wa.reset_password($1)', [uuid])],
	'an invitation is withdrawn': [invited, ({ id, token }) => as(token, 'SELECT wa.withdraw_invitation($1)', id)],
	'an invitation is accepted': [invited, ({ secret }) => db.sql("SELECT wa.accept_invitation($1, 'New', 'a good password')", [secret])],
	'an account is disabled': [signedIn, ({ uuid }) => db.sql('SELECT wa.disable_user($1)', [uuid])],
	'a member is removed': [signedIn, ({ uuid }) => db.sql('SELECT wa.remove_member($1, $2)', [org.uuid, uuid]),
		({ uuid }) => isTrue(`EXISTS (SELECT FROM wa.member m WHERE m.user_id = '${uuid}')`)()],
	'a member is demoted': [signedIn, ({ uuid }) => db.sql("SELECT wa.add_member($1, $2, 'member')", [org.uuid, uuid]),
		({ uuid }) => isTrue(`EXISTS (SELECT FROM wa.member m WHERE m.user_id = '${uuid}' AND m.role = 'owner')`)()],
	'a key loses a permission': [async () => ({ key: await createKey(db, org), owner: await signedIn() }),
		({ key, owner }) => as(owner.token, "SELECT wa.update_api_key($1, permissions => '{read}')", key.uuid),
		({ key }) => isTrue(`EXISTS (SELECT FROM wa.api_key k WHERE k.id = '${key.uuid}' AND k.permissions::text[] @> '{send}')`)()],
	'a key with a socket gets other addresses': [async () => ({ ...await socket(), owner: await signedIn() }),
		({ key, owner }) => as(owner.token, "SELECT wa.update_api_key($1, addresses => '{192.0.2.1}')", key.uuid)],
	'a socket is closed': [socket, ({ secret }) => db.sql('SELECT wa.close_socket($1)', [secret])],
	'a ticket is used': [ticket, (given) => db.sql('SELECT wa.redeem_ticket($1)', [given.ticket]),
		(given) => isTrue(`EXISTS (SELECT FROM wa.ticket t WHERE t.digest = wa.hash_key('${given.ticket}') AND t.used_at IS NULL)`)()],
	'a webhook is deleted': [webhook, ({ key, id }) => as(key, 'SELECT wa.delete_webhook($1)', id), delivers],
	'a webhook is switched off': changed('active => false'),
	'a webhook gets another URL': changed("url => 'https://other.example/'"),
	'a webhook gets fewer events': changed("events => '{message}'"),
	'a webhook gets another header': changed('custom_headers => \'{"X-Token":"new"}\''),
	'a webhook gets another secret': [webhook, ({ key, id }) => as(key, 'SELECT wa.rotate_webhook_secret($1)', id), delivers],
	'a session is stopped': [session, ({ uuid, key }) => as(key, "SELECT wa.control_session($1, 'stop')", uuid), works],
	'a session is logged out': [session, ({ uuid, key }) => as(key, "SELECT wa.control_session($1, 'logout')", uuid), works],
	'a session is deleted': [session, ({ uuid, key }) => as(key, 'SELECT wa.delete_session($1)', uuid), works],
	'keys get a stricter policy': [() => null, () => db.sql('SELECT wa.set_key_policy($1, 7, 30)', [org.uuid]),
		isTrue('NOT EXISTS (SELECT FROM wa.key_policy)')],
	'an organization gets a lower limit': [() => null, () => db.sql("SELECT wa.set_org_limit($1, 'webhooks', 30)", [org.uuid]),
		isTrue('NOT EXISTS (SELECT FROM wa.org_limits)')],
	'events are to be kept for a shorter time': [() => null, () => db.sql('SELECT wa.set_event_days($1, 1)', [org.uuid]),
		isTrue('NOT EXISTS (SELECT FROM wa.org o WHERE o.event_days = 1)')],
	'files are to be kept for a shorter time': [() => null, () => db.sql('SELECT wa.set_media_days($1, 30)', [org.uuid]),
		isTrue('NOT EXISTS (SELECT FROM wa.org o WHERE o.media_days = 30)')],
	'a key of a scanner is removed': [() => db.sql("INSERT INTO wa.scanner_key VALUES ('scanner', 'key', 'x')"),
		() => db.sql('DELETE FROM wa.scanner_key'), isTrue('EXISTS (SELECT FROM wa.scanner_key)')],
	'a table is protected': [() => db.sql('CREATE TABLE public.invoice (org_id uuid PRIMARY KEY)'), () => db.sql("SELECT wa.protect('public.invoice')"),
		isTrue("NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = 'public.invoice'::regclass AND c.relrowsecurity)")],
};

for (const [name, [make, end, stands = ({ secret }) => accepted(secret)]] of Object.entries(ENDS))
{
	test(`${name}, and the server crashes`, async () =>
	{
		await signedIn();

		const given = await make();

		const writer = Number(await db.value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"));

		/* it would write the log of the control's commit, were the machine slow enough */
		process.kill(writer, 'SIGSTOP');
		/* all this is on disk */
		await db.sql('CHECKPOINT');
		assert.equal(await stands(given), true);
		await end(given);
		assert.equal(await stands(given), false);

		const lost = await db.value("SELECT wa.create_org('Lost')");

		await cluster.kill([writer]);
		await begin();
		assert.equal(await db.value('SELECT count(*) FROM wa.org WHERE id = $1', [lost]), '0', 'the crash has lost something');
		assert.equal(await stands(given), false);
	});
}
