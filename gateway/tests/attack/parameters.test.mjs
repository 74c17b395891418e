/*
 * parameters.test.mjs
 *		What a client declares about parameters changes nothing that runs (P44).
 *
 * A Parse message carries, beside the text, how many parameters there are and of which
 * types.  Every registered statement is sent with every kind of lie in every position:
 * the server refuses it, or it is harmless, and the next request on that connection sees
 * its own organization and no other.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { frame, message } from '../e2e/harness/wire.mjs';
import { APP, LOGINS, REFUSED, Stage, told } from './stage.mjs';

let stage, types;

/*
 * Types whose conversions run code, made by somebody who may create in a schema of his
 * own.  The code leaves a row in evil.ran, whoever runs it.
 */
const TYPES_OF_ONES_OWN = `
	CREATE SCHEMA evil;
	CREATE TABLE evil.ran (what text, who name);
	CREATE FUNCTION evil.note(what text) RETURNS boolean LANGUAGE sql VOLATILE SECURITY DEFINER
		BEGIN ATOMIC INSERT INTO evil.ran VALUES (what, session_user) RETURNING true; END;
	CREATE DOMAIN evil.checked_text AS text CHECK (evil.note('domain over text'));
	CREATE DOMAIN evil.checked_uuid AS uuid CHECK (evil.note('domain over uuid'));
	CREATE DOMAIN evil.checked_int AS integer CHECK (evil.note('domain over integer'));
	CREATE DOMAIN evil.checked_secret AS wa.secret CHECK (evil.note('domain over wa.secret'));
	CREATE TYPE evil.pair AS (a text);
	CREATE TYPE evil.word AS ENUM ('read', 'send', 'x');
	CREATE TYPE evil.span AS RANGE (subtype = text);
	CREATE FUNCTION evil.to_text(evil.pair) RETURNS text LANGUAGE sql
		BEGIN ATOMIC SELECT CASE WHEN evil.note('cast to text') THEN 'x' END; END;
	CREATE CAST (evil.pair AS text) WITH FUNCTION evil.to_text(evil.pair) AS IMPLICIT;
	CREATE FUNCTION evil.to_uuid(evil.pair) RETURNS uuid LANGUAGE sql
		BEGIN ATOMIC SELECT CASE WHEN evil.note('cast to uuid') THEN wa.uuid7() END; END;
	CREATE CAST (evil.pair AS uuid) WITH FUNCTION evil.to_uuid(evil.pair) AS IMPLICIT;
	CREATE FUNCTION evil.to_permission(evil.word) RETURNS wa.permission LANGUAGE sql
		BEGIN ATOMIC SELECT CASE WHEN evil.note('cast to wa.permission') THEN 'read'::wa.permission END; END;
	CREATE CAST (evil.word AS wa.permission) WITH FUNCTION evil.to_permission(evil.word) AS IMPLICIT;
	GRANT USAGE ON SCHEMA evil TO PUBLIC`;

/* Declared in place of what belongs there. */
const HOSTILE = [
	'void', 'record', 'cstring', 'internal', 'trigger', 'anyelement', 'anyarray', 'anynonarray', '"any"',
	'regclass', 'regrole', 'regproc', 'regtype', 'regnamespace', 'name', 'text', 'varchar', 'bytea', 'text[]', 'integer', 'bigint', 'numeric',
	'boolean', 'uuid', 'jsonb', 'json', 'timestamptz', 'interval', 'inet', 'oid', 'xid8', 'pg_snapshot', 'int4range', 'wa.secret', 'wa.password', 'wa.permission',
	'wa.permissions', 'wa.message', 'wa.api_key', 'evil.checked_text', 'evil.checked_uuid', 'evil.checked_int', 'evil.checked_secret',
	'evil.pair', 'evil.pair[]', 'evil.word', 'evil.word[]', 'evil.span', 'evil.span[]',
];

const UNKNOWN = 705;
const NO_SUCH_TYPE = 4294967294 | 0;

before(async () =>
{
	stage = await Stage.set();
	await stage.db.sql(TYPES_OF_ONES_OWN);
	types = Object.fromEntries((await stage.db.sql(
		'SELECT name, name::regtype::oid AS oid FROM unnest($1::text[]) name', [`{${HOSTILE.map((name) => JSON.stringify(name)).join(',')}}`]))
		.map((row) => [row.name, Number(row.oid)]));
});

/* Every lie about one statement: [what it is, the types that are declared]. */
function lies({ parameters })
{
	const lies = [
		['one more, unused', [...parameters, types.text]],
		['three more, unused', [...parameters, types['wa.secret'], types['wa.permission'], types.text]],
		['three more of no type', [...parameters, 0, 0, 0]],
		['more than there are', Array(300).fill(types.text)],
		['unused of a type that does not exist', [...parameters, NO_SUCH_TYPE]],
		['all of them void', parameters.map(() => types.void)],
		['in reverse order', [...parameters].reverse()],
	];

	parameters.forEach((own, at) =>
	{
		for (const [name, oid] of Object.entries(types))
			lies.push([`$${at + 1} as ${name}`, parameters.with(at, oid)]);
		lies.push([`$${at + 1} as a type that does not exist`, parameters.with(at, NO_SUCH_TYPE)]);
	});
	return lies.filter(([, declared]) => declared.join() !== parameters.join());
}

/* A part of the truth is the truth: the server infers what is left open, by 0 or as "unknown". */
function truths({ parameters })
{
	return [[], parameters, parameters.slice(0, 1), parameters.map((oid, at) => (at % 2 === 0 ? oid : 0)), parameters.map(() => UNKNOWN)];
}

const values = (count) => Array(count).fill(null);

for (const [role, login] of Object.entries(LOGINS))
{
	test(`${login}: no statement can be parsed with other parameters than its own, and all lies get one answer`, async () =>
	{
		const wire = await stage.open(role);
		const parsed = [];
		const answers = new Map();
		let tried = 0;

		for (const statement of stage.statements.filter((one) => one.role_name === role))
		{
			for (const [what, declared] of lies(statement))
			{
				const got = await wire.exchange(
					message.parse('', statement.source, declared), message.bind('', values(declared.length)), message.execute(), message.sync());

				tried++;
				answers.set(told(got), what);
				if (got.types.startsWith('1') || got.rows.length > 0 || got.status !== 'I')
					parsed.push(`${statement.name}: ${what}: ${got.error?.code} ${got.types}`);
			}
			if (role === 'wa_gateway')
				assert.deepEqual(await stage.sessions(wire, stage.theirs), [stage.theirs.session.uuid], statement.name);
		}
		assert.deepEqual(parsed, []);
		/* which would otherwise be the names of types, and so of tables, by their numbers */
		assert.deepEqual([...answers.values()].slice(1), []);
		assert.match([...answers.keys()][0], /registered with other parameters/);
		assert.ok(tried > 1000, `${tried} were tried`);
		await wire.close();
	});

	test(`${login}: its statements can be parsed as they are, whether their types are declared or not`, async () =>
	{
		const wire = await stage.open(role);

		for (const statement of stage.statements.filter((one) => one.role_name === role))
			for (const declared of truths(statement))
				assert.equal((await wire.exchange(message.parse('', statement.source, declared), message.sync())).error, null, statement.name);
		await wire.close();
	});
}

test('no code of a type of one\'s own has run for a sealed login; for another it does', async () =>
{
	const app = await stage.open(APP);
	const control = 'SELECT $1::text';

	assert.deepEqual(await stage.db.sql('SELECT * FROM evil.ran'), []);
	await app.exchange(message.parse('', control, [types['evil.pair']]), message.bind('', ['(x)']), message.execute(), message.sync());
	await app.exchange(message.parse('', control, [types['evil.checked_text']]), message.bind('', ['x']), message.execute(), message.sync());
	assert.deepEqual((await stage.db.sql('SELECT what, who FROM evil.ran ORDER BY what')).map((row) => `${row.who}: ${row.what}`),
		[`${APP}: cast to text`, `${APP}: domain over text`]);
	await app.close();
});

test('names of roles cannot be tried out by declaring them', async () =>
{
	const wire = await stage.open();
	const answers = [];

	for (const name of ['postgres', 'nobody_of_this_name'])
	{
		const got = await wire.exchange(message.parse('', stage.text('message_send'), [types.regrole]),
			message.bind('', [name, ...values(stage.statement('message_send').parameters.length - 1)]), message.execute(), message.sync());

		assert.notEqual(got.error, null);
		answers.push(told(got));
	}
	assert.equal(answers[0], answers[1]);
	await wire.close();
});

/* A Bind of the unnamed statement with these format codes, values and format codes of the result. */
function bindWith(formats, list, resultFormats = [])
{
	const int16s = (numbers) => Buffer.concat([numbers.length, ...numbers].map((number) => { const out = Buffer.alloc(2); out.writeInt16BE(number); return out; }));
	const length = (number) => { const out = Buffer.alloc(4); out.writeInt32BE(number); return out; };
	const data = list.map((value) => (value === null ? length(-1) : Buffer.concat([length(value.length), Buffer.from(value)])));

	return frame('B', Buffer.from([0, 0]), int16s(formats), int16s([]).fill(list.length, 1), ...data, int16s(resultFormats));
}

/* Binds that do not fit a statement of so many parameters: [what is wrong, the message, whether it has to be refused]. */
function misfits(count)
{
	const texts = (number) => Array(number).fill('x');

	return [
		['one value more', message.bind('', values(count + 1)), true],
		['hundreds more', message.bind('', values(count + 300)), true],
		['one value less', message.bind('', values(Math.max(count - 1, 0))), count > 0],
		['no value', message.bind('', []), count > 0],
		['one format too many', bindWith(Array(count + 2).fill(0), values(count)), true],
		['a format that there is not', bindWith([7], texts(count)), count > 0],
		['a negative format', bindWith([-1], texts(count)), count > 0],
		['a format of the result that there is not', bindWith([], values(count), [7]), false],
		['more formats of the result than columns', bindWith([], values(count), Array(99).fill(0)), true],
		['texts in binary', bindWith([1], texts(count)), false],
		['three bytes in binary', bindWith([1], Array(count).fill('\0\x01\x02')), false],
		['empty values in binary', bindWith([1], Array(count).fill('')), false],
		['empty texts', bindWith([0], Array(count).fill('')), false],
		['lengths that are larger than the message', frame('B', Buffer.from([0, 0, 0, 0, 0, 1, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0])), true],
	];
}

test('a wrong number of values, or formats that do not fit, are refused or harm nobody, with every statement', { timeout: 300_000 }, async () =>
{
	const bindings = { wa_gateway: stage.authenticate(stage.ours.key.secret, '{read,send,manage,events}'), wa_worker: [], wa_connector: [] };
	let tried = 0;

	for (const role of Object.keys(LOGINS))
	{
		let wire = await stage.open(role);
		const theirs = await stage.open();

		for (const { name, source, parameters } of stage.statements.filter((one) => one.role_name === role && one.name !== 'event_wait'))
		{
			for (const [what, bind, isRefused] of misfits(parameters.length))
			{
				const got = await wire.exchange(...bindings[role], message.parse('', source), bind, message.execute(), message.sync());

				tried++;
				stage.showsNothing(got, `${role}: ${name}: ${what}`);
				if (isRefused)
					assert.notEqual(got.error, null, `${role}: ${name}: ${what}`);
				assert.equal(got.status ?? 'I', 'I', `${role}: ${name}: ${what}`);
				if (got.status === null)
					wire = await stage.open(role);
			}
			if (role === 'wa_gateway')
				assert.deepEqual(await stage.sessions(wire, stage.theirs), [stage.theirs.session.uuid], name);
		}
		assert.deepEqual(await stage.sessions(theirs, stage.theirs), [stage.theirs.session.uuid]);
		await wire.close();
		await theirs.close();
	}
	assert.ok(tried > 1000, `${tried} were tried`);
});

test('a statement without parameters that is declared with unused ones does not pass for authenticate (P45)', async () =>
{
	const wire = await stage.open();
	const declared = stage.statement('authenticate').parameters;

	/* bound to ours, in a pipeline that does not end; what stands under "authenticate" then is another text */
	wire.send(
		...stage.authenticate(stage.ours.key.secret),
		message.parse('authenticate', stage.text('me'), declared));

	/* the victim's request, by the names that the gateway uses */
	const got = await wire.exchange(
		message.bind('authenticate', stage.credential(stage.theirs.key.secret, 'read')), message.execute(),
		message.parse('', stage.text('session_list')), message.bind('', [null, null, '50']), message.execute(), message.sync());

	assert.equal(got.error?.code, REFUSED);
	assert.ok(!told(got).includes(stage.ours.session.uuid));
	assert.deepEqual(await stage.sessions(wire, stage.theirs), [stage.theirs.session.uuid]);
	await wire.close();
});

test('a statement that is analyzed again, because what it uses has changed, is the same one', async () =>
{
	const wire = await stage.open();
	const changes = ['ALTER TABLE wa.session ALTER COLUMN label SET STATISTICS 50', 'ALTER TABLE wa.session RESET (fillfactor)', 'GRANT SELECT ON wa.session TO wa_gateway'];
	const run = () => wire.exchange(
		message.bind('authenticate', stage.credential(stage.ours.key.secret, 'read')), message.execute(),
		message.bind('session_list', [null, null, '50']), message.execute(), message.sync());

	for (const name of ['authenticate', 'session_list'])
		await wire.exchange(message.parse(name, stage.text(name)), message.sync());
	for (const change of ['SELECT 1', ...changes])
	{
		await stage.db.sql(change);

		const got = await run();

		assert.equal(got.error, null, change);
		assert.equal(JSON.stringify(got.rows).includes(stage.ours.session.uuid), true, change);
	}

	/* and what is a stranger's by then is refused by then */
	await stage.db.sql(`ALTER EXTENSION wa_apikeys DROP TABLE wa.session; ${changes[0]}`);
	assert.match((await run()).error?.text ?? '', /^this statement uses table wa\.session/);
	await stage.db.sql(`ALTER EXTENSION wa_apikeys ADD TABLE wa.session; ${changes[0]}`);
	assert.equal((await run()).error, null);
	await wire.close();
});
