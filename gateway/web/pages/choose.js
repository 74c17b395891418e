/*
 * choose.js
 *		The page for a person who is signed in, while no organization is active.
 */
import { html, useEffect } from '../ui/html.js';
import { useAction } from '../client/load.js';
import { ErrorNotice } from '../ui/notice.js';
import { Brand } from './sign_in.js';

export function ChooseOrganization({ me, actions })
{
	const leaving = useAction(actions.signOut);

	useEffect(() => { document.title = 'Organization · wa_apikeys'; }, []);
	return html`
		<main class="alone">
			<${Brand} />
			<div class="card">
				${me.organizations.length === 0 ? html`
					<h1>No organization yet</h1>
					<p>${me.email} is not a member of any organization. Ask an owner for an invitation and open the link in it.</p>` : html`
					<h1>Choose an organization</h1>
					<ul class="plain">${me.organizations.map(({ id, name, role }) => html`
						<li key=${id}><button type="button" class="row-button" onClick=${() => actions.switchTo(id)}>
							<span>${name}</span><span class="hint">${role}</span>
						</button></li>`)}</ul>`}
				<${ErrorNotice} error=${leaving.error} />
				<div class="buttons"><button type="button" onClick=${leaving.run}>Sign out</button></div>
			</div>
		</main>`;
}
