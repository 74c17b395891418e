/*
 * messaging.test.mjs
 *		Sessions, pairing and chats, as a person works with them.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createSentMessage, createUnlimitedSession, showQrCode } from '../e2e/harness/fixtures.mjs';
import { until } from '../e2e/harness/processes.mjs';
import { emit } from '../e2e/harness/socket.mjs';
import { createChat, createOrg, createPerson, createSession } from '../e2e/harness/tenants.mjs';
import { qrcode } from '../../web/vendor/qrcode.js';
import { Visitor, heading, openStage, row } from './stage.mjs';

const JID = '15551234567@s.whatsapp.net';

let stage, org, owner;

before(async () =>
{
	stage = await openStage();
	org = await createOrg(stage.db, 'Acme');
	owner = await createPerson(stage.db, { org });
});

const visit = (t, section, person = owner) => Visitor.open(stage, t, { as: person, section });

/* A session that the sandbox works for, as if it had been paired before. */
async function workingSession(label)
{
	const session = await createUnlimitedSession(stage.db, org, { connector: 'sandbox', status: 'working', label });

	await stage.db.sql('UPDATE wa.session SET phone_number = $1, wa_jid = $2 WHERE org_id = $3 AND id = $4',
		['15559990000', '15559990000@s.whatsapp.net', org.uuid, session.uuid]);
	return session;
}

const chatPath = (session, jid = JID) => `chats/${session.id}/${encodeURIComponent(jid)}`;
const bubble = (page, text) => page.getByRole('listitem').filter({ has: page.locator('.bubble', { hasText: text }) });

/* Writes down each step that a message is shown at, however short. */
async function noteProgress(page)
{
	await page.evaluate(() =>
	{
		window.steps = [];
		new MutationObserver(() =>
		{
			const step = document.querySelector('.steps [aria-current="step"]')?.textContent;

			if (step && step !== window.steps.at(-1))
				window.steps.push(step);
		}).observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true });
	});
}

test('a session is made, pairs, and sends a text that becomes read; the answer is in the chat', async (t) =>
{
	const visitor = await visit(t, 'sessions');
	const { page } = visitor;

	await page.getByText('No sessions yet').waitFor();
	await page.getByRole('button', { name: 'New session' }).first().click();
	await page.getByRole('dialog').getByLabel('Label').fill('Support');
	await page.getByRole('button', { name: 'Create session' }).click();
	await heading(page, 'Support').waitFor();
	await page.getByRole('status').getByText('Working').waitFor();

	await page.getByLabel('To').fill('+1 555 123-4567');
	await page.getByLabel('Text').fill('good morning');
	await noteProgress(page);
	await page.getByRole('button', { name: 'Send', exact: true }).click();
	await page.getByRole('list', { name: 'Message' }).locator('li.reached', { hasText: 'read' }).waitFor();
	await page.getByRole('link', { name: 'See the chat' }).waitFor();

	/* it goes forward only, and stays where it has ended; how many steps are seen is the sandbox's pace */
	const steps = await page.evaluate(() => window.steps);

	assert.deepEqual(steps, ['queued', 'sent', 'delivered', 'read'].filter((step) => steps.includes(step)));
	assert.equal(steps.at(-1), 'read');
	await page.getByRole('link', { name: 'See the chat' }).click();
	await heading(page, 'Chat with +15551234567').waitFor();
	await page.locator('.message.mine', { hasText: 'good morning' }).waitFor();
	await page.locator('.message:not(.mine)', { hasText: 'good morning' }).getByText('Sandbox').waitFor();
	visitor.assertWellBehaved();
});

test('a message that fails says why', async (t) =>
{
	const session = await workingSession('fails');
	const { page } = await visit(t, `sessions/${session.id}`);

	await page.getByLabel('To').fill('15550000000');
	await page.getByRole('button', { name: 'Send', exact: true }).click();
	await page.getByText('the number is not on WhatsApp').waitFor();
});

test('a session is stopped, started, restarted, logged out and deleted', async (t) =>
{
	const session = await workingSession('switched');

	await createSession(stage.db, org, { label: 'kept' });

	const { page } = await visit(t, `sessions/${session.id}`);
	const status = (words) => page.getByLabel('State').getByRole('status').getByText(words, { exact: true }).waitFor();

	await page.getByRole('button', { name: 'Stop' }).click();
	await status('Stopped');
	await page.getByRole('button', { name: 'Start', exact: true }).click();
	await status('Working');
	await page.getByRole('button', { name: 'Restart' }).click();
	await page.getByText('Session restarted.').waitFor();
	await status('Working');
	await page.getByRole('button', { name: 'Log out' }).click();
	await page.getByRole('dialog', { name: 'Log out “switched”?' }).getByRole('button', { name: 'Log out' }).click();
	await status('Logged out');
	await page.getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('dialog', { name: 'Delete “switched”?' }).getByRole('button', { name: 'Delete' }).click();
	await heading(page, 'Sessions').waitFor();
	await row(page, 'kept').waitFor();
	assert.equal(await row(page, 'switched').count(), 0);
});

test('a phone is paired by a picture of the QR code, or by a code', async (t) =>
{
	const code = '2@YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=,MTIzNDU2Nzg5MA==,QUJDREVGR0g=';
	const session = await createSession(stage.db, org, { status: 'scan_qr_code', label: 'to pair' });
	const { page } = await visit(t, `sessions/${session.id}`);

	await page.getByText('Waiting for a QR code').waitFor();
	await showQrCode(stage.db, session, code);
	await emit(stage.db, org, 'auth.qr', { session });

	const picture = page.getByRole('img', { name: 'QR code to pair a phone' });
	const modules = qrcode(0, 'M');

	await picture.waitFor();
	modules.addData(code);
	modules.make();

	/* the picture is drawn: each module is as dark or light as it should be */
	const count = modules.getModuleCount();
	const drawn = await picture.evaluate((svg, size) =>
	{
		const shape = svg.querySelector('path');
		const point = svg.createSVGPoint();

		return Array.from({ length: size * size }, (_, index) =>
		{
			point.x = index % size + 4.5;
			point.y = Math.floor(index / size) + 4.5;
			return shape.isPointInFill(point);
		});
	}, count);

	assert.ok(drawn.every((dark, index) => dark === modules.isDark(Math.floor(index / count), index % count)));

	await page.getByLabel('Phone number').fill('+1 (555) 123-4567');
	await page.getByRole('button', { name: 'Get a code' }).click();
	assert.match(await page.locator('.pairing-code').innerText(), /^[1-9A-Z]{4}-[1-9A-Z]{4}$/);
});

test('a message is reacted to, edited, forwarded and deleted', async (t) =>
{
	const session = await workingSession('chatting');
	const chat = await createChat(stage.db, session, JID);

	await createSentMessage(stage.db, chat, { direction: 'in', senderJid: JID, body: 'how are you?' });

	const visitor = await visit(t, chatPath(session));
	const { page } = visitor;
	const act = async (text, name) =>
	{
		await bubble(page, text).last().getByText('Actions').click();
		await bubble(page, text).last().getByRole('button', { name }).click();
	};

	await bubble(page, 'how are you?').waitFor();
	await page.getByLabel('Message', { exact: true }).fill('fine, and you?\nreally');
	await page.getByRole('button', { name: 'Send' }).click();
	await bubble(page, 'fine, and you?').first().getByText('· read').waitFor();
	assert.equal(await page.getByLabel('Message', { exact: true }).inputValue(), '');

	await act('how are you?', 'React with 👍');
	await bubble(page, 'how are you?').getByRole('list', { name: 'Reactions' }).getByText('👍').waitFor();

	const mine = page.locator('.message.mine');

	await mine.getByText('Actions').click();
	await mine.getByRole('button', { name: 'Edit' }).click();
	await page.getByRole('dialog').getByLabel('Text').fill('never better');
	await page.getByRole('button', { name: 'Save' }).click();
	await mine.getByText('never better').waitFor();
	await mine.getByText('· edited').waitFor();

	await mine.getByText('Actions').click();
	await mine.getByRole('button', { name: 'Forward' }).click();
	await page.getByRole('dialog').getByLabel('To').fill('15557654321');
	await page.getByRole('dialog').getByRole('button', { name: 'Forward' }).click();
	await page.getByLabel('Chats').getByText('+15557654321').waitFor();

	await mine.getByText('Actions').click();
	await mine.getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Delete for everyone' }).click();
	await mine.getByText('This message was deleted.').waitFor();

	await page.getByLabel('Chats').getByText('+15557654321').click();
	await page.getByText('· forwarded').first().waitFor();
	visitor.assertWellBehaved();
});

test('a text whose answer was lost is sent once, however often it is tried', async (t) =>
{
	const session = await workingSession('unlucky');

	await createChat(stage.db, session, JID);

	const { page, context } = await visit(t, chatPath(session));
	const send = page.getByRole('button', { name: 'Send' });
	const count = () => stage.db.value("SELECT count(*) FROM wa.message WHERE org_id = $1 AND session_id = $2 AND direction = 'out'", [org.uuid, session.uuid]);

	await page.getByLabel('Message', { exact: true }).fill('only once');
	for (let losses = 0; losses < 2; losses++)
	{
		await page.route('**/messages', async (route) =>
		{
			await route.fetch();
			await route.abort();
		}, { times: 1 });
		await send.click();
		await page.getByRole('alert').getByText('The gateway cannot be reached').waitFor();
		await send.and(page.locator(':enabled')).waitFor();
		assert.equal(await page.getByLabel('Message', { exact: true }).inputValue(), 'only once');
	}
	await send.click();
	await bubble(page, 'only once').first().waitFor();
	assert.equal(await count(), '1');

	/* the same words again are another message */
	await until('the field is empty', async () => await page.getByLabel('Message', { exact: true }).inputValue() === '');
	await page.getByLabel('Message', { exact: true }).fill('only once');
	await send.click();
	await until('two are sent', async () => await count() === '2');

	/* without a network the page says so, keeps what it shows, and goes on by itself */
	await context.setOffline(true);
	await page.getByText('The gateway cannot be reached').first().waitFor();
	await bubble(page, 'only once').first().waitFor();
	await context.setOffline(false);
	await page.getByText('The gateway cannot be reached').first().waitFor({ state: 'detached' });
});

test('a long conversation is read page by page', async (t) =>
{
	const session = await createSession(stage.db, org, { label: 'long' });

	await createChat(stage.db, session, JID);
	await stage.db.sql(`
		INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status, sent_at)
		SELECT $1, $2, $3, 'in', 'text', 'line ' || n, 'delivered', now() - (200 - n) * interval '1 minute' FROM generate_series(1, 120) AS n`,
		[org.uuid, session.uuid, JID]);

	const { page } = await visit(t, chatPath(session));

	await page.getByText('line 120', { exact: true }).waitFor();
	assert.equal(await page.getByText('line 1', { exact: true }).count(), 0);
	await page.getByRole('button', { name: 'Show earlier messages' }).click();
	await page.getByText('line 50', { exact: true }).waitFor();
	await page.getByRole('button', { name: 'Show earlier messages' }).click();
	await page.getByText('line 1', { exact: true }).waitFor();
});

test('a conversation says where the number of the session has changed, and why a message was not sent', async (t) =>
{
	const session = await workingSession('moved');
	const chat = await createChat(stage.db, session, JID);

	for (const [body, number] of [['first', '15550000001'], ['second', '15550000001'], ['third', '15550000002'], ['fourth', null], ['fifth', '15550000002']])
		await stage.db.sql('UPDATE wa.message SET session_phone_number = $1 WHERE org_id = $2 AND id = $3', [number, org.uuid, (await createSentMessage(stage.db, chat, { body })).uuid]);
	await stage.db.sql("UPDATE wa.message SET status = 'failed', error = 'session was logged out before it was sent' WHERE org_id = $1 AND session_id = $2 AND body = 'second'", [org.uuid, session.uuid]);

	const visitor = await visit(t, chatPath(session));
	const list = visitor.page.getByRole('region', { name: 'Messages' });

	await bubble(visitor.page, 'fifth').waitFor();

	const lines = await list.locator('ol > li:not(.day)').allInnerTexts();

	assert.deepEqual(lines.map((line) => /first|second|third|fourth|fifth|\+\d+/.exec(line)?.[0]), ['first', 'second', '+15550000002', 'third', 'fourth', 'fifth']);
	assert.match(lines[1], /failed.*session was logged out before it was sent/s);
});

test('a member reads and sends, and is told what only others may', async (t) =>
{
	const member = await createPerson(stage.db, { org, role: 'member' });
	const session = await workingSession('shared');
	const visitor = await visit(t, 'webhooks', member);
	const { page } = visitor;

	await page.getByText('Only owners and admins see and change webhooks.').waitFor();
	await visitor.open('Sessions');
	await page.getByText('Only owners and admins create and change sessions.').waitFor();
	assert.equal(await page.getByRole('button', { name: 'New session' }).count(), 0);
	await row(page, 'shared').getByRole('link', { name: 'shared', exact: true }).click();
	await page.getByLabel('To').fill('15551234567');
	await page.getByRole('button', { name: 'Send', exact: true }).click();
	await page.getByRole('list', { name: 'Message' }).locator('li.reached', { hasText: 'read' }).waitFor();
	for (const name of ['Stop', 'Restart', 'Log out', 'Delete'])
		assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
	assert.ok(session.id);
});

test('a chat is named by what can be seen of its name, which turns nothing around it', async (t) =>
{
	const session = await workingSession('names');
	const rows = [['15550000001', '\u3164\u200B', '+15550000001'], ['15550000002', '\u202Eevil\u202C', 'evil'], ['15550000003', 'خالد', 'خالد']];

	for (const [digits, name] of rows)
	{
		await createChat(stage.db, session, `${digits}@s.whatsapp.net`);
		await stage.db.sql('UPDATE wa.chat SET name = $1 WHERE org_id = $2 AND jid = $3', [name, org.uuid, `${digits}@s.whatsapp.net`]);
	}

	const visitor = await visit(t, chatPath(session, '15550000002@s.whatsapp.net'));

	for (const [, , shown] of rows)
		await visitor.page.locator('bdi.chat-name').getByText(shown, { exact: true }).waitFor();
	await visitor.page.getByRole('heading', { level: 2, name: 'evil', exact: true }).waitFor();
	visitor.assertWellBehaved();
});

test('a session that has failed says why, as text', async (t) =>
{
	const session = await createSession(stage.db, org, { status: 'failed' });

	await stage.db.sql("UPDATE wa.session SET status_reason = 'the <b>token</b> has expired' WHERE id = $1", [session.uuid]);

	const { page } = await visit(t, `sessions/${session.id}`);

	await page.getByText('the <b>token</b> has expired').waitFor();
});

test('what the connector of a session cannot do is not offered', async (t) =>
{
	const allow = (supported) => stage.db.sql("SELECT wa.set_connector_capability('sandbox', c, $1) FROM unnest('{edit,revoke,qr,image,video,audio,document}'::text[]) c", [supported]);

	t.after(() => allow(null));
	for (const shown of [true, false])
	{
		await allow(shown);

		const session = await createSession(stage.db, org, { connector: 'sandbox', status: 'working', held: true });
		const chat = await createChat(stage.db, session, JID);

		await createSentMessage(stage.db, chat, { body: 'mine' });

		const { page } = await visit(t, chatPath(session));
		const mine = bubble(page, 'mine');

		await mine.getByText('Actions').click();
		await mine.getByRole('button', { name: 'Forward' }).waitFor();
		await until('edits are offered as they should be', async () => await mine.getByRole('button', { name: 'Edit' }).count() === (shown ? 1 : 0));
		assert.equal(await mine.getByRole('button', { name: 'Delete' }).count(), shown ? 1 : 0);
		assert.equal(await page.getByRole('button', { name: 'Attach a file' }).count(), shown ? 1 : 0);
		await page.getByRole('button', { name: 'Send' }).waitFor();

		await stage.db.sql("UPDATE wa.session SET status = 'scan_qr_code' WHERE id = $1", [session.uuid]);
		await showQrCode(stage.db, session);
		await page.goto(`${stage.origin}/#/sessions/${session.id}`);
		await page.getByRole('heading', { name: 'Or by a code' }).waitFor();
		await until('the QR code is offered as it should be', async () => await page.getByRole('img', { name: /QR code/ }).count() === (shown ? 1 : 0));
	}
});
