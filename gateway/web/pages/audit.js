/*
 * audit.js
 *		Audit log: who changed keys, members and the organization, newest first, and what of it
 *		is shown.
 */
import { ACTION_WORDS } from './audit_words.js';
import { ExportButton } from './audit_export.js';
import { AuditFilters, isFiltered, NO_FILTERS, queryOf } from './audit_filters.js';
import { Time } from '../ui/format.js';
import { html, useState } from '../ui/html.js';
import { useList } from '../client/load.js';
import { Empty, Loaded, More, Notice } from '../ui/notice.js';
import { Page, usePlace } from '../ui/page.js';
import { Table } from '../ui/table.js';

/* A time as the database writes it. */
const A_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/;

function valueInWords(value)
{
	if (A_TIME.test(value))
		return html`<${Time} at=${Date.parse(value)} />`;
	if (Array.isArray(value))
		return value.map(String).join(', ') || 'none';
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
	{ name: 'When', width: 10, cell: (row) => html`<${Time} at=${row.at} />` },
	{ name: 'Who', width: 10, cell: (row) => row.actorName ?? row.actor },
	{ name: 'What', width: 12, cell: (row) => html`<${What} entry=${row} />` },
	{ name: 'Details', width: 12, cell: (row) => html`<${Detail} detail=${row.detail} named=${subjectOf(row)} />` },
];

function Entries({ list, rows, filtered })
{
	if (rows.length === 0)
		return filtered ? html`<p class="nothing">No entry matches.</p>` : html`
			<${Empty} title="Nothing yet"><p>Keys that are made and revoked, people who join, leave and sign in: all of it is written down here.</p><//>`;
	return html`
		<${Table} label="Audit log" columns=${COLUMNS} rows=${rows} keyOf=${({ id }) => id} />
		<${More} list=${list} />`;
}

/*
 * The gateway filters, so that a filter finds what is on no page that was loaded.  The address
 * may name whose entries are shown first.
 */
export function AuditPage({ rest })
{
	const { administers, organization } = usePlace();
	const [filters, setFilters] = useState({ ...NO_FILTERS, subject: rest[0] ?? '' });
	const list = useList(administers ? `/audit${queryOf(filters)}` : null, { focus: true });
	const members = useList(administers ? '/members' : null, { limit: 200, pages: 5 });
	const button = administers && html`<${ExportButton} organization=${organization} />`;

	return html`
		<${Page} title="Audit log" lead="Who did what, and when. Nothing here can be changed or deleted." actions=${button}>
			${!administers && html`<${Notice}>Your role in ${organization.name} is member. Only owners and admins see the audit log.<//>`}
			${administers && html`
				<${AuditFilters} filters=${filters} change=${setFilters} members=${members.rows ?? []} rows=${list.rows ?? []} />
				<${Loaded} from=${list} what="Loading the audit log">
					${(rows) => html`<${Entries} list=${list} rows=${rows} filtered=${isFiltered(filters)} />`}
				<//>`}
		<//>`;
}
