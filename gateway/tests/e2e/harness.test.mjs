/*
 * harness.test.mjs
 *		What would make a test say less than it reads, if the harness let it pass.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstEphemeralPort, freePort } from './harness/ports.mjs';
import { run, until } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';

test('an option that a function does not know is an error', async () =>
{
	await assert.rejects(until('it is over', () => true, { timeoutMs: 5 }), /no option timeoutMs/);
	await assert.rejects(Gateway.start(null, { arguments: [] }), /no option arguments/);
	assert.throws(() => run('true', [], { cwd: '/' }), /no option cwd/);
	assert.equal(await until('it is over', () => 'now', { seconds: 5, pauseMs: 1 }), 'now');
});

test('what is waited for is named when the time is over', async () =>
{
	const began = performance.now();

	await assert.rejects(until('the end of days', () => false, { seconds: 0.1 }), /not within 0\.1 s: the end of days/);
	assert.ok(performance.now() - began < 30_000);
});

test('a port that a test chooses is given once, and by nobody else', async () =>
{
	const ports = [];

	for (let i = 0; i < 20; i++)
		ports.push(await freePort());
	assert.equal(new Set(ports).size, ports.length);
	assert.ok(ports.every((port) => port >= 1024 && port < firstEphemeralPort()), ports.join());
	await assert.rejects(freePort({ from: ports[0], to: ports[0] + 1 }), /no port from [0-9]+ to [0-9]+ is free/);
});
