/*
 * audit_filters.js
 *		What of the audit log is shown: the fields, and the query that they make.
 */
import { ACTION_WORDS } from './audit_words.js';
import { SelectField, TextField } from '../ui/form.js';
import { html } from '../ui/html.js';

export const NO_FILTERS = { action: '', actor: '', subject: '', from: '', to: '' };

export const isFiltered = (filters) => Object.values(filters).some((value) => value !== '');

/* An id that is being typed is none yet, and is not asked for. */
const isId = (text) => /^[a-z]{1,8}_[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(text);

/* Midnight in the person's time zone, so many days later; undefined without a day. */
function midnight(day, later)
{
	const time = new Date(`${day}T00:00:00`);

	time.setDate(time.getDate() + later);
	return Number.isNaN(time.getTime()) ? undefined : time.getTime();
}

/* Both days are included. */
export function queryOf({ action, actor, subject, from, to })
{
	const given = { action, actor, subject: isId(subject.trim()) ? subject.trim() : '', from: midnight(from, 0), to: midnight(to, 1) };
	const query = new URLSearchParams(Object.entries(given).filter(([, value]) => value !== '' && value !== undefined));

	return query.size === 0 ? '' : `?${query}`;
}

/* Members, and whoever else is in the rows: keys, former members, roles of the database. */
function actorsOf(members, rows, chosen)
{
	const names = new Map([
		...rows.map((row) => [row.actor, row.actorName ?? row.actor]),
		...members.map((member) => [member.userId, member.name]),
	]);

	if (chosen !== '' && !names.has(chosen))
		names.set(chosen, chosen);
	return [...names].sort(([, one], [, other]) => one.localeCompare(other));
}

export function AuditFilters({ filters, change, members, rows })
{
	const set = (name) => (value) => change({ ...filters, [name]: value });
	const actions = Object.entries(ACTION_WORDS).map(([action]) => [action, action]).sort();
	const wrong = filters.subject.trim() !== '' && !isId(filters.subject.trim());

	return html`
		<div class="filters" role="search">
			<${SelectField} label="Action" value=${filters.action} change=${set('action')} options=${[['', 'All actions'], ...actions]} />
			<${SelectField} label="By" value=${filters.actor} change=${set('actor')} options=${[['', 'Everybody'], ...actorsOf(members, rows, filters.actor)]} />
			<${TextField} label="Of the key, person, session …" placeholder="key_…" value=${filters.subject} change=${set('subject')}
				error=${wrong ? 'must be an id, such as key_…' : null} autocomplete="off" spellcheck=${false} />
			<${TextField} label="From" type="date" value=${filters.from} change=${set('from')} />
			<${TextField} label="To" type="date" value=${filters.to} change=${set('to')} />
			${isFiltered(filters) && html`<button type="button" onClick=${() => change(NO_FILTERS)}>Show all</button>`}
		</div>`;
}
