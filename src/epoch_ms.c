/*-------------------------------------------------------------------------
 *
 * epoch_ms.c
 *		Times as the API writes them: milliseconds since 1970.
 *
 * The gateway converts the times in its answers in the same way
 * (gateway/db/result.c), so that an event has the same time as the list that
 * shows its subject.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/timestamp.h"

#include "src/epoch_ms.h"

/* The distance between PostgreSQL's epoch, the year 2000, and 1970. */
#define EPOCH_OFFSET_MS \
	(INT64CONST(1000) * SECS_PER_DAY * (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE))

/*
 * JSON has no infinity.  It is written as the last millisecond of the year 9999 or the first of
 * 0001.
 */
#define MS_MAX INT64CONST(253402300799999)
#define MS_MIN INT64CONST(-62135596800000)

PG_FUNCTION_INFO_V1(wa_epoch_ms);

int64
wa_epoch_milliseconds(TimestampTz at)
{
	int64 ms = at / 1000;

	/* Round down, also before the year 2000. */
	if (at < 0 && at % 1000 != 0)
		ms--;
	if (TIMESTAMP_IS_NOEND(at))
		return MS_MAX;
	if (TIMESTAMP_IS_NOBEGIN(at))
		return MS_MIN;
	return Min(Max(ms + EPOCH_OFFSET_MS, MS_MIN), MS_MAX);
}

/* wa.epoch_ms(at): milliseconds since 1970. */
Datum
wa_epoch_ms(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(wa_epoch_milliseconds(PG_GETARG_TIMESTAMPTZ(0)));
}
