/*-------------------------------------------------------------------------
 *
 * typeid.h
 *		Public identifiers: TypeIDs as version 0.3 of the TypeID specification
 *		defines them.
 *
 *		prefix		at most 63 of [a-z_], first and last a letter; may be empty
 *		separator	_  (left out when the prefix is empty)
 *		suffix		26 digits of base32: the 128 bits of a UUID, big endian,
 *					behind two zero bits
 *
 * Decoding is strict: only lower case, no look-alike letters, no hyphens.
 * UUIDs of any version are accepted, so that ids from other systems can be
 * written this way too.
 *
 * Shared by the extension and the gateway: no allocation, no state, safe in
 * any thread.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_COMMON_TYPEID_H
#define SRC_COMMON_TYPEID_H

#include <stddef.h>
#include <stdint.h>

#define WAK_UUID_LENGTH 16

#define WAK_TYPEID_PREFIX_MAX 63
#define WAK_TYPEID_SUFFIX_LENGTH 26

/* The length of the longest TypeID.  Buffers add one for the NUL. */
#define WAK_TYPEID_MAX (WAK_TYPEID_PREFIX_MAX + 1 + WAK_TYPEID_SUFFIX_LENGTH)

/* Note that success is 0: compare with WAK_TYPEID_OK. */
typedef enum WakTypeidResult
{
	WAK_TYPEID_OK = 0,
	WAK_TYPEID_BAD_PREFIX,   /* not a prefix at all */
	WAK_TYPEID_WRONG_PREFIX, /* well formed, but not the one expected */
	WAK_TYPEID_BAD_SUFFIX    /* length, alphabet, or more than 128 bits */
} WakTypeidResult;

/*
 * Writes the TypeID of "uuid" under "prefix" (NUL-terminated, "" for none) to "out", with a
 * NUL.  Returns WAK_TYPEID_OK, or WAK_TYPEID_BAD_PREFIX with the empty string in "out".
 */
extern WakTypeidResult wak_typeid_encode(const char *prefix, const uint8_t uuid[WAK_UUID_LENGTH],
										 char out[WAK_TYPEID_MAX + 1]);

/*
 * Reads a TypeID of "len" bytes at "text".  The text needs no NUL and may contain any byte.
 * The prefix must be "expected_prefix"; NULL accepts any valid prefix.  Fills "uuid" on
 * WAK_TYPEID_OK only.
 */
extern WakTypeidResult wak_typeid_decode(const char *text, size_t len, const char *expected_prefix,
										 uint8_t uuid[WAK_UUID_LENGTH]);

#endif
