/*
 * test_serve_processes.c
 *		When a worker that ended is started again.
 */
#include "tests/unit/suite.h"
#include "serve/processes.h"

START_TEST(early_ends_are_followed_by_longer_and_longer_pauses)
{
	int early = 0;

	ck_assert_int_eq(processes_restart_delay(&early, 10, false), 1000);
	ck_assert_int_eq(processes_restart_delay(&early, 10, false), 2000);
	ck_assert_int_eq(processes_restart_delay(&early, 10, false), 4000);
	for (int i = 0; i < 100; i++)
		ck_assert_int_le(processes_restart_delay(&early, 10, false), PROCESS_RESTART_LAST_MS);
	ck_assert_int_eq(processes_restart_delay(&early, 10, false), PROCESS_RESTART_LAST_MS);
}
END_TEST

START_TEST(a_worker_that_has_run_for_long_begins_anew)
{
	int early = PROCESS_STARTS_MAX - 1;

	ck_assert_int_eq(processes_restart_delay(&early, PROCESS_STEADY_MS, true), 1000);
	ck_assert_int_eq(early, 0);
}
END_TEST

START_TEST(a_worker_that_cannot_start_is_given_up_and_one_that_crashes_is_not)
{
	int crashed = 0;
	int refused = 0;

	for (int i = 1; i < PROCESS_STARTS_MAX; i++)
		ck_assert_int_gt(processes_restart_delay(&refused, 10, true), 0);
	ck_assert_int_eq(processes_restart_delay(&refused, 10, true), -1);
	for (int i = 0; i < 10 * PROCESS_STARTS_MAX; i++)
		ck_assert_int_gt(processes_restart_delay(&crashed, 10, false), 0);
}
END_TEST

SUITE("serve_processes", early_ends_are_followed_by_longer_and_longer_pauses,
	  a_worker_that_has_run_for_long_begins_anew,
	  a_worker_that_cannot_start_is_given_up_and_one_that_crashes_is_not)
