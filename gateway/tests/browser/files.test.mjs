/*
 * files.test.mjs
 *		Files in a conversation: sent by button, drop and paste, shown and saved, and what is
 *		refused says why.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { before, test } from 'node:test';
import { createUnlimitedSession } from '../e2e/harness/fixtures.mjs';
import { until } from '../e2e/harness/processes.mjs';
import { createChat, createKey, createOrg, createPerson } from '../e2e/harness/tenants.mjs';
import { FILE_MAX, PICTURE as PNG, Visitor, openStage, sendFile } from './stage.mjs';

const JID = '15551234567@s.whatsapp.net';
const SOUND = fs.readFileSync(new URL('files/voice.wav', import.meta.url));
const PAGE = Buffer.from('<!DOCTYPE html><html><script>window.opener.pwned = 1</script></html>');

let stage, org, owner, key;

before(async () =>
{
	stage = await openStage();
	org = await createOrg(stage.db, 'Acme');
	owner = await createPerson(stage.db, { org });
	key = await createKey(stage.db, org);
});

/* A person at a chat of a session of its own. */
async function visit(t)
{
	const session = await createUnlimitedSession(stage.db, org, { connector: 'sandbox', status: 'working', label: 'files' });

	await createChat(stage.db, session, JID);

	const visitor = await Visitor.open(stage, t, { as: owner, section: `chats/${session.id}/${encodeURIComponent(JID)}` });
	const { page } = visitor;

	return {
		visitor, page, session,
		text: page.getByLabel('Message', { exact: true }),
		send: page.getByRole('button', { name: 'Send', exact: true }),
		choose: (...files) => page.locator('input[type=file]').setInputFiles(files),
		sent: () => stage.db.value("SELECT count(*) FROM wa.message WHERE org_id = $1 AND session_id = $2 AND direction = 'out'", [org.uuid, session.uuid]),
	};
}

const picture = (more) => ({ name: 'view.png', mimeType: 'image/png', buffer: PNG, ...more });
const uploads = () => stage.db.value('SELECT count(*) FROM wa.media WHERE org_id = $1', [org.uuid]);

/* Gives files to an element as a drop or a paste does. */
async function give(page, locator, event, files, text)
{
	const data = await page.evaluateHandle(([given, plain]) =>
	{
		const transfer = new DataTransfer();

		for (const { name, mimeType, bytes } of given)
			transfer.items.add(new File([Uint8Array.from(bytes)], name, { type: mimeType }));
		if (plain)
			transfer.setData('text/plain', plain);
		return transfer;
	}, [files.map(({ buffer, ...file }) => ({ ...file, bytes: [...buffer] })), text]);

	if (event === 'paste')
		await locator.evaluate((element, clipboardData) => element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })), data);
	else
		await locator.dispatchEvent(event, { dataTransfer: data });
}

test('a received file that is not there says why', async (t) =>
{
	const { page, session } = await visit(t);
	const received = async (media) =>
	{
		const id = await stage.db.value('INSERT INTO wa.media (org_id, state) VALUES ($1, $2) RETURNING id', [org.uuid, media.state]);

		await stage.db.sql(`
			INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, status, media_id, media)
			VALUES ($1, $2, $3, 'in', 'image', 'delivered', $4, $5::jsonb || jsonb_build_object('id', wa.typeid('med', $4::uuid)))`,
			[org.uuid, session.uuid, JID, id, JSON.stringify(media)]);
	};

	await received({ state: 'pending' });
	await received({ state: 'pending', filename: 'waits.png', mimetype: 'image/png' });
	await received({ state: 'failed', filename: 'broken.png', error: 'the far side has failed' });
	await received({ state: 'expired', filename: 'late.png' });
	await page.reload();
	for (const text of ['image is being fetched', 'waits.png is being fetched', 'broken.png could not be fetched (the far side has failed)', 'late.png is no longer kept by WhatsApp'])
		await page.getByText(text, { exact: true }).waitFor();
	assert.equal(await page.getByRole('button', { name: /late\.png/ }).count(), 0);
});

test('a picture is chosen, sent with a caption, and seen in the conversation', async (t) =>
{
	const { visitor, page, text, send, choose } = await visit(t);

	await choose(picture());
	await page.getByText('view.png, 1.29 kB').waitFor();
	await text.fill('the view');
	await send.click();

	const shown = page.locator('.message.mine').getByRole('img', { name: 'Picture view.png' });

	await shown.waitFor();
	await until('all of it is in view', async () => await page.getByRole('region', { name: 'Messages' })
		.evaluate(({ scrollTop, scrollHeight, clientHeight }) => scrollHeight - scrollTop - clientHeight) < 2);
	assert.deepEqual(await shown.evaluate((img) => img.decode().then(() => [img.naturalWidth, img.naturalHeight, new URL(img.src).protocol])), [320, 200, 'blob:']);
	await page.locator('.message.mine').getByText('the view').waitFor();
	assert.equal(await text.inputValue(), '');
	assert.equal(await page.locator('.chosen').count(), 0);
	visitor.assertWellBehaved();
});

test('the button opens the choice of a file, and what was chosen can be removed', async (t) =>
{
	const { page, choose } = await visit(t);
	const chooser = page.waitForEvent('filechooser');

	await page.getByRole('button', { name: 'Attach a file' }).click();
	await (await chooser).setFiles([picture()]);
	await page.getByRole('button', { name: 'Remove view.png' }).click();
	await page.locator('.chosen').waitFor({ state: 'detached' });
	/* the same file can be chosen again */
	await choose(picture());
	await page.locator('.chosen').waitFor();
});

test('a file is dropped on the conversation, or pasted', async (t) =>
{
	const { page, text, send } = await visit(t);
	const conversation = page.locator('.conversation');

	await give(page, conversation, 'dragover', [picture()]);
	await page.locator('.conversation.over').waitFor();
	await give(page, conversation, 'drop', [picture({ name: 'dropped.png' })]);
	await page.locator('.chosen', { hasText: 'dropped.png' }).waitFor();
	await page.locator('.conversation.over').waitFor({ state: 'detached' });
	await send.click();
	await page.getByRole('img', { name: 'Picture dropped.png' }).waitFor();

	await give(page, text, 'paste', [picture({ name: 'pasted.png' })]);
	await page.locator('.chosen', { hasText: 'pasted.png' }).waitFor();
	await send.click();
	await page.getByRole('img', { name: 'Picture pasted.png' }).waitFor();

	/* cells of a spreadsheet are text */
	await give(page, text, 'paste', [picture({ name: 'cells.png' })], 'a cell');
	assert.equal(await page.locator('.chosen').count(), 0);

	await give(page, conversation, 'drop', [picture(), picture()]);
	await page.getByRole('alert').getByText('One file can be sent with a message.').waitFor();
	assert.equal(await page.locator('.chosen').count(), 0);
});

test('an upload shows how far it is', async (t) =>
{
	const { page, send, choose, sent } = await visit(t);
	let goOn;
	const held = new Promise((resolve) => { goOn = resolve; });

	await page.route('**/api/v1/media', async (route) =>
	{
		await held;
		await route.continue();
	});
	await choose(picture());
	await send.click();
	await page.getByRole('progressbar', { name: 'Uploading view.png' }).waitFor();
	await page.getByRole('button', { name: 'Sending' }).waitFor();
	assert.equal(await sent(), '0');
	goOn();
	await page.locator('.message.mine').getByRole('img').waitFor();
});

test('a file that is refused says why, and the message stays', async (t) =>
{
	const { visitor, page, text, send, choose, sent } = await visit(t);

	await text.fill('look');
	for (const [file, words] of [
		[picture({ name: 'large.png', buffer: Buffer.concat([PNG, Buffer.alloc(FILE_MAX)]) }), 'The file is larger than this gateway takes.'],
		[picture({ name: 'page.png', buffer: PAGE }), 'Content-Type: is image/png, but the file is text/html'],
		[picture({ name: 'empty.png', buffer: Buffer.alloc(0) }), 'file: must not be empty'],
	])
	{
		await choose(file);
		await send.click();
		await page.getByRole('alert').getByText(words).waitFor();
		assert.equal(await text.inputValue(), 'look');
		await page.getByRole('button', { name: `Remove ${file.name}` }).click();
		await page.getByRole('alert').waitFor({ state: 'detached' });
	}
	assert.equal(await sent(), '0');
	visitor.assertWellBehaved();
});

test('trying again after a lost answer uploads nothing twice, and sends one message', async (t) =>
{
	const { page, send, choose, sent } = await visit(t);
	const uploaded = Number(await uploads());

	await choose(picture());
	await page.route('**/messages', async (route) =>
	{
		await route.fetch();
		await route.abort();
	}, { times: 1 });
	await send.click();
	await page.getByRole('alert').getByText('The gateway cannot be reached').waitFor();
	await send.click();
	await page.locator('.chosen').waitFor({ state: 'detached' });
	assert.equal(await sent(), '1');
	assert.equal(Number(await uploads()), uploaded + 1);
});

test('a sound is played, and has no caption: the text stays', async (t) =>
{
	const { visitor, page, session, text, send, choose } = await visit(t);

	await choose({ name: 'voice.wav', mimeType: 'audio/wav', buffer: SOUND });
	await text.fill('for later');
	await send.click();
	await page.getByRole('button', { name: 'Play voice.wav' }).click();

	const player = page.locator('audio[aria-label="Sound voice.wav"]');

	await until('it can be played', async () => await player.evaluate((audio) => audio.readyState) >= 2);
	assert.ok(await player.evaluate((audio) => audio === document.activeElement && audio.duration > 0));
	assert.equal(await text.inputValue(), 'for later');
	assert.equal(await stage.db.value("SELECT type FROM wa.message WHERE org_id = $1 AND session_id = $2 AND direction = 'out'", [org.uuid, session.uuid]), 'audio');
	visitor.assertWellBehaved();
});

test('a document is saved as it is, and never shown', async (t) =>
{
	const { visitor, page, session } = await visit(t);

	await sendFile(stage, key, session, { type: 'document', mimetype: 'text/html', filename: 'page.html', body: PAGE });

	const saved = page.waitForEvent('download');

	await page.getByRole('button', { name: 'Save page.html' }).click();

	const file = await saved;

	assert.equal(file.suggestedFilename(), 'page.html');
	assert.ok(fs.readFileSync(await file.path()).equals(PAGE));
	assert.equal(await page.evaluate(() => window.pwned), undefined);
	visitor.assertWellBehaved();
});

test('a picture that is gone says so', async (t) =>
{
	const { page, session } = await visit(t);

	await page.route(/\/media$/, async (route) => route.fulfill({ status: 410, json: { error: { code: 'media_gone', message: 'the file is not stored any more' } } }));
	await sendFile(stage, key, session, { filename: 'gone.png' });
	await page.getByRole('alert').getByText('The file is not stored any more.').waitFor();
});
