/*
 * utf8.c
 *		Checks whether text is UTF-8, and counts its characters; see utf8.h.
 *
 * The ranges are those of RFC 3629, section 4: only the second byte of a
 * character has a range that depends on the first.
 */
#include "lib/utf8.h"

#include <string.h>

#include <stdint.h>

static bool
is_tail(unsigned char byte)
{
	return (byte & 0xC0) == 0x80;
}

/* The range of the second byte excludes overlong forms, surrogates and too large characters. */
static bool
second_is_valid(unsigned char first, unsigned char second)
{
	switch (first)
	{
		case 0xE0:
			return second >= 0xA0 && second <= 0xBF;
		case 0xED:
			return second >= 0x80 && second <= 0x9F;
		case 0xF0:
			return second >= 0x90 && second <= 0xBF;
		case 0xF4:
			return second >= 0x80 && second <= 0x8F;
		default:
			return is_tail(second);
	}
}

size_t
utf8_character(const char *text, size_t len)
{
	const unsigned char *byte = (const unsigned char *) text;
	size_t size;

	if (len == 0)
		return 0;
	if (byte[0] < 0x80)
		return 1;

	if (byte[0] >= 0xC2 && byte[0] <= 0xDF)
		size = 2;
	else if (byte[0] >= 0xE0 && byte[0] <= 0xEF)
		size = 3;
	else if (byte[0] >= 0xF0 && byte[0] <= 0xF4)
		size = 4;
	else
		return 0;

	if (len < size || !second_is_valid(byte[0], byte[1]))
		return 0;
	for (size_t i = 2; i < size; i++)
		if (!is_tail(byte[i]))
			return 0;
	return size;
}

bool
utf8_valid(const char *text, size_t len)
{
	while (len > 0)
	{
		size_t size = utf8_character(text, len);

		if (size == 0)
			return false;
		text += size;
		len -= size;
	}
	return true;
}

size_t
utf8_len(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += !is_tail((unsigned char) text[i]);
	return count;
}

void
utf8_copy_start(char *copy, size_t max, const char *text)
{
	size_t left = strlen(text);
	size_t size;

	while (left > 0 && (size = utf8_character(text, left)) > 0 && size <= max)
	{
		memcpy(copy, text, size);
		copy += size;
		text += size;
		max -= size;
		left -= size;
	}
	*copy = '\0';
}
