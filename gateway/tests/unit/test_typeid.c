/*
 * test_typeid.c
 *		Public identifiers, against the examples that version 0.3 of the TypeID
 *		specification publishes, and split at every byte.
 *
 * Texts are handed over in heap blocks of their exact length, so that the
 * address sanitizer sees any read beyond it.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/typeid.h"
#include "tests/unit/suite.h"

#define SAMPLE "prefix_01h455vb4pex5vsknk084sn02q"

/* The specification's examples of what is valid. */
static const struct
{
	const char *name;
	const char *typeid;
	const char *prefix;
	const char *uuid;
} valid[] = {
	{"nil", "00000000000000000000000000", "", "00000000000000000000000000000000"},
	{"one", "00000000000000000000000001", "", "00000000000000000000000000000001"},
	{"ten", "0000000000000000000000000a", "", "0000000000000000000000000000000a"},
	{"sixteen", "0000000000000000000000000g", "", "00000000000000000000000000000010"},
	{"thirty-two", "00000000000000000000000010", "", "00000000000000000000000000000020"},
	{"max-valid", "7zzzzzzzzzzzzzzzzzzzzzzzzz", "", "ffffffffffffffffffffffffffffffff"},
	{"valid-alphabet", "prefix_0123456789abcdefghjkmnpqrs", "prefix",
	 "0110c8531d0952d8d73e1194e95b5f19"},
	{"valid-uuidv7", SAMPLE, "prefix", "01890a5dac96774bbcceb302099a8057"},
	{"prefix-underscore", "pre_fix_00000000000000000000000000", "pre_fix",
	 "00000000000000000000000000000000"},
};

/* Its examples of what is not, with the result that we give. */
static const struct
{
	const char *name;
	const char *typeid;
	WakTypeidResult result;
} invalid[] = {
	{"prefix-uppercase", "PREFIX_00000000000000000000000000", WAK_TYPEID_BAD_PREFIX},
	{"prefix-numeric", "12345_00000000000000000000000000", WAK_TYPEID_BAD_PREFIX},
	{"prefix-period", "pre.fix_00000000000000000000000000", WAK_TYPEID_BAD_PREFIX},
	{"prefix-non-ascii",
	 "pr\xc3\xa9"
	 "fix_00000000000000000000000000",
	 WAK_TYPEID_BAD_PREFIX},
	{"prefix-spaces", "  prefix_00000000000000000000000000", WAK_TYPEID_BAD_PREFIX},
	{"prefix-64-chars",
	 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl_"
	 "00000000000000000000000000",
	 WAK_TYPEID_BAD_PREFIX},
	{"separator-empty-prefix", "_00000000000000000000000000", WAK_TYPEID_BAD_PREFIX},
	{"separator-empty", "_", WAK_TYPEID_BAD_SUFFIX},
	{"suffix-short", "prefix_1234567890123456789012345", WAK_TYPEID_BAD_SUFFIX},
	{"suffix-long", "prefix_123456789012345678901234567", WAK_TYPEID_BAD_SUFFIX},
	{"suffix-spaces", "prefix_1234567890123456789012345 ", WAK_TYPEID_BAD_SUFFIX},
	{"suffix-uppercase", "prefix_0123456789ABCDEFGHJKMNPQRS", WAK_TYPEID_BAD_SUFFIX},
	{"suffix-hyphens", "prefix_123456789-123456789-123456", WAK_TYPEID_BAD_SUFFIX},
	{"suffix-wrong-alphabet", "prefix_ooooooiiiiiiuuuuuuulllllll", WAK_TYPEID_BAD_SUFFIX},
	{"suffix-ambiguous-crockford", "prefix_i23456789ol23456789oi23456", WAK_TYPEID_BAD_SUFFIX},
	{"suffix-hyphens-crockford", "prefix_123456789-0123456789-0123456", WAK_TYPEID_BAD_SUFFIX},
	{"suffix-overflow", "prefix_8zzzzzzzzzzzzzzzzzzzzzzzzz", WAK_TYPEID_BAD_SUFFIX},
	{"prefix-underscore-start", "_prefix_00000000000000000000000000", WAK_TYPEID_BAD_PREFIX},
	{"prefix-underscore-end", "prefix__00000000000000000000000000", WAK_TYPEID_BAD_PREFIX},
};

static void
read_uuid(const char *hex, uint8_t uuid[WAK_UUID_LENGTH])
{
	for (size_t i = 0; i < WAK_UUID_LENGTH; i++)
	{
		char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		uuid[i] = (uint8_t) strtoul(byte, NULL, 16);
	}
}

/* Decode from a block of exactly "len" bytes. */
static WakTypeidResult
decode(const char *text, size_t len, const char *expected, uint8_t uuid[WAK_UUID_LENGTH])
{
	char *block = malloc(len > 0 ? len : 1);
	WakTypeidResult result;

	ck_assert_ptr_nonnull(block);
	memcpy(block, text, len);
	result = wak_typeid_decode(block, len, expected, uuid);
	free(block);
	return result;
}

START_TEST(valid_examples_decode_and_encode)
{
	uint8_t expected[WAK_UUID_LENGTH];
	uint8_t uuid[WAK_UUID_LENGTH];
	char out[WAK_TYPEID_MAX + 1];
	const char *text = valid[_i].typeid;

	read_uuid(valid[_i].uuid, expected);
	ck_assert_int_eq(decode(text, strlen(text), NULL, uuid), WAK_TYPEID_OK);
	ck_assert_mem_eq(uuid, expected, WAK_UUID_LENGTH);
	ck_assert_int_eq(decode(text, strlen(text), valid[_i].prefix, uuid), WAK_TYPEID_OK);
	ck_assert_int_eq(decode(text, strlen(text), "other", uuid), WAK_TYPEID_WRONG_PREFIX);

	ck_assert_int_eq(wak_typeid_encode(valid[_i].prefix, expected, out), WAK_TYPEID_OK);
	ck_assert_str_eq(out, text);
}
END_TEST

START_TEST(invalid_examples_are_refused)
{
	uint8_t untouched[WAK_UUID_LENGTH];
	uint8_t uuid[WAK_UUID_LENGTH];
	const char *text = invalid[_i].typeid;

	memset(untouched, 0xEE, sizeof(untouched));
	memcpy(uuid, untouched, sizeof(uuid));
	ck_assert_msg(decode(text, strlen(text), NULL, uuid) == invalid[_i].result, "%s",
				  invalid[_i].name);
	ck_assert_int_ne(decode(text, strlen(text), "prefix", uuid), WAK_TYPEID_OK);
	ck_assert_mem_eq(uuid, untouched, sizeof(uuid));
}
END_TEST

START_TEST(cut_off_at_every_byte_is_refused)
{
	uint8_t uuid[WAK_UUID_LENGTH];

	for (size_t len = 0; len < strlen(SAMPLE); len++)
	{
		ck_assert_int_ne(decode(SAMPLE, len, NULL, uuid), WAK_TYPEID_OK);
		ck_assert_int_ne(decode(SAMPLE, len, "prefix", uuid), WAK_TYPEID_OK);
	}
}
END_TEST

START_TEST(begun_at_every_byte_is_another_prefix_or_refused)
{
	uint8_t uuid[WAK_UUID_LENGTH];

	for (size_t start = 1; start < strlen(SAMPLE); start++)
	{
		const char *text = &SAMPLE[start];
		bool valid_elsewhere = start != 6 && start <= 7; /* not at the separator */

		ck_assert_int_eq(decode(text, strlen(text), NULL, uuid) == WAK_TYPEID_OK, valid_elsewhere);
		ck_assert_int_ne(decode(text, strlen(text), "prefix", uuid), WAK_TYPEID_OK);
	}
}
END_TEST

/* No other text may decode to the same UUID: one identifier, one spelling. */
START_TEST(every_other_byte_at_every_place_is_refused_or_means_another_uuid)
{
	uint8_t original[WAK_UUID_LENGTH];
	uint8_t uuid[WAK_UUID_LENGTH];
	char text[sizeof(SAMPLE)];

	ck_assert_int_eq(decode(SAMPLE, strlen(SAMPLE), "prefix", original), WAK_TYPEID_OK);
	for (size_t i = 0; i < strlen(SAMPLE); i++)
	{
		for (int byte = 0; byte < 256; byte++)
		{
			memcpy(text, SAMPLE, sizeof(text));
			if ((unsigned char) text[i] == byte)
				continue;
			text[i] = (char) byte;
			if (decode(text, strlen(SAMPLE), "prefix", uuid) == WAK_TYPEID_OK)
			{
				ck_assert_uint_ge(i, strlen("prefix_"));
				ck_assert_mem_ne(uuid, original, WAK_UUID_LENGTH);
			}
		}
	}
}
END_TEST

START_TEST(every_bit_goes_there_and_back)
{
	for (int bit = 0; bit < 8 * WAK_UUID_LENGTH; bit++)
	{
		uint8_t uuid[WAK_UUID_LENGTH] = {0};
		uint8_t back[WAK_UUID_LENGTH];
		char out[WAK_TYPEID_MAX + 1];

		uuid[bit / 8] = (uint8_t) (1u << bit % 8);
		ck_assert_int_eq(wak_typeid_encode("msg", uuid, out), WAK_TYPEID_OK);
		ck_assert_uint_eq(strlen(out), strlen("msg_") + WAK_TYPEID_SUFFIX_LENGTH);
		ck_assert_int_eq(decode(out, strlen(out), "msg", back), WAK_TYPEID_OK);
		ck_assert_mem_eq(uuid, back, WAK_UUID_LENGTH);
	}
}
END_TEST

START_TEST(random_ids_go_there_and_back)
{
	uint64_t state = 88172645463325252u; /* xorshift; a fixed start for the same ids every time */

	for (int n = 0; n < 10000; n++)
	{
		uint8_t uuid[WAK_UUID_LENGTH];
		uint8_t back[WAK_UUID_LENGTH];
		char out[WAK_TYPEID_MAX + 1];

		for (int i = 0; i < WAK_UUID_LENGTH; i++)
		{
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			uuid[i] = (uint8_t) (state >> 32);
		}
		ck_assert_int_eq(wak_typeid_encode("sess", uuid, out), WAK_TYPEID_OK);
		ck_assert_int_eq(decode(out, strlen(out), "sess", back), WAK_TYPEID_OK);
		ck_assert_mem_eq(uuid, back, WAK_UUID_LENGTH);
	}
}
END_TEST

START_TEST(the_longest_prefix_fits_and_no_longer_one)
{
	uint8_t uuid[WAK_UUID_LENGTH] = {0};
	char prefix[WAK_TYPEID_PREFIX_MAX + 2];
	char out[WAK_TYPEID_MAX + 1];

	memset(prefix, 'a', sizeof(prefix));
	prefix[WAK_TYPEID_PREFIX_MAX] = '\0';
	ck_assert_int_eq(wak_typeid_encode(prefix, uuid, out), WAK_TYPEID_OK);
	ck_assert_uint_eq(strlen(out), WAK_TYPEID_MAX);
	ck_assert_int_eq(decode(out, strlen(out), prefix, uuid), WAK_TYPEID_OK);

	prefix[WAK_TYPEID_PREFIX_MAX] = 'a';
	prefix[WAK_TYPEID_PREFIX_MAX + 1] = '\0';
	ck_assert_int_eq(wak_typeid_encode(prefix, uuid, out), WAK_TYPEID_BAD_PREFIX);
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(bad_prefixes_are_not_encoded)
{
	static const char *const bad[] = {"_",   "_a", "a_",  "A",  "a1",       "a-b",
									  "a.b", " a", "a b", "a ", "\xc3\xa9", "a\n"};
	uint8_t uuid[WAK_UUID_LENGTH] = {0};
	char out[WAK_TYPEID_MAX + 1];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		strcpy(out, "left over");
		ck_assert_int_eq(wak_typeid_encode(bad[i], uuid, out), WAK_TYPEID_BAD_PREFIX);
		ck_assert_str_eq(out, "");
	}
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_loop_test(cases, valid_examples_decode_and_encode, 0,
						(int) (sizeof(valid) / sizeof(valid[0])));
	tcase_add_loop_test(cases, invalid_examples_are_refused, 0,
						(int) (sizeof(invalid) / sizeof(invalid[0])));
	tcase_add_test(cases, cut_off_at_every_byte_is_refused);
	tcase_add_test(cases, begun_at_every_byte_is_another_prefix_or_refused);
	tcase_add_test(cases, every_other_byte_at_every_place_is_refused_or_means_another_uuid);
	tcase_add_test(cases, every_bit_goes_there_and_back);
	tcase_add_test(cases, random_ids_go_there_and_back);
	tcase_add_test(cases, the_longest_prefix_fits_and_no_longer_one);
	tcase_add_test(cases, bad_prefixes_are_not_encoded);
}

SUITE_WITH("typeid", add_tests)
