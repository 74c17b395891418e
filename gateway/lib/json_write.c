/*
 * json_write.c
 *		Writes JSON into a Buffer; see json_write.h.
 *
 * Invariant: has_members has one bit for each open container, so that a comma is written
 * exactly between two members.  Incorrect use (a container that was not opened is closed, or
 * the depth is exceeded) also marks the Buffer as failed.
 */
#include "lib/json_write.h"

#include <string.h>

#include "lib/utf8.h"

void
json_write_init(JsonWriter *writer, Buffer *out)
{
	*writer = (JsonWriter){.out = out};
}

/* Whether the next member needs a comma: not the first one, and not the value after a name. */
static inline bool
takes_comma(JsonWriter *writer)
{
	uint64_t bit;
	bool follows;

	if (writer->after_name)
	{
		writer->after_name = false;
		return false;
	}
	if (writer->depth == 0)
		return false;
	bit = UINT64_C(1) << (writer->depth - 1);
	follows = (writer->has_members & bit) != 0;
	writer->has_members |= bit;
	return follows;
}

/*
 * Begins a member of len bytes: makes room for it, and writes the comma before it.  The caller
 * writes exactly len bytes at the result.  NULL: it does not fit.
 */
static inline char *
begin(JsonWriter *writer, size_t len)
{
	Buffer *out = writer->out;
	size_t comma = takes_comma(writer) ? 1 : 0;
	char *at;

	if (!buffer_reserve(out, comma + len))
		return NULL;
	at = out->data + out->len;
	out->len += comma + len;
	out->data[out->len] = '\0';
	if (comma > 0)
		*at++ = ',';
	return at;
}

/* Writes the comma before a member of unknown length. */
static void
separate(JsonWriter *writer)
{
	if (takes_comma(writer))
		buffer_append_char(writer->out, ',');
}

static void
open_container(JsonWriter *writer, char c)
{
	separate(writer);
	if (writer->depth == JSON_WRITE_DEPTH_MAX)
	{
		writer->out->failed = true;
		return;
	}
	buffer_append_char(writer->out, c);
	writer->has_members &= ~(UINT64_C(1) << writer->depth);
	writer->depth++;
}

static void
close_container(JsonWriter *writer, char c)
{
	if (writer->depth == 0 || writer->after_name)
	{
		writer->out->failed = true;
		return;
	}
	writer->depth--;
	buffer_append_char(writer->out, c);
}

void
json_write_object_begin(JsonWriter *writer)
{
	open_container(writer, '{');
}

void
json_write_object_end(JsonWriter *writer)
{
	close_container(writer, '}');
}

void
json_write_array_begin(JsonWriter *writer)
{
	open_container(writer, '[');
}

void
json_write_array_end(JsonWriter *writer)
{
	close_container(writer, ']');
}

/* Whether the byte needs neither an escape nor a check that it is valid UTF-8. */
static bool
is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\' && byte != 0x7F;
}

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/*
 * Sets the top bit of each zero byte; the result is 0 when no byte is zero.  A byte of 1 next
 * above a zero byte is marked too, which does no harm here.
 */
static uint64_t
zero_bytes(uint64_t word)
{
	return (word - EACH_BYTE(0x01)) & ~word & EACH_BYTE(0x80);
}

/* Whether all eight bytes are plain; a byte of 0x7F or more is not. */
static bool
are_plain(const char *text)
{
	uint64_t word;
	uint64_t special;

	memcpy(&word, text, sizeof(word));
	special = word | (word + EACH_BYTE(0x01));   /* 0x7F and above */
	special |= (word - EACH_BYTE(0x20)) & ~word; /* below 0x20 */
	special |= zero_bytes(word ^ EACH_BYTE('"')) | zero_bytes(word ^ EACH_BYTE('\\'));
	return (special & EACH_BYTE(0x80)) == 0;
}

/*
 * The number of plain bytes at the start of text; looks at eight bytes at a time.  The last
 * eight may overlap with those before them.
 */
static size_t
plain_run(const char *text, size_t len)
{
	const size_t step = sizeof(uint64_t);
	size_t run = 0;

	while (run < len && len >= step && are_plain(text + (run + step < len ? run : len - step)))
		run += step;
	while (run < len && is_plain((unsigned char) text[run]))
		run++;
	return run < len ? run : len;
}

static void
append_escape(Buffer *out, unsigned char byte)
{
	switch (byte)
	{
		case '"':
			buffer_append(out, "\\\"", 2);
			break;
		case '\\':
			buffer_append(out, "\\\\", 2);
			break;
		case '\n':
			buffer_append(out, "\\n", 2);
			break;
		case '\r':
			buffer_append(out, "\\r", 2);
			break;
		case '\t':
			buffer_append(out, "\\t", 2);
			break;
		default:
			buffer_printf(out, "\\u%04x", byte);
			break;
	}
}

/* Appends the rest of a string, which begins with a byte that is not plain. */
static void
append_checked(Buffer *out, const char *text, size_t len)
{
	while (len > 0)
	{
		size_t run = plain_run(text, len);
		size_t size;

		buffer_append(out, text, run);
		text += run;
		len -= run;
		if (len == 0)
			break;

		size = utf8_character(text, len);
		if (size > 1)
			buffer_append(out, text, size);
		else if (size == 1)
			append_escape(out, (unsigned char) *text);
		else
		{
			buffer_append(out, "\xEF\xBF\xBD", 3);
			size = 1;
		}
		text += size;
		len -= size;
	}
}

/* Writes a string that begins with a run of plain bytes; end follows the quotation mark. */
static void
append_quoted(JsonWriter *writer, const char *text, size_t len, size_t run, const char *end)
{
	Buffer *out = writer->out;

	separate(writer);
	buffer_append_char(out, '"');
	buffer_append(out, text, run);
	append_checked(out, text + run, len - run);
	buffer_append_char(out, '"');
	buffer_append_text(out, end);
}

void
json_write_name(JsonWriter *writer, const char *name)
{
	size_t len = strlen(name);

	if (writer->after_name)
		writer->out->failed = true;
	append_quoted(writer, name, len, plain_run(name, len), ":");
	writer->after_name = true;
}

void
json_write_quoted_name(JsonWriter *writer, const char *quoted, size_t len)
{
	char *at;

	if (writer->after_name)
		writer->out->failed = true;
	at = begin(writer, len);
	if (at != NULL)
		memcpy(at, quoted, len);
	writer->after_name = true;
}

void
json_write_string(JsonWriter *writer, const char *text, size_t len)
{
	size_t run = plain_run(text, len);
	char *at;

	/* Nearly all strings are plain and can be copied in one piece. */
	if (run < len)
	{
		append_quoted(writer, text, len, run, "");
		return;
	}
	at = begin(writer, len + 2);
	if (at == NULL)
		return;
	*at++ = '"';
	if (len > 0)
		memcpy(at, text, len);
	at[len] = '"';
}

void
json_write_text(JsonWriter *writer, const char *text)
{
	json_write_string(writer, text, strlen(text));
}

void
json_write_int64(JsonWriter *writer, int64_t number)
{
	separate(writer);
	buffer_append_int64(writer->out, number);
}

void
json_write_bool(JsonWriter *writer, bool value)
{
	separate(writer);
	buffer_append_text(writer->out, value ? "true" : "false");
}

void
json_write_null(JsonWriter *writer)
{
	separate(writer);
	buffer_append_text(writer->out, "null");
}

void
json_write_raw(JsonWriter *writer, const char *json, size_t len)
{
	separate(writer);
	buffer_append(writer->out, json, len);
}

bool
json_write_done(const JsonWriter *writer)
{
	return !writer->out->failed && writer->depth == 0 && !writer->after_name;
}
