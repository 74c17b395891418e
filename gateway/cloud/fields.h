/*
 * fields.h
 *		Reads members of Meta's objects.
 *
 * Meta writes numbers as texts and ids as numbers in some places, and the reverse in others, and
 * any member may be missing.  So a member that is not what was expected counts as missing.
 */
#ifndef CLOUD_FIELDS_H
#define CLOUD_FIELDS_H

#include "lib/json_read.h"
#include "lib/json_write.h"

/* Characters of WhatsApp's id of a message. */
#define FIELD_MESSAGE_ID_MAX 512

/* The text of a member; NULL: there is none, or it is empty or no text.  Borrowed. */
extern const char *field_text(const JsonValue *object, const char *name);

/*
 * Copies a member that is a text or a whole number.  False: there is none, or it is empty or does
 * not fit; then the copy is empty.
 */
extern bool field_copy(const JsonValue *object, const char *name, char *copy, size_t size);

/* A whole number, also one that is written as a text. */
extern bool field_int64(const JsonValue *object, const char *name, int64_t *number);

/* Whether the member is true. */
extern bool field_true(const JsonValue *object, const char *name);

/*
 * The time of a member, in milliseconds since 1970.  Meta gives seconds; what has 13 digits is
 * in milliseconds.  A time that is missing, or later than now_ms, becomes now_ms.
 */
extern int64_t field_time(const JsonValue *object, const char *name, int64_t now_ms);

/* Write a member under a name of ours; what is missing is left out. */
extern void
field_pass_text(JsonWriter *json, const char *as, const JsonValue *object, const char *name);
extern void field_pass(JsonWriter *json, const char *as, const JsonValue *object, const char *name);

#endif
