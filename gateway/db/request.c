/*
 * request.c
 *		One request: its parameters, its sending, its answer.
 *
 * The credential is copied into the request and wiped as soon as libpq has it.  libpq
 * keeps its own copy in the connection's output buffer until the next messages
 * overwrite it; that is out of our reach, and short.
 */
#include "db/db_internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "lib/clock.h"

/* Oid of text, for arrays of it; fixed in PostgreSQL's catalog. */
#define TEXT_OID 25

/* Microseconds from 1970-01-01 to 2000-01-01, PostgreSQL's epoch. */
#define EPOCH_DIFFERENCE_US INT64_C(946684800000000)

#define JSONB_VERSION 1

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
db_param_time_us(DbRequest *request, int64_t postgres_us)
{
	if (postgres_us > DB_TIME_MS_MAX * 1000 - EPOCH_DIFFERENCE_US ||
		postgres_us < DB_TIME_MS_MIN * 1000 - EPOCH_DIFFERENCE_US)
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
	return db_param_time_us(request, epoch_ms * 1000 - EPOCH_DIFFERENCE_US);
}

bool
db_param_jsonb(DbRequest *request, const char *json, size_t length)
{
	return add_param(request, length + 1,
					 buffer_append_char(&request->bytes, JSONB_VERSION) &&
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
	const char *values[2] = {request->credential, request->needs};
	int lengths[2] = {(int) request->credential_length,
					  request->needs == NULL ? 0 : (int) strlen(request->needs)};
	const int formats[2] = {1, 1};
	bool sent;

	sent = PQsendQueryPrepared(pg, statement->name, 2, values, lengths, formats, 1) != 0;
	wak_wipe(request->credential, sizeof(request->credential));
	return sent;
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
	const Db *db = request->lane->db;
	bool sent = true;

	request->authenticating = request->credential_length > 0;
	if (request->authenticating)
	{
		sent = db->authenticate >= 0 &&
			   send_authenticate(request, connection->pg, &db_statements[db->authenticate]);
	}
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

	if (status == PGRES_TUPLES_OK && request->authenticating)
	{
		request->authenticating = false;
		keep_principal(request, result);
	}
	else if (status == PGRES_TUPLES_OK && request->rows == NULL)
	{
		request->rows = result;
		return;
	}
	else if (status == PGRES_FATAL_ERROR && request->error == NULL)
	{
		request->error = result;
		return;
	}
	PQclear(result);
}

/*
 * What has become of a request whose Sync was answered.
 */
DbOutcome
request_outcome(const DbRequest *request)
{
	const char *sqlstate;

	if (request->error == NULL)
	{
		return request->rows == NULL ? DB_LOST : DB_ROWS;
	}
	sqlstate = PQresultErrorField(request->error, PG_DIAG_SQLSTATE);
	if (request->cancel_near && sqlstate != NULL && strcmp(sqlstate, "57014") == 0)
	{
		return DB_UNAVAILABLE;
	}
	return DB_REFUSED;
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
 * Tell the asker and free the request, which must be in no list any more.
 */
void
request_end(DbRequest *request, DbOutcome outcome)
{
	request->state = REQUEST_ENDING;
	request_tell(request, outcome);
	db_request_free(request);
}
