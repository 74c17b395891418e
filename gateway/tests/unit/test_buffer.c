/*
 * test_buffer.c
 *		Buffers: they grow, they stop at their bound, and a failure stays.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buffer.h"

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

START_TEST(its_bytes_move_to_another)
{
	Buffer from;
	Buffer to;

	buffer_init(&from, 10);
	buffer_init(&to, 20);
	buffer_append_text(&from, "new");
	buffer_append_text(&to, "old");
	buffer_move(&to, &from);
	ck_assert_str_eq(to.data, "new");
	ck_assert_uint_eq(to.max, 10);
	ck_assert_ptr_null(from.data);
	ck_assert_uint_eq(from.len, 0);
	buffer_wipe(&to);
	ck_assert_ptr_null(to.data);
	buffer_free(&from);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("buffer");
	TCase *cases = tcase_create("buffer");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(cases, it_grows_as_it_is_filled);
	tcase_add_test(cases, it_takes_exactly_as_much_as_its_bound);
	tcase_add_test(cases, what_does_not_fit_is_left_out_as_a_whole_and_the_failure_stays);
	tcase_add_test(cases, lengths_do_not_overflow);
	tcase_add_test(cases, its_bytes_move_to_another);
	suite_add_tcase(suite, cases);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
