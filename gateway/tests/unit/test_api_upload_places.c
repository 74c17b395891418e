/*
 * test_api_upload_places.c
 *		Organizations share the places for uploads.
 */
#include <string.h>

#include "api/upload_places.h"
#include "tests/unit/suite.h"

static UploadPlaces places;
static UploadPlace taken[UPLOAD_PLACES + 1];
static int count;
static const UploadPlace *lost;

static void
start(void)
{
	upload_places_init(&places);
	memset(taken, 0, sizeof(taken));
	count = 0;
}

static UploadPlaceResult
take(char org)
{
	const uint8_t id[DB_UUID_SIZE] = {(uint8_t) org};
	UploadPlace *place = &taken[count++];
	void *loser;
	UploadPlaceResult result = upload_place_take(&places, place, id, place, &loser);

	lost = loser;
	ck_assert_int_eq(place->upload != NULL, result == UPLOAD_PLACE_TAKEN);
	ck_assert(lost == NULL || lost->upload == NULL);
	return result;
}

static void
take_many(char org, int many)
{
	for (int i = 0; i < many; i++)
	{
		ck_assert_int_eq(take(org), UPLOAD_PLACE_TAKEN);
		ck_assert_ptr_null(lost);
	}
}

START_TEST(an_organization_gets_half)
{
	take_many('a', UPLOAD_PLACES_OF_ONE);
	ck_assert_int_eq(take('a'), UPLOAD_PLACE_TOO_MANY);
	count--;
	take_many('b', 1);
	upload_place_leave(&places, &taken[0]);
	upload_place_leave(&places, &taken[0]); /* has no effect */
	ck_assert_int_eq(places.count, UPLOAD_PLACES_OF_ONE);
	ck_assert_int_eq(take('a'), UPLOAD_PLACE_TAKEN);
}
END_TEST

START_TEST(when_all_are_taken_who_has_most_loses_its_newest)
{
	take_many('a', UPLOAD_PLACES_OF_ONE - 1);
	take_many('b', UPLOAD_PLACES_OF_ONE);
	take_many('a', 1);
	ck_assert_int_eq(take('c'), UPLOAD_PLACE_TAKEN);
	ck_assert_ptr_eq(lost, &taken[UPLOAD_PLACES - 1]);
	ck_assert_int_eq(places.count, UPLOAD_PLACES);
}
END_TEST

START_TEST(nobody_loses_a_place_to_who_has_as_many)
{
	for (int i = 0; i < UPLOAD_PLACES; i++)
		take_many((char) ('a' + i % 4), 1);
	ck_assert_int_eq(take('a'), UPLOAD_PLACE_FULL);
	count--;
	/* the newcomer would have one more than who loses one */
	upload_place_leave(&places, &taken[0]);
	count = 0;
	ck_assert_int_eq(take('b'), UPLOAD_PLACE_TAKEN);
	ck_assert_ptr_null(lost);
	count = UPLOAD_PLACES;
	ck_assert_int_eq(take('a'), UPLOAD_PLACE_TAKEN);
	ck_assert_ptr_nonnull(lost);
	ck_assert_int_eq(lost->org[0], 'b');
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_checked_fixture(cases, start, NULL);
	tcase_add_test(cases, an_organization_gets_half);
	tcase_add_test(cases, when_all_are_taken_who_has_most_loses_its_newest);
	tcase_add_test(cases, nobody_loses_a_place_to_who_has_as_many);
}

SUITE_WITH("api_upload_places", add_tests)
