/*
 * inference.test.mjs
 *		Another organization's rows cannot be inferred from what the server does beside its
 *		answers: counters, plans, estimates, constraints, sizes (P03 P04 P05 P17 P18 P29).
 *
 * Each attack first succeeds on the naive twin (stage.mjs), as a login that is not sealed.
 * What docs/threat-model.md lists as a limit of wa_app is not tried on our tables as that
 * login; what holds for it is.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createMessage } from '../e2e/harness/tenants.mjs';
import { message } from '../e2e/harness/wire.mjs';
import { APP, LOGINS, REFUSED, Stage, buildNaiveTwin, told } from './stage.mjs';

const INVENTED = '01890000-0000-7000-8000-000000000000';
const UNIQUE_VIOLATION = '23505';

let stage, app;

before(async () =>
{
	stage = await Stage.set();
	await buildNaiveTwin(stage);
	app = await stage.open(APP);
	await app.sql("SET naive.org = 'ours'");
});

/* Every sealed login is refused each of the statements, whole or prepared. */
async function refused(texts)
{
	for (const role of Object.keys(LOGINS))
	{
		const wire = await stage.open(role);

		for (const sql of texts)
			for (const got of [await wire.exchange(message.query(sql)), await wire.exchange(message.parse('', sql), message.sync())])
			{
				assert.equal(got.error?.code, REFUSED, `${role}: ${sql}`);
				assert.deepEqual(got.rows, [], sql);
			}
		await wire.close();
	}
}

/* ---- counters (P03) ---- */

/* How many index entries a condition met, by the session's own counters. */
async function met(wire, table, index, condition, secret = null)
{
	const counted = async () => Number(await wire.value(
		'SELECT pg_stat_get_xact_tuples_returned($1::regclass)', [index]));

	await wire.sql('BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off');
	if (secret)
		await wire.sql('SELECT wa.authenticate($1)', [secret]);

	const start = await counted();

	await wire.sql(`SELECT count(*) FROM ${table} WHERE ${condition}`);

	const end = await counted();

	await wire.sql('COMMIT');
	return end - start;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const next = (letter) => String.fromCharCode(letter.charCodeAt(0) + 1);

/* The text that begins like this, letter by letter, in an index of others' rows. */
async function spell(condition, length, table, index, secret)
{
	let found = '';

	while (found.length < length)
	{
		let letter = null;

		for (const one of LETTERS)
			if (await met(app, table, index, condition(found + one, found + next(one)), secret) > 0)
				letter = one;
		if (letter === null)
			return found;
		found += letter;
	}
	return found;
}

test('the control: index counters spell another organization\'s text (P03)', async () =>
{
	const range = (from, to) => `body >= '${from}' AND body < '${to}'`;

	assert.deepEqual(await app.sql("SELECT * FROM naive.note WHERE body = 'wisteria'"), []);
	assert.equal(await spell(range, 'wisteria'.length, 'naive.note', 'naive.note_body_key'), 'wisteria');
});

test('no index of ours can be entered at a value of another organization (P03)', async () =>
{
	const indexes = await stage.db.sql(`
		SELECT i.indexrelid::regclass AS index, i.indrelid::regclass AS table, a.attname AS leader
		FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
		WHERE has_any_column_privilege('wa_app', i.indrelid, 'SELECT') AND i.indrelid IN (
			SELECT attrelid FROM pg_attribute WHERE attname = 'org_id') AND i.indrelid::regclass::text LIKE 'wa.%'
		ORDER BY 1`);

	assert.ok(indexes.length > 10);
	assert.deepEqual(indexes.filter(({ leader }) => leader !== 'org_id'), []);
});

test('counters of our indexes are the same for values that another organization has and for invented ones (P03)', async () =>
{
	const probes = [
		['wa.session', 'wa.session_pkey', 'id', stage.theirs.session.uuid, INVENTED],
		['wa.message', 'wa.message_pkey', 'id', stage.theirs.message.uuid, INVENTED],
		['wa.chat', 'wa.chat_pkey', 'session_id', stage.theirs.session.uuid, INVENTED],
	];

	for (const [table, index, column, theirs, invented] of probes)
	{
		const counts = [];

		for (const value of [theirs, invented])
			counts.push(await met(app, table, index, `${column} = '${value}'`, stage.ours.key.secret));
		assert.equal(counts[0], counts[1], table);
	}
	/* and for one's own they are not, so that the counters count */
	assert.notEqual(await met(app, 'wa.session', 'wa.session_pkey', `id = '${stage.ours.session.uuid}'`, stage.ours.key.secret),
		await met(app, 'wa.session', 'wa.session_pkey', `id = '${INVENTED}'`, stage.ours.key.secret));
});

test('a sealed login reads no counters (P03)', async () =>
{
	await refused(['SELECT * FROM pg_stat_xact_user_tables', 'SELECT * FROM pg_stat_user_indexes', 'SELECT * FROM pg_statio_user_tables',
		"SELECT pg_stat_get_xact_tuples_returned('wa.message'::regclass)", 'SELECT * FROM pg_stat_database', 'SELECT * FROM pg_stat_wal']);
});

/* ---- plans and estimates (P04, P05) ---- */

const plan = async (sql) => (await app.sql(sql)).map((row) => Object.values(row)[0]).join('\n');
const rowsOf = (text) => Number(/rows=(\d+)/.exec(text)[1]);

test('the control: EXPLAIN ANALYZE counts the rows that were removed (P04)', async () =>
{
	await app.sql('SET enable_indexscan = off; SET enable_bitmapscan = off');
	assert.match(await plan("EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) SELECT * FROM naive.note WHERE body LIKE 'wis%'"), /Rows Removed by Filter: \d{4}/);
	await app.sql('RESET enable_indexscan; RESET enable_bitmapscan');
});

test('the control: estimates know another organization\'s frequent values (P05)', async () =>
{
	const known = rowsOf(await plan("EXPLAIN SELECT * FROM naive.note WHERE kind = 'common'"));
	const invented = rowsOf(await plan("EXPLAIN SELECT * FROM naive.note WHERE kind = 'invented'"));

	assert.ok(known > invented, `${known} and ${invented}`);
});

test('a sealed login gets no plan and no statistics (P04, P05)', async () =>
{
	const texts = ['pg_stats', 'pg_statistic', 'pg_stats_ext', 'pg_class'].map((name) => `SELECT * FROM ${name}`);

	for (const { source } of stage.statements.filter((one) => one.role_name === 'wa_gateway'))
		if (!source.includes('$'))
			texts.push(`EXPLAIN ${source}`, `EXPLAIN (ANALYZE) ${source}`, `EXPLAIN (GENERIC_PLAN) ${source}`.replace('(GENERIC_PLAN) ', '(VERBOSE) '));
	await refused([...texts, 'EXPLAIN SELECT 1', 'EXPLAIN (ANALYZE, BUFFERS) SELECT 1', 'EXPLAIN EXECUTE session_list']);
});

/* ---- oracles: references (P17) and unique values (P18) ---- */

test('the control: a reference tells whether another organization\'s row is there, and keeps it there (P17)', async () =>
{
	const refer = async (id, note) => (await app.exchange(message.query(`INSERT INTO naive.answer VALUES (${id}, 'ours', ${note})`))).error?.code ?? null;

	assert.equal(await refer(1, 2), null);
	assert.equal(await refer(2, 999999), '23503');

	/* theirs, who cannot see why */
	const them = await stage.open(APP);

	await them.sql("SET naive.org = 'theirs'");
	await assert.rejects(them.sql('DELETE FROM naive.note WHERE id = 2'), { code: '23503' });
	await them.close();
});

/* Requests of ours with an id of theirs and with an invented one. */
const REFERENCES = {
	'a message in a session': ['send', 'message_send', (ids) => [ids.session, '15551234567', 'text', '{"text":"x"}', null, null, null]],
	'a message with a file in a session': ['send', 'message_file_begin', (ids) => [ids.session, '15551234567', 'image', '{"media":{"data":"AAEC"}}', null, null, 'a key']],
	'a message with a stored file in a session': ['send', 'message_file_send', (ids) => [ids.session, '15551234567', 'text', '{"text":"x"}', null, null, 'a key', `\\x${'00'.repeat(32)}`]],
	'a reply': ['send', 'message_send', (ids) => [stage.ours.session.uuid, '15551234567', 'text', '{"text":"x"}', ids.message, null, null]],
	'a reaction': ['send', 'message_react', (ids) => [ids.message, 'x']],
	'an edit': ['send', 'message_edit', (ids) => [ids.message, 'x']],
	'a deletion': ['send', 'message_revoke', (ids) => [ids.message]],
	'a message': ['read', 'message_get', (ids) => [ids.message]],
	'a session': ['read', 'session_get', (ids) => [ids.session]],
	'a session that is deleted': ['manage', 'session_delete', (ids) => [ids.session]],
	'a session\'s code': ['manage', 'session_qr', (ids) => [ids.session]],
	'a key': ['manage', 'api_key_revoke', (ids) => [ids.key]],
};

test('an id that another organization has gets the same answer as an invented one, to the byte (P17)', async () =>
{
	const wire = await stage.open();
	const theirs = { session: stage.theirs.session.uuid, message: stage.theirs.message.uuid, key: stage.theirs.key.uuid };
	const invented = { session: INVENTED, message: INVENTED, key: INVENTED };
	const before = await stage.db.sql('SELECT md5(m::text) AS digest FROM wa.message m WHERE org_id = $1', [stage.theirs.org.uuid]);

	for (const [name, [needs, statement, list]] of Object.entries(REFERENCES))
	{
		const pad = (values) => [...values, ...Array(stage.statement(statement).parameters.length - values.length).fill(null)];
		const answers = [];

		for (const ids of [theirs, invented])
		{
			const got = await wire.exchange(...stage.request(stage.ours.key.secret, needs, statement, pad(list(ids))));

			answers.push(told(got).replaceAll(ids.session, 'ID').replaceAll(ids.message, 'ID').replaceAll(ids.key, 'ID'));
		}
		assert.equal(answers[0], answers[1], name);
	}
	assert.deepEqual(await stage.db.sql('SELECT md5(m::text) AS digest FROM wa.message m WHERE org_id = $1', [stage.theirs.org.uuid]), before);
	await wire.close();
});

test('the control: a unique value tells that another organization has it (P18)', async () =>
{
	const claim = async (id, body) => (await app.exchange(message.query(`INSERT INTO naive.note VALUES (${id}, 'ours', '${body}')`))).error?.code ?? null;

	assert.equal(await claim(5001, 'wisteria'), UNIQUE_VIOLATION);
	assert.equal(await claim(5002, 'nobody has this'), null);
	/* without an error it shows by the count */
	assert.deepEqual((await app.exchange(message.query("INSERT INTO naive.note VALUES (5003, 'ours', 'wisteria') ON CONFLICT DO NOTHING"))).commands, ['INSERT 0 0']);
});

test('an Idempotency-Key, a label or a number that another organization has is free (P18)', async () =>
{
	const wire = await stage.open();
	const send = (tenant, body) => wire.exchange(...stage.request(tenant.key.secret, 'send', 'message_send',
		[tenant.session.uuid, '15551234567', 'text', JSON.stringify({ text: body }), null, null, 'the same key']));

	const theirs = await send(stage.theirs, 'theirs');
	const ours = await send(stage.ours, 'ours');

	assert.equal(theirs.error, null);
	assert.equal(ours.error, null);
	assert.equal(ours.rows.at(-1).replayed, null);
	assert.equal(ours.rows.at(-1).session_id, stage.ours.session.uuid);
	/* it is one's own that is replayed */
	assert.equal((await send(stage.ours, 'ours')).rows.at(-1).replayed, 't');
	await wire.close();
});

test('no unique index and no foreign key of ours goes across organizations (P17, P18)', async () =>
{
	const across = await stage.db.sql(`
		SELECT c.conname, c.conrelid::regclass AS table FROM pg_constraint c
		WHERE c.contype = 'f' AND c.conrelid::regclass::text LIKE 'wa.%'
			AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.confrelid AND a.attname = 'org_id')
			AND (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.confrelid AND a.attnum = c.confkey[1]) <> 'org_id'`);

	assert.deepEqual(across, []);
});

test('another organization\'s lock does not show (P18)', async () =>
{
	/* theirs is at work on a row with the same values, in a transaction that is open; who waits for it fails at once */
	const them = await stage.open();

	await stage.db.sql(`ALTER ROLE ${LOGINS.wa_gateway} SET lock_timeout = '1ms'`);

	const wire = await stage.open();

	await stage.db.sql(`ALTER ROLE ${LOGINS.wa_gateway} SET lock_timeout = '2s'`);

	them.send(...stage.request(stage.theirs.key.secret, 'send', 'message_send',
		[stage.theirs.session.uuid, '15551234567', 'text', '{"text":"x"}', null, null, 'locked key']).slice(0, -1), message.flush());

	for (let got = await them.next(), complete = 0; (complete += got.type === 'C' ? 1 : 0) < 2; got = await them.next())
		assert.notEqual(got.type, 'E', got.body.toString());

	const got = await wire.exchange(...stage.request(stage.ours.key.secret, 'send', 'message_send',
		[stage.ours.session.uuid, '15551234567', 'text', '{"text":"x"}', null, null, 'locked key']));

	assert.equal(got.error, null);

	/* the control: for its own it does wait */
	const own = await wire.exchange(...stage.request(stage.theirs.key.secret, 'send', 'message_send',
		[stage.theirs.session.uuid, '15551234567', 'text', '{"text":"x"}', null, null, 'locked key']));

	assert.equal(own.error?.code, '55P03');
	assert.equal((await them.exchange(message.sync())).error, null);
	await Promise.all([them.close(), wire.close()]);
});

/* ---- volume (P29) ---- */

test('the control: sizes and positions tell how much others write (P29)', async () =>
{
	const position = () => app.value('SELECT pg_current_wal_lsn()');
	const before = await position();

	for (let i = 0; i < 20; i++)
		await createMessage(stage.db, stage.theirs.chat, `written ${i}`);
	assert.notEqual(await position(), before);
	assert.ok(Number(await app.value("SELECT pg_relation_size('naive.note')")) > 0);
});

test('a sealed login reads no sizes, positions or transaction numbers (P29)', async () =>
{
	await refused(['SELECT pg_current_wal_lsn()', "SELECT pg_relation_size('wa.message')", 'SELECT pg_database_size(current_database())',
		'SELECT pg_current_xact_id()', 'SELECT txid_current_snapshot()', 'SELECT pg_snapshot_xmax(pg_current_snapshot())', 'SELECT reltuples FROM pg_class',
		'SELECT max(xmin::text) FROM wa.session', 'SELECT ctid FROM wa.message', 'SELECT pg_sequence_last_value(1)']);
});

test('our ids are no counters (P29)', async () =>
{
	assert.deepEqual(await stage.db.sql(`
		SELECT c.oid::regclass FROM pg_class c JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass
		JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'wa_apikeys' AND d.deptype = 'e'
		WHERE c.relkind = 'S' AND (has_sequence_privilege('wa_app', c.oid, 'USAGE, SELECT, UPDATE') OR has_sequence_privilege('wa_gateway', c.oid, 'USAGE, SELECT, UPDATE'))`), []);
});
