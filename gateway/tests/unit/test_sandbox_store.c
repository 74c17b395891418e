/*
 * test_sandbox_store.c
 *		The connector's connection: what it waits for, and for how long.
 *
 * The server is a process of its own, since the store blocks.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "connectors/sandbox_store.h"
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

static void
add_tests(TCase *cases)
{
	tcase_set_timeout(cases, 30);
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, it_connects_and_asks);
	tcase_add_test(cases, a_statement_refused_for_a_reason_that_passes_is_tried_again);
	tcase_add_test(cases, a_statement_refused_for_good_is_the_end);
	tcase_add_test(cases, a_server_that_is_silent_is_given_up);
}

SUITE_WITH("sandbox_store", add_tests)
