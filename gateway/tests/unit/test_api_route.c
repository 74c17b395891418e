/*
 * test_api_route.c
 *		Paths find their endpoint, or are told what they lack; and every row of the
 *		endpoint table fits its statement.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/route.h"
#include "api_request.h"
#include "db/db.h"
#include "lib/json_read.h"

static RouteTable table;

static RouteResult
find(HttpMethod method, const char *path, const Route **route)
{
	SampleRequest sample;

	sample_request(&sample, method, path);
	return route_find(&table, &sample.http, route);
}

START_TEST(paths_that_exist)
{
	static const struct
	{
		HttpMethod method;
		const char *path;
		const char *statement;
	} cases[] = {
		{HTTP_METHOD_GET, "/api/v1/me", "me"},
		{HTTP_METHOD_HEAD, "/api/v1/me", "me"},
		{HTTP_METHOD_GET, "/api/v1/sessions", "session_list"},
		{HTTP_METHOD_POST, "/api/v1/sessions", "session_create"},
		{HTTP_METHOD_GET, "/api/v1/sessions/x", "session_get"},
		{HTTP_METHOD_GET, "/api/v1/sessions/x/chats", "chat_list"},
		{HTTP_METHOD_GET, "/api/v1/sessions/x/chats/y", "chat_get"},
		{HTTP_METHOD_GET, "/api/v1/sessions/x/chats/y/messages", "message_list"},
		{HTTP_METHOD_GET, "/api/v1/sessions/x/messages/y", "message_get"},
		{HTTP_METHOD_POST, "/api/v1/sessions/x/messages", "message_send"},
		{HTTP_METHOD_PATCH, "/api/v1/sessions/x/messages/y", "message_edit"},
		{HTTP_METHOD_DELETE, "/api/v1/sessions/x/messages/y", "message_revoke"},
		{HTTP_METHOD_PUT, "/api/v1/sessions/x/messages/y/reaction", "message_react"},
		{HTTP_METHOD_POST, "/api/v1/sessions/x:start", "session_control"},
		{HTTP_METHOD_POST, "/api/v1/sessions/x/start", "session_control"},
		{HTTP_METHOD_GET, "/api/v1/sessions/x:y", "session_get"},
		{HTTP_METHOD_GET, "/api/v1/sessions/:start", "session_get"},
		{HTTP_METHOD_GET, "/api/v1/sessions/x/chats/1:2@s.whatsapp.net", "chat_get"},
		{HTTP_METHOD_POST, "/api/v1/webhooks/x/secret", "webhook_secret"},
		{HTTP_METHOD_DELETE, "/api/v1/api-keys/x", "api_key_revoke"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const Route *route = NULL;

		ck_assert_int_eq(find(cases[i].method, cases[i].path, &route), ROUTE_FOUND);
		ck_assert_str_eq(route->endpoint->statement, cases[i].statement);
	}
}
END_TEST

START_TEST(paths_that_do_not)
{
	static const char *const paths[] = {"/",
										"/api/v1",
										"/api/v1/",
										"/api/v1/me/",
										"/api/v1/mes",
										"/api/v1/m",
										"/API/v1/me",
										"//api/v1/me",
										"/api/v1/sessions/",
										"/api/v1/sessions//chats",
										"/api/v1/sessions/x/chats/y/messages/z"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
	{
		const Route *route = NULL;

		ck_assert_int_eq(find(HTTP_METHOD_GET, paths[i], &route), ROUTE_NO_PATH);
	}
}
END_TEST

START_TEST(methods_that_do_not)
{
	const Route *route = NULL;
	SampleRequest sample;
	char allow[128];

	ck_assert_int_eq(find(HTTP_METHOD_DELETE, "/api/v1/sessions", &route), ROUTE_NO_METHOD);
	sample_request(&sample, HTTP_METHOD_DELETE, "/api/v1/sessions");
	route_allow(&table, &sample.http, allow, sizeof(allow));
	ck_assert_str_eq(allow, "GET, HEAD, POST, OPTIONS");
	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/sessions/x/messages");
	route_allow(&table, &sample.http, allow, sizeof(allow));
	ck_assert_str_eq(allow, "POST, OPTIONS");
	/* Not the methods of /sessions/{s}, which fits less. */
	ck_assert_int_eq(find(HTTP_METHOD_GET, "/api/v1/sessions/x:start", &route), ROUTE_NO_METHOD);
	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/sessions/x:start");
	route_allow(&table, &sample.http, allow, sizeof(allow));
	ck_assert_str_eq(allow, "POST, OPTIONS");
	/* The server as a whole, and not the page at "/". */
	sample_request(&sample, HTTP_METHOD_OPTIONS, "*");
	route_allow(&table, &sample.http, allow, sizeof(allow));
	ck_assert_str_eq(allow, "GET, HEAD, POST, PATCH, DELETE, PUT, OPTIONS");
}
END_TEST

START_TEST(segments_by_name)
{
	SampleRequest sample;
	const Route *route = NULL;

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/sessions/one/chats/two");
	ck_assert_int_eq(route_find(&table, &sample.http, &route), ROUTE_FOUND);
	ck_assert_str_eq(route_segment(route, &sample.http, "chat").data, "two");
	ck_assert_uint_eq(route_segment(route, &sample.http, "s").len, 3);
	ck_assert_ptr_null(route_segment(route, &sample.http, "sessions").data);
	ck_assert_ptr_null(route_segment(route, &sample.http, "chats").data);

	/* What belongs to the pattern is no part of the name. */
	sample_request(&sample, HTTP_METHOD_POST, "/api/v1/sessions/one:start");
	ck_assert_int_eq(route_find(&table, &sample.http, &route), ROUTE_FOUND);
	ck_assert_uint_eq(route_segment(route, &sample.http, "s").len, 3);
}
END_TEST

/* The largest $n of a statement. */
static int
count_placeholders(const char *text)
{
	int most = 0;

	for (const char *at = strchr(text, '$'); at != NULL; at = strchr(at + 1, '$'))
	{
		int number = atoi(at + 1);

		most = number > most ? number : most;
	}
	return most;
}

static int
count_params(const Endpoint *endpoint)
{
	int count = 0;

	for (const Param *param = endpoint->params; param->source != PARAM_END; param++)
	{
		count += param->type == PARAM_ID_OR_TIME ? 2 : 1;
		if (param->source == PARAM_CURSOR)
			count += endpoint->cursor[1].type != CURSOR_NONE ? 1 : 0;
	}
	return count;
}

START_TEST(rows_fit_their_statements)
{
	for (int i = 0; i < table.count; i++)
	{
		const Endpoint *endpoint = table.routes[i].endpoint;

		if (endpoint->open == NULL)
		{
			ck_assert_int_eq(count_params(endpoint),
							 count_placeholders(db_statements[table.routes[i].statement].text));
			ck_assert_int_le(count_params(endpoint), DB_PARAMS_MAX);
			ck_assert(endpoint->status >= 200 && endpoint->status < 300);
			ck_assert((endpoint->status == 204) == (endpoint->answer == ANSWER_NONE));
			ck_assert((endpoint->columns == NULL) == (endpoint->answer == ANSWER_NONE));
			ck_assert(!endpoint->people || endpoint->needs == NULL);
		}
	}
}
END_TEST

/* --endpoints shows every row, as JSON that a strict reader takes. */
START_TEST(rows_as_json)
{
	Buffer json;
	JsonReadError error;
	JsonValue *root;

	buffer_init(&json, 1024 * 1024);
	ck_assert(api_print_endpoints(&json));
	root = json_read(json.data, json.len, &error);
	ck_assert_ptr_nonnull(root);
	ck_assert_uint_eq(json_read_count(root), (size_t) table.count);
	for (int i = 0; i < table.count; i++)
	{
		const JsonValue *row = json_read_element(root, (size_t) i);
		const char *text;
		size_t len;

		ck_assert(json_read_string(json_read_member(row, "pattern"), &text, &len));
		ck_assert_str_eq(text, table.routes[i].endpoint->pattern);
	}
	json_read_free(root);
	buffer_free(&json);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("api_route");
	TCase *tests = tcase_create("table");
	SRunner *runner;
	int failed;

	if (!routes_make(&table, endpoint_resources))
		return EXIT_FAILURE;
	tcase_add_test(tests, paths_that_exist);
	tcase_add_test(tests, paths_that_do_not);
	tcase_add_test(tests, methods_that_do_not);
	tcase_add_test(tests, segments_by_name);
	tcase_add_test(tests, rows_fit_their_statements);
	tcase_add_test(tests, rows_as_json);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	routes_free(&table);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
