/*
 * attacks.test.mjs
 *		What a browser makes of hostile names and messages, and of pages of other origins.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import { before, test } from 'node:test';
import { onEnd } from '../e2e/harness/processes.mjs';
import { createContact } from '../e2e/harness/fixtures.mjs';
import { addMember, createChat, createKey, createMessage, createOrg, createPerson, createSession } from '../e2e/harness/tenants.mjs';
import { Visitor, heading, openStage, press, row } from './stage.mjs';

/* Each would run if a page took it for markup, a template or an address. */
const PAYLOADS = [
	'<img src=x onerror="window.pwned=1;alert(1)">',
	'<script>window.pwned=1;alert(1)</script>',
	'"><svg onload=window.pwned=1>',
	"javascript:window.pwned=1;alert(1)",
	'${window.pwned=1}{{window.pwned=1}}',
	'</title></textarea><iframe srcdoc="<script>parent.pwned=1</script>">',
];

let stage;

before(async () => { stage = await openStage(); });

/* A page of another origin that is open as long as the test file runs; "host" may be another name of this machine. */
async function serve(html)
{
	const server = http.createServer((request, response) =>
	{
		response.setHeader('Content-Type', 'text/html');
		response.end(html);
	});

	await new Promise((resolve) => server.listen(0, resolve));
	onEnd(() => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }));
	return server.address().port;
}

async function assertInert(page, name)
{
	for (const payload of PAYLOADS)
		await page.getByText(`${name} ${payload}`).first().waitFor();
	assert.equal(await page.evaluate(() => window.pwned), undefined);
	assert.equal(await page.locator('main img, main iframe, main script, dialog img, dialog iframe, dialog script, nav img, nav script').count(), 0);
}

/* An organization in which everything that has a name has each of the payloads as one; and a person in it. */
async function hostileOrganization()
{
	const { db } = stage;
	const org = await createOrg(db, `Org ${PAYLOADS[0]}`);
	const owner = await createPerson(db, { org, name: `Person ${PAYLOADS[0]}` });
	const session = await createSession(db, org, { label: `Session ${PAYLOADS[0]}` });

	for (const [index, payload] of PAYLOADS.entries())
	{
		const jid = `1555987000${index}@s.whatsapp.net`;
		const chat = await createChat(db, session, jid);
		const message = await createMessage(db, chat, `Message ${payload}`);

		await createKey(db, org, ['read'], { name: `Key ${payload}` });
		await createContact(db, session, jid, { name: `Contact ${payload}` });
		await db.sql('UPDATE wa.chat SET name = $1 WHERE org_id = $2 AND jid = $3', [`Chat ${payload}`, org.uuid, jid]);
		await db.sql(`UPDATE wa.message SET chat_jid = $1, sender_name = $2, reactions = jsonb_build_object('me', $3::text) WHERE org_id = $4 AND id = $5`,
			['15559870000@s.whatsapp.net', `Sender ${payload}`, payload.slice(0, 16), org.uuid, message.uuid]);
		if (index > 0)
		{
			await addMember(db, await createOrg(db, `Org ${payload}`), owner, 'member');
			await createSession(db, org, { label: `Session ${payload}` });
			await createPerson(db, { org, role: 'member', name: `Person ${payload}` });
		}
	}
	return { owner, session, chat: '15559870000@s.whatsapp.net' };
}

test('names and messages that are scripts stay text, on every page that shows them', async (t) =>
{
	const { owner, session, chat } = await hostileOrganization();
	const visitor = await Visitor.open(stage, t, { as: owner });
	const { page } = visitor;

	/* all of the person's organizations are in the switcher; the one with the keys is wanted */
	const switcher = page.getByLabel('Organization');

	await switcher.waitFor();
	assert.deepEqual((await switcher.locator('option').allTextContents()).sort(), PAYLOADS.map((payload) => `Org ${payload}`).sort());
	await switcher.selectOption(`Org ${PAYLOADS[0]}`);
	await assertInert(page, 'Key');
	for (const payload of PAYLOADS)
	{
		await press(row(page, `Key ${payload}`), `Revoke Key ${payload}`);
		await page.getByRole('heading', { name: `Revoke “Key ${payload}”?` }).waitFor();
		assert.equal(await page.evaluate(() => window.pwned), undefined);
		await page.getByRole('button', { name: 'Cancel' }).click();
	}
	for (const [title, name] of [['Sessions', 'Session'], ['Members', 'Person'], ['Audit log', 'Key']])
	{
		await visitor.open(title);
		await assertInert(page, name);
	}
	await visitor.go(`chats/${session.id}/${encodeURIComponent(chat)}`);
	await assertInert(page, 'Message');
	await assertInert(page, 'Sender');
	await assertInert(page, 'Chat');
	visitor.assertWellBehaved();
});

test('an address of the dashboard that is a script or nonsense does nothing', async (t) =>
{
	const org = await createOrg(stage.db, 'Acme');
	const person = await createPerson(stage.db, { org });
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;

	await visitor.enter(person);
	for (const hash of [...PAYLOADS.map(encodeURIComponent), '%', '//evil.example', 'sessions/../../auth/sign-out', 'sessions/%2e%2e%2f%2e%2e%2fme', 'constructor', '__proto__'])
	{
		await page.evaluate((to) => { location.hash = `#/${to}`; }, hash);
		await page.locator('main h1').waitFor();
		assert.equal(await page.evaluate(() => window.pwned), undefined);
	}
	await visitor.open('API Keys');
	visitor.assertWellBehaved();
});

test('the page says to the browser that nothing but its own files may run, and that nobody may frame it', async (t) =>
{
	const visitor = await Visitor.open(stage, t);
	const answer = await visitor.page.goto(`${stage.origin}/`);
	const headers = answer.headers();
	const policy = headers['content-security-policy'];

	assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
	assert.doesNotMatch(policy, /unsafe/);
	assert.equal(headers['x-content-type-options'], 'nosniff');

	/* what the policy refuses, tried */
	const tried = await visitor.page.evaluate(() =>
	{
		const results = {};
		const script = document.createElement('script');

		try { script.text = 'window.inline = 1'; } catch (error) { results.script = error.name; }
		/* a child of the element gets by the check of its text, and must not run either */
		script.append('window.inline = 1');
		document.head.append(script);
		try { document.body.innerHTML = '<b>x</b>'; } catch (error) { results.markup = error.name; }
		try { setTimeout('window.inline = 2'); } catch { /* either is fine, as long as it does not run */ }
		return new Promise((resolve) => setTimeout(() => resolve({ ...results, inline: window.inline ?? 'not run' })));
	});

	assert.deepEqual(tried, { script: 'TypeError', markup: 'TypeError', inline: 'not run' });
});

/*
 * The attacker's page, on another port of the same machine (the same site, so that
 * SameSite lets the cookie by) and under another name of it (another site).
 */
const ATTACKS = (target) => `
	<!doctype html><title>other origin</title><iframe name="sink" id="frame" src="${target}/"></iframe>
	<form id="form" method="post" target="sink" enctype="text/plain"><input name='{"a":"' value='"}'></form>
	<script>
		async function attack(path, body, type)
		{
			const answer = await fetch('${target}' + path, { method: 'POST', mode: 'no-cors', credentials: 'include', body, headers: type ? { 'Content-Type': type } : {} }).catch((error) => error);
			return String(answer.type ?? answer);
		}
		async function readable(path, options)
		{
			try { return (await (await fetch('${target}' + path, { credentials: 'include', ...options })).text()).slice(0, 200); } catch (error) { return null; }
		}
		function post(path)
		{
			const form = document.getElementById('form');
			form.action = '${target}' + path;
			form.submit();
			return new Promise((resolve) => { document.getElementById('frame').onload = resolve; });
		}
	</script>`;

test('a page of another origin signs nobody in or out, mints no token, reads nothing and frames nothing', async (t) =>
{
	const org = await createOrg(stage.db, 'Acme');
	const other = await createOrg(stage.db, 'Globex');
	const person = await createPerson(stage.db, { org });
	const port = await serve(ATTACKS(stage.origin));

	await addMember(stage.db, other, person, 'owner');
	for (const host of ['127.0.0.1', 'localhost'])
	{
		const visitor = await Visitor.open(stage, t);

		await visitor.enter(person);
		await heading(visitor.page, 'API Keys').waitFor();

		const page = await visitor.context.newPage();
		const answers = [];

		page.on('response', (response) =>
		{
			if (response.url().startsWith(`${stage.origin}/auth/`))
				answers.push([response.request().method(), response.url(), response.status()]);
		});
		await page.goto(`http://${host}:${port}/`);

		const before = await stage.db.value('SELECT count(*) FROM wa.user_token WHERE user_id = $1', [person.uuid]);

		for (const path of ['/auth/sign-out', '/auth/token'])
		{
			await page.evaluate((to) => attack(to), path);
			await page.evaluate((to) => attack(to, '{}', 'text/plain'), path);
			await page.evaluate((to) => post(to), path);
		}
		await page.evaluate(([id]) => attack('/auth/active-org', JSON.stringify({ organizationId: id }), 'text/plain'), [other.id]);
		await page.evaluate(([email, password]) => attack('/auth/sign-in', JSON.stringify({ email, password }), 'text/plain'), [person.email, person.password]);
		for (const path of ['/auth/me', '/api/v1/me', '/api/v1/api-keys'])
			assert.equal(await page.evaluate((to) => readable(to), path), null, path);
		/* with a header that asks first */
		assert.equal(await page.evaluate(() => readable('/auth/token', { method: 'POST', headers: { 'Content-Type': 'application/json' } })), null);

		assert.ok(answers.filter(([method]) => method === 'POST').length >= 8, JSON.stringify(answers));
		assert.ok(answers.every(([, , status]) => status === 403), JSON.stringify(answers));
		assert.equal(await stage.db.value('SELECT count(*) FROM wa.user_token WHERE user_id = $1', [person.uuid]), before);

		/* the frame holds an error page of the browser, not the dashboard */
		const frame = page.frames().find((each) => each.name() === 'sink');

		assert.ok(!(await frame.evaluate(() => document.body?.innerText ?? '').catch(() => '')).includes('API Keys'));

		/* and the person is where they were */
		await visitor.page.reload();
		await heading(visitor.page, 'API Keys').waitFor();
		assert.equal(await visitor.page.getByLabel('Organization').evaluate((select) => select.selectedOptions[0].textContent), 'Acme');
		visitor.assertWellBehaved();
	}
});

test('scripts of the page cannot read the cookie, and the cookie never goes to the API', async (t) =>
{
	const org = await createOrg(stage.db, 'Acme');
	const person = await createPerson(stage.db, { org });
	const visitor = await Visitor.open(stage, t);
	const sent = [];

	visitor.page.on('request', async (request) =>
	{
		if (new URL(request.url()).pathname.startsWith('/api/'))
			sent.push(request.allHeaders());
	});
	await visitor.enter(person);
	await visitor.page.getByText('No API keys yet').waitFor();

	const cookies = await visitor.context.cookies();

	assert.deepEqual(cookies.map(({ httpOnly, sameSite, path }) => ({ httpOnly, sameSite, path })), [{ httpOnly: true, sameSite: 'Strict', path: '/auth' }]);
	assert.equal(await visitor.page.evaluate(() => document.cookie), '');
	assert.ok(sent.length >= 2);
	for (const headers of await Promise.all(sent))
	{
		assert.equal(headers.cookie, undefined);
		assert.match(headers.authorization, /^Bearer wau_/);
	}
});
