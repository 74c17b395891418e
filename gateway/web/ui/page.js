/*
 * page.js
 *		The frame of a page, and the person and the organization, which all pages know.
 */
import { createContext, html, useContext, useEffect, useRef } from './html.js';

/*
 * { me, organization: { id, name, role }, permissions, administers, switchTo, refresh, signOut }
 * The pages are created anew for each organization, so while a page exists only the role
 * can change.
 */
export const Place = createContext(null);

export function usePlace()
{
	return useContext(Place);
}

let first = true;

/*
 * A heading, an introduction and buttons.  When a page opens, its heading gets the focus,
 * as with a new document; only the first page does not need that, since it is a new
 * document.  "of" names what a page shows that is not created anew for it (shell.js).  "back" is a link to the parent page: { href, label, narrow }, where "narrow"
 * shows it only on a phone.
 */
export function Page({ title, lead, actions, children, back, of })
{
	const heading = useRef(null);

	useEffect(() =>
	{
		if (!first)
			heading.current.focus();
		first = false;
	}, [of]);
	useEffect(() => { document.title = `${title} · wa_apikeys`; }, [title]);
	return html`
		<div class="page">
			${back && html`<p class=${back.narrow ? 'back narrow' : 'back'}><a href=${back.href}>← ${back.label}</a></p>`}
			<header class="page-head">
				<div>
					<h1 ref=${heading} tabindex="-1">${title}</h1>
					${lead && html`<p class="lead">${lead}</p>`}
				</div>
				${actions && html`<div class="actions">${actions}</div>`}
			</header>
			${children}
		</div>`;
}
