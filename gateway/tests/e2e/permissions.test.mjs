/*
 * permissions.test.mjs
 *		Each endpoint needs one permission, and no other one will do.
 *
 * The table says what the documentation says.  Every set of permissions that a key can
 * have is tried at every row: it is let in exactly if it has the one that is needed.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Gateway } from './harness/programs.mjs';
import { ALL, createKey, createTenant } from './harness/tenants.mjs';

const SESSION = '/api/v1/sessions/{session}';

const ENDPOINTS = [
	{ method: 'GET', path: '/api/v1/me', needs: null, status: 200 },
	{ method: 'GET', path: '/api/v1/sessions', needs: 'read', status: 200 },
	{ method: 'HEAD', path: '/api/v1/sessions', needs: 'read', status: 200 },
	{ method: 'GET', path: SESSION, needs: 'read', status: 200 },
	{ method: 'POST', path: '/api/v1/sessions', needs: 'manage', status: 201, json: { label: 'made', start: false } },
	{ method: 'GET', path: `${SESSION}/chats`, needs: 'read', status: 200 },
	{ method: 'GET', path: `${SESSION}/chats/{chat}`, needs: 'read', status: 200 },
	{ method: 'GET', path: `${SESSION}/chats/{chat}/messages`, needs: 'read', status: 200 },
	{ method: 'GET', path: `${SESSION}/messages/{message}`, needs: 'read', status: 200 },
	{
		method: 'POST', path: `${SESSION}/messages`, needs: 'send', status: 202,
		json: { type: 'text', to: '15551234567', text: 'hello' },
	},
];

let db, client, tenant;
const keys = [];

/* Every set of permissions but the empty one, which no key can have. */
function permissionSets()
{
	return Array.from({ length: 2 ** ALL.length - 1 }, (_, i) => ALL.filter((_, bit) => (i + 1) >> bit & 1));
}

function pathOf(endpoint)
{
	return endpoint.path.replace('{session}', tenant.session.id).replace('{chat}', tenant.chat.jid)
		.replace('{message}', tenant.message.id);
}

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	for (const permissions of permissionSets())
		keys.push({ permissions, secret: (await createKey(db, tenant.org, permissions)).secret });
	client = (await Gateway.start(cluster)).client;
});

for (const endpoint of ENDPOINTS)
{
	const { method, path, needs, status, json } = endpoint;

	test(`${method} ${path} needs ${needs ?? 'any valid key'}`, async () =>
	{
		for (const { permissions, secret } of keys)
		{
			const answer = await client.request(method, pathOf(endpoint), { key: secret, json });
			const allowed = needs === null || permissions.includes(needs);

			assert.equal(answer.status, allowed ? status : 403, permissions.join());
			if (!allowed && method !== 'HEAD')
				assert.deepEqual(answer.json, {
					error: { code: 'forbidden', message: answer.json.error.message, details: { required: needs } },
				});
		}
		assert.equal((await client.request(method, pathOf(endpoint), { json })).status, 401);
	});
}

test('a refused change changes nothing', async () =>
{
	const count = () => db.value('SELECT (SELECT count(*) FROM wa.session) + (SELECT count(*) FROM wa.message)');
	const before = await count();

	for (const { permissions, secret } of keys)
	{
		for (const endpoint of ENDPOINTS.filter(({ needs, json }) => json && !permissions.includes(needs)))
			assert.equal((await client.request(endpoint.method, pathOf(endpoint), { key: secret, json: endpoint.json })).status, 403);
	}
	assert.equal(await count(), before);
});

test('a missing permission is said before anything else that is wrong with the request', async () =>
{
	const readOnly = keys.find(({ permissions }) => permissions.join() === 'read').secret;
	const sendOnly = keys.find(({ permissions }) => permissions.join() === 'send').secret;
	const refused = [
		await client.post('/api/v1/sessions', readOnly, { label: 7, unknown: true }),
		await client.request('POST', '/api/v1/sessions', { key: readOnly, body: '{', headers: { 'Content-Type': 'application/json' } }),
		await client.request('POST', '/api/v1/sessions', { key: readOnly, body: 'x', headers: { 'Content-Type': 'text/plain' } }),
		await client.post('/api/v1/sessions/sess_x/messages', readOnly, { type: 'nothing' }),
		await client.get('/api/v1/sessions?limit=0&cursor=x', sendOnly),
		await client.get('/api/v1/sessions/sess_x', sendOnly),
	];

	assert.deepEqual(refused.map((answer) => answer.status), refused.map(() => 403));
});

test('a key that lacks everything but events sees the same refusal for what exists and what does not', async () =>
{
	const eventsOnly = keys.find(({ permissions }) => permissions.join() === 'events').secret;
	const there = await client.get(`/api/v1/sessions/${tenant.session.id}`, eventsOnly);
	const missing = await client.get('/api/v1/sessions/sess_01h455vb4pex5vsknk084sn02q', eventsOnly);

	assert.equal(there.status, 403);
	assert.equal(there.shape, missing.shape);
});
