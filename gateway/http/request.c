/*
 * request.c
 *		Makes, fills, reads and frees requests; see request.h.
 */
#include "http/request.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "src/common/memory.h"
#include "lib/clock.h"
#include "lib/random.h"
#include "http/target.h"

#define ID_BYTES 16 /* random bytes of a generated id */

HttpRequestState *
http_request_create(HttpConnection *connection, const char *peer, bool tls)
{
	HttpRequestState *state = calloc(1, sizeof(*state));

	if (state == NULL)
		return NULL;
	http_guard_init(&state->guard);

	/* texts are never NULL, also in a request that is refused before it is complete */
	state->connection = connection;
	state->request.state = state;
	state->request.path = (HttpText){"", 0};
	state->request.query = state->request.path;
	state->request.body = state->request.path;
	state->request.id = (HttpText){state->id, 0};
	state->request.tls = tls;
	state->request.start_us = clock_monotonic_us();
	strncpy(state->peer, peer, sizeof(state->peer) - 1);
	state->request.peer = (HttpText){state->peer, strlen(state->peer)};
	return state;
}

static void
destroy(HttpRequestState *state)
{
	http_guard_free(&state->guard);
	wak_wipe(state->arrays, state->arrays_size);
	free(state->arrays);
	wak_wipe(state, sizeof(*state)); /* guard.word may hold text of the request */
	free(state);
}

void
http_request_release(HttpRequestState *state)
{
	HttpGone gone = state->gone;

	state->connection = NULL;
	state->proxies = NULL; /* they belong to the server, which may be freed first */
	if (!state->handed_over)
	{
		destroy(state);
		return;
	}

	/* gone() may release the request, so it is not used after the call */
	state->gone = NULL;
	if (!state->answered && gone != NULL)
		gone(&state->request, state->gone_context);
}

void
http_request_finish(HttpRequestState *state)
{
	state->handed_over = false;
	if (state->connection == NULL)
		destroy(state);
}

/* Whether the client's request id may be used and logged. */
static bool
id_is_sane(HttpText id)
{
	if (id.len == 0 || id.len > HTTP_REQUEST_ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (!isalnum((unsigned char) id.data[i]) && strchr("-_.:+/=@", id.data[i]) == NULL)
			return false;
	return true;
}

void
http_request_set_id(HttpRequestState *state)
{
	unsigned char random[ID_BYTES]; /* need not be secret, only different */

	if (state->request.id.len > 0)
		return;
	random_fill(random, sizeof(random));
	for (size_t i = 0; i < ID_BYTES; i++)
	{
		state->id[2 * i] = "0123456789abcdef"[random[i] >> 4];
		state->id[2 * i + 1] = "0123456789abcdef"[random[i] & 15];
	}
	state->request.id = (HttpText){state->id, 2 * ID_BYTES};
}

/* Uses the client's id if it sent exactly one and that is valid; else generates one. */
static void
take_id(HttpRequestState *state)
{
	size_t count;
	const HttpText *id = http_request_header(&state->request, "x-request-id", &count);

	if (count == 1 && id_is_sane(*id))
	{
		memcpy(state->id, id->data, id->len);
		state->request.id = (HttpText){state->id, id->len};
	}
	http_request_set_id(state);
}

/* Fills the public array of headers from the guard's spans. */
static void
fill_headers(HttpRequest *request, const HttpGuard *guard, HttpField *headers)
{
	const char *text = guard->text.data;

	for (size_t i = 0; i < guard->n_spans; i++)
	{
		const HttpSpan *span = &guard->spans[i];

		headers[i].name = (HttpText){text + span->name, span->name_len};
		headers[i].value = (HttpText){text + span->value, span->value_len};
	}
	request->headers = headers;
	request->n_headers = guard->n_spans;
}

/* Sets method, path and query; the path of "http://host" is "/". */
static void
fill_target(HttpRequest *request, const HttpGuard *guard)
{
	const char *text = guard->text.data;

	request->method = guard->method;
	request->path = (HttpText){text + guard->path_at, guard->path_len};
	request->query = (HttpText){text + guard->query_at, guard->query_len};
	if (request->path.len == 0)
		request->path = (HttpText){"/", 1};
}

/* All arrays and the decoded text are in one allocation. */
const char *
http_request_end_head(HttpRequestState *state, HttpErrorKind *error)
{
	HttpRequest *request = &state->request;
	const HttpGuard *guard = &state->guard;
	HttpTarget target = {0};
	HttpTargetRoom room;
	HttpField *fields;
	const char *wrong;

	*error = HTTP_ERROR_VALIDATION;
	fill_target(request, guard);
	room = http_target_room(request->path, request->query);
	state->arrays_size = (guard->n_spans + room.n_parameters) * sizeof(HttpField) +
						 room.n_segments * sizeof(HttpText) + room.n_bytes;
	fields = malloc(state->arrays_size);
	if (fields == NULL)
	{
		state->arrays_size = 0;
		*error = HTTP_ERROR_UNAVAILABLE;
		return "out of memory";
	}
	state->arrays = fields;
	fill_headers(request, guard, fields);
	take_id(state);

	target.parameters = fields + guard->n_spans;
	target.segments = (HttpText *) (target.parameters + room.n_parameters);
	target.bytes = (char *) (target.segments + room.n_segments);
	wrong = http_target_decode(request->path, request->query, &target);
	if (wrong != NULL)
		return wrong;
	request->parameters = target.parameters;
	request->n_parameters = target.n_parameters;
	request->segments = target.segments;
	request->n_segments = target.n_segments;
	return NULL;
}

/* The first of n fields with that name; sets *count to the number of such fields. */
static const HttpText *
find(const HttpField *fields, size_t n, const char *name, size_t *count)
{
	const HttpText *first = NULL;
	size_t len = strlen(name);
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
	{
		if (fields[i].name.len == len && memcmp(fields[i].name.data, name, len) == 0)
		{
			if (found++ == 0)
				first = &fields[i].value;
		}
	}
	if (count != NULL)
		*count = found;
	return first;
}

const HttpText *
http_request_header(const HttpRequest *request, const char *name, size_t *count)
{
	return find(request->headers, request->n_headers, name, count);
}

static bool
is_separator(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

/* Whether the comma-separated list contains the token; ignores case. */
static bool
list_has(const HttpText *list, const char *token)
{
	size_t len = strlen(token);
	size_t at = 0;

	while (at < list->len)
	{
		size_t first = at;

		while (at < list->len && !is_separator(list->data[at]))
			at++;
		if (at - first == len && strncasecmp(list->data + first, token, len) == 0)
			return true;
		at++;
	}
	return false;
}

bool
http_request_header_has(const HttpRequest *request, const char *name, const char *token)
{
	for (size_t i = 0; i < request->n_headers; i++)
		if (strcmp(request->headers[i].name.data, name) == 0 &&
			list_has(&request->headers[i].value, token))
			return true;
	return false;
}

const HttpText *
http_request_parameter(const HttpRequest *request, const char *name, size_t *count)
{
	return find(request->parameters, request->n_parameters, name, count);
}

bool
http_request_has_current(const HttpRequest *request, const char *etag)
{
	const HttpText *tags = http_request_header(request, "if-none-match", NULL);

	return tags != NULL && (strstr(tags->data, etag) != NULL || strcmp(tags->data, "*") == 0);
}

void
http_request_set_route(HttpRequest *request, const char *pattern)
{
	request->state->route = pattern;
}

void
http_request_set_key(HttpRequest *request, const char *key_id)
{
	strncpy(request->state->key_id, key_id, HTTP_KEY_ID_MAX);
}

void
http_request_set_rate(HttpRequest *request, int per_minute, int left, int full_in)
{
	request->state->rate_per_minute = per_minute;
	request->state->rate_left = left;
	request->state->rate_full_in = full_in;
}

void
http_request_set_denied(HttpRequest *request, const char *reason)
{
	request->state->denied = reason;
}

void
http_request_on_gone(HttpRequest *request, HttpGone gone, void *context)
{
	request->state->gone = gone;
	request->state->gone_context = context;
}
