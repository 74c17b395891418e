/*
 * media_removal.test.mjs
 *		Bytes that no file is of any more leave the store, and no row ever promises bytes that are
 *		not there, whatever ends in the middle.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareCluster } from './harness/cluster.mjs';
import { Connection } from './harness/http.mjs';
import { freePort } from './harness/ports.mjs';
import { makePlace, until } from './harness/processes.mjs';
import { Gateway, Worker } from './harness/programs.mjs';
import { BUCKET, KEY_ID, S3Server, SECRET } from './harness/s3.mjs';
import { createKey, createTenant } from './harness/tenants.mjs';

const CREDENTIALS = { AWS_ACCESS_KEY_ID: KEY_ID, AWS_SECRET_ACCESS_KEY: SECRET };
const SOON = ['--housekeeping', '1'];

let cluster, db, tenant, other, keys;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Files');
	other = await createTenant(db, 'Others');
	keys = { ours: await createKey(db, tenant.org, ['read', 'send']), other: await createKey(db, other.org, ['read', 'send']) };
});

/* What a test leaves is not the next one's. */
beforeEach(async () =>
{
	await db.sql('DELETE FROM wa.media');
	await db.sql('DELETE FROM wa.media_bytes');
});

const digestOf = (bytes) => createHash('sha256').update(bytes).digest('hex');
const upload = (by, body, key = keys.ours) => by.client.request('POST', '/api/v1/media', { key: key.secret, body });
const download = (by, id) => by.client.request('GET', `/api/v1/media/${id}`, { key: keys.ours.secret });

/* The names of the files in a folder. */
const filesIn = (folder) => fs.readdirSync(folder, { recursive: true }).filter((name) => /\/[0-9a-f]{64}$/.test(name)).map((name) => path.basename(name));

/* The last files of these bytes were removed days ago. */
async function makeUnused(bytes)
{
	await db.sql("DELETE FROM wa.media WHERE org_id = $1 AND sha256 = decode($2, 'hex')", [tenant.org.uuid, digestOf(bytes)]);
	await makeOld();
}

const makeOld = () => db.sql("UPDATE wa.media_bytes SET unused_at = now() - interval '2 days' WHERE unused_at IS NOT NULL AND removal IS NULL");

/* Whoever has begun these removals is dead, and ten minutes are over. */
const expireRemovals = () => db.sql("UPDATE wa.media_bytes SET removing_at = now() - interval '11 minutes' WHERE removal IS NOT NULL");

/* used, unused, removing or removed */
const stateOf = (bytes) => db.value(
	`SELECT CASE WHEN files > 0 THEN 'used' WHEN removal IS NOT NULL THEN 'removing' WHEN unused_at IS NULL THEN 'removed' ELSE 'unused' END
	FROM wa.media_bytes WHERE org_id = $1 AND sha256 = decode($2, 'hex')`, [tenant.org.uuid, digestOf(bytes)]);

async function count(port, result)
{
	const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

	return Number(new RegExp(`^wa_media_removals_total\\{result="${result}"\\} ([0-9]+)$`, 'm').exec(text)[1]);
}

/* What holds for a folder and for a bucket. */
async function removesWhatIsUnused(options, env, stored)
{
	const gateway = await Gateway.start(cluster, { args: options, env });
	const [used, unused, young] = [randomBytes(1000), randomBytes(1000), randomBytes(1000)];
	const kept = (await upload(gateway, used)).json.id;

	for (const bytes of [used, unused, unused, young])
		assert.equal((await upload(gateway, bytes)).status, 201);
	assert.equal((await upload(gateway, unused, keys.other)).status, 201);
	await makeUnused(unused);
	await db.sql("DELETE FROM wa.media WHERE org_id = $1 AND sha256 = decode($2, 'hex')", [tenant.org.uuid, digestOf(young)]);

	const port = await freePort();
	const worker = await Worker.start(cluster, { args: [...options, ...SOON, '--metrics', `127.0.0.1:${port}`], env });

	await until('they are removed', async () => await stateOf(unused) === 'removed');
	assert.deepEqual(stored().sort(), [used, unused, young].map(digestOf).sort(), 'only those of one organization');
	assert.ok((await download(gateway, kept)).body.equals(used));
	await until('it is counted', async () => await count(port, 'removed') === 1);
	assert.equal(await count(port, 'failed'), 0);
	assert.equal(await stateOf(young), 'unused');

	const again = await upload(gateway, unused);

	assert.equal(again.status, 201);
	assert.ok((await download(gateway, again.json.id)).body.equals(unused));
	await worker.stop();
	await gateway.stop();
}

test('bytes of files that are gone are removed from a folder, and can be stored again', async () =>
{
	const folder = makePlace();

	await removesWhatIsUnused(['--media-dir', folder], {}, () => filesIn(folder));
});

test('bytes of files that are gone are removed from a bucket, and can be stored again', async () =>
{
	const store = await S3Server.start();

	await removesWhatIsUnused(['--media-dir', makePlace(), '--media-s3-bucket', BUCKET, '--media-s3-endpoint', `http://127.0.0.1:${store.port}`], CREDENTIALS,
		() => store.objects().map((name) => path.basename(name)));
	assert.deepEqual(store.agents(), ['wa-gateway', 'wa-worker']);
});

test('what the store does not confirm is tried again, and refused to uploads until then', async () =>
{
	const store = await S3Server.start();
	const options = ['--media-dir', makePlace(), '--media-s3-bucket', BUCKET, '--media-s3-endpoint', `http://127.0.0.1:${store.port}`];
	const gateway = await Gateway.start(cluster, { args: options, env: CREDENTIALS });
	const bytes = randomBytes(1000);

	assert.equal((await upload(gateway, bytes)).status, 201);
	await makeUnused(bytes);
	await store.kill();

	const port = await freePort();
	const worker = await Worker.start(cluster, { args: [...options, ...SOON, '--metrics', `127.0.0.1:${port}`], env: CREDENTIALS });

	await until('it has failed', async () => await count(port, 'failed') === 1);
	await until('it is logged', () => worker.events('media_not_removed').some((line) => / reason="[^"]+" status=0$/.test(line)));
	assert.equal(await stateOf(bytes), 'removing');
	await store.run();
	assert.equal((await upload(gateway, bytes)).status, 503);
	await expireRemovals();
	await until('it is removed', async () => await stateOf(bytes) === 'removed');
	assert.equal(await count(port, 'removed'), 1);
	assert.equal((await upload(gateway, bytes)).status, 201);
	await worker.stop();
	await gateway.stop();
});

test('an upload that was begun before a removal ended is refused, and one that begins after it is stored', async () =>
{
	const folder = makePlace();
	const gateway = await Gateway.start(cluster, { args: ['--media-dir', folder] });
	const bytes = randomBytes(1000);

	assert.equal((await upload(gateway, bytes)).status, 201);
	await makeUnused(bytes);

	const [{ removal }] = await db.sql('SELECT removal FROM wa.take_unused_bytes(1)');
	const slow = await Connection.open(gateway.port);

	slow.send(`POST /api/v1/media HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nx-api-key: ${keys.ours.secret}\r\nContent-Length: ${bytes.length}\r\n\r\n`);
	assert.equal((await slow.answer()).status, 100);
	assert.equal((await upload(gateway, bytes)).status, 503, 'while it lasts');
	await db.sql('SELECT wa.bytes_removed($1)', [JSON.stringify([{ organization: tenant.org.uuid, sha256: digestOf(bytes), removal }])]);
	slow.send(bytes);
	assert.equal((await slow.answer()).status, 503);
	slow.close();
	assert.equal((await upload(gateway, bytes)).status, 201);
	await gateway.stop();
});

/*
 * The same few files are uploaded, removed and uploaded again, while programs die.  A worker that
 * died has left removals that another one takes over.
 */
test('whenever a worker or a gateway is killed, each row has its bytes', async () =>
{
	const folder = makePlace();
	const files = Array.from({ length: 4 }, () => randomBytes(300_000));
	const end = Date.now() + 15000;
	let gateway = await Gateway.start(cluster, { args: ['--media-dir', folder] });
	let worker = await Worker.start(cluster, { args: ['--media-dir', folder, ...SOON] });
	const seen = { created: 0, refused: 0, kills: 0, removed: 0 };

	async function keepUploading(bytes)
	{
		while (Date.now() < end)
		{
			try
			{
				const { status } = await upload(gateway, bytes);

				seen[status === 201 ? 'created' : 'refused']++;
			}
			catch
			{
				await sleep(50); /* the gateway was killed */
			}
		}
	}

	async function keepRemoving()
	{
		while (Date.now() < end)
		{
			await db.sql('DELETE FROM wa.media WHERE org_id = $1 AND random() < 0.7', [tenant.org.uuid]);
			await makeOld();
			await sleep(randomInt(20));
		}
	}

	async function keepKilling()
	{
		while (Date.now() < end)
		{
			await sleep(randomInt(1500));
			seen.kills++;
			if (randomInt(2) === 0)
			{
				gateway.kill('SIGKILL');
				await gateway.exited;
				gateway = await Gateway.start(cluster, { args: ['--media-dir', folder] });
			}
			else
			{
				worker.kill('SIGKILL');
				await worker.exited;
				await expireRemovals();
				worker = await Worker.start(cluster, { args: ['--media-dir', folder, ...SOON] });
			}
		}
	}

	await Promise.all([...files.map(keepUploading), keepRemoving(), keepKilling()]);
	worker.kill('SIGKILL');
	await worker.exited;

	const rows = (await db.sql("SELECT DISTINCT encode(sha256, 'hex') AS digest FROM wa.media WHERE org_id = $1 AND state = 'stored'", [tenant.org.uuid])).map(({ digest }) => digest);
	const stored = filesIn(folder);

	assert.deepEqual(rows.filter((digest) => files.some((bytes) => digestOf(bytes) === digest) && !stored.includes(digest)), [], JSON.stringify(seen));
	seen.removed = Number(await db.value('SELECT count(*) FROM wa.media_bytes WHERE org_id = $1 AND removed_at IS NOT NULL', [tenant.org.uuid]));
	assert.ok(seen.created > 0 && seen.kills > 2 && seen.removed > 0, JSON.stringify(seen));
});
