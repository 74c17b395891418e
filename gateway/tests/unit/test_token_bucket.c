/*
 * test_token_bucket.c
 *		Token buckets, at given times.
 */
#include <stdlib.h>

#include "src/common/token_bucket.h"
#include "tests/unit/suite.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define NOW (800000000 * SECOND)

static bool
take(WakBucket *bucket, WakRate rate, int64_t now)
{
	return wak_bucket_take(bucket, rate, now).taken;
}

START_TEST(a_burst_and_then_one_a_period)
{
	const WakRate rate = {.per_minute = 1, .burst = 5};
	WakBucket bucket = {0};
	WakBucketState state = {0};

	for (int i = 0; i < 5; i++)
	{
		state = wak_bucket_take(&bucket, rate, NOW);
		ck_assert(state.taken);
		ck_assert_int_eq(state.left, 4 - i);
		ck_assert_int_eq(state.full_us, (i + 1) * MINUTE);
	}
	ck_assert_int_eq(state.wait_us, MINUTE);
	state = wak_bucket_take(&bucket, rate, NOW);
	ck_assert(!state.taken);
	ck_assert_int_eq(state.left, 0);
	ck_assert_int_eq(state.wait_us, MINUTE);
	ck_assert_int_eq(state.full_us, 5 * MINUTE);
	/* What is refused costs nothing, and nothing is early by a microsecond. */
	for (int i = 0; i < 100; i++)
		ck_assert(!take(&bucket, rate, NOW + MINUTE - 1));
	ck_assert(take(&bucket, rate, NOW + MINUTE));
	ck_assert(!take(&bucket, rate, NOW + MINUTE));
	ck_assert_int_eq(wak_bucket_full_in(&bucket, rate, NOW + MINUTE), 5 * MINUTE);
	ck_assert_int_eq(wak_bucket_full_in(&bucket, rate, NOW + 6 * MINUTE), 0);
	/* It holds no more than the burst, however long it rests. */
	for (int i = 0; i < 5; i++)
		ck_assert(take(&bucket, rate, NOW + 10000 * MINUTE));
	ck_assert(!take(&bucket, rate, NOW + 10000 * MINUTE));
}
END_TEST

/* In any time, at any pace of asking: the burst and what the rate gives, and not one more. */
START_TEST(exactly_as_many_as_the_rate_gives)
{
	static const WakRate rates[] = {{1, 1},   {7, 1},         {60, 10},        {61, 61},
									{999, 7}, {999999, 1000}, {1000000, 10000}};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
	{
		WakBucket bucket = {0};
		int64_t now = NOW;
		int64_t taken = 0;
		int64_t step = MINUTE / rates[i].per_minute / 3 + 1;

		while (now < NOW + 3 * MINUTE && taken < 30000)
		{
			while (take(&bucket, rates[i], now))
				taken++;
			ck_assert_int_eq(taken, rates[i].burst + (now - NOW) * rates[i].per_minute / MINUTE);
			now += step;
		}
	}
}
END_TEST

START_TEST(the_wait_is_what_it_says)
{
	const WakRate rate = {.per_minute = 7, .burst = 3};
	WakBucket bucket = {0};

	for (int64_t now = NOW; now < NOW + 5 * MINUTE; now += 1234567)
	{
		WakBucketState state = wak_bucket_take(&bucket, rate, now);
		WakBucket early = bucket;
		WakBucket late = bucket;

		ck_assert(state.wait_us == 0 || !take(&early, rate, now + state.wait_us - 1));
		ck_assert(take(&late, rate, now + state.wait_us));
		ck_assert_int_eq(wak_bucket_full_in(&bucket, rate, now + state.full_us), 0);
		ck_assert_int_gt(wak_bucket_full_in(&bucket, rate, now + state.full_us - 1), 0);
	}
}
END_TEST

START_TEST(a_clock_that_is_set_back_locks_nobody_out)
{
	const WakRate rate = {.per_minute = 60, .burst = 2};
	WakBucket bucket = {0};

	ck_assert(take(&bucket, rate, NOW));
	ck_assert(take(&bucket, rate, NOW));
	ck_assert(!take(&bucket, rate, NOW - 1000 * MINUTE));
	ck_assert(take(&bucket, rate, NOW - 1000 * MINUTE + SECOND));
	ck_assert(!take(&bucket, rate, NOW - 1000 * MINUTE + SECOND));
	/* And nothing is given twice. */
	ck_assert(take(&bucket, rate, NOW - 1000 * MINUTE + 3 * SECOND));
	ck_assert(take(&bucket, rate, NOW - 1000 * MINUTE + 3 * SECOND));
	ck_assert(!take(&bucket, rate, NOW - 1000 * MINUTE + 3 * SECOND));
}
END_TEST

START_TEST(another_rate_holds_at_once)
{
	WakBucket bucket = {0};

	for (int i = 0; i < 5; i++)
		ck_assert(take(&bucket, (WakRate){1, 5}, NOW));
	ck_assert(!take(&bucket, (WakRate){1, 5}, NOW));
	/* More: what it has used is used, and the rest is there. */
	for (int i = 0; i < 5; i++)
		ck_assert(take(&bucket, (WakRate){60, 10}, NOW));
	ck_assert(!take(&bucket, (WakRate){60, 10}, NOW));
	/* Less: it waits for one token, not for all that it used before. */
	ck_assert_int_eq(wak_bucket_take(&bucket, (WakRate){1, 2}, NOW).wait_us, MINUTE);
	ck_assert(take(&bucket, (WakRate){1, 2}, NOW + MINUTE));
	ck_assert(!take(&bucket, (WakRate){1, 2}, NOW + MINUTE));
}
END_TEST

START_TEST(the_largest_numbers)
{
	const WakRate rate = {.per_minute = 1, .burst = WAK_RATE_MAX};
	const WakRate fast = {.per_minute = WAK_RATE_MAX, .burst = WAK_RATE_MAX};
	WakBucket bucket = {.missing = INT64_MAX, .at = INT64_MIN / 2};

	ck_assert(take(&bucket, rate, INT64_MAX / 2));
	bucket = (WakBucket){.missing = INT64_MAX, .at = NOW};
	ck_assert(!take(&bucket, fast, NOW));
	ck_assert(!take(&bucket, fast, NOW + 59));
	ck_assert(take(&bucket, fast, NOW + 60));
	ck_assert_int_eq(wak_bucket_full_in(&bucket, rate, NOW + 60), WAK_RATE_MAX * MINUTE);
}
END_TEST

SUITE("token_bucket", a_burst_and_then_one_a_period, exactly_as_many_as_the_rate_gives,
	  the_wait_is_what_it_says, a_clock_that_is_set_back_locks_nobody_out,
	  another_rate_holds_at_once, the_largest_numbers)
