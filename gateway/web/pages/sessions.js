/*
 * sessions.js
 *		The list of sessions with live status, and a new session.  The page of a single
 *		session is session.js.
 */
import { call } from '../client/api.js';
import { Dialog } from '../ui/dialog.js';
import { Choice, fieldError, Form, TextField } from '../ui/form.js';
import { Time } from '../ui/format.js';
import { html, useState } from '../ui/html.js';
import { useAction, useList } from '../client/load.js';
import { Empty, Loaded, More, Notice } from '../ui/notice.js';
import { Page, usePlace } from '../ui/page.js';
import { Table } from '../ui/table.js';
import { SessionPage } from './session.js';
import { goTo, hrefOf } from '../router.js';
import { sessionName, sessionNumber, StatusBadge } from './sessions_parts.js';

function NewSessionDialog({ close })
{
	const [label, setLabel] = useState('');
	const [start, setStart] = useState(true);
	const action = useAction(async () =>
	{
		const made = await call('POST', '/sessions', { json: { start, ...(label !== '' && { label }) } });

		goTo('sessions', made.id);
	});

	return html`
		<${Dialog} title="New session" close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label="Create session" busyLabel="Creating" fields=${['label']}>
				<${TextField} label="Label" hint="What people call it, for instance Support." value=${label} change=${setLabel}
					error=${fieldError(action, 'label')} maxlength="200" autocomplete="off" focus />
				<${Choice} name="start" label="Start it now" description="then it shows a QR code to pair a phone with" checked=${start} change=${setStart} />
			<//>
		<//>`;
}

const COLUMNS = [
	{ name: 'Session', width: 12, cell: (row) => html`<a href=${hrefOf('sessions', row.id)}><bdi>${sessionName(row)}</bdi></a>` },
	{ name: 'Number', width: 10, cell: (row) => sessionNumber(row) },
	{ name: 'Status', width: 11, cell: (row) => html`<${StatusBadge} status=${row.status} />` },
	{ name: 'Last connected', width: 8.5, cell: (row) => (row.lastConnectedAt === undefined ? html`<span class="hint">never</span>` : html`<${Time} at=${row.lastConnectedAt} style="distance" />`) },
];

const ACTIONS = {
	width: 6, about: sessionName,
	of: (row) => [html`<a class="button" href=${hrefOf('chats', row.id)}>Chats<span class="visually-hidden"> of ${sessionName(row)}</span></a>`],
};

function SessionsList()
{
	const { organization, permissions } = usePlace();
	const list = useList('/sessions', { live: ({ event }) => event === 'session.status', focus: true });
	const [creating, setCreating] = useState(false);
	const manages = permissions.has('manage');
	const create = manages && html`<button type="button" class="primary" onClick=${() => setCreating(true)}>New session</button>`;

	return html`
		<${Page} title="Sessions" lead=${`The WhatsApp accounts that ${organization.name} sends and receives with.`} actions=${create}>
			${!manages && html`<${Notice}>Only owners and admins create and change sessions. You can read them and send with them.<//>`}
			<${Loaded} from=${list} what="Loading sessions">
				${(rows) => (rows.length === 0 ? html`
					<${Empty} title="No sessions yet" action=${create}>
						<p>A session is one WhatsApp account. Create one, then pair it with a phone by its QR code, as you would pair WhatsApp Web.</p>
					<//>` : html`
					<${Table} label="Sessions" columns=${COLUMNS} rows=${rows} keyOf=${({ id }) => id} actions=${ACTIONS} />
					<${More} list=${list} />`)}
			<//>
			${creating && html`<${NewSessionDialog} close=${() => setCreating(false)} />`}
		<//>`;
}

export function SessionsPage({ rest })
{
	return rest.length > 0 ? html`<${SessionPage} id=${rest[0]} />` : html`<${SessionsList} />`;
}
