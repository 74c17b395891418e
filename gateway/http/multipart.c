/*
 * multipart.c
 *		Reads a multipart body while it arrives; see multipart.h.
 *
 *	PREAMBLE --> DELIMITED --> PADDING --> LINE --> HEAD --> BYTES --> DELIMITED ...
 *				 DELIMITED --> DASH --> EPILOGUE
 *
 * The delimiter begins with CR, and there is no other CR in it.  So when it does not go on as
 * it should, only the byte that differs can begin another one.
 *
 * The body begins as if a CR LF had been read, because the first delimiter may stand at its
 * beginning.
 */
#include "http/multipart.h"

#include <string.h>
#include <strings.h>

#define LINE_BREAK "\r\n"
#define LINE_BREAK_LEN 2

/* ---- the boundary ---- */

static bool
is_boundary_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		   (c != '\0' && strchr("'()+_,-./:=? ", c) != NULL);
}

/* Whether a parameter follows here; *value is then behind its "=". */
static bool
is_parameter(const char *at, const char *name, const char **value)
{
	size_t len = strlen(name);

	*value = at + len + 1;
	return strncmp(at, name, len) == 0 && at[len] == '=';
}

/* The position behind a value, which is a token or in quotation marks. */
static const char *
skip_value(const char *at)
{
	if (*at != '"')
		return at + strcspn(at, ";");
	for (at++; *at != '"' && *at != '\0'; at++)
		if (*at == '\\' && at[1] != '\0')
			at++;
	return *at == '"' ? at + 1 : at;
}

/* The value of the parameter "boundary", which may be in quotation marks; NULL: there is none. */
static const char *
find_boundary(const char *type)
{
	const char *at = type + strcspn(type, ";");
	const char *value;

	while (strncmp(at, "; ", 2) == 0)
	{
		at += 2;
		if (is_parameter(at, "boundary", &value))
			return value;
		at = skip_value(at + strcspn(at, "=") + 1);
	}
	return NULL;
}

/* Writes the delimiter; false if this is no boundary. */
static bool
set_delimiter(Multipart *reader, const char *value)
{
	bool quoted = *value == '"';
	size_t len = quoted ? strcspn(++value, "\"") : strcspn(value, ";");

	if (len == 0 || len > MULTIPART_BOUNDARY_MAX || value[len - 1] == ' ')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_boundary_character(value[i]))
			return false;
	memcpy(reader->delimiter, LINE_BREAK "--", 4);
	memcpy(reader->delimiter + 4, value, len);
	reader->delimiter_len = 4 + len;
	return true;
}

bool
multipart_begin(Multipart *reader, const char *type, const MultipartEvents *events, void *context)
{
	const char *boundary = find_boundary(type);

	reader->events = events;
	reader->context = context;
	reader->state = MULTIPART_PREAMBLE;
	reader->matched = LINE_BREAK_LEN;
	reader->head_len = 0;
	return boundary != NULL && set_delimiter(reader, boundary);
}

bool
multipart_is_complete(const Multipart *reader)
{
	return reader->state == MULTIPART_EPILOGUE;
}

/* ---- the head of a part ---- */

static bool
is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		   (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Reads the name of a field in place; its length, 0 if there is none. */
static size_t
read_name(char *line, size_t len)
{
	size_t at = 0;

	for (; at < len && is_name_character(line[at]); at++)
		if (line[at] >= 'A' && line[at] <= 'Z')
			line[at] = (char) (line[at] - 'A' + 'a');
	return at < len && line[at] == ':' ? at : 0;
}

/* Reads a field; "line" has at least one byte behind it, which becomes a NUL. */
static bool
read_field(char *line, size_t len, HttpField *field)
{
	size_t name_len = read_name(line, len);
	size_t begin = name_len + 1;

	if (name_len == 0)
		return false;
	while (begin < len && is_space(line[begin]))
		begin++;
	while (len > begin && is_space(line[len - 1]))
		len--;
	for (size_t i = begin; i < len; i++)
		if ((unsigned char) line[i] < ' ' ? line[i] != '\t' : line[i] == 127)
			return false;
	line[len] = '\0';
	*field = (HttpField){.name = {line, name_len}, .value = {line + begin, len - begin}};
	return true;
}

/* The head is complete, with the empty line behind it. */
static MultipartResult
read_head(Multipart *reader)
{
	HttpField fields[MULTIPART_FIELDS_MAX];
	char *line = reader->head;
	char *end = reader->head + reader->head_len - LINE_BREAK_LEN;
	size_t count = 0;

	while (line < end)
	{
		char *next = memmem(line, (size_t) (end - line), LINE_BREAK, LINE_BREAK_LEN);

		if (count == MULTIPART_FIELDS_MAX ||
			!read_field(line, (size_t) (next - line), &fields[count++]))
			return MULTIPART_MALFORMED;
		line = next + LINE_BREAK_LEN;
	}
	reader->state = MULTIPART_BYTES;
	reader->matched = 0;
	reader->head_len = 0;
	return reader->events->head(reader->context, fields, count) ? MULTIPART_MORE
																: MULTIPART_STOPPED;
}

/* Whether the empty line was read; without any field it is the first one. */
static bool
is_head_complete(const Multipart *reader)
{
	static const char end[] = LINE_BREAK LINE_BREAK;
	const char *head = reader->head;
	size_t len = reader->head_len;

	if (len == LINE_BREAK_LEN)
		return memcmp(head, end, len) == 0;
	return len >= sizeof(end) - 1 &&
		   memcmp(head + len - (sizeof(end) - 1), end, sizeof(end) - 1) == 0;
}

static MultipartResult
add_to_head(Multipart *reader, char c)
{
	if (reader->head_len == MULTIPART_HEAD_MAX)
		return MULTIPART_MALFORMED;
	reader->head[reader->head_len++] = c;
	return c == '\n' && is_head_complete(reader) ? read_head(reader) : MULTIPART_MORE;
}

/* ---- the bytes of a part, and what separates parts ---- */

/* Hands on bytes that belong to no delimiter; those of the preamble mean nothing. */
static bool
hand_on(const Multipart *reader, const char *bytes, size_t len)
{
	return len == 0 || reader->state == MULTIPART_PREAMBLE ||
		   reader->events->bytes(reader->context, bytes, len);
}

/* A delimiter was read. */
static MultipartResult
end_part(Multipart *reader)
{
	bool had_part = reader->state == MULTIPART_BYTES;

	reader->state = MULTIPART_DELIMITED;
	return had_part && !reader->events->end(reader->context) ? MULTIPART_STOPPED : MULTIPART_MORE;
}

/* Reads up to the end of a delimiter, or to the end of the bytes; sets how many were used. */
static MultipartResult
read_bytes(Multipart *reader, const char *bytes, size_t len, size_t *used)
{
	size_t at = 0;

	while (at < len)
	{
		const char *begin = bytes + at;
		const char *found;

		if (reader->matched > 0 && *begin == reader->delimiter[reader->matched])
		{
			at++;
			if (++reader->matched < reader->delimiter_len)
				continue;
			*used = at;
			return end_part(reader);
		}
		if (!hand_on(reader, reader->delimiter, reader->matched))
			return MULTIPART_STOPPED;
		found = memchr(begin, '\r', len - at);
		if (found == NULL)
			found = bytes + len;
		if (!hand_on(reader, begin, (size_t) (found - begin)))
			return MULTIPART_STOPPED;
		reader->matched = found < bytes + len ? 1 : 0;
		at = (size_t) (found - bytes) + reader->matched;
	}
	*used = at;
	return MULTIPART_MORE;
}

/* What follows a delimiter: "--", or white space and the end of the line. */
static MultipartResult
read_behind_delimiter(Multipart *reader, char c)
{
	MultipartState state = reader->state;

	if (state == MULTIPART_DELIMITED && c == '-')
		reader->state = MULTIPART_DASH;
	else if (state == MULTIPART_DASH && c == '-')
		reader->state = MULTIPART_EPILOGUE;
	else if (state == MULTIPART_LINE && c == '\n')
		reader->state = MULTIPART_HEAD;
	else if ((state == MULTIPART_DELIMITED || state == MULTIPART_PADDING) && is_space(c))
		reader->state = MULTIPART_PADDING;
	else if ((state == MULTIPART_DELIMITED || state == MULTIPART_PADDING) && c == '\r')
		reader->state = MULTIPART_LINE;
	else
		return MULTIPART_MALFORMED;
	return MULTIPART_MORE;
}

MultipartResult
multipart_read(Multipart *reader, const char *bytes, size_t len)
{
	MultipartResult result = MULTIPART_MORE;
	size_t used;

	for (size_t at = 0; at < len && result == MULTIPART_MORE; at += used)
	{
		used = 1;
		switch (reader->state)
		{
			case MULTIPART_EPILOGUE:
				return MULTIPART_MORE;
			case MULTIPART_PREAMBLE:
			case MULTIPART_BYTES:
				result = read_bytes(reader, bytes + at, len - at, &used);
				break;
			case MULTIPART_HEAD:
				result = add_to_head(reader, bytes[at]);
				break;
			default:
				result = read_behind_delimiter(reader, bytes[at]);
		}
	}
	return result;
}
