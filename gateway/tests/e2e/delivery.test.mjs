/*
 * delivery.test.mjs
 *		Webhooks arrive: the same bytes, signed for both families, in order, again after a failure.
 */
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { deliveryProblems } from './harness/openapi.mjs';
import { until } from './harness/processes.mjs';
import { Gateway, Worker } from './harness/programs.mjs';
import { Receiver, verifiesWaha, verifyStandard } from './harness/receiver.mjs';
import { createKey, createOrg, createSession } from './harness/tenants.mjs';

const WEBHOOKS = '/api/v1/webhooks';

/* So long the worker waits for an answer: longer than any receiver here, except the one that never gives one. */
const TIMEOUT_MS = 10_000;

let cluster, db, client, worker, org, key, session;

before(async () =>
{
	cluster = prepareCluster(["wa.allowed_targets = '127.0.0.0/8'"]);
	db = await cluster.open('wa');
	client = (await Gateway.start(cluster)).client;
	worker = await Worker.start(cluster, { args: ['--timeout', String(TIMEOUT_MS), '--metrics', '127.0.0.1:0'] });
});

beforeEach(async () =>
{
	await db.sql('UPDATE wa.webhook SET active = false');
	org = await createOrg(db, 'Acme');
	key = (await createKey(db, org)).secret;
	session = await createSession(db, org);
});

async function hook(url, more = {})
{
	const made = await client.post(WEBHOOKS, key, { url, events: ['message.from_me'], ...more });

	assert.equal(made.status, 201, made.text);
	return made.json;
}

let texts = 0;

/* Sends texts, one after the other, and returns what the events' payloads are to say. */
async function send(count = 1, of = session)
{
	const bodies = [];

	for (let i = 0; i < count; i++)
	{
		const text = `text ${++texts}`;
		const sent = await client.post(`/api/v1/sessions/${of.id}/messages`, key, { type: 'text', to: '15551230001', text });

		assert.equal(sent.status, 202, sent.text);
		bodies.push(text);
	}
	return bodies;
}

const arrived = (receiver, count) => until(`${count} requests`, () => receiver.requests.length >= count);
const bodies = (requests) => requests.map(({ json }) => json.payload.body);
const deliveries = async (webhook, query = '') => (await client.get(`${WEBHOOKS}/${webhook.id}/deliveries${query}`, key)).json.data;

/* What waits to be tried again is due now. */
const hurry = () => db.sql("UPDATE wa.delivery SET next_attempt_at = clock_timestamp() WHERE status = 'failed'");

test('an event arrives as the event log has it, signed for both families', async () =>
{
	const receiver = await Receiver.start();
	const { secret } = await hook(receiver.url, { customHeaders: { 'X-Tenant': 'acme', Authorization: 'Bearer theirs' } });

	await send();
	await arrived(receiver, 1);

	const [request] = receiver.requests;
	const log = await client.get('/api/v1/events?types=message.from_me', key);
	const [{ envelope }] = await db.sql("SELECT envelope FROM wa.event WHERE org_id = $1 AND type = 'message.from_me'", [org.uuid]);

	assert.equal(request.method, 'POST');
	assert.equal(request.path, '/hook');
	assert.equal(request.body, envelope);
	assert.deepEqual(request.json, log.json.data[0]);
	assert.deepEqual(deliveryProblems(request), []);
	for (const name of ['webhook-id', 'webhook-signature', 'x-webhook-hmac'])
		assert.equal(deliveryProblems({ ...request, headers: { ...request.headers, [name]: undefined } }).length, 1, name);
	assert.notDeepEqual(deliveryProblems({ ...request, body: JSON.stringify({ ...request.json, more: 1 }) }), []);
	assert.equal(request.headers['content-type'], 'application/json');
	assert.equal(request.headers['x-webhook-request-id'], request.json.id);
	assert.equal(request.headers['webhook-id'], request.json.id);
	assert.equal(request.headers['webhook-timestamp'], request.headers['x-webhook-timestamp'].slice(0, -3));
	assert.equal(request.headers['x-tenant'], 'acme');
	assert.equal(request.headers.authorization, 'Bearer theirs');
	assert.deepEqual(verifyStandard(request, secret), request.json);
	assert.ok(verifiesWaha(request, secret));
	assert.throws(() => verifyStandard({ ...request, body: `${request.body} ` }, secret));
	assert.throws(() => verifyStandard({ ...request, headers: { ...request.headers, 'webhook-id': 'evt_other' } }, secret));
	assert.ok(!verifiesWaha({ ...request, body: `${request.body} ` }, secret));
});

test('a secret that is no base64 signs as it stands', async () =>
{
	const receiver = await Receiver.start();
	const secret = 'a-secret-of-our-own-making!';

	await hook(receiver.url, { secret });
	await send();
	await arrived(receiver, 1);
	verifyStandard(receiver.requests[0], secret);
	assert.ok(verifiesWaha(receiver.requests[0], secret));
});

test('a secret that is base64 without the prefix verifies as the public library reads it, and as it stands', async () =>
{
	const receiver = await Receiver.start();
	const secret = 'c2VjcmV0IG9mIG91ciBvd24=';
	const made = await hook(receiver.url, { secret });

	await send();
	await arrived(receiver, 1);
	verifyStandard(receiver.requests[0], secret, false);
	verifyStandard(receiver.requests[0], secret, true);
	assert.ok(verifiesWaha(receiver.requests[0], secret));

	/* the longest header: both keys of two secrets */
	const other = 'YW5vdGhlciBzZWNyZXQgb2Ygb3Vycw';

	assert.equal((await client.post(`${WEBHOOKS}/${made.id}/secret`, key, { secret: other, overlapSeconds: 60 })).status, 200);
	await send();
	await arrived(receiver, 2);
	for (const [each, raw] of [[secret, false], [secret, true], [other, false], [other, true]])
		verifyStandard(receiver.requests[1], each, raw);
	assert.throws(() => verifyStandard(receiver.requests[1], 'bm90IG91cnM=', false));
	assert.equal((await client.post(WEBHOOKS, key, { url: receiver.url, secret: 'whsec_not-base64-at-all' })).json.error.details.secret, 'must have base64 behind whsec_');
});

test('a receiver is not asked again before the time that it names, within an hour', async () =>
{
	const times = [() => '2', () => '120', () => '999999', () => new Date(Date.now() + 600000).toUTCString()];
	const waits = [null, 120, 3600, 600];
	const receiver = await Receiver.start({ answer: (request, response) => response.writeHead(429, { 'Retry-After': times[receiver.requests.length - 1]() }).end() });
	const made = await hook(receiver.url, { retryPolicy: { policy: 'constant', delaySeconds: 4 } });

	await send();
	for (const [i, seconds] of waits.entries())
	{
		await until(`attempt ${i + 1}`, async () => (await deliveries(made))[0]?.attempts === i + 1);

		const wait = Number(await db.value("SELECT extract(epoch FROM next_attempt_at - updated_at) FROM wa.delivery WHERE org_id = $1", [org.uuid]));

		if (seconds === null)
			assert.ok(wait > 3 && wait < 5, `its own pause: ${wait}`);
		else
			assert.ok(Math.abs(wait - seconds) < 30, `${times[i]()}: ${wait}`);
		await hurry();
	}
});

test('a receiver that says that it is gone is switched off at once, and the others hear of it', async () =>
{
	const gone = await Receiver.start({ answer: (request, response) => response.writeHead(410).end() });
	const watcher = await Receiver.start();
	const made = await hook(gone.url);

	await hook(watcher.url, { events: ['webhook.disabled'] });
	await send();
	await arrived(watcher, 1);
	assert.equal(watcher.requests[0].json.payload.id, made.id);
	assert.equal(watcher.requests[0].json.payload.disabledReason, 'gone, status 410');

	const shown = (await client.get(`${WEBHOOKS}/${made.id}`, key)).json;

	assert.deepEqual([shown.active, shown.disabledReason], [false, 'gone, status 410']);
	assert.deepEqual((await deliveries(made)).map(({ status, attempts }) => [status, attempts]), [['dead', 1]]);
	assert.equal(gone.requests.length, 1);
});

test('a webhook of a session that is deleted tells the others before it goes', async () =>
{
	const bound = await Receiver.start();
	const watcher = await Receiver.start();
	const made = await hook(bound.url, { sessionId: session.id });

	await hook(watcher.url, { events: ['webhook.disabled'] });
	assert.equal((await client.request('DELETE', `/api/v1/sessions/${session.id}`, { key })).status, 204);
	await arrived(watcher, 1);

	const [{ json }] = watcher.requests;

	assert.deepEqual([json.payload.id, json.payload.sessionId, json.payload.active, json.payload.disabledReason],
		[made.id, session.id, false, 'its session was deleted']);
	assert.equal((await client.get(`${WEBHOOKS}/${made.id}`, key)).status, 404);
});

test('after a rotation both secrets verify, then only the new one', async () =>
{
	const receiver = await Receiver.start();
	const made = await hook(receiver.url);
	const rotated = await client.post(`${WEBHOOKS}/${made.id}/secret`, key, {});

	await send();
	await arrived(receiver, 1);
	verifyStandard(receiver.requests[0], made.secret);
	verifyStandard(receiver.requests[0], rotated.json.secret);
	assert.ok(verifiesWaha(receiver.requests[0], rotated.json.secret));
	await db.sql("UPDATE wa.webhook SET previous_secret_until = now() - interval '1 second' WHERE org_id = $1", [org.uuid]);
	await send();
	await arrived(receiver, 2);
	verifyStandard(receiver.requests[1], rotated.json.secret);
	assert.throws(() => verifyStandard(receiver.requests[1], made.secret));
});

test('each webhook gets what it asked for and nothing else', async () =>
{
	const [all, one, none, foreign] = await Promise.all(Array.from({ length: 4 }, () => Receiver.start()));
	const second = await createSession(db, org);
	const stranger = await createOrg(db, 'Stranger');
	const strangerKey = (await createKey(db, stranger)).secret;

	await hook(all.url, { events: ['*'] });
	await hook(one.url, { sessionId: second.id });
	await hook(none.url, { events: ['presence.update'] });
	await client.post(WEBHOOKS, strangerKey, { url: foreign.url });
	await send(2);
	const [last] = await send(1, second);

	await until('all has come', () => all.of('message.from_me').length === 3 && one.requests.length === 1);
	assert.ok(all.of('chat.update').length > 0);
	assert.deepEqual(bodies(one.requests), [last]);
	assert.deepEqual([none.requests, foreign.requests], [[], []]);
});

test('the events of a session come in their order, each once', async () =>
{
	const receiver = await Receiver.start({ answer: (request, response) => setTimeout(() => response.end(), Math.random() * 8) });
	const second = await createSession(db, org);

	await hook(receiver.url);
	const [first, other] = await Promise.all([send(60), send(60, second)]);

	await arrived(receiver, 120);
	const of = ({ id }) => bodies(receiver.requests.filter(({ json }) => json.session === id));

	assert.deepEqual(of(session), first);
	assert.deepEqual(of(second), other);
	assert.equal(new Set(receiver.requests.map(({ json }) => json.id)).size, 120);
});

test('a slow receiver delays nobody else, and gets a bounded number at once', async () =>
{
	const held = [];
	let now = 0, most = 0, isHeld = true;
	const slow = await Receiver.start({
		answer: (request, response) =>
		{
			const end = () => { now--; response.end(); };

			most = Math.max(most, ++now);
			if (isHeld)
				held.push(end);
			else
				end();
		},
	});
	const quick = await Receiver.start();
	const sessions = await Promise.all(Array.from({ length: 8 }, () => createSession(db, org)));

	await hook(slow.url);
	await hook(quick.url);
	await Promise.all(sessions.map((of) => send(2, of)));

	/* the slow one has answered nothing until the quick one has all */
	await arrived(quick, 16);
	await arrived(slow, 4);
	isHeld = false;
	held.forEach((end) => end());
	await arrived(slow, 16);
	assert.equal(most, 4);
});

test('what failed is sent again: same id, same bytes, a new timestamp and signature', async () =>
{
	const statuses = [500, 404, 302, 204];
	const receiver = await Receiver.start({
		answer: (request, response) =>
		{
			response.writeHead(statuses.shift() ?? 500, { Location: '/elsewhere' });
			response.end('secret words of the receiver');
		},
	});
	/* as by default, but so far apart that none comes before the test has looked */
	const made = await hook(receiver.url, { retryPolicy: { delaySeconds: 200 } });

	assert.equal(made.retryPolicy.policy, 'exponential');
	await send();
	for (let attempt = 1; attempt <= 4; attempt++)
	{
		await arrived(receiver, attempt);
		await until('it is noted', async () => (await deliveries(made))[0].attempts === attempt && (await deliveries(made))[0].status !== 'pending');
		const [delivery] = await deliveries(made);

		assert.equal(delivery.status, attempt < 4 ? 'failed' : 'delivered');
		assert.equal(delivery.statusCode, [500, 404, 302, 204][attempt - 1]);
		if (attempt < 4)
		{
			assert.ok(delivery.nextAttemptAt - delivery.updatedAt >= 0.75 * 200_000 * 2 ** (attempt - 1), JSON.stringify(delivery));
			assert.ok(delivery.nextAttemptAt - delivery.updatedAt <= 1.25 * 200_000 * 2 ** (attempt - 1), JSON.stringify(delivery));
		}
		assert.doesNotMatch(JSON.stringify(delivery), /secret words/);
		await hurry();
	}
	assert.equal(new Set(receiver.requests.map(({ body }) => body)).size, 1);
	assert.equal(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size, 1);
	assert.ok(receiver.requests.every(({ path }) => path === '/hook'));
	receiver.requests.forEach((request) => verifyStandard(request, made.secret));
});

test('a retry comes by itself when it is due', async () =>
{
	let count = 0;
	const receiver = await Receiver.start({ answer: (request, response) => response.writeHead(count++ === 0 ? 503 : 200).end() });

	await hook(receiver.url, { retryPolicy: { policy: 'constant', delaySeconds: 1, attempts: 2 } });
	await send();
	await arrived(receiver, 2);
	assert.ok(receiver.requests[1].at - receiver.requests[0].at > 700);
});

test('what has no attempts left is dead, and a person can send it again', async () =>
{
	let good = false;
	const receiver = await Receiver.start({ answer: (request, response) => response.writeHead(good ? 200 : 500).end() });
	const made = await hook(receiver.url, { retryPolicy: { policy: 'constant', delaySeconds: 3600, attempts: 2 } });

	await send();
	await until('it waits', async () => (await deliveries(made, '?status=failed')).length === 1);
	await hurry();
	const [dead] = await until('it is dead', async () => (await deliveries(made, '?status=dead')).length === 1 && deliveries(made));

	assert.equal(dead.attempts, 2);
	assert.equal(dead.nextAttemptAt, undefined);
	good = true;
	assert.equal((await client.post(`${WEBHOOKS}/${made.id}/deliveries/${dead.id}/replay`, key)).status, 202);
	await until('it is delivered', async () => (await deliveries(made, '?status=delivered')).length === 1);
	assert.equal(receiver.requests.length, 3);
	assert.equal(new Set(receiver.requests.map(({ body }) => body)).size, 1);
});

test('every attempt and the body can be read, also after a delivery was sent again, by who may', async () =>
{
	let good = false;
	const receiver = await Receiver.start({ answer: (request, response) => response.writeHead(good ? 204 : 500).end() });
	const made = await hook(receiver.url, { retryPolicy: { policy: 'constant', delaySeconds: 3600, attempts: 2 } });

	await send();
	await until('it waits', async () => (await deliveries(made, '?status=failed')).length === 1);
	await hurry();
	await until('it is dead', async () => (await deliveries(made, '?status=dead')).length === 1);

	const [{ id }] = await deliveries(made);
	const path = `${WEBHOOKS}/${made.id}/deliveries/${id}`;
	const outcomes = ({ history }) => history.map(({ statusCode, error }) => statusCode ?? error);
	const dead = (await client.get(path, key)).json;

	assert.deepEqual(outcomes(dead), [500, 500]);
	assert.ok(dead.history[0].at < dead.history[1].at);
	assert.equal(dead.body, String(receiver.requests[0].body));
	good = true;
	assert.equal((await client.post(`${path}/replay`, key)).status, 202);
	await until('it is delivered', async () => (await deliveries(made, '?status=delivered')).length === 1);
	assert.deepEqual(outcomes((await client.get(path, key)).json), [500, 500, 204]);
	assert.equal((await client.post(`${path}/replay`, key)).status, 202);
	await until('it is delivered again', async () => receiver.requests.length === 4 && (await deliveries(made, '?status=delivered')).length === 1);
	assert.deepEqual(outcomes((await client.get(path, key)).json), [500, 500, 204, 204]);

	/* the body is for who may listen; the rest is for who manages */
	const [manager, listener] = await Promise.all([['manage'], ['read', 'send', 'events']].map((permissions) => createKey(db, org, permissions)));
	const managed = await client.get(path, manager.secret);

	assert.equal(managed.status, 200);
	assert.ok(!('body' in managed.json));
	assert.equal((await client.get(path, listener.secret)).status, 403);

	/* of another organization, of another webhook, or invented: all alike */
	const other = await createKey(db, await createOrg(db, 'Other'));
	const elsewhere = await hook(receiver.url);
	const refused = [
		await client.get(path, other.secret), await client.get(`${WEBHOOKS}/${elsewhere.id}/deliveries/${id}`, key),
		await client.get(`${WEBHOOKS}/${made.id}/deliveries/dlv_01h455vb4pex5vsknk084sn02q`, key),
	];

	assert.deepEqual(refused.map(({ status }) => status), [404, 404, 404]);
});

test('no answer, a broken one and nobody at all are told apart, in our words', async () =>
{
	const reasons = { silent: () => {}, broken: (request, response) => response.socket.destroy() };
	const wanted = { silent: /in time/, broken: /closed before an answer/ };

	for (const [name, answer] of Object.entries(reasons))
	{
		const receiver = await Receiver.start({ answer });
		const made = await hook(receiver.url);

		await send();
		const [delivery] = await until(`${name}: it has failed`, async () => (await deliveries(made, '?status=failed')).length === 1 && deliveries(made));

		assert.match(delivery.error, wanted[name]);
		assert.equal(delivery.statusCode, undefined);
		await client.request('DELETE', `${WEBHOOKS}/${made.id}`, { key });
	}
	const gone = await Receiver.start();
	const made = await hook(gone.url);

	gone.close();
	await send();
	const [delivery] = await until('nobody: it has failed', async () => (await deliveries(made, '?status=failed')).length === 1 && deliveries(made));

	assert.match(delivery.error, /could not connect/);
});

test('a test delivery reaches this webhook alone, and is tried once', async () =>
{
	const [receiver, other] = [await Receiver.start({ answer: (request, response) => response.writeHead(500).end() }), await Receiver.start()];
	const made = await hook(receiver.url, { events: ['presence.update'] });

	await hook(other.url, { events: ['*'] });
	assert.equal((await client.post(`${WEBHOOKS}/${made.id}/test`, key)).status, 202);
	await until('it is dead', async () => (await deliveries(made, '?status=dead')).length === 1);
	assert.equal(receiver.requests.length, 1);
	assert.equal(receiver.requests[0].json.event, 'webhook.test');
	assert.deepEqual(deliveryProblems(receiver.requests[0]), []);
	verifyStandard(receiver.requests[0], made.secret);
	assert.deepEqual(other.of('webhook.test'), []);
});

test('a receiver that fails for too long is switched off, and the others hear of it', async () =>
{
	const dead = await Receiver.start({ answer: (request, response) => response.writeHead(500).end() });
	const watcher = await Receiver.start();
	const made = await hook(dead.url);

	await hook(watcher.url, { events: ['webhook.disabled'] });
	await send(1);
	await until('a failure', async () => (await deliveries(made, '?status=failed')).length === 1);
	await db.sql("UPDATE wa.webhook_lane SET failures = 19, failing_since = now() - interval '2 hours' WHERE org_id = $1 AND failures > 0", [org.uuid]);
	await send(1);
	await arrived(watcher, 1);

	const [{ json }] = watcher.requests;
	const shown = (await client.get(`${WEBHOOKS}/${made.id}`, key)).json;

	assert.equal(json.event, 'webhook.disabled');
	assert.equal(json.payload.id, made.id);
	assert.equal(shown.active, false);
	const count = dead.requests.length;

	await hurry();
	await send(1);
	await client.request('PATCH', `${WEBHOOKS}/${made.id}`, { key, json: { active: true } });
	await until('it is tried again', () => dead.requests.length > count);
});

test('a change of the URL counts from the next event on', async () =>
{
	const [before, later] = [await Receiver.start(), await Receiver.start()];
	const made = await hook(before.url);

	await send();
	await arrived(before, 1);
	await client.request('PATCH', `${WEBHOOKS}/${made.id}`, { key, json: { url: later.url } });
	await send();
	await arrived(later, 1);
	assert.equal(before.requests.length, 1);
});

test('the metrics tell what has been delivered', async () =>
{
	const text = await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text();
	const value = (series) => Number(text.split('\n').find((line) => line.startsWith(`${series} `))?.slice(series.length));

	assert.ok(value('wa_webhook_attempts_total{outcome="2xx"}') >= 120);
	assert.ok(value('wa_webhook_attempts_total{outcome="5xx"}') >= 3);
	assert.ok(value('wa_webhook_attempts_total{outcome="failed"}') >= 3);
	assert.ok(value('wa_webhook_deliveries_total{result="delivered"}') >= 120);
	assert.ok(value('wa_webhook_deliveries_total{result="dead"}') >= 2);
	assert.ok(value('wa_webhook_attempt_duration_seconds_count{outcome="2xx"}') >= 120);
	assert.equal(value('wa_metrics_dropped_total'), 0);
});

test('the worker has made no mistake that it noticed, and stops when it is told to', async () =>
{
	const log = worker.log();

	assert.deepEqual(await worker.stop(), { code: 0, signal: null });
	assert.doesNotMatch(log, /event=statement_failed|level=error/);
});
