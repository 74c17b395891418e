/*
 * delivery_login.test.mjs
 *		What a stolen login of the worker gets, by each of its statements, and what it does not:
 *		no secret, no signature of anything else, nothing that somebody else holds.
 */
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { WORKER_LOGIN, prepareCluster } from './harness/cluster.mjs';
import { statementNames, statementText } from './harness/statements.mjs';
import { verifiesWaha, verifyStandard } from './harness/receiver.mjs';
import { createTenant } from './harness/tenants.mjs';
import { message } from './harness/wire.mjs';

const STATEMENTS = statementNames('worker');
const REFUSED = '42501';
const THIEF = 'thief';
const HONEST = 'worker-0123456789abcdef';
const AUTHORIZATION = 'Bearer of-the-receiver';

let cluster, db, thief, theirs, hook;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	thief = await cluster.open('wa', WORKER_LOGIN);
});

/* An organization with a webhook whose secret was replaced just now, and two deliveries. */
beforeEach(async () =>
{
	await db.sql('DELETE FROM wa.webhook; DELETE FROM wa.delivery');
	theirs = await createTenant(db, 'Theirs');
	[hook] = await db.sql(`
		INSERT INTO wa.webhook (org_id, url, custom_headers, secret, previous_secret, previous_secret_until)
		VALUES ($1, 'https://theirs.example/hook?token=in-the-url', jsonb_build_object('Authorization', $2::text),
			wa.make_webhook_secret(), wa.make_webhook_secret(), clock_timestamp() + interval '1 hour')
		RETURNING id, secret, previous_secret`, [theirs.org.uuid, AUTHORIZATION]);
	for (const text of ['their first text', 'their second text'])
		await db.sql("SELECT wa.emit($1, 'message', $2, json_build_object('body', $3::text)::text)", [theirs.org.uuid, theirs.session.uuid, text]);
});

const statement = (name) => statementText(name, 'worker');
const run = (text, list) => [message.parse('', text), message.bind('', list), message.describe('P', ''), message.execute()];

/* One of the worker's statements, for an organization if one is named, as the worker sends it. */
async function tell(name, list = [], org = null)
{
	const got = await thief.exchange(...(org ? run(statement('act_for'), [org, '1']) : []), ...run(statement(name), list), message.sync());

	assert.equal(got.error, null, `${name}: ${got.error?.text}`);
	return org ? got.rows.slice(1) : got.rows;
}

const claim = (owner = THIEF) => tell('claim_webhooks', [owner, 10, 60000]);
const ofTheirs = (name, ...list) => tell(name, list, theirs.org.uuid);
const firstOf = (rows) => Object.values(rows[0])[0];

/* As a receiver would see it. */
function requestOf(taken, more = {})
{
	return {
		body: taken.envelope,
		headers: {
			'webhook-id': JSON.parse(taken.envelope).id, 'webhook-timestamp': String(Math.floor(taken.signed_ms / 1000)),
			'webhook-signature': taken.signature, 'x-webhook-hmac': taken.hmac, 'x-webhook-hmac-algorithm': 'sha512',
		},
		...more,
	};
}

/* A report of one attempt, which succeeded if the status is 200. */
const result = (delivery, status, problem = null) => JSON.stringify([{ delivery, status_code: status, problem, succeeded: status === 200 }]);

/* The deliveries that it gets; without any there is a row that tells of the webhook alone. */
const take = async (owner, max) => (await ofTheirs('deliveries_take', owner, hook.id, max, null)).filter(({ id }) => id !== null);

/* A secret as it stands, and what Standard Webhooks makes of it. */
function formsOf(secret)
{
	const key = Buffer.from(secret.replace('whsec_', ''), 'base64');

	return [secret, secret.replace('whsec_', '').replace(/=+$/, ''), key.toString('hex'), key.toString('latin1')];
}

test('no statement answers a secret', async () =>
{
	const answers = {};
	const ask = async (name, list, org) => { answers[name] = await tell(name, list, org); };

	await ask('check_version');
	await ask('check_login');
	await ask('self_check');
	await ask('unbound', ['1']);
	await ask('event_wait', [THIEF, 0, 100]);
	await ask('delivery_stats');
	await ask('flush_key_usage');
	await ask('housekeeping', ['deliveries', 100]);
	await ask('media_take', [1]);
	await ask('media_removed', ['[]']);
	await ask('media_scan_take', [THIEF, 60000]);
	await ask('media_scanned', [THIEF, '[]', '', true, 60000]);
	await ask('media_check', [1]);
	await ask('act_for', [theirs.org.uuid, '1']);
	await ask('claim_webhooks', [THIEF, 10, 60000]);
	await ask('lane_renew', [THIEF, hook.id, 60000], theirs.org.uuid);
	await ask('deliveries_take', [THIEF, hook.id, 10, null], theirs.org.uuid);
	await ask('deliveries_done', [THIEF, hook.id, result(answers.deliveries_take[0].id, 200), 'f'], theirs.org.uuid);
	await ask('lane_release', [THIEF, hook.id], theirs.org.uuid);

	const registered = await db.sql("SELECT name FROM wa.statement WHERE role_name = 'wa_worker' ORDER BY name COLLATE \"C\"");
	const all = JSON.stringify(answers);

	assert.deepEqual(Object.keys(answers).sort(), registered.map(({ name }) => name));
	assert.deepEqual(Object.keys(answers).sort(), STATEMENTS);
	for (const secret of [hook.secret, hook.previous_secret])
	{
		for (const form of formsOf(secret))
			assert.ok(!all.includes(JSON.stringify(form).slice(1, -1)), `a secret is answered: ${form}`);
	}
	assert.deepEqual(Object.keys(answers.deliveries_take[0]),
		['id', 'event_id', 'session_id', 'envelope', 'signed_ms', 'hmac', 'signature', 'is_new', 'url', 'custom_headers']);

	/* what a worker has to send it gets: the search would have found it */
	for (const theirsToo of ['their first text', 'their second text', AUTHORIZATION, 'token=in-the-url', theirs.org.uuid, hook.id])
		assert.ok(all.includes(theirsToo), theirsToo);
	assert.equal(firstOf(answers.deliveries_done), 'delivered');
});

test('what it takes is signed for those bytes, by both secrets, now and not later', async () =>
{
	await claim();

	const began = Date.now();
	const taken = await take(THIEF, 10);
	const ended = Date.now();

	assert.equal(taken.length, 2);
	for (const one of taken)
	{
		for (const secret of [hook.secret, hook.previous_secret])
			assert.deepEqual(verifyStandard(requestOf(one), secret), JSON.parse(one.envelope));
		assert.ok(verifiesWaha(requestOf(one), hook.secret));
		assert.ok(one.signed_ms >= began - 1 && one.signed_ms <= ended + 1, `${one.signed_ms} in ${began} to ${ended}`);
		assert.throws(() => verifyStandard(requestOf(one, { body: one.envelope.replace('their', 'your') }), hook.secret));
		assert.ok(!verifiesWaha(requestOf(one, { body: one.envelope.replace('their', 'your') }), hook.secret));
		assert.throws(() => verifyStandard(requestOf({ ...one, signed_ms: Number(one.signed_ms) + 60000 }), hook.secret));
	}
	assert.throws(() => verifyStandard(requestOf({ ...taken[0], signature: taken[1].signature }), hook.secret));
	assert.deepEqual(await take(THIEF, 10), []);
});

test('what somebody else holds gives it nothing, and it can spoil nothing', async () =>
{
	assert.equal((await claim(HONEST)).length, 1);
	const [taken] = await take(HONEST, 1);
	const untaken = await db.value("SELECT id FROM wa.delivery WHERE webhook_id = $1 AND turn IS NULL", [hook.id]);

	assert.deepEqual(await claim(), []);
	for (const owner of [THIEF, 'worker', HONEST.slice(0, -1), `${HONEST} `])
	{
		/* not even where it leads to */
		assert.deepEqual(await ofTheirs('deliveries_take', owner, hook.id, 10, null), []);
		assert.equal(firstOf(await ofTheirs('lane_renew', owner, hook.id, 60000)), 'f');
		assert.equal(firstOf(await ofTheirs('lane_release', owner, hook.id)), 'f');
		/* nor can it give the webhook back with a report */
		assert.equal(firstOf(await ofTheirs('deliveries_done', owner, hook.id, result(taken.id, 500), 't')), null);
		assert.equal(firstOf(await ofTheirs('deliveries_done', owner, hook.id, result(untaken, 200), 't')), null);
		assert.equal(firstOf(await ofTheirs('deliveries_done', owner, hook.id, result(untaken, 500), 't')), null);
	}
	assert.deepEqual(await db.sql('SELECT status, attempts FROM wa.delivery WHERE webhook_id = $1', [hook.id]),
		[{ status: 'pending', attempts: '0' }, { status: 'pending', attempts: '0' }]);
	assert.equal((await take(HONEST, 10)).length, 1);
});

test('why a delivery failed it tells the organization in plain words only', async () =>
{
	await claim();
	const [taken] = await take(THIEF, 1);
	const done = (problem) => thief.exchange(...run(statement('act_for'), [theirs.org.uuid, '1']),
		...run(statement('deliveries_done'), [THIEF, hook.id, result(taken.id, null, problem), 'f']), message.sync());

	for (const problem of ['see https://evil.example/', 'one\ntwo', '<b>pay</b>', ''])
		assert.equal((await done(problem)).error?.code, '22023', problem);
	assert.equal((await done('could not connect')).error, null);
	assert.equal(await db.value('SELECT error FROM wa.delivery WHERE id = $1', [taken.id]), 'could not connect');
});

test('a webhook that was switched off gives nothing more, also to the one who holds it', async () =>
{
	await claim();
	assert.equal((await take(THIEF, 1)).length, 1);
	await db.sql('UPDATE wa.webhook SET active = false');
	assert.deepEqual(await ofTheirs('deliveries_take', THIEF, hook.id, 10, null), []);
	await db.sql('UPDATE wa.webhook SET active = true');
	assert.equal((await take(THIEF, 10)).length, 1);
});

test('to act for an organization opens nothing but these statements', async () =>
{

	await claim();
	for (const text of ['SELECT secret FROM wa.webhook', "SELECT wa.webhook_hmac('a', 'b')", 'SELECT * FROM wa.event', 'SELECT * FROM wa.delivery',
		statementText('webhook_list'),
		statementText('webhook_secret'),
		statementText('event_list')])
	{
		const got = await thief.exchange(...run(statement('act_for'), [theirs.org.uuid, '1']), message.parse('', text), message.sync());

		assert.equal(got.error?.code, REFUSED, text);
	}
	for (const signature of ['wa.webhook_hmac(text,text)', 'wa.webhook_signature(text,text,bigint,text)'])
	{
		const oid = Number(await db.value('SELECT $1::text::regprocedure::oid', [signature]));

		assert.equal((await thief.exchange(message.functionCall(oid, ['a', 'b']))).error?.code, REFUSED);
	}
});
