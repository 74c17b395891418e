/*
 * cli.test.mjs
 *		wa, the command line of administrators: what each command does, as JSON and as text, what
 *		it refuses and how it says so, and that a secret is in no place but its one answer.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { PROGRAMS, ROOT, must, run } from './harness/processes.mjs';
import { createKey, createOrg, createPerson, createSession } from './harness/tenants.mjs';

const ADMIN = 'wa_cli_admin';
const NOBODY = 'wa_cli_nobody';
const WA = path.join(PROGRAMS, 'wa');
const ID = { org: /^org_[0-7][0-9a-z]{25}$/, key: /^key_[0-7][0-9a-z]{25}$/, usr: /^usr_[0-7][0-9a-z]{25}$/ };
const SECRET = /^wa_[0-9A-Za-z]{49}$/;
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z$/;
const UNKNOWN = '00000000000000000000000000';

let cluster, db;

before(async () =>
{
	cluster = prepareCluster(["log_statement = 'all'", 'log_min_messages = debug1', 'log_parameter_max_length = -1',
		'log_parameter_max_length_on_error = -1']);
	db = await cluster.open('wa');
	await db.sql(`CREATE ROLE ${ADMIN} LOGIN IN ROLE wa_admin`);
	await db.sql(`CREATE ROLE ${NOBODY} LOGIN`);
});

const wa = (args, { user = ADMIN, ...options } = {}) => run(WA, args, { env: cluster.environment('wa', user), ...options });

/* What a command prints, which must succeed without a word on standard error. */
function said(...args)
{
	const { code, stdout, stderr } = wa(args);

	assert.deepEqual([code, stderr], [0, ''], args.join(' '));
	return stdout;
}

const json = (...args) => JSON.parse(said(...args, '--json'));

/* A command that must fail with this status, and say this. */
function refused(args, status, words, options)
{
	const { code, stdout, stderr } = wa(args, options);

	assert.deepEqual([code, stdout], [status, ''], stderr);
	assert.match(stderr, words);
	/* the marks of libpq and of the server say nothing to people */
	assert.doesNotMatch(stderr, /ERROR:|FATAL:|DETAIL:|HINT:|CONTEXT:/);
	assert.match(stderr, /^wa: /);
}

/* The rows of a table by the names of its columns, which begin where the headings do. */
function table(text)
{
	const [head, ...lines] = text.trimEnd().split('\n');
	const starts = [...head.matchAll(/(?:^|(?<= {2}))\S+(?: \S+)*/g)].map(({ index }) => index);
	const cells = (line) => starts.map((start, i) => [...line].slice(start, starts[i + 1]).join('').trimEnd());

	return lines.map((line) => Object.fromEntries(cells(head).map((name, i) => [name, cells(line)[i]])));
}

test('org: create, list and show', async () =>
{
	const made = json('org', 'create', 'Bêta');
	const [row] = await db.sql("SELECT name, event_days FROM wa.org WHERE id = wa.from_typeid('org', $1)", [made.id]);

	assert.match(made.id, ID.org);
	assert.match(made.createdAt, TIME);
	assert.deepEqual([made.name, made.eventDays], [row.name, Number(row.event_days)]);
	assert.deepEqual(json('org', 'list').find(({ id }) => id === made.id), made);
	assert.deepEqual(table(said('org', 'list')).find(({ ID: id }) => id === made.id).NAME, 'Bêta');

	const shown = json('org', 'show', made.id);

	assert.deepEqual([shown.liveKeys, shown.members, shown.limits.keys, shown.keyMaxDays], [0, 0, 500, undefined]);
	assert.match(said('org', 'show', made.id), /^name +Bêta$/m);
	refused(['org', 'create', ' '], 1, /^wa: name must /);
	refused(['org', 'show', `org_${UNKNOWN}`], 1, /^wa: organization does not exist\n$/);
});

test('key: create, list, show, disable, enable, rotate and revoke', async () =>
{
	const org = await createOrg(db, 'Keys');
	const made = json('key', 'create', org.id, 'shop server', 'read,send', '--expires', '2100-01-02T03:04:05Z');

	assert.match(made.id, ID.key);
	assert.match(made.key, SECRET);
	assert.deepEqual(made.permissions, ['read', 'send']);
	assert.equal(made.expiresAt, '2100-01-02T03:04:05Z');
	assert.equal(await db.value("SELECT digest = wa.hash_key($2) FROM wa.api_key WHERE id = wa.from_typeid('key', $1)", [made.id, made.key]), 't');

	/* every other answer has the same, without the secret */
	const { key, ...public_ } = made;

	assert.deepEqual(json('key', 'show', made.id), public_);
	assert.deepEqual(json('key', 'list', org.id), [public_]);
	assert.deepEqual(json('key', 'list', org.uuid, '--status', 'live'), [public_]);
	assert.deepEqual(json('key', 'list', org.id, '--status=revoked'), []);
	assert.ok(json('key', 'list').some(({ id }) => id === made.id));

	const [row] = table(said('key', 'list', org.id));

	assert.deepEqual([row.NAME, row.PERMISSIONS, row.STATUS, row['EXPIRES AT'], row['LAST USED AT']],
		['shop server', 'read,send', 'live', '2100-01-02 03:04:05Z', '-']);
	assert.equal(said('key', 'disable', made.id), `${made.id} ("shop server") is switched off\n`);
	assert.equal(json('key', 'disable', made.id).changed, false);
	assert.equal(json('key', 'show', made.id).status, 'disabled');
	refused(['key', 'rotate', made.id], 1, /^wa: key is switched off\n$/);
	assert.deepEqual([json('key', 'enable', made.id).status, json('key', 'enable', made.id).changed], ['live', false]);

	const successor = json('key', 'rotate', made.id, '--overlap', '1 hour');

	assert.match(successor.key, SECRET);
	assert.deepEqual([successor.expiresAt, successor.previousExpiresAt], [made.expiresAt, json('key', 'show', made.id).expiresAt]);
	assert.deepEqual([successor.name, successor.status, json('key', 'show', made.id).status], ['shop server', 'live', 'rotated']);

	const longer = json('key', 'rotate', json('key', 'create', org.id, 'longer', 'read', '--expires', '2100-01-02').id, '--expires', '2101-01-02');

	assert.equal(longer.expiresAt, '2101-01-02T00:00:00Z');
	assert.equal(said('key', 'revoke', successor.id, '--reason', 'on a wiki'), `${successor.id} ("shop server") is revoked\n`);
	assert.equal(said('key', 'revoke', successor.id), `${successor.id} ("shop server") was revoked before\n`);
	assert.deepEqual([json('key', 'show', successor.id).revokedReason, json('key', 'show', successor.id).revokedBy], ['on a wiki', ADMIN]);
	refused(['key', 'enable', successor.id], 1, /^wa: key is revoked and cannot be changed\n$/);
	refused(['key', 'create', org.id, 'none', 'read,admin'], 1, /permission.*\n.*read, send, manage, and events/s);
	refused(['key', 'create', org.id, 'late', 'read', '--expires', '2000-01-01'], 1, /^wa: expiresAt must be in the future/);
	refused(['key', 'list', `org_${UNKNOWN}`], 1, /^wa: organization does not exist\n$/);
	refused(['key', 'show', `key_${UNKNOWN}`], 1, /^wa: key does not exist\n$/);
});

test('a key is restricted to sessions, addresses and a rate, and shows them; one without a restriction shows none', async () =>
{
	const org = await createOrg(db, 'Restricted');
	const sessions = [await createSession(db, org), await createSession(db, org)];
	const ids = sessions.map(({ id }) => id).sort();
	const made = json('key', 'create', org.id, 'restricted', 'read', '--sessions', `${sessions[1].uuid},${sessions[0].id}`,
		'--addresses', '192.0.2.7,203.0.113.0/24', '--per-minute', '60', '--burst', '20');
	const restrictions = ({ sessions, addresses, rateLimit }) => ({ sessions, addresses, rateLimit });
	const expected = { sessions: ids, addresses: ['192.0.2.7/32', '203.0.113.0/24'], rateLimit: { requestsPerMinute: 60, burst: 20 } };

	assert.deepEqual(restrictions(made), expected);
	assert.deepEqual(restrictions(json('key', 'show', made.id)), expected);
	assert.deepEqual(json('key', 'list', org.id).map(restrictions), [expected]);
	assert.equal(table(said('key', 'list', org.id))[0]['RESTRICTED BY'], 'sessions,addresses,rateLimit');
	assert.deepEqual(restrictions(json('key', 'rotate', made.id)), expected);
	for (const line of [`sessions +${ids}`, 'addresses +192.0.2.7/32,203.0.113.0/24', 'rateLimit +.*60.*20.*'])
		assert.match(said('key', 'show', made.id), new RegExp(`^${line}$`, 'm'));
	assert.deepEqual(json('key', 'create', org.id, 'ten seconds', 'read', '--per-minute', '60').rateLimit, { requestsPerMinute: 60, burst: 10 });
	assert.deepEqual(restrictions(json('key', 'create', org.id, 'free', 'read')), restrictions({}));
	assert.deepEqual(table(said('key', 'list', org.id)).filter(({ NAME: name }) => name !== 'restricted').map((row) => row['RESTRICTED BY']), ['rateLimit', '-']);
});

test('a restriction that cannot be one is refused by name, and no key is made', async () =>
{
	const org = await createOrg(db, 'Unrestricted');
	const session = await createSession(db, await createOrg(db, 'Another'));

	for (const [option, value, words] of [['sessions', session.id, /^wa: sessions\[0\] must be a session of this organization/],
		['sessions', org.id, /^wa: session id must begin with "sess_"/], ['sessions', '', /^wa: sessions must be a list of 1 to 32/],
		['addresses', '192.0.2.7,shop', /^wa: addresses\[1\] must be an IPv4 or IPv6 address/],
		['per-minute', '0', /^wa: rateLimit\.requestsPerMinute must be from 1/], ['per-minute', 'many', /^wa: invalid input syntax for type integer/],
		['burst', '5', /^wa: rateLimit\.requestsPerMinute is required/]])
		refused(['key', 'create', org.id, 'x', 'read', `--${option}`, value], 1, words);
	assert.deepEqual(json('key', 'list', org.id), []);
});

test('key change: only what is given, with effect right away, and nothing of what is refused', async () =>
{
	const org = await createOrg(db, 'Changes');
	const session = await createSession(db, org);
	const { key, ...made } = json('key', 'create', org.id, 'till', 'read,send', '--expires', '2100-01-01', '--per-minute', '60');

	said('permission', 'define', 'till:open', 'Opens the till');
	assert.deepEqual(json('key', 'change', made.id, '--name', 'tills'), { ...made, name: 'tills' });
	assert.deepEqual(json('key', 'change', made.id, '--permissions', 'read,till:open').permissions, ['read', 'till:open']);
	assert.deepEqual(json('key', 'change', made.id, '--permissions', 'send').permissions, ['send']);

	const restricted = json('key', 'change', made.id, '--sessions', session.id, '--addresses', '192.0.2.7', '--per-minute', '6', '--burst', '2', '--expires', '2099-01-01');

	assert.deepEqual([restricted.sessions, restricted.addresses, restricted.rateLimit, restricted.expiresAt, restricted.name],
		[[session.id], ['192.0.2.7/32'], { requestsPerMinute: 6, burst: 2 }, '2099-01-01T00:00:00Z', 'tills']);
	for (const [option, value, words] of [['name', ' ', /^wa: name must /], ['permissions', 'admin', /permission/], ['permissions', '', /^wa: permissions must name at least one/],
		['permissions', 'till:shut', /^wa: ownPermissions\[0\] must be the name/], ['expires', '2000-01-01', /^wa: expiresAt must be in the future/],
		['sessions', '', /^wa: sessions must be a list of 1 to 32/], ['sessions', `sess_${UNKNOWN}`, /^wa: sessions\[0\] must be a session of this organization/],
		['addresses', '', /^wa: addresses must be a list of 1 to 32/], ['addresses', 'any,192.0.2.7', /^wa: addresses\[0\] must be an IPv4/],
		['per-minute', '0', /^wa: rateLimit\.requestsPerMinute must be from 1/], ['burst', '5', /^wa: rateLimit\.requestsPerMinute is required/]])
		refused(['key', 'change', made.id, `--${option}`, value], 1, words);
	refused(['key', 'change', made.id], 1, /^wa: nothing is to be changed\n$/);
	refused(['key', 'change', `key_${UNKNOWN}`, '--name', 'x'], 1, /^wa: key does not exist\n$/);
	refused(['key', 'change', made.id, '--test'], 2, /^wa: key change has no such option/);
	assert.deepEqual(json('key', 'show', made.id), restricted);

	const open = json('key', 'change', made.id, '--sessions', 'all', '--addresses', 'any', '--per-minute', 'any', '--expires', 'infinity');

	assert.deepEqual([open.sessions, open.addresses, open.rateLimit, open.expiresAt], [undefined, undefined, undefined, undefined]);
	assert.match(said('key', 'change', made.id, '--name', 'till again'), /^name +till again$/m);
	said('key', 'revoke', made.id);
	refused(['key', 'change', made.id, '--expires', '2100-01-01'], 1, /^wa: key is revoked and cannot be changed\n$/);
	assert.equal(json('audit', 'list', org.id, '--subject', made.id, '--action', 'key.changed').length, 6);
	said('permission', 'drop', 'till:open');
});

test('key policy: shown and set, each part by itself, and held by key create and key change', async () =>
{
	const org = await createOrg(db, 'Policies');
	const policy = (...args) => { const { defaultDays = null, maxDays = null } = json('key', 'policy', org.id, ...args); return [defaultDays, maxDays]; };

	assert.deepEqual(policy(), [null, null]);
	assert.deepEqual(policy('--max-days', '90'), [null, 90]);
	assert.deepEqual(policy('--default-days', '30'), [30, 90]);
	assert.deepEqual(policy(), [30, 90]);
	assert.match(said('key', 'policy', org.id), /^maxDays +90$/m);

	const { id } = json('key', 'create', org.id, 'bounded', 'read');

	refused(['key', 'change', id, '--expires', 'infinity'], 1, /^wa: expiresAt must be at most 90 days after the key was made\n$/);
	refused(['key', 'policy', org.id, '--default-days', '91'], 1, /^wa: defaultDays must be between 1 and 90\n$/);
	refused(['key', 'policy', org.id, '--max-days', '0'], 1, /^wa: maxDays must be between 1 and 3650\n$/);
	refused(['key', 'policy', org.id, '--max-days', 'some'], 1, /^wa: invalid input syntax for type integer/);
	refused(['key', 'policy', `org_${UNKNOWN}`, '--max-days', '9'], 1, /^wa: organization does not exist\n$/);
	refused(['key', 'policy', org.id, '--max-days', '9'], 1, /^wa: permission denied/, { user: NOBODY });
	assert.deepEqual(policy(), [30, 90]);
	assert.deepEqual(policy('--default-days', 'none', '--max-days', 'none'), [null, null]);
	assert.equal(json('audit', 'list', org.id, '--action', 'org.changed').length, 3);
	assert.equal(json('key', 'change', id, '--expires', 'infinity').expiresAt, undefined);
});

test('key revoke-all: those that a person made, or all of the organization, and only if it is meant', async () =>
{
	const org = await createOrg(db, 'All');
	const person = await createPerson(db, { org });
	const other = await createKey(db, await createOrg(db, 'Not these'));
	const made = [await createKey(db, org), await createKey(db, org)];
	const states = () => json('key', 'list', org.id).map(({ status, revokedReason }) => [status, revokedReason]);

	await db.sql('UPDATE wa.api_key SET created_by = $2 WHERE id = $1', [made[0].uuid, person.id]);
	refused(['key', 'revoke-all', org.id], 2, /^wa: key revoke-all needs --yes, because it cannot be undone\n/);
	refused(['key', 'revoke-all', org.id, '--created-by', person.id], 2, /needs --yes/);
	refused(['key', 'revoke-all', org.id, '--yes=no'], 2, /--yes takes no value/);
	refused(['key', 'revoke-all', org.id, '--yes'], 1, /^wa: permission denied/, { user: NOBODY });
	assert.deepEqual(states(), [['live', undefined], ['live', undefined]]);
	assert.equal(said('key', 'revoke-all', org.id, '--created-by', person.id, '--reason', 'has left', '--yes'), 'keys revoked: 1\n');
	assert.deepEqual(states(), [['revoked', 'has left'], ['live', undefined]]);
	assert.deepEqual(json('key', 'revoke-all', org.id, '--yes'), { revoked: 1 });
	assert.deepEqual(json('key', 'revoke-all', org.id, '--yes'), { revoked: 0 });
	assert.deepEqual([states()[1][0], json('key', 'show', other.id).status], ['revoked', 'live']);
	refused(['key', 'revoke-all', `org_${UNKNOWN}`, '--yes'], 1, /^wa: organization does not exist\n$/);
	refused(['key', 'revoke-all', other.id, '--yes'], 1, /^wa: organization id must begin with "org_"/);
});

test('key find: by a beginning, an id, a name, and a whole key on standard input', async () =>
{
	const org = await createOrg(db, 'Finders');
	const made = await createKey(db, org, ['read'], { name: 'in a log' });
	const found = (what, options) => JSON.parse(wa(['key', 'find', what, '--json'], options).stdout).filter(({ organizationId }) => organizationId === org.id);

	for (const [what, matched] of [[made.secret.slice(0, 6), 'prefix'], [made.secret.slice(0, 30), 'prefix'], [made.id, 'id'], [made.uuid, 'id'], ['In A Log', 'name']])
		assert.deepEqual(found(what).map((key) => [key.matched, key.id]), [[matched, made.id]], what);
	assert.deepEqual(found('-', { input: `${made.secret}\n` }).map((key) => [key.matched, key.id]), [['secret', made.id]]);
	assert.deepEqual(found('-', { input: `${made.secret}\nmore` }).length, 1);
	assert.equal(table(said('key', 'find', made.id))[0].MATCHED, 'id');
	refused(['key', 'find', '-'], 2, /^wa: the text was not given/, { input: '' });
	refused(['key', 'find', made.secret], 2, /^wa: a whole key is no argument/);
});

test('key usage: the hours of a key, and why requests were denied', async () =>
{
	const key = await createKey(db, await createOrg(db, 'Counts'), ['read']);

	assert.deepEqual(json('key', 'usage', key.id), []);
	await db.sql(`INSERT INTO wa.api_key_hour (org_id, key_id, hour, allowed, rate) SELECT k.org_id, k.id,
		date_bin('1 hour', now(), '2000-01-01+00') - h * interval '1 hour', h + 1, 2 FROM wa.api_key k, generate_series(0, 9) h WHERE k.id = $1`, [key.uuid]);

	const rows = json('key', 'usage', key.id);

	assert.deepEqual([rows.length, rows[0].allowed, rows[0].denied, rows[0].rate, rows[0].expired], [10, 10, 2, 2, 0]);
	assert.match(rows[0].from, TIME);
	assert.ok(Math.abs(json('key', 'usage', key.id, '--hours', '3').length - 3) <= 1);
	refused(['key', 'usage', `key_${UNKNOWN}`], 1, /^wa: key does not exist\n$/);
});

test('key guesses: the beginnings that were tried, and whose keys begin like that', async () =>
{
	const key = await createKey(db, await createOrg(db, 'Guessed at'), ['read']);
	const prefix = key.secret.slice(0, 8);

	await db.sql("INSERT INTO wa.unknown_key SELECT date_bin('1 hour', now(), '2000-01-01+00'), * FROM (VALUES ($1, 7), ('wa_other', 9), ('', 40)) g", [prefix]);

	const rows = json('key', 'guesses');

	assert.deepEqual(rows.map((row) => [row.prefix ?? null, row.denied]), [['wa_other', 9], [prefix, 7], [null, 40]]);
	assert.equal(rows[1].keys, key.id);
	assert.deepEqual(json('key', 'guesses', '--hours', '1').length <= 3, true);
});

test('key explain: why a request is denied, which the request itself is not told', async () =>
{
	const org = await createOrg(db, 'Explained');
	const key = await createKey(db, org, ['read']);
	const explained = (...args) => JSON.parse(wa(['key', 'explain', '-', ...args, '--json'], { input: `${key.secret}\n` }).stdout).map(({ reason }) => reason ?? null);

	assert.deepEqual(explained('--permission', 'read'), [null]);
	assert.deepEqual(explained('--permission', 'send', '--session', `sess_${UNKNOWN}`), ['permission', 'session']);
	said('permission', 'define', 'stock:count', 'Counts');
	assert.deepEqual([explained('--permission', 'stock:count'), json('key', 'change', key.id, '--permissions', 'read,stock:count').status, explained('--permission', 'stock:count')],
		[['permission'], 'live', [null]]);
	said('permission', 'drop', 'stock:count');
	refused(['key', 'explain', '-', '--permission', 'stock:count'], 1, /^wa: permission "stock:count" does not exist\n/, { input: `${key.secret}\n` });
	await db.sql('SELECT wa.revoke_key($1::uuid)', [key.uuid]);
	assert.deepEqual(explained(), ['revoked']);

	const { code, stdout } = wa(['key', 'explain', '-', '--json'], { input: `wa_${'x'.repeat(30)}\n` });

	assert.deepEqual([code, JSON.parse(stdout)[0].reason], [0, 'unknown']);
	refused(['key', 'explain', key.secret], 2, /^wa: a whole key is no argument/);
});

test('key revoke-secret: whoever has the key on standard input ends it, and is told whose it was', async () =>
{
	const org = await createOrg(db, 'Finders keepers');
	const made = await createKey(db, org, ['read'], { name: 'on a wiki' });
	const other = await createKey(db, org);
	const given = { input: `${made.secret}\n` };
	const { code, stdout } = wa(['key', 'revoke-secret', '-', '--reason', 'found'], given);

	assert.deepEqual([code, stdout], [0, `${made.id} ("on a wiki" of Finders keepers) is revoked\n`]);
	assert.equal(JSON.parse(wa(['key', 'revoke-secret', '-', '--json'], given).stdout).changed, false);
	assert.deepEqual([json('key', 'show', made.id).revokedReason, json('key', 'show', other.id).status], ['found', 'live']);
	refused(['key', 'revoke-secret', '-'], 1, /^wa: no key has this secret\n$/, { input: `wa_${'x'.repeat(30)}\n` });
	refused(['key', 'revoke-secret', other.secret], 2, /^wa: a whole key is no argument/);
	refused(['key', 'revoke-secret'], 2, /^wa: - is missing/);
	assert.equal(json('key', 'show', other.id).status, 'live');
});

test('permission: defined, listed beside the four, given to a key, defined anew and dropped', async () =>
{
	const org = await createOrg(db, 'Invoices');
	const made = json('permission', 'define', 'invoices:write', 'Writes invoices', '--grantable');

	assert.deepEqual([made.name, made.description, made.grantable, made.definedBy], ['invoices:write', 'Writes invoices', true, ADMIN]);
	assert.deepEqual(json('permission', 'list').map(({ name }) => name), ['read', 'send', 'manage', 'events', 'invoices:write']);
	assert.deepEqual(json('permission', 'list').at(-1), made);
	assert.deepEqual(json('key', 'create', org.id, 'clerk', 'read,invoices:write').permissions, ['read', 'invoices:write']);
	assert.equal(json('permission', 'define', 'invoices:write', 'Writes').grantable, false);
	assert.deepEqual(table(said('permission', 'list')).at(-1).DESCRIPTION, 'Writes');
	assert.equal(json('permission', 'drop', 'invoices:write').droppedBy, ADMIN);
	assert.deepEqual(json('key', 'list', org.id)[0].permissions, ['read']);
	refused(['permission', 'drop', 'invoices:write'], 1, /^wa: permission does not exist\n$/);
	refused(['permission', 'define', 'write', 'x'], 1, /^wa: name must be words/);
	refused(['permission', 'define', 'a:b', ''], 1, /^wa: description must be/);
});

test('audit: listed with filters, verified, exported line by line, and a change is found', async () =>
{
	const org = await createOrg(db, 'Audited');
	const other = await createOrg(db, 'Not asked for');
	const key = json('key', 'create', org.id, 'watched', 'read');

	said('key', 'disable', key.id);
	said('key', 'create', other.id, 'elsewhere', 'read');
	assert.deepEqual(json('audit', 'list', org.id).map(({ action }) => action), ['key.disabled', 'key.created', 'org.created']);
	assert.deepEqual(json('audit', 'list', org.id, '--subject', key.id, '--action', 'key.created').map(({ actor, subject }) => [actor, subject]), [[ADMIN, key.id]]);
	assert.equal(json('audit', 'list', org.id, '--action', 'key').length, 2);
	assert.equal(json('audit', 'list', org.id, '--limit', '1')[0].action, 'key.disabled');
	assert.deepEqual([json('audit', 'list', org.id, '--actor', 'nobody'), json('audit', 'list', org.id, '--to', '2000-01-01')], [[], []]);
	assert.equal(json('audit', 'list', org.id, '--from', '2000-01-01').length, 3);
	assert.equal(table(said('audit', 'list', org.id))[1].SUBJECT, key.id);

	assert.deepEqual(json('audit', 'verify', org.id), [{ result: 'whole', sequence: 0 }]);
	await db.sql("SELECT wa.housekeep('audit', 10000)");

	const lines = said('audit', 'export', org.id).trimEnd().split('\n').map((line) => JSON.parse(line));
	const [{ result, sequence, hash }] = json('audit', 'verify', org.id);

	assert.deepEqual([result, sequence, hash], ['whole', 3, lines[2].hash]);
	assert.deepEqual(Object.keys(lines[1]), ['organizationId', 'sequence', 'id', 'at', 'actor', 'action', 'subject', 'detail', 'hash']);
	assert.deepEqual([lines[1].organizationId, lines[1].detail.name, typeof lines[1].at], [org.id, 'watched', 'number']);
	assert.equal(said('audit', 'export', org.id, '--after', '2').split('\n').length, 2);
	assert.equal(said('audit', 'export', org.id, '--after', '3'), '');

	const wrong = (...args) => wa(['audit', 'verify', org.id, ...args]);

	assert.deepEqual([json('audit', 'head', org.id).sequence, json('audit', 'head', org.id).hash], [sequence, hash]);
	assert.deepEqual([wrong('--sequence', '2', '--hash', lines[1].hash).code, wrong('--sequence', '2', '--hash', lines[2].hash).code], [0, 1]);
	assert.match(wrong('--sequence', '4', '--hash', hash).stdout, /broken +4 +1 entries up to it are missing/);
	refused(['audit', 'verify', org.id, '--sequence', '2', '--hash', 'xyz'], 1, /^wa: /);
	await db.sql('ALTER TABLE wa.audit DISABLE TRIGGER audit_append_only');
	await db.sql("UPDATE wa.audit SET actor = 'somebody' WHERE org_id = $1 AND sequence = 2", [org.uuid]);
	await db.sql('ALTER TABLE wa.audit ENABLE ALWAYS TRIGGER audit_append_only');
	assert.match(wrong().stdout, /broken +2 +its hash is not that of the entry/);
	assert.equal(wrong().code, 1);
	for (const command of ['list', 'verify', 'export', 'head'])
		refused(['audit', command, `org_${UNKNOWN}`], 1, /^wa: organization does not exist\n$/);
});

test('user and member: accounts, passwords and memberships', async () =>
{
	const org = await createOrg(db, 'People');
	const made = json('user', 'create', 'ann@example.com', 'Ann');
	const password = (person) => db.value("SELECT password_hash FROM wa.app_user WHERE id = wa.from_typeid('usr', $1)", [person]);

	assert.match(made.id, ID.usr);
	assert.equal(made.password.length, 20);
	assert.deepEqual(json('user', 'list').find(({ id }) => id === made.id), { id: made.id, email: 'ann@example.com', name: 'Ann', createdAt: made.createdAt });

	const before = await password(made.id);
	const reset = json('user', 'reset-password', made.id);

	assert.equal(reset.password.length, 20);
	assert.notEqual(reset.password, made.password);
	assert.notEqual(await password(made.id), before);

	/* a password of one's own is read from standard input, and never shown */
	const own = wa(['user', 'create', 'bob@example.com', 'Bob', '--password', '--json'], { input: 'correct horse battery\n' });

	assert.equal(JSON.parse(own.stdout).password, undefined);
	assert.equal(own.code, 0);
	assert.doesNotMatch(own.stdout + own.stderr, /correct horse/);
	refused(['user', 'create', 'eve@example.com', 'Eve', '--password'], 1, /^wa: password must have at least 10 characters/, { input: 'short\n' });
	refused(['user', 'create', 'eve@example.com', 'Eve', '--password'], 2, /^wa: the password was not given/, { input: '' });
	refused(['user', 'create', 'eve@example.com', 'Eve', '--password=correct horse'], 2, /^wa: --password takes no value/);

	assert.equal(said('member', 'add', org.id, made.id, 'owner'), `${made.id} is owner of ${org.id}\n`);
	assert.equal(json('member', 'add', org.id, made.id, 'owner').changed, false);
	assert.deepEqual(json('member', 'list', org.id).map(({ userId, role, email }) => [userId, role, email]), [[made.id, 'owner', 'ann@example.com']]);
	assert.equal(table(said('member', 'list', org.id))[0].ROLE, 'owner');
	refused(['member', 'remove', org.id, made.id], 1, /^wa: the last owner of an organization/);
	assert.equal(json('member', 'add', org.id, JSON.parse(own.stdout).id, 'owner').changed, true);
	assert.equal(said('member', 'remove', org.id, made.id), `${made.id} is no member of ${org.id} any more\n`);
	assert.equal(json('member', 'remove', org.id, made.id).changed, false);
	assert.equal(said('user', 'disable', made.id), `${made.id} (ann@example.com) cannot sign in any more\n`);
	assert.match(json('user', 'list').find(({ id }) => id === made.id).disabledAt, TIME);
	assert.equal(said('user', 'enable', made.id), `${made.id} (ann@example.com) can sign in again\n`);
	refused(['member', 'add', org.id, made.id, 'boss'], 1, /^wa: role must be owner, admin or member/);
});

test('check says what to do about every row, and ends with 1 if there is a finding', async () =>
{
	const rows = json('check');

	assert.deepEqual(rows.map(({ name }) => name).sort(), (await db.sql('SELECT name FROM wa.self_check()')).map(({ name }) => name).sort());
	for (const { name, passed, advice } of rows)
		assert.ok(passed && advice.length > 10, name);
	assert.equal(said('check'), `${rows.length} checks: ${rows.length} passed, 0 failed\n`);

	await db.sql('GRANT TEMPORARY ON DATABASE wa TO PUBLIC');

	const { code, stdout } = wa(['check']);

	assert.equal(code, 1);
	assert.match(stdout, /^FAILED {2}temporary tables are closed to PUBLIC\n {2}found: {2}REVOKE TEMPORARY ON DATABASE wa FROM PUBLIC\n {2}to do: {2}Run the REVOKE/m);
	assert.equal(wa(['check', '--json']).code, 1);
	await db.sql('REVOKE TEMPORARY ON DATABASE wa FROM PUBLIC');
});

test('an id of another kind, or none, is refused with the kind that is wanted', async () =>
{
	const org = await createOrg(db, 'Kinds');
	const key = await createKey(db, org);

	refused(['key', 'create', key.id, 'x', 'read'], 1, /^wa: organization id must begin with "org_"\n {2}Another kind of id was given: key id\.\n$/);
	refused(['key', 'revoke', org.id], 1, /^wa: key id must begin with "key_"/);
	refused(['member', 'add', org.id, key.id, 'owner'], 1, /^wa: user id must begin with "usr_"/);
	refused(['key', 'show', key.id.slice(0, -1)], 1, /^wa: invalid key id/);
});

test('a login without wa_admin, a server that is not there, and a database without the extension are told apart', () =>
{
	refused(['key', 'list'], 1, /^wa: permission denied .*\n {2}The login has to be a superuser or a member of wa_admin\.\n$/, { user: NOBODY });
	refused(['org', 'create', 'x'], 1, /^wa: permission denied /, { user: NOBODY });
	refused(['check'], 1, /^wa: permission denied /, { user: NOBODY });
	refused(['org', 'list', '--database', 'postgres'], 1, /\n {2}The database has to have the extension wa_apikeys/);
	refused(['--database', `host=${cluster.place}`, 'org', 'list'], 1, /^wa: cannot connect: /);
	refused(['org', 'list'], 1, /^wa: cannot connect: .*role "wa_cli_unknown" does not exist\n$/, { user: 'wa_cli_unknown' });
	assert.equal(wa(['--database', `host=${cluster.host} dbname=wa user=${ADMIN}`, 'org', 'list'], { user: NOBODY }).code, 0);
	refused(['--database', 'host=/nowhere password=hush', 'org', 'list'], 2, /^wa: a password is no part of --database/);
});

test('a command line that cannot be read is a usage error that does not repeat what was typed', () =>
{
	for (const [line, words] of [['', /the command is missing/], ['key', /which command of "key" is missing/], ['hush', /no such command/],
		['key hush', /no such command of "key"/], ['org create', /NAME is missing/], ['org create a hush', /too many arguments/],
		['org list --hush', /org list has no such option/], ['--hush org list', /no such option before the command/], ['org list -x', /two dashes/],
		['key revoke key_x --reason', /--reason needs a value/], ['org list --json=yes', /--json takes no value/], ['key list --status hush', /--status must be one of: live/]])
	{
		refused(line.split(' ').filter((word) => word !== ''), 2, words);
		assert.doesNotMatch(wa(line.split(' ')).stderr, /hush/);
	}
	assert.equal(JSON.parse(said('--json', 'org', 'create', '--', '--json')).name, '--json');
});

/* Runs wa with a standard output that takes nothing. */
const unwritable = (redirection, ...args) => run('bash', ['-c', `${redirection}; exec "$0" "$@" ${redirection === NONE ? '>&-' : '>&3'}`, WA, ...args], { env: cluster.environment('wa', ADMIN) });
const CLOSED_PIPE = 'exec 3> >(exec true); wait $!';
const FULL_DISK = 'exec 3>/dev/full';
const NONE = ':';

test('a secret that cannot be written is not made', async () =>
{
	const org = await createOrg(db, 'Full');
	const person = await createPerson(db);
	const hash = () => db.value('SELECT password_hash FROM wa.app_user WHERE id = $1', [person.uuid]);
	const before = await hash();

	for (const output of [CLOSED_PIPE, FULL_DISK, NONE])
	{
		for (const args of [['key', 'create', org.id, 'lost', 'read'], ['user', 'create', 'lost@example.com', 'Lost'], ['user', 'reset-password', person.id]])
		{
			const { code, stderr } = unwritable(output, ...args);

			assert.equal(code, 1);
			assert.match(stderr, /nothing was changed, because the secret could not be written\n$/);
		}
	}
	assert.deepEqual(json('key', 'list', org.id), []);
	assert.equal(await hash(), before);
	assert.ok(!json('user', 'list').some(({ email }) => email === 'lost@example.com'));
	/* a list whose reader has gone says nothing; one that no disk takes does */
	assert.deepEqual(unwritable(CLOSED_PIPE, 'org', 'list'), { code: 1, stdout: '', stderr: '' });
	assert.match(unwritable(FULL_DISK, 'org', 'list').stderr, /^wa: cannot write the output: No space left on device\n$/);
	assert.match(unwritable(NONE, 'org', 'list').stderr, /^wa: cannot write the output: Bad file descriptor\n$/);
});

/* Runs wa at a terminal, and types this when the prompt is there. */
async function atTerminal(args, prompt, typed)
{
	const child = spawn('script', ['--quiet', '--return', '--command', [WA, ...args].join(' '), '/dev/null'],
		{ env: { ...process.env, ...cluster.environment('wa', ADMIN) }, stdio: ['pipe', 'pipe', 'inherit'] });
	let shown = '';

	child.stdout.setEncoding('utf8');
	child.stdout.on('data', (text) =>
	{
		if (!shown.includes(prompt) && (shown + text).includes(prompt))
			child.stdin.write(typed);
		shown += text;
	});

	const code = await new Promise((resolve) => { child.on('exit', resolve); });

	return { code, shown };
}

test('a password that is typed at the terminal is not shown there', async () =>
{
	const { code, shown } = await atTerminal(['user', 'create', 'tess@example.com', 'Tess', '--password'], 'Password: ', 'typed by hand 7\n');

	assert.equal(code, 0, shown);
	assert.match(shown, /tess@example\.com/);
	assert.doesNotMatch(shown, /typed by hand/);
});

test('a secret is in the server\'s log in none of its forms', async () =>
{
	const org = await createOrg(db, 'Log');
	const made = json('key', 'create', org.id, 'logged', 'read');
	const rotated = json('key', 'rotate', made.id);
	const { password } = json('user', 'create', 'log@example.com', 'Log');

	wa(['key', 'find', '-'], { input: `${rotated.key}\n` });
	wa(['key', 'revoke-secret', '-'], { input: `${rotated.key}\n` });
	wa(['user', 'create', 'log2@example.com', 'Log', '--password'], { input: 'never in the log 5\n' });

	const log = fs.readFileSync(path.join(cluster.place, 'postgresql.log'), 'utf8');

	/* the control: these statements are in it */
	assert.match(log, /wa\.find_key\(\$1\)/);
	assert.match(log, /wa\.revoke_secret\(\$1/);
	assert.match(log, /wa\.rotate_key\(\$1/);
	for (const secret of [made.key.slice(12), rotated.key.slice(12), password, 'never in the log 5'])
		assert.ok(!log.includes(secret), 'it is in the log');
});

/* The key opens what a gateway seals: credentials.test.mjs shows that with keys of the same kind. */
test('connector: a key pair whose secret half is in a file alone, and its public half in the database', () =>
{
	const folder = fs.mkdtempSync(path.join(cluster.place, 'keys-'));
	const file = path.join(folder, 'secret');

	fs.chmodSync(folder, 0o777);

	const umask = process.umask(0);
	const made = said('connector', 'make-key', file);

	process.umask(umask);

	const [publicKey] = /\b[0-9a-f]{64}\b/.exec(made);
	const secret = fs.readFileSync(file, 'utf8');
	const bytes = Buffer.from(secret, 'base64');

	assert.match(secret, /^[A-Za-z0-9+/]{43}=\n$/);
	assert.equal(fs.statSync(file).mode & 0o777, 0o600);
	for (const shown of [secret.trim(), bytes.toString('hex')])
		assert.ok(!made.includes(shown));
	/* the halves belong together */
	assert.equal(createPublicKey(createPrivateKey({ format: 'der', type: 'pkcs8', key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), bytes]) }))
		.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex'), publicKey);
	assert.match(made, new RegExp(`^  wa connector add-key NAME ${publicKey}$`, 'm'));
	assert.match(made, new RegExp(`^  SELECT wa\\.add_connector_key\\('NAME', '\\\\x${publicKey}'\\);$`, 'm'));
	/* nothing that exists is written over, nor through a link */
	fs.symlinkSync(path.join(folder, 'target'), path.join(folder, 'link'));
	for (const [name, words] of [[file, /cannot write .*: File exists/], [path.join(folder, 'link'), /File exists/], [path.join(folder, 'none/key'), /No such file or directory/]])
		refused(['connector', 'make-key', name], 1, words);
	refused(['connector', 'make-key'], 2, /FILE is missing/);
	assert.equal(fs.readFileSync(file, 'utf8'), secret);
	assert.deepEqual(fs.readdirSync(folder).sort(), ['link', 'secret']);

	const added = json('connector', 'add-key', 'cloud', publicKey);

	assert.deepEqual([added.connector, added.publicKey, added.addedBy, added.sessions], ['cloud', publicKey, ADMIN, 0]);
	assert.match(added.addedAt, TIME);
	assert.deepEqual(json('connector', 'list-keys').filter(({ id }) => id === added.id), [added]);
	assert.ok(said('connector', 'list-keys').includes(publicKey));
	refused(['connector', 'add-key', 'cloud', publicKey], 1, /already exists|duplicate/);
	refused(['connector', 'add-key', 'cloud', '00'.repeat(32)], 1, /public_key must be the 32 bytes of a public key/);
	refused(['connector', 'add-key', 'cloud', 'x'], 1, /invalid hexadecimal/);
	refused(['connector', 'add-key', 'cloud', publicKey], 1, /permission denied/, { user: NOBODY });
	refused(['connector', 'list-keys'], 1, /permission denied/, { user: NOBODY });
	refused(['connector', 'remove-key', added.id], 1, /permission denied/, { user: NOBODY });
	refused(['connector', 'retire-key', added.id], 2, /remove-key/);
	assert.equal(said('connector', 'remove-key', added.id), `Removed the key ${added.id}.\n`);
	refused(['connector', 'remove-key', added.id], 1, /key does not exist/);
	assert.deepEqual(json('connector', 'list-keys').filter(({ id }) => id === added.id), []);
});

/* The commands, as --help lists them. */
const COMMANDS = () => [...said('--help').matchAll(/^ {2}([a-z]+(?: [a-z-]+)?) {2,}/gm)].map(([, name]) => name);

test('help, completion and manual have every command, and all of its options', () =>
{
	const commands = COMMANDS();
	const manual = said('manual');
	const rendered = run('mandoc', ['-Tutf8'], { input: manual }).stdout.replace(/.\x08/g, '');

	assert.ok(commands.length > 20, commands.join());
	assert.deepEqual(run('mandoc', ['-Tlint'], { input: manual }), { code: 0, stdout: '', stderr: '' });
	assert.equal(fs.readFileSync(path.join(ROOT, 'gateway/wa.1'), 'utf8'), manual);
	for (const command of commands)
	{
		const help = said(...command.split(' '), '--help');
		const [, usage] = /^Usage:\n {2}wa (.*)$/m.exec(help);

		assert.ok(usage === command || usage.startsWith(`${command} `), usage);
		assert.ok(rendered.includes(`\n     ${command}`), command);
		for (const [option] of usage.matchAll(/--[a-z-]+/g))
		{
			assert.ok(help.split('\n').some((line) => line.startsWith(`  [${option}`) || line.startsWith(`  ${option} `)), `${command} ${option}`);
			assert.ok(completed(`wa ${command} `).includes(option), `${command} ${option}`);
		}
	}
	assert.match(said('key', '--help'), /^ {2}key rotate/m);
	/* which of them work over HTTP is said in all three */
	for (const command of commands)
	{
		const works = new RegExp(`^ {2}${command} .*\\[HTTP\\]$`, 'm').test(said('--help'));
		const [, paragraph] = new RegExp(`\n {5}${command}(?= |\n)([^]*?)(?=\n {5}[a-z]|\n[A-Z])`).exec(rendered);

		assert.equal(/Works over HTTP too\./.test(paragraph.replace(/\s+/g, ' ')), works, command);
		assert.doesNotMatch(paragraph, /\bNo \[/, command);
		assert.equal(/ \[HTTP\]$/m.test(said(...command.split(' '), '--help')), works, command);
		assert.equal(run(WA, command.split(' '), { env: { WA_URL: 'http://127.0.0.1:1', WA_TOKEN_FILE: '/nowhere' } }).stderr.includes('works with a database only'),
			!works && !['completion bash', 'manual', 'connector make-key'].includes(command), command);
	}
	assert.match(said('--version'), /^wa [0-9]+\.[0-9]+\n$/);
});

/* What bash offers behind this line. */
function completed(line)
{
	const script = `${said('completion', 'bash')}
		COMP_WORDS=(${line.split(' ').map((word) => `'${word}'`).join(' ')})
		COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
		_wa && printf '%s\\n' "\${COMPREPLY[@]}"`;

	return must('bash', ['-c', script]).trim().split('\n');
}

test('the completion knows commands, options and what a value may be', () =>
{
	assert.deepEqual(completed('wa '), ['check', 'org', 'key', 'import', 'user', 'member', 'permission', 'audit', 'connector', 'tail', 'completion', 'manual', '--database', '--url', '--token-file', '--ca-file', '--json', '--help', '--version']);
	assert.deepEqual(completed('wa ke'), ['key']);
	assert.deepEqual(completed('wa --database x key '), ['create', 'change', 'policy', 'list', 'show', 'find', 'usage', 'guesses', 'explain', 'revoke', 'revoke-all', 'revoke-secret', 'disable', 'enable', 'rotate']);
	/* over HTTP only what works there */
	assert.deepEqual(completed('wa --url http://127.0.0.1:8080 --token-file token '), ['key', 'audit', '--database', '--url', '--token-file', '--ca-file', '--json', '--help', '--version']);
	assert.deepEqual(completed('wa --token-file token key rev'), ['revoke', 'revoke-all']);
	assert.deepEqual(completed('wa --token-file token audit '), ['list', 'head', 'export']);
	assert.deepEqual(completed('wa --ca-file key key revoke-all --y'), ['--yes']);
	assert.deepEqual(completed('wa key create org_x name re'), ['read']);
	assert.deepEqual(completed('wa key revoke key_x --r'), ['--reason']);
	assert.deepEqual(completed('wa member add o u ow'), ['owner']);
});
