/*
 * members.js
 *		The members of the organization, and its invitations.
 *
 * Owners and admins change roles, remove members and invite people; an admin cannot change
 * an owner.  Everybody except the last owner can leave, which the gateway checks.
 */
import { announce } from '../ui/announce.js';
import { call, pathOf } from '../client/api.js';
import { Confirm } from '../ui/dialog.js';
import { Choice, TextField } from '../ui/form.js';
import { Time } from '../ui/format.js';
import { html, useRef, useState } from '../ui/html.js';
import { InvitationDialog, Invitations, LinkDialog } from './invitations.js';
import { useAction, useList } from '../client/load.js';
import { searchQuery, useSettled } from '../client/search.js';
import { Badge, ErrorNotice, Loaded, More, Notice } from '../ui/notice.js';
import { Page, usePlace } from '../ui/page.js';
import { Table } from '../ui/table.js';
import { useSecret } from '../ui/secret.js';

function rolesFor(organization)
{
	return organization.role === 'owner' ? ['owner', 'admin', 'member'] : ['admin', 'member'];
}

function RoleCell({ member, place, reload })
{
	const { administers, organization, me, refresh } = place;
	const action = useAction(async (role) =>
	{
		try
		{
			await call('PATCH', pathOf('members', member.userId), { json: { role } });
			announce(`${member.name} is ${role} now.`);
		}
		finally
		{
			reload();
			if (member.userId === me.userId)
				refresh();
		}
	});

	if (!administers || (member.role === 'owner' && organization.role !== 'owner'))
		return member.role;
	return html`
		<select aria-label=${`Role of ${member.name}`} value=${member.role} disabled=${action.busy} onChange=${(event) => action.run(event.target.value)}>
			${rolesFor(organization).map((role) => html`<option key=${role} value=${role} selected=${role === member.role}>${role}</option>`)}
		</select>
		<${ErrorNotice} error=${action.error} />`;
}

function columnsOf(place, reload)
{
	const { me } = place;

	return [
		{ name: 'Name', width: 14, cell: (row) => html`<span class="stack"><span><bdi>${row.name}</bdi>${row.userId === me.userId && ' (you)'}</span><span class="hint">${row.email}</span></span>` },
		{ name: 'Role', width: 8, cell: (row) => html`<${RoleCell} key=${row.role} member=${row} place=${place} reload=${reload} />` },
		{ name: 'Member since', width: 8, cell: (row) => html`<${Time} at=${row.createdAt} style="day" />` },
		{ name: 'Account', width: 7, cell: (row) => (row.disabled ? html`<${Badge} tone="bad">Disabled<//>` : html`<${Badge} tone="good">Active<//>`) },
	];
}

function actionsOf({ administers, organization, me }, ask)
{
	const buttonOf = (row) =>
	{
		if (row.userId === me.userId)
			return html`<button type="button" class="danger-quiet" onClick=${() => ask(row)}>Leave</button>`;
		if (!administers || (row.role === 'owner' && organization.role !== 'owner'))
			return null;
		return html`<button type="button" class="danger-quiet" onClick=${() => ask(row)}>Remove<span class="visually-hidden"> ${row.name}</span></button>`;
	};

	return { width: 7, about: (row) => row.name, of: (row) => [buttonOf(row)] };
}

export function LeaveDialog({ member, place, close })
{
	const { organization } = place;
	const act = async () =>
	{
		await call('DELETE', pathOf('members', member.userId));
		await place.reload();
		announce(`You have left ${organization.name}.`);
	};

	return html`
		<${Confirm} title=${`Leave ${organization.name}?`} label="Leave" busyLabel="Leaving" act=${act} close=${close}>
			<p>You lose access at once. To come back you need an invitation. Keys that you have made go on working.</p>
		<//>`;
}

/* The keys come second: until the person is removed they can make more. */
function RemoveDialog({ member, place, reload, close })
{
	const [keysToo, setKeysToo] = useState(false);
	const removed = useRef(false);
	const act = async () =>
	{
		/* If only the keys could not be revoked, another try begins there. */
		if (!removed.current)
			await call('DELETE', pathOf('members', member.userId));
		removed.current = true;

		const { revoked } = keysToo ? await call('POST', '/api-keys/revoke', { json: { createdBy: member.userId, reason: `${member.name} was removed` } }) : {};

		announce(`${member.name} is removed${keysToo ? `, and ${revoked === 1 ? '1 key is' : `${revoked} keys are`} revoked` : ''}.`);
		reload();
	};

	return html`
		<${Confirm} title=${`Remove ${member.name}?`} label="Remove" busyLabel="Removing" act=${act} close=${close}>
			<p><strong>${member.name}</strong> (${member.email}) loses access to ${place.organization.name} at once. Keys that they have made go on working.</p>
			<${Choice} name="keys" label="Revoke these keys too" description="programs that use them stop working at once" checked=${keysToo} change=${setKeysToo} />
		<//>`;
}

export function MembersPage()
{
	const place = usePlace();
	const { administers, organization, me } = place;
	const [text, setText] = useState('');
	const wanted = useSettled(text);
	const list = useList(administers ? `/members${searchQuery(wanted)}` : null, { focus: true, keep: true });
	const invitations = useList(administers ? '/invitations' : null, { focus: true });
	const [asked, ask] = useState(null);
	const [inviting, setInviting] = useState(false);
	const [made, setMade] = useSecret();
	const close = () => ask(null);
	const invite = administers && html`<button type="button" class="primary" onClick=${() => setInviting(true)}>Invite</button>`;
	const finish = (answer) =>
	{
		setInviting(false);
		setMade(answer);
		invitations.reload();
	};

	return html`
		<${Page} title="Members" lead=${`People who can sign in to ${organization.name}.`} actions=${invite}>
			${!administers && html`
				<${Notice}>Your role in ${organization.name} is member. Only owners and admins see and manage members.<//>
				<p><button type="button" class="danger-quiet" onClick=${() => ask(me)}>Leave ${organization.name}</button></p>`}
			${administers && html`
				<div class="filters" role="search">
					<${TextField} label="Filter by name or email" type="search" value=${text} change=${setText} autocomplete="off" maxlength="100" />
				</div>
				<${Loaded} from=${list} what="Loading members">
				${(rows) => html`
					${rows.length === 0 && list.complete && html`<p class="nothing">No member matches.</p>`}
					${rows.length > 0 && html`<${Table} label="Members" columns=${columnsOf(place, list.reload)} rows=${rows} keyOf=${({ userId }) => userId} actions=${actionsOf(place, ask)} />`}
					<${More} list=${list} />`}
			<//>`}
			<p class="hint">Owners and admins manage keys, sessions, webhooks and members. Members read, send and follow events.</p>
			${administers && html`<${Invitations} list=${invitations} />`}
			${asked && asked.userId === me.userId && html`<${LeaveDialog} member=${asked} place=${place} close=${close} />`}
			${asked && asked.userId !== me.userId && html`<${RemoveDialog} member=${asked} place=${place} reload=${list.reload} close=${close} />`}
			${inviting && html`<${InvitationDialog} roles=${rolesFor(organization)} close=${() => setInviting(false)} finish=${finish} />`}
			${made && html`<${LinkDialog} made=${made} close=${() => setMade(null)} />`}
		<//>`;
}
