/*
 * store.c
 *		The sandbox's connection to PostgreSQL.
 *
 * The connection stays in pipeline mode for its whole life, since that is the only
 * mode in which two statements share one implicit transaction without a BEGIN.
 * Nothing blocks within libpq but looking up the host's name; waiting is done here and by
 * login_wait(), with a bound.
 *
 * A request is two statements and a Sync: act_for or unbound, which answer the number that
 * was sent with them, and the one that is asked for.  As in gateway/db/pipeline.c exactly
 * their two results are taken, of the columns that they were prepared with, and behind the
 * Sync an idle transaction.  Anything else gives the connection up, so that an answer never
 * slips to another request, and a report to another organization.
 */
#include "sandbox/store.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/util.h>

#include "db/login.h"
#include "db/statement.h"
#include "lib/clock.h"
#include "lib/log.h"

#define STATEMENT_ROLE "connector"

/* Digits of a request's number, with sign and NUL. */
#define NUMBER_MAX 24

/* File names in gateway/statements/connector; also the prepared names. */
static const char *const statement_names[STORE_STATEMENT_COUNT] = {
	[STORE_ACT_FOR] = "act_for",
	[STORE_UNBOUND] = "unbound",
	[STORE_SESSIONS] = "sessions",
	[STORE_RELEASE] = "release",
	[STORE_CLAIM] = "claim",
	[STORE_SESSION] = "session",
	[STORE_SENT] = "sent",
	[STORE_FAILED] = "failed",
	[STORE_STATUS] = "status",
	[STORE_RECEIVE] = "receive",
	[STORE_CHANGE] = "change",
	[STORE_ACTIONS] = "actions",
	[STORE_ACTION_DONE] = "action_done",
	[STORE_ACTION_FAILED] = "action_failed",
};

void
store_init(Store *store, const char *conninfo)
{
	memset(store, 0, sizeof(*store));
	store->conninfo = conninfo;
	store->backoff_ms = STORE_BACKOFF_MIN_MS;
	store->answer_ms = STORE_ANSWER_MS;
}

void
store_close(Store *store)
{
	PQfinish(store->connection);
	store->connection = NULL;
	store->unanswered = 0;
	ready_close(&store->ready);
}

/* libpq explains in several lines; the first says what happened. */
static LogField
first_line(const char *key, const char *text)
{
	return log_bytes(key, text, strcspn(text, "\n"));
}

static void
log_server_error(const char *event, const char *name, const PGresult *result)
{
	log_line(LOG_LEVEL_WARNING, event, log_text("statement", name),
			 log_text("sqlstate", PQresultErrorField(result, PG_DIAG_SQLSTATE)),
			 log_text("error", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)));
}

/* The count of reports without an outcome stays: store_outcome() answers each. */
static void
lose_connection(Store *store)
{
	log_line(LOG_LEVEL_WARNING, "database_lost",
			 first_line("error", PQerrorMessage(store->connection)));
	PQfinish(store->connection);
	store->connection = NULL;
	store->next_attempt_ms = 0;
}

/* ---- waiting for the server ---- */

/*
 * Sends what libpq holds and reads until a result can be had, at_sync: the Sync's.  False when the
 * connection broke or the result has not come within answer_ms: a server that
 * hangs, or a network that swallows everything, must not hang this process too.
 */
static bool
wait_for_result(Store *store, PGconn *connection, bool at_sync)
{
	int64_t end_ms = clock_monotonic_ms() + store->answer_ms;

	for (;;)
	{
		int unsent = PQflush(connection);
		struct pollfd wait = {.fd = PQsocket(connection),
							  .events = (short) (unsent > 0 ? POLLIN | POLLOUT : POLLIN)};
		int64_t left = end_ms - clock_monotonic_ms();

		if (unsent < 0 || PQstatus(connection) != CONNECTION_OK)
			return false;
		if (at_sync ? !ready_is_busy(&store->ready, connection) : PQisBusy(connection) == 0)
			return true;
		if (left <= 0)
		{
			log_line(LOG_LEVEL_WARNING, "database_silent", log_int("ms", store->answer_ms));
			return false;
		}
		if (poll(&wait, 1, (int) left) > 0 && (wait.revents & ~POLLOUT) != 0 &&
			PQconsumeInput(connection) != 1)
			return false;
	}
}

/* ---- one request's answer ---- */

/* The results of the two statements, and an error of the commit. */
typedef struct Answer
{
	PGresult *results[2];
	PGresult *late;
} Answer;

static void
clear_answer(Answer *answer)
{
	PQclear(answer->results[0]);
	PQclear(answer->results[1]);
	PQclear(answer->late);
	*answer = (Answer){0};
}

/* The server has said what it never says.  False, for whoever reads. */
static bool
violate(const char *expected, const char *came)
{
	log_line(LOG_LEVEL_ERROR, "database_protocol_violation", log_text("expected", expected),
			 log_text("came", came));
	return false;
}

/* The next result, which is not the Sync's, and the NULL behind it. */
static bool
read_result(Store *store, PGconn *connection, PGresult **result)
{
	PGresult *more;

	if (!wait_for_result(store, connection, false))
		return false;
	*result = PQgetResult(connection);
	if (*result == NULL || PQresultStatus(*result) == PGRES_PIPELINE_SYNC)
		return violate("a statement's result", *result == NULL ? "nothing" : "the Sync's");
	if (!wait_for_result(store, connection, false))
		return false;
	more = PQgetResult(connection);
	if (more != NULL)
		violate("one result of a statement", PQresStatus(PQresultStatus(more)));
	PQclear(more);
	return more == NULL;
}

/*
 * The Sync's result.  In front of it, an error of the commit.
 */
static bool
read_sync(Store *store, PGconn *connection, PGresult **late)
{
	PGresult *result;
	ExecStatusType status;
	const char *problem;

	ready_begin(&store->ready);
	for (;;)
	{
		if (!wait_for_result(store, connection, true))
			return false;
		result = PQgetResult(connection);
		status = PQresultStatus(result);
		if (*late != NULL || status != PGRES_FATAL_ERROR)
			break;
		*late = result;
		if (!reports_of_commit(PQresultErrorField(result, PG_DIAG_SQLSTATE), false))
			return violate("the end of the transaction", PQresStatus(status));
		/* the NULL behind it */
		if (!wait_for_result(store, connection, false) || PQgetResult(connection) != NULL)
			return false;
	}
	PQclear(result);
	if (status != PGRES_PIPELINE_SYNC)
		return violate("the Sync's result", PQresStatus(status));
	problem = ready_problem(&store->ready);
	if (problem == NULL)
		problem = reports_problem(&store->reports, connection);
	return problem == NULL || violate("an idle transaction, and nothing unasked", problem);
}

/*
 * Reads everything up to the next Sync.  False, and nothing to clear: the connection is
 * broken, or has to be given up.
 */
static bool
read_answer(Store *store, PGconn *connection, Answer *answer)
{
	*answer = (Answer){0};
	if (read_result(store, connection, &answer->results[0]) &&
		read_result(store, connection, &answer->results[1]) &&
		read_sync(store, connection, &answer->late))
		return true;
	clear_answer(answer);
	return false;
}

/* Takes the error out of an answer; NULL: there is none. */
static PGresult *
take_error(Answer *answer)
{
	PGresult **places[] = {&answer->results[0], &answer->results[1], &answer->late};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (PQresultStatus(*places[i]) == PGRES_FATAL_ERROR)
		{
			PGresult *error = *places[i];

			*places[i] = NULL;
			return error;
		}
	return NULL;
}

/* Whether an error may pass by itself: shortage, shutdown, a lost race, a standby. */
static bool
may_pass(const char *sqlstate)
{
	static const char *const classes[] = {"08", "25006", "40", "53", "55P03", "57"};

	if (sqlstate == NULL)
		return true;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strncmp(sqlstate, classes[i], strlen(classes[i])) == 0)
			return true;
	return false;
}

/* ---- connecting ---- */

/* Prepares one statement; in pipeline mode. */
static StoreConnect
prepare(Store *store, PGconn *connection, StoreStatement statement)
{
	const char *name = statement_names[statement];
	int found = db_statement_find(STATEMENT_ROLE, name);
	StoreConnect outcome = STORE_CONNECTED;
	Answer answer;
	PGresult *error;

	if (found < 0)
		return STORE_UNUSABLE;
	if (PQsendPrepare(connection, name, db_statements[found].text, 0, NULL) != 1 ||
		PQsendDescribePrepared(connection, name) != 1 || PQpipelineSync(connection) != 1 ||
		!read_answer(store, connection, &answer))
		return STORE_WAITING;
	error = take_error(&answer);
	if (error != NULL)
	{
		log_server_error("statement_refused", name, error);
		outcome =
			may_pass(PQresultErrorField(error, PG_DIAG_SQLSTATE)) ? STORE_WAITING : STORE_UNUSABLE;
	}
	else if (!shape_keep(&store->shapes[statement], name, answer.results[1]))
	{
		violate("the statement, prepared and described", name);
		outcome = STORE_WAITING;
	}
	PQclear(error);
	clear_answer(&answer);
	return outcome;
}

/* Whether every statement is registered and ours to run. */
static StoreConnect
prepare_all(Store *store, PGconn *connection)
{
	StoreConnect outcome = STORE_CONNECTED;

	if (PQsetnonblocking(connection, 1) != 0 || PQenterPipelineMode(connection) != 1 ||
		(store->ready.stream == NULL && !ready_open(&store->ready)))
		return STORE_WAITING;
	reports_begin(&store->reports, connection);
	for (int i = 0; i < STORE_STATEMENT_COUNT && outcome == STORE_CONNECTED; i++)
		outcome = prepare(store, connection, (StoreStatement) i);
	return outcome;
}

static PGconn *
open_connection(const char *conninfo)
{
	const char *const keywords[] = {
		"dbname",          "fallback_application_name", "client_encoding",  "tcp_user_timeout",
		"keepalives_idle", "keepalives_interval",       "keepalives_count", NULL};
	const char *const values[] = {conninfo, "wa-sandbox", "UTF8", "10000", "10", "5", "2", NULL};
	PGconn *connection;

	/*
	 * expand_dbname: the connection string goes where the database's name would.  By the
	 * other settings the kernel notices that the other side is gone, also while nothing is
	 * asked.
	 */
	connection = login_start_with(keywords, values);
	if (connection != NULL && PQstatus(connection) != CONNECTION_BAD)
		(void) login_wait(connection, STORE_CONNECT_MS);
	return connection;
}

/* The attempt has failed; the next one comes after a back-off. */
static StoreConnect
fail_to_connect(Store *store, PGconn *connection, StoreConnect outcome, int64_t now_ms)
{
	PQfinish(connection);
	store->next_attempt_ms = now_ms + store->backoff_ms;
	store->backoff_ms *= 2;
	if (store->backoff_ms > STORE_BACKOFF_MAX_MS)
		store->backoff_ms = STORE_BACKOFF_MAX_MS;
	return outcome;
}

StoreConnect
store_connect(Store *store, int64_t now_ms)
{
	PGconn *connection;
	StoreConnect prepared;

	if (store->connection != NULL)
		return STORE_CONNECTED;
	if (now_ms < store->next_attempt_ms)
		return STORE_WAITING;

	connection = open_connection(store->conninfo);
	if (PQstatus(connection) != CONNECTION_OK)
	{
		const char *error = PQerrorMessage(connection);

		log_line(LOG_LEVEL_WARNING, "database_unreachable",
				 first_line("error", error[0] != '\0' ? error : "no answer"),
				 log_int("retry_ms", store->backoff_ms));
		return fail_to_connect(store, connection, STORE_WAITING, now_ms);
	}

	prepared = prepare_all(store, connection);
	if (prepared != STORE_CONNECTED)
		return fail_to_connect(store, connection, prepared, now_ms);
	store->connection = connection;
	evutil_secure_rng_get_bytes(&store->sent, sizeof(store->sent));
	store->sent = store->answered = store->sent & INT32_MAX;
	store->backoff_ms = STORE_BACKOFF_MIN_MS;
	log_line(LOG_LEVEL_INFO, "database_connected");
	return STORE_CONNECTED;
}

void
store_check(Store *store)
{
	if (store->connection == NULL)
		return;
	if (PQconsumeInput(store->connection) != 1 || PQstatus(store->connection) != CONNECTION_OK)
		lose_connection(store);
}

/* ---- statements ---- */

static bool
send_statement(Store *store, StoreStatement statement, int count, const char *const *values)
{
	return PQsendQueryPrepared(store->connection, statement_names[statement], count, values, NULL,
							   NULL, 0) == 1;
}

/* A whole request; org is NULL where it is for none. */
static bool
send_request(Store *store, const char *org, StoreStatement statement, int count,
			 const char *const *values)
{
	char number[NUMBER_MAX];
	const char *const binding[] = {org, number};

	store->sent++;
	snprintf(number, sizeof(number), "%lld", (long long) store->sent);
	store->asked[store->sent % STORE_BATCH_MAX] = statement;
	return (org != NULL ? send_statement(store, STORE_ACT_FOR, 2, binding)
						: send_statement(store, STORE_UNBOUND, 1, binding + 1)) &&
		   send_statement(store, statement, count, values) &&
		   PQpipelineSync(store->connection) == 1;
}

/* The one row of act_for or unbound, with the number of the request. */
static bool
is_binding(const Store *store, StoreStatement binding, PGresult *result)
{
	return shape_fits(&store->shapes[binding], result, DB_TEXT) && PQntuples(result) == 1 &&
		   strtoll(PQgetvalue(result, 0, PQnfields(result) - 1), NULL, 10) == store->answered;
}

/*
 * The answer to the oldest request: the rows that it asked for, or an error.  NULL: the
 * connection has to be given up.
 */
static PGresult *
take_answer(Store *store, StoreStatement binding)
{
	StoreStatement statement;
	Answer answer;
	PGresult *result;

	if (!read_answer(store, store->connection, &answer))
		return NULL;
	store->answered++;
	statement = store->asked[store->answered % STORE_BATCH_MAX];
	result = take_error(&answer);
	if (result != NULL && reports_disorder(PQresultErrorField(result, PG_DIAG_SQLSTATE)))
	{
		PQclear(result);
		result = NULL;
	}
	else if (result == NULL && is_binding(store, binding, answer.results[0]) &&
			 shape_fits(&store->shapes[statement], answer.results[1], DB_TEXT))
	{
		result = answer.results[1];
		answer.results[1] = NULL;
	}
	if (result == NULL)
		violate("the request's own answer", statement_names[statement]);
	clear_answer(&answer);
	return result;
}

PGresult *
store_query(Store *store, StoreStatement statement, int count, const char *const *values)
{
	PGresult *result;

	if (store->connection == NULL || store->unanswered > 0)
		return NULL;
	if (!send_request(store, NULL, statement, count, values) ||
		(result = take_answer(store, STORE_UNBOUND)) == NULL)
	{
		lose_connection(store);
		return NULL;
	}
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		log_server_error("query_failed", statement_names[statement], result);
		PQclear(result);
		return NULL;
	}
	return result;
}

bool
store_report(Store *store, const char *org, StoreStatement statement, int count,
			 const char *const *values)
{
	if (store->connection == NULL || store->unanswered >= STORE_BATCH_MAX)
		return false;
	if (!send_request(store, org, statement, count, values))
	{
		lose_connection(store);
		return false;
	}
	store->unanswered++;
	return true;
}

StoreOutcome
store_outcome(Store *store)
{
	StoreOutcome outcome;
	PGresult *result;

	if (store->connection == NULL)
	{
		if (store->unanswered > 0)
			store->unanswered--;
		return STORE_LOST;
	}
	store->unanswered--;
	result = take_answer(store, STORE_ACT_FOR);
	if (result == NULL)
	{
		lose_connection(store);
		return STORE_LOST;
	}
	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		outcome = (PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, 0), "f") == 0)
					  ? STORE_STALE
					  : STORE_DONE;
	else
	{
		log_server_error("report_failed", NULL, result);
		outcome =
			may_pass(PQresultErrorField(result, PG_DIAG_SQLSTATE)) ? STORE_AGAIN : STORE_REFUSED;
	}
	PQclear(result);
	return outcome;
}
