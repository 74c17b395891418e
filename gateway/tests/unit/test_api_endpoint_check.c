/*
 * test_api_endpoint_check.c
 *		Rows that the code could not work with are refused at start.
 */
#include "api/route.h"
#include "lib/log.h"
#include "tests/unit/suite.h"

static const Column columns[] = {{COLUMN_ID, "id", "id", "x"}, {COLUMN_END, NULL, NULL, NULL}};

static const Param path_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "x"}, {.source = PARAM_END}};

/* A row that is right. */
static Endpoint
good_row(void)
{
	return (Endpoint){.method = HTTP_METHOD_GET,
					  .pattern = "/a/{s}",
					  .statement = "me",
					  .params = path_params,
					  .status = 200,
					  .columns = columns};
}

static bool
is_taken(const Endpoint *row)
{
	const Endpoint rows[] = {*row, {.pattern = NULL}};
	const Endpoint *const resources[] = {rows, NULL};
	RouteTable table;
	bool taken;

	log_set_level(LOG_LEVEL_ERROR + 1);
	taken = routes_make(&table, resources);
	routes_free(&table);
	return taken;
}

START_TEST(a_good_row_is_taken)
{
	Endpoint row = good_row();

	ck_assert(is_taken(&row));
	row.pattern = "/a/{s}:start";
	ck_assert_ptr_null(endpoint_problem(&row));
}
END_TEST

START_TEST(a_list_of_json_says_which_column_is_its_item_and_no_other_answer_does)
{
	Endpoint row = good_row();

	row.answer = ANSWER_LIST_JSON;
	ck_assert(!is_taken(&row));
	row.item = "envelope";
	ck_assert(is_taken(&row));
	row.answer = ANSWER_LIST;
	ck_assert(!is_taken(&row));
}
END_TEST

START_TEST(a_parameter_of_the_path_is_in_the_pattern)
{
	static const char *const patterns[] = {"/a", "/a/{t}", "/a/{ss}", "/a/s", "/a/{s"};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
	{
		Endpoint row = good_row();

		row.pattern = patterns[i];
		ck_assert(!is_taken(&row));
	}
}
END_TEST

START_TEST(parameters_and_columns_have_bounds)
{
	Param params[ENDPOINT_PARAMS_MAX + 2] = {{0}};
	Column many[ENDPOINT_COLUMNS_MAX + 2] = {{0}};
	Endpoint row = good_row();

	for (int i = 0; i <= ENDPOINT_PARAMS_MAX; i++)
		params[i] = (Param){.source = PARAM_QUERY, .type = PARAM_BOOL, .name = "q"};
	row.params = params;
	ck_assert(!is_taken(&row));
	params[ENDPOINT_PARAMS_MAX].source = PARAM_END;
	ck_assert(is_taken(&row));

	/* each of these is two of the statement's */
	for (int i = 0; i < ENDPOINT_PARAMS_MAX; i++)
		params[i] =
			(Param){.source = PARAM_QUERY, .type = PARAM_ID_OR_TIME, .name = "q", .prefix = "x"};
	ck_assert(!is_taken(&row));

	row = good_row();
	for (int i = 0; i <= ENDPOINT_COLUMNS_MAX; i++)
		many[i] = (Column){COLUMN_TEXT, "c", "c", NULL};
	row.columns = many;
	ck_assert(!is_taken(&row));
	many[ENDPOINT_COLUMNS_MAX].type = COLUMN_END;
	ck_assert(is_taken(&row));
}
END_TEST

START_TEST(ids_have_prefixes_and_parameters_have_sources_that_fit)
{
	static const Param bad[] = {
		{.source = PARAM_PATH, .type = PARAM_ID, .name = "s"},
		{.source = PARAM_PATH, .type = PARAM_INT, .name = "s"},
		{.source = PARAM_QUERY, .type = PARAM_TEXT},
		{.source = PARAM_QUERY, .type = PARAM_TEXT_ARRAY, .name = "q"},
		{.source = PARAM_BODY, .type = PARAM_ID_OR_TIME, .name = "q", .prefix = "x"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		Param params[] = {bad[i], {.source = PARAM_END}};
		Endpoint row = good_row();

		row.params = params;
		ck_assert(!is_taken(&row));
	}
}
END_TEST

START_TEST(columns_are_named_in_the_answer_and_in_the_statement)
{
	static const Column bad[] = {
		{COLUMN_TEXT, NULL, "c", NULL},
		{COLUMN_TEXT, "c", NULL, NULL},
		{COLUMN_ID, "c", "c", NULL},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		Column list[] = {bad[i], {COLUMN_END, NULL, NULL, NULL}};
		Endpoint row = good_row();

		row.columns = list;
		ck_assert(!is_taken(&row));
	}
}
END_TEST

START_TEST(a_cursor_and_a_second_status_have_a_column)
{
	Endpoint row = good_row();

	row.cursor[0] = (CursorPart){CURSOR_UUID, NULL};
	ck_assert(!is_taken(&row));
	row.cursor[0].column = "id";
	ck_assert(is_taken(&row));
	row.flag_status = 202;
	ck_assert(!is_taken(&row));
	row.flag = "done";
	ck_assert(is_taken(&row));
	row.flag_status = 0;
	ck_assert(!is_taken(&row));
}
END_TEST

START_TEST(a_body_that_is_right_can_be_sent)
{
	Param params[] = {{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "x"},
					  {.source = PARAM_BODY, .type = PARAM_TEXT, .name = "t", .max = 5000},
					  {.source = PARAM_END}};
	Endpoint row = good_row();

	row.params = params;
	ck_assert(is_taken(&row));
	ck_assert_uint_eq(endpoint_body_max(&row), BODY_USUAL);
	params[1].max = BODY_USUAL / 12;
	ck_assert(!is_taken(&row));
	row.body_max = BODY_LARGE;
	ck_assert(is_taken(&row));
	params[1].type = PARAM_TEXT_ARRAY;
	params[1].max_items = 100;
	ck_assert(!is_taken(&row));
	params[1] = (Param){.source = PARAM_END};
	row.body_max = HTTP_BODY_MAX + 1;
	ck_assert(!is_taken(&row));
}
END_TEST

START_TEST(a_row_has_a_statement_that_is_built_in_and_a_status)
{
	Endpoint row = good_row();

	row.statement = "no_such_statement";
	ck_assert(!is_taken(&row));
	row.statement = NULL;
	ck_assert(!is_taken(&row));
	row = good_row();
	row.status = 0;
	ck_assert(!is_taken(&row));
}
END_TEST

SUITE("api_endpoint_check", a_good_row_is_taken,
	  a_list_of_json_says_which_column_is_its_item_and_no_other_answer_does,
	  a_parameter_of_the_path_is_in_the_pattern, parameters_and_columns_have_bounds,
	  ids_have_prefixes_and_parameters_have_sources_that_fit,
	  columns_are_named_in_the_answer_and_in_the_statement,
	  a_cursor_and_a_second_status_have_a_column, a_body_that_is_right_can_be_sent,
	  a_row_has_a_statement_that_is_built_in_and_a_status)
