/*
 * shell.js
 *		The frame around the pages of an organization: its name, the navigation, and the
 *		person who is signed in.
 */
import { call } from './client/api.js';
import { html, useEffect, useId, useState } from './ui/html.js';
import { startLive } from './client/live.js';
import { useAction, useLoad } from './client/load.js';
import { ErrorNotice, Loading } from './ui/notice.js';
import { Page, Place } from './ui/page.js';
import { AccountPage } from './pages/account.js';
import { AuditPage } from './pages/audit.js';
import { ChatsPage } from './pages/chats.js';
import { EventsPage } from './pages/events.js';
import { HomePage } from './pages/home.js';
import { KeysPage } from './pages/keys.js';
import { MembersPage } from './pages/members.js';
import { SessionsPage } from './pages/sessions.js';
import { Brand } from './pages/sign_in.js';
import { WebhooksPage } from './pages/webhooks.js';
import { hrefOf } from './router.js';

/*
 * The pages that only owners and admins can use are not in a member's navigation.  A page is created
 * anew for each address, except one that is "steady": it has parts that stay.
 */
const PAGES = [
	{ section: 'home', title: 'Home', page: HomePage },
	{ section: 'keys', title: 'API Keys', page: KeysPage, administrative: true },
	{ section: 'sessions', title: 'Sessions', page: SessionsPage },
	{ section: 'chats', title: 'Chats', page: ChatsPage, steady: true },
	{ section: 'webhooks', title: 'Webhooks', page: WebhooksPage, administrative: true },
	{ section: 'events', title: 'Events', page: EventsPage },
	{ section: 'members', title: 'Members', page: MembersPage, administrative: true },
	{ section: 'audit', title: 'Audit log', page: AuditPage, administrative: true },
	{ section: 'account', title: 'Account', page: AccountPage },
];

function NotFound()
{
	return html`<${Page} title="There is no such page"><p><a href=${hrefOf('')}>Go to the dashboard</a></p><//>`;
}

/* With one organization nothing can be switched, but its name is shown. */
function Organization({ me, organization, switchTo })
{
	const id = useId();

	if (me.organizations.length === 1)
		return html`<p class="organization"><span class="label">Organization</span><strong title=${organization.name}>${organization.name}</strong></p>`;
	return html`
		<div class="organization">
			<label class="label" for=${id}>Organization</label>
			<select id=${id} value=${organization.id} onChange=${(event) => switchTo(event.target.value)}>
				${me.organizations.map((each) => html`
					<option key=${each.id} value=${each.id} selected=${each.id === organization.id}>${each.name}</option>`)}
			</select>
		</div>`;
}

function Navigation({ section, pages, route, me, signOut })
{
	const [open, setOpen] = useState(false);
	const leaving = useAction(signOut);

	useEffect(() => setOpen(false), [route]);
	return html`
		<button type="button" class="menu-button" aria-expanded=${String(open)} aria-controls="menu" onClick=${() => setOpen(!open)}>Menu</button>
		<div id="menu" class=${open ? 'menu open' : 'menu'}>
			<nav aria-label="Pages">
				<ul>${pages.map((page) => html`
					<li key=${page.section}><a href=${hrefOf(page.section)} aria-current=${page.section === section ? 'page' : null}
						onClick=${() => setOpen(false)}>${page.title}</a></li>`)}</ul>
			</nav>
			<div class="person">
				<p><a href="/docs">API reference</a></p>
				<p><strong title=${me.name}>${me.name}</strong><span class="hint">${me.email}</span></p>
				<${ErrorNotice} error=${leaving.error} />
				<button type="button" onClick=${leaving.run} disabled=${leaving.busy}>Sign out</button>
			</div>
		</div>`;
}

function focusMain(event)
{
	event.preventDefault();
	(document.querySelector('main h1') ?? document.querySelector('main')).focus();
}

export function Shell({ me, actions, route })
{
	const organization = me.organizations.find(({ id }) => id === me.activeOrganizationId) ??
		{ id: me.activeOrganizationId, name: me.activeOrganizationId, role: 'member' };
	const administers = organization.role !== 'member';
	const pages = PAGES.filter(({ administrative }) => administers || !administrative);
	const section = route.section || pages[0].section;

	/* The role may change while the dashboard is open, so it is read again with each page. */
	useEffect(() => { actions.refresh(); }, [section]);

	/* The page Events has the socket begin at the events that it shows. */
	useEffect(() => (section === 'events' ? undefined : startLive()), [section === 'events']);

	/* The gateway decides what the token may do. */
	const rights = useLoad((signal) => call('GET', '/me', { signal }), [organization.role]);
	const page = PAGES.find((each) => each.section === section);
	const Current = page?.page ?? NotFound;
	const place = rights.data && {
		me, organization,
		permissions: new Set(rights.data.permissions),
		administers,
		refresh: actions.refresh, reload: actions.load, signOut: actions.signOut,
	};

	return html`
		<a class="skip" href="#main" onClick=${focusMain}>Skip to the page</a>
		<div class="shell">
			<header class="side">
				<${Brand} />
				<${Organization} me=${me} organization=${organization} switchTo=${actions.switchTo} />
				<${Navigation} section=${section} pages=${pages} route=${route} me=${me} signOut=${actions.signOut} />
			</header>
			<main id="main" tabindex="-1">
				<${ErrorNotice} error=${rights.error} retry=${rights.reload} />
				${!place && !rights.error && html`<${Loading} />`}
				${place && html`
					<${Place.Provider} value=${place}>
						<${Current} key=${[section, ...(page?.steady ? [] : route.rest)].join('/')} rest=${route.rest} />
					<//>`}
			</main>
		</div>`;
}
