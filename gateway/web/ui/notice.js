/*
 * notice.js
 *		Messages that a page shows instead of its content, or above it.
 */
import { ApiError, INVALID } from '../client/api.js';
import { html } from './html.js';

/* kind: info, warning, error */
export function Notice({ kind = 'info', dismiss, children })
{
	return html`
		<div class=${`notice ${kind}`} role=${kind === 'error' ? 'alert' : null}>
			<div>${children}</div>
			${dismiss && html`<button type="button" class="quiet" onClick=${dismiss}>Dismiss</button>`}
		</div>`;
}

export function errorText(error)
{
	return error instanceof ApiError ? error.message : `The dashboard has failed: ${error.message}`;
}

/*
 * The fields in "known" show their problems themselves, so these are left out here.  Nothing is
 * shown if that is all.
 */
export function ErrorNotice({ error, retry, known = [] })
{
	if (!error)
		return null;

	const problems = Object.keys(error.details ?? {});

	if (error.code === INVALID && problems.length > 0 && problems.every((name) => known.includes(name)))
		return null;

	const details = Object.entries(error.details ?? {})
		.filter(([name, text]) => typeof text === 'string' && !known.includes(name) && name !== 'required');

	return html`
		<${Notice} kind="error">
			<p>${errorText(error)}</p>
			${details.length > 0 && html`<ul>${details.map(([name, text]) => html`<li key=${name}>${name}: ${text}</li>`)}</ul>`}
			${retry && html`<p><button type="button" onClick=${retry}>Try again</button></p>`}
		<//>`;
}

export function Loading({ what = 'Loading' })
{
	return html`<p class="loading" role="status"><span class="spinner" aria-hidden="true"></span>${what} …</p>`;
}

/* Says what would be here and how to create it. */
export function Empty({ title, children, action })
{
	return html`
		<div class="empty">
			<h2>${title}</h2>
			${children}
			${action && html`<p>${action}</p>`}
		</div>`;
}

/*
 * Shows something that is loaded: not there yet, failed, or there.  Data read before stays
 * on the page when a later load fails.
 */
export function Loaded({ from, what, children })
{
	const { data, rows, loading, error, reload } = from;
	const there = (rows ?? data) !== undefined;

	return html`
		<${ErrorNotice} error=${error} retry=${reload} />
		${!there && loading && html`<${Loading} what=${what} />`}
		${there && children(rows ?? data)}`;
}

export function More({ list })
{
	if (list.complete)
		return null;
	return html`<p class="more"><button type="button" onClick=${list.more}>Show more</button></p>`;
}

export function Badge({ tone = 'neutral', children })
{
	return html`<span class=${`badge ${tone}`}>${children}</span>`;
}
