/*
 * sealed_box.h
 *		Bytes that only the holder of a secret key can read: libsodium's sealed boxes.
 *
 * Whoever knows a public key can seal to it.  What is sealed cannot be changed unnoticed, but
 * it does not tell who has sealed it.  (X25519, XSalsa20-Poly1305, BLAKE2b; crypto_box_seal().)
 */
#ifndef LIB_SEALED_BOX_H
#define LIB_SEALED_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEALED_BOX_KEY_SIZE 32

/* The characters of a secret key as text, without the NUL behind them. */
#define SEALED_BOX_SECRET_TEXT 44

/* The bytes that a box has more than its content. */
#define SEALED_BOX_EXTRA 48

typedef struct SealedBoxKey
{
	uint8_t public_key[SEALED_BOX_KEY_SIZE];
	uint8_t secret_key[SEALED_BOX_KEY_SIZE];
} SealedBoxKey;

/* Makes a key pair.  The caller wipes it.  False: the library cannot be used. */
extern bool sealed_box_make_key(SealedBoxKey *key);

/* Writes the secret key as text: base64 (RFC 4648).  The caller wipes it. */
extern void sealed_box_write_secret(const SealedBoxKey *key, char text[SEALED_BOX_SECRET_TEXT + 1]);

/*
 * Makes the key pair of a secret key, in key->secret_key.  The caller wipes it.  False: the
 * library cannot be used.
 */
extern bool sealed_box_derive_key(SealedBoxKey *key);

/*
 * Seals len bytes to a public key.  The box has room for len + SEALED_BOX_EXTRA bytes and does
 * not overlap the bytes.  False: the key is none that can be sealed to.
 */
extern bool sealed_box_seal(const uint8_t public_key[SEALED_BOX_KEY_SIZE], const void *bytes,
							size_t len, uint8_t *box);

/*
 * Opens a box of len bytes.  The bytes have room for len - SEALED_BOX_EXTRA, and the caller
 * wipes them.  False, and nothing is written: it was sealed to another key, or changed.
 */
extern bool
sealed_box_open(const SealedBoxKey *key, const uint8_t *box, size_t len, uint8_t *bytes);

#endif
