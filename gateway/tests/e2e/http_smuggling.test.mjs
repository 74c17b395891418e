/*
 * http_smuggling.test.mjs
 *		Bytes that two readers could read in two ways are refused, and end the connection.
 *
 * Behind each of these requests stands a second one that is good.  It must never be
 * answered: whoever puts it there counts on somebody in front having read it as a part of
 * the first.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Connection, exchangeUntilClose } from './harness/http.mjs';
import { Gateway } from './harness/programs.mjs';
import { createTenant } from './harness/tenants.mjs';

const SECOND = 'GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n';

let port, tenant, db;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	port = (await Gateway.start(cluster)).port;
});

const get = (lines, target = '/healthz') => `GET ${target} HTTP/1.1\r\nHost: x\r\n${lines}\r\n`;
const post = (lines, body = '') => `POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${lines}\r\n${body}`;
const chunked = (body) => post('Transfer-Encoding: chunked\r\n', body);
const first = (line) => `${line}\r\nHost: x\r\n\r\n`;
const host = (lines) => `GET /healthz HTTP/1.1\r\n${lines}\r\n`;

/* Without a credential no body would be read. */
const withKey = (bytes) => (bytes.startsWith('POST') ? bytes.replace('\r\n', `\r\nx-api-key: ${tenant.key.secret}\r\n`) : bytes);

/* [status, { what: bytes }] */
const REFUSED = {
	'two framings': [400, {
		'Content-Length and Transfer-Encoding': post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
		'Transfer-Encoding and Content-Length': post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
		'two lengths that differ': post('Content-Length: 0\r\nContent-Length: 40\r\n'),
		'two lengths that are the same': post('Content-Length: 2\r\nContent-Length: 2\r\n', '{}'),
		'a list of lengths': post('Content-Length: 2, 2\r\n', '{}'),
		'Transfer-Encoding twice': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
		'Transfer-Encoding in a GET with a length': get('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n') + '0\r\n\r\n',
	}],
	'lengths that are no plain number': [400, Object.fromEntries(
		['+2', '-2', '0x2', '2.0', '2 2', '2a', '2;', '"2"', '', ' ', '99999999999999999999', '18446744073709551618', '\xb2', '2\t2', '1e1']
			.map((value) => [`Content-Length: ${JSON.stringify(value)}`, post(`Content-Length: ${value}\r\n`, '{}')]))],
	'encodings that are not exactly chunked': [400, Object.fromEntries(
		['xchunked', 'chunkedx', 'chunked, chunked', 'identity', 'gzip, chunked', 'chunked, identity', 'chunked;q=1', '"chunked"', 'chun ked',
			'', ',chunked', 'chunked,', '\x0bchunked', 'chunked\x0b', 'deflate']
			.map((value) => [`Transfer-Encoding: ${JSON.stringify(value)}`, post(`Transfer-Encoding: ${value}\r\n`, '0\r\n\r\n')]))],
	'field lines': [400, {
		'a space before the colon': post('Content-Length : 2\r\n', '{}'),
		'a tab before the colon': post('Transfer-Encoding\t: chunked\r\n', '0\r\n\r\n'),
		'no colon': get('Nonsense\r\n'),
		'an empty name': get(': value\r\n'),
		'a folded value': get('X-A: a\r\n b\r\n'),
		'a value folded with a tab': get('X-A: a\r\n\tb\r\n'),
		'a folded Transfer-Encoding': post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
		'a space before the first name': host(' Host: x\r\n'),
		'a name with a space': get('X A: b\r\n'),
		'a name in brackets': get('(X): b\r\n'),
		'a name with a control character': get('X\x01: b\r\n'),
		'a name that is not ASCII': get('X-é: b\r\n'),
		'a value with NUL': get('X-A: a\0b\r\n'),
		'a value with a control character': get('X-A: a\x01b\r\n'),
		'a value with DEL': get('X-A: a\x7fb\r\n'),
		'a name with NUL': get('X\0A: b\r\n'),
	}],
	'line ends': [400, {
		'LF behind the request line': 'GET /healthz HTTP/1.1\nHost: x\r\n\r\n',
		'LF behind a field': 'GET /healthz HTTP/1.1\r\nHost: x\n\r\n',
		'LF as the empty line': 'GET /healthz HTTP/1.1\r\nHost: x\r\n\n',
		'LF everywhere': 'GET /healthz HTTP/1.1\nHost: x\n\n',
		'CR in a value': get('X-A: a\rb\r\n'),
		'CR behind a value': get('X-A: a\r\r\n'),
		'CR alone behind the request line': 'GET /healthz HTTP/1.1\rHost: x\r\n\r\n',
		'two empty lines in front': `\r\n\r\n${get('')}`,
		'LF in front': `\n${get('')}`,
		'a space behind the version': 'GET /healthz HTTP/1.1 \r\nHost: x\r\n\r\n',
	}],
	'chunks': [400, {
		'white space before an extension': chunked('2 ;a=b\r\n{}\r\n0\r\n\r\n'),
		'an extension behind a value': chunked('2;a=b;c\r\n{}\r\n0\r\n\r\n'),
		'an extension that ends with LF': chunked('2;a\n{}\r\n0\r\n\r\n'),
		'a line end in a quoted extension': chunked('2;a="\r\n"\r\n{}\r\n0\r\n\r\n'),
		'an extension that is too long': chunked(`2;${'a'.repeat(1100)}\r\n{}\r\n0\r\n\r\n`),
		'an empty extension': chunked('2;\r\n{}\r\n0\r\n\r\n'),
		'a sign': chunked('+2\r\n{}\r\n0\r\n\r\n'),
		'0x': chunked('0x2\r\n{}\r\n0\r\n\r\n'),
		'no size': chunked('\r\n{}\r\n0\r\n\r\n'),
		'a space behind the size': chunked('2 \r\n{}\r\n0\r\n\r\n'),
		'a space in front of the size': chunked(' 2\r\n{}\r\n0\r\n\r\n'),
		'nine digits': chunked('000000002\r\n{}\r\n0\r\n\r\n'),
		'a size beyond 64 bits': chunked('10000000000000002\r\n{}\r\n0\r\n\r\n'),
		'LF behind the size': chunked('2\n{}\r\n0\r\n\r\n'),
		'no line end behind the data': chunked('2\r\n{}0\r\n\r\n'),
		'more data than the size says': chunked('2\r\n{}}\r\n0\r\n\r\n'),
		'LF behind the data': chunked('2\r\n{}\n0\r\n\r\n'),
		'a trailer that is a coding': chunked('2\r\n{}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'),
		'a trailer that is a credential': chunked('2\r\n{}\r\n0\r\nx-api-key: b\r\n\r\n'),
		'a trailer that ends with LF': chunked('2\r\n{}\r\n0\r\nX-A: b\n\r\n'),
		'a trailer that is a length': chunked('2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n'),
		'LF behind the last chunk': chunked('2\r\n{}\r\n0\r\n\n'),
		'no hexadecimal digit': chunked('g\r\n{}\r\n0\r\n\r\n'),
	}],
	'request lines': [400, {
		'two spaces': first('GET  /healthz HTTP/1.1'),
		'a tab': first('GET\t/healthz HTTP/1.1'),
		'no version': first('GET /healthz'),
		'lower-case http': first('GET /healthz http/1.1'),
		'another protocol': first('GET /healthz FTP/1.1'),
		'a space in the target': first('GET /a b HTTP/1.1'),
		'an absolute target of another host': first('GET http://y/healthz HTTP/1.1'),
		'an absolute target with a user': first('GET http://x@x/healthz HTTP/1.1'),
		'an absolute target of another scheme': first('GET ftp://x/healthz HTTP/1.1'),
		'a target without a slash': first('GET healthz HTTP/1.1'),
		'an asterisk': first('GET * HTTP/1.1'),
		'a fragment': first('GET /healthz#a HTTP/1.1'),
		'a backslash': first('GET /a\\b HTTP/1.1'),
		'a target that is not ASCII': first('GET /é HTTP/1.1'),
		'NUL in the target': first('GET /a\0b HTTP/1.1'),
		'a control character in the target': first('GET /a\x01 HTTP/1.1'),
		'a quotation mark in the target': first('GET /a"b HTTP/1.1'),
	}],
	'hosts': [400, {
		'none': host(''),
		'two': host('Host: x\r\nHost: y\r\n'),
		'the same twice': host('Host: x\r\nHost: x\r\n'),
		'empty': host('Host:\r\n'),
		'a list': host('Host: x, y\r\n'),
		'with a space': host('Host: x y\r\n'),
		'with a person': host('Host: user@x\r\n'),
		'with a path': host('Host: x/y\r\n'),
		'with a port that is no number': host('Host: x:port\r\n'),
		'with a port and no name': host('Host: :80\r\n'),
		'too long': host(`Host: ${'x'.repeat(300)}\r\n`),
	}],
	'other versions': [505, {
		'HTTP/1.0': first('GET /healthz HTTP/1.0'),
		'HTTP/1.0 that would be kept alive': 'GET /healthz HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n',
		'HTTP/2.0': first('GET /healthz HTTP/2.0'),
		'HTTP/1.2': first('GET /healthz HTTP/1.2'),
	}],
	'other methods': [501, {
		CONNECT: first('CONNECT x:80 HTTP/1.1'),
		TRACE: first('TRACE /healthz HTTP/1.1'),
		PROPFIND: first('PROPFIND /healthz HTTP/1.1'),
		get: first('get /healthz HTTP/1.1'),
		'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
		'a very long one': first(`${'A'.repeat(1000)} / HTTP/1.1`),
	}],
	'targets that decode to nonsense': [400, {
		'%00 in the path': get('', '/healthz%00'),
		'%00 in the query': get('', '/healthz?a=%00'),
		'half an escape': get('', '/healthz%2'),
		'no escape': get('', '/healthz%zz'),
		'bytes that are no UTF-8': get('', '/%ff%fe'),
		'an overlong slash': get('', '/%c0%af'),
		'a surrogate': get('', '/%ed%a0%80'),
		'a control character': get('', '/%0d%0aX-A:%20b'),
		'dots': get('', '/../healthz'),
		'escaped dots': get('', '/%2e%2E/healthz'),
		'a dot': get('', '/./healthz'),
		'dots within': get('', '/api/v1/../../healthz'),
		'too many segments': get('', '/a'.repeat(17)),
		'too many parameters': get('', `/healthz?${'a=1&'.repeat(65)}`),
	}],
	'too much': [431, {
		'a head of more than 16 KiB': get(`X-A: ${'a'.repeat(17000)}\r\n`),
		'a target of more than 16 KiB': get('', `/${'a'.repeat(17000)}`),
		'a key of a megabyte': get(`x-api-key: wa_${'a'.repeat(1 << 20)}\r\n`),
		'101 fields': get('X-A: b\r\n'.repeat(100)),
	}],
	'bodies that are too large': [413, {
		'by their length': post('Content-Length: 1048577\r\n'),
		'by a length of nearly 64 bits': post('Content-Length: 999999999999999999\r\n'),
		'by the size of a chunk': chunked('100001\r\n'),
		'by many chunks': chunked(`8000\r\n${'a'.repeat(0x8000)}\r\n`.repeat(33)),
	}],
	'expectations': [417, {
		'unknown': post('Expect: miracles\r\nContent-Length: 2\r\n', '{}'),
		'twice': post('Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 2\r\n', '{}'),
	}],
};

for (const [group, [status, requests]] of Object.entries(REFUSED))
{
	test(`${status}, and the connection ends: ${group}`, async () =>
	{
		for (const [what, bytes] of Object.entries(requests))
		{
			const answers = await exchangeUntilClose(port, Buffer.from(withKey(bytes) + SECOND, 'latin1'));

			assert.deepEqual(answers.map((answer) => answer.status), [status], what);
			assert.equal(answers[0].headers.connection, 'close', what);
			assert.deepEqual(Object.keys(answers[0].json.error).slice(0, 2), ['code', 'message'], what);
			assert.equal(answers[0].headers['cache-control'], 'no-store', what);
		}
	});
}

test('nothing of all that reached the database', async () =>
{
	assert.equal(await db.value('SELECT count(*) FROM wa.session'), '1');
});

/* The controls: close to the above, and good. */
test('what is unusual but clear is served, and so is the request behind it', async () =>
{
	const good = {
		'a chunked body': [201, chunked('2\r\n{}\r\n0\r\n\r\n')],
		'several chunks': [201, chunked('1\r\n{\r\n1\r\n}\r\n0\r\n\r\n')],
		'a chunk size in hexadecimal digits with zeros in front': [201, chunked(`0000001d\r\n{"label":"twenty-nine bytes "\r\n1\r\n}\r\n000\r\n\r\n`)],
		'chunked in another case': [201, post('transfer-encoding: Chunked\r\n', '2\r\n{}\r\n0\r\n\r\n')],
		'white space around a length': [201, post('Content-Length:   2  \r\n', '{}')],
		'zeros in front of a length': [201, post('Content-Length: 002\r\n', '{}')],
		'no space behind a colon': [201, post('Content-Length:2\r\n', '{}')],
		'a length of nothing': [201, post('Content-Length: 0\r\n')],
		'no body': [201, post('')],
		'chunk extensions': [201, chunked('1;b;c="d;"\r\n{\r\n1;a\r\n}\r\n0;last\r\n\r\n')],
		'trailer fields': [201, chunked('2\r\n{}\r\n0\r\nX-Checksum: 1\r\nServer-Timing: a\r\n\r\n')],
		'an empty line in front': [200, `\r\n${get('')}`],
		'an empty line behind a body': [201, `${post('Content-Length: 2\r\n', '{}')}\r\n`],
		'an absolute target': [200, first('GET http://x/healthz HTTP/1.1')],
		'an absolute target in capitals': [200, first('GET HTTPS://X/healthz HTTP/1.1')],
		'an asterisk of OPTIONS': [204, first('OPTIONS * HTTP/1.1')],
		'a GET with a body': [200, get('Content-Length: 2\r\n') + '{}'],
		'an empty value': [200, get('X-A:\r\n')],
		'a value that is not ASCII': [200, get('X-A: \xe9\r\n')],
		'a value with quotation marks and tabs': [200, get('X-A: "a\tb" \\ (c)\r\n')],
		'a host with a port': [200, host('Host: gateway.test:8080\r\n')],
		'an IPv6 host': [200, host('Host: [::1]:8080\r\n')],
		'100 fields': [200, get('X-A: b\r\n'.repeat(98))],
		'a head of nearly 16 KiB': [200, get(`X-A: ${'a'.repeat(16000)}\r\n`)],
		'an upgrade that is not offered': [200, get('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n')],
		'a query that has a question mark': [200, get('', '/healthz?a=?b')],
		'an escaped slash within a segment': [404, get('', '/healthz%2Fx')],
		'a slash at the end': [404, get('', '/healthz/')],
		'two slashes': [404, get('', '//healthz')],
		'a path parameter': [404, get('', '/healthz;a=b')],
	};

	for (const [what, [status, bytes]] of Object.entries(good))
	{
		const connection = await Connection.open(port);

		connection.send(Buffer.from(withKey(bytes) + SECOND, 'latin1'));
		assert.equal((await connection.answer())?.status, status, what);
		assert.equal((await connection.answer())?.status, 200, what);
		connection.close();
	}
});

test('requests that come in one piece are answered in their order, and so is one that comes byte by byte', async () =>
{
	const lines = `Host: x\r\nx-api-key: ${tenant.key.secret}\r\n`;
	const requests = ['/healthz', '/api/v1/me', '/nowhere', '/api/v1/sessions', '/healthz'];
	const bytes = requests.map((path) => `GET ${path} HTTP/1.1\r\n${lines}\r\n`).join('');
	const statuses = [200, 200, 404, 200, 200];
	const atOnce = await Connection.open(port);
	const slowly = await Connection.open(port);

	atOnce.send(bytes);
	for (const byte of bytes)
	{
		slowly.send(byte);
		await new Promise(setImmediate);
	}
	for (const connection of [atOnce, slowly])
	{
		for (const status of statuses)
			assert.equal((await connection.answer()).status, status);
	}
});
