/*
 * content.test.mjs
 *		Every type of message: what it takes, what it refuses, and how it reads afterwards.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { createUnlimitedSession, pairedSession } from './harness/fixtures.mjs';
import { until } from './harness/processes.mjs';
import { Gateway, Sandbox } from './harness/programs.mjs';
import { createTenant } from './harness/tenants.mjs';

const PHONE = '15551234567';
const JID = `${PHONE}@s.whatsapp.net`;
const URL = 'https://media.example/file';
const VCARD = 'BEGIN:VCARD\nVERSION:3.0\nFN:Ann\nEND:VCARD';
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

let db, client, key, tenant, path;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	key = tenant.key.secret;
	path = `/api/v1/sessions/${(await createUnlimitedSession(db, tenant.org)).id}/messages`;
	client = (await Gateway.start(cluster)).client;
	await Sandbox.start(cluster);
});

const send = (json, to = PHONE) => client.post(path, key, { to, ...json });

/* An attachment without what is found out when its URL is fetched. */
const asSent = ({ id, state, error, ...media }) => media;

/* Each type, and how the message reads: besides what all have. */
const GOOD = {
	'text': [{ type: 'text', text: 'hello' }, { body: 'hello', hasMedia: false }],
	'text, all of Unicode': [{ type: 'text', text: 'ñ 漢 🙂 \u202e x\n\ty' }, { body: 'ñ 漢 🙂 \u202e x\n\ty', hasMedia: false }],
	'image by URL': [{ type: 'image', media: { url: URL, mimetype: 'image/png' }, caption: 'look' },
		{ body: 'look', hasMedia: true, media: { url: URL, mimetype: 'image/png' } }],
	'image inline': [{ type: 'image', media: { data: PIXEL, mimetype: 'image/png', filename: 'pixel.png' } },
		{ hasMedia: true, media: { mimetype: 'image/png', filename: 'pixel.png' } }],
	'video': [{ type: 'video', media: { url: URL } }, { hasMedia: true, media: { url: URL } }],
	'audio': [{ type: 'audio', media: { url: URL, mimetype: 'audio/ogg; codecs=opus' } }, { hasMedia: true, media: { url: URL, mimetype: 'audio/ogg; codecs=opus' } }],
	'document': [{ type: 'document', media: { url: URL, filename: 'règlement.pdf' }, caption: 'read' }, { body: 'read', hasMedia: true, media: { url: URL, filename: 'règlement.pdf' } }],
	'sticker': [{ type: 'sticker', media: { url: URL } }, { hasMedia: true, media: { url: URL } }],
	'location': [{ type: 'location', latitude: -90, longitude: 180, name: 'South Pole', address: 'Antarctica' }, { hasMedia: false }],
	'contact': [{ type: 'contact', contact: { displayName: 'Ann', vcard: VCARD } }, { hasMedia: false }],
	'poll': [{ type: 'poll', name: 'Lunch?', options: ['yes', 'no'], selectableCount: 1 }, { hasMedia: false }],
	'poll with twelve options': [{ type: 'poll', name: 'Month?', options: Array.from({ length: 12 }, (_, i) => `${i}`) }, { hasMedia: false }],
};

const media = { url: URL };

/* What is wrong, and the field that is named for it. */
const BAD = [
	[{ text: 'x' }, 'type'],
	[{ type: 'telegram', text: 'x' }, 'type'],
	[{ type: 'text' }, 'text'],
	[{ type: 'text', text: '' }, 'text'],
	[{ type: 'text', text: 'a'.repeat(65537) }, 'text'],
	[{ type: 'text', text: ['x'] }, 'text'],
	[{ type: 'text', text: 'x', caption: 'x' }, 'caption'],
	[{ type: 'text', text: 'x', media }, 'media'],
	[{ type: 'image' }, 'media'],
	[{ type: 'image', media: URL }, 'media'],
	[{ type: 'image', media: {} }, 'media'],
	[{ type: 'image', media: { url: URL, data: PIXEL } }, 'media'],
	[{ type: 'image', media: { ...media, size: '1' } }, 'media'],
	[{ type: 'image', media: { url: 7 } }, 'media.url'],
	[{ type: 'image', media: { url: 'file:///etc/passwd' } }, 'media.url'],
	[{ type: 'image', media: { url: 'https://user:pass@media.example/' } }, 'media.url'],
	[{ type: 'image', media: { url: `${URL}/${'a'.repeat(2048)}` } }, 'media.url'],
	[{ type: 'image', media: { data: 'not base64' } }, 'media.data'],
	[{ type: 'image', media: { data: 'AAB' } }, 'media.data'],
	[{ type: 'image', media: { data: '' } }, 'media.data'],
	[{ type: 'image', media: { ...media, mimetype: 'png' } }, 'media.mimetype'],
	[{ type: 'document', media: { ...media, filename: '../../etc/passwd' } }, 'media.filename'],
	[{ type: 'document', media: { ...media, filename: 'a\r\nb' } }, 'media.filename'],
	[{ type: 'image', media, caption: 'a'.repeat(4097) }, 'caption'],
	[{ type: 'audio', media, caption: 'x' }, 'caption'],
	[{ type: 'sticker', media, caption: 'x' }, 'caption'],
	[{ type: 'location', longitude: 0 }, 'latitude'],
	[{ type: 'location', latitude: 90.1, longitude: 0 }, 'latitude'],
	[{ type: 'location', latitude: '1', longitude: 0 }, 'latitude'],
	[{ type: 'location', latitude: 0, longitude: -181 }, 'longitude'],
	[{ type: 'location', latitude: 0, longitude: 0, name: '' }, 'name'],
	[{ type: 'contact' }, 'contact'],
	[{ type: 'contact', contact: 'Ann' }, 'contact'],
	[{ type: 'contact', contact: { displayName: '', vcard: VCARD } }, 'contact.displayName'],
	[{ type: 'contact', contact: { displayName: 'Ann', vcard: 'Ann' } }, 'contact.vcard'],
	[{ type: 'contact', contact: { displayName: 'Ann', vcard: VCARD, photo: 'x' } }, 'contact'],
	[{ type: 'poll', options: ['a', 'b'] }, 'name'],
	[{ type: 'poll', name: 'x', options: ['a'] }, 'options'],
	[{ type: 'poll', name: 'x', options: Array.from({ length: 13 }, (_, i) => `${i}`) }, 'options'],
	[{ type: 'poll', name: 'x', options: ['a', 'a'] }, 'options'],
	[{ type: 'poll', name: 'x', options: ['a', 7] }, 'options'],
	[{ type: 'poll', name: 'x', options: 'ab' }, 'options'],
	[{ type: 'poll', name: 'x', options: ['a', 'b'], selectableCount: 3 }, 'selectableCount'],
	[{ type: 'poll', name: 'x', options: ['a', 'b'], selectableCount: 0 }, 'selectableCount'],
	[{ type: 'poll', name: 'x', options: ['a', 'b'], selectableCount: 1.5 }, 'selectableCount'],
	[{ type: 'text', text: 'x', mentions: ['nobody'] }, 'mentions'],
	[{ type: 'text', text: 'x', mentions: PHONE }, 'mentions'],
	[{ type: 'text', text: 'x', mentions: Array(257).fill(PHONE) }, 'mentions'],
	[{ type: 'text', text: 'x', replyTo: 'msg_1' }, 'replyTo'],
	[{ type: 'text', text: 'x', replyTo: 'msg_01h455vb4pex5vsknk084sn02q' }, 'replyTo'],
];

for (const [name, [json, expected]] of Object.entries(GOOD))
{
	test(`${name}: is accepted and reads as it was sent`, async () =>
	{
		const sent = await send(json);

		assert.equal(sent.status, 202, sent.text);

		const { json: message } = await client.get(`${path}/${sent.json.id}`, key);
		const { hasMedia, media: attachment, body } = message;

		assert.equal(message.type, json.type);
		assert.deepEqual({ hasMedia, media: attachment && asSent(attachment), body }, { media: undefined, body: undefined, ...expected });
	});
}

test('what is wrong with a message is told by the name of its field', async () =>
{
	const count = () => db.value('SELECT count(*) FROM wa.message');
	const before = await count();

	for (const [json, field] of BAD)
	{
		const refused = await send(json);
		const what = JSON.stringify(json).slice(0, 100);

		assert.equal(refused.status, 400, what);
		assert.deepEqual(Object.keys(refused.json.error.details), [field], what);
	}
	assert.equal(await count(), before);
});

/* How a file of the bytes 00 01 02 fb ff may be written, and the media type that is kept. */
const WRITTEN = [
	[{ data: 'AAEC+/8=' }, undefined],
	[{ data: 'AAEC+/8' }, undefined],
	[{ data: 'AAEC-_8=' }, undefined],
	[{ data: 'AAEC-_8' }, undefined],
	[{ data: 'AAEC\r\n+/8=\r\n' }, undefined],
	[{ data: ' AA EC\t+/\n8 = ' }, undefined],
	[{ data: 'data:image/png;base64,AAEC+/8=' }, 'image/png'],
	[{ url: 'data:image/png;base64,AAEC+/8=' }, 'image/png'],
	[{ url: 'DATA:Image/PNG;BASE64,AAEC-_8' }, 'image/png'],
	[{ url: 'data:image/png,%00%01%02%fb%FF', mimetype: 'IMAGE/png' }, 'image/png'],
	[{ url: 'data:;base64,AAEC%2B/8%3D' }, 'text/plain; charset=US-ASCII'],
	[{ url: 'data:;base64,AAEC+/8=', mimetype: 'application/pdf' }, 'application/pdf'],
	[{ url: 'data:;charset=utf-8;base64,AAEC+/8=' }, 'text/plain; charset=utf-8'],
	[{ url: 'data:audio/ogg;codecs=%22opus%22;base64,AAEC+/8=', mimetype: 'audio/ogg; codecs=opus' }, 'audio/ogg; codecs=opus'],
	[{ data: 'AAEC+/8=', mimetype: 'Audio/OGG;Codecs="opus"' }, 'audio/ogg; codecs=opus'],
	[{ data: 'AAEC+/8=', mimetype: 'text/plain; x="a;b"; Y=Z' }, 'text/plain; x="a;b"; y=Z'],
];

test('a file is stored byte by byte in whatever form it was written, with its media type in one form', async () =>
{
	for (const [written, mimetype] of WRITTEN)
	{
		const what = JSON.stringify(written);
		const sent = await send({ type: 'document', media: { ...written, filename: 'x.bin' } });

		assert.equal(sent.status, 202, `${what}: ${sent.text}`);

		const { json: message } = await client.get(`${path}/${sent.json.id}`, key);

		assert.deepEqual(message.media, { ...(mimetype && { mimetype }), filename: 'x.bin' }, what);
		assert.equal(await db.value(`SELECT encode(media_data, 'hex') FROM wa.message WHERE id = wa.from_typeid('msg', '${sent.json.id}')`), '000102fbff', what);
	}
});

test('the scheme of an URL is taken in any case, and kept in lower case', async () =>
{
	const sent = await send({ type: 'image', media: { url: 'HTTPS://media.example/File' } });

	assert.equal(sent.status, 202, sent.text);
	assert.deepEqual(asSent((await client.get(`${path}/${sent.json.id}`, key)).json.media), { url: 'https://media.example/File' });
});

const card = (vcard) => ({ type: 'contact', contact: { displayName: 'Ann', vcard } });

test('a card is kept without what stands around it', async () =>
{
	for (const vcard of [`\n${VCARD}`, `${VCARD}\r\n`, `\ufeff${VCARD}\n`, `\ufeff\r\n ${VCARD} \n`])
	{
		const sent = await send(card(vcard));

		assert.equal(sent.status, 202, `${JSON.stringify(vcard)}: ${sent.text}`);
		assert.equal((await client.get(`${path}/${sent.json.id}`, key)).json.content.contact.vcard, VCARD);
	}

	const mixed = 'begin:vcard\r\nVERSION:3.0\nFN:Ann\r\nEND:VCARD';
	const sent = await send(card(mixed));

	assert.equal((await client.get(`${path}/${sent.json.id}`, key)).json.content.contact.vcard, mixed);
});

const inline = (written) => ({ type: 'image', media: written });

/* What is said, word by word. */
const TOLD = [
	[inline({ data: 'AAB=' }), 'media.data', 'has base64 with bits behind its last byte'],
	[inline({ data: 'AA=' }), 'media.data', 'has base64 with wrong padding'],
	[inline({ data: 'AAECA' }), 'media.data', 'has base64 that ends within a byte'],
	[inline({ data: 'AA==AA==' }), 'media.data', 'goes on behind the padding of its base64, at character 5'],
	[inline({ data: 'AA+_' }), 'media.data', 'mixes the usual alphabet of base64 with that for URLs, at character 4'],
	[inline({ data: 'AA*A' }), 'media.data', 'has a character that is not of base64, at character 3'],
	[inline({ data: ' \n' }), 'media.data', 'has no data'],
	[inline({ url: 'data:image/png;base64' }), 'media.url', 'is a data: URL without a comma in front of its data'],
	[inline({ url: 'data:png;base64,AAEC' }), 'media.url', 'is a data: URL without a valid media type'],
	[inline({ data: 'data:image/png,a b' }), 'media.data', 'has a character that an URL has to percent-encode, at character 17'],
	[inline({ url: 'data:image/png,%0' }), 'media.url', 'has a percent sign without two hexadecimal digits, at character 16'],
	[inline({ url: 'data:image/png;base64,AAEC', mimetype: 'Image/JPEG' }), 'media.mimetype', 'is image/jpeg, but the data: URL says image/png'],
	[inline({ data: 'data:;charset=utf-8,x', mimetype: 'text/html' }), 'media.mimetype', 'is text/html, but the data: URL says text/plain; charset=utf-8'],
	[inline({ url: URL, mimetype: 'image/*' }), 'media.mimetype', 'must be a media type such as image/png'],
	[inline({ url: URL, size: '1' }), 'media', 'has "size", but its fields are id, url, data, mimetype, filename'],
	[inline({ url: URL, filename: 7 }), 'media.filename', 'must be a text'],
	[card('Ann'), 'contact.vcard', 'must begin with the line BEGIN:VCARD'],
	[card('BEGIN:VCARD\nFN:Ann'), 'contact.vcard', 'must end with the line END:VCARD'],
	[{ type: 'contact', contact: { displayName: 'Ann', vcard: VCARD, photo: 'x' } }, 'contact', 'has "photo", but its fields are displayName and vcard'],
	[{ type: 'poll', name: 'x', options: ['a', 'b', ''] }, 'options', 'options[2] must be a text of 1 to 100 characters'],
	[{ type: 'poll', name: 'x', options: ['a', 'b', 'a'] }, 'options', 'options[2] is the same as one before it'],
	[{ type: 'text', text: 'x', mentions: [PHONE, 'nobody'] }, 'mentions', 'mentions[1] must be a phone number or a WhatsApp address'],
	[{ type: 'text', text: 'x', mentions: [PHONE, 7] }, 'mentions', 'mentions[1] must be a string'],
	[{ type: 'text', text: 'x', mentions: [''] }, 'mentions', 'mentions[0] must have 1 to 160 characters'],
];

test('what is wrong with a file, a card or a list is told precisely', async () =>
{
	for (const [json, field, text] of TOLD)
	{
		const refused = await send(json);

		assert.deepEqual([refused.status, refused.json.error?.details], [400, { [field]: text }], JSON.stringify(json));
	}
});

test('recipients are phone numbers and addresses, and nothing else', async () =>
{
	const good = {
		[PHONE]: JID, [`+${PHONE}`]: JID, [JID]: JID, [`${PHONE}@c.us`]: JID, '120363000000000001@g.us': '120363000000000001@g.us',
		'12345678901@lid': '12345678901@lid', 'status@broadcast': 'status@broadcast', '120363000000000002@newsletter': '120363000000000002@newsletter',
	};

	for (const [to, jid] of Object.entries(good))
	{
		const sent = await send({ type: 'text', text: 'hello' }, to);

		assert.equal(sent.status, 202, to);
		assert.equal((await client.get(`${path}/${sent.json.id}`, key)).json.chatJid, jid);
	}
	for (const to of ['', '123', '0123456789', '1'.repeat(16), 'ann', `${PHONE}@example.com`, `${PHONE}@s.whatsapp.net@g.us`, ` ${PHONE}`, `${PHONE}\n`, '１５５５１２３４５６７', '%', "' OR 1=1"])
	{
		const refused = await send({ type: 'text', text: 'hello' }, to);

		assert.equal(refused.status, 400, to);
		assert.deepEqual(Object.keys(refused.json.error.details), ['to'], to);
	}
});

test('each form that a recipient takes names the chat and the contact in paths too', async () =>
{
	const session = await pairedSession(client, key);
	const at = `/api/v1/sessions/${session.id}`;
	const sent = await client.post(`${at}/messages`, key, { type: 'text', to: PHONE, text: 'hello' });
	const forms = [PHONE, `+${PHONE}`, `%2B${PHONE}`, `${PHONE}@c.us`, `${PHONE}%40c.us`, JID, encodeURIComponent(JID)];

	await until('the answer is there', async () => (await client.get(`${at}/contacts/${JID}`, key)).status === 200);
	for (const form of forms)
	{
		const { json: chat } = await client.get(`${at}/chats/${form}`, key);
		const { json: contact } = await client.get(`${at}/contacts/${form}`, key);
		const { json: list } = await client.get(`${at}/chats/${form}/messages`, key);
		const changed = await client.request('PATCH', `${at}/chats/${form}`, { key, json: { pinned: true } });
		const read = await client.post(`${at}/chats/${form}/read`, key);

		assert.deepEqual([chat.jid, contact.jid, changed.json.jid, read.json.jid], [JID, JID, JID, JID], form);
		assert.equal(list.data.at(-1).id, sent.json.id, form);
	}
	for (const form of ['ann', '15557654321', `${PHONE}@lid`, `${PHONE}@example.com`])
		for (const rest of [`chats/${form}`, `contacts/${form}`, `chats/${form}/messages`])
			assert.equal((await client.get(`${at}/${rest}`, key)).status, 404, rest);
});

test('a message quotes one of the same chat and mentions people', async () =>
{
	const first = await send({ type: 'text', text: 'first' });
	const second = await send({ type: 'text', text: 'second', replyTo: first.json.id, mentions: [PHONE, '15557654321@c.us'] });
	const elsewhere = await send({ type: 'text', text: 'x', replyTo: first.json.id }, '15557654321');
	const { json: message } = await client.get(`${path}/${second.json.id}`, key);

	assert.equal(message.quotedMessageId, first.json.id);
	assert.deepEqual(message.mentions, [JID, '15557654321@s.whatsapp.net']);
	assert.equal(elsewhere.status, 400);
	assert.deepEqual(Object.keys(elsewhere.json.error.details), ['replyTo']);
});

test('an answer to a message that is on its way goes out behind it, and one to a message that fails fails too', async () =>
{
	const session = await pairedSession(client, key);
	const messages = `/api/v1/sessions/${session.id}/messages`;
	const post = async (to, json) => (await client.post(messages, key, { type: 'text', to, ...json })).json.id;
	const ended = async (id) => await until('the message has ended', async () =>
	{
		const { json } = await client.get(`${messages}/${id}`, key);

		return ['read', 'failed'].includes(json.status) && json;
	});
	const asked = await post(PHONE, { text: 'asked' });
	const answered = await post(PHONE, { text: 'answered', replyTo: asked });
	const lost = await post('15550000000', { text: 'lost' });
	const orphan = await post('15550000000', { text: 'orphan', replyTo: lost });
	const { status, timestamp, quotedMessageId } = await ended(answered);

	assert.deepEqual([status, quotedMessageId], ['read', asked]);
	assert.ok(timestamp > (await ended(asked)).timestamp, 'the answer is sent behind what it answers');
	assert.equal((await ended(lost)).status, 'failed');
	assert.equal((await ended(orphan)).error, 'the message that it answers was not sent');

	const late = await client.post(messages, key, { type: 'text', to: '15550000000', text: 'late', replyTo: lost });

	assert.equal(late.status, 409);
	assert.match(late.json.error.message, /has not been sent/);
});

test('a file goes inline up to the limit of a request, and not beyond', async () =>
{
	const fits = await send({ type: 'document', media: { data: 'A'.repeat(1000 * 1024), filename: 'a.bin' } });
	const tooLarge = await send({ type: 'document', media: { data: 'A'.repeat(1100 * 1024), filename: 'a.bin' } });

	assert.equal(fits.status, 202);
	assert.equal(await db.value("SELECT octet_length(media_data) FROM wa.message WHERE media ->> 'filename' = 'a.bin'"), String(1000 * 1024 / 4 * 3));
	assert.equal(tooLarge.status, 413);
});

test('a connector gets every type over', async () =>
{
	const session = await pairedSession(client, key);
	const sent = [];

	/* what is sent by its URL needs a store and a server: media_urls.test.mjs */
	for (const [json] of Object.values(GOOD).filter(([{ media: attachment }]) => attachment?.url === undefined))
		sent.push((await client.post(`/api/v1/sessions/${session.id}/messages`, key, { to: PHONE, ...json })).json.id);
	for (const id of sent)
	{
		await until('the message is read', async () =>
			(await client.get(`/api/v1/sessions/${session.id}/messages/${id}`, key)).json.status === 'read');
	}
});
