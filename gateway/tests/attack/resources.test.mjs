/*
 * resources.test.mjs
 *		What a sealed session can take of the server has bounds (P36, P53).
 *
 * Time is bounded in held.test.mjs.  Here it is memory and connections: a session that
 * keeps more than it may ends, and what one request took is given back when it is over.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GATEWAY_LOGIN } from '../e2e/harness/cluster.mjs';
import { until } from '../e2e/harness/processes.mjs';
import { message } from '../e2e/harness/wire.mjs';
import { APP, LOGINS, REFUSED, Stage, marks, told } from './stage.mjs';

/* WA_SESSION_MEMORY_MAX in src/session_watch.c. */
const LIMIT_MB = 256;
const MB = 1_000_000;
const TOO_MUCH = '54000';
const TEXT = 25;

let stage;

before(async () =>
{
	stage = await Stage.set(['wa.transaction_timeout = 120s', 'wa.idle_in_transaction_timeout = 120s']);
	/* it counts in a pipeline too, and an error there would have the server skip all that follows */
	await stage.db.sql(`ALTER ROLE ${GATEWAY_LOGIN} SET statement_timeout = '120s'`);
});

/* The memory that a backend has for itself, in megabytes. */
function memoryOf(wire)
{
	const [, resident, shared] = fs.readFileSync(`/proc/${wire.backend.pid}/statm`, 'utf8').split(' ');

	return (resident - shared) * 4096 / MB;
}

/* ---- what a session keeps ---- */

const COMMENT = `-- ${'x'.repeat(MB)}`;

/* About a megabyte each, and nothing in it is analyzed or executed, so that no hook sees it. */
const HOARDS = {
	'empty statements with names': (i) => [message.parse(`kept ${i}`, COMMENT), message.sync()],
	'empty statements in a pipeline': (i) => [message.parse(`kept ${i}`, COMMENT), message.flush()],
	'empty statements, and errors of the protocol between them': (i) =>
		[message.parse(`kept ${i}`, COMMENT), message.sync(), message.close('?', ''), message.sync()],
	'portals of a registered statement': (i) => [...Array.from({ length: 100 }, (_, n) => message.bind('unbound', ['1'], `portal ${i}.${n}`)), message.flush()],
	'portals of a registered statement with large parameters': (i) =>
		[message.bind('auth_sign_in', ['x'.repeat(MB), null, null, null, null], `portal ${i}`), message.flush()],
	'portals with large parameters': (i) => [message.parse('', '-- x', [TEXT]), message.bind('', [COMMENT], `kept ${i}`), message.flush()],
};

/* Sends them for as long as the server listens, at most twice what it may keep and some more. */
async function hoard(wire, messagesOf)
{
	for (let i = 0; i < 2 * LIMIT_MB && !wire.ended; i++)
	{
		wire.send(...messagesOf(i));
		if (wire.socket.writableNeedDrain)
			await new Promise((resolve) => wire.socket.once('drain', resolve).once('close', resolve));
	}
	/* the server looks once a second */
	await until('the session ends', () => wire.ended);

	let last = null;

	for (let got = await wire.receive(); got.types !== ''; got = await wire.receive())
		last = got.errors.at(-1) ?? last;
	return last;
}

for (const [name, messagesOf] of Object.entries(HOARDS))
{
	test(`a session that keeps too much ends: ${name}`, { timeout: 300_000 }, async () =>
	{
		const wire = await stage.open();

		assert.deepEqual(await stage.sessions(wire, stage.ours), [stage.ours.session.uuid]);
		for (const prepared of ['unbound', 'auth_sign_in'])
			await wire.exchange(message.parse(prepared, stage.text(prepared)), message.sync());

		const error = await hoard(wire, messagesOf);

		assert.equal(error?.code, TOO_MUCH);
		assert.match(error.text, /it holds too much memory/);
	});
}

test('the control: a login that is not sealed keeps as much as it likes', async () =>
{
	const app = await stage.open(APP);

	for (let i = 0; i < 2 * LIMIT_MB; i++)
		assert.equal((await app.exchange(...HOARDS['empty statements with names'](i))).error, null);
	await sleep(2000);
	assert.ok(memoryOf(app) > LIMIT_MB);
	assert.equal(await app.value('SELECT 1'), '1');
	await app.close();
});

/* ---- what a request takes ---- */

/*
 * The allocator keeps what was freed for what comes next.  So it is the same thing again,
 * some times, that must take nothing more.
 */
async function takesNothingMore(wire, request)
{
	await request();
	await request();

	const before = memoryOf(wire);

	for (let i = 0; i < 4; i++)
		await request();
	assert.ok(memoryOf(wire) < before + 8, `${before} MB, then ${memoryOf(wire)} MB`);
}

test('hundreds of portals in one transaction are gone with it', async () =>
{
	const wire = await stage.open();

	await wire.exchange(message.parse('unbound', stage.text('unbound')), message.sync());
	await takesNothingMore(wire, async () =>
	{
		const portals = Array.from({ length: 500 }, (_, i) => message.bind('unbound', [String(i)], `portal ${i}`));
		const got = await wire.exchange(...portals, message.execute('portal 499'), message.sync());

		assert.equal(got.error, null);
		assert.deepEqual(got.rows, [['499']]);
		assert.equal((await wire.exchange(message.execute('portal 0'), message.sync())).error?.code, '34000');
	});
	assert.deepEqual(await stage.sessions(wire, stage.theirs), [stage.theirs.session.uuid]);
	await wire.close();
});

const deep = (open, times, close = '') => open.repeat(times) + close.repeat(times);

/* Values that are large or deep, each for a parameter of message_send. */
const SENDS = {
	'a long text': ['text', JSON.stringify({ text: 'x'.repeat(16 * MB) }), null],
	'a JSON document that is nested a million times': ['text', deep('[', MB, ']'), null],
	'a JSON document of a million objects that do not end': ['text', deep('{"a":', MB), null],
	'a JSON document of a million values': ['text', `{"text":[${'1,'.repeat(MB)}1]}`, null],
	'a million mentions': ['text', '{"text":"x"}', `{${'a,'.repeat(MB)}a}`],
	'mentions of a hundred dimensions': ['text', '{"text":"x"}', deep('{', 100, '}')],
	'mentions of six dimensions': ['text', '{"text":"x"}', '{{{{{{a}}}}}}'],
	'mentions with bounds at the end of the numbers': ['text', '{"text":"x"}', '[2147483646:2147483647]={a,b}'],
	'a type of a megabyte': ['x'.repeat(MB), '{"text":"x"}', null],
};

for (const [name, [type, fields, mentions]] of Object.entries(SENDS))
{
	test(`${name} is refused, and what it took is given back`, async () =>
	{
		const wire = await stage.open();
		const count = () => stage.db.value('SELECT count(*) FROM wa.message');

		const messages = await count();

		await takesNothingMore(wire, async () =>
		{
			const got = await wire.exchange(...stage.request(stage.ours.key.secret, 'send', 'message_send',
				[stage.ours.session.uuid, stage.ours.chat.jid, type, fields, null, mentions, null]));

			assert.match(got.error?.code ?? 'none', /^(22|23|54)/, name);
			assert.ok(got.error.text.length < 1000, 'the error does not repeat the value');
		});
		assert.equal(await count(), messages);
		assert.deepEqual(await stage.sessions(wire, stage.theirs), [stage.theirs.session.uuid]);
		await wire.close();
	});
}

test('as many values as a message can tell are refused where there are other parameters', async () =>
{
	const wire = await stage.open();
	const name = 'session_list';

	for (const count of [4, 1000, 32767, 65535])
	{
		const body = Buffer.alloc(2 + 4 * count, 0xff);

		body.writeUInt16BE(count);

		/* no formats, "count" times NULL, no formats of columns */
		const bind = Buffer.concat([Buffer.from('\0\0'), Buffer.alloc(2), body, Buffer.alloc(2)]);
		const head = Buffer.alloc(5);

		head.write('B');
		head.writeInt32BE(bind.length + 4, 1);

		const got = await wire.exchange(message.parse('', stage.text(name)), head, bind, message.execute(), message.sync());

		assert.equal(got.error?.code, '08P01', `${count}`);
		assert.deepEqual(await stage.sessions(wire, stage.ours), [stage.ours.session.uuid]);
	}
	await wire.close();
});

test('COPY and everything else that has no end is refused; an unsealed role can', async () =>
{
	const app = await stage.open(APP);

	for (const role of Object.keys(LOGINS))
	{
		const wire = await stage.open(role);

		for (const sql of ['COPY wa.message FROM STDIN', 'COPY wa.message TO STDOUT', 'COPY (SELECT generate_series(1, 1000000000)) TO STDOUT',
			'SELECT generate_series(1, 1000000000)', "SELECT repeat('x', 1000000000)", "SET work_mem = '1TB'", 'SET statement_timeout = 0',
			'SELECT pg_sleep(1000)', 'SELECT 1 ORDER BY 1 LIMIT 1', 'SELECT count(*) FROM pg_class a, pg_class b, pg_class c, pg_class d'])
		{
			const got = await wire.exchange(message.query(sql));

			assert.equal(got.error?.code, REFUSED, sql);
			assert.equal(got.types, 'EZ', sql);
			/* what would be the data of the COPY is nothing to a server that has refused it */
			wire.send(message.copyData('1\t2\n'), message.copyDone());
		}
		await wire.close();
	}
	app.send(message.query('CREATE TEMPORARY TABLE here (a int)'), message.query("SET work_mem = '1TB'"), message.query('COPY (SELECT generate_series(1, 3)) TO STDOUT'));
	await app.receive();
	assert.equal((await app.receive()).error, null);
	assert.match((await app.receive()).types, /^HdddcC/);
	await app.close();
});

test('a login has no more connections than it was given', async () =>
{
	const wires = [];
	let error = null;

	while (error === null && wires.length < 50)
		await stage.open('wa_connector').then((wire) => wires.push(wire), (refused) => { error = refused; });
	assert.equal(error?.code, '53300');
	assert.equal(wires.length, 16);
	await Promise.all(wires.map((wire) => wire.close()));
});

test('none of it has shown anything of another organization', async () =>
{
	const wire = await stage.open();
	const got = await wire.exchange(...stage.request(stage.ours.key.secret, 'read', 'session_list', [null, null, '2147483647']));

	for (const mark of marks(stage.theirs))
		assert.ok(!told(got).includes(mark));
	await wire.close();
});

/* The last one: in its cluster nobody new can try a password for a minute. */
test('counts of attempts that are flooded with names forget nobody who is blocked', async () =>
{
	const { db } = stage;
	const charges = (from, count) => db.value(`SELECT count(*) FILTER (WHERE attempt.state = '53400') FROM (
		SELECT public.error_of(format('SELECT wa.charge_attempt(%L, %L)', 'account', 'name ' || n)) AS state
		FROM generate_series($1::int, $1::int + $2::int) n) attempt`, [String(from), String(count)]);

	await db.sql(`CREATE FUNCTION public.error_of(statement text, OUT state text) LANGUAGE plpgsql AS $$
		BEGIN EXECUTE statement; state := '00000'; EXCEPTION WHEN OTHERS THEN state := SQLSTATE; END $$`);
	const began = performance.now();

	await db.sql("SELECT wa.charge_attempt('account', 'victim@example.com') FROM generate_series(1, 100)");
	assert.ok(Number(await charges(0, 100_000)) > 50_000, 'what finds no place is refused');

	/* one a minute comes back; who was forgotten would have a hundred */
	const accepted = Number(await db.value(`
		SELECT count(*) FILTER (WHERE public.error_of('SELECT wa.charge_attempt(''account'', ''victim@example.com'')') = '00000') FROM generate_series(1, 100)`));

	assert.ok(accepted <= (performance.now() - began) / 60_000, `${accepted} are accepted`);
});
