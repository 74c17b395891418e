/*
 * stage.mjs
 *		What the browser tests play on: a gateway with its sandbox, organizations and people,
 *		and Debian's Chromium.
 *
 * Everything that a page says of itself is watched: an exception, a refusal by the
 * Content-Security-Policy, a request to another host, or a JavaScript dialog is a failure of
 * the test in which it happens, whatever the test looks at (watch()).
 *
 * Nothing waits for a time: Playwright's locators wait for what they name.  On a slow network
 * there is more to see of what a page shows in between: WA_SLOW_MS (scripts/browser).
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { prepareCluster } from '../e2e/harness/cluster.mjs';
import { refuseOthers } from '../e2e/harness/options.mjs';
import { cookieOf } from '../e2e/harness/people.mjs';
import { ROOT, makePlace, onEnd } from '../e2e/harness/processes.mjs';
import { Gateway, Sandbox, Worker } from '../e2e/harness/programs.mjs';
import { Random } from '../e2e/harness/random.mjs';

export const DESK = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/* The bytes of a file that the gateway takes. */
export const FILE_MAX = 2 * 1024 * 1024;

export const SCREENSHOTS = process.env.WA_SCREENSHOTS ?? path.join(ROOT, 'gateway/tests/browser/screenshots');

/* A loaded machine may take long for anything; a test that fails may too. */
const WAIT_MS = 90000;

/* Up to so long each request of a page waits before it is sent. */
const SLOW_MS = Number(process.env.WA_SLOW_MS ?? 0);
const random = new Random();

if (SLOW_MS > 0)
	console.log(`WA_SLOW_MS=${SLOW_MS} WA_SEED=${random.seed}`);

function findChromium()
{
	const folders = (process.env.PATH ?? '').split(path.delimiter);
	const found = folders.flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => path.join(folder, name)))
		.find((file) => fs.existsSync(file));

	return process.env.WA_CHROMIUM ?? found ?? assert.fail('there is no chromium: scripts/install-packages test');
}

/* The sandbox of a browser does not work for root, as whom tests run in containers. */
async function launch()
{
	const browser = await chromium.launch({
		executablePath: findChromium(), ignoreDefaultArgs: ['--disable-back-forward-cache'],
		timeout: WAIT_MS, args: ['--disable-dev-shm-usage', '--disable-gpu', ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
	});

	onEnd(() => browser.close());
	return browser;
}

/*
 * Returns { cluster, db, gateway, client, origin, browser }.  With "delivers" there is a
 * worker too, and webhooks may lead to the loopback.
 */
export async function openStage({ delivers = false, ...others } = {})
{
	refuseOthers(others);
	/* the browser takes longest to start, and does it beside the others */
	const launched = launch();
	const cluster = prepareCluster(delivers ? ["wa.allowed_targets = '127.0.0.0/8'"] : []);
	const db = await cluster.open('wa');
	const gateway = await Gateway.start(cluster, { args: ['--media-dir', makePlace(), '--media-max-bytes', String(FILE_MAX)] });

	await Sandbox.start(cluster);
	if (delivers)
		await Worker.start(cluster);
	return { cluster, db, gateway, client: gateway.client, origin: `http://127.0.0.1:${gateway.port}`, browser: await launched };
}

/* What a page must never do; "problems" collects it. */
function watch(page, problems, origin)
{
	page.on('pageerror', (error) => problems.push(`exception: ${error.stack ?? error}`));
	page.on('console', (message) =>
	{
		/* that a request was refused is told here too, and is no problem by itself */
		if (message.type() === 'error' && !/^Failed to load resource/.test(message.text()))
			problems.push(`console: ${message.text()}`);
	});
	page.on('dialog', (dialog) =>
	{
		problems.push(`dialog: ${dialog.message()}`);
		dialog.dismiss();
	});
	page.on('request', (request) =>
	{
		const url = new URL(request.url());

		if (/^(https?|wss?):$/.test(url.protocol) && url.host !== new URL(origin).host)
			problems.push(`request to ${url.origin}`);
	});
}

/* Requests may so arrive in another order than they were made.  What a test itself routes is not slowed. */
async function slowDown(context)
{
	await context.route(/\/(api|auth)\//, async (route) =>
	{
		await sleep(random.below(SLOW_MS));
		/* the page may have gone by now, and its request with it */
		await route.continue().catch(() => {});
	});
}

/*
 * A person at a browser of their own, without anything of another.  "as" is who is signed
 * in already, "section" the page to begin with.
 */
export class Visitor
{
	static async open(stage, t, { viewport = DESK, scheme = 'light', as, section, ...others } = {})
	{
		refuseOthers(others);

		const context = await stage.browser.newContext({ viewport, colorScheme: scheme, reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'UTC' });
		const visitor = new Visitor(stage, context);

		context.setDefaultTimeout(WAIT_MS);
		t.after(() => visitor.leave());
		if (SLOW_MS > 0)
			await slowDown(context);
		visitor.page = await visitor.newPage();
		if (as)
			await visitor.enter(as, section);
		return visitor;
	}

	constructor(stage, context)
	{
		this.stage = stage;
		this.context = context;
		this.problems = [];
	}

	async newPage()
	{
		const page = await this.context.newPage();

		watch(page, this.problems, this.stage.origin);
		return page;
	}

	/* What a test has routed, and what is under way at its end, ends with the pages. */
	async leave()
	{
		await Promise.all([this.context, ...this.context.pages()].map((each) => each.unrouteAll({ behavior: 'ignoreErrors' })));
		await this.context.close();
	}

	/* Says that all pages have behaved until now. */
	assertWellBehaved()
	{
		assert.deepEqual(this.problems, []);
	}

	async go(section = '', page = this.page)
	{
		await page.goto(`${this.stage.origin}/${section && `#/${section}`}`);
	}

	/* By the page Sign in, as a person does. */
	async signIn(person, { page = this.page, password = person.password, ...others } = {})
	{
		refuseOthers(others);
		await this.go('', page);
		await page.getByLabel('Email').fill(person.email);
		await page.getByLabel('Password').fill(password);
		await page.getByRole('button', { name: 'Sign in' }).click();
		await page.locator('nav').waitFor({ state: 'attached' });
	}

	/*
	 * With a cookie that an earlier visitor got, if there was one: checking a password takes
	 * its time.  Then the page "section".
	 */
	async enter(person, section = 'keys')
	{
		const { origin, client } = this.stage;

		if (!person.cookie)
		{
			const answer = await client.request('POST', '/auth/sign-in', { json: { email: person.email, password: person.password } });

			assert.equal(answer.status, 200, answer.text);
			person.cookie = cookieOf(answer);
		}

		const { name, value } = person.cookie;

		await this.context.addCookies([{ name, value, domain: new URL(origin).hostname, path: '/auth', httpOnly: true, sameSite: 'Strict' }]);
		/* another fragment alone would not load the page anew */
		await this.page.goto('about:blank');
		await this.go(section);
		await this.page.locator('main h1').waitFor();
	}

	/* Follows a link of the navigation, which a narrow screen hides behind a button. */
	async open(title, page = this.page)
	{
		const menu = page.getByRole('button', { name: 'Menu' });

		if (await menu.isVisible())
			await menu.click();
		await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: title, exact: true }).click();
		await heading(page, title).waitFor();
	}
}

export function heading(page, name)
{
	return page.getByRole('heading', { level: 1, name, exact: true });
}

/* The row of a table that has this text in its first cell. */
export function row(page, name)
{
	return page.getByRole('row').filter({ has: page.getByRole('rowheader', { name }) });
}

/*
 * Presses a button of a row, which is in the row's menu where there is no room for it.  A table
 * that has just got another width may change the one for the other meanwhile.
 */
export async function press(within, name)
{
	const opener = within.getByRole('button', { name: /^Actions of/ });
	const wanted = within.getByRole('button', { name }).or(within.getByRole('link', { name }));

	await within.waitFor();
	for (let tries = 1; !await wanted.isVisible() && await opener.count() > 0; tries++)
		try
		{
			await opener.click({ timeout: 5000 });
			await wanted.waitFor({ timeout: 5000 });
		}
		catch (error)
		{
			if (error.name !== 'TimeoutError' || tries === 18)
				throw error;
		}
	await wanted.click();
}

/* The names of all buttons of a row, also of those in its menu. */
export async function actionsOf(within)
{
	const opener = within.getByRole('button', { name: /^Actions of/ });
	const isMenu = await opener.count() > 0;

	if (isMenu)
		await opener.click();

	const names = await within.getByRole('button').allTextContents();

	if (isMenu)
		await opener.press('Escape');
	return names.slice(isMenu ? 1 : 0);
}

/* What a person sees of a secret that is shown once. */
export function secretField(page, label = 'API key')
{
	return page.getByRole('dialog').getByRole('textbox', { name: label });
}

export const PICTURE = fs.readFileSync(new URL('files/view.png', import.meta.url));

/* Uploads a file and sends it, as a program does by the API. */
export async function sendFile(stage, key, session, { type = 'image', mimetype = 'image/png', filename = 'view.png', body = PICTURE, ...others } = {})
{
	refuseOthers(others);

	const uploaded = await stage.client.request('POST', '/api/v1/media', {
		key: key.secret, body, headers: { 'Content-Type': mimetype, 'Content-Disposition': `attachment; filename="${filename}"` },
	});

	assert.equal(uploaded.status, 201, uploaded.text);

	const sent = await stage.client.post(`/api/v1/sessions/${session.id}/messages`, key.secret, { type, to: '15551234567', media: { id: uploaded.json.id } });

	assert.equal(sent.status, 202, sent.text);
}

/* Leaves a secret that was not copied, which the dialog asks about. */
export async function leaveSecret(page)
{
	await page.getByRole('button', { name: 'Done', exact: true }).click();
	await page.getByRole('button', { name: 'Close without copying' }).click();
}

/* Everything that a page holds or would keep, as one text. */
export async function everythingOf(page)
{
	return await page.evaluate(() => [
		document.documentElement.outerHTML, document.body.innerText, location.href, JSON.stringify(history.state),
		JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie,
		...Array.from(document.querySelectorAll('input, textarea, select'), (field) => field.value),
	].join('\n'));
}

/*
 * The page is no wider than its window.  Its tables take their form when the browser has drawn it
 * in its new size, not before.
 */
export async function assertFits(page, name)
{
	await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth).catch(async () =>
	{
		const { wide, inner } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, inner: innerWidth }));

		assert.fail(`${name} is ${wide} wide in a window of ${inner}`);
	});
}

export async function screenshot(page, name)
{
	fs.mkdirSync(SCREENSHOTS, { recursive: true });
	await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage: true, animations: 'disabled' });
}
