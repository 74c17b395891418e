/*
 * test_cloud_batch.c
 *		Reports leave in lists of one organization, in their turns.
 */
#include <stdio.h>
#include <string.h>

#include "cloud/batch.h"
#include "tests/unit/suite.h"

#define LIST_MAX (4 * 1024 * 1024)

static void
add(Batch *batch, int org, UpdateTurn turn, int64_t number)
{
	uint8_t id[DB_UUID_SIZE] = {(uint8_t) org};
	JsonWriter *json = batch_begin(batch, id, turn);

	ck_assert_ptr_nonnull(json);
	json_write_name(json, "n");
	json_write_int64(json, number);
	ck_assert(batch_end(batch));
}

/* The next list, with the number of its organization; "" if there is none. */
static const char *
next(Batch *batch)
{
	static char text[4096];
	const uint8_t *org;
	Buffer list;
	int count;

	buffer_init(&list, LIST_MAX);
	count = batch_next(batch, &org, &list);
	text[0] = '\0';
	if (count > 0)
		snprintf(text, sizeof(text), "%d %d %s", org[0], count, list.data);
	buffer_free(&list);
	return text;
}

START_TEST(organizations_have_lists_of_their_own_in_the_order_of_turns)
{
	Batch batch;

	batch_init(&batch);
	add(&batch, 2, UPDATE_TURN_RECEIVED, 1);
	add(&batch, 1, UPDATE_TURN_CHANGED, 2);
	add(&batch, 1, UPDATE_TURN_RECEIVED, 3);
	add(&batch, 1, UPDATE_TURN_SENT, 4);
	add(&batch, 1, UPDATE_TURN_RECEIVED, 5);
	batch_sort(&batch);
	ck_assert_str_eq(next(&batch), "1 4 [{\"n\":4},{\"n\":3},{\"n\":5},{\"n\":2}]");
	ck_assert_str_eq(next(&batch), "2 1 [{\"n\":1}]");
	ck_assert_str_eq(next(&batch), "");
	batch_free(&batch);
}
END_TEST

START_TEST(a_list_has_no_more_reports_than_the_bound)
{
	const uint8_t *org;
	Buffer list;
	Batch batch;

	batch_init(&batch);
	buffer_init(&list, LIST_MAX);
	for (int i = 0; i < 2 * BATCH_REPORTS_MAX + 1; i++)
		add(&batch, 1, UPDATE_TURN_READ, i);
	batch_sort(&batch);
	ck_assert_int_eq(batch_next(&batch, &org, &list), BATCH_REPORTS_MAX);
	buffer_clear(&list);
	ck_assert_int_eq(batch_next(&batch, &org, &list), BATCH_REPORTS_MAX);
	buffer_clear(&list);
	ck_assert_int_eq(batch_next(&batch, &org, &list), 1);
	ck_assert_int_eq(batch_next(&batch, &org, &list), 0);
	buffer_free(&list);
	batch_free(&batch);
}
END_TEST

START_TEST(a_batch_without_reports_has_no_list)
{
	Batch batch;

	batch_init(&batch);
	batch_sort(&batch);
	ck_assert_str_eq(next(&batch), "");
	batch_free(&batch);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
	uint8_t org[DB_UUID_SIZE] = {1};
	JsonWriter *json;
	Batch batch;

	batch_init(&batch);
	batch.text.max = 8;
	json = batch_begin(&batch, org, UPDATE_TURN_READ);
	json_write_name(json, "much");
	json_write_text(json, "more than fits");
	ck_assert(!batch_end(&batch));
	batch_free(&batch);
}
END_TEST

START_TEST(an_organization_is_passed_over_with_all_of_its_lists)
{
	Batch batch;

	batch_init(&batch);
	for (int i = 0; i < BATCH_REPORTS_MAX + 1; i++)
		add(&batch, 1, UPDATE_TURN_READ, i);
	add(&batch, 2, UPDATE_TURN_READ, 1);
	add(&batch, 2, UPDATE_TURN_READ, 2);
	batch_sort(&batch);
	batch_pass_over(&batch);
	ck_assert(strncmp(next(&batch), "1 100 ", 6) == 0);
	batch_pass_over(&batch);
	ck_assert_str_eq(next(&batch), "2 2 [{\"n\":1},{\"n\":2}]");
	batch_pass_over(&batch);
	ck_assert_str_eq(next(&batch), "");
	batch_free(&batch);
}
END_TEST

START_TEST(what_does_not_fit_is_left_out_and_costs_no_other)
{
	static char text[1024 * 1024];
	uint8_t id[DB_UUID_SIZE] = {2};
	Batch batch;
	int count = 0;

	memset(text, 'x', sizeof(text) - 1);
	batch_init(&batch);
	add(&batch, 1, UPDATE_TURN_READ, 1);
	while (!batch_is_full(&batch) && count < 20)
	{
		JsonWriter *json = batch_begin(&batch, id, UPDATE_TURN_READ);

		ck_assert_ptr_nonnull(json);
		json_write_name(json, "n");
		json_write_text(json, text);
		count += batch_end(&batch) ? 1 : 0;
	}
	ck_assert_int_eq(count, 15);
	ck_assert_ptr_null(batch_begin(&batch, id, UPDATE_TURN_READ));
	batch_sort(&batch);
	ck_assert_str_eq(next(&batch), "1 1 [{\"n\":1}]");
	ck_assert(strncmp(next(&batch), "2 1 [{\"n\":\"xxx", 14) == 0);
	batch_free(&batch);
}
END_TEST

SUITE("cloud_batch", organizations_have_lists_of_their_own_in_the_order_of_turns,
	  a_list_has_no_more_reports_than_the_bound, a_batch_without_reports_has_no_list,
	  what_does_not_fit_is_refused, an_organization_is_passed_over_with_all_of_its_lists,
	  what_does_not_fit_is_left_out_and_costs_no_other)
