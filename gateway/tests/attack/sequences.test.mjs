/*
 * sequences.test.mjs
 *		Two organizations' keys on one sealed connection, in every order of messages
 *		(P02 P08 P40 P41).
 *
 * A generator makes pipelines of what the gateway uses and of what it does not: named and
 * unnamed statements and portals, parts of portals, Describe, Close, Flush, errors, empty
 * queries, function calls, requests without a Sync between them.  A model says what each may
 * answer:
 *
 *	- rows belong to the organization that was bound in that transaction, and are the right
 *	  number of them
 *	- nothing is answered after an error until Sync
 *	- nothing is read without authenticate, and behind it one statement is
 *
 * WA_SEED=number repeats a run.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Random } from '../e2e/harness/random.mjs';
import { createSession } from '../e2e/harness/tenants.mjs';
import { message } from '../e2e/harness/wire.mjs';
import { BINDING_COLUMNS, Stage, marks, told } from './stage.mjs';

const SEQUENCES = 2000;
const SESSIONS = 3;

let stage, tenants, unknown, keepsOpen;

before(async () =>
{
	stage = await Stage.set(['wa.transaction_timeout = 60s', 'wa.idle_in_transaction_timeout = 60s']);
	tenants = { ours: stage.ours, theirs: stage.theirs };
	for (const tenant of Object.values(tenants))
	{
		tenant.ids = [tenant.session.uuid];
		while (tenant.ids.length < SESSIONS)
			tenant.ids.push((await createSession(stage.db, tenant.org)).uuid);
	}
	/*
	 * Since 18 an empty query does not end a transaction that has run something.  Nor does
	 * Sync right behind it, although its answer says so: the next command fails and ends it.
	 */
	keepsOpen = Number(await stage.db.value('SHOW server_version_num')) >= 180000;
	unknown = await stage.db.value("SELECT secret FROM wa.make_secret('api_key')");
});

/* ---- the model ---- */

/*
 * What the session knows: statements with names outlive a transaction, portals and the
 * identity do not.  "answers" are the parts of the stream that end with ReadyForQuery; each
 * has the rows that it must have, and whether it ends with an error.
 */
class Model
{
	constructor()
	{
		this.statements = new Map(['authenticate', 'session_list', 'session_get'].map((text) => [text, { text, planned: false }]));
		this.answers = [];
		this.messages = [];
		this.hanging = false;
		this.begin();
	}

	begin()
	{
		this.bound = null;
		this.served = false;
		this.executed = false;
		this.loose = false;	/* an empty query came last, and the transaction is open */
		this.failed = false;
		this.portals = new Map();
		this.rows = [];
	}

	/* A message, and what it does unless an error has come before. */
	say(sent, effect = () => {})
	{
		const type = String.fromCharCode(sent[0]);

		this.messages.push(sent);
		if (this.failed)
			return;
		if (!['C', 'H'].includes(type))
		{
			if (this.hanging)
			{
				this.failHanging(type);
				return;
			}
			this.loose = false;
		}
		effect();
	}

	/* A command in a transaction that Sync did not end. */
	failHanging(type)
	{
		this.hanging = false;
		this.fail();
		if (['Q', 'F'].includes(type))
			this.end();
	}

	fail()
	{
		this.failed = true;
	}

	/* A statement runs for the first time; an identity is good for one. */
	serve()
	{
		if (this.served)
			this.fail();
		this.served = this.bound !== null;
	}

	/* A ReadyForQuery, with its status: I behind the end of the transaction, T in it. */
	ready(status)
	{
		this.answers.push({ rows: this.rows, failed: this.failed, status });
		this.rows = [];
	}

	end()
	{
		this.ready('I');
		this.begin();
	}
}

/* The ids that a statement answers to somebody, in order. */
function answerTo(who, portal)
{
	const ids = [...tenants[who].ids].sort().reverse();

	return portal.statement === 'session_list' ? ids : ids.filter((id) => id === portal.id);
}

/* ---- what can be sent ---- */

const PORTALS = ['', 'a', 'b'];

function parse(model, random)
{
	const own = random.of(['authenticate', 'session_list', 'session_get']);
	const name = random.of(['', own, own, 'another']);

	model.say(message.parse(name, stage.text(own)), () =>
	{
		if (name !== '' && model.statements.has(name))
			model.fail();
		else
			model.statements.set(name, { text: own, planned: false });
	});
}

function parseOther(model, random)
{
	const sql = random.of(['SELECT 1', 'SELECT * FROM wa.session', 'BEGIN', 'SELECT', 'no SQL', 'SELECT 1; SELECT 2']);

	/* a text that fails is nobody's statement: the unnamed one is gone */
	model.say(message.parse('', sql), () => { model.statements.delete(''); model.fail(); });
}

function bind(model, random)
{
	const name = random.of(['session_list', 'session_list', 'session_list', 'session_get', 'session_get', '', 'another']);
	const portal = random.of(PORTALS);
	const id = random.of([...stage.ours.ids, ...stage.theirs.ids]);
	const statement = model.statements.get(name);
	const values = { session_list: [null, null, '50'], session_get: [id], authenticate: stage.credential(unknown, 'read') }[statement?.text] ?? [null];

	model.say(message.bind(name, values, portal), () =>
	{
		if (statement === undefined || (portal !== '' && model.portals.has(portal)) || isRefused(model, name, statement))
		{
			model.fail();
			return;
		}
		statement.planned = true;
		model.portals.set(portal, { statement: statement.text, id, left: null });
	});
}

/*
 * The planner asks for the organization already, and plans nothing where a statement was served.
 * A plan is kept; the name is asked for each time.
 */
function isRefused(model, name, { text, planned })
{
	return (name !== '' && name !== text) || (!planned && (model.served || (text !== 'authenticate' && model.bound === null)));
}

function bindWrongly(model, random)
{
	const [name, values] = random.of([['session_list', []], ['session_get', ['no uuid']], ['none', []], ['session_list', [null, null, 'x']], ['session_get', [Buffer.alloc(3)]]]);

	model.say(message.bind(name, values), () => model.fail());
}

function execute(model, random)
{
	/* mostly one that is there */
	const name = random.of([...model.portals.keys(), ...model.portals.keys(), ...model.portals.keys(), random.of(PORTALS)]);
	const most = random.of([0, 0, 1, 2, 3]);

	model.say(message.execute(name, most), () =>
	{
		const portal = model.portals.get(name);

		if (portal?.left === null)
			model.serve();
		/* one of authenticate that was not run yet is bound to a key that there is not */
		if (model.failed || portal === undefined || (portal.left === null && (portal.statement === 'authenticate' || model.bound === null)))
		{
			model.fail();
			return;
		}
		model.executed = true;
		portal.left ??= answerTo(model.bound, portal);
		model.rows.push(...portal.left.splice(0, most === 0 ? SESSIONS : most));
	});
}

/* In the unnamed portal, as the gateway does. */
function authenticate(model, random)
{
	const anybody = random.of(['ours', 'theirs', 'ours', 'theirs', 'ours', 'theirs', 'unknown', 'nobody', 'malformed']);
	/* often the same once more: that is allowed */
	const who = random.of([anybody, model.bound ?? anybody]);
	const secret = tenants[who]?.key.secret ?? { unknown, nobody: null, malformed: 'wa_x' }[who];

	model.say(message.bind('authenticate', stage.credential(secret, random.of(['read', null]))), () =>
	{
		const statement = model.statements.get('authenticate');

		if (who === 'malformed' || statement === undefined || isRefused(model, 'authenticate', statement))
		{
			model.fail();
			return;
		}
		statement.planned = true;
		model.portals.set('', { statement: 'authenticate', left: null });
	});
	model.say(message.execute(), () =>
	{
		model.serve();
		if (model.failed || !tenants[who] || (model.bound !== null && model.bound !== who))
			model.fail();
		else
		{
			model.bound = who;
			model.executed = true;
			model.portals.get('').left = [];
		}
	});
}

/* A whole request, read in parts. */
function request(model, random)
{
	if (model.bound === null)
		authenticate(model, random);
	bind(model, random);
	execute(model, random);
	execute(model, random);
}

function describe(model, random)
{
	const name = random.of(PORTALS);

	if (random.below(2) === 0)
		model.say(message.describe('P', name), () => { if (!model.portals.has(name)) model.fail(); });
	else
		model.say(message.describe('S', name), () => { if (!model.statements.has(name)) model.fail(); });
}

function close(model, random)
{
	const name = random.of([...PORTALS, 'another']);

	if (random.below(2) === 0)
		model.say(message.close('P', name), () => model.portals.delete(name));
	else
		model.say(message.close('S', name), () => model.statements.delete(name));
}

function sync(model)
{
	model.messages.push(message.sync());
	model.hanging ||= model.loose;
	model.end();
}

/* These end the transaction without a Sync, or answer in it; behind an error they are not looked at. */
function emptyQuery(model)
{
	model.say(message.query(''), () =>
	{
		model.statements.delete('');
		if (!keepsOpen || !model.executed)
			model.end();
		else
		{
			model.ready('T');
			model.loose = true;
		}
	});
}

function callFunction(model)
{
	model.say(message.functionCall(1299, []), () => { model.fail(); model.end(); });
}

function refusedQuery(model)
{
	model.say(message.query('SELECT 1'), () => { model.statements.delete(''); model.fail(); model.end(); });
}

/* What is chosen from; what matters more is there more often. */
const STEPS = [
	...Array(8).fill(request), ...Array(5).fill(authenticate), ...Array(4).fill(bind), ...Array(6).fill(execute), ...Array(7).fill(sync), parse, parse, describe, close,
	parseOther, bindWrongly, emptyQuery, callFunction, refusedQuery, (model) => model.say(message.flush()),
];

/* ---- the run ---- */

/* A message for people: its type, and the beginning of what it says. */
const shorten = (one) => String.fromCharCode(one[0]) + one.toString('latin1', 5, 25).replace(/[^ -~]+/g, '.');

/* What the server answered must be what the model says, answer by answer. */
async function check(wire, model, what)
{
	for (const [i, expected] of model.answers.entries())
	{
		const got = await wire.receive();
		const where = `${what}, answer ${i}: ${told(got)}`;
		const ids = got.rows.map((row) => (Array.isArray(row) ? row : Object.values(row))).filter((row) => row.length > BINDING_COLUMNS).map(([id]) => id);

		assert.equal(got.status, expected.status, where);
		assert.equal(got.errors.length, expected.failed ? 1 : 0, where);
		assert.match(got.types, expected.failed ? /EZ$/ : /^[^E]*Z$/, where);
		assert.deepEqual(ids, expected.rows, where);
	}
	return model.answers;
}

test('every sequence answers what the model says, and to nobody else', async () =>
{
	const random = new Random();
	const wire = await stage.open();
	const seen = { ours: 0, theirs: 0, failed: 0, answers: 0 };

	console.log(`sequences: seed ${random.seed}`);
	for (let i = 0; i < SEQUENCES; i++)
	{
		const model = new Model();

		wire.send(message.close('S', ''), message.close('S', 'another'),
			...['authenticate', 'session_list', 'session_get'].flatMap((name) => [message.close('S', name), message.parse(name, stage.text(name))]), message.sync());
		assert.equal((await wire.receive()).error, null);
		for (let length = 4 + random.below(20); length > 0; length--)
			random.of(STEPS)(model, random);
		sync(model);
		if (model.hanging)
			refusedQuery(model);
		wire.send(...model.messages);
		for (const { rows, failed } of await check(wire, model, `seed ${random.seed}, sequence ${i}: ${model.messages.map(shorten).join(' ')}`))
		{
			seen.answers++;
			seen.failed += failed ? 1 : 0;
			for (const [who, { ids }] of Object.entries(tenants))
				seen[who] += rows.some((id) => ids.includes(id)) ? 1 : 0;
		}
	}
	/* the generator does make what it is there for */
	for (const [name, count] of Object.entries(seen))
		assert.ok(count > SEQUENCES / 20, `${name}: ${count}`);
	await wire.close();
});

/* ---- all statements, any values ---- */

/* What waits on purpose, or works for long. */
const SLOW = ['event_wait', 'auth_sign_in', 'auth_accept', 'auth_password'];

/* Values that fit, by the type's OID; ids are of both organizations. */
function fitting(type)
{
	const { ours, theirs } = tenants;
	const text = ['', 'x', 'text', 'read', 'working', 'https://example.com/', ours.chat.jid, '15551234567', 'x'.repeat(5000), '\u00e9\u{1f600}', 'a,b', 'message.received'];

	return {
		16: ['t', 'f'], 20: ['0', '1', '50', '-1', '9223372036854775807'], 23: ['0', '1', '50', '-1', '2147483647'], 25: text,
		1009: ['{}', '{a,b}', '{read}', '{message.received}', '{NULL}'], 1184: ['now', 'infinity', '-infinity', '2020-01-01'], 1186: ['0', '1 day', '-1 day'],
		2950: [...ours.ids, ...theirs.ids, ours.message.uuid, theirs.message.uuid, theirs.org.uuid, theirs.key.uuid, ours.key.uuid, '00000000-0000-0000-0000-000000000000'],
		3802: ['{}', '[]', '{"text":"x"}', '{"text":""}', '{"emoji":"x"}', 'null', '"x"'],
	}[type] ?? text;
}

const ANYTHING = ['', 'x', '-1', '{}', '\u{1f600}', Buffer.alloc(0), Buffer.alloc(4), Buffer.alloc(16)];

/* Mostly what fits, else nothing, a key, or what does not fit. */
function someValue(random, type)
{
	const choice = random.below(20);

	if (choice < 15)
		return random.of(fitting(type));
	return choice < 18 ? null : random.of([...ANYTHING, unknown, tenants.ours.key.secret]);
}

test('no registered statement, whatever its values, shows or changes another organization\'s rows', async () =>
{
	const random = new Random();
	const statements = stage.statements.filter(({ role_name, name }) => role_name === 'wa_gateway' && !SLOW.includes(name));
	const tables = (await stage.db.sql("SELECT attrelid::regclass AS name FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE attname = 'org_id' AND relkind = 'r' AND relnamespace = 'wa'::regnamespace ORDER BY 1")).map((row) => row.name);
	const state = async () => JSON.stringify(await Promise.all(tables.map((name) =>
		stage.db.value(`SELECT md5(COALESCE(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM ${name} t WHERE org_id = $1`, [tenants.theirs.org.uuid]))));
	/* ids were told to us; what only the rows hold was not */
	const secrets = marks(tenants.theirs).filter((mark) => / of Theirs$/.test(mark));
	let wire = await stage.open();
	let answered = 0;

	assert.equal(secrets.length, 2);
	assert.ok(tables.length > 8);
	console.log(`all statements: seed ${random.seed}`);

	/* the use of a key is written down with the key; so theirs is not used here */
	const before = await state();

	for (let i = 0; i < SEQUENCES; i++)
	{
		const some = Array.from({ length: 1 + random.below(3) }, () => random.of(statements));
		const what = `seed ${random.seed}, number ${i}: ${some.map((one) => one.name).join(', ')}`;
		const credential = random.below(8) === 0 ? [] : stage.request(tenants.ours.key.secret, null, 'me').slice(0, 3);

		wire.send(...credential);
		for (const { source, parameters } of some)
			wire.send(message.parse('', source), message.bind('', parameters.map((type) => someValue(random, type))), message.execute('', random.below(3)));
		wire.send(message.sync());

		const got = await wire.receive();

		assert.equal(got.status, 'I', what);
		assert.equal(got.errors.length, got.types.includes('E') ? 1 : 0, what);
		for (const secret of secrets)
			assert.ok(!told(got).includes(secret), what);
		answered += got.error ? 0 : 1;
	}
	assert.equal(await state(), before);
	assert.ok(answered > SEQUENCES / 20, `${answered} were answered`);
	await wire.close();

	/* the control: with their key all of it is there */
	wire = await stage.open();

	const got = await wire.exchange(...stage.request(tenants.theirs.key.secret, 'read', 'session_list', [null, null, '50']));

	assert.ok(secrets.some((secret) => told(got).includes(secret)));
	await wire.close();
});
