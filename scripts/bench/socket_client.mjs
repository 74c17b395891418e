/*
 * socket_client.mjs
 *		The WebSockets of those who measure.
 *
 * The clients use no library.  They parse as little of each frame as is needed, so that the
 * gateway is measured and not the clients.
 */
import net from 'node:net';

const PER_ADDRESS = 900;	/* connections from one address; the gateway accepts 1000 */
const AT_ONCE = 50;		/* handshakes at a time */

/* Opens a socket.  onText is called with each text frame, and onEnd when the socket has ended. */
function open(port, key, number, onText = () => {})
{
	return new Promise((resolve, reject) =>
	{
		const socket = net.connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + Math.floor(number / PER_ADDRESS)}` });
		let rest = Buffer.alloc(0);
		let upgraded = false;

		socket.setNoDelay(true);
		socket.on('error', reject);
		socket.on('close', () => reject(new Error('the socket was closed')));
		socket.write(`GET /api/v1/realtime HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${key}\r\nConnection: Upgrade\r\n`
			+ 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
		socket.on('data', (data) =>
		{
			rest = rest.length > 0 ? Buffer.concat([rest, data]) : data;
			if (!upgraded)
			{
				const end = rest.indexOf('\r\n\r\n');

				if (end < 0)
					return;
				if (!rest.toString('latin1', 0, end).startsWith('HTTP/1.1 101 '))
				{
					reject(new Error(rest.toString('latin1', 0, end)));
					return;
				}
				upgraded = true;
				rest = rest.subarray(end + 4);
				resolve(socket);
			}
			rest = readFrames(socket, rest, onText);
		});
	});
}

const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/* Answers pings and passes texts on.  Returns the bytes of an incomplete frame. */
function readFrames(socket, bytes, onText)
{
	let at = 0;

	while (bytes.length - at >= 2)
	{
		const short = bytes[at + 1];
		const head = short < 126 ? 2 : short === 126 ? 4 : 10;

		if (bytes.length - at < head)
			break;

		const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));

		if (bytes.length - at < head + length)
			break;
		if (bytes[at] === 0x89)
			socket.write(PONG);
		else if (bytes[at] === 0x81)
			onText(bytes.subarray(at + head, at + head + length));
		at += head + length;
	}
	return bytes.subarray(at);
}

/* So many sockets, of the keys in turn.  The number of the first says from which address it comes. */
export async function openMany(port, keys, count, onText, first = 0)
{
	const sockets = [];

	while (sockets.length < count)
	{
		const batch = Math.min(AT_ONCE, count - sockets.length);

		sockets.push(...await Promise.all(Array.from({ length: batch }, (_, i) =>
			open(port, keys[(sockets.length + i) % keys.length], first + sockets.length + i, onText))));
	}
	return sockets;
}

const TIMESTAMP = Buffer.from('"timestamp":');

/* Milliseconds from the event's own timestamp, which is when it was written, to its arrival. */
export function latencyOf(text)
{
	const at = text.indexOf(TIMESTAMP);

	return at < 0 ? null : Date.now() - Number(text.toString('latin1', at + TIMESTAMP.length, at + TIMESTAMP.length + 13));
}
