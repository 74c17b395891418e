/*
 * notifications.mjs
 *		What Meta posts to wa-cloud, signed with the secret of an app.
 */
import { createHmac } from 'node:crypto';
import http from 'node:http';

/* As Meta writes a body: what is not ASCII is escaped, and each slash. */
export function metaText(value)
{
	return JSON.stringify(value).replace(/\//g, '\\/').replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function signatureOf(body, secret)
{
	return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/* A change about a number: messages, statuses, contacts or errors. */
export function change(number, value, field = 'messages')
{
	return { field, value: { messaging_product: 'whatsapp', metadata: { display_phone_number: '15550009999', phone_number_id: number }, ...value } };
}

export function notification(changes, account = '700000000000001')
{
	return { object: 'whatsapp_business_account', entry: [{ id: account, changes: [changes].flat() }] };
}

let received = 0;

/* A message that somebody wrote; without more it is a text. */
export function messageFrom(from, { type = 'text', id = `wamid.IN${++received}`, at = Date.now(), ...content } = {})
{
	const sender = /^[A-Z]/.test(from) ? { from_user_id: from } : { from };

	return { ...sender, id, timestamp: String(Math.floor(at / 1000)), type, ...(type === 'text' && content.text === undefined ? { text: { body: `text of ${id}` } } : {}), ...content };
}

export function statusOf(id, status, more = {})
{
	return { id, status, timestamp: String(Math.floor(Date.now() / 1000)), recipient_id: '15550001111', ...more };
}

/* Posts bytes; resolves to the status, or 0 if no answer has come. */
export function postRaw(port, body, headers, path = '/webhook/600000000000001')
{
	return new Promise((resolve) =>
	{
		const request = http.request({ host: '127.0.0.1', port, method: 'POST', path, agent: false, headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), ...headers } }, (response) =>
		{
			response.resume();
			response.on('end', () => resolve(response.statusCode));
			response.on('error', () => resolve(0));
		});

		request.on('error', () => resolve(0));
		request.end(body);
	});
}

export function post(port, value, secret, path)
{
	const body = metaText(value);

	return postRaw(port, body, { 'X-Hub-Signature-256': signatureOf(body, secret) }, path);
}
