/*
 * standby.test.mjs
 *		A database that takes no changes: a standby, and one that is set to read only.
 *
 * Reads are answered, whatever would change something is a 503 that may be tried again, and
 * /readyz says that others should be asked.  When changes are taken again, all is well
 * without a restart.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Standby, prepareCluster } from './harness/cluster.mjs';
import { until } from './harness/processes.mjs';
import { Gateway, Sandbox, Worker } from './harness/programs.mjs';
import { createPerson, createSession, createTenant } from './harness/tenants.mjs';

const SESSIONS = '/api/v1/sessions';

let cluster, db, tenant, person;

before(async () =>
{
	cluster = prepareCluster(['wal_level = replica', 'max_wal_senders = 4', 'hot_standby = on']);
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	person = await createPerson(db, { org: tenant.org });
});

const requests = () => [
	['POST', SESSIONS, { start: false }], ['PATCH', `${SESSIONS}/${tenant.session.id}`, { label: 'x' }],
	['POST', `${SESSIONS}/${tenant.session.id}/messages`, { type: 'text', to: '15551234567', text: 'x' }],
	['DELETE', `${SESSIONS}/${tenant.session.id}`, undefined], ['POST', '/api/v1/realtime/ticket', {}],
];

async function assertReadsOnly(client)
{
	const ready = await client.get('/readyz');

	assert.equal(ready.status, 503);
	assert.match(ready.headers['retry-after'], /^[1-9][0-9]*$/);
	assert.equal((await client.get('/healthz')).status, 200);
	assert.equal((await client.get(SESSIONS, tenant.key.secret)).json.data.length, 1);
	assert.equal((await client.get(SESSIONS)).status, 401);
	for (const [method, path, json] of requests())
	{
		const answer = await client.request(method, path, { key: tenant.key.secret, json });

		assert.equal(answer.status, 503, `${method} ${path}: ${answer.text}`);
		assert.equal(answer.json.error.code, 'unavailable');
		assert.match(answer.headers['retry-after'], /^[1-9][0-9]*$/);
	}
	const signIn = await client.post('/auth/sign-in', undefined, { email: person.email, password: person.password });

	assert.equal(signIn.status, 503, signIn.text);
}

test('a login that is set to read only, and no longer', async () =>
{
	const gateway = await Gateway.start(cluster);
	const { client } = gateway;
	const cut = () => db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'wa_gateway_login'");

	await db.sql('ALTER ROLE wa_gateway_login SET default_transaction_read_only = on');
	await cut();
	await until('it is not ready', async () => (await client.get('/readyz')).status === 503);
	await until('it reads', async () => (await client.get(SESSIONS, tenant.key.secret)).status === 200);
	await assertReadsOnly(client);

	await db.sql('ALTER ROLE wa_gateway_login RESET default_transaction_read_only');
	await cut();
	await until('it is ready', async () => (await client.get('/readyz')).status === 200);
	assert.equal((await client.post(SESSIONS, tenant.key.secret, { start: false })).status, 201);
	await db.sql('DELETE FROM wa.session WHERE id <> $1', [tenant.session.uuid]);
	await gateway.stop();
});

test('a standby, and when it is promoted', async () =>
{
	const standby = new Standby(cluster);
	const wire = await standby.open('wa');

	await until('the session has arrived', async () => await wire.value('SELECT count(*) FROM wa.session') === '1');
	const gateway = await Gateway.start(standby, { ready: false });
	const { client } = gateway;

	await until('it reads', async () => (await client.get(SESSIONS, tenant.key.secret)).status === 200);
	await assertReadsOnly(client);

	/* programs that do nothing but change wait, and say why */
	const worker = await Worker.start(standby);
	const sandbox = await Sandbox.start(standby);

	await until('both say why they do nothing', () => worker.log().includes('sqlstate=25006') && sandbox.log().includes('sqlstate=25006'));
	standby.promote();
	await until('it is ready', async () => (await client.get('/readyz')).status === 200);
	for (const [method, path, json] of requests().filter(([method]) => method !== 'DELETE'))
		assert.ok((await client.request(method, path, { key: tenant.key.secret, json })).status < 300, `${method} ${path}`);

	const session = await createSession(wire, tenant.org, { status: 'starting', connector: 'sandbox' });

	await until('the sandbox works', async () => await wire.value('SELECT status FROM wa.session WHERE id = $1', [session.uuid]) === 'working');
	for (const program of [worker, sandbox, gateway])
		assert.deepEqual(await program.stop(), { code: 0, signal: null });
});
