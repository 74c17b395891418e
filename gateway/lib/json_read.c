/*
 * json_read.c
 *		Reads JSON from untrusted clients; see json_read.h.
 *
 * One pass before the parser checks two bounds that jansson does not have.  One is the depth:
 * jansson allows 2048 levels, and it recurses.  The other is the number of values: a value
 * such as "{}," takes a hundred times its length in memory.  jansson's error messages quote
 * the input, so only its error codes are used.
 */
#include "lib/json_read.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/memory.h"

#define JSON_PRINT_DIGITS 17 /* a double survives being printed and read */

/* ---- jansson's memory ---- */

/* Precedes each allocation of jansson and says how many bytes to wipe. */
typedef union Allocation
{
	size_t size;
	max_align_t alignment;
} Allocation;

static void *
allocate(size_t size)
{
	Allocation *allocation =
		size < SIZE_MAX - sizeof(Allocation) ? malloc(sizeof(Allocation) + size) : NULL;

	if (allocation == NULL)
		return NULL;
	allocation->size = size;
	return allocation + 1;
}

static void
wipe_and_free(void *memory)
{
	Allocation *allocation = memory;

	if (allocation == NULL)
		return;
	allocation--;
	wak_wipe(memory, allocation->size);
	free(allocation);
}

/* Must be called before jansson's first allocation. */
static void
use_wiped_memory(void)
{
	static bool done;

	if (!done)
		json_set_alloc_funcs(allocate, wipe_and_free);
	done = true;
}

/* ---- reading ---- */

/* The index of the quote that ends the string, or of the end of the text. */
static size_t
skip_string(const char *text, size_t len, size_t i)
{
	while (i < len && text[i] != '"')
		i += text[i] == '\\' ? 2 : 1;
	return i;
}

/* Whether the character can be part of a number or a word (true, false, null). */
static bool
is_plain(char c)
{
	switch (c)
	{
		case '{':
		case '}':
		case '[':
		case ']':
		case '"':
		case ',':
		case ':':
		case ' ':
		case '\t':
		case '\r':
		case '\n':
			return false;
		default:
			return true;
	}
}

/* Sets the line and column of the byte at index; columns count characters. */
static void
set_place(JsonReadError *error, const char *text, size_t index)
{
	error->line = 1;
	error->column = 1;
	for (size_t i = 0; i < index; i++)
		if (text[i] == '\n')
		{
			error->line++;
			error->column = 1;
		}
		/* Only the first byte of a character counts. */
		else if (((unsigned char) text[i] & 0xC0) != 0x80)
			error->column++;
}

/*
 * Returns NULL, or a message about the bound that the text exceeds; *place is the index of
 * the byte that exceeds it.  A value counts where it begins: a container, a string (names
 * too), or a run of characters that may be a number or a word.  The text need not be JSON:
 * the parser finds all other errors, and it reads no more values than were counted here.
 */
static const char *
find_excess(const char *text, size_t len, int values_max, size_t *place)
{
	int depth = 0;
	int values = 0;
	bool in_run = false;

	for (size_t i = 0; i < len; i++)
	{
		char c = text[i];
		bool plain = is_plain(c);

		*place = i;
		if (c == '{' || c == '[' || c == '"' || (plain && !in_run))
			values++;
		if (values > values_max)
			return "JSON has too many values";
		in_run = plain;
		if (c == '"')
			i = skip_string(text, len, i + 1);
		else if (c == '}' || c == ']')
			depth--;
		else if ((c == '{' || c == '[') && ++depth > JSON_READ_DEPTH_MAX)
			return "JSON is nested too deeply";
	}
	return NULL;
}

static const char *
message_of(enum json_error_code code)
{
	switch (code)
	{
		case json_error_out_of_memory:
			return "out of memory";
		case json_error_premature_end_of_input:
			return "JSON ends too early";
		case json_error_end_of_input_expected:
			return "unexpected text after the end of JSON";
		case json_error_invalid_utf8:
			return "JSON is not valid UTF-8";
		case json_error_null_character:
		case json_error_null_byte_in_key:
			return "JSON must not contain a NUL character";
		case json_error_duplicate_key:
			return "JSON has a duplicate name in an object";
		case json_error_numeric_overflow:
			return "JSON has a number that is out of range";
		case json_error_stack_overflow:
			return "JSON is nested too deeply";
		default:
			return "invalid JSON";
	}
}

JsonValue *
json_read_many(const char *text, size_t len, int values, JsonReadError *error)
{
	json_error_t detail;
	json_t *root;
	size_t place = 0;

	*error = (JsonReadError){.message = find_excess(text, len, values, &place)};
	if (error->message != NULL)
	{
		set_place(error, text, place);
		return NULL;
	}

	use_wiped_memory();
	root = json_loadb(len > 0 ? text : "", len, JSON_REJECT_DUPLICATES, &detail);
	if (root == NULL)
	{
		error->message = message_of(json_error_code(&detail));
		error->line = detail.line > 0 ? detail.line : 0;
		error->column = detail.column > 0 ? detail.column : 0;
	}
	return root;
}

JsonValue *
json_read(const char *text, size_t len, JsonReadError *error)
{
	return json_read_many(text, len, JSON_READ_VALUES_MAX, error);
}

void
json_read_free(JsonValue *root)
{
	json_decref(root);
}

JsonKind
json_read_kind(const JsonValue *value)
{
	if (value == NULL)
		return JSON_KIND_NONE;
	switch (json_typeof(value))
	{
		case JSON_OBJECT:
			return JSON_KIND_OBJECT;
		case JSON_ARRAY:
			return JSON_KIND_ARRAY;
		case JSON_STRING:
			return JSON_KIND_STRING;
		case JSON_INTEGER:
			return JSON_KIND_INTEGER;
		case JSON_REAL:
			return JSON_KIND_REAL;
		case JSON_TRUE:
		case JSON_FALSE:
			return JSON_KIND_BOOL;
		case JSON_NULL:
			break;
	}
	return JSON_KIND_NULL;
}

JsonValue *
json_read_member(const JsonValue *object, const char *name)
{
	return json_object_get(object, name);
}

size_t
json_read_count(const JsonValue *value)
{
	return json_is_object(value) ? json_object_size(value) : json_array_size(value);
}

JsonValue *
json_read_element(const JsonValue *array, size_t index)
{
	return json_array_get(array, index);
}

bool
json_read_next_member(JsonValue *object, void **position, const char **name, JsonValue **value)
{
	*position =
		*position == NULL ? json_object_iter(object) : json_object_iter_next(object, *position);
	if (*position == NULL)
		return false;
	*name = json_object_iter_key(*position);
	*value = json_object_iter_value(*position);
	return true;
}

bool
json_read_string(const JsonValue *value, const char **text, size_t *len)
{
	if (!json_is_string(value))
		return false;
	*text = json_string_value(value);
	*len = json_string_length(value);
	return true;
}

bool
json_read_int64(const JsonValue *value, int64_t *number)
{
	if (!json_is_integer(value))
		return false;
	*number = json_integer_value(value);
	return true;
}

bool
json_read_bool(const JsonValue *value, bool *result)
{
	if (!json_is_boolean(value))
		return false;
	*result = json_is_true(value);
	return true;
}

static int
append_part(const char *part, size_t len, void *out)
{
	return buffer_append(out, part, len) ? 0 : -1;
}

bool
json_read_print(const JsonValue *value, Buffer *out)
{
	return value != NULL && json_dump_callback(value, append_part, out,
											   JSON_COMPACT | JSON_ENCODE_ANY |
												   JSON_REAL_PRECISION(JSON_PRINT_DIGITS)) == 0;
}
