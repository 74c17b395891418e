/*
 * pipeline.c
 *		The two conversations on a connection: preparing its statements, and requests.
 *
 * What arrives for a request, and what becomes of it:
 *
 *	binding's result, NULL, statement's result, NULL, PIPELINE_SYNC
 *	binding's error,  NULL, PIPELINE_ABORTED,   NULL, PIPELINE_SYNC
 *
 * The binding is authenticate, act_for or unbound.  An error may also come after the
 * statement's result: the Sync commits, and a commit can fail.  So a request is answered at
 * its PIPELINE_SYNC only.  After that comes no NULL but the next request's first result.
 *
 * Nothing else may arrive.  What binds a transaction to an organization ends with it, so
 * that a transaction left open, or an answer that slips to the next request, would show one
 * organization's rows to another.  So everything is demanded: each result in its turn and of
 * the columns that its statement was prepared with, the request's own number from the
 * binding, an idle transaction behind the Sync, and nothing unasked.  Whatever else comes
 * is a violation: the connection is dropped, and nothing of what it carried is used.
 *
 * A connection whose statements are out of date is not broken at once: what is behind in
 * its pipeline still gets its own answer, be it the same error, and nothing becomes unknown.
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

/*
 * The statement that is awaited, or to which what came was next.
 */
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
	return head == NULL ? NULL : db_statements[head->statement].name;
}

/*
 * The server has said what it never says.  False, for whoever reads: the connection is gone.
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
 * The same for a result, which is cleared.  Its texts may be of anybody's rows.
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
 * Is the connection as its last Sync has to leave it?  False: it is gone.
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
 * Send a Parse and a Describe for every statement of the role, and one Sync.  The connection
 * is in pipeline mode.  False: could not.
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

/*
 * A statement was refused, which is no violation.
 */
static bool
refuse_statement(DbConnection *connection, PGresult *result)
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

/*
 * One result while preparing.  False: the connection is broken and gone.
 */
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

/*
 * The request at the head has had its Sync.  False: the connection is broken and gone.
 */
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
	request_end(request, request_outcome(request));
	return true;
}

/*
 * One result for the request at the head.  False: the connection is broken and gone.
 */
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
		expected = request_take_rows(head, result, &connection->shapes[head->statement]);
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
 * The NULL behind a statement's result: the next one is awaited.  An error of the commit has
 * one, too, and the Sync is still awaited behind it.
 */
static void
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
		return;
	}
	if (connection->awaited == AWAITED_SYNC)
		ready_begin(&connection->ready);
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
 * PQisBusy(), which also takes in what the server says unasked.
 */
static bool
is_busy(DbConnection *connection)
{
	if (connection->awaited == AWAITED_SYNC && !connection->answered)
		return ready_is_busy(&connection->ready, connection->pg);
	return PQisBusy(connection->pg) != 0;
}

/*
 * One result, whosever.  False: the connection is broken and gone.
 */
static bool
take_result(DbConnection *connection, PGresult *result)
{
	/* An error without a SQLSTATE is libpq's own; it may have lost the connection. */
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
 * Read what has arrived and work on it.  The connection may be broken, and its events
 * gone, when this returns.
 */
void
pipeline_read(DbConnection *connection)
{
	const char *problem;
	PGresult *result;
	bool ended = false; /* a NULL that ends no statement's results: there are none at all */

	if (PQconsumeInput(connection->pg) == 0)
	{
		connection_break(connection, PQerrorMessage(connection->pg));
		return;
	}
	/* is_busy() comes first: it also takes in what the server says unasked. */
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
			await_next(connection);
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
