/*-------------------------------------------------------------------------
 *
 * token_bucket.c
 *		Token buckets: how many requests a key may make.
 *
 *-------------------------------------------------------------------------
 */
#include "src/common/token_bucket.h"

/* The units of a token: the microseconds of a minute. */
#define TOKEN INT64_C(60000000)

/* If the burst has become smaller, no more is missing than the bucket can hold now. */
static int64_t
missing_at(const WakBucket *bucket, WakRate rate, int64_t now)
{
	int64_t capacity = rate.burst * TOKEN;
	int64_t missing = bucket->missing < capacity ? bucket->missing : capacity;
	int64_t passed = now > bucket->at ? now - bucket->at : 0;

	return passed > missing / rate.per_minute ? 0 : missing - passed * rate.per_minute;
}

/* Microseconds until the bucket gets so many units. */
static int64_t
time_for(int64_t units, WakRate rate)
{
	return units <= 0 ? 0 : (units + rate.per_minute - 1) / rate.per_minute;
}

WakBucketState
wak_bucket_take(WakBucket *bucket, WakRate rate, int64_t now)
{
	int64_t capacity = rate.burst * TOKEN;
	int64_t missing = missing_at(bucket, rate, now);
	WakBucketState state = {.taken = missing + TOKEN <= capacity};

	missing += state.taken ? TOKEN : 0;
	*bucket = (WakBucket){.missing = missing, .at = now};
	state.left = (int32_t) ((capacity - missing) / TOKEN);
	state.wait_us = time_for(missing + TOKEN - capacity, rate);
	state.full_us = time_for(missing, rate);
	return state;
}

int64_t
wak_bucket_full_in(const WakBucket *bucket, WakRate rate, int64_t now)
{
	return time_for(missing_at(bucket, rate, now), rate);
}
