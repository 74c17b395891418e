/*
 * json_write.h
 *		Writes JSON into a Buffer, in order, without building a tree.
 *
 * The writer adds the commas.  Names and strings should be UTF-8; a byte that is not valid
 * UTF-8 becomes U+FFFD, so that the output is always valid JSON.  When the Buffer cannot
 * grow, its "failed" is set and stays set; json_write_done() reports it.
 *
 *	JsonWriter	writer;
 *
 *	json_write_init(&writer, &buffer);
 *	json_write_object_begin(&writer);
 *	json_write_name(&writer, "id");
 *	json_write_text(&writer, id);
 *	json_write_object_end(&writer);
 *	if (!json_write_done(&writer)) ...
 */
#ifndef LIB_JSON_WRITE_H
#define LIB_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"

#define JSON_WRITE_DEPTH_MAX 64 /* deeper marks the buffer as failed */

typedef struct JsonWriter
{
	Buffer *out;          /* borrowed */
	uint64_t has_members; /* bit n: the container at depth n is not empty */
	int depth;
	bool after_name; /* a name was written, and its value comes next */
} JsonWriter;

extern void json_write_init(JsonWriter *writer, Buffer *out);

extern void json_write_object_begin(JsonWriter *writer);
extern void json_write_object_end(JsonWriter *writer);
extern void json_write_array_begin(JsonWriter *writer);
extern void json_write_array_end(JsonWriter *writer);

/* The name of the next member of an object. */
extern void json_write_name(JsonWriter *writer, const char *name);

/* As json_write_name(), for a name that already has its quotes and colon: "id": */
extern void json_write_quoted_name(JsonWriter *writer, const char *quoted, size_t len);

/* Values. */
extern void json_write_string(JsonWriter *writer, const char *text, size_t len);
extern void json_write_text(JsonWriter *writer, const char *text);
extern void json_write_int64(JsonWriter *writer, int64_t number);
extern void json_write_bool(JsonWriter *writer, bool value);
extern void json_write_null(JsonWriter *writer);

/* A value that already is JSON (jsonb from the database); it is copied unchanged. */
extern void json_write_raw(JsonWriter *writer, const char *json, size_t len);

/* True when everything was written and every container is closed. */
extern bool json_write_done(const JsonWriter *writer);

#endif
