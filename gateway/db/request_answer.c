/*
 * request_answer.c
 *		The answer to one request: checks that it is the request's own, and tells the caller.
 *
 * The caller gets the answer only after the Sync was answered (pipeline.c), so that a
 * violation that is noticed before then still discards the answer.
 */
#include "db/db_internal.h"

#include <string.h>

#include "db/own_error.h"
#include "db/result.h"
#include "lib/clock.h"

/* The error of a request whose rows were too large. */
#define TOO_LARGE_STATE "54000"
#define TOO_LARGE_MESSAGE "the rows of the statement are larger than the bound"

/*
 * request_take_binding(), _rows() and _end() each take one result of the request.  They return
 * NULL and own the result, or they return what should have come instead and the caller still
 * owns it.
 */

/* Whether the error says that the statement ran without the binding that was sent before it. */
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

/* Reads an int4 that is not negative. */
static bool
take_count(const PGresult *result, int column, int32_t *count)
{
	const DbCell cell = {(const uint8_t *) PQgetvalue(result, 0, column), 4};
	int64_t number;

	if (PQgetlength(result, 0, column) != 4 || !db_cell_int(cell, &number) || number < 0)
		return false;
	*count = (int32_t) number;
	return true;
}

/* Reads the three columns from this one on.  A key without a rate has NULL in the first. */
static bool
take_rate(const PGresult *result, int column, DbRate *rate)
{
	*rate = (DbRate){0};
	return PQgetisnull(result, 0, column) || (take_count(result, column, &rate->per_minute) &&
											  take_count(result, column + 1, &rate->left) &&
											  take_count(result, column + 2, &rate->full_in));
}

/*
 * Reads the columns before the number.  authenticate returns two ids, of the key or person and
 * of the organization, and the key's rate; act_for returns an empty value; unbound returns nothing.
 */
static bool
take_principal(DbRequest *request, const PGresult *result)
{
	const Db *db = request->lane->db;
	int len = PQgetlength(result, 0, 0);

	if (request->binding != db->authenticate)
		return request->binding == db->unbound || (len == 0 && !PQgetisnull(result, 0, 0));
	if (len != DB_UUID_SIZE || PQgetlength(result, 0, 1) != DB_UUID_SIZE ||
		!take_rate(result, 2, &request->rate))
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
 * Whether an error says that the parameters are invalid for the binding.  We always send
 * valid ones, so such an error comes from another statement that was prepared under the
 * binding's name.  There are two exceptions: a credential can be any text, and a
 * session that uses too much ends with a FATAL error of class 54.
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
	return strncmp(sqlstate, "22", 2) == 0 && !own_error_is_no_credential(result);
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
 * Takes a result that came instead of the Sync's: an error of the commit, or the error with
 * which the server ends the connection.  If there was an error before, that one is kept.
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

/* Discards the answer so far, after a violation. */
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
 * Whether the prepared statement is out of date.  After a change of a table or of a function's
 * result, every run of it fails until it is prepared again.  The error "cached plan must not
 * change result type" has the SQLSTATE of every unsupported feature, so we also compare the
 * function in the server's source.  The seal refuses the statement in two more cases: another
 * version of the extension has another text for it, or a different statement was prepared
 * under its name.
 */
static bool
statement_is_stale(const DbRequest *request)
{
	const char *sqlstate = error_field(request, PG_DIAG_SQLSTATE);

	return strcmp(sqlstate, "26000") == 0 || own_error_is_unregistered(request->error) ||
		   (strcmp(sqlstate, "0A000") == 0 &&
			strcmp(error_field(request, PG_DIAG_SOURCE_FUNCTION), "RevalidateCachedQuery") == 0);
}

/* Whether the connection must not be used for further requests after this one. */
bool
request_retires_connection(const DbRequest *request)
{
	return request->too_large || statement_is_stale(request);
}

/* The outcome of a request whose Sync was answered. */
DbOutcome
request_outcome(const DbRequest *request)
{
	if (request->error == NULL)
		return request->rows != NULL ? DB_ROWS : request->too_large ? DB_REFUSED : DB_LOST;
	if (request->cancel_near && strcmp(error_field(request, PG_DIAG_SQLSTATE), "57014") == 0)
		return DB_UNAVAILABLE;
	return statement_is_stale(request) ? DB_UNAVAILABLE : DB_REFUSED;
}

/* The answer of a request that asks: 16 bytes, or NULL if its credential is not valid. */
static const uint8_t *
told_org(const DbRequest *request)
{
	if (PQntuples(request->rows) != 1 || PQgetlength(request->rows, 0, 0) != DB_UUID_SIZE)
		return NULL;
	return (const uint8_t *) PQgetvalue(request->rows, 0, 0);
}

/*
 * Remembers the organization of the credential, so that its next request takes the turn of that
 * organization; forgets a credential that is not valid.
 */
void
request_note_owner(DbRequest *request)
{
	Owners *owners = request->lane->db->owners;
	const uint8_t *org = NULL;

	if (request->asks && request->rows != NULL)
		org = told_org(request);
	else if (request->has_principal)
		org = request->bound_org;
	if (org != NULL)
		owners_learn(owners, &request->owner, org);
	else if (request->binding == request->lane->db->authenticate &&
			 strcmp(error_field(request, PG_DIAG_SQLSTATE), "28000") == 0)
	{
		owners_forget(owners, &request->owner);
		request->owner.class = FAIR_ADDRESS;
	}
}

/*
 * Whether a request has asked of which organization its credential is, and its statement is to
 * be sent.  Then the answer is discarded.  What is no credential is refused by authenticate, as
 * always; another error ends the request.
 */
bool
request_has_asked(DbRequest *request)
{
	if (!request->asks || request->done == NULL ||
		(request->error != NULL && !own_error_is_no_credential(request->error)))
		return false;
	request_drop_answer(request);
	return true;
}

/*
 * The outcome of a request whose connection broke before its Sync was answered.  Of one that
 * asks, the statement was not sent.  An error instead of rows means that the transaction was
 * rolled back.  After the rows comes the commit, and an error that comes then, such as a
 * shutdown, may come before or after it.
 */
DbOutcome
request_outcome_of_break(const DbRequest *request)
{
	bool had_rows = request->rows != NULL || request->too_large;

	if (request->asks)
		return DB_UNAVAILABLE;
	return request->error != NULL && !had_rows ? request_outcome(request) : DB_LOST;
}

/* Tells the caller the outcome, unless it was told already or has abandoned the request. */
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
	result.owner = request->owner.class == FAIR_ORG ? &request->owner : NULL;
	result.has_principal = request->has_principal;
	memcpy(result.principal, request->principal, DB_UUID_SIZE);
	if (request->has_principal)
		result.rate = request->rate;
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
