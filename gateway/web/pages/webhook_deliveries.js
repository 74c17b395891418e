/*
 * webhook_deliveries.js
 *		The deliveries of a webhook: their results, and sending one again.
 */
import { announce } from '../ui/announce.js';
import { call, pathOf, supportedOperations } from '../client/api.js';
import { ActionButton, SelectField } from '../ui/form.js';
import { Time } from '../ui/format.js';
import { now } from '../client/clock.js';
import { html, useEffect, useState } from '../ui/html.js';
import { useAction, useList, useLoad } from '../client/load.js';
import { Badge, Empty, ErrorNotice, Loaded, More, Notice } from '../ui/notice.js';
import { Page } from '../ui/page.js';
import { Table } from '../ui/table.js';
import { hrefOf } from '../router.js';
import { DeliveryDialog, outcomeOf } from './delivery_dialog.js';

export const LIST_DELIVERIES = 'GET /webhooks/{webhookId}/deliveries';
const SHOW = 'GET /webhooks/{webhookId}/deliveries/{deliveryId}';
const TEST = 'POST /webhooks/{webhookId}/test';
const REPLAY = 'POST /webhooks/{webhookId}/deliveries/{deliveryId}/replay';

const STATUSES = {
	pending: { words: 'Waiting', tone: 'neutral' },
	failed: { words: 'Will be tried again', tone: 'warn' },
	delivered: { words: 'Delivered', tone: 'good' },
	dead: { words: 'Given up', tone: 'bad' },
};

/* Nothing is sent to a webhook that is off or paused, so nothing is about to be. */
const ON_HOLD = { words: 'On hold', tone: 'neutral' };

const FILTERS = [['', 'All'], ...Object.entries(STATUSES).map(([status, { words }]) => [status, words])];

/* What sending a delivery again is called.  One that waits for its first attempt is sent anyway. */
const AGAIN = { failed: 'Try now', delivered: 'Send again', dead: 'Send again' };

function statusOf({ status }, active)
{
	return !active && (status === 'pending' || status === 'failed') ? ON_HOLD : STATUSES[status] ?? { words: status };
}

/* How long the worker may take for what is due. */
const WORK_MS = 1000;

/*
 * How long until the list changes without an event, or undefined: what is pending is about to be
 * sent, and what has failed is tried again when it is due.
 */
function untilWork({ rows } = { rows: [] })
{
	if (rows.some(({ status }) => status === 'pending'))
		return WORK_MS;

	const due = Math.min(...rows.map(({ nextAttemptAt }) => nextAttemptAt ?? Infinity));

	return due === Infinity ? undefined : Math.max(0, due - now()) + WORK_MS;
}

/*
 * Any event may make a delivery: which events a webhook asks for can change.  With a status the
 * list does not show what is pending, which may get that status.
 */
function useDeliveries(path, status, isOff)
{
	const when = { live: () => true, focus: true, every: isOff ? undefined : untilWork };
	const isHidden = status !== '' && status !== 'pending';
	const list = useList(`${path}${status && `?status=${status}`}`, when);
	const pending = useList(isHidden ? `${path}?status=pending` : null, { ...when, limit: 1 });

	useEffect(() =>
	{
		if (isHidden && pending.rows && list.rows)
			list.reload();
	}, [pending.rows]);
	return list;
}

function useReplay(webhook, id, reload)
{
	return useAction(async () =>
	{
		await call('POST', `${pathOf('webhooks', webhook, 'deliveries', id)}/replay`);
		announce('The event is sent again.');
		reload();
	});
}

function ReplayButton({ webhook, delivery, reload })
{
	const action = useReplay(webhook, delivery.id, reload);

	return html`
		<${ActionButton} action=${action} label=${AGAIN[delivery.status]} busyLabel="Asking" about=${delivery.eventId} onClick=${action.run} />
		<${ErrorNotice} error=${action.error} />`;
}

/* The dialog of a delivery of which the list may have newer news. */
function Shown({ webhook, delivery, mayReplay, reload, close })
{
	const action = useReplay(webhook, delivery.id, reload);

	return html`
		<${DeliveryDialog} webhook=${webhook} id=${delivery.id} status=${`${delivery.status} ${delivery.updatedAt}`} close=${close}
			again=${mayReplay(delivery) ? { action, label: AGAIN[delivery.status] } : undefined} />`;
}

function WhyOff({ webhook: { disabledAt, disabledReason } })
{
	return disabledAt === undefined ? html`
		<p>This webhook is off: nothing is sent to it, nor kept for it, until it is made active.</p>` : html`
		<p>This webhook is paused since <${Time} at=${disabledAt} />, because its receiver has failed for too long (${disabledReason}).
		What happens meanwhile is sent once it is made active again.</p>`;
}

function NextAttempt({ delivery: { nextAttemptAt }, active })
{
	if (nextAttemptAt === undefined)
		return html`<span class="hint">none</span>`;
	return active ? html`<${Time} at=${nextAttemptAt} style="due" />` : html`<span class="hint">once active</span>`;
}

function columnsOf(active)
{
	return [
		{ name: 'Event', width: 12.5, cell: (row) => html`<span class="stack">${row.event}<span class="hint"><code>${row.eventId}</code></span></span>` },
		{ name: 'Status', width: 10.5, cell: (row) =>
		{
			const { words, tone } = statusOf(row, active);

			return html`<${Badge} tone=${tone}>${words}<//>`;
		} },
		{ name: 'Answer', width: 8.5, cell: (row) => outcomeOf(row) ?? html`<span class="hint">none yet</span>` },
		{ name: 'Attempts', width: 5.5, cell: (row) => row.attempts },
		{ name: 'Next attempt', width: 7, cell: (row) => html`<${NextAttempt} delivery=${row} active=${active} />` },
		{ name: 'Created', width: 7.5, cell: (row) => html`<${Time} at=${row.createdAt} />` },
	];
}

function actionsOf(webhook, { operations, mayReplay, reload, show })
{
	return {
		width: 11, short: 4, about: (row) => row.eventId,
		of: (row) => [
			operations.has(SHOW) && html`<button type="button" onClick=${() => show(row.id)}>Show<span class="visually-hidden"> ${row.eventId}</span></button>`,
			mayReplay(row) && html`<${ReplayButton} webhook=${webhook} delivery=${row} reload=${reload} />`,
		],
	};
}

function TestButton({ id, reload })
{
	const action = useAction(async () =>
	{
		await call('POST', `${pathOf('webhooks', id)}/test`);
		announce('A test event is on its way.');
		reload();
	});

	return html`
		<${ActionButton} action=${action} label="Send a test" busyLabel="Sending" onClick=${action.run} />
		<${ErrorNotice} error=${action.error} />`;
}

function List({ id, operations, active, list })
{
	const [shown, show] = useState(null);
	const mayReplay = ({ status }) => active && operations.has(REPLAY) && status in AGAIN;
	const delivery = shown && list.rows.find((row) => row.id === shown);
	const actions = actionsOf(id, { operations, mayReplay, reload: list.reload, show });

	return html`
		<${Table} label="Deliveries" columns=${columnsOf(active)} rows=${list.rows} keyOf=${(row) => row.id} actions=${actions} />
		<${More} list=${list} />
		${delivery && html`<${Shown} webhook=${id} delivery=${delivery} mayReplay=${mayReplay} reload=${list.reload} close=${() => show(null)} />`}`;
}

function Deliveries({ id, operations })
{
	const [status, setStatus] = useState('');
	const webhook = useLoad((signal) => call('GET', pathOf('webhooks', id), { signal }), [id], { live: ({ event }) => event === 'webhook.disabled', focus: true });
	const active = webhook.data?.active ?? false;
	const list = useDeliveries(`${pathOf('webhooks', id)}/deliveries`, status, webhook.data?.active === false);

	return html`
		<${Page} title="Deliveries" lead=${webhook.data?.url} back=${{ href: hrefOf('webhooks'), label: 'Webhooks' }}
			actions=${active && operations.has(TEST) && html`<${TestButton} id=${id} reload=${list.reload} />`}>
			<${ErrorNotice} error=${webhook.error} retry=${webhook.reload} />
			${webhook.data && !active && html`<${Notice} kind="warning"><${WhyOff} webhook=${webhook.data} /><//>`}
			<div class="filters"><${SelectField} label="Status" value=${status} change=${setStatus} options=${FILTERS} /></div>
			<${Loaded} from=${list} what="Loading deliveries">
				${(rows) => webhook.data && (rows.length === 0 ? html`
					<${Empty} title="No deliveries"><p>Each event that this webhook asks for appears here, with what came of it.</p><//>` : html`
					<${List} id=${id} operations=${operations} active=${active} list=${list} />`)}
			<//>
		<//>`;
}

export function DeliveriesPage({ id })
{
	const operations = useLoad(supportedOperations, []);

	if (operations.data?.has(LIST_DELIVERIES))
		return html`<${Deliveries} id=${id} operations=${operations.data} />`;
	return html`
		<${Page} title="Deliveries" back=${{ href: hrefOf('webhooks'), label: 'Webhooks' }}>
			<${Loaded} from=${operations}>${() => html`<${Notice}>This gateway keeps no log of deliveries.<//>`}<//>
		<//>`;
}
