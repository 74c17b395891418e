/*
 * test_db_organization.c
 *		What is asked for an organization is tied to its answer, as what is asked with a
 *		credential is (test_db_protocol.c): a connector's reports.
 */
#include <string.h>

#include "lib/log.h"
#include "tests/unit/db_ask.h"
#include "tests/unit/suite.h"

#define REPORTS 3

static const uint8_t org[DB_UUID_SIZE] = {1};

static void
start(void)
{
	const DbConfig config = {
		.conninfo = wire.conninfo,
		.application_name = "test",
		.role = "connector",
		.connections = 1,
		.in_flight = 8,
		.queue = 10,
	};

	log_set_level(LOG_LEVEL_ERROR + 1);
	db_wire_start(&wire);
	db = db_open(wire.base, &config);
	ck_assert_ptr_nonnull(db);
}

/* For the organization, or for none. */
static void
submit(Told *told, const char *statement, bool for_org)
{
	DbRequest *request = db_request_new(db_statement_find("connector", statement), DB_LANE_FAST,
										ASK_LONG_MS, ask_told, told);

	*told = (Told){0};
	ck_assert_ptr_nonnull(request);
	if (for_org)
		db_request_org(request, org);
	ck_assert(db_submit(db, request));
}

static void
wait_for(const Told *told)
{
	db_wire_run_until(&wire, &told->done);
}

START_TEST(reports_and_queries_are_answered)
{
	Told query;
	Told report;

	submit(&query, "sessions", false);
	submit(&report, "session", true);
	wait_for(&report);
	ck_assert_int_eq(query.outcome, DB_ROWS);
	ck_assert_int_eq(query.rows, 1);
	ck_assert_int_eq(report.outcome, DB_ROWS);
	ck_assert_int_eq(wire.logins, 1);
}
END_TEST

/* ---- a server that says what an honest one never says ---- */

#define COLUMN(oid) "c\0\0\0\0\0\0\0\0\0" oid "\377\377\377\377\377\377\0\1"
#define MESSAGE(type, len, body) type "\0\0\0" len body
#define ANOTHER_NUMBER                                            \
	MESSAGE("T", "\56", "\0\2" COLUMN("\10\346") COLUMN("\0\24")) \
	MESSAGE("D", "\26",                                           \
			"\0\2\0\0\0\0\0\0\0\10"                               \
			"another.")                                           \
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
	Told told[REPORTS];
	Told next;

	submit(&next, "session", true);
	wait_for(&next);
	wire.lie = lies[_i];
	for (int i = 0; i < REPORTS; i++)
		submit(&told[i], "session", true);
	wait_for(&told[REPORTS - 1]);
	ck_assert_int_eq(told[0].outcome, DB_ROWS);
	ck_assert_int_eq(told[1].outcome, DB_LOST);
	ck_assert_int_eq(told[2].outcome, DB_LOST);
	submit(&next, "session", true);
	wait_for(&next);
	ck_assert_int_eq(next.outcome, DB_ROWS);
	ck_assert_int_eq(wire.logins, 2);
}
END_TEST

/* What slipped into the pipeline unasked answers nothing. */
START_TEST(an_answer_to_nothing_answers_no_query)
{
	static const char unasked[] = READY ANOTHER_NUMBER ROWS ROW END READY;
	Told first;
	Told second;

	submit(&first, "sessions", false);
	wait_for(&first);
	wire.lie = (DbWireLie){DB_WIRE_SYNC, 0, unasked, sizeof(unasked) - 1};
	submit(&first, "sessions", false);
	submit(&second, "sessions", false);
	wait_for(&second);
	ck_assert_int_eq(second.outcome, DB_LOST);
	submit(&first, "sessions", false);
	wait_for(&first);
	ck_assert_int_eq(first.outcome, DB_ROWS);
	ck_assert_int_eq(wire.logins, 2);
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_set_timeout(cases, 30);
	tcase_add_checked_fixture(cases, start, ask_stop);
	tcase_add_test(cases, reports_and_queries_are_answered);
	tcase_add_loop_test(cases, a_report_that_is_lied_to_is_lost, 0,
						(int) (sizeof(lies) / sizeof(lies[0])));
	tcase_add_test(cases, an_answer_to_nothing_answers_no_query);
}

SUITE_WITH("db_organization", add_tests)
