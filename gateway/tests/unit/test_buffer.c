/*
 * test_buffer.c
 *		Buffers: they grow, they stop at their bound, and a failure stays.
 */
#include <string.h>

#include "lib/buffer.h"
#include "tests/unit/suite.h"

START_TEST(it_grows_as_it_is_filled)
{
	Buffer buffer;

	buffer_init(&buffer, 100000);
	ck_assert_ptr_null(buffer.data);
	for (int i = 0; i < 10000; i++)
		ck_assert(buffer_printf(&buffer, "%05d", i));
	ck_assert_uint_eq(buffer.len, 50000);
	ck_assert_int_eq(memcmp(buffer.data + 49995, "09999", 6), 0);
	buffer_free(&buffer);
}
END_TEST

START_TEST(it_takes_exactly_as_much_as_its_bound)
{
	Buffer buffer;

	buffer_init(&buffer, 5);
	ck_assert(buffer_append_text(&buffer, "12345"));
	ck_assert(buffer_append(&buffer, "", 0));
	ck_assert(!buffer_append_char(&buffer, '6'));
	ck_assert_str_eq(buffer.data, "12345");
	buffer_free(&buffer);
}
END_TEST

START_TEST(what_does_not_fit_is_left_out_as_a_whole_and_the_failure_stays)
{
	Buffer buffer;

	buffer_init(&buffer, 5);
	ck_assert(buffer_append_text(&buffer, "123"));
	ck_assert(!buffer_printf(&buffer, "%s", "456"));
	ck_assert_str_eq(buffer.data, "123");
	ck_assert(!buffer_append_char(&buffer, '4'));
	ck_assert(buffer.failed);
	buffer_clear(&buffer);
	ck_assert(buffer_append_text(&buffer, "45678"));
	ck_assert_str_eq(buffer.data, "45678");
	buffer_free(&buffer);
}
END_TEST

START_TEST(lengths_do_not_overflow)
{
	Buffer buffer;

	buffer_init(&buffer, (size_t) -1);
	ck_assert(buffer_append_text(&buffer, "1"));
	ck_assert(!buffer_reserve(&buffer, (size_t) -1));
	ck_assert_uint_eq(buffer.len, 1);
	buffer_free(&buffer);
}
END_TEST

START_TEST(it_is_usable_again_when_it_was_freed)
{
	Buffer buffer;

	buffer_init(&buffer, 10);
	buffer_append_text(&buffer, "old");
	buffer_free(&buffer);
	ck_assert_ptr_null(buffer.data);
	ck_assert_uint_eq(buffer.len, 0);
	ck_assert(buffer_append_text(&buffer, "0123456789"));
	ck_assert(!buffer_append_char(&buffer, 'x'));
	buffer_free(&buffer);
	buffer_free(&buffer);
}
END_TEST

SUITE("buffer", it_grows_as_it_is_filled, it_takes_exactly_as_much_as_its_bound,
	  what_does_not_fit_is_left_out_as_a_whole_and_the_failure_stays, lengths_do_not_overflow,
	  it_is_usable_again_when_it_was_freed)
