/*
 * sealed_box.c
 *		Bytes that only the holder of a secret key can read; see sealed_box.h.
 */
#include "lib/sealed_box.h"

#include <sodium.h>

_Static_assert(SEALED_BOX_KEY_SIZE == crypto_box_PUBLICKEYBYTES, "size of a public key");
_Static_assert(SEALED_BOX_KEY_SIZE == crypto_box_SECRETKEYBYTES, "size of a secret key");
_Static_assert(SEALED_BOX_EXTRA == crypto_box_SEALBYTES, "size of a box");
_Static_assert(SEALED_BOX_SECRET_TEXT ==
				   sodium_base64_ENCODED_LEN(SEALED_BOX_KEY_SIZE, sodium_base64_VARIANT_ORIGINAL) -
					   1,
			   "characters of a secret key");

/* May be called again and again. */
static bool
is_ready(void)
{
	return sodium_init() >= 0;
}

bool
sealed_box_make_key(SealedBoxKey *key)
{
	return is_ready() && crypto_box_keypair(key->public_key, key->secret_key) == 0;
}

void
sealed_box_write_secret(const SealedBoxKey *key, char text[SEALED_BOX_SECRET_TEXT + 1])
{
	sodium_bin2base64(text, SEALED_BOX_SECRET_TEXT + 1, key->secret_key, SEALED_BOX_KEY_SIZE,
					  sodium_base64_VARIANT_ORIGINAL);
}

bool
sealed_box_derive_key(SealedBoxKey *key)
{
	return is_ready() && crypto_scalarmult_base(key->public_key, key->secret_key) == 0;
}

bool
sealed_box_seal(const uint8_t public_key[SEALED_BOX_KEY_SIZE], const void *bytes, size_t len,
				uint8_t *box)
{
	return is_ready() && crypto_box_seal(box, bytes, len, public_key) == 0;
}

bool
sealed_box_open(const SealedBoxKey *key, const uint8_t *box, size_t len, uint8_t *bytes)
{
	return is_ready() && len >= SEALED_BOX_EXTRA &&
		   crypto_box_seal_open(bytes, box, len, key->public_key, key->secret_key) == 0;
}
