/*
 * format.js
 *		Formats times and addresses for people.
 */
import { now } from '../client/clock.js';
import { html, useEffect, useState } from './html.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const DAY = 24 * HOUR;

const UNITS = [['day', DAY], ['hour', HOUR], ['minute', MINUTE], ['second', SECOND]];

/* The pages are in one language, so times are too; of the person only its variant is taken. */
const LANGUAGE = 'en';
const LOCALE = navigator.languages.find((each) => each.split('-')[0] === LANGUAGE) ?? LANGUAGE;

const full = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'long', timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium' });
const weekday = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'full' });
const clock = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'short' });
const seconds = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'medium' });
const dayAndClock = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' });
const dayAndSeconds = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto' });

export function distance(time)
{
	const away = time - now();
	const [unit, length] = UNITS.find(([, size]) => Math.abs(away) >= size) ?? UNITS.at(-1);

	return Math.abs(away) < MINUTE / 2 ? 'just now' : relative.format(Math.round(away / length), unit);
}

/* How long it is until a time, to the second when it is near.  What should have happened is due. */
function ahead(time)
{
	const away = time - now();
	const [unit, length] = UNITS.find(([, size]) => away >= size) ?? UNITS.at(-1);

	return away <= 0 ? 'any moment' : relative.format(Math.max(1, Math.round(away / length)), unit);
}

/* Whether two times are on one day of the person's calendar. */
export function isSameDay(one, other)
{
	return new Date(one).toDateString() === new Date(other).toDateString();
}

const STYLES = {
	weekday: (time) => weekday.format(time),
	seconds: (time) => (isSameDay(time, now()) ? seconds : dayAndSeconds).format(time),
	day: (time) => day.format(time),
	clock: (time) => clock.format(time),
	moment: (time) => dayAndClock.format(time),
	distance: (time) => (Math.abs(time - now()) < 30 * DAY ? distance(time) : day.format(time)),
	due: ahead,
};

/* These say how far a time is from now, so they change by themselves. */
const TICKING = new Set(['distance', 'due']);

/* Draws a time anew when its words may have changed: each second while it is near. */
function useTick(at, ticks)
{
	const [count, tick] = useState(0);

	useEffect(() =>
	{
		if (!ticks)
			return undefined;

		const timer = setTimeout(() => tick(count + 1), Math.abs(at - now()) < 2 * MINUTE ? SECOND : MINUTE / 2);

		return () => clearTimeout(timer);
	}, [at, ticks, count]);
}

/* A time of the API as text, where no element can stand. */
export const timeText = (at, style = 'moment') => STYLES[style](at);

/* A time of the API.  The full time is shown when the pointer is on it. */
export function Time({ at, style = 'moment' })
{
	useTick(at, TICKING.has(style));
	return html`<time datetime=${new Date(at).toISOString()} title=${full.format(at)}>${STYLES[style](at)}</time>`;
}

/* Of 15551234567@s.whatsapp.net only the number is shown, which people know. */
export function addressOf(jid)
{
	const [, digits] = /^([0-9]+)@s\.whatsapp\.net$/.exec(jid) ?? [];

	return digits ? `+${digits}` : jid;
}

/*
 * The name that a person has chosen on WhatsApp is untrusted data.  A name without visible
 * characters counts as none.  Characters that would change the direction of the text around
 * it are removed.
 */
export function givenName(name, jid)
{
	const shown = (name ?? '').replace(/\p{Bidi_Control}/gu, '');

	return /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{C}\u2800]/u.test(shown) ? shown : addressOf(jid);
}

function plural(count, one, many = `${one}s`)
{
	return `${count} ${count === 1 ? one : many}`;
}

/* How large a file is, in three digits: "48.2 kB". */
export function bytesText(count)
{
	const units = ['bytes', 'kB', 'MB', 'GB'];
	let unit = 0;

	for (; count >= 999.5 && unit < units.length - 1; unit++)
		count /= 1000;
	return `${unit === 0 ? count : count.toPrecision(3)} ${units[unit]}`;
}
