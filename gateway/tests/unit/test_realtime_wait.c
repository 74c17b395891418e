/*
 * test_realtime_wait.c
 *		Waiting for something to happen: what is handed over when, and what becomes of
 *		sockets while it fails.
 *
 * The clock is the test's own.
 */
#include "tests/unit/clock_stage.h"
#include "tests/unit/db_stage.h"
#include "tests/unit/realtime_stage.h"
#include "tests/unit/suite.h"

static StageSocket first;
static StageSocket second;
static StageSocket third;

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
	clock_stage_ms += WAIT_LOST_MS;
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
	clock_stage_ms += WAIT_LOST_MS + 1;
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

/* ---- what is told ---- */

/* Something has happened in an organization; or its credential has ended: not watched. */
static void
answer_change(bool known, uint8_t org, bool watched)
{
	const uint8_t id[DB_UUID_SIZE] = {org};
	const DbStageCell cells[] = {
		{NULL, 0}, {known ? "\1" : "\0", 1}, {id, DB_UUID_SIZE}, {watched ? "\1" : "\0", 1}};

	db_stage_answer_rows("event_wait", 2, 2, cells);
}

/* How many credentials the wait that is under way hands over. */
static int
handed(void)
{
	int count = 0;
	int len;

	for (int i = 2; i < db_stage_find("event_wait")->params; i++)
		count += stage_param("event_wait", i, &len) == NULL ? 0 : 1;
	return count;
}

START_TEST(a_change_wakes_its_own_organization_only)
{
	open_in(1, &first);
	open_in(2, &second);
	clock_stage_ms += 1000;
	answer_change(true, 1, true);
	ck_assert_int_eq(handed(), 1);
	stage_answer_events(1);
	ck_assert_int_eq(first.sends, 1);
	stage_settle();
	ck_assert_int_eq(second.sends, 0);
	clock_stage_ms += 1000;
	answer_change(true, 2, true);
	stage_answer_events(1);
	ck_assert_int_eq(second.sends, 1);
	ck_assert_int_eq(first.sends, 1);
	ck_assert_int_eq(handed(), 0);
}
END_TEST

START_TEST(what_is_not_watched_any_more_is_handed_over_again)
{
	open_in(1, &first);
	clock_stage_ms += 1000;
	answer_change(true, 1, true);
	ck_assert_int_eq(handed(), 0);
	clock_stage_ms += 1000;
	answer_change(true, 1, false);
	ck_assert_int_eq(handed(), 1);
}
END_TEST

START_TEST(a_server_that_knows_nothing_gets_all_again)
{
	open_in(1, &first);
	open_in(2, &second);
	clock_stage_ms += 1000;
	answer_change(true, 1, true);
	clock_stage_ms += 1000;
	answer_change(true, 2, true);
	ck_assert_int_eq(handed(), 0);
	clock_stage_ms += 1000;
	answer_change(false, 1, true);
	ck_assert_int_eq(handed(), 1);
}
END_TEST

START_TEST(so_many_are_handed_over_at_once)
{
	static StageSocket sockets[12];

	for (uint8_t i = 0; i < 12; i++)
		open_in((uint8_t) (i + 1), &sockets[i]);
	ck_assert_int_eq(handed(), 1);
	clock_stage_ms += 1000;
	answer_change(true, 1, true);
	ck_assert_int_eq(handed(), 8);
	clock_stage_ms += 1000;
	answer_change(true, 2, true);
	/* those who have not had their turn go before those that were not taken */
	ck_assert_int_eq(handed(), 8);
	for (uint8_t i = 10; i <= 12; i++)
	{
		const uint8_t id[DB_UUID_SIZE] = {i};

		ck_assert_int_eq(org_find(stage_realtime, id)->state, ORG_HANDED);
	}
}
END_TEST

START_TEST(without_sockets_nobody_waits_again)
{
	open_in(1, &first);
	stage_leave(&first);
	answer_wait();
	ck_assert_ptr_null(db_stage_find("event_wait"));
	open_in(1, &first);
	ck_assert_ptr_nonnull(db_stage_find("event_wait"));
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
		a_change_wakes_its_own_organization_only,
		what_is_not_watched_any_more_is_handed_over_again,
		a_server_that_knows_nothing_gets_all_again,
		so_many_are_handed_over_at_once,
		without_sockets_nobody_waits_again,
	};

	tcase_add_checked_fixture(cases, stage_start, stage_stop);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(cases, tests[i]);
}

SUITE_WITH("realtime_wait", add_tests)
