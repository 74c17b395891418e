/*
 * name.c
 *		The names under which bytes are stored; see name.h.
 */
#include "media/name.h"

#include <stdio.h>

void
media_write_digits(const uint8_t *bytes, size_t len, char *digits)
{
	for (size_t i = 0; i < len; i++)
		sprintf(digits + 2 * i, "%02x", bytes[i]);
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
