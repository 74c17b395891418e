/*
 * reference.test.mjs
 *		The API reference at /docs, and the requests that people try out in it.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createKey, createOrg, createPerson } from '../e2e/harness/tenants.mjs';
import { PHONE, Visitor, everythingOf, openStage, screenshot } from './stage.mjs';

let stage, org, person;

before(async () =>
{
	stage = await openStage();
	org = await createOrg(stage.db, 'Acme');
	person = await createPerson(stage.db, { org, name: 'Ada' });
});

async function openReference(visitor)
{
	const { page } = visitor;

	await page.goto(`${stage.origin}/docs`);
	await page.locator('.opblock').first().waitFor();
	return page;
}

const operation = (page, method, path) => page.locator(`.opblock-${method}`).filter({ has: page.locator(`[data-path="${path}"]`) });

/* Opens an operation, sends its request, and returns the status and the body of the answer. */
async function tryOut(page, method, path)
{
	const block = operation(page, method, path);

	if (!await block.locator('button.execute').isVisible())
		await block.locator('.opblock-summary-control').click();
	await block.getByRole('button', { name: 'Execute' }).click();

	const answer = block.locator('.live-responses-table .response');

	await answer.waitFor();
	return { status: Number(await answer.locator('.response-col_status').innerText()), text: await answer.locator('.highlight-code').first().innerText() };
}

async function authorize(page, value)
{
	await page.getByRole('button', { name: 'Authorize' }).first().click();

	const form = page.locator('.auth-container').filter({ hasText: 'bearer' }).first();

	await form.locator('input').fill(value);
	await form.getByRole('button', { name: 'Apply' }).or(form.getByRole('button', { name: 'Authorize' })).click();
	await page.getByRole('button', { name: 'Close' }).first().click();
}

test('it shows every operation of this gateway', async (t) =>
{
	const visitor = await Visitor.open(stage, t);
	const page = await openReference(visitor);
	const { paths, webhooks } = (await stage.client.get('/api/v1/openapi.json')).json;
	const operations = Object.values({ ...paths, ...webhooks }).flatMap((methods) => Object.keys(methods).filter((name) => /^(get|put|post|patch|delete)$/.test(name)));

	assert.equal(await page.locator('.opblock').count(), operations.length);
	visitor.assertWellBehaved();
});

test('the page runs nothing but its own files, and nobody may frame it', async (t) =>
{
	const visitor = await Visitor.open(stage, t);
	const policy = (await visitor.page.goto(`${stage.origin}/docs`)).headers()['content-security-policy'];

	assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; .*frame-ancestors 'none'/);
	assert.doesNotMatch(policy, /unsafe/);
	assert.equal((await stage.client.get('/web/docs.html')).status, 404, 'it is never cached');
});

test('the dashboard leads to it', async (t) =>
{
	const visitor = await Visitor.open(stage, t, { as: person });

	await visitor.page.getByRole('link', { name: 'API reference' }).click();
	await visitor.page.locator('.opblock').first().waitFor();
	visitor.assertWellBehaved();
});

test('it has the theme that was chosen for the dashboard', async (t) =>
{
	const visitor = await Visitor.open(stage, t, { as: person, section: 'account' });

	await visitor.page.getByLabel('Theme').selectOption('dark');

	const page = await openReference(visitor);

	assert.equal(await page.locator('html.dark-mode').count(), 1);
	await visitor.go('account');
	await page.getByLabel('Theme').selectOption('light');
	await page.emulateMedia({ colorScheme: 'dark' });
	await openReference(visitor);
	assert.equal(await page.locator('html.dark-mode').count(), 0);
	visitor.assertWellBehaved();
});

test('a person who is signed in sends requests with a user token', async (t) =>
{
	const visitor = await Visitor.open(stage, t, { as: person });
	const page = await openReference(visitor);

	await page.getByText('Requests are sent as Ada, of Acme').waitFor();

	const answer = await tryOut(page, 'get', '/me');

	assert.equal(answer.status, 200);
	assert.ok(answer.text.includes(org.id), answer.text);
	visitor.assertWellBehaved();
});

test('a key that is entered is the one that counts, and is kept nowhere', async (t) =>
{
	const key = await createKey(stage.db, org, ['read']);
	const visitor = await Visitor.open(stage, t, { as: person });
	const page = await openReference(visitor);

	await authorize(page, key.secret);

	const answer = await tryOut(page, 'get', '/me');

	assert.equal(answer.status, 200);
	assert.ok(answer.text.includes(key.id), answer.text);
	assert.ok(!JSON.stringify(await page.evaluate(() => [{ ...localStorage }, { ...sessionStorage }, document.cookie])).includes(key.secret));
	await page.reload();
	await page.locator('.opblock').first().waitFor();
	assert.ok(!(await everythingOf(page)).includes(key.secret));
	visitor.assertWellBehaved();
});

test('without either the answer is 401, and the page says what to do', async (t) =>
{
	const visitor = await Visitor.open(stage, t);
	const page = await openReference(visitor);

	await page.getByText('Enter an API key at Authorize').waitFor();
	assert.equal((await tryOut(page, 'get', '/me')).status, 401);
	visitor.assertWellBehaved();
});

for (const [name, options] of Object.entries({ light: {}, dark: { scheme: 'dark' }, phone: { viewport: PHONE } }))
{
	test(`it fits the window: ${name}`, async (t) =>
	{
		const visitor = await Visitor.open(stage, t, { as: person, ...options });
		const page = await openReference(visitor);

		await tryOut(page, 'get', '/me');
		await screenshot(page, `reference-${name}`);
		assert.deepEqual(await page.evaluate(() => Array.from(document.querySelectorAll('body *'))
			.filter((element) => document.documentElement.scrollWidth > innerWidth && element.getBoundingClientRect().right > innerWidth + 1)
			.map((element) => element.className)), [], 'it does not scroll sideways');
		visitor.assertWellBehaved();
	});
}
