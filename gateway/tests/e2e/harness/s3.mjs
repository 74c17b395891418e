/*
 * s3.mjs
 *		An S3-compatible store, and somebody in the middle of the connections to it.
 */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { refuseOthers } from './options.mjs';
import { freePort } from './ports.mjs';
import { Program, makePlace, onEnd, until } from './processes.mjs';

export const BUCKET = 'media';

/* The only account that the server knows. */
export const KEY_ID = 'S3RVER';
export const SECRET = 'S3RVER';

/* Where the server keeps the bytes of an object. */
const OBJECT_END = '._S3rver_object';

export class S3Server
{
	static async start({ anySignature = false, ...others } = {})
	{
		refuseOthers(others);

		const server = new S3Server();

		server.anySignature = anySignature;
		server.folder = makePlace();
		server.port = await freePort();
		await server.run();
		return server;
	}

	async run()
	{
		this.log = path.join(this.folder, `server-${Date.now()}.log`);
		/* the server encrypts its tokens, which we do not use, by a cipher that is off otherwise */
		this.program = new Program(process.execPath, ['--openssl-legacy-provider', fileURLToPath(new URL('s3_server.mjs', import.meta.url)), String(this.port), path.join(this.folder, 'buckets'), BUCKET,
			...this.anySignature ? ['any-signature'] : []],
			{ log: this.log });
		await until('the S3 server listens', () => this.program.log().includes(`listening port=${this.port}`));
	}

	/* Ends it at once, as a crash does. */
	async kill()
	{
		this.program.kill('SIGKILL');
		await this.program.exited;
	}

	/* The requests that have come since it runs: "METHOD HOST PATH". */
	requests()
	{
		return this.program.log().split('\n').filter((line) => / .* \//.test(line));
	}

	/* The programs that have asked since it runs. */
	agents()
	{
		return [...new Set(this.program.log().match(/(?<=^agent=).*$/gm))].sort();
	}

	/* The names of all objects. */
	objects()
	{
		const root = path.join(this.folder, 'buckets', BUCKET);

		return fs.readdirSync(root, { recursive: true }).filter((name) => name.endsWith(OBJECT_END)).map((name) => name.slice(0, -OBJECT_END.length));
	}

	pathOf(name)
	{
		return path.join(this.folder, 'buckets', BUCKET, `${name}${OBJECT_END}`);
	}

	/* Stores an object, modified more than a day ago if it is old. */
	put(name, bytes, { old = false, ...others } = {})
	{
		refuseOthers(others);
		fs.mkdirSync(path.dirname(this.pathOf(name)), { recursive: true });
		fs.writeFileSync(this.pathOf(name), bytes);
		if (old)
			this.age(name);
	}

	age(name)
	{
		const at = Date.now() / 1000 - 25 * 3600;

		fs.utimesSync(this.pathOf(name), at, at);
	}

	remove(name)
	{
		fs.rmSync(this.pathOf(name));
	}

	/* The file of the object whose name ends so. */
	fileOf(end)
	{
		const [name] = this.objects().filter((each) => each.endsWith(end));

		return this.pathOf(name);
	}
}

/*
 * Passes connections on to a port.  With "stopped" it passes nothing on, in either direction;
 * cutAfter ends a connection when so many bytes have come from that side ("up" or "down"), and
 * stallAfter passes nothing more on to the client of a connection that got so many.  What was not
 * passed on is lost, so such a connection never goes on.
 */
export class Relay
{
	static async start(to, { ...others } = {})
	{
		refuseOthers(others);

		const relay = new Relay();

		relay.to = to;
		relay.sockets = new Set();
		relay.bytes = { up: 0, down: 0 };
		relay.reset();
		relay.server = net.createServer((client) => relay.connect(client));
		await new Promise((resolve) => relay.server.listen(0, '127.0.0.1', resolve));
		relay.port = relay.server.address().port;
		onEnd(() => relay.stop(), () => relay.stop());
		return relay;
	}

	/* From now on everything passes, on new connections. */
	reset()
	{
		for (const socket of this.sockets)
			socket.destroy();
		this.stopped = false;
		this.cutAfter = { up: Infinity, down: Infinity };
		this.stallAfter = Infinity;
		this.bytes = { up: 0, down: 0 };
	}

	connect(client)
	{
		const server = net.connect(this.to, '127.0.0.1');

		for (const [from, into, side] of [[client, server, 'up'], [server, client, 'down']])
		{
			this.sockets.add(from);
			from.on('error', () => {});
			from.on('close', () =>
			{
				this.sockets.delete(from);
				into.destroy();
			});
			from.passed = 0;
			from.stalled = false;
			from.on('data', (data) => this.pass(from, into, side, data));
			into.on('drain', () => from.resume());
		}
	}

	pass(from, into, side, data)
	{
		this.bytes[side] += data.length;
		if (this.bytes[side] > this.cutAfter[side])
			from.destroy();
		else if (!this.stopped && !from.stalled)
		{
			const end = side === 'down' ? Math.max(this.stallAfter - from.passed, 0) : data.length;

			from.passed += data.length;
			from.stalled = data.length > end;
			if (!into.write(data.subarray(0, end)))
				from.pause();
		}
	}

	stop()
	{
		this.reset();
		this.server.close();
	}
}
