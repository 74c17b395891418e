/*
 * request.c
 *		One request: its parameters, its sending, its answer.
 *
 * The credential is copied into the request and wiped as soon as libpq has it, and so are
 * the parameters.  libpq keeps its own copy of both in the connection's output buffer, and
 * of rows in its input buffer and the result, until others overwrite them; that is out of
 * our reach, and short.
 */
#include "db/db_internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "lib/clock.h"

/* Oid of text, for arrays of it; fixed in PostgreSQL's catalog. */
#define TEXT_OID 25

/* What a request is told whose rows were too many. */
#define TOO_LARGE_STATE "54000"
#define TOO_LARGE_MESSAGE "the rows of the statement are larger than the bound"

DbRequest *
db_request_new(int statement, DbLaneName lane, int timeout_ms, DbDone *done, void *arg)
{
	DbRequest *request = calloc(1, sizeof(*request));

	if (request == NULL)
	{
		return NULL;
	}
	request->state = REQUEST_NEW;
	request->statement = statement;
	request->lane_name = lane;
	request->timeout_ms = timeout_ms;
	request->done = done;
	request->arg = arg;
	buffer_init(&request->bytes, DB_PARAM_BYTES_MAX);
	return request;
}

void
db_request_free(DbRequest *request)
{
	if (request == NULL)
	{
		return;
	}
	PQclear(request->rows);
	PQclear(request->error);
	buffer_free(&request->bytes);
	wak_wipe(request->credential, sizeof(request->credential));
	free(request);
}

void
db_request_set_lane(DbRequest *request, DbLaneName lane)
{
	request->lane_name = lane;
}

bool
db_request_credential(DbRequest *request, const char *credential, size_t length, const char *needs)
{
	if (length == 0 || length > DB_CREDENTIAL_MAX)
	{
		return false;
	}
	memcpy(request->credential, credential, length);
	request->credential_length = length;
	request->needs = needs;
	return true;
}

void
db_request_org(DbRequest *request, const uint8_t org[DB_UUID_SIZE])
{
	memcpy(request->org, org, DB_UUID_SIZE);
	request->has_org = true;
}

void
db_request_address(DbRequest *request, const char *address, size_t length)
{
	if (length > DB_ADDRESS_MAX)
	{
		length = 0;
	}
	memcpy(request->address, address, length);
	request->address_length = length;
}

/* ---- parameters ---- */

static void
put_big_endian(uint8_t *bytes, uint64_t value, int length)
{
	for (int i = length - 1; i >= 0; i--)
	{
		bytes[i] = (uint8_t) value;
		value >>= 8;
	}
}

/*
 * Close a parameter of which "length" bytes were appended; ok tells whether they
 * fitted.  libpq takes lengths as int, which the buffer's bound keeps them within.
 */
static bool
add_param(DbRequest *request, size_t length, bool ok)
{
	if (!ok || request->params == DB_PARAMS_MAX)
	{
		return false;
	}
	request->lengths[request->params++] = (int) length;
	return true;
}

static bool
add_number(DbRequest *request, uint64_t value, int length)
{
	uint8_t bytes[8];

	put_big_endian(bytes, value, length);
	return add_param(request, (size_t) length,
					 buffer_append(&request->bytes, bytes, (size_t) length));
}

bool
db_param_null(DbRequest *request)
{
	if (request->params == DB_PARAMS_MAX)
	{
		return false;
	}
	request->lengths[request->params++] = -1;
	return true;
}

bool
db_param_text(DbRequest *request, const char *text, size_t length)
{
	return add_param(request, length, buffer_append(&request->bytes, text, length));
}

bool
db_param_uuid(DbRequest *request, const uint8_t uuid[DB_UUID_SIZE])
{
	return add_param(request, DB_UUID_SIZE, buffer_append(&request->bytes, uuid, DB_UUID_SIZE));
}

bool
db_param_bool(DbRequest *request, bool value)
{
	return add_number(request, value ? 1 : 0, 1);
}

bool
db_param_int32(DbRequest *request, int32_t value)
{
	return add_number(request, (uint32_t) value, 4);
}

bool
db_param_int64(DbRequest *request, int64_t value)
{
	return add_number(request, (uint64_t) value, 8);
}

bool
db_param_time_us(DbRequest *request, int64_t postgres_us)
{
	if (postgres_us > DB_TIME_MS_MAX * 1000 - DB_EPOCH_DIFFERENCE_US ||
		postgres_us < DB_TIME_MS_MIN * 1000 - DB_EPOCH_DIFFERENCE_US)
	{
		return false;
	}
	return add_number(request, (uint64_t) postgres_us, 8);
}

bool
db_param_time_ms(DbRequest *request, int64_t epoch_ms)
{
	if (epoch_ms > DB_TIME_MS_MAX || epoch_ms < DB_TIME_MS_MIN)
	{
		return false;
	}
	return db_param_time_us(request, epoch_ms * 1000 - DB_EPOCH_DIFFERENCE_US);
}

bool
db_param_jsonb(DbRequest *request, const char *json, size_t length)
{
	return add_param(request, length + 1,
					 buffer_append_char(&request->bytes, DB_JSONB_VERSION) &&
						 buffer_append(&request->bytes, json, length));
}

/*
 * The format is described at db_array() in result.c.
 */
bool
db_param_text_array(DbRequest *request, const char *const *texts, const size_t *lengths, int count)
{
	size_t before = request->bytes.len;
	uint8_t head[20];
	uint8_t size[4];
	bool ok;

	put_big_endian(head, count > 0 ? 1 : 0, 4);
	put_big_endian(head + 4, 0, 4); /* no NULLs */
	put_big_endian(head + 8, TEXT_OID, 4);
	put_big_endian(head + 12, (uint64_t) count, 4);
	put_big_endian(head + 16, 1, 4); /* lower bound */
	ok = buffer_append(&request->bytes, head, count > 0 ? 20 : 12);
	for (int i = 0; ok && i < count; i++)
	{
		put_big_endian(size, lengths[i], 4);
		ok = buffer_append(&request->bytes, size, sizeof(size)) &&
			 buffer_append(&request->bytes, texts[i], lengths[i]);
	}
	return add_param(request, request->bytes.len - before, ok);
}

/* ---- sending ---- */

static bool
send_authenticate(DbRequest *request, PGconn *pg, const DbStatement *statement)
{
	const char *values[3] = {request->credential, request->needs,
							 request->address_length == 0 ? NULL : request->address};
	int lengths[3] = {(int) request->credential_length,
					  request->needs == NULL ? 0 : (int) strlen(request->needs),
					  (int) request->address_length};
	const int formats[3] = {1, 1, 1};
	bool sent;

	sent = PQsendQueryPrepared(pg, statement->name, 3, values, lengths, formats, 1) != 0;
	wak_wipe(request->credential, sizeof(request->credential));
	return sent;
}

static bool
send_act_for(const DbRequest *request, PGconn *pg, const DbStatement *statement)
{
	const char *value = (const char *) request->org;
	const int length = DB_UUID_SIZE;
	const int format = 1;

	return PQsendQueryPrepared(pg, statement->name, 1, &value, &length, &format, 1) != 0;
}

/*
 * What binds the transaction to an organization, if anything does.
 */
static bool
send_binding(DbRequest *request, PGconn *pg)
{
	const Db *db = request->lane->db;

	request->binding = request->credential_length > 0 || request->has_org;
	if (request->credential_length > 0)
	{
		return db->authenticate >= 0 &&
			   send_authenticate(request, pg, &db_statements[db->authenticate]);
	}
	return !request->has_org ||
		   (db->act_for >= 0 && send_act_for(request, pg, &db_statements[db->act_for]));
}

static bool
send_statement(const DbRequest *request, PGconn *pg, const DbStatement *statement)
{
	const char *values[DB_PARAMS_MAX];
	int formats[DB_PARAMS_MAX];
	const char *at = request->bytes.data == NULL ? "" : request->bytes.data;

	for (int i = 0; i < request->params; i++)
	{
		formats[i] = 1;
		values[i] = request->lengths[i] < 0 ? NULL : at;
		at += request->lengths[i] < 0 ? 0 : request->lengths[i];
	}
	return PQsendQueryPrepared(pg, statement->name, request->params, values, request->lengths,
							   formats, 1) != 0;
}

/*
 * Put the request's messages, and its own Sync, into the connection's output.  False:
 * could not; the connection is of no use any more, and because the Sync is missing
 * nothing of the request can take effect.
 */
bool
request_send(DbRequest *request, DbConnection *connection)
{
	bool sent = send_binding(request, connection->pg);

	sent = sent && send_statement(request, connection->pg, &db_statements[request->statement]);
#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
	sent = sent && PQsendPipelineSync(connection->pg) != 0;
#else
	sent = sent && PQpipelineSync(connection->pg) != 0;
#endif
	buffer_free(&request->bytes);
	request->sent_at = clock_monotonic_ms();
	return sent;
}

/* ---- the answer ---- */

static void
keep_principal(DbRequest *request, const PGresult *result)
{
	if (PQntuples(result) == 1 && PQnfields(result) == 1 && !PQgetisnull(result, 0, 0) &&
		PQgetlength(result, 0, 0) == DB_UUID_SIZE)
	{
		memcpy(request->principal, PQgetvalue(result, 0, 0), DB_UUID_SIZE);
		request->has_principal = true;
	}
}

/*
 * Take a result that belongs to this request, and own it.  The first error counts: what
 * follows is only that the rest was skipped.
 */
void
request_take_result(DbRequest *request, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_TUPLES_OK && request->binding)
	{
		request->binding = false;
		keep_principal(request, result);
	}
	else if (status == PGRES_TUPLES_OK && request->rows == NULL)
	{
		request->too_large = PQresultMemorySize(result) > DB_RESULT_BYTES_MAX;
		if (!request->too_large)
		{
			request->rows = result;
			return;
		}
	}
	else if (status == PGRES_FATAL_ERROR && request->error == NULL)
	{
		request->error = result;
		return;
	}
	PQclear(result);
}

static const char *
error_field(const DbRequest *request, int field)
{
	const char *text = NULL;

	if (request->error != NULL)
	{
		text = PQresultErrorField(request->error, field);
	}
	return text == NULL ? "" : text;
}

/*
 * Did the prepared statement not fit the database any more?  After a change of a table or
 * a function's result every run of it fails until it is prepared anew.  The state of
 * "cached plan must not change result type" is that of every feature that is not there, so
 * that the place in the server's source has to tell.
 */
static bool
statement_is_stale(const DbRequest *request)
{
	const char *sqlstate = error_field(request, PG_DIAG_SQLSTATE);

	return strcmp(sqlstate, "26000") == 0 ||
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
	{
		return request->rows != NULL ? DB_ROWS : request->too_large ? DB_REFUSED : DB_LOST;
	}
	if (request->cancel_near && strcmp(error_field(request, PG_DIAG_SQLSTATE), "57014") == 0)
	{
		return DB_UNAVAILABLE;
	}
	return statement_is_stale(request) ? DB_UNAVAILABLE : DB_REFUSED;
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
	DbDone *done = request->done;
	int64_t now = clock_monotonic_ms();
	int64_t sent_at = request->sent_at == 0 ? now : request->sent_at;
	DbResult result = {.outcome = outcome};

	if (done == NULL)
	{
		return;
	}
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

/*
 * Change the state: leave the list of the old one, join that of the new one.  The
 * connection is that of REQUEST_SENT, and NULL with the others.
 */
void
request_enter(DbRequest *request, RequestState state, DbConnection *connection)
{
	if (request->state == REQUEST_QUEUED)
	{
		TAILQ_REMOVE(&request->lane->queue, request, link);
		request->lane->queue_count--;
	}
	else if (request->state == REQUEST_SENT)
	{
		TAILQ_REMOVE(&request->connection->in_flight, request, link);
		request->connection->in_flight_count--;
	}
	request->state = state;
	request->connection = connection;
	if (state == REQUEST_QUEUED)
	{
		TAILQ_INSERT_TAIL(&request->lane->queue, request, link);
		request->lane->queue_count++;
	}
	else if (state == REQUEST_SENT)
	{
		TAILQ_INSERT_TAIL(&connection->in_flight, request, link);
		connection->in_flight_count++;
	}
}

/*
 * Tell the asker and free the request, which leaves its list; a local one it must have
 * left.
 */
void
request_end(DbRequest *request, DbOutcome outcome)
{
	request_enter(request, REQUEST_ENDING, NULL);
	request_tell(request, outcome);
	db_request_free(request);
}
