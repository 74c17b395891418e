/*
 * stage.mjs
 *		What the attacks share: two organizations, the logins of the programs, and the
 *		statements that they may run, as the database has them.
 *
 * The attacker speaks the protocol by hand (harness/wire.mjs), has any sealed login, and
 * holds the key of "ours".  What he must never get at is "theirs".
 */
import { GATEWAY_LOGIN, SANDBOX_LOGIN, WORKER_LOGIN, prepareCluster } from '../e2e/harness/cluster.mjs';
import { createTenant } from '../e2e/harness/tenants.mjs';
import { message } from '../e2e/harness/wire.mjs';

export const REFUSED = '42501';
export const NO_CREDENTIAL = '28000';

/* A login that is not sealed, for the controls. */
export const APP = 'app';

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

	/* A request as the gateway makes it, in unnamed statements: the messages, with their Sync. */
	request(secret, needs, name, list = [])
	{
		return [
			message.parse('', this.text('authenticate')), message.bind('', [secret, needs, null, '1']), message.execute(),
			message.parse('', this.text(name)), message.bind('', list), message.describe('P', ''), message.execute(), message.sync(),
		];
	}

	/* The sessions that a key sees on this connection: what the next request there gets. */
	async sessions(wire, tenant)
	{
		const got = await wire.exchange(...this.request(tenant.key.secret, 'read', 'session_list', [null, null, '50']));

		if (got.error)
			throw got.error;
		return got.rows.filter((row) => row.org_id).map((row) => row.id);
	}
}

/* The text of everything that a server has answered. */
export function told(got)
{
	return JSON.stringify([got.rows, got.commands, got.errors.map((error) => ({ ...error }))]);
}
