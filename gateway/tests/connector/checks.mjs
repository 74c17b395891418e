/*
 * checks.mjs
 *		What a connector must keep to, each as a check of its own (docs/connectors.md).
 *
 * A check is { name, needs, run }.  "needs" names what the far side must be able to do; without
 * that it is skipped.  It starts the program itself, since what comes before the start differs, and
 * finds nothing of the checks before it.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { SANDBOX_LOGIN } from '../e2e/harness/cluster.mjs';
import { FOREIGN } from './stage.mjs';

const SENT = ['sent', 'delivered', 'read', 'played'];

const isSent = async (stage, message) => SENT.includes((await stage.message(message)).status);

async function untilSent(stage, program, messages)
{
	for (const message of messages)
		await stage.until(program, `message ${message.id} is sent`, () => isSent(stage, message));
}

async function untilAccepted(stage, program, session, count)
{
	await stage.until(program, `${count} texts of ${session.id} are accepted`, async () => (await stage.far.accepted(session)).length >= count);
}

/* Whatever was on its way when this is called has been done when it is over, and more. */
async function settle(stage, program, session)
{
	const last = await stage.send(session, 'the last one');

	await untilSent(stage, program, [last]);
	await stage.until(program, 'the last one is accepted', async () => (await stage.far.accepted(session)).some(({ text }) => text === 'the last one'));
}

const started = async (stage, fault, ...sessions) =>
{
	const program = stage.program(fault);

	for (const session of sessions)
		await stage.untilWorking(program, session);
	return program;
};

/* The same with a far side that holds its answers from then on. */
async function startedAndHeld(stage, fault, session)
{
	if (stage.far.slow)
		stage.far.hold();

	const program = await started(stage, fault, session);

	if (!stage.far.slow)
		stage.far.hold();
	return program;
}

export const CHECKS = [
	{
		name: 'a session is leased by the owner that was given, starts working, and sends',
		async run(stage, fault)
		{
			const { session } = await stage.tenant('Sends');
			const program = await started(stage, fault, session);
			const message = await stage.send(session, 'hello');

			await untilSent(stage, program, [message]);
			assert.equal(await stage.value('SELECT lease_owner FROM wa.session WHERE id = $1', [session.uuid]), program.owner, 'another owner has the lease');
			assert.notEqual((await stage.message(message)).wa_message_id, null);
			await untilAccepted(stage, program, session, 1);
			assert.deepEqual((await stage.far.accepted(session)).map(({ text }) => text), ['hello']);
		},
	},
	{
		name: 'it works for each organization in its name',
		async run(stage, fault)
		{
			const tenants = [await stage.tenant('One'), await stage.tenant('Two')];
			const program = await started(stage, fault, ...tenants.map(({ session }) => session));

			for (const { session, org } of tenants)
				await untilSent(stage, program, [await stage.send(session, `of ${org.id}`)]);
			for (const { session, org } of tenants)
			{
				await untilAccepted(stage, program, session, 1);
				assert.deepEqual((await stage.far.accepted(session)).map(({ text }) => text), [`of ${org.id}`]);
			}
		},
	},
	{
		name: 'the messages of a chat arrive in their order',
		async run(stage, fault)
		{
			const { session } = await stage.tenant('In order');
			const to = stage.number();
			const texts = Array.from({ length: 12 }, (_, i) => `text ${i}`);

			/* they are queued before anybody looks */
			for (const text of texts)
				await stage.send(session, text, { to });

			const program = await started(stage, fault, session);

			await untilAccepted(stage, program, session, texts.length);
			assert.deepEqual((await stage.far.accepted(session)).map(({ text }) => text), texts, 'the order is another one');
		},
	},
	{
		name: 'a message that WhatsApp refuses fails, with words, and keeps no other from being sent',
		async run(stage, fault)
		{
			const { session } = await stage.tenant('Refused');
			const program = await started(stage, fault, session);
			const refused = await stage.send(session, 'to nobody', { to: stage.far.refused });

			await settle(stage, program, session);
			await stage.until(program, 'the message fails', async () => !['queued', 'sending'].includes((await stage.message(refused)).status));

			const { status, error, attempts } = await stage.message(refused);

			assert.deepEqual([status, attempts], ['failed', '1'], 'a refused message has not failed');
			assert.ok(error.length > 3);
		},
	},
	{
		name: 'a failure that is reported too late changes nothing: the attempt is named',
		async run(stage, fault)
		{
			const { session } = await stage.tenant('Late');
			const program = await startedAndHeld(stage, fault, session);
			const refused = await stage.send(session, 'to nobody', { to: stage.far.refused });

			await stage.until(program, 'it is taken', async () => (await stage.message(refused)).status === 'sending');
			/* the lease has run out, and another connector has taken it */
			await stage.db.sql(`UPDATE wa.message SET attempts = attempts + 1, lease_owner = $1, lease_until = now() + interval '1 hour'
				WHERE id = wa.from_typeid('msg', $2)`, [FOREIGN.owner, refused.id]);
			stage.far.release();
			await settle(stage, program, session);
			/* a report in lists may come a moment later */
			await sleep(300);
			assert.deepEqual([(await stage.message(refused)).status, (await stage.message(refused)).lease_owner], ['sending', FOREIGN.owner], 'the report counted');
		},
	},
	{
		name: 'it is killed while messages are on their way: none is sent twice, and none is lost',
		async run(stage, fault)
		{
			const { session } = await stage.tenant('Killed');
			const first = await startedAndHeld(stage, fault, session);
			const texts = Array.from({ length: 6 }, (_, i) => `killed ${i}`);
			const messages = [];

			for (const text of texts)
				messages.push(await stage.send(session, text));
			await stage.until(first, 'one is on its way', async () => stage.far.slow
				? (await stage.message(messages[0])).status === 'sending' : stage.far.accepted(session).length > 0);
			first.kill('SIGKILL');
			await first.exited;
			stage.far.release();
			await stage.endLeases();

			const second = await started(stage, fault, session);

			await untilSent(stage, second, messages);
			await settle(stage, second, session);
			assert.deepEqual((await stage.far.accepted(session)).map(({ text }) => text).filter((text) => text !== 'the last one').sort(), texts, 'not each was accepted once');
		},
	},
	{
		name: 'the database ends its connections: it connects again and goes on',
		async run(stage, fault)
		{
			const { session } = await stage.tenant('Reconnects');
			const program = await started(stage, fault, session);

			await untilSent(stage, program, [await stage.send(session, 'before')]);
			/* again and again, so that some of them end while they are in use */
			for (let i = 0; i < 200; i++)
			{
				await stage.db.sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [SANDBOX_LOGIN]);
				await sleep(10);
			}
			await untilSent(stage, program, [await stage.send(session, 'after')]);
			await untilAccepted(stage, program, session, 2);
			assert.deepEqual((await stage.far.accepted(session)).map(({ text }) => text).sort(), ['after', 'before']);
		},
	},
	{
		name: 'sessions of other connectors, and those that another one has, stay as they are',
		async run(stage, fault)
		{
			const tenant = await stage.tenant('Beside others');
			const others = [await stage.session(tenant, { connector: FOREIGN.connector }), await stage.session(tenant, { credentials: false })];

			await stage.db.sql("UPDATE wa.session SET status = 'working', lease_owner = $1, lease_until = now() + interval '1 hour' WHERE id = $2", [FOREIGN.owner, others[1].uuid]);

			const waiting = [await stage.send(others[0], 'of another kind'), await stage.send(others[1], 'of another owner')];
			const rows = async () => [
				...await stage.db.sql('SELECT status, lease_owner, lease_until, phone_number FROM wa.session WHERE id = ANY ($1) ORDER BY id', [`{${others.map(({ uuid }) => uuid).join(',')}}`]),
				...await Promise.all(waiting.map((message) => stage.message(message)))].map((row) => ({ ...row }));
			const before = await rows();
			const program = await started(stage, fault, tenant.session);

			await settle(stage, program, tenant.session);
			await program.stop();
			assert.deepEqual(await rows(), before, 'it has touched what is not its own');
		},
	},
	{
		name: 'at the end it gives its leases back',
		async run(stage, fault)
		{
			const { session } = await stage.tenant('Ends');
			const program = await started(stage, fault, session);

			await settle(stage, program, session);
			assert.ok(Number(await stage.leasesOf(program)) > 0);
			assert.deepEqual(await program.stop(30), { code: 0, signal: null });
			assert.equal(await stage.leasesOf(program), '0', 'it has kept leases');
		},
	},
	{
		name: 'it takes actions on messages',
		async run(stage, fault)
		{
			const { session } = await stage.tenant('Acts');
			const program = await started(stage, fault, session);
			const message = await stage.send(session, 'to be changed');
			const { key } = session.tenant;
			const at = `/api/v1/sessions/${session.id}/messages/${message.id}`;
			const can = async (capability) => await stage.value('SELECT wa.connector_can($1, $2)', [stage.connector, capability]) === 't';
			const asked = [];

			await untilSent(stage, program, [message]);
			await stage.far.receive(session, { text: 'to be read' });
			await stage.until(program, 'a text is received', async () => (await stage.received(session)).length > 0);
			for (const [capability, target, body] of [
				['reaction', `POST ${at}/reaction`, { emoji: '👍' }], ['edit', `PATCH ${at}`, { text: 'changed' }],
				['forward', `POST ${at}/forward`, { to: stage.number() }], ['revoke', `DELETE ${at}`, undefined]])
				if (await can(capability))
				{
					const [method, path] = target.split(' ');
					const answer = await stage.client.request(method, path, { key, json: body });

					assert.ok(answer.status < 300, `${target}: ${answer.text}`);
					asked.push(capability === 'reaction' ? 'react' : capability);
				}

			const chat = await stage.value("SELECT chat_jid FROM wa.message WHERE session_id = $1 AND direction = 'in' ORDER BY id LIMIT 1", [session.uuid]);
			const read = await stage.client.post(`/api/v1/sessions/${session.id}/chats/${chat}/read`, key, undefined);

			assert.equal(read.status, 200, read.text);

			const actions = () => stage.db.sql('SELECT type, status, error FROM wa.message_action WHERE session_id = $1 ORDER BY id', [session.uuid]);

			await stage.until(program, 'all actions are done', async () => (await actions()).every(({ status }) => ['done', 'failed'].includes(status)));
			/* one that WhatsApp has not got is told so */
			assert.deepEqual((await actions()).filter(({ type, status }) => status !== 'done' && type !== 'read').map(({ type, error }) => [type, error]), []);
			assert.deepEqual((await actions()).map(({ type }) => type).sort(), [...asked, 'read'].sort());
		},
	},
	{
		name: 'what arrives is stored once',
		async run(stage, fault)
		{
			const { session } = await stage.tenant('Receives');
			const program = await started(stage, fault, session);
			const texts = async () => (await stage.received(session)).map(({ body }) => body);

			for (const text of ['first', 'second'])
			{
				await stage.far.receive(session, { text });
				await stage.until(program, 'a text arrives', async () => (await texts()).includes(text));
			}
			if (stage.far.repeat)
			{
				await stage.far.repeat(session);
				await stage.far.receive(session, { text: 'third' });
				await stage.until(program, 'the third arrives', async () => (await texts()).includes('third'));
			}
			assert.deepEqual((await texts()).filter((text) => text !== 'third'), ['first', 'second'], 'not each is stored once');
		},
	},
	{
		name: 'a file is in the store before it is reported as stored',
		async run(stage, fault)
		{
			const { session } = await stage.tenant('Files');
			const program = await started(stage, fault, session);
			let file;

			await stage.far.receive(session, { file: true });
			await stage.until(program, 'a file is reported', async () =>
			{
				file = (await stage.received(session)).find(({ state }) => state !== null && state !== 'pending');
				return file;
			}, { pauseMs: 1 });
			assert.equal(file.state, 'stored');
			assert.ok(stage.isStored(session, file.sha256), 'it is not in the store');
		},
	},
	{
		name: 'credentials of another organization are refused',
		needs: 'credentials',
		async run(stage, fault)
		{
			const [{ session: owner }, { session: thief }] = [await stage.tenant('Owner'), await stage.tenant('Thief')];

			await stage.db.sql(`UPDATE wa.session_credentials c SET sealed = o.sealed, key_id = o.key_id, phone_number_id = o.phone_number_id, updated_at = clock_timestamp()
				FROM wa.session_credentials o WHERE o.session_id = $1 AND c.session_id = $2`, [owner.uuid, thief.uuid]);
			/* the owner of the number is not there, so that nothing else keeps the thief from it */
			await stage.db.sql("UPDATE wa.session SET status = 'stopped' WHERE id = $1", [owner.uuid]);

			const program = stage.program(fault);

			await stage.until(program, 'the session has failed or works', async () => ['failed', 'working'].includes(await stage.statusOf(thief)));
			assert.equal(await stage.statusOf(thief), 'failed', 'it works with them');
		},
	},
	{
		name: 'credentials of another number than the row names are refused',
		needs: 'credentials',
		async run(stage, fault)
		{
			const { session } = await stage.tenant('Namer');

			await stage.db.sql("UPDATE wa.session_credentials SET phone_number_id = '999', updated_at = clock_timestamp() WHERE session_id = $1", [session.uuid]);

			const program = stage.program(fault);

			await stage.until(program, 'the session has failed or works', async () => ['failed', 'working'].includes(await stage.statusOf(session)));
			assert.equal(await stage.statusOf(session), 'failed', 'it works with them');
		},
	},
	{
		name: 'other credentials are taken while it runs',
		needs: 'credentials',
		async run(stage, fault)
		{
			const { session } = await stage.tenant('Renews');
			const program = await started(stage, fault, session);
			const renewed = stage.far.credentials(1000);

			assert.equal((await stage.give(session, renewed)).status, 200);
			await stage.until(program, 'it has the new number', async () => await stage.value(
				'SELECT has_number FROM wa.session_credentials WHERE session_id = $1 AND phone_number_id = $2', [session.uuid, renewed.phoneNumberId]) === 't');
			await stage.untilWorking(program, session);
			await untilSent(stage, program, [await stage.send(session, 'with the new ones')]);
		},
	},
];

/* Runs a check, and leaves nothing that the next one would find. */
export async function runCheck(stage, check, fault)
{
	try
	{
		await check.run(stage, fault);
	}
	finally
	{
		await stage.clear();
	}
}
