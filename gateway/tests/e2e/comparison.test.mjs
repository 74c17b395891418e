/*
 * comparison.test.mjs
 *		What the pages for people of other products name is there: commands of wa and their
 *		options, objects of the extension, operations of the HTTP API, words of the dashboard.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { PROGRAMS, ROOT, run } from './harness/processes.mjs';

const WA = path.join(PROGRAMS, 'wa');
const PAGES = ['docs/comparison.md', 'docs/coming-from-unkey.md'];

let cluster;

before(() => { cluster = prepareCluster(); });

const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');

/* The rows of a page's tables. */
const rowsOf = (page) => read(page).split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('|---'));

/* What stands between backticks in the tables of all these pages. */
const codes = (pages = PAGES) => pages.flatMap((page) => rowsOf(page).flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, code]) => code)));

test('every command of wa and its options', () =>
{
	const commands = codes().filter((code) => /^wa [a-z]/.test(code));
	const known = [...run(WA, ['--help']).stdout.matchAll(/^ {2}([a-z]+(?: [a-z-]+)?) {2,}/gm)].map(([, name]) => name);

	assert.ok(commands.length > 40, commands.join());
	for (const command of commands)
	{
		const [words, ...options] = command.split(/ (?=--)/);
		const { code, stdout } = run(WA, [...words.split(' ').slice(1), '--help']);

		/* the name of a group stands for its commands */
		assert.ok(known.some((name) => name === words.slice(3) || name.startsWith(`${words.slice(3)} `)), command);
		assert.equal(code, 0, command);
		for (const option of options)
			assert.match(stdout, new RegExp(`^ {2}\\[?${option.split(' ')[0]}[ \\]]`, 'm'), command);
	}
});

test('every object of the extension', () =>
{
	const names = codes().flatMap((code) => [...code.matchAll(/^wa\.([a-z_]+)(\(?)/g)].map(([, name, isFunction]) => [name, isFunction !== '']));
	const listed = (sql) => new Set(cluster.psql('wa', sql).split('\n'));
	const functions = listed("SELECT proname FROM pg_proc WHERE pronamespace = 'wa'::regnamespace");
	const relations = listed("SELECT relname FROM pg_class WHERE relnamespace = 'wa'::regnamespace AND relkind IN ('r', 'v', 'p')");

	assert.ok(names.length > 40);
	for (const [name, isFunction] of names)
		assert.ok((isFunction ? functions : relations).has(name), name);
});

test('every operation of the HTTP API', () =>
{
	const { paths } = JSON.parse(read('gateway/api/openapi.json'));
	const operations = codes().flatMap((code) => [...code.matchAll(/^(GET|POST|PUT|PATCH|DELETE) (\/\S+)$/g)].map(([, method, target]) => [method, target]));

	assert.ok(operations.length > 30);
	for (const [method, target] of operations)
		assert.ok(paths[target]?.[method.toLowerCase()] !== undefined, `${method} ${target}`);
});

test('every word of the dashboard', () =>
{
	const [head, ...rows] = rowsOf('docs/coming-from-unkey.md').map((row) => row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
	const column = head.indexOf('dashboard');
	const pages = path.join(ROOT, 'gateway/web');
	const sources = ['shell.js', ...fs.readdirSync(path.join(pages, 'pages')).map((file) => `pages/${file}`)].map((file) => fs.readFileSync(path.join(pages, file), 'utf8')).join('\n');
	const words = rows.flatMap((row) => [...row[column].matchAll(/\*([^*]+)\*/g)].map(([, word]) => word));

	assert.ok(rows.every((row) => row.length === head.length));
	assert.ok(words.length > 20);
	for (const word of words)
		assert.ok(sources.includes(`"${word}"`) || sources.includes(`'${word}'`) || sources.includes(`>${word}<`), word);
});

test('a word of theirs names our command', () =>
{
	for (const [word, command] of [['create', undefined], ['reroll', 'key rotate'], ['verify', 'key explain'], ['delete', 'key revoke'], ['update', 'key change'], ['get', 'key show'], ['whoami', 'key find'], ['analytics', 'key usage']])
	{
		const { code, stderr } = run(WA, ['key', word]);

		assert.equal(code, 2);
		if (command !== undefined)
			assert.match(stderr, new RegExp(`^wa: there is no such command of "key": "${command}" does that\n`));
		else
			assert.match(stderr, /^wa: ORG is missing/);
	}
	assert.match(run(WA, ['migrate']).stderr, /^wa: there is no such command: "import" does that\n/);
	assert.match(run(WA, ['key', 'rotate', '--help']).stdout, /^Elsewhere called: reroll, roll, regenerate\.$/m);
});
