/*
 * clock.js
 *		The gateway's time.
 *
 * The gateway's clock decides whether a key has expired, and this machine's clock may be
 * wrong.  The difference is computed from the Date of each answer, which has whole seconds.
 */
const NOTICEABLE_MS = 5000;

let ahead = 0;

export function noteServerTime(date)
{
	const difference = Date.parse(date ?? '') - Date.now();

	if (!Number.isNaN(difference))
		ahead = Math.abs(difference) > NOTICEABLE_MS ? difference : 0;
}

export function now()
{
	return Date.now() + ahead;
}
