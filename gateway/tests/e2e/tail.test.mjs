/*
 * tail.test.mjs
 *		wa tail: every event of an organization and no other, in order, with nothing of what it
 *		says; and how it ends: with its reader, with its connection, by a signal, never silently.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { PROGRAMS, makePlace, Program, run, until } from './harness/processes.mjs';
import { createKey, createOrg, createTenant } from './harness/tenants.mjs';

const ADMIN = 'wa_tail_admin';
const NOBODY = 'wa_tail_nobody';
const WA = path.join(PROGRAMS, 'wa');
const TEXT = /^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}Z {2}evt_[0-7][0-9a-z]{25} {2}([a-z.]+) {2}(-|sess_[0-7][0-9a-z]{25})$/;

let cluster, db, place;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	await db.sql(`CREATE ROLE ${ADMIN} LOGIN IN ROLE wa_admin`);
	await db.sql(`CREATE ROLE ${NOBODY} LOGIN`);
	place = makePlace();
});

let started = 0;

/* wa tail in the background. */
function tail(...args)
{
	const program = new Program(WA, ['tail', ...args], { log: path.join(place, `tail${started++}`), env: cluster.environment('wa', ADMIN) });

	program.lines = () => program.log().split('\n').slice(0, -1);
	return program;
}

const seen = new Set();

/* Waits until a wa tail that was not there before has asked for events. */
async function following()
{
	seen.add(await until('it asks', () => db.value("SELECT pid FROM pg_stat_activity WHERE usename = $1 AND query LIKE '%tail_events%' AND state = 'idle' AND pid <> ALL ($2::integer[])",
		[ADMIN, `{${[...seen]}}`])));
}

const refused = (args, code, words, user = ADMIN) =>
{
	const answer = run(WA, ['tail', ...args], { env: cluster.environment('wa', user) });

	assert.deepEqual([answer.code, answer.stdout], [code, ''], answer.stderr);
	assert.match(answer.stderr, words);
};

/* Two events: key.created and key.revoked. */
async function revoke(org)
{
	await db.sql('SELECT wa.revoke_key($1::uuid)', [(await createKey(db, org)).uuid]);
}

test('the latest events come first, then each as it happens, of this organization only', async () =>
{
	const org = await createOrg(db, 'Followed');
	const other = await createOrg(db, 'Not followed');

	for (let i = 0; i < 6; i++)
		await revoke(org);

	const program = tail(org.id);

	await until('10 lines', () => program.lines().length === 10);
	await revoke(other);
	await revoke(org);
	await until('12 lines', () => program.lines().length === 12);
	for (const line of program.lines())
		assert.match(line, TEXT);
	assert.equal(TEXT.exec(program.lines()[11])[1], 'key.revoked');
	await program.stop();
	assert.equal(program.lines().length, 12);
});

test('an organization without events is followed from its first one', async () =>
{
	const org = await createOrg(db, 'Empty');
	const program = tail(org.id, '--json');

	await following();
	for (let i = 0; i < 6; i++)
		await revoke(org);
	await until('12 lines', () => program.lines().length === 12);
	await program.stop();

	const events = program.lines().map((line) => JSON.parse(line));

	assert.deepEqual(events.map(({ type }) => type), Array(6).fill(['key.created', 'key.revoked']).flat());
	assert.deepEqual(Object.keys(events[0]), ['at', 'id', 'type']);
	assert.deepEqual(events.map(({ id }) => id), (await db.sql("SELECT wa.typeid('evt', id) AS id FROM wa.event WHERE org_id = $1 ORDER BY epoch, ordinal, id", [org.uuid])).map(({ id }) => id));
});

test('an event whose transaction commits late is not left out', async () =>
{
	const org = await createOrg(db, 'Late');
	const late = await cluster.open('wa');
	const slow = await createKey(db, org);
	const program = tail(org.id, '--json');

	await following();
	await late.sql('BEGIN');
	await late.sql('SELECT wa.revoke_key($1::uuid)', [slow.uuid]);
	await revoke(org);
	await new Promise((resolve) => { setTimeout(resolve, 2500); });
	assert.deepEqual(program.lines().length, 1);
	await late.sql('COMMIT');
	await until('4 lines', () => program.lines().length === 4);
	await program.stop();
});

test('behind an event, and of some types; what is said in a message is not shown', async () =>
{
	const { org, key } = await createTenant(db, 'Talkative');
	const program = tail(org.id, '--types', 'key.revoked,key.disabled', '--json');

	await following();
	await db.sql('SELECT wa.disable_key($1::uuid), wa.enable_key($1::uuid), wa.revoke_key($1::uuid)', [key.uuid]);
	await until('2 lines', () => program.lines().length === 2);
	await program.stop();

	const [first, second] = program.lines().map((line) => JSON.parse(line));

	assert.deepEqual([first.type, second.type], ['key.disabled', 'key.revoked']);

	const behind = tail(org.id, '--since', first.id);

	await until('2 lines', () => behind.lines().length === 2);
	await behind.stop();
	assert.deepEqual(behind.lines().map((line) => TEXT.exec(line)[1]), ['key.enabled', 'key.revoked']);
	assert.doesNotMatch(behind.log() + program.log(), /message of Talkative|envelope|payload/);
});

test('what cannot be followed is refused', async () =>
{
	const org = await createOrg(db, 'Refused');

	refused([org.id, '--types', 'key.gone'], 1, /^wa: types\[0\] is "key.gone", but must be an event type/);
	refused([org.id, '--since', 'evt_00000000000000000000000001'], 1, /^wa: event is not known, or not kept any more\n$/);
	refused([org.id, '--since', org.id], 1, /^wa: invalid input syntax for type uuid/);
	refused(['org_00000000000000000000000000'], 1, /^wa: organization does not exist\n$/);
	refused([], 2, /^wa: ORG is missing/);
	refused([org.id], 1, /^wa: permission denied/, NOBODY);
});

test('it ends when its reader has gone, also while nothing happens', async () =>
{
	const org = await createOrg(db, 'Unread');
	const reader = run('sh', ['-c', `"$0" tail ${org.id} | true; echo over`, WA], { env: cluster.environment('wa', ADMIN) });

	assert.deepEqual(reader, { code: 0, stdout: 'over\n', stderr: '' });

	const child = spawn('bash', ['-c', `"$0" tail ${org.id} | true; exit "\${PIPESTATUS[0]}"`, WA], { env: { ...process.env, ...cluster.environment('wa', ADMIN) }, stdio: 'inherit' });

	assert.equal(await new Promise((resolve) => { child.on('exit', resolve); }), 0);
});

test('a connection that breaks is an error', async () =>
{
	const org = await createOrg(db, 'Broken');
	const program = tail(org.id);

	await following();
	await revoke(org);
	await until('2 lines', () => program.lines().length === 2);
	await db.sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [ADMIN]);
	assert.deepEqual(await program.exited, { code: 1, signal: null });
	assert.match(program.lines().slice(2).join('\n'), /^wa: /);
});

test('a signal ends it, and nothing stays in the database', async () =>
{
	const org = await createOrg(db, 'Interrupted');
	const program = tail(org.id);

	await following();
	program.kill('SIGINT');
	assert.deepEqual(await program.exited, { code: null, signal: 'SIGINT' });
	await until('no connection', async () => await db.value('SELECT count(*) FROM pg_stat_activity WHERE usename = $1', [ADMIN]) === '0');
	assert.equal(program.log(), '');
});
