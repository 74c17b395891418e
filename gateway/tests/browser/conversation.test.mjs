/*
 * conversation.test.mjs
 *		Reading and writing in a chat: what is in view, where the focus is, and what belongs to
 *		which day.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createSentMessage, createUnlimitedSession } from '../e2e/harness/fixtures.mjs';
import { until } from '../e2e/harness/processes.mjs';
import { createChat, createMessage, createOrg, createPerson } from '../e2e/harness/tenants.mjs';
import { Visitor, assertFits, heading, openStage, screenshot } from './stage.mjs';

const JID = '15551234567@s.whatsapp.net';
const GROUP = '120363041234567890@g.us';
const WIDTHS = [390, 768, 1024, 1100, 1280, 1440];

let stage, org, owner;

before(async () =>
{
	stage = await openStage();
	org = await createOrg(stage.db, 'Acme');
	owner = await createPerson(stage.db, { org });
});

const pathOf = (session, jid = JID) => `chats/${session.id}/${encodeURIComponent(jid)}`;
const messages = (page) => page.getByRole('region', { name: 'Messages' });
const field = (page) => page.getByLabel('Message', { exact: true });
const isInView = (locator) => locator.evaluate((element) =>
{
	const { top, bottom } = element.getBoundingClientRect();
	const frame = element.closest('.messages').getBoundingClientRect();

	return top >= frame.top - 1 && bottom <= frame.bottom + 1;
});

/* A chat with 120 messages, one an hour until now. */
async function longChat()
{
	const session = await createUnlimitedSession(stage.db, org, { status: 'working' });

	await createChat(stage.db, session, JID);
	await stage.db.sql(`
		INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status, sent_at)
		SELECT $1, $2, $3, 'in', 'text', 'line ' || n, 'delivered', now() - (120 - n) * interval '1 hour' FROM generate_series(1, 120) AS n`,
		[org.uuid, session.uuid, JID]);
	return session;
}

test('a message is sent by Enter and comes into view, wherever one has read; the focus stays in the field', async (t) =>
{
	const visitor = await Visitor.open(stage, t, { as: owner, section: pathOf(await longChat()) });
	const { page } = visitor;
	const focused = field(page).and(page.locator(':focus'));

	await page.getByText('line 120', { exact: true }).waitFor();
	await messages(page).evaluate((frame) => { frame.scrollTop = 0; });
	await field(page).focus();
	await page.keyboard.press('Enter');
	assert.equal(await field(page).inputValue(), '');
	await page.keyboard.type('first line');
	await page.keyboard.press('Shift+Enter');
	await page.keyboard.type('second line');
	await page.keyboard.press('Enter');

	const sent = messages(page).locator('.body').getByText('first line');

	await sent.waitFor();
	assert.equal(await sent.innerText(), 'first line\nsecond line');
	await until('it is in view', () => isInView(sent));
	await focused.waitFor();

	await page.keyboard.type('by the button');
	await page.getByRole('button', { name: 'Send' }).click();
	await messages(page).locator('.body').getByText('by the button').waitFor();
	await focused.waitFor();
	visitor.assertWellBehaved();
});

test('earlier messages come above what one reads, which stays where it is; new ones below are told', async (t) =>
{
	const session = await longChat();
	const visitor = await Visitor.open(stage, t, { as: owner, section: pathOf(session) });
	const { page } = visitor;
	const more = page.getByRole('button', { name: 'Show earlier messages' });
	const oldest = messages(page).locator('[data-id]').filter({ has: page.getByText('line 71', { exact: true }) });
	const topOf = () => oldest.evaluate((element) => Math.round(element.getBoundingClientRect().top));

	await page.getByText('line 120', { exact: true }).waitFor();
	await more.scrollIntoViewIfNeeded();

	const top = await topOf();

	await more.click();
	await page.getByText('line 21', { exact: true }).waitFor({ state: 'attached' });
	assert.ok(Math.abs(await topOf() - top) <= 1, `${await topOf()} and ${top}`);

	await createMessage(stage.db, { jid: JID, session }, 'something new');
	await page.getByRole('button', { name: 'New messages' }).click();
	await until('it is in view', () => isInView(page.getByText('something new', { exact: true }).first()));
	await page.getByRole('button', { name: 'New messages' }).waitFor({ state: 'detached' });
	visitor.assertWellBehaved();
});

test('each day has its date, a poll its question, a title its name, and a text its direction', async (t) =>
{
	const session = await createUnlimitedSession(stage.db, org, { status: 'working' });
	const chat = await createChat(stage.db, session, GROUP);

	await stage.db.sql('UPDATE wa.chat SET name = $1 WHERE org_id = $2 AND session_id = $3', ['Lunch group', org.uuid, session.uuid]);
	for (const [body, at] of [['old', '2026-11-01 23:50+00'], ['same day', '2026-11-01 23:59+00'], ['مرحبا 👋', '2026-11-02 00:01+00']])
		await stage.db.sql('UPDATE wa.message SET sent_at = $1 WHERE org_id = $2 AND id = $3', [at, org.uuid, (await createSentMessage(stage.db, chat, { body })).uuid]);
	await createSentMessage(stage.db, chat, { type: 'poll', body: null, content: { name: 'Lunch?', options: ['Pizza', 'سلطة'], selectableCount: 1 } });

	const visitor = await Visitor.open(stage, t, { as: owner, section: pathOf(session, GROUP) });
	const { page } = visitor;

	await heading(page, 'Chat with Lunch group').waitFor();
	assert.equal(await page.title(), 'Chat with Lunch group · wa_apikeys');
	await page.getByText('Lunch?', { exact: true }).waitFor();

	const lines = await messages(page).locator('ol > li').allInnerTexts();

	assert.deepEqual(lines.map((line) => /November|old|same day|مرحبا|Lunch/.exec(line)?.[0]), ['November', 'old', 'same day', 'November', 'مرحبا', 'November', 'Lunch'].slice(0, lines.length));
	assert.equal(lines.length, 7);
	assert.equal(await page.getByText('مرحبا 👋').evaluate((element) => getComputedStyle(element).direction), 'rtl');
	await field(page).fill('שלום');
	assert.equal(await field(page).evaluate((element) => getComputedStyle(element).direction), 'rtl');
	for (const colorScheme of ['light', 'dark'])
		for (const width of WIDTHS)
		{
			await page.setViewportSize({ width, height: 800 });
			await page.emulateMedia({ colorScheme });
			await assertFits(page, String(width));
			await screenshot(page, `chat-${width}-${colorScheme}`);
		}
	visitor.assertWellBehaved();
});
