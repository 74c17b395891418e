/*
 * announce.js
 *		Says what has just happened, in one place of the page, visibly and for screen readers.
 *
 * Nothing secret may be announced: the text stays for a few seconds, even if the page
 * changes.
 */
import { html, useEffect, useState } from './html.js';

const STAYS_MS = 4000;

let tell = () => {};

export function announce(text)
{
	tell(text);
}

export function Announcements()
{
	const [text, setText] = useState('');

	useEffect(() =>
	{
		let timer = null;

		tell = (news) =>
		{
			clearTimeout(timer);
			setText(news);
			timer = setTimeout(() => setText(''), STAYS_MS);
		};
		return () =>
		{
			clearTimeout(timer);
			tell = () => {};
		};
	}, []);
	return html`<div class="announcements" role="status" aria-live="polite">${text && html`<p>${text}</p>`}</div>`;
}
