/*
 * test_cloud_pace.c
 *		When the next message may be sent: by Meta's rates, and after the pauses that it asks for.
 */
#include "cloud/pace.h"
#include "tests/unit/suite.h"

static const WakRate rate = {.per_minute = 600, .burst = 10};
static const int64_t now = 1000000;

START_TEST(a_recipient_gets_45_at_once_and_then_one_in_six_seconds)
{
	const WakRate much = {.per_minute = 60000, .burst = 1000};
	Pace number = {.strikes = 0};
	Pace recipient = {.strikes = 0};

	for (int i = 0; i < 45; i++)
		ck_assert_int_eq(pace_take(&number, much, &recipient, now), 0);
	ck_assert_int_eq(pace_take(&number, much, &recipient, now), 6000);
	ck_assert_int_eq(pace_take(&number, much, &recipient, now + 5999), 1);
	ck_assert_int_eq(pace_take(&number, much, &recipient, now + 6000), 0);
}
END_TEST

START_TEST(who_has_to_wait_takes_nothing)
{
	Pace number = {.strikes = 0};
	Pace recipient = {.strikes = 0};
	Pace other = {.strikes = 0};

	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(pace_take(&number, rate, &recipient, now), 0);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(pace_take(&number, rate, &other, now), 100);
	ck_assert(pace_is_idle(&other, pace_recipient_rate, now));
	ck_assert(!pace_is_idle(&recipient, pace_recipient_rate, now));
	ck_assert(pace_is_idle(&recipient, pace_recipient_rate, now + 60000));
}
END_TEST

START_TEST(pauses_grow_until_a_message_is_taken)
{
	Pace number = {.strikes = 0};
	Pace recipient = {.strikes = 0};
	int64_t at = now;

	for (int64_t expected = 1000; expected <= 64000; expected *= 4)
	{
		pace_pause(&recipient, 0, 4, at);
		ck_assert_int_eq(pace_take(&number, rate, &recipient, at), expected);
		at += expected;
	}
	pace_resume(&recipient);
	pace_pause(&recipient, 0, 4, at);
	ck_assert_int_eq(pace_take(&number, rate, &recipient, at), 1000);
	for (int i = 0; i < 100; i++)
	{
		pace_pause(&recipient, 0, 4, at);
		at = recipient.paused_until;
	}
	ck_assert_int_eq(recipient.paused_until - at, 0);
	pace_pause(&recipient, 0, 4, at);
	ck_assert_int_eq(pace_take(&number, rate, &recipient, at), PACE_PAUSE_MAX_MS);
}
END_TEST

START_TEST(refusals_of_what_was_sent_together_are_one)
{
	Pace number = {.strikes = 0};
	Pace recipient = {.strikes = 0};

	for (int i = 0; i < 20; i++)
		pace_pause(&number, 0, 2, now);
	ck_assert_int_eq(number.strikes, 1);
	ck_assert_int_le(pace_take(&number, rate, &recipient, now), 2000);
}
END_TEST

START_TEST(a_pause_that_is_asked_for_is_kept)
{
	Pace number = {.strikes = 0};
	Pace recipient = {.strikes = 0};

	pace_pause(&number, 60000, 2, now);
	pace_pause(&number, 1000, 2, now);
	ck_assert_int_eq(pace_take(&number, rate, &recipient, now), 60000);
	ck_assert_int_eq(pace_take(&number, rate, &recipient, now + 60000), 0);
}
END_TEST

SUITE("cloud_pace", a_recipient_gets_45_at_once_and_then_one_in_six_seconds,
	  who_has_to_wait_takes_nothing, pauses_grow_until_a_message_is_taken,
	  refusals_of_what_was_sent_together_are_one, a_pause_that_is_asked_for_is_kept)
