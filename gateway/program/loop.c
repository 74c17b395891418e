/*
 * loop.c
 *		The event loop of a program; see loop.h.
 */
#include "program/loop.h"

#include <event2/event.h>
#include <stdio.h>

#include "lib/config.h"
#include "lib/leftovers.h"
#include "lib/log.h"
#include "lib/process.h"

/* ---- stopping ---- */

void
program_loop_drained(ProgramLoop *loop)
{
	event_base_loopbreak(loop->base);
}

static void
drain(ProgramLoop *loop)
{
	loop->state = PROGRAM_DRAINING;
	timer_stop(&loop->timer);
	if (loop->work->cut != NULL)
		timer_start(&loop->timer, loop->drain_ms);
	loop->work->drain(loop->context);
}

static void
leave(ProgramLoop *loop)
{
	loop->state = PROGRAM_LEAVING;
	timer_start(&loop->timer, loop->leave_ms);
	loop->work->leave(loop->context);
}

/* A signal to stop.  A second one ends the current state at once. */
static void
on_stop(evutil_socket_t number, short what, void *arg)
{
	ProgramLoop *loop = arg;

	(void) number;
	(void) what;
	if (loop->state == PROGRAM_DRAINING)
		event_base_loopbreak(loop->base);
	else if (loop->state == PROGRAM_WORKING && loop->leave_ms > 0)
		leave(loop);
	else
		drain(loop);
}

static void
on_time_over(void *context)
{
	ProgramLoop *loop = context;

	if (loop->state == PROGRAM_LEAVING)
	{
		drain(loop);
		return;
	}
	loop->work->cut(loop->context);
	event_base_loopbreak(loop->base);
}

static void
on_hang_up(evutil_socket_t number, short what, void *arg)
{
	const ProgramLoop *loop = arg;

	(void) number;
	(void) what;
	loop->work->hang_up(loop->context);
}

/* ---- running ---- */

static bool
watch(ProgramLoop *loop, int index, int number, event_callback_fn told)
{
	loop->signals[index] = evsignal_new(loop->base, number, told, loop);
	return loop->signals[index] != NULL && event_add(loop->signals[index], NULL) == 0;
}

static bool
open_loop(ProgramLoop *loop, char *error, size_t size)
{
	snprintf(error, size, "could not set up the event loop");
	loop->base = event_base_new();
	return loop->base != NULL && timer_open(&loop->timer, loop->base, on_time_over, loop) &&
		   watch(loop, 0, SIGTERM, on_stop) && watch(loop, 1, SIGINT, on_stop) &&
		   (loop->work->hang_up == NULL || watch(loop, 2, SIGHUP, on_hang_up)) &&
		   loop->work->open(loop->context, loop, error, size);
}

static void
close_loop(ProgramLoop *loop)
{
	loop->work->close(loop->context);
	timer_close(&loop->timer);
	for (size_t i = 0; i < sizeof(loop->signals) / sizeof(loop->signals[0]); i++)
		if (loop->signals[i] != NULL)
			event_free(loop->signals[i]);
	if (loop->base != NULL)
		event_base_free(loop->base);
}

/*
 * Does what event_base_dispatch() does, one iteration at a time.  After each iteration it
 * sends the log lines of that iteration together and wipes its secrets from the stack.
 */
static bool
turn(struct event_base *base)
{
	int result;

	log_collect(true);
	do
	{
		result = event_base_loop(base, EVLOOP_ONCE);
		log_flush();
		leftovers_wipe_stack();
	} while (result == 0 && !event_base_got_exit(base) && !event_base_got_break(base));
	log_collect(false);
	return result >= 0;
}

static bool
work(ProgramLoop *loop, const volatile sig_atomic_t *stops)
{
	loop->work->begin(loop->context);
	if (*stops > 0)
		event_active(loop->signals[0], EV_SIGNAL, 1);
	if (!turn(loop->base))
	{
		log_line(LOG_LEVEL_ERROR, "failed", log_text("reason", "the event loop broke"));
		return false;
	}
	if (loop->work->stopped != NULL)
		loop->work->stopped(loop->context);
	else
		log_line(LOG_LEVEL_INFO, "stopped");
	return true;
}

int
program_loop_run(ProgramLoop *loop, const volatile sig_atomic_t *stops)
{
	char error[256];
	bool ok = open_loop(loop, error, sizeof(error));

	process_close_ports();
	if (!ok)
		log_line(LOG_LEVEL_ERROR, "cannot_start", log_text("reason", error));
	ok = ok && work(loop, stops);
	close_loop(loop);
	return ok ? 0 : CONFIG_EXIT_FAILED;
}
