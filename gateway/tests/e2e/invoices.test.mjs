/*
 * invoices.test.mjs
 *		An application with a table of its own (invoices/): in psql, in Node and in Python,
 *		directly and behind PgBouncer in transaction mode.
 *
 * The pool has one connection to the server, so that every transaction of every organization
 * runs in the same session.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { prepareCluster } from './harness/cluster.mjs';
import { Program, SCRIPTS, environment, makePlace, postgresProgram, run, until } from './harness/processes.mjs';
import { createKey, createOrg } from './harness/tenants.mjs';

const HERE = fileURLToPath(new URL('invoices', import.meta.url));
const POOL_PORT = 6432;
const CLIENTS = { Node: [process.execPath, path.join(HERE, 'invoices.mjs')], Python: ['/usr/bin/python3', path.join(HERE, 'invoices.py')] };

let cluster, db, acme, beta, bouncer, pool;

before(async () =>
{
	cluster = prepareCluster(['log_statement = all']);
	db = await cluster.open('wa');
	cluster.psql('wa', fs.readFileSync(path.join(HERE, 'schema.sql'), 'utf8'));
	acme = await tenant('Acme');
	beta = await tenant('Beta');
	pool = await startPool();
});

let keys = 0;

/* A key with these permissions of the application and none of the gateway's. */
async function makeKey(org, permissions)
{
	return (await db.sql("SELECT k.id, k.secret FROM wa.create_key($1, $2, '{}', own_permissions => $3) AS k",
		[org.uuid, `invoices ${++keys}`, `{${permissions.join(',')}}`]))[0];
}

async function tenant(name)
{
	const org = await createOrg(db, name);
	const key = async (...may) => (await makeKey(org, may.map((what) => `invoices:${what}`))).secret;

	return { org, reader: await key('read'), clerk: await key('read', 'write'), boss: await key('read', 'write', 'remove') };
}

/* PgBouncer for the application's login.  Returns what a client needs to get in. */
async function startPool()
{
	const place = makePlace();
	const file = path.join(place, 'pgbouncer.ini');
	const log = path.join(place, 'pgbouncer.log');

	fs.writeFileSync(path.join(place, 'users'), '"shop" ""\n');
	fs.writeFileSync(file, `[databases]
wa = host=${cluster.host} port=${cluster.port}
[pgbouncer]
pool_mode = transaction
default_pool_size = 1
auth_type = trust
auth_file = ${path.join(place, 'users')}
unix_socket_dir = ${place}
listen_port = ${POOL_PORT}
`);

	bouncer = new Program(path.join(SCRIPTS, 'as-user'), ['/usr/sbin/pgbouncer', file], { log });
	const where = { PGHOST: place, PGPORT: String(POOL_PORT), PGUSER: 'shop', PGDATABASE: 'wa' };

	await until('PgBouncer listens', () => bouncer.running && fs.existsSync(path.join(place, `.s.PGSQL.${POOL_PORT}`)));
	return where;
}

const direct = () => cluster.environment('wa', 'shop');

function answerOf({ code, stdout, stderr })
{
	return code === 0 ? stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line)) : stderr.trim();
}

/* Runs a client: the invoices that it prints, or its error. */
const ask = (client, where, key, ...args) =>
	answerOf(run(CLIENTS[client][0], [CLIENTS[client][1], ...args], { env: { ...where, INVOICE_KEY: key } }));

/* The same without waiting for it. */
function askMeanwhile(client, where, key, ...args)
{
	return new Promise((resolve) =>
	{
		const child = spawn(CLIENTS[client][0], [CLIENTS[client][1], ...args], { env: environment({ ...where, INVOICE_KEY: key }) });
		const out = { stdout: '', stderr: '' };

		for (const stream of ['stdout', 'stderr'])
			child[stream].on('data', (data) => { out[stream] += data; });
		child.on('close', (code) => resolve(answerOf({ code, ...out })));
	});
}

const psql = (sql, key, where = direct()) =>
	run(postgresProgram('psql'), ['-X', '-q', '-A', '-t', '-v', `key=${key}`], { env: where, input: sql });

test('in psql: BEGIN, wa.authenticate(), and the rows are those of the key', () =>
{
	const added = psql(`BEGIN;
		SELECT FROM wa.authenticate_for(:'key', '{invoices:write,invoices:read}');
		INSERT INTO invoice (number, total) VALUES ('P-1', 10) RETURNING number, total;
		COMMIT;`, acme.clerk);

	assert.deepEqual([added.stdout.trim(), added.stderr], ['P-1|10', '']);
	assert.equal(psql("BEGIN; SELECT FROM wa.authenticate_for(:'key', '{invoices:read}'); SELECT number FROM invoice; COMMIT", beta.boss).stdout.trim(), '');

	const unbound = psql('SELECT number FROM invoice', acme.boss);

	assert.match(unbound.stderr, /no credential is bound to this transaction/);

	const late = psql("SELECT FROM wa.authenticate_for(:'key', '{invoices:read}'); SELECT number FROM invoice", acme.boss);

	assert.match(late.stderr, /no credential is bound to this transaction/);

	const narrow = psql("BEGIN; SELECT FROM wa.authenticate_for(:'key', '{invoices:write}'); UPDATE invoice SET paid = true WHERE number = 'P-1'", acme.boss);

	assert.match(narrow.stderr, /permission "invoices:read" is required\nDETAIL: {2}UPDATE and DELETE with a condition, and RETURNING, read as well\./);
});

for (const client of Object.keys(CLIENTS))
	for (const [way, where] of [['directly', direct], ['behind PgBouncer', () => pool]])
		test(`in ${client}, ${way}: each key does what it may, in its organization`, () =>
		{
			const number = `${client[0]}-${way[0]}`;
			const invoice = { number, total: 25, paid: false };

			assert.deepEqual(ask(client, where(), acme.clerk, 'add', number, '25'), [invoice]);
			assert.deepEqual(ask(client, where(), beta.clerk, 'add', number, '30'), [{ ...invoice, total: 30 }], 'numbers are per organization');
			assert.deepEqual(ask(client, where(), acme.clerk, 'pay', number), [{ ...invoice, paid: true }]);
			assert.deepEqual(ask(client, where(), beta.reader, 'list').filter((row) => row.number === number), [{ ...invoice, total: 30 }]);

			// Denied: another permission, and a text that is no key.  What another organization has is not there.
			assert.equal(ask(client, where(), acme.reader, 'add', 'x', '1'), '42501 permission "invoices:write" is required');
			assert.equal(ask(client, where(), acme.clerk, 'remove', number), '42501 permission "invoices:remove" is required');
			assert.match(ask(client, where(), 'wa_nothing', 'list'), /^22P02 /);
			assert.deepEqual(ask(client, where(), beta.boss, 'pay', 'P-1'), []);
			assert.match(ask(client, where(), acme.clerk, 'add', number, '26'), /^23505 /);

			assert.deepEqual(ask(client, where(), acme.boss, 'remove', number), [{ ...invoice, paid: true }]);
			assert.deepEqual(ask(client, where(), beta.reader, 'list').filter((row) => row.number === number), [{ ...invoice, total: 30 }], 'theirs is still there');
			assert.deepEqual(ask(client, where(), beta.boss, 'remove', number), [{ ...invoice, total: 30 }]);
		});

test('a key of the gateway opens no invoice', async () =>
{
	const { secret } = await createKey(db, acme.org);

	for (const client of Object.keys(CLIENTS))
		assert.equal(ask(client, pool, secret, 'list'), '42501 permission "invoices:read" is required');
});

test('many transactions of two organizations share one session of the server, and none sees the other', async () =>
{
	const made = await Promise.all(Array.from({ length: 12 }, (_, i) =>
		askMeanwhile(i % 3 ? 'Node' : 'Python', pool, (i % 2 ? acme : beta).clerk, 'add', `M-${i}`, String(i))));

	assert.deepEqual(made, made.map((_, i) => [{ number: `M-${i}`, total: i, paid: false }]));
	for (const [odd, tenant] of [[0, beta], [1, acme]])
	{
		const seen = ask('Node', pool, tenant.reader, 'list').filter((row) => row.number.startsWith('M-'));

		assert.deepEqual(seen.map((row) => row.total).sort((a, b) => a - b), [0, 2, 4, 6, 8, 10].map((i) => i + odd));
	}
	/* a client that has ended may be known to the server for a moment longer */
	await until('there is one session', async () => await db.value("SELECT count(*) FROM pg_stat_activity WHERE usename = 'shop'") === '1');
});

test('what one client leaves behind, the next one in the same session does not get', () =>
{
	const through = (sql) => psql(sql, acme.boss, pool);

	// A transaction whose client is gone, and one that failed: their keys are not bound any more.
	through("BEGIN; SELECT FROM wa.authenticate(:'key')");
	assert.match(through('SELECT number FROM invoice').stderr, /no credential is bound/);
	through("BEGIN; SELECT FROM wa.authenticate(:'key'); SELECT 1/0; ROLLBACK");
	assert.match(through('SELECT number FROM invoice').stderr, /no credential is bound/);
	assert.match(through("BEGIN; SELECT FROM wa.authenticate(:'key'); COMMIT; SELECT number FROM invoice").stderr, /no credential is bound/);
	assert.equal(through("BEGIN; SELECT FROM wa.authenticate_for(:'key', '{invoices:read}'); SELECT count(*) > 0 FROM invoice; COMMIT").stdout.trim(), 't');
});

test('a revoked key is refused in the pool’s session, which has used it before', async () =>
{
	const key = await makeKey(acme.org, ['invoices:read']);

	assert.equal(typeof ask('Node', pool, key.secret, 'list'), 'object');
	await db.sql('SELECT wa.revoke_key($1)', [key.id]);
	for (const client of Object.keys(CLIENTS))
		assert.equal(ask(client, pool, key.secret, 'list'), '28000 credential is not valid');
});

test('no client has prepared a statement by name, and no log has a key', () =>
{
	const log = fs.readFileSync(path.join(cluster.place, 'postgresql.log'), 'utf8') + bouncer.log();

	assert.match(log, /execute <unnamed>: SELECT wa\.authenticate_for\(\$1, \$2\)/);
	assert.doesNotMatch(log, /execute (?!<unnamed>)[^\n]*invoice/);
	for (const { reader, clerk, boss } of [acme, beta])
		for (const key of [reader, clerk, boss])
			assert.ok(!log.includes(key));
});

test('the self check accepts what the application has made, and the rest of the schema is as it was', async () =>
{
	assert.deepEqual(await db.sql('SELECT name, detail FROM wa.self_check() WHERE NOT passed'), []);
	assert.deepEqual((await db.sql('SELECT relation, guard, read, insert, update, delete FROM wa.protected')).map((row) => Object.values(row)),
		[['shop.invoice', 'protected', 'invoices:read', 'invoices:write', 'invoices:write', 'invoices:remove']]);
});
