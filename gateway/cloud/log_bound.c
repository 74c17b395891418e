/*
 * log_bound.c
 *		Bounds the lines of the log that others can cause; see log_bound.h.
 */
#include "cloud/log_bound.h"

#include "lib/clock.h"

static const WakRate rate = {.per_minute = 30, .burst = 30};

bool
log_bound_take(LogBound *bound, int64_t *left_out)
{
	*left_out = bound->left_out;
	if (!wak_bucket_take(&bound->bucket, rate, clock_monotonic_us()).taken)
	{
		bound->left_out++;
		return false;
	}
	bound->left_out = 0;
	return true;
}
