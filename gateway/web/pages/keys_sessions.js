/*
 * keys_sessions.js
 *		The sessions that an API key reaches: how they are chosen, and how a list shows them.
 *
 * What is chosen is null for all sessions, or a list of ids.
 */
import { Choice, Group } from '../ui/form.js';
import { html } from '../ui/html.js';
import { Loaded } from '../ui/notice.js';
import { sessionName, sessionNumber } from './sessions_parts.js';

/* A session that was deleted is no longer in a key's list once something of the list changes. */
export function stillThere(chosen, list)
{
	return chosen?.filter((id) => !list.complete || list.rows === undefined || list.rows.some((session) => session.id === id)) ?? null;
}

/* The sessions that a test key reaches. */
export function sandboxOf(list)
{
	return { ...list, rows: list.rows?.filter(({ connector }) => connector === 'sandbox') };
}

export function sameSessions(one, other)
{
	return [...(one ?? ['all'])].sort().join() === [...(other ?? ['all'])].sort().join();
}

function Ticks({ rows, chosen, change })
{
	const toggle = (id, on) => change(on ? [...chosen, id] : chosen.filter((each) => each !== id));

	if (rows.length === 0)
		return html`<p class="hint">There are no sessions yet.</p>`;
	return rows.map((session) => html`
		<${Choice} key=${session.id} name=${session.id} label=${sessionName(session)} description=${sessionNumber(session)}
			checked=${chosen.includes(session.id)} change=${(on) => toggle(session.id, on)} />`);
}

export function SessionTicks({ list, chosen, change, error })
{
	return html`
		<${Group} legend="Sessions" error=${error}>
			<${Choice} type="radio" group="reach" name="all" label="All sessions" description="also those that are made later"
				checked=${chosen === null} change=${() => change(null)} />
			<${Choice} type="radio" group="reach" name="some" label="Only these sessions" description="the key sees and changes nothing of any other session"
				checked=${chosen !== null} change=${() => change(chosen ?? [])} />
			${chosen !== null && html`
				<${Loaded} from=${list} what="Loading sessions">${(rows) => html`<${Ticks} rows=${rows} chosen=${chosen} change=${change} />`}<//>`}
		<//>`;
}

/* How many, with their names as a title.  A key for all sessions says nothing. */
export function SessionCount({ sessions, list })
{
	const nameOf = (id) => sessionName((list.rows ?? []).find((session) => session.id === id) ?? { id });

	return sessions && html`<span class="hint" title=${sessions.map(nameOf).join(', ')}>${sessions.length === 1 ? '1 session' : `${sessions.length} sessions`}</span>`;
}
