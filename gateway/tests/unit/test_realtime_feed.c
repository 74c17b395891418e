/*
 * test_realtime_feed.c
 *		What a refusal says, and of whom; who reads for whom, and when.
 */
#include <string.h>

#include "tests/unit/db_stage.h"
#include "tests/unit/realtime_stage.h"
#include "tests/unit/suite.h"

#define NOT_VALID "28000"

static StageSocket first;
static StageSocket second;
static StageSocket third;

/* ---- nobody waits in the database ---- */

Waiting *
waiting_create(Realtime *realtime)
{
	static char nobody;

	(void) realtime;
	return (Waiting *) &nobody;
}

void
waiting_free(Waiting *waiting)
{
	(void) waiting;
}

void
waiting_begin(Waiting *waiting)
{
	(void) waiting;
}

void
waiting_end(Waiting *waiting)
{
	(void) waiting;
}

/* Three sockets of one key, for which one feed is read. */
static void
open_three(void)
{
	stage_open_live(&first, "first", NULL);
	stage_open_live(&second, "second", NULL);
	stage_open_live(&third, "third", NULL);
	stage_wake();
	ck_assert_str_eq(stage_reader(), "first");
	ck_assert_int_eq(db_stage_count(), 1);
}

/* ---- refusals ---- */

START_TEST(a_socket_that_leaves_takes_no_other_along)
{
	open_three();
	stage_leave(&first);
	stage_refuse(NOT_VALID);
	ck_assert_int_eq(second.code, 0);
	ck_assert_int_eq(third.code, 0);
	ck_assert_str_eq(stage_reader(), "second");
	stage_answer_events(1);
	ck_assert_int_eq(second.sends, 1);
	ck_assert_int_eq(third.sends, 1);
}
END_TEST

START_TEST(many_that_leave_take_no_other_along)
{
	open_three();
	stage_leave(&first);
	stage_refuse(NOT_VALID);
	stage_leave(&second);
	stage_refuse(NOT_VALID);
	ck_assert_int_eq(third.code, 0);
	ck_assert_str_eq(stage_reader(), "third");
}
END_TEST

START_TEST(one_credential_that_is_refused_is_not_the_keys_end)
{
	open_three();
	stage_refuse(NOT_VALID);
	ck_assert_int_eq(first.code, WEBSOCKET_UNAUTHORIZED);
	ck_assert_int_eq(second.code, 0);
	ck_assert_str_eq(stage_reader(), "second");
	stage_answer_events(0);
	stage_wake();
	stage_refuse(NOT_VALID);
	ck_assert_int_eq(second.code, WEBSOCKET_UNAUTHORIZED);
	ck_assert_int_eq(third.code, 0);
	ck_assert_str_eq(stage_reader(), "third");
}
END_TEST

START_TEST(of_a_key_that_has_ended_all_are_closed)
{
	open_three();
	stage_refuse(NOT_VALID);
	ck_assert_str_eq(stage_reader(), "second");
	stage_refuse(NOT_VALID);
	ck_assert_int_eq(first.code, WEBSOCKET_UNAUTHORIZED);
	ck_assert_int_eq(second.code, WEBSOCKET_UNAUTHORIZED);
	ck_assert_int_eq(third.code, WEBSOCKET_UNAUTHORIZED);
	ck_assert_ptr_null(stage_reader());
}
END_TEST

START_TEST(what_reaches_its_age_ends_alone)
{
	stage_open_live(&third, "third", NULL);
	stage_open(&first, "first", 1, true, NULL, 1000);
	stage_settle();
	stage_open(&second, "second", 1, true, NULL, 2000);
	stage_settle();
	stage_wake();
	ck_assert_str_eq(stage_reader(), "first");
	stage_refuse(NOT_VALID);
	ck_assert_str_eq(stage_reader(), "second");
	stage_refuse(NOT_VALID);
	ck_assert_int_eq(first.code, WEBSOCKET_UNAUTHORIZED);
	ck_assert_int_eq(second.code, WEBSOCKET_UNAUTHORIZED);
	ck_assert_int_eq(third.code, 0);
	ck_assert_str_eq(stage_reader(), "third");
}
END_TEST

START_TEST(a_person_whose_sign_in_has_ended_is_closed_at_once)
{
	stage_open(&first, "first", 1, false, NULL, STAGE_FOR_LONG);
	stage_open(&second, "second", 1, false, NULL, STAGE_FOR_LONG);
	stage_refuse(NOT_VALID);
	ck_assert_int_eq(first.code, WEBSOCKET_UNAUTHORIZED);
	ck_assert_int_eq(second.code, 0);
	ck_assert_str_eq(stage_reader(), "second");
}
END_TEST

START_TEST(a_database_that_is_away_closes_nobody)
{
	open_three();
	db_stage_refuse("realtime_batch", DB_UNAVAILABLE, "");
	ck_assert_int_eq(first.code, 0);
	ck_assert_int_eq(second.code, 0);
	ck_assert_int_eq(third.code, 0);
}
END_TEST

START_TEST(when_the_last_one_leaves_nothing_is_read)
{
	stage_open(&first, "first", 1, true, NULL, STAGE_FOR_LONG);
	ck_assert_str_eq(stage_reader(), "first");
	stage_leave(&first);
	ck_assert_ptr_null(stage_reader());
}
END_TEST

/* ---- who reads for whom ---- */

/* How many reads there are when something happens, for a socket of each of these. */
static int
reads_for(const char *one, const char *other)
{
	int reads;

	stage_open_live(&first, "first", one);
	stage_open_live(&second, "second", other);
	stage_wake();
	reads = db_stage_count();
	stage_settle();
	return reads;
}

START_TEST(those_that_want_the_same_share_a_read)
{
	ck_assert_int_eq(reads_for(NULL, NULL), 1);
}
END_TEST

START_TEST(the_star_is_all)
{
	ck_assert_int_eq(reads_for(NULL, "*"), 1);
}
END_TEST

START_TEST(the_star_beside_others_is_all)
{
	ck_assert_int_eq(reads_for("*,message", "*"), 1);
}
END_TEST

START_TEST(those_that_want_something_else_do_not)
{
	ck_assert_int_eq(reads_for("chat.update", "message"), 2);
}
END_TEST

/* ---- turns of organizations ---- */

#define MANY 6

static StageSocket many[MANY];

/* An organization with many feeds, "a", and two with one, "b" and "c". */
static void
open_organizations(void)
{
	ck_assert_int_eq(stage_realtime->reads_max, 2);
	for (uint8_t i = 0; i < MANY; i++)
		stage_open(&many[i], "a", 10 + i, false, NULL, STAGE_FOR_LONG);
	stage_enter(2);
	stage_open(&first, "b", 2, false, NULL, STAGE_FOR_LONG);
	stage_enter(3);
	stage_open(&second, "c", 3, false, NULL, STAGE_FOR_LONG);
	stage_settle();
}

static void
wake_organization(uint8_t number)
{
	stage_enter(number);
	stage_wake();
}

START_TEST(organizations_take_turns_however_many_feeds_one_has)
{
	char order[MANY + 3] = "";

	open_organizations();
	wake_organization(1);
	wake_organization(2);
	wake_organization(3);
	while (stage_reader() != NULL)
	{
		ck_assert_uint_lt(strlen(order), sizeof(order) - 1);
		strcat(order, stage_reader());
		stage_answer_events(0);
	}
	ck_assert_str_eq(order, "aabacaaa");
}
END_TEST

START_TEST(an_organization_that_always_has_something_due_keeps_nobody_waiting)
{
	open_organizations();
	wake_organization(1);
	for (int round = 0; round < 10; round++)
	{
		wake_organization(2);
		for (int answers = 0; strcmp(stage_reader(), "b") != 0; answers++)
		{
			ck_assert_int_lt(answers, 2);
			stage_answer_events(0);
			wake_organization(1);
		}
		stage_answer_events(0);
	}
}
END_TEST

START_TEST(one_that_is_alone_has_all_reads)
{
	open_organizations();
	wake_organization(1);
	ck_assert_int_eq(db_stage_count(), 2);
	ck_assert_int_eq(many[0].member->feed->org->reads, 2);
}
END_TEST

START_TEST(a_feed_that_leaves_takes_its_place_along)
{
	open_organizations();
	wake_organization(1);
	wake_organization(2);
	stage_leave(&first);
	wake_organization(3);
	stage_answer_events(0);
	stage_answer_events(0);
	ck_assert_str_eq(stage_reader(), "c");
}
END_TEST

static void
add_tests(TCase *cases)
{
	const TTest *const tests[] = {
		a_socket_that_leaves_takes_no_other_along,
		many_that_leave_take_no_other_along,
		one_credential_that_is_refused_is_not_the_keys_end,
		of_a_key_that_has_ended_all_are_closed,
		what_reaches_its_age_ends_alone,
		a_person_whose_sign_in_has_ended_is_closed_at_once,
		a_database_that_is_away_closes_nobody,
		when_the_last_one_leaves_nothing_is_read,
		those_that_want_the_same_share_a_read,
		the_star_is_all,
		the_star_beside_others_is_all,
		those_that_want_something_else_do_not,
		organizations_take_turns_however_many_feeds_one_has,
		an_organization_that_always_has_something_due_keeps_nobody_waiting,
		one_that_is_alone_has_all_reads,
		a_feed_that_leaves_takes_its_place_along,
	};

	tcase_add_checked_fixture(cases, stage_start, stage_stop);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(cases, tests[i]);
}

SUITE_WITH("realtime_feed", add_tests)
