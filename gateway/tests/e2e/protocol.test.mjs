/*
 * protocol.test.mjs
 *		HTTP around the API: OPTIONS, HEAD, 405, unknown paths, request ids, CORS.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { endpoints } from './harness/endpoints.mjs';
import { DOCUMENT } from './harness/openapi.mjs';
import { Gateway, tryGateway } from './harness/programs.mjs';
import { createTenant } from './harness/tenants.mjs';

const APP = 'https://app.example.com';
const LOCAL = 'http://localhost:3000';
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const ID = 'x_01h455vb4pex5vsknk084sn02q';

let cluster, client, key;

before(async () =>
{
	cluster = prepareCluster();
	key = (await createTenant(await cluster.open('wa'), 'Acme')).key.secret;
	client = (await Gateway.start(cluster)).client;
});

/* Each path of the table with its methods. */
const paths = new Map();

for (const { method, pattern } of endpoints())
{
	const path = pattern.replace(/\{\w+\}/g, ID);

	paths.set(path, [...paths.get(path) ?? [], method, ...method === 'GET' ? ['HEAD'] : []]);
}

const allowed = (answer) => answer.headers.allow.split(', ').filter((method) => method !== 'OPTIONS').sort();
const corsHeaders = (answer) => Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'));

test('OPTIONS says which methods a path has, and needs no credential', async () =>
{
	for (const [path, methods] of paths)
	{
		const answer = await client.request('OPTIONS', path);

		assert.equal(answer.status, 204, path);
		assert.equal(answer.body.length, 0);
		assert.deepEqual(allowed(answer), [...methods].sort(), path);
		assert.ok(answer.headers.allow.includes('OPTIONS'), path);
	}
});

test('every other method of every path is a 405 that says which there are', async () =>
{
	for (const [path, methods] of paths)
	{
		for (const method of METHODS.filter((one) => !methods.includes(one)))
		{
			const answer = await client.request(method, path);

			assert.equal(answer.status, 405, `${method} ${path}`);
			assert.deepEqual(allowed(answer), [...methods].sort(), path);
			if (method !== 'HEAD')
				assert.equal(answer.json.error.code, 'method_not_allowed');
		}
	}
});

test('methods that nobody knows are refused', async () =>
{
	for (const method of ['TRACE', 'CONNECT', 'BREW', 'get'])
	{
		const { status } = await client.request(method, '/api/v1/me', { key });

		assert.ok([400, 501].includes(status), `${method}: ${status}`);
	}
});

test('unknown paths are one 404, with a credential or without', async () =>
{
	const { shape } = await client.get('/api/v1/nothing');

	for (const path of ['/index', '/api', '/api/v1', '/api/v1/', '/api/v2/me', '/api/v1/ME', '/api/v1//sessions',
		'/openapi.json', '/api/v1/healthz', '/metrics', '/favicon.ico', '/api/v1/sessions/x/chats/y/messages/z'])
	{
		assert.equal((await client.get(path)).status, 404, path);
		assert.equal((await client.get(path)).shape, shape, path);
		assert.equal((await client.get(path, key)).shape, shape, path);
		assert.equal((await client.post(path, key, {})).status, 404, path);
		assert.equal((await client.request('OPTIONS', path)).status, 404, path);
	}
});

test('a request id comes back when it is sane, and is made when it is not', async () =>
{
	const ask = async (id) => (await client.get('/api/v1/me', key, { headers: id === undefined ? {} : { 'X-Request-Id': id } })).headers['x-request-id'];

	for (const id of ['abc', '4f1b-22', 'A'.repeat(128)])
		assert.equal(await ask(id), id);
	for (const id of [undefined, '', 'A'.repeat(129), 'a b', 'a"b', 'é'])
	{
		const given = await ask(id);

		assert.ok(given.length > 0 && given !== id, `${id}: ${given}`);
	}
	assert.notEqual(await ask(), await ask());
});

test('every answer forbids storing, whatever it is', async () =>
{
	for (const answer of [
		await client.get('/api/v1/me', key), await client.get('/api/v1/me'), await client.get('/nothing'), await client.get('/healthz'),
		await client.request('OPTIONS', '/api/v1/me'), await client.post('/api/v1/me', key, {}), await client.get('/api/v1/openapi.json'),
	])
	{
		assert.equal(answer.headers['cache-control'], 'no-store');
		assert.ok(answer.headers['x-request-id'].length > 0);
	}
});

test('CORS is off unless it is configured', async () =>
{
	for (const [method, headers] of [['GET', {}], ['OPTIONS', { 'Access-Control-Request-Method': 'GET' }]])
	{
		const answer = await client.request(method, '/api/v1/me', { key, headers: { Origin: APP, ...headers } });

		assert.deepEqual(corsHeaders(answer), []);
	}
});

test('a configured origin may read answers, errors too; any other may not', async () =>
{
	const gateway = await Gateway.start(cluster, { args: ['--cors-origin', `${APP},${LOCAL}`] });
	const ask = (origin, options = {}) => gateway.client.get('/api/v1/me', options.key, { headers: { Origin: origin } });

	for (const origin of [APP, LOCAL])
	{
		for (const credential of [key, undefined])
		{
			const answer = await ask(origin, { key: credential });

			assert.equal(answer.status, credential ? 200 : 401);
			assert.equal(answer.headers['access-control-allow-origin'], origin);
			assert.equal(answer.headers['access-control-allow-credentials'], undefined);
			assert.match(answer.headers['access-control-expose-headers'], /X-Request-Id/);
			assert.match(answer.headers.vary, /Origin/);
		}
	}
	for (const origin of ['https://app.example.com.evil.example', 'https://evil.example', 'http://app.example.com', `${APP}:443`, `${APP}/`,
		'https://APP.example.com', 'null', '*', '', 'https://sub.app.example.com', `${APP},${LOCAL}`])
	{
		const answer = await ask(origin, { key });

		assert.deepEqual(corsHeaders(answer), [], origin);
		assert.match(answer.headers.vary, /Origin/);
	}
	assert.deepEqual(corsHeaders(await gateway.client.get('/api/v1/me', key)), []);
});

test('a preflight is told what a page may send', async () =>
{
	const gateway = await Gateway.start(cluster, { args: ['--cors-origin', APP] });
	const preflight = (path, origin, headers = {}) => gateway.client.request('OPTIONS', path,
		{ headers: { Origin: origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization,content-type', ...headers } });
	const answer = await preflight('/api/v1/sessions', APP);
	const sent = answer.headers['access-control-allow-headers'].toLowerCase().split(', ');

	assert.equal(answer.status, 204);
	assert.equal(answer.headers['access-control-allow-origin'], APP);
	assert.deepEqual(answer.headers['access-control-allow-methods'].split(', ').sort(), ['GET', 'HEAD', 'OPTIONS', 'POST']);
	for (const name of ['authorization', 'content-type', 'idempotency-key', 'x-api-key'])
		assert.ok(sent.includes(name), name);
	assert.match(answer.headers['access-control-max-age'], /^[1-9][0-9]*$/);
	assert.deepEqual(corsHeaders(await preflight('/api/v1/sessions', 'https://evil.example')), []);
	assert.equal((await preflight('/nothing', APP)).status, 404);
});

test('what is no origin is refused at start', () =>
{
	for (const origin of ['*', 'app.example.com', 'https://app.example.com/', 'https://*.example.com', 'null', 'https://APP.example.com', 'ftp://app.example.com'])
	{
		const { code } = tryGateway(cluster, { args: ['--cors-origin', origin] });

		assert.notEqual(code, 0, origin);
	}
});

test('the document names both ways to send a credential, and both work', async () =>
{
	const { bearer, apiKey } = DOCUMENT.components.securitySchemes;

	assert.deepEqual([bearer.type, bearer.scheme, apiKey.type, apiKey.in, apiKey.name], ['http', 'bearer', 'apiKey', 'header', 'x-api-key']);
	assert.equal((await client.request('GET', '/api/v1/me', { bearer: key })).status, 200);
	assert.equal((await client.request('GET', '/api/v1/me', { key })).status, 200);
	assert.equal((await client.request('GET', '/api/v1/me', { key, bearer: key })).status, 400);
	for (const query of ['api_key', 'token', 'access_token', 'x-api-key'])
		assert.equal((await client.get(`/api/v1/me?${query}=${key}`)).status, 400, query);
});
