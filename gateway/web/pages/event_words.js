/*
 * event_words.js
 *		An event in one line.
 */
import { addressOf, givenName } from '../ui/format.js';
import { STATUSES } from './sessions_parts.js';

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
