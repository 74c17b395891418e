/*
 * test_realtime_wait.c
 *		Waiting for something to happen: what is handed over when, and what becomes of
 *		sockets while it fails.
 *
 * The clock is the test's own.
 */
#include "lib/clock.h"
#include "tests/unit/db_stage.h"
#include "tests/unit/realtime_stage.h"
#include "tests/unit/suite.h"

static StageSocket first;
static StageSocket second;
static StageSocket third;

static int64_t now_ms = 1000;

int64_t
clock_monotonic_ms(void)
{
	return now_ms;
}

int64_t
clock_monotonic_us(void)
{
	return now_ms * 1000;
}

int64_t
clock_wall_ms(void)
{
	return now_ms;
}

static void
stop(void)
{
	db_stage_is_full = false;
	stage_stop();
}

/* A socket of an organization's own key. */
static void
open_in(uint8_t org, StageSocket *socket)
{
	stage_enter(org);
	stage_open(socket, "credential", org, true, NULL, STAGE_FOR_LONG);
	stage_settle();
}

static void
fail_to_wait(void)
{
	db_stage_refuse("event_wait", DB_REFUSED, "42501");
}

/* ---- failures ---- */

START_TEST(when_waiting_fails_those_who_were_handed_over_are_read_for)
{
	stage_open_live(&first, "first", NULL);
	ck_assert_ptr_nonnull(db_stage_find("event_wait"));
	ck_assert_ptr_null(stage_reader());
	fail_to_wait();
	ck_assert_str_eq(stage_reader(), "first");
	stage_answer_events(1);
	ck_assert_int_eq(first.sends, 1);
}
END_TEST

START_TEST(a_failure_that_does_not_last_closes_nobody)
{
	stage_open_live(&first, "first", NULL);
	fail_to_wait();
	now_ms += WAIT_LOST_MS;
	stage_open_live(&second, "second", NULL);
	ck_assert_ptr_nonnull(db_stage_find("event_wait"));
	ck_assert_int_eq(first.code, 0);
	ck_assert_int_eq(second.code, 0);
}
END_TEST

/* ... the one, too, that has just been opened. */
START_TEST(a_failure_that_lasts_closes_all)
{
	stage_open_live(&first, "first", NULL);
	fail_to_wait();
	stage_settle();
	now_ms += WAIT_LOST_MS + 1;
	db_stage_is_full = true;
	stage_open(&second, "second", 1, true, NULL, STAGE_FOR_LONG);
	ck_assert_int_eq(first.code, WEBSOCKET_TRY_LATER);
	ck_assert_int_eq(second.code, WEBSOCKET_TRY_LATER);
}
END_TEST

/* ---- knocking ---- */

static void
answer_knock(void)
{
	db_stage_answer_rows("event_knock", 0, 0, NULL);
}

/* The server knows all that was handed over, and nothing has happened. */
static void
answer_wait(void)
{
	const DbStageCell cells[] = {{NULL, 0}, {"\1", 1}};

	db_stage_answer_rows("event_wait", 1, 2, cells);
}

START_TEST(a_wait_is_knocked_at_once_and_no_more)
{
	open_in(1, &first);
	ck_assert_ptr_null(db_stage_find("event_knock"));
	open_in(2, &second);
	ck_assert_ptr_nonnull(db_stage_find("event_knock"));
	answer_knock();
	open_in(3, &third);
	ck_assert_ptr_null(db_stage_find("event_knock"));
}
END_TEST

START_TEST(a_knock_that_came_too_late_is_made_again)
{
	open_in(1, &first);
	open_in(2, &second);
	answer_wait();
	ck_assert_ptr_nonnull(db_stage_find("event_wait"));
	stage_settle();
	open_in(3, &third);
	answer_knock();
	ck_assert_ptr_nonnull(db_stage_find("event_knock"));
}
END_TEST

START_TEST(where_all_is_handed_over_nobody_knocks)
{
	open_in(1, &first);
	stage_open_live(&second, "second", "message");
	ck_assert_ptr_null(db_stage_find("event_knock"));
}
END_TEST

static void
add_tests(TCase *cases)
{
	const TTest *const tests[] = {
		when_waiting_fails_those_who_were_handed_over_are_read_for,
		a_failure_that_does_not_last_closes_nobody,
		a_failure_that_lasts_closes_all,
		a_wait_is_knocked_at_once_and_no_more,
		a_knock_that_came_too_late_is_made_again,
		where_all_is_handed_over_nobody_knocks,
	};

	tcase_add_checked_fixture(cases, stage_start, stop);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(cases, tests[i]);
}

SUITE_WITH("realtime_wait", add_tests)
