/*-------------------------------------------------------------------------
 *
 * typeid.c
 *		Writing and reading TypeIDs.
 *
 * The suffix is one number of 130 bits, most significant digit first.  Digits
 * have 5 bits and bytes 8, so bits are carried over from one to the next.  The
 * two highest bits are zero, so the first digit is at most 7.  Nothing else can
 * overflow.
 *
 * The last underscore is the separator, because a prefix may contain
 * underscores and the suffix cannot.  The suffix has a fixed length, so it is
 * found by counting from the end.  What stands before it must be empty, or a
 * prefix and one underscore.
 *
 *-------------------------------------------------------------------------
 */
#include "src/common/typeid.h"

#include <stdbool.h>
#include <string.h>

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

static bool
is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_prefix(const char *prefix, size_t len)
{
	if (len == 0)
		return true;
	if (len > WAK_TYPEID_PREFIX_MAX || !is_letter(prefix[0]) || !is_letter(prefix[len - 1]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_letter(prefix[i]) && prefix[i] != '_')
			return false;
	return true;
}

/* The value of a digit, or -1.  This is strict: 'I', 'l', 'O' and 'u' are no digits. */
static int
digit_value(char c)
{
	const char *found = memchr(digits, c, sizeof(digits) - 1);

	return found ? (int) (found - digits) : -1;
}

static uint64_t
read_eight(const uint8_t *bytes)
{
	return (uint64_t) bytes[0] << 56 | (uint64_t) bytes[1] << 48 | (uint64_t) bytes[2] << 40 |
		   (uint64_t) bytes[3] << 32 | (uint64_t) bytes[4] << 24 | (uint64_t) bytes[5] << 16 |
		   (uint64_t) bytes[6] << 8 | (uint64_t) bytes[7];
}

/* Writes count digits from the end, the lowest one last. */
static char *
write_digits(uint64_t bits, int count, char *end)
{
	for (int i = 0; i < count; i++)
	{
		*--end = digits[bits & 31];
		bits >>= 5;
	}
	return end;
}

/*
 * Every row of an answer has some ids, so many digits are taken from one large number: two
 * times 12 digits of 60 bits, and 2 from the first 8 bits.
 */
static void
write_suffix(const uint8_t uuid[WAK_UUID_LENGTH], char *out)
{
	uint64_t high = read_eight(uuid);
	uint64_t low = read_eight(uuid + 8);
	char *end = out + WAK_TYPEID_SUFFIX_LENGTH;

	end = write_digits(low, 12, end);
	end = write_digits(high << 4 | low >> 60, 12, end);
	write_digits(high >> 56, 2, end);
}

static bool
read_suffix(const char *suffix, uint8_t uuid[WAK_UUID_LENGTH])
{
	uint8_t bytes[WAK_UUID_LENGTH];
	uint32_t pending = 0;
	int bits = -2; /* the two zero bits in front are dropped */
	size_t filled = 0;

	if (suffix[0] < '0' || suffix[0] > '7')
		return false;

	for (size_t i = 0; i < WAK_TYPEID_SUFFIX_LENGTH; i++)
	{
		int value = digit_value(suffix[i]);

		if (value < 0)
			return false;
		pending = pending << 5 | (uint32_t) value;
		bits += 5;
		if (bits >= 8)
		{
			bits -= 8;
			bytes[filled++] = (uint8_t) (pending >> bits);
		}
	}

	memcpy(uuid, bytes, WAK_UUID_LENGTH);
	return true;
}

WakTypeidResult
wak_typeid_encode(const char *prefix, const uint8_t uuid[WAK_UUID_LENGTH],
				  char out[WAK_TYPEID_MAX + 1])
{
	size_t len = strlen(prefix);

	out[0] = '\0';
	if (!is_prefix(prefix, len))
		return WAK_TYPEID_BAD_PREFIX;

	if (len > 0)
	{
		memcpy(out, prefix, len);
		out[len++] = '_';
	}
	write_suffix(uuid, out + len);
	out[len + WAK_TYPEID_SUFFIX_LENGTH] = '\0';
	return WAK_TYPEID_OK;
}

WakTypeidResult
wak_typeid_decode(const char *text, size_t len, const char *expected_prefix,
				  uint8_t uuid[WAK_UUID_LENGTH])
{
	size_t prefix_len;

	if (len < WAK_TYPEID_SUFFIX_LENGTH)
		return WAK_TYPEID_BAD_SUFFIX;

	prefix_len = len - WAK_TYPEID_SUFFIX_LENGTH;
	if (prefix_len > 0)
	{
		/* An empty prefix must have no separator. */
		prefix_len--;
		if (prefix_len == 0)
			return WAK_TYPEID_BAD_PREFIX;
		if (text[prefix_len] != '_')
			return WAK_TYPEID_BAD_SUFFIX;
	}
	if (!is_prefix(text, prefix_len))
		return WAK_TYPEID_BAD_PREFIX;

	if (expected_prefix != NULL &&
		(strlen(expected_prefix) != prefix_len || memcmp(expected_prefix, text, prefix_len) != 0))
		return WAK_TYPEID_WRONG_PREFIX;

	if (!read_suffix(text + len - WAK_TYPEID_SUFFIX_LENGTH, uuid))
		return WAK_TYPEID_BAD_SUFFIX;
	return WAK_TYPEID_OK;
}
