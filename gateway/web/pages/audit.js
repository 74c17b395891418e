/*
 * audit.js
 *		Audit log: who changed keys, members and the organization, newest first.
 */
import { ACTION_WORDS } from './audit_words.js';
import { Time } from '../ui/format.js';
import { html } from '../ui/html.js';
import { useList } from '../client/load.js';
import { Empty, Loaded, More, Notice } from '../ui/notice.js';
import { Page, Table, usePlace } from '../ui/page.js';

function valueInWords(value)
{
	if (Array.isArray(value))
		return value.map(valueInWords).join(', ') || 'none';
	return value !== null && typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/* The details, one on each line.  The name is left out, since it is shown beside them. */
function Detail({ detail, named })
{
	const entries = Object.entries(detail ?? {}).filter(([name, value]) => !(name === 'name' && value === named));

	if (entries.length === 0)
		return null;
	return html`<ul class="detail">${entries.map(([name, value]) => html`<li key=${name}><span class="hint">${name}:</span> ${valueInWords(value)}</li>`)}</ul>`;
}

function subjectOf(entry)
{
	return entry.subjectName ?? entry.detail?.name ?? entry.detail?.email ?? entry.subject;
}

/*
 * A person who is also the target is named once.  The organization is not named, since it
 * is the one shown.
 */
function What({ entry })
{
	const self = entry.subject === undefined || entry.subject === entry.actor || entry.action.startsWith('org.');

	return html`<span>${ACTION_WORDS[entry.action] ?? entry.action}${!self && html` <strong>${subjectOf(entry)}</strong>`}</span>`;
}

const COLUMNS = [
	{ name: 'When', className: 'nowrap', cell: (row) => html`<${Time} at=${row.at} />` },
	{ name: 'Who', className: 'name', cell: (row) => row.actorName ?? row.actor },
	{ name: 'What', cell: (row) => html`<${What} entry=${row} />` },
	{ name: 'Details', cell: (row) => html`<${Detail} detail=${row.detail} named=${subjectOf(row)} />` },
];

export function AuditPage()
{
	const { administers, organization } = usePlace();
	const list = useList(administers ? '/audit' : null);

	return html`
		<${Page} title="Audit log" lead="Who did what, and when. Nothing here can be changed or deleted.">
			${!administers && html`<${Notice}>Your role in ${organization.name} is member. Only owners and admins see the audit log.<//>`}
			${administers && html`<${Loaded} from=${list} what="Loading the audit log">
				${(rows) => (rows.length === 0 ? html`<${Empty} title="Nothing yet"><p>Keys that are made and revoked, people who join, leave and sign in: all of it is written down here.</p><//>` : html`
					<${Table} label="Audit log" columns=${COLUMNS} rows=${rows} keyOf=${({ id }) => id} />
					<${More} list=${list} />`)}
			<//>`}
		<//>`;
}
