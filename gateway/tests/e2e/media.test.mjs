/*
 * media.test.mjs
 *		Files: uploaded, sent and downloaded, by those who may; and what is refused or broken
 *		leaves nothing.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Connection } from './harness/http.mjs';
import { makePlace, until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { createKey, createSession, createTenant } from './harness/tenants.mjs';

const MAX = 1024 * 1024;
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const PAGE = '<!DOCTYPE html><html><script>alert(1)</script></html>';
const INVENTED = 'med_01h455vb4pex5vsknk084sn02q';

let cluster, db, gateway, client, folder, tenant, other, keys;

before(async () =>
{
	cluster = prepareCluster();

	db = await cluster.open('wa');
	folder = makePlace();
	gateway = await Gateway.start(cluster, { args: ['--media-dir', folder, '--media-max-bytes', String(MAX)] });
	client = gateway.client;
	tenant = await createTenant(db, 'Files');
	other = await createTenant(db, 'Others');
	keys = {
		every: await createKey(db, tenant.org),
		send: await createKey(db, tenant.org, ['send']),
		read: await createKey(db, tenant.org, ['read']),
		other: await createKey(db, other.org),
	};
});

const upload = (body, headers = {}, key = keys.send) => client.request('POST', '/api/v1/media', { key: key.secret, body, headers });
const download = (id, headers = {}, key = keys.read, method = 'GET') => client.request(method, `/api/v1/media/${id}`, { key: key.secret, headers });
const png = (more = {}) => upload(PNG, { 'Content-Type': 'image/png', ...more });

const filesIn = (place) => fs.readdirSync(place, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name);
const rowCount = () => db.value('SELECT count(*) FROM wa.media');
const walk = (place) => fs.readdirSync(place, { withFileTypes: true }).flatMap((entry) => entry.isDirectory() ? walk(path.join(place, entry.name)) : [path.join(place, entry.name)]);

/* Nothing of an upload is left: neither a row nor a file. */
async function leavesNothing(act)
{
	const before = [await rowCount(), walk(folder).length];

	await act();
	await until('nothing is left', async () => JSON.stringify([await rowCount(), walk(folder).length]) === JSON.stringify(before));
}

test('a file is uploaded, and downloaded as it was', async () =>
{
	const made = await png({ 'Content-Disposition': 'attachment; filename="view.png"' });
	const digest = createHash('sha256').update(PNG).digest('hex');

	assert.equal(made.status, 201);
	assert.deepEqual({ ...made.json, id: '' }, { id: '', mimetype: 'image/png', size: PNG.length, sha256: digest, filename: 'view.png' });

	const got = await download(made.json.id);

	assert.equal(got.status, 200);
	assert.ok(got.body.equals(PNG));
	assert.equal(got.headers['content-type'], 'image/png');
	assert.equal(got.headers.etag, `"${digest}"`);
	assert.equal(got.headers['content-disposition'], "inline; filename=\"view.png\"; filename*=UTF-8''view.png");
	assert.equal(got.headers['x-content-type-options'], 'nosniff');

	const head = await download(made.json.id, {}, keys.read, 'HEAD');

	assert.equal(head.status, 200);
	assert.equal(head.headers['content-length'], String(PNG.length));
	assert.equal((await download(made.json.id, { 'If-None-Match': got.headers.etag })).status, 304);
});

test('a part of a file', async () =>
{
	const { json: { id } } = await png();
	const part = await download(id, { Range: 'bytes=10-19' });

	assert.equal(part.status, 206);
	assert.ok(part.body.equals(PNG.subarray(10, 20)));
	assert.equal(part.headers['content-range'], `bytes 10-19/${PNG.length}`);

	const behind = await download(id, { Range: `bytes=${PNG.length}-` });

	assert.equal(behind.status, 416);
	assert.equal(behind.headers['content-range'], `bytes */${PNG.length}`);
	assert.equal((await download(id, { Range: 'bytes=0-1,3-4' })).status, 200);
	assert.equal((await download(id, { Range: 'bytes=0-1', 'If-Range': '"other"' })).status, 200);
});

test('it is sent by its id, and its message leads to it', async () =>
{
	const { json: { id } } = await png({ 'Content-Disposition': 'attachment; filename="view.png"' });
	const sent = await client.post(`/api/v1/sessions/${tenant.session.id}/messages`, keys.send.secret,
		{ type: 'image', to: '15551234567', media: { id, filename: 'other.png' }, caption: 'look' });

	assert.equal(sent.status, 202);

	const message = `/api/v1/sessions/${tenant.session.id}/messages/${sent.json.id}`;

	assert.deepEqual((await client.get(message, keys.read.secret)).json.media, { id, state: 'stored', size: PNG.length, filename: 'other.png', mimetype: 'image/png' });

	const got = await client.get(`${message}/media`, keys.read.secret);

	assert.equal(got.status, 200);
	assert.ok(got.body.equals(PNG));
	assert.match(got.headers['content-disposition'], /other\.png/);

	/* a message without a file */
	const text = await client.post(`/api/v1/sessions/${tenant.session.id}/messages`, keys.send.secret, { type: 'text', to: '15551234567', text: 'x' });

	assert.equal((await client.get(`/api/v1/sessions/${tenant.session.id}/messages/${text.json.id}/media`, keys.read.secret)).status, 404);
});

test("another organization's file is as an invented one, byte for byte", async () =>
{
	const { json: { id } } = await png();
	const invented = await download(INVENTED, {}, keys.other);

	assert.equal(invented.status, 404);
	assert.equal((await download(id, {}, keys.other)).shape, invented.shape);
	assert.equal((await download(id, { Range: 'bytes=0-1' }, keys.other)).shape, invented.shape);

	const send = (media) => client.post(`/api/v1/sessions/${other.session.id}/messages`, keys.other.secret, { type: 'image', to: '15551234567', media });
	const refused = await send({ id: INVENTED });

	assert.equal(refused.status, 400);
	assert.deepEqual(refused.json.error.details, { 'media.id': 'must be the id of a file that was uploaded' });
	assert.equal((await send({ id })).shape, refused.shape);
});

test('the same bytes are one file of each organization', async () =>
{
	const bytes = randomBytes(1000);
	const ids = new Set();

	for (let i = 0; i < 3; i++)
		ids.add((await upload(bytes)).json.id);
	await upload(bytes, {}, keys.other);
	assert.equal(ids.size, 3);
	assert.equal(walk(folder).filter((file) => path.basename(file) === createHash('sha256').update(bytes).digest('hex')).length, 2);
});

test('a key that is restricted to a session gets its own files, and those of its messages', async () =>
{
	const mine = await createSession(db, tenant.org);
	const restricted = await createKey(db, tenant.org, ['read', 'send'], { sessions: [mine.id] });
	const { json: { id } } = await png();
	const { json: own } = await upload('own', {}, restricted);

	assert.equal((await download(own.id, {}, restricted)).status, 200);
	assert.equal((await download(id, {}, restricted)).shape, (await download(INVENTED, {}, restricted)).shape);
	await client.post(`/api/v1/sessions/${mine.id}/messages`, keys.send.secret, { type: 'image', to: '15551234567', media: { id } });
	assert.equal((await download(id, {}, restricted)).status, 200);
});

test('nothing is taken from whom may not upload: the body is not even asked for', async () =>
{
	await leavesNothing(async () =>
	{
		for (const [key, status] of [[undefined, 401], [keys.read.secret, 403], ['wa_x', 401]])
		{
			const connection = await Connection.open(gateway.port);

			connection.send(`POST /api/v1/media HTTP/1.1\r\nHost: h\r\n${key ? `x-api-key: ${key}\r\n` : ''}Expect: 100-continue\r\nContent-Length: 100000\r\n\r\n`);
			assert.equal((await connection.answer()).status, status);
			connection.close();
		}
	});

	const connection = await Connection.open(gateway.port);

	connection.send(`POST /api/v1/media HTTP/1.1\r\nHost: h\r\nx-api-key: ${keys.send.secret}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`);
	assert.equal((await connection.answer()).status, 100);
	connection.send('ok');
	assert.equal((await connection.answer()).status, 201);
	connection.close();
});

test('a page is no picture', async () =>
{
	await leavesNothing(async () =>
	{
		for (const type of ['image/png', 'image/svg+xml', 'audio/ogg', 'video/mp4'])
		{
			const refused = await upload(PAGE, { 'Content-Type': type });

			assert.equal(refused.status, 415);
			assert.deepEqual(refused.json.error.details, { 'Content-Type': `is ${type}, but the file is text/html` });
		}
	});

	/* as what it is, it is a download */
	const got = await download((await upload(PAGE, { 'Content-Type': 'text/html' })).json.id);

	assert.match(got.headers['content-disposition'], /^attachment/);
	assert.equal(got.headers['content-security-policy'], "sandbox; default-src 'none'");
	assert.equal((await upload(PNG)).json.mimetype, 'image/png');
	assert.equal((await upload(PNG, { 'Content-Type': 'application/octet-stream' })).json.mimetype, 'image/png');
});

test('a name is a name: no path, no line', async () =>
{
	await leavesNothing(async () =>
	{
		for (const [name, field] of [['"../../etc/passwd"', 'filename'], ['"a\\\\b"', 'filename'], ['".."', 'filename'], [`"${'x'.repeat(256)}"`, 'filename'],
			['"x', 'Content-Disposition'], ['', 'Content-Disposition']])
		{
			const refused = await png({ 'Content-Disposition': `attachment; filename=${name}` });

			assert.equal(refused.status, 400, name);
			assert.deepEqual(Object.keys(refused.json.error.details), [field], name);
		}
		for (const name of ["UTF-8''a%2Fb", "UTF-8''a%0D%0AX-Injected:%20b", "UTF-8''%00", "UTF-8''%FF", "ISO-8859-1''x"])
			assert.equal((await png({ 'Content-Disposition': `attachment; filename*=${name}` })).status, 400, name);
	});

	const { json } = await png({ 'Content-Disposition': "attachment; filename=\"ete.png\"; filename*=UTF-8''%C3%A9t%C3%A9%20%F0%9F%8F%96%22.png" });

	assert.equal(json.filename, 'été 🏖".png');
	assert.equal((await download(json.id)).headers['content-disposition'],
		"inline; filename=\"__t__ _____.png\"; filename*=UTF-8''%C3%A9t%C3%A9%20%F0%9F%8F%96%22.png");
});

test('what is too large is refused, by its length and while it arrives', async () =>
{
	await leavesNothing(async () =>
	{
		assert.equal((await upload(Buffer.alloc(MAX + 1))).status, 413);

		const connection = await Connection.open(gateway.port);

		connection.send(`POST /api/v1/media HTTP/1.1\r\nHost: h\r\nx-api-key: ${keys.send.secret}\r\nTransfer-Encoding: chunked\r\n\r\n`);
		connection.send(Buffer.concat([Buffer.from(`${MAX.toString(16)}\r\n`), Buffer.alloc(MAX), Buffer.from('\r\n1\r\n')]));
		assert.equal((await connection.answer()).status, 413);
		connection.close();
	});
	assert.equal((await upload(Buffer.alloc(MAX, 'x'))).status, 201);
});

test('empty, compressed, and what is no file', async () =>
{
	await leavesNothing(async () =>
	{
		assert.deepEqual((await upload('')).json.error.details, { body: 'must not be empty' });
		assert.equal((await upload(PNG, { 'Content-Encoding': 'gzip' })).status, 415);
		assert.equal((await upload(PNG, { 'Content-Type': 'multipart/mixed; boundary=x' })).status, 415);
		assert.equal((await upload(PNG, { 'Content-Type': 'application/x-www-form-urlencoded' })).status, 415);
		assert.deepEqual((await upload(PNG, { 'Content-Type': 'png' })).json.error.details, { 'Content-Type': 'must be a media type such as image/png' });
		assert.equal((await client.request('POST', '/api/v1/media?x=1', { key: keys.send.secret, body: PNG })).status, 400);
	});
});

/* A form, as a program sends it; each part is its head and its bytes. */
const form = (...parts) => Buffer.concat([...parts.flatMap(([head, bytes]) => [Buffer.from(`--b0\r\n${head}\r\n\r\n`), Buffer.from(bytes), Buffer.from('\r\n')]),
	Buffer.from('--b0--\r\n')]);
const uploadForm = (body, key = keys.send) => upload(body, { 'Content-Type': 'multipart/form-data; boundary=b0' }, key);
const FILE = 'Content-Disposition: form-data; name="file"; filename="view.png"';

test('a file in a form, as browsers and curl send it', async () =>
{
	const made = await uploadForm(form([`${FILE}\r\nContent-Type: image/png`, PNG]));

	assert.equal(made.status, 201);
	assert.equal(made.json.mimetype, 'image/png');
	assert.equal(made.json.filename, 'view.png');
	assert.ok((await download(made.json.id)).body.equals(PNG));

	const data = new FormData();

	data.append('file', new Blob([PNG]), 'été "1".png');
	const encoded = new Response(data);
	const posted = await upload(Buffer.from(await encoded.arrayBuffer()), { 'Content-Type': encoded.headers.get('Content-Type') });

	assert.equal(posted.status, 201);
	assert.deepEqual([posted.json.mimetype, posted.json.filename, posted.json.sha256], ['image/png', 'été "1".png', made.json.sha256]);

	const place = makePlace();

	fs.writeFileSync(path.join(place, 'a b.png'), PNG);
	const answer = execFileSync('curl', ['-sS', '-H', `x-api-key: ${keys.send.secret}`, '-F', `file=@${path.join(place, 'a b.png')}`,
		`http://127.0.0.1:${gateway.port}/api/v1/media`], { encoding: 'utf8' });

	assert.deepEqual({ ...JSON.parse(answer), id: '' }, { id: '', mimetype: 'image/png', size: PNG.length, sha256: made.json.sha256, filename: 'a b.png' });
});

test('a form is one file in the field file, and complete', async () =>
{
	await leavesNothing(async () =>
	{
		const whole = form([FILE, PNG]);
		const refused = [
			['no file', form(), { file: 'is required' }],
			['another field', form(['Content-Disposition: form-data; name="caption"', 'x']), { caption: 'is not known here' }],
			['another field behind', form([FILE, PNG], ['Content-Disposition: form-data; name="caption"', 'x']), { caption: 'is not known here' }],
			['two files', form([FILE, PNG], [FILE, PNG]), { file: 'must be given once' }],
			['no name', form(['Content-Disposition: form-data; name="file"', PNG]), { file: 'must be a file with a name' }],
			['an empty file', form([FILE, '']), { file: 'must not be empty' }],
			['no head', form(['', PNG]), { body: 'must be a form as RFC 7578 describes it' }],
			['base64', form([`${FILE}\r\nContent-Transfer-Encoding: base64`, 'aaaa']), { file: 'must be sent without Content-Transfer-Encoding' }],
			['two types', form([`${FILE}\r\nContent-Type: image/png\r\nContent-Type: image/png`, PNG]), { body: 'must be a form as RFC 7578 describes it' }],
			['a wrong type', form([`${FILE}\r\nContent-Type: png`, PNG]), { 'Content-Type': 'must be a media type such as image/png' }],
			['cut off', whole.subarray(0, -10), { body: 'must be a form as RFC 7578 describes it' }],
			['nothing', '', { body: 'must be a form as RFC 7578 describes it' }],
			['a head of a megabyte', Buffer.from(`--b0\r\nContent-Disposition: ${'x'.repeat(MAX - 100)}`), { body: 'must be a form as RFC 7578 describes it' }],
			['a path', form(['Content-Disposition: form-data; name="file"; filename="../../etc/passwd"', PNG]), { filename: 'must be 1 to 255 characters without slashes' }],
		];

		for (const [what, body, details] of refused)
		{
			const answer = await uploadForm(body);

			assert.equal(answer.status, 400, what);
			assert.deepEqual(answer.json.error.details, details, what);
		}
		assert.equal((await uploadForm(form([`${FILE}\r\nContent-Type: multipart/mixed`, PNG]))).status, 415);
		assert.deepEqual((await uploadForm(form([`${FILE}\r\nContent-Type: image/png`, PAGE]))).json.error.details,
			{ 'Content-Type': 'is image/png, but the file is text/html' });
		assert.deepEqual((await upload(whole, { 'Content-Type': 'multipart/form-data' })).json.error.details, { 'Content-Type': 'must name the boundary of the form' });
		assert.equal((await uploadForm(whole, keys.read)).status, 403);
	});
});

test('a file in a form has the same limit', async () =>
{
	await leavesNothing(async () =>
	{
		assert.equal((await uploadForm(form([FILE, Buffer.alloc(MAX + 1)]))).status, 413);
		assert.equal((await uploadForm(form([FILE, Buffer.alloc(2 * MAX)]))).status, 413);
	});
	assert.equal((await uploadForm(form([FILE, Buffer.alloc(MAX, '\r\n--b')]))).json.size, MAX);
});

test('a key that is revoked while its form arrives leaves nothing', async () =>
{
	const gone = await createKey(db, tenant.org, ['send']);

	await leavesNothing(async () =>
	{
		const connection = await Connection.open(gateway.port);
		const body = form([FILE, Buffer.alloc(500000)]);

		connection.send(`POST /api/v1/media HTTP/1.1\r\nHost: h\r\nx-api-key: ${gone.secret}\r\nContent-Type: multipart/form-data; boundary=b0\r\nContent-Length: ${body.length}\r\n\r\n`);
		connection.send(body.subarray(0, 400000));
		await until('it arrives', async () => filesIn(path.join(folder, 'incoming')).length > 0);
		await db.sql('SELECT wa.revoke_key($1::uuid)', [gone.uuid]);
		connection.send(body.subarray(400000));
		assert.equal((await connection.answer()).status, 401);
		connection.close();
	});
});

test('a client that leaves in the middle leaves nothing, and a slow one is served', async () =>
{
	await leavesNothing(async () =>
	{
		for (const bytes of [1, 300000])
		{
			const connection = await Connection.open(gateway.port);

			connection.send(`POST /api/v1/media HTTP/1.1\r\nHost: h\r\nx-api-key: ${keys.send.secret}\r\nContent-Length: 900000\r\n\r\n`);
			connection.send(Buffer.alloc(bytes));
			await until('it arrives', async () => bytes < 262144 || filesIn(path.join(folder, 'incoming')).length > 0);
			connection.close();
		}
	});

	const slow = await Connection.open(gateway.port);

	slow.send(`POST /api/v1/media HTTP/1.1\r\nHost: h\r\nx-api-key: ${keys.send.secret}\r\nContent-Length: 5\r\n\r\n`);
	for (const byte of 'slow!')
	{
		slow.send(byte);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	assert.equal((await slow.answer()).status, 201);
	slow.close();
});

test('a file that is gone is a 410, and comes back with its bytes', async () =>
{
	const bytes = randomBytes(2000);
	const { json: { id, sha256 } } = await upload(bytes);
	const [file] = walk(folder).filter((each) => path.basename(each) === sha256);

	fs.unlinkSync(file);

	const gone = await download(id);

	assert.equal(gone.status, 410);
	assert.equal(gone.json.error.code, 'media_gone');
	await upload(bytes);
	assert.ok((await download(id)).body.equals(bytes));
});

test('an organization without room is told so, before a byte is taken', async () =>
{
	const full = await createTenant(db, 'Full');
	const key = await createKey(db, full.org, ['send']);
	const limit = (mebibytes) => db.sql("SELECT wa.set_org_limit($1::uuid, 'media_mebibytes', $2)", [full.org.uuid, mebibytes]);
	const error = { code: 'quota_exceeded', message: 'organization has reached its limit of 1 MiB of files', details: { limit: 'mediaMebibytes' } };

	await limit(1);
	assert.equal((await upload(Buffer.alloc(MAX - 10, 'a'), {}, key)).status, 201);
	await leavesNothing(async () =>
	{
		const connection = await Connection.open(gateway.port);

		connection.send(`POST /api/v1/media HTTP/1.1\r\nHost: h\r\nx-api-key: ${key.secret}\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n`);

		const refused = await connection.answer();

		assert.equal(refused.status, 507);
		assert.deepEqual(refused.json.error, error);
		connection.close();
		assert.deepEqual((await uploadForm(form([FILE, 'a longer text']), key)).json.error, error);
	});
	assert.equal((await upload('ten bytes!', {}, key)).status, 201);
	assert.equal((await upload(Buffer.alloc(MAX), {}, keys.other)).status, 201);
	await limit(null);
	assert.equal((await upload('one more', {}, key)).status, 201);
});

test('a gateway without a store says so', async () =>
{
	const { client: without } = await Gateway.start(cluster);
	const { json: { id } } = await png();

	assert.equal((await without.request('POST', '/api/v1/media', { key: keys.send.secret, body: PNG })).status, 501);
	assert.equal((await without.get(`/api/v1/media/${id}`, keys.read.secret)).status, 501);
	assert.equal((await without.get(`/api/v1/media/${INVENTED}`, keys.read.secret)).status, 404);
});

test('a large file takes no memory of the gateway, on its way in or out', { skip: process.env.WA_SANITIZED ? 'sanitizers use memory of their own' : false }, async () =>
{
	const large = await Gateway.start(cluster, { args: ['--media-dir', folder] });
	const highest = () => Number(/^VmHWM:\s+([0-9]+) kB/m.exec(fs.readFileSync(`/proc/${large.pid}/status`, 'utf8'))[1]) / 1024;
	const bytes = randomBytes(64 * 1024 * 1024);

	await large.client.request('POST', '/api/v1/media', { key: keys.send.secret, body: PNG });

	const before = highest();
	const { json: { id } } = await large.client.request('POST', '/api/v1/media', { key: keys.send.secret, body: bytes });

	assert.ok((await large.client.get(`/api/v1/media/${id}`, keys.read.secret)).body.equals(bytes));
	assert.ok(highest() < before + 16, `${before} MiB before, ${highest()} MiB at the highest`);
});
