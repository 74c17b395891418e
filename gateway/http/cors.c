/*
 * cors.c
 *		CORS: decides which web pages of other origins may read answers; see cors.h.
 */
#include "http/cors.h"

#include <stdio.h>
#include <string.h>

/* The headers that a page may send, and those that it may read, beyond CORS's defaults. */
#define ALLOWED_HEADERS \
	"Authorization, Content-Type, Idempotency-Key, X-Api-Key, X-Request-Id, If-None-Match"
#define EXPOSED_HEADERS "ETag, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"

/* How many seconds a browser may cache the answer to a preflight. */
#define PREFLIGHT_SECONDS "600"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes the next origin of a text, and moves *text past it; false at the end. */
static bool
next_origin(const char **text, HttpText *origin)
{
	size_t len;

	if (*text == NULL)
		return false;
	while (is_blank(**text))
		(*text)++;
	len = strcspn(*text, ",");
	*origin = (HttpText){*text, len};
	*text = (*text)[len] == ',' ? *text + len + 1 : NULL;
	while (origin->len > 0 && is_blank(origin->data[origin->len - 1]))
		origin->len--;
	return true;
}

/* The part after "http://" or "https://"; empty if there is neither. */
static HttpText
host_of(const HttpText *origin)
{
	static const char *const schemes[] = {"https://", "http://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
	{
		size_t len = strlen(schemes[i]);

		if (origin->len > len && memcmp(origin->data, schemes[i], len) == 0)
			return (HttpText){origin->data + len, origin->len - len};
	}
	return (HttpText){origin->data, 0};
}

static bool
is_origin(const HttpText *origin)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyz0123456789-._:[]";
	HttpText host = host_of(origin);

	if (host.len == 0)
		return false;
	for (size_t i = 0; i < host.len; i++)
		if (memchr(characters, host.data[i], sizeof(characters) - 1) == NULL)
			return false;
	return host.data[0] != ':' && host.data[host.len - 1] != ':';
}

bool
http_cors_check(const HttpOrigins *origins, char *error, size_t error_size)
{
	HttpText origin;

	for (size_t i = 0; i < origins->count; i++)
	{
		const char *text = origins->texts[i];

		while (next_origin(&text, &origin))
		{
			if (!is_origin(&origin))
			{
				snprintf(error, error_size,
						 "\"%.*s\" is not an origin such as https://app.example.com",
						 (int) (origin.len < 100 ? origin.len : 100), origin.data);
				return false;
			}
		}
	}
	return true;
}

const HttpText *
http_cors_origin(const HttpOrigins *origins, const HttpRequest *request)
{
	size_t count;
	const HttpText *sent = http_request_header(request, "origin", &count);
	HttpText origin;

	for (size_t i = 0; count == 1 && i < origins->count; i++)
	{
		const char *text = origins->texts[i];

		while (next_origin(&text, &origin))
			if (origin.len == sent->len && memcmp(origin.data, sent->data, sent->len) == 0)
				return sent;
	}
	return NULL;
}

/*
 * Every answer has "Vary: Origin", so that a cache gives no client the answer that was made for
 * another origin, or for a request without an origin.
 */
void
http_cors_append(Buffer *head, const HttpOrigins *origins, const HttpRequest *request,
				 const char *allow)
{
	const HttpText *origin;

	if (origins->count == 0)
		return;
	buffer_append_text(head, "Vary: Origin\r\n");
	origin = http_cors_origin(origins, request);
	if (origin == NULL)
		return;
	buffer_append_text(head, "Access-Control-Allow-Origin: ");
	buffer_append(head, origin->data, origin->len);
	buffer_append_text(head, "\r\nAccess-Control-Expose-Headers: " EXPOSED_HEADERS "\r\n");
	if (request->method == HTTP_METHOD_OPTIONS && allow != NULL &&
		http_request_header(request, "access-control-request-method", NULL) != NULL)
	{
		buffer_append_text(head, "Access-Control-Allow-Methods: ");
		buffer_append_text(head, allow);
		buffer_append_text(head, "\r\nAccess-Control-Allow-Headers: " ALLOWED_HEADERS
								 "\r\nAccess-Control-Max-Age: " PREFLIGHT_SECONDS "\r\n");
	}
}
