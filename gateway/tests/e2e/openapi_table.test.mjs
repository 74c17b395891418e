/*
 * openapi_table.test.mjs
 *		The OpenAPI document says what the gateway's table of endpoints says, both ways.
 *
 * Neither a row nor an operation can be added, changed or dropped alone.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpoints, nameOf } from './harness/endpoints.mjs';
import { DOCUMENT, METHODS, fullPath, resolve } from './harness/openapi.mjs';

const rows = new Map(endpoints().map((row) => [nameOf(row), row]));
const operations = new Map(Object.entries(DOCUMENT.paths).flatMap(([path, item]) => METHODS.filter((method) => item[method])
	.map((method) => [`${method.toUpperCase()} ${fullPath(path)}`, item[method]])));

const isNumber = (type) => ({ type: found, enum: choices, const: one }) => found === type && choices === undefined && one === undefined;

/* What a schema has to be for a type of the table. */
const FITS = {
	id: (schema, { prefix }) => schema.pattern === `^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`,
	text: ({ type, enum: choices, const: one }) => type === 'string' || choices !== undefined || typeof one === 'string',
	boolean: ({ type, const: one }) => type === 'boolean' || typeof one === 'boolean',
	integer: isNumber('integer'),
	time: (schema) => isNumber('integer')(schema) && schema.minimum === 0,
	cursor: ({ type }) => type === 'string',
	invitation: ({ type }) => type === 'string',
	json: ({ type, oneOf, items }) => type === 'object' || oneOf !== undefined || (type === 'array' && resolve(items).type === 'object'),
	textArray: ({ type, items }) => type === 'array' && ['string', undefined].includes(resolve(items).type),
	idOrTime: (schema, { prefix }) => schema.anyOf?.length === 2 && FITS.id(resolve(schema.anyOf[0]), { prefix })
		&& FITS.time(resolve(schema.anyOf[1])),
};

/* Where null takes a member away, the document says so beside what else it may be. */
function unlessNull(what, schema, clearable)
{
	const isNull = ({ type }) => type === 'null';

	assert.equal(schema.anyOf?.some(isNull) ?? false, clearable, `${what}: null`);
	return clearable ? resolve(schema.anyOf.find((one) => !isNull(one))) : schema;
}

function checkType(what, schema, told)
{
	assert.ok(FITS[told.type](schema, told), `${what} is ${told.type} in the table, and ${JSON.stringify(schema)} in the document`);
}

/* The document may say more than the table, which leaves some to the database, but not less. */
function checkBounds(what, schema, told)
{
	if (told.choices !== undefined)
		assert.deepEqual(schema.enum, told.choices, what);
	if (told.default !== undefined)
		assert.equal(schema.default, told.default, what);
	if (told.max === undefined)
		return;
	if (told.type === 'integer')
	{
		assert.deepEqual([schema.minimum, schema.maximum], [told.min, told.max], what);
	}
	else if (told.type === 'text' && schema.enum === undefined && schema.const === undefined && schema.pattern === undefined)
	{
		assert.ok((schema.minLength ?? 0) >= told.min, what);
		assert.ok(schema.maxLength <= told.max, what);
	}
}

/* Body members of an operation: of each kind of body, there may be several. */
function bodies(operation)
{
	const schema = resolve(operation.requestBody?.content['application/json'].schema ?? { properties: {} });

	return (schema.oneOf ?? [schema]).map(resolve);
}

function successSchema(operation, status)
{
	const schema = resolve(operation.responses[status].content?.['application/json'].schema);

	return schema?.properties?.data === undefined ? { schema, answer: schema === undefined ? 'none' : 'one' }
		: { schema: resolve(schema.properties.data.items), answer: 'list' };
}

test('each row has an operation, and each operation a row', () =>
{
	assert.deepEqual([...operations.keys()].sort(), [...rows.keys()].sort());
});

for (const [name, row] of rows)
{
	const operation = operations.get(name);

	test(`${name}: credential and permission`, () =>
	{
		const isFree = row.open && row.needs === undefined;

		assert.equal(operation.security?.length === 0, isFree || row.door === 'ownPages');
		assert.equal(operation.security?.[0]?.cookie !== undefined, row.door === 'cookie');
		assert.equal(operation['x-required-permission'], row.needs ?? null);
		assert.equal(operation['x-people-only'] ?? false, row.people ?? false);
		assert.equal(operation.responses[401] !== undefined, row.open ? !isFree : row.mayRefuse);
		assert.equal(operation.responses[403] !== undefined, row.people === true || typeof row.needs === 'string'
			|| ['cookie', 'ownPages'].includes(row.door));
	});
	if (row.open)
		continue;

	test(`${name}: parameters`, () =>
	{
		const told = row.parameters.filter((parameter) => parameter.in !== 'body');
		const documented = (operation.parameters ?? []).map(resolve);
		const names = (list) => list.map((parameter) => `${parameter.in} ${parameter.name} ${parameter.required ?? false}`).sort();

		assert.deepEqual(names(documented), names(told));
		for (const parameter of told)
		{
			const schema = resolve(documented.find((one) => one.name === parameter.name && one.in === parameter.in).schema);

			checkType(parameter.name, schema, parameter);
			checkBounds(parameter.name, schema, parameter);
		}
	});

	test(`${name}: body`, () =>
	{
		const told = row.parameters.filter((parameter) => parameter.in === 'body');

		assert.equal(operation.requestBody !== undefined, told.length > 0 || row.bodyRest);
		assert.equal(operation['x-body-max-bytes'], row.bodyMax);
		for (const body of bodies(operation))
		{
			const names = Object.keys(body.properties);

			if (!row.bodyRest)
				assert.deepEqual([...names].sort(), told.map((member) => member.name).sort());
			assert.equal(body.additionalProperties ?? false, false);
			for (const member of told)
			{
				const written = resolve(body.properties[member.name]);

				assert.ok(written, `${member.name} is not in the document`);

				const schema = unlessNull(member.name, written, member.clearable);

				assert.equal(body.required?.includes(member.name) ?? false, member.required, member.name);
				checkType(member.name, schema, member);
				checkBounds(member.name, schema, member);
			}
		}
		if (told.some((member) => member.required))
			assert.equal(operation.requestBody.required, true);
	});

	test(`${name}: answer`, () =>
	{
		const statuses = [row.status, ...row.flagStatus ? [row.flagStatus] : []];

		assert.deepEqual(Object.keys(operation.responses).filter((status) => status < 300).map(Number), statuses.sort());
		for (const status of statuses)
		{
			const { schema, answer } = successSchema(operation, status);

			assert.equal(answer, row.answer);
			assert.deepEqual(Object.keys(schema?.properties ?? {}).sort(), row.columns.map((column) => column.name).sort());
			for (const column of row.columns)
				checkType(column.name, resolve(schema.properties[column.name]), column);
		}
	});
}
