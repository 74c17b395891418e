/*
 * test_db_pool.c
 *		What becomes of requests: answered, refused, lost, cancelled; and of their connection.
 */
#include "tests/unit/db_ask.h"
#include "tests/unit/suite.h"

START_TEST(a_request_gets_its_rows_and_whose_it_was)
{
	Told told;

	ask(&told);
	ck_assert_int_eq(told.outcome, DB_ROWS);
	ck_assert_int_eq(told.rows, 1);
	ck_assert(told.has_principal);
	ck_assert(db_ready(db));
}
END_TEST

START_TEST(an_error_refuses_one_request_and_leaves_the_connection)
{
	Told told;

	wire.script = DB_WIRE_ERROR;
	wire.sqlstate = "0A000"; /* what any function may raise */
	wire.function = "exec_stmt_raise";
	ask(&told);
	ck_assert_int_eq(told.outcome, DB_REFUSED);
	ck_assert_str_eq(told.sqlstate, "0A000");
	wire.script = DB_WIRE_ROW;
	ask(&told);
	ck_assert_int_eq(told.outcome, DB_ROWS);
	ck_assert_int_eq(wire.logins, 1);
}
END_TEST

START_TEST(a_statement_that_is_out_of_date_is_prepared_anew)
{
	static const struct
	{
		const char *sqlstate;
		const char *function;
		const char *constraint;
		const char *file;
	} cases[] = {{"0A000", "RevalidateCachedQuery", NULL, "plancache.c"},
				 {"26000", "FetchPreparedStatement", NULL, "prepare.c"},
				 {"42501", "f", "statement", "seal.c"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Told told;
		Told behind;

		wire.script = DB_WIRE_ERROR;
		wire.sqlstate = cases[i].sqlstate;
		wire.function = cases[i].function;
		wire.constraint = cases[i].constraint;
		wire.file = cases[i].file;
		ask_submit(&told, ASK_LONG_MS);
		ask_submit(&behind, ASK_LONG_MS);
		db_wire_run_until(&wire, &behind.done);
		ck_assert_int_eq(told.outcome, DB_UNAVAILABLE);
		ck_assert_int_eq(behind.outcome, DB_UNAVAILABLE);
		wire.script = DB_WIRE_ROW;
		ask(&told);
		ck_assert_int_eq(told.outcome, DB_ROWS);
		ck_assert_int_eq(wire.logins, i + 2);
	}
}
END_TEST

/* A trigger can raise any state with any name: it refuses one request, and that is all. */
START_TEST(an_error_that_looks_like_one_of_the_extensions_is_not_taken_for_it)
{
	static const struct
	{
		const char *sqlstate;
		const char *constraint;
		const char *file;
	} cases[] = {{"42501", "statement", "pl_exec.c"},  {"42501", "statement", "context.c"},
				 {"42501", "credential", "seal.c"},    {"42501", NULL, "seal.c"},
				 {"23514", "statement", "seal.c"},     {"28000", "credential", "pl_exec.c"},
				 {"28000", "credential", "seal.c"},    {"28000", NULL, "context.c"},
				 {"42501", "credential", "context.c"}, {"28000", "statement", "seal.c"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Told told;

		wire.script = DB_WIRE_ERROR;
		wire.sqlstate = cases[i].sqlstate;
		wire.constraint = cases[i].constraint;
		wire.file = cases[i].file;
		ask(&told);
		ck_assert_int_eq(told.outcome, DB_REFUSED);
		ck_assert_str_eq(told.sqlstate, cases[i].sqlstate);
	}
	ck_assert_int_eq(wire.logins, 1);
	ck_assert_uint_eq(db_protocol_violations(), 0);
}
END_TEST

START_TEST(rows_beyond_the_bound_are_refused_and_their_memory_given_back)
{
	Told told;

	wire.row_bytes = DB_RESULT_BYTES_MAX;
	ask(&told);
	ck_assert_int_eq(told.outcome, DB_REFUSED);
	ck_assert_str_eq(told.sqlstate, "54000");
	wire.row_bytes = DB_RESULT_BYTES_MAX / 2;
	ask(&told);
	ck_assert_int_eq(told.outcome, DB_ROWS);
	ck_assert_int_eq(wire.logins, 2);
}
END_TEST

START_TEST(a_shutdown_behind_the_rows_leaves_it_open_whether_it_was_committed)
{
	Told told;

	wire.sqlstate = "57P01";
	wire.script = DB_WIRE_ROW_AND_FATAL;
	ask(&told);
	ck_assert_int_eq(told.outcome, DB_LOST);
	wire.script = DB_WIRE_FATAL;
	ask(&told);
	ck_assert_int_eq(told.outcome, DB_REFUSED);
	ck_assert_str_eq(told.sqlstate, "57P01");
	wire.script = DB_WIRE_ROW;
	ask(&told);
	ck_assert_int_eq(told.outcome, DB_ROWS);
}
END_TEST

START_TEST(a_request_past_its_deadline_is_cancelled_and_the_connection_goes_on)
{
	Told told;
	Told behind;

	ask(&told);
	wire.script = DB_WIRE_HANG;
	ask_submit(&told, 100);
	db_wire_run(&wire, 50);
	ask_submit(&behind, ASK_LONG_MS);
	db_wire_run_until(&wire, &told.done);
	ck_assert_int_eq(told.outcome, DB_TIMED_OUT);
	db_wire_run_until(&wire, &behind.done);
	ck_assert_int_eq(behind.outcome, DB_ROWS);
	ask(&told);
	ck_assert_int_eq(told.outcome, DB_ROWS);
	ck_assert_int_eq(wire.cancels, 1);
	ck_assert_int_eq(wire.logins, 1);
}
END_TEST

START_TEST(closing_while_a_cancel_is_under_way_leaves_nothing)
{
	Told told;

	ask(&told);
	wire.script = DB_WIRE_HANG;
	ask_submit(&told, 50);
	db_wire_run_until(&wire, &told.done);
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_set_timeout(cases, 60);
	tcase_add_checked_fixture(cases, ask_start, ask_stop);
	tcase_add_test(cases, a_request_gets_its_rows_and_whose_it_was);
	tcase_add_test(cases, an_error_refuses_one_request_and_leaves_the_connection);
	tcase_add_test(cases, a_statement_that_is_out_of_date_is_prepared_anew);
	tcase_add_test(cases, an_error_that_looks_like_one_of_the_extensions_is_not_taken_for_it);
	tcase_add_test(cases, rows_beyond_the_bound_are_refused_and_their_memory_given_back);
	tcase_add_test(cases, a_shutdown_behind_the_rows_leaves_it_open_whether_it_was_committed);
	tcase_add_test(cases, a_request_past_its_deadline_is_cancelled_and_the_connection_goes_on);
	tcase_add_test(cases, closing_while_a_cancel_is_under_way_leaves_nothing);
}

SUITE_WITH("db_pool", add_tests)
