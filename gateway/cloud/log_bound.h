/*
 * log_bound.h
 *		Bounds the lines of the log that others can cause.
 *
 * Each event has a bound of its own, so that one cannot hide another: some lines at once, and some
 * a minute.  The next line says how many were left out.
 */
#ifndef CLOUD_LOG_BOUND_H
#define CLOUD_LOG_BOUND_H

#include "src/common/token_bucket.h"

/* All zeros: no line was written yet. */
typedef struct LogBound
{
	WakBucket bucket;
	int64_t left_out; /* since the last line */
} LogBound;

/* Whether a line may be written now; then *left_out is how many were not since the last one. */
extern bool log_bound_take(LogBound *bound, int64_t *left_out);

#endif
