/*
 * webhooks.js
 *		Webhooks: URLs that events are sent to.
 *
 * Test deliveries and the log of deliveries are shown if the gateway's OpenAPI document has
 * them (webhook_deliveries.js).
 */
import { announce } from '../ui/announce.js';
import { call, pathOf, supportedOperations } from '../client/api.js';
import { Confirm } from '../ui/dialog.js';
import { Time } from '../ui/format.js';
import { html, useState } from '../ui/html.js';
import { useList, useLoad } from '../client/load.js';
import { Badge, Empty, Loaded, More, Notice } from '../ui/notice.js';
import { Page, usePlace } from '../ui/page.js';
import { Table } from '../ui/table.js';
import { hrefOf } from '../router.js';
import { SecretDialog, useSecret } from '../ui/secret.js';
import { DeliveriesPage, LIST_DELIVERIES } from './webhook_deliveries.js';
import { WebhookDialog } from './webhook_dialog.js';

function eventsInWords({ events })
{
	if (events.includes('*'))
		return 'all events';
	return events.length === 0 ? 'no events' : html`<span class="tags">${events.map((type) => html`<span key=${type} class="tag">${type}</span>`)}</span>`;
}

/*
 * "Off" was chosen by a person.  "Paused" means that the receiver did not answer; the page
 * of the deliveries says why.
 */
function statusOf({ active, disabledAt })
{
	if (active)
		return html`<${Badge} tone="good">Active<//>`;
	return disabledAt === undefined ? html`<${Badge}>Off<//>` : html`<${Badge} tone="bad">Paused<//>`;
}

const COLUMNS = [
	{ name: 'Address', width: 14, cell: (row) => row.url },
	{ name: 'Status', width: 6.5, cell: statusOf },
	{ name: 'Events', width: 11, cell: eventsInWords },
	{ name: 'Session', width: 7.5, cell: (row) => (row.sessionId ? html`<a href=${hrefOf('sessions', row.sessionId)}>one session</a>` : 'all sessions') },
	{ name: 'Created', width: 7.5, cell: (row) => html`<${Time} at=${row.createdAt} style="day" />` },
];

function actionsOf(open, operations)
{
	const button = (label, dialog, row, tone) => html`
		<button type="button" class=${tone} onClick=${() => open({ dialog, webhook: row })}>${label}<span class="visually-hidden"> ${row.url}</span></button>`;

	return {
		width: 22, short: 4, about: (row) => row.url,
		of: (row) => [
			operations.has(LIST_DELIVERIES) && html`<a class="button" href=${hrefOf('webhooks', row.id)}>Deliveries<span class="visually-hidden"> to ${row.url}</span></a>`,
			button('Change', 'change', row),
			button('Rotate secret', 'rotate', row),
			button('Delete', 'delete', row, 'danger-quiet'),
		],
	};
}

function Webhooks()
{
	const list = useList('/webhooks', { live: ({ event }) => event === 'webhook.disabled', focus: true });
	const operations = useLoad(supportedOperations, []);
	const [opened, open] = useState({ dialog: null });
	const [made, setMade] = useSecret();
	const { webhook } = opened;
	const close = () => open({ dialog: null });
	const finish = (words, secret) =>
	{
		close();
		announce(words);
		setMade(secret ?? null);
		list.reload();
	};
	const rotate = async () =>
	{
		const answer = await call('POST', `${pathOf('webhooks', webhook.id)}/secret`, { json: {} });

		finish('The secret is rotated.', answer);
	};
	const remove = async () =>
	{
		await call('DELETE', pathOf('webhooks', webhook.id));
		finish('The webhook is deleted.');
	};
	const create = html`<button type="button" class="primary" onClick=${() => open({ dialog: 'new' })}>New webhook</button>`;

	return html`
		<${Page} title="Webhooks" lead="Where events are sent to, signed, as they happen." actions=${create}>
			<${Loaded} from=${list} what="Loading webhooks">
				${(rows) => (rows.length === 0 ? html`
					<${Empty} title="No webhooks yet" action=${create}>
						<p>A webhook is an address of yours that gets a signed POST request for each event: a message that came in, a message that was read, a session that has stopped.</p>
					<//>` : html`
					<${Table} label="Webhooks" columns=${COLUMNS} rows=${rows} keyOf=${({ id }) => id} actions=${actionsOf(open, operations.data ?? new Set())} />
					<${More} list=${list} />`)}
			<//>
			${(opened.dialog === 'new' || opened.dialog === 'change') && html`<${WebhookDialog} webhook=${webhook} close=${close} finish=${finish} />`}
			${opened.dialog === 'rotate' && html`
				<${Confirm} title="Rotate the secret?" label="Rotate secret" busyLabel="Rotating" act=${rotate} close=${close}>
					<p>Requests to <strong>${webhook.url}</strong> are signed with a new secret, which is shown once. For a day <code>webhook-signature</code> carries the old secret's signature, too; <code>X-Webhook-Hmac</code> is the new one's from now on.</p>
				<//>`}
			${opened.dialog === 'delete' && html`
				<${Confirm} title="Delete this webhook?" label="Delete" busyLabel="Deleting" act=${remove} close=${close}>
					<p>Events are no longer sent to <strong>${webhook.url}</strong>.</p>
				<//>`}
			${made && html`
				<${SecretDialog} title="Signing secret" label="Signing secret" secret=${made.secret} close=${() => setMade(null)}>
					<p>Your receiver checks with it that a request came from here, by the header <code>webhook-signature</code> (Standard Webhooks) or <code>X-Webhook-Hmac</code>.</p>
				<//>`}
		<//>`;
}

export function WebhooksPage({ rest })
{
	const { permissions } = usePlace();

	if (!permissions.has('manage'))
		return html`
			<${Page} title="Webhooks" lead="Where events are sent to, signed, as they happen.">
				<${Notice}>Only owners and admins see and change webhooks.<//>
			<//>`;
	return rest.length > 0 ? html`<${DeliveriesPage} id=${rest[0]} />` : html`<${Webhooks} />`;
}
