/*
 * pace.c
 *		When the next message may be sent; see pace.h.
 */
#include "cloud/pace.h"

#define SECOND_MS 1000

const WakRate pace_recipient_rate = {.per_minute = 10, .burst = 45};

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Rounded up, so that the turn has come when the time is over. */
static int64_t
ms_of(int64_t us)
{
	return (us + 999) / 1000;
}

int64_t
pace_take(Pace *number, WakRate number_rate, Pace *recipient, int64_t now)
{
	WakBucket of_number = number->bucket;
	WakBucket of_recipient = recipient->bucket;
	int64_t pause = later(number->paused_until, recipient->paused_until) - now;
	WakBucketState first;
	WakBucketState second;

	if (pause > 0)
		return pause;
	first = wak_bucket_take(&of_number, number_rate, now * 1000);
	second = wak_bucket_take(&of_recipient, pace_recipient_rate, now * 1000);
	if (!first.taken || !second.taken)
		return later(
			1, ms_of(later(first.taken ? 0 : first.wait_us, second.taken ? 0 : second.wait_us)));
	number->bucket = of_number;
	recipient->bucket = of_recipient;
	return 0;
}

void
pace_pause(Pace *pace, int64_t wait_ms, int base, int64_t now)
{
	int64_t pause = SECOND_MS;

	for (int i = 0; i < pace->strikes && pause < PACE_PAUSE_MAX_MS; i++)
		pause *= base;
	if (wait_ms > 0)
		pause = wait_ms;
	if (pause > PACE_PAUSE_MAX_MS)
		pause = PACE_PAUSE_MAX_MS;
	/* refusals of what was sent at the same time are one */
	if (pace->paused_until <= now)
		pace->strikes++;
	pace->paused_until = later(pace->paused_until, now + pause);
}

void
pace_resume(Pace *pace)
{
	pace->strikes = 0;
}

bool
pace_is_idle(const Pace *pace, WakRate rate, int64_t now)
{
	return pace->strikes == 0 && pace->paused_until <= now &&
		   wak_bucket_full_in(&pace->bucket, rate, now * 1000) == 0;
}
