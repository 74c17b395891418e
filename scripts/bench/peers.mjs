/*
 * peers.mjs
 *		Measures other programs for keys and queues beside this one; bench/groups/peers.sh runs it.
 *
 *		node peers.mjs keys SECONDS		checks of the key $KEY a second
 *		node peers.mjs queue JOBS			jobs a second, taken and finished
 *		node peers.mjs postgraphile			serves GraphQL until it is ended
 *
 * It runs in a folder of its own, into which npm has installed the packages, and connects as
 * PGUSER says.  Both sides of a comparison run in this process, with the same driver, and
 * PostgreSQL is the same cluster.  The output is lines "NAME VALUE".
 */
import http from 'node:http';
import pg from 'pg';

const AT_ONCE = 16;
const CONNECTIONS = 8;

const pool = new pg.Pool({ max: CONNECTIONS });

/* Calls of "once" a second, so many at a time. */
async function perSecond(seconds, once)
{
	const until = performance.now() + seconds * 1000;
	let done = 0;

	async function caller()
	{
		while (performance.now() < until)
		{
			await once();
			done++;
		}
	}

	await once();
	await Promise.all(Array.from({ length: AT_ONCE }, caller));
	return done / seconds;
}

/* ---- keys ---- */

async function keys(key, seconds)
{
	const { betterAuth } = await import('better-auth');
	const { getMigrations } = await import('better-auth/db/migration');
	const { apiKey } = await import('@better-auth/api-key');
	const auth = betterAuth({
		database: pool, secret: 'a secret of the benchmark, not of anybody else', baseURL: 'http://127.0.0.1:9',
		emailAndPassword: { enabled: true }, logger: { level: 'error' }, telemetry: { enabled: false },
		/* its own limit would refuse all but the first few */
		plugins: [apiKey({ rateLimit: { enabled: false } })],
	});

	await (await getMigrations(auth.options)).runMigrations();
	const { user } = await auth.api.signUpEmail({ body: { email: 'somebody@example.com', password: 'password of somebody', name: 'Somebody' } });
	const made = await auth.api.createApiKey({ body: { userId: user.id, name: 'bench' } });

	for (let round = 0; round < 3; round++)
	{
		console.log('keys_better_auth', await perSecond(seconds, async () =>
		{
			const { valid } = await auth.api.verifyApiKey({ body: { key: made.key } });

			if (!valid)
				throw new Error('the key is not valid');
		}));
		console.log('keys_own', await perSecond(seconds, () => pool.query({ name: 'authenticate', text: "SELECT wa.authenticate($1, 'read', '192.0.2.1')", values: [key] })));
	}
}

/* ---- queues ---- */

const LOOPS = 4;
const BATCH = 100;

/* Jobs a second of loops that each take a batch and finish it, until there are none. */
async function drain(jobs, takeAndFinish)
{
	const since = performance.now();
	let done = 0;

	await Promise.all(Array.from({ length: LOOPS }, async (_, loop) =>
	{
		for (let count; (count = await takeAndFinish(loop)) > 0;)
			done += count;
	}));
	if (done !== jobs)
		throw new Error(`${done} of ${jobs} jobs were done`);
	return jobs / (performance.now() - since) * 1000;
}

async function ownQueue(jobs)
{
	const claim = { name: 'claim', text: "SELECT org_id, message_id FROM wa.connector_claim('sandbox', $1, $2, '1 minute')" };
	const report = { name: 'report', text: 'SELECT wa.act_for($1), (SELECT count(*) FROM wa.connector_report($2) r WHERE r.changed)' };

	return drain(jobs, async (loop) =>
	{
		const { rows } = await pool.query({ ...claim, values: [`loop ${loop}`, BATCH] });

		const lists = new Map();

		for (const { org_id: org, message_id: message } of rows)
			lists.set(org, [...lists.get(org) ?? [], { report: 'sent', message, wa_message_id: `WA${message}`, at: new Date().toISOString() }]);
		await Promise.all([...lists].map(([org, list]) => pool.query({ ...report, values: [org, JSON.stringify(list)] })));
		return rows.length;
	});
}

async function pgBoss(jobs)
{
	const { default: PgBoss } = await import('pg-boss');
	const boss = new PgBoss({ db: { executeSql: (text, values) => pool.query(text, values) }, supervise: false, schedule: false });

	await boss.start();
	await boss.createQueue('bench');
	for (let made = 0; made < jobs; made += 1000)
		await boss.insert(Array.from({ length: Math.min(1000, jobs - made) }, () => ({ name: 'bench', data: { text: 'a message' } })));

	return drain(jobs, async () =>
	{
		const taken = await boss.fetch('bench', { batchSize: BATCH });

		if (taken.length > 0)
			await boss.complete('bench', taken.map((job) => job.id));
		return taken.length;
	});
}

async function graphileWorker(jobs)
{
	const { Logger, makeWorkerUtils, runOnce } = await import('graphile-worker');
	const logger = new Logger(() => () => {});
	const utils = await makeWorkerUtils({ pgPool: pool, logger });
	let done = 0;

	await utils.migrate();
	await pool.query("SELECT graphile_worker.add_job('bench', '{\"text\": \"a message\"}') FROM generate_series(1, $1::int4)", [jobs]);
	const since = performance.now();

	await runOnce({ pgPool: pool, logger, concurrency: CONNECTIONS, noHandleSignals: true, taskList: { bench: async () => { done++; } } });
	if (done !== jobs)
		throw new Error(`${done} of ${jobs} jobs were done`);
	return jobs / (performance.now() - since) * 1000;
}

async function queue(jobs)
{
	for (const [name, measure] of [['own', ownQueue], ['pg_boss', pgBoss], ['graphile_worker', graphileWorker]])
		console.log(`queue_${name}`, await measure(jobs));
}

/* ---- GraphQL ---- */

/* The organization of the key, which the server in between tells the database in a setting. */
async function settings(request)
{
	const key = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
	const { rows } = await pool.query({ name: 'look_up', text: 'SELECT org_id FROM bench.key WHERE secret = $1', values: [key] });

	if (rows.length === 0)
		throw new Error('no such key');
	return { role: 'bench_app', 'request.jwt.claims': JSON.stringify({ org_id: rows[0].org_id, permissions: ['read'] }) };
}

async function serve()
{
	const { postgraphile } = await import('postgraphile');
	const server = http.createServer(postgraphile(pool, 'peer', { pgSettings: settings, graphiql: false, disableQueryLog: true, ignoreRBAC: false }));

	server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
}

const [what, amount] = process.argv.slice(2);

if (what === 'postgraphile')
	await serve();
else
{
	if (what === 'keys')
		await keys(process.env.KEY, Number(amount));
	else
		await queue(Number(amount));
	process.exit(0);
}
