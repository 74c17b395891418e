/*
 * request.c
 *		One request: its parameters, and how it is sent.  request_answer.c handles its answer.
 *
 * The credential and the parameters are copied into the request and wiped as soon as libpq
 * has them.  libpq keeps its own copy of both in the connection's output buffer, and a copy
 * of rows in its input buffer, until connection_forget() wipes these buffers.  A result is
 * wiped when it is freed (lib/wipe_on_free.c).
 */
#include "db/db_internal.h"

#include <stdlib.h>
#include <string.h>

#include "src/common/memory.h"
#include "lib/clock.h"
#include "lib/random.h"

/* The Oids of the types that arrays contain; fixed in PostgreSQL's catalog. */
#define TEXT_OID 25
#define UUID_OID 2950

DbRequest *
db_request_new(int statement, DbLaneName lane, int timeout_ms, DbDone done, void *arg)
{
	DbRequest *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
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
		return;
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
db_request_credential(DbRequest *request, const char *credential, size_t len, const char *needs)
{
	if (len == 0 || len > DB_CREDENTIAL_MAX)
		return false;
	memcpy(request->credential, credential, len);
	request->credential_len = len;
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
db_request_address(DbRequest *request, const char *address, size_t len)
{
	if (len > DB_ADDRESS_MAX)
		len = 0;
	memcpy(request->address, address, len);
	request->address_len = len;
}

void
db_request_keeps(DbRequest *request, size_t bytes)
{
	request->turn.weight = bytes;
}

void
db_request_agent(DbRequest *request, const char *agent, size_t len)
{
	request->agent_len = len < DB_AGENT_MAX ? len : DB_AGENT_MAX;
	memcpy(request->agent, agent, request->agent_len);
}

/* ---- parameters ---- */

static void
put_big_endian(uint8_t *bytes, uint64_t value, int len)
{
	for (int i = len - 1; i >= 0; i--)
	{
		bytes[i] = (uint8_t) value;
		value >>= 8;
	}
}

/*
 * Ends a parameter of which len bytes were appended; ok says whether they fitted.  libpq takes
 * lengths as int, which is enough because of the buffer's maximum.
 */
static bool
add_param(DbRequest *request, size_t len, bool ok)
{
	if (!ok || request->params == DB_PARAMS_MAX)
		return false;
	request->lengths[request->params++] = (int) len;
	return true;
}

static bool
add_number(DbRequest *request, uint64_t value, int len)
{
	uint8_t bytes[8];

	put_big_endian(bytes, value, len);
	return add_param(request, (size_t) len, buffer_append(&request->bytes, bytes, (size_t) len));
}

bool
db_param_null(DbRequest *request)
{
	if (request->params == DB_PARAMS_MAX)
		return false;
	request->lengths[request->params++] = -1;
	return true;
}

bool
db_param_text(DbRequest *request, const char *text, size_t len)
{
	return add_param(request, len, buffer_append(&request->bytes, text, len));
}

bool
db_param_bytes(DbRequest *request, const void *bytes, size_t len)
{
	return add_param(request, len, buffer_append(&request->bytes, bytes, len));
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
		return false;
	return add_number(request, (uint64_t) postgres_us, 8);
}

bool
db_param_time_ms(DbRequest *request, int64_t epoch_ms)
{
	if (epoch_ms > DB_TIME_MS_MAX || epoch_ms < DB_TIME_MS_MIN)
		return false;
	return db_param_time_us(request, epoch_ms * 1000 - DB_EPOCH_DIFFERENCE_US);
}

bool
db_param_time_none(DbRequest *request)
{
	return add_number(request, (uint64_t) INT64_MIN, 8);
}

bool
db_param_jsonb(DbRequest *request, const char *json, size_t len)
{
	return add_param(request, len + 1,
					 buffer_append_char(&request->bytes, DB_JSONB_VERSION) &&
						 buffer_append(&request->bytes, json, len));
}

/* The format is described at db_array() in result.c. */
static bool
add_array_head(DbRequest *request, uint32_t element_type, int count)
{
	uint8_t head[20];

	put_big_endian(head, count > 0 ? 1 : 0, 4);
	put_big_endian(head + 4, 0, 4); /* no NULLs */
	put_big_endian(head + 8, element_type, 4);
	put_big_endian(head + 12, (uint64_t) count, 4);
	put_big_endian(head + 16, 1, 4); /* lower bound */
	return buffer_append(&request->bytes, head, count > 0 ? 20 : 12);
}

bool
db_param_text_array(DbRequest *request, const char *const *texts, const size_t *lengths, int count)
{
	size_t before = request->bytes.len;
	uint8_t size[4];
	bool ok = add_array_head(request, TEXT_OID, count);

	for (int i = 0; ok && i < count; i++)
	{
		put_big_endian(size, lengths[i], 4);
		ok = buffer_append(&request->bytes, size, sizeof(size)) &&
			 buffer_append(&request->bytes, texts[i], lengths[i]);
	}
	return add_param(request, request->bytes.len - before, ok);
}

bool
db_param_uuid_array(DbRequest *request, const uint8_t (*uuids)[DB_UUID_SIZE], int count)
{
	size_t before = request->bytes.len;
	uint8_t size[4];
	bool ok = add_array_head(request, UUID_OID, count);

	put_big_endian(size, DB_UUID_SIZE, 4);
	for (int i = 0; ok && i < count; i++)
		ok = buffer_append(&request->bytes, size, sizeof(size)) &&
			 buffer_append(&request->bytes, uuids[i], DB_UUID_SIZE);
	return add_param(request, request->bytes.len - before, ok);
}

/* ---- sending ---- */

/* For send_with(): no parameter is sent as text. */
#define NO_TEXT (-1)

/*
 * Sends a statement.  All parameters and rows are in binary, except the parameter with the
 * index "text".  False: it could not, or the role does not have the statement.
 */
static bool
send_with(PGconn *pg, int statement, int count, const char *const *values, const int *lengths,
		  int text)
{
	int formats[DB_PARAMS_MAX];

	for (int i = 0; i < count; i++)
		formats[i] = i == text ? DB_TEXT : DB_BINARY;
	return statement >= 0 && PQsendQueryPrepared(pg, db_statements[statement].name, count, values,
												 lengths, formats, DB_BINARY) != 0;
}

static bool
send_authenticate(DbRequest *request, PGconn *pg)
{
	const char *values[] = {
		request->credential, request->needs, request->address_len == 0 ? NULL : request->address,
		request->agent_len == 0 ? NULL : request->agent, (const char *) request->number};
	const int lengths[] = {(int) request->credential_len,
						   request->needs == NULL ? 0 : (int) strlen(request->needs),
						   (int) request->address_len, (int) request->agent_len, DB_NUMBER_BYTES};
	/* needs is sent as text, because a set of permissions may be written as one name */
	bool sent = send_with(pg, request->binding, 5, values, lengths, 1);

	wak_wipe(request->credential, sizeof(request->credential));
	return sent;
}

/*
 * Sends the statement that binds the transaction to an organization, or "unbound" if there is
 * none yet.  Its last parameter is a number, which it returns.  The number is random, so that the
 * answer to another request, on this or another connection, is not taken for this one's.
 */
static bool
send_binding(DbRequest *request, PGconn *pg)
{
	const Db *db = request->lane->db;
	const char *values[] = {(const char *) request->org, (const char *) request->number};
	const int lengths[] = {DB_UUID_SIZE, DB_NUMBER_BYTES};

	random_fill(request->number, sizeof(request->number));
	if (request->credential_len > 0 && !request->asks)
	{
		request->binding = db->authenticate;
		return send_authenticate(request, pg);
	}
	request->binding = request->has_org ? db->act_for : db->unbound;
	return request->has_org ? send_with(pg, request->binding, 2, values, lengths, NO_TEXT)
							: send_with(pg, request->binding, 1, values + 1, lengths + 1, NO_TEXT);
}

/* The statement that is sent behind the binding. */
int
request_statement(const DbRequest *request)
{
	return request->asks ? request->lane->db->credential_org : request->statement;
}

static bool
send_question(const DbRequest *request, PGconn *pg)
{
	const char *values[] = {request->credential};
	const int lengths[] = {(int) request->credential_len};

	return send_with(pg, request_statement(request), 1, values, lengths, NO_TEXT);
}

static bool
send_statement(const DbRequest *request, PGconn *pg)
{
	const char *values[DB_PARAMS_MAX];
	const char *at = request->bytes.data == NULL ? "" : request->bytes.data;

	for (int i = 0; i < request->params; i++)
	{
		values[i] = request->lengths[i] < 0 ? NULL : at;
		at += request->lengths[i] < 0 ? 0 : request->lengths[i];
	}
	return send_with(pg, request->statement, request->params, values, request->lengths, NO_TEXT);
}

static bool
send_sync(PGconn *pg)
{
#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
	return PQsendPipelineSync(pg) != 0;
#else
	return PQpipelineSync(pg) != 0;
#endif
}

/*
 * Writes the request's messages and its Sync into the connection's output.  Its credential and
 * parameters are wiped, unless it only asks.  False: it could not.  Then the connection must be
 * given up; the Sync is missing, so nothing of the request can take effect.
 */
bool
request_send(DbRequest *request, DbConnection *connection)
{
	PGconn *pg = connection->pg;
	bool sent;

	cork_begin(&connection->cork);
	sent = send_binding(request, pg) &&
		   (request->asks ? send_question(request, pg) : send_statement(request, pg)) &&
		   send_sync(pg);
	cork_end();
	if (!request->asks)
		buffer_free(&request->bytes);
	request->sent_at = clock_monotonic_ms();
	return sent;
}

/* ---- its state ---- */

/* The list of the request's state; NULL: a state without a list. */
static struct RequestList *
list_of(const DbRequest *request)
{
	switch (request->state)
	{
		case REQUEST_QUEUED:
			return &request->lane->queue;
		case REQUEST_REFUSED:
			return &request->lane->refused;
		case REQUEST_CROWDED:
			return &request->lane->crowded;
		case REQUEST_SENT:
			return &request->connection->in_flight;
		case REQUEST_NEW:
		case REQUEST_ENDING:
			break;
	}
	return NULL;
}

/*
 * Changes the state: leaves the list of the old state and joins that of the new one.
 * connection is NULL except for REQUEST_SENT.
 */
void
request_enter(DbRequest *request, RequestState state, DbConnection *connection)
{
	struct RequestList *list = list_of(request);

	if (list != NULL)
		TAILQ_REMOVE(list, request, link);
	if (request->connection != NULL)
		request->connection->in_flight_count--;
	if (request->lane != NULL && state != REQUEST_QUEUED && state != REQUEST_SENT)
		fair_queue_leave(request->lane->turns, &request->turn);
	request->state = state;
	request->connection = connection;
	list = list_of(request);
	if (list != NULL)
		TAILQ_INSERT_TAIL(list, request, link);
	if (connection != NULL)
		connection->in_flight_count++;
}

/*
 * Tells the caller the outcome and frees the request.  The request leaves its list here; from a
 * local list the function that owns that list must have removed it.
 */
void
request_end(DbRequest *request, DbOutcome outcome)
{
	request_enter(request, REQUEST_ENDING, NULL);
	request_tell(request, outcome);
	db_request_free(request);
}
