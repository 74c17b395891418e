/*
 * delivery_guard.test.mjs
 *		A webhook leads nowhere inside: not by its address, its name, a redirect or a proxy.
 *
 * Every refusal has its control: the same target gets its delivery from a worker whose
 * operator allows it.  The name server is the test's own, so that names can lie.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { before, beforeEach, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { makePlace, until } from './harness/processes.mjs';
import { Gateway, Worker } from './harness/programs.mjs';
import { NameServer, Receiver } from './harness/receiver.mjs';
import { createKey, createOrg } from './harness/tenants.mjs';

const WEBHOOKS = '/api/v1/webhooks';

let cluster, db, client, org, key, names, records;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	client = (await Gateway.start(cluster)).client;
	names = await NameServer.start((name, n) => records[name]?.(n) ?? null);
});

beforeEach(async () =>
{
	await db.sql('UPDATE wa.webhook SET active = false');
	org = await createOrg(db, 'Acme');
	key = (await createKey(db, org)).secret;
	records = {};
});

/* A webhook to a URL that the API itself may refuse, and one test delivery. */
async function tryUrl(url)
{
	const id = await db.value(`
		INSERT INTO wa.webhook (org_id, url, secret, events) VALUES ($1, $2, 'a-secret-for-the-guard', '{}')
		RETURNING wa.typeid('wh', id)`, [org.uuid, url]);

	assert.equal((await client.post(`${WEBHOOKS}/${id}/test`, key)).status, 202);
	return until(`a result of ${url}`, async () =>
	{
		const [delivery] = (await client.get(`${WEBHOOKS}/${id}/deliveries`, key)).json.data;

		return ['delivered', 'dead'].includes(delivery.status) && delivery;
	});
}

async function withWorker(options, use)
{
	const worker = await Worker.start(cluster, { ...options, args: ['--resolver', names.address, '--timeout', '10000', ...(options.args ?? [])] });

	try
	{
		return await use(worker);
	}
	finally
	{
		await worker.stop();
	}
}

const refused = (delivery, url) =>
{
	assert.equal(delivery.status, 'dead', url);
	assert.match(delivery.error, /not allowed|no address that is allowed|the host is no|the port belongs/, url);
};

test('addresses of the inside get nothing, however they are written', async () =>
{
	const receiver = await Receiver.start();
	const receiver6 = await Receiver.start({ host: '::1' });
	const { port } = receiver;
	const urls = [
		`http://127.0.0.1:${port}/`, `http://127.255.255.254:${port}/`, `http://0.0.0.0:${port}/`, `http://0:${port}/`,
		`http://127.1:${port}/`, `http://2130706433:${port}/`, `http://0x7f000001:${port}/`, `http://0177.0.0.1:${port}/`,
		`http://0x7f.0.0.1:${port}/`, `http://[::ffff:127.0.0.1]:${port}/`, `http://[::ffff:7f00:1]:${port}/`,
		`http://[64:ff9b::127.0.0.1]:${port}/`, `http://[64:ff9b:1::7f00:1]:${port}/`, `http://[2002:7f00:1::]:${port}/`, `http://[::127.0.0.1]:${port}/`,
		`http://[::1]:${receiver6.port}/`, `http://[::]:${receiver6.port}/`, 'http://169.254.169.254/latest/meta-data/',
		'http://[fd00:ec2::254]/', 'http://10.0.0.1/', 'http://192.168.0.1/', 'http://100.100.100.200/', 'http://168.63.129.16/',
		'http://[fe80::1]/', 'http://224.0.0.1/', 'http://255.255.255.255/', 'http://198.18.0.1/', 'http://192.0.2.1/',
	];

	await withWorker({ allow: [] }, async (worker) =>
	{
		for (const url of urls)
			refused(await tryUrl(url), url);
		assert.match(worker.log(), /event=egress_refused host=127\.0\.0\.1 kind=loopback/);
	});
	assert.deepEqual([receiver.requests, receiver6.requests], [[], []]);
	await withWorker({ allow: ['127.0.0.1', '::1'] }, async () =>
	{
		assert.equal((await tryUrl(`http://127.0.0.1:${port}/`)).status, 'delivered');
		assert.equal((await tryUrl(`http://[::1]:${receiver6.port}/`)).status, 'delivered');
		refused(await tryUrl(`http://2130706433:${port}/`));
		refused(await tryUrl(`http://[::ffff:127.0.0.1]:${port}/`));
		refused(await tryUrl('http://127.0.0.1:25/'));
	});
	assert.deepEqual([receiver.requests.length, receiver6.requests.length], [1, 1]);
});

test('user information does not change where a URL leads', async () =>
{
	const receiver = await Receiver.start();

	await withWorker({}, async () =>
	{
		for (const url of [`http://user:secret@127.0.0.1:${receiver.port}/`, `http://93.184.215.14@127.0.0.1:${receiver.port}/`])
		{
			const delivery = await tryUrl(url);

			assert.equal(delivery.status, 'dead');
			assert.match(delivery.error, /a user does not belong into it/);
		}
	});
	assert.deepEqual(receiver.requests, []);
});

test('a name leads where its addresses are, all of them', async () =>
{
	const receiver = await Receiver.start();
	const url = (name) => `http://${name}:${receiver.port}/`;

	records = {
		'inside.example': () => ['127.0.0.1'],
		'both.example': () => ['127.0.0.1', '10.0.0.1'],
		'mapped.example': () => ['127.0.0.1', '::ffff:7f00:1'],
		'six.example': () => ['::1'],
	};
	await withWorker({ allow: [] }, async () =>
	{
		for (const name of Object.keys(records))
			refused(await tryUrl(url(name)), name);
		/* one that there is not is told in the same words, or names could be asked after */
		refused(await tryUrl(url('unknown.example')));
		refused(await tryUrl(url('localhost')));
	});
	assert.deepEqual(receiver.requests, []);
	await withWorker({ allow: ['127.0.0.1'] }, async () =>
	{
		assert.equal((await tryUrl(url('inside.example'))).status, 'delivered');
		refused(await tryUrl(url('both.example')));
		refused(await tryUrl(url('mapped.example')));
	});
	assert.equal(receiver.requests.length, 1);
	assert.equal(receiver.requests[0].headers.host, `inside.example:${receiver.port}`);
});

/*
 * The name server says a good address to whoever checks and a bad one to whoever asks again.
 * 127.0.0.1 plays the good one, 127.0.0.2 the inside; both are listened on.
 */
test('a name that changes its address between check and connection gains nothing', async () =>
{
	const good = await Receiver.start();
	const inside = await Receiver.start({ host: '127.0.0.2', port: good.port });

	records = {
		'rebinding.example': (n) => [n % 2 === 0 ? '127.0.0.1' : '127.0.0.2'],
		'steady.example': () => ['127.0.0.2'],
	};
	await withWorker({ allow: ['127.0.0.1'] }, async () =>
	{
		for (let i = 0; i < 6; i++)
		{
			const delivery = await tryUrl(`http://rebinding.example:${good.port}/`);

			/* one question an attempt, and what it says is what counts */
			assert.equal(names.asked.get('rebinding.example'), i + 1);
			if (i % 2 === 0)
				assert.equal(delivery.status, 'delivered');
			else
				refused(delivery);
		}
	});
	assert.equal(good.requests.length, 3);
	assert.deepEqual(inside.requests, []);
	await withWorker({ allow: ['127.0.0.0/8'] }, async () =>
		assert.equal((await tryUrl(`http://steady.example:${good.port}/`)).status, 'delivered'));
	assert.equal(inside.requests.length, 1);
});

test('redirects are not followed', async () =>
{
	const inside = await Receiver.start();

	await withWorker({}, async () =>
	{
		for (const status of [301, 302, 303, 307, 308])
		{
			const receiver = await Receiver.start({ answer: (request, response) => response.writeHead(status, { Location: inside.url }).end() });
			const delivery = await tryUrl(receiver.url);

			assert.equal(delivery.status, 'dead');
			assert.equal(delivery.statusCode, status);
		}
	});
	assert.deepEqual(inside.requests, []);
});

test('proxies, netrc and cookies of the environment are not used', async () =>
{
	const receiver = await Receiver.start({ answer: (request, response) => response.writeHead(200, { 'Set-Cookie': 'a=b' }).end() });
	const proxy = await Receiver.start();
	const home = makePlace();
	const proxies = Object.fromEntries(['http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']
		.map((name) => [name, `http://127.0.0.1:${proxy.port}`]));

	fs.writeFileSync(path.join(home, '.netrc'), 'machine 127.0.0.1 login somebody password secret\n');
	await withWorker({ env: { ...proxies, HOME: home } }, async () =>
	{
		assert.equal((await tryUrl(receiver.url)).status, 'delivered');
		assert.equal((await tryUrl(receiver.url)).status, 'delivered');
	});
	assert.deepEqual(proxy.requests, []);
	assert.ok(receiver.requests.every(({ headers }) => !headers.authorization && !headers.cookie));
});

test('a certificate has to be good, and for that name', async () =>
{
	const place = makePlace();
	const file = (name) => path.join(place, name);

	execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=receiver.example',
		'-addext', 'subjectAltName=DNS:receiver.example', '-keyout', file('key'), '-out', file('cert')], { stdio: 'ignore' });
	const receiver = await Receiver.start({ tls: { key: fs.readFileSync(file('key')), cert: fs.readFileSync(file('cert')) } });

	records = { 'receiver.example': () => ['127.0.0.1'], 'other.example': () => ['127.0.0.1'] };
	await withWorker({}, async () =>
		assert.match((await tryUrl(`https://receiver.example:${receiver.port}/`)).error, /certificate/));
	assert.deepEqual(receiver.requests, []);
	await withWorker({ args: ['--ca-file', file('cert')] }, async () =>
	{
		assert.equal((await tryUrl(`https://receiver.example:${receiver.port}/`)).status, 'delivered');
		assert.match((await tryUrl(`https://other.example:${receiver.port}/`)).error, /certificate/);
	});
	assert.equal(receiver.requests.length, 1);
});

test('an answer without end costs no more than its bound', async () =>
{
	const endless = await Receiver.start({
		answer: (request, response) =>
		{
			const more = () => { while (!response.destroyed && response.write('x'.repeat(65536))); };

			response.on('drain', more).on('error', () => {});
			more();
		},
	});
	const heads = await Receiver.start({ answer: (request, response) => response.socket.write('HTTP/1.1 200 OK\r\n' + `X-A: ${'x'.repeat(1000)}\r\n`.repeat(1000)) });
	const drip = await Receiver.start({
		answer: (request, response) =>
		{
			response.socket.write('HTTP/1.1 200 OK\r\n');
			const timer = setInterval(() => response.socket?.write('X-A: b\r\n'), 50);

			response.socket.on('close', () => clearInterval(timer)).on('error', () => {});
		},
	});

	await withWorker({}, async () =>
	{
		assert.equal((await tryUrl(endless.url)).status, 'delivered');
		assert.match((await tryUrl(heads.url)).error, /head is too large/);
		assert.match((await tryUrl(drip.url)).error, /in time/);
	});
});

test('an address that is spelled out is refused when the webhook is made', async () =>
{
	const bad = ['http://127.0.0.1/', 'http://10.1.2.3:8080/x', 'http://[::1]/', 'http://[::ffff:127.0.0.1]/', 'http://169.254.169.254/',
		'http://2130706433/', 'http://0x7f.1/', 'http://127.1/', 'http://0177.0.0.1/', 'http://1.2.3.256/', 'http://[fe80::1]/', 'http://[1.2.3.4]/'];
	const good = ['http://93.184.215.14/', 'https://[2606:4700::1111]:8443/x', 'https://receiver.example/', 'https://1.example/', 'http://localhost.example/'];

	for (const url of bad)
	{
		const { status, json } = await client.post(WEBHOOKS, key, { url });

		assert.equal(status, 400, url);
		assert.match(json.error.details.url, /^(must not lead to an address|cannot be used: the host is no)/, url);
	}
	for (const url of good)
		assert.equal((await client.post(WEBHOOKS, key, { url })).status, 201, url);

	const made = (await client.post(WEBHOOKS, key, { url: good[0] })).json;

	assert.equal((await client.request('PATCH', `${WEBHOOKS}/${made.id}`, { key, json: { url: bad[0] } })).status, 400);
	cluster.configure(["wa.allowed_targets = '127.0.0.1, 10.1.0.0/16'"]);
	await db.sql('SELECT pg_reload_conf()');
	await until('127.0.0.1 is allowed', async () => (await client.post(WEBHOOKS, key, { url: bad[0] })).status === 201);
	assert.equal((await client.post(WEBHOOKS, key, { url: bad[1] })).status, 201);
	assert.equal((await client.post(WEBHOOKS, key, { url: bad[2] })).status, 400);
	assert.equal((await client.post(WEBHOOKS, key, { url: 'http://2130706433/' })).status, 400);
});
