/*
 * timer.h
 *		Timers of the event loop, in milliseconds.
 *
 * A Timer of zeros is one that is not open; stopping and closing it does nothing.
 */
#ifndef LIB_TIMER_H
#define LIB_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_base;

/* The time has come.  May start, stop or close the timer. */
typedef void (*TimerDue)(void *context);

typedef struct Timer
{
	struct event *event;
	int64_t period_ms; /* 0: it is due once */
	TimerDue due;
	void *context;
} Timer;

/* False: no memory.  The address must not change until timer_close(). */
extern bool timer_open(Timer *timer, struct event_base *base, TimerDue due, void *context);

/* Due once, so long from now; what was started before no longer counts.  False: no memory. */
extern bool timer_start(Timer *timer, int64_t ms);

/* The same, and again and again after that. */
extern bool timer_repeat(Timer *timer, int64_t ms);

extern bool timer_is_open(const Timer *timer);

/* It is open, and will be due. */
extern bool timer_is_started(const Timer *timer);

extern void timer_stop(Timer *timer);
extern void timer_close(Timer *timer);

#endif
