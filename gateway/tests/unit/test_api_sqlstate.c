/*
 * test_api_sqlstate.c
 *		Each outcome of the database has the status that docs/errors.md promises.
 */

#include "api/sqlstate.h"
#include "tests/unit/suite.h"

static int
status(DbOutcome outcome, const char *sqlstate, const char *constraint)
{
	DbResult result = {
		.outcome = outcome,
		.sqlstate = sqlstate,
		.message = "",
		.column = "",
		.constraint = constraint,
	};

	return http_error(sqlstate_error(&result))->status;
}

START_TEST(states)
{
	static const struct
	{
		const char *sqlstate;
		int status;
	} cases[] = {
		{"28000", 401}, {"P0002", 404}, {"55000", 409}, {"23505", 409}, {"22023", 400},
		{"WA001", 410}, {"57014", 504}, {"57P01", 503}, {"57P03", 503}, {"53300", 503},
		{"08006", 503}, {"40001", 503}, {"40P01", 503}, {"55P03", 503}, {"25P03", 503},
		{"25006", 503}, {"25P04", 503}, {"57P02", 503}, {"57P05", 503}, {"08P01", 503},
		{"53200", 503}, {"28P01", 500}, {"22P02", 500}, {"42P01", 500}, {"XX000", 500},
		{"23503", 500}, {"", 500},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ck_assert_msg(status(DB_REFUSED, cases[i].sqlstate, "") == cases[i].status, "%s",
					  cases[i].sqlstate);
	}
}
END_TEST

START_TEST(a_limit_of_bytes_is_no_rate)
{
	ck_assert_int_eq(status(DB_REFUSED, "53400", "media_mebibytes"), 507);
	ck_assert_int_eq(status(DB_REFUSED, "53400", "keys"), 409);
}
END_TEST

START_TEST(only_our_permissions_are_forbidden)
{
	ck_assert_int_eq(status(DB_REFUSED, "42501", "read"), 403);
	ck_assert_int_eq(status(DB_REFUSED, "42501", "events"), 403);
	ck_assert_int_eq(status(DB_REFUSED, "42501", "person"), 403);
	ck_assert_int_eq(status(DB_REFUSED, "42501", "owner"), 403);
	ck_assert_int_eq(status(DB_REFUSED, "42501", "sessions"), 403);
	ck_assert_int_eq(status(DB_REFUSED, "28000", "address"), 403);
	ck_assert_int_eq(status(DB_REFUSED, "28000", "credential"), 401);
	/* The gateway's own lack of a grant, or the seal. */
	ck_assert_int_eq(status(DB_REFUSED, "42501", ""), 500);
	ck_assert_int_eq(status(DB_REFUSED, "42501", "session_pkey"), 500);
}
END_TEST

START_TEST(only_our_limits_are_rate_limits)
{
	ck_assert_int_eq(status(DB_REFUSED, "53400", "rate_per_min"), 429);
	ck_assert_int_eq(status(DB_REFUSED, "53400", "rate_per_hour"), 429);
	ck_assert_int_eq(status(DB_REFUSED, "53400", "sign_in_account"), 429);
	ck_assert_int_eq(status(DB_REFUSED, "53400", "sign_in_address"), 429);
	ck_assert_int_eq(status(DB_REFUSED, "53400", "queued_messages"), 429);
	ck_assert_int_eq(status(DB_REFUSED, "53400", "webhook_tests"), 429);
	/* How much an organization may have: to wait does not help. */
	ck_assert_int_eq(status(DB_REFUSED, "53400", "sessions"), 409);
	ck_assert_int_eq(status(DB_REFUSED, "53400", "members"), 409);
	ck_assert_int_eq(status(DB_REFUSED, "53400", "session"), 503);
	/* PostgreSQL's own, temp_file_limit say. */
	ck_assert_int_eq(status(DB_REFUSED, "53400", ""), 503);
}
END_TEST

START_TEST(outcomes_without_a_state)
{
	ck_assert_int_eq(status(DB_TIMED_OUT, "", ""), 504);
	ck_assert_int_eq(status(DB_UNAVAILABLE, "57014", ""), 503);
	ck_assert_int_eq(status(DB_LOST, "", ""), 503);
}
END_TEST

SUITE("api_sqlstate", states, a_limit_of_bytes_is_no_rate, only_our_permissions_are_forbidden,
	  only_our_limits_are_rate_limits, outcomes_without_a_state)
