/*
 * chats.test.mjs
 *		What a person does with chats: answer a message, pin, archive, mute, begin one.
 *
 * No connector works for these sessions, so nothing changes but what the test does.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createSentMessage } from '../e2e/harness/fixtures.mjs';
import { createChat, createOrg, createPerson, createSession } from '../e2e/harness/tenants.mjs';
import { Visitor, heading, openStage, screenshot } from './stage.mjs';

const JID = '15551234567@s.whatsapp.net';
const WIDTHS = [390, 768, 1024, 1100, 1280, 1440];

let stage, org, member;

before(async () =>
{
	stage = await openStage();
	org = await createOrg(stage.db, 'Acme');
	member = await createPerson(stage.db, { org, role: 'member' });
});

async function chatting(label)
{
	const session = await createSession(stage.db, org, { label });
	const chat = await createChat(stage.db, session, JID);
	const asked = await createSentMessage(stage.db, chat, { direction: 'in', senderJid: JID, body: 'how are you?' });

	return { session, chat, asked, section: `chats/${session.id}/${encodeURIComponent(JID)}` };
}

const bubble = (page, text) => page.locator('.message', { hasText: text });
const marks = (page) => page.getByLabel('Chats').locator('.chat-marks .badge').allTextContents();

test('a message is answered: the answer quotes it, and it can be thought better of', async (t) =>
{
	const { asked, session, section } = await chatting('answers');
	const visitor = await Visitor.open(stage, t, { as: member, section });
	const { page } = visitor;
	const reply = async () =>
	{
		await bubble(page, 'how are you?').first().getByText('Actions').click();
		await bubble(page, 'how are you?').first().getByRole('button', { name: 'Reply' }).click();
		await page.getByLabel('Reply to').getByText('how are you?').waitFor();
	};

	await reply();
	assert.equal(await page.evaluate(() => document.activeElement.tagName), 'TEXTAREA');
	await page.getByRole('button', { name: 'Cancel reply' }).click();
	await page.getByLabel('Reply to').waitFor({ state: 'detached' });

	await reply();
	await page.getByLabel('Message', { exact: true }).fill('fine, thanks');
	await page.getByRole('button', { name: 'Send' }).click();
	await page.locator('.message.mine', { hasText: 'fine, thanks' }).locator('blockquote').getByText('how are you?').waitFor();
	assert.equal(await page.getByLabel('Reply to').count(), 0);
	assert.equal(await stage.db.value("SELECT quoted_message_id FROM wa.message WHERE org_id = $1 AND session_id = $2 AND body = 'fine, thanks'", [org.uuid, session.uuid]), asked.uuid);

	/* the next one answers nothing */
	await page.getByLabel('Message', { exact: true }).fill('and you?');
	await page.getByRole('button', { name: 'Send' }).click();
	await page.locator('.message.mine', { hasText: 'and you?' }).waitFor();
	assert.equal(await page.locator('.message.mine', { hasText: 'and you?' }).locator('blockquote').count(), 0);
	visitor.assertWellBehaved();
});

test('a chat is pinned, muted and archived, and all of that taken back', async (t) =>
{
	const { session, section } = await chatting('marks');
	const visitor = await Visitor.open(stage, t, { as: member, section });
	const { page } = visitor;
	const actions = page.getByRole('group', { name: 'Actions on this chat' });
	const mark = (name) => page.getByLabel('Chats').locator('.chat-marks').getByText(name, { exact: true });

	await actions.getByRole('button', { name: 'Pin', exact: true }).click();
	await mark('pinned').waitFor();
	await actions.getByRole('button', { name: 'Mute', exact: true }).click();
	await page.getByRole('dialog').getByLabel('For').selectOption('a week');
	await page.getByRole('dialog').getByRole('button', { name: 'Mute' }).click();
	await mark('muted').waitFor();
	await actions.getByRole('button', { name: 'Archive', exact: true }).click();
	await mark('archived').waitFor();
	assert.ok((await marks(page)).filter((each) => ['pinned', 'muted', 'archived'].includes(each)).length === 3);
	assert.equal(await stage.db.value(`SELECT pinned AND archived AND muted_until BETWEEN now() + interval '6 days' AND now() + interval '8 days'
		FROM wa.chat WHERE org_id = $1 AND session_id = $2`, [org.uuid, session.uuid]), 't');

	for (const [label, name] of [['Unpin', 'pinned'], ['Unmute', 'muted'], ['Unarchive', 'archived']])
	{
		await actions.getByRole('button', { name: label }).click();
		await mark(name).waitFor({ state: 'detached' });
	}
	assert.equal(await stage.db.value('SELECT NOT pinned AND NOT archived AND muted_until IS NULL FROM wa.chat WHERE org_id = $1 AND session_id = $2', [org.uuid, session.uuid]), 't');
	visitor.assertWellBehaved();
});

test('a new chat begins with its first message', async (t) =>
{
	const session = await createSession(stage.db, org, { label: 'begins' });
	const visitor = await Visitor.open(stage, t, { as: member, section: `chats/${session.id}` });
	const { page } = visitor;
	const dialog = page.getByRole('dialog', { name: 'New chat' });

	await page.getByRole('button', { name: 'New chat' }).click();
	await dialog.getByRole('button', { name: 'Send' }).click();
	await dialog.getByText('Enter a phone number.').waitFor();
	await dialog.getByText('Write a message.').waitFor();
	await dialog.getByLabel('To').fill('+1 (555) 765-4321');
	await dialog.getByLabel('First message').fill('good morning');
	await dialog.getByRole('button', { name: 'Send' }).click();
	await heading(page, 'Chat with +15557654321').waitFor();
	await page.locator('.message.mine', { hasText: 'good morning' }).waitFor();
	await page.getByLabel('Chats').getByText('+15557654321').waitFor();
	visitor.assertWellBehaved();
});

for (const scheme of ['light', 'dark'])
	test(`a conversation with its actions fits at every width (${scheme})`, async (t) =>
	{
		const { chat, section } = await chatting(`fits ${scheme}`);

		await stage.db.sql("UPDATE wa.chat SET name = repeat('name ', 20), muted_until = now() + interval '1 day', pinned = true WHERE org_id = $1 AND session_id = $2", [org.uuid, chat.session.uuid]);

		const visitor = await Visitor.open(stage, t, { as: member, section, scheme });
		const { page } = visitor;

		await bubble(page, 'how are you?').getByText('Actions').click();
		await bubble(page, 'how are you?').getByRole('button', { name: 'Reply' }).click();
		for (const width of WIDTHS)
		{
			await page.setViewportSize({ width, height: 900 });
			await page.getByLabel('Reply to').waitFor();
			assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `at ${width}`);
			assert.ok(await page.locator('.conversation-head').evaluate((head) => head.scrollWidth <= head.clientWidth), `head at ${width}`);
			await screenshot(page, `chat-${width}-${scheme}`);
		}
		visitor.assertWellBehaved();
	});
