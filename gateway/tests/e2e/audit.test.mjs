/*
 * audit.test.mjs
 *		The audit log over HTTP: filters, the head of its chain, and an export that anybody
 *		can verify.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Browser, tokenOf } from './harness/people.mjs';
import { until } from './harness/processes.mjs';
import { Gateway, Worker } from './harness/programs.mjs';
import { createKey, createOrg, createPerson } from './harness/tenants.mjs';

const AUDIT = '/api/v1/audit';

let cluster, db, client, org, bearer;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	({ client } = await Gateway.start(cluster));
	org = await createOrg(db, 'Audited');
	bearer = await tokenOf(client, await createPerson(db, { org }));
});

const get = (path) => client.get(AUDIT + path, undefined, { bearer });
const link = () => db.sql("SELECT wa.housekeep('audit', 10000)");

async function exported(after)
{
	const { status, text } = await get(`/export?after=${after}`);

	assert.equal(status, 200);
	return text.split('\n').slice(0, -1).map((line) => JSON.parse(line));
}

/* ---- what somebody who has only an export needs to verify it ---- */

const canonical = (value) => JSON.stringify(value, (name, part) =>
	part === null || typeof part !== 'object' || Array.isArray(part) ? part
		: Object.fromEntries(Object.keys(part).sort().map((key) => [key, part[key]])));

const netstring = (text) => `${Buffer.byteLength(text)}:${text},`;

function hashOf(entry, previous)
{
	const fields = ['wa_apikeys audit 1', previous, entry.organizationId, entry.sequence, entry.id, entry.at, entry.actor,
		entry.actorName ?? '', entry.action, entry.subject ?? '', canonical(entry.detail)];

	return createHash('sha256').update(fields.map((field) => netstring(String(field))).join('')).digest('hex');
}

function firstWrong(entries)
{
	return entries.findIndex((entry, i) => entry.sequence !== i + 1 || entry.hash !== hashOf(entry, entries[i - 1]?.hash ?? ''));
}

/* ---- tests ---- */

test('an export can be verified with nothing but its lines, up to the head', async () =>
{
	for (const json of [{ name: 'shop "ü"', permissions: ['send', 'read'] }, { name: '<b>&amp;', permissions: ['manage'] }])
		assert.equal((await client.request('POST', '/api/v1/api-keys', { bearer, json })).status, 201);
	await client.request('POST', '/api/v1/sessions', { bearer, json: { label: 'Grüße 👋' } });
	await client.request('POST', '/api/v1/webhooks', { bearer, json: { url: 'https://hooks.example/secret', customHeaders: { B: 'x', a: 'y' } } });
	await link();

	const entries = await exported(0);
	const { json: head } = await get('/head');

	assert.ok(entries.length > 5);
	assert.equal(firstWrong(entries), -1);
	assert.deepEqual(head, { organizationId: org.id, sequence: entries.length, hash: entries.at(-1).hash, at: entries.at(-1).at });
	for (const change of [{ actor: 'somebody' }, { at: entries[2].at + 1 }, { detail: { ...entries[2].detail, x: 1 } }, { subject: undefined }])
		assert.equal(firstWrong(entries.map((entry, i) => i === 2 ? { ...entry, ...change } : entry)), 2);
	assert.equal(firstWrong(entries.filter((entry, i) => i !== 2)), 2);
});

test('an export continues behind a sequence, and ends with no line', async () =>
{
	await link();
	await db.sql("INSERT INTO wa.audit (org_id, actor, action) SELECT $1, 'test', 'key.changed' FROM generate_series(1, 1001)", [org.uuid]);
	await link();

	const first = await exported(0);
	const rest = await exported(first.at(-1).sequence);

	assert.equal(first.length, 1000);
	assert.equal(firstWrong([...first, ...rest]), -1);
	assert.deepEqual(await exported(rest.at(-1).sequence), []);
	for (const after of ['x', '-1', '2147483648'])
		assert.equal((await get(`/export?after=${after}`)).status, 400);
});

test('an organization whose log is not linked yet has a head without a hash, and no line', async () =>
{
	const young = await createOrg(db, 'Young');
	const token = await tokenOf(client, await createPerson(db, { org: young, role: 'admin' }));

	assert.deepEqual((await client.get(`${AUDIT}/head`, undefined, { bearer: token })).json, { organizationId: young.id, sequence: 0 });
	assert.equal((await client.get(`${AUDIT}/export`, undefined, { bearer: token })).text, '');
	assert.equal((await client.get(`${AUDIT}?limit=200`, undefined, { bearer: token })).json.data.every(({ sequence }) => sequence === undefined), true);
});

test('a worker links new entries', async () =>
{
	await Worker.start(cluster, { args: ['--housekeeping', '1'] });
	await createKey(db, org);
	await until('the entries are linked', async () => await db.value('SELECT count(*) FROM wa.audit WHERE sequence IS NULL') === '0');
	assert.equal(await db.value('SELECT count(*) FROM wa.verify_audit($1::uuid)', [org.uuid]), '0');
});

test('the log is filtered by action, actor, subject and time, and pages keep the filter', async () =>
{
	const key = (await client.request('POST', '/api/v1/api-keys', { bearer, json: { name: 'filtered', permissions: ['read'] } })).json;

	for (const enabled of [false, true, false])
		assert.equal((await client.request('PATCH', `/api/v1/api-keys/${key.id}`, { bearer, json: { enabled } })).status, 200);

	const actions = async (query) => (await get(`?${query}`)).json.data.map(({ action }) => action);
	const [{ at, actor }] = (await get(`?subject=${key.id}&action=key.created`)).json.data;

	assert.deepEqual(await actions(`subject=${key.id}`), ['key.disabled', 'key.enabled', 'key.disabled', 'key.created']);
	assert.deepEqual(await actions(`subject=${key.id}&action=key.enabled`), ['key.enabled']);
	assert.deepEqual(await actions(`subject=${key.id}&actor=${actor}&from=${at}&to=${at + 3600_000}`), ['key.disabled', 'key.enabled', 'key.disabled', 'key.created']);
	assert.deepEqual(await actions(`subject=${key.id}&to=${at}`), []);
	assert.deepEqual(await actions(`from=${at + 3600_000}`), []);
	assert.deepEqual(await actions(`subject=${key.id}&actor=nobody`), []);

	const page = (await get(`?subject=${key.id}&action=key.disabled&limit=1`)).json;

	assert.deepEqual((await get(`?subject=${key.id}&action=key.disabled&limit=1&cursor=${page.nextCursor}`)).json.data.map(({ action }) => action), ['key.disabled']);
	for (const wrong of ['action=none', 'subject=x', 'from=x', 'to=1700000000', 'actor='])
		assert.equal((await get(`?${wrong}`)).status, 400, wrong);

	/* All choices are named, however many there are. */
	const { action } = (await get('?action=none')).json.error.details;
	const { AuditAction: known } = (await client.get('/api/v1/openapi.json')).json.components.schemas;

	assert.equal(action, `must be one of: ${known.enum.join(', ')}`);
});

test('wrong passwords of an account are in the logs of its organizations, one entry for many', async () =>
{
	const person = await createPerson(db, { org, role: 'member' });

	for (let i = 0; i < 3; i++)
		assert.equal((await new Browser(client).signIn({ ...person, password: 'a wrong password' })).status, 401);

	const failed = async () => (await get(`?subject=${person.id}&action=user.sign_in_failed`)).json.data;

	await until('the log has it', async () => (await failed()).length > 0);
	assert.equal((await new Browser(client).signIn({ ...person, password: 'a wrong password' })).status, 401);

	const [{ actor, subjectName, detail }, ...more] = await failed();

	assert.deepEqual({ actor, subjectName, address: detail.address, more }, { actor: 'anonymous', subjectName: person.name, address: '127.0.0.1', more: [] });
	assert.ok(detail.count >= 1 && detail.count <= 3);
});
