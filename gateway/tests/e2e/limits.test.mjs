/*
 * limits.test.mjs
 *		Send limits of a session: decided in the database, told with Retry-After.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { createSentMessage } from './harness/fixtures.mjs';
import { Gateway } from './harness/programs.mjs';
import { createChat, createSession, createTenant } from './harness/tenants.mjs';

const PHONE = '15551234567';
const BODY = { type: 'text', to: PHONE, text: 'hello' };

let db, client, tenant, key;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	key = tenant.key.secret;
	client = (await Gateway.start(cluster)).client;
});

async function limitedSession(limits)
{
	const session = await createSession(db, tenant.org, { limited: true });

	if (limits !== undefined)
		assert.equal((await client.request('PATCH', `/api/v1/sessions/${session.id}`, { key, json: limits })).status, 200);
	return session;
}

const send = (session, json = BODY) => client.post(`/api/v1/sessions/${session.id}/messages`, key, json);
const sendMany = (session, count) => Promise.all(Array.from({ length: count }, () => send(session)));
const statuses = (answers) => answers.map((answer) => answer.status).sort().join();

/* The window began so much earlier. */
const letPass = (session, interval) => db.sql(`
	UPDATE wa.session_rate SET minute_start = minute_start - $3::interval, hour_start = hour_start - $3::interval
	WHERE org_id = $1 AND session_id = $2`, [tenant.org.uuid, session.uuid, interval]);

function checkLimited(answer, atMost)
{
	assert.equal(answer.status, 429);
	assert.equal(answer.json.error.code, 'rate_limited');
	assert.match(answer.headers['retry-after'], /^[1-9][0-9]*$/);
	assert.ok(Number(answer.headers['retry-after']) <= atMost, answer.headers['retry-after']);
}

test('without settings a session accepts 20 messages a minute', async () =>
{
	const session = await limitedSession();

	assert.equal(statuses(await sendMany(session, 20)), Array(20).fill(202).join());

	const refused = await send(session);

	checkLimited(refused, 60);
	assert.ok(Number(refused.headers['retry-after']) > 40);
});

test('and is open again when the minute is over', async () =>
{
	const session = await limitedSession({ ratePerMin: 2 });

	await sendMany(session, 2);
	await letPass(session, '30 seconds');
	checkLimited(await send(session), 30);
	await letPass(session, '30 seconds');
	assert.equal((await send(session)).status, 202);
});

test('the hour has its own limit', async () =>
{
	const session = await limitedSession({ ratePerMin: 0, ratePerHour: 3 });

	await sendMany(session, 3);
	await letPass(session, '2 minutes');

	const refused = await send(session);

	checkLimited(refused, 3480);
	assert.ok(Number(refused.headers['retry-after']) > 3000);
});

test('0 is no limit', async () =>
{
	const session = await limitedSession({ ratePerMin: 0, ratePerHour: 0 });

	assert.equal(statuses(await sendMany(session, 60)), Array(60).fill(202).join());
});

test('simultaneous requests do not get past it', async () =>
{
	const session = await limitedSession({ ratePerMin: 7 });
	const answers = await sendMany(session, 40);

	assert.equal(statuses(answers), [...Array(7).fill(202), ...Array(33).fill(429)].join());
	assert.equal(await db.value('SELECT count(*) FROM wa.message WHERE session_id = $1', [session.uuid]), '7');
});

test('a refused message does not count, a forward does', async () =>
{
	const session = await limitedSession({ ratePerMin: 2 });
	const message = await createSentMessage(db, await createChat(db, session, `${PHONE}@s.whatsapp.net`));
	const forward = () => client.post(`/api/v1/sessions/${session.id}/messages/${message.id}/forward`, key, { to: '15557654321' });

	assert.equal((await send(session, { ...BODY, text: '' })).status, 400);
	assert.equal((await send(session)).status, 202);
	assert.equal((await forward()).status, 202);
	checkLimited(await forward(), 60);
	checkLimited(await send(session), 60);
});

test('each session has its own count', async () =>
{
	const [first, second] = [await limitedSession({ ratePerMin: 1 }), await limitedSession({ ratePerMin: 1 })];

	assert.equal((await send(first)).status, 202);
	checkLimited(await send(first), 60);
	assert.equal((await send(second)).status, 202);
});

test('a limit that is raised counts at once', async () =>
{
	const session = await limitedSession({ ratePerMin: 1 });

	await send(session);
	checkLimited(await send(session), 60);
	await client.request('PATCH', `/api/v1/sessions/${session.id}`, { key, json: { ratePerMin: 2 } });
	assert.equal((await send(session)).status, 202);
	checkLimited(await send(session), 60);
});
