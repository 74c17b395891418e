/*
 * keys.test.mjs
 *		API Keys, as the product's documentation tells it: New key, Create key, a request with
 *		it, Revoke.  And that the secret is shown once.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { makePlace, until } from '../e2e/harness/processes.mjs';
import { addMember, createKey, createOrg, createPerson, createSession } from '../e2e/harness/tenants.mjs';
import { Visitor, actionsOf, everythingOf, heading, leaveSecret, openStage, press, row, secretField } from './stage.mjs';

/* Characters of a secret that the list shows. */
const PREFIX = 8;

const PERMISSIONS = {
	read: 'list and read sessions, chats, contacts, and messages',
	send: 'send messages and message actions (react, edit, revoke, forward)',
	manage: 'create and change sessions and webhooks',
	events: 'connect to the realtime WebSocket to receive events',
};

/* The first request as a program, and how it is run. */
const PROGRAMS = { Node: ['node', 'first.mjs'], Python: ['python3', 'first.py'], PHP: ['php', 'first.php'], Go: ['go', 'run', 'first.go'] };

let stage, org, owner;

before(async () =>
{
	stage = await openStage();
	org = await createOrg(stage.db, 'Acme');
	owner = await createPerson(stage.db, { org, name: 'Olivia Owner' });
});

const visit = (t, person = owner) => Visitor.open(stage, t, { as: person });

async function createByHand(page, name, permissions = ['read'])
{
	await page.getByRole('button', { name: 'New key' }).first().click();
	await page.getByRole('dialog').getByLabel('Name').fill(name);
	for (const permission of permissions)
		await page.getByRole('checkbox', { name: permission, exact: true }).check();
	await page.getByRole('button', { name: 'Create key' }).click();
	return (await secretField(page).textContent()).trim();
}

/* What a program prints, or null on a machine without its language. */
function printedBy([command, ...args], program)
{
	if (spawnSync(command, ['--version']).error)
		return null;

	const place = makePlace();

	fs.writeFileSync(path.join(place, args.at(-1)), program);
	return execFileSync(command, args, { cwd: place, encoding: 'utf8' });
}

const statusOf = async (key, path = '/api/v1/sessions') => (await stage.client.get(path, undefined, { bearer: key })).status;

test('a person signs in, creates a key, calls the API with it, revokes it, and the next call is refused', async (t) =>
{
	const visitor = await Visitor.open(stage, t);
	const { page } = visitor;

	await visitor.signIn(owner);
	await page.getByRole('link', { name: 'API Keys' }).click();

	/* an organization without keys is told what they are for */
	await page.getByText('No API keys yet').waitFor();
	await page.getByRole('button', { name: 'New key' }).first().click();

	const dialog = page.getByRole('dialog', { name: 'New key' });

	await dialog.getByLabel('Name').fill('deploy bot');
	for (const [name, description] of Object.entries(PERMISSIONS))
	{
		const tick = dialog.getByRole('checkbox', { name, exact: true });

		assert.equal(await tick.isChecked(), false);
		assert.equal(await dialog.getByText(description, { exact: true }).count(), 1, description);
	}
	await dialog.getByRole('checkbox', { name: 'read', exact: true }).check();
	await dialog.getByRole('checkbox', { name: 'send', exact: true }).check();
	await page.getByRole('button', { name: 'Create key' }).click();

	const key = (await secretField(page).textContent()).trim();

	assert.match(key, /^wa_[0-9A-Za-z]{49}$/);
	await page.getByText('can’t be read again').waitFor();

	/* the line to copy works as it stands */
	const line = await secretField(page, 'Try it').textContent();
	const printed = execFileSync('sh', ['-c', `${line} --silent --max-time 30`], { encoding: 'utf8' });

	assert.deepEqual(JSON.parse(printed), { data: [] });
	for (const [language, run] of Object.entries(PROGRAMS))
	{
		await page.getByLabel('Language').selectOption(language);

		const program = await secretField(page, 'Try it').textContent();

		assert.ok(program.includes(key) && program.includes(`${stage.origin}/api/v1/sessions`), language);

		const output = printedBy(run, program);

		assert.ok(output !== null || language !== 'Node');
		if (output !== null)
			assert.match(output, /data/, language);
	}
	await leaveSecret(page);
	assert.equal(await statusOf(key), 200);

	const made = row(page, 'deploy bot');

	await made.getByText('Active').waitFor();
	assert.match(await made.innerText(), /read[\s\S]*send[\s\S]*by you/);
	await press(made, 'Revoke');

	/* it asks, names the key, and can be left alone */
	const question = page.getByRole('dialog', { name: 'Revoke “deploy bot”?' });

	await question.getByText('stops working at once').waitFor();
	await question.getByRole('button', { name: 'Cancel' }).click();
	assert.equal(await statusOf(key), 200);
	await press(made, 'Revoke');
	await question.getByRole('button', { name: 'Revoke' }).click();
	await made.getByText('Revoked').waitFor();
	assert.equal(await statusOf(key), 401);
	/* nothing can be changed any more */
	assert.deepEqual(await actionsOf(made), ['Usage deploy bot']);
	visitor.assertWellBehaved();
});

test('the secret of a new key is gone after Done, a reload, another page, the back button and a frozen page', async (t) =>
{
	const visitor = await visit(t);
	const { page } = visitor;
	const leaves = {
		done: () => leaveSecret(page),
		reload: () => page.reload(),
		'another page and back': async () =>
		{
			await page.evaluate(() => { location.hash = '#/sessions'; });
			await heading(page, 'Sessions').waitFor();
			await page.goBack();
		},
		'another document and back': async () =>
		{
			await page.goto('about:blank');
			await page.goBack();
		},
		/* what a browser does to a page that it keeps for the back button */
		freezing: () => page.evaluate(() => { dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })); }),
		'signing in anew': async () =>
		{
			await visitor.context.clearCookies();
			await visitor.signIn(owner);
			await visitor.open('API Keys');
		},
	};

	for (const [name, leave] of Object.entries(leaves))
	{
		const key = await createByHand(page, `secret and ${name}`);

		assert.ok((await everythingOf(page)).includes(key), name);
		await leave();
		await row(page, `secret and ${name}`).waitFor();
		await secretField(page).waitFor({ state: 'detached' });
		assert.ok(!(await everythingOf(page)).includes(key), name);
		assert.equal(await statusOf(key), 200);
	}

	/* and no later answer has it */
	const list = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name: url }) => url));

	assert.ok(list.every((url) => !url.includes('wa_')));
	visitor.assertWellBehaved();
});

test('neither Escape nor Done closes a secret that was not copied', async (t) =>
{
	const { page, context } = await visit(t);
	const key = await createByHand(page, 'nearly lost');

	await page.keyboard.press('Escape');
	await page.getByText('Nothing was copied yet').waitFor();
	await page.keyboard.press('Escape');
	await page.getByRole('button', { name: 'Done', exact: true }).dblclick();
	assert.equal((await secretField(page).textContent()).trim(), key);

	await context.grantPermissions(['clipboard-read', 'clipboard-write']);
	await page.getByRole('button', { name: 'Copy API key' }).click();
	await page.getByRole('button', { name: 'Copied API key' }).waitFor();
	assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);

	/* what is said lies above the dialog */
	const said = page.getByText('API key copied.', { exact: true });

	await said.waitFor();
	assert.ok(await said.evaluate((element) =>
	{
		const { left, top, width, height } = element.getBoundingClientRect();
		const style = getComputedStyle(element.parentElement);

		/* it lets the pointer through, unless it is asked for */
		element.parentElement.style.pointerEvents = 'auto';

		const seen = document.elementFromPoint(left + width / 2, top + height / 2);

		element.parentElement.style.pointerEvents = '';
		return seen === element && style.position === 'fixed' && element.closest('dialog') !== null;
	}));
	await page.keyboard.press('Escape');
	await secretField(page).waitFor({ state: 'detached' });

	/* the focus is where the person was */
	await page.getByRole('button', { name: 'New key' }).and(page.locator(':focus')).waitFor();
});

test('what the gateway refuses is said at the field, which gets the focus', async (t) =>
{
	const { page } = await visit(t);

	await createKey(stage.db, org, ['read'], { name: 'taken' });
	await page.getByRole('button', { name: 'New key' }).click();
	await page.getByRole('button', { name: 'Create key' }).click();

	const name = page.getByRole('dialog').getByLabel('Name');

	/* all that is missing at once, in words for people */
	await page.getByRole('dialog').getByText('Enter a name.', { exact: true }).waitFor();
	await page.getByRole('dialog').getByText('Choose at least one permission.', { exact: true }).waitFor();
	assert.equal(await page.getByText('not valid').count(), 0);
	assert.ok(await name.evaluate((field) => field === document.activeElement));
	assert.ok(await name.evaluate((field) => document.getElementById(field.getAttribute('aria-describedby').split(' ').at(-1)).textContent.length > 0));

	await name.fill('taken');
	await page.getByRole('button', { name: 'Create key' }).click();
	await page.getByText('Enter a name.', { exact: true }).waitFor({ state: 'detached' });
	await page.getByRole('checkbox', { name: 'read', exact: true }).check();
	await page.getByRole('button', { name: 'Create key' }).click();
	await page.getByRole('dialog').getByText(/has this name already/).and(page.locator('.field-error')).waitFor();
	assert.equal(await page.getByRole('dialog').getByRole('alert').count(), 0);
	assert.equal(await name.inputValue(), 'taken');
});

test('rotating makes the successor first and shows its secret once; the old key ends when it was told to', async (t) =>
{
	const visitor = await visit(t);
	const { page } = visitor;

	for (const [choice, oldStatus] of [['At once', 401], ['1 hour', 200], ['1 day', 200], ['7 days', 200]])
	{
		const name = `rotated ${choice}`;
		const old = await createKey(stage.db, org, ['read'], { name });

		await page.reload();
		await press(row(page, name), `Rotate ${name}`);
		await page.getByRole('radio', { name: choice, exact: true }).check();
		await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();

		const key = (await secretField(page).textContent()).trim();

		assert.notEqual(key, old.secret);
		await leaveSecret(page);
		assert.equal(await statusOf(key), 200);
		assert.equal(await statusOf(old.secret), oldStatus, choice);

		const rowOf = (secret) => row(page, name).filter({ hasText: `${secret.slice(0, PREFIX)}…` });

		await rowOf(old.secret).getByText(oldStatus === 401 ? 'Expired' : 'Rotated, still valid', { exact: true }).waitFor();
		if (oldStatus === 401)
			await rowOf(old.secret).getByText('rotated', { exact: true }).waitFor();
		await rowOf(key).getByText('Active', { exact: true }).waitFor();
		/* what is rotated is not changed or rotated again, and what has ended is not revoked */
		assert.deepEqual(await actionsOf(rowOf(old.secret)), [`Usage ${name}`, ...(oldStatus === 401 ? [] : [`Revoke ${name}`])]);
		assert.ok(!(await everythingOf(page)).includes(key));
	}
	visitor.assertWellBehaved();
});

test('a rotation shows the end of the new key, which can be chosen; the expiry of a key is changed', async (t) =>
{
	const visitor = await visit(t);
	const { page } = visitor;
	const old = await createKey(stage.db, org, ['read'], { name: 'ends soon' });
	const expiryOf = async (id) => Number(await stage.db.value("SELECT extract(epoch FROM expires_at) * 1000 FROM wa.keys WHERE key = $1", [id]));
	const rotate = async (choice) =>
	{
		await press(row(page, 'ends soon').filter({ hasText: 'Expires soon' }), 'Rotate ends soon');

		const expires = page.getByRole('dialog').getByLabel('Expires');

		assert.match(await expires.locator('option').first().textContent(), /^As the old key would have: [A-Z0-9]/);
		if (choice)
			await expires.selectOption(choice);
		await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
		await page.getByRole('dialog').getByText(/The old key works until .*put the new one/).waitFor();

		const id = (await secretField(page, 'Id').textContent()).trim();

		await page.getByText(/It expires .*20\d\d/).waitFor();
		await leaveSecret(page);
		return id;
	};

	await page.reload();
	await press(row(page, 'ends soon'), 'Change ends soon');

	const dialog = page.getByRole('dialog');

	assert.equal(await dialog.getByLabel('Expires').locator('option').first().textContent(), 'As before: never');
	await dialog.getByLabel('Expires').selectOption('At a date …');
	await dialog.getByRole('button', { name: 'Save' }).click();
	await dialog.getByText('Choose a day.').waitFor();

	const day = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);

	await dialog.getByLabel('Last day').fill(day);
	await dialog.getByRole('button', { name: 'Save' }).click();
	await row(page, 'ends soon').getByText('Expires soon').waitFor();

	const end = await expiryOf(old.id);

	assert.ok(end > Date.now() + 86_400_000 && end < Date.now() + 5 * 86_400_000);

	/* another change leaves it alone */
	await press(row(page, 'ends soon'), 'Change ends soon');
	await dialog.getByRole('checkbox', { name: 'send', exact: true }).check();
	await dialog.getByRole('button', { name: 'Save' }).click();
	await row(page, 'ends soon').getByText('send').waitFor();
	assert.equal(await expiryOf(old.id), end);
	assert.equal(await expiryOf(await rotate()), end);
	await row(page, 'ends soon').filter({ hasText: 'Expires soon' }).first().waitFor();

	const longer = await expiryOf(await rotate('In 30 days'));

	assert.ok(Math.abs(longer - Date.now() - 30 * 86_400_000) < 300_000);
	visitor.assertWellBehaved();
});

test('the id of a key can be copied, and its row leads to its audit log; it is switched off and on there', async (t) =>
{
	const visitor = await visit(t);
	const { page } = visitor;
	const key = await createKey(stage.db, org, ['read'], { name: 'looked up' });

	await createKey(stage.db, org, ['read'], { name: 'another one' });
	await page.reload();
	await press(row(page, 'looked up'), 'Usage looked up');
	assert.equal((await secretField(page, 'Id').textContent()).trim(), key.id);
	await page.getByRole('button', { name: 'Done', exact: true }).click();
	await press(row(page, 'looked up'), 'Switch off looked up');
	await page.getByRole('dialog').getByRole('button', { name: 'Switch off' }).click();
	await row(page, 'looked up').getByText('Switched off').waitFor();
	assert.equal(await statusOf(key.secret), 401);
	await press(row(page, 'looked up'), 'Switch on looked up');
	await page.getByRole('dialog').getByRole('button', { name: 'Switch on' }).click();
	await row(page, 'looked up').getByText('Active').waitFor();
	assert.equal(await statusOf(key.secret), 200);
	await press(row(page, 'looked up'), 'Audit log of looked up');
	await heading(page, 'Audit log').waitFor();
	assert.equal(await page.getByLabel('Of the key, person, session …').inputValue(), key.id);
	await page.getByText('switched off the key').first().waitFor();
	assert.equal(await page.getByText('another one').count(), 0);
	visitor.assertWellBehaved();
});

test('the first use of a key is in the audit log, and the last one beside the key', async (t) =>
{
	const visitor = await visit(t);
	const { page } = visitor;
	const used = await createKey(stage.db, org, ['read'], { name: 'first used' });

	await page.reload();
	await row(page, 'first used').getByText('never').first().waitFor();
	assert.equal(await row(page, 'first used').getByText('never').count(), 2);
	assert.equal(await statusOf(used.secret), 200);
	assert.equal(await statusOf(used.secret), 200);
	await stage.db.sql('SELECT wa.flush_key_usage()');

	await visitor.open('Audit log');
	await page.getByRole('row').filter({ hasText: 'was used for the first time' }).filter({ hasText: 'first used' }).waitFor();
	assert.equal(await page.getByRole('row').filter({ hasText: 'was used for the first time' }).filter({ hasText: 'first used' }).count(), 1);
	await visitor.open('API Keys');
	await row(page, 'first used').waitFor();
	/* that it does not expire is the only "never" left */
	assert.equal(await row(page, 'first used').getByText('never').count(), 1);
	visitor.assertWellBehaved();
});

test('the use of a key: what was allowed, what was denied and why, and its last use as text', async (t) =>
{
	const visitor = await visit(t);
	const { page } = visitor;
	const key = await createKey(stage.db, org, ['read'], { name: 'charted' });
	const agent = '<img src=x onerror=alert(1)> "\'&';
	const ask = (path, method = 'GET', json) => stage.client.request(method, path, { key: key.secret, headers: { 'User-Agent': agent }, json });

	await page.reload();
	await press(row(page, 'charted'), 'Usage charted');

	const dialog = page.getByRole('dialog', { name: 'Use of “charted”' });

	await dialog.getByText('It was never used').waitFor();
	await dialog.getByText('0 requests allowed, 0 denied').waitFor();
	await dialog.getByRole('button', { name: 'Done' }).click();

	for (let i = 0; i < 3; i++)
		assert.equal((await ask('/api/v1/sessions')).status, 200);
	assert.equal((await ask('/api/v1/sessions', 'POST', {})).status, 403);
	await press(row(page, 'charted'), 'Usage charted');
	await dialog.getByText('3 requests allowed, 1 denied').waitFor();
	await dialog.getByText(agent).waitFor();
	await dialog.getByText('127.0.0.1').waitFor();
	assert.match(await dialog.getByRole('row').filter({ hasText: 'lacks a permission' }).innerText(), /1/);
	await dialog.getByRole('img', { name: 'The last 7 days: 3 requests allowed, 1 denied' }).waitFor();
	for (const [span, bars] of [['The last 24 hours', 24], ['The last 30 days', 30]])
	{
		await dialog.getByLabel('Show').selectOption(span);
		await dialog.getByRole('img', { name: `${span}: 3 requests allowed, 1 denied` }).waitFor();
		assert.equal(await dialog.locator('svg rect.allowed').count(), bars);
		assert.equal(await dialog.locator('svg rect.denied:not([height="0"])').count(), 1);
	}
	visitor.assertWellBehaved();
});

test('a change of permissions holds at once', async (t) =>
{
	const { page } = await visit(t);
	const key = await createKey(stage.db, org, ['read'], { name: 'before' });

	await page.reload();
	await press(row(page, 'before'), 'Change');
	await page.getByRole('dialog').getByLabel('Name').fill('after');
	await page.getByRole('checkbox', { name: 'read', exact: true }).uncheck();
	await page.getByRole('checkbox', { name: 'events', exact: true }).check();
	await page.getByRole('button', { name: 'Save' }).click();
	await row(page, 'after').waitFor();
	assert.equal(await statusOf(key.secret), 403);
	assert.equal(await statusOf(key.secret, '/api/v1/me'), 200);
});

test('permissions that the operator has defined are given and taken away; what only the operator gives is taken away for good', async (t) =>
{
	const { page } = await visit(t);
	const tick = (name) => page.getByRole('dialog').getByRole('checkbox', { name, exact: true });
	const open = async () => await press(row(page, 'invoices'), 'Change');
	const save = async () => await page.getByRole('button', { name: 'Save' }).click();
	const offered = async () => (await row(page, 'invoices').getByRole('button', { includeHidden: true }).allTextContents())
		.filter((text) => !text.includes('Actions of'));
	const saved = async () => (await stage.db.value("SELECT permissions::text[] || own_permissions FROM wa.keys WHERE name = 'invoices'"));

	await stage.db.sql("SELECT wa.define_permission('invoices:read', 'Reads invoices', true), wa.define_permission('invoices:refund', 'Refunds')");
	await page.reload();
	await createByHand(page, 'invoices', ['invoices:read']);
	await leaveSecret(page);
	assert.equal(await saved(), '{invoices:read}');

	await stage.db.sql("SELECT wa.set_own_permissions(k.id, '{invoices:read,invoices:refund}') FROM wa.keys k WHERE name = 'invoices'");
	await page.reload();
	await open();
	await tick('invoices:refund').waitFor();
	assert.deepEqual([await tick('invoices:read').isChecked(), await tick('invoices:refund').isChecked(), await tick('read').isChecked()], [true, true, false]);
	await page.getByText('Reads invoices', { exact: true }).waitFor();
	await page.getByText('only the operator can give it again').waitFor();
	await page.getByText('Only the operator changes its expiry, sessions, addresses and rate, because it has invoices:refund.').waitFor();
	assert.equal(await page.getByRole('dialog').getByRole('group', { name: 'Sessions' }).count(), 0);
	assert.deepEqual(await offered(), ['Usage invoices', 'Change invoices', 'Switch off invoices', 'Revoke invoices']);
	await row(page, 'invoices').getByText('Only the operator rotates it, because it has invoices:refund.').waitFor();
	await tick('read').check();
	await tick('invoices:read').uncheck();
	await save();
	await until('it is saved', async () => await saved() === '{read,invoices:refund}');
	await open();
	await tick('invoices:refund').uncheck();
	await save();
	await until('it is taken away', async () => await saved() === '{read}');
	/* people have all that it has by now */
	await until('it can be rotated', async () => (await offered()).includes('Rotate invoices'));
	assert.equal(await page.getByText('Only the operator rotates it').count(), 0);
	await open();
	await tick('invoices:read').waitFor();
	assert.equal(await tick('invoices:refund').count(), 0);
});

test('a key is made for some sessions, says how many, and is changed to others and to all', async (t) =>
{
	const place = await createOrg(stage.db, 'Several phones');
	const admin = await createPerson(stage.db, { org: place, role: 'admin' });

	for (const label of ['Shop', 'Office', 'Lab'])
		await createSession(stage.db, place, { label });

	const visitor = await visit(t, admin);
	const { page } = visitor;
	const labelsOf = async (key) => (await stage.client.get('/api/v1/sessions', undefined, { bearer: key })).json.data.map(({ label }) => label);
	const tick = (name) => page.getByRole('dialog').getByRole('checkbox', { name, exact: true });
	const radio = (name) => page.getByRole('dialog').getByRole('radio', { name, exact: true });
	const change = async (act) =>
	{
		await press(row(page, 'support'), 'Change');
		await act();
		await page.getByRole('button', { name: 'Save' }).click();
		await page.getByRole('dialog').waitFor({ state: 'detached' });
	};

	await page.getByRole('link', { name: 'API Keys' }).click();
	await page.getByRole('button', { name: 'New key' }).first().click();
	await page.getByRole('dialog').getByLabel('Name').fill('support');
	await tick('read').check();
	assert.ok(await radio('All sessions').isChecked());
	assert.equal(await tick('Shop').count(), 0);
	await radio('Only these sessions').check();

	/* none is no choice */
	await page.getByRole('button', { name: 'Create key' }).click();
	await page.getByText('Choose at least one session.').waitFor();
	await tick('Shop').check();
	await tick('Lab').check();
	await page.getByRole('button', { name: 'Create key' }).click();

	const key = (await secretField(page).textContent()).trim();

	await leaveSecret(page);
	assert.deepEqual(await labelsOf(key), ['Lab', 'Shop']);
	assert.deepEqual((await row(page, 'support').getByText('2 sessions').getAttribute('title')).split(', ').sort(), ['Lab', 'Shop']);

	await change(async () =>
	{
		assert.ok(await radio('Only these sessions').isChecked());
		assert.deepEqual(await Promise.all(['Shop', 'Office', 'Lab'].map((name) => tick(name).isChecked())), [true, false, true]);
		await tick('Shop').uncheck();
	});
	await row(page, 'support').getByText('1 session', { exact: true }).waitFor();
	assert.deepEqual(await labelsOf(key), ['Lab']);
	/* what is not touched stays */
	await change(() => tick('events').check());
	assert.deepEqual(await labelsOf(key), ['Lab']);
	await change(() => radio('All sessions').check());
	assert.deepEqual(await labelsOf(key), ['Lab', 'Office', 'Shop']);
	await until('no session is named', async () => await row(page, 'support').getByText(/session/).count() === 0);
	visitor.assertWellBehaved();
});

test('a key is restricted to addresses when it is made, and the list is changed and taken away', async (t) =>
{
	const visitor = await visit(t);
	const { page } = visitor;
	const field = () => page.getByRole('dialog').getByLabel('Allowed addresses');

	await page.getByRole('button', { name: 'New key' }).first().click();
	await page.getByRole('dialog').getByLabel('Name').fill('restricted');
	await page.getByRole('checkbox', { name: 'read', exact: true }).check();
	assert.equal(await field().isVisible(), false);
	await page.getByText('Restrictions', { exact: true }).click();
	await field().fill('10.0.0.0/8\n10.0.0.1/8');
	await page.getByRole('button', { name: 'Create key' }).click();
	await page.getByText('addresses[1] is an address in the network 10.0.0.0/8').waitFor();
	assert.ok(await field().evaluate((each) => each === document.activeElement));
	await field().fill('203.0.113.0/24\n2001:db8::1');
	await page.getByRole('button', { name: 'Create key' }).click();

	const key = (await secretField(page).textContent()).trim();

	await leaveSecret(page);
	assert.equal(await statusOf(key), 403);
	assert.equal(await row(page, 'restricted').getByText('2 addresses', { exact: true }).getAttribute('title'), '203.0.113.0/24, 2001:db8::1');

	/* what was there is shown, and a name alone changes nothing else */
	await press(row(page, 'restricted'), 'Change');
	assert.equal(await field().inputValue(), '203.0.113.0/24\n2001:db8::1');
	await page.getByRole('dialog').getByLabel('Name').fill('restricted too');
	await page.getByRole('button', { name: 'Save' }).click();
	await row(page, 'restricted too').getByText('2 addresses', { exact: true }).waitFor();
	assert.equal(await statusOf(key), 403);

	await press(row(page, 'restricted too'), 'Change');
	await field().fill('127.0.0.1 ::1/128');
	await page.getByRole('button', { name: 'Save' }).click();
	await page.getByRole('dialog').waitFor({ state: 'detached' });
	assert.equal(await statusOf(key), 200);

	await press(row(page, 'restricted too'), 'Change');
	await field().fill('');
	await page.getByRole('button', { name: 'Save' }).click();
	await row(page, 'restricted too').getByText(/addresses/).waitFor({ state: 'detached' });
	assert.equal(await statusOf(key), 200);
	visitor.assertWellBehaved();
});

test('a key is given a rate, which is changed and taken away', async (t) =>
{
	const visitor = await visit(t);
	const { page } = visitor;
	const field = (label) => page.getByRole('dialog').getByLabel(label);
	const change = async () => await press(row(page, 'limited'), 'Change');
	const save = async () =>
	{
		await page.getByRole('button', { name: 'Save' }).click();
		await page.getByRole('dialog').waitFor({ state: 'detached' });
	};

	await page.getByRole('button', { name: 'New key' }).first().click();
	await field('Name').fill('limited');
	await page.getByRole('checkbox', { name: 'read', exact: true }).check();
	await page.getByText('Restrictions', { exact: true }).click();
	await field('Of these at once').fill('2');
	await page.getByRole('button', { name: 'Create key' }).click();
	await page.getByText('Fill this in.').waitFor();
	await field('Requests a minute').fill('1');
	await page.getByRole('button', { name: 'Create key' }).click();

	const key = (await secretField(page).textContent()).trim();

	await leaveSecret(page);
	assert.equal(await row(page, 'limited').getByText('1 a minute', { exact: true }).getAttribute('title'), '2 at once');
	assert.deepEqual([await statusOf(key), await statusOf(key), await statusOf(key)], [200, 200, 429]);

	await change();
	assert.deepEqual([await field('Requests a minute').inputValue(), await field('Of these at once').inputValue()], ['1', '2']);
	await field('Of these at once').fill('3');
	await save();
	assert.deepEqual([await statusOf(key), await statusOf(key)], [200, 429]);

	await change();
	await field('Requests a minute').fill('');
	await field('Of these at once').fill('');
	await save();
	await row(page, 'limited').getByText('1 a minute').waitFor({ state: 'detached' });
	assert.deepEqual([await statusOf(key), await statusOf(key)], [200, 200]);
	visitor.assertWellBehaved();
});

test('keys are found by name and by state', async (t) =>
{
	const { page } = await visit(t);
	const soon = new Date(Date.now() + 2 * 24 * 3600 * 1000).toISOString();

	await createKey(stage.db, org, ['read'], { name: 'Warehouse one' });
	await createKey(stage.db, org, ['read'], { name: 'Warehouse two', expiresAt: soon });
	await stage.db.sql("SELECT wa.revoke_key($1)", [(await createKey(stage.db, org, ['read'], { name: 'Warehouse three' })).uuid]);
	await stage.db.sql("UPDATE wa.api_key SET expires_at = now() - interval '1 minute' WHERE id = $1",
		[(await createKey(stage.db, org, ['read'], { name: 'Warehouse four' })).uuid]);
	await page.reload();
	await page.getByLabel('Filter by name').fill('warehouse');

	for (const [name, status] of [['one', 'Active'], ['two', 'Expires soon'], ['three', 'Revoked'], ['four', 'Expired']])
		await row(page, `Warehouse ${name}`).getByText(status, { exact: true }).waitFor();
	assert.equal(await page.getByRole('row').count(), 1 + 4);
	await page.getByLabel('Show').selectOption('Valid keys');
	assert.equal(await page.getByRole('row').count(), 1 + 2);
	await page.getByLabel('Show').selectOption('Ended keys');
	assert.equal(await page.getByRole('row').count(), 1 + 2);
	await page.getByLabel('Filter by name').fill('no such key');
	await page.getByText('No key matches.').waitFor();
});

test('a key is found by what a log or code shows of it', async (t) =>
{
	const { page } = await visit(t);
	const lost = await createKey(stage.db, org, ['read'], { name: 'lost and found' });
	const shown = lost.secret.slice(0, PREFIX);

	await page.reload();
	for (const text of [shown, `${shown}…`, `${lost.secret.slice(0, 12)}********`, lost.secret.slice(0, 30), ` ${lost.secret}`, lost.id])
	{
		await page.getByLabel('Filter by name').fill('no such key');
		await page.getByText('No key matches.').waitFor();
		await page.getByLabel('Filter by name').fill(text);
		await row(page, 'lost and found').waitFor();
		assert.equal(await page.getByRole('row').count(), 1 + 1, text);
	}
	/* in another case of letters it is another key, and a part from the middle is no beginning */
	for (const text of [shown.toUpperCase(), lost.secret.slice(3, PREFIX), lost.id.slice(0, -1)])
	{
		await page.getByLabel('Filter by name').fill(text);
		await page.getByText('No key matches.').waitFor();
	}
});

test('a member sees no New key and is told why; nor does the API give them one', async (t) =>
{
	const member = await createPerson(stage.db, { org, role: 'member' });
	const visitor = await visit(t, member);
	const { page } = visitor;

	await page.getByText('Only owners and admins make and manage API keys').waitFor();
	assert.equal(await page.getByRole('button', { name: 'New key' }).count(), 0);
	assert.equal(await page.getByRole('row').count(), 0);

	const status = await page.evaluate(async () =>
	{
		const { token } = await (await fetch('/auth/token', { method: 'POST' })).json();
		const answer = await fetch('/api/v1/api-keys', {
			method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
			body: JSON.stringify({ name: 'mine', permissions: ['read'] }),
		});

		return answer.status;
	});

	assert.equal(status, 403);
	visitor.assertWellBehaved();

	/* an admin does; a new role is noticed with the next page, without a reload */
	await addMember(stage.db, org, member, 'admin');
	await visitor.open('Sessions');
	await page.getByRole('button', { name: 'New session' }).first().waitFor();
	await visitor.open('API Keys');
	await page.getByRole('button', { name: 'New key' }).first().waitFor();
});

test('a key is switched off and on, and revoked for a reason that stays beside it', async (t) =>
{
	const place = await createOrg(stage.db, 'Switching');
	const admin = await createPerson(stage.db, { org: place, role: 'admin', name: 'Ada Admin' });
	const { page } = await visit(t, admin);

	await page.getByRole('link', { name: 'API Keys' }).click();

	const key = await createByHand(page, 'worker');

	await leaveSecret(page);
	assert.equal(await statusOf(key), 200);
	await press(row(page, 'worker'), 'Change worker');
	await page.getByRole('checkbox', { name: 'Switched on' }).uncheck();
	await page.getByRole('button', { name: 'Save' }).click();
	await row(page, 'worker').getByText('Switched off').waitFor();
	assert.equal(await statusOf(key), 401);
	await press(row(page, 'worker'), 'Switch on worker');
	await page.getByRole('dialog').getByRole('button', { name: 'Switch on' }).click();
	await row(page, 'worker').getByText('Active').waitFor();
	assert.equal(await statusOf(key), 200);
	await press(row(page, 'worker'), 'Revoke worker');
	await page.getByLabel('Reason').fill('found in a public repository');
	await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
	await row(page, 'worker').getByText('found in a public repository').waitFor();
	assert.equal(await statusOf(key), 401);
	// The policy is shown to an admin, and changed by an owner.
	await page.getByText('A key lives until it is revoked').waitFor();
	assert.equal(await page.getByRole('button', { name: 'Change policy' }).count(), 0);
});

test('an owner bounds how long keys live, and revokes all of them', async (t) =>
{
	const place = await createOrg(stage.db, 'Bounded');
	const person = await createPerson(stage.db, { org: place, name: 'Bo Bounded' });
	const kept = await createKey(stage.db, place, ['read'], { name: 'older' });
	const { page } = await visit(t, person);

	await page.getByRole('link', { name: 'API Keys' }).click();
	await page.getByRole('button', { name: 'Change policy' }).click();
	await page.getByLabel('Days of a key').fill('31');
	await page.getByLabel('The most days').fill('30');
	await page.getByRole('button', { name: 'Save' }).click();
	await page.getByText('must be between 1 and 30').waitFor();
	await page.getByLabel('Days of a key').fill('7');
	await page.getByRole('button', { name: 'Save' }).click();
	await page.getByText('A key expires after 7 days unless another time is chosen, and after 30 days at the latest.').waitFor();
	await page.getByRole('button', { name: 'New key' }).first().click();
	assert.deepEqual(await page.getByLabel('Expires').locator('option').allTextContents(),
		['In 7 days, as usual here', 'In 7 days', 'In 30 days', 'At a date …']);
	await page.getByRole('button', { name: 'Cancel' }).click();

	const key = await createByHand(page, 'usual');

	await leaveSecret(page);
	await row(page, 'usual').getByText('in 7 days').waitFor();
	await page.getByRole('button', { name: 'Revoke all keys' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Revoke all' }).click();
	await row(page, 'older').getByText('Revoked').waitFor();
	assert.deepEqual([await statusOf(key), await statusOf(kept.secret)], [401, 401]);
});

test('a test key is made with a tick, says what it is, and reaches the sessions of the sandbox only', async (t) =>
{
	const simulated = await createSession(stage.db, org, { label: 'simulated', connector: 'sandbox' });

	await createSession(stage.db, org, { label: 'not simulated' });

	const visitor = await visit(t);
	const { page } = visitor;

	await page.getByRole('button', { name: 'New key' }).first().click();

	const dialog = page.getByRole('dialog', { name: 'New key' });

	await dialog.getByLabel('Name').fill('tests of the shop');
	await dialog.getByRole('checkbox', { name: 'read', exact: true }).check();
	await dialog.getByRole('radio', { name: 'Only these sessions' }).check();
	await dialog.getByRole('checkbox', { name: 'not simulated', exact: true }).check();
	await dialog.getByRole('checkbox', { name: 'Test key' }).check();
	assert.equal(await dialog.getByRole('checkbox', { name: 'not simulated', exact: true }).count(), 0);
	await dialog.getByRole('radio', { name: 'All sessions' }).check();
	await page.getByRole('button', { name: 'Create key' }).click();

	const key = (await secretField(page).textContent()).trim();

	assert.match(key, /^wa_test_[0-9A-Za-z]{49}$/);
	await page.getByText('This is a test key').waitFor();
	await leaveSecret(page);
	await row(page, 'tests of the shop').getByText('Test key', { exact: true }).waitFor();
	assert.match(await row(page, 'tests of the shop').innerText(), new RegExp(`${key.slice(0, 13)}…`));
	assert.deepEqual((await stage.client.get('/api/v1/sessions', undefined, { bearer: key })).json.data.map(({ id }) => id), [simulated.id]);
	visitor.assertWellBehaved();
});
