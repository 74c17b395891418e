/*
 * test_webhooks_queue.c
 *		The deliveries of one webhook: what is sent when, what is said of it to the database,
 *		and how a queue ends.
 */
#include "lib/clock.h"
#include "tests/unit/db_stage.h"
#include "tests/unit/queue_stage.h"
#include "tests/unit/suite.h"
#include "webhooks/queue_internal.h"

/* ---- what is sent ---- */

START_TEST(of_one_session_one_after_the_other)
{
	stage_take("aab");
	ck_assert_str_eq(stage_under_way(), "02");
	stage_receiver_answers('2', 200);
	ck_assert_str_eq(stage_under_way(), "0");
	stage_receiver_answers('0', 200);
	ck_assert_str_eq(stage_under_way(), "1");
}
END_TEST

START_TEST(one_that_fails_does_not_hold_up_the_next)
{
	stage_take("aa");
	stage_receiver_answers('0', 500);
	ck_assert_str_eq(stage_under_way(), "1");
}
END_TEST

START_TEST(of_several_sessions_at_most_so_many_at_once)
{
	stage_take("abcdef");
	ck_assert_int_eq(stage.attempt_count, QUEUE_SENDING_MAX);
	ck_assert_int_eq(stage.sending, QUEUE_SENDING_MAX);
	ck_assert_str_eq(stage_under_way(), "0123");
	stage_receiver_answers('2', 200);
	ck_assert_str_eq(stage_under_way(), "0134");
}
END_TEST

START_TEST(when_few_are_left_more_are_taken_and_the_webhook_is_read_again)
{
	stage_answer_taken("http://old.example/", "abcdefghijklmnop");
	for (char body = '0'; body <= '7'; body++)
	{
		ck_assert(!stage_is_asked("deliveries_take"));
		stage_receiver_answers(body, 200);
		stage_answer_done("delivered");
	}
	ck_assert(stage_is_asked("deliveries_take"));
	stage_answer_taken("http://new.example/", "q");
	for (const char *body = "89012345"; *body != '\0'; body++)
		stage_receiver_answers(*body, 200);
	ck_assert_str_eq(stage.attempts[stage.attempt_count - 1]->url, "http://new.example/");
}
END_TEST

/* The database gives half of the places to each kind: with less there is no more of either. */
START_TEST(a_taking_that_fills_less_than_half_was_the_last)
{
	stage_take("abcdefghijklmno");
	for (const char *body = "012345678901234"; *body != '\0'; body++)
	{
		stage_receiver_answers(*body, 200);
		stage_answer_done("delivered");
	}
	ck_assert_ptr_null(stage.queue);
	ck_assert(!stage.had_more);
}
END_TEST

/* Sixteen, of which as many as the characters say were never tried. */
static void
take_half(const char *sessions)
{
	stage_take(sessions);
	for (const char *body = "01234567"; *body != '\0'; body++)
	{
		stage_receiver_answers(*body, 200);
		stage_answer_done("delivered");
	}
}

START_TEST(more_is_looked_for_behind_the_last_that_was_never_tried)
{
	ck_assert_int_eq(stage_asked_after(), -1);
	take_half("abcdefghijklmzzz");
	ck_assert_int_eq(stage_asked_after(), 13);
	/* what was tried before has no place among the new ones */
	stage_take("z");
	queue_wake(stage.queue);
	stage_receiver_answers('8', 200);
	stage_answer_done("delivered");
	ck_assert_int_eq(stage_asked_after(), 13);
}
END_TEST

START_TEST(once_in_a_while_it_is_looked_for_from_the_start)
{
	take_half("abcdefghijklmnop");
	ck_assert_int_eq(stage_asked_after(), 16);
	stage.queue->whole_ms -= QUEUE_WHOLE_MS;
	stage_take("");
	queue_wake(stage.queue);
	ck_assert_int_eq(stage_asked_after(), -1);
}
END_TEST

/* ---- what is reported ---- */

START_TEST(the_outcome_is_reported)
{
	stage_take("abc");
	stage_receiver_answers('0', 204);
	ck_assert_str_eq(stage_reported(), "204 delivered");
	stage_answer_done("delivered");
	stage_receiver_answers('1', 410);
	ck_assert_str_eq(stage_reported(), "410 not delivered");
	stage_answer_done("failed");
	stage_receiver_answers('2', 0);
	ck_assert_str_eq(stage_reported(), "no answer in time, not delivered; released");
}
END_TEST

START_TEST(what_comes_in_during_a_report_is_one_report_in_that_order)
{
	stage_take("abcd");
	stage_receiver_answers('2', 200);
	stage_receiver_answers('3', 200);
	stage_receiver_answers('0', 500);
	ck_assert_str_eq(stage_reported(), "200 delivered");
	ck_assert_int_eq(db_stage_count(), 1);
	stage_answer_done("delivered");
	ck_assert_str_eq(stage_reported(), "200 delivered; 500 not delivered");
	stage_receiver_answers('1', 200);
	stage_answer_done("failed");
	ck_assert_str_eq(stage_reported(), "200 delivered; released");
}
END_TEST

START_TEST(an_event_that_is_gone_is_reported_and_not_sent)
{
	stage_take("-");
	ck_assert_int_eq(stage.attempt_count, 0);
	ck_assert_str_eq(stage_reported(), "the event is not kept any more, not delivered; released");
}
END_TEST

START_TEST(what_the_database_did_not_take_is_reported_again)
{
	stage_take("a");
	stage_receiver_answers('0', 200);
	stage_answer_outcome("deliveries_done", DB_UNAVAILABLE);
	ck_assert_int_eq(db_stage_count(), 0);
	queue_tick(stage.queue, clock_monotonic_ms());
	ck_assert(!stage_is_asked("deliveries_done"));
	queue_tick(stage.queue, clock_monotonic_ms() + QUEUE_REPORT_AGAIN_MS);
	ck_assert_str_eq(stage_reported(), "200 delivered; released");
	ck_assert_int_eq(stage.attempt_count, 0);
}
END_TEST

START_TEST(what_the_queue_did_not_take_is_reported_again)
{
	stage_take("a");
	db_stage_is_full = true;
	stage_receiver_answers('0', 200);
	db_stage_is_full = false;
	ck_assert_int_eq(db_stage_count(), 0);
	queue_tick(stage.queue, clock_monotonic_ms() + QUEUE_REPORT_AGAIN_MS);
	ck_assert_str_eq(stage_reported(), "200 delivered; released");
}
END_TEST

START_TEST(what_the_database_refuses_is_not_reported_again)
{
	stage_take("a");
	stage_receiver_answers('0', 200);
	stage_answer_outcome("deliveries_done", DB_REFUSED);
	ck_assert(stage_is_asked("lane_release"));
	queue_tick(stage.queue, clock_monotonic_ms() + QUEUE_REPORT_AGAIN_MS);
	ck_assert(!stage_is_asked("deliveries_done"));
}
END_TEST

START_TEST(of_several_that_the_database_refuses_each_is_reported_by_itself)
{
	stage_take("abc");
	stage_receiver_answers('0', 200);
	stage_receiver_answers('1', 200);
	stage_receiver_answers('2', 500);
	stage_answer_done("delivered");
	stage_answer_outcome("deliveries_done", DB_REFUSED);
	ck_assert_str_eq(stage_reported(), "200 delivered");
	stage_answer_outcome("deliveries_done", DB_REFUSED);
	ck_assert_str_eq(stage_reported(), "500 not delivered; released");
	stage_answer_done("failed");
	ck_assert_ptr_null(stage.queue);
}
END_TEST

/* ---- how it ends ---- */

START_TEST(with_the_last_report_the_lease_is_given_back)
{
	stage_take("a");
	stage_receiver_answers('0', 200);
	ck_assert_str_eq(stage_reported(), "200 delivered; released");
	ck_assert_int_eq(db_stage_count(), 1);
	stage_answer_done("delivered");
	ck_assert_ptr_null(stage.queue);
	ck_assert(!stage.had_more);
}
END_TEST

START_TEST(with_nothing_to_report_the_lease_is_given_back)
{
	stage_take("");
	stage_answer_bool("lane_release", true);
	ck_assert_ptr_null(stage.queue);
	ck_assert(!stage.had_more);
}
END_TEST

START_TEST(one_that_is_woken_while_it_ends_says_so)
{
	stage_take("");
	ck_assert(stage_is_asked("lane_release"));
	queue_wake(stage.queue);
	stage_answer_bool("lane_release", true);
	ck_assert_ptr_null(stage.queue);
	ck_assert(stage.had_more);
}
END_TEST

START_TEST(one_that_is_woken_during_its_last_report_says_so)
{
	stage_take("a");
	stage_receiver_answers('0', 200);
	queue_wake(stage.queue);
	ck_assert_int_eq(db_stage_count(), 1);
	stage_answer_done("delivered");
	ck_assert_ptr_null(stage.queue);
	ck_assert(stage.had_more);
}
END_TEST

START_TEST(one_whose_last_report_is_lost_goes_on)
{
	stage_take("a");
	stage_receiver_answers('0', 200);
	queue_wake(stage.queue);
	stage_answer_outcome("deliveries_done", DB_LOST);
	stage_take("b");
	ck_assert_str_eq(stage_under_way(), "0");
	stage_receiver_answers('0', 200);
	queue_tick(stage.queue, clock_monotonic_ms() + QUEUE_REPORT_AGAIN_MS);
	ck_assert_str_eq(stage_reported(), "200 delivered; 200 delivered; released");
}
END_TEST

START_TEST(one_that_is_woken_while_it_takes_looks_again)
{
	queue_wake(stage.queue);
	stage_take("");
	ck_assert(!stage_is_asked("lane_release"));
	ck_assert(stage_is_asked("deliveries_take"));
}
END_TEST

START_TEST(a_webhook_that_is_gone_gets_nothing)
{
	stage_answer_taken(NULL, "");
	stage_answer_bool("lane_release", true);
	ck_assert_ptr_null(stage.queue);
}
END_TEST

START_TEST(without_the_database_it_ends)
{
	stage_answer_outcome("deliveries_take", DB_LOST);
	stage_answer_outcome("lane_release", DB_UNAVAILABLE);
	ck_assert_ptr_null(stage.queue);
}
END_TEST

START_TEST(one_that_is_stopped_finishes_what_is_under_way)
{
	stage_take("aab");
	queue_stop(stage.queue);
	ck_assert_str_eq(stage_under_way(), "02");
	stage_receiver_answers('0', 200);
	ck_assert_str_eq(stage_under_way(), "2");
	stage_receiver_answers('2', 200);
	ck_assert_str_eq(stage_reported(), "200 delivered");
	stage_answer_done("delivered");
	ck_assert_str_eq(stage_reported(), "200 delivered; released");
	stage_answer_done("delivered");
	ck_assert_ptr_null(stage.queue);
}
END_TEST

/* ---- the lease ---- */

START_TEST(the_lease_is_renewed_in_time)
{
	stage_take("a");
	queue_tick(stage.queue, stage.began_ms + STAGE_LEASE_MS / 3 - 1);
	ck_assert(!stage_is_asked("lane_renew"));
	queue_tick(stage.queue, stage.began_ms + STAGE_LEASE_MS / 3);
	ck_assert(stage_is_asked("lane_renew"));
	stage_answer_bool("lane_renew", true);
	/* from when it was asked for, not from the answer */
	queue_tick(stage.queue, stage.began_ms + STAGE_LEASE_MS / 3 + STAGE_LEASE_MS / 3 - 1);
	ck_assert(!stage_is_asked("lane_renew"));
	queue_tick(stage.queue, stage.began_ms + STAGE_LEASE_MS / 3 + STAGE_LEASE_MS / 3);
	ck_assert(stage_is_asked("lane_renew"));
}
END_TEST

START_TEST(one_whose_lease_is_somebody_elses_sends_nothing_more)
{
	stage_take("aa");
	queue_tick(stage.queue, stage.began_ms + STAGE_LEASE_MS / 3);
	stage_answer_bool("lane_renew", false);
	stage_receiver_answers('0', 200);
	ck_assert_str_eq(stage_under_way(), "");
	/* what it did is said; the database knows whether it still counts */
	ck_assert_str_eq(stage_reported(), "200 delivered");
	stage_answer_done("stale");
	ck_assert_ptr_null(stage.queue);
}
END_TEST

START_TEST(when_the_lease_is_over_nothing_more_is_sent_or_reported)
{
	stage_take("aab");
	stage_receiver_answers('2', 200);
	queue_tick(stage.queue, stage.began_ms + STAGE_LEASE_MS);
	ck_assert(!stage_is_asked("deliveries_done"));
	ck_assert_str_eq(stage_under_way(), "0");
	stage_receiver_answers('0', 200);
	ck_assert_str_eq(stage_under_way(), "");
	stage_answer_done("stale");
	ck_assert_ptr_null(stage.queue);
}
END_TEST

static void
add_tests(TCase *cases)
{
	const TTest *const tests[] = {
		of_one_session_one_after_the_other,
		one_that_fails_does_not_hold_up_the_next,
		of_several_sessions_at_most_so_many_at_once,
		when_few_are_left_more_are_taken_and_the_webhook_is_read_again,
		a_taking_that_fills_less_than_half_was_the_last,
		more_is_looked_for_behind_the_last_that_was_never_tried,
		once_in_a_while_it_is_looked_for_from_the_start,
		the_outcome_is_reported,
		what_comes_in_during_a_report_is_one_report_in_that_order,
		an_event_that_is_gone_is_reported_and_not_sent,
		what_the_database_did_not_take_is_reported_again,
		what_the_queue_did_not_take_is_reported_again,
		what_the_database_refuses_is_not_reported_again,
		of_several_that_the_database_refuses_each_is_reported_by_itself,
		with_the_last_report_the_lease_is_given_back,
		with_nothing_to_report_the_lease_is_given_back,
		one_that_is_woken_while_it_ends_says_so,
		one_that_is_woken_during_its_last_report_says_so,
		one_whose_last_report_is_lost_goes_on,
		one_that_is_woken_while_it_takes_looks_again,
		a_webhook_that_is_gone_gets_nothing,
		without_the_database_it_ends,
		one_that_is_stopped_finishes_what_is_under_way,
		the_lease_is_renewed_in_time,
		one_whose_lease_is_somebody_elses_sends_nothing_more,
		when_the_lease_is_over_nothing_more_is_sent_or_reported,
	};

	tcase_add_checked_fixture(cases, stage_start, stage_stop);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(cases, tests[i]);
}

SUITE_WITH("webhooks_queue", add_tests)
