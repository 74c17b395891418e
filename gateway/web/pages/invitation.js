/*
 * invitation.js
 *		Accepting an invitation, with a new account or with an existing one.
 */
import { auth } from '../client/api.js';
import { Choice, fieldError, Form, Group, required, TextField } from '../ui/form.js';
import { Time } from '../ui/format.js';
import { html, useEffect, useRef, useState } from '../ui/html.js';
import { useAction, useLoad } from '../client/load.js';
import { errorText, Loading, Notice } from '../ui/notice.js';
import { Brand } from './sign_in.js';
import { forgetInvitation, goTo, hrefOf, takenInvitation } from '../router.js';

function Invalid({ error })
{
	const known = error?.status === 404 || !error;

	return html`
		<h1>${known ? 'This invitation is not valid' : 'The invitation could not be read'}</h1>
		<p>${known ? 'It was used, withdrawn or replaced by a newer one, or it has expired. Ask for another one. If you have just reloaded this page, open the link again.' :
			error.message}</p>
		<p><a href=${hrefOf('')}>Go to the dashboard</a></p>`;
}

/*
 * The invitation can be used once, and is kept while the page is shown.  After it was
 * accepted the router no longer has it, and the page goes on to the dashboard.
 */
function useInvitation()
{
	const kept = useRef(null);

	kept.current = takenInvitation() ?? kept.current;
	return kept.current;
}

function Accept({ invitation, invited, account, actions })
{
	const [isNew, setNew] = useState(true);
	const [name, setName] = useState('');
	const [password, setPassword] = useState('');
	const action = useAction(async () =>
	{
		const accepted = await auth('POST', '/invitation/accept', { invitation, password, ...(isNew && { name: name.trim() }) });

		try
		{
			await actions.signIn(accepted.email, password);
			await actions.switchTo(accepted.organizationId);
		}
		catch (error)
		{
			actions.askToSignIn(`You have joined ${invited.organization}. Sign in as ${accepted.email} to go on. ${errorText(error)}`);
		}
		forgetInvitation();
		goTo('');
	}, () => ({ ...(isNew && required('name', name, 'Enter your name.')), ...required('password', password, 'Enter a password.') }));

	return html`
		<h1>Join ${invited.organization}</h1>
		<p>You are invited as <strong>${invited.role}</strong> with the address <strong>${invited.email}</strong>.
			The invitation is valid until ${' '}<${Time} at=${invited.expiresAt} />.</p>
		${account.phase === 'in' && account.me.email !== invited.email && html`
			<${Notice} kind="warning">You are signed in as ${account.me.email}. Accepting signs you in as ${invited.email} instead.<//>`}
		<${Form} action=${action} submit=${action.run} label="Join" busyLabel="Joining" fields=${['name', 'password']} wide>
			<${Group} legend="Your account">
				<${Choice} type="radio" group="account" name="new" label="I am new here" checked=${isNew} change=${() => setNew(true)} />
				<${Choice} type="radio" group="account" name="known" label="I have an account" checked=${!isNew} change=${() => setNew(false)} />
			<//>
			${isNew && html`<${TextField} label="Your name" autocomplete="name" value=${name} change=${setName}
				error=${fieldError(action, 'name')} required />`}
			<${TextField} label="Password" type="password" autocomplete=${isNew ? 'new-password' : 'current-password'}
				hint=${isNew ? 'At least 10 characters.' : 'The password of your account.'} value=${password} change=${setPassword}
				error=${fieldError(action, 'password')} required />
		<//>`;
}

export function InvitationPage({ account, actions })
{
	const invitation = useInvitation();
	const { data, error } = useLoad(async () => (invitation ? await auth('POST', '/invitation', { invitation }) : null), [invitation]);

	useEffect(() => { document.title = 'Invitation · wa_apikeys'; }, []);
	return html`
		<main class="alone">
			<${Brand} />
			<div class="card">
				${data === undefined && !error && html`<${Loading} what="Reading the invitation" />`}
				${(error || data === null) && html`<${Invalid} error=${error} />`}
				${data && html`<${Accept} invitation=${invitation} invited=${data} account=${account} actions=${actions} />`}
			</div>
		</main>`;
}
