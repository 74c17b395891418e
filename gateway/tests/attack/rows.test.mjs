/*
 * rows.test.mjs
 *		The threat model's table of attacks in SQL names every row, and tests that there are.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../e2e/harness/processes.mjs';

const ATTACKS = path.join(ROOT, 'gateway/tests/attack');

/* The list of threats goes up to here; these numbers were never given. */
const LAST = 55;
const NEVER_GIVEN = [24, 25, 35, 37, 38];

/* What a name in the last column stands for. */
function fileOf(name)
{
	if (name.endsWith('.sql'))
		return path.join(ROOT, 'sql', name);
	if (name.endsWith('.spec'))
		return path.join(ROOT, name);
	if (name.endsWith('.c'))
		return path.join(ROOT, 'gateway/tests', name);
	return path.join(ROOT, 'gateway/tests', `${name}.test.mjs`);
}

/* The rows: { ids, tests }. */
function table()
{
	const text = fs.readFileSync(path.join(ROOT, 'docs/threat-model.md'), 'utf8');
	const section = text.slice(text.indexOf('## In SQL'), text.indexOf('## In HTTP'));

	return section.split('\n').filter((line) => line.startsWith('| P')).map((line) =>
	{
		const cells = line.split(' | ');
		const shown = cells.at(-1);

		assert.equal(cells.length, 4, line);
		return {
			ids: cells[0].slice(2).split(', '),
			tests: [...shown.matchAll(/`((?:attack|e2e|specs|unit)\/[a-z_./]+|[a-z_]+\.sql)`/g)].map((match) => match[1]),
		};
	});
}

test('every threat has its row', () =>
{
	const ids = new Set(table().flatMap((row) => row.ids.map((id) => Number(id.slice(1, 3)))));

	for (let number = 1; number <= LAST; number++)
		assert.equal(ids.has(number), !NEVER_GIVEN.includes(number), `P${number}`);
});

test('every row names tests, and they are there', () =>
{
	for (const { ids, tests } of table())
	{
		assert.ok(tests.length > 0, ids.join());
		for (const name of tests)
			assert.ok(fs.existsSync(fileOf(name)), `${ids.join()}: ${name}`);
	}
});

test('an attack that a row names says which row it is', () =>
{
	for (const { ids, tests } of table())
		for (const name of tests.filter((one) => one.startsWith('attack/')))
		{
			const text = fs.readFileSync(fileOf(name), 'utf8');

			for (const id of ids)
				assert.ok(text.includes(id), `${name} does not name ${id}`);
		}
});

test('every attack is in the threat model', () =>
{
	const text = fs.readFileSync(path.join(ROOT, 'docs/threat-model.md'), 'utf8');

	for (const file of fs.readdirSync(ATTACKS).filter((name) => name.endsWith('.test.mjs')))
		assert.ok(text.includes(`\`attack/${file.replace('.test.mjs', '')}\``), file);
});
