/*
 * ports.mjs
 *		Ports for programs that have to be told one, because they cannot say which they got.
 *
 * They lie below those that the kernel gives away by itself, to connections and to whoever
 * listens on port 0: else one that was free when it was chosen may be taken when it is used.
 */
import fs from 'node:fs';
import net from 'node:net';

const SPAN = 10000;

const given = new Set();

/* The first port that the kernel gives away by itself. */
export function firstEphemeralPort()
{
	return Number(fs.readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t')[0]);
}

function isFree(port)
{
	return new Promise((resolve) =>
	{
		const server = net.createServer();

		server.on('error', () => resolve(false));
		server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
	});
}

/* A port from "from" to below "to" that nothing listens on; none is given twice. */
export async function freePort({ to = firstEphemeralPort(), from = Math.max(1024, to - SPAN) } = {})
{
	const start = Math.floor(Math.random() * (to - from));

	for (let i = 0; i < to - from; i++)
	{
		const port = from + (start + i) % (to - from);

		if (!given.has(port) && await isFree(port))
		{
			given.add(port);
			return port;
		}
	}
	throw new Error(`no port from ${from} to ${to} is free`);
}
