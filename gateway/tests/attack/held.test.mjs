/*
 * held.test.mjs
 *		No sealed login holds a transaction open (P47), and none fills a session (P53).
 *
 * The server's timeouts do not run in a pipeline whose Sync does not come, between two
 * parts of a portal, and while the client does not read.  The controls are the same
 * messages from a login that is not sealed: they hold the transaction for as long as the
 * test looks.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../e2e/harness/processes.mjs';
import { message } from '../e2e/harness/wire.mjs';
import { APP, LOGINS, Stage } from './stage.mjs';

const LIMIT_MS = 1000;
const TOO_LONG = '25P04';
const TWICE = '25000';
const BOUNDS = ['wa.transaction_timeout', 'wa.idle_in_transaction_timeout'];

let stage;

before(async () =>
{
	stage = await Stage.set();
	await bound('wa.transaction_timeout');
	/* what an application may run for the controls */
	await stage.db.sql(`
		INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status)
		SELECT $1, $2, $3, 'in', 'text', repeat('x', 20000), 'delivered' FROM generate_series(1, 300)`,
		[stage.ours.org.uuid, stage.ours.session.uuid, stage.ours.chat.jid]);
});

/* From here on this bound ends what the gateway's login holds; the other one, if there is one, does not. */
async function bound(name)
{
	for (const one of BOUNDS)
		await stage.db.sql(`ALTER ROLE ${LOGINS.wa_gateway} SET ${one} = ${one === name ? LIMIT_MS : 60_000}`);
}

/* authenticate, and the beginning of something else. */
function begin(...more)
{
	return [...stage.authenticate(stage.ours.key.secret), ...more];
}

function messages(rows = 0)
{
	const { session, chat } = stage.ours;
	const { parameters } = stage.statement('message_list');
	const list = [session.uuid, chat.jid, ...Array(parameters.length - 3).fill(null), '200'];

	return [message.parse('', stage.text('message_list')), message.bind('', list), message.execute('', rows)];
}

/* The transactions of a login, by what the server shows of its backends. */
function held(wire)
{
	return stage.db.value(`SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND xact_start < now() - interval '0.5 s'`, [String(wire.backend.pid)]);
}

async function gone(wire)
{
	await until('the transaction is gone', async () =>
		await stage.db.value('SELECT count(*) FROM pg_stat_activity WHERE pid = $1', [String(wire.backend.pid)]) === '0');
}

const HOLDS = {
	'a pipeline without its Sync': () => begin(message.flush()),
	'a pipeline that has not begun anything but a Parse': () => [message.parse('', stage.text('session_list')), message.flush()],
	'a portal that is read in part': () => begin(...messages(1), message.flush()),
	'a portal that is read in part, and no credential': () =>
		[message.parse('', stage.text('self_check')), message.bind(''), message.execute('', 1), message.flush()],
	'an empty text, first of all': () => [message.parse('', ''), message.flush()],
	'a statement that failed, and no Sync behind it': () => begin(message.parse('', 'SELECT 1'), message.flush(),
		message.parse('', stage.text('session_list')), message.flush()),
};

for (const [name, messagesOf, by] of Object.entries(HOLDS).flatMap((hold) => BOUNDS.map((by) => [...hold, by])))
{
	test(`${name} ends with the session, by ${by}`, async () =>
	{
		await bound(by);

		const wire = await stage.open('wa_gateway');
		const began = Date.now();

		wire.send(...messagesOf());
		if (name.includes('failed'))
		{
			/* the error ends the transaction; the session may stay */
			for (let one = await wire.next(); one.type !== 'E'; one = await wire.next())
				assert.ok('123ACDTn'.includes(one.type), one.type);
			await until('there is no transaction', async () =>
				await stage.db.value('SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND xact_start IS NULL', [String(wire.backend.pid)]) === '1');
			await wire.close();
			return;
		}

		const got = await wire.receive();

		assert.equal(got.status, null, 'the connection ends');
		assert.equal(got.error?.code, TOO_LONG);
		assert.match(got.error.text, new RegExp(by));
		assert.ok(Date.now() - began >= LIMIT_MS, 'not before its time');
		await gone(wire);
	});
}

test('the control: a login that is not sealed holds its transaction', async () =>
{
	const wire = await stage.open(APP);

	wire.send(...begin(message.flush()));
	await until('it holds one', async () => await held(wire) === '1');
	await sleep(LIMIT_MS * 3);
	assert.equal(await held(wire), '1');
	await wire.close();
});

/* ---- idle ---- */

/* A statement that writes, with the Sync to come. */
function createSession()
{
	return stage.request(stage.ours.key.secret, 'manage', 'session_create', ['held', 'f', ...Array(8).fill(null)]).slice(0, -1);
}

/* Sends without a pause, but no more than the server takes, until it ends the connection. */
async function pump(wire, ...messages)
{
	const read = (async () =>
	{
		for (let one = await wire.next(); one !== null; one = await wire.next())
			if (one.type === 'E')
				assert.match(one.body.toString(), /25P04/, 'nothing but its end');
	})();

	while (!wire.ended)
	{
		await Promise.race([read, new Promise((resolve) => wire.socket.write(Buffer.concat(messages), resolve))]);
		/* what was written at once lets nobody else run */
		await new Promise(setImmediate);
	}
	await read;
}

test('messages behind the statement do not keep its transaction', { timeout: 180_000 }, async () =>
{
	await bound('wa.idle_in_transaction_timeout');

	const more = {
		'Describe': [message.describe('S', 'session_list')],
		'empty texts': [message.parse('', ''), message.bind(''), message.execute()],
		'statements that are analyzed': [message.parse('', stage.text('session_list'))],
	};

	for (const messagesOf of Object.values(more))
	{
		const wire = await stage.open('wa_gateway');

		await wire.exchange(message.parse('session_list', stage.text('session_list')), message.sync());
		wire.send(...createSession());

		/* ends with the connection only */
		await pump(wire, ...Array(50).fill(messagesOf).flat());
		await gone(wire);
	}

	/* nor does one now and then */
	const wire = await stage.open('wa_gateway');
	const began = Date.now();

	wire.send(...begin());
	while (!wire.ended && Date.now() < began + 60_000)
	{
		wire.send(message.parse('', stage.text('session_list')), message.flush());
		await sleep(50);
	}
	assert.equal((await wire.receive()).errors.at(-1)?.code, TOO_LONG);
	assert.equal(await stage.db.value("SELECT count(*) FROM wa.session WHERE label = 'held'"), '0');
});

test('a client that does not read does not keep what its statement has locked', async () =>
{
	await bound('wa.idle_in_transaction_timeout');

	const wire = await stage.open('wa_gateway');

	await wire.exchange(message.parse('session_list', stage.text('session_list')), message.sync());
	wire.socket.pause();
	wire.send(...createSession(), ...Array(5000).fill(message.describe('S', 'session_list')));
	await until('the server waits for its client, with a number', async () => await stage.db.value(
		"SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'ClientWrite' AND backend_xid IS NOT NULL", [String(wire.backend.pid)]) === '1');
	await gone(wire);
	wire.socket.destroy();
});

test('a page that is read slowly arrives', async () =>
{
	await bound('wa.idle_in_transaction_timeout');

	const wire = await stage.open('wa_gateway');

	wire.socket.pause();
	wire.send(...begin(...messages(), message.sync()));
	await until('the server waits for its client', async () => await stage.db.value(
		'SELECT wait_event FROM pg_stat_activity WHERE pid = $1', [String(wire.backend.pid)]) === 'ClientWrite');
	await sleep(LIMIT_MS * 3);
	wire.socket.resume();

	const got = await wire.receive();

	assert.equal(got.error, null);
	assert.equal(got.status, 'I');
	await wire.close();
});

test('a statement that takes its time is not idle', async () =>
{
	await bound('wa.idle_in_transaction_timeout');

	const wire = await stage.open('wa_gateway');
	const { parameters } = stage.statement('event_wait');
	const wait = ['11111111-1111-4111-8111-111111111111', String(LIMIT_MS * 3), ...Array(parameters.length - 2).fill(null)];
	const request = [message.parse('', stage.text('event_wait')), message.bind('', wait), message.execute(), message.sync()];
	let began;

	/* the first one is answered at once */
	for (let i = 0; i < 2; i++)
	{
		began = Date.now();
		assert.equal((await wire.exchange(...request)).error, null);
	}
	assert.ok(Date.now() - began >= LIMIT_MS * 3);
	await wire.close();
});

test('who keeps expired rows by one connection after another keeps nobody from removing them', async () =>
{
	const { db, theirs } = stage;
	const remove = [message.parse('', stage.text('housekeeping', 'wa_worker')), message.bind('', ['tickets', '10000']), message.execute()];
	const thieves = [];

	await db.sql(`
		INSERT INTO wa.ticket (org_id, digest, key_id, created_at, expires_at)
		SELECT $1, sha256(convert_to('held ' || n, 'UTF8')), $2, now() - interval '2 hours', now() - interval '1 hour'
		FROM generate_series(1, 8) n`, [theirs.org.uuid, theirs.key.uuid]);
	for (const state of ["backend_xid IS NOT NULL AND wait_event = 'ClientRead'", "wait_event_type = 'Lock'"])
	{
		const thief = await stage.open('wa_worker');

		thief.send(...remove, message.flush());
		thieves.push(thief);
		await until(`for one of them ${state}`, async () => await db.value(
			`SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND ${state}`, [String(thief.backend.pid)]) === '1');
	}

	const worker = await stage.open('wa_worker');
	const got = await worker.exchange(...remove, message.sync());

	assert.equal(got.error, null);
	assert.deepEqual(got.rows, [['8']], 'all that was held');
	for (const thief of thieves)
		await gone(thief);
	await worker.close();
});

test('a transaction serves one statement, so that no other one makes it last', async () =>
{
	const twice = [1, 2].flatMap(() => [message.parse('', stage.text('self_check')), message.bind(''), message.execute()]);
	const unbound = [message.parse('', stage.text('unbound')), message.bind('', ['1']), message.execute()];

	for (const front of [[], unbound])
	{
		const wire = await stage.open('wa_gateway');
		const got = await wire.exchange(...front, ...twice, message.sync());

		assert.equal(got.error?.code, TWICE);
		assert.match(got.error.text, /has served a statement already/);
		assert.deepEqual((await wire.exchange(...front, ...twice.slice(0, 3), message.sync())).errors, []);
		await wire.close();
	}

	/* the control */
	await stage.db.sql(`GRANT wa_monitor TO ${APP}`);

	const app = await stage.open(APP);

	assert.equal((await app.exchange(...twice, message.sync())).error, null);
	await app.close();
});

/* ---- by its time alone ---- */

test('a client that does not read what it asked for ends with its session', async () =>
{
	await bound('wa.transaction_timeout');

	const wire = await stage.open('wa_gateway');

	wire.socket.pause();
	/* more than what fits between the two */
	for (let i = 0; i < 20; i++)
		wire.send(...begin(...messages(), message.sync()));
	await until('the server waits for its client', async () => await stage.db.value(
		'SELECT wait_event FROM pg_stat_activity WHERE pid = $1', [String(wire.backend.pid)]) === 'ClientWrite');
	await gone(wire);
	wire.socket.destroy();
});

test('short requests on one connection go on for longer than the limit', async () =>
{
	const wire = await stage.open('wa_gateway');
	const end = Date.now() + LIMIT_MS * 3;

	while (Date.now() < end)
	{
		assert.deepEqual(await stage.sessions(wire, stage.ours), [stage.ours.session.uuid]);
		await sleep(50);
	}
	/* and after an error, which disarms the server's timeouts */
	await wire.exchange(message.query('SELECT 1'));
	wire.send(...begin(message.flush()));
	assert.equal((await wire.receive()).error?.code, TOO_LONG);
});

test('an error outside of a transaction does not stop the clock', async () =>
{
	for (const wrong of [
		[message.execute('no such portal'), message.sync()], [message.describe('S', 'no such statement'), message.sync()],
		[message.bind('no such statement'), message.sync()], [message.query('SELECT 1')], [message.query('')],
	])
	{
		const wire = await stage.open('wa_gateway');

		await wire.exchange(message.parse('session_list', stage.text('session_list')), message.sync());
		await wire.exchange(...wrong);
		/* what comes then takes locks and passes no hook */
		wire.send(message.describe('S', 'session_list'), message.flush());
		assert.equal((await wire.receive()).error?.code, TOO_LONG);
		await gone(wire);
	}
});

test('no setting of the log stops the clock', { timeout: 120_000 }, async () =>
{
	const login = LOGINS.wa_gateway;
	const places = {
		'the login': (value) => `ALTER ROLE ${login} ${value}`,
		'the login in this database': (value) => `ALTER ROLE ${login} IN DATABASE wa ${value}`,
		'the database': (value) => `ALTER DATABASE wa ${value}`,
		'the server': (value) => `ALTER SYSTEM ${value}`,
	};

	await bound('wa.idle_in_transaction_timeout');
	for (const [where, change] of Object.entries(places))
		for (const level of where === 'the login' ? ['fatal', 'panic', 'log'] : ['panic'])
		{
			await stage.db.sql(change(`SET log_min_messages = ${level}`));
			await stage.db.sql('SELECT pg_reload_conf()');
			await until('it is set', async () =>
			{
				const probe = await stage.cluster.open('wa');
				const seen = where.startsWith('the login') || await probe.value("SELECT current_setting('log_min_messages')") === level;

				await probe.close();
				return seen;
			});

			const wire = await stage.open('wa_gateway');

			/* an error outside of a transaction, and then what passes no hook */
			await wire.exchange(message.execute('no such portal'), message.sync());
			wire.send(message.parse('', ''), message.flush());
			assert.equal((await wire.receive()).error?.code, TOO_LONG, `${where}: ${level}`);
			await gone(wire);
			await stage.db.sql(change('RESET log_min_messages'));
		}
	await stage.db.sql('SELECT pg_reload_conf()');
});

test('a sealed session keeps a bounded number of prepared statements', async () =>
{
	const wire = await stage.open('wa_gateway');
	let refused = null;
	let parsed = 0;

	for (let i = 0; i < 2000 && refused === null; i++)
	{
		const got = await wire.exchange(message.parse(`statement ${i}`, stage.text('session_list')), message.sync());

		refused = got.error;
		parsed += refused ? 0 : 1;
	}
	assert.equal(refused?.code, '54000');
	assert.equal(parsed, 256);

	/* who gives one back may have another, and it is counted anew */
	await wire.exchange(message.close('S', 'statement 0'), message.sync());
	assert.equal((await wire.exchange(message.parse('statement 0', stage.text('session_list')), message.sync())).error, null);
	assert.equal((await wire.exchange(message.parse('one more', stage.text('session_list')), message.sync())).error?.code, '54000');
	await wire.close();
});

test('the gateway\'s own statements can be prepared all at once', async () =>
{
	for (const role of ['wa_gateway', 'wa_worker', 'wa_connector'])
	{
		const wire = await stage.open(role);

		for (const one of stage.statements.filter((statement) => statement.role_name === role))
			assert.equal((await wire.exchange(message.parse(one.name, one.source), message.sync())).error, null, one.name);
		await wire.close();
	}
});
