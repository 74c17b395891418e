/*
 * webhooks.test.mjs
 *		Webhooks: made, read, changed, deleted; the secret is shown when it is made and never again.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Gateway } from './harness/programs.mjs';
import { createKey, createTenant } from './harness/tenants.mjs';

const WEBHOOKS = '/api/v1/webhooks';
const URL = 'https://receiver.example/hook?x=1';

let db, client, tenant, other, key;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	other = await createTenant(db, 'Other');
	key = tenant.key.secret;
	client = (await Gateway.start(cluster)).client;
});

const create = (json) => client.post(WEBHOOKS, key, json);
const get = (id) => client.get(`${WEBHOOKS}/${id}`, key);
const patch = (id, json) => client.request('PATCH', `${WEBHOOKS}/${id}`, { key, json });

test('only a URL is needed; the rest has defaults', async () =>
{
	const { status, json } = await create({ url: URL });
	const { secret, ...shown } = json;

	assert.equal(status, 201);
	assert.match(secret, /^whsec_[A-Za-z0-9+/]{32}$/);
	assert.deepEqual(shown, {
		id: json.id, organizationId: tenant.org.id, url: URL, events: ['*'], active: true,
		retryPolicy: { policy: 'exponential', delaySeconds: 2, attempts: 15 }, createdAt: json.createdAt, updatedAt: json.createdAt,
	});
	assert.deepEqual((await get(json.id)).json, shown);
});

test('everything can be given', async () =>
{
	const wanted = {
		url: 'http://receiver.example:8080/', events: ['message', 'session.status'], sessionId: tenant.session.id,
		customHeaders: { 'X-Tenant': 'acme', Authorization: 'Bearer something' }, retryPolicy: { policy: 'constant', delaySeconds: 60, attempts: 3 },
		active: false, secret: 'a secret'.padEnd(20, '.').replace(' ', '-'),
	};
	const { status, json } = await create(wanted);

	assert.equal(status, 201);
	assert.deepEqual(json, { ...wanted, id: json.id, organizationId: tenant.org.id, createdAt: json.createdAt, updatedAt: json.updatedAt });
});

test('no events at all can be wanted', async () =>
{
	assert.match((await create({ url: URL, events: [] })).json.error.details.events, /must name at least one event type, or \*: .*\bmessage\b/);
});

test('what is changed is changed, and the rest stays', async () =>
{
	const { secret, ...made } = (await create({ url: URL, retryPolicy: { attempts: 5 } })).json;
	const changed = (await patch(made.id, { active: false, events: ['message'], retryPolicy: { delaySeconds: 7 } })).json;

	assert.ok(secret.length > 0);
	assert.deepEqual(changed, {
		...made, active: false, events: ['message'], retryPolicy: { policy: 'exponential', delaySeconds: 7, attempts: 5 }, updatedAt: changed.updatedAt,
	});
	assert.ok(changed.updatedAt >= made.updatedAt);
	assert.deepEqual((await patch(made.id, {})).json, { ...changed, updatedAt: (await get(made.id)).json.updatedAt });
});

test('a secret is shown by the request that makes it, and by no other', async () =>
{
	const { secret, ...made } = (await create({ url: URL })).json;
	const rotate = (json) => client.post(`${WEBHOOKS}/${made.id}/secret`, key, json);
	const rotated = (await rotate()).json;
	const chosen = 'chosen-by-the-caller';

	assert.match(rotated.secret, /^whsec_/);
	assert.notEqual(rotated.secret, secret);
	assert.equal((await rotate({ secret: chosen })).json.secret, chosen);
	assert.equal(await db.value('SELECT secret FROM wa.webhook WHERE wa.typeid(\'wh\', id) = $1', [made.id]), chosen);
	for (const answer of [await get(made.id), await client.get(WEBHOOKS, key), await patch(made.id, { active: true })])
	{
		for (const known of [secret, rotated.secret, chosen])
			assert.ok(!answer.text.includes(known));
	}
});

test('a deleted one is gone', async () =>
{
	const { json } = await create({ url: URL });
	const remove = () => client.request('DELETE', `${WEBHOOKS}/${json.id}`, { key });

	assert.equal((await remove()).status, 204);
	assert.equal((await remove()).status, 404);
	assert.equal((await get(json.id)).status, 404);
	assert.equal((await patch(json.id, { active: true })).status, 404);
});

test('the list has them all, page by page, and no other organization\'s', async () =>
{
	const theirs = await client.post(WEBHOOKS, other.key.secret, { url: URL });
	const ids = [];
	let cursor;

	do
	{
		const { json } = await client.get(`${WEBHOOKS}?limit=2${cursor ? `&cursor=${cursor}` : ''}`, key);

		ids.push(...json.data.map(({ id }) => id));
		cursor = json.nextCursor;
	} while (cursor !== undefined);
	assert.deepEqual(ids, [...ids].sort().reverse());
	assert.equal(String(ids.length), await db.value('SELECT count(*) FROM wa.webhook WHERE org_id = $1', [tenant.org.uuid]));
	assert.ok(!ids.includes(theirs.json.id));
});

test('which event, which header field and which member of the retry policy is wrong is told', async () =>
{
	const bad = [
		[{ events: ['message', 'mesage'] }, 'events', /^events\[1\] is "mesage", but must be an event type, or \*: .*\bmessage\.edited\b/],
		[{ events: ['*', 'Message'] }, 'events', /^events\[1\] is "Message", but/],
		[{ events: ['message', 7] }, 'events', /^events\[1\] must be a string$/],
		[{ events: ['message', ''] }, 'events', /^events\[1\] must have 1 to 64 characters$/],
		[{ customHeaders: { 'X-A': 'x', HOST: 'x' } }, 'customHeaders', /^"HOST" is set by the delivery itself$/],
		[{ customHeaders: { 'X-A': 'x', 'Webhook-id': 'x' } }, 'customHeaders', /^"Webhook-id" is set by the delivery itself$/],
		[{ customHeaders: { 'X-A': 'x', 'X B\n': 'x' } }, 'customHeaders', /^"X B\\n" is no name of a header field$/],
		[{ customHeaders: { 'X-A': 'x', 'X-B': 7 } }, 'customHeaders', /^"X-B" must be a text$/],
		[{ customHeaders: { 'X-A': 'x', 'X-B': 'secret\n' } }, 'customHeaders', /^"X-B" must be printable ASCII characters$/],
		[{ customHeaders: { 'X-A': 'x', 'X-B': 'x'.repeat(1001) } }, 'customHeaders', /^"X-B" must be at most 1000 characters$/],
		[{ customHeaders: { 'X-A': 'x', 'x-a': 'x' } }, 'customHeaders', /^has one field twice: "X-A" and "x-a"$/],
		[{ retryPolicy: { attempts: 3, policy: 'never' } }, 'retryPolicy', /^"policy" must be exponential, linear or constant$/],
		[{ retryPolicy: { attempts: 51 } }, 'retryPolicy', /^"attempts" must be a whole number from 1 to 50$/],
		[{ retryPolicy: { attempts: 3, delaySeconds: '5' } }, 'retryPolicy', /^"delaySeconds" must be a whole number from 1 to 3600$/],
		[{ retryPolicy: { attempts: 3, delay: 1 } }, 'retryPolicy', /^"delay" is not policy, delaySeconds or attempts$/],
	];

	for (const [json, field, text] of bad)
	{
		const refused = await create({ url: URL, ...json });

		assert.equal(refused.status, 400, refused.text);
		assert.deepEqual(Object.keys(refused.json.error.details), [field]);
		assert.match(refused.json.error.details[field], text);
	}
});

test('what is wrong is told by the name of its field', async () =>
{
	const bad = [
		[{}, 'url'], [{ url: '' }, 'url'], [{ url: 'receiver.example' }, 'url'], [{ url: 'ftp://receiver.example/' }, 'url'],
		[{ url: 'https://user:pass@receiver.example/' }, 'url'], [{ url: 'https://receiver.example/#x' }, 'url'], [{ url: 'https://receiver.example/a b' }, 'url'],
		[{ url: `https://receiver.example/${'a'.repeat(2048)}` }, 'url'], [{ url: 'javascript:alert(1)' }, 'url'], [{ url: 'https:///x' }, 'url'],
		[{ url: URL, events: ['nothing'] }, 'events'], [{ url: URL, events: '*' }, 'events'], [{ url: URL, events: [7] }, 'events'],
		[{ url: URL, sessionId: 'sess_x' }, 'sessionId'], [{ url: URL, sessionId: other.session.id }, 'sessionId'],
		[{ url: URL, sessionId: 'sess_01h455vb4pex5vsknk084sn02q' }, 'sessionId'],
		[{ url: URL, customHeaders: ['x'] }, 'customHeaders'], [{ url: URL, customHeaders: { 'X-A': 7 } }, 'customHeaders'],
		[{ url: URL, customHeaders: { 'X A': 'x' } }, 'customHeaders'], [{ url: URL, customHeaders: { 'X-A': 'a\r\nB: c' } }, 'customHeaders'],
		[{ url: URL, customHeaders: { 'Content-Length': '1' } }, 'customHeaders'], [{ url: URL, customHeaders: { 'x-webhook-hmac': 'x' } }, 'customHeaders'],
		[{ url: URL, customHeaders: { 'Webhook-Id': 'x' } }, 'customHeaders'],
		[{ url: URL, customHeaders: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`X-${i}`, 'x'])) }, 'customHeaders'],
		[{ url: URL, retryPolicy: 'linear' }, 'retryPolicy'], [{ url: URL, retryPolicy: { policy: 'never' } }, 'retryPolicy'],
		[{ url: URL, retryPolicy: { attempts: 0 } }, 'retryPolicy'], [{ url: URL, retryPolicy: { attempts: 51 } }, 'retryPolicy'],
		[{ url: URL, retryPolicy: { delaySeconds: 3601 } }, 'retryPolicy'], [{ url: URL, retryPolicy: { delay: 1 } }, 'retryPolicy'],
		[{ url: URL, active: 'yes' }, 'active'], [{ url: URL, secret: 'short' }, 'secret'], [{ url: URL, secret: 'a secret with blanks' }, 'secret'],
		[{ url: URL, id: 'wh_x' }, 'id'],
	];
	const count = () => db.value('SELECT count(*) FROM wa.webhook');
	const before = await count();

	for (const [json, field] of bad)
	{
		const refused = await create(json);
		const what = JSON.stringify(json).slice(0, 120);

		assert.equal(refused.status, 400, what);
		assert.deepEqual(Object.keys(refused.json.error.details), [field], what);
	}
	assert.equal(await count(), before);
});

test('a key without manage sees nothing of them, and another organization\'s are not there', async () =>
{
	const { json } = await create({ url: URL });
	const limited = await createKey(db, tenant.org, ['read', 'send', 'events']);

	assert.equal((await client.get(WEBHOOKS, limited.secret)).status, 403);
	assert.equal((await client.get(`${WEBHOOKS}/${json.id}`, limited.secret)).status, 403);
	assert.equal((await client.get(`${WEBHOOKS}/${json.id}`, other.key.secret)).status, 404);
	assert.equal((await client.request('DELETE', `${WEBHOOKS}/${json.id}`, { key: other.key.secret })).status, 404);
	assert.equal((await client.post(`${WEBHOOKS}/${json.id}/secret`, other.key.secret)).status, 404);
	assert.equal((await get(json.id)).status, 200);
});
