/*
 * realtime.js
 *		The gateway's WebSocket: gets a ticket, opens a socket, and continues after a break.
 *
 * These states are reported to the page by "tell":
 *	connecting		a ticket is asked for, or the socket is being opened
 *	live			events come as they happen
 *	waiting			the connection broke; another attempt follows
 *	refused			the gateway refuses the connection; it is not tried again
 */
import { call, Superseded } from './api.js';

const TICKET = '/realtime/ticket';
const RETRY_MS = [1000, 2000, 5000, 10000, 30000];
const REVOKED = 4401;

/* Uses the ticket's address if it has one, else the usual one; always at this gateway. */
function socketAddress({ url, ticket })
{
	const address = new URL(url ?? '/api/v1/realtime', location.href);

	address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
	address.host = location.host;
	address.searchParams.set('ticket', ticket);
	return address;
}

/*
 * Follows the events behind "since", or those from now on, and returns a function that closes
 * the socket.  onGap(why) says that events may be missing.
 * "interrupted" means that the connection broke before the organization had an event to
 * continue from.  "expired" means that the gateway no longer keeps the events after the
 * last one.
 */
export function follow({ since, onEvent, onGap, tell })
{
	let socket = null;
	let timer = null;
	let last = since;	/* the last event that was received */
	let begun;			/* the event after which the socket began */
	let wasLive = false;
	let failures = 0;
	let over = false;

	function retry(why)
	{
		if (over)
			return;
		tell('waiting', why);
		timer = setTimeout(open, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
	}

	function read(frame)
	{
		if (frame.event === 'connected')
		{
			failures = 0;
			tell('live');
			if (wasLive && last === undefined)
				onGap('interrupted');
			wasLive = true;
			begun = frame.since;
			last ??= begun;
		}
		else if (frame.event === 'resync_required')
		{
			last = begun;
			onGap('expired');
		}
		else if (frame.id)
		{
			last = frame.id;
			onEvent(frame);
		}
	}

	function connect(address)
	{
		socket = new WebSocket(address);
		socket.onmessage = ({ data }) => read(JSON.parse(data));
		socket.onclose = ({ code }) => retry(code === REVOKED ? 'the sign-in or the rights have changed' : 'the connection broke');
	}

	async function open()
	{
		tell('connecting');
		try
		{
			const ticket = await call('POST', TICKET, { json: { scope: 'organization', ...(last && { since: last }) } });

			if (!over)
				connect(socketAddress(ticket));
		}
		catch (error)
		{
			if (error instanceof Superseded || over)
				return;
			if (error.status === 403)
				tell('refused', error.message);
			else
				retry(error.message);
		}
	}

	open();
	return () =>
	{
		over = true;
		clearTimeout(timer);
		if (socket)
		{
			socket.onclose = null;
			socket.close();
		}
	};
}
