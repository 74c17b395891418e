/*
 * output.test.mjs
 *		What is answered has bounds: a page of a list, and all that waits for clients who do not read.
 *
 * Not sanitized: memory is measured.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { onEnd, until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { createChat, createTenant } from './harness/tenants.mjs';

const MIB = 1 << 20;
const COUNT = 201;
const CLIENTS = 60;

let cluster, db, tenant, messages;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');

	const chat = await createChat(db, tenant.session, '15559990000@s.whatsapp.net');

	/* the longest text: 65,536 characters of four bytes */
	await db.sql(`INSERT INTO wa.message (org_id, session_id, chat_jid, direction, sender_jid, type, body, status)
		SELECT $1, $2, $3, 'in', $3, 'text', repeat('🙂', 65536), 'delivered' FROM generate_series(1, $4::int)`, [tenant.org.uuid, tenant.session.uuid, chat.jid, COUNT]);
	messages = `/api/v1/sessions/${tenant.session.id}/chats/${encodeURIComponent(chat.jid)}/messages`;
});

test('a page of the largest messages is a short one, and its cursor goes on', async () =>
{
	const gateway = await Gateway.start(cluster);
	const ids = [];
	let cursor;
	let pages = 0;

	do
	{
		const query = new URLSearchParams({ limit: 200, ...cursor && { cursor } });
		const page = await gateway.client.get(`${messages}?${query}`, tenant.key.secret);

		assert.equal(page.status, 200, page.text.slice(0, 300));
		assert.ok(page.json.data.length > 0);
		assert.ok(page.body.length < 6 * MIB);
		ids.push(...page.json.data.map(({ id }) => id));
		cursor = page.json.nextCursor;
		pages++;
	}
	while (cursor !== undefined);
	assert.ok(pages > 10);
	assert.equal(ids.length, COUNT);
	assert.deepEqual(ids, [...new Set(ids)].sort().reverse());
	await gateway.stop();
});

/*
 * So many connections that ask for a page and read nothing of it, until the test ends.  Their
 * receive buffers are small, which node cannot ask for, so that it is the gateway who has to keep the rest.
 */
function askAndWait(port, count)
{
	const script = `
		my ($port, $count, $request) = @ARGV;
		for (1 .. $count) {
			socket(my $socket, PF_INET, SOCK_STREAM, 0) or die;
			setsockopt($socket, SOL_SOCKET, SO_RCVBUF, pack("i", 4096)) or die;
			connect($socket, sockaddr_in($port, inet_aton("127.0.0.1"))) or die;
			syswrite($socket, $request) or die;
			push @sockets, $socket;
		}
		sleep;`;
	const child = spawn('perl', ['-MSocket', '-e', script, port, count,
		`GET ${messages}?limit=200 HTTP/1.1\r\nHost: x\r\nx-api-key: ${tenant.key.secret}\r\n\r\n`], { stdio: 'ignore' });

	onEnd(() => child.kill('SIGKILL'), () => child.kill('SIGKILL'));
}

test('many who do not read cost no more than the bound, and others are answered', async () =>
{
	const bound = 32 * MIB;
	const gateway = await Gateway.start(cluster, { args: ['--output-buffer', String(bound), '--metrics', '127.0.0.1:0'] });
	const port = Number(/ port=([0-9]+)/.exec(gateway.events('metrics_listening')[0])[1]);
	const mib = (name) => Number(new RegExp(`^${name}:\\s+([0-9]+) kB`, 'm').exec(fs.readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))[1]) / 1024;
	const waiting = async () => Number(/^wa_http_output_bytes ([0-9]+)$/m.exec(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())[1]);
	const before = mib('VmRSS');

	askAndWait(gateway.port, CLIENTS);
	await until('all are answered', () => gateway.events('request').filter((line) => line.includes('/messages')).length >= CLIENTS);
	await until('slow readers were cut', () => gateway.events('slow_readers_cut').length > 0);
	await until('what waits is looked at', async () => await waiting() > 0);
	assert.ok(await waiting() <= bound);
	assert.ok(mib('VmHWM') < before + 200, `${mib('VmHWM')} MiB at the highest`);

	const page = await gateway.client.get(`${messages}?limit=200`, tenant.key.secret);

	assert.equal(page.status, 200);
	assert.ok(page.json.data.length > 0);
	await gateway.stop(40);
});
