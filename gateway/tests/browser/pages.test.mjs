/*
 * pages.test.mjs
 *		Each page in light and dark, on a desk and on a phone: axe-core finds nothing serious,
 *		nothing has to be scrolled sideways, and a picture of it is kept.  And that what the
 *		dashboard has copies of is as the originals are.
 *
 * The pictures lie in gateway/tests/browser/screenshots (WA_SCREENSHOTS), made anew at each
 * run, for people to look at.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { before, test } from 'node:test';
import { createSentMessage, createUnlimitedSession, createWebhook, showQrCode } from '../e2e/harness/fixtures.mjs';
import { DOCUMENT } from '../e2e/harness/openapi.mjs';
import { SCRIPTS } from '../e2e/harness/processes.mjs';
import { addMember, createChat, createKey, createMessage, createOrg, createPerson, createSession } from '../e2e/harness/tenants.mjs';
import { ACTION_WORDS } from '../../web/pages/audit_words.js';
import { EVENT_TYPES } from '../../web/client/event_types.js';
import { DESK, PHONE, SCREENSHOTS, Visitor, assertFits, heading, openStage, press, row, screenshot, secretField, sendFile } from './stage.mjs';

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const JID = '15551234567@s.whatsapp.net';

let stage, org, owner, chatting, pairing;

before(async () =>
{
	fs.rmSync(SCREENSHOTS, { recursive: true, force: true });
	stage = await openStage();
	console.error(`# screenshots: ${SCREENSHOTS}`);
	await furnish();
});

/* An organization in which every page has something to show. */
async function furnish()
{
	const { db } = stage;

	org = await createOrg(db, 'Acme Support');
	owner = await createPerson(db, { org, name: 'Olivia Owner', email: 'olivia@example.com' });
	await addMember(db, await createOrg(db, 'Globex'), owner, 'admin');
	await createPerson(db, { org, role: 'member', name: 'Mia Member', email: 'mia@example.com' });
	const key = await createKey(db, org, ['read', 'send', 'manage', 'events'], { name: 'Warehouse integration' });

	await createKey(db, org, ['read'], { name: 'Reporting', expiresAt: new Date(Date.now() + 2 * 24 * 3600 * 1000).toISOString() });
	await db.sql('SELECT wa.revoke_key($1)', [(await createKey(db, org, ['send'], { name: 'Old shop' })).uuid]);
	chatting = await createUnlimitedSession(db, org, { label: 'Support line' });
	pairing = await createSession(db, org, { label: 'Second phone', status: 'scan_qr_code' });
	await showQrCode(db, pairing, '2@YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=,MTIzNDU2Nzg5MA==');
	await createWebhook(db, org, { url: 'https://receiver.example/a/rather/long/path/to/the/place/where/events/arrive' });

	const chat = await createChat(db, chatting, JID);

	await createMessage(db, chat, 'Hello, is my parcel on its way?');
	await createSentMessage(db, chat, { body: 'It left this morning: https://parcels.example/track/0123456789012345678901234567890123456789' });
	await db.sql("UPDATE wa.message SET reactions = '{\"me\":\"👍\"}' WHERE org_id = $1 AND direction = 'in'", [org.uuid]);
	await createSentMessage(db, chat, { type: 'location', body: null, content: { latitude: 52.5, longitude: 13.4, name: 'Depot' } });
	await sendFile(stage, key, chatting, { type: 'document', mimetype: 'application/pdf', filename: 'delivery note.pdf', body: '%PDF-1.7' });
	await sendFile(stage, key, chatting);
}

/* What is seen when the page is there. */
const PAGES = [
	{ name: 'home', hash: 'home', seen: (page) => page.getByRole('region', { name: 'Sessions' }) },
	{ name: 'keys', hash: 'keys', seen: (page) => row(page, 'Reporting') },
	{ name: 'sessions', hash: 'sessions', seen: (page) => row(page, 'Support line') },
	{ name: 'session', hash: () => `sessions/${chatting.id}`, seen: (page) => page.getByRole('heading', { name: 'Try it out' }) },
	{ name: 'pairing', hash: () => `sessions/${pairing.id}`, seen: (page) => page.getByRole('img', { name: 'QR code' }) },
	{ name: 'chats', hash: () => `chats/${chatting.id}`, seen: (page) => page.getByRole('link', { name: /15551234567/ }) },
	{ name: 'conversation', hash: () => `chats/${chatting.id}/${encodeURIComponent(JID)}`, seen: (page) => page.getByRole('img', { name: 'Picture view.png' }) },
	{ name: 'webhooks', hash: 'webhooks', seen: (page) => row(page, 'https://receiver.example') },
	{ name: 'events', hash: 'events', seen: (page) => page.getByText('Live', { exact: true }) },
	{ name: 'members', hash: 'members', seen: (page) => row(page, 'Mia Member') },
	{ name: 'audit', hash: 'audit', seen: (page) => page.getByText('made the organization') },
	{ name: 'account', hash: 'account', seen: (page) => page.getByLabel('Present password') },
	{ name: 'no-such-page', hash: 'nothing/here', seen: (page) => heading(page, 'There is no such page') },
];

/* Dialogs of the page API Keys, which matters most, and of Members. */
const DIALOGS = [
	{ name: 'new-key', hash: 'keys', open: (page) => page.getByRole('button', { name: 'New key' }).click() },
	{ name: 'rotate-key', hash: 'keys', open: (page) => press(row(page, 'Reporting'), 'Rotate') },
	{ name: 'revoke-key', hash: 'keys', open: (page) => press(row(page, 'Reporting'), 'Revoke') },
	{ name: 'new-webhook', hash: 'webhooks', open: (page) => page.getByRole('button', { name: 'New webhook' }).click() },
	{ name: 'invite', hash: 'members', open: (page) => page.getByRole('button', { name: 'Invite' }).click() },
];

/*
 * Ways to look at a page.  They are styles of one document: all of axe's rules are for the
 * first, and for the others those of what the styles change, colours and what is displayed.
 */
const VIEWS = [
	{ name: 'desk-light', viewport: DESK, colorScheme: 'light' },
	{ name: 'desk-dark', viewport: DESK, colorScheme: 'dark', rules: ['color-contrast'] },
	{
		name: 'phone-light', viewport: PHONE, colorScheme: 'light',
		rules: ['color-contrast', 'scrollable-region-focusable', 'button-name', 'link-name', 'label', 'aria-hidden-focus', 'aria-valid-attr-value'],
	},
];

async function assertAccessible(page, name, rules)
{
	/* by the debugger, which the page's policy does not bind */
	if (!await page.evaluate(() => 'axe' in window))
		await page.evaluate(AXE);

	const found = await page.evaluate(async (only) => (await window.axe.run(document, { resultTypes: ['violations'], ...(only && { runOnly: only }) })).violations
		.filter(({ impact }) => impact === 'serious' || impact === 'critical')
		.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} (${failureSummary})`).join('; ')}`), rules);

	assert.deepEqual(found, [], name);
}

async function assertNothingCut(page, name)
{
	await assertFits(page, name);

	/* nothing that can be pressed is cut off at the side */
	const outside = await page.evaluate(() => [...document.querySelectorAll('main button')]
		.filter((button) => button.checkVisibility() && button.getBoundingClientRect().right > innerWidth).map((button) => button.textContent));

	assert.deepEqual(outside, [], name);
}

async function look(page, name, rules)
{
	await assertAccessible(page, name, rules);
	await assertNothingCut(page, name);
	await screenshot(page, name);
}

async function lookInAllWays(page, what)
{
	for (const { name, viewport, colorScheme, rules } of VIEWS)
	{
		await page.setViewportSize(viewport);
		await page.emulateMedia({ colorScheme });
		await look(page, `${what}-${name}`, rules);
	}
	await page.setViewportSize(DESK);
}

test('every page is accessible and fits, in light and dark, on a desk and on a phone', async (t) =>
{
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;

	await visitor.go();
	await heading(page, 'Sign in').waitFor();
	await lookInAllWays(page, 'sign-in');
	await visitor.enter(owner);
	for (const { name, hash, seen } of PAGES)
	{
		await page.evaluate((to) => { location.hash = `#/${to}`; }, typeof hash === 'function' ? hash() : hash);
		await seen(page).waitFor();
		await lookInAllWays(page, name);
	}
	for (const { name, hash, open } of DIALOGS)
	{
		await page.evaluate((to) => { location.hash = `#/${to}`; }, hash);
		await open(page);
		await page.getByRole('dialog').waitFor();
		await lookInAllWays(page, name);
		await page.getByRole('button', { name: 'Cancel' }).click();
	}
	await visitor.open('API Keys');
	await page.getByRole('button', { name: 'New key' }).click();
	await page.getByRole('dialog').getByLabel('Name').fill('shown once');
	await page.getByRole('checkbox', { name: 'read', exact: true }).check();
	await page.getByRole('button', { name: 'Create key' }).click();
	await secretField(page).waitFor();
	await lookInAllWays(page, 'key-made');
	visitor.assertWellBehaved();
});

test('empty pages teach, and an invitation and the choice of an organization are accessible', async (t) =>
{
	const fresh = await createOrg(stage.db, 'Fresh');
	const person = await createPerson(stage.db, { org: fresh, name: 'Nora New' });
	const visitor = await Visitor.open(stage, t, { viewport: PHONE });
	const { page } = visitor;

	await visitor.enter(person);
	for (const [title, words] of [['API Keys', 'An API key lets a program'], ['Sessions', 'A session is one WhatsApp account'], ['Chats', 'Chats belong to a session'], ['Webhooks', 'A webhook is an address of yours']])
	{
		await visitor.open(title);
		await page.getByText(words).waitFor();
		await look(page, `empty-${title.toLowerCase().replace(' ', '-')}-phone-light`);
	}

	const invited = await inviteTo(visitor);

	await page.goto('about:blank');
	await page.goto(invited);
	await heading(page, 'Join Fresh').waitFor();
	await look(page, 'invitation-phone-light');

	await stage.db.sql('UPDATE wa.sign_in SET active_org = NULL WHERE user_id = $1', [owner.uuid]);

	const chooser = await Visitor.open(stage, t, { as: owner });

	await heading(chooser.page, 'Choose an organization').waitFor();
	await look(chooser.page, 'choose-desk-light');
	visitor.assertWellBehaved();
});

async function inviteTo(visitor)
{
	const { page } = visitor;

	await visitor.open('Members');
	await page.getByRole('button', { name: 'Invite' }).click();
	await page.getByRole('dialog').getByLabel('Email').fill('invited@example.com');
	await page.getByRole('button', { name: 'Create invitation' }).click();
	return (await secretField(page, 'Invitation link').textContent()).trim();
}

test('everything is done by keyboard: sign in, skip to the page, make a key, go back to where one was', async (t) =>
{
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	const fresh = await createOrg(stage.db, 'Keys by keyboard');
	const person = await createPerson(stage.db, { org: fresh });
	const focused = () => page.evaluate(() => document.activeElement.innerText || document.activeElement.getAttribute('aria-label') || document.activeElement.tagName);

	await visitor.go();
	await page.getByLabel('Email').and(page.locator(':focus')).waitFor();
	await page.keyboard.type(person.email);
	await page.keyboard.press('Tab');
	await page.keyboard.type(person.password);
	await page.keyboard.press('Enter');
	await heading(page, 'Home').waitFor();

	await page.getByRole('link', { name: 'Skip to the page' }).focus();
	await page.keyboard.press('Enter');
	assert.equal(await focused(), 'Home');
	await page.getByRole('link', { name: 'Make an API key' }).focus();
	await page.keyboard.press('Enter');
	await heading(page, 'API Keys').and(page.locator(':focus')).waitFor();
	await page.getByRole('button', { name: 'New key' }).first().waitFor();
	await page.keyboard.press('Tab');
	assert.equal(await focused(), 'New key');
	await page.keyboard.press('Enter');
	await page.getByRole('dialog').getByLabel('Name').and(page.locator(':focus')).waitFor();
	await page.keyboard.type('by keyboard');
	await page.keyboard.press('Tab');
	await page.keyboard.press('Space');
	await page.keyboard.press('Enter');
	await secretField(page).waitFor();
	for (const name of ['Done', 'Close without copying'])
	{
		await page.getByRole('button', { name, exact: true }).focus();
		await page.keyboard.press('Enter');
	}
	await row(page, 'by keyboard').waitFor();

	/* a page that opens has the focus at its heading */
	await page.getByRole('link', { name: 'Members' }).focus();
	await page.keyboard.press('Enter');
	await heading(page, 'Members').and(page.locator(':focus')).waitFor();
	assert.equal(await page.title(), 'Members · wa_apikeys');
	visitor.assertWellBehaved();
});

test('the vendored libraries are what scripts/vendor makes of the pinned packages', () =>
{
	execFileSync(path.join(SCRIPTS, 'vendor'), ['--check'], { stdio: 'pipe' });
});

const enumOf = (name) => DOCUMENT.components.schemas[name].enum;
const sorted = (names) => [...names].sort();

test('the types of events are those of the OpenAPI document and of the database', async () =>
{
	const [{ types }] = await stage.db.sql('SELECT array_to_json(wa.event_types())::text AS types');

	assert.deepEqual(EVENT_TYPES, enumOf('EventType'));
	assert.deepEqual(EVENT_TYPES, JSON.parse(types));
});

/* What the functions of the database write to the audit log, as their sources have it. */
async function writtenActions()
{
	const sources = await stage.db.sql("SELECT prosrc FROM pg_proc WHERE pronamespace = 'wa'::regnamespace");
	const writing = sources.flatMap(({ prosrc }) => prosrc.match(/(wa\.note(_person|_changes)?\(|INSERT INTO wa\.audit\b)[^;]*/g) ?? []);

	return new Set(writing.flatMap((text) => text.match(/'[a-z]+\.[a-z_]+'/g) ?? []).map((literal) => literal.slice(1, -1)));
}

test('every action that the database writes to the audit log is in the OpenAPI document, and has words', async () =>
{
	assert.deepEqual(sorted(await writtenActions()), sorted(enumOf('AuditAction')));
	assert.deepEqual(sorted(Object.keys(ACTION_WORDS)), sorted(enumOf('AuditAction')));
});
