/*
 * chat_search.js
 *		Finds messages, in all chats of a session or in one.
 */
import { call, pathOf } from '../client/api.js';
import { partOf, useSettled } from '../client/search.js';
import { useList, useLoad } from '../client/load.js';
import { TextField } from '../ui/form.js';
import { givenName, Time } from '../ui/format.js';
import { html } from '../ui/html.js';
import { Loaded } from '../ui/notice.js';
import { hrefOf } from '../router.js';

function useFound(session, query)
{
	return useList(`${pathOf('sessions', session)}/messages?${new URLSearchParams(query)}`);
}

/* A page of a search has what was found in the newest messages, which may be nothing. */
function Further({ list })
{
	if (list.complete)
		return list.rows?.length === 0 && html`<p class="nothing">No message matches.</p>`;
	return html`
		${list.rows?.length === 0 && html`<p class="nothing">Nothing in the newest messages.</p>`}
		<p class="more"><button type="button" disabled=${list.loading} onClick=${list.more}>Search further back</button></p>`;
}

/* Requests for chats that run at the same time. */
const CHATS_AT_ONCE = 4;

/* Chats that are gone meanwhile are left out. */
async function readChats(session, jids, signal)
{
	const chats = [];

	for (let i = 0; i < jids.length && !signal.aborted; i += CHATS_AT_ONCE)
	{
		const answers = await Promise.allSettled(jids.slice(i, i + CHATS_AT_ONCE).map((jid) => call('GET', pathOf('sessions', session, 'chats', jid), { signal })));

		chats.push(...answers.filter(({ status }) => status === 'fulfilled').map(({ value }) => value));
	}
	return chats;
}

/* The chats that are not known here are asked for by their names. */
function useNames(session, rows, chats)
{
	const unknown = [...new Set(rows.map(({ chatJid }) => chatJid))].filter((jid) => !chats.some((chat) => chat.jid === jid));
	const { data } = useLoad((signal) => readChats(session, unknown, signal), [session, unknown.join()]);

	return (jid) => givenName([...chats, ...data ?? []].find((chat) => chat.jid === jid)?.name, jid);
}

function FoundRows({ session, rows, wanted, chats, open })
{
	const nameOf = useNames(session, rows, chats);

	return html`
		<ul>${rows.map((message) => html`
			<li key=${message.id}>
				<a href=${hrefOf('chats', session, message.chatJid)} onClick=${() => open(message.chatJid)}>
					<bdi class="chat-name">${nameOf(message.chatJid)}</bdi>
					<span class="hint"><${Time} at=${message.timestamp} style="distance" /></span>
					<span class="found" dir="auto">${partOf(message.body, wanted)}</span>
				</a>
			</li>`)}</ul>`;
}

/* open(jid) is called for the chat of the message that is chosen. */
export function FoundMessages({ session, wanted, chats, open })
{
	const list = useFound(session, { q: wanted });

	return html`
		<section aria-label="Messages found">
			<h2>Messages</h2>
			<${Loaded} from=${list} what="Searching">
				${(rows) => html`<${FoundRows} session=${session} rows=${rows} wanted=${wanted} chats=${chats} open=${open} />`}
			<//>
			<${Further} list=${list} />
		</section>`;
}

/* In one chat.  "show" draws messages, the newest first. */
function FoundInChat({ session, jid, wanted, show })
{
	const list = useFound(session, { q: wanted, chat: jid });

	return html`
		<${Further} list=${list} />
		<${Loaded} from=${list} what="Searching">${show}<//>`;
}

export function SearchInChat({ session, jid, text, change, close, show })
{
	const wanted = useSettled(text);

	return html`
		<div class="search-in-chat" role="search">
			<${TextField} label="Search in this chat" hiddenLabel type="search" placeholder="Search in this chat" value=${text} change=${change} autocomplete="off" maxlength="100" focus />
			<button type="button" onClick=${close}>Show all messages</button>
		</div>
		<div class="messages" tabindex="0" role="region" aria-label="Messages found in this chat">
			${wanted !== '' && html`<${FoundInChat} key=${wanted} session=${session} jid=${jid} wanted=${wanted} show=${show} />`}
		</div>`;
}
