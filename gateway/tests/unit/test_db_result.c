/*
 * test_db_result.c
 *		Cells in PostgreSQL's binary formats are read as what they are, and a cell that is
 *		malformed at any byte is never read beyond its end.
 */
#include <string.h>

#include <libpq-fe.h>

#include "db/result.h"
#include "tests/unit/suite.h"

/* A result of one row and one cell, made without a server. */
static PGresult *
one_cell(const void *bytes, int len, DbResult *result)
{
	PGresult *cells = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc column = {.name = (char *) "c", .format = 1};

	ck_assert_int_eq(PQsetResultAttrs(cells, 1, &column), 1);
	ck_assert_int_eq(PQsetvalue(cells, 0, 0, (char *) bytes, len), 1);
	memset(result, 0, sizeof(*result));
	result->outcome = DB_ROWS;
	result->rows = 1;
	result->columns = 1;
	result->cells = cells;
	return cells;
}

START_TEST(integers_by_length)
{
	static const struct
	{
		const char *bytes;
		int len;
		int64_t value;
	} cases[] = {
		{"\x00\x05", 2, 5},
		{"\xff\xff", 2, -1},
		{"\x00\x01\x00\x00", 4, 65536},
		{"\x80\x00\x00\x00", 4, INT32_MIN},
		{"\x7f\xff\xff\xff\xff\xff\xff\xff", 8, INT64_MAX},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		DbResult result;
		PGresult *cells = one_cell(cases[i].bytes, cases[i].len, &result);
		int64_t value = 0;

		ck_assert(db_int(&result, 0, 0, &value));
		ck_assert_int_eq(value, cases[i].value);
		PQclear(cells);
	}
}
END_TEST

START_TEST(columns_by_their_names)
{
	PGresult *cells = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc columns[] = {{.name = (char *) "id", .format = 1},
							  {.name = (char *) "org_id", .format = 1}};
	DbResult result = {.outcome = DB_ROWS, .columns = 2, .cells = cells};

	ck_assert_int_eq(PQsetResultAttrs(cells, 2, columns), 1);
	for (int guess = -1; guess < 4; guess++)
	{
		ck_assert_int_eq(db_column(&result, "id", guess), 0);
		ck_assert_int_eq(db_column(&result, "org_id", guess), 1);
		ck_assert_int_eq(db_column(&result, "org", guess), -1);
		ck_assert_int_eq(db_column(&result, "ID", guess), -1);
	}
	PQclear(cells);
}
END_TEST

START_TEST(null_and_missing_cells)
{
	DbResult result;
	PGresult *cells = one_cell(NULL, -1, &result);
	int64_t value = 7;

	ck_assert(db_is_null(&result, 0, 0));
	ck_assert(!db_int(&result, 0, 0, &value));
	ck_assert(db_is_null(&result, 1, 0));
	ck_assert(db_is_null(&result, 0, 1));
	ck_assert(db_is_null(&result, -1, 0));
	ck_assert_int_eq(value, 7);
	PQclear(cells);
}
END_TEST

START_TEST(wrong_lengths_are_refused)
{
	static const uint8_t bytes[32];

	for (int len = 0; len <= 20; len++)
	{
		DbResult result;
		PGresult *cells = one_cell(bytes, len, &result);
		uint8_t uuid[DB_UUID_SIZE];
		int64_t number;
		bool truth;

		ck_assert(db_uuid(&result, 0, 0, uuid) == (len == 16));
		ck_assert(db_int(&result, 0, 0, &number) == (len == 2 || len == 4 || len == 8));
		ck_assert(db_time_ms(&result, 0, 0, &number) == (len == 8));
		ck_assert(db_bool(&result, 0, 0, &truth) == (len == 1));
		PQclear(cells);
	}
}
END_TEST

START_TEST(a_text_is_copied_with_its_nul_or_not_at_all)
{
	DbResult result;
	PGresult *cells = one_cell("text", 4, &result);
	char copy[6] = "-----";

	ck_assert(!db_text_copy(&result, 0, 0, copy, 4));
	ck_assert(!db_text_copy(&result, 1, 0, copy, sizeof(copy)));
	ck_assert_str_eq(copy, "-----");
	ck_assert(db_text_copy(&result, 0, 0, copy, 5));
	ck_assert_str_eq(copy, "text");
	ck_assert_int_eq(copy[5], '\0');
	PQclear(cells);
}
END_TEST

START_TEST(times_are_epoch_milliseconds)
{
	static const struct
	{
		const char *bytes;
		bool finite;
		int64_t ms;
	} cases[] = {
		{"\x00\x00\x00\x00\x00\x00\x00\x00", true, INT64_C(946684800000)},
		{"\x00\x00\x00\x00\x00\x00\x03\xe7", true, INT64_C(946684800000)}, /* 999 us */
		{"\xff\xff\xff\xff\xff\xff\xff\xff", true, INT64_C(946684799999)}, /* -1 us */
		{"\xff\xfc\xa2\xfe\xc4\xc8\x1f\xff", true, -1},
		{"\x7f\xff\xff\xff\xff\xff\xff\xff", false, 0}, /* infinity */
		{"\x80\x00\x00\x00\x00\x00\x00\x00", false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		DbResult result;
		PGresult *cells = one_cell(cases[i].bytes, 8, &result);
		int64_t ms = 0;

		ck_assert(db_time_ms(&result, 0, 0, &ms) == cases[i].finite);
		ck_assert_int_eq(ms, cases[i].ms);
		PQclear(cells);
	}
}
END_TEST

START_TEST(jsonb_has_its_version)
{
	DbResult result;
	PGresult *cells = one_cell("\x01{\"a\":1}", 8, &result);
	const char *json;
	size_t len;

	ck_assert(db_jsonb(&result, 0, 0, &json, &len));
	ck_assert_uint_eq(len, 7);
	ck_assert_mem_eq(json, "{\"a\":1}", 7);
	PQclear(cells);

	cells = one_cell("\x02{}", 3, &result);
	ck_assert(!db_jsonb(&result, 0, 0, &json, &len));
	PQclear(cells);
}
END_TEST

/* {"ab", NULL, ""} */
static const uint8_t array_bytes[] = {0,   0,   0,    1,    0,    0,    0, 1, 0, 0, 0, 25,
									  0,   0,   0,    3,    0,    0,    0, 1, 0, 0, 0, 2,
									  'a', 'b', 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0};

START_TEST(arrays_of_text)
{
	DbResult result;
	PGresult *cells = one_cell(array_bytes, sizeof(array_bytes), &result);
	DbArray array;
	const char *text;
	size_t len;

	ck_assert(db_array(&result, 0, 0, &array));
	ck_assert(db_array_next(&array, &text, &len));
	ck_assert_uint_eq(len, 2);
	ck_assert_mem_eq(text, "ab", 2);
	ck_assert(db_array_next(&array, &text, &len));
	ck_assert_ptr_null(text);
	ck_assert(db_array_next(&array, &text, &len));
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(len, 0);
	ck_assert(!db_array_next(&array, &text, &len));
	PQclear(cells);
}
END_TEST

START_TEST(empty_array)
{
	DbResult result;
	PGresult *cells = one_cell("\0\0\0\0\0\0\0\0\0\0\0\x19", 12, &result);
	DbArray array;
	const char *text;
	size_t len;

	ck_assert(db_array(&result, 0, 0, &array));
	ck_assert(!db_array_next(&array, &text, &len));
	PQclear(cells);
}
END_TEST

/* Cut behind every byte, and with every byte set to 255: elements stay within the cell. */
START_TEST(arrays_that_are_malformed)
{
	for (size_t i = 0; i < sizeof(array_bytes); i++)
	{
		uint8_t changed[sizeof(array_bytes)];

		memcpy(changed, array_bytes, sizeof(changed));
		changed[i] = 0xff;
		for (int cut = 0; cut < 2; cut++)
		{
			DbResult result;
			PGresult *cells = cut ? one_cell(array_bytes, (int) i, &result)
								  : one_cell(changed, sizeof(changed), &result);
			const char *begin = PQgetvalue(cells, 0, 0);
			const char *end = begin + PQgetlength(cells, 0, 0);
			DbArray array;
			const char *text;
			size_t len;

			if (db_array(&result, 0, 0, &array))
				while (db_array_next(&array, &text, &len))
					ck_assert(text == NULL || (text >= begin && len <= (size_t) (end - text)));
			PQclear(cells);
		}
	}
}
END_TEST

SUITE("db_result", integers_by_length, columns_by_their_names, null_and_missing_cells,
	  wrong_lengths_are_refused, a_text_is_copied_with_its_nul_or_not_at_all,
	  times_are_epoch_milliseconds, jsonb_has_its_version, arrays_of_text, empty_array,
	  arrays_that_are_malformed)
