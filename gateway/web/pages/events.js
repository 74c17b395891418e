/*
 * events.js
 *		Shows events as they happen, over the WebSocket, if the gateway supports it.
 */
import { supportedOperations } from '../client/api.js';
import { SelectField } from '../ui/form.js';
import { Time } from '../ui/format.js';
import { EVENT_TYPES } from '../client/event_types.js';
import { html, useEffect, useRef, useState } from '../ui/html.js';
import { useLoad } from '../client/load.js';
import { Badge, Empty, Loaded, Notice } from '../ui/notice.js';
import { Page } from '../ui/page.js';
import { follow } from '../client/realtime.js';

const TICKET = 'POST /realtime/ticket';
const POLLING = 'GET /events';
const KEPT = 200;		/* events on the page; older ones are removed */

const STATES = {
	connecting: { words: 'Connecting', tone: 'warn' },
	live: { words: 'Live', tone: 'good' },
	waiting: { words: 'Connecting again', tone: 'warn' },
	refused: { words: 'Refused', tone: 'bad' },
	paused: { words: 'Paused', tone: 'neutral' },
};

/* Tells a person why events may be missing. */
const GAPS = {
	interrupted: 'The connection was interrupted; events in between may be missing.',
	expired: 'Some events in between are no longer kept, and are missing here.',
	dropped: `While this page was paused more than ${KEPT} events came. It keeps the newest ${KEPT}; the others are missing here.`,
};

function useEvents(paused)
{
	const [events, setEvents] = useState([]);
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

	useEffect(() => follow({
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

function Event({ event })
{
	return html`
		<li>
			<details>
				<summary>
					<span class="event-type">${event.event}</span>
					<span class="hint"><${Time} at=${event.timestamp} style="clock" /></span>
					<code class="hint">${event.id}</code>
				</summary>
				<pre tabindex="0">${JSON.stringify(event, null, 2)}</pre>
			</details>
		</li>`;
}

function Live()
{
	const [paused, setPaused] = useState(false);
	const [type, setType] = useState('');
	const { shown, state, gaps, clear } = useEvents(paused);
	const { words, tone } = STATES[paused && state.name === 'live' ? 'paused' : state.name];
	const listed = shown.filter((event) => type === '' || event.event === type);

	return html`
		<div class="filters">
			<p role="status" class="live"><${Badge} tone=${tone}>${words}<//>${state.why && html`<span class="hint"> ${state.why}</span>`}</p>
			<${SelectField} label="Type" value=${type} change=${setType} options=${[['', 'All types'], ...EVENT_TYPES.map((each) => [each, each])]} />
			<button type="button" aria-pressed=${String(paused)} onClick=${() => setPaused(!paused)}>${paused ? 'Go on' : 'Pause'}</button>
			<button type="button" onClick=${clear}>Clear</button>
		</div>
		${gaps.map((why) => html`<${Notice} key=${why} kind="warning">${GAPS[why]}<//>`)}
		${listed.length === 0 ? html`
			<${Empty} title="Nothing has happened yet"><p>Send a message from a session’s page, and its events appear here.</p><//>` : html`
			<ul class="events" aria-label="Events">${listed.map((event) => html`<${Event} key=${event.id} event=${event} />`)}</ul>`}`;
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
				${(known) => (known.has(TICKET) ? html`<${Live} />` : html`<${WithoutSocket} operations=${known} />`)}
			<//>
		<//>`;
}
