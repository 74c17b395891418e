/*
 * test_json_write.c
 *		JSON out: commas, escapes, bounds.
 */
#include <stdint.h>
#include <string.h>

#include "lib/json_write.h"
#include "tests/unit/suite.h"

static Buffer out;
static JsonWriter writer;

static void
begin(size_t max)
{
	buffer_free(&out);
	buffer_init(&out, max);
	json_write_init(&writer, &out);
}

START_TEST(containers_have_commas_in_the_right_places)
{
	begin(1000);
	json_write_object_begin(&writer);
	json_write_name(&writer, "a");
	json_write_array_begin(&writer);
	json_write_array_begin(&writer);
	json_write_array_end(&writer);
	json_write_object_begin(&writer);
	json_write_object_end(&writer);
	json_write_int64(&writer, 1);
	json_write_bool(&writer, true);
	json_write_bool(&writer, false);
	json_write_null(&writer);
	json_write_raw(&writer, "{\"x\": 1}", 8);
	json_write_array_end(&writer);
	json_write_name(&writer, "b");
	json_write_text(&writer, "c");
	ck_assert(!json_write_done(&writer));
	json_write_object_end(&writer);
	ck_assert(json_write_done(&writer));
	ck_assert_str_eq(out.data, "{\"a\":[[],{},1,true,false,null,{\"x\": 1}],\"b\":\"c\"}");
}
END_TEST

START_TEST(strings_are_escaped)
{
	static const char text[] = "q\" b\\ n\n r\r t\t \0 \x1f \x7f / \xC3\xA4 \xF0\x9F\x98\x80";

	begin(1000);
	json_write_string(&writer, text, sizeof(text) - 1);
	ck_assert_str_eq(out.data, "\"q\\\" b\\\\ n\\n r\\r t\\t \\u0000 \\u001f \\u007f / "
							   "\xC3\xA4 \xF0\x9F\x98\x80\"");
}
END_TEST

/* Strings are examined eight bytes at a time. */
START_TEST(a_byte_is_escaped_wherever_it_stands)
{
	char text[41];
	char expected[44];

	for (size_t len = 1; len < sizeof(text); len++)
	{
		for (size_t at = 0; at < len; at++)
		{
			memset(text, 'a', len);
			text[at] = '"';
			memset(expected, 'a', sizeof(expected));
			memcpy(expected + 1 + at, "\\\"", 2);
			expected[0] = expected[len + 2] = '"';
			begin(1000);
			json_write_string(&writer, text, len);
			ck_assert_uint_eq(out.len, len + 3);
			ck_assert_mem_eq(out.data, expected, len + 3);
		}
	}
}
END_TEST

START_TEST(bytes_that_are_not_utf8_are_replaced)
{
	begin(1000);
	json_write_text(&writer, "a\xFF"
							 "b\xC3");
	ck_assert_str_eq(out.data, "\"a\xEF\xBF\xBD"
							   "b\xEF\xBF\xBD\"");
}
END_TEST

START_TEST(numbers_are_exact_at_their_ends)
{
	begin(1000);
	json_write_array_begin(&writer);
	json_write_int64(&writer, 0);
	json_write_int64(&writer, INT64_MAX);
	json_write_int64(&writer, INT64_MIN);
	json_write_array_end(&writer);
	ck_assert_str_eq(out.data, "[0,9223372036854775807,-9223372036854775808]");
}
END_TEST

START_TEST(what_does_not_fit_is_told_at_the_end)
{
	for (size_t max = 0; max < 9; max++)
	{
		begin(max);
		json_write_object_begin(&writer);
		json_write_name(&writer, "a");
		json_write_text(&writer, "b");
		json_write_object_end(&writer);
		ck_assert(!json_write_done(&writer));
	}
	begin(9);
	json_write_object_begin(&writer);
	json_write_name(&writer, "a");
	json_write_text(&writer, "b");
	json_write_object_end(&writer);
	ck_assert(json_write_done(&writer));
}
END_TEST

START_TEST(misuse_is_a_failure)
{
	begin(1000);
	json_write_object_end(&writer);
	ck_assert(!json_write_done(&writer));

	begin(1000);
	for (int i = 0; i <= JSON_WRITE_DEPTH_MAX; i++)
		json_write_array_begin(&writer);
	ck_assert(out.failed);

	begin(1000);
	json_write_object_begin(&writer);
	json_write_name(&writer, "a");
	json_write_object_end(&writer);
	ck_assert(!json_write_done(&writer));
}
END_TEST

START_TEST(it_goes_as_deep_as_it_says)
{
	begin(1000);
	for (int i = 0; i < JSON_WRITE_DEPTH_MAX; i++)
		json_write_array_begin(&writer);
	json_write_int64(&writer, 1);
	json_write_int64(&writer, 2);
	for (int i = 0; i < JSON_WRITE_DEPTH_MAX; i++)
		json_write_array_end(&writer);
	ck_assert(json_write_done(&writer));
	ck_assert_ptr_nonnull(strstr(out.data, "[1,2]"));
}
END_TEST

SUITE("json_write", containers_have_commas_in_the_right_places, strings_are_escaped,
	  a_byte_is_escaped_wherever_it_stands, bytes_that_are_not_utf8_are_replaced,
	  numbers_are_exact_at_their_ends, what_does_not_fit_is_told_at_the_end, misuse_is_a_failure,
	  it_goes_as_deep_as_it_says)
