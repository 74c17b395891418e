/*
 * test_db_task.c
 *		A task asks once for each time that was set, and its answer says what comes next.
 */
#include <event2/event.h>

#include "db/task.h"
#include "tests/unit/db_stage.h"
#include "tests/unit/suite.h"

#define STATEMENT "me"
#define ROLE "gateway"

static struct event_base *base;
static DbTask task;
static bool makes;   /* make() succeeds */
static int made;     /* requests */
static int taken;    /* answers, and NULLs */
static int nothing;  /* NULLs */
static int again_ms; /* what take() sets; -1: nothing */
static bool closes;  /* take() closes the task */

static DbRequest *
make(void *context, DbDone done, void *arg)
{
	ck_assert_ptr_eq(context, &task);
	made++;
	return makes ? db_request_new(db_statement_find(ROLE, STATEMENT), DB_LANE_FAST, 1000, done, arg)
				 : NULL;
}

static void
take(void *context, const DbResult *result)
{
	ck_assert_ptr_eq(context, &task);
	ck_assert(!db_task_is_asked(&task));
	taken++;
	nothing += result == NULL ? 1 : 0;
	if (again_ms >= 0)
		db_task_in(&task, again_ms);
	if (closes)
		db_task_close(&task);
}

static void
start(void)
{
	base = event_base_new();
	makes = true;
	made = taken = nothing = 0;
	again_ms = -1;
	closes = false;
	ck_assert(db_task_open(&task, base, NULL, make, take, &task));
}

static void
stop(void)
{
	db_task_close(&task);
	ck_assert_int_eq(db_stage_count(), 0);
	event_base_free(base);
}

/* Runs until nothing is left to wait for. */
static void
run(void)
{
	ck_assert_int_ge(event_base_dispatch(base), 0);
}

static void
answer(void)
{
	db_stage_refuse(STATEMENT, DB_TIMED_OUT, "");
}

START_TEST(it_asks_when_its_time_has_come_and_not_before)
{
	run();
	ck_assert_int_eq(made, 0);
	db_task_in(&task, 60000);
	db_task_in(&task, 1);
	run();
	ck_assert_int_eq(made, 1);
	ck_assert(db_task_is_asked(&task));
	answer();
	ck_assert_int_eq(taken, 1);
	ck_assert_int_eq(nothing, 0);
	run();
	ck_assert_int_eq(made, 1);
}
END_TEST

START_TEST(an_answer_may_set_the_next_time)
{
	again_ms = 0;
	db_task_in(&task, 0);
	for (int i = 1; i <= 3; i++)
	{
		run();
		ck_assert_int_eq(made, i);
		answer();
		ck_assert_int_eq(taken, i);
	}
}
END_TEST

START_TEST(a_time_that_comes_while_it_is_asked_asks_no_second_time)
{
	db_task_in(&task, 0);
	run();
	db_task_in(&task, 0);
	run();
	ck_assert_int_eq(made, 1);
	ck_assert_int_eq(taken, 0);
	answer();
	ck_assert_int_eq(taken, 1);
}
END_TEST

START_TEST(what_cannot_be_asked_is_told_without_an_answer)
{
	makes = false;
	db_task_in(&task, 0);
	run();
	ck_assert_int_eq(nothing, 1);
	makes = true;
	db_stage_is_full = true;
	db_task_in(&task, 0);
	run();
	db_stage_is_full = false;
	ck_assert_int_eq(nothing, 2);
	ck_assert(!db_task_is_asked(&task));
}
END_TEST

START_TEST(it_may_ask_at_once_and_then_not_again_at_its_time)
{
	db_task_in(&task, 0);
	db_task_now(&task);
	ck_assert_int_eq(made, 1);
	ck_assert(db_task_is_asked(&task));
	answer();
	run();
	ck_assert_int_eq(made, 1);
	makes = false;
	db_task_now(&task);
	ck_assert_int_eq(nothing, 1);
}
END_TEST

START_TEST(a_task_that_is_stopped_still_takes_its_answer)
{
	db_task_in(&task, 0);
	run();
	db_task_in(&task, 0);
	db_task_stop(&task);
	answer();
	run();
	ck_assert_int_eq(made, 1);
	ck_assert_int_eq(taken, 1);
}
END_TEST

START_TEST(a_task_that_is_closed_takes_none)
{
	db_task_in(&task, 0);
	run();
	db_task_close(&task);
	ck_assert_int_eq(db_stage_count(), 0);
	ck_assert_int_eq(taken, 0);
}
END_TEST

START_TEST(it_may_be_closed_by_what_it_tells)
{
	closes = true;
	db_task_in(&task, 0);
	run();
	answer();
	ck_assert_int_eq(taken, 1);
	stop();
	start();
	closes = true;
	db_stage_is_full = true;
	db_task_in(&task, 0);
	run();
	db_stage_is_full = false;
	ck_assert_int_eq(nothing, 1);
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, it_asks_when_its_time_has_come_and_not_before);
	tcase_add_test(cases, an_answer_may_set_the_next_time);
	tcase_add_test(cases, a_time_that_comes_while_it_is_asked_asks_no_second_time);
	tcase_add_test(cases, what_cannot_be_asked_is_told_without_an_answer);
	tcase_add_test(cases, it_may_ask_at_once_and_then_not_again_at_its_time);
	tcase_add_test(cases, a_task_that_is_stopped_still_takes_its_answer);
	tcase_add_test(cases, a_task_that_is_closed_takes_none);
	tcase_add_test(cases, it_may_be_closed_by_what_it_tells);
}

SUITE_WITH("db_task", add_tests)
