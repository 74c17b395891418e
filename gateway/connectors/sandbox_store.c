/*
 * sandbox_store.c
 *		The sandbox's connection to PostgreSQL.
 *
 * The connection stays in pipeline mode for its whole life, since that is the only
 * mode in which two statements share one implicit transaction without a BEGIN.
 * What one Sync yields is always read up to its PGRES_PIPELINE_SYNC, so that
 * answers never shift by one.  Nothing blocks within libpq but connecting, which its
 * connect_timeout bounds; waiting is done here, with a bound.
 */
#include "connectors/sandbox_store.h"

#include <poll.h>
#include <string.h>

#include "db/statement.h"
#include "lib/clock.h"
#include "lib/log.h"

#define STATEMENT_ROLE "connector"

/* File names in gateway/statements/connector; also the prepared names. */
static const char *const statement_names[STORE_STATEMENT_COUNT] = {
	[STORE_ACT_FOR] = "act_for",
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

static void
ignore_notice(void *arg, const PGresult *result)
{
	(void) arg;
	(void) result;
}

/* ---- waiting for the server ---- */

/*
 * Sends what libpq holds and reads until a result can be had.  False when the
 * connection broke or the result has not come within answer_ms: a server that
 * hangs, or a network that swallows everything, must not hang this process too.
 */
static bool
wait_for_result(PGconn *connection, int answer_ms)
{
	int64_t end_ms = clock_monotonic_ms() + answer_ms;

	for (;;)
	{
		int unsent = PQflush(connection);
		struct pollfd wait = {.fd = PQsocket(connection),
							  .events = (short) (unsent > 0 ? POLLIN | POLLOUT : POLLIN)};
		int64_t left = end_ms - clock_monotonic_ms();

		if (unsent < 0 || PQstatus(connection) != CONNECTION_OK)
			return false;
		if (PQisBusy(connection) == 0)
			return true;
		if (left <= 0)
		{
			log_line(LOG_LEVEL_WARNING, "database_silent", log_int("ms", answer_ms));
			return false;
		}
		if (poll(&wait, 1, (int) left) > 0 && (wait.revents & ~POLLOUT) != 0 &&
			PQconsumeInput(connection) != 1)
			return false;
	}
}

/*
 * Reads everything up to the next Sync.  The last result that is rows, done or an
 * error is handed out, the caller clears it; NULL when the connection broke.
 */
static PGresult *
read_to_sync(PGconn *connection, int answer_ms)
{
	PGresult *kept = NULL;
	int silent = 0;

	/* One NULL ends each statement's results; more mean that nothing comes. */
	while (silent < 2 && wait_for_result(connection, answer_ms))
	{
		PGresult *result = PQgetResult(connection);

		if (result == NULL)
		{
			silent++;
			continue;
		}
		silent = 0;
		switch (PQresultStatus(result))
		{
			case PGRES_PIPELINE_SYNC:
				PQclear(result);
				return kept;
			case PGRES_COMMAND_OK:
			case PGRES_TUPLES_OK:
			case PGRES_FATAL_ERROR:
				PQclear(kept);
				kept = result;
				break;
			default:
				/* PGRES_PIPELINE_ABORTED: what follows an error */
				PQclear(result);
				break;
		}
	}
	PQclear(kept);
	return NULL;
}

/* Whether an error may pass by itself: shortage, shutdown, a lost race. */
static bool
may_pass(const char *sqlstate)
{
	static const char *const classes[] = {"08", "40", "53", "55P03", "57"};

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
prepare(PGconn *connection, StoreStatement statement, int answer_ms)
{
	const char *name = statement_names[statement];
	int found = db_statement_find(STATEMENT_ROLE, name);
	StoreConnect outcome = STORE_CONNECTED;
	PGresult *result;

	if (found < 0)
		return STORE_UNUSABLE;
	if (PQsendPrepare(connection, name, db_statements[found].text, 0, NULL) != 1 ||
		PQpipelineSync(connection) != 1 || (result = read_to_sync(connection, answer_ms)) == NULL)
		return STORE_WAITING;
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
	{
		log_server_error("statement_refused", name, result);
		outcome =
			may_pass(PQresultErrorField(result, PG_DIAG_SQLSTATE)) ? STORE_WAITING : STORE_UNUSABLE;
	}
	PQclear(result);
	return outcome;
}

/* Whether every statement is registered and ours to run. */
static StoreConnect
prepare_all(PGconn *connection, int answer_ms)
{
	StoreConnect outcome = STORE_CONNECTED;

	if (PQsetnonblocking(connection, 1) != 0 || PQenterPipelineMode(connection) != 1)
		return STORE_WAITING;
	for (int i = 0; i < STORE_STATEMENT_COUNT && outcome == STORE_CONNECTED; i++)
		outcome = prepare(connection, (StoreStatement) i, answer_ms);
	return outcome;
}

static PGconn *
open_connection(const char *conninfo)
{
	const char *const keywords[] = {"dbname",
									"fallback_application_name",
									"connect_timeout",
									"client_encoding",
									"tcp_user_timeout",
									"keepalives_idle",
									"keepalives_interval",
									"keepalives_count",
									NULL};
	const char *const values[] = {conninfo, "wa-sandbox", "5", "UTF8", "10000",
								  "10",     "5",          "2", NULL};

	/*
	 * expand_dbname: the connection string goes where the database's name would.  By the
	 * other settings the kernel notices that the other side is gone, also while nothing is
	 * asked.
	 */
	return PQconnectdbParams(keywords, values, 1);
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
		log_line(LOG_LEVEL_WARNING, "database_unreachable",
				 first_line("error", PQerrorMessage(connection)),
				 log_int("retry_ms", store->backoff_ms));
		return fail_to_connect(store, connection, STORE_WAITING, now_ms);
	}

	PQsetNoticeReceiver(connection, ignore_notice, NULL);
	prepared = prepare_all(connection, store->answer_ms);
	if (prepared != STORE_CONNECTED)
		return fail_to_connect(store, connection, prepared, now_ms);
	store->connection = connection;
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

PGresult *
store_query(Store *store, StoreStatement statement, int count, const char *const *values)
{
	PGresult *result;

	if (store->connection == NULL || store->unanswered > 0)
		return NULL;
	if (!send_statement(store, statement, count, values) ||
		PQpipelineSync(store->connection) != 1 ||
		(result = read_to_sync(store->connection, store->answer_ms)) == NULL)
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
	if (!send_statement(store, STORE_ACT_FOR, 1, &org) ||
		!send_statement(store, statement, count, values) || PQpipelineSync(store->connection) != 1)
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
	result = read_to_sync(store->connection, store->answer_ms);
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
