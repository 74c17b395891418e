/*
 * live.js
 *		Tells the parts of a page when something has happened that they show.
 *
 * A window has one socket for all of them (realtime.js).  While it is live, nobody asks the
 * gateway for what has not changed.  What happened before the socket was live, or while it was
 * broken, is not known, so everybody reads anew then (load.js).
 */
import { follow } from './realtime.js';

const listeners = new Set();
let live = false;

export function isLive()
{
	return live;
}

/*
 * listener has onEvent(event), onLive() for when the socket is live and something may have been
 * missed, and onBroken().  Returns a function that ends it.
 */
export function listen(listener)
{
	listeners.add(listener);
	return () => listeners.delete(listener);
}

function tellAll(name, ...values)
{
	for (const listener of [...listeners])
		listener[name](...values);
}

function become(isNowLive)
{
	if (live === isNowLive)
		return;
	live = isNowLive;
	tellAll(live ? 'onLive' : 'onBroken');
}

/*
 * Opens the socket of an organization.  Returns a function that closes it.  Whoever wants more
 * than to be told what has changed passes what follow() takes (realtime.js).
 *
 * A browser that has lost the network may keep a socket for minutes, although nothing comes over
 * it.  So the socket is closed then, and another one goes on behind the last event.
 */
export function startLive({ since, tell = () => {}, onEvent = () => {}, onGap = () => {} } = {})
{
	let last = since;
	const open = () => follow({
		since: last,
		tell(state, why)
		{
			tell(state, why);
			become(state === 'live');
		},
		onEvent(event)
		{
			last = event.id;
			onEvent(event);
			tellAll('onEvent', event);
		},
		onGap(why)
		{
			onGap(why);
			tellAll('onLive');
		},
	});
	let close = open();
	const stop = () =>
	{
		close();
		become(false);
	};
	const onOffline = () =>
	{
		stop();
		tell('waiting', 'there is no network');
	};
	const onOnline = () =>
	{
		stop();
		close = open();
	};

	addEventListener('offline', onOffline);
	addEventListener('online', onOnline);
	return () =>
	{
		removeEventListener('offline', onOffline);
		removeEventListener('online', onOnline);
		stop();
	};
}
