/*
 * sign_in.js
 *		The page to sign in.
 */
import { fieldError, Form, required, TextField } from '../ui/form.js';
import { html, useEffect, useState } from '../ui/html.js';
import { useAction } from '../client/load.js';
import { Notice } from '../ui/notice.js';

export function Brand()
{
	return html`<p class="brand"><img src="/web/favicon.svg" alt="" width="28" height="28" />wa_apikeys</p>`;
}

export function SignInPage({ actions, notice })
{
	const [email, setEmail] = useState('');
	const [password, setPassword] = useState('');
	const action = useAction(() => actions.signIn(email.trim(), password),
		() => ({ ...required('email', email, 'Enter your email address.'), ...required('password', password, 'Enter your password.') }));

	useEffect(() => { document.title = 'Sign in · wa_apikeys'; }, []);
	return html`
		<main class="alone">
			<${Brand} />
			<div class="card">
				<h1>Sign in</h1>
				${notice && html`<${Notice} kind="warning">${notice}<//>`}
				<${Form} action=${action} submit=${action.run} label="Sign in" busyLabel="Signing in" fields=${['email', 'password']} wide>
					<${TextField} label="Email" type="email" autocomplete="username" value=${email} change=${setEmail} error=${fieldError(action, 'email')} focus required />
					<${TextField} label="Password" type="password" autocomplete="current-password" value=${password}
						change=${setPassword} error=${fieldError(action, 'password')} required />
				<//>
			</div>
			<p class="hint">No account? Ask an owner of your organization for an invitation.</p>
		</main>`;
}
