/*
 * test_realtime_read.c
 *		Each event reaches each socket once and in order; and what a read that fails does.
 *
 * The clock is the test's own.
 */
#include <string.h>

#include "tests/unit/clock_stage.h"
#include "tests/unit/realtime_stage.h"
#include "tests/unit/suite.h"

static StageSocket first;
static StageSocket second;
static StageSocket third;

/* So much time goes by. */
static void
pass(int ms)
{
	clock_stage_ms += ms;
	feeds_on_late_tick(stage_realtime);
}

static void
answer(const char *events)
{
	stage_answer_page(&(StagePage){.events = events});
}

static void
answer_full(const char *events)
{
	stage_answer_page(&(StagePage){.events = events, .full = true});
}

/* ---- order ---- */

START_TEST(pages_are_sent_once_and_in_order)
{
	stage_open_live(&first, "first", NULL);
	stage_wake();
	answer_full("abc");
	ck_assert_int_eq(stage_read_from(), 'c');
	answer_full("d");
	ck_assert_int_eq(stage_read_from(), 'd');
	answer("ef");
	ck_assert_ptr_null(stage_reader());
	ck_assert_str_eq(first.got, "abcdef");
	stage_wake();
	ck_assert_int_eq(stage_read_from(), 'f' + 1);
}
END_TEST

START_TEST(what_happens_during_a_read_is_read_after_it)
{
	stage_open_live(&first, "first", NULL);
	stage_wake();
	stage_wake();
	answer("a");
	ck_assert_str_eq(stage_reader(), "first");
	answer("b");
	ck_assert_str_eq(first.got, "ab");
	ck_assert_ptr_null(stage_reader());
}
END_TEST

START_TEST(a_socket_that_is_ahead_gets_nothing_twice)
{
	stage_open_live(&first, "first", NULL);
	stage_wake();
	stage_begin_behind('c');
	stage_open(&second, "second", 1, true, NULL, STAGE_FOR_LONG);
	ck_assert_ptr_eq(second.member->feed, first.member->feed);
	answer_full("ab");
	answer_full("cde");
	answer("f");
	stage_settle();
	ck_assert_str_eq(first.got, "abcdef");
	ck_assert_str_eq(second.got, "def");
}
END_TEST

START_TEST(a_socket_that_is_behind_reads_by_itself_until_it_is_not)
{
	stage_open_live(&first, "first", NULL);
	stage_wake();
	answer("abcdef");
	stage_begin_behind('b');
	stage_open(&second, "second", 1, true, NULL, STAGE_FOR_LONG);
	ck_assert_str_eq(stage_reader(), "second");
	ck_assert_int_eq(stage_read_from(), 'b');
	answer_full("cd");
	answer("ef");
	ck_assert_ptr_eq(second.member->feed, first.member->feed);
	ck_assert_str_eq(first.got, "abcdef");
	ck_assert_str_eq(second.got, "cdef");
	stage_wake();
	ck_assert_str_eq(stage_reader(), "first");
	answer("g");
	ck_assert_ptr_null(stage_reader());
	ck_assert_str_eq(first.got, "abcdefg");
	ck_assert_str_eq(second.got, "cdefg");
}
END_TEST

/* One who has not got as far as the others would miss what is between. */
START_TEST(a_socket_that_is_still_behind_stays_by_itself)
{
	stage_open_live(&first, "first", NULL);
	stage_wake();
	answer("abc");
	stage_begin_behind('a');
	stage_open(&third, "third", 1, true, NULL, STAGE_FOR_LONG);
	answer("b");
	ck_assert_ptr_ne(third.member->feed, first.member->feed);
	ck_assert_str_eq(stage_reader(), "third");
	answer("c");
	ck_assert_ptr_eq(third.member->feed, first.member->feed);
	ck_assert_str_eq(third.got, "bc");
}
END_TEST

START_TEST(a_position_that_is_not_kept_begins_anew)
{
	static const uint8_t epoch[4] = {0, 0, 0, 1};
	static const uint8_t ordinal[8] = {[7] = 'x'};
	static const uint8_t id[DB_UUID_SIZE] = {0};
	const DbStageCell cells[] = {{id, 16}, {NULL, 0}};
	const DbStageCell position[] = {{epoch, 4}, {ordinal, 8}, {id, 16}, cells[1], cells[1]};

	stage_open_live(&first, "first", NULL);
	stage_wake();
	/* one that is ahead, too, begins where the others do */
	stage_begin_behind('z');
	stage_open(&second, "second", 1, true, NULL, STAGE_FOR_LONG);
	stage_refuse("WA001");
	ck_assert_str_eq(first.got, "{\"event\":\"resync_required\"}");
	ck_assert_str_eq(second.got, first.got);
	ck_assert_ptr_null(stage_reader());
	db_stage_answer_rows("realtime_start", 1, 5, position);
	ck_assert_int_eq(stage_read_from(), 'x');
	answer("y");
	ck_assert_ptr_nonnull(strstr(first.got, "}y"));
	ck_assert_ptr_nonnull(strstr(second.got, "}y"));
}
END_TEST

/* ---- bounds ---- */

START_TEST(who_is_too_slow_is_dropped_alone)
{
	stage_open_live(&first, "first", NULL);
	stage_open_live(&second, "second", NULL);
	stage_open_live(&third, "third", NULL);
	second.breaks = true;
	stage_wake();
	answer("ab");
	ck_assert_ptr_null(second.member);
	ck_assert_int_eq(second.code, WEBSOCKET_SLOW_READER);
	ck_assert_str_eq(first.got, "ab");
	ck_assert_str_eq(third.got, "ab");
	ck_assert_int_eq(stage_realtime->sockets, 2);
}
END_TEST

START_TEST(who_catches_up_gets_no_more_than_it_takes)
{
	stage_open(&first, "first", 1, true, NULL, STAGE_FOR_LONG);
	first.queued = 1;
	answer_full("ab");
	ck_assert_ptr_null(stage_reader());
	/* what happens now only asks whether it may still listen */
	stage_wake();
	ck_assert_ptr_nonnull(db_stage_find("realtime_credential"));
	ck_assert_ptr_null(stage_reader());
	db_stage_answer_rows("realtime_credential", 0, 0, NULL);
	ck_assert_ptr_null(stage_reader());
	first.queued = 0;
	member_events.drained(first.member);
	ck_assert_int_eq(stage_read_from(), 'b');
	answer("c");
	ck_assert_str_eq(first.got, "abc");
}
END_TEST

/* ... but of those who are live, each is dropped by itself. */
START_TEST(who_is_live_does_not_wait_for_a_queue)
{
	stage_open_live(&first, "first", NULL);
	first.queued = 1;
	stage_wake();
	answer_full("ab");
	ck_assert_int_eq(stage_read_from(), 'b');
}
END_TEST

START_TEST(reads_are_bounded_and_take_turns)
{
	StageSocket *sockets[] = {&first, &second, &third};
	const char *names[] = {"first", "second", "third"};

	for (uint8_t i = 0; i < 3; i++)
	{
		stage_enter((uint8_t) (i + 1));
		stage_open(sockets[i], names[i], (uint8_t) (i + 1), true, NULL, STAGE_FOR_LONG);
		ck_assert_int_eq(stage_realtime->reads, i < READS_PER_CONNECTION ? i + 1 : i);
	}
	/* woken again, the first stands behind the third */
	stage_enter(1);
	stage_wake();
	answer("a");
	ck_assert_int_eq(stage_realtime->reads, READS_PER_CONNECTION);
	ck_assert_str_eq(stage_reader(), "second");
	answer("a");
	answer("a");
	ck_assert_str_eq(third.got, "a");
	ck_assert_str_eq(stage_reader(), "first");
	answer("b");
	ck_assert_str_eq(first.got, "ab");
	ck_assert_int_eq(stage_realtime->reads, 0);
}
END_TEST

/* An answer of so many events, each with a text of so many bytes. */
static void
answer_many(int count, int len)
{
	char *events = calloc(1, (size_t) count + 1);
	char *text = malloc((size_t) len);

	memset(events, 'x', (size_t) count);
	memset(text, '1', (size_t) len);
	stage_open_live(&first, "first", NULL);
	stage_wake();
	stage_answer_page(&(StagePage){.events = events, .envelope = {text, len}});
	free(text);
	free(events);
}

START_TEST(a_page_has_so_many_events_and_no_more)
{
	answer_many(READ_EVENTS_MAX, 1);
	ck_assert_int_eq(first.code, 0);
	ck_assert_uint_eq(strlen(first.got), READ_EVENTS_MAX);
	stage_leave(&first);
	answer_many(READ_EVENTS_MAX + 1, 1);
	ck_assert_int_eq(first.code, WEBSOCKET_INTERNAL);
	ck_assert_str_eq(first.got, "");
}
END_TEST

START_TEST(a_page_has_so_many_bytes_and_no_more)
{
	answer_many(1, FRAMES_MAX - 16);
	ck_assert_int_eq(first.code, 0);
	ck_assert_int_eq(first.sends, 1);
	stage_leave(&first);
	answer_many(1, FRAMES_MAX);
	ck_assert_int_eq(first.code, WEBSOCKET_INTERNAL);
	ck_assert_int_eq(first.sends, 0);
}
END_TEST

/* ---- failures ---- */

static const struct
{
	DbOutcome outcome;
	const char *sqlstate;
} passing[] = {
	{DB_UNAVAILABLE, ""},  {DB_LOST, ""},         {DB_TIMED_OUT, ""},    {DB_REFUSED, "57P01"},
	{DB_REFUSED, "57014"}, {DB_REFUSED, "53300"}, {DB_REFUSED, "40001"}, {DB_REFUSED, "25006"},
	{DB_REFUSED, "25P04"}, {DB_REFUSED, "08006"},
};

START_TEST(a_failure_that_passes_is_tried_again_after_a_pause)
{
	stage_open_live(&first, "first", NULL);
	stage_open_live(&second, "second", NULL);
	stage_wake();
	for (int pause = RETRY_FIRST_MS; pause < RETRY_LAST_MS; pause *= 2)
	{
		db_stage_refuse("realtime_batch", passing[_i].outcome, passing[_i].sqlstate);
		ck_assert_ptr_null(stage_reader());
		pass(pause - 1);
		ck_assert_ptr_null(stage_reader());
		pass(1);
		ck_assert_str_eq(stage_reader(), "first");
	}
	ck_assert_int_eq(first.code, 0);
	ck_assert_int_eq(second.code, 0);
	answer("a");
	ck_assert_str_eq(first.got, "a");
	ck_assert_str_eq(second.got, "a");
	/* and from then on the pause is the first one again */
	stage_wake();
	db_stage_refuse("realtime_batch", passing[_i].outcome, passing[_i].sqlstate);
	pass(RETRY_FIRST_MS);
	ck_assert_str_eq(stage_reader(), "first");
}
END_TEST

/* The longest is the first one doubled as often as it is below RETRY_LAST_MS. */
START_TEST(the_pause_has_an_end)
{
	stage_open_live(&first, "first", NULL);
	stage_wake();
	for (int i = 0; i < 40; i++)
	{
		stage_refuse("57P01");
		ck_assert_ptr_null(stage_reader());
		pass(2 * RETRY_LAST_MS);
		ck_assert_str_eq(stage_reader(), "first");
	}
}
END_TEST

START_TEST(what_cannot_be_read_yet_is_looked_for_after_a_pause)
{
	stage_open_live(&first, "first", NULL);
	stage_wake();
	stage_answer_page(&(StagePage){.events = "a", .pending = true});
	ck_assert_ptr_null(stage_reader());
	pass(RETRY_FIRST_MS);
	stage_answer_page(&(StagePage){.pending = true});
	pass(RETRY_FIRST_MS);
	ck_assert_ptr_null(stage_reader());
	pass(RETRY_FIRST_MS);
	/* there is progress: the pause is the first one again */
	stage_answer_page(&(StagePage){.events = "b", .pending = true});
	pass(RETRY_FIRST_MS);
	answer("c");
	pass(2 * RETRY_LAST_MS);
	ck_assert_ptr_null(stage_reader());
	ck_assert_str_eq(first.got, "abc");
}
END_TEST

START_TEST(what_the_queue_does_not_take_is_tried_again)
{
	stage_open_live(&first, "first", NULL);
	db_stage_is_full = true;
	stage_wake();
	ck_assert_ptr_null(stage_reader());
	db_stage_is_full = false;
	ck_assert_int_eq(first.code, 0);
	pass(RETRY_FIRST_MS);
	ck_assert_str_eq(stage_reader(), "first");
}
END_TEST

START_TEST(a_permission_that_was_taken_away_is_said)
{
	stage_open_live(&first, "first", NULL);
	stage_open_live(&second, "second", NULL);
	stage_open(&third, "third", 2, true, NULL, STAGE_FOR_LONG);
	stage_settle();
	stage_wake();
	stage_refuse_permission("realtime_batch", "events");
	ck_assert_int_eq(first.code, WEBSOCKET_UNAUTHORIZED);
	ck_assert_str_eq(first.got, "{\"event\":\"error\",\"error\":\"forbidden\"}");
	ck_assert_int_eq(second.code, 0);
	answer("");
	stage_refuse_permission("realtime_batch", "events");
	ck_assert_int_eq(second.code, WEBSOCKET_UNAUTHORIZED);
	ck_assert_int_eq(third.code, 0);
}
END_TEST

START_TEST(what_nobody_expects_is_a_fault_of_ours)
{
	stage_open_live(&first, "first", NULL);
	stage_open(&second, "second", 2, true, NULL, STAGE_FOR_LONG);
	stage_settle();
	stage_wake();
	stage_refuse("42501");
	ck_assert_int_eq(first.code, WEBSOCKET_INTERNAL);
	ck_assert_int_eq(second.code, 0);
	db_stage_answer_rows("realtime_batch", 0, 0, NULL);
	ck_assert_int_eq(second.code, WEBSOCKET_INTERNAL);
}
END_TEST

static void
add_tests(TCase *cases)
{
	const TTest *const tests[] = {
		pages_are_sent_once_and_in_order,
		what_happens_during_a_read_is_read_after_it,
		a_socket_that_is_ahead_gets_nothing_twice,
		a_socket_that_is_behind_reads_by_itself_until_it_is_not,
		a_socket_that_is_still_behind_stays_by_itself,
		a_position_that_is_not_kept_begins_anew,
		who_is_too_slow_is_dropped_alone,
		who_catches_up_gets_no_more_than_it_takes,
		who_is_live_does_not_wait_for_a_queue,
		reads_are_bounded_and_take_turns,
		a_page_has_so_many_events_and_no_more,
		a_page_has_so_many_bytes_and_no_more,
		the_pause_has_an_end,
		what_cannot_be_read_yet_is_looked_for_after_a_pause,
		what_the_queue_does_not_take_is_tried_again,
		a_permission_that_was_taken_away_is_said,
		what_nobody_expects_is_a_fault_of_ours,
	};

	tcase_add_checked_fixture(cases, stage_start, stage_stop);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(cases, tests[i]);
	tcase_add_loop_test(cases, a_failure_that_passes_is_tried_again_after_a_pause, 0,
						(int) (sizeof(passing) / sizeof(passing[0])));
}

SUITE_WITH("realtime_read", add_tests)
