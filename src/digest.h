/*-------------------------------------------------------------------------
 *
 * digest.h
 *		SHA-256 for credentials and statement texts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_DIGEST_H
#define SRC_DIGEST_H

#include "postgres.h"

#define WA_DIGEST_LENGTH 32

/*
 * Writes the SHA-256 digest (FIPS 180-4) of "len" bytes at "data" to "digest".  Raises an error
 * if the cryptographic library fails, so that the output is always a digest.
 */
extern void wa_sha256(const void *data, size_t len, uint8 digest[WA_DIGEST_LENGTH]);

#endif
