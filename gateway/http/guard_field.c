/*
 * guard_field.c
 *		The few fields that decide how a request is read.
 *
 * Host, Content-Length, Transfer-Encoding and Expect.  What each may be is
 * narrower than the RFC where the RFC leaves room for two readings.
 */
#include "http/guard.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LENGTH_DIGITS_MAX 18 /* fits in 63 bits */

static const struct
{
	const char *name;
	HttpGuardField field;
} fields[] = {
	{"host", HTTP_GUARD_HOST},
	{"content-length", HTTP_GUARD_CONTENT_LENGTH},
	{"transfer-encoding", HTTP_GUARD_TRANSFER_ENCODING},
	{"expect", HTTP_GUARD_EXPECT},
};

/*
 * Fields that no sender may put behind a body (RFC 9110, 6.5.1), because they say how the
 * message is read, where it goes or who sends it; and the one that we would have to obey.
 */
static const char *const head_only[] = {
	"authorization", "connection", "content-encoding", "content-length", "content-range",
	"content-type",  "cookie",     "expect",           "host",           "idempotency-key",
	"keep-alive",    "te",         "trailer",          "upgrade",        "transfer-encoding",
	"x-api-key",
};

bool
http_guard_may_trail(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(head_only) / sizeof(head_only[0]); i++)
		if (strlen(head_only[i]) == len && memcmp(head_only[i], name, len) == 0)
			return false;
	return true;
}

HttpGuardField
http_guard_field_of(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strlen(fields[i].name) == len && memcmp(fields[i].name, name, len) == 0)
			return fields[i].field;
	return HTTP_GUARD_OTHER;
}

/* Whether text is a port: 1 to 5 digits. */
static bool
port_valid(const char *text, size_t len)
{
	if (len < 1 || len > 5)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char) text[i]))
			return false;
	return true;
}

/* Whether text is NAME, NAME:PORT, [IPV6] or [IPV6]:PORT. */
bool
http_guard_host_valid(const char *host, size_t len)
{
	bool bracket = len > 0 && host[0] == '[';
	size_t at = bracket ? 1 : 0;
	size_t first = at;

	for (; at < len; at++)
	{
		unsigned char c = (unsigned char) host[at];

		if (bracket ? !isxdigit(c) && c != ':' && c != '.'
					: !isalnum(c) && c != '-' && c != '.' && c != '_')
			break;
	}
	if (at == first)
		return false;
	if (bracket)
	{
		if (at == len || host[at] != ']')
			return false;
		at++;
	}
	return at == len || (host[at] == ':' && port_valid(host + at + 1, len - at - 1));
}

static bool
end_host(HttpGuard *guard)
{
	if (guard->has_host || !http_guard_host_valid(guard->value, guard->value_len))
	{
		http_guard_refuse(guard, HTTP_ERROR_VALIDATION, "request must have one valid Host header");
		return false;
	}
	if (guard->prefix_len > 0 &&
		(guard->authority_len != guard->value_len ||
		 strncasecmp(guard->authority, guard->value, guard->value_len) != 0))
	{
		http_guard_refuse(guard, HTTP_ERROR_VALIDATION,
						  "Host header must be the same as the host of the request target");
		return false;
	}
	guard->has_host = true;
	return true;
}

static bool
end_content_length(HttpGuard *guard)
{
	bool valid = !guard->has_length && !guard->chunked && guard->value_len >= 1 &&
				 guard->value_len <= LENGTH_DIGITS_MAX;

	for (size_t i = 0; valid && i < guard->value_len; i++)
	{
		valid = isdigit((unsigned char) guard->value[i]) != 0;
		guard->content_length = guard->content_length * 10 + (uint64_t) (guard->value[i] - '0');
	}
	if (!valid)
	{
		http_guard_refuse(guard, HTTP_ERROR_VALIDATION, "invalid Content-Length header");
		return false;
	}
	guard->has_length = true;
	return true;
}

static bool
value_is(const HttpGuard *guard, const char *text)
{
	return guard->value_len == strlen(text) &&
		   strncasecmp(guard->value, text, guard->value_len) == 0;
}

static bool
end_transfer_encoding(HttpGuard *guard)
{
	if (guard->chunked || guard->has_length || !value_is(guard, "chunked"))
	{
		http_guard_refuse(guard, HTTP_ERROR_VALIDATION, "invalid Transfer-Encoding header");
		return false;
	}
	guard->chunked = true;
	return true;
}

bool
http_guard_end_field(HttpGuard *guard)
{
	while (guard->value_len > 0 && (guard->value[guard->value_len - 1] == ' ' ||
									guard->value[guard->value_len - 1] == '\t'))
		guard->value_len--;

	switch (guard->field)
	{
		case HTTP_GUARD_OTHER:
			break;
		case HTTP_GUARD_HOST:
			return end_host(guard);
		case HTTP_GUARD_CONTENT_LENGTH:
			return end_content_length(guard);
		case HTTP_GUARD_TRANSFER_ENCODING:
			return end_transfer_encoding(guard);
		case HTTP_GUARD_EXPECT:
			/* the framing is not touched by it, so the head is read to its end */
			guard->bad_expect = guard->has_expect || !value_is(guard, "100-continue");
			guard->has_expect = true;
			break;
	}
	return true;
}

bool
http_guard_end_head(HttpGuard *guard)
{
	if (guard->trailing)
	{
		guard->state = HTTP_GUARD_END;
		return true;
	}
	if (!guard->has_host)
	{
		http_guard_refuse(guard, HTTP_ERROR_VALIDATION, "request must have one valid Host header");
		return false;
	}
	guard->remaining = guard->content_length;
	if (guard->chunked)
		guard->state = HTTP_GUARD_CHUNK_SIZE;
	else if (guard->remaining > 0)
		guard->state = HTTP_GUARD_LENGTH_DATA;
	else
		guard->state = HTTP_GUARD_END;
	return true;
}
