/*
 * cloud_receiving.test.mjs
 *		What Meta posts to wa-cloud is stored once, or posted again: nothing is lost and nothing
 *		is doubled, and each session believes only what is signed with its own secret.
 *
 * sql/user_ids.sql tests under which address a person is kept.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { createHash } from 'node:crypto';
import { before, test } from 'node:test';
import { addConnectorKey, createCloudSession, makeCredentials } from './harness/cloud.mjs';
import { prepareCluster } from './harness/cluster.mjs';
import { Graph } from './harness/graph.mjs';
import { change, messageFrom, metaText, notification, post, postRaw, signatureOf, statusOf } from './harness/notifications.mjs';
import { makePlace, until } from './harness/processes.mjs';
import { Cloud, Gateway } from './harness/programs.mjs';
import { createKey, createOrg } from './harness/tenants.mjs';

const APP = '600000000000001';

const ANN = '15550001111';
const SECRET = 'the-secret-of-the-app';
const VERIFY = 'verify<me';

let cluster, db, cloud, client, graph, keyFile, folder, acme, beta;
let numbers = 0;

/* A session whose number works, with its own secret. */
async function numberOf(key, { secret = SECRET, working = true } = {})
{
	const credentials = makeCredentials({ appId: APP, appSecret: secret, verifyToken: VERIFY });

	if (working)
		graph.addNumber({ ...credentials, display: `+1 555 ${String(++numbers).padStart(7, '0')}` });

	const session = await createCloudSession(client, key.secret, credentials);

	if (working)
		await reaches({ ...session, key }, 'working');
	return { ...session, uuid: await db.value("SELECT wa.from_typeid('sess', $1)", [session.id]), number: credentials.phoneNumberId, credentials, secret, key };
}

const reaches = (session, status) => until(`the session is ${status}`, async () => (await client.get(`/api/v1/sessions/${session.id}`, session.key.secret)).json.status === status);
const send = (value, secret = SECRET) => post(cloud.port, value, secret);
const stored = async (session, where = 'true') => db.sql(`SELECT wa_message_id AS id, direction, type, status, body, content, sender_jid, chat_jid, sender_name, reactions, error FROM wa.message m WHERE session_id = $1 AND ${where} ORDER BY m.id`, [session.uuid]);
const count = async (session) => Number(await db.value('SELECT count(*) FROM wa.message WHERE session_id = $1', [session.uuid]));

async function startCloud(port = 0)
{
	cloud = await Cloud.start(cluster, { graph, keyFiles: [keyFile], args: ['--listen', `127.0.0.1:${port}`, '--media-dir', folder, '--media-host', '127.0.0.1', '--allow-target', '127.0.0.0/8'] });
}

async function tenant(name)
{
	const org = await createOrg(db, name);
	const key = await createKey(db, org);

	return { org, key, session: await numberOf(key, { secret: `${SECRET}-of-${name}` }) };
}

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	await db.sql("ALTER DATABASE wa SET wa.connectors = 'sandbox, cloud'");
	folder = makePlace();
	({ client } = await Gateway.start(cluster, { args: ['--media-dir', folder] }));
	graph = await Graph.start();
	keyFile = await addConnectorKey(db);
	await startCloud();
	acme = await tenant('Acme');
	beta = await tenant('Beta');
});

test('an address is verified with the token of a session of the app, and by nothing else', async () =>
{
	const ask = (query, app = APP) => new Promise((resolve) =>
	{
		http.get({ host: '127.0.0.1', port: cloud.port, path: `/webhook/${app}?${query}`, agent: false }, (response) =>
		{
			let text = '';

			response.on('data', (part) => { text += part; });
			response.on('end', () => resolve({ status: response.statusCode, text, type: response.headers['content-type'] }));
		});
	});
	const asked = await ask('hub.mode=subscribe&hub.verify_token=verify%3Cme&hub.challenge=11%3C58201444');

	assert.deepEqual(asked, { status: 200, text: '11<58201444', type: 'text/plain; charset=utf-8' });
	for (const query of ['', 'hub.mode=subscribe&hub.challenge=1', 'hub.mode=subscribe&hub.verify_token=&hub.challenge=1', 'hub.mode=unsubscribe&hub.verify_token=verify%3Cme&hub.challenge=1',
		'hub.mode=subscribe&hub.verify_token=verify%3Cm&hub.challenge=1', 'hub.mode=subscribe&hub.verify_token=verify%3Cme2&hub.challenge=1', 'hub.mode=subscribe&hub.verify_token=verify%3Cme',
		'hub.mode=subscribe&hub.verify_token=verify%3Cme&hub.verify_token=verify%3Cme&hub.challenge=1'])
		assert.equal((await ask(query)).status, 403, query);
	assert.equal((await ask('hub.mode=subscribe&hub.verify_token=verify%3Cme&hub.challenge=1', '600000000000002')).status, 403);
	assert.equal((await ask('', 'x')).status, 404);
	assert.equal(await postRaw(cloud.port, '{}', {}, '/'), 404);
});

test('only what is signed is taken', async () =>
{
	const { session } = acme;
	const body = metaText(notification(change(session.number, { messages: [messageFrom(ANN, { text: { body: 'Grüße 😀 </a>' } })] })));
	const right = signatureOf(body, session.secret);
	const before = await count(session);

	for (const headers of [{}, { 'X-Hub-Signature-256': '' }, { 'X-Hub-Signature-256': right.slice(0, -1) }, { 'X-Hub-Signature-256': signatureOf(body, '') },
		{ 'X-Hub-Signature-256': signatureOf(body, beta.session.secret) }, { 'X-Hub-Signature-256': signatureOf(`${body} `, session.secret) }, { 'X-Hub-Signature': right }])
		assert.equal(await postRaw(cloud.port, body, headers), 401, JSON.stringify(headers));
	assert.equal(await count(session), before);
	assert.equal(await postRaw(cloud.port, body, { 'X-Hub-Signature-256': right }), 200);
	assert.equal((await stored(session)).at(-1).body, 'Grüße 😀 </a>');
});

test('who knows the secret of one session can say nothing of another', async () =>
{
	const forged = [change(beta.session.number, { messages: [messageFrom(ANN)] }), change(acme.session.number, { messages: [messageFrom(ANN)] })];
	const [mine, theirs] = [await count(acme.session), await count(beta.session)];

	assert.equal(await send(notification(forged), acme.session.secret), 200);
	assert.equal(await count(acme.session), mine + 1);
	assert.equal(await count(beta.session), theirs);
	assert.equal(await send(notification(forged[0]), acme.session.secret), 401);
	assert.equal(await count(beta.session), theirs);
});

test('each type of message is stored, and its API shows it', async () =>
{
	const { session } = acme;
	const first = messageFrom(ANN);
	const image = { type: 'image', image: { id: '900000000000003', mime_type: 'image/jpeg', caption: 'look', sha256: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' } };
	const sent = [first, messageFrom(ANN, { context: { from: '15550009999', id: first.id } }), messageFrom(ANN, image), messageFrom(ANN, { type: 'audio', audio: { id: '9', mime_type: 'audio/ogg; codecs=opus', voice: true } }),
		messageFrom(ANN, { type: 'location', location: { latitude: 52.5, longitude: 13.4, name: 'here' } }), messageFrom(ANN, { type: 'contacts', contacts: [{ name: { formatted_name: 'Bob' }, phones: [{ phone: '+1 555', wa_id: '1555' }] }] }),
		messageFrom(ANN, { type: 'button', button: { payload: 'yes', text: 'Yes' } }), messageFrom(ANN, { type: 'interactive', interactive: { type: 'list_reply', list_reply: { id: 'mo', title: 'Monday' } } }),
		messageFrom(ANN, { type: 'order', order: { catalog_id: '1', product_items: [] } }), messageFrom(ANN, { type: 'system', system: { type: 'user_changed_number', body: 'changed', wa_id: '15550004444' } }),
		messageFrom(ANN, { type: 'unsupported', unsupported: { type: 'poll_creation' }, errors: [{ code: 131051 }] }), messageFrom(ANN, { type: 'hologram', hologram: {} }),
		messageFrom(ANN, { context: { forwarded: true }, referral: { source_id: 'ad' } })];

	assert.equal(await send(notification(change(session.number, { contacts: [{ profile: { name: 'Ann' }, wa_id: ANN }], messages: sent })), session.secret), 200);

	const { json } = await client.get(`/api/v1/sessions/${session.id}/chats/${ANN}/messages?limit=100`, acme.key.secret);
	const shown = sent.map(({ id }) => json.data.find((message) => message.waMessageId === id));

	assert.deepEqual(shown.map((message) => message.type), ['text', 'text', 'image', 'audio', 'location', 'contact', 'text', 'text', 'order', 'system', 'unsupported', 'unsupported', 'text']);
	/* the file is on its way, or Meta has said that it has none */
	assert.ok(['pending', 'expired'].includes(shown[2].media.state));
	assert.deepEqual([shown[2].body, shown[2].media.mimetype], ['look', 'image/jpeg']);
	assert.deepEqual(shown[3].content, { voice: true });
	assert.equal(shown[5].content.contact.displayName, 'Bob');
	assert.deepEqual(shown[6].content, { choice: { type: 'button', id: 'yes', title: 'Yes' } });
	assert.equal(shown[10].content.unsupported, 'poll_creation');
	assert.equal(shown[11].content.message.type, 'hologram');
	assert.equal(shown[12].forwarded, true);
	assert.deepEqual(shown[12].content, { referral: { source_id: 'ad' } });
	assert.equal(shown[0].senderName, 'Ann');
	await until('Meta is asked for the file', () => graph.of('GET', '/900000000000003').length > 0);
	/* what it answers came in the same list; a later answer finds it */
	assert.equal(await send(notification(change(session.number, { messages: [messageFrom(ANN, { id: 'answers', context: { id: first.id } })] })), session.secret), 200);
	assert.equal(await db.value("SELECT q.wa_message_id FROM wa.message m JOIN wa.message q ON q.id = m.quoted_message_id WHERE m.wa_message_id = 'answers'"), first.id);
});

test('reactions come and go, and edits and revocations change what was received', async () =>
{
	const { session } = acme;
	const [kept, gone] = [messageFrom(ANN), messageFrom(ANN)];
	const changes = [messageFrom(ANN, { type: 'reaction', reaction: { message_id: kept.id, emoji: '👍' } }), messageFrom(ANN, { type: 'edit', edit: { original_message_id: kept.id, message: { type: 'text', text: { body: 'edited' } } } }), messageFrom(ANN, { type: 'revoke', revoke: { original_message_id: gone.id } })];
	const rows = () => stored(session, `wa_message_id IN ('${kept.id}', '${gone.id}')`);

	/* in any order: Meta keeps none */
	assert.equal(await send(notification(change(session.number, { messages: [...changes, kept, gone] })), session.secret), 200);
	assert.deepEqual((await rows()).map(({ body, reactions }) => [body, JSON.parse(reactions)]), [['edited', { [`${ANN}@s.whatsapp.net`]: '👍' }], [null, null]]);
	assert.equal(await send(notification(change(session.number, { messages: [messageFrom(ANN, { type: 'reaction', reaction: { message_id: kept.id } })] })), session.secret), 200);
	assert.ok(!JSON.parse((await rows())[0].reactions)?.[`${ANN}@s.whatsapp.net`]);
});

test('what is not understood, or is about nobody, costs no neighbour', async () =>
{
	const { session } = acme;
	const before = await count(session);
	const value = { object: 'whatsapp_business_account', entry: [7, { id: session.credentials.wabaId }, { id: session.credentials.wabaId, changes: [
		null, { field: 'messages' }, change(session.number, { surprise: [1] }, 'a_new_field'), change('899999999999999', { messages: [messageFrom(ANN)] }),
		change(session.number, { messages: [null, {}, { id: 'x' }, messageFrom(ANN), { ...messageFrom(ANN), group_id: 'g' }], statuses: [{}, statusOf('unknown', 'burned')] })] }] };

	assert.equal(await send(value, session.secret), 200);
	assert.equal(await count(session), before + 1);
	await until('it is in the log', () => cloud.events('update_unknown').some((line) => line.includes('field=a_new_field')));
	assert.equal(await send(notification(change('899999999999999', { messages: [messageFrom(ANN)] })), 'anybody'), 200);
	/* a text that a strict reader refuses */
	const body = metaText(notification(change(session.number, { messages: [messageFrom(ANN, { id: 'odd', text: { body: '@@' } })] }))).replace('@@', '\\u0000 \\ud83d');

	assert.equal(await postRaw(cloud.port, body, { 'X-Hub-Signature-256': signatureOf(body, session.secret) }), 200);
	assert.equal((await stored(session, "wa_message_id = 'odd'"))[0].body, '\ufffd \ufffd');
	assert.equal(await postRaw(cloud.port, `{"phone_number_id":"${session.number}"`, { 'X-Hub-Signature-256': signatureOf(`{"phone_number_id":"${session.number}"`, session.secret) }), 400);
});

test('one post may be about two numbers, and each gets its own', async () =>
{
	const other = await numberOf(acme.key, { secret: acme.session.secret });
	const [one, two] = [messageFrom(ANN), messageFrom('15550003333')];

	assert.equal(await send(notification([change(acme.session.number, { messages: [one] }), change(other.number, { messages: [two] })]), acme.session.secret), 200);
	assert.equal((await stored(acme.session, `wa_message_id = '${one.id}'`)).length, 1);
	assert.equal((await stored(other, `wa_message_id = '${two.id}'`)).length, 1);
	assert.equal((await stored(other)).length, 1);
});

test('among more numbers than are asked for before the signature is known, each is found', async () =>
{
	const { session } = acme;
	const before = await count(session);
	const others = (from, n) => Array.from({ length: n }, (_, i) => change(String(from + i), { messages: [messageFrom(ANN)] }));

	for (const changes of [[...others(899999999990000, 40), change(session.number, { messages: [messageFrom(ANN)] })], [change(session.number, { messages: [messageFrom(ANN)] }), ...others(100, 40)]])
		assert.equal(await send(notification(changes), session.secret), 200);
	assert.equal(await count(session), before + 2);
	/* what is signed with another secret gets nowhere */
	assert.equal(await send(notification([...others(899999999990000, 40), change(session.number, { messages: [messageFrom(ANN)] })]), 'other'), 401);
	assert.equal(await count(session), before + 2);
});

test('questions about addresses have a rate', async () =>
{
	const ask = () => new Promise((resolve) =>
	{
		http.get({ host: '127.0.0.1', port: cloud.port, path: `/webhook/${APP}?hub.mode=subscribe&hub.verify_token=x&hub.challenge=1`, agent: false }, (response) => response.resume().on('end', () => resolve(response.statusCode)));
	});
	const answers = [];

	for (let i = 0; i < 500 && answers.at(-1) !== 503; i++)
		answers.push(await ask());
	assert.ok(answers.slice(0, 40).every((status) => status === 403), String(answers));
	assert.equal(answers.at(-1), 503);
});

test('a thousand updates in one post, posted twice at once and split, are stored once', async () =>
{
	const { session } = acme;
	const before = await count(session);
	const all = Array.from({ length: 1000 }, (_, i) => messageFrom(`1555${String(1000000 + i % 300)}`, { id: `many${i}` }));
	const shuffled = [...all].sort(() => Math.random() - 0.5);
	const parts = [all, shuffled.slice(0, 500), shuffled.slice(500), all.slice(0, 10)];
	const answers = await Promise.all(parts.map((messages) => send(notification(change(session.number, { messages })), session.secret)));

	assert.deepEqual(answers.filter((status) => status !== 200 && status !== 503), []);
	/* Meta posts again what was not taken */
	for (const [i, status] of answers.entries())
		if (status === 503)
			assert.equal(await send(notification(change(session.number, { messages: parts[i] })), session.secret), 200);
	assert.equal(await count(session), before + 1000);
});

test('statuses move a message on in any order, also before the answer to its sender', async () =>
{
	const { session } = acme;
	const tell = (...statuses) => send(notification(change(session.number, { statuses })), session.secret);
	const state = async (id) => (await client.get(`/api/v1/sessions/${session.id}/messages/${id}`, acme.key.secret)).json;
	const sendOne = async (text) => (await client.post(`/api/v1/sessions/${session.id}/messages`, acme.key.secret, { type: 'text', to: ANN, text })).json.id;
	const reachesState = (id, status) => until(`it is ${status}`, async () => { const message = await state(id); return message.status === status && message; });
	let told;

	/* Meta tells of it before it answers */
	graph.fault = async ({ accepted, body, wamid }) =>
	{
		const ours = { biz_opaque_callback_data: body.biz_opaque_callback_data };

		if (accepted)
			told = await tell(statusOf(wamid, 'read', ours), statusOf(wamid, 'delivered', ours), statusOf(wamid, 'sent', ours), statusOf('of somebody else', 'read'));
	};

	const read = await reachesState(await sendOne('overtaken'), 'read');
	const { wamid, body } = graph.messages.at(-1);

	await until('the post is answered', () => told === 200);
	assert.equal(read.waMessageId, wamid);
	assert.equal(await tell(statusOf(wamid, 'sent', { biz_opaque_callback_data: body.biz_opaque_callback_data }), statusOf(wamid, 'delivered')), 200);
	assert.equal((await state(read.id)).status, 'read');
	/* Beta cannot say anything of it, by number or by id */
	assert.equal(await send(notification(change(beta.session.number, { statuses: [statusOf(wamid, 'played', { biz_opaque_callback_data: body.biz_opaque_callback_data })] })), beta.session.secret), 200);
	assert.equal((await state(read.id)).status, 'read');
	/* what was sent may fail later, and says why */
	graph.fault = () => undefined;

	const sent = await reachesState(await sendOne('fails later'), 'sent');

	assert.equal(await tell(statusOf(sent.waMessageId, 'failed', { errors: [{ code: 131047, title: 'Re-engagement message', error_data: { details: 'More than 24 hours' } }] })), 200);

	const failed = await state(sent.id);

	assert.deepEqual([failed.status, failed.error, failed.errorCode], ['failed', 'More than 24 hours', '131047']);
});

test('people without a number have an address, and stay one person when the number is seen', async () =>
{
	const { session } = acme;
	const user = 'US.1000200030004000';
	const contacts = (more) => [{ profile: { name: 'Cleo', username: 'cleo' }, user_id: user, ...more }];

	assert.equal(await send(notification(change(session.number, { contacts: contacts(), messages: [messageFrom(user)] })), session.secret), 200);
	assert.equal(await send(notification(change(session.number, { contacts: contacts({ wa_id: '15557778888' }), messages: [{ ...messageFrom('15557778888'), from_user_id: user }] })), session.secret), 200);
	assert.equal((await stored(session, `chat_jid = '${user}@bsuid'`)).length, 2);

	const contact = await client.get(`/api/v1/sessions/${session.id}/contacts/${user}@bsuid`, acme.key.secret);

	assert.deepEqual({ ...contact.json, firstSeenAt: 0, lastSeenAt: 0 }, { jid: `${user}@bsuid`, phoneNumber: '15557778888', name: 'Cleo', username: 'cleo', userId: user, firstSeenAt: 0, lastSeenAt: 0 });
	assert.equal((await client.get(`/api/v1/sessions/${session.id}/chats/${user}@bsuid/messages`, acme.key.secret)).json.data.length, 2);
	assert.equal((await client.post(`/api/v1/sessions/${session.id}/messages`, acme.key.secret, { type: 'text', to: `${user}@bsuid`, text: 'hello' })).status, 202);
});

test('a file is fetched from Meta with the token of the session, from Meta\'s hosts only', async () =>
{
	const { session } = acme;
	const picture = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
	const file = (more = {}) => ({ bytes: picture, type: 'image/png', ...more });
	const receive = async (id, more = {}) =>
	{
		graph.files.set(id, file(more.file));

		const message = messageFrom(ANN, { type: 'image', image: { id, mime_type: 'image/png', ...more.image } });

		assert.equal(await send(notification(change(session.number, { messages: [message] })), session.secret), 200);
		return async () => (await client.get(`/api/v1/sessions/${session.id}/chats/${ANN}/messages`, acme.key.secret)).json.data.find(({ waMessageId }) => waMessageId === message.id);
	};
	const ended = (read) => until('the file has an end', async () => { const message = await read(); return message.media.state !== 'pending' && message; });
	const digest = createHash('sha256').update(picture).digest('base64');
	const message = await ended(await receive('910000000000001', { image: { sha256: digest } }));

	assert.equal(message.media.state, 'stored', message.media.error);
	assert.deepEqual(Buffer.from((await client.request('GET', `/api/v1/sessions/${session.id}/messages/${message.id}/media`, { key: acme.key.secret })).body), picture);
	/* its URL has expired: a new one is asked for */
	const late = await receive('910000000000002', { file: { gone: true } });

	await until('it was tried', () => graph.of('GET', '/910000000000002').length > 1);
	graph.files.get('910000000000002').gone = false;
	assert.equal((await ended(late)).media.state, 'stored');
	/* what is not what was announced, what Meta does not have, and a token for nobody */
	assert.match((await ended(await receive('910000000000003', { image: { sha256: createHash('sha256').update('other').digest('base64') } }))).media.error, /not the one that was announced/);

	const none = await receive('910000000000004');

	graph.files.delete('910000000000004');
	assert.equal((await ended(none)).media.state, 'expired');
	assert.equal((await ended(await receive('910000000000005', { file: { url: `http://127.0.0.2:${new URL(graph.url).port}/files/910000000000005` } }))).media.error, 'the file is on a host that may not have the credential');
	assert.equal((await ended(await receive('../910000000000006', {}))).media.error, 'WhatsApp has no such file');
});

test('a session that has no number yet makes Meta try again, and loses nothing', async () =>
{
	const waiting = await numberOf(acme.key, { secret: acme.session.secret, working: false });
	const value = notification([change(acme.session.number, { messages: [messageFrom(ANN)] }), change(waiting.number, { messages: [messageFrom(ANN)] })]);
	const before = await count(acme.session);

	await reaches(waiting, 'failed');
	assert.equal(await send(value, acme.session.secret), 503);
	assert.equal(await count(acme.session), before + 1);
	graph.addNumber({ ...waiting.credentials, display: '+1 555 777 0000' });
	assert.equal((await client.post(`/api/v1/sessions/${waiting.id}:restart`, acme.key.secret, {})).status, 200);
	await until('it is taken', async () => await send(value, acme.session.secret) === 200);
	assert.equal(await count(waiting), 1);
	assert.equal(await count(acme.session), before + 1);
});

test('who sends bodies slowly keeps nobody out, and each body has a deadline', async () =>
{
	const { session } = acme;
	const begin = () => new Promise((resolve) =>
	{
		const socket = net.connect(cloud.port, '127.0.0.1', () => socket.write(`POST /webhook/${APP} HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: sha256=${'0'.repeat(64)}\r\nContent-Length: 1000000\r\n\r\n{`, () => resolve(socket)));

		socket.text = '';
		socket.on('data', (part) => { socket.text += part; });
		socket.on('error', () => {});
	});
	const sockets = await Promise.all(Array.from({ length: 200 }, begin));
	const answered = (status) => sockets.filter(({ text }) => text.startsWith(`HTTP/1.1 ${status} `)).length;

	/* the oldest have given way */
	await until('72 have given way', () => answered(503) === 72);
	assert.equal(await send(notification(change(session.number, { messages: [messageFrom(ANN)] })), session.secret), 200);
	assert.equal(answered(503), 73);

	/* each sends enough for the server, and has its end all the same */
	const feed = setInterval(() => sockets.forEach((socket) => socket.writable && socket.write(' '.repeat(3000))), 1000);

	await until('their time is over', () => answered(408) === 127, { seconds: 30 });
	clearInterval(feed);
	sockets.forEach((socket) => socket.destroy());
});

test('one organization takes a share of the places only, and others have theirs', async () =>
{
	const big = () => send(notification(change(acme.session.number, { messages: Array.from({ length: 100 }, () => messageFrom(ANN)) })), acme.session.secret);
	const before = await count(acme.session);
	const many = Promise.all(Array.from({ length: 48 }, big));
	const theirs = await send(notification(change(beta.session.number, { messages: [messageFrom(ANN)] })), beta.session.secret);
	const answers = await many;
	const taken = answers.filter((status) => status === 200).length;

	assert.equal(theirs, 200);
	assert.ok(taken >= 16 && taken < 48, `${taken} were taken`);
	assert.deepEqual(answers.filter((status) => status !== 200 && status !== 503), []);
	assert.equal(await count(acme.session), before + 100 * taken);
});

test('what the database refuses of one organization holds back no other', async () =>
{
	const other = await numberOf(beta.key, { secret: acme.session.secret });
	const value = notification([change(acme.session.number, { messages: [messageFrom(ANN)] }), change(other.number, { messages: [messageFrom(ANN)] })]);
	const before = await count(acme.session);

	await db.sql(`CREATE FUNCTION public.refuse_acme() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'insufficient_privilege'; END $$`);
	await db.sql(`CREATE TRIGGER refuse_acme BEFORE INSERT ON wa.message FOR EACH ROW WHEN (NEW.session_id = '${acme.session.uuid}') EXECUTE FUNCTION public.refuse_acme()`);
	assert.equal(await send(value, acme.session.secret), 503);
	assert.equal(await count(other), 1);
	await db.sql('DROP TRIGGER refuse_acme ON wa.message');
	assert.equal(await count(acme.session), before);
	assert.equal(await send(value, acme.session.secret), 200);
	assert.deepEqual([await count(acme.session), await count(other)], [before + 1, 1]);
});

test('others can write only so much into the log', async () =>
{
	const { session } = acme;
	const updates = (n) => notification(Array.from({ length: n }, (_, i) => change(session.number, { surprise: i }, 'unheard_of')));
	const accounts = notification(Array.from({ length: 100 }, () => ({ field: 'account_alerts', value: { event: 'X' } })), session.credentials.wabaId);
	const lines = (event, part) => cloud.events(event).filter((line) => line.includes(part)).length;

	for (let i = 0; i < 50; i++)
		assert.equal(await send(notification(change('899999999999998', { messages: [messageFrom(ANN)] })), 'anybody'), 200);
	assert.equal(await send(updates(200), session.secret), 200);
	assert.equal(await send(accounts, session.secret), 200);
	await until('it is in the log', () => lines('account_update', 'field=account_alerts') > 0);
	assert.equal(lines('account_update', 'field=account_alerts'), 1);
	assert.ok(lines('update_unknown', 'unheard_of') < 60);
	assert.ok(lines('notification_for_nobody', '899999999999998') < 50);
});

test('a change of the account makes its numbers be looked at', async () =>
{
	const looks = () => graph.of('GET', `/${acme.session.number}`).length;
	const before = looks();

	assert.equal(await send(notification({ field: 'account_update', value: { event: 'ACCOUNT_RESTRICTION' } }, acme.session.credentials.wabaId), acme.session.secret), 200);
	await until('it was looked at', () => looks() > before);
});

test('without the database nothing is taken, and after it all of it, once', async () =>
{
	const { session } = acme;
	const value = (i) => notification(change(session.number, { messages: [messageFrom(ANN, { id: `crash${i}` })] }));
	const before = await count(session);
	const taken = new Set();
	let killed = false;
	const posting = (async () =>
	{
		for (let i = 0; i < 200; i++)
		{
			const status = await send(value(i), session.secret);

			assert.ok(status === 200 || killed, `${status} before the end of the server`);
			if (status === 200)
				taken.add(i);
		}
	})();

	await until('some are taken', () => taken.size > 20);
	killed = true;
	await cluster.kill();
	await posting;
	db = await cluster.open('wa');
	assert.ok(taken.size < 200);
	for (const { id } of await db.sql("SELECT wa_message_id AS id FROM wa.message WHERE session_id = $1 AND wa_message_id LIKE 'crash%'", [session.uuid]))
		taken.delete(Number(id.slice('crash'.length)));
	assert.deepEqual([...taken], []);
	await until('the database is back', async () => await send(value(0), session.secret) === 200);
	for (let i = 0; i < 200; i++)
		await until('it is taken', async () => await send(value(i), session.secret) === 200);
	assert.equal(await count(session), before + 200);
});

test('a process that has no lease, and one that has just started, take everything', async () =>
{
	const other = await Cloud.start(cluster, { graph, keyFiles: [keyFile], args: ['--listen', '127.0.0.1:0'] });
	const before = await count(acme.session);

	assert.equal(await post(other.port, notification(change(acme.session.number, { messages: [messageFrom(ANN)] })), acme.session.secret), 200);
	await cloud.stop();
	assert.match(cloud.events('notifications')[0], / wrong=0/);
	await startCloud();
	assert.equal(await send(notification(change(acme.session.number, { messages: [messageFrom(ANN)] })), acme.session.secret), 200);
	assert.equal(await count(acme.session), before + 2);
	await other.stop();
});

test('no secret, token or text of a message is in the log', async () =>
{
	for (const word of [SECRET, VERIFY, 'verify%3Cme', 'text of wamid', 'EAAtoken'])
		assert.ok(!cloud.log().includes(word), word);
});
