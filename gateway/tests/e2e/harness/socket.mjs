/*
 * socket.mjs
 *		A client of the realtime WebSocket: the public package "ws", and what tests ask of it.
 */
import WebSocket from 'ws';
import { refuseOthers } from './options.mjs';
import { onEnd, until } from './processes.mjs';

/* The handshake was answered as any other request. */
export class Refused extends Error
{
	constructor(status, headers, body)
	{
		super(`the socket was refused with ${status}: ${body}`);
		Object.assign(this, { status, headers, body });
	}

	get json()
	{
		return JSON.parse(this.body);
	}
}

function refusal(response)
{
	return new Promise((resolve) =>
	{
		const parts = [];

		response.on('data', (part) => parts.push(part));
		response.on('end', () => resolve(new Refused(response.statusCode, response.headers, Buffer.concat(parts).toString('utf8'))));
	});
}

export class Socket
{
	/*
	 * Opens one with a key in the header or a ticket in the URL, and returns when the first
	 * frame has come.  query: { session, types, since }.  options are those of ws; with "ca"
	 * it speaks TLS.
	 */
	static async open(gateway, { key, ticket, query = {}, headers = {}, ...options } = {})
	{
		const parameters = new URLSearchParams({ ...query, ...(ticket === undefined ? {} : { ticket }) });
		const search = parameters.size === 0 && parameters.toString() === '' ? '' : `?${parameters}`;
		const credential = key === undefined ? {} : { authorization: `Bearer ${key}` };
		const scheme = options.ca === undefined ? 'ws' : 'wss';
		const socket = new Socket(new WebSocket(`${scheme}://127.0.0.1:${gateway.port}/api/v1/realtime${search}`,
			{ perMessageDeflate: false, headers: { ...credential, ...headers }, ...options }));

		await socket.opened;
		await until('the first frame', () => socket.frames.length > 0);
		return socket;
	}

	constructor(ws)
	{
		this.ws = ws;
		this.frames = [];		/* all that came, parsed */
		this.events = [];		/* the events among them */
		this.texts = [];		/* ... as they came */
		this.pings = 0;			/* of the protocol, not of the application */
		this.onEvent = () => {};
		this.opened = new Promise((resolve, reject) =>
		{
			ws.on('open', resolve);
			ws.on('error', reject);
			ws.on('unexpected-response', (request, response) => refusal(response).then(reject));
		});
		this.closed = new Promise((resolve) =>
		{
			ws.on('close', (code, reason) =>
			{
				this.code = code;
				resolve({ code, reason: reason.toString('utf8'), at: performance.now() });
			});
		});
		ws.on('ping', () => { this.pings++; });
		ws.on('message', (data) => this.take(data.toString('utf8')));
		onEnd(() => ws.terminate(), () => ws.terminate());
	}

	take(text)
	{
		const frame = JSON.parse(text);

		this.frames.push(frame);
		if (frame.schema === undefined)
			return;
		this.events.push(frame);
		this.texts.push(text);
		this.onEvent(frame);
	}

	/* Stops reading, so that the kernel's buffers fill, and then the gateway's. */
	pause()
	{
		this.ws.pause();
	}

	resume()
	{
		this.ws.resume();
	}

	async close()
	{
		this.ws.close(1000);
		return await this.closed;
	}

	/* Waits for so many events. */
	async waitFor(count, options)
	{
		await until(`${count} events have come`, () =>
		{
			if (this.events.length < count && this.code !== undefined)
				throw new Error(`closed with ${this.code} after ${this.events.length} of ${count} events`);
			return this.events.length >= count;
		}, options);
		return this.events;
	}

	get last()
	{
		return this.events.at(-1)?.id;
	}
}

/* Opens one that must be refused; returns the answer. */
export async function openRefused(gateway, options)
{
	try
	{
		await Socket.open(gateway, options);
	}
	catch (error)
	{
		if (error instanceof Refused)
			return error;
		throw error;
	}
	throw new Error('the socket was opened');
}

/* Writes one event in a transaction of its own; returns its id as callers see it. */
export async function emit(db, org, type = 'message', { session = null, payload = {}, ...others } = {})
{
	refuseOthers(others);
	return await db.value("SELECT wa.typeid('evt', wa.emit($1::uuid, $2, $3::uuid, $4))",
		[org.uuid, type, session?.uuid ?? null, JSON.stringify(payload)]);
}
