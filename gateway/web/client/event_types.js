/*
 * event_types.js
 *		The types of events: the enum EventType of the OpenAPI document, in its order.
 *
 * The dashboard has its own copy so that a form need not wait for the document.  A test
 * compares it with the document and with wa.event_types().
 */
export const EVENT_TYPES = [
	'session.status', 'auth.qr', 'auth.code', 'message', 'message.from_me', 'message.status', 'message.reaction',
	'message.edited', 'message.revoked', 'message.media', 'poll.vote', 'presence.update', 'chat.update', 'contact.update', 'key.created',
	'key.disabled', 'key.enabled', 'key.expiring', 'key.revoked', 'webhook.disabled',
];
