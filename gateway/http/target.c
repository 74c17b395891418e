/*
 * target.c
 *		Takes the target of a request apart: path segments and query.
 *
 * The path begins with a slash (the guard saw to it).  A path "/a/" has the
 * segments "a" and "": the handler decides whether that is the same as "/a".
 */
#include "http/target.h"

#include <string.h>

#include "src/common/hex.h"
#include "lib/utf8.h"

void
http_target_split(const char *target, size_t len, HttpText *path, HttpText *query)
{
	const char *mark = memchr(target, '?', len);

	*path = (HttpText){target, mark != NULL ? (size_t) (mark - target) : len};
	*query = (HttpText){target + len, 0};
	if (mark != NULL)
		*query = (HttpText){mark + 1, len - path->len - 1};
}

static size_t
count(HttpText text, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.data[i] == c;
	return n;
}

HttpTargetSize
http_target_measure(HttpText path, HttpText query)
{
	HttpTargetSize size = {0};

	if (path.len > 1)
		size.n_segments = count(path, '/');
	if (query.len > 0)
		size.n_parameters = count(query, '&') + 1;
	size.n_bytes = path.len + size.n_segments + query.len + 2 * size.n_parameters;
	return size;
}

/*
 * Decodes one part to *bytes, puts a NUL behind it and moves *bytes over it.
 * False for broken percent-encoding, NUL, and what is not UTF-8.
 */
static bool
decode(HttpText part, bool plus_is_space, char **bytes, HttpText *decoded)
{
	char *out = *bytes;

	for (size_t i = 0; i < part.len; i++)
	{
		char c = part.data[i];

		if (c == '%')
		{
			int high = i + 2 < part.len ? wak_hex_value(part.data[i + 1]) : -1;
			int low = i + 2 < part.len ? wak_hex_value(part.data[i + 2]) : -1;

			if (high < 0 || low < 0 || (high == 0 && low == 0))
				return false;
			c = (char) (high * 16 + low);
			i += 2;
		}
		else if (c == '+' && plus_is_space)
			c = ' ';
		*out++ = c;
	}
	*decoded = (HttpText){*bytes, (size_t) (out - *bytes)};
	*out++ = '\0';
	*bytes = out;
	return utf8_valid(decoded->data, decoded->len);
}

/* Whether a decoded segment is one that a path may have. */
static bool
segment_valid(HttpText segment)
{
	for (size_t i = 0; i < segment.len; i++)
	{
		unsigned char c = (unsigned char) segment.data[i];

		if (c < ' ' || c == 0x7F)
			return false;
	}
	return strcmp(segment.data, ".") != 0 && strcmp(segment.data, "..") != 0;
}

/* Cuts the text before the next separator off rest. */
static HttpText
next_part(HttpText *rest, char separator)
{
	const char *end = rest->len > 0 ? memchr(rest->data, separator, rest->len) : NULL;
	HttpText part = {rest->data, end != NULL ? (size_t) (end - rest->data) : rest->len};
	size_t used = end != NULL ? part.len + 1 : part.len;

	rest->data += used;
	rest->len -= used;
	return part;
}

static bool
decode_path(HttpText path, HttpText *segments, char **bytes)
{
	HttpText rest = {path.data + 1, path.len - 1};
	size_t n = path.len > 1 ? count(path, '/') : 0;

	for (size_t i = 0; i < n; i++)
		if (!decode(next_part(&rest, '/'), false, bytes, &segments[i]) ||
			!segment_valid(segments[i]))
			return false;
	return true;
}

static bool
decode_query(HttpText query, HttpField *parameters, size_t *n_parameters, char **bytes)
{
	HttpText rest = query;

	while (rest.len > 0)
	{
		HttpText part = next_part(&rest, '&');
		HttpField *parameter = &parameters[*n_parameters];
		HttpText name;

		if (part.len == 0)
			continue;
		name = next_part(&part, '=');
		if (!decode(name, true, bytes, &parameter->name) ||
			!decode(part, true, bytes, &parameter->value))
			return false;
		(*n_parameters)++;
	}
	return true;
}

const char *
http_target_decode(HttpText path, HttpText query, HttpText *segments, HttpField *parameters,
				   size_t *n_parameters, char *bytes)
{
	*n_parameters = 0;
	if (!decode_path(path, segments, &bytes))
		return "request path is not valid";
	if (!decode_query(query, parameters, n_parameters, &bytes))
		return "query string is not valid";
	return NULL;
}
