/*
 * crash.test.mjs
 *		An access that has ended stays ended after a crash of the server, whatever
 *		synchronous_commit says.
 *
 * The control is a change that may be lost: it comes after the end and is gone after the crash.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { createKey, createOrg, createPerson } from './harness/tenants.mjs';

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

	await db.sql('BEGIN');
	await db.sql('SELECT wa.authenticate($1)', [token]);
	const [invitation] = await db.sql("SELECT id, secret FROM wa.invite_member($1, 'member')", [`invited-${++invitations}@example.com`]);

	await db.sql('COMMIT');
	return { ...invitation, token };
}

async function withdraw({ id, token })
{
	await db.sql('BEGIN');
	await db.sql('SELECT wa.authenticate($1)', [token]);
	await db.sql('SELECT wa.withdraw_invitation($1)', [id]);
	await db.sql('COMMIT');
}

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
	'an invitation is withdrawn': [invited, withdraw],
	'an account is disabled': [signedIn, ({ uuid }) => db.sql('SELECT wa.disable_user($1)', [uuid])],
};

for (const [name, [make, end]] of Object.entries(ENDS))
{
	test(`${name}, and the server crashes`, async () =>
	{
		await signedIn();

		const given = await make();

		/* all this is on disk */
		await db.sql('CHECKPOINT');
		assert.equal(await accepted(given.secret), true);
		await end(given);
		assert.equal(await accepted(given.secret), false);

		const lost = await db.value("SELECT wa.create_org('Lost')");

		cluster.crash();
		cluster.start();
		await begin();
		assert.equal(await db.value('SELECT count(*) FROM wa.org WHERE id = $1', [lost]), '0', 'the crash has lost something');
		assert.equal(await accepted(given.secret), false);
	});
}
