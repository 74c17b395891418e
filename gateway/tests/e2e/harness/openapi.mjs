/*
 * openapi.mjs
 *		Holds every exchange of the tests' HTTP client against the OpenAPI document.
 *
 * An answer has to be one that the document has for this operation and status: headers,
 * content type and body, no member more.  A request that the gateway has accepted has to
 * be one that the document allows.  Tests send wrong requests on purpose; those have to
 * be answered with an error, and nothing else is asked of them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { ROOT } from './processes.mjs';

export const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

/* As it is served: what is for the gateway's rows alone is left out. */
export const DOCUMENT = JSON.parse(fs.readFileSync(path.join(ROOT, 'gateway/api/openapi.json'), 'utf8'),
	(name, value) => name === 'x-gateway' ? undefined : value);

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });

addFormats.default(ajv);
ajv.addVocabulary(['openapi', 'info', 'servers', 'security', 'tags', 'paths', 'webhooks', 'components', 'x-any-request', 'summary']);
ajv.addSchema(DOCUMENT, 'openapi');

/* What a local $ref stands for; members beside it stay. */
export function resolve(value)
{
	if (value?.$ref === undefined)
		return value;

	const { $ref, ...beside } = value;

	return { ...$ref.replace('#/', '').split('/').reduce((at, part) => at[part], DOCUMENT), ...beside };
}

/* The whole path of a template of the document. */
export function fullPath(template)
{
	const [{ url }] = DOCUMENT.paths[template].servers ?? DOCUMENT.servers;

	return url.replace(/\/$/, '') + template;
}

const validators = new Map();

/* A schema of the document, compiled; its $refs are the document's. */
function validator(schema)
{
	if (!validators.has(schema))
	{
		const absolute = JSON.parse(JSON.stringify(schema), (name, value) =>
			name === '$ref' && value.startsWith('#') ? `openapi${value}` : value);

		validators.set(schema, ajv.compile(absolute));
	}
	return validators.get(schema);
}

/* What is wrong with a value, as a list of sentences. */
export function problems(schema, value, what)
{
	const validate = validator(schema);

	return validate(value) ? []
		: validate.errors.map(({ instancePath, message, params }) => `${what}${instancePath} ${message} ${JSON.stringify(params)}`);
}

/* ---- which operation ---- */

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const templates = Object.keys(DOCUMENT.paths).map((template) =>
{
	const names = [];
	const source = fullPath(template).split(/(\{\w+\})/).map((part) =>
	{
		if (!/^\{\w+\}$/.test(part))
			return escape(part);
		names.push(part.slice(1, -1));
		return '([^/]+)';
	});

	return { template, names, pattern: new RegExp(`^${source.join('')}$`), literals: template.replace(/\{\w+\}/g, '').length };
}).sort((a, b) => b.literals - a.literals);

/* The most literal template that a path fits; undefined: none. */
function findPath(pathname)
{
	const found = templates.find(({ pattern }) => pattern.test(pathname));

	return found && {
		...found, item: DOCUMENT.paths[found.template],
		values: Object.fromEntries(found.pattern.exec(pathname).slice(1).map((value, i) => [found.names[i], value])),
	};
}

/* ---- the request ---- */

/* A parameter travels as text; where the document wants a number or a boolean, it has to read as one. */
function parameterProblems({ name, schema }, text)
{
	const found = problems(schema, text, name);

	return found.length === 0 || (/^([0-9]{1,15}|true|false)$/.test(text) && problems(schema, JSON.parse(text), name).length === 0) ? [] : found;
}

function requestProblems(operation, values, url, headers, body)
{
	const parameters = (operation.parameters ?? []).map(resolve);
	const given = { path: values, query: Object.fromEntries(url.searchParams), header: headers };
	const found = parameters.flatMap((parameter) =>
	{
		const name = parameter.in === 'header' ? parameter.name.toLowerCase() : parameter.name;
		const text = given[parameter.in][name];

		if (text === undefined)
			return parameter.required ? [`${parameter.name} is missing`] : [];
		return parameterProblems(parameter, parameter.in === 'path' ? decodeURIComponent(text) : text);
	});

	if (body !== undefined && body.length > 0 && operation.requestBody !== undefined)
	{
		const content = operation.requestBody.content['application/json'];

		/* a file may be any bytes */
		if (content === undefined)
			return found;

		const { schema } = content;

		return [...found, ...problems(schema, JSON.parse(body), 'request body')];
	}
	return operation.requestBody?.required ? [...found, 'request body is missing'] : found;
}

/* What is wrong with a request that a webhook's receiver got. */
export function deliveryProblems({ headers, body })
{
	return requestProblems(DOCUMENT.webhooks.event.post, {}, new URL('http://receiver.test'), headers, body);
}

/* ---- the answer ---- */

function headerProblems(response, answer)
{
	return Object.entries(response.headers ?? {}).flatMap(([name, header]) =>
	{
		const { required, schema } = resolve(header);
		const value = answer.headers[name.toLowerCase()];

		return value === undefined ? (required ? [`${name} is missing`] : []) : problems(schema, value, name);
	});
}

function bodyProblems(response, answer, isHead)
{
	const content = response.content?.['application/json'];
	const lines = response.content?.['application/x-ndjson'];

	if (response.content?.['*/*'] !== undefined)
		return isHead && answer.body.length > 0 ? ['a body where there should be none'] : [];
	if (lines !== undefined && !isHead)
	{
		return answer.headers['content-type'] === 'application/x-ndjson'
			? answer.text.split('\n').slice(0, -1).flatMap((line, i) => problems(lines.schema, JSON.parse(line), `line ${i + 1}`))
			: [`content type is ${answer.headers['content-type']}`];
	}
	if (content === undefined || isHead)
		return answer.body.length > 0 ? ['a body where there should be none'] : [];
	if (!/^application\/json(; charset=utf-8)?$/.test(answer.headers['content-type']))
		return [`content type is ${answer.headers['content-type']}`];
	return problems(content.schema, answer.json, 'body');
}

/* Allow has to name the methods that the document has for the path. */
function allowProblems(item, answer)
{
	const documented = METHODS.filter((method) => item[method] !== undefined).flatMap((method) => method === 'get' ? ['get', 'head'] : [method]);
	const allowed = answer.headers.allow?.toLowerCase().split(', ') ?? [];

	return [...allowed].sort().join() === [...documented, 'options'].sort().join() ? [] : [`Allow is ${answer.headers.allow}`];
}

/*
 * Throws when an exchange is not what the document says.  Headers are by name in lower
 * case, body is a text or undefined.
 */
export function checkExchange({ method, target, headers, body, answer })
{
	const url = new URL(target, 'http://gateway.test');
	const isHead = method === 'HEAD';
	const verb = isHead ? 'get' : method.toLowerCase();
	const found = findPath(url.pathname);
	const operation = found?.item[verb];
	const response = resolve(operation?.responses[answer.status] ?? DOCUMENT['x-any-request'][answer.status]
		?? (operation === undefined && answer.status === 404 ? DOCUMENT.components.responses.NotFound : undefined));
	const all = [];

	/* what OPTIONS answers is the same everywhere, and no operation of the document */
	if (method === 'OPTIONS' && answer.status === 204 && found !== undefined)
		all.push(...allowProblems(found.item, answer));
	else if (response === undefined)
		all.push('the document has no such answer');
	else
		all.push(...headerProblems(response, answer), ...bodyProblems(response, answer, isHead));
	if (answer.status === 405 && found !== undefined)
		all.push(...allowProblems(found.item, answer));
	if (operation !== undefined && answer.status < 300)
		all.push(...requestProblems(operation, found.values, url, headers, body));
	if (all.length > 0)
	{
		throw new Error(`${method} ${target} answered ${answer.status}, not as gateway/api/openapi.json says:\n`
			+ `${all.slice(0, 12).join('\n')}\n${answer.text.slice(0, 1000)}`);
	}
}
