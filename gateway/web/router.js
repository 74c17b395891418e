/*
 * router.js
 *		Finds the page to show from the fragment of the address: #/section/rest.  Without a
 *		section it is the first page that the person can use (shell.js).
 *
 * For a person with several organizations the address names the one that the window shows:
 * #/org_…/section/rest.  So windows can show different ones, and a link, the back button and
 * a reload lead to the right one.
 *
 * The fragment is never sent to a server.  It is the only state in the address.  The secret
 * of an invitation is removed from the address before the page is drawn.  (The browser may
 * have stored it in its history by then.)
 */
import { useEffect, useState } from './ui/html.js';

const ORGANIZATION = /^org_[0-9a-hjkmnp-tv-z]{26}$/;

let invitation = null;
let named = null;	/* the organization that addresses name, if they name one */

function decode(part)
{
	try
	{
		return decodeURIComponent(part);
	}
	catch
	{
		return part;
	}
}

/* The address as { organization, section, rest }; organization is undefined if it names none. */
export function currentRoute()
{
	const parts = location.hash.replace(/^#\/?/, '').split('/').map(decode);
	const organization = ORGANIZATION.test(parts[0]) ? parts.shift() : undefined;
	const [section = '', ...rest] = parts;

	return { organization, section, rest: rest.filter((part) => part !== '') };
}

/* Removes the invitation from the address. */
function hideInvitation()
{
	const { section, rest } = currentRoute();

	if (section === 'invitation' && rest.length > 0)
	{
		invitation = rest[0];
		history.replaceState(null, '', '#/invitation');
	}
}

export function takenInvitation()
{
	return invitation;
}

export function forgetInvitation()
{
	invitation = null;
}

export function hrefOf(section, ...rest)
{
	return `#/${[...(named === null ? [] : [named]), section, ...rest].map(encodeURIComponent).join('/')}`;
}

export function goTo(section, ...rest)
{
	location.hash = hrefOf(section, ...rest);
}

/* Writes the address anew if it does not name what it should. */
function nameInAddress()
{
	const { organization, section, rest } = currentRoute();

	if ((organization ?? null) === named)
		return false;
	history.replaceState(null, '', hrefOf(section, ...rest));
	return true;
}

/* From now on addresses name this organization, or null: none. */
export function nameOrganization(id)
{
	named = id;
	if (nameInAddress())
		dispatchEvent(new HashChangeEvent('hashchange'));
}

export function useRoute()
{
	const [route, setRoute] = useState(() =>
	{
		hideInvitation();
		return currentRoute();
	});

	useEffect(() =>
	{
		const follow = () =>
		{
			hideInvitation();
			if (currentRoute().organization === undefined)
				nameInAddress();
			setRoute(currentRoute());
		};

		addEventListener('hashchange', follow);
		return () => removeEventListener('hashchange', follow);
	}, []);
	return route;
}
