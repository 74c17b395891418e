/*
 * test_webhooks_queue.c
 *		The deliveries of one webhook: what is sent when, what is said of it to the database,
 *		and how a queue ends.
 */
#include "lib/clock.h"
#include "tests/unit/db_stage.h"
#include "tests/unit/queue_stage.h"
#include "tests/unit/suite.h"

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

START_TEST(when_few_are_left_the_webhook_is_read_again)
{
	stage_answer_webhook("http://old.example/");
	stage_answer_deliveries("abcdefghijkl");
	ck_assert(!stage_is_asked("webhook_lane"));
	for (char body = '0'; body <= '3'; body++)
	{
		stage_receiver_answers(body, 200);
		stage_answer_done("delivered");
	}
	ck_assert(stage_is_asked("webhook_lane"));
	stage_answer_webhook("http://new.example/");
	stage_answer_deliveries("z");
	for (char body = '4'; body <= '7'; body++)
		stage_receiver_answers(body, 200);
	ck_assert_str_eq(stage.attempts[stage.attempt_count - 1]->url, "http://new.example/");
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
	ck_assert_str_eq(stage_reported(), "no answer in time, not delivered");
}
END_TEST

START_TEST(an_event_that_is_gone_is_reported_and_not_sent)
{
	stage_take("-");
	ck_assert_int_eq(stage.attempt_count, 0);
	ck_assert_str_eq(stage_reported(), "the event is not kept any more, not delivered");
}
END_TEST

START_TEST(what_the_database_did_not_take_is_reported_again)
{
	stage_take("a");
	stage_receiver_answers('0', 200);
	stage_answer_outcome("delivery_done", DB_UNAVAILABLE);
	ck_assert(!stage_is_asked("delivery_done"));
	queue_tick(stage.queue, clock_monotonic_ms());
	ck_assert(!stage_is_asked("delivery_done"));
	queue_tick(stage.queue, clock_monotonic_ms() + QUEUE_REPORT_AGAIN_MS);
	ck_assert_str_eq(stage_reported(), "200 delivered");
	ck_assert_int_eq(stage.attempt_count, 0);
}
END_TEST

START_TEST(what_the_queue_did_not_take_is_reported_again)
{
	stage_take("a");
	db_stage_is_full = true;
	stage_receiver_answers('0', 200);
	db_stage_is_full = false;
	ck_assert(!stage_is_asked("delivery_done"));
	queue_tick(stage.queue, clock_monotonic_ms() + QUEUE_REPORT_AGAIN_MS);
	ck_assert_str_eq(stage_reported(), "200 delivered");
}
END_TEST

START_TEST(what_the_database_refuses_is_not_reported_again)
{
	stage_take("a");
	stage_receiver_answers('0', 200);
	stage_answer_outcome("delivery_done", DB_REFUSED);
	queue_tick(stage.queue, clock_monotonic_ms() + QUEUE_REPORT_AGAIN_MS);
	ck_assert(!stage_is_asked("delivery_done"));
}
END_TEST

/* ---- how it ends ---- */

START_TEST(with_nothing_left_the_lease_is_given_back)
{
	stage_take("a");
	stage_receiver_answers('0', 200);
	stage_answer_done("delivered");
	/* there may be more: it looks, and finds nothing */
	stage_answer_webhook("http://r.example/");
	stage_answer_deliveries("");
	ck_assert(stage_is_asked("lane_release"));
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

START_TEST(one_that_is_woken_while_it_takes_looks_again)
{
	stage_answer_webhook("http://r.example/");
	queue_wake(stage.queue);
	stage_answer_deliveries("");
	ck_assert(!stage_is_asked("lane_release"));
	stage_answer_webhook("http://r.example/");
	ck_assert(stage_is_asked("deliveries_take"));
}
END_TEST

START_TEST(a_webhook_that_is_gone_gets_nothing)
{
	stage_answer_webhook(NULL);
	ck_assert(!stage_is_asked("deliveries_take"));
	stage_answer_bool("lane_release", true);
	ck_assert_ptr_null(stage.queue);
}
END_TEST

START_TEST(without_the_database_it_ends)
{
	stage_answer_outcome("webhook_lane", DB_LOST);
	ck_assert(!stage_is_asked("deliveries_take"));
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
	stage_answer_done("delivered");
	ck_assert(!stage_is_asked("lane_release"));
	stage_answer_done("delivered");
	stage_answer_look();
	stage_answer_bool("lane_release", true);
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
	stage_answer_done("stale");
	stage_answer_look();
	ck_assert_ptr_null(stage.queue);
}
END_TEST

START_TEST(when_the_lease_is_over_nothing_more_is_sent_or_reported)
{
	stage_take("aab");
	stage_receiver_answers('2', 200);
	queue_tick(stage.queue, stage.began_ms + STAGE_LEASE_MS);
	ck_assert(!stage_is_asked("delivery_done"));
	ck_assert_str_eq(stage_under_way(), "0");
	stage_receiver_answers('0', 200);
	ck_assert_str_eq(stage_under_way(), "");
	stage_answer_done("stale");
	stage_answer_look();
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
		when_few_are_left_the_webhook_is_read_again,
		the_outcome_is_reported,
		an_event_that_is_gone_is_reported_and_not_sent,
		what_the_database_did_not_take_is_reported_again,
		what_the_queue_did_not_take_is_reported_again,
		what_the_database_refuses_is_not_reported_again,
		with_nothing_left_the_lease_is_given_back,
		one_that_is_woken_while_it_ends_says_so,
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
