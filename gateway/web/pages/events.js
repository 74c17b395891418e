/*
 * events.js
 *		Shows the newest events that are kept, and those that follow, over the WebSocket, if the
 *		gateway supports it.
 */
import { call, checkReady, supportedOperations } from '../client/api.js';
import { SelectField } from '../ui/form.js';
import { Time } from '../ui/format.js';
import { EVENT_TYPES } from '../client/event_types.js';
import { summaryOf } from './event_words.js';
import { html, useEffect, useRef, useState } from '../ui/html.js';
import { useList, useLoad } from '../client/load.js';
import { Badge, Empty, Loaded, Notice } from '../ui/notice.js';
import { Page } from '../ui/page.js';
import { startLive } from '../client/live.js';
import { Copyable } from '../ui/secret.js';
import { sessionName } from './sessions_parts.js';

const TICKET = 'POST /realtime/ticket';
const POLLING = 'GET /events';
const KEPT = 200;		/* events on the page; older ones are removed */

/* A socket stays open while the gateway cannot read events, so it is asked now and then. */
const READY_MS = 10 * 1000;

const STATES = {
	connecting: { words: 'Connecting', tone: 'warn' },
	live: { words: 'Live', tone: 'good' },
	waiting: { words: 'Connecting again', tone: 'warn' },
	refused: { words: 'Refused', tone: 'bad' },
	paused: { words: 'Paused', tone: 'neutral' },
	stuck: { words: 'Not live', tone: 'bad' },
};

/* Tells a person why events may be missing. */
const GAPS = {
	interrupted: 'The connection was interrupted; events in between may be missing.',
	expired: 'Some events in between are no longer kept, and are missing here.',
	dropped: `While this page was paused more than ${KEPT} events came. It keeps the newest ${KEPT}; the others are missing here.`,
};

/* The newest events, the newest first.  A page of the answer may end early. */
async function readNewest(signal)
{
	const events = [];
	let cursor;

	do
	{
		const query = new URLSearchParams({ limit: KEPT, ...(cursor ? { cursor } : { last: KEPT }) });
		const answer = await call('GET', `/events?${query}`, { signal });

		events.unshift(...answer.data.reverse());
		cursor = answer.nextCursor;
	} while (cursor);
	return events.slice(0, KEPT);
}

/* "kept" are the events to begin with. */
function useEvents(kept, paused)
{
	const [events, setEvents] = useState(kept);
	const [shown, setShown] = useState(events);
	const [state, setState] = useState({ name: 'connecting' });
	const [gaps, setGaps] = useState([]);
	const unseen = useRef(0);		/* how many came while paused */
	const isPaused = useRef(paused);

	isPaused.current = paused;

	const addGap = (why) => setGaps((before) => (before.includes(why) ? before : [...before, why]));
	const take = (event) =>
	{
		setEvents((before) => [event, ...before].slice(0, KEPT));
		if (isPaused.current && ++unseen.current > KEPT)
			addGap('dropped');
	};

	useEffect(() => startLive({
		since: kept[0]?.id,
		tell: (name, why) => setState({ name, why }),
		onEvent: take,
		onGap: addGap,
	}), []);

	/*
	 * While paused the page still receives events, up to its maximum; it only does not draw
	 * them.
	 */
	useEffect(() =>
	{
		if (paused)
			return;
		unseen.current = 0;
		setShown(events);
	}, [events, paused]);
	return {
		shown, state, gaps,
		clear()
		{
			setEvents([]);
			setShown([]);
			setGaps([]);
			unseen.current = 0;
		},
	};
}

function Event({ event, session })
{
	return html`
		<li>
			<details>
				<summary>
					<span class="event-time"><${Time} at=${event.timestamp} style="seconds" /></span>
					<span class="event-type">${event.event}</span>
					<span class="event-summary"><bdi>${summaryOf(event)}</bdi></span>
					<span class="event-session">${event.session && html`<bdi>${session ? sessionName(session) : event.session}</bdi>`}</span>
				</summary>
				<${Copyable} label="Event id" text=${event.id} />
				<pre tabindex="0">${JSON.stringify(event, null, 2)}</pre>
			</details>
		</li>`;
}

function NothingListed({ filtered, cleared })
{
	if (filtered)
		return html`<p class="nothing">No event matches.</p>`;
	return html`
		<${Empty} title=${cleared ? 'Cleared' : 'Nothing has happened yet'}>
			<p>${cleared ? 'Events that come from now on appear here.' : 'Send a message from a session’s page, and its events appear here.'}</p>
		<//>`;
}

function Filters({ type, setType, session, setSession, sessions })
{
	return html`
		<${SelectField} label="Type" value=${type} change=${setType} options=${[['', 'All types'], ...EVENT_TYPES.map((each) => [each, each])]} />
		<${SelectField} label="Session" value=${session} change=${setSession}
			options=${[['', 'All sessions'], ...sessions.map((each) => [each.id, sessionName(each)])]} />`;
}

function stateShown(state, paused, ready)
{
	if (state.name !== 'live')
		return state;
	if (ready.error)
		return { name: 'stuck', why: ready.error.message };
	return paused ? { name: 'paused' } : state;
}

function Live({ kept })
{
	const [paused, setPaused] = useState(false);
	const [cleared, setCleared] = useState(false);
	const [type, setType] = useState('');
	const [session, setSession] = useState('');
	const sessions = useList('/sessions', { limit: 200, live: ({ event }) => event === 'session.status' });
	const ready = useLoad(checkReady, [], { every: () => READY_MS });
	const { shown, state, gaps, clear } = useEvents(kept, paused);
	const { name, why } = stateShown(state, paused, ready);
	const { words, tone } = STATES[name];
	const listed = shown.filter((event) => (type === '' || event.event === type) && (session === '' || event.session === session));
	const onClear = () =>
	{
		setCleared(true);
		clear();
	};

	return html`
		<div class="filters">
			<p role="status" class="live"><${Badge} tone=${tone}>${words}<//>${why && html`<span class="hint"> ${why}</span>`}</p>
			<${Filters} type=${type} setType=${setType} session=${session} setSession=${setSession} sessions=${sessions.rows ?? []} />
			<button type="button" aria-pressed=${String(paused)} onClick=${() => setPaused(!paused)}>${paused ? 'Go on' : 'Pause'}</button>
			<button type="button" onClick=${onClear}>Clear</button>
		</div>
		${gaps.map((gap) => html`<${Notice} key=${gap} kind="warning">${GAPS[gap]}<//>`)}
		${listed.length === 0 ? html`<${NothingListed} filtered=${shown.length > 0} cleared=${cleared} />` : html`
			<ul class="events" aria-label="Events">${listed.map((event) => html`
				<${Event} key=${event.id} event=${event} session=${sessions.rows?.find(({ id }) => id === event.session)} />`)}</ul>`}`;
}

/* The socket goes on where the events that are kept end. */
function Events()
{
	const kept = useLoad(readNewest, []);

	return html`<${Loaded} from=${kept} what="Loading events">${(events) => html`<${Live} kept=${events} />`}<//>`;
}

function WithoutSocket({ operations })
{
	if (operations.has(POLLING))
		return html`
			<p>This gateway has no WebSocket. Programs ask for events with a key that has the permission <strong>events</strong>:</p>
			<pre tabindex="0">curl -H "Authorization: Bearer KEY" ${location.origin}/api/v1/events</pre>`;
	return html`<${Notice}>This gateway does not tell events yet. To follow what happens, ask for sessions and messages again and again, as these pages do.<//>`;
}

export function EventsPage()
{
	const operations = useLoad(supportedOperations, []);

	return html`
		<${Page} title="Events" lead="What happens in this organization, as it happens.">
			<${Loaded} from=${operations}>
				${(known) => (known.has(TICKET) ? html`<${Events} />` : html`<${WithoutSocket} operations=${known} />`)}
			<//>
		<//>`;
}
