/*
 * stage.mjs
 *		Where a connector program is tried: a database, a gateway, a folder for files, and a far
 *		side that takes the place of WhatsApp (docs/connectors.md, "Conformance test").
 *
 * Nothing here is about one connector.  What is different is in its far side, a module whose
 * default export is { connector, open }:
 *
 *	connector			the kind of connector, as sessions name it
 *	open(stage)			makes the far side, an object of:
 *	  environment		what the program gets besides the variables of program()
 *	  refused			a phone number that the far side refuses
 *	  slow				true: hold() has to be called before the program starts
 *	  hold()			from now on nobody learns what became of a message
 *	  release()			no longer; what was held is answered, or goes on by itself
 *	  accepted(session)	the texts that were accepted of a session, [{ to, text }], in this order, and
 *						each as often as it was accepted
 *	  receive(session, what)	lets somebody send { text } or { file: true } to the session
 *	  repeat(session)	sends the last one that was received once more; or missing
 *	  credentials(n)	credentials of a number of their own for each n; or missing: it needs none
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { SANDBOX_LOGIN, prepareCluster } from '../e2e/harness/cluster.mjs';
import { Program, forCommands, makePlace, must, until } from '../e2e/harness/processes.mjs';
import { Gateway, conninfo } from '../e2e/harness/programs.mjs';
import { createKey, createOrg, createSession } from '../e2e/harness/tenants.mjs';

/* What another connector has, which is none of the business of the one that is tried. */
export const FOREIGN = { connector: 'none', owner: 'a foreign connector' };

/* How long something is waited for that must come. */
const PATIENCE_SECONDS = 90;

let owners = 0;
let accounts = 0;
let numbers = 15552000000;

export class Stage
{
	programs = [];
	patience = PATIENCE_SECONDS;

	/* "command" is a line for sh; "asRoot": it is ours and is started as it is. */
	static async set({ command, farSide, asRoot = false })
	{
		const stage = new Stage();

		Object.assign(stage, { command, connector: farSide.connector, cluster: prepareCluster(), folder: makePlace(), place: makePlace() });
		stage.start = forCommands(['wa-sandbox']);
		if (asRoot)
			stage.start.options = {};
		stage.db = await stage.cluster.open('wa');
		stage.client = (await Gateway.start(stage.cluster, { args: ['--media-dir', stage.folder] })).client;
		stage.far = await farSide.open(stage);
		if (stage.far.credentials)
			stage.keyFile = await stage.makeKey();
		return stage;
	}

	async makeKey()
	{
		const { programs, options } = forCommands(['wa']);
		const file = path.join(this.place, 'key');
		const [publicKey] = /\b[0-9a-f]{64}\b/.exec(must(path.join(programs, 'wa'), ['connector', 'make-key', file]));

		if (options.uid !== undefined)
			fs.chownSync(file, options.uid, options.gid);
		await this.db.sql('SELECT wa.add_connector_key($1, decode($2, $3))', [this.connector, publicKey, 'hex']);
		return file;
	}

	/* An organization with a key, and one session of the connector, which is not connected yet. */
	async tenant(name)
	{
		const org = await createOrg(this.db, name);
		const tenant = { org, key: (await createKey(this.db, org)).secret };

		tenant.session = await this.session(tenant);
		return tenant;
	}

	async session(tenant, { connector = this.connector, credentials = true } = {})
	{
		const session = await createSession(this.db, tenant.org, { status: 'starting', connector });

		session.tenant = tenant;
		if (connector === this.connector && this.far.credentials && credentials)
		{
			session.credentials = this.far.credentials(++accounts);

			const given = await this.give(session, session.credentials);

			assert.equal(given.status, 200, given.text);
		}
		return session;
	}

	give(session, credentials)
	{
		return this.client.request('PUT', `/api/v1/sessions/${session.id}/credentials`, { key: session.tenant.key, json: credentials });
	}

	/* Starts the program, under another owner of leases each time. */
	program(fault = '')
	{
		const owner = `connector-test-${++owners}`;
		const program = new Program('sh', ['-c', `exec ${this.command}`], {
			log: path.join(this.place, `${owner}.log`),
			user: this.start.options,
			env: {
				WA_TEST_DATABASE: conninfo(this.cluster, 'wa', SANDBOX_LOGIN),
				WA_TEST_CONNECTOR: this.connector,
				WA_TEST_OWNER: owner,
				WA_TEST_MEDIA_DIR: this.folder,
				WA_TEST_PROGRAMS: this.start.programs,
				...this.keyFile ? { WA_TEST_KEY_FILE: this.keyFile } : {},
				...fault ? { WA_TEST_FAULT: fault } : {},
				...this.far.environment,
			},
		});

		program.owner = owner;
		this.programs.push(program);
		return program;
	}

	/* Ends all programs, and leaves no session to the next one. */
	async clear()
	{
		await this.far.release();
		for (const program of this.programs.splice(0))
		{
			program.kill('SIGKILL');
			await program.exited;
		}
		await this.db.sql("UPDATE wa.session SET status = 'stopped', lease_owner = NULL, lease_until = NULL");
	}

	value(sql, values)
	{
		return this.db.value(sql, values);
	}

	/* Waits, and fails at once if the program has ended. */
	async until(program, what, ask, options = {})
	{
		return await until(what, async () =>
		{
			const answer = await ask();

			return answer || !program.running ? { answer } : false;
		}, { seconds: this.patience, ...options }).then(({ answer }) => answer || assert.fail(`the connector has ended (not yet: ${what}):\n${program.log().slice(-2000)}`));
	}

	statusOf(session)
	{
		return this.value('SELECT status FROM wa.session WHERE id = $1', [session.uuid]);
	}

	untilWorking(program, session)
	{
		return this.until(program, `session ${session.id} is working`, async () => await this.statusOf(session) === 'working');
	}

	/* Sends, and returns the message. */
	async send(session, text, { to = this.number(), ...more } = {})
	{
		const sent = await this.client.post(`/api/v1/sessions/${session.id}/messages`, session.tenant.key, { type: 'text', to, text, ...more });

		assert.equal(sent.status, 202, sent.text);
		return sent.json;
	}

	number()
	{
		return String(++numbers);
	}

	async message({ id })
	{
		return (await this.db.sql(`
			SELECT status, error, attempts::text, wa_message_id, lease_owner FROM wa.message WHERE id = wa.from_typeid('msg', $1)`, [id]))[0];
	}

	/* Those that were received of a session, with the state, digest and size of their files. */
	received(session)
	{
		return this.db.sql(`
			SELECT m.body, m.type, f.state, encode(f.sha256, 'hex') AS sha256, f.size FROM wa.message m
			LEFT JOIN wa.media f ON f.org_id = m.org_id AND f.id = m.media_id
			WHERE m.session_id = $1 AND m.direction = 'in' ORDER BY m.id`, [session.uuid]);
	}

	/* Whether the bytes of a file are in the store, whole. */
	isStored(session, sha256)
	{
		const file = path.join(this.folder, session.org.id, sha256.slice(0, 2), sha256);

		return fs.existsSync(file) && createHash('sha256').update(fs.readFileSync(file)).digest('hex') === sha256;
	}

	/* As if the time of all leases were over. */
	async endLeases()
	{
		await this.db.sql("UPDATE wa.session SET lease_until = now() - interval '1 s' WHERE lease_owner IS NOT NULL AND lease_owner <> $1", [FOREIGN.owner]);
		await this.db.sql("UPDATE wa.message SET lease_until = now() - interval '1 s' WHERE status = 'sending'");
	}

	leasesOf({ owner })
	{
		return this.value('SELECT count(*) FROM wa.session WHERE lease_owner = $1', [owner]);
	}
}
