/*
 * request_answer.c
 *		One request's answer: whether it is the request's own, and what its asker is told.
 *
 * Nobody is told anything before the Sync was answered (pipeline.c), so that whatever comes
 * until then can still show that what came before is not to be believed.
 */
#include "db/db_internal.h"

#include <string.h>

#include "db/own_error.h"
#include "lib/clock.h"

/* What a request is told whose rows were too many. */
#define TOO_LARGE_STATE "54000"
#define TOO_LARGE_MESSAGE "the rows of the statement are larger than the bound"

/*
 * Each of the three takes one result that belongs to the request, and owns it from then on;
 * or it says what had to come in its place, and the result stays the caller's.
 */

/*
 * Did a statement run without the binding that was sent in front of it?
 */
static bool
misses_binding(const DbRequest *request, const PGresult *result)
{
	return request->binding != request->lane->db->unbound && own_error_is_unbound(result);
}

static const char *
take_error(DbRequest *request, PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (reports_disorder(sqlstate) || misses_binding(request, result))
		return "messages in their order";
	request->error = result;
	return NULL;
}

/*
 * In front of the number authenticate answers two ids, that of the key or person and that of
 * the organization, act_for an empty value and unbound nothing.
 */
static bool
take_principal(DbRequest *request, const PGresult *result)
{
	const Db *db = request->lane->db;
	int len = PQgetlength(result, 0, 0);

	if (request->binding != db->authenticate)
		return request->binding == db->unbound || (len == 0 && !PQgetisnull(result, 0, 0));
	if (len != DB_UUID_SIZE || PQgetlength(result, 0, 1) != DB_UUID_SIZE)
		return false;
	memcpy(request->principal, PQgetvalue(result, 0, 0), DB_UUID_SIZE);
	memcpy(request->bound_org, PQgetvalue(result, 0, 1), DB_UUID_SIZE);
	request->has_principal = true;
	return true;
}

static bool
has_number(const DbRequest *request, const PGresult *result)
{
	int column = PQnfields(result) - 1;

	return PQgetlength(result, 0, column) == DB_NUMBER_BYTES &&
		   memcmp(PQgetvalue(result, 0, column), request->number, DB_NUMBER_BYTES) == 0;
}

/*
 * What is sent with a binding is well formed for it, but for a credential that may be any
 * text (22P02).  A complaint about a value, or about too many of them, is that of another
 * statement under its name; but for the last word of a session that held too much (54000).
 */
static bool
refuses_parameters(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (sqlstate == NULL)
		return false;
	if (strncmp(sqlstate, "54", 2) == 0)
		return severity == NULL || strcmp(severity, "FATAL") != 0;
	return strncmp(sqlstate, "22", 2) == 0 && strcmp(sqlstate, "22P02") != 0;
}

const char *
request_take_binding(DbRequest *request, PGresult *result, const DbShape *shape)
{
	if (PQresultStatus(result) == PGRES_FATAL_ERROR)
	{
		return refuses_parameters(result) ? "that the binding takes what it is sent"
										  : take_error(request, result);
	}
	if (!shape_fits(shape, result, DB_BINARY) || PQntuples(result) != 1)
		return "the binding's one row";
	if (!has_number(request, result))
		return "the number of the request";
	if (!take_principal(request, result))
		return "the ids of the principal and its organization";
	PQclear(result);
	return NULL;
}

const char *
request_take_rows(DbRequest *request, PGresult *result, const DbShape *shape)
{
	if (request->error != NULL)
	{
		if (PQresultStatus(result) != PGRES_PIPELINE_ABORTED)
			return "nothing behind the error";
		PQclear(result);
		return NULL;
	}
	if (PQresultStatus(result) == PGRES_FATAL_ERROR)
		return take_error(request, result);
	if (!shape_fits(shape, result, DB_BINARY))
		return "the statement's rows";
	request->too_large = PQresultMemorySize(result) > DB_RESULT_BYTES_MAX;
	if (request->too_large)
		PQclear(result);
	else
		request->rows = result;
	return NULL;
}

/*
 * The Sync's result is the caller's; here is what can come in front of it.  An error of the
 * commit; or the server's last word, be it behind another error, which stays the first one.
 */
const char *
request_take_end(DbRequest *request, PGresult *result)
{
	if (!reports_of_commit(PQresultErrorField(result, PG_DIAG_SQLSTATE), request->error != NULL))
		return "the end of the transaction";
	if (request->error == NULL)
		request->error = result;
	else
		PQclear(result);
	return NULL;
}

/*
 * Nothing of what has come is to be believed.
 */
void
request_drop_answer(DbRequest *request)
{
	PQclear(request->rows);
	PQclear(request->error);
	request->rows = request->error = NULL;
	request->too_large = false;
	request->has_principal = false;
}

static const char *
error_field(const DbRequest *request, int field)
{
	const char *text = NULL;

	if (request->error != NULL)
		text = PQresultErrorField(request->error, field);
	return text == NULL ? "" : text;
}

/*
 * Did the prepared statement not fit the database any more?  After a change of a table or
 * a function's result every run of it fails until it is prepared anew.  The state of
 * "cached plan must not change result type" is that of every feature that is not there, so
 * that the place in the server's source has to tell.  The seal refuses it, from then on, once
 * another version of the extension has another text for it; or when it is another one, which
 * somebody else has prepared under this one's name.
 */
static bool
statement_is_stale(const DbRequest *request)
{
	const char *sqlstate = error_field(request, PG_DIAG_SQLSTATE);

	return strcmp(sqlstate, "26000") == 0 || own_error_is_unregistered(request->error) ||
		   (strcmp(sqlstate, "0A000") == 0 &&
			strcmp(error_field(request, PG_DIAG_SOURCE_FUNCTION), "RevalidateCachedQuery") == 0);
}

/*
 * Has the request shown that its connection is of no use to further ones?
 */
bool
request_retires_connection(const DbRequest *request)
{
	return request->too_large || statement_is_stale(request);
}

/*
 * What has become of a request whose Sync was answered.
 */
DbOutcome
request_outcome(const DbRequest *request)
{
	if (request->error == NULL)
		return request->rows != NULL ? DB_ROWS : request->too_large ? DB_REFUSED : DB_LOST;
	if (request->cancel_near && strcmp(error_field(request, PG_DIAG_SQLSTATE), "57014") == 0)
		return DB_UNAVAILABLE;
	return statement_is_stale(request) ? DB_UNAVAILABLE : DB_REFUSED;
}

/*
 * Remember whose the credential was found to be, so that its next request takes the turn of
 * its organization; or that it is not good.
 */
void
request_note_owner(const DbRequest *request)
{
	Owners *owners = request->lane->db->owners;

	if (request->binding != request->lane->db->authenticate)
		return;
	if (request->has_principal)
		owners_learn(owners, &request->owner, request->bound_org);
	else if (strcmp(error_field(request, PG_DIAG_SQLSTATE), "28000") == 0)
		owners_forget(owners, &request->owner);
}

/*
 * What has become of a request whose connection broke before its Sync was answered.  An
 * error instead of rows was the end of its transaction.  Behind the rows comes the commit,
 * and an error that comes then (the server is shut down, say) may come before or after it.
 */
DbOutcome
request_outcome_of_break(const DbRequest *request)
{
	bool had_rows = request->rows != NULL || request->too_large;

	return request->error != NULL && !had_rows ? request_outcome(request) : DB_LOST;
}

/*
 * Tell the asker, if there is one who was not told yet.
 */
void
request_tell(DbRequest *request, DbOutcome outcome)
{
	DbDone done = request->done;
	int64_t now = clock_monotonic_ms();
	int64_t sent_at = request->sent_at == 0 ? now : request->sent_at;
	DbResult result = {.outcome = outcome};

	if (done == NULL)
		return;
	request->done = NULL;
	result.sqlstate = error_field(request, PG_DIAG_SQLSTATE);
	result.message = error_field(request, PG_DIAG_MESSAGE_PRIMARY);
	result.detail = error_field(request, PG_DIAG_MESSAGE_DETAIL);
	if (outcome == DB_REFUSED && request->error == NULL)
	{
		result.sqlstate = TOO_LARGE_STATE;
		result.message = TOO_LARGE_MESSAGE;
	}
	result.column = error_field(request, PG_DIAG_COLUMN_NAME);
	result.constraint = error_field(request, PG_DIAG_CONSTRAINT_NAME);
	result.has_principal = request->has_principal;
	memcpy(result.principal, request->principal, DB_UUID_SIZE);
	if (outcome == DB_ROWS)
	{
		result.cells = request->rows;
		result.rows = PQntuples(request->rows);
		result.columns = PQnfields(request->rows);
	}
	result.queued_ms = (int) (sent_at - request->submitted_at);
	result.running_ms = (int) (now - sent_at);
	done(request->arg, &result);
}
