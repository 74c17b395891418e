/*
 * tables.test.mjs
 *		Every table at six widths, in light and dark, with names as long as they may be: all of
 *		a row is seen, no word of the dashboard is broken, and its actions can be reached.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createDelivery, createWebhook } from '../e2e/harness/fixtures.mjs';
import { createKey, createOrg, createPerson, createSession } from '../e2e/harness/tenants.mjs';
import { Visitor, assertFits, openStage, press, row, screenshot } from './stage.mjs';

const WIDTHS = [390, 768, 1024, 1100, 1280, 1440];

const UNBROKEN = 'prod_eu_central_1_webshop_order_notifications';
const WIDE = 'W'.repeat(100);
const ARABIC = 'عميل رقم 1';
const DAY_MS = 24 * 3600 * 1000;

let stage, org, owner, webhook;

before(async () =>
{
	stage = await openStage();
	org = await createOrg(stage.db, WIDE);
	owner = await createPerson(stage.db, { org, name: WIDE, email: `${'w'.repeat(60)}@example.com` });
	await furnish(stage.db);
});

async function furnish(db)
{
	for (const name of [UNBROKEN, WIDE, ARABIC])
	{
		const { secret } = await createKey(db, org, undefined, { name, expiresAt: new Date(Date.now() + 3 * DAY_MS).toISOString() });

		await stage.client.get('/api/v1/me', secret);
	}
	await db.sql('SELECT wa.rotate_key($1, $2::interval)', [(await createKey(db, org, undefined, { name: 'rotated' })).uuid, '1 day']);
	await db.sql('SELECT wa.revoke_key_with_reason($1, $2)', [(await createKey(db, org, undefined, { name: 'revoked' })).uuid, 'r'.repeat(200)]);
	await createPerson(db, { org, role: 'member', name: ARABIC });
	for (const status of ['working', 'scan_qr_code', 'logged_out'])
		await createSession(db, org, { status, label: `${status} ${WIDE}`.slice(0, 100) });
	webhook = await createWebhook(db, org, { url: `https://receiver.example/${'path/'.repeat(20)}${UNBROKEN}` });
	await db.sql("UPDATE wa.webhook SET events = $2, active = false, disabled_at = now(), disabled_reason = 'status 500' WHERE org_id = $1", [org.uuid, '{message.reaction,session.status,message}']);
	await createDelivery(db, webhook);
	await db.sql("UPDATE wa.delivery SET status = 'failed', attempts = 3, status_code = 500, error = $2, next_attempt_at = now() + interval '40 minutes' WHERE org_id = $1",
		[org.uuid, 'the connection was refused by the receiver']);
}

/*
 * What is wrong with the table of a page: cells that are wider than their place or reach into
 * another one, words of up to 16 letters that are on two lines, badges that something covers.
 */
function problemsOf(table)
{
	const problems = [];
	const cells = [...table.querySelectorAll('tbody th, tbody td')].filter((cell) => cell.checkVisibility());
	const overlap = (one, other) => one.left < other.right - 1 && other.left < one.right - 1 && one.top < other.bottom - 1 && other.top < one.bottom - 1;

	for (const cell of cells)
	{
		const place = cell.getBoundingClientRect();

		if (cell.scrollWidth > cell.clientWidth || place.right > innerWidth)
			problems.push(`too wide: ${cell.innerText}`);
		for (const inner of cell.querySelectorAll('*'))
		{
			if (inner.closest('.visually-hidden, [popover]') === null && inner.getBoundingClientRect().right > place.right + 1)
				problems.push(`sticks out: ${inner.innerText}`);
		}
		if ([...cell.parentElement.children].some((other) => other !== cell && other.checkVisibility() && overlap(place, other.getBoundingClientRect())))
			problems.push(`overlaps: ${cell.innerText}`);
	}

	const texts = document.createTreeWalker(table, NodeFilter.SHOW_TEXT);

	while (texts.nextNode())
	{
		const { currentNode: node } = texts;

		for (const { 0: word, index } of node.textContent.matchAll(/[^\s.,]+/g))
		{
			const range = document.createRange();

			range.setStart(node, index);
			range.setEnd(node, index + word.length);
			if (word.length <= 16 && node.parentElement.closest('.visually-hidden') === null && new Set(Array.from(range.getClientRects(), ({ top }) => Math.round(top))).size > 1)
				problems.push(`broken: ${word}`);
		}
	}
	for (const badge of table.querySelectorAll('.badge'))
	{
		badge.scrollIntoView({ block: 'center' });

		const { left, right, top, height } = badge.getBoundingClientRect();

		for (const x of [left + 3, right - 3])
		{
			const seen = document.elementFromPoint(x, top + height / 2);

			if (!badge.contains(seen))
				problems.push(`covered: ${badge.innerText}`);
		}
	}
	return problems;
}

const TABLES = [
	{ name: 'keys', label: 'API keys', hash: () => 'keys' },
	{ name: 'sessions', label: 'Sessions', hash: () => 'sessions' },
	{ name: 'webhooks', label: 'Webhooks', hash: () => 'webhooks' },
	{ name: 'deliveries', label: 'Deliveries', hash: () => `webhooks/${webhook.id}` },
	{ name: 'members', label: 'Members', hash: () => 'members' },
	{ name: 'audit', label: 'Audit log', hash: () => 'audit' },
];

for (const colorScheme of ['light', 'dark'])
	test(`all of a row is seen at every width, and no word is broken: ${colorScheme}`, async (t) =>
	{
		const visitor = await Visitor.open(stage, t, { as: owner, scheme: colorScheme });
		const { page } = visitor;

		for (const { name, label, hash } of TABLES)
		{
			const table = page.getByRole('table', { name: label });

			await page.evaluate((to) => { location.hash = `#/${to}`; }, hash());
			await table.waitFor();
			for (const width of WIDTHS)
			{
				await page.setViewportSize({ width, height: 800 });
				/* the table has taken its form */
				await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
				assert.deepEqual(await table.evaluate(problemsOf), [], `${name} at ${width}`);
				await assertFits(page, `${name} at ${width}`);
				await screenshot(page, `table-${name}-${width}-${colorScheme}`);
			}
		}
		visitor.assertWellBehaved();
	});

test('the actions of a row are reached at every width, by mouse and by keyboard', async (t) =>
{
	const visitor = await Visitor.open(stage, t, { as: owner });
	const { page } = visitor;
	const dialog = page.getByRole('dialog', { name: `Revoke “${UNBROKEN}”?` });

	for (const width of WIDTHS)
	{
		await page.setViewportSize({ width, height: 800 });
		await press(row(page, UNBROKEN), 'Revoke');
		await dialog.getByRole('button', { name: 'Cancel' }).click();
		await dialog.waitFor({ state: 'detached' });
	}

	const opener = row(page, UNBROKEN).getByRole('button', { name: `Actions of ${UNBROKEN}` });

	await page.setViewportSize({ width: 1280, height: 800 });
	await opener.focus();
	await page.keyboard.press('Enter');
	await page.keyboard.press('Tab');
	await row(page, UNBROKEN).getByRole('button', { name: 'Usage' }).and(page.locator(':focus')).waitFor();
	await page.keyboard.press('Escape');
	await opener.and(page.locator(':focus')).waitFor();
	await page.keyboard.press('Enter');
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
	await opener.and(page.locator(':focus')).waitFor();
	visitor.assertWellBehaved();
});
