/*
 * faults.test.mjs
 *		The conformance test finds each fault: plain_connector.mjs keeps to all rules, and with
 *		each of its faults to all but one.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CHECKS, runCheck } from './checks.mjs';
import plain from './far_sides/plain.mjs';
import { Stage } from './stage.mjs';

const CONNECTOR = `"${process.execPath}" "${fileURLToPath(new URL('plain_connector.mjs', import.meta.url))}"`;

/* A check that waits for what does not come has to fail soon. */
const FAULT_SECONDS = 6;

/* The fault, the beginning of the check's name, and what it says. */
const FAULTS = [
	['another_owner', 'a session is leased by the owner', /another owner has the lease/],
	['one_organization', 'it works for each organization', /is working/],
	['out_of_order', 'the messages of a chat arrive in their order', /the order is another one/],
	['refused_is_sent', 'a message that WhatsApp refuses', /a refused message has not failed/],
	['no_attempt', 'a failure that is reported too late', /the report counted/],
	['sends_blindly', 'it is killed while', /not each was accepted once/],
	['gives_up', 'the database ends its connections', /the connector has ended/],
	['another_kind', 'sessions of other connectors', /is working/],
	['keeps_leases', 'at the end', /it has kept leases/],
	['no_actions', 'it takes actions', /all actions are done/],
	['new_ids', 'what arrives is stored once', /not each is stored once/],
	['early_report', 'a file is in the store', /it is not in the store/],
	['any_credentials', 'credentials of another organization', /it works with them/],
	['any_number', 'credentials of another number', /it works with them/],
	['old_credentials', 'other credentials', /it has the new number/],
];

let stage;

before(async () =>
{
	stage = await Stage.set({ command: CONNECTOR, farSide: plain, asRoot: true });
});

for (const check of CHECKS)
	test(`without a fault: ${check.name}`, () => runCheck(stage, check));

for (const [fault, name, words] of FAULTS)
	test(`the fault ${fault} is found`, async () =>
	{
		const [check, ...more] = CHECKS.filter((one) => one.name.startsWith(name));

		assert.equal(more.length, 0);
		stage.patience = FAULT_SECONDS;
		await assert.rejects(runCheck(stage, check, fault), words);
	});

test('each check has a fault that it finds', () =>
{
	assert.deepEqual(CHECKS.filter((check) => !FAULTS.some(([, name]) => check.name.startsWith(name))).map((check) => check.name), []);
});
