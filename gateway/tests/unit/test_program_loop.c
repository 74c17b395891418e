/*
 * test_program_loop.c
 *		A program is told to stop once and drains; told again, the next state comes at once.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/config.h"
#include "lib/log.h"
#include "program/loop.h"
#include "tests/unit/suite.h"

#define NEVER_MS 600000

static ProgramLoop loop;
static Timer ticks;
static volatile sig_atomic_t stops;
static bool opens;         /* open() succeeds */
static bool drains;        /* drain() ends by itself */
static int signals_wanted; /* that are still to come, one at each look at the clock */
static int signal_wanted;  /* which */
static char calls[16];     /* a letter each */

static void
note(char letter)
{
	size_t len = strlen(calls);

	ck_assert_uint_lt(len, sizeof(calls) - 1);
	calls[len] = letter;
}

static void
on_tick(void *context)
{
	(void) context;
	if (signals_wanted == 0)
		return;
	signals_wanted--;
	raise(signal_wanted);
}

static bool
open_work(void *context, ProgramLoop *opened, char *error, size_t size)
{
	ck_assert_ptr_eq(context, calls);
	ck_assert_ptr_eq(opened, &loop);
	note('o');
	snprintf(error, size, "no");
	return opens && timer_open(&ticks, loop.base, on_tick, NULL) && timer_repeat(&ticks, 10);
}

static void
begin(void *context)
{
	(void) context;
	note('b');
}

static void
drain(void *context)
{
	(void) context;
	note('d');
	if (drains)
		program_loop_drained(&loop);
}

static void
close_work(void *context)
{
	(void) context;
	note('c');
	timer_close(&ticks);
}

static void
leave(void *context)
{
	(void) context;
	note('l');
}

static void
cut(void *context)
{
	(void) context;
	note('x');
}

static void
hang_up(void *context)
{
	(void) context;
	note('h');
	signal_wanted = SIGTERM;
	signals_wanted = 1;
}

static void
stopped(void *context)
{
	(void) context;
	note('s');
}

static ProgramWork work;

static void
start(void)
{
	log_set_level(LOG_LEVEL_ERROR + 1);
	work = (ProgramWork){.open = open_work,
						 .begin = begin,
						 .drain = drain,
						 .close = close_work,
						 .leave = leave,
						 .stopped = stopped};
	loop = (ProgramLoop){.work = &work, .context = calls};
	opens = true;
	drains = false;
	signals_wanted = 0;
	signal_wanted = SIGTERM;
	stops = 0;
	memset(calls, 0, sizeof(calls));
}

static void
assert_runs(int status, const char *expected)
{
	ck_assert_int_eq(program_loop_run(&loop, &stops), status);
	ck_assert_str_eq(calls, expected);
}

START_TEST(told_once_it_drains_and_ends_when_it_is_done)
{
	drains = true;
	signals_wanted = 1;
	assert_runs(0, "obdsc");
}
END_TEST

START_TEST(told_twice_it_ends_though_it_is_not_done)
{
	signals_wanted = 2;
	assert_runs(0, "obdsc");
}
END_TEST

START_TEST(the_time_to_drain_is_bounded)
{
	work.cut = cut;
	loop.drain_ms = 20;
	signals_wanted = 1;
	assert_runs(0, "obdxsc");
}
END_TEST

START_TEST(it_leaves_first_and_drains_when_the_delay_is_over)
{
	drains = true;
	loop.leave_ms = 20;
	signals_wanted = 1;
	assert_runs(0, "obldsc");
}
END_TEST

/* The drain time is counted from the beginning of draining. */
START_TEST(each_further_signal_ends_a_state)
{
	work.cut = cut;
	loop.leave_ms = NEVER_MS;
	loop.drain_ms = NEVER_MS;
	signals_wanted = 3;
	assert_runs(0, "obldsc");
}
END_TEST

START_TEST(a_signal_that_came_before_counts)
{
	stops = 1;
	drains = true;
	assert_runs(0, "obdsc");
}
END_TEST

START_TEST(hanging_up_stops_nothing)
{
	work.hang_up = hang_up;
	drains = true;
	signal_wanted = SIGHUP;
	signals_wanted = 1;
	assert_runs(0, "obhdsc");
}
END_TEST

START_TEST(what_cannot_open_is_closed_and_has_failed)
{
	opens = false;
	assert_runs(CONFIG_EXIT_FAILED, "oc");
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_checked_fixture(cases, start, NULL);
	tcase_add_test(cases, told_once_it_drains_and_ends_when_it_is_done);
	tcase_add_test(cases, told_twice_it_ends_though_it_is_not_done);
	tcase_add_test(cases, the_time_to_drain_is_bounded);
	tcase_add_test(cases, it_leaves_first_and_drains_when_the_delay_is_over);
	tcase_add_test(cases, each_further_signal_ends_a_state);
	tcase_add_test(cases, a_signal_that_came_before_counts);
	tcase_add_test(cases, hanging_up_stops_nothing);
	tcase_add_test(cases, what_cannot_open_is_closed_and_has_failed);
}

SUITE_WITH("program_loop", add_tests)
