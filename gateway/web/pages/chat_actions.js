/*
 * chat_actions.js
 *		What can be done with a chat: pin, archive, mute, and begin a new one.
 */
import { announce } from '../ui/announce.js';
import { Attempt, call, pathOf } from '../client/api.js';
import { now } from '../client/clock.js';
import { useAction } from '../client/load.js';
import { Dialog } from '../ui/dialog.js';
import { fieldError, Form, required, SelectField, TextField } from '../ui/form.js';
import { DAY, Time } from '../ui/format.js';
import { html, useState } from '../ui/html.js';
import { ErrorNotice } from '../ui/notice.js';
import { goTo } from '../router.js';

const HOUR = DAY / 24;
const SPANS = [[String(8 * HOUR), '8 hours'], [String(7 * DAY), 'a week'], [String(365 * DAY), 'a year']];

export const isMuted = (chat) => (chat.mutedUntil ?? 0) > now();

function MuteDialog({ path, close, done })
{
	const [span, setSpan] = useState(SPANS[0][0]);
	const action = useAction(async () =>
	{
		await call('PATCH', path, { json: { mutedUntil: Math.round(now() + Number(span)) } });
		announce('The chat is muted.');
		close();
		done();
	});

	return html`
		<${Dialog} title="Mute this chat?" close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label="Mute" busyLabel="Muting" fields=${['mutedUntil']}>
				<p>Messages still come in. The mark is kept here, for all who use this session.</p>
				<${SelectField} label="For" value=${span} change=${setSpan} options=${SPANS} error=${fieldError(action, 'mutedUntil')} />
			<//>
		<//>`;
}

export function ChatActions({ session, chat, done })
{
	const [muting, setMuting] = useState(false);
	const path = pathOf('sessions', session, 'chats', chat.jid);
	const action = useAction(async (json, words) =>
	{
		await call('PATCH', path, { json });
		announce(words);
		done();
	});
	const button = (label, json, words) => html`
		<button type="button" class="quiet" disabled=${action.busy} onClick=${() => action.run(json, words)}>${label}</button>`;

	return html`
		<div class="actions" role="group" aria-label="Actions on this chat">
			${isMuted(chat) && html`<span class="hint">muted until <${Time} at=${chat.mutedUntil} /></span>`}
			${chat.pinned ? button('Unpin', { pinned: false }, 'The chat is not pinned any more.') : button('Pin', { pinned: true }, 'The chat is pinned.')}
			${isMuted(chat) ? button('Unmute', { mutedUntil: null }, 'The chat is not muted any more.') : html`
				<button type="button" class="quiet" onClick=${() => setMuting(true)}>Mute</button>`}
			${chat.archived ? button('Unarchive', { archived: false }, 'The chat is not archived any more.') : button('Archive', { archived: true }, 'The chat is archived.')}
			<${ErrorNotice} error=${action.error} />
			${muting && html`<${MuteDialog} path=${path} close=${() => setMuting(false)} done=${done} />`}
		</div>`;
}

/* A chat begins with its first message. */
export function NewChatDialog({ session, close })
{
	const path = `${pathOf('sessions', session)}/messages`;
	const [to, setTo] = useState('');
	const [text, setText] = useState('');
	const [attempt] = useState(() => new Attempt());
	const action = useAction(async () =>
	{
		const json = { type: 'text', to: /@/.test(to) ? to.trim() : to.replace(/[\s()+-]/g, ''), text };
		const { id } = await call('POST', path, { json, headers: attempt.headers(path, json) });
		const { chatJid } = await call('GET', `${path}/${encodeURIComponent(id)}`);

		attempt.done();
		close();
		goTo('chats', session, chatJid);
	}, () => ({ ...required('to', to, 'Enter a phone number.'), ...required('text', text, 'Write a message.') }));

	return html`
		<${Dialog} title="New chat" close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label="Send" busyLabel="Sending" fields=${['to', 'text']}>
				<${TextField} label="To" hint="A phone number with country code, or the address of a group." value=${to} change=${setTo}
					error=${fieldError(action, 'to')} autocomplete="off" focus />
				<${TextField} label="First message" rows="3" dir="auto" value=${text} change=${setText} error=${fieldError(action, 'text')} />
			<//>
		<//>`;
}
