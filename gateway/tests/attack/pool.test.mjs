/*
 * pool.test.mjs
 *		Nothing is left behind for the next request on a connection (P08 P16 P30 P31).
 *
 * The gateway's connections serve one organization after the other.  After each attempt of
 * ours, the next request there, with the key of theirs, sees exactly its own organization,
 * and the server keeps nothing for that session.  The controls leave the same things behind
 * on the connection of a login that is not sealed.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { message } from '../e2e/harness/wire.mjs';
import { APP, LOGINS, REFUSED, Stage, told } from './stage.mjs';

let stage;

before(async () =>
{
	stage = await Stage.set();
	await stage.db.sql('GRANT TEMPORARY ON DATABASE wa TO PUBLIC');		/* for the controls */
});

/* What is left, the SQL that leaves it, and what finds it in the same session afterwards. */
const LEFT = [
	['a temporary table that hides one of ours', 'CREATE TEMPORARY TABLE session (id uuid)', "SELECT count(*) FROM pg_class WHERE relname = 'session' AND relpersistence = 't'"],
	['a temporary function', "CREATE FUNCTION pg_temp.left_behind() RETURNS int LANGUAGE sql AS 'SELECT 1'", "SELECT count(*) FROM pg_proc WHERE proname = 'left_behind'"],
	['a prepared statement', 'PREPARE session_list AS SELECT 1', "SELECT count(*) FROM pg_prepared_statements WHERE name = 'session_list'"],
	['a cursor that is held', 'DECLARE kept CURSOR WITH HOLD FOR SELECT 1', "SELECT count(*) FROM pg_cursors WHERE name = 'kept'"],
	['a listener', 'LISTEN kept', 'SELECT count(*) FROM pg_listening_channels()'],
	['an advisory lock', 'SELECT pg_advisory_lock(1)', "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"],
	['a shared advisory lock', 'SELECT pg_advisory_lock_shared(2)', "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 2 AND pid = pg_backend_pid()"],
	['a large object', 'SELECT lo_create(4711)', 'SELECT count(*) FROM pg_largeobject_metadata WHERE oid = 4711'],
	['a setting', "SET search_path = 'public'", "SELECT (current_setting('search_path') = 'public')::int"],
	['a setting of one\'s own', "SELECT set_config('left.behind', 'x', false)", "SELECT (current_setting('left.behind', true) = 'x')::int"],
	['a role', 'SET ROLE wa_app', "SELECT (current_user = 'wa_app')::int"],
	['a random seed', 'SELECT setseed(0.5)', 'SELECT (random() BETWEEN 0.9851677175347999 - 1e-9 AND 0.9851677175347999 + 1e-9)::int'],
	['a name that others see', "SET application_name = 'left'", "SELECT (current_setting('application_name') = 'left')::int"],
	['a time zone', "SET timezone = 'Asia/Tokyo'", "SELECT (current_setting('timezone') = 'Asia/Tokyo')::int"],
	['a transaction', 'BEGIN', "SELECT (now() <> clock_timestamp() AND pg_current_xact_id_if_assigned() IS NULL)::int"],
	['a default of transactions', 'SET default_transaction_read_only = on', "SELECT (current_setting('default_transaction_read_only') = 'on')::int"],
];

/* What the server knows of a session from outside. */
async function keeps(wire)
{
	const [one] = await stage.db.sql(`
		SELECT (SELECT count(*) FROM pg_locks WHERE pid = a.pid) AS locks, a.state, a.xact_start, a.backend_xmin, a.application_name,
			(SELECT count(*) FROM pg_class WHERE relpersistence = 't') AS temporary, (SELECT count(*) FROM pg_largeobject_metadata) AS objects
		FROM pg_stat_activity a WHERE pid = $1`, [String(wire.backend.pid)]);

	return one;
}

for (const [what, sql, look] of LEFT)
{
	test(`no sealed login leaves ${what} behind; an unsealed one does (P08)`, async () =>
	{
		for (const role of Object.keys(LOGINS))
		{
			const wire = await stage.open(role);
			const before = await keeps(wire);

			for (const messages of [[message.query(sql)], [message.parse('', sql), message.bind(''), message.execute(), message.sync()],
				[message.parse('left', sql), message.sync()], [message.parse('session_list', sql), message.sync()]])
				assert.equal((await wire.exchange(...messages)).error?.code, REFUSED);
			if (role === 'wa_gateway')
			{
				/* behind ours, in its own transaction */
				await wire.exchange(...stage.request(stage.ours.key.secret, 'read', 'session_list', [null, null, '50']).slice(0, -1),
					message.parse('', sql), message.bind(''), message.execute(), message.sync());
				assert.deepEqual(await stage.sessions(wire, stage.theirs), [stage.theirs.session.uuid]);
			}
			assert.deepEqual(await keeps(wire), before);
			await wire.close();
		}

		const app = await stage.open(APP);

		assert.equal((await app.exchange(message.query(sql))).error, null);
		assert.equal(await app.value(look), '1');
		if (what.includes('large object'))
			await app.sql('SELECT lo_unlink(4711)');
		await app.close();
	});
}

/* ---- what the protocol itself keeps ---- */

/* The parts of a request of ours, each cut off somewhere, with an end that is no Sync or one. */
function leftovers()
{
	const secret = stage.ours.key.secret;
	const authenticate = stage.authenticate(secret);
	const list = (portal = '', statement = '') => [message.parse(statement, stage.text('session_list')), message.bind(statement, [null, null, '50'], portal)];

	return {
		'an unnamed statement': [...authenticate, message.parse('', stage.text('session_list')), message.sync()],
		'an unnamed portal': [...authenticate, ...list(), message.sync()],
		'an unnamed portal that was run in part': [...authenticate, ...list(), message.execute('', 1), message.sync()],
		'a portal with a name': [...authenticate, ...list('kept'), message.execute('kept', 1), message.sync()],
		'a named statement': [...authenticate, ...list('', 'session_list'), message.execute(), message.sync()],
		'a portal, and an error': [...authenticate, ...list('kept'), message.parse('', 'SELECT 1'), message.sync()],
		'a portal, and an empty query': [...authenticate, ...list('kept'), message.query('')],
		'a portal that is closed': [...authenticate, ...list('kept'), message.close('P', 'kept'), message.sync()],
		'a bound statement of authenticate': [message.parse('', stage.text('authenticate')), message.bind('', stage.credential(secret, 'read'), 'kept'), message.sync()],
		'authenticate alone': [...authenticate, message.sync()],
		'what was described': [...authenticate, ...list(), message.describe('P', ''), message.describe('S', ''), message.sync()],
	};
}

/* What somebody would send who wants to go on where another has stopped. */
const GOES_ON = [
	[message.execute()], [message.execute('kept')], [message.describe('P', ''), message.execute()], [message.bind(''), message.execute()],
	[message.bind('', [null, null, '50']), message.execute()], [message.bind('session_list', [null, null, '50']), message.execute()], [message.execute('', 1)],
];

test('what the protocol keeps of a request shows nothing to the next one (P08)', async () =>
{
	for (const [name, left] of Object.entries(leftovers()))
	{
		const wire = await stage.open();

		for (const more of GOES_ON)
		{
			await wire.exchange(message.close('S', 'session_list'), message.close('S', ''), message.sync());
			await wire.exchange(...left);

			const got = await wire.exchange(...more, message.sync());

			assert.notEqual(got.error, null, name);
			assert.deepEqual(got.rows, [], name);
			assert.ok(!told(got).includes(stage.ours.session.uuid), name);
			/* the next request as the gateway makes it */
			assert.deepEqual(await stage.sessions(wire, stage.theirs), [stage.theirs.session.uuid], name);
		}
		await wire.close();
	}
});

test('the control: within its transaction a portal does go on', async () =>
{
	const wire = await stage.open();
	const got = await wire.exchange(...leftovers()['a portal with a name'].slice(0, -1), message.execute('kept'), message.sync());

	assert.equal(got.error, null);
	assert.ok(told(got).includes(stage.ours.session.uuid));
	await wire.close();
});

/* ---- NOTIFY (P16) ---- */

test('nobody listens to what is ours, because nothing is notified (P16)', async () =>
{
	const app = await stage.open(APP);
	const wire = await stage.open();

	/* the control: what an application notifies, another hears */
	await app.sql('LISTEN anything');
	await stage.db.sql("NOTIFY anything, 'told'");

	const heard = await app.exchange(message.query('SELECT 1'));

	assert.ok(heard.types.includes('A'));
	for (const channel of ['wa', 'wa_event', 'wa_message', 'event', 'events', 'message'])
		await app.sql(`LISTEN ${channel}`);
	const sent = await wire.exchange(...stage.request(stage.theirs.key.secret, 'send', 'message_send',
		[stage.theirs.session.uuid, stage.theirs.chat.jid, 'text', '{"text":"x"}', null, null, null]));

	assert.equal(sent.error, null);
	assert.ok(!(await app.exchange(message.query('SELECT 1'))).types.includes('A'));
	assert.equal(await stage.db.value("SELECT count(*) FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid JOIN pg_extension e ON e.oid = d.refobjid AND extname = 'wa_apikeys' WHERE prosrc ~* '(pg_notify|NOTIFY )'"), '0');
	await Promise.all([app.close(), wire.close()]);
});

/* ---- siblings (P14, P15) ---- */

test('no sealed login sees or ends what its siblings do (P14, P15)', async () =>
{
	const sibling = await stage.open();

	for (const role of Object.keys(LOGINS))
	{
		const wire = await stage.open(role);

		for (const sql of ['SELECT query FROM pg_stat_activity', 'SELECT * FROM pg_stat_get_activity(NULL)', `SELECT pg_cancel_backend(${sibling.backend.pid})`,
			`SELECT pg_terminate_backend(${sibling.backend.pid})`, 'SELECT * FROM pg_locks', 'SELECT * FROM pg_prepared_statements', 'SELECT * FROM pg_cursors'])
			assert.equal((await wire.exchange(message.query(sql))).error?.code, REFUSED, sql);
		await wire.close();
	}
	assert.deepEqual(await stage.sessions(sibling, stage.ours), [stage.ours.session.uuid]);

	/* the control */
	const app = await stage.open(APP);
	const other = await stage.open(APP);

	await other.sql("SELECT 'what a sibling says'");
	assert.match(JSON.stringify(await app.sql('SELECT query FROM pg_stat_activity')), /what a sibling says/);
	assert.equal(await app.value(`SELECT pg_terminate_backend(${other.backend.pid})`), 't');
	await app.close();
});
