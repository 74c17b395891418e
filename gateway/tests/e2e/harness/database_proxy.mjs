/*
 * database_proxy.mjs
 *		Somebody in the middle of a program's connections to PostgreSQL.
 *
 * The program connects to the proxy's unix socket.  Logging in and preparing pass
 * untouched.  From then on what each side says is handed over in groups: from the program
 * up to its Sync, from the server up to its ReadyForQuery.  A hook gets the link and the
 * group, a list of { type, body }, and returns what is to be passed on in its place; it may
 * be asynchronous, and the groups of one direction stay in their order.
 *
 * What the proxy itself asks the server, it can keep from the program: a Sync or Query with
 * "swallow" is answered to nobody; the letters of the answer's messages are in "swallowed".
 */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { makePlace, onEnd } from './processes.mjs';

/* What ends a group. */
const ENDS = { toServer: 'SQ', toClient: 'Z' };

function encode({ type, body })
{
	const head = Buffer.alloc(5);

	head[0] = type.charCodeAt(0);
	head.writeInt32BE(body.length + 4, 1);
	return Buffer.concat([head, body]);
}

/* Bytes as the messages that they are; the rest is kept. */
class Reader
{
	constructor(startup)
	{
		this.startup = startup;		/* is the first message one without a type? */
		this.input = Buffer.alloc(0);
	}

	*take(data)
	{
		this.input = Buffer.concat([this.input, data]);
		for (;;)
		{
			const head = this.startup ? 0 : 1;

			if (this.input.length < head + 4)
				return;

			const length = head + this.input.readInt32BE(head);

			if (this.input.length < length)
				return;
			yield {
				type: this.startup ? '' : String.fromCharCode(this.input[0]),
				body: this.input.subarray(head + 4, length), bytes: this.input.subarray(0, length),
			};
			this.input = this.input.subarray(length);
			this.startup = false;
		}
	}
}

class Link
{
	constructor(proxy, client, server)
	{
		this.proxy = proxy;
		this.sockets = { toServer: server, toClient: client };
		this.readies = 0;			/* that of the login, and that of preparing */
		this.asked = [];			/* the Syncs and Queries whose answers are to come */
		this.groups = { toServer: [], toClient: [] };
		this.turns = { toServer: Promise.resolve(), toClient: Promise.resolve() };
		this.listen(client, new Reader(true), 'toServer');
		this.listen(server, new Reader(false), 'toClient');
	}

	listen(socket, reader, direction)
	{
		socket.on('error', () => {});
		socket.on('data', (data) =>
		{
			for (const message of reader.take(data))
				this.take(direction, message);
		});
		socket.on('close', () =>
		{
			this.turns[direction] = this.turns[direction].then(() =>
			{
				this.write(direction, this.groups[direction]);
				this.sockets[direction].end();
			});
		});
	}

	take(direction, message)
	{
		if (this.readies < 2)
		{
			this.readies += direction === 'toClient' && message.type === 'Z' ? 1 : 0;
			this.sockets[direction].write(message.bytes);
			return;
		}
		this.groups[direction].push({ type: message.type, body: Buffer.from(message.body) });
		if (ENDS[direction].includes(message.type))
		{
			const group = this.groups[direction];

			this.groups[direction] = [];
			this.turns[direction] = this.turns[direction].then(() => this.pass(direction, group));
		}
	}

	async pass(direction, group)
	{
		const asked = direction === 'toClient' ? this.asked.shift() : null;
		const hook = this.proxy[direction];

		if (asked?.swallow)
		{
			this.proxy.swallowed.push(group.map(({ type }) => type).join(''));
			return;
		}
		this.write(direction, hook ? await hook(this, group) : group);
	}

	write(direction, messages)
	{
		if (direction === 'toServer')
			this.asked.push(...messages.filter(({ type }) => type === 'S' || type === 'Q'));
		if (messages.length > 0 && this.sockets[direction].writable)
			this.sockets[direction].write(Buffer.concat(messages.map(encode)));
	}
}

export class DatabaseProxy
{
	static async start(cluster)
	{
		const proxy = new DatabaseProxy();

		proxy.place = makePlace();
		proxy.host = proxy.place;
		proxy.port = cluster.port;
		proxy.toServer = proxy.toClient = null;
		proxy.swallowed = [];
		proxy.sockets = new Set();
		proxy.server = net.createServer((client) =>
		{
			const server = net.connect(path.join(cluster.host, `.s.PGSQL.${cluster.port}`));

			for (const socket of [client, server])
			{
				proxy.sockets.add(socket);
				socket.on('close', () => proxy.sockets.delete(socket));
			}
			new Link(proxy, client, server);
		});
		await new Promise((resolve) => proxy.server.listen(path.join(proxy.host, `.s.PGSQL.${proxy.port}`), resolve));
		fs.chmodSync(path.join(proxy.host, `.s.PGSQL.${proxy.port}`), 0o777);
		onEnd(() => proxy.stop(), () => proxy.stop());
		return proxy;
	}

	stop()
	{
		for (const socket of this.sockets)
			socket.destroy();
		this.server.close();
	}
}
