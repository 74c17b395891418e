/*
 * name.h
 *		The names under which bytes are stored: "org_…/ab/abcdef…".
 *
 * A name is made of the organization and the SHA-256 of the bytes, in hexadecimal digits.
 * Nothing in it comes from a client.  A folder and a bucket have the same names, so that one
 * can be copied into the other.
 */
#ifndef MEDIA_NAME_H
#define MEDIA_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/common/typeid.h"
#include "lib/json_write.h"
#include "media/store.h"

/* Bytes of a digest in digits, with the NUL. */
#define MEDIA_DIGITS_MAX (2 * MEDIA_DIGEST_SIZE + 1)

/* Bytes of a name, with the NUL. */
#define MEDIA_NAME_MAX (WAK_TYPEID_MAX + sizeof("/ab/") + MEDIA_DIGITS_MAX)

/* Writes bytes as hexadecimal digits, with a NUL. */
extern void media_write_digits(const uint8_t *bytes, size_t len, char *digits);

/* Writes a member of an object whose value is such digits, of at most MEDIA_DIGEST_SIZE bytes. */
extern void media_write_id(JsonWriter *writer, const char *name, const uint8_t *bytes, size_t len);

/* Reads one.  False: the text, which needs no NUL, is no such name. */
extern bool media_read_name(const char *text, size_t len, uint8_t org[MEDIA_ORG_SIZE],
							uint8_t digest[MEDIA_DIGEST_SIZE]);

extern void media_write_name(const uint8_t org[MEDIA_ORG_SIZE],
							 const uint8_t digest[MEDIA_DIGEST_SIZE], char name[MEDIA_NAME_MAX]);

#endif
