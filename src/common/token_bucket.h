/*-------------------------------------------------------------------------
 *
 * token_bucket.h
 *		Token buckets: how many requests a key may make.
 *
 *		A bucket holds up to "burst" tokens and gets "per_minute" of them a
 *		minute.  A request takes one; without one it is refused and takes
 *		nothing.  Times are microseconds, by any clock.
 *
 * The arithmetic is exact: what is missing is counted in units of which a
 * bucket gets per_minute in each microsecond, so nothing is rounded, and a
 * change of the rate changes no bucket.
 *
 * No allocation, no state, safe in any thread.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_COMMON_TOKEN_BUCKET_H
#define SRC_COMMON_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* The most of both numbers of a rate.  With these, no number here overflows. */
#define WAK_RATE_MAX 1000000

typedef struct WakRate
{
	int32_t per_minute; /* 1 to WAK_RATE_MAX */
	int32_t burst;      /* 1 to WAK_RATE_MAX */
} WakRate;

/* All zeros: a bucket that is full. */
typedef struct WakBucket
{
	int64_t missing; /* in units; at the time "at" */
	int64_t at;
} WakBucket;

/* What is known of a bucket after a request. */
typedef struct WakBucketState
{
	bool taken;      /* the request has a token */
	int32_t left;    /* requests that can follow at once */
	int64_t wait_us; /* until there is a token; 0 if there is one */
	int64_t full_us; /* until it is full */
} WakBucketState;

/*
 * Takes a token if there is one.  If the time is before that of the last request, the clock was
 * set back, and no time has passed.
 */
extern WakBucketState wak_bucket_take(WakBucket *bucket, WakRate rate, int64_t now);

/* Microseconds until the bucket is full; 0 if it is. */
extern int64_t wak_bucket_full_in(const WakBucket *bucket, WakRate rate, int64_t now);

#endif
