/*
 * fixtures.mjs
 *		Single rows that a test needs in a certain state, made in SQL.
 */
import { refuseOthers } from './options.mjs';
import { until } from './processes.mjs';
import { createSession, publicId } from './tenants.mjs';

let sent = 0;

/* A message that WhatsApp knows, by default one of the session's own. */
export async function createSentMessage(db, chat, { direction = 'out', type = 'text', body = 'hello', content = null, media = null, senderJid = null, ...others } = {})
{
	refuseOthers(others);

	const { session } = chat;
	const waMessageId = `FIXTURE${++sent}`;
	const uuid = await db.value(`
		INSERT INTO wa.message (org_id, session_id, chat_jid, wa_message_id, direction, sender_jid, type, body, content, media, status)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10::jsonb, $11) RETURNING id`,
		[session.org.uuid, session.uuid, chat.jid, waMessageId, direction, senderJid, type, body,
			content && JSON.stringify(content), media && JSON.stringify(media), direction === 'out' ? 'sent' : 'delivered']);

	return { uuid, id: await publicId(db, 'msg', uuid), waMessageId, chat };
}

/* What a connector stores when it shows a QR code, which stays for as long as any test may look. */
export async function showQrCode(db, session, code = '2@fixture')
{
	await db.sql(`
		INSERT INTO wa.session_pairing (org_id, session_id, qr_code, qr_expires_at)
		VALUES ($1, $2, $3, now() + interval '1 hour')`, [session.org.uuid, session.uuid, code]);
}

/* What the gateway stores of credentials, sealed to a key of the session's connector. */
export async function giveCredentials(db, session)
{
	const { connector } = (await db.sql('SELECT connector FROM wa.session WHERE id = $1', [session.uuid]))[0];

	await db.sql(`
		INSERT INTO wa.session_credentials (org_id, session_id, phone_number_id, waba_id, app_id, key_id, sealed)
		VALUES ($1, $2, '1', '2', '3', wa.add_connector_key($3, set_byte(sha256($4::text::bytea), 31, 0)), decode(repeat('5e', 64), 'hex'))`,
		[session.org.uuid, session.uuid, connector, session.uuid]);
}

export async function createContact(db, session, jid, { name = null, businessName = null, ...others } = {})
{
	refuseOthers(others);
	await db.sql(`
		INSERT INTO wa.contact (org_id, session_id, jid, phone_number, name, business_name)
		VALUES ($1, $2, $3, substring($3 FROM '^([0-9]+)@s'), $4, $5)`,
		[session.org.uuid, session.uuid, jid, name, businessName]);
	return { jid, session };
}

export async function createWebhook(db, org, { url = 'https://receiver.example/hook', ...others } = {})
{
	refuseOthers(others);

	const uuid = await db.value(`
		INSERT INTO wa.webhook (org_id, url, secret) VALUES ($1, $2, 'whsec_ZmFrZQ==fakefake') RETURNING id`, [org.uuid, url]);

	return { uuid, id: await publicId(db, 'wh', uuid), org };
}

/* A delivery of a webhook that was given up. */
export async function createDelivery(db, webhook)
{
	const uuid = await db.value(`
		INSERT INTO wa.delivery (org_id, webhook_id, event_id, epoch, ordinal, type, status, next_attempt_at, attempts, envelope)
		VALUES ($1, $2, wa.uuid7(), 1, 1, 'webhook.test', 'dead', 'infinity', 1, '{}') RETURNING id`, [webhook.org.uuid, webhook.uuid]);

	return { uuid, id: await publicId(db, 'dlv', uuid), webhook };
}

/* A session without send limits. */
export async function createUnlimitedSession(db, org, options)
{
	const session = await createSession(db, org, options);

	await db.sql('UPDATE wa.session SET rate_per_min = 0, rate_per_hour = 0 WHERE org_id = $1 AND id = $2', [org.uuid, session.uuid]);
	return session;
}

/* A session that the sandbox has paired, made as a caller would. */
export async function pairedSession(client, key, settings = {})
{
	const made = await client.post('/api/v1/sessions', key, { connector: 'sandbox' });

	await client.request('PATCH', `/api/v1/sessions/${made.json.id}`, { key, json: { ratePerMin: 0, ratePerHour: 0, ...settings } });
	return await until('the session works', async () =>
	{
		const { json } = await client.get(`/api/v1/sessions/${made.json.id}`, key);

		return json.status === 'working' && json;
	});
}
