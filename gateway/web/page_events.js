/*
 * page_events.js
 *		Events as they happen, over the WebSocket, where the gateway has it.
 */
import { supportedOperations } from './api.js';
import { SelectField } from './form.js';
import { Time } from './format.js';
import { html, useEffect, useState } from './html.js';
import { useLoad } from './load.js';
import { Badge, Empty, Loaded, Notice } from './notice.js';
import { Page } from './page.js';
import { follow } from './realtime.js';
import { EVENT_TYPES } from './webhook_dialog.js';

const TICKET = 'POST /realtime/ticket';
const POLLING = 'GET /events';
const KEPT = 200;		/* events on the page; older ones make room */

const STATES = {
	connecting: { words: 'Connecting', tone: 'warn' },
	live: { words: 'Live', tone: 'good' },
	waiting: { words: 'Connecting again', tone: 'warn' },
	refused: { words: 'Refused', tone: 'bad' },
	paused: { words: 'Paused', tone: 'neutral' },
};

function useEvents(paused)
{
	const [events, setEvents] = useState([]);
	const [shown, setShown] = useState(events);
	const [state, setState] = useState({ name: 'connecting' });
	const [gap, setGap] = useState(false);

	useEffect(() => follow({
		tell: (name, why) => setState({ name, why }),
		onEvent: (event) => setEvents((before) => [event, ...before].slice(0, KEPT)),
		onGap: () => setGap(true),
	}), []);

	/* While it is paused events are still taken in, so that none is missed; they are only not drawn. */
	useEffect(() =>
	{
		if (!paused)
			setShown(events);
	}, [events, paused]);
	return {
		shown, state, gap,
		clear()
		{
			setEvents([]);
			setShown([]);
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
	const { shown, state, gap, clear } = useEvents(paused);
	const { words, tone } = STATES[paused && state.name === 'live' ? 'paused' : state.name];
	const listed = shown.filter((event) => type === '' || event.event === type);

	return html`
		<div class="filters">
			<p role="status" class="live"><${Badge} tone=${tone}>${words}<//>${state.why && html`<span class="hint"> ${state.why}</span>`}</p>
			<${SelectField} label="Type" value=${type} change=${setType} options=${[['', 'All types'], ...EVENT_TYPES.map((each) => [each, each])]} />
			<button type="button" aria-pressed=${String(paused)} onClick=${() => setPaused(!paused)}>${paused ? 'Go on' : 'Pause'}</button>
			<button type="button" onClick=${clear}>Clear</button>
		</div>
		${gap && html`<${Notice} kind="warning">Some events in between are no longer kept, and are missing here.<//>`}
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
