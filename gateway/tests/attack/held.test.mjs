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
import { APP, Stage } from './stage.mjs';

const LIMIT_MS = 1000;
const TOO_LONG = '25P04';

let stage;

before(async () =>
{
	stage = await Stage.set([`wa.transaction_timeout = ${LIMIT_MS}`]);
	/* what an application may run for the controls */
	await stage.db.sql(`
		INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status)
		SELECT $1, $2, $3, 'in', 'text', repeat('x', 20000), 'delivered' FROM generate_series(1, 300)`,
		[stage.ours.org.uuid, stage.ours.session.uuid, stage.ours.chat.jid]);
});

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

for (const [name, messagesOf] of Object.entries(HOLDS))
{
	test(`${name} ends with the session`, async () =>
	{
		const wire = await stage.open('wa_gateway');
		const began = Date.now();

		wire.send(...messagesOf());
		if (name.includes('failed'))
		{
			/* the error has ended the transaction; the session may stay */
			await sleep(LIMIT_MS * 1.5);
			assert.equal(await held(wire), '0');
			await wire.close();
			return;
		}

		const got = await wire.receive();

		assert.equal(got.status, null, 'the connection ends');
		assert.equal(got.error?.code, TOO_LONG);
		assert.match(got.error.text, /wa\.transaction_timeout/);
		assert.ok(Date.now() - began >= LIMIT_MS, 'not before its time');
		await gone(wire);
	});
}

test('the control: a login that is not sealed holds its transaction', async () =>
{
	const wire = await stage.open(APP);

	wire.send(...begin(message.flush()));
	await sleep(LIMIT_MS * 3);
	assert.equal(await held(wire), '1');
	await wire.close();
});

test('a client that does not read what it asked for ends with its session', async () =>
{
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
