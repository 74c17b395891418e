/*
 * search.test.mjs
 *		Finding chats, messages, keys and members.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createSentMessage } from '../e2e/harness/fixtures.mjs';
import { createChat, createKey, createOrg, createPerson, createSession } from '../e2e/harness/tenants.mjs';
import { Visitor, assertFits, heading, openStage, row, screenshot } from './stage.mjs';

const JID = '15551234567@s.whatsapp.net';
const GROUP = '120363041234567890@g.us';
const WIDTHS = [390, 768, 1024, 1100, 1280, 1440];

let stage, org, owner;

before(async () =>
{
	stage = await openStage();
	org = await createOrg(stage.db, 'Acme');
	owner = await createPerson(stage.db, { org, name: 'Zoë Owner' });
});

async function chatting(label)
{
	const session = await createSession(stage.db, org, { label });
	const chat = await createChat(stage.db, session, JID);
	const group = await createChat(stage.db, session, GROUP, { activeAt: '2026-01-01' });

	await stage.db.sql("UPDATE wa.chat SET name = 'Café Ørsted' WHERE org_id = $1 AND session_id = $2 AND jid = $3", [org.uuid, session.uuid, GROUP]);
	await createSentMessage(stage.db, chat, { direction: 'in', senderJid: JID, body: `${'a long story, and then '.repeat(20)}the invoice of Zoë` });
	await createSentMessage(stage.db, chat, { body: 'thanks' });
	await createSentMessage(stage.db, group, { direction: 'in', senderJid: JID, body: 'INVOICE 7' });
	return { session, chat };
}

const field = (page) => page.getByRole('searchbox', { name: 'Search chats and messages' });
const found = (page) => page.getByRole('region', { name: 'Messages found', exact: true });

test('a message is found in all chats, its chat shows it, and all messages come back', async (t) =>
{
	const { session } = await chatting('finds');
	const visitor = await Visitor.open(stage, t, { as: owner, section: `chats/${session.id}` });
	const { page } = visitor;

	await field(page).fill('invoice');
	await found(page).getByText('the invoice of Zoë').waitFor();
	await found(page).getByRole('link', { name: /Café Ørsted/ }).getByText('INVOICE 7').waitFor();
	assert.equal(await found(page).getByRole('link').count(), 2);
	await page.getByText('No chat matches.').waitFor();

	/* what was found is seen in its chat, with the day and who sent it */
	await found(page).getByRole('link', { name: /the invoice of Zoë/ }).click();
	await heading(page, 'Chat with +15551234567').waitFor();

	const inChat = page.getByRole('region', { name: 'Messages found in this chat' });

	await inChat.locator('.message', { hasText: 'the invoice of Zoë' }).waitFor();
	assert.equal(await inChat.locator('.message').count(), 1);
	assert.equal(await page.getByRole('searchbox', { name: 'Search in this chat' }).inputValue(), 'invoice');
	await page.getByRole('searchbox', { name: 'Search in this chat' }).fill('nowhere');
	await inChat.getByText('No message matches.').waitFor();
	await page.getByRole('button', { name: 'Show all messages' }).click();
	await page.getByRole('region', { name: 'Messages', exact: true }).locator('.message', { hasText: 'thanks' }).waitFor();
	visitor.assertWellBehaved();
});

test('a search is begun in an open chat, by the keyboard alone', async (t) =>
{
	const { session } = await chatting('keyboard');
	const visitor = await Visitor.open(stage, t, { as: owner, section: `chats/${session.id}/${encodeURIComponent(JID)}` });
	const { page } = visitor;

	await page.getByRole('button', { name: 'Search', exact: true }).focus();
	await page.keyboard.press('Enter');
	await page.getByRole('searchbox', { name: 'Search in this chat' }).and(page.locator(':focus')).waitFor();
	await page.keyboard.type('ZOE');
	await page.getByRole('region', { name: 'Messages found in this chat' }).locator('.message', { hasText: 'the invoice of Zoë' }).waitFor();
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await page.getByRole('region', { name: 'Messages', exact: true }).locator('.message', { hasText: 'thanks' }).waitFor();
	visitor.assertWellBehaved();
});

test('chats are found by name without accents, and by number', async (t) =>
{
	const { session } = await chatting('chats');
	const visitor = await Visitor.open(stage, t, { as: owner, section: `chats/${session.id}` });
	const { page } = visitor;
	const chats = page.getByRole('list', { name: 'Chats found' });

	for (const [text, name, other] of [['cafe orsted', 'Café Ørsted', '+15551234567'], ['+1 555', '+15551234567', 'Café Ørsted']])
	{
		await field(page).fill(text);
		await chats.getByText(other).waitFor({ state: 'detached' });
		await chats.getByText(name).waitFor();
	}
	await field(page).fill('');
	await page.getByLabel('Chats', { exact: true }).getByText('Café Ørsted').waitFor();
	visitor.assertWellBehaved();
});

test('a search that has found nothing in the newest messages goes on further back', async (t) =>
{
	const { session, chat } = await chatting('far back');

	await stage.db.sql(`INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status, sent_at)
		SELECT $1, $2, $3, 'in', 'text', CASE WHEN i = 6000 THEN 'the oldest needle' ELSE 'hay' END, 'read', now() - i * interval '1 minute'
		FROM generate_series(1, 6000) i`, [org.uuid, session.uuid, chat.jid]);

	const visitor = await Visitor.open(stage, t, { as: owner, section: `chats/${session.id}` });
	const { page } = visitor;

	await field(page).fill('needle');
	await found(page).getByText('Nothing in the newest messages.').waitFor();
	await found(page).getByRole('button', { name: 'Search further back' }).click();
	await found(page).getByText('the oldest needle').waitFor();
	visitor.assertWellBehaved();
});

test('keys are found on the gateway, which gets no more of a pasted key than it shows', async (t) =>
{
	const visitor = await Visitor.open(stage, t, { as: owner });
	const { page } = visitor;
	const key = await createKey(stage.db, org, ['read'], { name: 'Zürich shop' });
	const asked = [];

	/* more than a page in front of it */
	await stage.db.sql("INSERT INTO wa.api_key (org_id, name, digest, prefix, permissions, created_by) SELECT $1, 'hay ' || i, sha256(('browser ' || i)::bytea), 'wa_hayhay', '{read}', 'postgres' FROM generate_series(1, 210) i", [org.uuid]);
	page.on('request', (request) => asked.push(request.url()));
	await page.reload();
	await row(page, 'hay 210').waitFor();
	for (const text of ['zurich', key.secret, key.id])
	{
		await page.getByLabel('Filter by name').fill('no such key');
		await page.getByText('No key matches.').waitFor();
		await page.getByLabel('Filter by name').fill(text);
		await row(page, 'Zürich shop').waitFor();
	}
	assert.ok(asked.every((url) => !url.includes(key.secret.slice(0, 9))));
	assert.ok(asked.some((url) => url.includes(key.secret.slice(0, 8))));
	visitor.assertWellBehaved();
});

test('members are found by name or email', async (t) =>
{
	const other = await createPerson(stage.db, { org, role: 'member', name: 'Ann Other' });
	const visitor = await Visitor.open(stage, t, { as: owner, section: 'members' });
	const { page } = visitor;

	for (const [text, name, gone] of [['zoe', 'Zoë Owner', 'Ann Other'], [other.email.toUpperCase(), 'Ann Other', 'Zoë Owner']])
	{
		await page.getByLabel('Filter by name or email').fill(text);
		await row(page, gone).waitFor({ state: 'detached' });
		await row(page, name).waitFor();
	}
	await page.getByLabel('Filter by name or email').fill('nobody of this name');
	await page.getByText('No member matches.').waitFor();
	visitor.assertWellBehaved();
});

for (const scheme of ['light', 'dark'])
	test(`a search and what it finds fit at every width (${scheme})`, async (t) =>
	{
		const { session } = await chatting(`fits ${scheme}`);
		const visitor = await Visitor.open(stage, t, { as: owner, section: `chats/${session.id}`, scheme });
		const { page } = visitor;

		await field(page).fill('o');
		await found(page).getByText('INVOICE 7').waitFor();
		for (const width of WIDTHS)
		{
			await page.setViewportSize({ width, height: 900 });
			await assertFits(page, `search at ${width}`);
			await screenshot(page, `search-${width}-${scheme}`);
		}
		await found(page).getByRole('link', { name: /INVOICE 7/ }).click();
		await page.getByRole('region', { name: 'Messages found in this chat' }).locator('.message').waitFor();
		for (const width of WIDTHS)
		{
			await page.setViewportSize({ width, height: 900 });
			await assertFits(page, `search in a chat at ${width}`);
			await screenshot(page, `search-in-chat-${width}-${scheme}`);
		}
		visitor.assertWellBehaved();
	});
