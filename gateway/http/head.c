/*
 * head.c
 *		The guard: parses a request; see head.h.
 *
 * There is one function for each part of a request.  It reads the bytes of its part and
 * changes the state at the end of the part.  It returns false when the request is refused.
 * http_guard_feed() calls these functions in turn.
 */
#include "http/head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "src/common/hex.h"

#define LENGTH_DIGITS_MAX 18 /* of a Content-Length; fits in 63 bits */

#define TEXT_FIRST 512 /* the first allocation; most heads fit into it */
#define TEXT_MARGIN 16 /* spare bytes; the NULs need less room than the separators they replace */

#define TOKEN 1 /* may stand in a method or field name (RFC 9110, 5.6.2) */
#define VALUE 2 /* may stand in a field value */
#define PATH 4  /* may stand in a path */
#define QUERY 8 /* may stand in a query */

#define T_VPQ (TOKEN | VALUE | PATH | QUERY)
#define V_PQ (VALUE | PATH | QUERY)

/*
 * What each byte may be part of.  RFC 3986 allows fewer characters in a target, but browsers
 * send some of the others without encoding them.  These are refused in a target: space,
 * controls, bytes above 127, the four characters " # < > that every sender encodes, and in a
 * path the backslash, which some parsers take for a slash.  The "?" ends a path.
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
	['>'] = VALUE,         ['?'] = VALUE | QUERY,
	['@'] = V_PQ,          ['A' ... 'Z'] = T_VPQ,
	['['] = V_PQ,          ['\\'] = VALUE | QUERY,
	[']'] = V_PQ,          ['^'] = T_VPQ,
	['_'] = T_VPQ,         ['`'] = T_VPQ,
	['a' ... 'z'] = T_VPQ, ['{'] = V_PQ,
	['|'] = T_VPQ,         ['}'] = V_PQ,
	['~'] = T_VPQ,         [0x80 ... 0xFF] = VALUE,
};

static const char version_text[] = "HTTP/1.1";

static const char *const schemes[] = {"http://", "https://"};

static const char *const method_names[] = {
	[HTTP_METHOD_GET] = "GET",         [HTTP_METHOD_HEAD] = "HEAD",
	[HTTP_METHOD_POST] = "POST",       [HTTP_METHOD_PUT] = "PUT",
	[HTTP_METHOD_PATCH] = "PATCH",     [HTTP_METHOD_DELETE] = "DELETE",
	[HTTP_METHOD_OPTIONS] = "OPTIONS",
};

const char *
http_method_name(HttpMethod method)
{
	return method_names[method];
}

void
http_guard_init(HttpGuard *guard)
{
	memset(guard, 0, offsetof(HttpGuard, spans));
	buffer_init(&guard->text, HTTP_HEAD_MAX + TEXT_MARGIN);
	buffer_init(&guard->body, HTTP_BODY_MAX);
	buffer_reserve(&guard->text, TEXT_FIRST);
}

void
http_guard_free(HttpGuard *guard)
{
	buffer_free(&guard->text);
	buffer_free(&guard->body);
}

static bool
refuse_as(HttpGuard *guard, HttpErrorKind error, const char *reason)
{
	guard->state = HTTP_GUARD_FAILED;
	guard->error = error;
	guard->reason = reason;
	return false;
}

static bool
refuse(HttpGuard *guard, const char *reason)
{
	return refuse_as(guard, HTTP_ERROR_VALIDATION, reason);
}

/* Appends bytes of the head to the text. */
static bool
keep(HttpGuard *guard, const char *data, size_t len)
{
	return buffer_append(&guard->text, data, len) ||
		   refuse_as(guard, HTTP_ERROR_UNAVAILABLE, "out of memory");
}

static bool
keep_nul(HttpGuard *guard)
{
	return keep(guard, "", 1);
}

static bool
is(char c, unsigned char class)
{
	return (classes[(unsigned char) c] & class) != 0;
}

/* Moves *at past the bytes of the class; returns how many there are. */
static size_t
pass(const char **at, const char *end, unsigned char class)
{
	const char *first = *at;

	while (*at < end && is(**at, class))
		(*at)++;
	return (size_t) (*at - first);
}

static char
lower(char c)
{
	return (char) (c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* ---- the request line ---- */

/* Some clients send an empty line after a body, so one is accepted here; RFC 9112, 2.2. */
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
	return refuse_as(guard, HTTP_ERROR_NOT_IMPLEMENTED, "method is not supported");
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
		return refuse_as(guard, HTTP_ERROR_NOT_IMPLEMENTED, "method is not supported");
	guard->word[guard->word_len++] = c;
	return true;
}

/*
 * The target has one of these forms of RFC 9112, 3.2:
 *
 *	origin form		/path?query
 *	absolute form	http://host/path?query		what a client sends to a proxy
 *	asterisk form	*							OPTIONS only: the server as a whole
 *
 * With the absolute form the host is given twice, in the target and in Host.  RFC 9112 says
 * that the target's is used, but some parsers use Host.  So both must be the same.
 */

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
static bool
host_valid(const char *host, size_t len)
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

/* Decides by the first byte which form the target has; reads the byte if it is the asterisk. */
static bool
feed_first(HttpGuard *guard, const char **at)
{
	if (**at == '/')
		guard->state = HTTP_GUARD_PATH;
	else if (**at != '*')
	{
		guard->state = HTTP_GUARD_SCHEME;
		guard->word_len = 0;
	}
	else if (guard->method != HTTP_METHOD_OPTIONS)
		return refuse(guard, "the request target * is for OPTIONS only");
	else
	{
		guard->state = HTTP_GUARD_ASTERISK;
		return keep(guard, (*at)++, 1);
	}
	return true;
}

/* Ends the path, and makes the query empty until one begins. */
static bool
end_path(HttpGuard *guard)
{
	guard->path_len = guard->text.len - guard->path_at;
	guard->query_at = guard->text.len;
	return keep_nul(guard);
}

static bool
end_target(HttpGuard *guard)
{
	bool with_query = guard->state == HTTP_GUARD_QUERY;

	guard->state = HTTP_GUARD_VERSION;
	guard->word_len = 0;
	if (!with_query)
		return end_path(guard);
	guard->query_len = guard->text.len - guard->query_at;
	return keep_nul(guard);
}

static bool
begin_query(HttpGuard *guard)
{
	guard->state = HTTP_GUARD_QUERY;
	if (!end_path(guard))
		return false;
	guard->query_at = guard->text.len;
	return true;
}

static bool
feed_scheme(HttpGuard *guard, char c)
{
	bool begins = false;

	guard->word[guard->word_len++] = lower(c);
	if (!keep(guard, &c, 1))
		return false;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
	{
		begins |= strncmp(schemes[i], guard->word, guard->word_len) == 0;
		if (begins && strlen(schemes[i]) == guard->word_len)
		{
			guard->authority_at = guard->word_len;
			guard->state = HTTP_GUARD_AUTHORITY;
			return true;
		}
	}
	return begins || refuse(guard, "request target must be a path, or begin with http://");
}

/* Does not read the byte that ends the authority; feed_path() reads it. */
static bool
feed_authority(HttpGuard *guard, const char **at)
{
	char c = **at;
	size_t len = guard->text.len - guard->authority_at;

	if (c == '/' || c == '?' || c == ' ')
	{
		guard->path_at = guard->text.len;
		guard->state = HTTP_GUARD_PATH;
		return host_valid(guard->text.data + guard->authority_at, len) ||
			   refuse(guard, "request target has no valid host");
	}
	if (len == HTTP_HOST_MAX || !is(c, PATH))
		return refuse(guard, "request target has no valid host");
	return keep(guard, (*at)++, 1);
}

static bool
feed_path(HttpGuard *guard, const char **at, const char *end)
{
	const char *first = *at;
	bool in_path = guard->state == HTTP_GUARD_PATH;

	if (!keep(guard, first, pass(at, end, in_path ? PATH : QUERY)))
		return false;
	if (*at == end)
		return true;
	if (**at == ' ')
	{
		(*at)++;
		return end_target(guard);
	}
	if (in_path && **at == '?')
	{
		(*at)++;
		return begin_query(guard);
	}
	return refuse(guard, "request target has a character that must be percent-encoded");
}

static bool
feed_target(HttpGuard *guard, const char **at, const char *end)
{
	switch (guard->state)
	{
		case HTTP_GUARD_TARGET_FIRST:
			return feed_first(guard, at);
		case HTTP_GUARD_ASTERISK:
			return *(*at)++ == ' ' ? end_target(guard) : refuse(guard, "invalid request line");
		case HTTP_GUARD_SCHEME:
			return feed_scheme(guard, *(*at)++);
		case HTTP_GUARD_AUTHORITY:
			return feed_authority(guard, at);
		default:
			return feed_path(guard, at, end);
	}
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
			return refuse_as(guard, HTTP_ERROR_VERSION, "only HTTP/1.1 is supported");
		guard->state = HTTP_GUARD_LINE_LF;
		return true;
	}

	/* other digits make a version that we do not support, and not an invalid request line */
	if (at == 5 || at == 7 ? c < '0' || c > '9' : c != version_text[at])
		return refuse(guard, "invalid request line");
	guard->word[at] = c;
	return true;
}

/*
 * ---- field lines ----
 *
 * Four fields decide how a request is read: Host, Content-Length, Transfer-Encoding and
 * Expect.  Where the RFC allows values that parsers understand differently, we accept fewer
 * values than the RFC.
 */

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
 * Fields that a sender must not put into a trailer (RFC 9110, 6.5.1), because they say how
 * the message is read, where it goes or who sends it; and Idempotency-Key, which changes how
 * we handle the request.
 */
static const char *const head_only[] = {
	"authorization", "connection", "content-encoding", "content-length", "content-range",
	"content-type",  "cookie",     "expect",           "host",           "idempotency-key",
	"keep-alive",    "te",         "trailer",          "upgrade",        "transfer-encoding",
	"x-api-key",
};

static bool
may_trail(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(head_only) / sizeof(head_only[0]); i++)
		if (strlen(head_only[i]) == len && memcmp(head_only[i], name, len) == 0)
			return false;
	return true;
}

static HttpGuardField
field_of(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strlen(fields[i].name) == len && memcmp(fields[i].name, name, len) == 0)
			return fields[i].field;
	return HTTP_GUARD_OTHER;
}

/* The field that is being read; only in the head, because trailer fields are not kept. */
static HttpSpan *
last_span(HttpGuard *guard)
{
	return &guard->spans[guard->n_spans - 1];
}

static bool
end_host(HttpGuard *guard, const char *value, size_t len)
{
	size_t authority_len = guard->path_at - guard->authority_at;

	if (guard->has_host || !host_valid(value, len))
		return refuse(guard, "request must have one valid Host header");
	if (guard->authority_at > 0 &&
		(authority_len != len ||
		 strncasecmp(guard->text.data + guard->authority_at, value, len) != 0))
		return refuse(guard, "Host header must be the same as the host of the request target");
	guard->has_host = true;
	return true;
}

static bool
end_content_length(HttpGuard *guard, const char *value, size_t len)
{
	bool valid = !guard->has_length && !guard->chunked && len >= 1 && len <= LENGTH_DIGITS_MAX;

	for (size_t i = 0; valid && i < len; i++)
	{
		valid = isdigit((unsigned char) value[i]) != 0;
		guard->content_length = guard->content_length * 10 + (uint64_t) (value[i] - '0');
	}
	if (!valid)
		return refuse(guard, "invalid Content-Length header");
	guard->has_length = true;
	return true;
}

static bool
end_transfer_encoding(HttpGuard *guard, const char *value)
{
	if (guard->chunked || guard->has_length || strcasecmp(value, "chunked") != 0)
		return refuse(guard, "invalid Transfer-Encoding header");
	guard->chunked = true;
	return true;
}

/* Applies a complete value of one of the four fields. */
static bool
obey(HttpGuard *guard, const char *value, size_t len)
{
	switch (guard->field)
	{
		case HTTP_GUARD_OTHER:
			break;
		case HTTP_GUARD_HOST:
			return end_host(guard, value, len);
		case HTTP_GUARD_CONTENT_LENGTH:
			return end_content_length(guard, value, len);
		case HTTP_GUARD_TRANSFER_ENCODING:
			return end_transfer_encoding(guard, value);
		case HTTP_GUARD_EXPECT:
			/* this does not change the framing, so the head is still read to its end */
			guard->bad_expect = guard->has_expect || strcasecmp(value, "100-continue") != 0;
			guard->has_expect = true;
			break;
	}
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Removes the white space after a value.  Parsers differ about a tab after a Content-Length or
 * Transfer-Encoding (llhttp refuses it).  There the tab is kept, so that the value is refused.
 */
static void
trim_end(const HttpGuard *guard, const HttpSpan *span, Buffer *text)
{
	bool framing =
		guard->field == HTTP_GUARD_CONTENT_LENGTH || guard->field == HTTP_GUARD_TRANSFER_ENCODING;

	while (text->len > span->value &&
		   (framing ? text->data[text->len - 1] == ' ' : is_blank(text->data[text->len - 1])))
		text->len--;
}

static bool
end_value(HttpGuard *guard)
{
	HttpSpan *span = last_span(guard);
	Buffer *text = &guard->text;

	if (guard->field != HTTP_GUARD_OTHER && text->len - span->value > HTTP_HOST_MAX)
		return refuse(guard, "invalid header field value");
	trim_end(guard, span, text);
	span->value_len = (uint32_t) (text->len - span->value);
	return keep_nul(guard) && obey(guard, text->data + span->value, span->value_len);
}

static bool
feed_field_first(HttpGuard *guard, char c)
{
	if (c == '\r')
	{
		guard->state = HTTP_GUARD_HEAD_LF;
		return true;
	}
	if (is_blank(c))
		return refuse(guard, "folded header fields are not supported");
	if (!is(c, TOKEN))
		return refuse(guard, "invalid header field name");
	if (++guard->n_fields > HTTP_FIELDS_MAX)
		return refuse_as(guard, HTTP_ERROR_HEADERS_TOO_LARGE, "too many header fields");
	if (!guard->trailing)
		guard->spans[guard->n_spans++] = (HttpSpan){.name = (uint32_t) guard->text.len};
	guard->word_len = 0;
	guard->state = HTTP_GUARD_NAME;
	return true;
}

/* Stores a part of a name in lower case: in text for the head, in word for a trailer. */
static bool
keep_name(HttpGuard *guard, const char *name, size_t len)
{
	char *kept;

	if (guard->trailing)
	{
		for (size_t i = 0; i < len; i++, guard->word_len++)
			if (guard->word_len < HTTP_GUARD_WORD_MAX)
				guard->word[guard->word_len] = lower(name[i]);
		return true;
	}
	if (!keep(guard, name, len))
		return false;
	kept = guard->text.data + guard->text.len - len;
	for (size_t i = 0; i < len; i++)
		kept[i] = lower(kept[i]);
	return true;
}

static bool
end_name(HttpGuard *guard)
{
	HttpSpan *span;

	guard->state = HTTP_GUARD_VALUE;
	guard->field = HTTP_GUARD_OTHER;
	if (guard->trailing)
		return may_trail(guard->word, guard->word_len) ||
			   refuse(guard, "a trailer field is one that has to stand in the head");
	span = last_span(guard);
	span->name_len = (uint32_t) (guard->text.len - span->name);
	if (!keep_nul(guard))
		return false;
	span->value = (uint32_t) guard->text.len;
	guard->field = field_of(guard->text.data + span->name, span->name_len);
	return true;
}

static bool
feed_name(HttpGuard *guard, const char **at, const char *end)
{
	const char *first = *at;

	if (!keep_name(guard, first, pass(at, end, TOKEN)))
		return false;
	if (*at == end)
		return true;
	if (*(*at)++ != ':')
		return refuse(guard, "invalid header field name");
	return end_name(guard);
}

/* Stores a part of a value, without the white space before the value. */
static bool
keep_value(HttpGuard *guard, const char *value, size_t len)
{
	if (guard->text.len == last_span(guard)->value)
		for (; len > 0 && is_blank(*value); len--)
			value++;
	return keep(guard, value, len);
}

static bool
feed_value(HttpGuard *guard, const char **at, const char *end)
{
	const char *first = *at;
	size_t len = pass(at, end, VALUE);

	if (!guard->trailing && !keep_value(guard, first, len))
		return false;
	if (*at == end)
		return true;
	if (*(*at)++ != '\r')
		return refuse(guard, "invalid character in a header field");
	guard->state = HTTP_GUARD_LINE_LF;
	return guard->trailing || end_value(guard);
}

static bool
end_head(HttpGuard *guard)
{
	if (guard->trailing)
	{
		guard->state = HTTP_GUARD_END;
		return true;
	}
	if (!guard->has_host)
		return refuse(guard, "request must have one valid Host header");
	guard->remaining = guard->content_length;
	if (guard->chunked)
		guard->state = HTTP_GUARD_CHUNK_SIZE;
	else if (guard->remaining > 0)
		guard->state = HTTP_GUARD_LENGTH_DATA;
	else
		guard->state = HTTP_GUARD_END;
	return true;
}

static bool
feed_line_feed(HttpGuard *guard, char c)
{
	if (c != '\n')
		return refuse(guard, "invalid line ending");
	if (guard->state == HTTP_GUARD_HEAD_LF)
		return end_head(guard);
	guard->state = HTTP_GUARD_FIELD_FIRST;
	return true;
}

/*
 * ---- the body ----
 *
 *	chunk		SIZE extensions CR LF data CR LF	SIZE: 1 to 8 hexadecimal digits, not 0
 *	last		"0" extensions CR LF fields CR LF	zeros only
 *	extension	";" NAME [ "=" VALUE ]				VALUE: a token, or in quotation marks
 *
 * We do not use extensions, but parsers differ in how they skip them.  So extensions are not
 * skipped but parsed by a strict grammar, in which no end of line can be hidden: without the
 * white space that RFC 9112 calls bad, and without escapes within quotation marks.  The total
 * length of a message's extensions is limited.  Trailer fields are read like header fields.
 */

static bool
bad_chunk(HttpGuard *guard)
{
	return refuse(guard, "invalid chunk in the request body");
}

static bool
feed_chunk_size(HttpGuard *guard, char c)
{
	int digit = wak_hex_value(c);

	if (digit >= 0 && guard->chunk_digits < HTTP_CHUNK_DIGITS_MAX)
	{
		guard->chunk_digits++;
		guard->remaining = guard->remaining * 16 + (uint64_t) digit;
		return true;
	}
	if (guard->chunk_digits == 0 || (c != '\r' && c != ';'))
		return bad_chunk(guard);
	guard->state = c == ';' ? HTTP_GUARD_EXTENSION_FIRST : HTTP_GUARD_CHUNK_SIZE_LF;
	guard->extension_len += c == ';' ? 1 : 0;
	return true;
}

/* The state after a name or value: another extension, or the end of the line. */
static HttpGuardState
behind_extension(char c)
{
	if (c == ';')
		return HTTP_GUARD_EXTENSION_FIRST;
	return c == '\r' ? HTTP_GUARD_CHUNK_SIZE_LF : HTTP_GUARD_FAILED;
}

/* The state after c; HTTP_GUARD_FAILED: c is not allowed here. */
static HttpGuardState
extension_state(HttpGuardState state, char c)
{
	bool token = is(c, TOKEN);

	switch (state)
	{
		case HTTP_GUARD_EXTENSION_FIRST:
			return token ? HTTP_GUARD_EXTENSION_NAME : HTTP_GUARD_FAILED;
		case HTTP_GUARD_EXTENSION_NAME:
			if (token)
				return state;
			return c == '=' ? HTTP_GUARD_EXTENSION_VALUE_FIRST : behind_extension(c);
		case HTTP_GUARD_EXTENSION_VALUE_FIRST:
			if (c == '"')
				return HTTP_GUARD_EXTENSION_QUOTED;
			return token ? HTTP_GUARD_EXTENSION_VALUE : HTTP_GUARD_FAILED;
		case HTTP_GUARD_EXTENSION_VALUE:
			return token ? state : behind_extension(c);
		case HTTP_GUARD_EXTENSION_QUOTED:
			if (c == '"')
				return HTTP_GUARD_EXTENSION_END;
			return c >= ' ' && c <= '~' && c != '\\' ? state : HTTP_GUARD_FAILED;
		default:
			return behind_extension(c);
	}
}

static bool
feed_extension(HttpGuard *guard, char c)
{
	/* llhttp 8.1 takes this ";" as a part of the next chunk's size */
	if (guard->state == HTTP_GUARD_EXTENSION_VALUE && c == ';')
		return refuse(guard, "a chunk extension before another one needs a quoted value");
	guard->state = extension_state(guard->state, c);
	if (guard->state == HTTP_GUARD_FAILED)
		return refuse(guard, "invalid chunk extension in the request body");
	if (++guard->extension_len > HTTP_GUARD_EXTENSIONS_MAX)
		return refuse(guard, "too many chunk extensions in the request body");
	return true;
}

static bool
feed_chunk_size_end(HttpGuard *guard, char c)
{
	if (c != '\n')
		return bad_chunk(guard);
	guard->chunk_digits = 0;
	if (guard->remaining > guard->body.max - guard->body.len)
		return refuse_as(guard, HTTP_ERROR_PAYLOAD_TOO_LARGE, "request body is too large");
	guard->state = HTTP_GUARD_CHUNK_DATA;
	if (guard->remaining == 0)
	{
		guard->state = HTTP_GUARD_FIELD_FIRST;
		guard->trailing = true;
		guard->head_len = 0;
	}
	return true;
}

/* Reads the CR and LF after the data of a chunk. */
static bool
feed_chunk_data_end(HttpGuard *guard, char c)
{
	bool cr = guard->state == HTTP_GUARD_CHUNK_DATA_CR;

	guard->state = cr ? HTTP_GUARD_CHUNK_DATA_LF : HTTP_GUARD_CHUNK_SIZE;
	return c == (cr ? '\r' : '\n') || bad_chunk(guard);
}

/* Stores bytes of the body or chunk. */
static bool
feed_data(HttpGuard *guard, const char **at, const char *end)
{
	size_t len = (size_t) (end - *at);
	size_t taken = guard->remaining < len ? (size_t) guard->remaining : len;

	if (!buffer_append(&guard->body, *at, taken))
		return refuse_as(guard, HTTP_ERROR_UNAVAILABLE, "out of memory");
	*at += taken;
	guard->remaining -= taken;
	if (guard->remaining == 0)
		guard->state =
			guard->state == HTTP_GUARD_CHUNK_DATA ? HTTP_GUARD_CHUNK_DATA_CR : HTTP_GUARD_END;
	return true;
}

/* ---- the whole request ---- */

/* Reads a part of the head or trailer; *at moves past what was read. */
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
			return feed_target(guard, at, end);
		case HTTP_GUARD_VERSION:
			return feed_version(guard, *(*at)++);
		case HTTP_GUARD_FIELD_FIRST:
			/* feed_name() reads the first character of a name again */
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

/* The same for the body. */
static bool
feed_body(HttpGuard *guard, const char **at, const char *end)
{
	switch (guard->state)
	{
		case HTTP_GUARD_LENGTH_DATA:
		case HTTP_GUARD_CHUNK_DATA:
			return feed_data(guard, at, end);
		case HTTP_GUARD_CHUNK_SIZE:
			return feed_chunk_size(guard, *(*at)++);
		case HTTP_GUARD_CHUNK_SIZE_LF:
			return feed_chunk_size_end(guard, *(*at)++);
		case HTTP_GUARD_CHUNK_DATA_CR:
		case HTTP_GUARD_CHUNK_DATA_LF:
			return feed_chunk_data_end(guard, *(*at)++);
		default:
			return feed_extension(guard, *(*at)++);
	}
}

/* Reads a head or trailer, but never more than HTTP_HEAD_MAX bytes of it. */
static HttpGuardResult
read_head(HttpGuard *guard, const char **at, const char *end)
{
	const char *first = *at;

	if ((size_t) (end - first) > HTTP_HEAD_MAX - guard->head_len)
		end = first + (HTTP_HEAD_MAX - guard->head_len);
	while (*at < end && guard->state <= HTTP_GUARD_HEAD_LF)
		if (!feed_head(guard, at, end))
			return HTTP_GUARD_REFUSED;
	guard->head_len += (size_t) (*at - first);

	if (guard->state == HTTP_GUARD_END)
		return HTTP_GUARD_DONE;
	if (guard->state > HTTP_GUARD_HEAD_LF)
		return HTTP_GUARD_HEAD;
	if (guard->head_len < HTTP_HEAD_MAX)
		return HTTP_GUARD_MORE;
	refuse_as(guard, HTTP_ERROR_HEADERS_TOO_LARGE, "request headers are too large");
	return HTTP_GUARD_REFUSED;
}

/* Reads a body, up to its trailer. */
static HttpGuardResult
read_body(HttpGuard *guard, const char **at, const char *end)
{
	while (*at < end && guard->state != HTTP_GUARD_END && guard->state > HTTP_GUARD_HEAD_LF)
		if (!feed_body(guard, at, end))
			return HTTP_GUARD_REFUSED;
	return guard->state == HTTP_GUARD_END ? HTTP_GUARD_DONE : HTTP_GUARD_MORE;
}

HttpGuardResult
http_guard_feed(HttpGuard *guard, const char *data, size_t len, size_t *used)
{
	HttpGuardResult result = HTTP_GUARD_REFUSED;
	const char *at = data;

	if (guard->state <= HTTP_GUARD_HEAD_LF)
		result = read_head(guard, &at, data + len);
	else if (guard->state != HTTP_GUARD_FAILED)
		result = read_body(guard, &at, data + len);
	*used = (size_t) (at - data);
	return result;
}
