/*-------------------------------------------------------------------------
 *
 * key_format.c
 *		Making and checking the written form of credentials.
 *
 * The body is one number of 256 bits in base 62.  It is kept as eight 32-bit
 * limbs, most significant first.  Five digits are processed at a time, because
 * 62^5 is the largest power of 62 below 2^32: a limb and a carry then fit into
 * 64 bits, and a whole body takes nine passes over the limbs.
 *
 * 62^43 is a little more than 2^256, so a few bodies are too large for 256
 * bits.  They are refused: a credential has exactly one written form.
 *
 * Limbs and digits are secret.  They are wiped before a function returns.
 *
 *-------------------------------------------------------------------------
 */
#include "src/common/key_format.h"

#include <string.h>

#include "src/common/memory.h"

#define LIMBS 8
#define GROUP_DIGITS 5
#define GROUP_BASE 916132832u /* 62^5 */

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Indexed by WakKind. */
static const char *const prefixes[] = {"wa_test_", "wa_", "wau_", "was_",
									   "wad_",     "rt_", "wai_", "wa_"};

/*
 * CRC-32 as in IEEE 802.3 (reflected, polynomial 0x04C11DB7).  The usual table of 256 entries
 * is linear: the entry of a byte is the sum of the entries of its two halves.  So 32 constants
 * are enough, and a byte still takes one step.
 */
static uint32_t
crc32(const char *text, size_t len)
{
	static const uint32_t low[16] = {
		0x00000000, 0x77073096, 0xEE0E612C, 0x990951BA, 0x076DC419, 0x706AF48F,
		0xE963A535, 0x9E6495A3, 0x0EDB8832, 0x79DCB8A4, 0xE0D5E91E, 0x97D2D988,
		0x09B64C2B, 0x7EB17CBD, 0xE7B82D07, 0x90BF1D91,
	};
	static const uint32_t high[16] = {
		0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
		0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
		0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
	};
	uint32_t crc = 0xFFFFFFFF;

	for (size_t i = 0; i < len; i++)
	{
		crc ^= (unsigned char) text[i];
		crc = crc >> 8 ^ low[crc & 15] ^ high[crc >> 4 & 15];
	}
	return ~crc;
}

/* Writes "value" as "len" base62 digits, padded with 0 on the left. */
static void
write_number(uint64_t value, char *out, size_t len)
{
	while (len-- > 0)
	{
		out[len] = digits[value % 62];
		value /= 62;
	}
}

static void
write_checksum(const char *text, size_t len, char out[WAK_CHECKSUM_LENGTH])
{
	write_number(crc32(text, len), out, WAK_CHECKSUM_LENGTH);
}

/* Divides the limbs by 62^5 in place and returns the remainder. */
static uint32_t
divide_by_group(uint32_t limbs[LIMBS])
{
	uint64_t remainder = 0;

	for (size_t i = 0; i < LIMBS; i++)
	{
		uint64_t part = remainder << 32 | limbs[i];

		limbs[i] = (uint32_t) (part / GROUP_BASE);
		remainder = part % GROUP_BASE;
	}
	return (uint32_t) remainder;
}

static void
write_body(const uint8_t random[WAK_RANDOM_LENGTH], char out[WAK_BODY_LENGTH])
{
	uint32_t limbs[LIMBS];
	size_t left = WAK_BODY_LENGTH;

	for (size_t i = 0; i < LIMBS; i++)
		limbs[i] = (uint32_t) random[4 * i] << 24 | (uint32_t) random[4 * i + 1] << 16 |
				   (uint32_t) random[4 * i + 2] << 8 | random[4 * i + 3];

	while (left > 0)
	{
		size_t group = left < GROUP_DIGITS ? left : GROUP_DIGITS;

		left -= group;
		write_number(divide_by_group(limbs), out + left, group);
	}
	wak_wipe(limbs, sizeof(limbs));
}

/*
 * Whether 43 base62 digits are a number of at most 256 bits.  The digits have the same order as
 * their characters, so numbers of the same length compare like texts.
 */
static bool
body_fits(const char body[WAK_BODY_LENGTH])
{
	static const char largest[] = "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1"; /* 2^256 - 1 */

	return memcmp(body, largest, WAK_BODY_LENGTH) <= 0;
}

/* Whether "text" has only base62 digits; "more" allows - and _ as well. */
static bool
has_alphabet(const char *text, size_t len, bool more)
{
	/* 1: a base62 digit. 2: a character that only imported keys have. */
	static const uint8_t classes[256] = {
		['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1,
		['8'] = 1, ['9'] = 1, ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1,
		['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1, ['K'] = 1, ['L'] = 1, ['M'] = 1, ['N'] = 1,
		['O'] = 1, ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1, ['U'] = 1, ['V'] = 1,
		['W'] = 1, ['X'] = 1, ['Y'] = 1, ['Z'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1,
		['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1, ['l'] = 1,
		['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1,
		['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1, ['-'] = 2, ['_'] = 2,
	};
	uint8_t allowed = more ? 3 : 1;

	for (size_t i = 0; i < len; i++)
		if ((classes[(unsigned char) text[i]] & allowed) == 0)
			return false;
	return true;
}

/* Checks a credential with this prefix, which must have a body and a checksum. */
static WakResult
check_own(const char *text, size_t len, size_t prefix_len)
{
	const char *body = text + prefix_len;
	char checksum[WAK_CHECKSUM_LENGTH];

	if (len != prefix_len + WAK_BODY_LENGTH + WAK_CHECKSUM_LENGTH)
		return WAK_BAD_LENGTH;
	if (!has_alphabet(body, len - prefix_len, false))
		return WAK_BAD_CHARACTER;

	write_checksum(text, prefix_len + WAK_BODY_LENGTH, checksum);
	if (memcmp(checksum, body + WAK_BODY_LENGTH, WAK_CHECKSUM_LENGTH) != 0 || !body_fits(body))
		return WAK_BAD_CHECKSUM;
	return WAK_OK;
}

/* Checks a key that another system issued.  "text" begins with wa_. */
static WakResult
check_imported(const char *text, size_t len)
{
	if (len < WAK_IMPORTED_MIN || len > WAK_IMPORTED_MAX)
		return WAK_BAD_LENGTH;
	if (!has_alphabet(text, len, true))
		return WAK_BAD_CHARACTER;
	return WAK_OK;
}

size_t
wak_make(WakKind kind, const uint8_t random[WAK_RANDOM_LENGTH], char out[WAK_CREDENTIAL_MAX + 1])
{
	size_t len;

	out[0] = '\0';
	if (kind == WAK_IMPORTED_KEY)
		return 0;

	len = strlen(prefixes[kind]);
	memcpy(out, prefixes[kind], len);
	write_body(random, out + len);
	len += WAK_BODY_LENGTH;
	write_checksum(out, len, out + len);
	len += WAK_CHECKSUM_LENGTH;
	out[len] = '\0';
	return len;
}

WakResult
wak_check(const char *text, size_t len, WakKind *kind)
{
	for (WakKind candidate = WAK_TEST_KEY; candidate < WAK_IMPORTED_KEY; candidate++)
	{
		size_t prefix_len = strlen(prefixes[candidate]);
		WakKind found = candidate;
		WakResult result;

		if (len < prefix_len || memcmp(text, prefixes[candidate], prefix_len) != 0)
			continue;
		/* A key of another system can begin like that, too. */
		if (candidate == WAK_TEST_KEY && len != WAK_TEST_KEY_LENGTH)
			continue;

		if (candidate == WAK_API_KEY && len != WAK_API_KEY_LENGTH)
		{
			found = WAK_IMPORTED_KEY;
			result = check_imported(text, len);
		}
		else
			result = check_own(text, len, prefix_len);

		if (result == WAK_OK && kind != NULL)
			*kind = found;
		return result;
	}
	return WAK_UNKNOWN_PREFIX;
}

const char *
wak_result_text(WakResult result)
{
	switch (result)
	{
		case WAK_OK:
			return "The credential is well formed.";
		case WAK_UNKNOWN_PREFIX:
			return "The credential does not begin with a known prefix.";
		case WAK_BAD_LENGTH:
			return "The credential has the wrong length.";
		case WAK_BAD_CHARACTER:
			return "The credential contains a character that is not allowed.";
		case WAK_BAD_CHECKSUM:
			return "The credential's checksum does not match.";
	}
	return "The credential is not well formed.";
}

bool
wak_is_key(WakKind kind)
{
	return kind == WAK_TEST_KEY || kind == WAK_API_KEY || kind == WAK_IMPORTED_KEY;
}

const char *
wak_kind_prefix(WakKind kind)
{
	return prefixes[kind];
}

size_t
wak_shown_length(WakKind kind)
{
	return strlen(prefixes[kind]) + WAK_SHOWN_DIGITS;
}
