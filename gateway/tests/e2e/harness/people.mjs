/*
 * people.mjs
 *		People at their browsers, as far as HTTP shows: a cookie, and tokens made from it.
 */
import assert from 'node:assert/strict';
import { refuseOthers } from './options.mjs';

export const PLAIN_COOKIE = 'wa_session';
export const SECURE_COOKIE = '__Host-wa_session';

export const PLAIN_DEVICE = 'wa_device';
export const SECURE_DEVICE = '__Host-wa_device';

/* The cookies that an answer sets, each { name, value, attributes }. */
function cookiesOf(answer)
{
	return answer.lines.filter((line) => /^set-cookie:/i.test(line)).map((line) =>
	{
		const [, name, value, attributes] = /^set-cookie: ([^=]+)=([^;]*); (.*)$/i.exec(line);

		return { name, value, attributes };
	});
}

/* The sign-in cookie that an answer sets or takes away. */
export function cookieOf(answer)
{
	const [cookie, ...more] = cookiesOf(answer).filter(({ name }) => name === PLAIN_COOKIE || name === SECURE_COOKIE);

	assert.ok(cookie !== undefined && more.length === 0, answer.lines.join('\n'));
	return cookie;
}

/* The cookie of a browser that was not known before; undefined: none is set. */
export function deviceOf(answer)
{
	return cookiesOf(answer).find(({ name }) => name === PLAIN_DEVICE || name === SECURE_DEVICE);
}

export class Browser
{
	constructor(client, { headers = {}, ...others } = {})
	{
		refuseOthers(others);
		this.client = client;
		this.headers = headers;
	}

	/* Signs a person in; returns the answer. */
	async signIn(person, password = person.password)
	{
		const answer = await this.call('POST', '/auth/sign-in', { email: person.email, password });

		if (answer.status === 200)
		{
			this.cookie = cookieOf(answer);
			this.device = deviceOf(answer) ?? this.device;
		}
		return answer;
	}

	call(method, path, json, headers = {})
	{
		const cookies = [this.cookie, this.device].filter((cookie) => cookie !== undefined).map(({ name, value }) => `${name}=${value}`);
		const cookie = cookies.length === 0 ? {} : { Cookie: cookies.join('; ') };

		return this.client.request(method, path, { json, headers: { ...this.headers, ...cookie, ...headers } });
	}

	/* A fresh user token for an organization, or else for the active one. */
	async token(organizationId)
	{
		const answer = await this.call('POST', '/auth/token', organizationId && { organizationId });

		assert.equal(answer.status, 201, answer.text);
		return answer.json.token;
	}
}

/* Signs in and mints a token. */
export async function tokenOf(client, person)
{
	const browser = new Browser(client);
	const answer = await browser.signIn(person);

	assert.equal(answer.status, 200, answer.text);
	return await browser.token();
}
