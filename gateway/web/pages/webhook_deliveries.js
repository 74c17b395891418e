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

export const LIST_DELIVERIES = 'GET /webhooks/{webhookId}/deliveries';
const TEST = 'POST /webhooks/{webhookId}/test';
const REPLAY = 'POST /webhooks/{webhookId}/deliveries/{deliveryId}/replay';

const STATUSES = {
	pending: { words: 'Waiting', tone: 'neutral' },
	failed: { words: 'Will be tried again', tone: 'warn' },
	delivered: { words: 'Delivered', tone: 'good' },
	dead: { words: 'Given up', tone: 'bad' },
};

const FILTERS = [['', 'All'], ...Object.entries(STATUSES).map(([status, { words }]) => [status, words])];

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

function ReplayButton({ webhook, delivery, reload })
{
	const action = useAction(async () =>
	{
		await call('POST', `${pathOf('webhooks', webhook, 'deliveries', delivery.id)}/replay`);
		announce('The event is sent again.');
		reload();
	});

	return html`
		<${ActionButton} action=${action} label="Send again" busyLabel="Asking" about=${delivery.eventId} onClick=${action.run} />
		<${ErrorNotice} error=${action.error} />`;
}

function Outcome({ delivery: { statusCode, error } })
{
	return [statusCode && `status ${statusCode}`, error].filter(Boolean).join(', ') || html`<span class="hint">none yet</span>`;
}

function WhyOff({ webhook: { disabledAt, disabledReason } })
{
	return disabledAt === undefined ? html`
		<p>This webhook is off: nothing is sent to it, nor kept for it, until it is made active.</p>` : html`
		<p>This webhook is paused since <${Time} at=${disabledAt} />, because its receiver has failed for too long (${disabledReason}).
		What happens meanwhile is sent once it is made active again.</p>`;
}

const COLUMNS = [
	{ name: 'Event', width: 12.5, cell: (row) => html`<span class="stack">${row.event}<span class="hint"><code>${row.eventId}</code></span></span>` },
	{ name: 'Status', width: 10.5, cell: (row) => html`<${Badge} tone=${STATUSES[row.status]?.tone}>${STATUSES[row.status]?.words ?? row.status}<//>` },
	{ name: 'Answer', width: 8.5, cell: (row) => html`<${Outcome} delivery=${row} />` },
	{ name: 'Attempts', width: 5.5, cell: (row) => row.attempts },
	{ name: 'Next attempt', width: 7, cell: (row) => (row.nextAttemptAt === undefined ? html`<span class="hint">none</span>` : html`<${Time} at=${row.nextAttemptAt} style="distance" />`) },
	{ name: 'Created', width: 7.5, cell: (row) => html`<${Time} at=${row.createdAt} />` },
];

function actionsOf(webhook, operations, reload)
{
	return {
		width: 7.5, about: (row) => row.eventId,
		of: (row) => [operations.has(REPLAY) && (row.status === 'dead' || row.status === 'delivered') &&
			html`<${ReplayButton} webhook=${webhook} delivery=${row} reload=${reload} />`],
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

function Deliveries({ id, operations })
{
	const [status, setStatus] = useState('');
	const webhook = useLoad((signal) => call('GET', pathOf('webhooks', id), { signal }), [id], { live: ({ event }) => event === 'webhook.disabled', focus: true });
	const list = useDeliveries(`${pathOf('webhooks', id)}/deliveries`, status, webhook.data?.active === false);

	return html`
		<${Page} title="Deliveries" lead=${webhook.data?.url} back=${{ href: hrefOf('webhooks'), label: 'Webhooks' }}
			actions=${operations.has(TEST) && html`<${TestButton} id=${id} reload=${list.reload} />`}>
			<${ErrorNotice} error=${webhook.error} retry=${webhook.reload} />
			${webhook.data && !webhook.data.active && html`<${Notice} kind="warning"><${WhyOff} webhook=${webhook.data} /><//>`}
			<div class="filters"><${SelectField} label="Status" value=${status} change=${setStatus} options=${FILTERS} /></div>
			<${Loaded} from=${list} what="Loading deliveries">
				${(rows) => (rows.length === 0 ? html`
					<${Empty} title="No deliveries"><p>Each event that this webhook asks for appears here, with what came of it.</p><//>` : html`
					<${Table} label="Deliveries" columns=${COLUMNS} rows=${rows} keyOf=${(row) => row.id} actions=${actionsOf(id, operations, list.reload)} />
					<${More} list=${list} />`)}
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
