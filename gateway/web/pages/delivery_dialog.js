/*
 * delivery_dialog.js
 *		One delivery: its attempts, what is sent, and sending it again.
 */
import { call, pathOf } from '../client/api.js';
import { Dialog } from '../ui/dialog.js';
import { ActionButton } from '../ui/form.js';
import { Time } from '../ui/format.js';
import { html } from '../ui/html.js';
import { useLoad } from '../client/load.js';
import { Badge, ErrorNotice, Loaded } from '../ui/notice.js';
import { Copyable } from '../ui/secret.js';

/* What came of an attempt.  An answer that is no success needs no other words than its status. */
export function outcomeOf({ statusCode, error })
{
	return statusCode === undefined ? error : `status ${statusCode}`;
}

/* The body as it is sent, with line breaks, which JSON allows. */
function readable(body)
{
	try
	{
		return JSON.stringify(JSON.parse(body), null, 2);
	}
	catch
	{
		return body;
	}
}

function Attempts({ history })
{
	if (history.length === 0)
		return html`<p class="hint">It was not tried yet.</p>`;
	return html`
		<ol class="attempts" aria-label="Attempts">${history.map((attempt) => html`
			<li key=${attempt.at}>
				<${Time} at=${attempt.at} style="seconds" />
				<${Badge} tone=${attempt.statusCode >= 200 && attempt.statusCode < 300 ? 'good' : 'bad'}>${outcomeOf(attempt)}<//>
			</li>`)}</ol>`;
}

function Body({ body })
{
	if (body === undefined)
		return html`<p class="hint">The body is not kept any more.</p>`;
	return html`<pre tabindex="0" aria-label="Body">${readable(body)}</pre>`;
}

/* "again", if the delivery can be sent again: { action, label }. */
export function DeliveryDialog({ webhook, id, status, again, close })
{
	/* What the list says of it may have changed since. */
	const detail = useLoad((signal) => call('GET', pathOf('webhooks', webhook, 'deliveries', id), { signal }), [webhook, id, status]);

	return html`
		<${Dialog} title="Delivery" close=${close} wide>
			<${Loaded} from=${detail} what="Loading the delivery">
				${(delivery) => html`
					<p>${delivery.event}, made <${Time} at=${delivery.createdAt} style="seconds" /></p>
					<${Copyable} label="Event id" text=${delivery.eventId} />
					<h3>Attempts</h3>
					<${Attempts} history=${delivery.history} />
					<h3>Body</h3>
					<${Body} body=${delivery.body} />`}
			<//>
			<${ErrorNotice} error=${again?.action.error} />
			<div class="buttons">
				${again && html`<${ActionButton} action=${again.action} label=${again.label} busyLabel="Asking" onClick=${again.action.run} />`}
				<button type="button" onClick=${close}>Close</button>
			</div>
		<//>`;
}
