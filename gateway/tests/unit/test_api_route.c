/*
 * test_api_route.c
 *		Paths find their endpoint, or are told what they lack; and every row of the
 *		endpoint table fits its statement.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "api/route.h"
#include "api_request.h"
#include "db/db.h"

static const Endpoint *const resources[] = {health_endpoints, me_endpoints,      session_endpoints,
											chat_endpoints,   message_endpoints, NULL};

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
	ck_assert_str_eq(allow, "GET, HEAD, POST");
	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/sessions/x/messages");
	route_allow(&table, &sample.http, allow, sizeof(allow));
	ck_assert_str_eq(allow, "POST");
}
END_TEST

START_TEST(segments_by_name)
{
	SampleRequest sample;
	const Route *route = NULL;

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/sessions/one/chats/two");
	ck_assert_int_eq(route_find(&table, &sample.http, &route), ROUTE_FOUND);
	ck_assert_str_eq(route_segment(route, &sample.http, "chat")->data, "two");
	ck_assert_uint_eq(route_segment(route, &sample.http, "s")->len, 3);
	ck_assert_ptr_null(route_segment(route, &sample.http, "sessions"));
}
END_TEST

START_TEST(variants)
{
	const Route *route = NULL;
	char names[64];

	ck_assert_int_eq(find(HTTP_METHOD_POST, "/api/v1/sessions/x/messages", &route), ROUTE_FOUND);
	ck_assert_ptr_nonnull(route_variant(&table, route, "text", 4));
	ck_assert_ptr_null(route_variant(&table, route, "tex", 3));
	ck_assert_ptr_null(route_variant(&table, route, "", 0));
	route_variants(&table, route, names, sizeof(names));
	ck_assert_str_eq(names, "text");
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
		{
			count += endpoint->cursor[1].type != CURSOR_NONE ? 1 : 0;
		}
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
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("api_route");
	TCase *tests = tcase_create("table");
	SRunner *runner;
	int failed;

	if (!routes_make(&table, resources))
	{
		return EXIT_FAILURE;
	}
	tcase_add_test(tests, paths_that_exist);
	tcase_add_test(tests, paths_that_do_not);
	tcase_add_test(tests, methods_that_do_not);
	tcase_add_test(tests, segments_by_name);
	tcase_add_test(tests, variants);
	tcase_add_test(tests, rows_fit_their_statements);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	routes_free(&table);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
