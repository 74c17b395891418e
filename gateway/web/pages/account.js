/*
 * account.js
 *		The person's own account: password, organizations, sign out.
 */
import { auth } from '../client/api.js';
import { fieldError, Form, required, SelectField, TextField } from '../ui/form.js';
import { html, useState } from '../ui/html.js';
import { useAction } from '../client/load.js';
import { ErrorNotice, Notice } from '../ui/notice.js';
import { Page, usePlace } from '../ui/page.js';
import { LeaveDialog } from './members.js';
import { chosenTheme, chooseTheme, THEMES } from '../ui/theme.js';

function PasswordForm({ me })
{
	const [oldPassword, setOld] = useState('');
	const [newPassword, setNew] = useState('');
	const [changed, setChanged] = useState(false);
	const action = useAction(async () =>
	{
		setChanged(false);
		await auth('POST', '/password', { oldPassword, newPassword });
		setOld('');
		setNew('');
		setChanged(true);
	}, () => ({ ...required('oldPassword', oldPassword), ...required('newPassword', newPassword) }));

	return html`
		<${Form} action=${action} submit=${action.run} label="Change password" busyLabel="Changing" fields=${['oldPassword', 'newPassword']} wide>
			<input type="text" class="visually-hidden" autocomplete="username" value=${me.email} readonly tabindex="-1" aria-hidden="true" />
			<${TextField} label="Present password" type="password" autocomplete="current-password" value=${oldPassword} change=${setOld} error=${fieldError(action, 'oldPassword')} />
			<${TextField} label="New password" hint="At least 10 characters. You stay signed in here and are signed out everywhere else." type="password"
				autocomplete="new-password" value=${newPassword} change=${setNew} error=${fieldError(action, 'newPassword')} />
			<div role="status">${changed && html`<${Notice} kind="good">The password is changed. Everywhere else you are signed out.<//>`}</div>
		<//>`;
}

function ThemeChoice()
{
	const [theme, setTheme] = useState(chosenTheme());
	const change = (value) =>
	{
		setTheme(value);
		chooseTheme(value);
	};

	return html`<div class="form"><${SelectField} label="Theme" hint="In this browser." value=${theme} change=${change} options=${THEMES} /></div>`;
}

export function AccountPage()
{
	const place = usePlace();
	const { me, organization, signOut } = place;
	const [asking, ask] = useState(false);
	const leaving = useAction(signOut);

	return html`
		<${Page} title="Account" lead=${me.email}>
			<section class="card" aria-labelledby="you">
				<h2 id="you">${me.name}</h2>
				<dl class="facts">${me.organizations.map(({ id, name, role }) => html`
					<div key=${id}><dt>${name}${id === organization.id && ' (active)'}</dt><dd>${role}</dd></div>`)}</dl>
				<${ErrorNotice} error=${leaving.error} />
				<div class="buttons start"><button type="button" onClick=${leaving.run} disabled=${leaving.busy}>Sign out</button>
					<button type="button" class="danger-quiet" onClick=${() => ask(true)}>Leave ${organization.name}</button></div>
				${asking && html`<${LeaveDialog} member=${me} place=${place} close=${() => ask(false)} />`}
			</section>
			<section class="card" aria-labelledby="appearance">
				<h2 id="appearance">Appearance</h2>
				<${ThemeChoice} />
			</section>
			<section class="card" aria-labelledby="password">
				<h2 id="password">Password</h2>
				<${PasswordForm} me=${me} />
			</section>
		<//>`;
}
