/*
 * pace.h
 *		When the next message of a number, or to a recipient, may be sent.
 *
 * Meta takes 80 messages a second of a number, and to one recipient 45 at once and then one in six
 * seconds.  What goes beyond is refused, and a refusal asks for a pause.  Times are milliseconds
 * by clock_monotonic_ms().
 */
#ifndef CLOUD_PACE_H
#define CLOUD_PACE_H

#include <stdint.h>

#include "src/common/token_bucket.h"

/* All zeros: nothing was sent. */
typedef struct Pace
{
	WakBucket bucket;
	int64_t paused_until;
	int strikes; /* refusals since the last message that was taken */
} Pace;

extern const WakRate pace_recipient_rate;

/* Takes a turn of both, if both have one now: 0; else how many milliseconds until one may. */
extern int64_t pace_take(Pace *number, WakRate number_rate, Pace *recipient, int64_t now);

/*
 * Nothing leaves for wait_ms; 0: for 1, 2, 4 … times base_ms … by the number of refusals, at most
 * PACE_PAUSE_MAX_MS.
 */
#define PACE_PAUSE_MAX_MS (60 * 60 * 1000)
extern void pace_pause(Pace *pace, int64_t wait_ms, int base, int64_t now);

/* A message was taken. */
extern void pace_resume(Pace *pace);

/* Whether there is nothing to remember. */
extern bool pace_is_idle(const Pace *pace, WakRate rate, int64_t now);

#endif
