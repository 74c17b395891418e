/*
 * name.c
 *		The names under which bytes are stored; see name.h.
 */
#include "media/name.h"

#include <stdio.h>
#include <string.h>

#include "src/common/hex.h"

void
media_write_digits(const uint8_t *bytes, size_t len, char *digits)
{
	for (size_t i = 0; i < len; i++)
		sprintf(digits + 2 * i, "%02x", bytes[i]);
}

void
media_write_id(JsonWriter *writer, const char *name, const uint8_t *bytes, size_t len)
{
	char digits[MEDIA_DIGITS_MAX];

	media_write_digits(bytes, len, digits);
	json_write_name(writer, name);
	json_write_text(writer, digits);
}

void
media_write_name(const uint8_t org[MEDIA_ORG_SIZE], const uint8_t digest[MEDIA_DIGEST_SIZE],
				 char name[MEDIA_NAME_MAX])
{
	char folder[WAK_TYPEID_MAX + 1];
	char digits[MEDIA_DIGITS_MAX];

	wak_typeid_encode("org", org, folder);
	media_write_digits(digest, MEDIA_DIGEST_SIZE, digits);
	snprintf(name, MEDIA_NAME_MAX, "%s/%.2s/%s", folder, digits, digits);
}

static bool
read_digits(const char *digits, uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		int high = wak_hex_value(digits[2 * i]);
		int low = wak_hex_value(digits[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t) (high << 4 | low);
	}
	return true;
}

bool
media_read_name(const char *text, size_t len, uint8_t org[MEDIA_ORG_SIZE],
				uint8_t digest[MEDIA_DIGEST_SIZE])
{
	const char *slash = memchr(text, '/', len);
	size_t folder = slash == NULL ? 0 : (size_t) (slash - text);
	char name[MEDIA_NAME_MAX];

	if (slash == NULL || len != folder + sizeof("/ab/") - 1 + MEDIA_DIGITS_MAX - 1 ||
		wak_typeid_decode(text, folder, "org", org) != WAK_TYPEID_OK ||
		!read_digits(slash + sizeof("/ab/") - 1, digest, MEDIA_DIGEST_SIZE))
		return false;
	/* In lower case, and in the folder of its first digits. */
	media_write_name(org, digest, name);
	return memcmp(name, text, len) == 0;
}
