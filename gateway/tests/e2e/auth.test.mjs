/*
 * auth.test.mjs
 *		People sign in: the cookie, what it is good for, and what ends it.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { Browser, PLAIN_COOKIE, PLAIN_DEVICE, SECURE_COOKIE, SECURE_DEVICE, cookieOf, deviceOf, tokenOf } from './harness/people.mjs';
import { until } from './harness/processes.mjs';
import { Gateway, waitForLocks } from './harness/programs.mjs';
import { addMember, createKey, createOrg, createPerson, createSession } from './harness/tenants.mjs';

const ME = '/api/v1/me';

let cluster, db, client, patience;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	patience = await waitForLocks(db);
	({ client } = await Gateway.start(cluster, { args: patience }));
});

/* A person who owns an organization, and is signed in. */
async function signedIn(options = {})
{
	const org = await createOrg(db, 'Acme');
	const person = await createPerson(db, { org, ...options });
	const browser = new Browser(client);

	assert.equal((await browser.signIn(person)).status, 200);
	return { org, person, browser };
}

const statusOf = async (token) => (await client.get(ME, undefined, { bearer: token })).status;

/* ---- the cookie ---- */

test('signing in sets a cookie that no script and no other site can use', async () =>
{
	const { browser, person, org } = await signedIn();
	const { name, value, attributes } = browser.cookie;

	assert.equal(name, PLAIN_COOKIE);
	assert.match(value, /^was_[0-9A-Za-z]{49}$/);
	assert.deepEqual(attributes.split('; ').sort(), ['HttpOnly', 'Path=/auth', 'SameSite=Strict']);

	const me = await browser.call('GET', '/auth/me');

	assert.deepEqual({ ...me.json, expiresAt: undefined }, {
		userId: person.id, email: person.email, name: person.name, activeOrganizationId: org.id,
		organizations: [{ id: org.id, name: 'Acme', role: 'owner' }], expiresAt: undefined,
	});
});

test('each sign-in has a cookie of its own, whatever cookie came with the request', async () =>
{
	const { browser, person } = await signedIn();
	const first = browser.cookie.value;

	assert.equal((await browser.signIn(person)).status, 200);
	assert.notEqual(browser.cookie.value, first);
	assert.equal(await db.value("SELECT count(*) FROM wa.sign_in s WHERE encode(s.digest, 'escape') LIKE '%was_%'"), '0');
});

test('the cookie opens nothing of the API, and a token nothing of /auth', async () =>
{
	const { browser } = await signedIn();
	const token = await browser.token();
	const cookie = browser.cookie.value;

	assert.equal((await browser.call('GET', ME)).status, 401);
	for (const headers of [{ Authorization: `Bearer ${cookie}` }, { 'x-api-key': cookie }])
		assert.equal((await client.request('GET', ME, { headers })).status, 401);
	assert.equal((await client.request('GET', '/auth/me', { bearer: token })).status, 401);
	assert.equal((await client.request('GET', '/auth/me', { headers: { Cookie: `${PLAIN_COOKIE}=${token}` } })).status, 401);
	assert.equal(await statusOf(token), 200);
});

test('a cookie that is malformed, unknown, doubled or under another name is none', async () =>
{
	const { browser } = await signedIn();
	const good = `${PLAIN_COOKIE}=${browser.cookie.value}`;
	const unknown = `${PLAIN_COOKIE}=was_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf0IEWNr`;
	const statuses = async (Cookie) => (await client.request('GET', '/auth/me', { headers: { Cookie } })).status;

	assert.equal(await statuses(`a=b; ${good}; c=d`), 200);
	for (const wrong of [`${good}x`, unknown, `${good}; ${good}`, `${good}; ${PLAIN_COOKIE}=x`, good.replace(PLAIN_COOKIE, SECURE_COOKIE),
		good.toUpperCase(), `${PLAIN_COOKIE}=`, PLAIN_COOKIE, `x${good}`])
		assert.equal(await statuses(wrong), 401, wrong);
});

test('a browser gets a cookie when a person signs in with it first, and keeps it', async () =>
{
	const { browser, person } = await signedIn();
	const { name, value, attributes } = browser.device;

	assert.equal(name, PLAIN_DEVICE);
	assert.match(value, /^wad_[0-9A-Za-z]{49}$/);
	assert.deepEqual(attributes.split('; ').sort(), ['HttpOnly', 'Max-Age=34560000', 'Path=/auth/sign-in', 'SameSite=Strict']);
	assert.equal(deviceOf(await browser.signIn(person)), undefined);
	assert.equal((await browser.call('POST', '/auth/sign-out')).status, 204);
	assert.equal(deviceOf(await browser.signIn(person)), undefined);

	/* another person in the same browser has a cookie of their own */
	const { person: other } = await signedIn();

	assert.notEqual(deviceOf(await browser.signIn(other)).value, value);

	/* it opens nothing */
	for (const headers of [{ Cookie: `${PLAIN_DEVICE}=${value}` }, { Cookie: `${PLAIN_COOKIE}=${value}` }])
		assert.equal((await client.get('/auth/me', undefined, { headers })).status, 401);
	assert.equal((await client.get(ME, undefined, { bearer: value })).status, 401);
});

test('behind a trusted proxy that ends TLS the cookie is a __Host- cookie', async () =>
{
	const { client: proxied } = await Gateway.start(cluster, { args: ['--trusted-proxy', '127.0.0.0/8'] });
	const { person } = await signedIn();
	const overTls = new Browser(proxied, { headers: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '203.0.113.9' } });

	assert.equal((await overTls.signIn(person)).status, 200);
	assert.equal(overTls.cookie.name, SECURE_COOKIE);
	assert.deepEqual(overTls.cookie.attributes.split('; ').sort(), ['HttpOnly', 'Path=/', 'SameSite=Strict', 'Secure']);
	assert.equal(overTls.device.name, SECURE_DEVICE);
	assert.deepEqual(overTls.device.attributes.split('; ').sort(), ['HttpOnly', 'Max-Age=34560000', 'Path=/', 'SameSite=Strict', 'Secure']);
	assert.equal((await overTls.call('GET', '/auth/me')).status, 200);
	assert.equal(await db.value('SELECT host(address) FROM wa.sign_in ORDER BY id DESC LIMIT 1'), '203.0.113.9');

	/* what anybody else says of himself counts for nothing */
	const forger = new Browser(client, { headers: overTls.headers });

	assert.equal((await forger.signIn(person)).status, 200);
	assert.equal(forger.cookie.name, PLAIN_COOKIE);
	assert.equal(await db.value('SELECT host(address) FROM wa.sign_in ORDER BY id DESC LIMIT 1'), '127.0.0.1');
});

/* ---- who may ask ---- */

test('a page of another origin can do nothing, with the cookie or without', async () =>
{
	const { browser, person, org } = await signedIn();
	const calls = [['POST', '/auth/sign-in', { email: person.email, password: person.password }], ['POST', '/auth/sign-out'], ['GET', '/auth/me'],
		['POST', '/auth/active-org', { organizationId: org.id }], ['POST', '/auth/token'],
		['POST', '/auth/password', { oldPassword: person.password, newPassword: 'another password' }],
		['POST', '/auth/invitation', { invitation: 'x' }], ['POST', '/auth/invitation/accept', { invitation: 'x', name: 'x', password: 'x' }]];
	const foreign = [{ Origin: 'https://evil.example' }, { Origin: 'null' }, { Origin: 'http://gateway.test:81' }, { Origin: 'http://a.gateway.test' },
		{ 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }, { 'Sec-Fetch-Site': 'same-site', Origin: 'http://gateway.test' },
		{ Origin: 'http://gateway.test', 'Sec-Fetch-Site': 'cross-site' }];

	for (const [method, path, json] of calls)
	{
		for (const headers of foreign)
		{
			const answer = await browser.call(method, path, json, headers);

			assert.equal(answer.status, 403, `${path} ${JSON.stringify(headers)}`);
			assert.equal(answer.headers['set-cookie'], undefined);
		}
	}
	for (const headers of [{ Origin: 'http://gateway.test' }, { Origin: 'http://GATEWAY.test', 'Sec-Fetch-Site': 'same-origin' }, {}])
		assert.equal((await browser.call('GET', '/auth/me', undefined, headers)).status, 200);
	assert.equal((await browser.signIn(person)).status, 200);
});

test('a form cannot be posted: bodies are JSON and said to be', async () =>
{
	const { browser, person } = await signedIn();
	const body = JSON.stringify({ email: person.email, password: person.password });

	for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
		assert.equal((await client.request('POST', '/auth/sign-in', { body, headers: { 'Content-Type': type } })).status, 415);
	assert.equal((await client.request('GET', `/auth/me?token=${browser.cookie.value}`)).status, 400);
});

/* ---- signing in ---- */

test('a wrong password, an unknown and a disabled account are one answer', async () =>
{
	const { person } = await signedIn();
	const { person: gone } = await signedIn();
	const tries = [{ email: person.email, password: 'wrong password' }, { email: 'nobody@example.com', password: person.password },
		{ email: gone.email, password: gone.password }, { email: "' OR 1=1 --", password: "' OR 1=1 --" }];

	await db.sql('SELECT wa.disable_user($1)', [gone.uuid]);

	const shapes = new Set();

	for (const json of tries)
	{
		const answer = await client.request('POST', '/auth/sign-in', { json });

		assert.equal(answer.status, 401);
		assert.equal(answer.json.error.message, 'email or password is wrong');
		shapes.add(answer.shape);
	}
	assert.equal(shapes.size, 1);
});

/* Guesses at a password until that is refused.  Returns how often. */
async function guess(person, browser)
{
	for (let guesses = 0;; guesses++)
	{
		const { status } = await browser().signIn(person, `guess ${guesses}`);

		if (status === 429)
			return guesses;
		assert.equal(status, 401);
	}
}

/*
 * The same, and then the answer to the right password.  One attempt a minute comes back, on a
 * slow machine between the two; then it is all done again.
 */
async function guessAndKnow(person, browser)
{
	for (let again = 0;; again++)
	{
		const guesses = await guess(person, browser);
		const answer = await browser().signIn(person);

		if (answer.status !== 200 || again === 2)
			return { guesses, answer };
	}
}

test('guessing at an account ends in a 429 that no rollback takes back, also for the right password', async () =>
{
	const { person } = await signedIn();
	const began = performance.now();
	const { guesses, answer } = await guessAndKnow(person, () => new Browser(client));

	/* ten at once, and one a minute */
	assert.ok(guesses <= 10 + (performance.now() - began) / 60_000, `${guesses} guesses`);
	assert.equal(answer.status, 429);
	assert.equal(answer.json.error.message, 'too many attempts');
	assert.match(answer.headers['retry-after'], /^[1-9][0-9]?$/);
});

test('who guesses keeps the person out neither at another address nor in their browser', async () =>
{
	const { client: proxied } = await Gateway.start(cluster, { args: ['--trusted-proxy', '127.0.0.1', ...patience] });
	const { person } = await signedIn();
	const at = (address) => new Browser(proxied, { headers: { 'X-Forwarded-For': address } });
	const theirs = at('203.0.113.40');

	assert.equal((await theirs.signIn(person)).status, 200);
	assert.equal((await guessAndKnow(person, () => at('198.51.100.40'))).answer.status, 429);
	assert.equal((await at('203.0.113.41').signIn(person)).status, 200);

	/* the same from so many addresses that the account itself is closed to strangers */
	const stranger = async () =>
	{
		await db.sql(`DO $$ BEGIN LOOP
			BEGIN PERFORM wa.charge_attempt('account', lower('${person.email}')); EXCEPTION WHEN SQLSTATE '53400' THEN EXIT; END;
			END LOOP; END $$`);
		return (await at('203.0.113.42').signIn(person)).status;
	};

	assert.ok([await stranger(), await stranger()].includes(429), 'one attempt a minute comes back');
	assert.equal((await theirs.signIn(person)).status, 200);
	theirs.headers['X-Forwarded-For'] = '198.51.100.40';
	assert.equal((await theirs.signIn(person)).status, 200);
	assert.equal((await theirs.signIn(person, 'wrong')).status, 401);
});

test('one address with many connections keeps nobody else from signing in', async () =>
{
	const { client: proxied } = await Gateway.start(cluster, { args: ['--trusted-proxy', '127.0.0.1', ...patience] });
	const { person } = await signedIn();
	const from = (address, json) => proxied.request('POST', '/auth/sign-in', { json, headers: { 'X-Forwarded-For': address } });
	const crowd = Array.from({ length: 40 }, (_, i) =>
		from(`2001:db8::${i.toString(16)}`, { email: `crowd${i}@example.com`, password: 'x' }));
	const answer = await from('2001:db8:0:1::1', { email: person.email, password: person.password });

	assert.equal(answer.status, 200);

	const answers = await Promise.all(crowd);
	const turnedAway = answers.filter(({ status }) => status === 429);

	assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [401, 429]);
	assert.equal(turnedAway[0].json.error.message, 'too many attempts at once');
	assert.equal(turnedAway[0].headers['retry-after'], '1');

	/* what they had they have given back */
	assert.equal((await from('2001:db8::99', { email: 'late@example.com', password: 'x' })).status, 401);
});

test('a crowd that signs in keeps nobody else waiting, and is itself bounded', async () =>
{
	const { client: crowded } = await Gateway.start(cluster, { args: ['--trusted-proxy', '127.0.0.1'] });
	const { org } = await signedIn();
	const key = (await createKey(db, org)).secret;
	const session = await createSession(db, org);
	const holder = await cluster.open('wa');
	let answered = 0;

	/* nobody's password is looked at before the others have been answered */
	await holder.sql('BEGIN');
	await holder.sql('LOCK TABLE wa.app_user IN ACCESS EXCLUSIVE MODE');

	const crowd = Array.from({ length: 60 }, async (_, i) =>
	{
		const { status } = await crowded.request('POST', '/auth/sign-in',
			{ json: { email: `crowd${i}@example.com`, password: 'x' }, headers: { 'X-Forwarded-For': `198.51.100.${i}` } });

		answered++;
		return status;
	});

	await until('the crowd waits', async () => Number(await db.value("SELECT count(*) FROM pg_locks WHERE relation = 'wa.app_user'::regclass AND NOT granted")) > 0);
	/* one request in each of the other lanes */
	const others = [await crowded.get('/api/v1/sessions', key), await crowded.get(`/api/v1/sessions/${session.id}/contacts?q=x`, key)];
	const waiting = crowd.length - answered;

	await holder.close();
	assert.deepEqual(others.map(({ status }) => status), [200, 200]);
	assert.ok(waiting > 0, 'the crowd is still waiting');

	const statuses = new Set(await Promise.all(crowd));

	/* on a machine that is slow enough a 504 is among them */
	assert.deepEqual([...statuses].filter((status) => status !== 504).sort(), [401, 503]);
});

test('bad input is refused before any account is looked at', async () =>
{
	const bad = [[{}, ['email', 'password']], [{ email: 7, password: 'x' }, ['email']], [{ email: 'a@b', password: '' }, ['password']],
		[{ email: 'a@b', password: 'x'.repeat(257) }, ['password']], [{ email: 'a@b', password: 'x', more: 1 }, ['more']]];

	for (const [json, fields] of bad)
	{
		const answer = await client.request('POST', '/auth/sign-in', { json });

		assert.equal(answer.status, 400);
		assert.deepEqual(Object.keys(answer.json.error.details).sort(), fields.sort());
	}
});

test('who is not signed in is told that first', async () =>
{
	for (const path of ['/auth/active-org', '/auth/password'])
	{
		const none = await client.request('POST', path, { json: { bad: 1 } });
		const unknown = await client.request('POST', path, {
			json: { bad: 1 }, headers: { Cookie: `${PLAIN_COOKIE}=was_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf0IEWNr` } });

		assert.equal(none.status, 401);
		assert.equal(none.shape, unknown.shape);
		assert.equal((await (await signedIn()).browser.call('POST', path, { bad: 1 })).status, 400);
	}
});

/* ---- what ends it, right away ---- */

test('signing out ends the cookie and every token that was made from it', async () =>
{
	const { browser } = await signedIn();
	const tokens = [await browser.token(), await browser.token()];
	const answer = await browser.call('POST', '/auth/sign-out');

	assert.equal(answer.status, 204);
	assert.match(cookieOf(answer).attributes, /Max-Age=0/);
	for (const token of tokens)
		assert.equal(await statusOf(token), 401);
	assert.equal((await browser.call('GET', '/auth/me')).status, 401);
	assert.equal((await browser.call('POST', '/auth/token')).status, 401);
});

test('an own password change signs out everywhere else, and needs the old password', async () =>
{
	const { browser, person } = await signedIn();
	const elsewhere = new Browser(client);
	const newPassword = 'another password';

	await elsewhere.signIn(person);

	const token = await elsewhere.token();
	const wrong = await browser.call('POST', '/auth/password', { oldPassword: 'not it at all', newPassword });
	const weak = await browser.call('POST', '/auth/password', { oldPassword: person.password, newPassword: 'short' });

	assert.deepEqual(wrong.json.error.details, { oldPassword: 'is wrong' });
	assert.deepEqual(weak.json.error.details, { newPassword: 'must have at least 10 characters' });
	assert.equal((await browser.call('POST', '/auth/password', { oldPassword: person.password, newPassword })).status, 204);
	assert.equal(await statusOf(token), 401);
	assert.equal((await elsewhere.call('GET', '/auth/me')).status, 401);
	assert.equal((await browser.call('GET', '/auth/me')).status, 200);
	assert.equal((await new Browser(client).signIn(person)).status, 401);
	assert.equal((await new Browser(client).signIn(person, newPassword)).status, 200);
});

test('a role change, a removal and a disabled account take effect on the next request', async () =>
{
	const { org, browser: owner } = await signedIn();
	const person = await createPerson(db, { org, role: 'admin' });
	const browser = new Browser(client);

	await browser.signIn(person);

	const token = await browser.token();
	const ownersToken = await owner.token();
	const list = () => client.get('/api/v1/api-keys', undefined, { bearer: token });

	assert.equal((await list()).status, 200);
	assert.equal((await client.request('PATCH', `/api/v1/members/${person.id}`, { bearer: ownersToken, json: { role: 'member' } })).status, 200);
	assert.equal((await list()).status, 403);
	assert.deepEqual((await client.get(ME, undefined, { bearer: token })).json.permissions, ['read', 'send', 'events']);
	assert.equal((await client.request('DELETE', `/api/v1/members/${person.id}`, { bearer: ownersToken })).status, 204);
	assert.equal((await list()).status, 401);
	assert.equal((await browser.call('POST', '/auth/token')).status, 409);
	await db.sql('SELECT wa.disable_user($1)', [person.uuid]);
	assert.equal((await browser.call('GET', '/auth/me')).status, 401);
});

test('the organization that is chosen is that of new tokens; a foreign one is a 404', async () =>
{
	const { org, person, browser } = await signedIn();
	const second = await createOrg(db, 'Second');
	const foreign = await createOrg(db, 'Foreign');

	await addMember(db, second, person, 'member');

	const token = await browser.token();
	const shapes = new Set();

	for (const organizationId of [foreign.id, 'org_01h455vb4pex5vsknk084sn02q'])
	{
		const answer = await browser.call('POST', '/auth/active-org', { organizationId });

		assert.equal(answer.status, 404);
		shapes.add(answer.shape);
	}
	assert.equal(shapes.size, 1);

	const answer = await browser.call('POST', '/auth/active-org', { organizationId: second.id });

	assert.equal(answer.json.activeOrganizationId, second.id);
	assert.equal(await statusOf(token), 200, 'another window may still show the one before');

	const me = await client.get(ME, undefined, { bearer: await browser.token() });

	assert.equal(me.json.organizationId, second.id);
	assert.deepEqual(me.json.permissions, ['read', 'send', 'events']);
	assert.notEqual(org.id, second.id);
});

test('a token is for the organization that is named, with the role there, and opens no other', async () =>
{
	const { org, person, browser } = await signedIn();
	const second = await createOrg(db, 'Second');

	await addMember(db, second, person, 'member');

	const tokens = { [org.id]: await browser.token(org.id), [second.id]: await browser.token(second.id) };

	for (const [id, token] of Object.entries(tokens))
		assert.equal((await client.get(ME, undefined, { bearer: token })).json.organizationId, id);
	assert.equal((await browser.call('GET', '/auth/me')).json.activeOrganizationId, org.id, 'nothing was chosen');
	assert.equal((await client.post('/api/v1/webhooks', undefined, { url: 'https://example.com/' }, { bearer: tokens[second.id] })).status, 403);

	const session = await client.post('/api/v1/sessions', undefined, { label: 'of the first' }, { bearer: tokens[org.id] });

	assert.equal(session.status, 201);
	assert.equal((await client.get(`/api/v1/sessions/${session.json.id}`, undefined, { bearer: tokens[second.id] })).status, 404);

	/* the end of one membership ends the tokens of it */
	await db.sql('SELECT wa.remove_member($1, $2)', [second.uuid, person.uuid]);
	assert.equal(await statusOf(tokens[second.id]), 401);
	assert.equal(await statusOf(tokens[org.id]), 200);

	/* signing out ends all */
	await addMember(db, second, person, 'member');
	assert.equal(await statusOf(tokens[second.id]), 401, 'who comes back needs a new one');
	tokens[second.id] = await browser.token(second.id);
	assert.equal(await statusOf(tokens[second.id]), 200);
	assert.equal((await browser.call('POST', '/auth/sign-out')).status, 204);
	for (const token of Object.values(tokens))
		assert.equal(await statusOf(token), 401);
});

test('a token for a foreign organization, an invented one or one that was left is a 404, all alike', async () =>
{
	const { person, browser } = await signedIn();
	const left = await createOrg(db, 'Left');
	const foreign = await createOrg(db, 'Foreign');

	await addMember(db, left, person, 'owner');
	await addMember(db, left, await createPerson(db, { org: foreign }), 'owner');
	await db.sql('SELECT wa.remove_member($1, $2)', [left.uuid, person.uuid]);

	const answers = await Promise.all([foreign.id, 'org_01h455vb4pex5vsknk084sn02q', left.id]
		.map((organizationId) => browser.call('POST', '/auth/token', { organizationId })));

	assert.deepEqual(answers.map(({ status }) => status), [404, 404, 404]);
	assert.equal(new Set(answers.map(({ shape }) => shape)).size, 1);
	assert.equal((await browser.call('POST', '/auth/token', { organizationId: 'key_01h455vb4pex5vsknk084sn02q' })).status, 400);
	assert.equal((await browser.call('POST', '/auth/token', { organization: foreign.id })).status, 400);
	assert.equal((await client.request('POST', '/auth/token', { json: { organizationId: foreign.id } })).status, 401, 'without a cookie');
});

/* ---- invitations ---- */

test('an invitation makes an account, once; its secret appears once', async () =>
{
	const { org, browser } = await signedIn();
	const bearer = await browser.token();
	const made = await client.request('POST', '/api/v1/invitations', { bearer, json: { email: 'New@example.com', role: 'member' } });
	const { invitation } = made.json;
	const listed = await client.get('/api/v1/invitations', undefined, { bearer });

	assert.equal(made.status, 201);
	assert.ok(!listed.text.includes(invitation));
	assert.equal(listed.json.data[0].id, made.json.id);

	const offer = await client.request('POST', '/auth/invitation', { json: { invitation } });

	assert.deepEqual({ ...offer.json, expiresAt: undefined }, { email: 'New@example.com', organization: 'Acme', role: 'member', expiresAt: undefined });

	const accept = (json) => client.request('POST', '/auth/invitation/accept', { json: { invitation, ...json } });

	assert.deepEqual((await accept({ name: 'New', password: 'short' })).json.error.details, { password: 'must have at least 10 characters' });
	assert.deepEqual((await accept({ name: ' ', password: 'a good password' })).json.error.details, { name: 'must have 1 to 100 characters' });
	/* without a name: somebody who says to have an account */
	assert.equal((await accept({ password: 'a good password' })).status, 401);

	const accepted = await accept({ name: 'New', password: 'a good password' });

	assert.equal(accepted.json.organizationId, org.id);
	assert.equal((await accept({ name: 'New', password: 'a good password' })).status, 404);
	assert.equal((await client.request('POST', '/auth/invitation', { json: { invitation } })).status, 404);
	assert.equal((await new Browser(client).signIn({ email: 'new@example.com', password: 'a good password' })).status, 200);
});

test('an invitation that is withdrawn while it is accepted is none, and that is no alarm', async () =>
{
	const { org, browser } = await signedIn();
	const bearer = await browser.token();
	const made = await client.request('POST', '/api/v1/invitations', { bearer, json: { email: 'Late@example.com', role: 'member' } });
	const patient = await Gateway.start(cluster, { args: patience });
	const holder = await cluster.open('wa');

	/* No account is made before it is withdrawn.  Nothing waits for a lock there, because accepting does so for 50 ms only. */
	await db.sql(`CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN WHILE NOT pg_try_advisory_xact_lock_shared(1) LOOP PERFORM pg_sleep(0.05); END LOOP; RETURN NEW; END $$`);
	await db.sql('CREATE TRIGGER held BEFORE INSERT ON wa.app_user FOR EACH ROW EXECUTE FUNCTION public.hold()');
	await holder.sql('SELECT pg_advisory_lock(1)');

	const accepted = patient.client.request('POST', '/auth/invitation/accept', { json: { invitation: made.json.invitation, name: 'Late', password: 'a good password' } });

	await until('it is being accepted', async () => await db.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '/* auth_accept */%' AND wait_event = 'PgSleep'") === '1');
	assert.equal((await client.request('DELETE', `/api/v1/invitations/${made.json.id}`, { bearer })).status, 204);
	await holder.close();

	const { status, json } = await accepted;

	await db.sql('DROP TRIGGER held ON wa.app_user');
	assert.deepEqual([status, json.error.code], [404, 'not_found']);
	assert.equal(await db.value('SELECT count(*) FROM wa.live_member m WHERE m.org_id = $1', [org.uuid]), '1');
	/* an alarm would fail this */
	await patient.stop();
});

test('with an account its password is asked for; without a valid invitation all is a 404', async () =>
{
	const { browser } = await signedIn();
	const { person } = await signedIn();
	const made = await client.request('POST', '/api/v1/invitations', { bearer: await browser.token(), json: { email: person.email, role: 'admin' } });
	const { invitation, id } = made.json;
	const accept = (json) => client.request('POST', '/auth/invitation/accept', { json });

	assert.equal((await accept({ invitation, name: 'Eve', password: 'not the password' })).status, 401);
	assert.equal((await accept({ invitation, password: 'not the password' })).status, 401);
	/* what is wrong in itself is told before the account is looked at, as for one that is not there */
	assert.deepEqual((await accept({ invitation, name: 'Eve', password: 'short' })).json.error.details, { password: 'must have at least 10 characters' });
	for (const wrong of ['x', 'wai_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf4Vwuyc', browser.cookie.value, await browser.token()])
	{
		assert.equal((await accept({ invitation: wrong, name: 'Eve', password: 'a good password' })).status, 404, wrong);
		assert.equal((await client.request('POST', '/auth/invitation', { json: { invitation: wrong } })).status, 404, wrong);
	}
	assert.equal((await client.request('DELETE', `/api/v1/invitations/${id}`, { bearer: await browser.token() })).status, 204);
	assert.equal((await accept({ invitation, password: person.password })).status, 404);
});

/* ---- keys and people ---- */

test('an owner makes, finds, changes, rotates and revokes keys; a member and a key cannot', async () =>
{
	const { org, person, browser } = await signedIn();
	const bearer = await browser.token();
	const call = (method, path, json) => client.request(method, `/api/v1/api-keys${path}`, { bearer, json });
	const made = await call('POST', '', { name: 'shop', permissions: ['read'] });
	const { id, key } = made.json;

	assert.equal(made.status, 201);
	assert.equal(made.json.createdBy, person.id);
	assert.equal((await client.get(ME, key)).json.organizationId, org.id);
	assert.equal((await call('POST', '', { name: 'SHOP', permissions: ['read'] })).status, 409);
	assert.equal((await call('PATCH', `/${id}`, { permissions: ['send'] })).status, 200);
	assert.equal((await client.get('/api/v1/sessions', key)).status, 403);

	const rotated = await call('POST', `/${id}/rotate`, { overlapSeconds: 3600 });

	assert.equal(rotated.status, 201);
	assert.equal((await client.get(ME, key)).status, 200);
	assert.equal((await client.get(ME, rotated.json.key)).status, 200);
	for (const gone of [id, rotated.json.id])
		assert.equal((await call('DELETE', `/${gone}`)).status, 204);
	assert.equal((await call('DELETE', `/${id}`)).status, 204);
	assert.equal((await client.get(ME, key)).status, 401);
	assert.equal((await client.get(ME, rotated.json.key)).status, 401);

	const listed = await call('GET', '');

	assert.ok(!listed.text.includes(key) && !listed.text.includes(rotated.json.key));
	assert.ok(listed.json.data.every(({ revokedAt }) => revokedAt > 0));
	// One key is shown as the list shows it.
	for (const listedKey of listed.json.data)
		assert.deepEqual((await call('GET', `/${listedKey.id}`)).json, listedKey);

	const token = await tokenOf(client, await createPerson(db, { org, role: 'member' }));
	const allPowerful = await createKey(db, org);
	const elsewhere = await createKey(db, await createOrg(db, 'elsewhere'));

	for (const unknown of [elsewhere.id, 'key_01m85ybdg8en4tk98xxp66f3p4', 'shop'])
		assert.equal((await call('GET', `/${unknown}`)).status, 404, unknown);
	for (const bad of [{ bearer: token }, { key: allPowerful.secret }])
		assert.equal((await client.request('GET', `/api/v1/api-keys/${id}`, bad)).status, 403);
	assert.equal((await client.get('/api/v1/api-keys', undefined, { bearer: token })).status, 403);
	assert.equal((await client.get('/api/v1/api-keys', allPowerful.secret)).status, 403);
});

test('a key that has ended stays so, whatever is changed of it, and an expired one gives its name up', async () =>
{
	const { browser } = await signedIn();
	const bearer = await browser.token();
	const call = (method, path, json) => client.request(method, `/api/v1/api-keys${path}`, { bearer, json });
	const make = async (name) => (await call('POST', '', { name, permissions: ['read'], expiresAt: Date.now() + 3600_000 })).json;
	const keys = { revoked: await make('revoked'), rotated: await make('rotated'), expired: await make('expired'), live: await make('live') };
	const later = { expiresAt: Date.now() + 86_400_000 };

	await call('DELETE', `/${keys.revoked.id}`);
	await call('POST', `/${keys.rotated.id}/rotate`, { overlapSeconds: 0 });
	await db.value("UPDATE wa.api_key SET expires_at = clock_timestamp() - interval '1 s' WHERE id = wa.from_typeid('key', $1) RETURNING id", [keys.expired.id]);
	for (const [state, { id, key }] of Object.entries(keys))
	{
		const ended = state !== 'live';
		const answers = [await call('PATCH', `/${id}`, later), await call('PATCH', `/${id}`, { permissions: ['read', 'send'] })];

		assert.deepEqual(answers.map(({ status }) => status), ended ? [409, 409] : [200, 200]);
		if (ended)
			for (const { json } of [...answers, await call('POST', `/${id}/rotate`, {})])
				assert.deepEqual(json.error, { code: 'conflict', message: `key is ${state === 'rotated' ? 'expired' : state} and cannot be changed` });
		assert.equal((await client.get(ME, key)).status, ended ? 401 : 200);
	}
	// What lives may be made to live for ever, and that is shown as it is of a key made so.
	const endless = await call('PATCH', `/${keys.live.id}`, { expiresAt: null });

	assert.deepEqual([endless.status, endless.json.expiresAt, endless.json.permissions], [200, undefined, ['read', 'send']]);
	assert.equal((await call('PATCH', `/${keys.live.id}`, later)).json.expiresAt, later.expiresAt);
	assert.equal((await call('PATCH', `/${keys.expired.id}`, { expiresAt: null })).status, 409);
	assert.equal((await call('POST', '', { name: 'never', permissions: ['read'], expiresAt: null })).status, 201);
	assert.equal((await call('POST', '', { name: 'LIVE', permissions: ['read'] })).status, 409);
	assert.equal((await call('POST', '', { name: 'Expired', permissions: ['read'] })).status, 201);
	assert.equal((await call('PATCH', `/${keys.live.id}`, { name: 'expired' })).status, 409);
});

test('names are what SQL makes of them: the same form, the same refusals, and no two keys that look alike', async () =>
{
	const { browser, org } = await signedIn();
	const bearer = await browser.token();
	const key = await createKey(db, org, ['manage']);
	const make = (name) => client.request('POST', '/api/v1/api-keys', { bearer, json: { name, permissions: ['read'] } });

	for (const name of ['', '   ', '\u00A0\u3000', 'x'.repeat(101), 'a\u0301'.repeat(51), ` ${'x'.repeat(100)}`, 'a\u200Bb', '\u202EaglO', '\u3164', 'a\nb', '\uE000', '\u0301'])
	{
		const problem = await db.value('SELECT wa.name_problem($1)', [name]);

		for (const { status, json } of [await make(name), await client.post('/api/v1/sessions', key.secret, { label: name, start: false })])
		{
			assert.equal(status, 400, JSON.stringify(name));
			assert.deepEqual(Object.values(json.error.details), [problem], JSON.stringify(name));
		}
	}
	assert.equal((await make(' Cafe\u0301\u00A0 bar ')).json.name, 'Caf\u00E9 bar');
	assert.equal((await client.post('/api/v1/sessions', key.secret, { label: ' Cafe\u0301 ', start: false })).json.label, 'Caf\u00E9');

	const alike = await make('C\u0430f\u00E9 bar');

	assert.equal(alike.status, 409);
	assert.equal(alike.json.error.message, 'a live key of this organization has this name already, or one that looks like it');
});

test('ranks: an admin does nothing to an owner, the last owner stays, everybody else may leave', async () =>
{
	const { org, person: owner, browser } = await signedIn();
	const admin = await createPerson(db, { org, role: 'admin' });
	const member = await createPerson(db, { org, role: 'member' });
	const bearers = { owner: await browser.token(), admin: await tokenOf(client, admin), member: await tokenOf(client, member) };
	const call = (who, method, { id }, json) => client.request(method, `/api/v1/members/${id}`, { bearer: bearers[who], json });

	for (const [method, json] of [['PATCH', { role: 'member' }], ['DELETE']])
	{
		const answer = await call('admin', method, owner, json);

		assert.equal(answer.status, 403);
		assert.equal(answer.json.error.message, 'only an owner can do this');
		assert.equal((await call('owner', method, owner, json)).status, 409);
		assert.equal((await call('member', method, admin, json)).status, 403);
	}
	assert.equal((await call('admin', 'PATCH', member, { role: 'owner' })).status, 403);
	assert.equal((await client.request('POST', '/api/v1/invitations', { bearer: bearers.admin, json: { email: 'o@example.com', role: 'owner' } })).status, 403);
	assert.equal((await call('member', 'DELETE', member)).status, 204);
	assert.equal((await client.get(ME, undefined, { bearer: bearers.member })).status, 401);
	assert.equal((await call('admin', 'DELETE', admin)).status, 204);
});

test('the audit log tells who did what to which key, from where', async () =>
{
	const { person, browser } = await signedIn();
	const bearer = await browser.token();
	const made = await client.request('POST', '/api/v1/api-keys', { bearer, json: { name: 'shop', permissions: ['read'] } });

	await client.request('DELETE', `/api/v1/api-keys/${made.json.id}`, { bearer });

	const { json } = await client.get('/api/v1/audit?limit=2', undefined, { bearer });

	assert.deepEqual(json.data.map(({ action }) => action), ['key.revoked', 'key.created']);
	for (const row of json.data)
	{
		assert.equal(row.actor, person.id);
		assert.equal(row.actorName, person.name);
		assert.equal(row.subject, made.json.id);
		assert.equal(row.subjectName, 'shop');
		assert.equal(row.detail.address, '127.0.0.1');
	}

	const next = await client.get(`/api/v1/audit?limit=200&cursor=${json.nextCursor}`, undefined, { bearer });

	assert.deepEqual(next.json.data.map(({ action }) => action), ['user.signed_in', 'member.added', 'org.created']);
});
