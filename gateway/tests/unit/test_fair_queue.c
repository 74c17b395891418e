/*
 * test_fair_queue.c
 *		Everybody has a turn, whatever others queue; and what is beyond a bound is theirs.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/fair_queue.h"
#include "tests/unit/suite.h"

#define ITEMS 2000

/* An item, and what a test calls it by. */
typedef struct Sample
{
	FairItem item;
	char org;
	int number;   /* of the organization's, from 0 */
	bool crowded; /* with what it has lost its place */
} Sample;

static FairQueue *queue;
static Sample samples[ITEMS];
static int sample_count;

/* No item of most tests has a weight. */
#define GROUP_WEIGHT 100

static size_t weight;

static void
start_with(int max, int group_max)
{
	if (queue != NULL)
		fair_queue_free(queue);
	memset(samples, 0, sizeof(samples));
	sample_count = 0;
	weight = 0;
	queue = fair_queue_create(max, group_max, GROUP_WEIGHT);
	ck_assert_ptr_nonnull(queue);
}

static void
start(void)
{
	start_with(ITEMS, ITEMS);
}

/* What has not left is taken out; nothing may be left of it. */
static void
stop(void)
{
	for (int i = 0; i < sample_count; i++)
		fair_queue_leave(queue, &samples[i].item);
	ck_assert_int_eq(fair_queue_waiting(queue), 0);
	ck_assert_int_eq(fair_queue_groups(queue), 0);
	fair_queue_free(queue);
}

/* Queues one item; returns it, or the one that has lost its place to it, or NULL. */
static Sample *
add_to(FairClass class, char org, int credential)
{
	FairOwner owner = {.class = class};
	Sample *sample = &samples[sample_count];
	FairLoss loss;

	ck_assert_int_lt(sample_count, ITEMS);
	sample->org = org;
	sample->item.weight = weight;
	for (int i = 0; i < sample_count; i++)
		sample->number += samples[i].org == org ? 1 : 0;
	sample_count++;
	owner.group.bytes[0] = (uint8_t) org;
	owner.flow.bytes[0] = (uint8_t) org;
	memcpy(&owner.flow.bytes[1], &credential, sizeof(credential));
	loss = fair_queue_add(queue, &owner, &sample->item);
	if (loss.item == NULL)
		return NULL;
	ck_assert_ptr_null(loss.item->group);
	((Sample *) loss.item)->crowded = loss.crowded;
	return (Sample *) loss.item;
}

static Sample *
add(char org)
{
	return add_to(FAIR_ORG, org, 0);
}

static void
add_many(char org, int count)
{
	for (int i = 0; i < count; i++)
		ck_assert_ptr_null(add(org));
}

static bool
everybody(void *context, const FairItem *next, int under_way, int groups)
{
	(void) context;
	(void) next;
	(void) under_way;
	(void) groups;
	return true;
}

static bool
fewer_than(void *context, const FairItem *next, int under_way, int groups)
{
	(void) next;
	(void) groups;
	return under_way < *(int *) context;
}

static Sample *
take(void)
{
	FairItem *item = fair_queue_take(queue, everybody, NULL);

	if (item != NULL)
		fair_queue_leave(queue, item);
	return (Sample *) item;
}

/* The organizations of the next items, in the order in which they are taken. */
static const char *
take_many(int count)
{
	static char taken[ITEMS + 1];
	const Sample *sample;
	int i = 0;

	for (; i < count && (sample = take()) != NULL; i++)
		taken[i] = sample->org;
	taken[i] = '\0';
	return taken;
}

/* ---- the turns ---- */

START_TEST(of_one_owner_the_oldest_is_first)
{
	add_many('a', 5);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(take()->number, i);
	ck_assert_ptr_null(take());
}
END_TEST

START_TEST(a_newcomer_is_behind_one_of_each_other_however_many_wait)
{
	add_many('a', 500);
	add_many('c', 500);
	add('b');
	ck_assert_str_eq(take_many(4), "acba");
}
END_TEST

START_TEST(organizations_take_turns_while_they_have_something)
{
	add_many('a', 4);
	add_many('b', 2);
	add_many('c', 1);
	ck_assert_str_eq(take_many(8), "abcabaa");
}
END_TEST

/* The hostile one comes back at once with each that is taken, as a client with a loop does. */
START_TEST(who_comes_again_at_once_goes_behind_the_others)
{
	int between = 0;

	add_many('a', 100);
	for (int i = 0; i < 50; i++)
	{
		const Sample *sample;

		add('b');
		add('c');
		between = 0;
		while ((sample = take())->org != 'b')
		{
			between += sample->org == 'a' ? 1 : 0;
			add(sample->org);
		}
		ck_assert_int_le(between, 1);
	}
}
END_TEST

START_TEST(many_credentials_of_an_organization_have_one_turn_together)
{
	for (int i = 0; i < 500; i++)
		ck_assert_ptr_null(add_to(FAIR_ORG, 'a', i));
	add_many('b', 3);
	ck_assert_str_eq(take_many(7), "abababa");
}
END_TEST

START_TEST(credentials_of_an_organization_take_turns_in_it)
{
	for (int i = 0; i < 100; i++)
		add_to(FAIR_ORG, 'a', 1);
	add_to(FAIR_ORG, 'a', 2);
	ck_assert_int_eq(take()->number, 0);
	ck_assert_int_eq(take()->number, 100);
	ck_assert_int_eq(take()->number, 1);
}
END_TEST

/* Addresses can be had by the thousand: all of them have half of the turns. */
START_TEST(addresses_take_turns_with_organizations_as_one)
{
	for (int i = 0; i < 100; i++)
		ck_assert_ptr_null(add_to(FAIR_ADDRESS, (char) (i - 128), 0));
	add_many('b', 3);
	for (int i = 0; i < 3; i++)
	{
		ck_assert_int_lt(take()->org, 0);
		ck_assert_int_eq(take()->org, 'b');
	}
}
END_TEST

START_TEST(an_address_is_not_an_organization_of_the_same_key)
{
	add('a');
	add_to(FAIR_ADDRESS, 'a', 0);
	ck_assert_int_eq(fair_queue_groups(queue), 2);
}
END_TEST

START_TEST(the_programs_own_have_their_turn)
{
	add_many('a', 100);
	add_to(FAIR_OWN, '-', 0);
	ck_assert_str_eq(take_many(3), "a-a");
}
END_TEST

/* ---- what is under way ---- */

START_TEST(who_has_enough_under_way_is_passed_over_and_keeps_the_turn)
{
	int most = 2;
	FairItem *taken[3];

	add_many('a', 4);
	add('b');
	for (int i = 0; i < 3; i++)
		taken[i] = fair_queue_take(queue, fewer_than, &most);
	ck_assert_int_eq(((Sample *) taken[0])->org, 'a');
	ck_assert_int_eq(((Sample *) taken[1])->org, 'b');
	ck_assert_int_eq(((Sample *) taken[2])->org, 'a');
	ck_assert_ptr_null(fair_queue_take(queue, fewer_than, &most));
	ck_assert_int_eq(fair_queue_waiting(queue), 2);
	add('b');
	fair_queue_leave(queue, taken[0]);
	ck_assert_int_eq(((Sample *) fair_queue_take(queue, fewer_than, &most))->org, 'a');
	ck_assert_int_eq(((Sample *) fair_queue_take(queue, fewer_than, &most))->org, 'b');
}
END_TEST

START_TEST(an_owner_is_there_until_nothing_of_it_is_under_way)
{
	FairItem *item;

	add('a');
	item = fair_queue_take(queue, everybody, NULL);
	ck_assert_int_eq(fair_queue_waiting(queue), 0);
	ck_assert_int_eq(fair_queue_groups(queue), 1);
	fair_queue_leave(queue, item);
	ck_assert_int_eq(fair_queue_groups(queue), 0);
	fair_queue_leave(queue, item); /* has no effect */
}
END_TEST

START_TEST(what_leaves_while_it_waits_is_not_taken)
{
	add_many('a', 3);
	add_many('b', 1);
	fair_queue_leave(queue, &samples[1].item);
	fair_queue_leave(queue, &samples[3].item);
	ck_assert_int_eq(fair_queue_waiting(queue), 2);
	ck_assert_int_eq(take()->number, 0);
	ck_assert_int_eq(take()->number, 2);
	ck_assert_ptr_null(take());
}
END_TEST

/* ---- the bounds ---- */

#define SMALL 10
#define SMALL_GROUP 6

START_TEST(beyond_the_bound_of_an_organization_its_newest_is_refused)
{
	const Sample *loser;

	start_with(SMALL, SMALL_GROUP);
	add_many('a', 6);
	loser = add('a');
	ck_assert_ptr_nonnull(loser);
	ck_assert_int_eq(loser->number, 6);
	ck_assert(loser->crowded);
	ck_assert_ptr_null(add('b'));
	ck_assert_int_eq(fair_queue_waiting(queue), 7);
}
END_TEST

/* One key of an organization does not shut out its others. */
START_TEST(in_an_organization_the_longest_credential_loses)
{
	const Sample *loser;

	start_with(SMALL, SMALL_GROUP);
	for (int i = 0; i < 6; i++)
		add_to(FAIR_ORG, 'a', 1);
	loser = add_to(FAIR_ORG, 'a', 2);
	ck_assert_ptr_nonnull(loser);
	ck_assert_int_eq(loser->number, 5);
}
END_TEST

START_TEST(when_all_is_full_the_longest_loses_and_not_the_newcomer)
{
	const Sample *loser;

	start_with(SMALL, SMALL_GROUP);
	add_many('a', 6);
	add_many('b', 4);
	loser = add('c');
	ck_assert_ptr_nonnull(loser);
	ck_assert_int_eq(loser->org, 'a');
	ck_assert_int_eq(loser->number, 5);
	loser = add('c');
	ck_assert_int_eq(loser->org, 'a');
	ck_assert_int_eq(loser->number, 4);
	/* now b has as many as a, and is the one that comes */
	loser = add('b');
	ck_assert_int_eq(loser->org, 'b');
	ck_assert_int_eq(loser->number, 4);
}
END_TEST

START_TEST(who_loses_the_only_place_is_told_that_it_was_for_others)
{
	const Sample *loser;

	start_with(SMALL, SMALL_GROUP);
	for (int i = 0; i < SMALL; i++)
		ck_assert_ptr_null(add((char) ('a' + i)));
	loser = add('z');
	ck_assert_int_eq(loser->org, 'z');
	ck_assert(!loser->crowded);
	loser = add('a');
	ck_assert_int_eq(loser->org, 'a');
	ck_assert(loser->crowded);
}
END_TEST

/* As many addresses as you like: an organization's place is not theirs. */
START_TEST(addresses_do_not_push_out_an_organization)
{
	start_with(SMALL, SMALL_GROUP);
	for (int i = 0; i < 10; i++)
		add_to(FAIR_ADDRESS, (char) (i - 128), 0);
	for (int i = 0; i < 5; i++)
	{
		const Sample *loser = add('b');

		ck_assert_ptr_nonnull(loser);
		ck_assert_int_lt(loser->org, 0);
	}
	ck_assert_int_lt(add_to(FAIR_ADDRESS, 'z' - 128, 0)->org, 0);
}
END_TEST

START_TEST(the_programs_own_are_bound_by_the_queue_alone)
{
	start_with(SMALL, SMALL_GROUP);
	for (int i = 0; i < 10; i++)
		ck_assert_ptr_null(add_to(FAIR_OWN, '-', 0));
	ck_assert_int_eq(add_to(FAIR_OWN, '-', 0)->number, 10);
}
END_TEST

START_TEST(without_room_the_newcomer_is_refused)
{
	start_with(0, 0);
	ck_assert_ptr_eq(add('a'), &samples[0]);
	ck_assert_ptr_eq(add_to(FAIR_OWN, '-', 0), &samples[1]);
}
END_TEST

/* ---- weights ---- */

/* Queues an item of this weight; returns what lost its place, or NULL. */
static Sample *
add_heavy(char org, int credential, size_t bytes)
{
	Sample *lost;

	weight = bytes;
	lost = add_to(FAIR_ORG, org, credential);
	weight = 0;
	return lost;
}

START_TEST(an_organization_weighs_no_more_than_it_may)
{
	const Sample *lost;

	ck_assert_ptr_null(add_heavy('a', 0, 60));
	ck_assert_ptr_null(add_heavy('a', 0, 40));
	lost = add_heavy('a', 0, 1);
	ck_assert_ptr_eq(lost, &samples[2]);
	ck_assert(lost->crowded);
	/* what has no weight, and another organization, are not affected */
	ck_assert_ptr_null(add('a'));
	ck_assert_ptr_null(add_heavy('b', 0, 100));
	ck_assert_str_eq(take_many(5), "abaa");
	ck_assert_ptr_null(add_heavy('a', 0, 100));
	lost = add_heavy('c', 0, 101);
	ck_assert_int_eq(lost->org, 'c');
	ck_assert(!lost->crowded);
}
END_TEST

START_TEST(what_is_under_way_still_weighs)
{
	const Sample *lost;
	FairItem *item;

	ck_assert_ptr_null(add_heavy('a', 0, 100));
	item = fair_queue_take(queue, everybody, NULL);
	ck_assert_ptr_nonnull(item);
	lost = add_heavy('a', 0, 1);
	ck_assert_ptr_eq(lost, &samples[1]);
	ck_assert(lost->crowded);
	fair_queue_leave(queue, item);
	ck_assert_ptr_null(add_heavy('a', 0, 100));
}
END_TEST

START_TEST(in_an_organization_the_heaviest_credential_loses)
{
	ck_assert_ptr_null(add_heavy('a', 1, 40));
	ck_assert_ptr_null(add_heavy('a', 1, 40));
	ck_assert_ptr_null(add_heavy('a', 2, 20));
	/* credential 1 has 80, and its newest is enough */
	ck_assert_ptr_eq(add_heavy('a', 2, 30), &samples[1]);
	/* its newest of 40 is not enough for 45 */
	ck_assert_ptr_eq(add_heavy('a', 3, 45), &samples[4]);
	ck_assert_int_eq(fair_queue_waiting(queue), 3);
}
END_TEST

START_TEST(the_programs_own_may_weigh_anything)
{
	weight = 1000;
	ck_assert_ptr_null(add_to(FAIR_OWN, 'w', 0));
	ck_assert_ptr_null(add_to(FAIR_OWN, 'w', 0));
}
END_TEST

/* ---- all of it ---- */

/*
 * A thousand steps of many organizations, one of which queues ten times as much as the others:
 * each item is taken, lost or left once, and no bound is passed.
 */
START_TEST(nothing_is_lost_and_nothing_comes_twice)
{
	int seen = 0;
	int left = 0;

	start_with(SMALL, SMALL_GROUP);
	srand((unsigned) _i + 1);
	for (int step = 0; step < 1000; step++)
	{
		Sample *sample = &samples[sample_count == 0 ? 0 : rand() % sample_count];

		if (rand() % 2 == 0)
			seen +=
				add_to(FAIR_ORG, rand() % 2 ? 'a' : (char) ('b' + rand() % 20), rand() % 3) != NULL;
		else if (rand() % 3 > 0)
			seen += take() != NULL;
		else if (sample->item.group != NULL)
		{
			fair_queue_leave(queue, &sample->item);
			left++;
		}
		ck_assert_int_le(fair_queue_waiting(queue), 10);
		ck_assert_int_eq(fair_queue_waiting(queue), sample_count - seen - left);
	}
	while (take() != NULL)
		seen++;
	ck_assert_int_eq(seen + left, sample_count);
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, of_one_owner_the_oldest_is_first);
	tcase_add_test(cases, a_newcomer_is_behind_one_of_each_other_however_many_wait);
	tcase_add_test(cases, organizations_take_turns_while_they_have_something);
	tcase_add_test(cases, who_comes_again_at_once_goes_behind_the_others);
	tcase_add_test(cases, many_credentials_of_an_organization_have_one_turn_together);
	tcase_add_test(cases, credentials_of_an_organization_take_turns_in_it);
	tcase_add_test(cases, addresses_take_turns_with_organizations_as_one);
	tcase_add_test(cases, an_address_is_not_an_organization_of_the_same_key);
	tcase_add_test(cases, the_programs_own_have_their_turn);
	tcase_add_test(cases, who_has_enough_under_way_is_passed_over_and_keeps_the_turn);
	tcase_add_test(cases, an_owner_is_there_until_nothing_of_it_is_under_way);
	tcase_add_test(cases, what_leaves_while_it_waits_is_not_taken);
	tcase_add_test(cases, beyond_the_bound_of_an_organization_its_newest_is_refused);
	tcase_add_test(cases, in_an_organization_the_longest_credential_loses);
	tcase_add_test(cases, when_all_is_full_the_longest_loses_and_not_the_newcomer);
	tcase_add_test(cases, who_loses_the_only_place_is_told_that_it_was_for_others);
	tcase_add_test(cases, addresses_do_not_push_out_an_organization);
	tcase_add_test(cases, the_programs_own_are_bound_by_the_queue_alone);
	tcase_add_test(cases, without_room_the_newcomer_is_refused);
	tcase_add_test(cases, an_organization_weighs_no_more_than_it_may);
	tcase_add_test(cases, what_is_under_way_still_weighs);
	tcase_add_test(cases, in_an_organization_the_heaviest_credential_loses);
	tcase_add_test(cases, the_programs_own_may_weigh_anything);
	tcase_add_loop_test(cases, nothing_is_lost_and_nothing_comes_twice, 0, 20);
}

SUITE_WITH("fair_queue", add_tests)
