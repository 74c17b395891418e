/*
 * conversation.js
 *		The messages of a chat, with the newest at the bottom, and a field to write another one.
 *
 * The text of a message is always shown as text, whoever wrote it.
 */
import { call, pathOf } from '../client/api.js';
import { useCan } from '../client/capabilities.js';
import { addressOf, givenName, isSameDay, Time } from '../ui/format.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from '../ui/html.js';
import { useList } from '../client/load.js';
import { Attachment } from './attachment.js';
import { ChatActions } from './chat_actions.js';
import { SearchInChat } from './chat_search.js';
import { Compose, takesFiles, useFile } from './compose.js';
import { MessageActions } from './message_actions.js';
import { Loaded } from '../ui/notice.js';
import { usePlace } from '../ui/page.js';

/* Whether an event changes the messages of a chat. */
function isOfMessages({ event, payload }, jid)
{
	return /^(message|poll\.vote$)/.test(event) && payload.chatJid === jid;
}

/* Before the chat is known a group has no name yet, and its address says nothing to people. */
export function conversationTitle(jid, chat)
{
	const name = givenName(chat?.name, jid);

	return name.includes('@') ? 'Chat' : `Chat with ${name}`;
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
		${body && html`<p class="body" dir="auto">${body}</p>`}
		${type === 'poll' && !body && html`<p class="body" dir="auto">${content.name}</p>`}
		${type === 'poll' && html`<ul>${(content.options ?? []).map((option) => html`<li key=${option}><bdi>${option}</bdi></li>`)}</ul>`}`;
}

function Quoted({ message })
{
	if (!message)
		return html`<blockquote class="hint">an earlier message</blockquote>`;
	return html`<blockquote dir="auto">${message.revoked ? 'This message was deleted.' : message.body ?? message.type}</blockquote>`;
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
		<li class=${message.fromMe ? 'message mine' : 'message'} data-id=${message.id}>
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

/* Before the first message of each day. */
function Day({ message, before })
{
	if (before && isSameDay(before.timestamp, message.timestamp))
		return null;
	return html`<li class="day"><${Time} at=${message.timestamp} style="weekday" /></li>`;
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
 * Keeps in view what somebody reads: the newest message if they are at the end, and the same
 * messages while earlier ones are added above them.
 *
 * follow() is for what grows later, such as a picture that has loaded; toEnd() for what the
 * person has just sent; and hold() is called before earlier messages are asked for.  "news"
 * says that messages have come that are not in view.
 */
function useFollow(rows)
{
	const frame = useRef(null);
	const atEnd = useRef(true);
	const held = useRef(null);		/* { id, top }: a message and its place on the screen */
	const [news, setNews] = useState(false);
	const newest = rows?.[0]?.id;
	const placeOf = (id) => frame.current.querySelector(`[data-id="${id}"]`)?.getBoundingClientRect().top;

	const follow = () =>
	{
		if (atEnd.current && frame.current)
			frame.current.scrollTop = frame.current.scrollHeight;
	};
	const toEnd = () =>
	{
		atEnd.current = true;
		setNews(false);
		follow();
	};

	useLayoutEffect(() =>
	{
		if (held.current && rows.at(-1).id !== held.current.id)
		{
			frame.current.scrollTop += placeOf(held.current.id) - held.current.top;
			held.current = null;
		}
		follow();
	}, [newest, rows?.length]);
	useEffect(() => setNews(newest !== undefined && !atEnd.current), [newest]);

	const onScroll = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) =>
	{
		atEnd.current = scrollHeight - scrollTop - clientHeight < 40;
		if (atEnd.current)
			setNews(false);
		if (held.current)
			held.current.top = placeOf(held.current.id);
	};
	const hold = () =>
	{
		const { id } = rows.at(-1);

		atEnd.current = false;
		held.current = { id, top: placeOf(id) };
	};

	return { frame, onScroll, follow, toEnd, hold, news };
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

/* The newest message first; below on the screen.  actionsOf(message) may return null. */
function Messages({ rows, actionsOf = () => null })
{
	return html`
		<ol>${[...rows].reverse().map((message, i, all) => html`
			<${Day} message=${message} before=${all[i - 1]} />
			<${OtherNumber} message=${message} before=${all[i - 1]} />
			<${Message} key=${message.id} message=${message} quoted=${rows.find(({ id }) => id === message.quotedMessageId)} actions=${actionsOf(message)} />`)}</ol>`;
}

/* "search" is the text that is looked for in this chat, or null. */
export function Conversation({ session, jid, chat, changed, search, setSearch })
{
	const { permissions } = usePlace();
	const list = useList(`${pathOf('sessions', session, 'chats', jid)}/messages`, { live: (event) => event.session === session && isOfMessages(event, jid) });
	const { frame, onScroll, follow, toEnd, hold, news } = useFollow(list.rows);
	const can = useCan(session);
	const sends = permissions.has('send');
	const writes = sends && can('text');
	const attached = useFile();
	const [answered, setAnswered] = useState(null);
	const earlier = () =>
	{
		hold();
		list.more();
	};
	const sent = () =>
	{
		toEnd();
		list.reload();
	};

	const actionsOf = (message) => sends && !message.revoked && html`
		<${MessageActions} message=${message} can=${can} done=${list.reload} reply=${writes && message.status !== 'failed' && (() => setAnswered(message))} />`;

	useMarkRead(session, jid, chat, sends);
	return html`
		<section class=${attached.over ? 'conversation over' : 'conversation'} ...${writes && takesFiles(can) && attached.drop} aria-label=${`Conversation with ${givenName(chat?.name, jid)}`}>
			<header class="conversation-head">
				<h2><bdi>${givenName(chat?.name, jid)}</bdi></h2>
				<div class="actions">
					${search === null && html`<button type="button" class="quiet" onClick=${() => setSearch('')}>Search</button>`}
					${sends && chat && html`<${ChatActions} session=${session} chat=${chat} done=${changed} />`}
				</div>
			</header>
			${search !== null && html`<${SearchInChat} session=${session} jid=${jid} text=${search} change=${setSearch} close=${() => setSearch(null)}
				show=${(rows) => html`<${Messages} rows=${rows} />`} />`}
			<div class="messages" hidden=${search !== null} ref=${frame} onScroll=${onScroll} onLoadCapture=${follow} tabindex="0" role="region" aria-label="Messages">
				${!list.complete && html`<p class="more"><button type="button" onClick=${earlier}>Show earlier messages</button></p>`}
				<${Loaded} from=${list} what="Loading messages">
					${(rows) => html`<${Messages} rows=${rows} actionsOf=${actionsOf} />`}
				<//>
			</div>
			${news && html`<p class="news"><button type="button" onClick=${toEnd}>New messages ↓</button></p>`}
			${writes && html`<${Compose} session=${session} can=${can} jid=${jid} sent=${sent} attached=${attached} answer=${{ message: answered, set: setAnswered }} />`}
		</section>`;
}
