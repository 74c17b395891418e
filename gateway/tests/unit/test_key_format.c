/*
 * test_key_format.c
 *		The written form of credentials.
 *
 * The samples were computed apart from this code, with another language's big
 * numbers and CRC-32.  Texts are handed over in heap blocks of their exact
 * length, so that the address sanitizer sees any read beyond it.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/key_format.h"
#include "tests/unit/suite.h"

#define OWN_KINDS 7

/* The bytes 0 to 31 as a credential of each kind. */
static const struct
{
	WakKind kind;
	const char *text;
	size_t shown;
} samples[OWN_KINDS] = {
	{WAK_TEST_KEY, "wa_test_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3pOkCs", 13},
	{WAK_API_KEY, "wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT", 8},
	{WAK_USER_TOKEN, "wau_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf0t082e", 9},
	{WAK_SIGN_IN, "was_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1SixjC", 9},
	{WAK_DEVICE, "wad_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf37DHLq", 9},
	{WAK_TICKET, "rt_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1IBrb4", 8},
	{WAK_INVITATION, "wai_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf4Vwuyc", 9},
};

/* Check a block of exactly "len" bytes. */
static WakResult
check(const char *text, size_t len, WakKind *kind)
{
	char *block = malloc(len > 0 ? len : 1);
	WakResult result;

	ck_assert_ptr_nonnull(block);
	memcpy(block, text, len);
	result = wak_check(block, len, kind);
	free(block);
	return result;
}

/* A "wa_" key of "len" characters, the last one as given. */
static WakResult
check_imported(size_t len, char last)
{
	char text[WAK_CREDENTIAL_MAX + 2];

	memset(text, 'x', sizeof(text));
	memcpy(text, "wa_", 3);
	text[len - 1] = last;
	return check(text, len, NULL);
}

START_TEST(known_credentials_are_made)
{
	uint8_t random[WAK_RANDOM_LENGTH];
	char out[WAK_CREDENTIAL_MAX + 1];

	for (int i = 0; i < WAK_RANDOM_LENGTH; i++)
		random[i] = (uint8_t) i;
	ck_assert_uint_eq(wak_make(samples[_i].kind, random, out), strlen(samples[_i].text));
	ck_assert_str_eq(out, samples[_i].text);
}
END_TEST

START_TEST(the_smallest_and_the_largest_body)
{
	uint8_t random[WAK_RANDOM_LENGTH];
	char out[WAK_CREDENTIAL_MAX + 1];

	memset(random, 0, sizeof(random));
	ck_assert_uint_eq(wak_make(WAK_API_KEY, random, out), WAK_API_KEY_LENGTH);
	ck_assert_str_eq(out, "wa_00000000000000000000000000000000000000000001LcLY9");
	ck_assert_int_eq(check(out, strlen(out), NULL), WAK_OK);

	memset(random, 0xFF, sizeof(random));
	ck_assert_uint_eq(wak_make(WAK_API_KEY, random, out), WAK_API_KEY_LENGTH);
	ck_assert_str_eq(out, "wa_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp148n2ev");
	ck_assert_int_eq(check(out, strlen(out), NULL), WAK_OK);
}
END_TEST

START_TEST(a_body_that_256_bits_cannot_hold_is_refused)
{
	/* 2^256 and 62^43 - 1, each with its right checksum */
	static const char *const bodies[] = {
		"wa_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp22FoKUV",
		"wa_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz0mfq6y",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		ck_assert_int_eq(check(bodies[i], strlen(bodies[i]), NULL), WAK_BAD_CHECKSUM);
}
END_TEST

START_TEST(known_credentials_are_recognized)
{
	WakKind kind = WAK_IMPORTED_KEY;

	ck_assert_int_eq(check(samples[_i].text, strlen(samples[_i].text), &kind), WAK_OK);
	ck_assert_int_eq(kind, samples[_i].kind);
	ck_assert_int_eq(check(samples[_i].text, strlen(samples[_i].text), NULL), WAK_OK);
}
END_TEST

/* Base62 digits sort as ASCII does, so the texts sort as the numbers do. */
START_TEST(made_credentials_pass_and_keep_the_order_of_their_bytes)
{
	uint64_t state = 88172645463325252u; /* xorshift, a fixed start */
	uint8_t last_random[WAK_RANDOM_LENGTH] = {0};
	char last[WAK_CREDENTIAL_MAX + 1] = "wa_00000000000000000000000000000000000000000001LcLY9";

	for (int n = 0; n < 20000; n++)
	{
		uint8_t random[WAK_RANDOM_LENGTH];
		char out[WAK_CREDENTIAL_MAX + 1];
		WakKind kind;

		for (int i = 0; i < WAK_RANDOM_LENGTH; i++)
		{
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			random[i] = (uint8_t) (state >> 32);
		}
		wak_make(WAK_API_KEY, random, out);
		ck_assert_int_eq(check(out, strlen(out), &kind), WAK_OK);
		ck_assert_int_eq(kind, WAK_API_KEY);
		ck_assert_int_eq(strncmp(last, out, 3 + WAK_BODY_LENGTH) < 0,
						 memcmp(last_random, random, sizeof(random)) < 0);
		memcpy(last_random, random, sizeof(random));
		memcpy(last, out, sizeof(last));
	}
}
END_TEST

START_TEST(an_imported_key_cannot_be_made)
{
	uint8_t random[WAK_RANDOM_LENGTH] = {0};
	char out[WAK_CREDENTIAL_MAX + 1] = "left over";

	ck_assert_uint_eq(wak_make(WAK_IMPORTED_KEY, random, out), 0);
	ck_assert_str_eq(out, "");
}
END_TEST

/*
 * What is left of an API key may have the shape of an imported key, which has
 * no checksum; every other kind is refused wherever it is cut.
 */
START_TEST(cut_off_at_every_byte)
{
	const char *text = samples[_i].text;

	for (size_t len = 0; len < strlen(text); len++)
	{
		WakKind kind = WAK_API_KEY;
		WakResult result = check(text, len, &kind);

		if (len < strcspn(text, "_") + 1)
			ck_assert_int_eq(result, WAK_UNKNOWN_PREFIX);
		else if (len == WAK_API_KEY_LENGTH && samples[_i].kind == WAK_TEST_KEY)
			ck_assert_int_eq(result, WAK_BAD_CHARACTER);
		else if (wak_is_key(samples[_i].kind) && len >= WAK_IMPORTED_MIN)
		{
			ck_assert_int_eq(result, WAK_OK);
			ck_assert_int_eq(kind, WAK_IMPORTED_KEY);
		}
		else
		{
			ck_assert_int_eq(result, WAK_BAD_LENGTH);
			ck_assert_int_eq(kind, WAK_API_KEY);
		}
	}
}
END_TEST

START_TEST(begun_at_every_byte_is_refused)
{
	const char *text = samples[_i].text;

	for (size_t start = 1; start < strlen(text); start++)
		ck_assert_int_eq(check(text + start, strlen(text) - start, NULL), WAK_UNKNOWN_PREFIX);
}
END_TEST

/*
 * Whether a changed text is still taken for a credential of ours.  In the
 * prefix a change can turn a token into the shape of an imported key (wau_
 * into wa__), which only the database can refuse.
 */
static bool
passes_as_own(const char *text, size_t len)
{
	WakKind kind;

	return check(text, len, &kind) == WAK_OK && kind != WAK_IMPORTED_KEY;
}

START_TEST(every_other_byte_at_every_place_is_refused)
{
	size_t len = strlen(samples[_i].text);
	char text[WAK_CREDENTIAL_MAX];

	for (size_t i = 0; i < len; i++)
	{
		for (int byte = 0; byte < 256; byte++)
		{
			memcpy(text, samples[_i].text, len);
			if ((unsigned char) text[i] == byte)
				continue;
			text[i] = (char) byte;
			ck_assert(!passes_as_own(text, len));
		}
	}
}
END_TEST

START_TEST(two_neighbours_swapped_are_refused)
{
	size_t len = strlen(samples[_i].text);
	char text[WAK_CREDENTIAL_MAX];

	for (size_t i = 0; i + 1 < len; i++)
	{
		memcpy(text, samples[_i].text, len);
		if (text[i] == text[i + 1])
			continue;
		text[i] = samples[_i].text[i + 1];
		text[i + 1] = samples[_i].text[i];
		ck_assert(!passes_as_own(text, len));
	}
}
END_TEST

START_TEST(anything_around_a_credential_is_refused)
{
	char text[WAK_CREDENTIAL_MAX];
	size_t len = strlen(samples[_i].text);

	/* one more byte in front, or a white space or NUL behind */
	memcpy(text + 1, samples[_i].text, len);
	text[0] = ' ';
	ck_assert_int_eq(check(text, len + 1, NULL), WAK_UNKNOWN_PREFIX);
	for (const char *byte = " \t\r\n"; *byte != '\0'; byte++)
	{
		memcpy(text, samples[_i].text, len);
		text[len] = *byte;
		ck_assert_int_ne(check(text, len + 1, NULL), WAK_OK);
	}
	text[len] = '\0';
	ck_assert_int_ne(check(text, len + 1, NULL), WAK_OK);
}
END_TEST

START_TEST(the_reasons_are_told_apart)
{
	static const char key[] = "wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT";
	char text[sizeof(key)];

	ck_assert_int_eq(check("", 0, NULL), WAK_UNKNOWN_PREFIX);
	ck_assert_int_eq(check("sk_0123456789012345678901234567890123456789", 43, NULL),
					 WAK_UNKNOWN_PREFIX);
	ck_assert_int_eq(check("WA_0123456789012345678901234567890123456789", 43, NULL),
					 WAK_UNKNOWN_PREFIX);
	ck_assert_int_eq(check("wa_", 3, NULL), WAK_BAD_LENGTH);
	ck_assert_int_eq(check("rt_0123456789", 13, NULL), WAK_BAD_LENGTH);

	memcpy(text, key, sizeof(text));
	text[20] = '-'; /* a character of imported keys, but not at this length */
	ck_assert_int_eq(check(text, strlen(key), NULL), WAK_BAD_CHARACTER);
	text[20] = '\0';
	ck_assert_int_eq(check(text, strlen(key), NULL), WAK_BAD_CHARACTER);
	text[20] = '0';
	ck_assert_int_eq(check(text, strlen(key), NULL), WAK_BAD_CHECKSUM);
}
END_TEST

START_TEST(imported_keys_have_20_to_128_characters_but_not_52)
{
	for (size_t len = 4; len <= WAK_CREDENTIAL_MAX + 1; len++)
	{
		WakResult expected = len < 20 || len > 128 ? WAK_BAD_LENGTH : WAK_OK;

		if (len == WAK_API_KEY_LENGTH)
			expected = WAK_BAD_CHECKSUM;
		ck_assert_int_eq(check_imported(len, 'y'), expected);
	}
}
END_TEST

/* A key of another system can begin like a test key, but not with the same length. */
START_TEST(imported_keys_can_begin_like_test_keys)
{
	char text[WAK_CREDENTIAL_MAX + 1];
	WakKind kind;

	memset(text, 'x', sizeof(text));
	memcpy(text, "wa_test_", 8);
	for (size_t len = 8; len <= WAK_CREDENTIAL_MAX; len++)
	{
		WakResult expected = len < WAK_IMPORTED_MIN ? WAK_BAD_LENGTH : WAK_OK;

		if (len == WAK_API_KEY_LENGTH)
			expected = WAK_BAD_CHARACTER;
		if (len == WAK_TEST_KEY_LENGTH)
			expected = WAK_BAD_CHECKSUM;
		kind = WAK_IMPORTED_KEY;
		ck_assert_int_eq(check(text, len, &kind), expected);
		ck_assert_int_eq(kind, WAK_IMPORTED_KEY);
	}
	text[30] = '-';
	ck_assert_int_eq(check(text, WAK_TEST_KEY_LENGTH, NULL), WAK_BAD_CHARACTER);
}
END_TEST

START_TEST(keys_are_told_from_other_credentials)
{
	for (WakKind kind = WAK_TEST_KEY; kind <= WAK_IMPORTED_KEY; kind++)
		ck_assert_int_eq(wak_is_key(kind), strncmp(wak_kind_prefix(kind), "wa_", 3) == 0);
}
END_TEST

START_TEST(imported_keys_have_letters_digits_hyphens_and_underscores)
{
	static const char allowed[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

	for (int byte = 0; byte < 256; byte++)
	{
		bool is_allowed = memchr(allowed, byte, strlen(allowed)) != NULL;

		ck_assert_int_eq(check_imported(64, (char) byte), is_allowed ? WAK_OK : WAK_BAD_CHARACTER);
	}
}
END_TEST

START_TEST(what_may_be_shown_is_the_prefix_and_five_more)
{
	ck_assert_uint_eq(wak_shown_length(samples[_i].kind), samples[_i].shown);
	ck_assert_uint_le(samples[_i].shown, WAK_SHOWN_MAX);
	ck_assert_uint_eq(strlen(wak_kind_prefix(samples[_i].kind)) + WAK_SHOWN_DIGITS,
					  samples[_i].shown);
	ck_assert_int_eq(strncmp(samples[_i].text, wak_kind_prefix(samples[_i].kind),
							 strlen(wak_kind_prefix(samples[_i].kind))),
					 0);
}
END_TEST

START_TEST(imported_keys_show_as_much_as_api_keys)
{
	ck_assert_uint_eq(wak_shown_length(WAK_IMPORTED_KEY), wak_shown_length(WAK_API_KEY));
	ck_assert_str_eq(wak_kind_prefix(WAK_IMPORTED_KEY), "wa_");
}
END_TEST

START_TEST(every_result_has_a_sentence_of_its_own)
{
	for (WakResult result = WAK_OK; result <= WAK_BAD_CHECKSUM; result++)
	{
		const char *text = wak_result_text(result);

		ck_assert_uint_gt(strlen(text), 0);
		ck_assert_int_eq(text[strlen(text) - 1], '.');
		for (WakResult other = WAK_OK; other < result; other++)
			ck_assert_str_ne(text, wak_result_text(other));
	}
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_loop_test(cases, known_credentials_are_made, 0, OWN_KINDS);
	tcase_add_test(cases, the_smallest_and_the_largest_body);
	tcase_add_test(cases, a_body_that_256_bits_cannot_hold_is_refused);
	tcase_add_loop_test(cases, known_credentials_are_recognized, 0, OWN_KINDS);
	tcase_add_test(cases, made_credentials_pass_and_keep_the_order_of_their_bytes);
	tcase_add_test(cases, an_imported_key_cannot_be_made);
	tcase_add_loop_test(cases, cut_off_at_every_byte, 0, OWN_KINDS);
	tcase_add_loop_test(cases, begun_at_every_byte_is_refused, 0, OWN_KINDS);
	tcase_add_loop_test(cases, every_other_byte_at_every_place_is_refused, 0, OWN_KINDS);
	tcase_add_loop_test(cases, two_neighbours_swapped_are_refused, 0, OWN_KINDS);
	tcase_add_loop_test(cases, anything_around_a_credential_is_refused, 0, OWN_KINDS);
	tcase_add_test(cases, the_reasons_are_told_apart);
	tcase_add_test(cases, imported_keys_have_20_to_128_characters_but_not_52);
	tcase_add_test(cases, imported_keys_can_begin_like_test_keys);
	tcase_add_test(cases, keys_are_told_from_other_credentials);
	tcase_add_test(cases, imported_keys_have_letters_digits_hyphens_and_underscores);
	tcase_add_loop_test(cases, what_may_be_shown_is_the_prefix_and_five_more, 0, OWN_KINDS);
	tcase_add_test(cases, imported_keys_show_as_much_as_api_keys);
	tcase_add_test(cases, every_result_has_a_sentence_of_its_own);
}

SUITE_WITH("key_format", add_tests)
