/*
 * traces.mjs
 *		Looks for any of many byte strings at once.
 *
 * Gigabytes of logs are searched for hundreds of traces.  One pass finds all of them (the
 * algorithm of Wu and Manber): the last bytes of a window as long as the shortest trace say
 * how far on the next trace can end at the earliest.
 */
import assert from 'node:assert/strict';

/* How many bytes the shortest trace has, and how many of them are looked at first. */
const WINDOW = 12;
const BLOCK = 3;
const SHIFTS = 0x10000;

/* A number for the bytes that end there; others may have the same one. */
function blockAt(bytes, end)
{
	return (bytes[end - 2] << 10 ^ bytes[end - 1] << 5 ^ bytes[end]) % SHIFTS;
}

export class Traces
{
	constructor(traces)
	{
		this.shifts = new Uint8Array(SHIFTS).fill(WINDOW - BLOCK + 1);
		this.ending = new Map();
		for (const trace of traces)
		{
			assert.ok(trace.length >= WINDOW, 'what is shorter would be overlooked');
			for (let end = BLOCK - 1; end < WINDOW; end++)
			{
				const block = blockAt(trace, end);

				this.shifts[block] = Math.min(this.shifts[block], WINDOW - 1 - end);
			}

			const last = blockAt(trace, WINDOW - 1);

			this.ending.set(last, [...this.ending.get(last) ?? [], trace]);
		}
	}

	/* Where the first one stands in the bytes, or -1. */
	indexIn(bytes)
	{
		const { shifts, ending } = this;

		for (let end = WINDOW - 1; end < bytes.length;)
		{
			const block = blockAt(bytes, end);
			const shift = shifts[block];

			if (shift === 0)
			{
				const at = end - WINDOW + 1;

				if (ending.get(block).some((trace) => trace.equals(bytes.subarray(at, at + trace.length))))
					return at;
			}
			end += Math.max(shift, 1);
		}
		return -1;
	}
}
