/*
 * test_lib_places.c
 *		Owners share places.
 */
#include <string.h>

#include "lib/places.h"
#include "tests/unit/suite.h"

#define PLACES 112

static Places places;
static Place taken[PLACES + 1];
static int count;
static const Place *lost;

static void
start(void)
{
	places_init(&places, PLACES);
	memset(taken, 0, sizeof(taken));
	count = 0;
}

static PlaceResult
take(char org)
{
	const uint8_t id[PLACE_OWNER_SIZE] = {(uint8_t) org};
	Place *place = &taken[count++];
	void *loser;
	PlaceResult result = place_take(&places, place, id, place, &loser);

	lost = loser;
	ck_assert_int_eq(place->holder != NULL, result == PLACE_TAKEN);
	ck_assert(lost == NULL || lost->holder == NULL);
	return result;
}

static void
take_many(char org, int many)
{
	for (int i = 0; i < many; i++)
	{
		ck_assert_int_eq(take(org), PLACE_TAKEN);
		ck_assert_ptr_null(lost);
	}
}

START_TEST(an_organization_gets_half)
{
	take_many('a', (PLACES / 2));
	ck_assert_int_eq(take('a'), PLACE_TOO_MANY);
	count--;
	take_many('b', 1);
	place_leave(&places, &taken[0]);
	place_leave(&places, &taken[0]); /* has no effect */
	ck_assert_int_eq(places.count, (PLACES / 2));
	ck_assert_int_eq(take('a'), PLACE_TAKEN);
}
END_TEST

START_TEST(when_all_are_taken_who_has_most_loses_its_newest)
{
	take_many('a', (PLACES / 2) - 1);
	take_many('b', (PLACES / 2));
	take_many('a', 1);
	ck_assert_int_eq(take('c'), PLACE_TAKEN);
	ck_assert_ptr_eq(lost, &taken[PLACES - 1]);
	ck_assert_int_eq(places.count, PLACES);
}
END_TEST

START_TEST(nobody_loses_a_place_to_who_has_as_many)
{
	for (int i = 0; i < PLACES; i++)
		take_many((char) ('a' + i % 4), 1);
	ck_assert_int_eq(take('a'), PLACE_FULL);
	count--;
	/* the newcomer would have one more than who loses one */
	place_leave(&places, &taken[0]);
	count = 0;
	ck_assert_int_eq(take('b'), PLACE_TAKEN);
	ck_assert_ptr_null(lost);
	count = PLACES;
	ck_assert_int_eq(take('a'), PLACE_TAKEN);
	ck_assert_ptr_nonnull(lost);
	ck_assert_int_eq(lost->owner[0], 'b');
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

SUITE_WITH("lib_places", add_tests)
