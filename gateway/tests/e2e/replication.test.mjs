/*
 * replication.test.mjs
 *		A revocation that arrives by replication counts like one that is made here.
 *
 * The workers of logical replication fire row triggers only, and the replay of a standby
 * fires none: what makes backends forget a key has to travel with the change itself.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Cluster, Standby } from './harness/cluster.mjs';
import { until } from './harness/processes.mjs';
import { createKey, createOrg } from './harness/tenants.mjs';

const TABLES = 'wa.org, wa.api_key, wa.ended, wa.audit';

let publisher, db, org;

/* Revokes a key while somebody else has its row locked. */
async function revokeLocked(key)
{
	const holder = await publisher.open('wa');

	await holder.sql('BEGIN');
	await holder.sql('SELECT FROM wa.api_key WHERE id = $1 FOR UPDATE', [key.uuid]);
	await db.sql('SELECT wa.revoke_key($1::uuid)', [key.uuid]);
	await holder.sql('ROLLBACK');
}

/* Refuses the key once what ends it has arrived. */
async function refuses(wire, key)
{
	await until('the end has arrived', async () => await wire.value('SELECT count(*) FROM wa.ended WHERE subject = $1', [key.uuid]) === '1');
	assert.equal(await accepts(wire, key.secret), false);
}

before(async () =>
{
	publisher = new Cluster(['wal_level = logical', 'max_wal_senders = 4', 'hot_standby = on']);
	publisher.createDatabase('wa');
	publisher.prepare('wa');
	db = await publisher.open('wa');
	org = await createOrg(db, 'Replicated');
});

async function accepts(wire, secret)
{
	try
	{
		await wire.value('SELECT wa.authenticate($1)', [secret]);
		return true;
	}
	catch (error)
	{
		assert.equal(error.code, '28000');
		return false;
	}
}

test('on a subscriber: a backend that has the key in its cache refuses it', async () =>
{
	const key = await createKey(db, org);
	const locked = await createKey(db, org);
	const subscriber = new Cluster();

	subscriber.createDatabase('wa');
	subscriber.prepare('wa');

	const wire = await subscriber.open('wa');

	await db.sql(`CREATE PUBLICATION keys FOR TABLE ${TABLES}`);

	/* since 16 changes are applied as the table's owner, whom forced row security binds */
	const options = Number(await wire.value('SHOW server_version_num')) >= 160000 ? 'WITH (run_as_owner = true)' : '';

	await wire.sql(`CREATE SUBSCRIPTION keys CONNECTION 'host=${publisher.host} port=${publisher.port} user=postgres dbname=wa' PUBLICATION keys ${options}`);
	await until('the key has arrived', async () => await wire.value('SELECT count(*) FROM wa.api_key WHERE id = $1', [key.uuid]) === '1');
	assert.ok(await accepts(wire, key.secret));

	await db.sql('SELECT wa.revoke_key($1::uuid)', [key.uuid]);
	await until('the revocation has arrived',
		async () => await wire.value('SELECT revoked_at IS NOT NULL FROM wa.api_key WHERE id = $1', [key.uuid]) === 't');
	assert.equal(await accepts(wire, key.secret), false);
	assert.ok(await accepts(wire, locked.secret));
	await revokeLocked(locked);
	await refuses(wire, locked);

	/* The copy of the log is as append-only as the log; it comes by a table's own copying. */
	await until('the log has arrived', async () => await wire.value('SELECT count(*) > 0 FROM wa.audit') === 't');
	await assert.rejects(wire.sql('DELETE FROM wa.audit'), { code: '42501' });

	/* So is its chain, and it is as whole. */
	await db.sql("SELECT wa.housekeep('audit')");

	const [head] = await db.sql('SELECT sequence, hash FROM wa.audit_head($1::uuid)', [org.uuid]);

	await until('the head has arrived', async () => await wire.value('SELECT sequence FROM wa.audit_head($1::uuid)', [org.uuid]) === head.sequence);
	assert.deepEqual(await wire.sql('SELECT * FROM wa.verify_audit($1::uuid, $2, $3)', [org.uuid, head.sequence, head.hash]), []);
	await wire.sql('DROP SUBSCRIPTION keys');
	subscriber.stop();
});

test('on a standby: as soon as the revocation is replayed', async () =>
{
	const key = await createKey(db, org);
	const locked = await createKey(db, org);
	const wire = await new Standby(publisher).open('wa');

	await until('the key has arrived', async () => await wire.value('SELECT count(*) FROM wa.api_key WHERE id = $1', [key.uuid]) === '1');
	assert.ok(await accepts(wire, key.secret));

	await db.sql('SELECT wa.revoke_key($1::uuid)', [key.uuid]);
	await until('the revocation is replayed',
		async () => await wire.value('SELECT revoked_at IS NOT NULL FROM wa.api_key WHERE id = $1', [key.uuid]) === 't');
	assert.equal(await accepts(wire, key.secret), false);
	assert.ok(await accepts(wire, locked.secret));
	await revokeLocked(locked);
	await refuses(wire, locked);
	await wire.close();
});
