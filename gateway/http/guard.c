/*
 * guard.c
 *		The head: request line and field lines, byte by byte.
 *
 * One function for each part of the head.  Each looks at as many bytes as
 * belong to its part and changes the state at its end; http_guard_feed()
 * calls them in turn.  They return false when the request is refused.
 */
#include "http/guard.h"

#include <string.h>

#define TOKEN 1 /* may stand in a method or field name (RFC 9110, 5.6.2) */
#define VALUE 2 /* may stand in a field value */
#define PATH 4  /* may stand in a path */
#define QUERY 8 /* may stand in a query */

#define T_VPQ (TOKEN | VALUE | PATH | QUERY)
#define V_PQ (VALUE | PATH | QUERY)

/*
 * What each byte may be part of.  Of the target, RFC 3986 allows less, but
 * browsers leave some of it as it is; refused are space, controls, bytes
 * above 127, the four characters that no sender leaves raw, and in a path the
 * backslash, which some readers take for a slash.
 */
static const unsigned char classes[256] = {
	['\t'] = VALUE,        [' '] = VALUE,
	['!'] = T_VPQ,         ['"'] = VALUE,
	['#'] = TOKEN | VALUE, ['$'] = T_VPQ,
	['%'] = T_VPQ,         ['&'] = T_VPQ,
	['\''] = T_VPQ,        ['('] = V_PQ,
	[')'] = V_PQ,          ['*'] = T_VPQ,
	['+'] = T_VPQ,         [','] = V_PQ,
	['-'] = T_VPQ,         ['.'] = T_VPQ,
	['/'] = V_PQ,          ['0' ... '9'] = T_VPQ,
	[':'] = V_PQ,          [';'] = V_PQ,
	['<'] = VALUE,         ['='] = V_PQ,
	['>'] = VALUE,         ['?'] = V_PQ,
	['@'] = V_PQ,          ['A' ... 'Z'] = T_VPQ,
	['['] = V_PQ,          ['\\'] = VALUE | QUERY,
	[']'] = V_PQ,          ['^'] = T_VPQ,
	['_'] = T_VPQ,         ['`'] = T_VPQ,
	['a' ... 'z'] = T_VPQ, ['{'] = V_PQ,
	['|'] = T_VPQ,         ['}'] = V_PQ,
	['~'] = T_VPQ,         [0x80 ... 0xFF] = VALUE,
};

static const char version_text[] = "HTTP/1.1";

void
http_guard_init(HttpGuard *guard)
{
	memset(guard, 0, offsetof(HttpGuard, word));
	guard->error = HTTP_ERROR_VALIDATION;
	guard->reason = NULL;
	guard->body_max = HTTP_BODY_MAX;
}

HttpGuardResult
http_guard_refuse(HttpGuard *guard, HttpErrorKind error, const char *reason)
{
	guard->state = HTTP_GUARD_FAILED;
	guard->error = error;
	guard->reason = reason;
	return HTTP_GUARD_REFUSED;
}

/* The same for the functions of this file, and 400. */
static bool
refuse(HttpGuard *guard, const char *reason)
{
	http_guard_refuse(guard, HTTP_ERROR_VALIDATION, reason);
	return false;
}

static bool
is(char c, unsigned char class)
{
	return (classes[(unsigned char) c] & class) != 0;
}

bool
http_guard_is_token(char c)
{
	return is(c, TOKEN);
}

bool
http_guard_is_target(char c, bool in_query)
{
	return is(c, in_query ? QUERY : PATH);
}

/* One empty line is what some clients send behind a body; RFC 9112, 2.2. */
static bool
feed_start(HttpGuard *guard, const char **at)
{
	if (guard->state == HTTP_GUARD_START_LF)
	{
		guard->state = HTTP_GUARD_METHOD;
		return *(*at)++ == '\n' || refuse(guard, "invalid line ending");
	}
	guard->state = HTTP_GUARD_METHOD;
	if (**at == '\r')
	{
		(*at)++;
		guard->state = HTTP_GUARD_START_LF;
	}
	return true;
}

static bool
end_method(HttpGuard *guard)
{
	for (int method = HTTP_METHOD_GET; method <= HTTP_METHOD_OPTIONS; method++)
	{
		const char *name = http_method_name((HttpMethod) method);

		if (strlen(name) == guard->word_len && memcmp(name, guard->word, guard->word_len) == 0)
		{
			guard->method = (HttpMethod) method;
			guard->state = HTTP_GUARD_TARGET_FIRST;
			return true;
		}
	}
	http_guard_refuse(guard, HTTP_ERROR_NOT_IMPLEMENTED, "method is not supported");
	return false;
}

static bool
feed_method(HttpGuard *guard, char c)
{
	if (c == ' ' && guard->word_len > 0)
		return end_method(guard);
	if (c == '\r' && guard->word_len == 0)
		return refuse(guard, "more than one empty line before the request line");
	if (!is(c, TOKEN))
		return refuse(guard, "invalid request line");
	if (guard->word_len == HTTP_GUARD_WORD_MAX)
	{
		http_guard_refuse(guard, HTTP_ERROR_NOT_IMPLEMENTED, "method is not supported");
		return false;
	}
	guard->word[guard->word_len++] = c;
	return true;
}

static bool
feed_version(HttpGuard *guard, char c)
{
	size_t at = guard->word_len++;

	if (at == sizeof(version_text) - 1)
	{
		if (c != '\r')
			return refuse(guard, "invalid request line");
		if (memcmp(guard->word, version_text, at) != 0)
		{
			http_guard_refuse(guard, HTTP_ERROR_VERSION, "only HTTP/1.1 is supported");
			return false;
		}
		guard->state = HTTP_GUARD_LINE_LF;
		return true;
	}

	/* the two digits may be others, which is then a version we do not speak */
	if (at == 5 || at == 7 ? c < '0' || c > '9' : c != version_text[at])
		return refuse(guard, "invalid request line");
	guard->word[at] = c;
	return true;
}

static bool
feed_field_first(HttpGuard *guard, char c)
{
	if (c == '\r')
	{
		guard->state = HTTP_GUARD_HEAD_LF;
		return true;
	}
	if (c == ' ' || c == '\t')
		return refuse(guard, "folded header fields are not supported");
	if (!is(c, TOKEN))
		return refuse(guard, "invalid header field name");
	if (++guard->n_fields > HTTP_FIELDS_MAX)
	{
		http_guard_refuse(guard, HTTP_ERROR_HEADERS_TOO_LARGE, "too many header fields");
		return false;
	}
	guard->word_len = 0;
	guard->state = HTTP_GUARD_NAME;
	return true;
}

static bool
feed_name(HttpGuard *guard, const char **at, const char *end)
{
	for (; *at < end; (*at)++)
	{
		char c = **at;

		if (c == ':')
		{
			(*at)++;
			if (guard->trailing && !http_guard_may_trail(guard->word, guard->word_len))
				return refuse(guard, "a trailer field is one that has to stand in the head");
			guard->field = http_guard_field_of(guard->word, guard->word_len);
			guard->value_len = 0;
			guard->state = HTTP_GUARD_VALUE;
			break;
		}
		if (!is(c, TOKEN))
			return refuse(guard, "invalid header field name");
		if (guard->word_len < HTTP_GUARD_WORD_MAX)
			guard->word[guard->word_len] = (char) (c >= 'A' && c <= 'Z' ? c | 0x20 : c);
		guard->word_len++;
	}
	return true;
}

static bool
feed_value(HttpGuard *guard, const char **at, const char *end)
{
	for (; *at < end; (*at)++)
	{
		char c = **at;

		if (c == '\r')
		{
			(*at)++;
			if (!http_guard_end_field(guard))
				return false;
			guard->state = HTTP_GUARD_LINE_LF;
			break;
		}
		if (!is(c, VALUE))
			return refuse(guard, "invalid character in a header field");
		if (guard->field == HTTP_GUARD_OTHER || (guard->value_len == 0 && (c == ' ' || c == '\t')))
			continue;
		if (guard->value_len == HTTP_HOST_MAX)
			return refuse(guard, "invalid header field value");
		guard->value[guard->value_len++] = c;
	}
	return true;
}

static bool
feed_line_feed(HttpGuard *guard, char c)
{
	if (c != '\n')
		return refuse(guard, "invalid line ending");
	if (guard->state == HTTP_GUARD_HEAD_LF)
		return http_guard_end_head(guard);
	guard->state = HTTP_GUARD_FIELD_FIRST;
	return true;
}

/* Looks at the next bytes, at least one; moves *at. */
static bool
feed_head(HttpGuard *guard, const char **at, const char *end)
{
	switch (guard->state)
	{
		case HTTP_GUARD_START:
		case HTTP_GUARD_START_LF:
			return feed_start(guard, at);
		case HTTP_GUARD_METHOD:
			return feed_method(guard, *(*at)++);
		case HTTP_GUARD_TARGET_FIRST:
		case HTTP_GUARD_ASTERISK:
		case HTTP_GUARD_SCHEME:
		case HTTP_GUARD_AUTHORITY:
		case HTTP_GUARD_PATH:
		case HTTP_GUARD_QUERY:
			return http_guard_feed_target(guard, at, end);
		case HTTP_GUARD_VERSION:
			return feed_version(guard, *(*at)++);
		case HTTP_GUARD_FIELD_FIRST:
			/* the first character of a name is looked at again, as part of it */
			if (!feed_field_first(guard, **at))
				return false;
			if (guard->state == HTTP_GUARD_HEAD_LF)
				(*at)++;
			return true;
		case HTTP_GUARD_NAME:
			return feed_name(guard, at, end);
		case HTTP_GUARD_VALUE:
			return feed_value(guard, at, end);
		default:
			return feed_line_feed(guard, *(*at)++);
	}
}

HttpGuardResult
http_guard_feed(HttpGuard *guard, const char *data, size_t len, size_t *used)
{
	const char *at = data;
	const char *end;

	*used = 0;
	if (guard->state == HTTP_GUARD_FAILED)
		return HTTP_GUARD_REFUSED;
	if (guard->state > HTTP_GUARD_HEAD_LF)
		return http_guard_feed_body(guard, data, len, used);

	/* one byte more than allowed is enough to know */
	end = data + (len < HTTP_HEAD_MAX - guard->head_len ? len : HTTP_HEAD_MAX - guard->head_len);
	while (at < end && guard->state <= HTTP_GUARD_HEAD_LF)
		if (!feed_head(guard, &at, end))
			return HTTP_GUARD_REFUSED;
	*used = (size_t) (at - data);
	guard->head_len += *used;

	if (guard->state == HTTP_GUARD_END)
		return HTTP_GUARD_DONE;
	if (guard->state > HTTP_GUARD_HEAD_LF)
		return HTTP_GUARD_HEAD;
	if (guard->head_len == HTTP_HEAD_MAX)
		return http_guard_refuse(guard, HTTP_ERROR_HEADERS_TOO_LARGE,
								 "request headers are too large");
	return HTTP_GUARD_MORE;
}
