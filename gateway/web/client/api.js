/*
 * api.js
 *		Calls the gateway: /auth/* with the cookie, /api/v1 with a user token.
 *
 * The user token is kept only in this module's memory.  It is valid for the organization that
 * this window shows, whatever other windows show.  A new one is fetched before it expires, and
 * once more when it is refused.
 *
 * An *era* is a time in which one organization is shown.  A call that was begun in an
 * earlier era fails with Superseded, whatever its answer is, so that no data of one
 * organization reaches a page of another.  If the person is no member of the organization any
 * more, the era ends too.
 *
 * Errors are ApiError with a message for people, or Superseded, which is not shown.
 */
import { noteServerTime, now } from './clock.js';

export const BASE = '/api/v1';
/* The code of an error whose details say what is wrong with which field. */
export const INVALID = 'validation_error';

const RENEW_BEFORE_MS = 60 * 1000;
const ANSWER_WITHIN_MS = 30 * 1000;

export class ApiError extends Error
{
	constructor(status, code, message, details = {})
	{
		super(message);
		this.status = status;
		this.code = code;
		this.details = details;
	}
}

export class Superseded extends Error
{
}

let era = 0;
let organization = null;	/* whose data is shown */
let token = null;			/* { token, expiresAt } */
let minting = null;			/* the promise of the next token */

/* Called when the gateway's answers say something new about the person. */
const observer = { signedOut() {}, membershipEnded() {}, renewed() {} };

export function observe(functions)
{
	Object.assign(observer, functions);
}

/* Begins an era. */
export function display(organizationId)
{
	era++;
	organization = organizationId;
	token = null;
	minting = null;
}

/* ---- one exchange ---- */

function sentence(message)
{
	const text = message.charAt(0).toUpperCase() + message.slice(1);

	return /[.!?]$/.test(text) ? text : `${text}.`;
}

function errorOf(response, body)
{
	const { code = 'unknown', message, details = {} } = body?.error ?? {};
	const wait = Number(response.headers.get('Retry-After'));
	const words = sentence(message ?? `the gateway answered with status ${response.status}`);

	return new ApiError(response.status, code, wait > 0 ? `${words} Try again in ${wait} s.` : words, details);
}

export function unreachable()
{
	return new ApiError(0, 'network', 'The gateway cannot be reached. Check the connection, then try again.');
}

function parse(text)
{
	try
	{
		return text === '' ? null : JSON.parse(text);
	}
	catch
	{
		return undefined;
	}
}

async function fetchText(method, path, { json, headers, signal, credentials })
{
	const limit = AbortSignal.timeout(ANSWER_WITHIN_MS);

	try
	{
		const response = await fetch(path, {
			method, credentials, redirect: 'error', cache: 'no-store', referrerPolicy: 'same-origin',
			headers: { ...(json !== undefined && { 'Content-Type': 'application/json' }), ...headers },
			body: json === undefined ? undefined : JSON.stringify(json),
			signal: signal ? AbortSignal.any([signal, limit]) : limit,
		});

		return { response, text: await response.text() };
	}
	catch
	{
		if (signal?.aborted)
			throw new Superseded();
		throw unreachable();
	}
}

/* The JSON of an answer, or with "lines" its text; throws what an error says. */
export function readAnswer(response, text, lines = false)
{
	const body = lines && response.ok ? text : parse(text);

	noteServerTime(response.headers.get('Date'));
	if (!response.ok)
		throw errorOf(response, body);
	if (body === undefined)
		throw new ApiError(response.status, 'unknown', 'The answer is not one of the gateway. Is there something between?');
	return body;
}

async function exchange(method, path, options)
{
	const { response, text } = await fetchText(method, path, options);

	return readAnswer(response, text, options.lines);
}

/* ---- calls for the person ---- */

export function auth(method, path, json)
{
	return exchange(method, `/auth${path}`, { json, credentials: 'same-origin' });
}

/* Fails if the gateway cannot be reached, or cannot reach its database. */
export function checkReady(signal)
{
	return exchange('GET', '/readyz', { signal, credentials: 'omit' });
}

/* ---- calls of the API ---- */

function isFresh(made)
{
	return made !== null && made.expiresAt - now() > RENEW_BEFORE_MS;
}

/* Ends the era because there are no tokens for it any more, and tells the observer. */
function endEra(tell)
{
	display(null);
	tell();
	throw new Superseded();
}

async function mint()
{
	const began = era;
	let made;

	try
	{
		made = await auth('POST', '/token', { organizationId: organization });
	}
	catch (error)
	{
		if (era !== began)
			throw new Superseded();
		if (error.status === 401)
			endEra(observer.signedOut);
		if (error.status === 404)
			endEra(observer.membershipEnded);
		throw error;
	}
	if (era !== began)
		throw new Superseded();
	token = made;
	return made.token;
}

async function userToken()
{
	if (isFresh(token))
		return token.token;
	if (!minting)
	{
		const mine = mint().finally(() =>
		{
			if (minting === mine)
				minting = null;
		});

		minting = mine;
	}
	return await minting;
}

/* Forgets a token that was refused.  Several calls may notice that at the same time. */
function refused(bearer)
{
	if (token?.token === bearer)
	{
		token = null;
		observer.renewed();
	}
}

/*
 * Returns what use(headers) returns, which makes one exchange with these headers.  If it throws
 * because the token was refused, it is called once more with another one.
 */
export async function withToken(use)
{
	const began = era;

	for (let refusals = 0; ; refusals++)
	{
		const bearer = await userToken();

		if (era !== began)
			throw new Superseded();
		try
		{
			const answer = await use({ Authorization: `Bearer ${bearer}` });

			if (era !== began)
				throw new Superseded();
			return answer;
		}
		catch (error)
		{
			if (era !== began)
				throw new Superseded();
			if (error.status !== 401 || refusals > 0)
				throw error;
			refused(bearer);
		}
	}
}

/*
 * Calls METHOD /api/v1PATH and returns the JSON of the answer.  The third argument has
 * json, headers, signal, and lines: true if the answer has a JSON object on each line, which
 * is returned as text.
 */
export function call(method, path, { json, headers, signal, lines } = {})
{
	return withToken((bearer) => exchange(method, BASE + path, { json, signal, lines, credentials: 'omit', headers: { ...headers, ...bearer } }));
}

/* The path of an object, from its parts: "sessions", id, … */
export function pathOf(...parts)
{
	return parts.map((part) => `/${encodeURIComponent(part)}`).join('');
}

/*
 * An Idempotency-Key for a form.  It stays the same while the data to send is the same, so
 * that a retry after a lost answer does nothing twice.  After done() there is a new one.
 */
export class Attempt
{
	constructor()
	{
		this.body = null;
		this.key = null;
	}

	headers(path, json)
	{
		const body = JSON.stringify([path, json]);

		if (body !== this.body)
		{
			this.body = body;
			this.key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
		}
		return { 'Idempotency-Key': this.key };
	}

	done()
	{
		this.body = null;
	}
}

/* ---- what this gateway can do ---- */

let operations = null;

async function readOperations()
{
	const { paths } = await exchange('GET', `${BASE}/openapi.json`, { credentials: 'omit' });

	return new Set(Object.entries(paths).flatMap(([path, methods]) =>
		Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/^\/api\/v1/, '')}`)));
}

/*
 * A set of "METHOD /path/{parameter}", from the gateway's own OpenAPI document.  It shows
 * what the gateway supports.
 */
export function supportedOperations()
{
	operations ??= readOperations().catch((error) =>
	{
		operations = null;
		throw error;
	});
	return operations;
}
