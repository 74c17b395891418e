/*
 * webhook_dialog.js
 *		The dialog that makes or changes a webhook.
 */
import { call, pathOf } from './api.js';
import { Dialog } from './dialog.js';
import { Choice, fieldError, Form, Group, SelectField, TextField } from './form.js';
import { html, useState } from './html.js';
import { useAction, useList } from './load.js';
import { sessionName } from './sessions_parts.js';

export const EVENT_TYPES = [
	'session.status', 'auth.qr', 'auth.code', 'message', 'message.from_me', 'message.status', 'message.reaction',
	'message.edited', 'message.revoked', 'poll.vote', 'presence.update', 'chat.update', 'contact.update', 'key.created',
	'key.revoked', 'webhook.disabled',
];

const EVERY_SESSION = '';

function EventsChoice({ events, change, error })
{
	const all = events.includes('*');
	const toggle = (type, on) => change(EVENT_TYPES.filter((each) => (each === type ? on : events.includes(each))));

	return html`
		<${Group} legend="Events" error=${error}>
			<${Choice} type="radio" group="which" name="all" label="All events" checked=${all} change=${() => change(['*'])} />
			<${Choice} type="radio" group="which" name="some" label="Only these" checked=${!all} change=${() => all && change([])} />
			${!all && html`<div class="columns">${EVENT_TYPES.map((type) => html`
				<${Choice} key=${type} name=${type} checked=${events.includes(type)} change=${(on) => toggle(type, on)} />`)}</div>`}
		<//>`;
}

function SessionChoice({ value, change, error })
{
	const sessions = useList('/sessions', { limit: 200 });
	const known = (sessions.rows ?? []).map((session) => [session.id, sessionName(session)]);

	return html`
		<${SelectField} label="Session" value=${value} change=${change} error=${error ?? sessions.error?.message}
			options=${[[EVERY_SESSION, 'All sessions'], ...known, ...(value === EVERY_SESSION || known.some(([id]) => id === value) ? [] : [[value, value]])]} />`;
}

/* A webhook that is for all sessions cannot be made so again by a change: the field is left out then. */
function settingsOf({ url, events, active, sessionId }, webhook)
{
	return { url: url.trim(), events, active, ...(sessionId !== EVERY_SESSION && sessionId !== webhook?.sessionId && { sessionId }) };
}

export function WebhookDialog({ webhook, close, finish })
{
	const [url, setUrl] = useState(webhook?.url ?? 'https://');
	const [events, setEvents] = useState(webhook?.events ?? ['*']);
	const [sessionId, setSession] = useState(webhook?.sessionId ?? EVERY_SESSION);
	const [active, setActive] = useState(webhook?.active ?? true);
	const action = useAction(async () =>
	{
		const json = settingsOf({ url, events, active, sessionId }, webhook);

		if (webhook)
		{
			await call('PATCH', pathOf('webhooks', webhook.id), { json });
			finish('The webhook is saved.');
		}
		else
			finish('The webhook is ready.', await call('POST', '/webhooks', { json }));
	});

	return html`
		<${Dialog} title=${webhook ? 'Change webhook' : 'New webhook'} close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label=${webhook ? 'Save' : 'Create webhook'} busyLabel=${webhook ? 'Saving' : 'Creating'}
				fields=${['url', 'events', 'sessionId', 'active']}>
				<${TextField} label="Address" hint="Where the requests go: https and reachable from the gateway." type="url" value=${url} change=${setUrl}
					error=${fieldError(action, 'url')} autocomplete="off" maxlength="2048" focus />
				<${EventsChoice} events=${events} change=${setEvents} error=${fieldError(action, 'events')} />
				${webhook?.sessionId === undefined && !webhook && html`<${SessionChoice} value=${sessionId} change=${setSession} error=${fieldError(action, 'sessionId')} />`}
				<${Choice} name="active" label="Active" description="off: nothing is sent" checked=${active} change=${setActive} />
			<//>
		<//>`;
}
