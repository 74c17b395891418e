/*
 * answer.c
 *		Makes answers: status line, headers, body, and the access log's line.
 *
 * An answer is checked before a byte of it is sent: a body that did not fit
 * its buffer, or a header that would break the head, makes it a 500.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/common/memory.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "http/server.h"

#define ERROR_BODY_MAX (16 * 1024)
#define JSON_TYPE "application/json; charset=utf-8"

typedef struct Answer
{
	int status;
	const HttpHeader *headers;
	size_t n_headers;
	HttpHeader extra; /* the error's own header; its name may be NULL */
	const char *content_type;
	Buffer *body;        /* may be NULL */
	const char *refused; /* why, when this floor refused the request */
} Answer;

static const struct
{
	int status;
	const char *reason;
} reasons[] = {
	{101, "Switching Protocols"},
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{301, "Moved Permanently"},
	{302, "Found"},
	{303, "See Other"},
	{304, "Not Modified"},
	{307, "Temporary Redirect"},
	{308, "Permanent Redirect"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{410, "Gone"},
	{413, "Content Too Large"},
	{415, "Unsupported Media Type"},
	{417, "Expectation Failed"},
	{422, "Unprocessable Content"},
	{426, "Upgrade Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
};

/* The reason phrase; nobody reads it, and it may be empty. */
static const char *
reason_of(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}

/* The date of now as HTTP writes it; made once a second. */
static const char *
date_of_now(HttpServer *server)
{
	int64_t second = clock_wall_ms() / 1000;

	if (second != server->date_second)
	{
		time_t now = (time_t) second;
		struct tm parts;

		gmtime_r(&now, &parts);
		strftime(server->date, sizeof(server->date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
		server->date_second = second;
	}
	return server->date;
}

/* Whether the header can stand in a head: nothing that ends a line, or is no text. */
static bool
header_valid(const HttpHeader *header)
{
	for (const char *c = header->name; *c != '\0'; c++)
		if (*c <= ' ' || *c == ':' || *c == 0x7F)
			return false;
	for (const char *c = header->value; *c != '\0'; c++)
		if ((unsigned char) *c < ' ' || *c == 0x7F)
			return false;
	return header->name[0] != '\0';
}

static void
append_header(Buffer *head, const char *name, const char *value)
{
	buffer_append_text(head, name);
	buffer_append(head, ": ", 2);
	buffer_append_text(head, value);
	buffer_append(head, "\r\n", 2);
}

/* Whether an answer of this status may have a body at all. */
static bool
has_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

/* The value of the answer's own header of that name, or NULL. */
static const char *
find_header(const Answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->n_headers; i++)
		if (strcmp(answer->headers[i].name, name) == 0)
			return answer->headers[i].value;
	return NULL;
}

/* Writes the head to the server's buffer; false when the answer cannot be sent as it is. */
static bool
make_head(HttpServer *server, const HttpRequestState *request, const Answer *answer, bool last)
{
	Buffer *head = &server->head;

	buffer_clear(head);
	buffer_append_text(head, "HTTP/1.1 ");
	buffer_append_int64(head, answer->status);
	buffer_append_char(head, ' ');
	buffer_append_text(head, reason_of(answer->status));
	buffer_append(head, "\r\n", 2);
	if (has_body(answer->status))
	{
		if (answer->content_type != NULL)
			append_header(head, "Content-Type", answer->content_type);
		buffer_append_text(head, "Content-Length: ");
		buffer_append_int64(head, answer->body != NULL ? (int64_t) answer->body->len : 0);
		buffer_append(head, "\r\n", 2);
	}
	for (size_t i = 0; i < answer->n_headers; i++)
	{
		if (!header_valid(&answer->headers[i]))
			return false;
		append_header(head, answer->headers[i].name, answer->headers[i].value);
	}
	if (answer->extra.name != NULL)
		append_header(head, answer->extra.name, answer->extra.value);
	http_cors_append(head, &server->origins, &request->request, find_header(answer, "Allow"));
	append_header(head, "X-Request-Id", request->id);
	if (find_header(answer, "Cache-Control") == NULL)
		append_header(head, "Cache-Control", "no-store");
	append_header(head, "X-Content-Type-Options", "nosniff");
	append_header(head, "Date", date_of_now(server));
	if (last)
		append_header(head, "Connection", "close");
	buffer_append(head, "\r\n", 2);
	return !head->failed && (answer->body == NULL || !answer->body->failed);
}

/*
 * The access log's line.  The path is shown without its query, and by its
 * route when there is one, because a query or an id that someone mistook for
 * a place to put a key does not belong into a log.
 */
static void
log_answer(HttpRequestState *request, const Answer *answer, size_t bytes, bool gone)
{
	const HttpRequest *public = &request->request;
	bool named = public->path.len > 0;

	log_line(LOG_LEVEL_INFO, "request", log_text("request_id", request->id),
			 log_text("method", named ? http_method_name(public->method) : NULL),
			 log_text("route", request->route),
			 log_text("path", request->route == NULL && named ? public->path.data : NULL),
			 log_int("status", answer->status), log_int("bytes", (int64_t) bytes),
			 log_int("duration_us", clock_monotonic_us() - public->start_us),
			 log_text("key_id", request->key_id[0] != '\0' ? request->key_id : NULL),
			 log_text("peer", request->peer), log_text("refused", answer->refused),
			 log_text("client", gone ? "gone" : NULL));
}

static void
tell_observer(const HttpServer *server, const HttpRequestState *request, int status)
{
	const HttpRequest *public = &request->request;

	if (server->observe == NULL)
		return;
	server->observe(public->path.len > 0 ? http_method_name(public->method) : "",
					request->route != NULL ? request->route : "", status,
					clock_monotonic_us() - public->start_us, server->observe_context);
}

/* Turns the answer into a 500; its body is made in place. */
static void
replace_by_500(Answer *answer, Buffer *body)
{
	const HttpError *error = http_error(HTTP_ERROR_INTERNAL);

	buffer_init(body, ERROR_BODY_MAX);
	http_error_body(body, error, NULL, 0);
	*answer = (Answer){.status = error->status, .content_type = JSON_TYPE, .body = body};
}

/*
 * The answer is a copy here: the 500 that may take its place, and that one's body, are gone
 * when this returns.
 */
static void
send_answer(HttpConnection *connection, HttpRequestState *request, Answer answer)
{
	HttpServer *server = connection->server;
	Buffer own = {0};
	HttpSendResult sent;
	bool with_body;

	if (server->leaving)
		connection->last = true;
	if (!make_head(server, request, &answer, connection->last))
	{
		log_line(LOG_LEVEL_ERROR, "answer_invalid", log_text("request_id", request->id),
				 log_text("route", request->route));
		replace_by_500(&answer, &own);
		connection->socket = NULL; /* it has not become one */
		make_head(server, request, &answer, connection->last);
	}

	with_body = answer.body != NULL && has_body(answer.status) &&
				request->request.method != HTTP_METHOD_HEAD;
	log_answer(request, &answer, with_body ? answer.body->len : 0, false);
	tell_observer(server, request, answer.status);
	sent = http_connection_send(connection, &server->head, with_body ? answer.body : NULL);
	buffer_free(&own);
	wak_wipe(server->head.data, server->head.len); /* it may have set a cookie */
	http_connection_answered(connection, sent);
}

/* Sends what a handler answers, when there is still someone to send it to; frees the body. */
static void
respond(HttpRequest *request, const Answer *answer)
{
	HttpRequestState *state = request->state;

	state->answered = true;
	if (state->connection != NULL)
		send_answer(state->connection, state, *answer);
	else
		log_answer(state, answer, 0, true);
	if (answer->body != NULL)
		buffer_free(answer->body);
	http_request_finish(state);
}

void
http_respond(HttpRequest *request, int status, const HttpHeader *headers, size_t n_headers,
			 const char *content_type, Buffer *body)
{
	Answer answer = {
		.status = status,
		.headers = headers,
		.n_headers = n_headers,
		.content_type = content_type,
		.body = body,
	};

	respond(request, &answer);
}

void
http_respond_error(HttpRequest *request, const HttpError *error, const HttpDetail *details,
				   size_t n_details, const HttpHeader *headers, size_t n_headers)
{
	Buffer body;
	Answer answer = {
		.status = error->status,
		.headers = headers,
		.n_headers = n_headers,
		.extra = {error->header_name, error->header_value},
		.content_type = JSON_TYPE,
		.body = &body,
	};

	buffer_init(&body, ERROR_BODY_MAX);
	http_error_body(&body, error, details, n_details);
	respond(request, &answer);
}

void
http_connection_refuse(HttpConnection *connection, const HttpError *error, const char *reason)
{
	Buffer body;
	Answer answer = {
		.status = error->status,
		.extra = {error->header_name, error->header_value},
		.content_type = JSON_TYPE,
		.body = &body,
		.refused = reason,
	};

	buffer_init(&body, ERROR_BODY_MAX);
	http_error_body(&body, error, NULL, 0);
	http_request_set_id(connection->request);
	connection->last = true;
	connection->refused = true;
	send_answer(connection, connection->request, answer);
	buffer_free(&body);
}

void
http_connection_refuse_kind(HttpConnection *connection, HttpErrorKind kind, const char *reason)
{
	HttpError error = *http_error(kind);

	error.message = reason;
	http_connection_refuse(connection, &error, reason);
}
