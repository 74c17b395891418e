/*
 * rows.test.mjs
 *		The threat model's tables name every threat, and tests that there are.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../e2e/harness/processes.mjs';

const ATTACKS = path.join(ROOT, 'gateway/tests/attack');
const STATEMENTS = path.join(ROOT, 'gateway/statements');
const TEXT = fs.readFileSync(path.join(ROOT, 'docs/threat-model.md'), 'utf8');

/* The lists of threats go up to here; these numbers were never given. */
const LISTS = {
	P: { from: '## In SQL', to: '## In HTTP', last: 57, never: [24, 25, 35, 37, 38] },
	H: { from: '## In HTTP', to: '## Limits', last: 57, never: [3, 6, 45, 46, 47, 48, 49] },
};

/* A test as a row names it. */
const NAME = /`((?:attack|e2e|browser|specs|unit)\/[a-z0-9_.]+|fuzz_[a-z_]+\.c|[a-z_]+\.sql)`/g;

/* What a name in the last column stands for. */
function fileOf(name)
{
	if (name.endsWith('.sql'))
		return path.join(ROOT, 'sql', name);
	if (name.endsWith('.spec'))
		return path.join(ROOT, name);
	if (name.startsWith('fuzz_'))
		return path.join(ROOT, 'gateway/tests/fuzz', name);
	if (name.endsWith('.c'))
		return path.join(ROOT, 'gateway/tests', name);
	return path.join(ROOT, 'gateway/tests', `${name}.test.mjs`);
}

/* The rows of a list: { ids, tests }. */
function rowsOf(letter)
{
	const { from, to } = LISTS[letter];
	const section = TEXT.slice(TEXT.indexOf(from), TEXT.indexOf(to));

	return section.split('\n').filter((line) => line.startsWith(`| ${letter}`)).map((line) =>
	{
		const cells = line.split(' | ');

		assert.equal(cells.length, 4, line);
		return { ids: cells[0].slice(2).split(', '), tests: [...cells.at(-1).matchAll(NAME)].map((match) => match[1]) };
	});
}

const ROWS = Object.keys(LISTS).flatMap(rowsOf);

test('every threat has its row', () =>
{
	for (const [letter, { last, never }] of Object.entries(LISTS))
	{
		const numbers = new Set(rowsOf(letter).flatMap((row) => row.ids.map((id) => Number(id.slice(1, 3)))));

		for (let number = 1; number <= last; number++)
			assert.equal(numbers.has(number), !never.includes(number), `${letter}${number}`);
		assert.equal(Math.max(...numbers), last);
	}
});

test('every row names tests, and they are there', () =>
{
	for (const { ids, tests } of ROWS)
	{
		assert.ok(tests.length > 0, ids.join());
		for (const name of tests)
			assert.ok(fs.existsSync(fileOf(name)), `${ids.join()}: ${name}`);
	}
});

test('an attack that a row names says which row it is', () =>
{
	for (const { ids, tests } of rowsOf('P'))
		for (const name of tests.filter((one) => one.startsWith('attack/')))
		{
			const text = fs.readFileSync(fileOf(name), 'utf8');

			for (const id of ids)
				assert.ok(text.includes(id), `${name} does not name ${id}`);
		}
});

test('every attack is in the threat model', () =>
{
	for (const file of fs.readdirSync(ATTACKS).filter((name) => name.endsWith('.test.mjs')))
		assert.ok(TEXT.includes(`\`attack/${file.replace('.test.mjs', '')}\``), file);
});

/* What the threat model says of a login that was stolen: the part that begins with these words. */
function partOf(login)
{
	const begin = TEXT.indexOf(`**A stolen ${login} login`);

	assert.notEqual(begin, -1, login);
	return TEXT.slice(begin, TEXT.indexOf('\n**', begin + 1));
}

test('each statement of a worker or connector is named where the threat model says what their stolen logins give', () =>
{
	for (const login of ['worker', 'connector'])
		for (const file of fs.readdirSync(path.join(STATEMENTS, login)))
			assert.ok(partOf(login).includes(`\`${file.replace('.sql', '')}\``), `${login}: ${file}`);
});
