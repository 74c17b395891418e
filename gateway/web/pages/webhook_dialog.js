/*
 * webhook_dialog.js
 *		The dialog that creates or changes a webhook.
 */
import { call, pathOf } from '../client/api.js';
import { Dialog } from '../ui/dialog.js';
import { EVENT_TYPES } from '../client/event_types.js';
import { Choice, fieldError, Form, Group, SelectField, TextField } from '../ui/form.js';
import { html, useState } from '../ui/html.js';
import { useAction, useList } from '../client/load.js';
import { EVENT_SENTENCES } from './event_words.js';
import { sessionName } from './sessions_parts.js';
import { customHeadersOf, fieldsOf, MoreSettings, retriesOf, retryPolicyOf, settingsProblems, USUAL_RETRIES } from './webhook_settings.js';

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
				<${Choice} key=${type} name=${type} description=${EVENT_SENTENCES[type]} checked=${events.includes(type)} change=${(on) => toggle(type, on)} />`)}</div>`}
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

/* The settings of a new webhook.  A webhook for all sessions has no sessionId. */
function settingsOf({ url, events, active, sessionId, customHeaders, retryPolicy })
{
	return {
		url, events, active, retryPolicy, ...(sessionId !== EVERY_SESSION && { sessionId }),
		...(Object.keys(customHeaders).length > 0 && { customHeaders }),
	};
}

const isSame = (one, other) => JSON.stringify(Object.entries(one ?? {}).sort()) === JSON.stringify(Object.entries(other ?? {}).sort());

/*
 * The settings that can be changed and differ from the webhook.  Settings that somebody
 * else has changed since the page was read are not overwritten.
 */
function changesOf({ url, events, active, customHeaders, retryPolicy }, webhook)
{
	const same = [...events].sort().join() === [...webhook.events].sort().join();

	return {
		...(url !== webhook.url && { url }), ...(!same && { events }), ...(active !== webhook.active && { active }),
		...(!isSame(customHeaders, webhook.customHeaders) && { customHeaders: Object.keys(customHeaders).length === 0 ? null : customHeaders }),
		...(!isSame(retryPolicy, webhook.retryPolicy) && { retryPolicy }),
	};
}

async function change(webhook, json)
{
	if (Object.keys(json).length > 0)
		await call('PATCH', pathOf('webhooks', webhook.id), { json });
}

export function WebhookDialog({ webhook, close, finish })
{
	const [url, setUrl] = useState(webhook?.url ?? 'https://');
	const [events, setEvents] = useState(webhook?.events ?? ['*']);
	const [sessionId, setSession] = useState(webhook?.sessionId ?? EVERY_SESSION);
	const [active, setActive] = useState(webhook?.active ?? true);
	const [fields, setFields] = useState(fieldsOf(webhook?.customHeaders));
	const [retries, setRetries] = useState(webhook ? retriesOf(webhook.retryPolicy) : USUAL_RETRIES);
	const action = useAction(async () =>
	{
		const settings = { url: url.trim(), events, active, sessionId, customHeaders: customHeadersOf(fields), retryPolicy: retryPolicyOf(retries) };

		if (webhook)
		{
			await change(webhook, changesOf(settings, webhook));
			finish('The webhook is saved.');
		}
		else
			finish('The webhook is ready.', await call('POST', '/webhooks', { json: settingsOf(settings) }));
	}, () => ({
		...(/^(https?:\/\/)?$/.test(url.trim()) && { url: 'Enter the address, such as https://example.com/hook.' }),
		...(events.length === 0 && { events: 'Choose at least one event.' }),
		...settingsProblems({ fields, retries }),
	}));

	return html`
		<${Dialog} title=${webhook ? 'Change webhook' : 'New webhook'} close=${close} wide>
			<${Form} action=${action} submit=${action.run} cancel=${close} label=${webhook ? 'Save' : 'Create webhook'} busyLabel=${webhook ? 'Saving' : 'Creating'}
				fields=${['url', 'events', 'sessionId', 'active', 'customHeaders', 'retryPolicy', 'delaySeconds', 'attempts']}>
				<${TextField} label="Address" hint="Where the requests go: https and reachable from the gateway." type="url" value=${url} change=${setUrl}
					error=${fieldError(action, 'url')} autocomplete="off" maxlength="2048" focus />
				<${EventsChoice} events=${events} change=${setEvents} error=${fieldError(action, 'events')} />
				${!webhook && html`<${SessionChoice} value=${sessionId} change=${setSession} error=${fieldError(action, 'sessionId')} />`}
				<${Choice} name="active" label="Active" description="off: nothing is sent" checked=${active} change=${setActive} />
				<${MoreSettings} fields=${fields} setFields=${setFields} retries=${retries} setRetries=${setRetries} action=${action} />
			<//>
		<//>`;
}
