/*
 * values.mjs
 *		What the measurements in JavaScript share: their run, and what they give to bench/run.
 *		These are lines "NAME VALUE" in the file that VALUES names (measure.sh).  Without it
 *		there is nobody who wants them.
 */
import fs from 'node:fs';

export function note(name, value)
{
	if (process.env.VALUES)
		fs.appendFileSync(process.env.VALUES, `${name} ${value}\n`);
}

/* Runs a whole measurement.  However it ends, its cluster and its programs end with it (onEnd()). */
export async function run(measure)
{
	try
	{
		await measure();
		process.exit(0);
	}
	catch (error)
	{
		console.error(error);
		process.exit(1);
	}
}
