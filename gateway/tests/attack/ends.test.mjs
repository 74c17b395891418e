/*
 * ends.test.mjs
 *		No number of connections keeps an access from ending (P47).
 *
 * Mallory is an admin of "ours", has stolen the gateway's login, and holds and queues for
 * the rows that the access rests on: CROWD connections, each with a statement and no Sync,
 * and a new one for each that the server ends.  Meanwhile an owner ends the access through
 * the gateway, with the login's own lock_timeout, at the first attempt.
 *
 * What can be held while anything ends is locks.test.mjs's subject, and how long a hold can
 * last that of held.test.mjs.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../e2e/harness/processes.mjs';
import { createKey, createPerson } from '../e2e/harness/tenants.mjs';
import { message } from '../e2e/harness/wire.mjs';
import { LOGINS, NO_CREDENTIAL, REFUSED, Stage } from './stage.mjs';

const CROWD = 16;
/* What one connection gets back after the other is not in a transaction for a moment. */
const CROWD_MIN = 12;
const LOCK_TIMEOUT = '2s';
const NOT_FOUND = 'P0002';
const PASSWORD = 'another good password';

let stage, ours, gateway, owner;

/* ---- asking ---- */

/* A statement behind what binds it to a credential, if there is one, and no Sync. */
function unsynced({ secret = null, needs = 'manage', name, list })
{
	return [...secret ? stage.authenticate(secret, needs) : [],
		message.parse('', stage.text(name)), message.bind('', list), message.describe('P', ''), message.execute()];
}

/* The error of one request, or null, and its last row. */
async function asked(request)
{
	const { error, rows } = await gateway.exchange(...unsynced(request), message.sync());

	return { code: error?.code ?? null, row: rows.at(-1) };
}

async function ask(request)
{
	const { code, row } = await asked(request);

	assert.equal(code, null, request.name);
	return row;
}

/* A connection whose transaction the server does not end while passwords are hashed beside it. */
async function openPatient()
{
	const bounds = ['wa.transaction_timeout', 'wa.idle_in_transaction_timeout'];

	for (const bound of bounds)
		await stage.db.sql(`ALTER ROLE ${LOGINS.wa_gateway} SET ${bound} = '60s'`);

	const wire = await stage.open();

	for (const bound of bounds)
		await stage.db.sql(`ALTER ROLE ${LOGINS.wa_gateway} RESET ${bound}`);
	return wire;
}

const signIn = ({ email, password }) => ask({ name: 'auth_sign_in', list: [email, password, '192.0.2.1', 'x', null] });

async function tokenOf(person)
{
	const { cookie } = await signIn(person);
	const { token } = await ask({ name: 'auth_token', list: [cookie, null] });

	return { ...person, cookie, token };
}

const person = async (role) => tokenOf(await createPerson(stage.db, { org: ours.org, role }));

/* ---- the crowd ---- */

class Crowd
{
	/* requests: what the connections hold, in turns; least: how many of them hold or wait at a time. */
	static async gather(requests, least)
	{
		const crowd = new Crowd();

		crowd.goes = false;
		crowd.held = 0;
		crowd.wires = new Set();
		crowd.members = Array.from({ length: CROWD }, (_, i) => crowd.hold(requests[i % requests.length]));
		await until('the crowd holds and waits', async () => crowd.held > 0 && await crowd.inTransaction() >= least);
		return crowd;
	}

	async inTransaction()
	{
		const pids = [...this.wires].map((wire) => wire.backend.pid);

		return Number(await stage.db.value('SELECT count(*) FROM pg_stat_activity WHERE pid = ANY ($1::integer[]) AND xact_start IS NOT NULL', [`{${pids.join(',')}}`]));
	}

	/* One connection after the other: each until the server ends it, or refuses the statement. */
	async hold(request)
	{
		while (!this.goes)
		{
			const wire = await stage.open();

			this.wires.add(wire);
			wire.send(...unsynced(request), message.flush());
			for (let got = await wire.next(); got && got.type !== 'E'; got = await wire.next())
				this.held += got.type === 'C' ? 1 : 0;
			this.wires.delete(wire);
			wire.socket.destroy();
			await sleep(20);
		}
	}

	async disperse()
	{
		this.goes = true;
		for (const wire of this.wires)
			wire.socket.destroy();
		await Promise.all(this.members);
	}
}

/* Runs "then" with what ends, while a crowd of these requests is there. */
async function whileHeld(requests, then, least = CROWD_MIN)
{
	const crowd = await Crowd.gather(requests, least);

	try
	{
		await then();
	}
	finally
	{
		await crowd.disperse();
	}
}

before(async () =>
{
	stage = await Stage.set();
	({ ours } = stage);
	await stage.db.sql(`ALTER ROLE ${LOGINS.wa_gateway} SET lock_timeout = '${LOCK_TIMEOUT}'`);
	gateway = await stage.open();
	owner = await person('owner');
});

/* ---- the tests ---- */

test('a key is switched off, and then revoked, while it is changed, rotated and revoked', async () =>
{
	const mallory = await person('admin');
	const key = await createKey(stage.db, ours.org);
	const held = [['api_key_update', [key.uuid, 'another name', null, null, null, null, null, null]], ['api_key_rotate', [key.uuid, null, null]], ['api_key_revoke', [key.uuid, null]]];

	assert.equal((await asked({ secret: key.secret, needs: 'read', name: 'me', list: [] })).code, null);
	await whileHeld(held.map(([name, list]) => ({ secret: mallory.token, name, list })), async () =>
	{
		await ask({ secret: owner.token, name: 'api_key_update', list: [key.uuid, null, null, null, 'false', null, null, null] });
		assert.equal((await asked({ secret: key.secret, needs: 'read', name: 'me', list: [] })).code, NO_CREDENTIAL);
		await ask({ secret: owner.token, name: 'api_key_revoke', list: [key.uuid, null] });
		assert.equal((await asked({ secret: key.secret, needs: 'read', name: 'me', list: [] })).code, NO_CREDENTIAL);
	});
	assert.equal((await asked({ secret: key.secret, needs: 'read', name: 'me', list: [] })).code, NO_CREDENTIAL, 'for good');
});

const selfHeld = (mallory) => [['member_remove', [mallory.uuid]], ['member_update', [mallory.uuid, 'member']]]
	.map(([name, list]) => ({ secret: mallory.token, name, list }));

test('a member is removed who removes and demotes herself', async () =>
{
	const mallory = await person('admin');

	await whileHeld(selfHeld(mallory), async () =>
	{
		await ask({ secret: owner.token, name: 'member_remove', list: [mallory.uuid] });
		assert.equal((await asked({ secret: mallory.token, needs: 'read', name: 'me', list: [] })).code, NO_CREDENTIAL);
		assert.equal((await asked({ secret: owner.token, name: 'member_remove', list: [mallory.uuid] })).code, NOT_FOUND, 'nor is she listed');
	});
	assert.equal((await asked({ name: 'auth_active_org', list: [mallory.cookie, ours.org.uuid] })).code, NOT_FOUND, 'for good');
});

test('a member is demoted whom others remove and promote', async () =>
{
	const mallory = await person('admin');
	const others = await Promise.all([person('admin')]);
	const held = others.flatMap((other) => [['member_remove', [mallory.uuid]], ['member_update', [mallory.uuid, 'admin']]]
		.map(([name, list]) => ({ secret: other.token, name, list })));

	await whileHeld(held, async () =>
	{
		assert.equal((await ask({ secret: owner.token, name: 'member_update', list: [mallory.uuid, 'member'] })).role, 'member');
		assert.equal((await asked({ secret: mallory.token, needs: 'manage', name: 'me', list: [] })).code, REFUSED);
	});
});

test('an invitation is withdrawn while it is accepted, withdrawn and replaced', async () =>
{
	const mallory = await person('admin');
	const { id, invitation: secret } = await ask({ secret: owner.token, name: 'invitation_create', list: ['invited@example.com', 'member'] });

	await whileHeld([{ name: 'auth_accept', list: [secret, 'Invited', PASSWORD] },
		{ secret: mallory.token, name: 'invitation_withdraw', list: [id] },
		{ secret: mallory.token, name: 'invitation_create', list: ['invited@example.com', 'member'] }], async () =>
	{
		await ask({ secret: owner.token, name: 'invitation_withdraw', list: [id] });
		assert.equal((await asked({ name: 'auth_accept', list: [secret, 'Invited', PASSWORD] })).code, NOT_FOUND);
	});
});

test('who is just accepting an invitation does not join by it once it is withdrawn', async () =>
{
	const { id, invitation: secret } = await ask({ secret: owner.token, name: 'invitation_create', list: ['late@example.com', 'member'] });
	const wire = await openPatient();

	wire.send(...unsynced({ name: 'auth_accept', list: [secret, 'Late', PASSWORD] }), message.flush());
	for (let got = await wire.next(); got.type !== 'C'; got = await wire.next())
		assert.notEqual(got.type, 'E', got.body.toString());
	await ask({ secret: owner.token, name: 'invitation_withdraw', list: [id] });
	assert.equal((await wire.exchange(message.sync())).error.code, NOT_FOUND);
	assert.equal(await stage.db.value("SELECT count(*) FROM wa.app_user WHERE email = 'late@example.com'"), '0');
});

/* What ends the invitations that a person has made, and gives the right to invite back, if it takes it. */
const RECOVERIES = {
	'her password is reset': ({ uuid }) => [['SELECT wa.reset_password($1)', uuid]],
	'she changes her password': ({ cookie, password }) => [['SELECT wa.change_password($1, $2, $3)', cookie, password, PASSWORD]],
	'her account is closed and opened': ({ uuid }) => [['SELECT wa.disable_user($1)', uuid], ['SELECT wa.enable_user($1)', uuid]],
	'she is removed and added': ({ uuid }) =>
		[['SELECT wa.remove_member($1, $2)', ours.org.uuid, uuid], ["SELECT wa.add_member($1, $2, 'admin')", ours.org.uuid, uuid]],
};

async function recover(statements, mallory)
{
	for (const [statement, ...values] of statements(mallory))
		await stage.db.sql(statement, values);
}

for (const [what, statements] of Object.entries(RECOVERIES))
{
	const email = (who) => `${who}-${Object.keys(RECOVERIES).indexOf(what)}@example.com`;
	const accept = (secret) => ({ name: 'auth_accept', list: [secret, 'Thief', PASSWORD] });

	test(`what an admin has invited to is over when ${what}, while many accept it`, async () =>
	{
		const mallory = await person('admin');
		const { invitation: secret } = await ask({ secret: mallory.token, name: 'invitation_create', list: [email('crowd'), 'admin'] });

		/* One holds it, and the others try again and again: an acceptance waits for no other. */
		await whileHeld([accept(secret)], () => recover(statements, mallory), 1);
		assert.equal((await asked(accept(secret))).code, NOT_FOUND);
		assert.equal(await stage.db.value('SELECT count(*) FROM wa.app_user WHERE email = $1', [email('crowd')]), '0');
	});

	test(`who is just accepting it does not join by it once ${what}`, async () =>
	{
		const mallory = await person('admin');
		const { invitation: secret } = await ask({ secret: mallory.token, name: 'invitation_create', list: [email('one'), 'admin'] });
		const wire = await openPatient();

		wire.send(...unsynced(accept(secret)), message.flush());
		for (let got = await wire.next(); got.type !== 'C'; got = await wire.next())
			assert.notEqual(got.type, 'E', got.body.toString());
		await recover(statements, mallory);
		assert.equal((await wire.exchange(message.sync())).error.code, NOT_FOUND);
		assert.equal((await asked(accept(secret))).code, NOT_FOUND, 'for good');
	});
}

test('the control: who accepts an invitation that stands joins by it', async () =>
{
	const { invitation: secret } = await ask({ secret: owner.token, name: 'invitation_create', list: ['in-time@example.com', 'member'] });

	await ask({ name: 'auth_accept', list: [secret, 'In time', PASSWORD] });
	assert.equal(await stage.db.value("SELECT role FROM wa.people WHERE email = 'in-time@example.com'"), 'member');
});

test('a person signs out whose cookie others use to sign out', async () =>
{
	const victim = await person('member');
	const other = await tokenOf(victim);

	await whileHeld([{ name: 'auth_sign_out', list: [victim.cookie] }], async () =>
	{
		await ask({ name: 'auth_sign_out', list: [victim.cookie] });
		assert.equal((await asked({ name: 'auth_me', list: [victim.cookie] })).code, NO_CREDENTIAL);
		assert.equal((await asked({ secret: victim.token, needs: 'read', name: 'me', list: [] })).code, NO_CREDENTIAL);
	});
	assert.equal((await asked({ name: 'auth_me', list: [victim.cookie] })).code, NO_CREDENTIAL, 'for good');
	assert.equal((await asked({ name: 'auth_me', list: [other.cookie] })).code, null, 'their other sign-in stays');
});

/*
 * Rows that no access rests on are waited for.  Whoever holds them needs a credential, and
 * with its end all that waits for a row with it is refused.
 */
for (const [what, make, holds, end] of [
	['a webhook', ['webhook_create', ['https://new.example/', null, null, null, null, null, null]],
		(id) => ['webhook_update', [id, null, null, null, null, null, 'false']], 'webhook_delete'],
	['a session', ['session_create', ['new', 'false', ...Array(8).fill(null)]],
		(id) => ['session_update', [id, 'other', null, null, null, null]], 'session_delete'],
])
{
	test(`${what} that many connections change is deleted as soon as their key is revoked`, async () =>
	{
		const key = await createKey(stage.db, ours.org);
		const { id } = await ask({ secret: owner.token, name: make[0], list: make[1] });
		const [name, list] = holds(id);

		await whileHeld([{ secret: key.secret, name, list }], async () =>
		{
			await ask({ secret: owner.token, name: 'api_key_revoke', list: [key.uuid, null] });
			await ask({ secret: owner.token, name: end, list: [id] });
		});
	});
}
