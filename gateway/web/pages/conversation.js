/*
 * conversation.js
 *		The messages of a chat, with the newest at the bottom, and a field to write another one.
 *
 * The text of a message is always shown as text, whoever wrote it.
 */
import { call, pathOf } from '../client/api.js';
import { useCan } from '../client/capabilities.js';
import { addressOf, givenName, Time } from '../ui/format.js';
import { html, useEffect, useLayoutEffect, useRef } from '../ui/html.js';
import { useList } from '../client/load.js';
import { Attachment } from './attachment.js';
import { Compose, takesFiles, useFile } from './compose.js';
import { MessageActions } from './message_actions.js';
import { Loaded } from '../ui/notice.js';
import { usePlace } from '../ui/page.js';
import { POLL_MS } from './sessions_parts.js';

export function conversationTitle(jid)
{
	return `Chat with ${addressOf(jid)}`;
}

function Body({ message })
{
	const { type, body, content = {}, hasMedia } = message;

	if (message.revoked)
		return html`<p class="gone">This message was deleted.</p>`;
	return html`
		${hasMedia && html`<${Attachment} message=${message} />`}
		${type === 'location' && html`<p>Location ${content.latitude}, ${content.longitude}${content.name && `: ${content.name}`}</p>`}
		${type === 'contact' && html`<p>Contact: ${content.contact?.displayName}</p>`}
		${body && html`<p class="body">${body}</p>`}
		${type === 'poll' && html`<ul>${(content.options ?? []).map((option) => html`<li key=${option}>${option}</li>`)}</ul>`}`;
}

function Quoted({ message })
{
	if (!message)
		return html`<blockquote class="hint">an earlier message</blockquote>`;
	return html`<blockquote>${message.revoked ? 'This message was deleted.' : message.body ?? message.type}</blockquote>`;
}

function Reactions({ reactions })
{
	if (!reactions)
		return null;
	return html`
		<ul class="reactions" aria-label="Reactions">${Object.entries(reactions).map(([who, emoji]) => html`
			<li key=${who} title=${who === 'me' ? 'this session' : addressOf(who)}>${emoji}<span class="visually-hidden"> by ${who === 'me' ? 'this session' : addressOf(who)}</span></li>`)}</ul>`;
}

function Marks({ message })
{
	const marks = [message.forwarded && 'forwarded', message.edited && !message.revoked && 'edited', message.fromMe && message.status];

	return html`
		<p class="marks">
			<${Time} at=${message.timestamp} style="clock" />
			${marks.filter(Boolean).map((mark) => html`<span key=${mark}> · ${mark}</span>`)}
			${message.error && html`<span class="field-error"> · ${message.error}</span>`}
		</p>`;
}

function Message({ message, quoted, actions })
{
	return html`
		<li class=${message.fromMe ? 'message mine' : 'message'}>
			<div class="bubble">
				${!message.fromMe && html`<p class="sender"><bdi>${givenName(message.senderName, message.senderJid ?? message.chatJid)}</bdi></p>`}
				${message.quotedMessageId && !message.revoked && html`<${Quoted} message=${quoted} />`}
				<${Body} message=${message} />
				<${Marks} message=${message} />
			</div>
			<${Reactions} reactions=${message.reactions} />
			${actions}
		</li>`;
}

/* Shows where the session's phone number changed between two messages. */
function OtherNumber({ message, before })
{
	const number = message.sessionPhoneNumber;

	if (!number || !before?.sessionPhoneNumber || number === before.sessionPhoneNumber)
		return null;
	return html`<li class="hint">From here on the session has the number +${number}.</li>`;
}

/*
 * Keeps the newest message visible, unless somebody has scrolled up to read.  follow() is for
 * what grows later, such as a picture that has loaded.
 */
function useFollow(rows)
{
	const frame = useRef(null);
	const atEnd = useRef(true);

	const follow = () =>
	{
		if (atEnd.current && frame.current)
			frame.current.scrollTop = frame.current.scrollHeight;
	};

	useLayoutEffect(follow, [rows?.[0]?.id, rows?.length]);

	const onScroll = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) =>
	{
		atEnd.current = scrollHeight - scrollTop - clientHeight < 40;
	};

	return { frame, onScroll, follow };
}

/* Marks a conversation as read when it is shown; this needs the permission "send". */
function useMarkRead(session, jid, chat, allowed)
{
	useEffect(() =>
	{
		if (allowed && chat?.unreadCount > 0 && !document.hidden)
			call('POST', `${pathOf('sessions', session, 'chats', jid)}/read`).catch(() => {});
	}, [chat?.unreadCount]);
}

export function Conversation({ session, jid, chat })
{
	const { permissions } = usePlace();
	const list = useList(`${pathOf('sessions', session, 'chats', jid)}/messages`, { every: POLL_MS });
	const { frame, onScroll, follow } = useFollow(list.rows);
	const can = useCan(session);
	const sends = permissions.has('send');
	const writes = sends && can('text');
	const attached = useFile();

	useMarkRead(session, jid, chat, sends);
	return html`
		<section class=${attached.over ? 'conversation over' : 'conversation'} ...${writes && takesFiles(can) && attached.drop} aria-label=${`Conversation with ${givenName(chat?.name, jid)}`}>
			<h2><bdi>${givenName(chat?.name, jid)}</bdi></h2>
			<div class="messages" ref=${frame} onScroll=${onScroll} onLoadCapture=${follow} tabindex="0" role="region" aria-label="Messages">
				${!list.complete && html`<p class="more"><button type="button" onClick=${list.more}>Show earlier messages</button></p>`}
				<${Loaded} from=${list} what="Loading messages">
					${(rows) => html`<ol>${[...rows].reverse().map((message, i, all) => html`
						<${OtherNumber} message=${message} before=${all[i - 1]} />
						<${Message} key=${message.id} message=${message} quoted=${rows.find(({ id }) => id === message.quotedMessageId)}
							actions=${sends && !message.revoked && html`<${MessageActions} message=${message} can=${can} done=${list.reload} />`} />`)}</ol>`}
				<//>
			</div>
			${writes && html`<${Compose} session=${session} can=${can} jid=${jid} sent=${list.reload} attached=${attached} />`}
		</section>`;
}
