/*
 * key_addresses.test.mjs
 *		Keys that are accepted from some addresses only: over HTTP, behind a proxy, and for
 *		sockets.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { tokenOf } from './harness/people.mjs';
import { until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { Socket, openRefused } from './harness/socket.mjs';
import { createOrg, createPerson } from './harness/tenants.mjs';

const ME = '/api/v1/me';
const REFUSED = { error: { code: 'forbidden', message: 'this key cannot be used from this address' } };

let cluster, db, gateway, proxied;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	gateway = await Gateway.start(cluster);
	proxied = await Gateway.start(cluster, { args: ['--trusted-proxy', '127.0.0.0/8'] });
});

async function keysOf(name)
{
	const org = await createOrg(db, name);
	const bearer = await tokenOf(gateway.client, await createPerson(db, { org }));
	const call = (method, path, json) => gateway.client.request(method, `/api/v1/api-keys${path}`, { bearer, json });
	const make = async (addresses, permissions = ['read', 'events']) => (await call('POST', '', { name: `${name} ${addresses}`, permissions, addresses })).json;

	return { call, make };
}

const ask = (key, address, path = ME) => proxied.client.request('GET', path, { key, headers: { 'X-Forwarded-For': address } });

test('a key is accepted from the addresses of its list, and refused with a 403 that says why from others', async () =>
{
	const { make, call } = await keysOf('Lists');
	const key = await make(['203.0.113.0/24', '2001:db8::/32', '198.51.100.7']);

	assert.deepEqual(key.addresses, ['203.0.113.0/24', '2001:db8::/32', '198.51.100.7/32']);
	assert.deepEqual((await call('GET', '')).json.data[0].addresses, key.addresses);
	for (const address of ['203.0.113.1', '203.0.113.255', '2001:db8:ffff::1', '198.51.100.7', '::ffff:203.0.113.1', '192.0.2.1, 203.0.113.1'])
		assert.equal((await ask(key.key, address)).status, 200, address);
	for (const address of ['203.0.112.255', '2001:db9::', '198.51.100.8', '::ffff:198.51.100.8', 'unknown', '203.0.113.1, 192.0.2.1'])
	{
		const answer = await ask(key.key, address);

		assert.deepEqual([answer.status, answer.json], [403, REFUSED], address);
		assert.equal(answer.headers['www-authenticate'], undefined);
	}
	// The address comes before the permission, and a key that is unknown or revoked gets the usual answer.
	assert.deepEqual((await proxied.client.request('POST', '/api/v1/sessions', { key: key.key, json: {}, headers: { 'X-Forwarded-For': '192.0.2.1' } })).json, REFUSED);
	assert.equal((await ask(`${key.key.slice(0, -1)}${key.key.endsWith('a') ? 'b' : 'a'}`, '203.0.113.1')).status, 401);
	assert.equal((await call('DELETE', `/${key.id}`)).status, 204);
	assert.equal((await ask(key.key, '192.0.2.1')).status, 401);
});

test('what a client says of its own address counts for nothing without a trusted proxy', async () =>
{
	const { make } = await keysOf('Claims');
	const far = await make(['203.0.113.0/24']);
	const near = await make(['127.0.0.0/8', '::1']);
	const headers = { 'X-Forwarded-For': '203.0.113.1', Forwarded: 'for=203.0.113.1', 'X-Real-IP': '203.0.113.1' };

	assert.deepEqual((await gateway.client.request('GET', ME, { key: far.key, headers })).json, REFUSED);
	assert.equal((await gateway.client.request('GET', ME, { key: near.key, headers })).status, 200);
	assert.deepEqual((await proxied.client.request('GET', ME, { key: near.key, headers })).json, REFUSED);
});

test('the list is changed and taken away, from the very next request on', async () =>
{
	const { make, call } = await keysOf('Changes');
	const key = await make(undefined);
	const change = async (addresses) => await call('PATCH', `/${key.id}`, { addresses });
	const statuses = async () => [(await ask(key.key, '203.0.113.1')).status, (await ask(key.key, '198.51.100.1')).status];

	assert.equal(key.addresses, undefined);
	for (let i = 0; i < 3; i++)
	{
		assert.deepEqual(await statuses(), [200, 200]);
		assert.deepEqual((await change(['203.0.113.1'])).json.addresses, ['203.0.113.1/32']);
		assert.deepEqual(await statuses(), [200, 403]);
		assert.deepEqual((await change(['198.51.100.0/24'])).json.addresses, ['198.51.100.0/24']);
		assert.deepEqual(await statuses(), [403, 200]);
		assert.deepEqual((await call('PATCH', `/${key.id}`, { name: `named ${i}` })).json.addresses, ['198.51.100.0/24']);
		assert.equal((await change(null)).json.addresses, undefined);
	}
	await change(['203.0.113.1']);

	const rotated = (await call('POST', `/${key.id}/rotate`, {})).json;

	assert.deepEqual(rotated.addresses, ['203.0.113.1/32']);
	assert.deepEqual([(await ask(rotated.key, '203.0.113.1')).status, (await ask(rotated.key, '198.51.100.1')).status], [200, 403]);
});

test('a wrong element is named', async () =>
{
	const { make, call } = await keysOf('Problems');
	const key = await make(['203.0.113.0/24']);

	for (const [addresses, problem] of [
		[['10.0.0.0/8', '10.0.0.1/8'], 'addresses[1] is an address in the network 10.0.0.0/8: write that, or the address without its length'],
		[['example.org'], 'addresses[0] must be an IPv4 or IPv6 address, or a network such as 203.0.113.0/24'],
		[['10.0.0.1', '::ffff:10.0.0.1'], 'addresses[1] must be written as IPv4'],
		[['10.0.0.1', 5], 'addresses[1] must be a string'],
		[[''], 'addresses[0] must have 1 to 64 characters'],
		[[], 'addresses must be a list of 1 to 32 addresses and networks'],
		['10.0.0.1', 'must be an array of strings'],
		[Array.from({ length: 33 }, (_, i) => `10.0.0.${i}`), 'must have at most 32 elements'],
	])
	{
		for (const answer of [await call('POST', '', { name: 'wrong', permissions: ['read'], addresses }), await call('PATCH', `/${key.id}`, { addresses })])
		{
			assert.equal(answer.status, 400, problem);
			assert.equal(`${answer.json.error.details.addresses}`.replace(/^must be a list/, 'addresses must be a list'), problem);
		}
	}
	assert.equal((await call('POST', '', { name: 'null', permissions: ['read'], addresses: null })).status, 400);
	assert.deepEqual((await call('GET', '')).json.data.map(({ addresses }) => addresses), [['203.0.113.0/24']]);
});

test('a socket opens from the right address only, by key and by ticket, and closes when the list changes', async () =>
{
	const { make, call } = await keysOf('Sockets');
	const key = await make(['203.0.113.0/24', '198.51.100.1']);
	const headers = (address) => ({ 'X-Forwarded-For': address });
	const open = (options, address) => Socket.open(proxied, { ...options, headers: headers(address) });
	const ticket = async () => (await proxied.client.request('POST', '/api/v1/realtime/ticket', { key: key.key, json: {}, headers: headers('203.0.113.1') })).json.ticket;

	for (const credential of [{ key: key.key }, { ticket: await ticket() }])
	{
		const refused = await openRefused(proxied, { ...credential, headers: headers('192.0.2.1') });

		assert.deepEqual([refused.status, refused.json], [403, REFUSED]);
	}

	const sockets = [await open({ key: key.key }, '203.0.113.1'), await open({ ticket: await ticket() }, '198.51.100.1')];

	// One of the two would still be allowed: it opens again.
	await call('PATCH', `/${key.id}`, { addresses: ['198.51.100.1'] });
	for (const socket of sockets)
		assert.equal((await socket.closed).code, 4401);
	await open({ key: key.key }, '198.51.100.1');
	assert.equal((await openRefused(proxied, { key: key.key, headers: headers('203.0.113.1') })).status, 403);
	await until('the others are given back', async () =>
		await db.value("SELECT count(*) FROM wa.realtime r WHERE r.key_id = wa.from_typeid('key', $1)", [key.id]) === '1');
});

test('a refusal is in the access log, without the key', async () =>
{
	const { make } = await keysOf('Log');
	const key = await make(['203.0.113.0/24']);
	const answer = await ask(key.key, '192.0.2.1');
	const id = answer.headers['x-request-id'];
	const line = await until('the line', () => proxied.events('request').find((each) => each.includes(`request_id=${id}`)));

	assert.match(line, /status=403 .*denied=address/);
	assert.ok(!proxied.log().includes(key.key));
});
