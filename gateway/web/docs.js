/*
 * docs.js
 *		The API reference at /docs: Swagger UI with the gateway's own OpenAPI document.
 *
 * Requests that are tried out carry what was entered at "Authorize", such as an API key.  If
 * nothing was, they carry a user token of the person who is signed in to the dashboard.  Neither
 * leaves this page's memory.
 */
import { BASE, auth, display, observe, withToken } from './client/api.js';
import { chosenTheme } from './ui/theme.js';

const caller = document.getElementById('caller');

let signedIn = null;	/* the promise of whether somebody is */

function say(text)
{
	caller.textContent = text;
}

async function findCaller()
{
	try
	{
		const me = await auth('GET', '/me');
		const organization = me.organizations.find(({ id }) => id === me.activeOrganizationId);

		if (!organization)
			throw new Error('no active organization');
		display(organization.id);
		say(`Requests are sent as ${me.name}, of ${organization.name}, unless you enter an API key at Authorize.`);
		return true;
	}
	catch
	{
		say('Enter an API key at Authorize to send requests, or sign in to the dashboard first.');
		return false;
	}
}

/* Somebody has signed out, or switched the organization, in another window. */
function findAgain()
{
	signedIn = findCaller();
}

function hasCredential(headers)
{
	return Object.keys(headers).some((name) => /^(authorization|x-api-key)$/i.test(name));
}

async function addToken(request)
{
	const { pathname, origin } = new URL(request.url, location.href);

	if (origin === location.origin && pathname.startsWith(`${BASE}/`) && pathname !== `${BASE}/openapi.json` &&
		!hasCredential(request.headers) && await signedIn)
		Object.assign(request.headers, await withToken(async (bearer) => bearer).catch(() => ({})));
	return request;
}

/* Swagger UI has a dark look, which it does not choose by itself. */
function followTheme()
{
	const dark = window.matchMedia('(prefers-color-scheme: dark)');
	const choose = () =>
	{
		const theme = chosenTheme();

		document.documentElement.classList.toggle('dark-mode', theme === 'system' ? dark.matches : theme === 'dark');
	};

	dark.addEventListener('change', choose);
	choose();
}

followTheme();
observe({ signedOut: findAgain, membershipEnded: findAgain });
findAgain();
window.SwaggerUIBundle({
	url: `${BASE}/openapi.json`,
	domNode: document.getElementById('reference'),
	deepLinking: true,
	displayRequestDuration: true,
	docExpansion: 'list',
	filter: true,
	tryItOutEnabled: true,
	defaultModelsExpandDepth: -1,
	validatorUrl: null,
	requestInterceptor: addToken,
});
