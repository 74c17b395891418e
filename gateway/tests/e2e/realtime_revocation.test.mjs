/*
 * realtime_revocation.test.mjs
 *		A socket does not outlive what it rests on, at any gateway process.
 *
 * How long it takes is printed; what is asserted is only that it happens without anybody's
 * doing: no heartbeat comes while the test waits that could have noticed it.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareCluster } from './harness/cluster.mjs';
import { until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { Socket, emit } from './harness/socket.mjs';
import { createKey, createOrg, createTenant } from './harness/tenants.mjs';

const KEYS = 100;
const SOCKETS = 6;			/* of each key: two for each process, about */
const HEARTBEAT_MS = 300_000;	/* the longest there is */
const BOUND_MS = 60_000;

let cluster, db, tenant, gateways;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');

	const args = ['--socket-heartbeat', String(HEARTBEAT_MS)];

	gateways = [await Gateway.start(cluster, { workers: 2, args }), await Gateway.start(cluster, { args })];
});

const openAll = (secret, count = SOCKETS) => Promise.all(Array.from({ length: count }, (_, i) =>
	Socket.open(gateways[i % gateways.length], { key: secret })));

/* Does what ends them; returns how many milliseconds each socket lived on. */
async function endAll(sockets, act, error = 'key_revoked')
{
	await act();

	const done = performance.now();
	const closed = await Promise.race([Promise.all(sockets.map((socket) => socket.closed)), sleep(BOUND_MS, null, { ref: false })]);

	assert.ok(closed, `sockets live on after ${BOUND_MS} ms`);
	for (const [i, socket] of sockets.entries())
	{
		assert.deepEqual(socket.frames.at(-1), { event: 'error', error });
		assert.equal(closed[i].code, 4401);
	}
	return closed.map(({ at }) => Math.max(0, at - done));
}

test(`${KEYS} keys are revoked, each with sockets at three gateway processes`, async (t) =>
{
	const times = [];

	for (let i = 0; i < KEYS; i++)
	{
		const key = await createKey(db, tenant.org, ['events']);
		const sockets = await openAll(key.secret);

		times.push(...await endAll(sockets, () => db.value('SELECT wa.revoke_key($1::uuid)', [key.uuid])));
	}
	times.sort((a, b) => a - b);

	const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1);

	t.diagnostic(`${times.length} sockets were closed, milliseconds after wa.revoke_key() had returned: `
		+ `median ${at(0.5)}, 99 % ${at(0.99)}, worst ${at(1)}`);
});

test('sockets of other keys stay, and get what they should', async () =>
{
	const [revoked, other] = [await createKey(db, tenant.org, ['events']), await createKey(db, tenant.org, ['events'])];
	const [ends, stays] = [await openAll(revoked.secret), await openAll(other.secret)];

	await endAll(ends, () => db.value('SELECT wa.revoke_key($1::uuid)', [revoked.uuid]));

	const id = await emit(db, tenant.org);

	await Promise.all(stays.map((socket) => socket.waitFor(2)));
	assert.ok(stays.every((socket) => socket.events[0].event === 'key.revoked' && socket.last === id));
	assert.ok(ends.every((socket) => !socket.events.some((event) => event.id === id)));
	await Promise.all(stays.map((socket) => socket.close()));
});

test('a key that is rotated without an overlap ends its sockets', async () =>
{
	const key = await createKey(db, tenant.org, ['events']);

	await endAll(await openAll(key.secret), () => db.sql("SELECT wa.rotate_key($1, '0')", [key.uuid]));
});

test('a key that loses events ends its sockets', async () =>
{
	const key = await createKey(db, tenant.org, ['events', 'read']);
	const sockets = await openAll(key.secret);

	await db.sql("UPDATE wa.api_key SET permissions = '{read}' WHERE id = $1", [key.uuid]);
	assert.deepEqual((await Promise.all(sockets.map((socket) => socket.closed))).map(({ code }) => code), sockets.map(() => 4401));
});

test('a key that loses manage gets no more auth.*', async () =>
{
	const key = await createKey(db, tenant.org, ['events', 'manage']);
	const [socket] = await openAll(key.secret, 1);

	await emit(db, tenant.org, 'auth.qr', { session: tenant.session });
	await socket.waitFor(1);
	await db.sql("UPDATE wa.api_key SET permissions = '{events}' WHERE id = $1", [key.uuid]);
	await emit(db, tenant.org, 'auth.qr', { session: tenant.session });
	await emit(db, tenant.org, 'message');
	await socket.waitFor(2);
	assert.deepEqual(socket.events.map(({ event }) => event), ['auth.qr', 'message']);
	await socket.close();
});

/*
 * Sockets of a key that ends soon: as soon as they can be opened in time, and what else
 * "act" does (true: in time).
 */
async function openBeforeEnd(act = async () => true)
{
	for (let span = 2000; ; span *= 2)
	{
		const expiresAt = Date.now() + span;
		const key = await createKey(db, tenant.org, ['events'], { expiresAt: new Date(expiresAt).toISOString() });
		const sockets = await openAll(key.secret).catch(() => null);

		if (sockets !== null && await act(key) && Date.now() < expiresAt)
			return { sockets, expiresAt };
		assert.ok(span < BOUND_MS, 'they can be opened');
	}
}

test('a key that expires ends its sockets, though nothing happens in the database', async (t) =>
{
	const { sockets, expiresAt } = await openBeforeEnd();
	const closed = await Promise.race([Promise.all(sockets.map((socket) => socket.closed)), sleep(expiresAt - Date.now() + BOUND_MS, null, { ref: false })]);

	assert.ok(closed, 'sockets live on');
	assert.deepEqual(closed.map(({ code }) => code), sockets.map(() => 4401));
	t.diagnostic(`${Math.max(...closed.map(({ at }) => performance.timeOrigin + at - expiresAt)).toFixed(0)} ms after the key's end`);
});

test('a key whose end is set while its sockets are open ends them then', async () =>
{
	const [rotated, changed] = [await createKey(db, tenant.org, ['events']), await createKey(db, tenant.org, ['events'])];
	const sockets = [...await openAll(rotated.secret), ...await openAll(changed.secret)];

	await endAll(sockets, async () =>
	{
		await db.sql("SELECT wa.rotate_key($1, '1 second')", [rotated.uuid]);
		await db.sql("UPDATE wa.api_key SET expires_at = clock_timestamp() + interval '1 second' WHERE id = $1", [changed.uuid]);
		await sleep(1000);
	});
});

test('a key whose end is put off keeps its sockets', async () =>
{
	const { sockets, expiresAt } = await openBeforeEnd(async (key) => (await db.sql(
		'UPDATE wa.api_key SET expires_at = NULL WHERE id = $1 AND expires_at > clock_timestamp() RETURNING id', [key.uuid])).length === 1);

	await sleep(expiresAt + 1000 - Date.now());

	const id = await emit(db, tenant.org);

	await Promise.all(sockets.map((socket) => until('the event is there', () => socket.last === id)));
	await Promise.all(sockets.map((socket) => socket.close()));
});

test('a socket that waits until its client reads is closed all the same', async () =>
{
	const key = await createKey(db, tenant.org, ['events']);
	const since = await emit(db, tenant.org);

	await db.sql("SELECT count(wa.emit($1, 'message', NULL, jsonb_build_object('text', repeat('x', 20000))::text)) FROM generate_series(1, 1500)", [tenant.org.uuid]);

	const socket = await Socket.open(gateways[1], { key: key.secret, query: { since } });

	socket.pause();
	await sleep(500);
	await db.value('SELECT wa.revoke_key($1::uuid)', [key.uuid]);
	await sleep(500);
	socket.resume();
	assert.equal((await socket.closed).code, 4401);
	assert.ok(socket.events.length < 1500, 'it had not read all before');
});

/* ---- people ---- */

async function person(email, role)
{
	const password = 'correct horse';
	const uuid = await db.value('SELECT id FROM wa.create_user($1, $2, $3)', [email, role, password]);

	await db.sql('SELECT wa.add_member($1, $2, $3)', [tenant.org.uuid, uuid, role]);
	return { uuid, email, password };
}

async function signIn({ email, password })
{
	const cookie = await db.value("SELECT cookie FROM wa.sign_in($1, $2, '192.0.2.1', 'x')", [email, password]);

	return { cookie, token: await db.value('SELECT token FROM wa.mint_user_token($1)', [cookie]) };
}

test('a person who signs out loses the sockets of that sign-in, and of no other', async () =>
{
	const mel = await person('mel@example.net', 'member');
	const [here, there] = [await signIn(mel), await signIn(mel)];
	const [ends, stays] = [await openAll(here.token), await openAll(there.token)];

	await endAll(ends, () => db.sql('SELECT wa.sign_out($1)', [here.cookie]));

	const id = await emit(db, tenant.org);

	await Promise.all(stays.map((socket) => socket.waitFor(1)));
	assert.ok(stays.every((socket) => socket.last === id));
	await Promise.all(stays.map((socket) => socket.close()));
});

test('a person who signs out loses the sockets in all organizations where that sign-in has any', async () =>
{
	const kim = await person('kim@example.net', 'member');
	const second = await createOrg(db, 'Second');

	await db.sql('SELECT wa.add_member($1, $2, $3)', [second.uuid, kim.uuid, 'member']);

	const { cookie } = await signIn(kim);
	const tokens = await Promise.all([tenant.org, second].map((org) => db.value('SELECT token FROM wa.mint_user_token($1, $2)', [cookie, org.uuid])));
	const sockets = (await Promise.all(tokens.map((token) => openAll(token)))).flat();

	await endAll(sockets, () => db.sql('SELECT wa.sign_out($1)', [cookie]));
});

test('a person who is no member any more loses all sockets', async () =>
{
	const amir = await person('amir@example.net', 'admin');
	const sockets = [...await openAll((await signIn(amir)).token), ...await openAll((await signIn(amir)).token)];

	await endAll(sockets, () => db.sql('SELECT wa.remove_member($1, $2)', [tenant.org.uuid, amir.uuid]));
});
