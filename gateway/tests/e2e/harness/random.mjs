/*
 * random.mjs
 *		Random choices that can be made again: WA_SEED=number in the environment.
 */

/* mulberry32: 32 bits of state, enough to choose messages by. */
export class Random
{
	constructor(seed = process.env.WA_SEED ?? Math.floor(Math.random() * 2 ** 31))
	{
		this.seed = Number(seed);
		this.state = this.seed >>> 0;
	}

	/* A whole number from 0 to below "bound". */
	below(bound)
	{
		this.state = (this.state + 0x6d2b79f5) >>> 0;

		let mixed = this.state;

		mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
	}

	/* Does what happens at this rate, between 0 and 1, happen this time? */
	happens(rate)
	{
		return this.below(2 ** 32) < rate * 2 ** 32;
	}

	of(list)
	{
		return list[this.below(list.length)];
	}

	bytes(length)
	{
		return Buffer.from(Array.from({ length }, () => this.below(256)));
	}
}
