/*
 * search.js
 *		What a person looks for, and where it stands in a text.
 */
import { useEffect, useState } from '../ui/html.js';

const PAUSE_MS = 300;

const plain = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

/* The text as it is when the person has stopped typing, without blanks around it. */
export function useSettled(text)
{
	const [settled, settle] = useState(text.trim());

	useEffect(() =>
	{
		const timer = setTimeout(() => settle(text.trim()), PAUSE_MS);

		return () => clearTimeout(timer);
	}, [text]);
	return settled;
}

/* Whether a text contains another one, as far as can be seen here. */
export function includes(text, wanted)
{
	return plain(text).includes(plain(wanted));
}

/* The query of a list that is searched, or ''. */
export function searchQuery(text)
{
	return text === '' ? '' : `?${new URLSearchParams({ q: text })}`;
}

const BEFORE = 24;

/*
 * The part of a text that begins shortly before what was found.  The database decides what is
 * found; where it finds more than is seen here, the text is shown from its beginning.
 */
export function partOf(text, wanted)
{
	const characters = [...text];
	const starts = characters.flatMap((character, i) => Array(plain(character).length).fill(i));
	const at = starts[plain(text).indexOf(plain(wanted))] ?? 0;

	return at <= BEFORE ? text : `…${characters.slice(at - BEFORE).join('')}`;
}
