/*
 * dashboard.test.mjs
 *		The dashboard's files: from a fixed table, with a strict policy, and nothing else.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import zlib from 'node:zlib';
import { prepareCluster } from './harness/cluster.mjs';
import { Connection } from './harness/http.mjs';
import { ROOT } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';

const WEB = path.join(ROOT, 'gateway/web');

let gateway;

before(async () =>
{
	gateway = await Gateway.start(prepareCluster());
});

/* Past the client that holds answers against the OpenAPI document, which does not have these. */
async function ask(target, { method = 'GET', headers = {} } = {})
{
	const connection = await Connection.open(gateway.port);
	const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);

	connection.heads.push(method === 'HEAD');
	connection.send(`${method} ${target} HTTP/1.1\r\nHost: gateway.test\r\n${lines.join('')}\r\n`);

	const answer = await connection.answer();

	connection.close();
	return answer;
}

const files = fs.readdirSync(WEB, { recursive: true }).filter((name) => /\.(js|css|svg)$/.test(name));

test('the page runs nothing but our own files, is framed by nobody and kept by nobody', async () =>
{
	const { status, headers, text } = await ask('/');

	assert.equal(status, 200);
	assert.equal(text, fs.readFileSync(path.join(WEB, 'index.html'), 'utf8'));
	assert.equal(headers['content-type'], 'text/html; charset=utf-8');
	assert.equal(headers['cache-control'], 'no-store');
	assert.equal(headers['x-content-type-options'], 'nosniff');
	assert.equal(headers['x-frame-options'], 'DENY');
	assert.equal(headers['referrer-policy'], 'no-referrer');

	const policy = Object.fromEntries(headers['content-security-policy'].split('; ').map((part) => [part.split(' ')[0], part.split(' ').slice(1).join(' ')]));

	assert.equal(policy['default-src'], "'none'");
	assert.equal(policy['script-src'], "'self'");
	assert.equal(policy['style-src'], "'self'");
	assert.equal(policy['connect-src'], "'self'");
	assert.equal(policy['frame-ancestors'], "'none'");
	assert.equal(policy['base-uri'], "'none'");
	assert.equal(policy['form-action'], "'none'");
	assert.doesNotMatch(headers['content-security-policy'], /unsafe|http|\*/);
	assert.doesNotMatch(text, /<script(?![^>]* src=)|<style|\son[a-z]+=|\sstyle=|https?:\/\/(?!www\.w3\.org)/i);
});

test('every file is served as it is, plain and compressed, and asked for again by its ETag', async () =>
{
	const TYPES = { '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' };

	for (const name of files)
	{
		const content = fs.readFileSync(path.join(WEB, name));
		const plain = await ask(`/web/${name}`);
		const packed = await ask(`/web/${name}`, { headers: { 'Accept-Encoding': 'gzip, deflate, br' } });
		const again = await ask(`/web/${name}`, { headers: { 'If-None-Match': plain.headers.etag } });

		assert.equal(plain.status, 200, name);
		assert.deepEqual(plain.body, content, name);
		assert.equal(plain.headers['content-type'], TYPES[path.extname(name)], name);
		assert.equal(plain.headers['cache-control'], 'no-cache');
		assert.match(plain.headers['content-security-policy'], /default-src 'none'/);
		assert.equal(packed.headers['content-encoding'], 'gzip');
		assert.notEqual(packed.headers.etag, plain.headers.etag);
		assert.deepEqual(zlib.gunzipSync(packed.body), content, name);
		assert.equal(again.status, 304, name);
		assert.equal(again.body.length, 0);
		assert.equal((await ask(`/web/${name}`, { headers: { 'If-None-Match': '"other"' } })).status, 200);
		assert.equal((await ask(`/web/${name}`, { headers: { 'Accept-Encoding': 'gzip;q=0' } })).headers['content-encoding'], undefined);
	}
});

test('nothing else is there, whatever the path says', async () =>
{
	for (const target of ['/web/', '/web', '/web/nothing.js', '/web/../main.c', '/web/%2e%2e/main.c', '/web/..%2fmain.c', '/web/%2fetc%2fpasswd',
		'/web/vendor/../../main.c', '/web/vendor/..%2f..%2fmain.c', '/web/vendor/', '/web/index.html/', '//', '/index.html', '/web/index.html', '/web/vendor/package.json',
		'/web/.%00.js', `/web/${'a'.repeat(5000)}`])
	{
		const { status, headers } = await ask(target);

		assert.ok(status === 404 || status === 400, `${target}: ${status}`);
		assert.match(headers['content-type'], /^application\/json/);
	}
	assert.equal((await ask('/', { method: 'POST', headers: { 'Content-Length': '0' } })).headers.allow, 'GET, HEAD, OPTIONS');
});

test('HEAD answers like GET, without the body', async () =>
{
	for (const target of ['/', ...files.slice(0, 1).map((name) => `/web/${name}`)])
	{
		const head = await ask(target, { method: 'HEAD' });

		assert.equal(head.status, 200);
		assert.equal(head.body.length, 0);
		assert.equal(head.headers['content-length'], (await ask(target)).headers['content-length']);
	}
});
