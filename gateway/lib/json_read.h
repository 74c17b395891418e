/*
 * json_read.h
 *		Reads JSON from untrusted clients (jansson does the parsing).
 *
 * The reader is strict: an object or array at the top, no duplicate names, at most
 * JSON_READ_DEPTH_MAX levels and JSON_READ_VALUES_MAX values and names, valid
 * UTF-8, no NUL (neither raw nor \u0000), no number out of range, nothing
 * after the end.  An error message never repeats any of the input.
 *
 * The caller owns the root and frees it with json_read_free().  Every other value and every
 * text is borrowed from the root.  Memory is wiped before it is freed, because it may hold
 * a password.
 */
#ifndef LIB_JSON_READ_H
#define LIB_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"

#define JSON_READ_DEPTH_MAX 32
#define JSON_READ_VALUES_MAX 10000

typedef struct json_t JsonValue;

typedef enum JsonKind
{
	JSON_KIND_NONE, /* no value at all (a NULL pointer) */
	JSON_KIND_NULL,
	JSON_KIND_BOOL,
	JSON_KIND_INTEGER,
	JSON_KIND_REAL,
	JSON_KIND_STRING,
	JSON_KIND_ARRAY,
	JSON_KIND_OBJECT
} JsonKind;

typedef struct JsonReadError
{
	const char *message; /* what is wrong; a constant, safe to show */
	int line;            /* where reading stopped, counted from 1; 0 when unknown */
	int column;          /* of the last character that was read; 0 when there was none */
} JsonReadError;

/* Parses len bytes.  NULL: they are refused, and *error says why. */
extern JsonValue *json_read(const char *text, size_t len, JsonReadError *error);

/* The same for an answer that has at most "values" values and names, in place of our bound. */
extern JsonValue *json_read_many(const char *text, size_t len, int values, JsonReadError *error);

extern void json_read_free(JsonValue *root);

extern JsonKind json_read_kind(const JsonValue *value);

/* The member of an object; NULL when there is none or it is not an object. */
extern JsonValue *json_read_member(const JsonValue *object, const char *name);

/* The number of elements of an array or members of an object, else 0. */
extern size_t json_read_count(const JsonValue *value);

/* The element of an array; NULL beyond its end or when it is not an array. */
extern JsonValue *json_read_element(const JsonValue *array, size_t index);

/*
 * Steps to the next member of an object; false after the last one.  The caller sets *position
 * to NULL before the first call.  A name contains no NUL.
 */
extern bool
json_read_next_member(JsonValue *object, void **position, const char **name, JsonValue **value);

/* Read a value of one type.  False: the value has another type, and nothing was set. */
extern bool json_read_string(const JsonValue *value, const char **text, size_t *len);
extern bool json_read_int64(const JsonValue *value, int64_t *number);
extern bool json_read_bool(const JsonValue *value, bool *result);

/* Appends the value as compact JSON; false when it does not fit. */
extern bool json_read_print(const JsonValue *value, Buffer *out);

#endif
