/*
 * sandbox_store.c
 *		The sandbox's connection to PostgreSQL.
 *
 * The connection stays in pipeline mode for its whole life, since that is the only
 * mode in which two statements share one implicit transaction without a BEGIN.
 * What one Sync yields is always read up to its PGRES_PIPELINE_SYNC, so that
 * answers never shift by one.
 */
#include "connectors/sandbox_store.h"

#include <string.h>

#include "db/statement.h"
#include "lib/log.h"

#define STATEMENT_ROLE "connector"

/* File names in gateway/statements/connector; also the prepared names. */
static const char *const statement_names[STORE_STATEMENT_COUNT] = {
	[STORE_ACT_FOR] = "act_for", [STORE_SESSIONS] = "sessions", [STORE_RELEASE] = "release",
	[STORE_CLAIM] = "claim",     [STORE_SESSION] = "session",   [STORE_SENT] = "sent",
	[STORE_FAILED] = "failed",   [STORE_STATUS] = "status",     [STORE_RECEIVE] = "receive",
};

void
store_init(Store *store, const char *conninfo)
{
	memset(store, 0, sizeof(*store));
	store->conninfo = conninfo;
	store->backoff_ms = STORE_BACKOFF_MIN_MS;
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

/* Whether every statement is registered and ours to run. */
static bool
prepare_all(PGconn *connection)
{
	for (int i = 0; i < STORE_STATEMENT_COUNT; i++)
	{
		int found = db_statement_find(STATEMENT_ROLE, statement_names[i]);
		PGresult *result;
		bool prepared;

		if (found < 0)
			return false;
		result = PQprepare(connection, statement_names[i], db_statements[found].text, 0, NULL);
		prepared = (PQresultStatus(result) == PGRES_COMMAND_OK);
		if (!prepared)
			log_server_error("statement_refused", statement_names[i], result);
		PQclear(result);
		if (!prepared)
			return false;
	}
	return true;
}

static PGconn *
open_connection(const char *conninfo)
{
	const char *const keywords[] = {"dbname", "fallback_application_name", "connect_timeout",
									"client_encoding", NULL};
	const char *const values[] = {conninfo, "wa-sandbox", "5", "UTF8", NULL};

	/* expand_dbname: the connection string goes where the database's name would. */
	return PQconnectdbParams(keywords, values, 1);
}

StoreConnect
store_connect(Store *store, int64_t now_ms)
{
	PGconn *connection;

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
		PQfinish(connection);
		store->next_attempt_ms = now_ms + store->backoff_ms;
		store->backoff_ms *= 2;
		if (store->backoff_ms > STORE_BACKOFF_MAX_MS)
			store->backoff_ms = STORE_BACKOFF_MAX_MS;
		return STORE_WAITING;
	}

	PQsetNoticeReceiver(connection, ignore_notice, NULL);
	if (!prepare_all(connection) || PQenterPipelineMode(connection) != 1)
	{
		bool broke = (PQstatus(connection) != CONNECTION_OK);

		PQfinish(connection);
		store->next_attempt_ms = now_ms + STORE_BACKOFF_MAX_MS;
		return broke ? STORE_WAITING : STORE_UNUSABLE;
	}
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

static bool
send_statement(Store *store, StoreStatement statement, int count, const char *const *values)
{
	return PQsendQueryPrepared(store->connection, statement_names[statement], count, values, NULL,
							   NULL, 0) == 1;
}

/*
 * Reads everything up to the next Sync.  The last result that is rows or an error
 * is handed out, the caller clears it; NULL when the connection broke.
 */
static PGresult *
read_to_sync(Store *store)
{
	PGresult *kept = NULL;
	int silent = 0;

	while (PQstatus(store->connection) == CONNECTION_OK)
	{
		PGresult *result = PQgetResult(store->connection);

		/* One NULL ends each statement's results; more mean that nothing comes. */
		if (result == NULL)
		{
			if (++silent > 1)
				break;
			continue;
		}
		silent = 0;
		switch (PQresultStatus(result))
		{
			case PGRES_PIPELINE_SYNC:
				PQclear(result);
				return kept;
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

PGresult *
store_query(Store *store, StoreStatement statement, int count, const char *const *values)
{
	PGresult *result;

	if (store->connection == NULL || store->unanswered > 0)
		return NULL;
	if (!send_statement(store, statement, count, values) ||
		PQpipelineSync(store->connection) != 1 || (result = read_to_sync(store)) == NULL)
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
	result = read_to_sync(store);
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
