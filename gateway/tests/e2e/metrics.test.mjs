/*
 * metrics.test.mjs
 *		GET /metrics: on a listener of its own, for all workers together, in Prometheus's format.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { freePort } from './harness/ports.mjs';
import { ROOT, until } from './harness/processes.mjs';
import { Gateway, Worker, runGateway } from './harness/programs.mjs';
import { Socket } from './harness/socket.mjs';
import { createTenant } from './harness/tenants.mjs';

let cluster, db, tenant;

before(async () =>
{
	cluster = prepareCluster();
	db = await cluster.open('wa');
	tenant = await createTenant(db, 'Acme');
});

const scrape = async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

function value(text, series)
{
	const line = text.split('\n').find((one) => one.startsWith(`${series} `));

	return line === undefined ? undefined : Number(line.slice(series.length));
}

test('without the setting nobody is told anything', async () =>
{
	const gateway = await Gateway.start(cluster);

	assert.equal(gateway.events('metrics_listening').length, 0);
	assert.equal((await gateway.client.get('/metrics')).status, 404);
	await gateway.stop();
});

test('requests are counted by route and status, on an address of their own', async () =>
{
	const gateway = await Gateway.start(cluster, { args: ['--metrics', '127.0.0.1:0'] });
	const port = gateway.metricsPort;

	for (let i = 0; i < 3; i++)
		assert.equal((await gateway.client.get('/api/v1/sessions', tenant.key.secret)).status, 200);
	assert.equal((await gateway.client.get('/api/v1/sessions')).status, 401);
	assert.equal((await gateway.client.get(`/api/v1/sessions/${tenant.session.id}`, tenant.key.secret)).status, 200);
	assert.equal((await gateway.client.get('/nowhere')).status, 404);
	const text = await scrape(port);

	assert.equal(value(text, 'wa_http_requests_total{method="GET",route="/api/v1/sessions",status="200"}'), 3);
	assert.equal(value(text, 'wa_http_requests_total{method="GET",route="/api/v1/sessions",status="401"}'), 1);
	assert.equal(value(text, 'wa_http_requests_total{method="GET",route="/api/v1/sessions/{sessionId}",status="200"}'), 1);
	assert.equal(value(text, 'wa_http_requests_total{method="GET",route="",status="404"}'), 1);
	assert.equal(value(text, 'wa_http_request_duration_seconds_bucket{method="GET",route="/api/v1/sessions",le="+Inf"}'), 4);
	assert.equal(value(text, 'wa_http_request_duration_seconds_count{method="GET",route="/api/v1/sessions"}'), 4);
	assert.equal(value(text, 'wa_metrics_dropped_total'), 0);
	await until('the gauges are there', async () => value(await scrape(port), 'wa_database_connections_ready{lane="fast"}') >= 1);
	assert.doesNotMatch(text, new RegExp(`${tenant.key.secret}|${tenant.session.id}|${tenant.org.id}`));

	const answer = await fetch(`http://127.0.0.1:${port}/metrics`);

	assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
	assert.equal((await fetch(`http://127.0.0.1:${port}/api/v1/sessions`)).status, 404);
	assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })).status, 405);
	assert.equal((await gateway.client.get('/metrics')).status, 404);
	await gateway.stop();
});

test('each of several workers answers for all of them, also after one has died', async () =>
{
	const port = await freePort();
	const gateway = await Gateway.start(cluster, { workers: 3, args: ['--metrics', `127.0.0.1:${port}`] });
	const series = 'wa_http_requests_total{method="GET",route="/api/v1/me",status="200"}';
	const ask = async () => assert.equal((await fetch(`http://127.0.0.1:${gateway.port}/api/v1/me`,
		{ headers: { authorization: `Bearer ${tenant.key.secret}`, connection: 'close' } })).status, 200);

	for (let i = 0; i < 12; i++)
		await ask();
	await until('all are counted', async () => value(await scrape(port), series) === 12);
	for (let i = 0; i < 6; i++)
		assert.equal(value(await scrape(port), series), 12);

	const [victim] = gateway.events('worker_started').map((line) => Number(/ worker=([0-9]+)/.exec(line)[1]));

	process.kill(victim, 'SIGKILL');
	await until('it is replaced', () => gateway.events('worker_started').length === 4 && gateway.events('metrics_listening').length === 4);
	await ask();
	await until('it is counted', async () => value(await scrape(port), series) === 13);
	await gateway.stop();
	assert.equal(runGateway(['--check-config', '--workers', '2', '--metrics', '127.0.0.1:0']).code, 1);
});

/* The names in one of the examples, a histogram's by its own. */
function namesIn(file)
{
	const text = fs.readFileSync(path.join(ROOT, 'docs', 'operations', file), 'utf8');

	return new Set([...text.matchAll(/\bwa_(?!apikeys\b)[a-z_]+\b/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, '')));
}

test('the examples name metrics that exist; each metric is on the dashboard and in the documentation', async () =>
{
	const gateway = await Gateway.start(cluster, { args: ['--metrics', '127.0.0.1:0'] });
	const worker = await Worker.start(cluster, { args: ['--metrics', '127.0.0.1:0'] });
	const text = await scrape(gateway.metricsPort) + await scrape(worker.metricsPort);
	const known = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name));
	const documented = fs.readFileSync(path.join(ROOT, 'docs', 'operations.md'), 'utf8');

	for (const name of namesIn('alerts.yml'))
		assert.ok(known.has(name), `alerts.yml: ${name}`);
	assert.deepEqual([...namesIn('dashboard.json')].sort(), [...known].sort());
	JSON.parse(fs.readFileSync(path.join(ROOT, 'docs', 'operations', 'dashboard.json'), 'utf8'));
	for (const name of known)
		assert.ok(documented.includes(`\`${name}\``), `${name} is in no row of docs/operations.md`);
	await gateway.stop();
	await worker.stop();
});

test('sockets, and how long events take to them', async () =>
{
	const gateway = await Gateway.start(cluster, { args: ['--metrics', '127.0.0.1:0'] });
	const port = gateway.metricsPort;
	const socket = await Socket.open(gateway, { key: tenant.key.secret });

	await until('the socket is counted', async () => value(await scrape(port), 'wa_sockets') === 1);
	for (let i = 1; i <= 3; i++)
	{
		await db.sql("SELECT wa.emit($1, 'message', NULL, '{}')", [tenant.org.uuid]);
		await socket.waitFor(i);
	}
	await until('each event is counted', async () => value(await scrape(port), 'wa_event_delay_seconds_count') === 3);
	assert.ok(value(await scrape(port), 'wa_event_delay_seconds_sum') >= 0);
	await socket.close();
	await until('the socket is gone', async () => value(await scrape(port), 'wa_sockets') === 0);
	await gateway.stop();
});

test('events that a transaction holds up, and webhooks that are paused', async () =>
{
	const holder = await cluster.open('wa');

	await holder.sql('BEGIN');
	await holder.sql("SELECT wa.emit($1, 'message', NULL, '{}')", [tenant.org.uuid]);
	await db.sql("SELECT wa.emit($1, 'message', NULL, '{}')", [tenant.org.uuid]);
	await db.sql("UPDATE wa.event SET created_at = created_at - interval '1 minute' WHERE org_id = $1", [tenant.org.uuid]);
	await db.sql(`INSERT INTO wa.webhook (org_id, url, secret, active, disabled_at, disabled_reason)
		VALUES ($1, 'https://e.com/', 'whsec_0123456789abcdef', false, now(), 'status 503')`, [tenant.org.uuid]);

	const worker = await Worker.start(cluster, { args: ['--metrics', '127.0.0.1:0'] });
	const held = async () => value(await scrape(worker.metricsPort), 'wa_events_held_seconds');

	await until('it is told', async () => await held() >= 60);
	assert.equal(value(await scrape(worker.metricsPort), 'wa_webhooks_paused'), 1);
	for (const label of ['{result="dead"}', '{result="delivered"}'])
		assert.equal(value(await scrape(worker.metricsPort), `wa_webhook_deliveries_total${label}`), 0, 'counters begin at 0');
	await holder.sql('ROLLBACK');
	/* a transaction that writes no events holds up none */
	await holder.sql('BEGIN');
	await holder.sql('SELECT pg_current_xact_id()');
	await db.sql("SELECT wa.emit($1, 'message', NULL, '{}')", [tenant.org.uuid]);
	await worker.stop();

	const next = await Worker.start(cluster, { args: ['--metrics', '127.0.0.1:0'] });

	await until('it is over', async () => value(await scrape(next.metricsPort), 'wa_events_held_seconds') === 0);
	await holder.close();
	await next.stop();
});
