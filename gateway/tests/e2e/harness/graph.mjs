/*
 * graph.mjs
 *		A Graph API of a test's own, which refuses what Meta's would refuse.
 *
 * It knows the numbers that a test gives it, and keeps what it has accepted in "messages", and
 * every request in "calls".  With "tls" ({ key, cert }) it speaks HTTP/2 only.  "fault" is the test's: it is asked about each POST of a message,
 * before and after that was accepted, and says what goes wrong, or nothing.  "edge" is the test's,
 * too: it is asked about each call, and answers in the API's place, or says nothing.
 */
import { createHmac } from 'node:crypto';
import http from 'node:http';
import http2 from 'node:http2';
import { refuseOthers } from './options.mjs';
import { onEnd } from './processes.mjs';

const LENGTHS = { text: ['body', 4096], image: ['caption', 1024], video: ['caption', 1024], document: ['caption', 1024] };
const MEDIA = ['image', 'video', 'audio', 'document', 'sticker'];

class Refusal extends Error
{
	constructor(code, details, status = 400)
	{
		super(details);
		this.status = status;
		this.json = { error: { message: `(#${code}) ${details}`, type: 'OAuthException', code, error_data: { messaging_product: 'whatsapp', details }, fbtrace_id: 'TESTTRACE' } };
	}
}

/* An error as Meta writes it, for "fault". */
export function refusal(code, details = 'refused by the test', status = 400)
{
	const { json } = new Refusal(code, details, status);

	return { status, json };
}

function must(holds, details)
{
	if (!holds)
		throw new Refusal(100, details);
}

function checkContent(message)
{
	const { type } = message;
	const object = message[type];

	must(object !== undefined, `${type} is required`);
	if (LENGTHS[type])
	{
		const [name, most] = LENGTHS[type];

		must([...(object[name] ?? '')].length <= most, `${type}.${name} is too long`);
	}
	if (type === 'text')
		must(typeof object.body === 'string' && object.body.length > 0, 'text.body is required');
	else if (type === 'location')
		must(Math.abs(object.latitude) <= 90 && Math.abs(object.longitude) <= 180, 'location is wrong');
	else if (type === 'contacts')
		must(object.every(({ name }) => name.formatted_name && name.first_name), 'contacts: name is required');
	else if (type === 'reaction')
		must(typeof object.message_id === 'string' && typeof object.emoji === 'string' && !message.context, 'reaction is wrong');
	else
		must(MEDIA.includes(type), `type ${type} is unknown`);
}

export class Graph
{
	static async start({ tls, ...others } = {})
	{
		refuseOthers(others);

		const graph = new Graph();

		graph.numbers = new Map();
		graph.messages = [];
		graph.calls = [];
		graph.media = new Map();
		graph.files = new Map();
		graph.fault = () => undefined;
		graph.edge = () => undefined;
		graph.busy = 0;
		graph.busiest = 0;
		graph.server = tls ? http2.createSecureServer(tls, (...both) => graph.take(...both)) : http.createServer((...both) => graph.take(...both));
		graph.sessions = [];
		graph.server.on('session', (session) => graph.sessions.push(session));
		await new Promise((resolve, reject) => graph.server.on('error', reject).listen(0, '127.0.0.1', resolve));
		graph.url = `${tls ? 'https://localhost' : 'http://127.0.0.1'}:${graph.server.address().port}`;
		onEnd(() => graph.close(), () => graph.close());
		return graph;
	}

	/* A number of an account, with the credentials that reach it. */
	addNumber({ phoneNumberId, wabaId, appId, accessToken, appSecret, display = '+1 555-000-9999', status = 'CONNECTED', subscribed = [], ...others })
	{
		const { verifyToken, graphVersion, ...unknown } = others;

		refuseOthers(unknown);

		const number = { id: phoneNumberId, wabaId, appId, token: accessToken, appSecret, display, status, subscribed: new Set(subscribed), verifyToken, graphVersion };

		this.numbers.set(phoneNumberId, number);
		return number;
	}

	/* The calls of a method and of a path behind the version. */
	of(method, path)
	{
		return this.calls.filter((call) => call.method === method && call.path === path);
	}

	/* What was accepted for a recipient, in order. */
	to(recipient)
	{
		return this.messages.filter(({ body }) => body.to === recipient);
	}

	take(request, response)
	{
		const parts = [];

		this.busiest = Math.max(this.busiest, ++this.busy);
		response.on('close', () => this.busy--);
		request.on('error', () => {});
		request.on('data', (part) => parts.push(part));
		request.on('end', () => this.answer(request, Buffer.concat(parts), response));
	}

	async answer(request, bytes, response)
	{
		const url = new URL(request.url, this.url);
		const [, version, ...rest] = url.pathname.split('/');
		const call = { method: request.method, version, path: `/${rest.join('/')}`, query: url.searchParams, headers: request.headers, bytes };
		let answer;

		this.calls.push(call);
		try
		{
			answer = this.edge(call) ?? await this.respond(call, rest);
		}
		catch (error)
		{
			if (!(error instanceof Refusal))
				throw error;
			answer = error;
		}
		if (answer.drop)
		{
			(response.stream?.session ?? response.socket).destroy();
			return;
		}
		if (answer.reset !== undefined)
		{
			response.stream.close(answer.reset);
			return;
		}
		response.writeHead(answer.status ?? 200, { 'Content-Type': answer.raw === undefined ? 'application/json' : 'text/html', ...answer.headers });
		response.end(answer.raw ?? JSON.stringify(answer.json));
	}

	/* The number whose credentials these are, of the object with this id. */
	authorize(call, id)
	{
		const token = /^Bearer (.+)$/.exec(call.headers.authorization ?? '')?.[1];
		const number = [...this.numbers.values()].find((one) => one.id === id || one.wabaId === id);

		must(/^v\d+\.\d$/.test(call.version), 'version is wrong');
		must(call.headers['user-agent'], 'User-Agent is missing');
		if (![...this.numbers.values()].some((one) => one.token === token))
			throw new Refusal(190, `Malformed access token ${token}`, 401);
		must(number && number.token === token, `Object with ID '${id}' does not exist`);
		must(call.query.get('appsecret_proof') === createHmac('sha256', number.appSecret).update(token).digest('hex'),
			'Invalid appsecret_proof provided in the API argument');
		return number;
	}

	/*
	 * A file that was received: its URL, which needs the token too, and lives for as long as the
	 * test leaves it there.
	 */
	giveFile(call, id)
	{
		const token = /^Bearer (.+)$/.exec(call.headers.authorization ?? '')?.[1];
		const file = this.files.get(id);
		const number = [...this.numbers.values()].find((one) => one.token === token);

		if (!number)
			throw new Refusal(190, 'Malformed access token', 401);
		must(call.headers['user-agent'], 'User-Agent is missing');
		if (call.version === 'files')
			return file.gone ? { status: 404, raw: 'gone' } : { raw: file.bytes, headers: { 'Content-Type': file.type } };
		must(call.query.get('phone_number_id') === number.id, 'phone_number_id is wrong');
		return { json: { messaging_product: 'whatsapp', id, mime_type: file.type, file_size: String(file.bytes.length), url: file.url ?? `${this.url}/files/${id}` } };
	}

	async respond(call, [id, edge])
	{
		if (call.method === 'GET' && this.files.has(id))
			return this.giveFile(call, id);

		const number = this.authorize(call, id);

		if (call.method === 'GET' && edge === undefined)
			return { json: { id, display_phone_number: number.display, verified_name: 'Test', quality_rating: 'GREEN', status: number.status } };
		if (edge === 'subscribed_apps' && call.method === 'GET')
			return { json: { data: [...number.subscribed].map((app) => ({ whatsapp_business_api_data: { id: app, name: 'App', link: 'https://example.com' } })) } };
		if (edge === 'subscribed_apps' && call.method === 'POST')
		{
			number.subscribed.add(number.appId);
			return { json: { success: true } };
		}
		if (edge === 'messages' && call.method === 'POST')
			return await this.takeMessage(call, number);
		throw new Refusal(100, 'Unsupported request');
	}

	async takeMessage(call, number)
	{
		must(call.headers['content-type'] === 'application/json', 'Content-Type must be application/json');

		const body = JSON.parse(call.bytes.toString('utf8'));
		const early = await this.fault({ body, number, accepted: false });

		if (early)
			return early;
		must(body.messaging_product === 'whatsapp', 'messaging_product is wrong');
		if (body.status === 'read')
		{
			must(typeof body.message_id === 'string', 'message_id is required');
			number.read = [...number.read ?? [], body.message_id];
			return { json: { success: true } };
		}
		must(/^\+\d{1,15}$/.test(body.to ?? '') || /^[A-Z]{2}\.[A-Za-z0-9]+$/.test(body.recipient ?? ''), 'to is wrong');
		must((body.biz_opaque_callback_data ?? '').length <= 512, 'biz_opaque_callback_data is too long');
		checkContent(body);

		const wamid = `wamid.TEST${this.messages.length + 1}`;

		this.messages.push({ body, number, wamid, at: performance.now() });
		return await this.fault({ body, number, accepted: true, wamid }) ??
			{ json: { messaging_product: 'whatsapp', contacts: [{ input: body.to, wa_id: body.to?.slice(1) }], messages: [{ id: wamid }] } };
	}

	close()
	{
		this.sessions.forEach((session) => session.destroy());
		this.server.closeAllConnections?.();
		this.server.close();
	}
}
