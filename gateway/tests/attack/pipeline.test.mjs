/*
 * pipeline.test.mjs
 *		What the protocol can do with registered statements: take their names, keep portals,
 *		leave pipelines open, fail in the middle, call functions (P02 P08 P13 P40 P45 P50).
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { emit } from '../e2e/harness/socket.mjs';
import { createKey, createSession } from '../e2e/harness/tenants.mjs';
import { message } from '../e2e/harness/wire.mjs';
import { APP, LOGINS, REFUSED, Stage } from './stage.mjs';

let stage;

before(async () =>
{
	stage = await Stage.set();
});

async function oidOf(signature)
{
	return Number(await stage.db.value('SELECT $1::text::regprocedure::oid', [signature]));
}

/* ---- names, types, portals ---- */

test('a prepared statement\'s name cannot be taken', async () =>
{
	const gateway = await stage.open();
	const poison = (name, text) => gateway.exchange(message.close('S', name), message.parse(name, text), message.sync());

	assert.equal((await gateway.exchange(message.parse('session_list', stage.text('session_list')), message.sync())).error, null);
	assert.equal((await poison('session_list', `SELECT '${stage.theirs.session.uuid}'::uuid AS id`)).error?.code, REFUSED);

	/* what a later request finds under the name is nothing, not somebody's statement */
	const missing = await gateway.exchange(message.bind('session_list', [null, null, '1']), message.execute(), message.sync());

	assert.equal(missing.error?.code, '26000');
	assert.deepEqual(missing.rows, []);

	/* another registered text can be put there, and never be run by that name */
	for (const other of ['me', 'session_get', 'session_delete', 'authenticate'])
	{
		assert.equal((await poison('session_list', stage.text(other))).error, null);

		const got = await gateway.exchange(message.bind('session_list', other === 'me' ? [] : [null]), message.execute(), message.sync());

		assert.notEqual(got.error, null);
		assert.deepEqual(got.rows, []);
		if (other === 'me')
			assert.match(got.error.text, /prepared under another name/);
	}
	await gateway.close();
});

test('types that a client declares for parameters lead to no other function', async () =>
{
	const gateway = await stage.open();
	const text = 25;
	const bytea = 17;
	const record = 2249;

	for (const types of [[text, text], [bytea, text], [record, record], [text]])
	{
		const got = await gateway.exchange(message.parse('', stage.text('authenticate'), types), message.sync());

		assert.notEqual(got.error, null, types.join());
	}
	await gateway.close();
});

test('a context ends with its Sync: what follows it has none', async () =>
{
	const gateway = await stage.open();
	const list = stage.text('session_list');

	gateway.send(...stage.requestOf(stage.ours.key.secret, 'read', list, [null, null, '5']),
		message.parse('', list), message.bind('', [null, null, '5']), message.execute(), message.sync(),
		...stage.requestOf(stage.theirs.key.secret, 'read', list, [null, null, '5']));

	const answers = [await gateway.receive(), await gateway.receive(), await gateway.receive()];

	assert.deepEqual(answers[0].rows.filter((row) => row.id).map((row) => row.id), [stage.ours.session.uuid]);
	assert.equal(answers[1].error?.code, '28000');
	assert.deepEqual(answers[1].rows, []);
	assert.deepEqual(answers[2].rows.filter((row) => row.id).map((row) => row.id), [stage.theirs.session.uuid]);
	await gateway.close();
});

test('a pipeline that is left open binds nobody else\'s key', async () =>
{
	const gateway = await stage.open();
	const list = stage.text('session_list');

	gateway.send(...stage.requestOf(stage.theirs.key.secret, 'read', list, [null, null, '5']).slice(0, -1));

	const next = await gateway.exchange(...stage.requestOf(stage.ours.key.secret, 'read', list, [null, null, '5']));

	assert.match(next.error?.text ?? '', /has served a statement already/);
	assert.ok(next.rows.every((row) => row.id !== stage.ours.session.uuid));
	await gateway.close();
});

test('what follows in an open pipeline is not told which permission the binding lacks', async () =>
{
	const gateway = await stage.open();
	const list = stage.text('session_list');

	gateway.send(...stage.requestOf(stage.ours.key.secret, 'manage', stage.text('webhook_list'), [null, '5']).slice(0, -1));

	// It has no plan yet, and the planner asks for its permissions.
	const { error } = await gateway.exchange(message.parse('', list), message.bind('', [null, null, '5']), message.execute(), message.sync());

	assert.match(error?.text ?? '', /has served a statement already/);
	await gateway.close();
});

test('what was written before a credential ended is not committed after it (P13)', async () =>
{
	const { org } = stage.ours;
	const ends = {
		'nothing': ['SELECT $1::uuid', null],
		'a revocation': ['SELECT wa.revoke_key($1, $2)', '28000'],
		'an expiry': ["UPDATE wa.api_key SET created_at = now() - interval '2 s', expires_at = now() - interval '1 s' WHERE org_id = $1 AND name = $2", '28000'],
		'a permission taken away': ["UPDATE wa.api_key SET permissions = '{read}' WHERE org_id = $1 AND name = $2", '42501'],
	};

	for (const [what, [sql, code]] of Object.entries(ends))
	{
		const wire = await stage.open();
		const secret = await stage.db.value("SELECT secret FROM wa.create_key($1, $2, '{read,manage}')", [org.uuid, what]);
		const made = stage.request(secret, 'manage', 'session_create', [what, 'f', ...Array(8).fill(null)]);

		wire.send(...made.slice(0, -1), message.flush());
		/* its rows are told before it is committed */
		for (let last = null, complete = 0; complete < 2; complete += last.type === 'C' ? 1 : 0)
			last = await wire.next();
		await stage.db.sql(sql, code === null ? [org.uuid] : [org.uuid, what]);

		const got = await wire.exchange(message.sync());

		assert.equal(got.error?.code ?? null, code, what);
		assert.equal(await stage.db.value('SELECT count(*) FROM wa.session WHERE label = $1', [what]), code === null ? '1' : '0', what);
		await wire.close();
	}
});

test('a portal does not outlive its transaction', async () =>
{
	const gateway = await stage.open();
	const got = await gateway.exchange(
		...stage.authenticate(stage.theirs.key.secret),
		message.parse('session_list', stage.text('session_list')), message.bind('session_list', [null, null, '5'], 'kept'), message.sync());

	assert.equal(got.error, null);
	assert.equal((await gateway.exchange(message.execute('kept'), message.sync())).error?.code, '34000');
	await gateway.close();
});

/* Reads until the portal is suspended; returns how many rows came. */
async function untilSuspended(wire)
{
	let rows = 0;

	for (;;)
	{
		const { type } = await wire.next();

		assert.notEqual(type, 'E');
		rows += type === 'D' ? 1 : 0;
		if (type === 's')
			return rows;
	}
}

test('a portal of which the client has read a part is not read on once its key is revoked', async () =>
{
	await createSession(stage.db, stage.ours.org);
	for (const revoked of [false, true])
	{
		const gateway = await stage.open();
		const key = await createKey(stage.db, stage.ours.org, ['read']);

		gateway.send(...stage.authenticate(key.secret),
			message.parse('', stage.text('session_list')), message.bind('', [null, null, '50'], 'half'), message.execute('half', 1),
			message.flush());
		assert.equal(await untilSuspended(gateway), 2);		/* what authenticate answers, and one session */
		if (revoked)
			await stage.db.value('SELECT wa.revoke_key($1::uuid)', [key.uuid]);

		const rest = await gateway.exchange(message.execute('half'), message.sync());

		assert.equal(rest.error?.code, revoked ? '28000' : undefined);
		assert.equal([...rest.types].includes('D'), !revoked);
		await gateway.close();
	}
});

/* ---- waiting for events ---- */

test('who waits for events hears of the organizations whose sockets\' credentials he has, and of no others (P50)', async () =>
{
	const gateway = await stage.open();
	const name = '01234567-89ab-4def-8123-456789abcdef';
	const key = await createKey(stage.db, stage.ours.org, ['events']);
	const wait = async (credentials = [], ms = 0, as = name) =>
	{
		const eight = Array.from({ length: 8 }, (_, i) => credentials[i] ?? null);
		const got = await gateway.execute(stage.text('event_wait'), [as, String(ms), ...eight]);

		assert.equal(got.error, null);
		return got.rows.map(({ org_id, watched }) => [org_id, watched]);
	};
	const opened = await gateway.exchange(...stage.request(key.secret, 'events', 'realtime_open', [null]));
	const { socket } = opened.rows.at(-1);

	/* without a credential: nothing, whatever the others do, and whatever is stimulated */
	assert.deepEqual(await wait(), [[null, 'f']]);
	for (let i = 0; i < 4; i++)
	{
		await Promise.all([emit(stage.db, stage.theirs.org), emit(stage.db, stage.ours.org)]);
		assert.deepEqual(await wait(), [[null, 't']]);
	}
	/* with one: that organization, and not that another was active */
	assert.deepEqual(await wait([socket]), [[null, 't'], [stage.ours.org.uuid, 't']]);
	await emit(stage.db, stage.theirs.org);

	const before = performance.now();
	const waiting = wait([], 500);

	await emit(stage.db, stage.theirs.org);
	assert.deepEqual(await waiting, [[null, 't']]);
	assert.ok(performance.now() - before >= 490, 'another\'s event has ended the wait');
	await Promise.all([emit(stage.db, stage.theirs.org), emit(stage.db, stage.ours.org)]);
	assert.deepEqual(await wait(), [[null, 't'], [stage.ours.org.uuid, 't']]);
	/* named like the organization, as if its events were knocks */
	assert.deepEqual(await wait([], 0, stage.theirs.org.uuid), [[null, 'f']]);
	await emit(stage.db, stage.theirs.org);
	assert.deepEqual(await wait([], 0, stage.theirs.org.uuid), [[null, 't']]);
	/* once the key is revoked: that it is over, and nothing more */
	await wait([socket]);
	await stage.db.value('SELECT wa.revoke_key($1::uuid)', [key.uuid]);
	assert.deepEqual(await wait(), [[null, 't'], [stage.ours.org.uuid, 'f']]);
	await emit(stage.db, stage.ours.org);
	assert.deepEqual(await wait(), [[null, 't']]);
	assert.deepEqual(await wait([socket]), [[null, 't']]);
	await gateway.close();
});

/* ---- a pipeline ---- */

test('knocks do not tell how much others write, nor wake whom they are not for (P50)', async () =>
{
	const KNOCKS = 5000;	/* more than the changes that are kept */
	const gateway = await stage.open();
	const key = await createKey(stage.db, stage.ours.org, ['events']);
	const opened = await gateway.exchange(...stage.request(key.secret, 'events', 'realtime_open', [null]));
	const wait = async (socket, ms = 0) => (await gateway.execute(stage.text('event_wait'),
		['0f234567-89ab-4def-8123-456789abcdef', String(ms), socket, ...Array(7).fill(null)])).rows.map(({ org_id, watched }) => [org_id, watched]);

	await wait(opened.rows.at(-1).socket);
	assert.deepEqual(await wait(null), [[null, 't']]);

	const knocks = await stage.open();
	const knock = (i) => [message.parse('', stage.text('event_knock')),
		message.bind('', [`00000000-0000-4000-8000-${String(i % 500).padStart(12, '0')}`]), message.execute(), message.sync()];

	for (let i = 0; i < KNOCKS; i += 500)
	{
		knocks.send(...Array.from({ length: 500 }, (_, j) => knock(i + j)).flat());
		for (let j = 0; j < 500; j++)
			assert.equal((await knocks.receive()).error, null);
	}
	await emit(stage.db, stage.theirs.org);
	assert.deepEqual(await wait(null), [[null, 't']], 'not that everybody may have changed');

	/* one transaction knocks for one gateway only */
	const many = await knocks.exchange(...[1, 2].flatMap((i) => knock(i).slice(0, -1)), message.sync());

	assert.equal(many.error?.code, '25000');
	await Promise.all([gateway.close(), knocks.close()]);
});

test('behind an authenticate that failed nothing runs', async () =>
{
	const gateway = await stage.open();
	const create = stage.text('session_create');
	const values = ['made in a pipeline', 'f', ...Array(8).fill(null)];
	const count = () => stage.db.value("SELECT count(*) FROM wa.session WHERE label = 'made in a pipeline'");
	const unknown = await stage.db.value("SELECT secret FROM wa.make_secret('api_key')");
	const readOnly = (await createKey(stage.db, stage.ours.org, ['read'])).secret;

	for (const [name, secret, needs, code] of [
		['unknown', unknown, 'manage', '28000'], ['malformed', 'wa_x', 'manage', '22P02'], ['none', null, 'manage', '28000'],
		['not allowed', readOnly, 'manage', '42501'], ['not allowed, and not asked for', readOnly, null, '42501'],
	])
	{
		const got = await gateway.exchange(...stage.requestOf(secret, needs, create, values));

		assert.equal(got.error?.code, code, name);
		assert.equal(got.errors.length, 1, name);
		assert.equal(await count(), '0', name);
	}
	assert.equal((await gateway.exchange(...stage.requestOf(stage.ours.key.secret, 'manage', create, values))).error, null);
	assert.equal(await count(), '1');
	await gateway.close();
});

test('a change whose pipeline fails later is undone', async () =>
{
	const gateway = await stage.open();
	const parts = stage.request(stage.ours.key.secret, 'manage', 'session_create', ['undone', 'f', ...Array(8).fill(null)]).slice(0, -1);
	const got = await gateway.exchange(...parts, message.parse('', 'SELECT 1'), message.sync());

	assert.equal(got.error?.code, REFUSED);
	assert.equal(await stage.db.value("SELECT count(*) FROM wa.session WHERE label = 'undone'"), '0');
	await gateway.close();
});

/* ---- the fast path ---- */

test('a function call without a statement (P02) is refused; an unsealed role can make one', async () =>
{
	const md5 = await oidOf('pg_catalog.md5(text)');
	const setConfig = await oidOf('pg_catalog.set_config(text,text,boolean)');
	const authenticate = await oidOf('wa.authenticate(wa.secret,wa.permissions,text,text)');
	const app = await stage.open(APP);
	const called = await app.exchange(message.functionCall(md5, ['control']));

	assert.equal(called.error, null);
	assert.equal(called.value.toString(), 'fc5364bf9dbfa34954526becad136d4b');

	for (const login of [LOGINS.wa_gateway, LOGINS.wa_connector])
	{
		const sealed = await stage.cluster.open('wa', login);
		const calls = [
			message.functionCall(md5, ['attack']),
			message.functionCall(setConfig, ['work_mem', '1GB', 'f']),
			message.functionCall(authenticate, [stage.theirs.key.secret, 'read', '']),
		];

		for (const call of calls)
		{
			const got = await sealed.exchange(call);

			assert.equal(got.error?.code, REFUSED);
			assert.equal(got.value, undefined);
		}

		await sealed.close();
	}
	await app.close();
});

test('a function call in the middle of a pipeline is refused', async () =>
{
	const md5 = await oidOf('pg_catalog.md5(text)');
	const gateway = await stage.open();
	const [parse, bind, execute] = stage.request(stage.ours.key.secret, 'read', 'me');

	/* the server answers a function call with a ReadyForQuery of its own, and a Sync with another */
	for (const before of [[parse], [parse, bind], [parse, bind, execute], [message.flush()]])
	{
		gateway.send(...before, message.functionCall(md5, ['attack']), message.sync());

		const answers = [await gateway.receive(), await gateway.receive()];

		assert.ok(answers.some((got) => got.error?.code === REFUSED));
		assert.ok(answers.every((got) => got.value === undefined));
	}
	await gateway.close();
});
