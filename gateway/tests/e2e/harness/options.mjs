/*
 * options.mjs
 *		Options by name, of which a function takes only those that it knows.
 *
 * A name that is wrong would otherwise say nothing, and the test would not do what it says.
 */

/* To be called with what is left of the options when a function has taken its own. */
export function refuseOthers(others)
{
	const names = Object.keys(others);

	if (names.length > 0)
		throw new TypeError(`there is no option ${names.join(', ')}`);
}
