/*
 * test_sealed_box.c
 *		A box can be opened with its own key only, and not if a bit of it was changed.
 */
#include <check.h>
#include <string.h>

#include "lib/sealed_box.h"
#include "tests/unit/suite.h"

#define TEXT "{\"accessToken\":\"EAAG\"}"
#define BOX_SIZE (sizeof(TEXT) + SEALED_BOX_EXTRA)

static SealedBoxKey key;
static uint8_t box[BOX_SIZE];
static uint8_t opened[sizeof(TEXT)];

static void
seal(void)
{
	ck_assert(sealed_box_make_key(&key));
	ck_assert(sealed_box_seal(key.public_key, TEXT, sizeof(TEXT), box));
}

START_TEST(a_box_is_opened_with_its_key)
{
	seal();
	ck_assert_ptr_null(memmem(box, sizeof(box), "EAAG", 4));
	ck_assert(sealed_box_open(&key, box, sizeof(box), opened));
	ck_assert_mem_eq(opened, TEXT, sizeof(TEXT));
}
END_TEST

START_TEST(two_boxes_of_the_same_differ)
{
	uint8_t other[BOX_SIZE];

	seal();
	ck_assert(sealed_box_seal(key.public_key, TEXT, sizeof(TEXT), other));
	ck_assert_mem_ne(box, other, sizeof(box));
}
END_TEST

START_TEST(another_key_opens_nothing)
{
	SealedBoxKey other;

	seal();
	ck_assert(sealed_box_make_key(&other));
	ck_assert_mem_ne(other.secret_key, key.secret_key, SEALED_BOX_KEY_SIZE);
	ck_assert(!sealed_box_open(&other, box, sizeof(box), opened));
}
END_TEST

START_TEST(a_changed_box_is_not_opened)
{
	seal();
	for (size_t i = 0; i < sizeof(box); i++)
	{
		memset(opened, 0, sizeof(opened));
		box[i] ^= 1;
		ck_assert(!sealed_box_open(&key, box, sizeof(box), opened));
		ck_assert_ptr_null(memmem(opened, sizeof(opened), "EAAG", 4));
		box[i] ^= 1;
	}
	for (size_t len = 0; len < sizeof(box); len++)
		ck_assert(!sealed_box_open(&key, box, len, opened));
	ck_assert(sealed_box_open(&key, box, sizeof(box), opened));
}
END_TEST

/* With a key of small order everybody could open the box. */
START_TEST(nothing_is_sealed_to_a_key_of_small_order)
{
	static const uint8_t zero[SEALED_BOX_KEY_SIZE];
	static const uint8_t one[SEALED_BOX_KEY_SIZE] = {1};

	ck_assert(!sealed_box_seal(zero, TEXT, sizeof(TEXT), box));
	ck_assert(!sealed_box_seal(one, TEXT, sizeof(TEXT), box));
}
END_TEST

SUITE("sealed_box", a_box_is_opened_with_its_key, two_boxes_of_the_same_differ,
	  another_key_opens_nothing, a_changed_box_is_not_opened,
	  nothing_is_sealed_to_a_key_of_small_order)
