/*
 * event_words.js
 *		Events in words: each type in a sentence, and an event in one line.
 */
import { addressOf, givenName } from '../ui/format.js';
import { STATUSES } from './sessions_parts.js';

/* What each type of event tells of. */
export const EVENT_SENTENCES = {
	'session.status': 'A session is starting, working, stopped, or has failed.',
	'auth.qr': 'There is a new QR code to link a phone with.',
	'auth.code': 'There is a new pairing code to link a phone with.',
	message: 'A message came in.',
	'message.from_me': 'A message was accepted for sending, or was sent from the phone.',
	'message.status': 'A message was sent, delivered or read, or could not be sent.',
	'message.reaction': 'Somebody reacted to a message, or took that back.',
	'message.edited': 'The text of a message was changed.',
	'message.revoked': 'A message was deleted for everybody.',
	'message.media': 'The file of a message is stored, or could not be.',
	'poll.vote': 'Somebody voted in a poll.',
	'presence.update': 'Somebody is online or typing, or stopped.',
	'chat.update': 'A chat is new, or its name, its marks or its unread messages have changed.',
	'contact.update': 'A contact is new, or has another name.',
	'key.created': 'An API key was made.',
	'key.disabled': 'An API key was switched off.',
	'key.enabled': 'An API key was switched on again.',
	'key.expiring': 'An API key will expire soon.',
	'key.revoked': 'An API key was revoked, or rotated.',
	'webhook.disabled': 'A webhook was paused because its receiver failed for too long, or is gone.',
};

/* What a message is, if it has no text. */
const what = (message) => message.body ?? (message.type === 'poll' ? message.content?.name : null) ?? message.type;

const chatOf = ({ chatJid }) => addressOf(chatJid ?? '');

const SUMMARIES = {
	'session.status': ({ status }) => STATUSES[status]?.words ?? status,
	message: (message) => `${givenName(message.senderName, message.senderJid ?? message.chatJid ?? '')}: ${what(message)}`,
	'message.from_me': (message) => `to ${chatOf(message)}: ${what(message)}`,
	'message.status': (message) => [`to ${chatOf(message)}: ${message.status}`, message.error].filter(Boolean).join(', '),
	'message.reaction': (message) => `${message.reaction?.emoji ?? 'taken back'} on “${what(message)}”`,
	'message.edited': (message) => `in ${chatOf(message)}: ${what(message)}`,
	'message.revoked': (message) => `in ${chatOf(message)}`,
	'message.media': (message) => `in ${chatOf(message)}: ${message.media?.filename ?? message.type}`,
	'poll.vote': (message) => `in ${chatOf(message)}`,
	'chat.update': ({ name, jid }) => givenName(name, jid ?? ''),
	'contact.update': ({ name, jid }) => givenName(name, jid ?? ''),
	'webhook.disabled': ({ url }) => url,
};

/* An event of another type is named by what it is about. */
export function summaryOf({ event, payload })
{
	const text = SUMMARIES[event]?.(payload) ?? payload.name ?? payload.label ?? '';

	return String(text);
}
