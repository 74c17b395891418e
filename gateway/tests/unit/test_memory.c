/*
 * test_memory.c
 *		Comparing and wiping memory that holds secrets.
 */
#include <string.h>

#include "src/common/memory.h"
#include "tests/unit/suite.h"

#define LENGTH 40

START_TEST(equal_areas_are_equal)
{
	unsigned char a[LENGTH];
	unsigned char b[LENGTH];

	for (size_t len = 0; len <= LENGTH; len++)
	{
		memset(a, 0xA5, sizeof(a));
		memset(b, 0x5A, sizeof(b));
		memset(b, 0xA5, len); /* behind "len" they differ */
		ck_assert(wak_equal(a, b, len));
	}
}
END_TEST

START_TEST(one_bit_anywhere_makes_them_differ)
{
	unsigned char a[LENGTH] = {0};
	unsigned char b[LENGTH] = {0};

	for (size_t i = 0; i < LENGTH; i++)
	{
		for (int bit = 0; bit < 8; bit++)
		{
			b[i] = (unsigned char) (1u << bit);
			ck_assert(!wak_equal(a, b, LENGTH));
			ck_assert(!wak_equal(b, a, LENGTH));
		}
		b[i] = 0;
	}
	ck_assert(wak_equal(a, b, LENGTH));
}
END_TEST

START_TEST(wiping_clears_exactly_what_it_is_told_to)
{
	unsigned char area[LENGTH];

	for (size_t start = 0; start <= LENGTH; start++)
	{
		for (size_t len = 0; start + len <= LENGTH; len++)
		{
			memset(area, 0xFF, sizeof(area));
			wak_wipe(area + start, len);
			for (size_t i = 0; i < LENGTH; i++)
				ck_assert_uint_eq(area[i], i >= start && i < start + len ? 0 : 0xFF);
		}
	}
}
END_TEST

START_TEST(an_area_of_no_bytes_is_left_as_it_is)
{
	char area[] = "x";

	wak_wipe(NULL, 0);
	wak_wipe(area, 0);
	ck_assert_str_eq(area, "x");
}
END_TEST

SUITE("memory", equal_areas_are_equal, one_bit_anywhere_makes_them_differ,
	  wiping_clears_exactly_what_it_is_told_to, an_area_of_no_bytes_is_left_as_it_is)
