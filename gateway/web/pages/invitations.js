/*
 * invitations.js
 *		The invitations on the page Members: the open ones, a new one, and its link.
 *
 * The link is a secret: whoever opens it can become a member.  The secret part is in its
 * fragment, which is sent to no server and written to no log.
 */
import { announce } from '../ui/announce.js';
import { call, pathOf } from '../client/api.js';
import { Dialog } from '../ui/dialog.js';
import { ActionButton, fieldError, Form, required, SelectField, TextField } from '../ui/form.js';
import { Time } from '../ui/format.js';
import { html, useState } from '../ui/html.js';
import { useAction } from '../client/load.js';
import { ErrorNotice, Loaded, More } from '../ui/notice.js';
import { Table } from '../ui/table.js';
import { hrefOf } from '../router.js';
import { SecretDialog } from '../ui/secret.js';

export function InvitationDialog({ roles, close, finish })
{
	const [email, setEmail] = useState('');
	const [role, setRole] = useState('member');
	const action = useAction(async () => finish(await call('POST', '/invitations', { json: { email: email.trim(), role } })),
		() => required('email', email, 'Enter the email address of the person.'));

	return html`
		<${Dialog} title="Invite somebody" close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label="Create invitation" busyLabel="Creating" fields=${['email', 'role']}>
				<${TextField} label="Email" type="email" autocomplete="off" value=${email} change=${setEmail} error=${fieldError(action, 'email')} focus />
				<${SelectField} label="Role" value=${role} change=${setRole} options=${roles.map((each) => [each, each])} error=${fieldError(action, 'role')} />
				<p class="hint">The gateway sends no mail: you get a link to pass on.</p>
			<//>
		<//>`;
}

export function LinkDialog({ made, close })
{
	return html`
		<${SecretDialog} title=${`Invitation for ${made.email}`} label="Invitation link" secret=${`${location.origin}/${hrefOf('invitation', made.invitation)}`} close=${close}>
			<p>Pass the link on to ${made.email}, and to nobody else. It works once, until ${' '}<${Time} at=${made.expiresAt} />.</p>
		<//>`;
}

function WithdrawButton({ invitation, reload })
{
	const action = useAction(async () =>
	{
		await call('DELETE', pathOf('invitations', invitation.id));
		announce(`The invitation for ${invitation.email} is withdrawn.`);
		reload();
	});

	return html`
		<${ActionButton} action=${action} label="Withdraw" busyLabel="Withdrawing" about=${invitation.email} tone="danger-quiet" onClick=${action.run} />
		<${ErrorNotice} error=${action.error} />`;
}

export function Invitations({ list })
{
	const columns = [
		{ name: 'Email', width: 14, cell: (row) => row.email },
		{ name: 'Role', width: 6.5, cell: (row) => row.role },
		{ name: 'Created', width: 7.5, cell: (row) => html`<${Time} at=${row.createdAt} style="day" />` },
		{ name: 'Expires', width: 7.5, cell: (row) => html`<${Time} at=${row.expiresAt} style="distance" />` },
	];
	const actions = { width: 8, about: (row) => row.email, of: (row) => [html`<${WithdrawButton} invitation=${row} reload=${list.reload} />`] };

	return html`
		<section aria-labelledby="invitations">
			<h2 id="invitations">Open invitations</h2>
			<${Loaded} from=${list} what="Loading invitations">
				${(rows) => (rows.length === 0 ? html`<p class="nothing">Nobody is invited.</p>` : html`
					<${Table} label="Open invitations" columns=${columns} rows=${rows} keyOf=${({ id }) => id} actions=${actions} />
					<${More} list=${list} />`)}
			<//>
		</section>`;
}
