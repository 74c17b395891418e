/*
 * answer.c
 *		Makes an answer: its head, its body, and its line in the access log; see answer.h.
 */
#include "http/answer.h"

#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/log.h"

#define ERROR_BODY_MAX (16 * 1024)
#define JSON_TYPE "application/json; charset=utf-8"

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
	{206, "Partial Content"},
	{304, "Not Modified"},
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
	{416, "Range Not Satisfiable"},
	{417, "Expectation Failed"},
	{426, "Upgrade Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
	{507, "Insufficient Storage"},
};

/* The reason phrase; clients ignore it, so it may be empty. */
static const char *
reason_of(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}

/* The current date in HTTP's format; it is formatted once a second. */
static const char *
date_of_now(HttpAnswerHead *head)
{
	int64_t second = clock_wall_ms() / 1000;

	if (second != head->date_second)
	{
		time_t now = (time_t) second;
		struct tm parts;

		gmtime_r(&now, &parts);
		strftime(head->date, sizeof(head->date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
		head->date_second = second;
	}
	return head->date;
}

/* Whether the header contains nothing that would break the head. */
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
find_header(const HttpAnswer *answer, const char *name)
{
	for (size_t i = 0; i < answer->n_headers; i++)
		if (strcmp(answer->headers[i].name, name) == 0)
			return answer->headers[i].value;
	return NULL;
}

HttpAnswer
http_answer_error(const HttpError *error, const HttpDetail *details, size_t n_details, Buffer *body)
{
	buffer_init(body, ERROR_BODY_MAX);
	http_error_body(body, error, details, n_details);
	return (HttpAnswer){
		.status = error->status,
		.extra = {error->header_name, error->header_value},
		.content_type = JSON_TYPE,
		.body = body,
	};
}

size_t
http_answer_length(const HttpAnswer *answer)
{
	if (answer->stream != NULL)
		return answer->stream->left;
	return answer->body != NULL ? answer->body->len : 0;
}

/* Appends the headers that describe the body. */
static void
append_body_headers(Buffer *text, const HttpAnswer *answer)
{
	if (answer->content_type != NULL)
		append_header(text, "Content-Type", answer->content_type);
	buffer_append_text(text, "Content-Length: ");
	buffer_append_int64(text, (int64_t) http_answer_length(answer));
	buffer_append(text, "\r\n", 2);
}

/* As draft-ietf-httpapi-ratelimit-headers-11 has them. */
static void
append_rate(Buffer *text, const HttpRequestState *request)
{
	buffer_append_text(text, "RateLimit-Policy: \"key\";q=");
	buffer_append_int64(text, request->rate_per_minute);
	buffer_append_text(text, ";w=60\r\nRateLimit: \"key\";r=");
	buffer_append_int64(text, request->rate_left);
	buffer_append_text(text, ";t=");
	buffer_append_int64(text, request->rate_full_in);
	buffer_append(text, "\r\n", 2);
}

bool
http_answer_make_head(HttpAnswerHead *head, const HttpAnswer *answer,
					  const HttpRequestState *request, const HttpOrigins *origins, bool last)
{
	Buffer *text = &head->text;

	buffer_clear(text);
	buffer_append_text(text, "HTTP/1.1 ");
	buffer_append_int64(text, answer->status);
	buffer_append_char(text, ' ');
	buffer_append_text(text, reason_of(answer->status));
	buffer_append(text, "\r\n", 2);
	if (has_body(answer->status))
		append_body_headers(text, answer);
	for (size_t i = 0; i < answer->n_headers; i++)
	{
		if (!header_valid(&answer->headers[i]))
			return false;
		append_header(text, answer->headers[i].name, answer->headers[i].value);
	}
	if (answer->extra.name != NULL)
		append_header(text, answer->extra.name, answer->extra.value);
	if (request->rate_per_minute > 0)
		append_rate(text, request);
	http_cors_append(text, origins, &request->request, find_header(answer, "Allow"));
	append_header(text, "X-Request-Id", request->id);
	if (find_header(answer, "Cache-Control") == NULL)
		append_header(text, "Cache-Control", "no-store");
	append_header(text, "X-Content-Type-Options", "nosniff");
	append_header(text, "Date", date_of_now(head));
	if (last)
		append_header(text, "Connection", "close");
	buffer_append(text, "\r\n", 2);
	return !text->failed && (answer->body == NULL || !answer->body->failed);
}

bool
http_answer_has_body(const HttpAnswer *answer, HttpMethod method)
{
	return has_body(answer->status) && method != HTTP_METHOD_HEAD && http_answer_length(answer) > 0;
}

/*
 * Shows the path without its query, or only its route when there is one, because a client may
 * by mistake put a key into the query or in place of an id, and keys must not be logged.
 */
void
http_answer_log(const HttpAnswer *answer, const HttpRequestState *request, size_t bytes, bool gone)
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
			 log_text("denied", request->denied), log_text("client", gone ? "gone" : NULL));
}
