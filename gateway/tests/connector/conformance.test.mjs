/*
 * conformance.test.mjs
 *		Whether a connector program keeps to docs/connectors.md.
 *
 *	make connector-test [CONNECTOR="cmd"] [FAR_SIDE=module.mjs]
 *
 * Without CONNECTOR it is wa-sandbox, whose far side is its own.
 */
import path from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { CHECKS, runCheck } from './checks.mjs';
import { Stage } from './stage.mjs';

const SANDBOX = '"$WA_TEST_PROGRAMS/wa-sandbox" --database "$WA_TEST_DATABASE" --owner "$WA_TEST_OWNER" --media-dir "$WA_TEST_MEDIA_DIR"';

const command = process.env.CONNECTOR || SANDBOX;
const module = process.env.FAR_SIDE ? pathToFileURL(path.resolve(process.env.FAR_SIDE)) : new URL('far_sides/sandbox.mjs', import.meta.url);
let stage;

before(async () =>
{
	stage = await Stage.set({ command, farSide: (await import(module)).default });
});

for (const check of CHECKS)
	test(check.name, async (context) =>
	{
		if (check.needs && !stage.far[check.needs])
			context.skip(`the far side has no ${check.needs}`);
		else
			await runCheck(stage, check);
	});
