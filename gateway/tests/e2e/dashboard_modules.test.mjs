/*
 * dashboard_modules.test.mjs
 *		The dashboard has no build step that would see a name that is nowhere defined: a page that
 *		uses one fails when somebody opens it, or its dialog.  The compiler of TypeScript looks for
 *		such names here, and for imports of what a module does not have.
 *
 * Not sanitized: it starts no program.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { ROOT } from './harness/processes.mjs';

const WEB = path.join(ROOT, 'gateway/web');
/* Cannot find name (and did you mean), module has no export (and did you mean), module is not found. */
const UNKNOWN = new Set([2304, 2552, 2305, 2724, 2614, 2307]);

const problemsOf = (files) =>
{
	const program = ts.createProgram(files, {
		allowJs: true, checkJs: true, noEmit: true, skipLibCheck: true, types: [],
		target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
		lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
	});

	return files.flatMap((file) => program.getSemanticDiagnostics(program.getSourceFile(file)))
		.filter(({ code }) => UNKNOWN.has(code))
		.map(({ file, start, messageText }) => `${path.relative(WEB, file.fileName)}:${file.getLineAndCharacterOfPosition(start).line + 1}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
};

test('each name that a module of the dashboard uses is defined or imported', () =>
{
	const files = fs.readdirSync(WEB, { recursive: true }).filter((name) => name.endsWith('.js') && !name.startsWith('vendor')).map((name) => path.join(WEB, name));

	assert.ok(files.length > 50);
	assert.deepEqual(problemsOf(files), []);
});

test('a name that is nowhere defined is found', () =>
{
	const place = fs.mkdtempSync(path.join(fs.realpathSync(process.env.TMPDIR ?? '/tmp'), 'wa_names.'));

	try
	{
		fs.writeFileSync(path.join(place, 'ui.js'), 'export const Known = () => 1;\n');
		fs.writeFileSync(path.join(place, 'page.js'), "import { Known, Forgotten } from './ui.js';\n\nexport const page = () => `${Known()} ${Missing} ${Forgotten}`;\n");
		assert.equal(problemsOf([path.join(place, 'page.js')]).length, 2);
	}
	finally
	{
		fs.rmSync(place, { recursive: true });
	}
});
