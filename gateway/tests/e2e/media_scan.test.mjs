/*
 * media_scan.test.mjs
 *		What is in the store without a row is removed a day later, what a row has lost is reported,
 *		and nothing that is being stored is lost for that.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareCluster } from './harness/cluster.mjs';
import { freePort } from './harness/ports.mjs';
import { makePlace, until } from './harness/processes.mjs';
import { Gateway, Worker } from './harness/programs.mjs';
import { BUCKET, KEY_ID, S3Server, SECRET } from './harness/s3.mjs';
import { createKey, createTenant } from './harness/tenants.mjs';

const CREDENTIALS = { AWS_ACCESS_KEY_ID: KEY_ID, AWS_SECRET_ACCESS_KEY: SECRET };
const SOON = ['--housekeeping', '1'];
const NOBODY = `org_01${'a'.repeat(24)}`;

let cluster, db, tenant, other, key;
const workers = [];

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Files');
	other = await createTenant(db, 'Others');
	key = await createKey(db, tenant.org, ['read', 'send']);
	await db.sql('SELECT wa.set_media_scan(true)');
});

/* What a test leaves is not the next one's. */
beforeEach(async () =>
{
	for (const worker of workers.splice(0))
		worker.kill('SIGKILL');
	await db.sql('DELETE FROM wa.media');
	await db.sql('DELETE FROM wa.media_bytes');
	await db.sql("UPDATE wa.media_scan SET behind = '', lease_owner = NULL, lease_until = NULL, ended_at = NULL, checked_at = NULL");
});

const digestOf = (bytes) => createHash('sha256').update(bytes).digest('hex');
const nameOf = (org, bytes) => `${org}/${digestOf(bytes).slice(0, 2)}/${digestOf(bytes)}`;
const upload = (by, body) => by.client.request('POST', '/api/v1/media', { key: key.secret, body });
const download = (by, id) => by.client.request('GET', `/api/v1/media/${id}`, { key: key.secret });
const makeOld = () => db.sql("UPDATE wa.media_bytes SET unused_at = now() - interval '2 days' WHERE unused_at IS NOT NULL AND removal IS NULL");
const scanAgain = () => db.sql('UPDATE wa.media_scan SET ended_at = NULL, checked_at = NULL');

/* Worker and gateway of a store; what is in it, and how files come into it without a gateway. */
function inFolder()
{
	const folder = makePlace();
	const at = (name) => path.join(folder, name);
	const { uid, gid } = fs.statSync(folder);

	return {
		options: ['--media-dir', folder], env: {}, folder,
		names: () => fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
			.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name))),
		put(name, bytes, { old = true } = {})
		{
			fs.mkdirSync(path.dirname(at(name)), { recursive: true });
			fs.writeFileSync(at(name), bytes);
			for (let made = at(name); made !== folder; made = path.dirname(made))
				fs.chownSync(made, uid, gid);
			if (old)
				this.age(name);
		},
		age(name)
		{
			const time = Date.now() / 1000 - 25 * 3600;

			fs.utimesSync(at(name), time, time);
		},
		lose: (name) => fs.rmSync(at(name)),
	};
}

async function inBucket()
{
	const server = await S3Server.start();

	return {
		options: ['--media-dir', makePlace(), '--media-s3-bucket', BUCKET, '--media-s3-endpoint', `http://127.0.0.1:${server.port}`],
		env: CREDENTIALS, server,
		names: () => server.objects(),
		put: (name, bytes, { old = true } = {}) => server.put(name, bytes, { old }),
		age: (name) => server.age(name),
		lose: (name) => server.remove(name),
	};
}

const STORES = [['a folder', inFolder], ['a bucket', inBucket]];

async function startWorker(store, more = [])
{
	const port = await freePort();
	const worker = await Worker.start(cluster, { args: [...store.options, ...SOON, '--metrics', `127.0.0.1:${port}`, ...more], env: store.env });

	workers.push(worker);
	/* what a counter says for a label's value, or their sum */
	worker.count = async (metric, result = '[a-z]+') =>
	{
		const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
		const numbers = [...text.matchAll(new RegExp(`^${metric}\\{result="${result}"\\} ([0-9]+)$`, 'gm'))].map(([, number]) => Number(number));

		assert.notEqual(numbers.length, 0, metric);
		return numbers.reduce((sum, number) => sum + number, 0);
	};
	worker.scanned = (rounds) => until(`${rounds} scans`, async () => await worker.count('wa_media_scans_total', 'complete') >= rounds);
	return worker;
}

for (const [where, open] of STORES)
{
	test(`what is in ${where} without a row is removed after a day, and nothing else`, async () =>
	{
		const store = await open();
		const gateway = await Gateway.start(cluster, { args: store.options, env: store.env });
		const [used, left, others, young, strange] = Array.from({ length: 5 }, () => randomBytes(1000));
		const { id } = (await upload(gateway, used)).json;
		const kept = [nameOf(tenant.org.id, used), nameOf(tenant.org.id, young), nameOf(NOBODY, strange), 'a/note & more.txt'].sort();

		store.age(nameOf(tenant.org.id, used));
		store.put(nameOf(tenant.org.id, left), left);
		store.put(nameOf(other.org.id, others), others);
		store.put(nameOf(tenant.org.id, young), young, { old: false });
		store.put(nameOf(NOBODY, strange), strange);
		store.put('a/note & more.txt', 'not ours');

		const worker = await startWorker(store);

		await worker.scanned(1);
		assert.equal(await worker.count('wa_media_scan_names_total', 'known'), 1);
		assert.equal(await worker.count('wa_media_scan_names_total', 'unknown'), 2);
		assert.equal(await worker.count('wa_media_scan_names_total', 'young'), 1);
		assert.equal(await worker.count('wa_media_scan_names_total', 'strange'), 1);
		assert.equal(await worker.count('wa_media_scan_names_total', 'other'), 1);
		await sleep(2500);
		assert.equal(await worker.count('wa_media_removals_total', 'removed'), 0, 'it stays for another day');
		await makeOld();
		await until('they are removed', async () => await worker.count('wa_media_removals_total', 'removed') === 2);
		assert.deepEqual(store.names().sort(), kept);
		assert.ok((await download(gateway, id)).body.equals(used));
		/* the worker may not have said yet that they are gone */
		await until('the same bytes can be stored again', async () => (await upload(gateway, left)).status === 201);
		await worker.stop();
		await gateway.stop();
	});

	test(`a row whose bytes are not in ${where} any more is reported, and stays`, async () =>
	{
		const store = await open();
		const gateway = await Gateway.start(cluster, { args: store.options, env: store.env });
		const [there, lost, damaged] = Array.from({ length: 3 }, () => randomBytes(1000));
		const files = [];

		for (const bytes of [there, lost, damaged])
			files.push((await upload(gateway, bytes)).json.id);
		store.lose(nameOf(tenant.org.id, lost));
		store.put(nameOf(tenant.org.id, damaged), damaged.subarray(1));

		const worker = await startWorker(store);

		await until('all were looked for', async () => await worker.count('wa_media_scan_rows_total') === 3);
		for (const [result, bytes] of [['missing', lost], ['damaged', damaged]])
		{
			assert.equal(await worker.count('wa_media_scan_rows_total', result), 1);
			assert.ok(worker.events('media_missing').some((line) => line.includes(` file=${nameOf(tenant.org.id, bytes)} result=${result}`)), worker.log());
		}
		assert.equal((await download(gateway, files[0])).status, 200);

		const gone = await download(gateway, files[1]);

		assert.equal(gone.status, 410);
		assert.equal(gone.json.error.code, 'media_gone');
		assert.equal(Number(await db.value("SELECT count(*) FROM wa.media WHERE state = 'stored'")), 3);
		store.put(nameOf(tenant.org.id, lost), lost);
		assert.equal((await download(gateway, files[1])).status, 200, 'when the bytes are there again');
		await sleep(2500);
		assert.equal(await worker.count('wa_media_scan_rows_total'), 3, 'not again within a week');
		await worker.stop();
		await gateway.stop();
	});

	test(`names in ${where} are read some at a time, and another worker goes on`, async () =>
	{
		const store = await open();

		for (let i = 0; i < 700; i++)
			store.put(nameOf(tenant.org.id, `file ${i}`), 'x');

		const first = await startWorker(store, ['--owner', 'first']);

		await until('it has begun', async () => await first.count('wa_media_scan_names_total') > 0);
		assert.ok(await first.count('wa_media_scan_names_total') <= 256);
		await until('a place is noted', async () => await db.value("SELECT behind <> '' FROM wa.media_scan"));

		const second = await startWorker(store, ['--owner', 'second']);

		await sleep(1500);
		assert.equal(await second.count('wa_media_scan_names_total'), 0, 'one worker scans at a time');
		first.kill('SIGKILL');
		await first.exited;

		const known = Number(await db.value('SELECT count(*) FROM wa.media_bytes'));

		assert.ok(known < 700, `${known}`);
		await db.sql("UPDATE wa.media_scan SET lease_until = now() - interval '1 second'");
		await second.scanned(1);
		assert.equal(Number(await db.value('SELECT count(*) FROM wa.media_bytes')), 700);
		assert.ok(await second.count('wa_media_scan_names_total') < 700, `it began again: ${known} of 700 were known, and it listed ${await second.count('wa_media_scan_names_total')}`);
		await second.stop();
	});
}

test('a store that cannot be listed is a failed scan, which goes on when it can', async () =>
{
	const store = await inBucket();
	const left = randomBytes(1000);

	store.put(nameOf(tenant.org.id, left), left);
	await store.server.kill();

	const worker = await startWorker(store);

	await until('it has failed', async () => await worker.count('wa_media_scans_total', 'failed') > 0);
	assert.ok(worker.events('media_not_listed').some((line) => / reason="[^"]+" status=0/.test(line)));
	await store.server.run();
	await worker.scanned(1);
	assert.equal(await worker.count('wa_media_scan_names_total', 'unknown'), 1);
	await worker.stop();
});

/*
 * Gateways are killed between a file and its row, and the files that they leave are found, made
 * old and removed, while the same files are uploaded again.
 */
test('what killed gateways leave is removed, and each row has its bytes', async () =>
{
	const store = inFolder();
	const files = Array.from({ length: 4 }, () => randomBytes(300_000));
	const [end, latest] = [Date.now() + 15000, Date.now() + 180000];
	let gateway = await Gateway.start(cluster, { args: store.options });
	const worker = await startWorker(store);
	const seen = { created: 0, refused: 0, kills: 0, found: 0, removed: 0 };
	const isEnough = () => seen.created > 0 && seen.kills > 2 && seen.found > 0 && seen.removed > 0;
	/* Longer on a busy machine: until each of these was seen. */
	const goesOn = () => Date.now() < end || !isEnough() && Date.now() < latest;

	async function keepUploading(bytes)
	{
		while (goesOn())
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

	/* Rows that are lost without their bytes are those of a dump that is older than the store. */
	async function keepLosing()
	{
		while (goesOn())
		{
			await db.sql('DELETE FROM wa.media WHERE org_id = $1 AND random() < 0.7', [tenant.org.uuid]);
			await db.sql('DELETE FROM wa.media_bytes WHERE org_id = $1 AND files = 0 AND removal IS NULL AND removed_at IS NULL AND random() < 0.5', [tenant.org.uuid]);
			await makeOld();
			await scanAgain();
			for (const name of store.names())
			{
				try
				{
					store.age(name);
				}
				catch
				{
					/* it was removed meanwhile, or has got its name */
				}
			}
			await sleep(randomInt(50));
		}
	}

	async function keepKilling()
	{
		while (goesOn())
		{
			await sleep(randomInt(1500));
			seen.kills++;
			gateway.kill('SIGKILL');
			await gateway.exited;
			gateway = await Gateway.start(cluster, { args: store.options });
			seen.found = await worker.count('wa_media_scan_names_total', 'unknown');
			seen.removed = await worker.count('wa_media_removals_total', 'removed');
		}
	}

	await Promise.all([...files.map(keepUploading), keepLosing(), keepKilling()]);
	worker.kill('SIGKILL');
	await worker.exited;

	const rows = (await db.sql("SELECT DISTINCT encode(sha256, 'hex') AS digest FROM wa.media WHERE org_id = $1 AND state = 'stored'", [tenant.org.uuid])).map(({ digest }) => digest);
	const stored = store.names().map((name) => path.basename(name));

	assert.deepEqual(rows.filter((digest) => !stored.includes(digest)), [], JSON.stringify(seen));
	assert.ok(isEnough(), JSON.stringify(seen));
	await gateway.stop();
});
