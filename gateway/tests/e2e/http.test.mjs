/*
 * http.test.mjs
 *		What a caller may rely on in every answer, and how wrong requests are refused.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { prepareCluster } from './harness/cluster.mjs';
import { Connection, exchangeUntilClose } from './harness/http.mjs';
import { until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { createKey, createTenant } from './harness/tenants.mjs';

const ME = '/api/v1/me';
const SESSIONS = '/api/v1/sessions';

let cluster, db, gateway, client, tenant, key;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	key = tenant.key.secret;
	gateway = await Gateway.start(cluster);
	client = gateway.client;
});

async function sessions()
{
	return Number(await db.value('SELECT count(*) FROM wa.session'));
}

/* ---- credentials ---- */

test('two credentials are a 400, even when they are the same', async () =>
{
	const other = (await createKey(db, tenant.org)).secret;
	const lines = {
		'the header twice': [`x-api-key: ${key}`, `x-api-key: ${key}`],
		'the header twice, once empty': [`x-api-key: ${key}`, 'x-api-key:'],
		'two keys': [`x-api-key: ${key}`, `X-API-KEY: ${other}`],
		'both headers': [`x-api-key: ${key}`, `Authorization: Bearer ${key}`],
		'both headers, the other way round': [`Authorization: Bearer ${key}`, `x-api-key: ${key}`],
		'Authorization twice': [`Authorization: Bearer ${key}`, `Authorization: Bearer ${key}`],
		'both headers, one of another scheme': [`Authorization: Basic ${key}`, `x-api-key: ${key}`],
	};

	for (const [what, pair] of Object.entries(lines))
	{
		const connection = await Connection.open(gateway.port);

		connection.send(`GET ${ME} HTTP/1.1\r\nHost: x\r\n${pair.join('\r\n')}\r\n\r\n`);

		const answer = await connection.answer();

		assert.equal(answer.status, 400, what);
		assert.equal(answer.json.error.code, 'validation_error', what);
		assert.match(answer.json.error.message, /one credential/, what);
		connection.close();
	}
	assert.equal((await client.get(ME, `${key}, ${other}`)).status, 401);
	assert.equal((await client.get(ME, key)).status, 200);
});

test('a credential in the URL is a 400 that says so, also beside a good one in a header', async () =>
{
	const queries = [`api_key=${key}`, `apikey=${key}`, `api-key=x`, `token=${key}`, `access_token=`, `Authorization=x`, `X-API-Key=x`, `key=x`,
		`anything=${key}`, `limit=5&cursor=${key}`, `%61pi_key=x`];

	for (const query of queries)
	{
		for (const credential of [undefined, key])
		{
			const answer = await client.get(`${SESSIONS}?${query}`, credential);

			assert.equal(answer.status, 400, query);
			assert.match(answer.json.error.message, /URL/, query);
			assert.ok(!answer.text.includes(key));
		}
	}
	assert.equal((await client.get(`${SESSIONS}?limit=5`, key)).status, 200);
});

test('nothing of a request stays for the next one on its connection', async () =>
{
	const connection = await Connection.open(gateway.port);
	const second = await createTenant(db, 'Second');

	for (let i = 0; i < 3; i++)
	{
		assert.equal((await connection.request('GET', ME, { key })).json.organizationId, tenant.org.id);
		assert.equal((await connection.request('GET', ME)).status, 401);
		assert.equal((await connection.request('GET', ME, { key: second.key.secret })).json.organizationId, second.org.id);
		assert.equal((await connection.request('POST', SESSIONS, { key, body: 'x', headers: { 'Content-Type': 'text/plain' } })).status, 415);
		assert.equal((await connection.request('GET', SESSIONS)).status, 401);
	}
	connection.close();
});

/* ---- methods and paths ---- */

test('HEAD is GET without the body', async () =>
{
	const connection = await Connection.open(gateway.port);

	for (const path of ['/healthz', '/readyz', ME, SESSIONS, `${SESSIONS}/${tenant.session.id}`, `${SESSIONS}/sess_x`, '/nowhere'])
	{
		const get = await connection.request('GET', path, { key });
		const head = await connection.request('HEAD', path, { key });

		assert.equal(head.shape, get.shape.slice(0, get.shape.length - get.text.length), path);
		assert.equal(head.headers['content-length'], String(get.body.length), path);
	}
	assert.equal((await connection.request('GET', '/healthz')).status, 200);
	connection.close();
});

test('a method that a path does not have is a 405 that names those it has', async () =>
{
	const allowed = {
		'/healthz': 'GET, HEAD, OPTIONS',
		[ME]: 'GET, HEAD, OPTIONS',
		[SESSIONS]: 'GET, HEAD, POST, OPTIONS',
		[`${SESSIONS}/${tenant.session.id}/chats`]: 'GET, HEAD, OPTIONS',
		[`${SESSIONS}/${tenant.session.id}/messages`]: 'GET, HEAD, POST, OPTIONS',
	};

	for (const [path, methods] of Object.entries(allowed))
	{
		for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((each) => !methods.split(', ').includes(each)))
		{
			const answer = await client.request(method, path, { key });

			assert.equal(answer.status, 405, `${method} ${path}`);
			assert.equal(answer.json.error.code, 'method_not_allowed');
			assert.equal(answer.headers.allow, methods, `${method} ${path}`);
		}
	}
});

test('a path that is none is a 404, with a key and without', async () =>
{
	for (const path of ['/index', '/api', '/api/v1', '/api/v1/', '/api/v2/me', '/api/v1/ME', '/api/v1//me', '/healthz/x', '/etc/passwd',
		'/api/v1/sessions//chats', '/.git/config', '/favicon.ico'])
	{
		const without = await client.get(path);

		assert.equal(without.status, 404, path);
		assert.equal(without.json.error.code, 'not_found', path);
		assert.equal((await client.get(path, key)).shape, without.shape, path);
	}
});

/* ---- bodies ---- */

test('a slash too much at the end is a 404 that says so', async () =>
{
	for (const path of [ME, SESSIONS, `${SESSIONS}/${tenant.session.id}`, '/auth/me', '/healthz'])
	{
		const answer = await client.get(`${path}/`, key);

		assert.equal(answer.status, 404, path);
		assert.match(answer.json.error.message, /without the slash at its end/, path);
	}
	assert.equal((await client.get('/nowhere/', key)).json.error.message, 'not found');
});

test('a parameter that an endpoint does not have is a 400 that names it', async () =>
{
	const queries = {
		[`${SESSIONS}?limt=5`]: 'limt',
		[`${SESSIONS}?limit=5&Limit=6`]: 'Limit',
		[`${SESSIONS}/${tenant.session.id}?limit=5`]: 'limit',
		'/api/v1/events?type=message': 'type',
		'/api/v1/events?limit=1&befor=1': 'befor',
		[`${ME}?%C3%A4=`]: 'ä',
	};

	for (const [path, name] of Object.entries(queries))
	{
		const answer = await client.get(path, key);

		assert.equal(answer.status, 400, path);
		assert.deepEqual(answer.json.error.details, { [name]: 'is not known here' }, path);
	}

	const before = await sessions();

	assert.equal((await client.post(`${SESSIONS}?label=x`, key, {})).status, 400);
	assert.equal(await sessions(), before);
	assert.equal((await client.post('/auth/sign-in?next=x', undefined, { email: 'a@b.example', password: 'x' })).json.error.details.next, 'is not known here');
	assert.equal((await client.get(`${ME}?x=1`)).status, 401);
	assert.equal((await client.get('/healthz?probe=1')).status, 200);
});

test('OPTIONS of the server as a whole names all methods that there are', async () =>
{
	const connection = await Connection.open(gateway.port);

	connection.send('OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n');

	const answer = await connection.answer();

	assert.equal(answer.status, 204);
	assert.deepEqual(answer.headers.allow.split(', ').sort(), ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);
	connection.close();
});

test('a body that is compressed is a 415 that says so, and in which form it is taken', async () =>
{
	const before = await sessions();

	for (const coding of ['gzip', 'deflate', 'br', 'zstd', 'gzip, identity'])
	{
		const answer = await client.request('POST', SESSIONS,
			{ key, body: gzipSync('{}'), headers: { 'Content-Type': 'application/json', 'Content-Encoding': coding } });

		assert.equal(answer.status, 415, coding);
		assert.equal(answer.json.error.code, 'unsupported_media_type');
		assert.match(answer.json.error.message, /without a Content-Encoding/, coding);
		assert.equal(answer.headers['accept-encoding'], 'identity');
	}
	assert.equal(await sessions(), before);
	assert.equal((await client.request('POST', SESSIONS,
		{ key, body: '{}', headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'identity' } })).status, 201);
});

test('a body has to be sent as JSON: anything else is a 415', async () =>
{
	const post = (type) => client.request('POST', SESSIONS, { key, body: '{"start":false}', headers: type === null ? {} : { 'Content-Type': type } });

	for (const type of [null, '', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx',
		'application/problem+json', 'text/json', 'json', 'application/json, text/plain'])
	{
		const answer = await post(type);

		assert.equal(answer.status, 415, type);
		assert.equal(answer.json.error.code, 'unsupported_media_type', type);
	}
	for (const type of ['application/json', 'Application/JSON', 'application/json; charset=utf-8', 'application/json;charset=UTF-8'])
		assert.equal((await post(type)).status, 201, type);
});

test('where JSON is wrong is told by line and column', async () =>
{
	const wrong = [
		['{"label":"x",\n  label:1}', 'invalid JSON, at line 2, column 7'],
		['{"label":"é漢🙂",}', 'invalid JSON, at line 1, column 16'],
		['{"label":"x"\n', 'JSON ends too early, at line 2, column 0'],
		['{"label":"x",\n"label":"y"}', 'JSON has a duplicate name in an object, at line 2, column 7'],
		['{"label":"a\\u0000b"}', 'JSON must not contain a NUL character, at line 1, column 19'],
		['{"label":1e999}', 'JSON has a number that is out of range, at line 1, column 14'],
		[`\n${'['.repeat(33)}`, 'JSON is nested too deeply, at line 2, column 33'],
		['[]', 'must be a JSON object'],
	];

	for (const [body, text] of wrong)
	{
		const answer = await client.request('POST', SESSIONS, { key, body, headers: { 'Content-Type': 'application/json' } });

		assert.deepEqual([answer.status, answer.json.error.details], [400, { body: text }], body);
	}
});

test('JSON that is wrong, or that two readers read differently, is a 400', async () =>
{
	const before = await sessions();
	const nested = (depth) => '{"label":'.repeat(depth) + '1' + '}'.repeat(depth);
	const wrong = {
		'nothing but white space': ' ',
		'half an object': '{"label":"x"',
		'a string': '"label"',
		'an array': '[{"label":"x"}]',
		'null': 'null',
		'two objects': '{"label":"x"}{"label":"y"}',
		'text behind it': '{"label":"x"} x',
		'a name twice': '{"label":"x","label":"y"}',
		'a name twice, once escaped': '{"label":"x","\\u006cabel":"y"}',
		'NUL in a value': '{"label":"a\\u0000b"}',
		'NUL in a name': '{"la\\u0000bel":"x"}',
		'a raw NUL': '{"label":"a\0b"}',
		'a raw line end': '{"label":"a\nb"}',
		'half a surrogate pair': '{"label":"\\ud800"}',
		'surrogates in the wrong order': '{"label":"\\udc00\\ud800"}',
		'bytes that are no UTF-8': Buffer.from('{"label":"\xff"}', 'latin1'),
		'an overlong encoding': Buffer.from('{"label":"\xc0\xaf"}', 'latin1'),
		'a byte order mark': '\ufeff{"label":"x"}',
		'single quotes': "{'label':'x'}",
		'a comment': '{"label":"x" /* y */}',
		'a comma too many': '{"label":"x",}',
		'a name without quotes': '{label:"x"}',
		'NaN': '{"label":NaN}',
		'a number out of range': '{"label":1e999}',
		'an integer out of range': '{"label":99999999999999999999}',
		'a hexadecimal number': '{"start":0x1}',
		'a leading zero': '{"start":01}',
		'too deep': nested(40),
		'far too deep': '['.repeat(60000),
		'true as a string': '{"start":"true"}',
		'true as a number': '{"start":1}',
		'null for true or false': '{"start":null}',
		'a label of nothing': '{"label":""}',
		'a label of blanks': '{"label":"   "}',
		'a label that is too long': `{"label":"${'x'.repeat(101)}"}`,
		'a label with a control character': '{"label":"a\\u0007b"}',
		'a label that is a number': '{"label":7}',
		'an unknown member': '{"label":"x","orgId":"x"}',
		'the prototype': '{"__proto__":{"label":"x"}}',
		'a connector with a strange name': '{"connector":"../x"}',
	};

	for (const [what, body] of Object.entries(wrong))
	{
		const answer = await client.request('POST', SESSIONS, { key, body, headers: { 'Content-Type': 'application/json' } });

		assert.equal(answer.status, 400, what);
		assert.equal(answer.json.error.code, 'validation_error', what);
		assert.equal(Object.keys(answer.json.error.details ?? {}).length, 1, `${what}: ${answer.text}`);
	}
	assert.equal(await sessions(), before);
});

test('JSON that is unusual but right is taken as it is', async () =>
{
	const labels = { '"ñ 漢 🙂"': 'ñ 漢 🙂', '"\\ud83d\\ude42"': '🙂', '"a\\"b\\\\c\\/d"': 'a"b\\c/d', '"<script>\'--;"': "<script>'--;", '"  x  "': 'x' };

	for (const [literal, label] of Object.entries(labels))
	{
		const answer = await client.request('POST', SESSIONS,
			{ key, body: ` \t\r\n{ "label" : ${literal} , "start":false} \n`, headers: { 'Content-Type': 'application/json' } });

		assert.equal(answer.status, 201, literal);
		assert.equal(answer.json.label, label);
		assert.equal((await client.get(`${SESSIONS}/${answer.json.id}`, key)).json.label, label);
	}
});

test('a client that waits for a word before it sends its body gets one', async () =>
{
	const connection = await Connection.open(gateway.port);

	connection.send(`POST ${SESSIONS} HTTP/1.1\r\nHost: x\r\nx-api-key: ${key}\r\nContent-Type: application/json\r\n` +
		'Content-Length: 2\r\nExpect: 100-continue\r\n\r\n');
	assert.equal((await connection.answer()).status, 100);
	connection.send('{}');
	assert.equal((await connection.answer()).status, 201);
	connection.close();
});

/* ---- headers of answers ---- */

test('a request id that is sane comes back, any other is replaced', async () =>
{
	const ask = async (id) => (await client.request('GET', '/healthz', { headers: { 'X-Request-Id': id } })).headers['x-request-id'];
	const made = (await client.get('/healthz')).headers['x-request-id'];

	assert.match(made, /^[0-9a-f]{32}$/);
	assert.notEqual((await client.get('/healthz')).headers['x-request-id'], made);
	for (const id of ['a', 'req-1', '0190a7e2-7b3c-7def-8123-456789abcdef', 'a.b:c_d/e+f=@', 'x'.repeat(128)])
		assert.equal(await ask(id), id);
	for (const id of ['', ' ', 'a b', 'x'.repeat(129), 'a"b', '<script>', 'a;b', 'a,b', 'é', 'a\tb', 'a%0d%0ab'])
		assert.match(await ask(id), /^[0-9a-f]{32}$/, JSON.stringify(id));

	const connection = await Connection.open(gateway.port);

	connection.send('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: one\r\nX-Request-Id: two\r\n\r\n');
	assert.match((await connection.answer()).headers['x-request-id'], /^[0-9a-f]{32}$/);
	connection.close();
});

test('every answer may not be stored, and allows no other site anything', async () =>
{
	const answers = [
		await client.get('/healthz'), await client.get(ME, key), await client.get(ME), await client.get('/nowhere'),
		await client.post(SESSIONS, key, { start: false }), await client.post(SESSIONS, key, { start: 1 }), await client.request('DELETE', ME, { key }),
		await client.request('OPTIONS', SESSIONS, { headers: { Origin: 'https://evil.test', 'Access-Control-Request-Method': 'POST' } }),
		await client.request('GET', SESSIONS, { key, headers: { Origin: 'https://evil.test' } }),
	];

	for (const answer of answers)
	{
		assert.equal(answer.headers['cache-control'], 'no-store');
		assert.ok(answer.headers['x-request-id']);
		if (answer.status !== 204)
			assert.match(answer.headers['content-type'], /^application\/json/);
		assert.ok(!Object.keys(answer.headers).some((name) => name.startsWith('access-control-')));
		assert.equal(answer.headers['set-cookie'], undefined);
		assert.equal(answer.headers.server, undefined);
	}
});

test('absent is left out of an answer, never null, and times are milliseconds', async () =>
{
	const answer = (await client.post(SESSIONS, key, { start: false })).json;

	assert.ok(!Object.values(answer).includes(null));
	assert.equal(answer.label, undefined);
	assert.equal(answer.status, 'stopped');
	assert.ok(Number.isSafeInteger(answer.createdAt));
	assert.ok(Math.abs(answer.createdAt - Number(await db.value('SELECT extract(epoch FROM now()) * 1000'))) < 60000);
});

test('the access log has one line for each request, with who it was and never more of a key than its id', async () =>
{
	const id = 'to-be-found-in-the-log';

	await client.request('GET', SESSIONS, { key, headers: { 'X-Request-Id': id } });

	const [line] = await until('the line is there', () =>
	{
		const lines = gateway.events('request').filter((each) => each.includes(` request_id=${id} `));

		return lines.length === 1 && lines;
	});

	assert.match(line, / method=GET route=\/api\/v1\/sessions status=200 bytes=[0-9]+ /);
	assert.ok(line.includes(` key_id=${tenant.key.id} `));
	assert.ok(!gateway.log().includes(key.slice(8)));
});

/* ---- requests that never end ---- */

test('requests that are not complete hold no database connection, however many they are', async () =>
{
	const small = await Gateway.start(cluster, { args: ['--db-connections', '1', '--db-queue', '1'] });
	const open = [];

	for (let i = 0; i < 60; i++)
	{
		const connection = await Connection.open(small.port);

		connection.send(`POST ${SESSIONS} HTTP/1.1\r\nHost: x\r\nx-api-key: ${key}\r\nContent-Type: application/json\r\n`);
		if (i % 3 > 0)
			connection.send('Content-Length: 20\r\n\r\n{"label":');
		open.push(connection);
	}
	for (let i = 0; i < 20; i++)
		assert.equal((await small.client.get(SESSIONS, key)).status, 200);
	/* those of the other lanes may still be preparing their statements */
	await until('no database connection is in use', async () =>
		await db.value("SELECT count(*) FROM pg_stat_activity WHERE usename = 'wa_gateway_login' AND state <> 'idle'") === '0');
	for (const connection of open)
	{
		assert.equal(connection.over, false);
		connection.close();
	}
	await small.stop();
});

test('a body that nobody asked for harms nothing, with a credential or without', async () =>
{
	for (const path of ['/', '/web/x', '/web/x/y', '/healthz', '/readyz', '/api/v1/openapi.json', '/api/v1/realtime', ME, '/auth/me'])
		for (const credential of ['', `x-api-key: ${key}\r\n`])
		{
			const [{ status }] = await exchangeUntilClose(gateway.port,
				`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n${credential}\r\n{}`);

			assert.ok(status < 500, `${path} ${status}`);
			assert.equal((await client.get('/healthz')).status, 200, path);
		}
});

test('what is refused for itself is refused without the database', async () =>
{
	const lonely = await Gateway.start(cluster);
	const damaged = key.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
	const refusals = () => Promise.all([
		lonely.client.get(ME), lonely.client.get(ME, 'wa_x'), lonely.client.get(ME, damaged), lonely.client.get(`${ME}?api_key=${key}`),
		lonely.client.request('GET', ME, { key, bearer: key }), lonely.client.get('/nowhere', key), lonely.client.request('DELETE', ME, { key }),
		lonely.client.request('POST', SESSIONS, { key, body: 'x'.repeat((1 << 20) + 1) }), lonely.client.get('/healthz', key),
	]).then((answers) => answers.map((answer) => answer.status));
	const expected = [401, 401, 401, 400, 400, 404, 405, 413, 200];

	assert.deepEqual(await refusals(), expected);
	await db.close();
	cluster.stop();
	assert.deepEqual(await refusals(), expected);
	assert.equal((await lonely.client.get(ME, key)).status, 503);
});
