/*
 * test_api_health.c
 *		However many ask whether the service is ready, the database is asked once a second.
 *
 * The database and the HTTP server are this file's own functions of the same names: they
 * note what is asked and what is answered.
 */
#include <string.h>

#include "api/call.h"
#include "db/result.h"
#include "tests/unit/clock_stage.h"
#include "tests/unit/suite.h"

#define ASKERS_MAX 8

/* The request to the database that has no answer yet. */
static struct
{
	DbDone done;
	void *arg;
	int asked; /* how many there were */
	int abandoned;
	bool refuses;
	bool read_only;
} database;

static int statuses[ASKERS_MAX]; /* what each asker was answered; 0: nothing */
static HttpRequest askers[ASKERS_MAX];
static HttpGone gone[ASKERS_MAX];
static void *gone_context[ASKERS_MAX];
static Api api;

DbRequest *
db_request_new(int statement, DbLaneName lane, int timeout_ms, DbDone done, void *arg)
{
	(void) statement;
	(void) lane;
	(void) timeout_ms;
	database.done = done;
	database.arg = arg;
	return (DbRequest *) &database;
}

bool
db_submit(Db *db, DbRequest *request)
{
	(void) db;
	(void) request;
	database.asked += database.refuses ? 0 : 1;
	return !database.refuses;
}

void
db_abandon(DbRequest *request)
{
	(void) request;
	database.abandoned++;
}

bool
db_bool(const DbResult *result, int row, int column, bool *truth)
{
	ck_assert(result->rows == 1 && row == 0 && column == 0);
	*truth = !database.read_only;
	return true;
}

void
http_respond(HttpRequest *request, int status, const HttpHeader *headers, size_t n_headers,
			 const char *content_type, Buffer *body)
{
	(void) headers;
	(void) n_headers;
	(void) content_type;
	ck_assert_int_eq(statuses[request - askers], 0);
	statuses[request - askers] = status;
	buffer_free(body);
}

void
http_respond_error(HttpRequest *request, const HttpError *error, const HttpDetail *details,
				   size_t n_details, const HttpHeader *headers, size_t n_headers)
{
	(void) details;
	(void) n_details;
	(void) headers;
	(void) n_headers;
	ck_assert_int_eq(statuses[request - askers], 0);
	statuses[request - askers] = error->status;
}

void
http_request_on_gone(HttpRequest *request, HttpGone function, void *context)
{
	gone[request - askers] = function;
	gone_context[request - askers] = context;
}

static void
ask(int asker)
{
	health_endpoints[1].open(&askers[asker], &api);
}

static void
answer(DbOutcome outcome)
{
	DbResult result = {.outcome = outcome, .rows = outcome == DB_ROWS ? 1 : 0};

	database.done(database.arg, &result);
}

static void
start(void)
{
	ck_assert_str_eq(health_endpoints[1].pattern, "/readyz");
	readiness_init(&api.readiness);
}

static void
stop(void)
{
	readiness_stop(&api.readiness);
}

START_TEST(all_who_ask_meanwhile_get_the_one_answer)
{
	for (int i = 0; i < ASKERS_MAX; i++)
		ask(i);
	ck_assert_int_eq(database.asked, 1);
	ck_assert_int_eq(statuses[0], 0);
	answer(DB_ROWS);
	for (int i = 0; i < ASKERS_MAX; i++)
		ck_assert_int_eq(statuses[i], 200);
}
END_TEST

START_TEST(an_answer_holds_for_a_second_be_it_good_or_bad)
{
	ask(0);
	answer(DB_UNAVAILABLE);
	ck_assert_int_eq(statuses[0], 503);
	ask(1);
	ck_assert_int_eq(statuses[1], 503);
	ck_assert_int_eq(database.asked, 1);
	clock_stage_ms += 999;
	ask(2);
	ck_assert_int_eq(statuses[2], 503);
	ck_assert_int_eq(database.asked, 1);
	clock_stage_ms += 1;
	ask(3);
	ck_assert_int_eq(database.asked, 2);
	answer(DB_ROWS);
	ask(4);
	ck_assert_int_eq(statuses[3], 200);
	ck_assert_int_eq(statuses[4], 200);
	ck_assert_int_eq(database.asked, 2);
}
END_TEST

START_TEST(a_client_that_leaves_takes_no_other_along)
{
	ask(0);
	ask(1);
	gone[0](&askers[0], gone_context[0]);
	ck_assert_int_eq(statuses[0], 503);
	ck_assert_int_eq(database.abandoned, 0);
	answer(DB_ROWS);
	ck_assert_int_eq(statuses[1], 200);
}
END_TEST

START_TEST(a_database_that_cannot_be_asked_is_not_ready)
{
	database.refuses = true;
	ask(0);
	ck_assert_int_eq(statuses[0], 503);
	database.refuses = false;
	ask(1);
	answer(DB_ROWS);
	ck_assert_int_eq(statuses[1], 200);
}
END_TEST

START_TEST(a_database_that_takes_no_changes_is_not_ready)
{
	database.read_only = true;
	ask(0);
	answer(DB_ROWS);
	ck_assert_int_eq(statuses[0], 503);
}
END_TEST

START_TEST(who_leaves_is_not_ready_whatever_the_database_says)
{
	ask(0);
	api_leave(&api);
	answer(DB_ROWS);
	ck_assert_int_eq(statuses[0], 503);
	ask(1);
	ck_assert_int_eq(statuses[1], 503);
	ck_assert_int_eq(database.asked, 1);
}
END_TEST

START_TEST(stopping_abandons_what_was_asked)
{
	ask(0);
	gone[0](&askers[0], gone_context[0]);
	readiness_stop(&api.readiness);
	ck_assert_int_eq(database.abandoned, 1);
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, all_who_ask_meanwhile_get_the_one_answer);
	tcase_add_test(cases, an_answer_holds_for_a_second_be_it_good_or_bad);
	tcase_add_test(cases, a_client_that_leaves_takes_no_other_along);
	tcase_add_test(cases, a_database_that_cannot_be_asked_is_not_ready);
	tcase_add_test(cases, a_database_that_takes_no_changes_is_not_ready);
	tcase_add_test(cases, who_leaves_is_not_ready_whatever_the_database_says);
	tcase_add_test(cases, stopping_abandons_what_was_asked);
}

SUITE_WITH("api_health", add_tests)
