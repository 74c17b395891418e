/*
 * sanitizers.test.mjs
 *		The sanitizers see each of the programs, and what they find is not lost.
 *
 * Only sanitized: the programs that are installed have none.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { PROGRAMS } from './harness/processes.mjs';
import { Gateway, Sandbox, Worker } from './harness/programs.mjs';
import { assertNoReports, takeReports } from './harness/sanitizers.mjs';

let cluster;

before(() =>
{
	cluster = prepareCluster();
});

for (const program of ['wa-gateway', 'wa-worker', 'wa-sandbox', 'wa-cloud'])
	test(`${program} is built with AddressSanitizer and UBSan`, () =>
	{
		const file = fs.readFileSync(path.join(PROGRAMS, program));

		assert.ok(file.includes('__asan_report_'));
		/* from the compiler's note of its flags */
		assert.ok(file.includes('-fsanitize=address,undefined'));
		assert.ok(file.includes('-fsanitize-undefined-trap-on-error'));
	});

/* What a bad access raises, and what UBSan does. */
for (const Started of [Gateway, Worker, Sandbox])
	for (const [signal, name] of [['SIGSEGV', 'SEGV'], ['SIGILL', 'ILL']])
		test(`${signal} in the ${Started.name.toLowerCase()} fails the test file`, async () =>
		{
			const program = await Started.start(cluster);

			assertNoReports();
			program.kill(signal);
			await program.exited;
			assert.throws(assertNoReports, new RegExp(`AddressSanitizer: ${name} `));
			assert.deepEqual(takeReports(), []);
		});

test('a clean end is no report', async () =>
{
	const programs = [await Gateway.start(cluster), await Worker.start(cluster), await Sandbox.start(cluster)];

	for (const program of programs)
		assert.deepEqual(await program.stop(), { code: 0, signal: null });
	assert.deepEqual(takeReports(), []);
});
