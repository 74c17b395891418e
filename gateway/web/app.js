/*
 * app.js
 *		Knows who is signed in, which organization is shown, and which page.
 *
 * The account is in one of these phases:
 *	loading		the answer is not there yet
 *	failed		the gateway could not be asked
 *	out			nobody is signed in
 *	choosing	somebody is signed in, and no organization is active
 *	in			somebody is signed in; "me" has the person and the organization
 *
 * The organization of a window is the one that its address names (router.js), and otherwise the
 * one that the person has chosen last.  What another window shows does not matter.
 *
 * Every change of the organization goes through show(), which ends the era of earlier calls
 * (api.js) and creates the pages anew.
 */
import { announce, Announcements } from './ui/announce.js';
import { auth, display, observe } from './client/api.js';
import { html, render, useEffect, useState } from './ui/html.js';
import { ErrorNotice, Loading, Notice } from './ui/notice.js';
import { ChooseOrganization } from './pages/choose.js';
import { InvitationPage } from './pages/invitation.js';
import { SignInPage } from './pages/sign_in.js';
import { currentRoute, goTo, nameOrganization, useRoute } from './router.js';
import { Shell } from './shell.js';

const SIGNED_OUT = 'You are signed out. Sign in again to go on.';
const NO_MEMBER = 'The address is of an organization that you are not a member of.';

function nameOfActive(me)
{
	return me.organizations.find(({ id }) => id === me.activeOrganizationId)?.name;
}

const isMember = (me, organizationId) => me.organizations.some(({ id }) => id === organizationId);

/* The person, with the organization of this window as the active one. */
const placeIn = (me, organizationId) => ({ ...me, activeOrganizationId: organizationId });

/*
 * The rest of the fragment names a session or chat, which does not exist in another
 * organization.
 */
function leaveDetails()
{
	const { section, rest } = currentRoute();

	if (rest.length > 0)
		goTo(section);
}

/* All actions that change the account. */
function accountActions(setAccount, setNotice)
{
	async function show(me, wanted = currentRoute().organization ?? me.activeOrganizationId)
	{
		const isStrange = wanted !== undefined && !isMember(me, wanted);
		const organizationId = isStrange ? me.activeOrganizationId : wanted;

		if (organizationId === undefined && me.organizations.length === 1)
			return await activate(me.organizations[0].id);
		if (isStrange)
		{
			leaveDetails();
			setNotice(NO_MEMBER);
		}
		display(organizationId ?? null);
		nameOrganization(me.organizations.length > 1 ? organizationId ?? null : null);

		const here = placeIn(me, organizationId);

		setAccount({ phase: organizationId === undefined ? 'choosing' : 'in', me: here });
		return here;
	}

	async function activate(organizationId)
	{
		/* From here on results for the old organization are not used. */
		display(null);
		return await show(await auth('POST', '/active-org', { organizationId }), organizationId);
	}

	async function load()
	{
		setAccount({ phase: 'loading' });
		try
		{
			return await show(await auth('GET', '/me'));
		}
		catch (error)
		{
			setAccount(error.status === 401 ? { phase: 'out' } : { phase: 'failed', error });
			return null;
		}
	}

	/* Called when a role or a name may have changed.  The organization is the same. */
	async function refresh()
	{
		const me = await auth('GET', '/me').catch(() => null);

		setAccount((account) =>
		{
			if (!me || account.phase !== 'in' || !isMember(me, account.me.activeOrganizationId))
				return account;

			const here = placeIn(me, account.me.activeOrganizationId);

			return JSON.stringify(account.me) === JSON.stringify(here) ? account : { phase: 'in', me: here };
		});
	}

	function leave(words)
	{
		display(null);
		announce('');	/* an announcement about the organization is removed too */
		setNotice(words);
		setAccount({ phase: 'out' });
	}

	return {
		load, refresh,
		async signIn(email, password)
		{
			const me = await auth('POST', '/sign-in', { email, password });

			setNotice(null);
			await show(me);
		},
		async signOut()
		{
			await auth('POST', '/sign-out');
			leave(null);
		},
		async switchTo(organizationId)
		{
			setNotice(null);
			setAccount({ phase: 'loading' });
			leaveDetails();
			try
			{
				await activate(organizationId);
			}
			catch (error)
			{
				setNotice(`The organization could not be changed. ${error.message}`);
				await load();
			}
		},
		signedOut: () => leave(SIGNED_OUT),
		askToSignIn: leave,
		async membershipEnded()
		{
			leaveDetails();

			const me = await load();
			const name = me && nameOfActive(me);

			setNotice(name ? `You are no longer a member of the organization. This page now shows ${name}.` :
				'You are no longer a member of the organization.');
		},
	};
}

function useAccount()
{
	const [account, setAccount] = useState({ phase: 'loading' });
	const [notice, setNotice] = useState(null);
	const [actions] = useState(() => accountActions(setAccount, setNotice));

	useEffect(() =>
	{
		observe({ signedOut: actions.signedOut, membershipEnded: actions.membershipEnded, renewed: actions.refresh });
		actions.load();
	}, []);

	/* The person may have signed out in another window, or lost the membership, while this one was hidden. */
	useEffect(() =>
	{
		if (account.phase !== 'in')
			return undefined;

		const look = async () =>
		{
			if (document.hidden)
				return;

			const me = await auth('GET', '/me').catch((error) => (error.status === 401 ? 'out' : null));

			if (me === 'out')
				actions.signedOut();
			else if (me && !isMember(me, account.me.activeOrganizationId))
				actions.membershipEnded();
		};

		document.addEventListener('visibilitychange', look);
		return () => document.removeEventListener('visibilitychange', look);
	}, [account]);
	return { account, actions, notice, dismiss: () => setNotice(null) };
}

function Content({ account, actions, route, notice })
{
	if (route.section === 'invitation')
		return html`<${InvitationPage} account=${account} actions=${actions} />`;
	switch (account.phase)
	{
		case 'loading':
			return html`<main class="alone"><${Loading} /></main>`;
		case 'failed':
			return html`<main class="alone"><${ErrorNotice} error=${account.error} retry=${actions.load} /></main>`;
		case 'out':
			return html`<${SignInPage} actions=${actions} notice=${notice} />`;
		case 'choosing':
			return html`<${ChooseOrganization} me=${account.me} actions=${actions} />`;
		default:
			return html`<${Shell} key=${account.me.activeOrganizationId} me=${account.me} actions=${actions} route=${route} />`;
	}
}

function App()
{
	const { account, actions, notice, dismiss } = useAccount();
	const route = useRoute();
	const isElsewhere = account.phase === 'in' && route.organization !== undefined && route.organization !== account.me.activeOrganizationId;

	/* A link or the back button leads to another organization. */
	useEffect(() =>
	{
		if (isElsewhere)
			actions.load();
	}, [isElsewhere]);

	return html`
		${notice && account.phase !== 'out' && html`<${Notice} kind="warning" dismiss=${dismiss}>${notice}<//>`}
		<${Content} account=${isElsewhere ? { phase: 'loading' } : account} actions=${actions} route=${route} notice=${notice} />
		<${Announcements} />`;
}

render(html`<${App} />`, document.getElementById('app'));
