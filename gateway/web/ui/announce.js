/*
 * announce.js
 *		Says what has just happened, in one place of the page, visibly and for screen readers.
 *
 * A modal dialog lies above the page and hides it from screen readers, so each dialog has a
 * place of its own, and the one that was opened last shows the text.
 *
 * Nothing secret may be announced: the text stays for a few seconds, even if the page
 * changes.
 */
import { html, useLayoutEffect, useState } from './html.js';

const STAYS_MS = 4000;

let text = '';
let timer = null;
const places = [];		/* what draws each place anew, the topmost last */

function draw()
{
	places.forEach((place, index) => place(index === places.length - 1 ? text : ''));
}

export function announce(news)
{
	clearTimeout(timer);
	text = news;
	timer = setTimeout(() =>
	{
		text = '';
		draw();
	}, STAYS_MS);
	draw();
}

export function Announcements()
{
	const [shown, setShown] = useState('');

	useLayoutEffect(() =>
	{
		places.push(setShown);
		draw();
		return () =>
		{
			places.splice(places.indexOf(setShown), 1);
			draw();
		};
	}, []);
	return html`<div class="announcements" role="status" aria-live="polite">${shown && html`<p>${shown}</p>`}</div>`;
}
