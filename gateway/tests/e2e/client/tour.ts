/*
 * tour.ts
 *		A client as an application would write it: every call is checked by the compiler
 *		against types that were made from the OpenAPI document.
 *
 * typed_client.test.mjs makes the types (gateway.d.ts), compiles this file and runs it.
 * Lines behind @ts-expect-error are mistakes that the types have to find.
 */
import createClient from 'openapi-fetch';
import type { components, paths } from './gateway.js';

type Session = components['schemas']['Session'];

export type Tour = {
	permissions: string[];
	session: Session;
	statuses: string[];
	sent: components['schemas']['SendResult'];
	replayed: components['schemas']['SendResult'];
	message: components['schemas']['Message'];
	webhook: components['schemas']['WebhookWithSecret'];
	missing: components['schemas']['Error'];
	invalid: components['schemas']['Error'];
};

/* A value that must be there. */
function present<T>(value: T | undefined): T
{
	if (value === undefined)
		throw new Error('no answer');
	return value;
}

export async function tour(baseUrl: string, key: string): Promise<Tour>
{
	const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
	const me = present((await client.GET('/me')).data);
	const made = present((await client.POST('/sessions', { body: { label: 'made by a typed client', start: false } })).data);
	const path = { sessionId: made.id };
	const started = present((await client.POST('/sessions/{sessionId}:start', { params: { path } })).data);
	const slash = present((await client.POST('/sessions/{sessionId}/stop', { params: { path } })).data);
	const session = present((await client.PATCH('/sessions/{sessionId}', { params: { path }, body: { ratePerMin: 5 } })).data);
	const list = present((await client.GET('/sessions', { params: { query: { limit: 1, status: 'stopped' } } })).data);
	const send = () => client.POST('/sessions/{sessionId}/messages', {
		params: { path, header: { 'Idempotency-Key': 'typed client' } },
		body: { type: 'poll', to: '15551234567', name: 'Lunch?', options: ['yes', 'no'] },
	});
	const sent = present((await send()).data);
	const replayed = present((await send()).data);
	const message = present((await client.GET('/sessions/{sessionId}/messages/{messageId}', { params: { path: { ...path, messageId: sent.id } } })).data);
	const chat = { ...path, chat: message.chatJid };
	const muted = present((await client.PATCH('/sessions/{sessionId}/chats/{chat}', { params: { path: chat }, body: { archived: true } })).data);
	const webhook = present((await client.POST('/webhooks', { body: { url: 'https://receiver.example/hook', events: ['message'] } })).data);
	const removed = await client.DELETE('/webhooks/{webhookId}', { params: { path: { webhookId: webhook.id } } });
	const missing = present((await client.GET('/sessions/{sessionId}', { params: { path: { sessionId: 'sess_01h455vb4pex5vsknk084sn02q' } } })).error);
	const invalid = present((await client.GET('/sessions', { params: { query: { limit: 1000 } } })).error);

	if (removed.response.status !== 204 || !muted.archived || started.status !== 'starting')
		throw new Error('not as it should be');
	return { permissions: me.permissions, session, statuses: [started.status, slash.status, ...list.data.map(({ status }) => status)],
		sent, replayed, message, webhook, missing, invalid };
}

/* What the types have to refuse; never called. */
export async function mistakes(baseUrl: string): Promise<void>
{
	const client = createClient<paths>({ baseUrl });
	const path = { sessionId: 'sess_01h455vb4pex5vsknk084sn02q' };

	// @ts-expect-error: there is no such path
	await client.GET('/session');
	// @ts-expect-error: there is no such method on it
	await client.DELETE('/sessions');
	// @ts-expect-error: the path has a parameter
	await client.GET('/sessions/{sessionId}');
	// @ts-expect-error: a misspelt member
	const body: components['schemas']['SessionCreate'] = { lable: 'x' };

	await client.POST('/sessions', { body });
	// @ts-expect-error: a member of another type
	await client.PATCH('/sessions/{sessionId}', { params: { path }, body: { ratePerMin: '5' } });
	// @ts-expect-error: no such status
	await client.GET('/sessions', { params: { query: { status: 'asleep' } } });
	// @ts-expect-error: no such type of message
	await client.POST('/sessions/{sessionId}/messages', { params: { path }, body: { type: 'telegram', to: '15551234567', text: 'x' } });
	// @ts-expect-error: a member of another type of message
	await client.POST('/sessions/{sessionId}/messages', { params: { path }, body: { type: 'location', to: '15551234567', text: 'x' } });
	// @ts-expect-error: a message without its recipient
	await client.POST('/sessions/{sessionId}/messages', { params: { path }, body: { type: 'text', text: 'x' } });
	// @ts-expect-error: the answer has no such member
	(await client.GET('/me')).data?.secret;
}
