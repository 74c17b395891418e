/*
 * signature.c
 *		Checks who has made a notification of Meta's; see signature.h.
 */
#include "cloud/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "src/common/hex.h"
#include "src/common/memory.h"

bool
signature_read(const char *value, size_t len, uint8_t signature[SIGNATURE_SIZE])
{
	static const char prefix[] = "sha256=";
	const char *digits = value + sizeof(prefix) - 1;

	if (len != sizeof(prefix) - 1 + (size_t) (2 * SIGNATURE_SIZE) ||
		memcmp(value, prefix, sizeof(prefix) - 1) != 0)
		return false;
	for (size_t i = 0; i < SIGNATURE_SIZE; i++)
	{
		int high = wak_hex_value(digits[2 * i]);
		int low = wak_hex_value(digits[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		signature[i] = (uint8_t) (high * 16 + low);
	}
	return true;
}

bool
signature_is_of(const uint8_t signature[SIGNATURE_SIZE], const char *secret, const void *body,
				size_t len)
{
	uint8_t expected[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	bool same;

	if (secret[0] == '\0' ||
		HMAC(EVP_sha256(), secret, (int) strlen(secret), body, len, expected, &size) == NULL)
		return false;
	same = size == SIGNATURE_SIZE && wak_equal(expected, signature, SIGNATURE_SIZE);
	wak_wipe(expected, sizeof(expected));
	return same;
}
