/*
 * limits.test.mjs
 *		Limits of a session and of an organization: decided in the database, told with their names.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { createSentMessage } from './harness/fixtures.mjs';
import { Gateway } from './harness/programs.mjs';
import { createChat, createKey, createOrg, createSession, createTenant } from './harness/tenants.mjs';

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

test('the first messages at the same moment are counted one by one', async () =>
{
	const burst = async () =>
	{
		const org = await createOrg(db, 'Burst');
		const { secret } = await createKey(db, org);
		const session = await createSession(db, org, { limited: true });

		return Promise.all(Array.from({ length: 20 }, () => client.post(`/api/v1/sessions/${session.id}/messages`, secret, BODY)));
	};

	for (let i = 0; i < 100; i++)
		assert.equal(statuses(await burst()), Array(20).fill(202).join(), `burst ${i}`);
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

test('what an organization may have is told with the name of the limit, and another one is not refused', async () =>
{
	const other = await createTenant(db, 'Other');
	const limit = (name, table) => db.sql(`SELECT wa.set_org_limit($1, $2, (SELECT count(*) FROM wa.${table} WHERE org_id = $3)::integer)`, [tenant.org.uuid, name, tenant.org.uuid]);
	const webhook = { url: 'https://example.com/' };

	await limit('sessions', 'session');
	await limit('webhooks', 'webhook');
	for (const [path, json, name] of [['sessions', { start: false }, 'sessions'], ['webhooks', webhook, 'webhooks']])
	{
		const refused = await client.post(`/api/v1/${path}`, key, json);

		assert.equal(refused.status, 409);
		assert.equal(refused.json.error.code, 'conflict');
		assert.match(refused.json.error.message, new RegExp(`^organization has reached its limit of \\d+ ${name}$`));
		assert.deepEqual(refused.json.error.details, { limit: name });
		assert.equal((await client.post(`/api/v1/${path}`, other.key.secret, json)).status, 201);
		await db.sql('SELECT wa.set_org_limit($1, $2, NULL)', [tenant.org.uuid, name]);
		assert.equal((await client.post(`/api/v1/${path}`, key, json)).status, 201);
	}
});

test('so many tests of webhooks are on their way, more when some have ended, and another organization sends its own', async () =>
{
	const other = await createTenant(db, 'Quiet');
	const make = async (secret) =>
		`/api/v1/webhooks/${(await client.post('/api/v1/webhooks', secret, { url: 'https://example.com/' })).json.id}`;
	const [webhook, otherWebhook] = [await make(key), await make(other.key.secret)];
	const tests = async (path, secret, n) =>
		(await Promise.all(Array.from({ length: n }, () => client.post(`${path}/test`, secret)))).map((answer) => answer.status);
	const count = () => db.value("SELECT count(*) FROM wa.delivery WHERE org_id = $1 AND type = 'webhook.test'", [tenant.org.uuid]);

	await db.sql("SELECT wa.set_org_limit($1, 'webhook_tests', 3)", [tenant.org.uuid]);
	for (let i = 0; i < 3; i++)
		assert.deepEqual(await tests(webhook, key, 1), [202]);
	assert.deepEqual(await tests(webhook, key, 5), Array(5).fill(429));
	assert.equal(await count(), '3');

	const refused = await client.post(`${webhook}/test`, key);

	checkLimited(refused, 10);
	assert.equal(refused.json.error.message, 'too many tests of webhooks are on their way');
	assert.deepEqual(refused.json.error.details, { limit: 'webhookTests' });
	assert.deepEqual(await tests(otherWebhook, other.key.secret, 5), Array(5).fill(202));
	/* what waits to be tried again is on its way still */
	await db.sql("UPDATE wa.delivery SET status = 'failed', next_attempt_at = 'tomorrow' WHERE org_id = $1", [tenant.org.uuid]);
	assert.deepEqual(await tests(webhook, key, 1), [429]);

	const [first] = (await client.get(`${webhook}/deliveries`, key)).json.data;

	await db.sql("UPDATE wa.delivery SET status = 'delivered' WHERE org_id = $1 AND id = wa.from_typeid('dlv', $2)", [tenant.org.uuid, first.id]);
	assert.deepEqual([...await tests(webhook, key, 1), ...await tests(webhook, key, 1)], [202, 429]);
	/* to send an old one again is a test as well */
	checkLimited(await client.post(`${webhook}/deliveries/${first.id}/replay`, key), 10);
	await db.sql("SELECT wa.set_org_limit($1, 'webhook_tests', NULL)", [tenant.org.uuid]);
	assert.deepEqual(await tests(webhook, key, 1), [202]);
});

test('a session has so many messages wait, and takes more when some are sent', async () =>
{
	await db.sql("SELECT wa.set_org_limit($1, 'queued_messages', 5)", [tenant.org.uuid]);

	const session = await createSession(db, tenant.org);

	assert.equal(statuses(await sendMany(session, 7)), [...Array(5).fill(202), 429, 429].join());

	const refused = await send(session);

	checkLimited(refused, 10);
	assert.equal(refused.json.error.message, 'too many messages wait in this session');
	assert.deepEqual(refused.json.error.details, { limit: 'queuedMessages' });
	await db.sql("UPDATE wa.message SET status = 'sent' WHERE org_id = $1 AND session_id = $2", [tenant.org.uuid, session.uuid]);
	assert.equal((await send(session)).status, 202);
	await db.sql("SELECT wa.set_org_limit($1, 'queued_messages', NULL)", [tenant.org.uuid]);
});
