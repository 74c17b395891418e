/*
 * load.js
 *		Hooks that read from the gateway, once or repeatedly, and hooks that change something.
 *
 * A load that fails keeps the data that was read before and reports the error.  With
 * "every" it is repeated.  Nothing is read while the page is hidden.
 */
import { ApiError, call, INVALID, Superseded } from './api.js';
import { useEffect, useRef, useState } from '../ui/html.js';

/*
 * Runs one read after the other.  Returns run(), which reads now; pace(every), which sets
 * how many milliseconds after a load the next one follows (undefined: none does); and
 * stop().
 */
function startLoader(read, tell)
{
	const abort = new AbortController();
	let every;
	let timer = null;
	let running = false;
	let again = false;

	async function attempt()
	{
		try
		{
			const data = await read(abort.signal);

			tell(() => ({ data, error: null, loading: false }));
		}
		catch (error)
		{
			if (!abort.signal.aborted && !(error instanceof Superseded))
				tell((last) => ({ ...last, error, loading: false }));
		}
	}

	function rest()
	{
		clearTimeout(timer);
		if (every && !running && !abort.signal.aborted && !document.hidden)
			timer = setTimeout(run, every);
	}

	/*
	 * If run() is called during a load, another load follows, because that load may miss
	 * newer data.
	 */
	async function run()
	{
		clearTimeout(timer);
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

	const wake = () => { if (every && !document.hidden) run(); };

	document.addEventListener('visibilitychange', wake);
	run();
	return {
		run,
		pace(value)
		{
			every = value;
			rest();
		},
		stop()
		{
			abort.abort();
			clearTimeout(timer);
			document.removeEventListener('visibilitychange', wake);
		},
	};
}

/*
 * Calls read(signal) whenever a dependency changes, and at the interval "every", in
 * milliseconds.  A change of the interval keeps the data.
 * Returns { data, error, loading, reload }.
 */
export function useLoad(read, dependencies, { every } = {})
{
	const [state, setState] = useState({ data: undefined, error: null, loading: true });
	const latest = useRef(read);
	const loader = useRef(null);

	latest.current = read;
	useEffect(() =>
	{
		let over = false;

		setState({ data: undefined, error: null, loading: true });
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
	useEffect(() => { loader.current.pace(every); }, [...dependencies, every]);
	return { ...state, reload: () => loader.current?.run() };
}

const NO_ROWS = { rows: [], complete: true };

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
	return { rows, complete: !cursor };
}

/*
 * A list of the API: its first pages, and one more page for each call of more().
 * Returns { rows, complete, error, loading, reload, more }; rows are undefined until the
 * first page has arrived.  For the path null nothing is read, and the list is empty.
 */
export function useList(path, { limit = 50, pages = 1, every } = {})
{
	const wanted = useRef(pages);
	const read = (signal) => (path === null ? NO_ROWS : readPages(path, limit, wanted.current, signal));
	const { data, ...state } = useLoad(read, [path], { every });

	return {
		...state,
		rows: data?.rows,
		complete: data?.complete ?? true,
		more()
		{
			wanted.current++;
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
