/*
 * man_in_the_middle.test.mjs
 *		Whatever happens to the messages between gateway and PostgreSQL, an answer is of the
 *		organization of the key that asked, or it is an error (P45).
 *
 * The one in the middle here stands for three: a fault (of a pooler, a proxy, of libpq or of
 * the gateway) that loses, repeats or mixes up messages; an attacker who has got hold of a
 * connection and writes into it without reading; and a server whose state is not what the
 * gateway believes.  Not for one who reads along and can rewrite everything: he sees the
 * keys, and every answer.
 *
 * First the attacks one by one, each on a pipeline in which the victim's request is next to
 * the attacker's; then any mixture, for as long as WA_ATTACK_SECONDS says (10).  Its random
 * choices come from WA_SEED, which is printed.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareCluster } from '../e2e/harness/cluster.mjs';
import { DatabaseProxy } from '../e2e/harness/database_proxy.mjs';
import { until } from '../e2e/harness/processes.mjs';
import { Gateway } from '../e2e/harness/programs.mjs';
import { Random } from '../e2e/harness/random.mjs';
import { statementText } from '../e2e/harness/statements.mjs';
import { createTenant } from '../e2e/harness/tenants.mjs';
import { message } from '../e2e/harness/wire.mjs';

const SECONDS = Number(process.env.WA_ATTACK_SECONDS ?? 10);
const CALLERS = 16;
const ANSWERED_MIN = 100;
const VIOLATIONS_MIN = 10;
const MORE_SECONDS = 100;

const random = new Random();

let cluster, db, tenants, proxy;

before(async () =>
{
	cluster = prepareCluster();

	db = await cluster.open('wa');
	tenants = [];
	for (const name of ['Acme', 'Beta', 'Gamma', 'Delta'])
	{
		const tenant = await createTenant(db, name);

		tenant.session.label = `session of ${name}`;
		await db.value("SELECT wa.set_org_limit($1, 'sessions', 100000)", [tenant.org.uuid]);
		tenants.push(tenant);
	}
	for (const tenant of tenants)
		tenant.marks = [tenant.org.id, tenant.key.id, tenant.session.id, tenant.session.label];
	proxy = await DatabaseProxy.start(cluster);
});

/* A gateway behind the proxy, which is honest until a hook is set. */
async function startGateway(connections, args = ['--request-timeout', '3000'])
{
	proxy.toServer = proxy.toClient = null;

	const gateway = await Gateway.start({ host: proxy.host, port: proxy.port, place: cluster.place }, {
		args: ['--db-connections', String(connections), '--db-slow-connections', '0', ...args, '--metrics', '127.0.0.1:0'],
	});

	gateway.lied = true;
	return gateway;
}

/* ---- the messages of a group ---- */

/* The wire's messages as the proxy has them. */
function parts(...messages)
{
	return messages.map((bytes) => ({ type: String.fromCharCode(bytes[0]), body: bytes.subarray(5) }));
}

const isBinding = ({ type, body }) => type === 'B' && body.toString('latin1').startsWith('\0authenticate\0');

/* Is it a request with a key?  The gateway's own (/readyz, events) are let alone. */
const isRequest = (group) => group.some(isBinding);

/* A Bind of authenticate with another key in it; the rest, the number too, as it was. */
function withKey(bind, key)
{
	const text = Buffer.from(key);
	const names = '\0authenticate\0'.length;
	const formats = 2 + 2 * bind.body.readInt16BE(names);
	const first = names + formats + 2;
	const length = Buffer.alloc(4);

	length.writeInt32BE(text.length);
	return { type: 'B', body: Buffer.concat([bind.body.subarray(0, first), length, text,
		bind.body.subarray(first + 4 + bind.body.readInt32BE(first))]) };
}

/* The same with the number in it made another one: whoever cannot read cannot know it. */
function withoutNumber(bind)
{
	const body = Buffer.from(bind.body);

	body[body.length - 2 - 2 - 1] ^= 0xff;		/* the count of result formats and the one are last */
	return { type: 'B', body };
}

/*
 * The text of one of the gateway's statements under the name of another, which is kept from
 * it.  The server takes it, with the types that it is registered with.
 */
function replaceStatement(name, other, types = [])
{
	const group = parts(message.close('S', name), message.parse(name, statementText(other), types), message.sync());

	group.at(-1).swallow = true;
	return group;
}

function query(sql)
{
	const [group] = parts(message.query(sql));

	group.swallow = true;
	return group;
}

/* ---- what a caller may see ---- */

/*
 * What is in an answer is of its caller's organization.  An error has nothing in it.  Returns
 * the status; 0 without an answer.
 */
function check(tenant, answer, what)
{
	if (answer === null)
		return 0;

	const said = `${what}: ${answer.status} ${answer.text.slice(0, 300)}`;

	for (const other of tenants)
		assert.ok(other === tenant || !other.marks.some((mark) => answer.text.includes(mark)), said);
	if (answer.status === 200 || answer.status === 201)
	{
		for (const [, id] of answer.text.matchAll(/"organizationId":"([^"]*)"/g))
			assert.equal(id, tenant.org.id, said);
		assert.ok(answer.text.includes(tenant.org.id), said);
	}
	else
	{
		/*
		 * Of another's statement in the place of this one: a 500, the server did not understand
		 * the values; a 403 or a 404, the caller does not have the permission or the row.
		 */
		assert.ok([403, 404, 500, 503, 504].includes(answer.status), said);
		assert.ok(!tenant.marks.some((mark) => answer.text.includes(mark)), said);
	}
	return answer.status;
}

/*
 * The attacker's request and the victim's are sent in one pipeline: the first group waits
 * for the second, and "attack" makes of both what the server gets.
 */
async function pipelined(attack)
{
	const gateway = await startGateway(1);
	const ask = (tenant) => gateway.client.get(attack.path?.(tenant) ?? '/api/v1/me', tenant.key.secret);
	const waiting = [];
	let attacked = false;

	proxy.swallowed = [];
	proxy.toServer = (link, group) =>
	{
		if (!isRequest(group) || attacked)
			return group;
		waiting.push(group);
		if (waiting.length < 2)
			return [];
		attacked = true;
		return attack.toServer ? attack.toServer(...waiting) : waiting.flat();
	};
	if (attack.toClient)
	{
		const answers = [];

		proxy.toClient = (link, group) =>
		{
			if (!attacked || answers.length === 2)
				return group;
			answers.push(group);
			return answers.length < 2 ? [] : attack.toClient(...answers);
		};
	}

	const [attacker, victim] = tenants;
	const first = ask(attacker);

	await until('the first request is in the pipeline', () => waiting.length === 1);

	const second = ask(victim);
	const answers = await Promise.all([first, second]);
	const statuses = [check(attacker, answers[0], 'the attacker'), check(victim, answers[1], 'the victim')];

	assert.ok(attacked);
	proxy.toServer = proxy.toClient = null;
	await until('the gateway goes on', async () => (await gateway.client.get('/readyz')).status === 200);
	for (const tenant of [attacker, victim])
		assert.equal(check(tenant, await ask(tenant), 'afterwards'), 200);

	await gateway.stop();

	/* the log is written by a thread, which has ended */
	const violations = gateway.events('database_protocol_violation');

	return { statuses, violations, swallowed: proxy.swallowed };
}

/* ---- one by one ---- */

test('nothing is done to the messages: both get their own', async () =>
{
	const { statuses, violations } = await pipelined({});

	assert.deepEqual(statuses, [200, 200]);
	assert.deepEqual(violations, []);
});

/*
 * "sealed": what is added is refused by the seal, so that it may come to nothing.  "replaced":
 * the server takes it as a statement, of which only the name is wrong.
 */
const ATTACKS = {
	'a transaction is opened in front, unseen':
		{ sealed: true, toServer: (a, b) => [query('BEGIN'), ...a, ...b] },
	'a transaction is opened between the two, unseen':
		{ sealed: true, toServer: (a, b) => [...a, query('BEGIN'), ...b] },
	'the Sync between the two is lost':
		{ toServer: (a, b) => [...a.slice(0, -1), ...b] },
	'the Sync between the two is lost, and the second authenticate':
		{ toServer: (a, b) => [...a.slice(0, -1), ...b.slice(3)] },
	'all between the two authentications is lost, and the second':
	{
		quiet: true, path: (tenant) => `/api/v1/sessions/${tenant.session.id}`, statuses: [404, 504],
		toServer: (a, b) => [...a.slice(0, 3), ...b.slice(3)],
	},
	'the second authenticate is lost':
		{ toServer: (a, b) => [...a, ...b.slice(3)] },
	'the second authenticate is the attacker\'s':
		{ toServer: (a, b) => [...a, withoutNumber(withKey(b.find(isBinding), tenants[0].key.secret)), ...b.slice(1)] },
	'something else is called authenticate, and takes other values':
		{ replaced: true, toServer: (a, b) => [...a, ...replaceStatement('authenticate', 'me'), ...b] },
	'something else is called authenticate, for both':
		{ replaced: true, toServer: (a, b) => [...replaceStatement('authenticate', 'me'), ...a, ...b] },
	'something else is called me, and takes other values':
		{ replaced: true, toServer: (a, b) => [...a, ...replaceStatement('me', 'session_list'), ...b] },
	'something else is called me, and takes what it takes':
		{ replaced: true, quiet: true, toServer: (a, b) => [...a, ...replaceStatement('me', 'authorized'), ...b] },
	'what deletes a session is called session_get':
	{
		replaced: true, quiet: true, path: (tenant) => `/api/v1/sessions/${tenant.session.id}`,
		toServer: (a, b) => [...a, ...replaceStatement('session_get', 'session_delete'), ...b],
	},
	'something else is called session_get, and its one value is of another type':
	{
		replaced: true, path: (tenant) => `/api/v1/sessions/${tenant.session.id}`,
		toServer: (a, b) => [...a, ...replaceStatement('session_get', 'unbound'), ...b],
	},
	'the two requests change places':
		{ toServer: (a, b) => [...b, ...a] },
	'a request comes twice':
		{ toServer: (a, b) => [...a, ...a.map((one) => ({ ...one })), ...b] },
	'the statement runs twice':
		{ toServer: (a, b) => [...a.slice(0, -1), a[5], a[6], ...b] },
	'the first request is lost':
		{ toServer: (a, b) => b },
	'the two answers change places':
		{ toClient: (a, b) => [...b, ...a] },
	'the first answer is lost':
		{ toClient: (a, b) => b },
	'the first answer comes twice':
		{ toClient: (a) => [...a, ...a] },
	'the second answer is lost, and the first comes in its place':
		{ toClient: (a) => [...a, ...a] },
	'the first ReadyForQuery is lost':
		{ toClient: (a, b) => [...a.slice(0, -1), ...b] },
	'a ReadyForQuery tells of an open transaction':
		{ toClient: (a, b) => [...a.slice(0, -1), { type: 'Z', body: Buffer.from('T') }, ...b] },
	'authenticate\'s answer is lost':
		{ toClient: (a, b) => [...a, ...b.slice(4)] },
	'a row is lost':
		{ toClient: (a, b) => [...a, ...b.filter((one, i) => one.type !== 'D' || i < 4)] },
	'a row comes twice':
		{ toClient: (a, b) => [...a, ...b.slice(0, 7), b[6], ...b.slice(7)] },
};

for (const [name, attack] of Object.entries(ATTACKS))
{
	test(name, async () =>
	{
		const { statuses, violations, swallowed } = await pipelined(attack);

		if (attack.sealed)
			return;
		if (attack.replaced)
			assert.deepEqual(swallowed, ['31Z'], 'the server has closed one, and taken the other');
		assert.notDeepEqual(statuses, [200, 200]);
		if (attack.statuses)
			assert.deepEqual(statuses, attack.statuses);
		assert.ok(violations.length > 0 || attack.quiet, `no alarm: ${statuses}`);
	});
}

/* What is counted, and what is logged: never a row, never a key. */
test('a violation is an alarm: a line of the log that says what, and a number', async () =>
{
	const gateway = await startGateway(1);
	const port = gateway.metricsPort;
	const count = async () => /^wa_database_protocol_violations_total ([0-9]+)$/m
		.exec(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())?.[1];

	await until('it is counted from 0', async () => await count() === '0');
	proxy.toClient = (link, group) => [...group.slice(0, -1), { type: 'Z', body: Buffer.from('T') }];

	const answer = await gateway.client.get('/api/v1/me', tenants[0].key.secret);

	proxy.toClient = null;
	assert.equal(answer.status, 503);
	await until('it is counted', async () => await count() === '1');

	const [line, ...others] = await until('it is logged', () => gateway.events('database_protocol_violation').length > 0 && gateway.events('database_protocol_violation'));

	assert.deepEqual(others, []);
	assert.match(line, / level=error .* statement=me expected="an idle transaction" came="an open transaction"/);
	assert.equal(tenants[0].marks.concat(tenants[0].key.secret).find((mark) => line.includes(mark)), undefined);
	await gateway.stop();
});

/* A network that stalls is no violation: it costs the connection and those requests that were on it. */
test('a Sync that does not come costs a connection, and no alarm', async () =>
{
	for (const kept of [1, 4])
	{
		const gateway = await startGateway(1, ['--request-timeout', '30000']);
		let stalled = null;

		proxy.toServer = (link, group) =>
		{
			if (stalled !== null || !isRequest(group))
				return group;
			stalled = link;
			return group.slice(0, -kept);
		};

		const began = Date.now();
		const answer = await gateway.client.get('/api/v1/me', tenants[0].key.secret);

		assert.equal(check(tenants[0], answer, 'behind the stall'), 503);
		assert.ok(Date.now() - began >= 1000, `${Date.now() - began} ms`);
		assert.ok(stalled.sockets.toServer.readableEnded, 'the server has ended the session');
		await until('the gateway goes on', async () => (await gateway.client.get('/api/v1/me', tenants[0].key.secret)).status === 200);
		assert.deepEqual(gateway.events('database_protocol_violation'), []);
		await gateway.stop();
	}
});

/* Nor is a commit that is refused because the key has ended between the statement and it. */
test('a key that is revoked before the commit: 401, no alarm, and nothing is written', async () =>
{
	const gateway = await startGateway(1, ['--request-timeout', '60000']);
	const { org } = tenants[1];
	const secret = await db.value("SELECT secret FROM wa.create_key($1, 'ends', '{read,manage}')", [org.uuid]);

	proxy.toServer = async (link, group) =>
	{
		if (!isRequest(group))
			return group;
		/* the statement has run when the server waits again */
		link.write('toServer', [...group.slice(0, -1), ...parts(message.flush())]);
		await until('the statement has run', async () => await db.value(
			"SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND wait_event = 'ClientRead'") === '1');
		await db.sql("SELECT wa.revoke_key($1, 'ends')", [org.uuid]);
		return group.slice(-1);
	};

	const answer = await gateway.client.post('/api/v1/sessions', secret, { label: 'behind its end' });

	assert.equal(answer.status, 401);
	assert.deepEqual(gateway.events('database_protocol_violation'), []);
	assert.equal(await db.value("SELECT count(*) FROM wa.session WHERE label = 'behind its end'"), '0');
	await gateway.stop();
});

/* ---- anything, for some time ---- */

/* The place in a group, its end not counted. */
const place = (group) => random.below(Math.max(group.length - 1, 1));

/* As splice() of an array, but of a copy. */
function splice(group, ...change)
{
	const copy = [...group];

	copy.splice(...change);
	return copy;
}

/* What other groups have been: answers of anybody, to be played again. */
const kept = [];

/* Gives the group back when the next one has come, in front of which that goes; or a little later. */
function hold(link, direction, group)
{
	const held = link.held ??= {};

	held[direction] = group;
	setTimeout(() =>
	{
		if (held[direction] === group)
		{
			held[direction] = null;
			link.write(direction, group);
		}
	}, 20);
	return [];
}

const TEXT = 25;

/* Of the requests below, and such as take the same values. */
/* None whose types refuse by themselves what another takes: that is an answer, too, and says nothing. */
const NAMES = ['authenticate', 'me', 'authorized', 'session_list', 'session_get', 'session_me', 'unbound', 'session_create'];

const EITHER = {
	drop: (group) => splice(group, place(group), 1),
	double: (group) => { const at = place(group); return splice(group, at, 0, group[at]); },
	swap: (group) => { const at = place(group); return splice(group, at, 2, group[at + 1] ?? group[at], group[at]); },
	dropEnd: (group) => group.slice(0, -1),
	dropAll: () => [],
	doubleAll: (group) => [...group, ...group.map((one) => ({ ...one }))],
	cut: (group) => { const at = place(group); return splice(group, at, 1 + random.below(group.length - at)); },
	delay: async (group) => { await sleep(1 + random.below(20)); return group; },
	hold: (group, link, direction) => hold(link, direction, group),
};

const TO_SERVER = {
	...EITHER,
	begin: (group) => [query('BEGIN'), ...group],
	beginSeen: (group) => [...parts(message.query('BEGIN')), ...group],
	rollback: (group) => [query('ROLLBACK'), ...group],
	noAuthenticate: (group) => group.slice(3),
	noAuthenticateBehindNoSync: (group, link) => { link.dropNext = true; return group.slice(0, -1); },
	otherKey: (group) => group.map((one) => (isBinding(one) ? withoutNumber(withKey(one, random.of(tenants).key.secret)) : one)),
	otherStatement: (group) => [...replaceStatement(random.of(NAMES), random.of(NAMES), random.below(4) ? [] : Array(4).fill(TEXT)), ...group],
};

const TO_CLIENT = {
	...EITHER,
	open: (group) => [...group.slice(0, -1), { type: 'Z', body: Buffer.from(random.of(['T', 'E'])) }],
	notify: (group) => [{ type: 'A', body: Buffer.from('\0\0\0\x01channel\0text\0') }, ...group],
	encoding: (group) => [{ type: 'S', body: Buffer.from('client_encoding\0LATIN1\0') }, ...group],
	copy: (group) => splice(group, place(group), 0, { type: random.of(['G', 'H', 'W']), body: Buffer.alloc(3) }),
	error: (group) => splice(group, place(group), 0,
		{ type: 'E', body: Buffer.from(`SERROR\0C${random.of(['25001', '34000', '08P01', '40001'])}\0Mno\0\0`) }),
	again: (group) => [...random.of(kept), ...group],
	another: () => random.of(kept),
};

const counts = {};

function mutate(mutations, direction, rate)
{
	return async (link, group) =>
	{
		const held = link.held?.[direction];
		let out = group;

		if (direction === 'toServer' && !isRequest(group))
			return group;
		if (link.dropNext && direction === 'toServer')
		{
			link.dropNext = false;
			out = group.slice(3);
		}
		if (direction === 'toClient' && kept.length < 200)
			kept.push(group);
		if (random.happens(rate))
		{
			const name = random.of(Object.keys(mutations));

			counts[`${direction} ${name}`] = (counts[`${direction} ${name}`] ?? 0) + 1;
			out = await mutations[name](out, link, direction);
		}
		if (held && held === link.held[direction])
		{
			link.held[direction] = null;
			out = [...out, ...held];
		}
		return out;
	};
}

/* One caller: requests one after the other, each with the key of somebody. */
async function call(gateway, isOver, statuses, number)
{
	for (let i = 0; !isOver(); i++)
	{
		const tenant = tenants[(number + random.below(tenants.length)) % tenants.length];
		const label = `made by ${number}.${i}`;
		const answer = await random.of([
			() => gateway.client.get('/api/v1/me', tenant.key.secret),
			() => gateway.client.get('/api/v1/sessions?limit=50', tenant.key.secret),
			() => gateway.client.get(`/api/v1/sessions/${tenant.session.id}`, tenant.key.secret),
			() => gateway.client.post('/api/v1/sessions', tenant.key.secret, { label, start: false }),
		])().catch(() => null);
		const status = check(tenant, answer, `seed ${random.seed}`);

		if (status === 201)
			assert.equal(answer.json.label, label, `seed ${random.seed}`);
		statuses[status] = (statuses[status] ?? 0) + 1;
	}
}

for (const [name, toServer, toClient] of [['to the server', 0.1, 0], ['to the gateway', 0, 0.1], ['both ways', 0.05, 0.05]])
{
	test(`any mixture, ${name}`, async (t) =>
	{
		const gateway = await startGateway(4, ['--request-timeout', '1000']);
		const statuses = {};
		const end = Date.now() + SECONDS * 1000;
		/* on a slow machine there is more time for as much */
		const isEnough = () => statuses[200] > ANSWERED_MIN && gateway.events('database_protocol_violation').length > VIOLATIONS_MIN;
		const isOver = () => Date.now() >= end && (isEnough() || Date.now() >= end + MORE_SECONDS * 1000);

		t.diagnostic(`WA_SEED=${random.seed}`);
		proxy.toServer = mutate(TO_SERVER, 'toServer', toServer);
		proxy.toClient = mutate(TO_CLIENT, 'toClient', toClient);
		await Promise.all(Array.from({ length: CALLERS }, (_, number) => call(gateway, isOver, statuses, number)));
		proxy.toServer = proxy.toClient = null;
		t.diagnostic(JSON.stringify({ statuses, violations: gateway.events('database_protocol_violation').length }));
		t.diagnostic(JSON.stringify(counts));
		assert.ok(statuses[200] > ANSWERED_MIN, 'enough was answered');
		assert.ok(gateway.events('database_protocol_violation').length > VIOLATIONS_MIN, 'enough was done to it');
		await until('the gateway goes on', async () => (await gateway.client.get('/readyz')).status === 200);
		assert.ok(gateway.running);
		await gateway.stop();
	});
}
