/*
 * sessions_parts.js
 *		Parts that the pages of sessions and chats share: the status in words, the list of sessions.
 */
import { html } from '../ui/html.js';
import { addressOf } from '../ui/format.js';
import { Badge } from '../ui/notice.js';

/* verbs: the actions that are possible in this status */
export const STATUSES = {
	starting: { words: 'Starting', tone: 'warn', verbs: ['stop'] },
	scan_qr_code: { words: 'Waiting for a phone', tone: 'warn', verbs: ['stop'] },
	working: { words: 'Working', tone: 'good', verbs: ['stop', 'restart', 'logout'] },
	stopped: { words: 'Stopped', tone: 'neutral', verbs: ['start', 'logout'] },
	failed: { words: 'Failed', tone: 'bad', verbs: ['restart', 'stop', 'logout'] },
	logged_out: { words: 'Logged out', tone: 'neutral', verbs: ['start'] },
};

export function StatusBadge({ status })
{
	const { words, tone } = STATUSES[status] ?? { words: status, tone: 'neutral' };

	return html`<${Badge} tone=${tone}>${words}<//>`;
}

export function sessionName(session)
{
	return session.label ?? (session.phoneNumber ? `+${session.phoneNumber}` : session.id);
}

export function sessionNumber(session)
{
	return session.waJid ? addressOf(session.waJid) : 'not paired';
}
