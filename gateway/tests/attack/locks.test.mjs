/*
 * locks.test.mjs
 *		Nobody's open transaction stands against the end of an access, or against the work
 *		that is done for everybody (P47).
 *
 * A sealed login sends a statement and no Sync, and so keeps the locks that it took.  Each
 * registered statement of the gateway is held so by "ours", one after the other.  Meanwhile
 * all that ends an access in that organization is done, by an administrator and by an owner,
 * and all that worker and connector do for everybody or for "theirs".  Nothing of it may
 * wait for a second.  Everything is rolled back, so that each hold meets the same rows.
 *
 * What changes the very row that is held has to wait for it, whatever it is: those pairs are
 * listed in SAME_ROW.  How long a hold can last is held.test.mjs's subject.
 */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { before, test } from 'node:test';
import { giveCredentials } from '../e2e/harness/fixtures.mjs';
import { until } from '../e2e/harness/processes.mjs';
import { createChat, createKey, createMessage, createPerson, createSession } from '../e2e/harness/tenants.mjs';
import { message } from '../e2e/harness/wire.mjs';
import { LOGINS, Stage, told } from './stage.mjs';

const LOCK_TIMEOUT = '1s';
const NO_SUCH_PORTAL = '34000';
const PHONE = '15551112222';
const OWNER = 'me';

let stage, ours, theirs, gateway, worker, connector;

/* Rows to hold and to end; what a statement makes for itself is rolled back. */
const thing = {};

/* The answer to one statement in a transaction of its own, which is committed. */
async function ask(wire, role, name, list, secret = null, needs = 'manage')
{
	const got = await wire.exchange(...secret ? request(secret, needs) : [], ...run(role, name, list), message.sync());

	if (got.error)
		throw got.error;
	return got.rows.at(-1);
}

function run(role, name, list)
{
	return [message.parse('', stage.text(name, role)), message.bind('', list), message.describe('P', ''), message.execute()];
}

function request(secret, needs)
{
	return [message.parse('', stage.text('authenticate')), message.bind('', stage.credential(secret, needs)), message.execute()];
}

function actFor(role, org)
{
	return run(role, 'act_for', [org.uuid, '1']);
}

/* Runs to its end and rolls it back: what was wrong, or null, and the rows. */
async function tried(wire, messages)
{
	const got = await wire.exchange(...messages, message.execute('no such portal'), message.sync());

	assert.notEqual(got.status, null, 'the connection stays');
	return { problem: got.error.code === NO_SUCH_PORTAL ? null : `${got.error.code} ${got.error.text}`, rows: got.rows };
}

/* ---- what is held ---- */

const N = null;

/* The report of a service that has found the key in public. */
function leakReport()
{
	const body = Buffer.from(JSON.stringify([{ token: thing.key.secret, type: 'key' }]));

	return ['scanner key', sign('sha256', body, thing.scanner.privateKey).toString('base64'), String(body)];
}

/* By statement: the credential, what it needs, the values.  A function, because they are made in before(). */
const HELD = {
	...Object.fromEntries(['check_login', 'check_version', 'self_check', 'ready'].map((name) => [name, () => [N, N, []]])),
	unbound: () => [N, N, ['1']],
	authenticate: () => [N, N, stage.credential(ours.key.secret)],
	credential_org: () => [N, N, [ours.key.secret]],
	credential_reaches: () => [N, N, [ours.key.secret, 'read', '127.0.0.1', N]],
	event_knock: () => [N, N, [ours.org.uuid]],
	event_wait: () => [N, N, [ours.org.uuid, '0', ours.key.secret, ...Array(stage.statement('event_wait').parameters.length - 3).fill(N)]],

	auth_me: () => [N, N, [thing.cookie]],
	auth_token: () => [N, N, [thing.cookie, N]],
	auth_active_org: () => [N, N, [thing.cookie, thing.otherOrg]],
	auth_sign_out: () => [N, N, [thing.cookie]],
	auth_password: () => [N, N, [thing.cookie, thing.person.password, 'another good password']],
	auth_sign_in: () => [N, N, [thing.person.email, thing.person.password, '192.0.2.1', 'x', thing.device]],
	auth_invitation: () => [N, N, [thing.invitation.invitation]],
	leak_report: () => [N, N, leakReport()],
	auth_accept: () => [N, N, [thing.invitation.invitation, 'New', 'another good password']],

	authorized: () => [ours.key.secret, 'read', []],
	me: () => [ours.key.secret, 'read', []],
	session_list: () => [ours.key.secret, 'read', [N, N, '50']],
	session_get: () => [ours.key.secret, 'read', [ours.session.uuid]],
	session_me: () => [ours.key.secret, 'read', [ours.session.uuid]],
	session_qr: () => [ours.key.secret, 'manage', [thing.pairing]],
	session_pairing_code: () => [ours.key.secret, 'manage', [thing.pairing, PHONE]],
	session_create: () => [ours.key.secret, 'manage', ['new', 'false', ...Array(8).fill(N)]],
	session_update: () => [ours.key.secret, 'manage', [ours.session.uuid, 'other', N, N, N, N]],
	session_control: () => [ours.key.secret, 'manage', [ours.session.uuid, 'restart']],
	session_delete: () => [ours.key.secret, 'manage', [ours.session.uuid]],
	connector_list: () => [ours.key.secret, 'read', []],
	sealing_key: () => [ours.key.secret, 'manage', [ours.session.uuid, N]],
	session_credentials_get: () => [ours.key.secret, 'manage', [thing.ourConnected]],
	session_credentials_set: () => [ours.key.secret, 'manage', [ours.session.uuid, '1', '2', '3', thing.connectorKey, `\\x${'5e'.repeat(64)}`]],
	chat_list: () => [ours.key.secret, 'read', [ours.session.uuid, N, N, N, N, N, '50']],
	chat_get: () => [ours.key.secret, 'read', [ours.session.uuid, ours.chat.jid]],
	chat_update: () => [ours.key.secret, 'send', [ours.session.uuid, ours.chat.jid, 'true', N, N]],
	chat_read: () => [ours.key.secret, 'send', [ours.session.uuid, ours.chat.jid]],
	contact_list: () => [ours.key.secret, 'read', [ours.session.uuid, N, N, '50']],
	contact_get: () => [ours.key.secret, 'read', [ours.session.uuid, ours.chat.jid]],
	message_list: () => [ours.key.secret, 'read', [ours.session.uuid, ours.chat.jid, N, N, N, N, N, N, '50']],
	message_search: () => [ours.key.secret, 'read', [ours.session.uuid, 'x', N, N, N, N, N, '50']],
	message_get: () => [ours.key.secret, 'read', [ours.session.uuid, thing.sent]],
	message_send: () => [ours.key.secret, 'send', [ours.session.uuid, PHONE, 'text', '{"text":"x"}', N, N, 'an old key']],
	message_file_begin: () => [ours.key.secret, 'send', [ours.session.uuid, PHONE, 'image', '{"media":{"data":"AAEC"}}', N, N, 'an old key']],
	message_file_send: () => [ours.key.secret, 'send', [ours.session.uuid, PHONE, 'text', '{"text":"x"}', N, N, 'an old key', `\\x${'00'.repeat(32)}`]],
	message_edit: () => [ours.key.secret, 'send', [ours.session.uuid, thing.sent, 'other']],
	message_forward: () => [ours.key.secret, 'send', [ours.session.uuid, thing.sent, PHONE, N]],
	message_react: () => [ours.key.secret, 'send', [ours.session.uuid, thing.sent, '👍']],
	media_begin: () => [ours.key.secret, 'send', ['text/plain', N, '1']],
	media_create: () => [ours.key.secret, 'send', [`\\x${'00'.repeat(32)}`, '1', 'text/plain', N, String(Date.now())]],
	media_get: () => [ours.key.secret, 'read', [thing.file]],
	message_media: () => [ours.key.secret, 'read', [ours.session.uuid, thing.sent]],
	message_revoke: () => [ours.key.secret, 'send', [ours.session.uuid, thing.sent]],
	webhook_list: () => [ours.key.secret, 'manage', [N, '50']],
	webhook_get: () => [ours.key.secret, 'manage', [thing.ourWebhook]],
	webhook_create: () => [ours.key.secret, 'manage', ['https://new.example/', N, N, N, N, N, N]],
	webhook_update: () => [ours.key.secret, 'manage', [thing.ourWebhook, N, N, N, N, N, 'false']],
	webhook_secret: () => [ours.key.secret, 'manage', [thing.ourWebhook, N, N]],
	webhook_test: () => [ours.key.secret, 'manage', [thing.ourWebhook]],
	webhook_delete: () => [ours.key.secret, 'manage', [thing.ourWebhook]],
	delivery_list: () => [ours.key.secret, 'manage', [thing.ourWebhook, N, N, '50']],
	delivery_get: () => [ours.key.secret, 'manage', [thing.ourWebhook, thing.ourDelivery]],
	delivery_replay: () => [ours.key.secret, 'manage', [thing.ourWebhook, thing.ourDelivery]],
	event_list: () => [ours.key.secret, 'events', [N, N, N, N, N, '50']],
	realtime_ticket: () => [ours.key.secret, 'events', [N, N, N, N]],
	realtime_redeem: () => [N, N, [thing.ticket]],
	realtime_open: () => [ours.key.secret, 'events', [N]],
	realtime_close: () => [N, N, [thing.socket]],
	realtime_start: () => [ours.key.secret, 'events', [N]],
	realtime_batch: () => [ours.key.secret, 'events', ['9', '9', ours.org.uuid, N, N]],
	realtime_credential: () => [thing.socket, 'events', []],

	authorized_person: () => [thing.token, 'manage', []],
	api_key_list: () => [thing.token, 'manage', [N, N, '50']],
	api_key_get: () => [thing.token, 'manage', [thing.key.uuid]],
	api_key_create: () => [thing.token, 'manage', ['new', '{read}', N, N, N, N, N]],
	api_key_update: () => [thing.token, 'manage', [thing.key.uuid, N, '{read}', N, N, N, N, N]],
	api_key_rotate: () => [thing.token, 'manage', [thing.key.uuid, N, N]],
	api_key_revoke: () => [thing.token, 'manage', [thing.key.uuid, N]],
	api_key_revoke_all: () => [thing.token, 'manage', ['true', N, N]],
	api_key_usage: () => [thing.token, 'manage', [thing.key.uuid, N]],
	api_key_permissions: () => [thing.token, 'manage', []],
	api_key_policy_get: () => [thing.token, 'manage', []],
	api_key_policy_set: () => [thing.ownerToken, 'manage', ['7', '30']],
	audit_list: () => [thing.token, 'manage', [N, N, N, N, N, N, '50']],
	audit_head: () => [thing.token, 'manage', []],
	audit_export: () => [thing.token, 'manage', [N]],
	member_list: () => [thing.token, 'manage', [N, N, '50']],
	member_update: () => [thing.ownerToken, 'manage', [thing.person.uuid, 'member']],
	member_remove: () => [thing.token, 'manage', [thing.person.uuid]],
	invitation_list: () => [thing.token, 'manage', [N, '50']],
	invitation_create: () => [thing.token, 'manage', ['new@example.com', 'member']],
	invitation_withdraw: () => [thing.token, 'manage', [thing.invitation.id]],
};

/* Holds a statement; the connection whose end is the end of the hold. */
async function hold(name, [secret, needs, list] = HELD[name]())
{
	const wire = await stage.open();
	let toCome = secret ? 2 : 1;

	wire.send(...secret ? request(secret, needs) : [], message.parse('', stage.text(name)), message.bind('', list), message.execute(), message.flush());
	while (toCome > 0)
	{
		const { type, body } = await wire.next() ?? assert.fail(`${name}: the connection has ended`);

		assert.notEqual(type, 'E', `${name}: ${body.toString().replaceAll('\0', ' ')}`);
		if (type === 'C')
			toCome--;
	}
	wire.pid = String(wire.backend.pid);
	assert.equal(await isHeld(wire), true, `${name} is held`);
	return wire;
}

async function isHeld(wire)
{
	return await stage.db.value('SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND xact_start IS NOT NULL', [wire.pid]) === '1';
}

async function letGo(wire)
{
	wire.socket.destroy();
	await until('the hold is over', async () => await stage.db.value('SELECT count(*) FROM pg_stat_activity WHERE pid = $1', [wire.pid]) === '0');
}

/* ---- what ends an access ---- */

/* An administrator's, in psql. */
const ADMINISTRATOR = {
	'wa.revoke_key(key)': () => ['SELECT wa.revoke_key($1)', [thing.key.uuid]],
	'wa.revoke_key(organization, name)': () => ['SELECT wa.revoke_key($1, $2)', [ours.org.uuid, thing.key.name]],
	'wa.revoke_keys()': () => ['SELECT wa.revoke_keys($1)', [ours.org.uuid]],
	'wa.revoke_secret()': () => ['SELECT wa.revoke_secret($1)', [thing.key.secret]],
	'wa.disable_key()': () => ['SELECT wa.disable_key($1)', [thing.key.uuid]],
	'wa.remove_member()': () => ['SELECT wa.remove_member($1, $2)', [ours.org.uuid, thing.person.uuid]],
	'wa.add_member() with less': () => ['SELECT wa.add_member($1, $2, $3)', [ours.org.uuid, thing.person.uuid, 'member']],
	'wa.disable_user()': () => ['SELECT wa.disable_user($1)', [thing.person.uuid]],
	'wa.reset_password()': () => ['SELECT wa.reset_password($1)', [thing.person.uuid]],
};

/* An owner's by the gateway, and the person's own, who has lost a cookie. */
const OWNERS = {
	api_key_revoke: () => [thing.ownerToken, [thing.key.uuid, N]],
	api_key_revoke_all: () => [thing.ownerToken, ['true', N, N]],
	api_key_update: () => [thing.ownerToken, [thing.key.uuid, N, N, N, 'false', N, N, N]],
	'api_key_update addresses': () => [thing.ownerToken, [ours.key.uuid, N, N, N, N, N, '{192.0.2.1}', N]],
	member_remove: () => [thing.ownerToken, [thing.person.uuid]],
	member_update: () => [thing.ownerToken, [thing.person.uuid, 'member']],
	invitation_withdraw: () => [thing.ownerToken, [thing.invitation.id]],
	leak_report: () => [null, leakReport()],
	auth_sign_out: () => [null, [thing.cookie]],
	auth_password: () => [null, [thing.otherCookie, thing.person.password, 'yet another password']],
	realtime_close: () => [null, [thing.socket]],
};

/* Both want to change the same row, so that the second waits for what becomes of the first. */
/* By name every key is meant, and a rotation makes another one. */
const BY_NAME = ['wa.revoke_key(organization, name)'];
const SAME_ROW = {
	api_key_update: BY_NAME,
	api_key_rotate: BY_NAME,
	api_key_revoke: BY_NAME,
	api_key_revoke_all: [...BY_NAME, 'api_key_update addresses'],
	leak_report: BY_NAME,
	auth_password: ['wa.disable_user()', 'wa.reset_password()', 'auth_password'],
	realtime_close: ['realtime_close'],
};

/* A sign-in of the person: only so many passwords are tried from one. */
function signInAnew()
{
	return stage.db.value(`
		WITH made AS MATERIALIZED (SELECT m.secret, m.digest FROM wa.make_secret('sign_in') m), noted AS (
			INSERT INTO wa.sign_in (user_id, digest) SELECT $1, digest FROM made)
		SELECT secret FROM made`, [thing.person.uuid]);
}

async function endings()
{
	const problems = {};

	thing.otherCookie = await signInAnew();
	for (const [name, call] of Object.entries(ADMINISTRATOR))
	{
		await stage.db.sql(`BEGIN; SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
		try
		{
			await stage.db.sql(...call());
		}
		catch (error)
		{
			problems[name] = error.message;
		}
		await stage.db.sql('ROLLBACK');
	}
	for (const [name, call] of Object.entries(OWNERS))
	{
		const [secret, list] = call();
		const { problem } = await tried(gateway, [...secret ? request(secret, 'manage') : [], ...run('wa_gateway', name.split(' ')[0], list)]);

		if (problem)
			problems[name] = problem;
	}
	return problems;
}

/* ---- what is done for everybody ---- */

const TASKS = ['events', 'deliveries', 'tickets', 'sockets', 'user_tokens', 'sign_ins', 'idempotency', 'deleted_sessions', 'read_chats', 'unsent', 'media', 'audit'];
const LEASE = '1 minute';

/* What a connector reports, and what it is told. */
const REPORTS = {
	receive: [() => ({ session: theirs.session.uuid, wa_message_id: 'W9', chat_jid: theirs.chat.jid, sender_jid: theirs.chat.jid, type: 'text', body: 'x', at: 'now' }), 't'],
	sent: [() => ({ message: thing.theirQueued, wa_message_id: 'W8', at: 'now' }), 't'],
	failed: [() => ({ message: thing.theirQueued, error: 'x', retry: true }), 't'],
	action_done: [() => ({ action: thing.theirAction, at: 'now' }), 't'],
	action_failed: [() => ({ action: thing.theirAction, error: 'x', retry: true }), 't'],
	status: [() => ({ session: theirs.session.uuid, wa_message_id: 'W1', status: 'read', at: 'now' }), 't'],
	'status failed': [() => ({ session: theirs.session.uuid, message: thing.theirQueued, wa_message_id: 'W8', status: 'failed', error: 'x', error_code: 1, at: 'now' }), 't'],
	change: [() => ({ session: theirs.session.uuid, wa_message_id: 'W1', sender_jid: theirs.chat.jid, type: 'react', value: 'x' }), 't'],
	presence: [() => ({ session: theirs.session.uuid, chat_jid: theirs.chat.jid, sender_jid: theirs.chat.jid, presence: 'composing' }), 't'],
	poll_vote: [() => ({ session: theirs.session.uuid, wa_message_id: 'none', sender_jid: theirs.chat.jid, options: [], at: 'now' }), 'f'],
};

/* By role and statement: the values, the organization it is for, and what its rows must show. */
const WORK = {
	wa_worker: {
		claim_webhooks: [() => ['another', '100', '60000'], null, (rows) => rows.some((row) => row.webhook_id === thing.theirWebhook)],
		event_wait: [() => [OWNER, '0', '0'], null],
		delivery_stats: [() => [], null],
		flush_key_usage: [() => [], null, (rows) => Number(rows[0].flush_key_usage) > 0],
		...Object.fromEntries(TASKS.map((task) =>
			[`housekeeping ${task}`, [() => [task, '1000'], null, (rows) => Number(rows[0].housekeep) > 0]])),
		lane_renew: [() => [OWNER, thing.theirHeldWebhook, '60000'], 'theirs', (rows) => rows.at(-1).renew_lane === 't'],
		deliveries_take: [() => [OWNER, thing.theirHeldWebhook, '10', N], 'theirs', (rows) => rows.at(-1).id !== null],
		deliveries_done: [() => [OWNER, thing.theirHeldWebhook, JSON.stringify([{ delivery: thing.theirDelivery, status_code: 200, succeeded: true }]), 'false'], 'theirs'],
		media_take: [() => ['10'], null, (rows) => rows.some((row) => row.org_id === theirs.org.uuid)],
		media_removed: [() => [JSON.stringify([{ organization: theirs.org.uuid, sha256: createHash('sha256').update('removing').digest('hex'), removal: thing.theirRemoval }])], null,
			(rows) => rows[0].bytes_removed === '1'],
		media_scan_take: [() => [OWNER, '60000'], null, (rows) => rows.length === 1],
		media_scanned: [() => [OWNER, JSON.stringify([{ organization: theirs.org.uuid, sha256: createHash('sha256').update('left').digest('hex') }]), '', 'false', '60000'], null,
			(rows) => rows.length === 1],
		media_check: [() => ['1000'], null, (rows) => rows.length > 0],
		lane_release: [() => [OWNER, thing.theirHeldWebhook], 'theirs', (rows) => rows.at(-1).release_lane === 't'],
	},
	wa_connector: {
		sessions: [() => ['none', OWNER, '1000', '1 hour'], null, (rows) => rows.some((row) => row.session_id === theirs.session.uuid)],
		claim: [() => ['none', OWNER, '1000', LEASE], null, (rows) => rows.some((row) => row.session_id === theirs.session.uuid)],
		actions: [() => ['none', OWNER, '1000', LEASE], null, (rows) => rows.some((row) => row.session_id === theirs.session.uuid)],
		attachment: [() => [thing.theirQueued, OWNER], 'theirs'],
		credentials: [() => ['none', OWNER, `{${thing.theirConnected}}`], null, (rows) => rows.some((row) => row.session_id === thing.theirConnected)],
		receivers: [() => ['none', N, '3'], null, (rows) => rows.some((row) => row.session_id === thing.theirConnected)],
		release: [() => [OWNER], null, (rows) => Number(rows[0].connector_release) > 0],
		session: [() => [theirs.session.uuid, OWNER, 'working', N, N, N, N, N, N], 'theirs', (rows) => rows.at(-1).connector_session === 't'],
		media: [() => ['none', OWNER, '1000', LEASE], null, (rows) => rows.some((row) => row.session_id === theirs.session.uuid)],
		media_stored: [() => [thing.theirFetched, OWNER, '1', `\\x${'00'.repeat(32)}`, '1', 'text/plain'], 'theirs', (rows) => rows.at(-1).connector_media_stored === 't'],
		media_failed: [() => [thing.theirFetched, OWNER, '1', 'x', 'false', 'false'], 'theirs', (rows) => rows.at(-1).connector_media_failed === 't'],
		...Object.fromEntries(Object.entries(REPORTS).map(([report, [members, changed]]) =>
			[`report ${report}`, [() => [JSON.stringify([{ report: report.split(' ')[0], ...members() }])], 'theirs', (rows) => rows.at(-1).changed === changed]])),
	},
};

async function works()
{
	const problems = {};

	for (const [wire, role] of [[worker, 'wa_worker'], [connector, 'wa_connector']])
		for (const [name, [values, org, shows]] of Object.entries(WORK[role]))
		{
			const { problem, rows } = await tried(wire, [...org ? actFor(role, theirs.org) : [], ...run(role, name.split(' ')[0], values())]);

			if (problem || shows && !shows(rows))
				problems[`${role} ${name}`] = problem ?? `not done: ${JSON.stringify(rows)}`;
		}
	return problems;
}

/* ---- the rows ---- */

async function makePeople()
{
	const { db } = stage;

	thing.person = await createPerson(db, { org: ours.org, role: 'admin' });
	thing.otherOrg = await db.value("SELECT wa.create_org('Another')");
	await db.sql('SELECT wa.add_member($1, $2, $3)', [thing.otherOrg, thing.person.uuid, 'member']);
	const owner = await createPerson(db, { org: ours.org });

	await createPerson(db, { org: ours.org });
	const signIn = (person) => ask(gateway, 'wa_gateway', 'auth_sign_in', [person.email, person.password, '192.0.2.1', 'x', N]);
	const token = async (cookie) =>
	{
		await ask(gateway, 'wa_gateway', 'auth_active_org', [cookie, ours.org.uuid]);
		return (await ask(gateway, 'wa_gateway', 'auth_token', [cookie, N])).token;
	};

	({ cookie: thing.cookie, device_cookie: thing.device } = await signIn(thing.person));
	thing.token = await token(thing.cookie);
	thing.ownerToken = await token((await signIn(owner)).cookie);
	thing.key = await createKey(db, ours.org);
	thing.invitation = await ask(gateway, 'wa_gateway', 'invitation_create', ['invited@example.com', 'member'], thing.token);
	/* noted once a minute */
	await db.sql("UPDATE wa.sign_in SET used_at = now() - interval '5 minutes'");
}

/* Work for both: what is due, and what is over. */
async function makeWork(tenant)
{
	const { db } = stage;
	const { secret } = tenant.key;
	const webhook = async (url) => (await ask(gateway, 'wa_gateway', 'webhook_create', [url, '{webhook.disabled}', N, N, N, N, N], secret)).id;
	const made = { due: await webhook('https://due.example/'), held: await webhook('https://held.example/') };

	for (const id of Object.values(made))
		await ask(gateway, 'wa_gateway', 'webhook_test', [id], secret);
	await db.sql("UPDATE wa.session SET lease_owner = $2, lease_until = now() + interval '1 hour' WHERE id = $1", [tenant.session.uuid, OWNER]);
	const row = (values) => db.value(`
		INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, sender_jid, status, wa_message_id, revoked)
		VALUES ($1, $2, $3, ${values}) RETURNING id`, [tenant.org.uuid, tenant.session.uuid, tenant.chat.jid]);
	const sent = await row("'out', 'text', 'x', NULL, 'sent', 'W1', false");
	const gone = await row("'out', 'text', 'x', NULL, 'sent', 'W2', true");
	const queued = await row("'out', 'text', 'x', NULL, 'queued', NULL, false");
	const act = (id) => db.value("INSERT INTO wa.message_action (org_id, session_id, message_id, type, payload) VALUES ($1, $2, $3, 'react', '{\"emoji\":\"x\"}') RETURNING id",
		[tenant.org.uuid, tenant.session.uuid, id]);
	const action = await act(sent);

	await act(gone);
	/* a file that is to be fetched, and one that is being fetched */
	const receive = async (id, taken) => db.value(`
		WITH file AS (INSERT INTO wa.media (org_id, state) VALUES ($1, 'pending') RETURNING *), message AS (
			UPDATE wa.message m SET media_id = file.id, media = '{"state":"pending"}' FROM file WHERE m.org_id = file.org_id AND m.id = $2)
		INSERT INTO wa.media_fetch (org_id, media_id, session_id, reference, attempts, lease_owner, lease_until)
		SELECT org_id, id, $3, 'x', ${taken} FROM file RETURNING media_id`, [tenant.org.uuid, id, tenant.session.uuid]);

	await receive(await row("'in', 'document', NULL, 'x@s.whatsapp.net', 'delivered', 'W10', false"), '0, NULL, NULL');

	const fetched = await receive(await row("'in', 'document', NULL, 'x@s.whatsapp.net', 'delivered', 'W11', false"), `1, '${OWNER}', now() + interval '1 hour'`);

	await db.sql("INSERT INTO wa.idempotency (org_id, key, request_digest, message_id, created_at) VALUES ($1, 'an old key', sha256('x'), $2, now() - interval '2 days')",
		[tenant.org.uuid, sent]);
	for (let i = 0; i < 2; i++)
	{
		await ask(gateway, 'wa_gateway', 'realtime_ticket', [N, N, N, N], secret, 'events');
		await ask(gateway, 'wa_gateway', 'realtime_open', [N], secret, 'events');
	}
	for (const table of ['ticket', 'realtime'])
		await db.sql(`UPDATE wa.${table} SET expires_at = now() - interval '10 minutes' WHERE org_id = $1`, [tenant.org.uuid]);
	await db.sql(`UPDATE wa.event SET created_at = now() - interval '400 days' WHERE org_id = $1 AND id IN (
		SELECT id FROM wa.event WHERE org_id = $1 ORDER BY epoch, ordinal, id LIMIT 2)`, [tenant.org.uuid]);
	/* a delivery that is over, of a webhook that is gone */
	await db.sql("INSERT INTO wa.delivery (org_id, webhook_id, event_id, epoch, ordinal, type) VALUES ($1, wa.uuid7(), wa.uuid7(), 1, 1, 'webhook.test')", [tenant.org.uuid]);
	/* a chat that was read, and a session that is deleted */
	const deleted = await createSession(db, tenant.org, { label: 'deleted' });
	const last = await createMessage(db, await createChat(db, deleted, tenant.chat.jid), 'deleted with its session');

	await db.sql("UPDATE wa.message SET wa_message_id = 'W7' WHERE id = $1", [last.uuid]);
	await db.sql('INSERT INTO wa.deleted_session (org_id, id) VALUES ($1, $2)', [tenant.org.uuid, deleted.uuid]);
	await db.sql('UPDATE wa.chat SET read_to = wa.uuid7() WHERE org_id = $1 AND session_id = $2', [tenant.org.uuid, tenant.session.uuid]);
	/* a message that was queued before its session was logged out */
	const left = await createSession(db, tenant.org, { label: 'logged out', status: 'logged_out' });
	const unsent = await createMessage(db, await createChat(db, left, tenant.chat.jid), 'left behind');

	await db.sql("UPDATE wa.message SET direction = 'out', status = 'queued' WHERE id = $1", [unsent.uuid]);
	await db.sql("UPDATE wa.session SET pairing = 2, queue_error = 'session was logged out' WHERE id = $1", [left.uuid]);
	/* a session that a connector has connected with its credentials */
	const connected = await createSession(db, tenant.org, { label: 'connected', status: 'working' });

	await db.sql("UPDATE wa.session SET connector = 'none', lease_owner = $2, lease_until = now() + interval '1 hour' WHERE id = $1", [connected.uuid, OWNER]);
	await giveCredentials(db, connected);
	/* a file that no message carries */
	await db.sql("INSERT INTO wa.media (org_id, sha256, size, mimetype, unused_at) VALUES ($1, sha256('unused'), 1, 'text/plain', now() - interval '1 hour')",
		[tenant.org.uuid]);
	/* bytes that no file is of, and some that are being removed */
	await db.sql("INSERT INTO wa.media_bytes (org_id, sha256, size, files, uploads, unused_at) VALUES ($1, sha256('old'), 1, 0, 0, now() - interval '2 days')",
		[tenant.org.uuid]);

	const removal = await db.value(`
		INSERT INTO wa.media_bytes (org_id, sha256, size, files, uploads, unused_at, removal, removing_at)
		VALUES ($1, sha256('removing'), 1, 0, 0, now() - interval '2 days', wa.uuid7(), now()) RETURNING removal`, [tenant.org.uuid]);

	return { ...made, sent, queued, action, fetched, deleted, last, removal, connected: connected.uuid };
}

async function makeOver()
{
	const { db } = stage;

	const stranger = await createPerson(db, { org: theirs.org });

	for (const [org, { uuid }] of [[ours.org, thing.person], [theirs.org, stranger]])
	{
		await db.sql("INSERT INTO wa.user_token (org_id, user_id, sign_in_id, digest, expires_at) VALUES ($1, $2, wa.uuid7(), sha256($3::text::bytea), now() - interval '1 hour')",
			[org.uuid, uuid, uuid]);
		await db.sql("INSERT INTO wa.sign_in (user_id, digest, expires_at) VALUES ($1, sha256($2::text::bytea), now() - interval '80 days')", [uuid, uuid]);
	}
	await db.sql("UPDATE wa.media_scan SET lease_owner = $1, lease_until = now() + interval '1 hour', checked_at = NULL", [OWNER]);
	/* what is held of tickets and sockets is good still */
	thing.ticket = (await ask(gateway, 'wa_gateway', 'realtime_ticket', [N, N, N, N], ours.key.secret, 'events')).ticket;
	thing.socket = (await ask(gateway, 'wa_gateway', 'realtime_open', [N], ours.key.secret, 'events')).socket;
	await db.sql("UPDATE wa.ticket SET expires_at = 'tomorrow' WHERE digest = wa.hash_key($1)", [thing.ticket]);
	/* a first use of the keys that are ended, and of another one */
	await ask(gateway, 'wa_gateway', 'me', [], thing.key.secret, 'read');
	await ask(gateway, 'wa_gateway', 'me', [], (await createKey(db, theirs.org)).secret, 'read');
}

before(async () =>
{
	stage = await Stage.set(['wa.transaction_timeout = 600s', 'wa.idle_in_transaction_timeout = 600s']);
	({ ours, theirs } = stage);
	for (const login of Object.values(LOGINS))
		await stage.db.sql(`ALTER ROLE ${login} SET lock_timeout = '${LOCK_TIMEOUT}'`);
	[gateway, worker, connector] = await Promise.all(['wa_gateway', 'wa_worker', 'wa_connector'].map((role) => stage.open(role)));
	await makePeople();

	const our = await makeWork(ours);
	const their = await makeWork(theirs);

	Object.assign(thing, { ourDeleted: our.deleted, ourLast: our.last, ourWebhook: our.due, sent: our.sent, theirWebhook: their.due, theirHeldWebhook: their.held,
		theirQueued: their.queued, theirAction: their.action, theirFetched: their.fetched, theirRemoval: their.removal,
		ourConnected: our.connected, theirConnected: their.connected });
	thing.connectorKey = await stage.db.value('SELECT wa.add_connector_key((SELECT connector FROM wa.session WHERE id = $1), $2)', [ours.session.uuid, `\\x${'5e'.repeat(32)}`]);
	thing.file = await stage.db.value("INSERT INTO wa.media (org_id, sha256, size, mimetype) VALUES ($1, sha256('x'), 1, 'text/plain') RETURNING id", [stage.ours.org.uuid]);
	await stage.db.sql('UPDATE wa.message SET media_id = $1 WHERE id = $2', [thing.file, thing.sent]);
	thing.scanner = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
	await stage.db.sql('SELECT wa.set_scanner_keys($1, $2)', ['scanner', JSON.stringify({
		public_keys: [{ key_identifier: 'scanner key', key: thing.scanner.publicKey.export({ type: 'spki', format: 'pem' }) }] })]);
	thing.ourDelivery = await stage.db.value('SELECT id FROM wa.delivery WHERE webhook_id = $1', [thing.ourWebhook]);
	thing.theirDelivery = await stage.db.value('SELECT id FROM wa.delivery WHERE webhook_id = $1', [thing.theirHeldWebhook]);
	thing.pairing = await stage.db.value("INSERT INTO wa.session (org_id, status, connector) VALUES ($1, 'scan_qr_code', 'nobody') RETURNING id", [ours.org.uuid]);
	await stage.db.sql("INSERT INTO wa.session_pairing (org_id, session_id, qr_code) VALUES ($1, $2, 'x')", [ours.org.uuid, thing.pairing]);
	await stage.db.sql("INSERT INTO wa.webhook_lane (org_id, webhook_id, lease_owner, lease_until, turn) VALUES ($1, $2, $3, now() + interval '1 hour', 1)",
		[theirs.org.uuid, thing.theirHeldWebhook, OWNER]);
	/* a lane that was served before, and one that is new */
	await stage.db.sql('INSERT INTO wa.webhook_lane (org_id, webhook_id) VALUES ($1, $2)', [ours.org.uuid, thing.ourWebhook]);
	await makeOver();
});

/* ---- the tests ---- */

test('every registered statement is held, or done meanwhile', () =>
{
	const known = {
		wa_gateway: Object.keys(HELD),
		wa_worker: [...new Set(Object.keys(WORK.wa_worker).map((name) => name.split(' ')[0])), 'act_for', 'unbound', 'check_login', 'check_version', 'self_check'],
		wa_connector: [...new Set(Object.keys(WORK.wa_connector).map((name) => name.split(' ')[0])), 'act_for', 'unbound'],
	};

	for (const [role, names] of Object.entries(known))
		assert.deepEqual([...names].sort(), stage.statements.filter((one) => one.role_name === role).map((one) => one.name).sort(), role);
});

test('the control: while nothing is held, all of it is done', async () =>
{
	assert.deepEqual(await endings(), {});
	assert.deepEqual(await works(), {});
});

for (const name of Object.keys(HELD))
{
	test(`${name} that is held keeps no access from ending, and nobody's work from being done`, async () =>
	{
		const wire = await hold(name);

		try
		{
			const problems = { ...await endings(), ...await works() };

			for (const same of SAME_ROW[name] ?? [])
				delete problems[same];
			assert.deepEqual(problems, {});
			assert.equal(await isHeld(wire), true, 'it was held all the time');
		}
		finally
		{
			await letGo(wire);
		}
	});
}

test('an acceptance that is held keeps nobody from inviting somebody else, or the same person anew', async () =>
{
	const wire = await hold('auth_accept');

	try
	{
		for (const email of ['somebody-else@example.com', 'INVITED@example.com'])
		{
			const { problem, rows } = await tried(gateway,
				[...request(thing.ownerToken, 'manage'), ...run('wa_gateway', 'invitation_create', [email, 'member'])]);

			assert.equal(problem, null, email);
			assert.equal(rows.at(-1).email, email);
		}
		assert.equal(await isHeld(wire), true, 'it was held all the time');
	}
	finally
	{
		await letGo(wire);
	}
});

test('what a deleted session has locked still keeps nobody waiting', async () =>
{
	/* a reaction that began before the session was deleted */
	await stage.db.sql('DELETE FROM wa.deleted_session WHERE id = $1', [thing.ourDeleted.uuid]);

	const wire = await hold('message_react', [ours.key.secret, 'send', [thing.ourDeleted.uuid, thing.ourLast.uuid, '👍']]);

	try
	{
		await stage.db.sql('INSERT INTO wa.deleted_session (org_id, id) VALUES ($1, $2)', [ours.org.uuid, thing.ourDeleted.uuid]);
		assert.deepEqual(await works(), {});
	}
	finally
	{
		await letGo(wire);
	}
});
