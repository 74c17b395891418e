/*
 * test_utf8.c
 *		UTF-8 as RFC 3629 has it, at the borders of each range.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"
#include "tests/unit/suite.h"

/* In a block of its exact length, so that the sanitizer sees a read beyond it. */
static bool
valid(const char *text, size_t len)
{
	char *block = malloc(len > 0 ? len : 1);
	bool result;

	memcpy(block, text, len);
	result = utf8_valid(block, len);
	free(block);
	return result;
}

START_TEST(valid_texts_are_valid_and_counted)
{
	static const struct
	{
		const char *text;
		size_t characters;
	} samples[] = {
		{"", 0},
		{"a", 1},
		{"\x7F", 1},
		{"\xC2\x80", 1},
		{"\xDF\xBF", 1},
		{"\xE0\xA0\x80", 1},
		{"\xED\x9F\xBF", 1},
		{"\xEE\x80\x80", 1},
		{"\xEF\xBF\xBF", 1},
		{"\xF0\x90\x80\x80", 1},
		{"\xF4\x8F\xBF\xBF", 1},
		{"a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z", 5},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		ck_assert(valid(samples[i].text, strlen(samples[i].text)));
		ck_assert_uint_eq(utf8_len(samples[i].text, strlen(samples[i].text)),
						  samples[i].characters);
	}
	ck_assert(valid("a\0b", 3));
}
END_TEST

START_TEST(a_copy_ends_with_a_whole_character)
{
	static const char text[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z";
	static const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
	char copy[sizeof(text) + 1];

	for (size_t max = 0; max < sizeof(whole) / sizeof(whole[0]); max++)
	{
		utf8_copy_start(copy, max, text);
		ck_assert_uint_eq(strlen(copy), whole[max]);
		ck_assert_int_eq(strncmp(copy, text, whole[max]), 0);
	}
	utf8_copy_start(copy, 8, "ab\x80z");
	ck_assert_str_eq(copy, "ab");
}
END_TEST

START_TEST(invalid_texts_are_invalid)
{
	static const char *const samples[] = {
		"\x80", /* a tail alone */
		"\xBF",
		"\xC0\x80", /* overlong NUL */
		"\xC1\xBF", /* overlong */
		"\xE0\x9F\xBF",
		"\xF0\x8F\xBF\xBF",
		"\xED\xA0\x80", /* surrogates */
		"\xED\xBF\xBF",
		"\xF4\x90\x80\x80", /* above U+10FFFF */
		"\xF5\x80\x80\x80",
		"\xFF",
		"\xC3(", /* a tail that is none */
		"\xE2\x82(",
		"\xF0\x9F\x98(",
		"\xC3\xC3",
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		ck_assert_msg(!valid(samples[i], strlen(samples[i])), "sample %zu", i);
}
END_TEST

START_TEST(a_character_that_is_cut_is_invalid)
{
	static const char *const samples[] = {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		for (size_t len = 1; len < strlen(samples[i]); len++)
			ck_assert(!valid(samples[i], len));
}
END_TEST

SUITE("utf8", valid_texts_are_valid_and_counted, a_copy_ends_with_a_whole_character,
	  invalid_texts_are_invalid, a_character_that_is_cut_is_invalid)
