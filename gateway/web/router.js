/*
 * router.js
 *		Finds the page to show from the fragment of the address: #/section/rest.  Without a
 *		section it is the first page that the person can use (shell.js).
 *
 * The fragment is never sent to a server.  It is the only state in the address.  The secret
 * of an invitation is removed from the address before the page is drawn.  (The browser may
 * have stored it in its history by then.)
 */
import { useEffect, useState } from './ui/html.js';

let invitation = null;

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

export function currentRoute()
{
	const [section, ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decode);

	return { section, rest: rest.filter((part) => part !== '') };
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
	return `#/${[section, ...rest].map(encodeURIComponent).join('/')}`;
}

export function goTo(section, ...rest)
{
	location.hash = hrefOf(section, ...rest);
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
			setRoute(currentRoute());
		};

		addEventListener('hashchange', follow);
		return () => removeEventListener('hashchange', follow);
	}, []);
	return route;
}
