/*
 * matrix.test.mjs
 *		Every endpoint of the gateway's own table, against everything that can be wrong.
 *
 * The rows come from `wa-gateway --endpoints`, what each takes from the OpenAPI document.
 * A row without a fixture fails, so that no endpoint is added without being tried with the
 * right permission, each wrong one, no key, other organizations' ids, invented and
 * malformed ones, and bad input for each of its parameters.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { endpoints, nameOf } from './harness/endpoints.mjs';
import { createContact, createDelivery, createSentMessage, createWebhook, giveCredentials, showQrCode } from './harness/fixtures.mjs';
import { DOCUMENT, fullPath, problems, resolve } from './harness/openapi.mjs';
import { tokenOf } from './harness/people.mjs';
import { makePlace } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { ALL, createChat, createKey, createPerson, createSession, createTenant } from './harness/tenants.mjs';

const PHONE = '15551234567';
const GROUP = '120363000000000001@g.us';
const PEOPLE_ONLY = 'only a person can do this, with a user token';

/* Ids that have the right form, and were never given to anything. */
const INVENTED = {
	sessionId: 'sess_01h455vb4pex5vsknk084sn02q', messageId: 'msg_01h455vb4pex5vsknk084sn02q', mediaId: 'med_01h455vb4pex5vsknk084sn02q', webhookId: 'wh_01h455vb4pex5vsknk084sn02q',
	keyId: 'key_01h455vb4pex5vsknk084sn02q', userId: 'usr_01h455vb4pex5vsknk084sn02q', invitationId: 'inv_01h455vb4pex5vsknk084sn02q', deliveryId: 'dlv_01h455vb4pex5vsknk084sn02q', chat: '15559990000@s.whatsapp.net', contact: '15559990000@s.whatsapp.net',
};

/* Texts that are no id of any kind. */
const MALFORMED = ['x', '%20', 'sess_', 'sess_01h455vb4pex5vsknk084sn02', 'org_01h455vb4pex5vsknk084sn02q', 'SESS_01H455VB4PEX5VSKNK084SN02Q',
	'00000000-0000-0000-0000-000000000000', "'%20OR%201=1", '..%2F..', '%F0%9F%99%82', 'a'.repeat(300)];

let db, client, tenant, other, stranger, strangersInvitation, aside;
const keys = new Map();			/* by permissions, as text */
const tokens = {};				/* user tokens, by role */
const rows = endpoints().filter(({ open, door }) => !open && door === 'credential');

/* ---- fixtures: what each endpoint needs to succeed, made anew for each request ---- */

const session = (status = 'working') => createSession(db, tenant.org, { status });

async function chat()
{
	return await createChat(db, await session(), `${PHONE}@s.whatsapp.net`);
}

async function ownMessage()
{
	const message = await createSentMessage(db, await chat());

	return { sessionId: message.chat.session.id, messageId: message.id };
}

const chatPath = ({ jid, session: { id } }) => ({ sessionId: id, chat: jid });
const none = async () => ({});
const onSession = (status) => async () => ({ path: { sessionId: (await session(status)).id } });
const onChat = async () => ({ path: chatPath(await chat()) });
const onMessage = (json) => async () => ({ path: await ownMessage(), json });
const onWebhook = (json) => async () => ({ path: { webhookId: (await createWebhook(db, tenant.org)).id }, json });
const onDelivery = async () =>
{
	const webhook = await createWebhook(db, tenant.org);

	return { path: { webhookId: webhook.id, deliveryId: (await createDelivery(db, webhook)).id } };
};
const onKey = (json) => async () => ({ path: { keyId: (await createKey(db, tenant.org)).id }, json });
const onMember = (json) => async () => ({ path: { userId: (await createPerson(db, { org: tenant.org, role: 'admin' })).id }, json });
let invited = 0;

async function onInvitation()
{
	const email = `invited${++invited}@example.com`;
	const { json } = await client.post('/api/v1/invitations', tokens.owner, { email, role: 'member' });

	return { path: { invitationId: json.id } };
}

/* A file, by its id, and a message that carries one. */
async function upload(key = keyWith(['send']))
{
	const { json } = await client.request('POST', '/api/v1/media', { key, body: `file ${++invited}`, headers: { 'Content-Type': 'text/plain' } });

	return json.id;
}

const attach = (message, file) => db.sql(`UPDATE wa.message SET media_id = wa.from_typeid('med', $2), media = '{"mimetype":"text/plain"}'
	WHERE id = wa.from_typeid('msg', $1)`, [message, file]);

const FIXTURES = {
	'GET /me': none,
	'GET /connectors': none,
	'GET /sessions': none,
	'POST /sessions': async () => ({ json: { label: 'made', start: false } }),
	'GET /sessions/{sessionId}': onSession(),
	'PATCH /sessions/{sessionId}': async () => ({ ...await onSession()(), json: { label: 'renamed' } }),
	'DELETE /sessions/{sessionId}': onSession(),
	'GET /sessions/{sessionId}/me': onSession(),
	'GET /sessions/{sessionId}/qr': async () =>
	{
		const made = await session('scan_qr_code');

		await showQrCode(db, made);
		return { path: { sessionId: made.id } };
	},
	'GET /sessions/{sessionId}/credentials': async () =>
	{
		const made = await session();

		await giveCredentials(db, made);
		return { path: { sessionId: made.id } };
	},
	'PUT /sessions/{sessionId}/credentials': async () => ({ ...await onSession()(), json: { phoneNumberId: '1', wabaId: '2', appId: '3', accessToken: 'x', appSecret: 'x', verifyToken: 'x' } }),
	'POST /sessions/{sessionId}/pairing-code': async () => ({ ...await onSession('starting')(), json: { phone: PHONE } }),
	'GET /sessions/{sessionId}/chats': onSession(),
	'GET /sessions/{sessionId}/chats/{chat}': onChat,
	'PATCH /sessions/{sessionId}/chats/{chat}': async () => ({ ...await onChat(), json: { archived: true } }),
	'POST /sessions/{sessionId}/chats/{chat}/read': onChat,
	'GET /sessions/{sessionId}/chats/{chat}/messages': onChat,
	'GET /sessions/{sessionId}/contacts': onSession(),
	'GET /sessions/{sessionId}/contacts/{contact}': async () =>
	{
		const contact = await createContact(db, await session(), `${PHONE}@s.whatsapp.net`);

		return { path: { sessionId: contact.session.id, contact: contact.jid } };
	},
	'GET /sessions/{sessionId}/messages': async () => ({ ...await onSession()(), query: { q: 'x' } }),
	'GET /sessions/{sessionId}/messages/{messageId}': onMessage(),
	'POST /sessions/{sessionId}/messages': async () => ({ ...await onSession()(), json: { type: 'text', to: PHONE, text: 'hello' } }),
	'PATCH /sessions/{sessionId}/messages/{messageId}': onMessage({ text: 'edited' }),
	'DELETE /sessions/{sessionId}/messages/{messageId}': onMessage(),
	'PUT /sessions/{sessionId}/messages/{messageId}/reaction': onMessage({ emoji: '👍' }),
	'POST /sessions/{sessionId}/messages/{messageId}/reaction': onMessage({ emoji: '👍' }),
	'DELETE /sessions/{sessionId}/messages/{messageId}/reaction': onMessage(),
	'POST /sessions/{sessionId}/messages/{messageId}/forward': onMessage({ to: GROUP }),
	'POST /media': async () => ({ body: `file ${++invited}`, headers: { 'Content-Type': 'text/plain' } }),
	'GET /media/{mediaId}': async () => ({ path: { mediaId: await upload() } }),
	'GET /sessions/{sessionId}/messages/{messageId}/media': async () =>
	{
		const path = await ownMessage();

		await attach(path.messageId, await upload());
		return { path };
	},
	'GET /webhooks': none,
	'POST /webhooks': async () => ({ json: { url: 'https://receiver.example/hook' } }),
	'GET /webhooks/{webhookId}': onWebhook(),
	'PATCH /webhooks/{webhookId}': onWebhook({ active: false }),
	'DELETE /webhooks/{webhookId}': onWebhook(),
	'POST /webhooks/{webhookId}/secret': onWebhook(),
	'POST /webhooks/{webhookId}/test': onWebhook(),
	'GET /webhooks/{webhookId}/deliveries': onWebhook(),
	'GET /webhooks/{webhookId}/deliveries/{deliveryId}': onDelivery,
	'POST /webhooks/{webhookId}/deliveries/{deliveryId}/replay': onDelivery,
	'GET /events': none,
	'POST /realtime/ticket': none,
	'GET /api-keys': none,
	'POST /api-keys': async () => ({ json: { name: `made ${++invited}`, permissions: ['read'] } }),
	'POST /api-keys/revoke': async () => ({ json: { createdBy: (await createPerson(db, {})).id } }),
	'GET /api-keys/permissions': none,
	'GET /api-keys/policy': none,
	'PUT /api-keys/policy': async () => ({ json: { defaultDays: 90 } }),
	'GET /api-keys/{keyId}': onKey(),
	'PATCH /api-keys/{keyId}': async () => await onKey({ name: `renamed ${++invited}` })(),
	'DELETE /api-keys/{keyId}': onKey(),
	'GET /api-keys/{keyId}/usage': onKey(),
	'POST /api-keys/{keyId}/rotate': onKey({ overlapSeconds: 60 }),
	'GET /members': none,
	'PATCH /members/{userId}': onMember({ role: 'member' }),
	'DELETE /members/{userId}': onMember(),
	'GET /invitations': none,
	'POST /invitations': async () => ({ json: { email: `invited${++invited}@example.com`, role: 'member' } }),
	'DELETE /invitations/{invitationId}': onInvitation,
	'GET /audit': none,
	'GET /audit/head': none,
	'GET /audit/export': none,
};
for (const verb of ['start', 'stop', 'restart', 'logout'])
{
	FIXTURES[`POST /sessions/{sessionId}:${verb}`] = onSession();
	FIXTURES[`POST /sessions/{sessionId}/${verb}`] = onSession();
}

/* What not even an admin can do. */
const OWNERS_ONLY = new Set(['PUT /api-keys/policy']);

/* ---- requests ---- */

const shortName = (row) => nameOf(row).replace('/api/v1', '');

function fill(path, values)
{
	return path.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? assert.fail(`no value for ${name}`));
}

function send(row, { path = {}, query = {}, headers, json, body }, key)
{
	const search = new URLSearchParams(query).toString();

	return client.request(row.method, fill(row.pattern, path) + (search && `?${search}`), { key, headers, json, ...(json === undefined ? { body } : {}) });
}

function operationOf(row)
{
	const template = Object.keys(DOCUMENT.paths).find((path) => fullPath(path) === row.pattern);

	return DOCUMENT.paths[template][row.method.toLowerCase()];
}

const keyWith = (permissions) => keys.get(permissions.join());

/* A credential that may do it. */
const rightKey = (row) => row.people ? tokens.owner : keyWith(row.needs === null ? ['read'] : [row.needs]);

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
	other = await createTenant(db, 'Other', { jid: '15557770001@s.whatsapp.net' });
	for (let bits = 1; bits < 2 ** ALL.length; bits++)
	{
		const permissions = ALL.filter((_, bit) => bits >> bit & 1);

		keys.set(permissions.join(), (await createKey(db, tenant.org, permissions)).secret);
	}
	client = (await Gateway.start(cluster, { args: ['--media-dir', makePlace()] })).client;
	for (const role of ['owner', 'admin', 'member'])
		tokens[role] = await tokenOf(client, await createPerson(db, { org: tenant.org, role }));
	await db.sql("SELECT wa.add_connector_key(c, set_byte(sha256('key'), 31, 0)) FROM unnest('{sandbox,none}'::text[]) c");
	aside = await createSession(db, tenant.org, { label: 'aside' });
	stranger = await createPerson(db, { org: other.org });
	const invitation = await client.post('/api/v1/invitations', await tokenOf(client, stranger), { email: 'x@example.com', role: 'member' });

	strangersInvitation = invitation.json.id;
});

test('every endpoint has a fixture, and every fixture an endpoint', () =>
{
	assert.deepEqual(Object.keys(FIXTURES).sort(), rows.map(shortName).sort());
});

/* ---- bad input ---- */

/* What a client might send by mistake or on purpose, in a body. */
const BODY_VALUES = [null, true, 7, -1, 0.5, 1e9, 1e300, '', ' ', 'x', 'x\u0000y', '\u202e', 'a'.repeat(70000), [], [7], [null], ['x', 'x'], {}, { x: 1 },
	'javascript:alert(1)', 'sess_x'];
const TEXT_VALUES = ['', 'x', '0', '-1', '201', '1.5', '%00', '1e9', 'null', 'a'.repeat(2000)];

/* A query parameter is a text, which may stand for a number. */
function refusesText(schema, text)
{
	return problems(schema, text, '').length > 0
		&& !(/^[0-9]{1,15}$/.test(text) && problems(schema, Number(text), '').length === 0);
}

/* The body's members by name: schemas, and which are required.  Of several kinds, the fixture's. */
function bodySchema(operation, json)
{
	const schema = resolve(operation.requestBody?.content['application/json']?.schema ?? { properties: {} });

	return schema.oneOf === undefined ? schema
		: schema.oneOf.map(resolve).find((one) => problems(one, json, '').length === 0) ?? assert.fail('no kind fits');
}

/* Requests that differ from a good one in one thing: { what, field, change }. */
function badRequests(operation, good)
{
	const found = [];
	const { properties = {}, required = [] } = bodySchema(operation, good.json);

	for (const { name, in: place, schema } of (operation.parameters ?? []).map(resolve))
	{
		if (place === 'query')
		{
			for (const text of TEXT_VALUES.filter((text) => refusesText(schema, text)))
				found.push({ what: `?${name}=${text.slice(0, 20)}`, field: name, change: { query: { [name]: text } } });
		}
		else if (place === 'header')
		{
			for (const text of ['a'.repeat(256), 'ñ'])
				found.push({ what: `${name}: ${text.slice(0, 20)}`, field: name, change: { headers: { [name]: text } } });
		}
	}
	for (const [name, schema] of Object.entries(properties))
	{
		for (const value of BODY_VALUES.filter((value) => problems(schema, value, '').length > 0))
			found.push({ what: `${name}: ${JSON.stringify(value).slice(0, 20)}`, field: name, change: { json: { ...good.json, [name]: value } } });
		if (required.includes(name))
			found.push({ what: `no ${name}`, field: name, change: { json: { ...good.json, [name]: undefined } } });
	}
	if (operation.requestBody?.content['application/json'] !== undefined)
		found.push({ what: 'a member more', field: 'colour', change: { json: { ...good.json, colour: 'red' } } });
	return found;
}

/* JSON with a NUL is refused as a whole, before it is looked at by fields. */
function namesField(answer, field, what)
{
	const names = Object.keys(answer.json.error.details ?? {});

	return names.some((name) => name === field || name.startsWith(`${field}.`) || (name === 'body' && what.includes('\\u0000')));
}

/* ---- the matrix ---- */

/* It is said before anything else, the same for what exists and what does not; and nothing happens. */
function missingPermission(row, name, fixture)
{
	test(`${name}: a missing permission is said before anything else that is wrong`, async () =>
	{
		const rowCount = () => db.value(`SELECT (SELECT count(*) FROM wa.session) + (SELECT count(*) FROM wa.message)
			+ (SELECT count(*) FROM wa.message_action) + (SELECT count(*) FROM wa.webhook) + (SELECT count(*) FROM wa.event)`);
		const good = await fixture();
		const before = await rowCount();
		const wrongs = [good, { ...good, path: INVENTED }, { ...good, query: { limit: '0', cursor: 'x', colour: 'red' } },
			...Object.keys(good.path ?? {}).map((id) => ({ ...good, path: { ...good.path, [id]: 'x' } }))];

		for (const [permissions, secret] of keys)
		{
			if (permissions.split(',').includes(row.needs))
				continue;

			const answers = [];

			for (const wrong of wrongs)
				answers.push(await send(row, wrong, secret));
			if (row.method !== 'GET')
			{
				answers.push(await send(row, { ...good, json: { label: 7, unknown: true } }, secret));
				for (const [body, type] of [['{', 'application/json'], ['x', 'text/plain']])
					answers.push(await client.request(row.method, fill(row.pattern, good.path ?? {}),
						{ key: secret, body, headers: { 'Content-Type': type } }));
			}
			assert.deepEqual(answers.map(({ status }) => status), answers.map(() => 403), permissions);
			assert.equal(new Set(answers.map(({ shape }) => shape)).size, 1, permissions);
			if (row.method === 'GET')
				assert.equal((await send({ ...row, method: 'HEAD' }, good, secret)).status, 403, permissions);
		}
		assert.equal(await rowCount(), before);
	});
}

function everySetOfPermissions(row, name, fixture)
{
	test(`${name}: every set of permissions`, async () =>
	{
		for (const [permissions, secret] of keys)
		{
			const allowed = row.needs === null || permissions.split(',').includes(row.needs);
			const answer = await send(row, await fixture(), secret);

			assert.equal(answer.status, allowed ? row.status : 403, permissions);
			if (!allowed)
			{
				assert.equal(answer.json.error.code, 'forbidden');
				assert.deepEqual(answer.json.error.details, { required: row.needs });
			}
		}
	});

	if (row.needs !== null)
		missingPermission(row, name, fixture);

	test(`${name}: people by their role`, async () =>
	{
		for (const role of ['owner', 'admin', 'member'])
		{
			const allowed = role !== 'member' || row.needs !== 'manage';

			assert.equal((await send(row, await fixture(), tokens[role])).status, allowed ? row.status : 403, role);
		}
	});
}

/* The sessions that a fixture's path is in.  A file and a webhook get one. */
async function bindToSession({ path })
{
	if (path.sessionId !== undefined)
		return path.sessionId;
	if (path.mediaId !== undefined)
	{
		const session = await createSession(db, tenant.org);

		await attach((await createSentMessage(db, await createChat(db, session, `${PHONE}@s.whatsapp.net`))).id, path.mediaId);
		return session.id;
	}
	await db.sql("UPDATE wa.webhook SET session_id = $1 WHERE id = wa.from_typeid('wh', $2)", [aside.uuid, path.webhookId]);
	return aside.id;
}

/* The same organization, another session: a key that is restricted to some sessions. */
function otherSessions(row, name, fixture, ids)
{
	const restrictedTo = async (session) => (await createKey(db, tenant.org, row.needs === null ? ['read'] : [row.needs], { sessions: [session] })).secret;

	test(`${name}: for a key that is restricted to another session, ids are as invented ones`, async () =>
	{
		const good = await fixture();
		const elsewhere = await restrictedTo((await createSession(db, tenant.org)).id);
		const rowCount = () => db.value(`SELECT (SELECT count(*) FROM wa.message) + (SELECT count(*) FROM wa.message_action)
			+ (SELECT count(*) FROM wa.webhook) + (SELECT count(*) FROM wa.event WHERE type NOT LIKE 'key.%') + (SELECT count(*) FROM wa.deleted_session)`);
		const before = await rowCount();
		const invented = await send(row, { ...good, path: INVENTED }, elsewhere);

		assert.equal(invented.status, 404);
		assert.equal((await send(row, good, elsewhere)).shape, invented.shape);
		if (ids.length > 1)
		{
			const inside = await restrictedTo(aside.id);
			const of = (id, value) => send(row, { ...good, path: { ...good.path, [ids[0]]: aside.id, [id]: value } }, inside);

			for (const id of ids.slice(1).filter(() => ids[0] === 'sessionId'))
				assert.equal((await of(id, good.path[id])).shape, (await of(id, INVENTED[id])).shape, id);
		}
		assert.equal(await rowCount(), before);
	});

	test(`${name}: a key that is restricted to its session can do it`, async () =>
	{
		const good = await fixture();

		assert.equal((await send(row, good, await restrictedTo(await bindToSession(good)))).status, row.status);
	});
}

/* A key that reaches sessions of the sandbox only; the sessions of the fixtures have no connector. */
function testKeys(row, name, fixture)
{
	const make = async () => (await createKey(db, tenant.org, row.needs === null ? ['read'] : [row.needs], { test: true })).secret;

	test(`${name}: for a test key, ids of sessions that are not in the sandbox are as invented ones`, async () =>
	{
		const good = await fixture();
		const secret = await make();
		const invented = await send(row, { ...good, path: INVENTED }, secret);

		assert.equal(invented.status, 404);
		assert.equal((await send(row, good, secret)).shape, invented.shape);
	});

	test(`${name}: a test key can do it in the sandbox`, async () =>
	{
		const good = await fixture();
		const session = await bindToSession(good);
		const connect = (connector) => db.sql("UPDATE wa.session SET connector = $1 WHERE id = wa.from_typeid('sess', $2)", [connector, session]);

		await connect('sandbox');
		try
		{
			assert.equal((await send(row, good, await make())).status, row.status);
		}
		finally
		{
			await connect('none');
		}
	});
}

for (const row of rows)
{
	const name = shortName(row);
	const operation = operationOf(row);
	const fixture = FIXTURES[name] ?? (() => assert.fail(`no fixture: ${name}`));
	const ids = [...row.pattern.matchAll(/\{(\w+)\}/g)].map(([, id]) => id);

	test(`${name}: no credential`, async () =>
	{
		const answer = await send(row, await fixture());

		assert.equal(answer.status, 401);
		assert.equal(answer.shape, (await client.request('GET', '/api/v1/me')).shape);
	});

	if (row.people)
	{
		test(`${name}: no API key can do it, nor a mere member`, async () =>
		{
			const before = await db.value('SELECT count(*) FROM wa.audit');
			const good = await fixture();
			const made = await db.value('SELECT count(*) FROM wa.audit') - before;

			for (const json of [good.json, good.json && { colour: 'red' }])
			{
				for (const [permissions, secret] of keys)
				{
					const answer = await send(row, { ...good, json }, secret);

					assert.equal(answer.status, 403, permissions);
					assert.deepEqual(answer.json.error, { code: 'forbidden', message: PEOPLE_ONLY });
				}

				const answer = await send(row, { ...good, json }, tokens.member);

				assert.equal(answer.status, 403);
				assert.deepEqual(answer.json.error.details, { required: 'manage' });
			}
			assert.equal(await db.value('SELECT count(*) FROM wa.audit') - before, made);
		});

		test(`${name}: ${OWNERS_ONLY.has(name) ? 'only owners' : 'owners and admins'} can`, async () =>
		{
			for (const role of ['owner', 'admin'])
				assert.equal((await send(row, await fixture(), tokens[role])).status, role === 'admin' && OWNERS_ONLY.has(name) ? 403 : row.status, role);
		});
	}
	else
	{
		everySetOfPermissions(row, name, fixture);
	}

	if (!row.people && ids.length > 0)
	{
		otherSessions(row, name, fixture, ids);
		testKeys(row, name, fixture);
	}

	if (row.method === 'GET')
	{
		test(`${name}: HEAD answers like GET, without the body`, async () =>
		{
			const good = await fixture();
			const get = await send(row, good, rightKey(row));
			const head = await send({ ...row, method: 'HEAD' }, good, rightKey(row));

			assert.equal(head.status, get.status);
			assert.equal(head.body.length, 0);
			assert.equal(head.headers['content-length'], get.headers['content-length']);
			assert.equal(head.headers['content-type'], get.headers['content-type']);
		});
	}

	if (ids.length > 0)
	{
		test(`${name}: another organization's, invented and malformed ids are one 404`, async () =>
		{
			const good = await fixture();
			const othersWebhook = await createWebhook(db, other.org);
			const others = {
				sessionId: other.session.id, messageId: other.message.id, chat: other.chat.jid, contact: other.chat.jid,
				webhookId: othersWebhook.id, deliveryId: (await createDelivery(db, othersWebhook)).id, keyId: other.key.id, userId: stranger.id, invitationId: strangersInvitation,
				mediaId: await upload(other.key.secret),
			};
			const shapes = new Map();

			for (const id of ids)
			{
				for (const wrong of [others[id], INVENTED[id], ...MALFORMED])
				{
					const answer = await send(row, { ...good, path: { ...good.path, [id]: wrong } }, rightKey(row));

					assert.equal(answer.status, 404, `${id} = ${wrong}`);
					shapes.set(answer.shape, wrong);
				}
			}
			/* all of it another organization's */
			shapes.set((await send(row, { ...good, path: others }, rightKey(row))).shape, 'all');
			assert.equal(shapes.size, 1, [...shapes.keys()].join('\n'));
		});
	}

	test(`${name}: bad input is a 400 that names the field`, async () =>
	{
		const good = await fixture();

		for (const { what, field, change } of badRequests(operation, good))
		{
			const answer = await send(row, { ...good, ...change }, rightKey(row));

			if (change.json !== undefined && Buffer.byteLength(JSON.stringify(change.json)) > row.bodyMax)
			{
				assert.equal(answer.status, 413, what);
				continue;
			}
			assert.equal(answer.status, 400, `${what}: ${answer.text.slice(0, 200)}`);
			assert.ok(namesField(answer, field, what), `${what}: ${answer.text.slice(0, 200)}`);
		}
	});

	if (operation.requestBody?.content['application/json'] !== undefined)
	{
		test(`${name}: a body that is no JSON object, or not said to be JSON`, async () =>
		{
			const { path } = await fixture();
			const target = fill(row.pattern, path ?? {});
			const raw = (body, type) => client.request(row.method, target, { key: rightKey(row), body, headers: { 'Content-Type': type } });

			for (const body of ['{', '[]', '7', 'null', '"x"', '{"a":1,"a":2}', '{}x', `${'['.repeat(100)}`])
				assert.equal((await raw(body, 'application/json')).status, 400, body);
			for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'multipart/form-data; boundary=x'])
				assert.equal((await raw('{}', type)).status, 415, type);
		});
	}
}

test('every request that was refused has changed nothing of the other organization', async () =>
{
	const counts = await db.sql(`
		SELECT (SELECT count(*) FROM wa.session WHERE org_id = $1) AS sessions, (SELECT count(*) FROM wa.message WHERE org_id = $1) AS messages,
			(SELECT count(*) FROM wa.message_action WHERE org_id = $1) AS actions, (SELECT count(*) FROM wa.chat WHERE org_id = $1) AS chats,
			(SELECT count(*) FROM wa.api_key WHERE org_id = $1) AS keys`, [other.org.uuid]);

	assert.deepEqual({ ...counts[0] }, { sessions: '1', messages: '1', actions: '0', chats: '1', keys: '1' });
});
