/*
 * answer.c
 *		Writes the answer to a call: the rows of its statement, or its error.
 */
#include "api/answer.h"

#include <string.h>

#include "api/cookie.h"
#include "api/cursor.h"
#include "api/download.h"
#include "api/rate.h"
#include "api/sqlstate.h"
#include "src/common/memory.h"
#include "src/common/typeid.h"
#include "db/result.h"
#include "lib/json_write.h"
#include "lib/log.h"

/* Bytes of an answer.  A larger one is replaced by a 500. */
#define ANSWER_MAX (16 * 1024 * 1024)

/* The first allocation of an answer's buffer; most answers fit into it. */
#define ANSWER_FIRST 4000

/*
 * A page of a list ends early after this many bytes.  Its cursor says where the next one
 * begins.
 */
#define ANSWER_PAGE_BYTES (4 * 1024 * 1024)

/* ---- rows ---- */

/*
 * A writer for each type of column.  The cell that it gets is not NULL.  It returns false
 * when the cell does not have the type that the row says, which is a fault of the endpoint
 * or of its statement.
 */
typedef bool (*ColumnWriter)(JsonWriter *writer, const Column *column, DbCell cell);

static bool
write_id(JsonWriter *writer, const Column *column, DbCell cell)
{
	uint8_t uuid[DB_UUID_SIZE];
	char id[WAK_TYPEID_MAX + 1];

	if (!db_cell_uuid(cell, uuid))
		return false;
	wak_typeid_encode(column->prefix, uuid, id);
	json_write_text(writer, id);
	return true;
}

static bool
write_text(JsonWriter *writer, const Column *column, DbCell cell)
{
	(void) column;
	json_write_string(writer, (const char *) cell.bytes, cell.len);
	return true;
}

static bool
write_int(JsonWriter *writer, const Column *column, DbCell cell)
{
	int64_t number;

	(void) column;
	if (!db_cell_int(cell, &number))
		return false;
	json_write_int64(writer, number);
	return true;
}

static bool
write_bool(JsonWriter *writer, const Column *column, DbCell cell)
{
	bool truth;

	(void) column;
	if (!db_cell_bool(cell, &truth))
		return false;
	json_write_bool(writer, truth);
	return true;
}

/* JSON has no infinity, so infinity is written as the last millisecond of the year 9999. */
static bool
write_time(JsonWriter *writer, const Column *column, DbCell cell)
{
	int64_t us;
	int64_t ms;

	(void) column;
	if (!db_cell_time_us(cell, &us))
		return false;
	if (!db_ms_of_us(us, &ms))
		ms = us > 0 ? DB_TIME_MS_MAX : DB_TIME_MS_MIN;
	json_write_int64(writer, ms);
	return true;
}

static bool
write_json(JsonWriter *writer, const Column *column, DbCell cell)
{
	const char *json;
	size_t len;

	(void) column;
	if (!db_cell_jsonb(cell, &json, &len))
		return false;
	json_write_raw(writer, json, len);
	return true;
}

static bool
write_array(JsonWriter *writer, const Column *column, DbCell cell)
{
	DbArray array;
	const char *text;
	size_t len;

	(void) column;
	if (!db_cell_array(cell, &array))
		return false;
	json_write_array_begin(writer);
	while (db_array_next(&array, &text, &len))
		if (text != NULL)
			json_write_string(writer, text, len);
	json_write_array_end(writer);
	return true;
}

/* Columns of cookies have no writer: they become headers. */
static const ColumnWriter column_writers[] = {
	[COLUMN_ID] = write_id,     [COLUMN_TEXT] = write_text,        [COLUMN_INT] = write_int,
	[COLUMN_BOOL] = write_bool, [COLUMN_TIME] = write_time,        [COLUMN_JSON] = write_json,
	[COLUMN_COOKIE] = NULL,     [COLUMN_TEXT_ARRAY] = write_array, [COLUMN_DEVICE] = NULL,
};

/* A statement's result, and where in it the columns of the endpoint are. */
typedef struct Rows
{
	const Route *route;
	const DbResult *result;
	int at[ENDPOINT_COLUMNS_MAX]; /* the result's column for each column of the endpoint */
	int item; /* the result's column with the item, for ANSWER_LIST_JSON and ANSWER_JSON */
} Rows;

/* Returns false when the statement does not return a column that the endpoint shows. */
static bool
find_columns(Rows *rows, const Route *route, const DbResult *result)
{
	const Endpoint *endpoint = route->endpoint;
	const Column *columns = endpoint->columns;
	bool ok = true;

	*rows = (Rows){.route = route, .result = result};
	for (int i = 0; ok && columns != NULL && columns[i].type != COLUMN_END; i++)
	{
		rows->at[i] = db_column(result, columns[i].column, i);
		ok = rows->at[i] >= 0;
	}
	if (endpoint->item != NULL)
		rows->item = db_column(result, endpoint->item, 0);
	return ok && rows->item >= 0;
}

/* Writes one row as an object.  A cell that is NULL has no member. */
static bool
write_row(JsonWriter *writer, const Rows *rows, int row)
{
	const Column *columns = rows->route->endpoint->columns;
	const HttpText *names = rows->route->names;
	bool ok = true;

	json_write_object_begin(writer);
	for (int i = 0; ok && columns[i].type != COLUMN_END; i++)
	{
		ColumnWriter write = column_writers[columns[i].type];
		DbCell cell = db_cell(rows->result, row, rows->at[i]);

		if (write != NULL && cell.bytes != NULL)
		{
			json_write_quoted_name(writer, names[i].data, names[i].len);
			ok = write(writer, &columns[i], cell);
		}
	}
	json_write_object_end(writer);
	return ok;
}

/* Writes what is JSON text already. */
static bool
write_json_text(JsonWriter *writer, const Rows *rows, int row)
{
	const char *json;
	size_t len;

	if (!db_text(rows->result, row, rows->item, &json, &len))
		return false;
	json_write_raw(writer, json, len);
	return true;
}

static bool
write_item(JsonWriter *writer, const Rows *rows, int row)
{
	return rows->route->endpoint->answer == ANSWER_LIST_JSON ? write_json_text(writer, rows, row)
															 : write_row(writer, rows, row);
}

static bool
is_list(const Endpoint *endpoint)
{
	return endpoint->answer == ANSWER_LIST || endpoint->answer == ANSWER_LIST_JSON;
}

/* Whether a row has no item, so that it is not shown. */
static bool
lacks_item(const Rows *rows, int row)
{
	bool json = rows->route->endpoint->answer == ANSWER_LIST_JSON;

	return db_is_null(rows->result, row, json ? rows->item : rows->at[0]);
}

/* Whether a row says only where the next page begins: behind it. */
static bool
is_place(const Rows *rows, int row)
{
	return row < rows->result->rows && lacks_item(rows, row) &&
		   cursor_possible(rows->route->endpoint, rows->result, row);
}

/*
 * Writes a page of a list.  The statement was asked for one row more than a page shows; if
 * that row came, there is a next page.
 */
static bool
write_list(const Call *call, const Rows *rows, Buffer *body)
{
	const Endpoint *endpoint = call->route->endpoint;
	const DbResult *result = rows->result;
	Buffer cursor;
	JsonWriter writer;
	int row = 0;
	bool ok = true;

	buffer_init(&cursor, CURSOR_TEXT_MAX);
	json_write_init(&writer, body);
	json_write_object_begin(&writer);
	json_write_name(&writer, "data");
	json_write_array_begin(&writer);
	while (ok && row < result->rows && row < call->limit && body->len < ANSWER_PAGE_BYTES &&
		   !lacks_item(rows, row))
		ok = write_item(&writer, rows, row++);
	json_write_array_end(&writer);
	if (is_place(rows, row))
		row++;
	if (ok && row > 0 && (row < result->rows || is_place(rows, row - 1)))
	{
		ok = cursor_write(&cursor, endpoint, call->http, result, row - 1);
		json_write_name(&writer, "nextCursor");
		json_write_string(&writer, cursor.data, cursor.len);
	}
	json_write_object_end(&writer);
	buffer_free(&cursor);
	return ok && json_write_done(&writer);
}

static bool
write_lines(const Rows *rows, Buffer *body)
{
	bool ok = true;

	for (int row = 0; ok && row < rows->result->rows; row++)
	{
		JsonWriter writer;

		json_write_init(&writer, body);
		ok = write_row(&writer, rows, row) && json_write_done(&writer);
		ok = ok && buffer_append_char(body, '\n');
	}
	return ok;
}

static int
success_status(const Endpoint *endpoint, const DbResult *result)
{
	bool flag = false;

	if (endpoint->flag_status != 0)
		db_bool(result, 0, db_column(result, endpoint->flag, result->columns - 1), &flag);
	return flag ? endpoint->flag_status : endpoint->status;
}

/* The number of cookies that one answer sets at most. */
#define ANSWER_COOKIES_MAX 2

/*
 * Makes the header for the cookie in this column.  Returns false when the column is no
 * cookie, or its cell is NULL.
 */
static bool
make_cookie(const Call *call, const DbResult *result, const Column *column,
			char header[COOKIE_HEADER_MAX])
{
	const char *cookie;
	size_t len;

	return (column->type == COLUMN_COOKIE || column->type == COLUMN_DEVICE) &&
		   db_text(result, 0, db_column(result, column->column, 0), &cookie, &len) && len > 0 &&
		   cookie_set(call->http, column->type == COLUMN_COOKIE ? COOKIE_SIGN_IN : COOKIE_DEVICE,
					  cookie, len, header);
}

/* Makes the headers for the cookies that the answer sets or removes.  Returns their number. */
static int
make_cookies(const Call *call, const DbResult *result,
			 char headers[ANSWER_COOKIES_MAX][COOKIE_HEADER_MAX])
{
	const Endpoint *endpoint = call->route->endpoint;
	int count = 0;

	if (endpoint->clears_cookie)
		return cookie_set(call->http, COOKIE_SIGN_IN, "", 0, headers[0]) ? 1 : 0;
	for (int i = 0; endpoint->columns != NULL && endpoint->columns[i].type != COLUMN_END &&
					count < ANSWER_COOKIES_MAX;
		 i++)
		count += make_cookie(call, result, &endpoint->columns[i], headers[count]) ? 1 : 0;
	return count;
}

static const char *
content_type(const Endpoint *endpoint)
{
	return endpoint->answer == ANSWER_LINES ? "application/x-ndjson"
											: "application/json; charset=utf-8";
}

/* Answers a call that has succeeded.  The body may be NULL. */
static void
respond(const Call *call, const DbResult *result, Buffer *body)
{
	char cookies[ANSWER_COOKIES_MAX][COOKIE_HEADER_MAX];
	HttpHeader headers[ANSWER_COOKIES_MAX];
	int count = make_cookies(call, result, cookies);

	for (int i = 0; i < count; i++)
		headers[i] = (HttpHeader){.name = "Set-Cookie", .value = cookies[i]};
	http_respond(call->http, success_status(call->route->endpoint, result), headers, (size_t) count,
				 body == NULL ? NULL : content_type(call->route->endpoint), body);
	wak_wipe(cookies, sizeof(cookies));
}

void
call_answer_rows(const Call *call, const DbResult *result)
{
	const Endpoint *endpoint = call->route->endpoint;
	Buffer body;
	JsonWriter writer;
	Rows rows;
	bool ok;

	if (endpoint->answer == ANSWER_FILE)
	{
		call_answer_file(call, result);
		return;
	}
	ok = find_columns(&rows, call->route, result);

	if (ok && result->rows == 0 && !is_list(endpoint) && endpoint->answer != ANSWER_LINES)
	{
		http_respond_error(call->http, http_error(HTTP_ERROR_NOT_FOUND), NULL, 0, NULL, 0);
		return;
	}
	if (ok && endpoint->answer == ANSWER_NONE)
	{
		respond(call, result, NULL);
		return;
	}
	buffer_init(&body, ANSWER_MAX);
	buffer_reserve(&body, ANSWER_FIRST);
	if (ok && (endpoint->answer == ANSWER_ONE || endpoint->answer == ANSWER_JSON))
	{
		json_write_init(&writer, &body);
		ok = endpoint->answer == ANSWER_ONE ? write_row(&writer, &rows, 0)
											: write_json_text(&writer, &rows, 0);
		ok = ok && json_write_done(&writer);
	}
	else if (ok && endpoint->answer == ANSWER_LINES)
	{
		ok = write_lines(&rows, &body);
	}
	else if (ok)
	{
		ok = write_list(call, &rows, &body);
	}
	if (!ok)
	{
		log_line(LOG_LEVEL_ERROR, "answer_failed",
				 log_bytes("request_id", call->http->id.data, call->http->id.len),
				 log_text("statement", endpoint->statement), log_int("columns", result->columns));
		buffer_free(&body);
		http_respond_error(call->http, http_error(HTTP_ERROR_INTERNAL), NULL, 0, NULL, 0);
		return;
	}
	respond(call, result, &body);
}

/* ---- errors ---- */

/* Logs a failure for the operator.  The caller never sees PostgreSQL's message. */
static void
log_failure(const Call *call, const DbResult *result, const HttpError *error)
{
	log_line(LOG_LEVEL_ERROR, "request_failed",
			 log_bytes("request_id", call->http->id.data, call->http->id.len),
			 log_text("statement", call->route->endpoint->statement),
			 log_int("status", error->status),
			 log_text("outcome", db_outcome_names[result->outcome]),
			 log_text("sqlstate", result->sqlstate[0] == '\0' ? NULL : result->sqlstate),
			 log_text("message", result->message[0] == '\0' ? NULL : result->message),
			 log_int("queued_ms", result->queued_ms), log_int("running_ms", result->running_ms));
}

/*
 * The functions of the extension say "to must be a phone number".  In the details of an
 * error the name is the member's name already, so it is cut off the text.
 */
static const char *
without_name(const char *message, const char *name)
{
	size_t len = strlen(name);

	return strncmp(message, name, len) == 0 && message[len] == ' ' ? message + len + 1 : message;
}

/*
 * Describes a limit that was reached: which limit it is, and after how many seconds another
 * try can succeed.  The error's detail begins with these seconds.
 */
static void
fill_limit(const DbResult *result, HttpError *error, HttpDetail *detail, char wait[RATE_WAIT_MAX])
{
	if (result->outcome == DB_CROWDED)
	{
		error->message = "too many requests of this organization or address wait";
		*detail = (HttpDetail){.name = "limit", .text = "waitingRequests"};
		return;
	}
	if (rate_wait(result, wait))
		error->header_value = wait;
	if (rate_is_over(result))
	{
		error->message = rate_message;
		*detail = rate_detail;
		return;
	}
	if (strcmp(result->constraint, "queued_messages") == 0)
	{
		error->message = "too many messages wait in this session";
		*detail = (HttpDetail){.name = "limit", .text = "queuedMessages"};
		return;
	}
	if (strcmp(result->constraint, "webhook_tests") == 0)
	{
		error->message = "too many tests of webhooks are on their way";
		*detail = (HttpDetail){.name = "limit", .text = "webhookTests"};
		return;
	}
	if (strncmp(result->constraint, "rate_per_", 9) != 0)
	{
		error->message = strcmp(result->constraint, "tickets") == 0
							 ? "too many tickets wait to be used"
							 : "too many attempts";
		return;
	}
	error->message = "the session has reached its send limit";
	*detail = (HttpDetail){.name = "limit",
						   .text = strcmp(result->constraint, "rate_per_hour") == 0 ? "ratePerHour"
																					: "ratePerMin"};
}

/*
 * Adds to an error what its code does not say.  A text from the database is shown only for
 * errors that nothing but our own functions raises.
 */
static void
explain(const Call *call, const DbResult *result, HttpErrorKind kind, HttpError *error,
		HttpDetail *detail, char wait[RATE_WAIT_MAX])
{
	bool lost = result->outcome == DB_LOST || result->outcome == DB_TIMED_OUT;

	if (kind == HTTP_ERROR_UNAUTHORIZED && call->route->endpoint->unauthorized != NULL)
	{
		error->message = call->route->endpoint->unauthorized;
	}
	else if (kind == HTTP_ERROR_FORBIDDEN && sqlstate_forbidden_text(result) != NULL)
	{
		error->message = sqlstate_forbidden_text(result);
	}
	else if (kind == HTTP_ERROR_FORBIDDEN)
	{
		*detail = (HttpDetail){.name = "required", .text = result->constraint};
	}
	else if (kind == HTTP_ERROR_VALIDATION && result->column[0] != '\0')
	{
		*detail = (HttpDetail){.name = result->column,
							   .text = without_name(result->message, result->column)};
	}
	else if (kind == HTTP_ERROR_QUOTA)
	{
		error->message = result->message;
		*detail = (HttpDetail){.name = "limit", .text = "mediaMebibytes"};
	}
	else if (kind == HTTP_ERROR_CONFLICT && strcmp(result->sqlstate, "53400") == 0)
	{
		error->message = result->message;
		*detail = (HttpDetail){.name = "limit", .text = result->constraint};
	}
	else if (kind == HTTP_ERROR_CONFLICT && strcmp(result->sqlstate, "55000") == 0)
	{
		error->message = result->message;
	}
	else if (kind == HTTP_ERROR_CONFLICT && call->route->endpoint->conflict != NULL)
	{
		error->message = call->route->endpoint->conflict;
	}
	else if (kind == HTTP_ERROR_RATE_LIMITED)
	{
		fill_limit(result, error, detail, wait);
	}
	else if (lost && call->route->endpoint->method != HTTP_METHOD_GET)
	{
		error->message = "no answer from the database; whether the change was made is not known";
	}
}

void
call_answer_error(const Call *call, const DbResult *result)
{
	HttpErrorKind kind = sqlstate_error(result);
	HttpError error = *http_error(kind);
	HttpDetail detail = {0};
	char wait[RATE_WAIT_MAX];

	explain(call, result, kind, &error, &detail, wait);
	http_request_set_denied(call->http, sqlstate_restriction(result));
	if (error.status >= 500)
		log_failure(call, result, &error);
	http_respond_error(call->http, &error, &detail, detail.name == NULL ? 0 : 1, NULL, 0);
}
