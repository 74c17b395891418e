/*
 * people.mjs
 *		People at their browsers, as far as HTTP shows: a cookie, and tokens made from it.
 */
import assert from 'node:assert/strict';

export const PLAIN_COOKIE = 'wa_session';
export const SECURE_COOKIE = '__Host-wa_session';

/* The one cookie that an answer sets: { name, value, attributes }. */
export function cookieOf(answer)
{
	const lines = answer.lines.filter((line) => /^set-cookie:/i.test(line));

	assert.equal(lines.length, 1, answer.lines.join('\n'));

	const [, name, value, attributes] = /^set-cookie: ([^=]+)=([^;]*); (.*)$/i.exec(lines[0]);

	return { name, value, attributes };
}

export class Browser
{
	constructor(client, { headers = {} } = {})
	{
		this.client = client;
		this.headers = headers;
	}

	/* Signs a person in; returns the answer. */
	async signIn(person, password = person.password)
	{
		const answer = await this.call('POST', '/auth/sign-in', { email: person.email, password });

		if (answer.status === 200)
			this.cookie = cookieOf(answer);
		return answer;
	}

	call(method, path, json, headers = {})
	{
		const cookie = this.cookie === undefined ? {} : { Cookie: `${this.cookie.name}=${this.cookie.value}` };

		return this.client.request(method, path, { json, headers: { ...this.headers, ...cookie, ...headers } });
	}

	/* A fresh user token for the active organization. */
	async token()
	{
		const answer = await this.call('POST', '/auth/token');

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
