/*-------------------------------------------------------------------------
 *
 * uuid7.c
 *		UUIDs of version 7 (RFC 9562), which sort by the time they were made.
 *
 *		48 bits		milliseconds since 1970
 *		 4 bits		version, 7
 *		12 bits		the fraction of the millisecond, in 1/4096 (method 3 of
 *					section 6.2)
 *		 2 bits		variant, binary 10
 *		62 bits		random
 *
 * Milliseconds and fraction together are one clock of 60 bits that ticks about
 * every 244 ns.  Within a backend each UUID is at least one tick later than the
 * one before, even if two are made within one tick or the system's clock steps
 * back.  The clock of the UUIDs then runs ahead until the system's clock has
 * caught up.  UUIDs of different backends are ordered only by the system's
 * clock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "fmgr.h"

#include "src/uuid7.h"

#define FRACTION_BITS 12
#define NS_PER_MS 1000000
#define RANDOM_LEN (UUID_LEN - 8)

/* The clock of the newest UUID of this backend. */
static uint64 last_ticks = 0;

PG_FUNCTION_INFO_V1(wa_uuid7);

/* Milliseconds since 1970, with FRACTION_BITS behind the binary point. */
static uint64
read_clock(void)
{
	struct timespec now;
	uint64 ms;
	uint64 fraction;

	clock_gettime(CLOCK_REALTIME, &now);
	ms = (uint64) now.tv_sec * 1000 + (uint64) now.tv_nsec / NS_PER_MS;
	fraction = (((uint64) now.tv_nsec % NS_PER_MS) << FRACTION_BITS) / NS_PER_MS;
	return ms << FRACTION_BITS | fraction;
}

/*
 * The random half of a UUID.  The strong source is asked for many at once: a call of it costs
 * thousands of instructions.  No backend forks, so each is used once, and wiped then.
 */
static void
take_random(uint8 *half)
{
	static uint8 kept[64 * RANDOM_LEN];
	static int left = 0; /* bytes at the beginning that have not been used */

	if (left == 0)
	{
		if (!pg_strong_random(kept, sizeof(kept)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
		left = sizeof(kept);
	}
	left -= RANDOM_LEN;
	memcpy(half, kept + left, RANDOM_LEN);
	memset(kept + left, 0, RANDOM_LEN);
}

void
wa_uuid7_make(pg_uuid_t *uuid)
{
	uint64 ticks = read_clock();

	take_random(uuid->data + 8);
	if (ticks <= last_ticks)
		ticks = last_ticks + 1;
	last_ticks = ticks;

	for (int i = 0; i < 6; i++)
		uuid->data[i] = (uint8) (ticks >> (52 - 8 * i));
	uuid->data[6] = (uint8) (0x70 | (ticks >> 8 & 0x0F));
	uuid->data[7] = (uint8) ticks;
	uuid->data[8] = (uuid->data[8] & 0x3F) | 0x80;
}

/* wa.uuid7(): a new UUID of version 7. */
Datum
wa_uuid7(PG_FUNCTION_ARGS)
{
	pg_uuid_t *uuid = palloc(sizeof(pg_uuid_t));

	wa_uuid7_make(uuid);
	PG_RETURN_UUID_P(uuid);
}
