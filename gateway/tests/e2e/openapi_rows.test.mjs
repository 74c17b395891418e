/*
 * openapi_rows.test.mjs
 *		What an operation of the OpenAPI document and its row have to agree about although the
 *		row is made from the operation; and that its statement returns what the row shows.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { endpoints, nameOf } from './harness/endpoints.mjs';
import { DOCUMENT, METHODS, fullPath } from './harness/openapi.mjs';
import { ROOT, SCRIPTS } from './harness/processes.mjs';

const SOURCE = path.join(ROOT, 'gateway/api/openapi.json');

const rows = new Map(endpoints().map((row) => [nameOf(row), row]));
const operations = new Map(Object.entries(DOCUMENT.paths).flatMap(([template, item]) => METHODS.filter((method) => item[method])
	.map((method) => [`${method.toUpperCase()} ${fullPath(template)}`, item[method]])));

/* The columns of what a statement returns, in order. */
function columnsOf(cluster, statement)
{
	const text = fs.readFileSync(path.join(ROOT, `gateway/statements/gateway/${statement}.sql`), 'utf8').trimEnd();

	return cluster.psql('wa', `${text} \\gdesc`).split('\n').map((line) => line.split('|')[0]);
}

/* What scripts/openapi.jq says to the source with one text in place of another; undefined: it takes it. */
function refusal(from, to)
{
	const source = fs.readFileSync(SOURCE, 'utf8');

	assert.ok(source.includes(from), from);
	try
	{
		execFileSync('jq', ['-f', path.join(SCRIPTS, 'openapi.jq')], { input: source.replace(from, to), stdio: ['pipe', 'ignore', 'pipe'] });
		return undefined;
	}
	catch (error)
	{
		return error.stderr.toString();
	}
}

test('each operation has a row', () =>
{
	assert.deepEqual([...rows.keys()].sort(), [...operations.keys()].sort());
});

for (const [name, row] of rows)
{
	const operation = operations.get(name);

	test(`${name}: the document says what can be refused`, () =>
	{
		const isFree = row.open && row.needs === undefined;

		assert.equal(operation.security?.length === 0, isFree || row.door === 'ownPages');
		assert.equal(operation.security?.[0]?.cookie !== undefined, row.door === 'cookie');
		assert.equal(operation['x-required-permission'], row.needs ?? null);
		assert.equal(operation.responses[401] !== undefined, row.open ? !isFree : row.mayRefuse);
		/* every key can be restricted to addresses */
		assert.equal(operation.responses[403] !== undefined, !isFree);
	});
	if (row.open)
		continue;

	test(`${name}: the document says how large a body may be, and whether there has to be one`, () =>
	{
		const members = row.parameters.filter((parameter) => parameter.in === 'body');

		assert.equal(operation['x-body-max-bytes'] !== undefined, members.length > 0 || row.bodyRest || row.bodyCredentials || row.bodyRaw);
		assert.equal(operation.requestBody !== undefined, members.length > 0 || row.bodyRest || row.bodyCredentials || row.bodyRaw || row.bodyFile);
		if (members.some((member) => member.required))
			assert.equal(operation.requestBody.required, true);
	});
}

/* What gateway/api/download.c reads of a row that describes a file. */
const FILE_COLUMNS = ['org_id', 'state', 'sha256', 'size', 'mimetype', 'filename'];

test('each statement returns the columns that its rows show, each once, and no others', () =>
{
	const cluster = prepareCluster();

	for (const row of [...rows.values()].filter(({ open, answer }) => !open && answer !== 'none'))
	{
		const shown = row.answer === 'file' ? FILE_COLUMNS : row.item === undefined ? [...Object.keys(row.cookies ?? {}), ...row.columns.map(({ column }) => column)] : [row.item];
		const needed = new Set([...shown, ...Object.keys(row.cursor ?? {})]);

		assert.deepEqual(columnsOf(cluster, row.statement).sort(), [...needed].sort(), row.statement);
	}
});

test('a source that says less than a row needs, or what no row has, makes no gateway', () =>
{
	const forward = '"arguments": ["sessionId", "messageId", "to", "Idempotency-Key"]';

	assert.equal(refusal(forward, forward), undefined);
	assert.match(refusal('"lane": "slow"', '"lanes": "slow"'), /unknown: lanes/);
	assert.match(refusal(forward, '"arguments": ["sessionId", "messageId", "to"]'), /message_forward: goes nowhere: Idempotency-Key/);
	assert.match(refusal(forward, '"arguments": ["sessionId", "messageId", "to", "Idempotency-Key", "x"]'), /message_forward: no parameter x/);
	assert.match(refusal('"x-gateway": { "length": [1, 255] }, ', ''), /Idempotency-Key has no greatest length/);
	assert.match(refusal('"202": {\n', '"302": {\n'), /no status of success/);
});
