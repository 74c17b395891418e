/*
 * stage.mjs
 *		What the attacks share: two organizations, the logins of the programs, and the
 *		statements that they may run, as the database has them.
 *
 * The attacker speaks the protocol by hand (harness/wire.mjs), has any sealed login, and
 * holds the key of "ours".  What he must never get at is "theirs".
 */
import assert from 'node:assert/strict';
import { GATEWAY_LOGIN, SANDBOX_LOGIN, WORKER_LOGIN, prepareCluster } from '../e2e/harness/cluster.mjs';
import { createTenant } from '../e2e/harness/tenants.mjs';
import { message } from '../e2e/harness/wire.mjs';

export const REFUSED = '42501';
export const NO_CREDENTIAL = '28000';

/* A login that is not sealed, for the controls. */
export const APP = 'app';

/* How many columns the answer to a binding has.  Those of a tenant's rows have more. */
export const BINDING_COLUMNS = 6;

export const LOGINS = { wa_gateway: GATEWAY_LOGIN, wa_worker: WORKER_LOGIN, wa_connector: SANDBOX_LOGIN };

export class Stage
{
	static async set(settings = [])
	{
		const stage = new Stage();

		stage.cluster = prepareCluster(settings);
		stage.db = await stage.cluster.open('wa');
		await stage.db.sql(`CREATE ROLE ${APP} LOGIN IN ROLE wa_app`);
		stage.ours = await createTenant(stage.db, 'Ours');
		stage.theirs = await createTenant(stage.db, 'Theirs');
		/* role, name, source, and the parameters' types as a list of OIDs */
		stage.statements = (await stage.db.sql(`
			SELECT role_name, name, source, parameters::oid[] AS parameters FROM wa.statement ORDER BY role_name, name`))
			.map((row) => ({ ...row, parameters: row.parameters.slice(1, -1).split(',').filter(Boolean).map(Number) }));
		return stage;
	}

	/* A connection as the login of a role, or as APP. */
	open(role = 'wa_gateway')
	{
		return this.cluster.open('wa', LOGINS[role] ?? role);
	}

	statement(name, role = 'wa_gateway')
	{
		return this.statements.find((one) => one.role_name === role && one.name === name);
	}

	text(name, role)
	{
		return this.statement(name, role).source;
	}

	/* The values of authenticate; what may follow the first three does not matter to an attack. */
	credential(secret, needs = 'read')
	{
		return [secret, needs, null, ...Array(this.statement('authenticate').parameters.length - 3).fill('1')];
	}

	/* What binds a transaction to a credential, in an unnamed statement. */
	authenticate(secret, needs = 'read')
	{
		return [message.parse('', this.text('authenticate')), message.bind('', this.credential(secret, needs)), message.execute()];
	}

	/* A request as the gateway makes it, in unnamed statements: the messages, with their Sync. */
	request(secret, needs, name, list = [])
	{
		return this.requestOf(secret, needs, this.text(name), list);
	}

	/* The same of a text. */
	requestOf(secret, needs, text, list = [])
	{
		return [
			...this.authenticate(secret, needs),
			message.parse('', text), message.bind('', list), message.describe('P', ''), message.execute(), message.sync(),
		];
	}

	/* Nothing that only theirs' rows say is in an answer. */
	showsNothing(got, what)
	{
		const text = told(got);

		for (const mark of marks(this.theirs))
			assert.ok(!text.includes(mark), what);
	}

	/* The sessions that a key sees on this connection: what the next request there gets. */
	async sessions(wire, tenant)
	{
		const got = await wire.exchange(...this.request(tenant.key.secret, 'read', 'session_list', [null, null, '50']));

		if (got.error)
			throw got.error;
		return got.rows.filter((row) => row.organization_id).map((row) => row.id);
	}
}

/*
 * The twin of our tables as they are often made: the organization is in a setting, keys and
 * indexes do not lead with it, references and unique values go across organizations.  What an
 * attack does there is the control of the attack on ours.
 */
const NAIVE = `
	CREATE SCHEMA naive;
	CREATE FUNCTION naive.org() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$SELECT current_setting('naive.org', true)$$;
	CREATE TABLE naive.note (id integer PRIMARY KEY, org text NOT NULL, body text UNIQUE, kind text);
	CREATE TABLE naive.answer (id integer PRIMARY KEY, org text NOT NULL, note integer REFERENCES naive.note);
	CREATE TABLE naive.key (secret text PRIMARY KEY, org text, permissions text, revoked boolean DEFAULT false);
	ALTER TABLE naive.note ENABLE ROW LEVEL SECURITY;
	ALTER TABLE naive.answer ENABLE ROW LEVEL SECURITY;
	CREATE POLICY org ON naive.note USING (org = naive.org());
	CREATE POLICY org ON naive.answer USING (org = naive.org());
	INSERT INTO naive.note VALUES (1, 'ours', 'our note', 'a'), (2, 'theirs', 'wisteria', 'a');
	INSERT INTO naive.note SELECT n, 'theirs', 'their note ' || n, 'common' FROM generate_series(3, 2000) n;
	INSERT INTO naive.note SELECT n, 'ours', 'our note ' || n, 'plain' FROM generate_series(3001, 5000) n;
	INSERT INTO naive.key VALUES ('our key', 'ours', 'read'), ('their key', 'theirs', 'read');
	ANALYZE naive.note (org, kind);
	GRANT USAGE ON SCHEMA naive TO PUBLIC;
	GRANT ALL ON ALL TABLES IN SCHEMA naive TO PUBLIC`;

export async function buildNaiveTwin(stage)
{
	await stage.db.sql(NAIVE);
}

/* What no answer to "ours" may hold: what only the rows of a tenant say. */
export function marks(tenant)
{
	return [tenant.session.uuid, tenant.message.uuid, tenant.org.uuid, tenant.key.uuid, tenant.session.label, tenant.message.body];
}

/* The text of everything that a server has answered. */
export function told(got)
{
	return JSON.stringify([got.rows, got.commands, got.errors.map((error) => ({ ...error }))]);
}
