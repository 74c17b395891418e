/*
 * receiver.mjs
 *		A receiver of webhooks, and a name server that says what a test wants.
 *
 * The receiver keeps every request as it came.  How it answers is the test's to say:
 * "answer" gets the request and the response; without it the answer is a 200.
 */
import dgram from 'node:dgram';
import http from 'node:http';
import https from 'node:https';
import { Webhook } from 'standardwebhooks';
import { createHmac } from 'node:crypto';
import { refuseOthers } from './options.mjs';
import { onEnd } from './processes.mjs';

export class Receiver
{
	/* "tls" is { key, cert }, and makes it an HTTPS server. */
	static async start({ answer = (request, response) => response.end('ok'), host = '127.0.0.1', port = 0, tls, ...others } = {})
	{
		refuseOthers(others);

		const receiver = new Receiver();

		receiver.answer = answer;
		receiver.requests = [];
		receiver.server = tls ? https.createServer(tls, (...both) => receiver.take(...both))
			: http.createServer((...both) => receiver.take(...both));
		receiver.server.keepAliveTimeout = 1000;
		await new Promise((resolve, reject) => receiver.server.on('error', reject).listen(port, host, resolve));
		receiver.port = receiver.server.address().port;
		receiver.url = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${receiver.port}/hook`;
		onEnd(() => receiver.close(), () => receiver.close());
		return receiver;
	}

	take(incoming, response)
	{
		const parts = [];

		incoming.on('error', () => {});
		incoming.on('data', (part) => parts.push(part));
		incoming.on('end', () =>
		{
			const body = Buffer.concat(parts).toString('utf8');
			const request = { method: incoming.method, path: incoming.url, headers: incoming.headers, body, json: JSON.parse(body), at: performance.now() };

			this.requests.push(request);
			this.answer(request, response);
		});
	}

	/* The requests of events of a type. */
	of(type)
	{
		return this.requests.filter(({ json }) => json.event === type);
	}

	close()
	{
		this.server.closeAllConnections();
		this.server.close();
	}
}

/*
 * What a receiver of the Standard Webhooks family does; throws when it is forged.  The
 * library decodes every secret unless it is told that it is "raw".
 */
export function verifyStandard(request, secret, raw = !secret.startsWith('whsec_'))
{
	const options = raw ? { format: 'raw' } : undefined;

	return new Webhook(secret, options).verify(request.body, request.headers);
}

/* What a receiver of the WAHA family does. */
export function verifiesWaha(request, secret)
{
	return request.headers['x-webhook-hmac-algorithm'] === 'sha512' &&
		request.headers['x-webhook-hmac'] === createHmac('sha512', secret).update(request.body).digest('hex');
}

const A = 1;
const AAAA = 28;

function addressBytes(address)
{
	if (!address.includes(':'))
		return Buffer.from(address.split('.').map(Number));

	const [head, tail] = address.split('::').map((half) => half.split(':').filter(Boolean));
	const groups = tail ? [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail] : head;

	return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/*
 * A name server on the loopback.  answer(name, n) returns the addresses of a name when it is
 * asked for the n-th time (for IPv4, from 0), null when there is no such name, or undefined
 * for no answer at all.
 */
export class NameServer
{
	static async start(answer)
	{
		const names = new NameServer();

		names.answer = answer;
		names.asked = new Map();
		names.socket = dgram.createSocket('udp4', (message, from) =>
		{
			const reply = names.reply(message);

			if (reply !== undefined)
				names.socket.send(reply, from.port, from.address);
		});
		await new Promise((resolve) => names.socket.bind(0, '127.0.0.1', resolve));
		names.address = `127.0.0.1:${names.socket.address().port}`;
		onEnd(() => names.socket.close(), () => names.socket.close());
		return names;
	}

	reply(message)
	{
		const labels = [];
		let at = 12;

		for (; message[at] > 0; at += message[at] + 1)
			labels.push(message.toString('latin1', at + 1, at + 1 + message[at]));

		const name = labels.join('.').toLowerCase();
		const type = message.readUInt16BE(at + 1);
		const n = this.asked.get(name) ?? 0;
		const found = this.answer(name, n);

		if (type === A)
			this.asked.set(name, n + 1);
		if (found === undefined)
			return undefined;

		const records = (found ?? []).filter((address) => address.includes(':') === (type === AAAA)).map((address) =>
		{
			const bytes = addressBytes(address);
			const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length]);

			return Buffer.concat([head, bytes]);
		});
		const head = Buffer.alloc(12);

		message.copy(head, 0, 0, 2);
		head.writeUInt16BE(found === null ? 0x8183 : 0x8180, 2);
		head.writeUInt16BE(1, 4);
		head.writeUInt16BE(records.length, 6);
		return Buffer.concat([head, message.subarray(12, at + 5), ...records]);
	}
}
