/*
 * test_db_preflight.c
 *		What ends the checks at start, and what they wait for.
 *
 * The server is a process of its own, since they block.  What they check is up to e2e/startup.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/preflight.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "tests/unit/db_wire.h"
#include "tests/unit/suite.h"

#define SERVER_MS 60000
#define LONG_S 100
#define SHORT_MS 30000

static DbWire wire;
static pid_t server;

static void
start(void)
{
	log_set_level(LOG_LEVEL_ERROR + 1);
	db_wire_start(&wire);
	server = 0;
}

/* Lets the server run, as the wire is set now; what it refuses, only the first login. */
static void
serve(bool refuses_always)
{
	server = fork();
	ck_assert_int_ge(server, 0);
	if (server == 0)
	{
		int64_t end = clock_monotonic_ms() + SERVER_MS;

		event_reinit(wire.base);
		while (clock_monotonic_ms() < end)
		{
			db_wire_run(&wire, 1);
			if (wire.logins > 1 && !refuses_always)
				wire.refuses = NULL;
		}
		_exit(0);
	}
}

static void
stop(void)
{
	if (server > 0)
	{
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	db_wire_stop(&wire);
}

static bool
check(int wait_s, const volatile sig_atomic_t *stopped)
{
	const DbConfig config = {
		.conninfo = wire.conninfo, .application_name = "test", .role = "connector"};

	return db_preflight(&config, NULL, wait_s, stopped);
}

START_TEST(a_server_that_runs_the_statements_passes)
{
	serve(true);
	ck_assert(check(0, NULL));
}
END_TEST

START_TEST(a_statement_refused_for_a_reason_that_passes_is_tried_again)
{
	wire.refuses = "53300";
	serve(false);
	ck_assert(check(LONG_S, NULL));
}
END_TEST

START_TEST(a_reason_that_passes_is_waited_for_no_longer_than_asked)
{
	wire.refuses = "53300";
	serve(true);
	ck_assert(!check(0, NULL));
}
END_TEST

START_TEST(a_statement_refused_for_good_is_the_end)
{
	int64_t began = clock_monotonic_ms();

	wire.refuses = "42501";
	serve(false);
	ck_assert(!check(LONG_S, NULL));
	ck_assert_int_lt(clock_monotonic_ms() - began, SHORT_MS);
}
END_TEST

START_TEST(nothing_that_answers_is_waited_for_until_it_is_stopped)
{
	static const int waits_s[] = {LONG_S, -1};
	volatile sig_atomic_t stopped = 1;
	int64_t began = clock_monotonic_ms();

	for (int i = 0; i < 2; i++)
	{
		snprintf(wire.conninfo, sizeof(wire.conninfo), "host=/nonexistent");
		ck_assert(!check(waits_s[i], &stopped));
	}
	ck_assert_int_lt(clock_monotonic_ms() - began, SHORT_MS);
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_set_timeout(cases, 30);
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, a_server_that_runs_the_statements_passes);
	tcase_add_test(cases, a_statement_refused_for_a_reason_that_passes_is_tried_again);
	tcase_add_test(cases, a_reason_that_passes_is_waited_for_no_longer_than_asked);
	tcase_add_test(cases, a_statement_refused_for_good_is_the_end);
	tcase_add_test(cases, nothing_that_answers_is_waited_for_until_it_is_stopped);
}

SUITE_WITH("db_preflight", add_tests)
