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

#include <stddef.h>
#include <stdint.h>

#include "src/common/typeid.h"
#include "media/store.h"

/* Bytes of a digest in digits, with the NUL. */
#define MEDIA_DIGITS_MAX (2 * MEDIA_DIGEST_SIZE + 1)

/* Bytes of a name, with the NUL. */
#define MEDIA_NAME_MAX (WAK_TYPEID_MAX + sizeof("/ab/") + MEDIA_DIGITS_MAX)

/* Writes bytes as hexadecimal digits, with a NUL. */
extern void media_write_digits(const uint8_t *bytes, size_t len, char *digits);

extern void media_write_name(const uint8_t org[MEDIA_ORG_SIZE],
							 const uint8_t digest[MEDIA_DIGEST_SIZE], char name[MEDIA_NAME_MAX]);

#endif
