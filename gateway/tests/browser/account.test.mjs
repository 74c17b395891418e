/*
 * account.test.mjs
 *		People: sign in and out, the active organization, invitations, roles, passwords.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { before, test } from 'node:test';
import { until } from '../e2e/harness/processes.mjs';
import { addMember, createKey, createOrg, createPerson, createSession } from '../e2e/harness/tenants.mjs';
import { Visitor, everythingOf, heading, leaveSecret, openStage, press, row, secretField } from './stage.mjs';

let stage;

before(async () => { stage = await openStage(); });

/* Two organizations of one person, each with a key and a session that names it. */
async function twoOrganizations()
{
	const orgs = [await createOrg(stage.db, 'Acme'), await createOrg(stage.db, 'Globex')];
	const person = await createPerson(stage.db, { org: orgs[0] });

	await addMember(stage.db, orgs[1], person, 'admin');
	for (const [index, name] of ['only-acme', 'only-globex'].entries())
	{
		await createKey(stage.db, orgs[index], ['read'], { name: `key ${name}` });
		await createSession(stage.db, orgs[index], { label: `session ${name}` });
	}
	return { orgs, person };
}

const activeName = (page) => page.getByLabel('Organization').evaluate((select) => select.selectedOptions[0].textContent);

/*
 * Writes down whether the page ever shows what is only one organization's while it says that
 * the other is active: looked at after each change of the page, before it is painted.
 */
async function watchForMixing(page)
{
	await page.evaluate(() =>
	{
		const look = () =>
		{
			const active = document.querySelector('.organization select')?.selectedOptions[0]?.textContent;
			const text = document.querySelector('main')?.innerText ?? '';
			const strangers = { Acme: 'only-globex', Globex: 'only-acme' };

			if (active && text.includes(strangers[active]))
				window.mixed = `${active}: ${text}`;
		};

		new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true });
	});
}

/* From the page Members; returns the link. */
async function invite({ page }, email, role = 'member')
{
	await page.getByRole('button', { name: 'Invite' }).click();
	await page.getByRole('dialog').getByLabel('Email').fill(email);
	await page.getByRole('dialog').getByLabel('Role').selectOption(role);
	await page.getByRole('button', { name: 'Create invitation' }).click();
	return (await secretField(page, 'Invitation link').textContent()).trim();
}

/* Writes down each heading that a page shows from now on, however short. */
async function noteHeadings(page)
{
	await page.evaluate(() =>
	{
		window.headings = [];

		const look = () =>
		{
			const title = document.querySelector('h1')?.textContent;

			if (title && title !== window.headings.at(-1))
				window.headings.push(title);
		};

		look();
		new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
	});
}

const mixed = (page) => page.evaluate(() => window.mixed ?? null);

test('a wrong password and an unknown person get the same words; the right one gets in', async (t) =>
{
	const org = await createOrg(stage.db, 'Acme');
	const person = await createPerson(stage.db, { org });
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	const words = [];

	await visitor.go();
	for (const email of [person.email, 'nobody@example.com'])
	{
		await page.getByLabel('Email').fill(email);
		await page.getByLabel('Password').fill('not the password');
		await page.getByRole('button', { name: 'Sign in' }).click();
		await page.getByRole('alert').waitFor();
		words.push(await page.getByRole('alert').innerText());
		await page.reload();
	}
	assert.equal(words[0], words[1]);
	await visitor.signIn(person);
	await visitor.open('Sessions');
	assert.equal(await page.evaluate(() => document.cookie + localStorage.length + sessionStorage.length), '00');

	await page.getByRole('button', { name: 'Sign out' }).click();
	await heading(page, 'Sign in').waitFor();
	await page.goBack();
	await heading(page, 'Sign in').waitFor();
	visitor.assertWellBehaved();
});

test('a user token that has ended is renewed without a word; a sign-in that has ended is told', async (t) =>
{
	const org = await createOrg(stage.db, 'Acme');
	const person = await createPerson(stage.db, { org });
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;

	await visitor.enter(person);
	await page.getByText('No API keys yet').waitFor();
	await stage.db.sql('DELETE FROM wa.user_token WHERE user_id = $1', [person.uuid]);
	await visitor.open('Sessions');
	await page.getByText('No sessions yet').waitFor();
	assert.equal(await page.getByRole('alert').count(), 0);

	await stage.db.sql('SELECT wa.end_sign_ins($1)', [person.uuid]);
	await heading(page, 'Sign in').waitFor();
	await page.getByText('You are signed out').waitFor();
	visitor.assertWellBehaved();
});

test('two windows show two organizations, each with its own data, after a reload and with the back button too', async (t) =>
{
	const { orgs: [acme, globex], person } = await twoOrganizations();
	const visitor = await Visitor.open(stage, t);
	const first = visitor.page;
	const second = await visitor.newPage();

	await visitor.enter(person);
	await visitor.open('Sessions');
	await row(first, 'session only-acme').waitFor();
	await visitor.go('keys', second);
	await row(second, 'key only-acme').waitFor();
	await watchForMixing(first);
	await watchForMixing(second);

	await second.getByLabel('Organization').selectOption('Globex');
	await row(second, 'key only-globex').waitFor();

	/* what the first window asks for now is its own organization's */
	await visitor.open('API Keys', first);
	await row(first, 'key only-acme').waitFor();
	await first.getByRole('button', { name: 'New key' }).click();
	await first.getByRole('dialog').getByLabel('Name').fill('made in Acme');
	await first.getByRole('checkbox', { name: 'read', exact: true }).check();
	await first.getByRole('button', { name: 'Create key' }).click();
	await secretField(first).waitFor();
	await leaveSecret(first);
	assert.equal(await stage.db.value("SELECT org_id FROM wa.api_key WHERE name = 'made in Acme'"), acme.uuid);

	/* also when both are loaded anew */
	for (const [page, name, other] of [[first, 'Acme', 'globex'], [second, 'Globex', 'acme']])
	{
		await page.reload();
		await row(page, `key only-${name.toLowerCase()}`).waitFor();
		assert.equal(await activeName(page), name);
		assert.ok(!(await everythingOf(page)).includes(`only-${other}`));
	}
	assert.match(second.url(), new RegExp(`#/${globex.id}/keys$`));

	/* the way back leads through the organizations that were shown */
	await second.getByLabel('Organization').selectOption('Acme');
	await row(second, 'key only-acme').waitFor();
	await visitor.open('Sessions', second);
	await row(second, 'session only-acme').waitFor();
	await visitor.go(`${globex.id}/sessions`, second);
	await row(second, 'session only-globex').waitFor();
	await second.goBack();
	await row(second, 'session only-acme').waitFor();
	assert.equal(await activeName(second), 'Acme');

	/* a new window shows what was chosen last */
	const third = await visitor.newPage();

	await visitor.go('keys', third);
	await row(third, 'key only-acme').waitFor();
	for (const page of [first, second])
		assert.equal(await mixed(page), null);
	visitor.assertWellBehaved();
});

test('an address with an organization where the person is no member leads to their own, and says so', async (t) =>
{
	const { person } = await twoOrganizations();
	const foreign = await createOrg(stage.db, 'Foreign');
	const visitor = await Visitor.open(stage, t, { as: person });
	const { page } = visitor;

	await row(page, 'key only-acme').waitFor();
	for (const id of [foreign.id, 'org_01h455vb4pex5vsknk084sn02q'])
	{
		await visitor.go(`${id}/webhooks/wh_any`);
		await page.getByText('The address is of an organization that you are not a member of.').waitFor();
		await heading(page, 'Webhooks').waitFor();
		assert.equal(await activeName(page), 'Acme');
		assert.ok(!page.url().includes(id));
		await page.getByRole('button', { name: 'Dismiss' }).click();
	}
	visitor.assertWellBehaved();
});

test('who is removed from the organization that a window shows sees another one there, and reads why', async (t) =>
{
	const { orgs, person } = await twoOrganizations();
	const visitor = await Visitor.open(stage, t, { as: person });
	const { page } = visitor;

	await page.getByLabel('Organization').selectOption('Globex');
	await row(page, 'key only-globex').waitFor();
	await stage.db.sql('SELECT wa.remove_member($1, $2)', [orgs[1].uuid, person.uuid]);
	await page.getByRole('link', { name: 'Sessions' }).click();
	await page.getByText('You are no longer a member of the organization. This page now shows Acme.').waitFor();
	await row(page, 'session only-acme').waitFor();
	assert.ok(!page.url().includes('org_'), 'a person with one organization needs no name in the address');
	visitor.assertWellBehaved();
});

test('an answer that comes after the switch is thrown away', async (t) =>
{
	const { person } = await twoOrganizations();
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	let release;
	const held = new Promise((resolve) => { release = resolve; });

	await visitor.enter(person);
	await row(page, 'key only-acme').waitFor();
	await watchForMixing(page);

	/* Acme's sessions are read, but the answer is kept back */
	const isRead = new Promise((resolve) =>
	{
		page.route('**/api/v1/sessions?*', async (route) =>
		{
			const answer = await route.fetch();

			resolve();
			await held;
			await route.fulfill({ response: answer }).catch(() => {});
		}, { times: 1 });
	});

	await page.getByRole('link', { name: 'Sessions' }).click();
	await isRead;
	await page.getByLabel('Organization').selectOption('Globex');
	await row(page, 'session only-globex').waitFor();
	release();
	await page.getByRole('link', { name: 'API Keys' }).click();
	await row(page, 'key only-globex').waitFor();
	assert.equal(await mixed(page), null);
	visitor.assertWellBehaved();
});

test('a form that was opened for one organization makes nothing in another', async (t) =>
{
	const { orgs, person } = await twoOrganizations();
	const visitor = await Visitor.open(stage, t);
	const first = visitor.page;

	await visitor.enter(person);
	await row(first, 'key only-acme').waitFor();
	await first.getByRole('button', { name: 'New key' }).click();
	await first.getByRole('dialog').getByLabel('Name').fill('astray');
	await first.getByRole('checkbox', { name: 'read', exact: true }).check();

	const second = await visitor.newPage();

	await visitor.go('keys', second);
	await second.getByLabel('Organization').selectOption('Globex');
	await row(second, 'key only-globex').waitFor();

	/* a browser draws a page that is behind another once a second */
	await first.bringToFront();
	await first.getByRole('button', { name: 'Create key' }).click();
	await secretField(first).waitFor();
	assert.equal(await stage.db.value("SELECT org_id FROM wa.api_key WHERE name = 'astray'"), orgs[0].uuid);
});

test('an invitation is made, passed on as a link, and accepted by a new person; its secret leaves the address', async (t) =>
{
	const org = await createOrg(stage.db, 'Acme');
	const owner = await createPerson(stage.db, { org });
	const host = await Visitor.open(stage, t);
	const guest = await Visitor.open(stage, t);
	const { page } = guest;

	await host.enter(owner, 'members');

	const link = await invite(host, 'guest@example.com', 'admin');

	assert.match(link, new RegExp(`^${stage.origin}/#/invitation/wai_`));
	await leaveSecret(host.page);
	await row(host.page, 'guest@example.com').waitFor();

	await page.goto(link);
	await heading(page, 'Join Acme').waitFor();
	assert.ok(!(await everythingOf(page)).includes('wai_'));
	await page.getByLabel('Your name').fill('Gina Guest');
	await page.getByLabel('Password').fill('short');
	await page.getByRole('button', { name: 'Join' }).click();
	await page.locator('input[aria-invalid="true"]').waitFor();
	await noteHeadings(page);
	await page.getByLabel('Password').fill('correct horse battery');
	await page.getByRole('button', { name: 'Join' }).click();
	await heading(page, 'Home').waitFor();
	await page.getByRole('link', { name: 'Make an API key' }).waitFor();
	assert.deepEqual(await page.evaluate(() => window.headings), ['Join Acme', 'Home']);

	/* it works once */
	await page.goto('about:blank');
	await page.goto(link);
	await heading(page, 'This invitation is not valid').waitFor();
	host.assertWellBehaved();
	guest.assertWellBehaved();
});

test('an invited person who has an account joins with its password', async (t) =>
{
	const home = await createOrg(stage.db, 'Home');
	const org = await createOrg(stage.db, 'Acme');
	const owner = await createPerson(stage.db, { org });
	const guest = await createPerson(stage.db, { org: home });
	const host = await Visitor.open(stage, t);
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;

	await host.enter(owner, 'members');

	const link = await invite(host, guest.email);

	await visitor.enter(guest);
	await page.goto('about:blank');
	await page.goto(link);
	await page.getByRole('radio', { name: 'I have an account' }).check();
	await page.getByLabel('Password').fill(guest.password);
	await page.getByRole('button', { name: 'Join' }).click();
	await heading(page, 'Home').waitFor();
	assert.equal(await activeName(page), 'Acme');
});

test('who has joined and could not be signed in is told so at Sign in, and gets in there', async (t) =>
{
	const org = await createOrg(stage.db, 'Acme');
	const owner = await createPerson(stage.db, { org });
	const host = await Visitor.open(stage, t, { as: owner, section: 'members' });
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;

	await page.goto(await invite(host, 'late@example.com'));
	await heading(page, 'Join Acme').waitFor();
	await noteHeadings(page);
	await page.route('**/auth/sign-in', (route) => route.abort(), { times: 1 });
	await page.getByLabel('Your name').fill('Lara Late');
	await page.getByLabel('Password').fill('correct horse battery');
	await page.getByRole('button', { name: 'Join' }).click();
	await heading(page, 'Sign in').waitFor();
	await page.getByText('You have joined Acme. Sign in as late@example.com to go on. The gateway cannot be reached').waitFor();
	assert.deepEqual(await page.evaluate(() => window.headings), ['Join Acme', 'Sign in']);
	assert.ok(!(await everythingOf(page)).includes('wai_'));

	await page.getByLabel('Email').fill('late@example.com');
	await page.getByLabel('Password').fill('correct horse battery');
	await page.getByRole('button', { name: 'Sign in' }).click();
	await heading(page, 'Home').waitFor();
	assert.equal(await page.getByText('You have joined').count(), 0);
	visitor.assertWellBehaved();
});

test('roles are changed, people removed and leave; the last owner stays', async (t) =>
{
	const org = await createOrg(stage.db, 'Acme');
	const owner = await createPerson(stage.db, { org, name: 'Olivia Owner' });
	const admin = await createPerson(stage.db, { org, role: 'admin', name: 'Adam Admin' });
	const member = await createPerson(stage.db, { org, role: 'member', name: 'Mia Member' });
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	const roleOf = (person) => stage.db.value('SELECT role FROM wa.member WHERE org_id = $1 AND user_id = $2', [org.uuid, person.uuid]);

	await visitor.enter(admin);
	await visitor.open('Members');
	await row(page, 'Olivia Owner').waitFor();
	await page.getByLabel('Role of Mia Member').waitFor();
	assert.equal(await row(page, 'Olivia Owner').getByRole('button').count(), 0);
	assert.equal(await row(page, 'Olivia Owner').getByRole('combobox').count(), 0);
	await page.getByLabel('Role of Mia Member').selectOption('admin');
	await page.getByText('Mia Member is admin now.').waitFor();
	assert.equal(await roleOf(member), 'admin');

	await press(row(page, 'Mia Member'), 'Remove');
	await page.getByRole('dialog', { name: 'Remove Mia Member?' }).getByRole('button', { name: 'Remove' }).click();
	await row(page, 'Mia Member').waitFor({ state: 'detached' });
	assert.equal(await roleOf(member), undefined);

	await press(row(page, 'Adam Admin'), 'Leave');
	await page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
	await heading(page, 'No organization yet').waitFor();

	const last = await Visitor.open(stage, t);

	await last.enter(owner);
	await last.open('Members');
	await press(row(last.page, 'Olivia Owner'), 'Leave');
	await last.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
	await last.page.getByRole('dialog').getByRole('alert').waitFor();
	assert.equal(await roleOf(owner), 'owner');
});

test('the audit log tells what was changed of the organization', async (t) =>
{
	const org = await createOrg(stage.db, 'Acme');
	const person = await createPerson(stage.db, { org });
	const visitor = await Visitor.open(stage, t);

	await stage.db.sql('SELECT wa.set_event_days($1, 14)', [org.uuid]);
	await visitor.enter(person, 'audit');
	await visitor.page.getByRole('row').filter({ hasText: 'changed the organization' }).filter({ hasText: 'eventDays: 14' }).waitFor();
	visitor.assertWellBehaved();
});

test('the audit log is filtered by the gateway, and saved as a file that has the whole chain', async (t) =>
{
	const org = await createOrg(stage.db, 'Acme');
	const person = await createPerson(stage.db, { org, name: 'Olivia Owner' });
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;
	const rows = page.getByRole('table', { name: 'Audit log' }).getByRole('row');
	const entry = (text) => rows.filter({ hasText: text });

	await stage.db.sql('SELECT wa.set_event_days($1, 14)', [org.uuid]);
	/* more than a page, so that the oldest entry is on none that is loaded */
	await stage.db.sql("INSERT INTO wa.audit (org_id, actor, action) SELECT $1, 'robot', 'key.changed' FROM generate_series(1, 60)", [org.uuid]);
	const key = await createKey(stage.db, org, ['read'], { name: 'watched' });

	await visitor.enter(person, 'audit');
	await entry('watched').waitFor();
	assert.equal(await entry('made the organization').count(), 0);

	await page.getByLabel('Action').selectOption('org.created');
	await entry('made the organization').waitFor();
	assert.equal(await rows.count(), 2);
	await page.getByLabel('Action').selectOption('');
	await page.getByLabel('Of the key').fill('key_01');
	await page.getByText('must be an id').waitFor();
	await page.getByLabel('Of the key').fill(key.id);
	await entry('made the key').waitFor();
	await until('only the key is shown', async () => await rows.count() === 2);
	await page.getByLabel('From').fill('2999-01-01');
	await page.getByText('No entry matches.').waitFor();
	await page.getByRole('button', { name: 'Show all' }).click();
	await page.getByLabel('By').selectOption({ label: 'Olivia Owner' });
	await until('only what the person did', async () => await entry('robot').count() === 0 && await entry('signed in').count() > 0);

	await stage.db.sql("SELECT wa.housekeep('audit', 10000)");

	const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export' }).click()]);
	const lines = fs.readFileSync(await download.path(), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));

	assert.equal(download.suggestedFilename(), `audit-${org.id}.ndjson`);
	assert.deepEqual(lines.map(({ sequence }) => sequence), lines.map((line, i) => i + 1));
	assert.ok(lines.length > 62 && lines.some(({ subject }) => subject === key.id) && lines.every(({ organizationId }) => organizationId === org.id));
	visitor.assertWellBehaved();
});

test('a changed password signs the person out elsewhere, and the audit log tells it', async (t) =>
{
	const org = await createOrg(stage.db, 'Acme');
	const person = await createPerson(stage.db, { org, name: 'Olivia Owner' });
	const here = await Visitor.open(stage, t);
	const elsewhere = await Visitor.open(stage, t);
	const { page } = here;

	await elsewhere.signIn(person);
	await elsewhere.open('Sessions');
	await here.enter(person);
	await here.open('Account');
	await page.getByLabel('Present password').fill('not this one');
	await page.getByLabel('New password').fill('correct horse battery');
	await page.getByRole('button', { name: 'Change password' }).click();
	await page.getByText('Present password is wrong.').waitFor();
	await page.getByLabel('Present password').fill(person.password);
	await page.getByRole('button', { name: 'Change password' }).click();
	await page.getByText('The password is changed').waitFor();
	await heading(elsewhere.page, 'Sign in').waitFor();

	await here.open('Audit log');
	await page.getByRole('row').filter({ hasText: 'changed the password' }).filter({ hasText: 'Olivia Owner' }).waitFor();
	await elsewhere.signIn(person, { password: 'correct horse battery' });
});

test('a member finds only pages that a member can use, and can leave', async (t) =>
{
	const org = await createOrg(stage.db, 'Acme');
	const member = await createPerson(stage.db, { org, role: 'member' });
	const visitor = await Visitor.open(stage, t, { as: member, section: '' });
	const { page } = visitor;
	const links = page.getByRole('navigation', { name: 'Pages' }).getByRole('link');

	await heading(page, 'Home').waitFor();
	assert.deepEqual(await links.allTextContents(), ['Home', 'Sessions', 'Chats', 'Events', 'Account']);
	assert.equal(await links.first().getAttribute('aria-current'), 'page');
	await visitor.open('Chats');
	await page.getByText('An owner or admin can create one.').waitFor();

	/* a link that somebody has sent says why there is nothing */
	await visitor.go('webhooks');
	await page.getByText('Only owners and admins see and change webhooks.').waitFor();

	/* the role may change meanwhile */
	await stage.db.sql('SELECT wa.change_member($1, $2, $3)', [org.uuid, member.uuid, 'admin']);
	await visitor.open('Account');
	await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'API Keys' }).waitFor();

	await page.getByRole('button', { name: 'Leave Acme' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
	await heading(page, 'No organization yet').waitFor();
	visitor.assertWellBehaved();
});

test('the theme is that of the system until another one is chosen, which stays', async (t) =>
{
	const org = await createOrg(stage.db, 'Acme');
	const person = await createPerson(stage.db, { org });
	const visitor = await Visitor.open(stage, t, { as: person, section: 'account' });
	const { page } = visitor;
	const isDark = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor !== 'rgb(246, 247, 247)');

	assert.equal(await isDark(), false);
	await page.emulateMedia({ colorScheme: 'dark' });
	assert.equal(await isDark(), true);
	await page.getByLabel('Theme').selectOption('Light');
	assert.equal(await isDark(), false);
	await page.reload();
	await heading(page, 'Account').waitFor();
	assert.equal(await isDark(), false);
	assert.equal(await page.getByLabel('Theme').inputValue(), 'light');
	await page.getByLabel('Theme').selectOption('Dark');
	await page.emulateMedia({ colorScheme: 'light' });
	assert.equal(await isDark(), true);
	await page.getByLabel('Theme').selectOption('As the system');
	assert.equal(await isDark(), false);
	assert.equal(await page.evaluate(() => localStorage.length), 0);
	visitor.assertWellBehaved();
});
