/*
 * timer.h
 *		Timers of the event loop, in milliseconds.
 *
 * A zeroed Timer is not open; stopping or closing it does nothing.
 */
#ifndef LIB_TIMER_H
#define LIB_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_base;

/* Called when the timer is due.  May start, stop or close the timer. */
typedef void (*TimerDue)(void *context);

typedef struct Timer
{
	struct event *event;
	int64_t period_ms; /* 0: due only once */
	TimerDue due;
	void *context;
} Timer;

/* False: out of memory.  The timer's address must not change until timer_close(). */
extern bool timer_open(Timer *timer, struct event_base *base, TimerDue due, void *context);

/* Due once, ms from now; replaces an earlier start.  False: out of memory. */
extern bool timer_start(Timer *timer, int64_t ms);

/* Due every ms, the first time ms from now; replaces an earlier start.  False: out of memory. */
extern bool timer_repeat(Timer *timer, int64_t ms);

extern bool timer_is_open(const Timer *timer);

/* Whether the timer is open and will be due. */
extern bool timer_is_started(const Timer *timer);

extern void timer_stop(Timer *timer);
extern void timer_close(Timer *timer);

#endif
