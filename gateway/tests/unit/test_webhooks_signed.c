/*
 * test_webhooks_signed.c
 *		What a queue does with signatures: each delivery goes with its own, and not when it
 *		has grown old.
 */
#include "tests/unit/queue_stage.h"
#include "tests/unit/suite.h"
#include "webhooks/queue_internal.h"

START_TEST(each_goes_with_its_own_signatures)
{
	stage_take("abc");
	for (int i = 0; i < 3; i++)
	{
		const char number[] = {stage.attempts[i]->body, '\0'};

		ck_assert_int_eq(stage.attempts[i]->signatures.signed_ms, i);
		ck_assert_str_eq(stage.attempts[i]->signatures.hmac, number);
		ck_assert_str_eq(stage.attempts[i]->signatures.standard, number);
	}
}
END_TEST

/* Takes these, and holds the lease for longer than signatures are good. */
static void
take_and_hold(const char *sessions)
{
	stage_take(sessions);
	queue_tick(stage.queue, stage.began_ms + STAGE_LEASE_MS / 2);
	stage_answer_bool("lane_renew", true);
	stage.queue->lease_until_ms = stage.began_ms + 10 * QUEUE_SIGNED_MAX_MS;
}

START_TEST(what_has_waited_too_long_is_given_back_and_comes_again)
{
	int64_t taken_ms;

	take_and_hold("aab");
	taken_ms = stage.queue->taken_ms;
	queue_tick(stage.queue, taken_ms + QUEUE_SIGNED_MAX_MS - 1);
	ck_assert(!stage.queue->stopping);
	queue_tick(stage.queue, taken_ms + QUEUE_SIGNED_MAX_MS);
	stage_receiver_answers('0', 200);
	ck_assert_str_eq(stage_under_way(), "2");
	stage_answer_done("delivered");
	stage_receiver_answers('2', 200);
	stage_answer_done("delivered");
	ck_assert_ptr_null(stage.queue);
	ck_assert(stage.had_more);
}
END_TEST

/* As after a stop of the process: nobody has looked at the clock in between. */
START_TEST(an_old_signature_is_not_sent)
{
	take_and_hold("aa");
	TAILQ_LAST(&stage.queue->deliveries, DeliveryList)->taken_ms -= QUEUE_SIGNED_MAX_MS;
	stage_receiver_answers('0', 200);
	ck_assert_str_eq(stage_under_way(), "");
	TAILQ_LAST(&stage.queue->deliveries, DeliveryList)->taken_ms += QUEUE_SIGNED_MAX_MS;
	stage_answer_done("delivered");
	ck_assert_str_eq(stage_under_way(), "1");
}
END_TEST

/* What is under way has been sent already. */
START_TEST(a_slow_receiver_alone_gives_nothing_back)
{
	take_and_hold("ab");
	queue_tick(stage.queue, stage.queue->taken_ms + 2 * QUEUE_SIGNED_MAX_MS);
	ck_assert(!stage.queue->stopping);
	ck_assert_str_eq(stage_under_way(), "01");
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_checked_fixture(cases, stage_start, stage_stop);
	tcase_add_test(cases, each_goes_with_its_own_signatures);
	tcase_add_test(cases, what_has_waited_too_long_is_given_back_and_comes_again);
	tcase_add_test(cases, an_old_signature_is_not_sent);
	tcase_add_test(cases, a_slow_receiver_alone_gives_nothing_back);
}

SUITE_WITH("webhooks_signed", add_tests)
