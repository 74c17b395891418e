/*
 * protocol.test.mjs
 *		Messages that no client would send, as random as a seed makes them: the server lives,
 *		nothing of another organization is in any answer, and the next request on that
 *		connection, if it is still there, sees exactly its own organization.
 *
 * WA_SEED=number repeats a run; each test says its seed.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { until } from '../e2e/harness/processes.mjs';
import { frame, message } from '../e2e/harness/wire.mjs';
import { Random } from '../e2e/harness/random.mjs';
import { LOGINS, Stage } from './stage.mjs';

let stage;

before(async () =>
{
	stage = await Stage.set(['wa.transaction_timeout = 60s', 'wa.idle_in_transaction_timeout = 60s']);
});

const int32 = (number) => { const out = Buffer.alloc(4); out.writeInt32BE(number | 0); return out; };

/* Ends the client's side, and waits until the server has ended its own. */
async function hangUp(wire, what)
{
	const got = { rows: [], commands: [], errors: [] };

	wire.socket.end();
	for (let part = await wire.receive(); part.types !== '' || part.status !== null; part = await wire.receive())
	{
		got.rows.push(...part.rows);
		got.errors.push(...part.errors);
	}
	await until(`the server has closed (${what})`, () => wire.ended);
	return got;
}

/*
 * Whatever is still to come, and then the answer to a request of ours; false if the connection
 * is over.  The end is an answer that nothing else here gets: that to "me".
 */
async function catchUp(wire, what)
{
	const secret = stage.ours.key.secret;
	let last = null;

	wire.send(message.sync(), ...stage.request(secret, 'read', 'session_list', [null, null, '50']), ...stage.request(secret, null, 'me'));
	for (;;)
	{
		const got = await wire.receive();

		if (got.status === null)
			return false;
		if (got.rows.some((row) => row.key_id))
			break;
		stage.showsNothing(got, what);
		last = got;
	}
	assert.deepEqual(last.rows.filter((row) => row.organization_id).map((row) => row.id), [stage.ours.session.uuid], what);
	return true;
}

/*
 * Sends what "messagesOf" makes, each time behind a request of theirs on the same connection;
 * returns on how many connections.
 */
async function torment(random, times, messagesOf)
{
	let wire = null;
	let connections = 0;

	for (let i = 0; i < times; i++)
	{
		if (wire === null)
		{
			wire = await stage.open();
			connections++;
		}
		assert.deepEqual(await stage.sessions(wire, stage.theirs), [stage.theirs.session.uuid]);

		const { what, messages } = messagesOf(random);
		const name = `seed ${random.seed}, number ${i}: ${what}`;

		wire.send(...messages);
		if (!await catchUp(wire, name))
		{
			await until(`the connection is over (${name})`, () => wire.ended);
			wire = null;
		}
	}
	await wire?.close();
	return connections;
}

async function isAlive()
{
	assert.equal(await stage.db.value('SELECT 1'), '1');

	const wire = await stage.open();

	assert.deepEqual(await stage.sessions(wire, stage.ours), [stage.ours.session.uuid]);
	assert.deepEqual(await stage.sessions(wire, stage.theirs), [stage.theirs.session.uuid]);
	await wire.close();
}

/* The server has not crashed and come back: that would show here. */
function started()
{
	return stage.db.value('SELECT pg_postmaster_start_time()::text || (SELECT count(*) FROM pg_stat_activity WHERE backend_type = \'checkpointer\')');
}

function seeded(name, run)
{
	test(name, async () =>
	{
		const random = new Random();
		const before = await started();

		console.log(`${name}: seed ${random.seed}`);
		await run(random);
		await isAlive();
		assert.equal(await started(), before);
	});
}

/* ---- any type, any body ---- */

/* What goes ahead of the message, so that it arrives in every state of a session. */
const STATES = {
	'nothing': () => [],
	'a pipeline that is bound': () => stage.request(stage.ours.key.secret, 'read', 'session_list', [null, null, '50']).slice(0, 3),
	'an open portal': () => stage.request(stage.ours.key.secret, 'read', 'session_list', [null, null, '50']).slice(0, 6),
	'a failed pipeline': () => [message.parse('', 'SELECT 1')],
	'a parsed statement': () => [message.parse('', stage.text('session_list'))],
};

function someState(random)
{
	const name = random.of(Object.keys(STATES));

	return { name, messages: STATES[name]() };
}

/* X ends the connection, as it should; the rest ends it or not. */
const FRONTEND_TYPES = [...'QPBEDCSHFdcfpX'];

seeded('messages of every type with random bodies', async (random) =>
{
	await torment(random, 600, () =>
	{
		const state = someState(random);
		const type = random.of(FRONTEND_TYPES);

		return { what: `${type} behind ${state.name}`, messages: [...state.messages, frame(type, random.bytes(random.below(64)))] };
	});
});

seeded('messages of types that there are not', async (random) =>
{
	const types = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !FRONTEND_TYPES.includes(String.fromCharCode(byte)));
	const connections = await torment(random, 80, () =>
	{
		const state = someState(random);
		const byte = random.of(types);
		const sent = frame('x', random.bytes(random.below(16)));

		sent[0] = byte;
		return { what: `type ${byte} behind ${state.name}`, messages: [...state.messages, sent] };
	});

	assert.ok(connections > 70, 'such a message ends the connection');
});

/* ---- real messages, spoiled ---- */

const NAMES = ['', 'session_list', 'authenticate', 'kept', 'x'.repeat(100), '\u00e9', "'", '--'];

function realMessages(random)
{
	const name = random.of(NAMES);
	const secret = stage.ours.key.secret;

	return [
		message.parse(name, stage.text('session_list')), message.parse(name, stage.text('authenticate')), message.bind(name, [null, null, '50'], random.of(NAMES)),
		message.bind(name, stage.credential(secret, 'read'), random.of(NAMES)), message.execute(random.of(NAMES), random.below(3)), message.describe('S', name), message.describe('P', name),
		message.close('S', name), message.close('P', name), message.flush(), message.sync(), message.query(''), message.query('SELECT 1'),
		message.functionCall(random.below(5000), ['x']), message.copyData('1\t2\n'), message.copyDone(), message.copyFail('why'),
		...stage.request(secret, 'read', 'session_list', [null, null, '50']),
	];
}

/* The body with some bytes changed, cut, or made longer, and its length told rightly. */
function spoil(random, whole)
{
	const type = String.fromCharCode(whole[0]);
	const body = Buffer.from(whole.subarray(5));

	switch (random.below(4))
	{
		case 0:
			return frame(type, body.subarray(0, random.below(body.length + 1)));
		case 1:
			return frame(type, body, random.bytes(1 + random.below(20)));
		default:
			for (let i = 0; i <= random.below(4) && body.length > 0; i++)
				body[random.below(body.length)] = random.below(256);
			return frame(type, body);
	}
}

seeded('real messages with bytes changed, cut off and added', async (random) =>
{
	await torment(random, 600, () =>
	{
		const state = someState(random);
		const spoiled = Array.from({ length: 1 + random.below(3) }, () => spoil(random, random.of(realMessages(random))));

		return { what: `${spoiled.map((one) => String.fromCharCode(one[0])).join('')} behind ${state.name}`, messages: [...state.messages, ...spoiled] };
	});
});

seeded('real messages dropped, repeated and out of order', async (random) =>
{
	await torment(random, 600, () =>
	{
		let messages = stage.request(stage.ours.key.secret, 'read', 'session_list', [null, null, '50']);

		for (let i = 0; i < 1 + random.below(4); i++)
		{
			const at = random.below(messages.length);

			switch (random.below(4))
			{
				case 0:
					messages.splice(at, 1);
					break;
				case 1:
					messages.splice(at, 0, messages[random.below(messages.length)]);
					break;
				case 2:
					messages.splice(at, 0, random.of(realMessages(random)));
					break;
				default:
					messages = [...messages.slice(at), ...messages.slice(0, at)];
			}
			if (messages.length === 0)
				messages = [message.sync()];
		}
		return { what: messages.map((one) => String.fromCharCode(one[0])).join(''), messages };
	});
});

/* ---- lengths that are not true ---- */

seeded('lengths that are too small, too large, negative', async (random) =>
{
	for (let i = 0; i < 60; i++)
	{
		const wire = await stage.open();
		const state = someState(random);
		const spoiled = Buffer.from(random.of(realMessages(random)));
		const length = random.of([0, 1, 3, 4, spoiled.length - 2, spoiled.length + 10, 10_000, 0x3fffffff, 0x7fffffff, -1, -0x80000000]);
		const what = `seed ${random.seed}: ${String.fromCharCode(spoiled[0])} of length ${length} behind ${state.name}`;

		assert.deepEqual(await stage.sessions(wire, stage.theirs), [stage.theirs.session.uuid]);
		int32(length).copy(spoiled, 1);
		wire.send(...state.messages, spoiled, ...stage.request(stage.ours.key.secret, 'read', 'session_list', [null, null, '50']));
		stage.showsNothing(await hangUp(wire, what), what);
	}
});

seeded('a connection that ends in the middle of a message', async (random) =>
{
	const changes = () => stage.db.value("SELECT count(*) FROM wa.session WHERE label = 'cut'");

	for (let i = 0; i < 60; i++)
	{
		const wire = await stage.open();
		const whole = Buffer.concat(stage.request(stage.ours.key.secret, 'manage', 'session_create', ['cut', 'f', ...Array(8).fill(null)]));
		const end = random.below(whole.length - 1);

		wire.socket.write(whole.subarray(0, end));
		stage.showsNothing(await hangUp(wire, `seed ${random.seed}: cut at ${end}`), 'cut');
	}
	assert.equal(await changes(), '0', 'without its Sync nothing is committed');
});

test('Terminate in a pipeline undoes it', async () =>
{
	const wire = await stage.open();

	wire.send(...stage.request(stage.ours.key.secret, 'manage', 'session_create', ['terminated', 'f', ...Array(8).fill(null)]).slice(0, -1), message.terminate(), message.sync());
	await hangUp(wire, 'Terminate');
	assert.equal(await stage.db.value("SELECT count(*) FROM wa.session WHERE label = 'terminated'"), '0');

	const other = await stage.open();

	await other.exchange(...stage.request(stage.ours.key.secret, 'manage', 'session_create', ['terminated', 'f', ...Array(8).fill(null)]));
	assert.equal(await stage.db.value("SELECT count(*) FROM wa.session WHERE label = 'terminated'"), '1');
	await stage.db.sql("DELETE FROM wa.session WHERE label = 'terminated'");
	await other.close();
});

test('after all this the server has not been away', async () =>
{
	await isAlive();
	assert.equal(await stage.db.value("SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND xact_start IS NOT NULL", [LOGINS.wa_gateway]), '0');
});
