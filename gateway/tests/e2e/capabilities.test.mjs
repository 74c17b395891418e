/*
 * capabilities.test.mjs
 *		What connectors can do, as applications are told it: before they ask, and when they ask
 *		for something else.  sql/capabilities.sql tries every capability.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { createSentMessage, showQrCode } from './harness/fixtures.mjs';
import { Gateway } from './harness/programs.mjs';
import { createChat, createKey, createOrg, createSession } from './harness/tenants.mjs';

const PHONE = '15551234567';

let db, client, org, key;

before(async () =>
{
	const cluster = prepareCluster();

	db = await cluster.open('wa');
	await db.sql("ALTER DATABASE wa SET wa.connectors = 'sandbox, cloud, others'");
	({ client } = await Gateway.start(cluster));
	org = await createOrg(db, 'Acme');
	key = await createKey(db, org);
});

test('the list has the kinds of connector that sessions may have, for a key with read', async () =>
{
	const { status, json } = await client.get('/api/v1/connectors', key.secret);
	const can = Object.fromEntries(json.connectors.map(({ name, capabilities }) => [name, new Set(capabilities)]));

	assert.equal(status, 200);
	assert.deepEqual(Object.keys(can), ['cloud', 'others', 'sandbox']);
	assert.deepEqual(can.others, can.sandbox);
	assert.ok(can.sandbox.has('poll') && can.sandbox.has('qr') && can.cloud.has('text'));
	assert.ok(!can.cloud.has('poll') && !can.cloud.has('qr'));
	assert.equal((await client.get('/api/v1/connectors', (await createKey(db, org, ['send', 'manage', 'events'])).secret)).status, 403);
});

test('a request that the connector of the session cannot carry out gets 409, and nothing is queued', async () =>
{
	for (const [connector, statuses] of [['cloud', [409, 409, 409, 409, 409]], ['sandbox', [202, 202, 202, 200, 200]]])
	{
		const session = await createSession(db, org, { connector, status: 'scan_qr_code' });
		const { id } = await createSentMessage(db, await createChat(db, session, `${PHONE}@s.whatsapp.net`));
		const path = `/api/v1/sessions/${session.id}`;

		await showQrCode(db, session);

		const answers = [
			await client.post(`${path}/messages`, key.secret, { type: 'poll', to: PHONE, name: 'When?', options: ['now', 'later'] }),
			await client.request('PATCH', `${path}/messages/${id}`, { key: key.secret, json: { text: 'new' } }),
			await client.request('DELETE', `${path}/messages/${id}`, { key: key.secret }),
			await client.get(`${path}/qr`, key.secret),
			await client.post(`${path}/pairing-code`, key.secret, { phone: PHONE }),
		];

		assert.deepEqual(answers.map(({ status }) => status), statuses, connector);
		if (connector === 'cloud')
		{
			assert.deepEqual(answers.map(({ json }) => json.error.message),
				['poll', 'edit', 'revoke', 'qr', 'pairing_code'].map((capability) => `connector cloud does not support ${capability}`));
			assert.ok(answers.every(({ json }) => json.error.code === 'conflict'));
			assert.equal(await db.value('SELECT count(*) FROM wa.message WHERE session_id = $1', [session.uuid]), '1');
			assert.equal(await db.value('SELECT count(*) FROM wa.message_action WHERE session_id = $1', [session.uuid]), '0');
			assert.equal((await client.post(`${path}/messages`, key.secret, { type: 'text', to: PHONE, text: 'hello' })).status, 202);
		}
	}
});
