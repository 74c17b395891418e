/*
 * typed_client.test.mjs
 *		A client made by a public code generator from the OpenAPI document, in use.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { prepareCluster } from './harness/cluster.mjs';
import { ROOT, must, onEnd, run } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';
import { createTenant } from './harness/tenants.mjs';

const TESTS = path.join(ROOT, 'gateway/tests');
const SOURCE = fileURLToPath(new URL('client', import.meta.url));

let place, compiled;

const bin = (name) => path.join(TESTS, 'node_modules/.bin', name);

/* Next to the installed packages, which the compiler and node look for from there upwards. */
before(() =>
{
	place = fs.mkdtempSync(path.join(TESTS, 'node_modules/.typed-client-'));
	onEnd(() => fs.rmSync(place, { recursive: true, force: true }), () => fs.rmSync(place, { recursive: true, force: true }));
	fs.cpSync(SOURCE, place, { recursive: true });
	fs.writeFileSync(path.join(place, 'package.json'), '{ "type": "module" }');
	/* a member with a default may be left out of a request, whatever the generator thinks by itself */
	must(process.execPath, [bin('openapi-typescript'), path.join(ROOT, 'gateway/api/openapi.json'), '--default-non-nullable=false',
		'--output', path.join(place, 'gateway.d.ts')]);
	compiled = run(process.execPath, [bin('tsc'), '--project', place]);
});

test('the generated types compile with a client, and find its mistakes', () =>
{
	assert.equal(compiled.code, 0, compiled.stdout);
});

test('the generated client calls the gateway', async () =>
{
	const cluster = prepareCluster();
	const tenant = await createTenant(await cluster.open('wa'), 'Acme');
	const gateway = await Gateway.start(cluster);

	const { tour } = await import(pathToFileURL(path.join(place, 'tour.js')));
	const seen = await tour(`http://127.0.0.1:${gateway.port}/api/v1`, tenant.key.secret);

	assert.deepEqual(seen.permissions, ['read', 'send', 'manage', 'events']);
	assert.equal(seen.session.label, 'made by a typed client');
	assert.equal(seen.session.ratePerMin, 5);
	assert.deepEqual(seen.statuses, ['starting', 'stopped', 'stopped']);
	assert.deepEqual(seen.replayed, { ...seen.sent, replayed: true });
	assert.equal(seen.message.type, 'poll');
	assert.match(seen.webhook.secret, /^whsec_/);
	assert.equal(seen.missing.error.code, 'not_found');
	assert.deepEqual(Object.keys(seen.invalid.error.details), ['limit']);
});
