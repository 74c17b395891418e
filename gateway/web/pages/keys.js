/*
 * keys.js
 *		API Keys: find, create, change, rotate, switch off and revoke them, and see their use.
 *
 * The secret of a new key is on this page only once (secret.js).
 */
import { announce } from '../ui/announce.js';
import { call, pathOf } from '../client/api.js';
import { now } from '../client/clock.js';
import { Confirm } from '../ui/dialog.js';
import { SelectField, TextField } from '../ui/form.js';
import { DAY, Time } from '../ui/format.js';
import { html, useRef, useState } from '../ui/html.js';
import { ChangeKeyDialog, NewKeyDialog, RevokeKeyDialog, RotateKeyDialog } from './keys_dialogs.js';
import { AllKeys, usePolicy } from './keys_policy.js';
import { OperatorsKey, operatorsOf, usePermissions } from './keys_permissions.js';
import { RestrictionTags } from './keys_restrictions.js';
import { SessionCount } from './keys_sessions.js';
import { TryKey } from './keys_snippets.js';
import { KeyUsageDialog } from './keys_usage.js';
import { useList } from '../client/load.js';
import { includes, searchQuery, useSettled } from '../client/search.js';
import { hrefOf } from '../router.js';
import { Badge, Empty, Loaded, More, Notice } from '../ui/notice.js';
import { Page, usePlace } from '../ui/page.js';
import { Table } from '../ui/table.js';
import { Copyable, SecretDialog, useSecret } from '../ui/secret.js';

const SOON_MS = 7 * DAY;
const PAGE = { limit: 200 };
const SESSIONS = { limit: 200, pages: 5 };		/* to know those that keys are restricted to by name */

/* The states of a key: its badge, and under which filter it is found. */
const STATES = {
	live: { words: 'Active', tone: 'good', group: 'live' },
	soon: { words: 'Expires soon', tone: 'warn', group: 'live' },
	rotated: { words: 'Rotated, still valid', tone: 'warn', group: 'live' },
	disabled: { words: 'Switched off', tone: 'warn', group: 'off' },
	expired: { words: 'Expired', tone: 'neutral', group: 'over' },
	revoked: { words: 'Revoked', tone: 'bad', group: 'over' },
};

/* The status is the database's; only what is said of a live key depends on the time left. */
function stateOf(key)
{
	return key.status === 'live' && key.expiresAt !== undefined && key.expiresAt - now() < SOON_MS ? 'soon' : key.status;
}

const groupOf = (key) => STATES[stateOf(key)].group;

const FILTERS = [['all', 'All keys'], ['live', 'Valid keys'], ['off', 'Switched off'], ['over', 'Ended keys']];

/*
 * What the gateway is asked for: a text, or the beginning of a key, as a log or code shows it
 * (perhaps with … or * behind).  Only the first characters of a key are known there, and no more
 * of one that somebody has pasted here leave the page.
 */
function lookedFor(text)
{
	const [begin] = text.trim().replace(/[….*]+$/, '').match(/^wa_(test_)?.{0,5}/) ?? [];

	return begin ?? text.trim();
}

/* Whether a key that is known already matches, until the gateway has answered. */
function matches(key, wanted)
{
	return includes(key.name, wanted) || wanted === key.id || (wanted.startsWith('wa_') && (wanted.startsWith(key.prefix) || key.prefix.startsWith(wanted)));
}

/*
 * Of a creator without a name only the beginning of the id is shown, which is enough to
 * look it up.
 */
function creatorOf(key, me)
{
	return key.createdBy === me.userId ? 'you' : key.createdByName ?? key.createdBy.replace(/^([a-z]+_.{6}).+$/, '$1…');
}

/* Whether its state allows it. */
function isRotatable(key)
{
	return groupOf(key) !== 'over' && key.rotatedTo === undefined && key.disabledAt === undefined;
}

function KeyCell({ row })
{
	return html`
		<span class="stack">
			<bdi>${row.name}</bdi>
			<span class="hint"><code>${row.prefix}…</code>${row.test && html` <${Badge} tone="neutral">Test key<//>`}</span>
		</span>`;
}

function StatusCell({ row })
{
	const { tone, words } = STATES[stateOf(row)];

	return html`<span class="stack"><${Badge} tone=${tone}>${words}<//>${row.status === 'expired' && row.rotatedTo && html`<span class="hint">rotated</span>`}${row.revokedReason && html`<span class="hint">${row.revokedReason}</span>`}</span>`;
}

function PermissionsCell({ row, sessions, permissions })
{
	return html`
		<span class="stack">
			<span class="tags">${row.permissions.map((name) => html`<span key=${name} class="tag">${name}</span>`)}<${RestrictionTags} row=${row} /></span>
			<${SessionCount} sessions=${row.sessions} list=${sessions} />
			${isRotatable(row) && html`<${OperatorsKey} names=${operatorsOf(row, permissions)} />`}
		</span>`;
}

const timeOrNever = (at) => (at === undefined ? html`<span class="hint">never</span>` : html`<${Time} at=${at} style="distance" />`);

function columnsOf(me, sessions, permissions)
{
	return [
		{ name: 'Key', width: 12, cell: (row) => html`<${KeyCell} row=${row} />` },
		{ name: 'Status', width: 10.5, cell: (row) => html`<${StatusCell} row=${row} />` },
		{ name: 'Permissions', width: 9.5, cell: (row) => html`<${PermissionsCell} row=${row} sessions=${sessions} permissions=${permissions} />` },
		{ name: 'Created', width: 8, cell: (row) => html`<span class="stack"><${Time} at=${row.createdAt} style="day" /><span class="hint">by ${creatorOf(row, me)}</span></span>` },
		{ name: 'Last used', width: 7, cell: (row) => timeOrNever(row.lastUsedAt) },
		{ name: 'Expires', width: 7, cell: (row) => timeOrNever(row.expiresAt) },
	];
}

function actionsOf(open, permissions)
{
	const button = (label, dialog, row, tone) => html`
		<button type="button" class=${tone} onClick=${() => open({ dialog, key: row })}>${label}<span class="visually-hidden"> ${row.name}</span></button>`;

	return {
		width: 27, short: 5, about: (row) => row.name,
		of(row)
		{
			const over = groupOf(row) === 'over';
			const changes = !over && row.rotatedTo === undefined;

			return [
				button('Usage', 'usage', row),
				html`<a class="button" href=${hrefOf('audit', row.id)}>Audit log<span class="visually-hidden"> of ${row.name}</span></a>`,
				changes && button('Change', 'change', row),
				isRotatable(row) && operatorsOf(row, permissions).length === 0 && button('Rotate', 'rotate', row),
				changes && (row.disabledAt === undefined ? button('Switch off', 'off', row) : button('Switch on', 'on', row)),
				!over && button('Revoke', 'revoke', row, 'danger-quiet'),
			];
		},
	};
}

function EmptyKeys({ create })
{
	return html`
		<${Empty} title="No API keys yet" action=${create}>
			<p>An API key lets a program use this organization’s WhatsApp sessions. Give each program a key of its own, with only the permissions it needs: then one of them can be revoked without stopping the others.</p>
		<//>`;
}

/* The keys of a state, among those that are found. */
function Keys({ rows, list, wanted, filter, sessions, permissions, open })
{
	const { me, administers } = usePlace();
	const shown = rows.filter((key) => (filter === 'all' || groupOf(key) === filter) && (list.current || matches(key, wanted)));

	return html`
		${shown.length === 0 ? html`<p class="nothing">No key matches.</p>` : html`
			<${Table} label="API keys" columns=${columnsOf(me, sessions, permissions)} rows=${shown} keyOf=${({ id }) => id} actions=${administers && actionsOf(open, permissions)} />`}
		<${More} list=${list} />`;
}

/* "search" is what useKeys() returns.  An organization without keys has nothing to look for. */
function KeysList({ search: { list, text, setText, wanted }, sessions, permissions, open, create })
{
	const [filter, setFilter] = useState('all');
	const known = useRef(false);

	known.current ||= list.rows?.length > 0;
	return html`
		${known.current && html`
			<div class="filters" role="search">
				<${TextField} label="Filter by name, id or beginning of the key" type="search" value=${text} change=${setText} autocomplete="off" />
				<${SelectField} label="Show" value=${filter} change=${setFilter} options=${FILTERS} />
			</div>`}
		<${Loaded} from=${list} what="Loading keys">
			${(rows) => (known.current ? html`
				<${Keys} rows=${rows} list=${list} wanted=${wanted} filter=${filter} sessions=${sessions} permissions=${permissions} open=${open} />` : html`
				<${EmptyKeys} create=${create} />`)}
		<//>`;
}

/* The keys, and what is looked for among them: what is typed now, and what the gateway was asked for. */
function useKeys(administers)
{
	const [text, setText] = useState('');
	const wanted = lookedFor(text);
	const settled = useSettled(wanted);
	const when = { live: ({ event }) => event.startsWith('key.'), focus: true, keep: true };
	const { current, rows, ...list } = useList(administers ? `/api-keys${searchQuery(settled)}` : null, { ...PAGE, ...when });
	const all = useRef(undefined);		/* what was read last without a search, to look through until the answer is there */

	if (current && settled === '')
		all.current = rows;

	const isCurrent = current && settled === wanted;

	return { list: { ...list, rows: isCurrent ? rows : all.current ?? rows, current: isCurrent }, text, setText, wanted };
}

function MadeDialog({ made, close })
{
	return html`
		<${SecretDialog} title=${made.replaces ? `New secret of “${made.name}”` : `Key “${made.name}” is ready`} label="API key" secret=${made.key} close=${close}>
			${made.replaces && html`<p>${made.previousExpiresAt <= now() ? 'The old key has ended.' : html`The old key works until <${Time} at=${made.previousExpiresAt} />; put the new one in its place before that.`}</p>`}
			<p>${made.expiresAt === undefined ? 'It never expires.' : html`It expires <${Time} at=${made.expiresAt} />.`}</p>
			${made.test && html`<p>This is a test key: it reaches only the sessions of the sandbox.</p>`}
			<${TryKey} made=${made} />
			<${Copyable} label="Id" text=${made.id} />
		<//>`;
}

/* The gateway shows no keys to a member.  The page says so, and whom to ask. */
export function KeysPage()
{
	const { administers, organization } = usePlace();
	const search = useKeys(administers);
	const { list } = search;
	const sessions = useList(administers ? '/sessions' : null, SESSIONS);
	const [opened, open] = useState({ dialog: null });
	const [made, setMade] = useSecret();
	const { policy, error: policyError, reload: reloadPolicy } = usePolicy(administers ? '/api-keys/policy' : null);
	const permissions = usePermissions(administers ? '/api-keys/permissions' : null);
	const close = () => open({ dialog: null });
	const create = administers && html`<button type="button" class="primary" onClick=${() => open({ dialog: 'new' })}>New key</button>`;
	const finish = (answer) =>
	{
		close();
		setMade(answer);
		list.reload();
	};
	const change = (words) =>
	{
		close();
		announce(words);
		list.reload();
	};
	const switchTo = (enabled) => async () =>
	{
		await call('PATCH', pathOf('api-keys', opened.key.id), { json: { enabled } });
		announce(`Key “${opened.key.name}” ${enabled ? 'works again' : 'is switched off'}.`);
		list.reload();
	};
	const reloadAll = () =>
	{
		list.reload();
		reloadPolicy();
	};

	return html`
		<${Page} title="API Keys" lead=${`What programs use to act for ${organization.name}.`} actions=${create}>
			${!administers && html`<${Notice}>Your role in ${organization.name} is member. Only owners and admins make and manage API keys; ask one of them for a key.<//>`}
			${administers && html`<${KeysList} search=${search} sessions=${sessions} permissions=${permissions} open=${open} create=${create} />`}
			${administers && html`<${AllKeys} organization=${organization} policy=${policy} error=${policyError} reload=${reloadAll} />`}
			${opened.dialog === 'new' && html`<${NewKeyDialog} policy=${policy ?? {}} permissions=${permissions} sessions=${sessions} close=${close} finish=${finish} />`}
			${opened.dialog === 'usage' && html`<${KeyUsageDialog} apiKey=${opened.key} close=${close} />`}
			${opened.dialog === 'change' && html`<${ChangeKeyDialog} apiKey=${opened.key} policy=${policy ?? {}} permissions=${permissions} sessions=${sessions} close=${close} finish=${change} />`}
			${opened.dialog === 'rotate' && html`<${RotateKeyDialog} apiKey=${opened.key} policy=${policy ?? {}} close=${close} finish=${finish} />`}
			${opened.dialog === 'revoke' && html`<${RevokeKeyDialog} apiKey=${opened.key} close=${close} reload=${list.reload} />`}
			${opened.dialog === 'on' && html`
				<${Confirm} title=${`Switch “${opened.key.name}” on?`} label="Switch on" busyLabel="Switching on" tone="primary" act=${switchTo(true)} close=${close}>
					<p>Programs that have the key <strong>${opened.key.name}</strong> (<code>${opened.key.prefix}…</code>) can use it again at once.</p>
				<//>`}
			${opened.dialog === 'off' && html`
				<${Confirm} title=${`Switch “${opened.key.name}” off?`} label="Switch off" busyLabel="Switching off" act=${switchTo(false)} close=${close}>
					<p>Every request with the key <strong>${opened.key.name}</strong> (<code>${opened.key.prefix}…</code>) is refused at once, until it is switched on again.</p>
				<//>`}
			${made && html`<${MadeDialog} made=${made} close=${() => setMade(null)} />`}
		<//>`;
}
