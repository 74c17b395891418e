/*
 * test_client_resolve.c
 *		Looking up names: those that never answer hold up no others, and what has failed is not
 *		asked for again at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"
#include "tests/unit/webhooks_wire.h"

#define SILENT 400

/* So many questions at once fit into the socket of the name server. */
#define BATCH 20

static WebhooksWire wire;

static const char *const here[] = {"127.0.0.1", NULL};
static const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE] = {1};
static const uint8_t other[NEGATIVE_CACHE_ASKER_SIZE] = {2};

static void
start(void)
{
	webhooks_wire_start(&wire);
	ck_assert(egress_allow(&wire.rules, "127.0.0.1"));
}

static void
stop(void)
{
	webhooks_wire_stop(&wire);
}

/* ---- names that never answer ---- */

static void
on_silent(void *arg, const struct sockaddr_storage *addresses, int count, const char *problem)
{
	int *ended = arg;

	(void) addresses;
	(void) problem;
	ck_assert_int_eq(count, 0);
	(*ended)++;
}

static void
on_found(void *arg, const struct sockaddr_storage *addresses, int count, const char *problem)
{
	(void) addresses;
	ck_assert_ptr_null(problem);
	ck_assert_int_eq(count, 1);
	*(bool *) arg = true;
}

START_TEST(names_that_never_answer_hold_up_no_others)
{
	Resolution *silent[SILENT];
	bool found = false;
	int ended = 0;

	wire.answers = here;
	for (int i = 0; i < SILENT; i++)
	{
		char name[32];

		snprintf(name, sizeof(name), "silent%d.example", i);
		silent[i] = resolve_start(wire.setup.destination.resolver, asker, name, on_silent, &ended);
		ck_assert_ptr_nonnull(silent[i]);
		if (i % BATCH == BATCH - 1)
			event_base_loop(wire.base, EVLOOP_NONBLOCK);
	}
	ck_assert_ptr_nonnull(resolve_start(wire.setup.destination.resolver, other, "receiver.example",
										on_found, &found));
	webhooks_wire_run_until(&wire, &found);
	ck_assert_int_eq(ended, 0);
	ck_assert_int_ge(wire.unanswered, SILENT);
	for (int i = 0; i < SILENT; i++)
		resolve_abandon(silent[i]);
}
END_TEST

START_TEST(a_name_that_never_answers_is_not_asked_for_again_at_once)
{
	wire.setup.timeout_ms = 300;
	webhooks_wire_attempt(&wire, "http://silent.example:%d/");
	ck_assert_str_eq(wire.result.problem, "the name could not be resolved in time");
	for (int i = 0; i < 5; i++)
	{
		webhooks_wire_attempt(&wire, "http://silent.example:%d/");
		ck_assert_str_eq(wire.result.problem, RESOLVE_NOWHERE);
	}
	ck_assert_int_eq(wire.unanswered, 1);
}
END_TEST

/* libevent itself gives up, before the attempt's time is over. */
START_TEST(a_question_that_was_given_up_is_not_asked_again_at_once)
{
	wire.setup.timeout_ms = 10000;
	for (int i = 0; i < 5; i++)
	{
		webhooks_wire_attempt(&wire, "http://silent.example:%d/");
		ck_assert_str_eq(wire.result.problem, RESOLVE_NOWHERE);
	}
	ck_assert_int_eq(wire.unanswered, atoi(RESOLVE_TRIES));
}
END_TEST

/* ---- names that there are not ---- */

START_TEST(a_name_that_is_not_there_is_not_asked_for_again_at_once)
{
	for (int i = 0; i < 5; i++)
	{
		webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
		ck_assert_str_eq(wire.result.problem, RESOLVE_NOWHERE);
	}
	ck_assert_int_eq(wire.questions, 1);
	webhooks_wire_attempt(&wire, "http://other.example:%d/");
	ck_assert_int_eq(wire.questions, 2);
}
END_TEST

/* Else the speed of a failure would tell what others have looked up. */
START_TEST(what_one_has_asked_for_does_not_answer_another)
{
	wire.asker[0] = 1;
	webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
	wire.asker[0] = 2;
	wire.answers = here;
	webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
	ck_assert(wire.result.delivered);
	wire.asker[0] = 1;
	webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
	ck_assert(!wire.result.delivered);
	ck_assert_int_eq(wire.questions, 2);
}
END_TEST

/* ---- what is not remembered ---- */

START_TEST(a_name_with_an_address_is_asked_for_at_each_attempt)
{
	wire.answers = here;
	for (int i = 1; i <= 3; i++)
	{
		webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
		ck_assert(wire.result.delivered);
		ck_assert_int_eq(wire.questions, i);
	}
}
END_TEST

START_TEST(an_address_that_is_not_allowed_is_looked_at_again)
{
	static const char *const moving[] = {"10.0.0.1", "127.0.0.1", NULL};

	wire.answers = moving;
	webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
	ck_assert_str_eq(wire.result.problem, RESOLVE_NOWHERE);
	webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
	ck_assert(wire.result.delivered);
}
END_TEST

START_TEST(a_look_up_that_was_abandoned_says_nothing_of_the_name)
{
	bool found = false;
	int ended = 0;

	wire.answers = here;
	resolve_abandon(resolve_start(wire.setup.destination.resolver, asker, "receiver.example",
								  on_silent, &ended));
	ck_assert_ptr_nonnull(resolve_start(wire.setup.destination.resolver, asker, "receiver.example",
										on_found, &found));
	webhooks_wire_run_until(&wire, &found);
	ck_assert_int_eq(ended, 0);
}
END_TEST

/* ---- the cache ---- */

START_TEST(an_entry_ends)
{
	NegativeCache *cache = negative_cache_open();

	ck_assert(!negative_cache_has(cache, asker, "a.example", 1000));
	negative_cache_add(cache, asker, "a.example", 1000);
	ck_assert(negative_cache_has(cache, asker, "a.example", 1000));
	ck_assert(negative_cache_has(cache, asker, "a.example", 999 + NEGATIVE_CACHE_MS));
	ck_assert(!negative_cache_has(cache, asker, "a.example", 1000 + NEGATIVE_CACHE_MS));
	negative_cache_add(cache, asker, "b.example", 1000 + NEGATIVE_CACHE_MS);
	ck_assert(!negative_cache_has(cache, asker, "a.example", 1000 + NEGATIVE_CACHE_MS));
	negative_cache_close(cache);
}
END_TEST

START_TEST(an_entry_is_for_one_name_and_one_asker)
{
	NegativeCache *cache = negative_cache_open();

	negative_cache_add(cache, asker, "a.example", 1000);
	ck_assert(negative_cache_has(cache, asker, "a.example", 1000));
	ck_assert(!negative_cache_has(cache, other, "a.example", 1000));
	ck_assert(!negative_cache_has(cache, asker, "a.exampl", 1000));
	ck_assert(!negative_cache_has(cache, asker, "a.example.com", 1000));
	negative_cache_close(cache);
}
END_TEST

START_TEST(entries_have_a_number_and_names_a_length)
{
	NegativeCache *cache = negative_cache_open();
	char name[EGRESS_HOST_MAX + 2];

	memset(name, 'a', sizeof(name));
	name[EGRESS_HOST_MAX + 1] = '\0';
	negative_cache_add(cache, asker, name, 1000);
	ck_assert(!negative_cache_has(cache, asker, name, 1000));
	name[EGRESS_HOST_MAX] = '\0';
	negative_cache_add(cache, asker, name, 1000);
	ck_assert(negative_cache_has(cache, asker, name, 1000));
	for (int i = 1; i < NEGATIVE_CACHE_MAX; i++)
		negative_cache_add(cache, asker, "b.example", 1000);
	ck_assert(negative_cache_has(cache, asker, name, 1000));
	negative_cache_add(cache, asker, "b.example", 1000);
	ck_assert(!negative_cache_has(cache, asker, name, 1000));
	negative_cache_close(cache);
}
END_TEST

static void
add_tests(TCase *cases)
{
	const TTest *const tests[] = {names_that_never_answer_hold_up_no_others,
								  a_name_that_never_answers_is_not_asked_for_again_at_once,
								  a_question_that_was_given_up_is_not_asked_again_at_once,
								  a_name_that_is_not_there_is_not_asked_for_again_at_once,
								  what_one_has_asked_for_does_not_answer_another,
								  a_name_with_an_address_is_asked_for_at_each_attempt,
								  an_address_that_is_not_allowed_is_looked_at_again,
								  a_look_up_that_was_abandoned_says_nothing_of_the_name,
								  an_entry_ends,
								  an_entry_is_for_one_name_and_one_asker,
								  entries_have_a_number_and_names_a_length};

	tcase_add_checked_fixture(cases, start, stop);
	tcase_set_timeout(cases, 30);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(cases, tests[i]);
}

SUITE_WITH("client_resolve", add_tests)
