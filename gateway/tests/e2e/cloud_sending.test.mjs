/*
 * cloud_sending.test.mjs
 *		wa-cloud sends each message once, in order, at Meta's pace, and says what became of it.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http2 from 'node:http2';
import { before, test } from 'node:test';
import { addConnectorKey, createCloudSession, makeCredentials } from './harness/cloud.mjs';
import { prepareCluster } from './harness/cluster.mjs';
import { Graph, refusal } from './harness/graph.mjs';
import { makeCertificate, makePlace, until } from './harness/processes.mjs';
import { Cloud, Gateway } from './harness/programs.mjs';
import { createKey, createOrg } from './harness/tenants.mjs';

let cluster, db, client, org, key, graph, cloud, keyFile;
let numbers = 15551000000;

/* A message whose answer is late on a busy machine is no message whose answer is lost. */
const ARGS = ['--log-level', 'debug', '--status-wait', '2', '--graph-timeout', '8000'];
const start = (more = []) => Cloud.start(cluster, { graph, keyFiles: [keyFile], args: [...ARGS, ...more] });
const somebody = () => String(++numbers);
const send = async (session, json) =>
{
	const answer = await client.post(`/api/v1/sessions/${session.id}/messages`, key.secret, json);

	assert.equal(answer.status, 202, JSON.stringify(answer.json));
	return { id: answer.json.id, sessionId: session.id };
};
const text = (session, to, body = 'hello') => send(session, { type: 'text', to, text: body });
const pathOf = ({ id, sessionId }) => `/api/v1/sessions/${sessionId}/messages/${id}`;
const message = async (sent) => (await client.get(pathOf(sent), key.secret)).json;
const becomes = (sent, status) => until(`the message is ${status}`, async () => (await message(sent)).status === status);

async function connect(more = {})
{
	const credentials = makeCredentials();
	const number = graph.addNumber({ ...credentials, ...more });
	const session = await createCloudSession(client, key.secret, credentials);

	await db.sql("UPDATE wa.session SET rate_per_min = 0, rate_per_hour = 0 WHERE id = wa.from_typeid('sess', $1)", [session.id]);
	await until('the session works', async () => (await client.get(`/api/v1/sessions/${session.id}`, key.secret)).json.status === 'working');
	return { session, number };
}

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	await db.sql("ALTER DATABASE wa SET wa.connectors = 'sandbox, cloud'");
	({ client } = await Gateway.start(cluster));
	org = await createOrg(db, 'Acme');
	key = await createKey(db, org);
	keyFile = await addConnectorKey(db);
	graph = await Graph.start();
	cloud = await start();
});

/* The fault of a POST of a message to this recipient. */
function faultFor(to, fault)
{
	graph.fault = (about) => about.body.to === `+${to}` ? fault(about) : undefined;
}

test('each type is sent as Meta takes it, with our id', async () =>
{
	const { session } = await connect();
	const to = somebody();
	const contact = { displayName: 'Ann', vcard: 'BEGIN:VCARD\nVERSION:3.0\nFN:Ann\nTEL;TYPE=CELL:+15550002222\nEND:VCARD' };
	const first = await text(session, to, 'see https://example.com');

	await becomes(first, 'sent');

	const reply = await send(session, { type: 'text', to, text: 'again', replyTo: first.id });
	const place = await send(session, { type: 'location', to, latitude: 52.5, longitude: -13.25, name: 'Here' });
	const card = await send(session, { type: 'contact', to, contact });

	for (const sent of [reply, place, card])
		await becomes(sent, 'sent');

	const [a, b, c, d] = graph.to(`+${to}`);

	assert.deepEqual(a.body.text, { body: 'see https://example.com', preview_url: true });
	assert.equal(await db.value("SELECT wa.from_typeid('msg', $1)", [first.id]), a.body.biz_opaque_callback_data);
	assert.equal((await message(first)).waMessageId, a.wamid);
	assert.deepEqual(b.body.context, { message_id: a.wamid });
	assert.deepEqual(c.body.location, { latitude: 52.5, longitude: -13.25, name: 'Here' });
	assert.deepEqual(d.body.contacts, [{ name: { formatted_name: 'Ann', first_name: 'Ann' }, phones: [{ phone: '+15550002222', type: 'CELL' }] }]);
});

test('reactions, their removal and forwards are carried out', async () =>
{
	const { session } = await connect();
	const to = somebody();
	const other = somebody();
	const sent = await text(session, to);
	const act = async (method, what, json) => (await client.request(method, `${pathOf(sent)}/${what}`, { key: key.secret, json })).status;

	await becomes(sent, 'sent');
	assert.equal(await act('PUT', 'reaction', { emoji: '👍' }), 202);
	await until('it is there', () => graph.to(`+${to}`).length === 2);
	assert.equal(await act('PUT', 'reaction', { emoji: '' }), 202);
	await until('it is taken back', () => graph.to(`+${to}`).length === 3);

	const [{ wamid }, added, removed] = graph.to(`+${to}`);

	assert.deepEqual(added.body.reaction, { message_id: wamid, emoji: '👍' });
	assert.deepEqual(removed.body.reaction, { message_id: wamid, emoji: '' });
	assert.equal(await act('POST', 'forward', { to: other }), 202);
	await until('it is forwarded', () => graph.to(`+${other}`).length === 1);
	assert.equal(graph.to(`+${other}`)[0].body.text.body, 'hello');
	await until('the copy is known', async () => await db.value('SELECT count(*) FROM wa.message WHERE wa_message_id = $1', [graph.to(`+${other}`)[0].wamid]) === '1');
});

test('a chat keeps its order, one message at a time, and other chats do not wait for it', async () =>
{
	const { session } = await connect();
	const slow = somebody();
	const fast = somebody();
	let release;
	const held = new Promise((resolve) => { release = resolve; });
	let first = true;

	faultFor(slow, async ({ accepted }) =>
	{
		if (accepted || !first)
			return;
		first = false;
		await held;
	});
	const sent = [];
	for (let i = 0; i < 10; i++)
		sent.push(await text(session, slow, `text ${i}`));
	await becomes(await text(session, fast), 'sent');
	assert.equal(graph.to(`+${slow}`).length, 0);
	release();
	for (const one of sent)
		await becomes(one, 'sent');
	assert.deepEqual(graph.to(`+${slow}`).map(({ body }) => body.text.body), sent.map((_, i) => `text ${i}`));
});

test('what Meta refuses for good fails, with its code, and no other message with it', async () =>
{
	const { session } = await connect();
	const to = somebody();

	faultFor(to, ({ body }) => body.text.body === 'late' ? refusal(131047, 'More than 24 hours have passed') : undefined);

	const refused = await text(session, to, 'late');
	const taken = await text(session, to, 'ok');

	await becomes(refused, 'failed');
	await becomes(taken, 'sent');

	const shown = await message(refused);

	assert.match(shown.error, /More than 24 hours have passed \(Meta's error 131047\)/);
	assert.equal(shown.errorCode, '131047');
	assert.equal(graph.to(`+${to}`).length, 1);
});

for (const [code, status] of [[130429, 400], [130429, 429], [131056, 400], [131000, 500], [131016, 500], [2, 503]])
	test(`after ${code} with status ${status} it is sent once, later, and nothing fails`, async () =>
	{
		const { session } = await connect();
		const to = somebody();
		let refusals = 2;

		faultFor(to, () => refusals-- > 0 ? refusal(code, 'later', status) : undefined);

		const sent = [await text(session, to, 'a'), await text(session, to, 'b')];

		for (const one of sent)
			await becomes(one, 'sent');
		assert.deepEqual(graph.to(`+${to}`).map(({ body }) => body.text.body), ['a', 'b']);
	});

test('131000 is tried three times, and then it fails', async () =>
{
	const { session } = await connect();
	const to = somebody();
	let tries = 0;

	faultFor(to, () => ++tries && refusal(131000, 'Something went wrong', 500));
	await becomes(await text(session, to), 'failed');
	assert.equal(tries, 3);
});

for (const [what, fault] of [['the connection is dropped', { drop: true }], ['an answer is no JSON', { status: 502, raw: '<html>' }],
	['an answer has no id', { json: { messaging_product: 'whatsapp' } }], ['an answer has an id that is too long', { json: { messages: [{ id: 'x'.repeat(513) }] } }], ['no answer comes', 'slow']])
	test(`after a message was taken and ${what}, it is not sent again: its outcome is unknown`, async () =>
	{
		const { session } = await connect();
		const to = somebody();

		faultFor(to, ({ accepted, body }) =>
		{
			if (!accepted || body.text.body !== 'lost')
				return undefined;
			return fault === 'slow' ? new Promise((resolve) => setTimeout(resolve, 12000, {})) : fault;
		});

		const lost = await text(session, to, 'lost');
		const next = await text(session, to, 'next');

		await becomes(next, 'sent');
		await becomes(lost, 'failed');
		assert.match((await message(lost)).error, /^outcome unknown/);
		assert.equal((await message(lost)).errorCode, 'outcome_unknown');
		assert.deepEqual(graph.to(`+${to}`).map(({ body }) => body.text.body), ['lost', 'next']);
	});

test('an outcome that a webhook tells meanwhile counts', async () =>
{
	const { session } = await connect();
	const to = somebody();

	faultFor(to, ({ accepted }) => accepted ? { drop: true } : undefined);

	const lost = await text(session, to, 'lost');

	await until('it was taken', () => graph.to(`+${to}`).length === 1);
	await db.sql(`SELECT set_config('x.y', '', false); UPDATE wa.message SET status = 'sent', wa_message_id = 'wamid.TOLD', lease_owner = NULL, lease_until = NULL, sent_at = now() WHERE id = wa.from_typeid('msg', '${lost.id}')`);
	await until('the wait is over', () => cloud.log().split('\n').some((line) => line.includes('event=job') && line.includes('outcome unknown') && line.includes(graph.to(`+${to}`)[0].body.biz_opaque_callback_data)));
	assert.equal((await message(lost)).status, 'sent');
});

test('a token that dies fails the session, and its queue is sent when new credentials are there', async () =>
{
	const { session, number } = await connect();
	const to = somebody();
	const credentials = { phoneNumberId: number.id, wabaId: number.wabaId, appId: number.appId, accessToken: `${number.token}New`, appSecret: number.appSecret, verifyToken: number.verifyToken };

	number.token = credentials.accessToken;

	const sent = await text(session, to);
	const session_ = async () => (await client.get(`/api/v1/sessions/${session.id}`, key.secret)).json;

	await until('the session has failed', async () => (await session_()).status === 'failed');
	assert.match((await session_()).statusReason, /new credentials/);
	await until('it waits', async () => (await message(sent)).status === 'queued');
	assert.equal((await client.request('PUT', `/api/v1/sessions/${session.id}/credentials`, { key: key.secret, json: credentials })).status, 200);
	await client.post(`/api/v1/sessions/${session.id}:restart`, key.secret, {});
	await becomes(sent, 'sent');
	assert.equal(graph.to(`+${to}`).length, 1);
});

for (const code of [190, 131048])
	test(`the answer ${code} to a message that was sent with old credentials says nothing about the new ones`, async () =>
	{
		const { session, number } = await connect();
		const to = somebody();
		const credentials = { phoneNumberId: number.id, wabaId: number.wabaId, appId: number.appId, accessToken: `${number.token}New`, appSecret: number.appSecret, verifyToken: number.verifyToken };
		const uuid = await db.value("SELECT wa.from_typeid('sess', $1)", [session.id]);
		const states = () => cloud.events('session').filter((line) => line.includes(uuid));
		const works = () => states().filter((line) => line.includes('status=working')).length;
		const before = works();
		let release;
		let held = new Promise((resolve) => { release = resolve; });

		faultFor(to, async ({ accepted }) =>
		{
			if (accepted || held === undefined)
				return undefined;
			await held;
			held = undefined;
			return refusal(code, 'of the old token', 401);
		});

		const sent = await text(session, to);

		await until('it is being sent', () => graph.of('POST', `/${number.id}/messages`).length === 1);
		number.token = credentials.accessToken;
		assert.equal((await client.request('PUT', `/api/v1/sessions/${session.id}/credentials`, { key: key.secret, json: credentials })).status, 200);
		await until('it works with the new ones', () => works() > before);
		release();
		await becomes(sent, 'sent');
		assert.ok(!states().some((line) => line.includes('status=failed')), states().join('\n'));
		assert.equal(graph.to(`+${to}`).length, 1);
	});

test('a recipient gets 45 at once, and the rest later', async () =>
{
	const { session } = await connect();
	const to = somebody();

	for (let i = 0; i < 47; i++)
		await text(session, to, `text ${i}`);
	await until('the burst is sent', () => graph.to(`+${to}`).length >= 45);

	const at = graph.to(`+${to}`).map((one) => one.at);

	await until('the next one is sent', () => graph.to(`+${to}`).length >= 46);
	assert.ok(graph.to(`+${to}`)[45].at - at[0] > 5000);
	assert.deepEqual(graph.to(`+${to}`).map(({ body }) => body.text.body), graph.to(`+${to}`).map((_, i) => `text ${i}`));
});

test('a number sends no more in a second than it may', async () =>
{
	await cloud.stop();
	cloud = await start(['--number-rate', '10']);

	const { session, number } = await connect();

	await Promise.all(Array.from({ length: 40 }, () => text(session, somebody())));

	const mine = () => graph.messages.filter((one) => one.number === number);

	await until('all are sent', () => mine().length === 40);
	assert.ok(mine()[39].at - mine()[0].at > 2500, 'the last of 40 comes after three seconds');
	await cloud.stop();
	cloud = await start();
});

test('what the Cloud API cannot do is refused at once', async () =>
{
	const { session } = await connect();
	const to = somebody();
	const sent = await text(session, to);

	await becomes(sent, 'sent');
	for (const answer of [
		await client.post(`/api/v1/sessions/${session.id}/messages`, key.secret, { type: 'poll', to, name: 'x', options: ['a', 'b'] }),
		await client.request('DELETE', pathOf(sent), { key: key.secret }),
		await client.get(`/api/v1/sessions/${session.id}/qr`, key.secret)])
	{
		assert.equal(answer.status, 409, JSON.stringify(answer.json));
		assert.match(answer.json.error.message, /connector cloud does not support/);
	}
});

test('a text that is too long for Meta fails without a request, and a group too', async () =>
{
	const { session } = await connect();
	const to = somebody();

	for (const [sent, reason] of [[await text(session, to, 'ä'.repeat(4097)), /4096/], [await text(session, '120363000000000001@g.us'), /recipient/]])
	{
		await becomes(sent, 'failed');
		assert.match((await message(sent)).error, reason);
	}
	assert.equal(graph.to(`+${to}`).length, 0);
});

test('over TLS messages share connections by HTTP/2, and one whose connection or stream is lost is not sent again', async () =>
{
	const files = makeCertificate(makePlace(), 'localhost');
	const plain = graph;
	const secure = await Graph.start({ tls: { key: fs.readFileSync(files.key), cert: fs.readFileSync(files.certificate) } });

	await cloud.stop();
	graph = secure;
	cloud = await start(['--graph-ca-file', files.certificate]);

	const { session, number } = await connect();
	const lost = [];

	graph.fault = ({ accepted }) => accepted ? new Promise((resolve) => setTimeout(resolve, 100)) : undefined;
	await Promise.all(Array.from({ length: 40 }, () => text(session, somebody())));
	await until('all are sent', () => graph.messages.length === 40);
	assert.ok(graph.busiest > 1 && graph.sessions.length <= 2, `${graph.busiest} at once on ${graph.sessions.length} connections`);
	for (const fault of [{ drop: true }, { reset: http2.constants.NGHTTP2_REFUSED_STREAM }, { reset: http2.constants.NGHTTP2_INTERNAL_ERROR }])
	{
		const to = somebody();

		faultFor(to, ({ accepted }) => accepted ? fault : undefined);
		lost.push([to, await text(session, to)]);
		await becomes(lost.at(-1)[1], 'failed');
	}
	for (const [to, sent] of lost)
	{
		assert.equal((await message(sent)).errorCode, 'outcome_unknown');
		assert.equal(graph.to(`+${to}`).length, 1);
	}
	assert.ok(number.subscribed.size === 1);
	await cloud.stop();
	cloud = await start();
	await until('the certificate is refused', () => cloud.log().includes('the certificate could not be verified'));
	await cloud.stop();
	graph = plain;
	graph.addNumber({ phoneNumberId: number.id, wabaId: number.wabaId, appId: number.appId, accessToken: number.token, appSecret: number.appSecret, verifyToken: number.verifyToken });
	cloud = await start();
});

test('killed and started again, it sends nothing twice and loses nothing', async () =>
{
	const { session, number } = await connect();
	const all = [];

	graph.fault = ({ accepted }) => accepted ? new Promise((resolve) => setTimeout(resolve, 20)) : undefined;
	for (let i = 0; i < 60; i++)
		all.push(await text(session, somebody(), `text ${i}`));
	await until('some are sent', () => graph.messages.filter((one) => one.number === number).length > 10);
	cloud.kill('SIGKILL');
	await cloud.exited;
	/* nobody waits for the leases of a process that is gone */
	await db.sql("UPDATE wa.session SET lease_until = now() - interval '1 second' WHERE lease_owner IS NOT NULL");
	await db.sql("UPDATE wa.message SET lease_until = now() - interval '1 second' WHERE status = 'sending'");
	cloud = await start();
	await until('each has an end', async () => (await Promise.all(all.map(message))).every(({ status }) => status === 'sent' || status === 'failed'));

	const bodies = graph.messages.filter((one) => one.number === number).map(({ body }) => body.text.body);

	assert.equal(new Set(bodies).size, bodies.length, 'nothing is sent twice');
	for (const shown of await Promise.all(all.map(message)))
		if (shown.status === 'failed')
			assert.match(shown.error, /^outcome unknown/);
		else
			assert.ok(bodies.includes(shown.body), JSON.stringify(shown));
});

test('the log has no secret', () =>
{
	for (const number of graph.numbers.values())
		for (const secret of [number.token, number.appSecret, number.verifyToken])
			assert.ok(!cloud.log().includes(secret));
});
