/*
 * startup_packets.test.mjs
 *		Whatever bytes a client begins with: no sealed login gets in with a setting of its own (P07).
 *
 * Random packets are sent to the server, most of them close to good ones.  Each that is let
 * in is read again by the rules of the protocol, and has to name nothing but what a sealed
 * login may name; its session is sealed.  The server survives all of them.  A failure names
 * the packet and the seed; WA_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { before, test } from 'node:test';
import { GATEWAY_LOGIN, prepareCluster } from './harness/cluster.mjs';
import { Random } from './harness/random.mjs';
import { message } from './harness/wire.mjs';

const PACKETS = 1000;
const AT_ONCE = 8;

const NAMES = ['application_name', 'client_encoding', 'APPLICATION_NAME', 'options', 'replication', 'search_path', 'work_mem', 'DateStyle',
	'TimeZone', 'role', 'session_authorization', 'statement_timeout', 'row_security', 'wa.org', '_pq_.x', 'is_superuser', 'user', 'database', 'x'];
const VALUES = ['', ' ', 'x', 'UTF8', 'LATIN1', 'on', 'off', 'true', 'false', '0', 'database', 'public', 'postgres', 'wa_owner', '-c work_mem=1GB',
	'--work-mem=1GB', '1GB', 'x'.repeat(300), '\\\\', "'", '%s%n', 'é'];
const VERSIONS = [3 << 16, 3 << 16, 3 << 16, 3 << 16, (3 << 16) + 1, (3 << 16) + 9999, 2 << 16, 4 << 16, 0, 80877102, 80877103, 80877104];

let cluster, db;

before(async () =>
{
	cluster = prepareCluster(['authentication_timeout = 2s']);
	db = await cluster.open('wa');
	await db.sql('CREATE ROLE app LOGIN IN ROLE wa_app');
});

function packetOf(version, pairs)
{
	const body = Buffer.concat([Buffer.alloc(8), ...pairs.flat().map((string) => Buffer.from(`${string}\0`)), Buffer.from([0])]);

	body.writeInt32BE(body.length, 0);
	body.writeUInt32BE(version >>> 0, 4);
	return body;
}

/* One change to the bytes behind the length, of any kind. */
function change(packet, random)
{
	const at = 4 + random.below(packet.length - 4);
	const end = Math.min(packet.length, at + 1 + random.below(8));
	const piece = packet.subarray(at, end);

	switch (random.below(6))
	{
		case 0: return Buffer.concat([packet.subarray(0, at), packet.subarray(end)]);
		case 1: return Buffer.concat([packet.subarray(0, end), piece, packet.subarray(end)]);
		case 2: return Buffer.concat([packet.subarray(0, at), Buffer.from([random.below(256)]), packet.subarray(at)]);
		case 3: return packet.subarray(0, Math.max(at, 8));
		case 4: piece.fill(0); return packet;
		default: packet[at] ^= 1 << random.below(8); return packet;
	}
}

function randomPacket(random, user)
{
	const more = Array.from({ length: random.below(3) }, () => [random.of(NAMES), random.of(VALUES)]);
	const pairs = [['user', user], ['database', 'wa'], ...more];
	let packet = packetOf(random.of(VERSIONS), random.below(4) === 0 ? pairs.reverse() : pairs);

	for (let changes = random.below(3); changes > 0; changes--)
		packet = change(packet, random);
	if (random.below(8) !== 0)
		packet.writeInt32BE(packet.length, 0);
	return packet;
}

/* Sends a packet, and a query behind it; what comes until the server closes, as [type, body]. */
function ask(packet)
{
	return new Promise((resolve) =>
	{
		const socket = net.connect(path.join(cluster.host, `.s.PGSQL.${cluster.port}`));
		let input = Buffer.alloc(0);

		socket.on('error', () => {});
		socket.on('data', (data) => { input = Buffer.concat([input, data]); });
		socket.on('close', () =>
		{
			const got = [];

			for (let at = 0; at + 5 <= input.length; at += 1 + input.readInt32BE(at + 1))
				got.push([String.fromCharCode(input[at]), input.subarray(at + 5, at + 1 + input.readInt32BE(at + 1))]);
			resolve(got);
		});
		socket.end(Buffer.concat([packet, message.query('SHOW work_mem')]));
	});
}

const entered = (got) => got.some(([type, body]) => type === 'R' && body.readInt32BE(0) === 0) && got.some(([type]) => type === 'Z');
const codesOf = (got) => got.filter(([type]) => type === 'E').map(([, body]) => /\0C([0-9A-Z]{5})\0/.exec(body.toString('latin1'))?.[1]);

/* The names and values that a packet gives, as the protocol says. */
function pairsOf(packet)
{
	const strings = packet.subarray(8, packet.readInt32BE(0)).toString('latin1').split('\0');
	const pairs = [];

	for (let i = 0; i + 1 < strings.length && strings[i] !== ''; i += 2)
		pairs.push([strings[i], strings[i + 1]]);
	return pairs;
}

/* Whether a sealed login may give this; what says nothing is harmless. */
function isHarmless([name, value])
{
	return ['user', 'database'].includes(name) || name.startsWith('_pq_.') || (name === 'options' && value === '') ||
		(name === 'replication' && /^(|0|n|no|f|fa|fal|fals|false|of|off)$/i.test(value)) ||
		['application_name', 'client_encoding'].includes(name.toLowerCase());
}

/* The last of a name counts, and is the one that is looked at, but for settings, which all are. */
function gives(pairs)
{
	const last = new Map(pairs);

	return pairs.filter(([name, value]) => !['options', 'replication'].includes(name) || last.get(name) === value);
}

/* Sends random packets of a login; those that let it in, as { about, pairs, got }. */
async function sendAll(login)
{
	const random = new Random();
	const packets = Array.from({ length: PACKETS }, () => randomPacket(random, login));
	const inside = [];
	const one = async (packet) =>
	{
		const got = await ask(packet);
		const pairs = gives(pairsOf(packet));

		/* a packet may also have become one of another login */
		if (entered(got) && new Map(pairs).get('user') === login)
			inside.push({ about: `seed ${random.seed}: ${JSON.stringify(packet.toString('latin1'))}`, pairs, got });
	};

	while (packets.length > 0)
		await Promise.all(packets.splice(0, AT_ONCE).map(one));
	assert.ok(inside.length > PACKETS / 50, `only ${inside.length} of ${PACKETS} got in: seed ${random.seed}`);
	return inside;
}

test('a login that is not sealed gets in with settings of its own', async () =>
{
	const got = await ask(packetOf(3 << 16, [['user', 'app'], ['database', 'wa'], ['work_mem', '77MB']]));

	assert.ok(entered(got));
	assert.ok(got.some(([type, body]) => type === 'D' && body.includes('77MB')));
	assert.ok((await sendAll('app')).some(({ pairs }) => !pairs.every(isHarmless)));
});

test('no packet lets a sealed login in with a setting, and none ends the server', async () =>
{
	const backend = await db.value('SELECT pg_backend_pid()');

	for (const { about, pairs, got } of await sendAll(GATEWAY_LOGIN))
	{
		assert.deepEqual(pairs.filter((pair) => !isHarmless(pair)), [], about);

		/* what stands behind the packet's own end is read as messages, and may be none */
		assert.ok(['42501', '08P01'].includes(codesOf(got)[0]), about);
		assert.ok(!got.some(([type]) => type === 'D'), about);
	}

	/* had one process crashed, the server would have ended all others */
	assert.equal(await db.value('SELECT pg_backend_pid()'), backend);

	const log = fs.readFileSync(path.join(cluster.place, 'postgresql.log'), 'latin1');

	assert.match(log, /is sealed: startup option/);
	assert.doesNotMatch(log, /PANIC|terminated by signal|TRAP/);
});
