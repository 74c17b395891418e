/*
 * load.js
 *		Hooks that read from the gateway, and hooks that change something.
 *
 * What is shown is read anew when it may have changed, and at no other time:
 *
 *	live	(event) => boolean: events after which it is; they come over the socket (live.js)
 *	focus	true: also when the window gets the focus, for what no event tells of
 *	every	(data) => milliseconds after which it is read again, for what changes at a known time
 *			or without an event; undefined: it is not
 *
 * While the socket is broken, what has "live" is read every few seconds instead.  A load that
 * fails keeps the data that was read before, reports the error, and is repeated if it is one
 * that is read anew at all.  Nothing is read while the page is hidden.
 */
import { ApiError, call, INVALID, Superseded } from './api.js';
import { isLive, listen } from './live.js';
import { useEffect, useRef, useState } from '../ui/html.js';

/* Events that come at once lead to one load. */
const SOON_MS = 100;
const UNLIVE_MS = 5000;
const RETRY_MS = [2000, 5000, 10000, 30000];

/*
 * Runs one read after the other.  Returns run(), which reads now; pace({ every, live, focus }),
 * which sets when it reads again; and stop().
 */
function startLoader(read, tell)
{
	const abort = new AbortController();
	let when = {};
	let timer = null;
	let soon = null;
	let running = false;
	let again = false;
	let stale = false;		/* something has happened while the page was hidden */
	let failures = 0;
	let shown;				/* what was read last */

	async function attempt()
	{
		try
		{
			const data = await read(abort.signal);

			failures = 0;
			shown = data;
			tell(() => ({ data, error: null, loading: false }));
		}
		catch (error)
		{
			if (abort.signal.aborted || error instanceof Superseded)
				return;
			failures++;
			tell((last) => ({ ...last, error, loading: false }));
		}
	}

	function pause()
	{
		if (failures > 0 && (when.every || when.live || when.focus))
			return RETRY_MS[Math.min(failures, RETRY_MS.length) - 1];
		return when.every?.(shown) ?? (when.live && !isLive() ? UNLIVE_MS : undefined);
	}

	function rest()
	{
		const ms = pause();

		clearTimeout(timer);
		if (ms && !running && !abort.signal.aborted && !document.hidden)
			timer = setTimeout(run, ms);
	}

	/*
	 * If run() is called during a load, another load follows, because that load may miss
	 * newer data.
	 */
	async function run()
	{
		clearTimeout(timer);
		clearTimeout(soon);
		soon = null;
		stale = false;
		again = running;
		if (running)
			return;
		running = true;
		do
		{
			again = false;
			await attempt();
		} while (again && !abort.signal.aborted);
		running = false;
		rest();
	}

	function runSoon()
	{
		if (document.hidden)
			stale = true;
		else
			soon ??= setTimeout(run, SOON_MS);
	}

	function wake()
	{
		if (!document.hidden && (stale || pause() !== undefined || when.focus))
			runSoon();
	}

	function refocus()
	{
		if (when.focus)
			runSoon();
	}

	const unlisten = listen({
		onEvent: (event) => when.live?.(event) && runSoon(),
		onLive: () => when.live && runSoon(),
		onBroken: rest,
	});

	document.addEventListener('visibilitychange', wake);
	addEventListener('focus', refocus);
	run();
	return {
		run,
		pace(value)
		{
			when = value;
			rest();
		},
		stop()
		{
			abort.abort();
			clearTimeout(timer);
			clearTimeout(soon);
			unlisten();
			document.removeEventListener('visibilitychange', wake);
			removeEventListener('focus', refocus);
		},
	};
}

/*
 * Calls read(signal) whenever a dependency changes, and as said above.  A change of when it is
 * read keeps the data; a change of a dependency does so with "keep", until the new data is there.
 * Returns { data, error, loading, reload }.
 */
export function useLoad(read, dependencies, { every, live, focus, keep } = {})
{
	const [state, setState] = useState({ data: undefined, error: null, loading: true });
	const latest = useRef(read);
	const current = useRef({});
	const loader = useRef(null);

	latest.current = read;
	current.current = { every, live };
	useEffect(() =>
	{
		let over = false;

		setState(({ data }) => ({ data: keep ? data : undefined, error: null, loading: true }));
		loader.current = startLoader((signal) => latest.current(signal), (change) =>
		{
			if (!over)
				setState(change);
		});

		const { stop } = loader.current;

		return () =>
		{
			over = true;
			stop();
		};
	}, dependencies);
	useEffect(() =>
	{
		loader.current.pace({
			focus,
			every: every && ((data) => current.current.every?.(data)),
			live: live && ((event) => current.current.live?.(event)),
		});
	}, [...dependencies, focus, Boolean(every), Boolean(live)]);
	return { ...state, reload: () => loader.current?.run() };
}

const NO_ROWS = { rows: [], complete: true, path: null };

async function readPages(path, limit, pages, signal)
{
	const rows = [];
	let cursor;

	for (let page = 0; page < pages; page++)
	{
		const query = new URLSearchParams({ limit, ...(cursor && { cursor }) });
		const answer = await call('GET', `${path}${path.includes('?') ? '&' : '?'}${query}`, { signal });

		rows.push(...answer.data);
		cursor = answer.nextCursor;
		if (!cursor)
			break;
	}
	return { rows, complete: !cursor, path };
}

/*
 * A list of the API: its first pages, and one more page for each call of more().
 * Returns { rows, complete, current, error, loading, reload, more }; rows are undefined until the
 * first page has arrived.  For the path null nothing is read, and the list is empty.  "current" says
 * whether the rows are of this path, and not kept from the one before ("keep").
 */
export function useList(path, { limit = 50, pages = 1, ...when } = {})
{
	const wanted = useRef({ path, pages });

	if (wanted.current.path !== path)
		wanted.current = { path, pages };

	const read = (signal) => (path === null ? NO_ROWS : readPages(path, limit, wanted.current.pages, signal));
	const { data, ...state } = useLoad(read, [path], when);

	return {
		...state,
		rows: data?.rows,
		complete: data?.complete ?? true,
		current: data?.path === path,
		more()
		{
			wanted.current.pages++;
			state.reload();
		},
	};
}

/*
 * An action that a person starts with a button or a form.  run() starts it unless it is
 * running already.  It returns the action's result, or undefined when the action failed.
 *
 * check() returns what is wrong with the values, as words for each field, as far as that can be
 * known without the gateway.  Then the action does not start: all is told at once.
 */
export function useAction(act, check = () => ({}))
{
	const [state, setState] = useState({ busy: false, error: null });
	const busy = useRef(false);

	async function run(...values)
	{
		if (busy.current)
			return undefined;

		const problems = check();

		if (Object.keys(problems).length > 0)
		{
			setState({ busy: false, error: new ApiError(400, INVALID, 'Request is not valid.', problems) });
			return undefined;
		}
		busy.current = true;
		setState({ busy: true, error: null });

		let error = null;

		try
		{
			return await act(...values);
		}
		catch (thrown)
		{
			if (!(thrown instanceof Superseded))
				error = thrown;
			return undefined;
		}
		finally
		{
			busy.current = false;
			setState({ busy: false, error });
		}
	}
	return { ...state, run, clear: () => setState({ busy: false, error: null }) };
}
