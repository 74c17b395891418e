/*
 * openapi_document.test.mjs
 *		The OpenAPI document itself: whole, strict, served as it is, and its page made from it.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { before, test } from 'node:test';
import { prepareCluster } from './harness/cluster.mjs';
import { DOCUMENT, METHODS, problems, resolve } from './harness/openapi.mjs';
import { ROOT, run } from './harness/processes.mjs';
import { Gateway } from './harness/programs.mjs';

const PATH = '/api/v1/openapi.json';

let client;

before(async () =>
{
	client = (await Gateway.start(prepareCluster())).client;
});

/* Every value of the document with its place. */
function* walk(value, place = '#')
{
	yield [place, value];
	if (value !== null && typeof value === 'object')
	{
		for (const [name, member] of Object.entries(value))
			yield* walk(member, `${place}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
	}
}

const operations = Object.entries(DOCUMENT.paths).flatMap(([template, item]) => METHODS.filter((method) => item[method])
	.map((method) => ({ name: `${method} ${template}`, template, operation: item[method] })));

/* What a document's example is an example of: { place, schema, value }. */
function* examples()
{
	for (const [place, value] of walk(DOCUMENT))
	{
		if (value?.schema === undefined)
			continue;
		if (value.example !== undefined)
			yield { place, schema: value.schema, value: value.example };
		for (const [name, { value: example }] of Object.entries(value.examples ?? {}))
			yield { place: `${place} ${name}`, schema: value.schema, value: example };
	}
}

test('it is served to everybody, as it stands in the repository but for what the rows are made from', async () =>
{
	const answer = await client.request('GET', PATH);
	const head = await client.request('HEAD', PATH);

	assert.equal(answer.status, 200);
	assert.deepEqual(answer.json, DOCUMENT);
	assert.ok(!answer.text.includes('x-gateway'));
	assert.equal(answer.headers['cache-control'], 'no-store');
	assert.equal(head.headers.etag, answer.headers.etag);
	assert.equal(head.headers['content-length'], answer.headers['content-length']);
	assert.equal((await client.request('POST', PATH)).headers.allow.split(', ')[0], 'GET');
	/* a credential is not looked at, and does no harm */
	assert.equal((await client.request('GET', PATH, { key: 'wa_nobody' })).status, 200);
});

test('whoever has a copy asks by its ETag', async () =>
{
	const { etag } = (await client.request('GET', PATH)).headers;
	const ask = (tags) => client.request('GET', PATH, { headers: { 'If-None-Match': tags } });

	for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, '*'])
	{
		const answer = await ask(tags);

		assert.equal(answer.status, 304, tags);
		assert.equal(answer.body.length, 0);
		assert.equal(answer.headers.etag, etag);
	}
	for (const tags of ['"other"', etag.slice(1, -1), ''])
		assert.equal((await ask(tags)).status, 200, tags);
});

test('every reference leads somewhere, and everything shared is used', () =>
{
	const used = new Set();

	for (const [place, value] of walk(DOCUMENT))
	{
		if (typeof value?.$ref !== 'string')
			continue;
		used.add(value.$ref);
		assert.notEqual(resolve({ $ref: value.$ref }), undefined, place);
	}
	for (const kind of ['schemas', 'responses', 'parameters', 'headers'])
	{
		for (const name of Object.keys(DOCUMENT.components[kind]))
			assert.ok(used.has(`#/components/${kind}/${name}`), `${kind}/${name} is used nowhere`);
	}
});

test('no object of an answer or a request may have a member that is not described', () =>
{
	for (const [place, value] of walk(DOCUMENT.components.schemas))
	{
		if (value?.type === 'object')
			assert.notEqual(value.additionalProperties ?? true, true, place);
	}
});

test('everything has a name, a summary and a description of its own', () =>
{
	const ids = operations.map(({ operation }) => operation.operationId);

	assert.equal(new Set(ids).size, ids.length);
	for (const { name, operation, template } of operations)
	{
		assert.ok(operation.summary?.length > 0, name);
		assert.ok(DOCUMENT.tags.some((tag) => tag.name === operation.tags[0]), name);
		assert.deepEqual((operation.parameters ?? []).map(resolve).filter((one) => one.in === 'path').map((one) => one.name),
			[...template.matchAll(/\{(\w+)\}/g)].map(([, id]) => id), name);
	}
	for (const [name, schema] of Object.entries(DOCUMENT.components.schemas))
	{
		for (const [member, value] of Object.entries(schema.properties ?? {}))
			assert.ok(resolve(value).description ?? resolve(value).items ?? resolve(value).const ?? resolve(value).properties, `${name}.${member}`);
	}
});

test('a parameter of a path says what it names, as clients get it from the generators', () =>
{
	const names = Object.keys(DOCUMENT.paths).flatMap((template) => [...template.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name));

	for (const name of new Set(names))
	{
		assert.match(name, /^([a-z]+Id|chat|contact)$/);
		assert.equal(DOCUMENT.components.parameters[name].name, name);
	}
});

test('every example is an answer, or a request, that the document allows', () =>
{
	let count = 0;

	for (const { place, schema, value } of examples())
	{
		assert.deepEqual(problems(schema, value, ''), [], place);
		count++;
	}
	assert.ok(count > operations.length, `${count} examples`);
});

test('each operation with a body, in either direction, has an example', () =>
{
	for (const { name, operation } of operations)
	{
		const bodies = [operation.requestBody, ...Object.entries(operation.responses)
			.filter(([status]) => status < 300).map(([, response]) => resolve(response))]
			.map((one) => one?.content?.['application/json']).filter(Boolean);

		for (const body of bodies)
			assert.ok(body.example !== undefined || body.examples !== undefined || name.includes('openapi.json'), name);
	}
});

test('the reference page is up to date', () =>
{
	const { code, stderr } = run(path.join(ROOT, 'scripts/api-reference'), ['--check']);

	assert.equal(code, 0, stderr);
});
