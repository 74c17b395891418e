/*
 * pipeline.c
 *		The two conversations on a connection: preparing its statements, and requests.
 *
 * What arrives for a request, and what becomes of it:
 *
 *	authenticate's result, NULL, statement's result, NULL, PIPELINE_SYNC
 *	authenticate's error,  NULL, PIPELINE_ABORTED,   NULL, PIPELINE_SYNC
 *
 * An error may also come after the statement's result: the Sync commits, and a commit
 * can fail.  So a request is answered at its PIPELINE_SYNC only.  After that comes no
 * NULL but the next request's first result.
 *
 * A connection whose statements are out of date is not broken at once: what is behind in
 * its pipeline still gets its own answer, be it the same error, and nothing becomes unknown.
 */
#include "db/db_internal.h"

#include <string.h>

#include "lib/log.h"

static bool
is_prepared_here(const Db *db, int statement)
{
	return statement < db_statement_count && strcmp(db_statements[statement].role, db->role) == 0;
}

static int
next_prepared(const Db *db, int from)
{
	while (from < db_statement_count && !is_prepared_here(db, from))
	{
		from++;
	}
	return from;
}

/*
 * Send a Parse for every statement of the role, and one Sync.  The connection is in
 * pipeline mode.  False: could not.
 */
bool
pipeline_prepare(DbConnection *connection)
{
	const Db *db = connection->lane->db;

	for (int i = next_prepared(db, 0); i < db_statement_count; i = next_prepared(db, i + 1))
	{
		if (PQsendPrepare(connection->pg, db_statements[i].name, db_statements[i].text, 0, NULL) ==
			0)
		{
			return false;
		}
	}
	connection->preparing = next_prepared(db, 0);
	return PQpipelineSync(connection->pg) != 0;
}

/*
 * One result while preparing.  False: the connection is broken and gone.
 */
static bool
take_prepared(DbConnection *connection, PGresult *result)
{
	const Db *db = connection->lane->db;
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_PIPELINE_SYNC)
	{
		connection_set_state(connection, CONNECTION_READY);
	}
	else if (status == PGRES_COMMAND_OK)
	{
		connection->preparing = next_prepared(db, connection->preparing + 1);
	}
	else
	{
		if (connection->preparing < db_statement_count)
		{
			log_line(LOG_LEVEL_ERROR, "database_statement_refused",
					 log_text("statement", db_statements[connection->preparing].name),
					 log_text("sqlstate", PQresultErrorField(result, PG_DIAG_SQLSTATE)));
		}
		/* The message goes with the result. */
		connection_break(connection, PQresultErrorMessage(result));
		PQclear(result);
		return false;
	}
	PQclear(result);
	return true;
}

/*
 * The request at the head has had its Sync.
 */
static void
finish_head(DbConnection *connection)
{
	DbRequest *request = TAILQ_FIRST(&connection->in_flight);

	connection->retiring |= request_retires_connection(request);
	pool_wake(connection->lane);
	request_end(request, request_outcome(request));
}

/*
 * One result for the request at the head.
 */
static void
take_answer(DbConnection *connection, PGresult *result)
{
	DbRequest *head = TAILQ_FIRST(&connection->in_flight);

	if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
	{
		PQclear(result);
		finish_head(connection);
		return;
	}
	/* An error without a SQLSTATE is libpq's own: it lost the connection. */
	if (PQresultStatus(result) == PGRES_FATAL_ERROR &&
		PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL)
	{
		PQclear(result);
		return;
	}
	request_take_result(head, result);
}

/*
 * Is an answer outstanding?  When not, PQgetResult() would only return NULL.
 */
static bool
expects_answer(const DbConnection *connection)
{
	return connection->state == CONNECTION_PREPARING || !TAILQ_EMPTY(&connection->in_flight);
}

/*
 * Read what has arrived and work on it.  The connection may be broken, and its events
 * gone, when this returns.
 */
void
pipeline_read(DbConnection *connection)
{
	PGresult *result;
	int ends = 0; /* NULLs in a row: one ends a statement's results, two are none at all */

	if (PQconsumeInput(connection->pg) == 0)
	{
		connection_break(connection, PQerrorMessage(connection->pg));
		return;
	}
	/* PQisBusy() comes first: it also takes in what the server says unasked. */
	while (ends < 2 && PQisBusy(connection->pg) == 0 && expects_answer(connection))
	{
		result = PQgetResult(connection->pg);
		if (result == NULL)
		{
			ends++;
			continue;
		}
		ends = 0;
		if (connection->state == CONNECTION_READY)
		{
			take_answer(connection, result);
		}
		else if (!take_prepared(connection, result))
		{
			return;
		}
	}
	if (ends == 2 || PQstatus(connection->pg) == CONNECTION_BAD)
	{
		connection_break(connection, "the server closed the connection");
	}
	else if (connection->retiring && TAILQ_EMPTY(&connection->in_flight))
	{
		connection_break(connection, "a statement was out of date, or its rows were too large");
	}
}
