/*
 * chats.js
 *		The chats of a session, and the conversation in one of them (conversation.js).
 *
 * Address: #/chats/SESSION/CHAT.  Without a session the first one in status "working" is
 * shown.
 */
import { call, pathOf } from '../client/api.js';
import { useCan } from '../client/capabilities.js';
import { isMuted, NewChatDialog } from './chat_actions.js';
import { FoundMessages } from './chat_search.js';
import { conversationTitle, Conversation } from './conversation.js';
import { searchQuery, useSettled } from '../client/search.js';
import { SelectField, TextField } from '../ui/form.js';
import { givenName, Time } from '../ui/format.js';
import { html, useEffect, useState } from '../ui/html.js';
import { useList, useLoad } from '../client/load.js';
import { Badge, Empty, Loaded, More } from '../ui/notice.js';
import { Page, usePlace } from '../ui/page.js';
import { goTo, hrefOf } from '../router.js';
import { sessionName, STATUSES } from './sessions_parts.js';

/* A message in a known chat is no event of the chat, but changes its place in the list. */
function isOfChats({ event })
{
	return event === 'message' || event === 'message.from_me' || event === 'chat.update' || event === 'contact.update';
}

function ChatRow({ session, chat, current })
{
	return html`
		<li>
			<a href=${hrefOf('chats', session, chat.jid)} aria-current=${current ? 'true' : null}>
				<bdi class="chat-name">${givenName(chat.name, chat.jid)}</bdi>
				${chat.lastMessageAt !== undefined && html`<span class="hint"><${Time} at=${chat.lastMessageAt} style="distance" /></span>`}
				<span class="chat-marks">
					${chat.type !== 'dm' && html`<${Badge}>${chat.type}<//>`}
					${chat.pinned && html`<${Badge}>pinned<//>`}
					${chat.archived && html`<${Badge}>archived<//>`}
					${isMuted(chat) && html`<${Badge}>muted<//>`}
					${chat.unreadCount > 0 && html`<${Badge} tone="good">${chat.unreadCount} new<//>`}
				</span>
			</a>
		</li>`;
}

/* All chats, or those that a search finds. */
function ChatList({ session, jid, list, wanted })
{
	return html`
		<${Loaded} from=${list} what="Loading chats">
			${(rows) => (rows.length === 0 && wanted === '' ? html`
				<${Empty} title="No chats yet"><p>A chat appears when a message is sent or received. Send one from the <a href=${hrefOf('sessions', session)}>session’s page</a>.</p><//>` : html`
				${rows.length === 0 && list.complete && html`<p class="nothing">No chat matches.</p>`}
				<ul aria-label=${wanted === '' ? null : 'Chats found'}>${rows.map((chat) => html`<${ChatRow} key=${chat.jid} session=${session} chat=${chat} current=${chat.jid === jid} />`)}</ul>
				<${More} list=${list} />`)}
		<//>`;
}

/* "chat" is the one that is open, once it is known; reload() reads it anew. */
function Chats({ session, jid, chat, reload })
{
	const { permissions } = usePlace();
	const can = useCan(session);
	const [beginning, begin] = useState(false);
	const [text, setText] = useState('');
	const [inChat, setInChat] = useState({ jid: null, text: null });
	const wanted = useSettled(text);
	const list = useList(`${pathOf('sessions', session)}/chats${searchQuery(wanted)}`, { live: (event) => event.session === session && isOfChats(event), keep: true });
	const changed = () =>
	{
		list.reload();
		reload();
	};

	return html`
		<div class=${jid ? 'chats open' : 'chats'}>
			<section class="chat-list" aria-label="Chats">
				<div class="chat-search" role="search">
					<${TextField} label="Search chats and messages" hiddenLabel type="search" placeholder="Search" value=${text} change=${setText} autocomplete="off" maxlength="100" />
					${permissions.has('send') && can('text') && html`<button type="button" onClick=${() => begin(true)}>New chat</button>`}
				</div>
				<${ChatList} session=${session} jid=${jid} list=${list} wanted=${wanted} />
				${wanted !== '' && html`<${FoundMessages} key=${wanted} session=${session} wanted=${wanted} chats=${list.rows ?? []} open=${(found) => setInChat({ jid: found, text: wanted })} />`}
			</section>
			${jid ? html`<${Conversation} key=${jid} session=${session} jid=${jid} chat=${chat} changed=${changed}
				search=${inChat.jid === jid ? inChat.text : null} setSearch=${(value) => setInChat({ jid, text: value })} />` :
				html`<p class="chat-none hint">Choose a chat to read it.</p>`}
			${beginning && html`<${NewChatDialog} session=${session} close=${() => begin(false)} />`}
		</div>`;
}

function NoSessions()
{
	const { permissions } = usePlace();

	return html`
		<${Empty} title="No sessions yet">
			<p>Chats belong to a session, which is one WhatsApp account.${' '}
				${permissions.has('manage') ? html`Create one on the page <a href=${hrefOf('sessions')}>Sessions</a>.` : 'An owner or admin can create one.'}</p>
		<//>`;
}

/* Goes to the first session in status "working" when the list has been read. */
function ChooseSession({ sessions })
{
	const { id } = sessions.find(({ status }) => status === 'working') ?? sessions[0];

	useEffect(() => { location.replace(hrefOf('chats', id)); }, [id]);
	return null;
}

export function ChatsPage({ rest: [session, jid] })
{
	const list = useList('/sessions', { limit: 200, live: ({ event }) => event === 'session.status' });
	const { data, reload } = useLoad(async (signal) => ({ asked: jid, found: jid ? await call('GET', pathOf('sessions', session, 'chats', jid), { signal }) : null }), [session, jid],
		{ live: (event) => event.session === session && event.payload.jid === jid });
	const chat = data?.asked === jid ? data?.found ?? undefined : undefined;

	return html`
		<${Page} of=${`${session} ${jid}`} title=${jid ? conversationTitle(jid, chat) : 'Chats'} back=${jid ? { href: hrefOf('chats', session), label: 'Chats', narrow: true } : null}>
			<${Loaded} from=${list} what="Loading sessions">
				${(sessions) => (sessions.length === 0 ? html`<${NoSessions} />` : html`
					${!session && html`<${ChooseSession} sessions=${sessions} />`}
					${session && html`
						<div class="filters">
							<${SelectField} label="Session" value=${session} change=${(id) => goTo('chats', id)}
								options=${sessions.map((each) => [each.id, `${sessionName(each)} (${STATUSES[each.status].words.toLowerCase()})`])} />
						</div>
						<${Chats} key=${session} session=${session} jid=${jid} chat=${chat} reload=${reload} />`}`)}
			<//>
		<//>`;
}
