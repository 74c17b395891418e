/*
 * connect.test.mjs
 *		What is said before there is a session: versions, encryption, startup packets, and
 *		requests to cancel somebody else's, or an attempt at a password (P07 P15 P34).
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../e2e/harness/processes.mjs';
import { Wire, message, startup } from '../e2e/harness/wire.mjs';
import { Random } from '../e2e/harness/random.mjs';
import { LOGINS, Stage } from './stage.mjs';

let stage;

before(async () =>
{
	stage = await Stage.set();
});

const int32 = (number) => { const out = Buffer.alloc(4); out.writeInt32BE(number | 0); return out; };
const who = () => ({ user: LOGINS.wa_gateway, database: 'wa' });
const request = (code, ...parts) => { const body = Buffer.concat([int32(code), ...parts]); return Buffer.concat([int32(body.length + 4), body]); };
const SSL = 80877103;
const GSS = 80877104;
const CANCEL = 80877102;

/* What the server says to raw bytes, until it closes or has said enough. */
function raw(...parts)
{
	const wire = Wire.connect(stage.cluster.where('wa'));

	return new Promise((resolve) =>
	{
		const said = [];

		wire.socket.removeAllListeners('data');
		wire.socket.on('data', (data) => { said.push(data); });
		wire.socket.on('close', () => resolve(Buffer.concat(said)));
		wire.socket.end(Buffer.concat(parts));
	});
}

test('requests for encryption are answered, and open nothing', async () =>
{
	assert.equal((await raw(request(SSL))).toString(), 'N');
	assert.equal((await raw(request(GSS))).toString(), 'N');
	/* nothing may be sent ahead of the answer */
	for (const ahead of [request(SSL), request(GSS), startup(who())])
		for (const first of [SSL, GSS])
			assert.match((await raw(request(first), ahead)).toString('latin1'), /^NE.*received unencrypted data after/s);
});

test('other versions of the protocol are refused or negotiated', async () =>
{
	for (const version of [0, 1 << 16, 2 << 16, 4 << 16, 0x7fff << 16, -1])
	{
		const said = (await raw(startup(who(), version))).toString('latin1');

		assert.match(said, /unsupported frontend protocol|invalid length of startup packet/, `${version}`);
		assert.doesNotMatch(said, /^R/, `${version}`);
	}
	/* a newer minor version is told which one it gets: NegotiateProtocolVersion, then the session */
	assert.match((await raw(startup(who(), (3 << 16) + 99))).toString('latin1'), /^v/);
	assert.match((await raw(startup({ ...who(), '_pq_.anything': 'x' }))).toString('latin1'), /^v/);
});

test('startup packets that are spoiled open no session', async () =>
{
	const good = startup(who());
	const spoiled = {
		'no user': startup({ database: 'wa' }), 'a user of no name': startup({ user: '', database: 'wa' }), 'no such user': startup({ user: 'nobody', database: 'wa' }),
		'cut': good.subarray(0, good.length - 3), 'no end': Buffer.concat([int32(good.length - 1), good.subarray(4, -1)]),
		'length 0': Buffer.concat([int32(0), good.subarray(4)]), 'length 4': Buffer.concat([int32(4), good.subarray(4)]),
		'length 100 MB': Buffer.concat([int32(100_000_000), good.subarray(4)]), 'negative': Buffer.concat([int32(-1), good.subarray(4)]),
		'HTTP': Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'nothing': Buffer.alloc(0), 'zeros': Buffer.alloc(100),
		'another database': startup({ ...who(), database: 'none' }), 'a name of a hundred kilobytes': startup({ ...who(), user: 'x'.repeat(100_000) }),
	};

	for (const [name, bytes] of Object.entries(spoiled))
		assert.doesNotMatch((await raw(bytes, message.query('SELECT 1'))).toString('latin1'), /Z\0\0\0\x05I/, name);
	assert.match((await raw(good)).toString('latin1'), /Z\0\0\0\x05I/);
});

test('a second startup packet in a session ends it', async () =>
{
	for (const second of [startup({ user: 'postgres', database: 'wa' }), request(SSL), request(CANCEL, int32(1), int32(1))])
	{
		const wire = await stage.open();
		const got = await wire.exchange(second);

		assert.equal(got.status, null);
		assert.match(got.error?.code ?? '08P01', /^08P01$/);
		assert.deepEqual(got.rows, []);
	}
	/* nor if it comes ahead of the session */
	assert.match((await raw(startup(who()), startup({ user: 'postgres', database: 'wa' }))).toString('latin1'), /wa_gateway_login.*E.*invalid frontend message type 0/s);
});

test('a cancel request needs the key of the session', async () =>
{
	const victim = await stage.cluster.open('wa');
	const random = new Random();
	const { pid, key } = victim.backend;
	const asleep = victim.exchange(message.query('SELECT pg_sleep(5)'));

	for (let i = 0; i < 200; i++)
		assert.equal((await raw(request(CANCEL, int32(pid), random.bytes(4)))).length, 0);
	for (const wrong of [Buffer.alloc(0), Buffer.alloc(2), key.subarray(0, 3), Buffer.alloc(4), Buffer.alloc(300), Buffer.concat([key, Buffer.alloc(1)])])
		assert.doesNotMatch((await raw(request(CANCEL, int32(pid), wrong))).toString('latin1'), /Z/);
	assert.equal((await asleep).error, null, `seed ${random.seed}`);

	/* the control */
	const cancelled = victim.exchange(message.query('SELECT pg_sleep(60)'));

	await until('it sleeps', async () => await stage.db.value(`SELECT count(*) FROM pg_stat_activity WHERE pid = ${pid} AND wait_event = 'PgSleep'`) === '1');
	assert.equal((await raw(request(CANCEL, int32(pid), key))).length, 0);
	assert.equal((await cancelled).error?.code, '57014');
	await victim.close();
});

test('a cancelled request leaves nothing to the next one', async () =>
{
	const wire = await stage.open();
	const { pid, key } = wire.backend;

	for (let i = 0; i < 50; i++)
	{
		wire.send(...stage.request(stage.theirs.key.secret, 'read', 'session_list', [null, null, '50']));
		await raw(request(CANCEL, int32(pid), key));
		await wire.receive();

		/* a cancel that comes late meets the next request; that one says so or is whole */
		const got = await wire.exchange(...stage.request(stage.ours.key.secret, 'read', 'session_list', [null, null, '50']));

		stage.showsNothing(got, `cancelled ${i}`);
		if (got.error)
			assert.equal(got.error.code, '57014');
		else
			assert.deepEqual(got.rows.filter((row) => row.organization_id).map((row) => row.id), [stage.ours.session.uuid]);
	}
	await wire.close();
});

/* ---- attempts at a password ---- */

const SOURCE_BURST = 10;
const WHOLE = 3;
/* Ticks behind which a hash is under way for sure: 40 ms. */
const WELL_BEGUN = 4;

/* What a backend has used of a processor, in ticks. */
function ticksOf(wire)
{
	const stat = fs.readFileSync(`/proc/${wire.backend.pid}/stat`, 'utf8');
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');

	return Number(fields[11]) + Number(fields[12]);
}

/* How many attempts at an account are counted for an address: what is left of the burst is used up. */
async function counted(email, address)
{
	for (let left = 0; left <= SOURCE_BURST; left++)
	{
		try
		{
			await stage.db.sql("SELECT wa.charge_attempt('source', wa.attempt_key($1, 'ADDRESS ' || wa.address_key(wa.client_address($2))))", [email, address]);
		}
		catch (error)
		{
			assert.equal(error.code, '53400');
			return SOURCE_BURST - left;
		}
	}
	throw new Error('nothing is ever refused');
}

test('every attempt at a password that is counted has cost a hash, whenever it is cancelled', async () =>
{
	const wire = await stage.open();
	const attempt = (email, address) => wire.exchange(message.parse('', stage.text('auth_sign_in')),
		message.bind('', [email, 'a wrong password', address, 'x', null]), message.execute(), message.sync());
	const cancel = () => raw(request(CANCEL, int32(wire.backend.pid), wire.backend.key));

	/* the control, and what plans are made of */
	assert.equal((await attempt('first@example.org', '192.0.2.1')).error?.code, '28000');

	const before = ticksOf(wire);

	/* several, because a processor is not always as fast */
	for (let i = 0; i < WHOLE; i++)
		assert.equal((await attempt('whole@example.org', '192.0.2.1')).error?.code, '28000');
	assert.equal(await counted('whole@example.org', '192.0.2.1'), WHOLE);

	const hash = (ticksOf(wire) - before) / WHOLE;
	const start = ticksOf(wire);
	let cut = 0;

	assert.ok(hash > 2 * WELL_BEGUN, `a hash takes ${hash} ticks`);
	/* while it is hashed, by what the backend has used */
	for (let i = 0; i < 5; i++)
	{
		const begun = ticksOf(wire);
		const answer = attempt('cut@example.org', '192.0.2.2');

		await until('it is hashed', () => ticksOf(wire) >= begun + WELL_BEGUN, { pauseMs: 1 });
		/* it waits for the request to cancel, which is late on a busy machine */
		process.kill(wire.backend.pid, 'SIGSTOP');
		await cancel();
		process.kill(wire.backend.pid, 'SIGCONT');

		const { code } = (await answer).error;

		assert.match(code, /^(57014|28000)$/);
		cut += code === '57014' ? 1 : 0;
	}
	assert.ok(cut > 0, 'some are cut off');
	/* and about when it begins */
	for (const delay of [0, 1, 2, 4])
	{
		const answer = attempt('cut@example.org', '192.0.2.2');

		await sleep(delay);
		await cancel();
		assert.match((await answer).error?.code, /^(57014|28000)$/);
	}

	const used = ticksOf(wire) - start;
	const charges = await counted('cut@example.org', '192.0.2.2');

	assert.ok(charges >= 5, `${charges} are counted`);
	assert.ok(used > 0.5 * charges * hash, `${charges} attempts are counted, which took ${used} ticks; a hash takes ${hash}`);
	await wire.close();
});
