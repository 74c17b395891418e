/*
 * signature.h
 *		Checks who has made a notification of Meta's: X-Hub-Signature-256.
 *
 *	X-Hub-Signature-256: sha256=<64 hexadecimal digits>
 *
 * The digits are HMAC-SHA256 of the body's bytes as they came, with the secret of the app as the
 * key.  Bodies that are read and written again have other bytes, and never match.
 */
#ifndef CLOUD_SIGNATURE_H
#define CLOUD_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGNATURE_SIZE 32

/* Reads the value of the header.  False: it is no such signature. */
extern bool signature_read(const char *value, size_t len, uint8_t signature[SIGNATURE_SIZE]);

/*
 * Whether the signature of the body was made with this secret.  An empty secret has made none.
 * The time does not depend on where a signature differs.
 */
extern bool signature_is_of(const uint8_t signature[SIGNATURE_SIZE], const char *secret,
							const void *body, size_t len);

#endif
