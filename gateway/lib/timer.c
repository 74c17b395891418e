/*
 * timer.c
 *		Timers of the event loop, in milliseconds; see timer.h.
 */
#include "lib/timer.h"

#include <event2/event.h>

static bool
add(Timer *timer, int64_t ms)
{
	const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	return event_add(timer->event, &wait) == 0;
}

/* due() may close the timer, so it is the last use of it. */
static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	Timer *timer = arg;

	(void) fd;
	(void) what;
	if (timer->period_ms > 0)
		add(timer, timer->period_ms);
	timer->due(timer->context);
}

bool
timer_open(Timer *timer, struct event_base *base, TimerDue due, void *context)
{
	*timer = (Timer){.due = due, .context = context};
	timer->event = evtimer_new(base, on_event, timer);
	return timer->event != NULL;
}

bool
timer_start(Timer *timer, int64_t ms)
{
	timer->period_ms = 0;
	return add(timer, ms);
}

bool
timer_repeat(Timer *timer, int64_t ms)
{
	timer->period_ms = ms;
	return add(timer, ms);
}

bool
timer_is_open(const Timer *timer)
{
	return timer->event != NULL;
}

bool
timer_is_started(const Timer *timer)
{
	return timer->event != NULL && event_pending(timer->event, EV_TIMEOUT, NULL) != 0;
}

void
timer_stop(Timer *timer)
{
	if (timer->event != NULL)
		event_del(timer->event);
}

void
timer_close(Timer *timer)
{
	if (timer->event != NULL)
		event_free(timer->event);
	timer->event = NULL;
}
