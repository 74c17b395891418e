/*-------------------------------------------------------------------------
 *
 * epoch_ms.c
 *		Times as the API writes them: milliseconds since 1970.
 *
 * The gateway does the same with the times of its answers
 * (gateway/db/result.c), so that an event shows the time that a list shows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/timestamp.h"

/* Between PostgreSQL's epoch, 2000, and 1970. */
#define EPOCH_OFFSET_MS \
	(INT64CONST(1000) * SECS_PER_DAY * (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE))

/* JSON has no infinity: the last millisecond of the year 9999, and the first of 0001. */
#define MS_MAX INT64CONST(253402300799999)
#define MS_MIN INT64CONST(-62135596800000)

PG_FUNCTION_INFO_V1(wa_epoch_ms);

/* wa.epoch_ms(at) */
Datum
wa_epoch_ms(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);
	int64 ms = at / 1000;

	/* downwards, also before 2000 */
	if (at < 0 && at % 1000 != 0)
		ms--;
	if (TIMESTAMP_IS_NOEND(at))
		PG_RETURN_INT64(MS_MAX);
	if (TIMESTAMP_IS_NOBEGIN(at))
		PG_RETURN_INT64(MS_MIN);
	PG_RETURN_INT64(Min(Max(ms + EPOCH_OFFSET_MS, MS_MIN), MS_MAX));
}
