/*
 * pipeline.c
 *		Sends and reads the messages of a connection: preparing statements, and requests.
 *
 * For a request one of these sequences arrives from libpq:
 *
 *	binding's result, NULL, statement's result, NULL, PIPELINE_SYNC
 *	binding's error,  NULL, PIPELINE_ABORTED,   NULL, PIPELINE_SYNC
 *
 * The binding is authenticate, act_for or unbound.  An error may also come after the
 * statement's result, because the Sync commits and a commit can fail.  So a request is
 * answered only at its PIPELINE_SYNC.  After a PIPELINE_SYNC there is no NULL; the first
 * result of the next request follows.
 *
 * Nothing else may arrive.  The binding of a transaction to an organization ends with the
 * transaction.  If a transaction stayed open, or an answer were taken for the next request's,
 * one organization could get another's rows.  So everything is checked: each result comes in
 * its order and has the columns that its statement was prepared with, the binding returns
 * the request's own number, the transaction is idle after the Sync, and nothing comes
 * unrequested.  Anything else is a violation: the connection is dropped, and no answer that
 * was not finished is used.
 *
 * A connection whose statements are out of date is not broken at once.  The other requests
 * in its pipeline still get their own answers, even if these are the same error, so that
 * none of them ends as DB_LOST.
 */
#include "db/db_internal.h"

#include <stdio.h>
#include <string.h>

#include "lib/log.h"

static uint64_t violations;

uint64_t
db_protocol_violations(void)
{
	return violations;
}

/* ---- violations ---- */

/* For the log, the name of the statement whose answer is awaited. */
static const char *
statement_name(const DbConnection *connection)
{
	const DbRequest *head = TAILQ_FIRST(&connection->in_flight);

	if (connection->state == CONNECTION_PREPARING)
	{
		return connection->preparing < db_statement_count
				   ? db_statements[connection->preparing].name
				   : NULL;
	}
	return head == NULL ? NULL : db_statements[request_statement(head)].name;
}

/*
 * Handles a violation: logs it and breaks the connection.  Always false, which tells the
 * reader that the connection is broken.
 */
static bool
violate(DbConnection *connection, const char *expected, const char *came)
{
	DbRequest *head = TAILQ_FIRST(&connection->in_flight);

	violations++;
	log_line(LOG_LEVEL_ERROR, "database_protocol_violation",
			 log_int("connection", connection->number),
			 log_text("statement", statement_name(connection)), log_text("expected", expected),
			 log_text("came", came));
	if (head != NULL)
		request_drop_answer(head);
	connection_break(connection, "the server has violated the protocol");
	return false;
}

/*
 * The same for an unexpected result, which is cleared.  Its texts are not logged, because they
 * may be from any organization's rows.
 */
static bool
violate_by(DbConnection *connection, const char *expected, PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	char came[96];

	snprintf(came, sizeof(came), "%s %.5s, rows %d, columns %d",
			 PQresStatus(PQresultStatus(result)), sqlstate == NULL ? "" : sqlstate,
			 PQntuples(result), PQnfields(result));
	PQclear(result);
	return violate(connection, expected, came);
}

/*
 * Checks the state of the connection after a Sync.  False: it was a violation, and the
 * connection is broken.
 */
static bool
is_in_order(DbConnection *connection)
{
	const char *problem = ready_problem(&connection->ready);

	if (problem != NULL)
		return violate(connection, "an idle transaction", problem);
	problem = reports_problem(&connection->reports, connection->pg);
	return problem == NULL || violate(connection, "nothing unasked", problem);
}

/* ---- preparing ---- */

static bool
is_prepared_here(const Db *db, int statement)
{
	return statement < db_statement_count && strcmp(db_statements[statement].role, db->role) == 0;
}

static int
next_prepared(const Db *db, int from)
{
	while (from < db_statement_count && !is_prepared_here(db, from))
		from++;
	return from;
}

/*
 * Sends a Parse and a Describe for every statement of the role, and one Sync.  The connection
 * is in pipeline mode.  False: it could not.
 */
bool
pipeline_prepare(DbConnection *connection)
{
	const Db *db = connection->lane->db;

	for (int i = next_prepared(db, 0); i < db_statement_count; i = next_prepared(db, i + 1))
	{
		const DbStatement *statement = &db_statements[i];

		if (PQsendPrepare(connection->pg, statement->name, statement->text, 0, NULL) == 0 ||
			PQsendDescribePrepared(connection->pg, statement->name) == 0)
			return false;
	}
	connection->preparing = next_prepared(db, 0);
	connection->awaited = AWAITED_PARSE;
	connection->answered = false;
	return PQpipelineSync(connection->pg) != 0;
}

/* The server refused to prepare a statement; this is not a violation. */
static bool
refuse_statement(DbConnection *connection, PGresult *result)
{
	if (connection->preparing < db_statement_count)
	{
		log_line(LOG_LEVEL_ERROR, "database_statement_refused",
				 log_text("statement", db_statements[connection->preparing].name),
				 log_text("sqlstate", PQresultErrorField(result, PG_DIAG_SQLSTATE)));
	}
	/* The message belongs to the result, so the result is cleared after this. */
	connection_break(connection, PQresultErrorMessage(result));
	PQclear(result);
	return false;
}

/* Takes one result while preparing.  False: the connection is broken. */
static bool
take_prepared(DbConnection *connection, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	int index = connection->preparing;

	if (status == PGRES_FATAL_ERROR)
		return refuse_statement(connection, result);
	if (status == PGRES_PIPELINE_SYNC && connection->awaited == AWAITED_SYNC)
	{
		PQclear(result);
		if (!is_in_order(connection))
			return false;
		connection->awaited = AWAITED_BINDING;
		connection_set_state(connection, CONNECTION_READY);
		return true;
	}
	if (status != PGRES_COMMAND_OK || connection->awaited == AWAITED_SYNC ||
		(connection->awaited == AWAITED_DESCRIBE &&
		 !shape_keep(&connection->shapes[index], db_statements[index].name, result)))
		return violate_by(connection, "the statement, prepared and described", result);
	connection->answered = true;
	PQclear(result);
	return true;
}

/* ---- requests ---- */

/* The Sync of the request at the head has been answered.  False: the connection is broken. */
static bool
finish_head(DbConnection *connection)
{
	DbRequest *request = TAILQ_FIRST(&connection->in_flight);

	if (!is_in_order(connection))
		return false;
	connection->awaited = AWAITED_BINDING;
	connection->retiring |= request_retires_connection(request);
	pool_wake(connection->lane);
	request_note_owner(request);
	if (request_has_asked(request))
		pool_requeue(request);
	else
		request_end(request, request_outcome(request));
	return true;
}

/* Takes one result for the request at the head.  False: the connection is broken. */
static bool
take_answer(DbConnection *connection, PGresult *result)
{
	DbRequest *head = TAILQ_FIRST(&connection->in_flight);
	const char *expected;

	if (connection->awaited == AWAITED_BINDING)
	{
		expected = request_take_binding(head, result, &connection->shapes[head->binding]);
	}
	else if (connection->awaited == AWAITED_STATEMENT)
	{
		expected = request_take_rows(head, result, &connection->shapes[request_statement(head)]);
	}
	else if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
	{
		PQclear(result);
		return finish_head(connection);
	}
	else
	{
		expected = request_take_end(head, result);
	}
	connection->answered = true;
	return expected == NULL || violate_by(connection, expected, result);
}

/* ---- both ---- */

/*
 * After the NULL that follows a result, awaits the next one.  The error of a commit is followed
 * by a NULL too, and after it the Sync is still awaited.  False: the connection is broken.
 */
static bool
await_next(DbConnection *connection)
{
	connection->answered = false;
	if (connection->awaited == AWAITED_DESCRIBE)
	{
		connection->preparing = next_prepared(connection->lane->db, connection->preparing + 1);
		connection->awaited =
			connection->preparing < db_statement_count ? AWAITED_PARSE : AWAITED_SYNC;
	}
	else if (connection->awaited != AWAITED_SYNC)
	{
		connection->awaited++;
	}
	else
	{
		return true;
	}
	if (connection->awaited == AWAITED_SYNC)
		ready_begin(&connection->ready);
	return true;
}

/* Whether an answer is outstanding.  If none is, PQgetResult() would only return NULL. */
static bool
expects_answer(const DbConnection *connection)
{
	return connection->state == CONNECTION_PREPARING || !TAILQ_EMPTY(&connection->in_flight);
}

/* Calls PQisBusy(), which also parses unrequested messages of the server. */
static bool
is_busy(DbConnection *connection)
{
	if (connection->awaited == AWAITED_SYNC && !connection->answered)
		return ready_is_busy(&connection->ready, connection->pg);
	return PQisBusy(connection->pg) != 0;
}

/* Takes one result, while preparing or of a request.  False: the connection is broken. */
static bool
take_result(DbConnection *connection, PGresult *result)
{
	/* An error without a SQLSTATE is libpq's own; the connection may be lost. */
	if (PQstatus(connection->pg) == CONNECTION_BAD &&
		PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL)
	{
		PQclear(result);
		return true;
	}
	if (connection->answered)
		return violate_by(connection, "one result of a statement", result);
	return connection->state == CONNECTION_READY ? take_answer(connection, result)
												 : take_prepared(connection, result);
}

/*
 * Reads and handles what has arrived.  When this returns, the connection may be broken and its
 * events freed.
 */
void
pipeline_read(DbConnection *connection)
{
	const char *problem;
	PGresult *result;
	bool ended = false; /* a NULL came where a result was due: the connection has ended */

	if (PQconsumeInput(connection->pg) == 0)
	{
		connection_break(connection, PQerrorMessage(connection->pg));
		return;
	}
	/* is_busy() must come first, because it also parses unrequested messages. */
	while (!ended && !is_busy(connection) && expects_answer(connection))
	{
		result = PQgetResult(connection->pg);
		if (result != NULL)
		{
			if (!take_result(connection, result))
				return;
		}
		else if (connection->answered)
		{
			if (!await_next(connection))
				return;
		}
		else
		{
			ended = true;
		}
	}
	problem = reports_problem(&connection->reports, connection->pg);
	if (ended || PQstatus(connection->pg) == CONNECTION_BAD)
		connection_break(connection, "the server closed the connection");
	else if (problem != NULL)
		violate(connection, "nothing unasked", problem);
	else if (connection->retiring && TAILQ_EMPTY(&connection->in_flight))
		connection_break(connection, "a statement was out of date, or its rows were too large");
}
