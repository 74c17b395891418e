/*
 * sanitizers.mjs
 *		What AddressSanitizer, UBSan and LeakSanitizer find in the programs.
 *
 * scripts/e2e sets WA_SANITIZED when it has built the programs with them.  Then whatever is
 * started writes each finding into a file in a folder of the test file's own, and the test
 * file fails when there is one at its end.  The exit code alone would not do: many tests
 * kill a program, or expect that it fails.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const folder = process.env.WA_SANITIZED ? fs.mkdtempSync(path.join(os.tmpdir(), 'wa_sanitizers.')) : null;

if (folder)
{
	/* some programs run as another user */
	fs.chmodSync(folder, 0o1777);
	process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
}

/* Variables of the environment for every program. */
export function sanitizerOptions()
{
	return folder ? {
		ASAN_OPTIONS: `log_path=${folder}/report:handle_sigill=1:detect_stack_use_after_return=1:strict_string_checks=1:detect_leaks=1`,
	} : {};
}

/* What was found since the last call, as text. */
export function takeReports()
{
	const names = folder ? fs.readdirSync(folder).map((name) => path.join(folder, name)) : [];
	const texts = names.map((name) => fs.readFileSync(name, 'utf8'));

	names.forEach((name) => fs.rmSync(name));
	return texts;
}

export function assertNoReports()
{
	const reports = takeReports();

	if (reports.length > 0)
		throw new Error(`the sanitizers have found ${reports.length}:\n${reports.join('\n')}`);
}
