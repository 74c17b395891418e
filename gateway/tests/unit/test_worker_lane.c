/*
 * test_worker_lane.c
 *		The deliveries of one webhook: what is sent when, what is said of it to the database,
 *		and how a lane ends.
 *
 * Database and receiver are the test's own: db_submit() and attempt_start() only note what
 * is asked for, and each test answers as it likes.
 */
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "db/db_internal.h"
#include "lib/clock.h"
#include "tests/unit/suite.h"
#include "worker/lane.h"
#include "worker/statements.h"

#define LEASE_MS 60000
#define ASKED_MAX 64

/* ---- the database ---- */

static DbRequest *asked[ASKED_MAX];
static int asked_count;
static bool database_is_full;

bool
db_submit(Db *db, DbRequest *request)
{
	(void) db;
	if (database_is_full)
	{
		db_request_free(request);
		return false;
	}
	ck_assert_int_lt(asked_count, ASKED_MAX);
	asked[asked_count++] = request;
	return true;
}

static void
forget(int place)
{
	asked_count--;
	memmove(&asked[place], &asked[place + 1], sizeof(asked[0]) * (size_t) (asked_count - place));
}

void
db_abandon(DbRequest *request)
{
	int place = 0;

	while (place < asked_count && asked[place] != request)
		place++;
	ck_assert_int_lt(place, asked_count);
	forget(place);
	db_request_free(request);
}

/* The first that is asked of this statement; -1: none is. */
static int
place_of(const char *statement)
{
	for (int i = 0; i < asked_count; i++)
		if (strcmp(db_statements[asked[i]->statement].name, statement) == 0)
			return i;
	return -1;
}

static bool
is_asked(const char *statement)
{
	return place_of(statement) >= 0;
}

static void
answer(const char *statement, const DbResult *result)
{
	int place = place_of(statement);
	DbRequest *request;
	DbDone *done;
	void *arg;

	ck_assert_int_ge(place, 0);
	request = asked[place];
	done = request->done;
	arg = request->arg;
	forget(place);
	db_request_free(request);
	done(arg, result);
}

static void
answer_outcome(const char *statement, DbOutcome outcome)
{
	const DbResult result = {.outcome = outcome, .sqlstate = "", .message = ""};

	answer(statement, &result);
}

typedef struct Cell
{
	const void *bytes; /* NULL: null */
	int length;
} Cell;

#define TEXT(text)               \
	{                            \
		text, (int) strlen(text) \
	}

static void
answer_rows(const char *statement, int rows, int columns, const Cell *cells)
{
	PGresAttDesc descriptions[8];
	PGresult *made = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	DbResult result = {.outcome = DB_ROWS, .rows = rows, .columns = columns, .cells = made};

	for (int i = 0; i < columns; i++)
		descriptions[i] = (PGresAttDesc){.name = (char *) "c", .format = 1};
	ck_assert_int_eq(PQsetResultAttrs(made, columns, descriptions), 1);
	for (int i = 0; i < rows * columns; i++)
		ck_assert_int_eq(PQsetvalue(made, i / columns, i % columns, (char *) cells[i].bytes,
									cells[i].bytes == NULL ? -1 : cells[i].length),
						 1);
	answer(statement, &result);
	PQclear(made);
}

static void
answer_webhook(const char *secret)
{
	const Cell cells[] = {TEXT("http://receiver.example/hook"), TEXT(secret), {NULL, 0}, {NULL, 0}};

	answer_rows("webhook_lane", 1, 4, cells);
}

/*
 * Deliveries, one for each character of sessions, which names its session; '-' is one whose
 * event is gone.  The body is its number.
 */
static void
answer_deliveries(const char *sessions)
{
	static const char numbers[] = "0123456789";
	Cell cells[LANE_TAKEN_MAX * 6];
	uint8_t ids[LANE_TAKEN_MAX][DB_UUID_SIZE] = {0};
	uint8_t session_ids[LANE_TAKEN_MAX][DB_UUID_SIZE] = {0};
	int rows = (int) strlen(sessions);

	for (int i = 0; i < rows; i++)
	{
		bool gone = sessions[i] == '-';

		ids[i][15] = (uint8_t) (i + 1);
		session_ids[i][15] = (uint8_t) sessions[i];
		cells[i * 6] = (Cell){ids[i], DB_UUID_SIZE};
		cells[i * 6 + 1] = (Cell){ids[i], DB_UUID_SIZE};
		cells[i * 6 + 2] = (Cell){session_ids[i], DB_UUID_SIZE};
		cells[i * 6 + 3] = (Cell){NULL, 0};
		cells[i * 6 + 4] = (Cell){NULL, 0};
		cells[i * 6 + 5] = (Cell){gone ? NULL : &numbers[i % 10], 1};
	}
	answer_rows("deliveries_take", rows, 6, cells);
}

static void
answer_done(const char *status)
{
	const Cell cell = TEXT(status);

	answer_rows("delivery_done", 1, 1, &cell);
}

static void
answer_bool(const char *statement, bool value)
{
	const Cell cell = {value ? "\1" : "\0", 1};

	answer_rows(statement, 1, 1, &cell);
}

/* What the first report that is asked for says: "200", "gone: why" and so on. */
static const char *
reported(void)
{
	static char text[128];
	int place = place_of("delivery_done");
	const DbRequest *request;
	const uint8_t *at;

	ck_assert_int_ge(place, 0);
	request = asked[place];
	at = (const uint8_t *) request->bytes.data;
	for (int i = 0; i < 3; i++)
		at += request->lengths[i];
	if (request->lengths[3] > 0)
		snprintf(text, sizeof(text), "%d %s", at[2] << 8 | at[3],
				 at[4] == 1 ? "delivered" : "not delivered");
	else
		snprintf(text, sizeof(text), "%.*s, %s", request->lengths[4], at,
				 at[request->lengths[4]] == 1 ? "delivered" : "not delivered");
	return text;
}

/* ---- the receiver ---- */

struct Attempt
{
	AttemptDone *done;
	void *arg;
	char body;
	char secret[32];
};

static Attempt *attempts[ASKED_MAX]; /* in the order of their starts; those under way */
static int attempt_count;

Attempt *
attempt_start(const AttemptSetup *setup, const AttemptRequest *request, AttemptDone *done,
			  void *arg)
{
	Attempt *attempt = calloc(1, sizeof(*attempt));

	(void) setup;
	ck_assert_ptr_nonnull(attempt);
	*attempt = (Attempt){.done = done, .arg = arg, .body = request->body[0]};
	snprintf(attempt->secret, sizeof(attempt->secret), "%s", request->secret);
	attempts[attempt_count++] = attempt;
	return attempt;
}

void
attempt_abandon(Attempt *attempt)
{
	int place = 0;

	while (place < attempt_count && attempts[place] != attempt)
		place++;
	ck_assert_int_lt(place, attempt_count);
	attempt_count--;
	memmove(&attempts[place], &attempts[place + 1],
			sizeof(attempts[0]) * (size_t) (attempt_count - place));
	free(attempt);
}

/* The bodies of the requests that are under way. */
static const char *
under_way(void)
{
	static char bodies[ASKED_MAX + 1];

	for (int i = 0; i < attempt_count; i++)
		bodies[i] = attempts[i]->body;
	bodies[attempt_count] = '\0';
	return bodies;
}

/* Ends the one with this body; status 0: there was no answer. */
static void
receiver_answers(char body, int status)
{
	const AttemptResult result = {.delivered = status / 100 == 2,
								  .status = status,
								  .problem = status == 0 ? "no answer in time" : NULL};
	int place = 0;
	AttemptDone *done;
	void *arg;

	while (place < attempt_count && attempts[place]->body != body)
		place++;
	ck_assert_int_lt(place, attempt_count);
	done = attempts[place]->done;
	arg = attempts[place]->arg;
	attempt_abandon(attempts[place]);
	done(arg, &result);
}

/* ---- the lane ---- */

static const uint8_t org[DB_UUID_SIZE] = {1};
static const uint8_t webhook[DB_UUID_SIZE] = {2};
static LaneSetup setup;
static Lane *lane;
static int sending;
static bool had_more;
static int64_t began_ms;

static void
on_gone(void *context, Lane *ended)
{
	(void) context;
	ck_assert_ptr_eq(ended, lane);
	had_more = lane_has_more(lane);
	lane_free(lane);
	lane = NULL;
}

static void
start(void)
{
	ck_assert(worker_statements_find());
	setup = (LaneSetup){.owner = "me", .lease_ms = LEASE_MS, .sending = &sending, .gone = on_gone};
	began_ms = clock_monotonic_ms();
	lane = lane_start(&setup, org, webhook, began_ms);
	ck_assert_ptr_nonnull(lane);
}

static void
stop(void)
{
	if (lane != NULL)
		lane_free(lane);
	ck_assert_int_eq(sending, 0);
	ck_assert_int_eq(attempt_count, 0);
	ck_assert_int_eq(asked_count, 0);
}

/* A lane whose webhook was read, and which has taken these. */
static void
take(const char *sessions)
{
	answer_webhook("secret");
	answer_deliveries(sessions);
}

/* The look for more, which began when the last batch was small, and has nothing to say any more. */
static void
answer_look(void)
{
	answer_webhook("secret");
	ck_assert(!is_asked("deliveries_take"));
}

/* ---- what is sent ---- */

START_TEST(of_one_session_one_after_the_other)
{
	take("aab");
	ck_assert_str_eq(under_way(), "02");
	receiver_answers('2', 200);
	ck_assert_str_eq(under_way(), "0");
	receiver_answers('0', 200);
	ck_assert_str_eq(under_way(), "1");
}
END_TEST

START_TEST(one_that_fails_does_not_hold_up_the_next)
{
	take("aa");
	receiver_answers('0', 500);
	ck_assert_str_eq(under_way(), "1");
}
END_TEST

START_TEST(of_several_sessions_at_most_so_many_at_once)
{
	take("abcdef");
	ck_assert_int_eq(attempt_count, LANE_SENDING_MAX);
	ck_assert_int_eq(sending, LANE_SENDING_MAX);
	ck_assert_str_eq(under_way(), "0123");
	receiver_answers('2', 200);
	ck_assert_str_eq(under_way(), "0134");
}
END_TEST

START_TEST(when_few_are_left_the_webhook_is_read_again)
{
	answer_webhook("old");
	answer_deliveries("abcdefghijkl");
	ck_assert(!is_asked("webhook_lane"));
	for (char body = '0'; body <= '3'; body++)
	{
		receiver_answers(body, 200);
		answer_done("delivered");
	}
	ck_assert(is_asked("webhook_lane"));
	answer_webhook("new");
	answer_deliveries("z");
	for (char body = '4'; body <= '7'; body++)
		receiver_answers(body, 200);
	ck_assert_str_eq(attempts[attempt_count - 1]->secret, "new");
}
END_TEST

/* ---- what is reported ---- */

START_TEST(the_outcome_is_reported)
{
	take("abc");
	receiver_answers('0', 204);
	ck_assert_str_eq(reported(), "204 delivered");
	answer_done("delivered");
	receiver_answers('1', 410);
	ck_assert_str_eq(reported(), "410 not delivered");
	answer_done("failed");
	receiver_answers('2', 0);
	ck_assert_str_eq(reported(), "no answer in time, not delivered");
}
END_TEST

START_TEST(an_event_that_is_gone_is_reported_and_not_sent)
{
	take("-");
	ck_assert_int_eq(attempt_count, 0);
	ck_assert_str_eq(reported(), "the event is not kept any more, not delivered");
}
END_TEST

START_TEST(what_the_database_did_not_take_is_reported_again)
{
	take("a");
	receiver_answers('0', 200);
	answer_outcome("delivery_done", DB_UNAVAILABLE);
	ck_assert(!is_asked("delivery_done"));
	lane_tick(lane, clock_monotonic_ms());
	ck_assert(!is_asked("delivery_done"));
	lane_tick(lane, clock_monotonic_ms() + LANE_REPORT_AGAIN_MS);
	ck_assert_str_eq(reported(), "200 delivered");
	ck_assert_int_eq(attempt_count, 0);
}
END_TEST

START_TEST(what_the_queue_did_not_take_is_reported_again)
{
	take("a");
	database_is_full = true;
	receiver_answers('0', 200);
	database_is_full = false;
	ck_assert(!is_asked("delivery_done"));
	lane_tick(lane, clock_monotonic_ms() + LANE_REPORT_AGAIN_MS);
	ck_assert_str_eq(reported(), "200 delivered");
}
END_TEST

START_TEST(what_the_database_refuses_is_not_reported_again)
{
	take("a");
	receiver_answers('0', 200);
	answer_outcome("delivery_done", DB_REFUSED);
	lane_tick(lane, clock_monotonic_ms() + LANE_REPORT_AGAIN_MS);
	ck_assert(!is_asked("delivery_done"));
}
END_TEST

/* ---- how it ends ---- */

START_TEST(with_nothing_left_the_lease_is_given_back)
{
	take("a");
	receiver_answers('0', 200);
	answer_done("delivered");
	/* there may be more: it looks, and finds nothing */
	answer_webhook("secret");
	answer_deliveries("");
	ck_assert(is_asked("lane_release"));
	answer_bool("lane_release", true);
	ck_assert_ptr_null(lane);
	ck_assert(!had_more);
}
END_TEST

START_TEST(one_that_is_woken_while_it_ends_says_so)
{
	take("");
	ck_assert(is_asked("lane_release"));
	lane_wake(lane);
	answer_bool("lane_release", true);
	ck_assert_ptr_null(lane);
	ck_assert(had_more);
}
END_TEST

START_TEST(one_that_is_woken_while_it_takes_looks_again)
{
	answer_webhook("secret");
	lane_wake(lane);
	answer_deliveries("");
	ck_assert(!is_asked("lane_release"));
	answer_webhook("secret");
	ck_assert(is_asked("deliveries_take"));
}
END_TEST

START_TEST(a_webhook_that_is_gone_gets_nothing)
{
	answer_rows("webhook_lane", 0, 4, NULL);
	ck_assert(!is_asked("deliveries_take"));
	answer_bool("lane_release", true);
	ck_assert_ptr_null(lane);
}
END_TEST

START_TEST(without_the_database_it_ends)
{
	answer_outcome("webhook_lane", DB_LOST);
	ck_assert(!is_asked("deliveries_take"));
	answer_outcome("lane_release", DB_UNAVAILABLE);
	ck_assert_ptr_null(lane);
}
END_TEST

START_TEST(one_that_is_stopped_finishes_what_is_under_way)
{
	take("aab");
	lane_stop(lane);
	ck_assert_str_eq(under_way(), "02");
	receiver_answers('0', 200);
	ck_assert_str_eq(under_way(), "2");
	receiver_answers('2', 200);
	answer_done("delivered");
	ck_assert(!is_asked("lane_release"));
	answer_done("delivered");
	answer_look();
	answer_bool("lane_release", true);
	ck_assert_ptr_null(lane);
}
END_TEST

/* ---- the lease ---- */

START_TEST(the_lease_is_renewed_in_time)
{
	take("a");
	lane_tick(lane, began_ms + LEASE_MS / 3 - 1);
	ck_assert(!is_asked("lane_renew"));
	lane_tick(lane, began_ms + LEASE_MS / 3);
	ck_assert(is_asked("lane_renew"));
	answer_bool("lane_renew", true);
	/* from when it was asked for, not from the answer */
	lane_tick(lane, began_ms + LEASE_MS / 3 + LEASE_MS / 3 - 1);
	ck_assert(!is_asked("lane_renew"));
	lane_tick(lane, began_ms + LEASE_MS / 3 + LEASE_MS / 3);
	ck_assert(is_asked("lane_renew"));
}
END_TEST

START_TEST(one_whose_lease_is_somebody_elses_sends_nothing_more)
{
	take("aa");
	lane_tick(lane, began_ms + LEASE_MS / 3);
	answer_bool("lane_renew", false);
	receiver_answers('0', 200);
	ck_assert_str_eq(under_way(), "");
	/* what it did is said; the database knows whether it still counts */
	answer_done("stale");
	answer_look();
	ck_assert_ptr_null(lane);
}
END_TEST

START_TEST(when_the_lease_is_over_nothing_more_is_sent_or_reported)
{
	take("aab");
	receiver_answers('2', 200);
	lane_tick(lane, began_ms + LEASE_MS);
	ck_assert(!is_asked("delivery_done"));
	ck_assert_str_eq(under_way(), "0");
	receiver_answers('0', 200);
	ck_assert_str_eq(under_way(), "");
	answer_done("stale");
	answer_look();
	ck_assert_ptr_null(lane);
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

	tcase_add_checked_fixture(cases, start, stop);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(cases, tests[i]);
}

SUITE_WITH("worker_lane", add_tests)
