/*
 * http.mjs
 *		HTTP clients: one that is polite, and one that sends any bytes.
 *
 * Both read answers with the same small parser, which is strict: an answer that it cannot
 * read is an error of the gateway.  Every exchange of the polite one is held against the
 * OpenAPI document.
 */
import assert from 'node:assert/strict';
import net from 'node:net';
import { checkExchange } from './openapi.mjs';
import { refuseOthers } from './options.mjs';
import { onEnd } from './processes.mjs';

function lowerCase(headers)
{
	return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/* Headers that differ from answer to answer by their nature. */
const OWN_TO_EACH = ['x-request-id', 'date'];

export class Answer
{
	constructor(head, body)
	{
		const [statusLine, ...lines] = head.split('\r\n');
		const match = /^HTTP\/1\.1 ([0-9]{3}) [ -~]*$/.exec(statusLine);

		assert.ok(match, `status line: ${statusLine}`);
		this.status = Number(match[1]);
		this.lines = lines;
		this.headers = Object.fromEntries(lines.map((line) =>
		{
			const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): (.*)$/.exec(line) ?? assert.fail(`header: ${line}`);

			return [name.toLowerCase(), value];
		}));
		this.body = body;
	}

	get text()
	{
		return this.body.toString('utf8');
	}

	get json()
	{
		return JSON.parse(this.text);
	}

	/* All bytes that a caller sees, without what is different each time anyway. */
	get shape()
	{
		const lines = this.lines.filter((line) => !OWN_TO_EACH.includes(line.split(':')[0].toLowerCase()));

		return [this.status, ...lines, '', this.text].join('\n');
	}
}

/*
 * A connection to the gateway.  send() writes bytes, answer() waits for the next answer
 * (null: the gateway has closed), closed() waits for the end.
 */
export class Connection
{
	/* "from": another address of this machine, as another client. */
	static open(port, { from, ...others } = {})
	{
		refuseOthers(others);
		return new Promise((resolve, reject) =>
		{
			const socket = net.connect({ port, host: '127.0.0.1', localAddress: from });

			socket.on('error', reject);
			socket.on('connect', () =>
			{
				const connection = new Connection(socket);

				onEnd(() => socket.destroy());
				resolve(connection);
			});
		});
	}

	constructor(socket)
	{
		this.socket = socket;
		this.input = Buffer.alloc(0);
		this.answers = [];
		this.waiting = [];
		this.heads = [];		/* of requests whose answers are to come: is it a HEAD? */
		this.over = false;
		socket.setNoDelay(true);
		socket.removeAllListeners('error');
		socket.on('error', () => {});
		socket.on('data', (data) =>
		{
			this.input = this.input.length > 0 ? Buffer.concat([this.input, data]) : data;
			this.read();
		});
		this.ended = new Promise((resolve) => socket.on('close', () =>
		{
			this.over = true;
			this.wake();
			resolve();
		}));
	}

	read()
	{
		for (;;)
		{
			const end = this.input.indexOf('\r\n\r\n');

			if (end < 0)
				break;

			const head = this.input.toString('latin1', 0, end);
			const length = /\r\ncontent-length: ([0-9]+)/i.exec(head);
			const interim = /^HTTP\/1\.1 1/.test(head);
			const size = interim || this.heads[0] || !length ? 0 : Number(length[1]);

			if (this.input.length < end + 4 + size)
				break;
			if (!interim)
				this.heads.shift();
			this.answers.push(new Answer(head, Buffer.from(this.input.subarray(end + 4, end + 4 + size))));
			this.input = this.input.subarray(end + 4 + size);
		}
		this.wake();
	}

	wake()
	{
		while (this.waiting.length > 0 && (this.answers.length > 0 || this.over))
			this.waiting.shift()(this.answers.shift() ?? null);
	}

	send(bytes)
	{
		this.socket.write(bytes);
	}

	answer()
	{
		return new Promise((resolve) =>
		{
			this.waiting.push(resolve);
			this.wake();
		});
	}

	/* All answers until the gateway closes.  What is no whole answer is an error. */
	async answersUntilClose()
	{
		await this.ended;
		assert.equal(this.input.length, 0, `unread: ${this.input.toString('latin1', 0, 200)}`);
		return this.answers.splice(0);
	}

	request(method, path, { key, bearer, headers = {}, json, body, ...others } = {})
	{
		refuseOthers(others);

		const content = json !== undefined ? JSON.stringify(json) : body;
		const lines = [`${method} ${path} HTTP/1.1`, 'Host: gateway.test'];

		if (key !== undefined)
			lines.push(`x-api-key: ${key}`);
		if (bearer !== undefined)
			lines.push(`Authorization: Bearer ${bearer}`);
		if (json !== undefined && headers['Content-Type'] === undefined)
			lines.push('Content-Type: application/json');
		for (const [name, value] of Object.entries(headers))
			lines.push(`${name}: ${value}`);
		if (content !== undefined)
			lines.push(`Content-Length: ${Buffer.byteLength(content)}`);
		this.heads.push(method === 'HEAD');
		this.send(Buffer.concat([Buffer.from(lines.join('\r\n') + '\r\n\r\n'), Buffer.from(content ?? '')]));
		return this.answer().then((answer) =>
		{
			if (answer !== null)
				checkExchange({ method, target: path, headers: lowerCase(headers), body: content, answer });
			return answer;
		});
	}

	close()
	{
		this.socket.destroy();
	}
}

/* Requests over connections that are kept alive, as many at once as there are callers. */
export class Client
{
	constructor(port)
	{
		this.port = port;
		this.free = [];
	}

	async request(method, path, options)
	{
		let connection = this.free.pop();

		while (connection?.over)
			connection = this.free.pop();
		connection ??= await Connection.open(this.port);

		const answer = await connection.request(method, path, options);

		if (answer === null)
			throw new Error(`${method} ${path}: the gateway closed the connection without an answer`);
		if (answer.headers.connection === 'close')
			connection.close();
		else
			this.free.push(connection);
		return answer;
	}

	get(path, key, options)
	{
		return this.request('GET', path, { key, ...options });
	}

	post(path, key, json, options)
	{
		return this.request('POST', path, { key, json, ...options });
	}
}

/* Bytes on a new connection, and all answers until the gateway closes it. */
export async function exchangeUntilClose(port, bytes)
{
	const connection = await Connection.open(port);

	connection.send(bytes);
	return await connection.answersUntilClose();
}
