/*
 * target.c
 *		Splits the target of a request into path segments and query parameters; see target.h.
 *
 * The path begins with a slash; the guard has checked that.  The path "/a/" has the segments
 * "a" and "".  The handler decides whether that is the same as "/a".
 */
#include "http/target.h"

#include <string.h>

#include "src/common/hex.h"
#include "lib/utf8.h"

static const char too_many[] = "request target has too many parts";

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * A segment has at least one character, its slash.  A parameter that is not empty has at least
 * one character and, except for the last, an ampersand.
 */
HttpTargetRoom
http_target_room(HttpText path, HttpText query)
{
	HttpTargetRoom room;

	room.n_segments = least(path.len, HTTP_SEGMENTS_MAX);
	room.n_parameters = least((query.len + 1) / 2, HTTP_PARAMETERS_MAX);
	room.n_bytes = path.len + query.len + 2 * room.n_parameters;
	return room;
}

/*
 * Decodes one part to *bytes, adds a NUL and moves *bytes past it.  False for invalid
 * percent-encoding, a NUL, and text that is not UTF-8.
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

/* Whether a path may have this decoded segment. */
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

/* Removes from rest the text up to the next separator, and returns it without the separator. */
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

/* Each slash begins a segment, but the path "/" has no segments. */
static const char *
decode_path(HttpText path, HttpTarget *target)
{
	const char *end = path.data + path.len;
	const char *slash = path.len > 1 ? path.data : NULL;

	while (slash != NULL)
	{
		HttpText *segment = &target->segments[target->n_segments];
		const char *at = slash + 1;

		if (target->n_segments == HTTP_SEGMENTS_MAX)
			return too_many;
		target->n_segments++;
		slash = memchr(at, '/', (size_t) (end - at));
		if (!decode((HttpText){at, (size_t) ((slash != NULL ? slash : end) - at)}, false,
					&target->bytes, segment) ||
			!segment_valid(*segment))
			return "request path is not valid";
	}
	return NULL;
}

static const char *
decode_query(HttpText query, HttpTarget *target)
{
	HttpText rest = query;

	for (int parts = 0; rest.len > 0; parts++)
	{
		HttpText part = next_part(&rest, '&');
		HttpField *parameter = &target->parameters[target->n_parameters];
		HttpText name;

		if (parts == HTTP_PARAMETERS_MAX)
			return too_many;
		if (part.len == 0)
			continue;
		name = next_part(&part, '=');
		if (!decode(name, true, &target->bytes, &parameter->name) ||
			!decode(part, true, &target->bytes, &parameter->value))
			return "query string is not valid";
		target->n_parameters++;
	}
	return NULL;
}

const char *
http_target_decode(HttpText path, HttpText query, HttpTarget *target)
{
	const char *wrong = decode_path(path, target);

	return wrong != NULL ? wrong : decode_query(query, target);
}
