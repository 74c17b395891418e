/*
 * test_sealed_box.c
 *		A box can be opened with its own key only, and not if a bit of it was changed.
 */
#include <check.h>
#include <string.h>

#include "lib/sealed_box.h"
#include "src/common/file_text.h"
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

START_TEST(a_pair_is_made_of_its_secret_key)
{
	SealedBoxKey derived = {.public_key = {0}};

	seal();
	memcpy(derived.secret_key, key.secret_key, SEALED_BOX_KEY_SIZE);
	ck_assert(sealed_box_derive_key(&derived));
	ck_assert_mem_eq(derived.public_key, key.public_key, SEALED_BOX_KEY_SIZE);
	ck_assert(sealed_box_open(&derived, box, sizeof(box), opened));
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
	static const uint8_t keys[][SEALED_BOX_KEY_SIZE] = {
		{0},
		{1},
		{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
		 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
		 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
		{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
		 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
		 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
	};
	uint8_t large[SEALED_BOX_KEY_SIZE];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		ck_assert(!sealed_box_seal(keys[i], TEXT, sizeof(TEXT), box));
	/* p - 1, p and p + 1, where p is 2^255 - 19 */
	memset(large, 0xff, sizeof(large));
	large[SEALED_BOX_KEY_SIZE - 1] = 0x7f;
	for (int last = 0xec; last <= 0xee; last++)
	{
		large[0] = (uint8_t) last;
		ck_assert(!sealed_box_seal(large, TEXT, sizeof(TEXT), box));
	}
}
END_TEST

/* A file has the secret key as text: what is read back opens the box. */
START_TEST(a_secret_key_as_text_is_the_key)
{
	char text[SEALED_BOX_SECRET_TEXT + 1];
	uint8_t bytes[SEALED_BOX_SECRET_TEXT];
	WakFileText read;

	seal();
	sealed_box_write_secret(&key, text);
	ck_assert_uint_eq(strlen(text), SEALED_BOX_SECRET_TEXT);
	ck_assert(wak_file_text_read(text, SEALED_BOX_SECRET_TEXT, bytes, &read));
	ck_assert_uint_eq(read.len, SEALED_BOX_KEY_SIZE);
	ck_assert_mem_eq(bytes, key.secret_key, SEALED_BOX_KEY_SIZE);
}
END_TEST

SUITE("sealed_box", a_box_is_opened_with_its_key, a_pair_is_made_of_its_secret_key,
	  two_boxes_of_the_same_differ, another_key_opens_nothing, a_changed_box_is_not_opened,
	  nothing_is_sealed_to_a_key_of_small_order, a_secret_key_as_text_is_the_key)
