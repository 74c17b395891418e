/*
 * test_http_range.c
 *		Which part of a representation a request asks for, and in which words it is answered.
 */
#include <string.h>

#include "http/range.h"
#include "tests/unit/suite.h"

#define ETAG "\"abc\""

static HttpField fields[3];

static void
set_field(HttpField *field, const char *name, const char *value)
{
	*field = (HttpField){{name, strlen(name)}, {value, strlen(value)}};
}

/* Asks for a range of 100 bytes; if_range may be NULL. */
static HttpRangeResult
ask(const char *range, const char *if_range, uint64_t *first, uint64_t *length)
{
	HttpRequest request = {.method = HTTP_METHOD_GET, .headers = fields, .n_headers = 1};

	set_field(&fields[0], "range", range);
	if (if_range != NULL)
		set_field(&fields[request.n_headers++], "if-range", if_range);
	return http_range(&request, ETAG, 100, first, length);
}

START_TEST(one_range_is_a_part)
{
	static const struct
	{
		const char *range;
		uint64_t first;
		uint64_t length;
	} parts[] = {
		{"bytes=0-0", 0, 1},
		{"bytes=0-99", 0, 100},
		{"bytes=10-19", 10, 10},
		{"bytes=99-", 99, 1},
		{"bytes=0-", 0, 100},
		{"bytes=90-1000", 90, 10},
		{"bytes=-1", 99, 1},
		{"bytes=-100", 0, 100},
		{"bytes=-1000", 0, 100},
		{"Bytes=5-6", 5, 2},
		{"bytes=5-18446744073709551615", 5, 95},
		{"bytes=5-99999999999999999999999", 5, 95},
	};
	uint64_t first;
	uint64_t length;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
	{
		ck_assert_msg(ask(parts[i].range, NULL, &first, &length) == HTTP_RANGE_PART, "%s",
					  parts[i].range);
		ck_assert_uint_eq(first, parts[i].first);
		ck_assert_uint_eq(length, parts[i].length);
	}
}
END_TEST

START_TEST(what_is_no_single_range_is_the_whole)
{
	static const char *const others[] = {
		"",          "bytes",      "bytes=",    "bytes=-",       "bytes=a-b",  "bytes=5",
		"bytes=5-4", "bytes=0-1,", "lines=0-1", "bytes=0-1,3-4", "bytes= 0-1", "bytes=0-1 ",
		"bytes=--1", "bytes=0--1", "bytes=+1-", "bytes=0x1-2",   "bytes:0-1",
	};
	uint64_t first;
	uint64_t length;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
	{
		ck_assert_msg(ask(others[i], NULL, &first, &length) == HTTP_RANGE_WHOLE, "%s", others[i]);
		ck_assert_uint_eq(first, 0);
		ck_assert_uint_eq(length, 100);
	}
}
END_TEST

START_TEST(a_part_behind_the_end_cannot_be_had)
{
	uint64_t first;
	uint64_t length;

	ck_assert_int_eq(ask("bytes=100-", NULL, &first, &length), HTTP_RANGE_NONE);
	ck_assert_int_eq(ask("bytes=100-200", NULL, &first, &length), HTTP_RANGE_NONE);
	ck_assert_int_eq(ask("bytes=99999999999999999999999-", NULL, &first, &length), HTTP_RANGE_NONE);
	ck_assert_int_eq(ask("bytes=-0", NULL, &first, &length), HTTP_RANGE_NONE);
}
END_TEST

START_TEST(a_part_of_another_version_is_the_whole_of_this_one)
{
	uint64_t first;
	uint64_t length;

	ck_assert_int_eq(ask("bytes=0-1", ETAG, &first, &length), HTTP_RANGE_PART);
	ck_assert_int_eq(ask("bytes=0-1", "\"abd\"", &first, &length), HTTP_RANGE_WHOLE);
	ck_assert_int_eq(ask("bytes=0-1", "W/" ETAG, &first, &length), HTTP_RANGE_WHOLE);
	ck_assert_int_eq(ask("bytes=0-1", "Sun, 29 Nov 2026 00:00:00 GMT", &first, &length),
					 HTTP_RANGE_WHOLE);
}
END_TEST

START_TEST(only_one_header_of_a_get_asks)
{
	HttpRequest request = {.method = HTTP_METHOD_HEAD, .headers = fields, .n_headers = 1};
	uint64_t first;
	uint64_t length;

	set_field(&fields[0], "range", "bytes=0-1");
	set_field(&fields[1], "range", "bytes=0-1");
	ck_assert_int_eq(http_range(&request, ETAG, 100, &first, &length), HTTP_RANGE_WHOLE);
	request.method = HTTP_METHOD_GET;
	ck_assert_int_eq(http_range(&request, ETAG, 100, &first, &length), HTTP_RANGE_PART);
	request.n_headers = 2;
	ck_assert_int_eq(http_range(&request, ETAG, 100, &first, &length), HTTP_RANGE_WHOLE);
}
END_TEST

START_TEST(the_answer_says_which_part_it_is)
{
	char text[HTTP_CONTENT_RANGE_MAX];

	http_content_range(text, 10, 5, 100);
	ck_assert_str_eq(text, "bytes 10-14/100");
	http_content_range(text, 0, 0, 100);
	ck_assert_str_eq(text, "bytes */100");
	http_content_range(text, UINT64_MAX - 1, 1, UINT64_MAX);
	ck_assert_str_eq(text, "bytes 18446744073709551614-18446744073709551614/18446744073709551615");
}
END_TEST

SUITE("http range", one_range_is_a_part, what_is_no_single_range_is_the_whole,
	  a_part_behind_the_end_cannot_be_had, a_part_of_another_version_is_the_whole_of_this_one,
	  only_one_header_of_a_get_asks, the_answer_says_which_part_it_is)
