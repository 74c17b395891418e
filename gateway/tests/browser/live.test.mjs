/*
 * live.test.mjs
 *		Pages show what has changed, and ask for nothing while nothing has.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createUnlimitedSession } from '../e2e/harness/fixtures.mjs';
import { until } from '../e2e/harness/processes.mjs';
import { emit } from '../e2e/harness/socket.mjs';
import { createChat, createKey, createOrg, createPerson, createSession } from '../e2e/harness/tenants.mjs';
import { Visitor, heading, openStage, row } from './stage.mjs';

const JID = '15551234567@s.whatsapp.net';

let stage;

before(async () => { stage = await openStage(); });

/* An organization with one of each, and its owner.  No connector works for the session. */
async function organization()
{
	const org = await createOrg(stage.db, 'Acme');
	const owner = await createPerson(stage.db, { org });
	const session = await createSession(stage.db, org, { label: 'Support' });

	await createChat(stage.db, session, JID);
	return { org, owner, session, key: await createKey(stage.db, org, undefined, { name: 'web shop' }) };
}

/* The requests of a page to the gateway, and whether an answer is on its way. */
function watchRequests(page)
{
	const requests = [];
	const open = new Set();

	page.on('request', (request) =>
	{
		const { pathname } = new URL(request.url());

		if (!/^\/(api|auth|readyz)/.test(pathname))
			return;
		open.add(request);
		requests.push(`${request.method()} ${pathname}`);
	});
	for (const end of ['requestfinished', 'requestfailed'])
		page.on(end, (request) => open.delete(request));
	return { requests, isQuiet: () => open.size === 0 };
}

/* Runs the timers of the page as if a minute had passed; what they have asked for is answered then. */
async function passMinute(page, { isQuiet })
{
	await page.clock.runFor(60000);
	await until('all is answered', isQuiet);
}

/* Until a minute brings nothing new.  A page that asks again and again never gets there. */
async function settle(page, watched)
{
	for (let rounds = 0, before = -1; before !== watched.requests.length; rounds++)
	{
		assert.ok(rounds < 10, `${watched.requests.slice(-10)}`);
		before = watched.requests.length;
		await passMinute(page, watched);
	}
}

test('an idle window asks the gateway for nothing, on any page', async (t) =>
{
	const { owner } = await organization();
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	const watched = watchRequests(page);

	await page.clock.install();
	await visitor.enter(owner, 'sessions');
	await row(page, 'Support').waitFor();
	for (const title of ['Home', 'API Keys', 'Sessions', 'Chats', 'Webhooks', 'Members', 'Audit log', 'Account'])
	{
		await visitor.open(title);
		if (title === 'Chats')
			await page.getByLabel('Chats').getByText('+15551234567').click();
		await settle(page, watched);
		watched.requests.length = 0;
		for (let minute = 0; minute < 10; minute++)
			await passMinute(page, watched);
		assert.deepEqual(watched.requests, [], title);
	}
	visitor.assertWellBehaved();
});

test('what another window or program changes is shown without a reload', async (t) =>
{
	const { org, owner, key, session } = await organization();
	const visitor = await Visitor.open(stage, t, { as: owner });
	const { page } = visitor;

	/* keys: an event tells of a new one, of one that is switched off, and of one that is revoked */
	await row(page, 'web shop').waitFor();

	const second = await createKey(stage.db, org, ['read'], { name: 'made elsewhere' });

	await row(page, 'made elsewhere').waitFor();
	await stage.db.sql('SELECT wa.disable_key($1)', [second.uuid]);
	await row(page, 'made elsewhere').locator('.badge').getByText('Switched off', { exact: true }).waitFor();

	/* sessions */
	await visitor.open('Sessions');
	await row(page, 'Support').waitFor();
	await stage.db.sql("UPDATE wa.session SET status = 'stopped' WHERE id = $1", [session.uuid]);
	await row(page, 'Support').getByText('Stopped').waitFor();

	/* chats, and a conversation */
	await visitor.open('Chats');
	await page.getByLabel('Chats').getByText('+15551234567').click();
	await heading(page, 'Chat with +15551234567').waitFor();
	await page.getByRole('region', { name: 'Messages' }).waitFor();

	const sent = await stage.client.post(`/api/v1/sessions/${session.id}/messages`, key.secret, { type: 'text', to: '15551234567', text: 'sent by a program' });

	assert.equal(sent.status, 202, sent.text);
	await page.locator('.message', { hasText: 'sent by a program' }).waitFor();
	visitor.assertWellBehaved();
});

test('what no event tells of is read again when the window gets the focus', async (t) =>
{
	const { org, owner } = await organization();
	const visitor = await Visitor.open(stage, t, { as: owner, section: 'members' });
	const { page } = visitor;

	await row(page, owner.name).waitFor();

	await createPerson(stage.db, { org, role: 'member', name: 'Lara Late' });

	await page.evaluate(() => dispatchEvent(new Event('focus')));
	await row(page, 'Lara Late').waitFor();
	visitor.assertWellBehaved();
});

test('after the socket was broken, what has changed meanwhile is shown', async (t) =>
{
	const { org, owner, session } = await organization();
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	let last;

	await page.routeWebSocket(/\/api\/v1\/realtime/, (socket) => { last = { socket, server: socket.connectToServer() }; });
	await visitor.enter(owner, 'sessions');
	await row(page, 'Support').waitFor();
	await stage.db.sql("UPDATE wa.session SET status = 'stopped' WHERE id = $1", [session.uuid]);
	await row(page, 'Support').getByText('Stopped').waitFor();

	/* without tickets there is no other socket */
	await page.route('**/realtime/ticket', (route) => route.abort());
	await last.server.close();
	await last.socket.close({ code: 1011 });
	await createUnlimitedSession(stage.db, org, { label: 'made meanwhile' });
	await row(page, 'made meanwhile').waitFor();

	/* and with them events come again */
	await page.unroute('**/realtime/ticket');
	await emit(stage.db, org, 'session.status', { session });
	await stage.db.sql("UPDATE wa.session SET status = 'failed' WHERE id = $1", [session.uuid]);
	await row(page, 'Support').getByText('Failed').waitFor();
	visitor.assertWellBehaved();
});
