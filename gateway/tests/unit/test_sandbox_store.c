/*
 * test_sandbox_store.c
 *		The connector's connection: what it waits for, and for how long.
 *
 * The server is a process of its own, since the store blocks.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/store.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "tests/unit/db_wire.h"
#include "tests/unit/suite.h"

#define SERVER_MS 20000

static DbWire wire;
static Store store;
static pid_t server;

static void
start(void)
{
	log_set_level(LOG_LEVEL_ERROR + 1);
	db_wire_start(&wire);
	store_init(&store, wire.conninfo);
	store.answer_ms = 300;
	server = 0;
}

/* Lets the server run, as the wire is set now. */
static void
serve(void)
{
	server = fork();
	ck_assert_int_ge(server, 0);
	if (server == 0)
	{
		event_reinit(wire.base);
		db_wire_run(&wire, SERVER_MS);
		_exit(0);
	}
}

static void
stop(void)
{
	store_close(&store);
	if (server > 0)
	{
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	db_wire_stop(&wire);
}

static StoreConnect
connect_now(void)
{
	return store_connect(&store, clock_monotonic_ms());
}

START_TEST(it_connects_and_asks)
{
	PGresult *rows;

	serve();
	ck_assert_int_eq(connect_now(), STORE_CONNECTED);
	rows = store_query(&store, STORE_SESSIONS, 0, NULL);
	ck_assert_ptr_nonnull(rows);
	ck_assert_int_eq(PQntuples(rows), 1);
	PQclear(rows);
	ck_assert(store_report(&store, "o", STORE_SENT, 0, NULL));
	ck_assert_int_eq(store_outcome(&store), STORE_DONE);
}
END_TEST

START_TEST(a_statement_refused_for_a_reason_that_passes_is_tried_again)
{
	wire.refuses = "53300";
	serve();
	ck_assert_int_eq(connect_now(), STORE_WAITING);
	ck_assert_int_gt(store.next_attempt_ms, 0);
}
END_TEST

START_TEST(a_statement_refused_for_good_is_the_end)
{
	wire.refuses = "42501";
	serve();
	ck_assert_int_eq(connect_now(), STORE_UNUSABLE);
}
END_TEST

START_TEST(a_server_that_is_silent_is_given_up)
{
	int64_t began;

	wire.script = DB_WIRE_HANG;
	serve();
	ck_assert_int_eq(connect_now(), STORE_CONNECTED);
	began = clock_monotonic_ms();
	ck_assert_ptr_null(store_query(&store, STORE_SESSIONS, 0, NULL));
	ck_assert_int_ge(clock_monotonic_ms() - began, 300);
	ck_assert_ptr_null(store.connection);
}
END_TEST

/* ---- a server that says what an honest one never says ---- */

#define COLUMN(oid) "c\0\0\0\0\0\0\0\0\0" oid "\377\377\377\377\377\377\0\0"
#define MESSAGE(type, len, body) type "\0\0\0" len body
#define ANOTHER_NUMBER                                            \
	MESSAGE("T", "\56", "\0\2" COLUMN("\10\346") COLUMN("\0\24")) \
	MESSAGE("D", "\17",                                           \
			"\0\2\0\0\0\0\0\0\0\1"                                \
			"7")                                                  \
	MESSAGE("C", "\15", "SELECT 1\0")
#define ROWS MESSAGE("T", "\32", "\0\1" COLUMN("\0\21"))
#define TWO_COLUMNS MESSAGE("T", "\56", "\0\2" COLUMN("\0\21") COLUMN("\0\21"))
#define OTHER_ROWS MESSAGE("T", "\32", "\0\1" COLUMN("\0\31"))
#define ROW MESSAGE("D", "\13", "\0\1\0\0\0\1t")
#define END MESSAGE("C", "\15", "SELECT 1\0")
#define NO_ROWS MESSAGE("C", "\15", "SELECT 0\0")
#define READY MESSAGE("Z", "\5", "I")
#define LIE(place, bytes)                  \
	{                                      \
		place, 1, bytes, sizeof(bytes) - 1 \
	}

static const DbWireLie lies[] = {
	LIE(DB_WIRE_BINDING, ANOTHER_NUMBER),
	LIE(DB_WIRE_BINDING, ROWS ROW END),
	LIE(DB_WIRE_BINDING, ""),
	LIE(DB_WIRE_STATEMENT, TWO_COLUMNS NO_ROWS),
	LIE(DB_WIRE_STATEMENT, OTHER_ROWS ROW END),
	LIE(DB_WIRE_STATEMENT, ROWS ROW NO_ROWS),
	LIE(DB_WIRE_STATEMENT, ROWS ROW END ROWS ROW END),
	LIE(DB_WIRE_STATEMENT, ""),
	LIE(DB_WIRE_STATEMENT, MESSAGE("E", "\27", "SERROR\0C25P02\0Mno\0\0")),
	LIE(DB_WIRE_SYNC, MESSAGE("E", "\27", "SERROR\0C23505\0Mno\0\0") READY),
	LIE(DB_WIRE_SYNC, MESSAGE("Z", "\5", "T")),
	LIE(DB_WIRE_SYNC, MESSAGE("Z", "\5", "E")),
	LIE(DB_WIRE_SYNC, MESSAGE("2", "\4", "") READY),
	LIE(DB_WIRE_SYNC, MESSAGE("S", "\33", "client_encoding\0LATIN1\0") READY),
};

/* The first of three reports is done, the others are lost with the connection. */
START_TEST(a_report_that_is_lied_to_is_lost)
{
	wire.lie = lies[_i];
	/* the Sync of each statement that is prepared is one, too, but for the first */
	wire.lie.passes += lies[_i].place == DB_WIRE_SYNC ? STORE_STATEMENT_COUNT - 1 : 0;
	serve();
	ck_assert_int_eq(connect_now(), STORE_CONNECTED);
	for (int i = 0; i < 3; i++)
		ck_assert(store_report(&store, "o", STORE_SENT, 0, NULL));
	ck_assert_int_eq(store_outcome(&store), STORE_DONE);
	ck_assert_int_eq(store_outcome(&store), STORE_LOST);
	ck_assert_int_eq(store_outcome(&store), STORE_LOST);
	ck_assert_ptr_null(store.connection);
}
END_TEST

/* What slipped into the pipeline unasked answers nothing. */
START_TEST(an_answer_to_nothing_answers_no_query)
{
	static const char unasked[] = READY ANOTHER_NUMBER ROWS ROW END READY;

	wire.lie = (DbWireLie){DB_WIRE_SYNC, STORE_STATEMENT_COUNT - 1, unasked, sizeof(unasked) - 1};
	serve();
	ck_assert_int_eq(connect_now(), STORE_CONNECTED);
	PQclear(store_query(&store, STORE_SESSIONS, 0, NULL));
	ck_assert_ptr_null(store_query(&store, STORE_SESSIONS, 0, NULL));
	ck_assert_ptr_null(store.connection);
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_set_timeout(cases, 30);
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, it_connects_and_asks);
	tcase_add_test(cases, a_statement_refused_for_a_reason_that_passes_is_tried_again);
	tcase_add_test(cases, a_statement_refused_for_good_is_the_end);
	tcase_add_test(cases, a_server_that_is_silent_is_given_up);
	tcase_add_loop_test(cases, a_report_that_is_lied_to_is_lost, 0,
						(int) (sizeof(lies) / sizeof(lies[0])));
	tcase_add_test(cases, an_answer_to_nothing_answers_no_query);
}

SUITE_WITH("sandbox_store", add_tests)
