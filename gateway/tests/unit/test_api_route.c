/*
 * test_api_route.c
 *		Paths find their endpoint, or are told what they lack; and every row of the
 *		endpoint table fits its statement.
 */
#include <check.h>
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/route.h"
#include "api/sealing.h"
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
	sample_request(&sample, HTTP_METHOD_PUT, "/api/v1/sessions/x/messages");
	route_allow(&table, &sample.http, allow, sizeof(allow));
	ck_assert_str_eq(allow, "GET, HEAD, POST, OPTIONS");
	/* Not the methods of /sessions/{sessionId}, which fits less. */
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
	ck_assert_uint_eq(route_segment(route, &sample.http, "sessionId").len, 3);
	ck_assert_ptr_null(route_segment(route, &sample.http, "sessions").data);
	ck_assert_ptr_null(route_segment(route, &sample.http, "chats").data);

	/* What belongs to the pattern is no part of the name. */
	sample_request(&sample, HTTP_METHOD_POST, "/api/v1/sessions/one:start");
	ck_assert_int_eq(route_find(&table, &sample.http, &route), ROUTE_FOUND);
	ck_assert_uint_eq(route_segment(route, &sample.http, "sessionId").len, 3);
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
		if (param->type == PARAM_CREDENTIALS || param->source == PARAM_BODY_CREDENTIALS)
			count += SEALING_WIDTH;
		else
			count += param->type == PARAM_ID_OR_TIME ? 2 : 1;
		for (int i = 1; param->source == PARAM_CURSOR && i < ENDPOINT_CURSOR_MAX; i++)
			count += endpoint->cursor[i].type != CURSOR_NONE ? 1 : 0;
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
			ck_assert((endpoint->columns == NULL) ==
					  (endpoint->answer == ANSWER_NONE || endpoint->answer == ANSWER_LIST_JSON ||
					   endpoint->answer == ANSWER_JSON || endpoint->answer == ANSWER_FILE));
			ck_assert(!endpoint->people || endpoint->needs == NULL);
		}
	}
}
END_TEST

static bool
is_name_byte(char byte)
{
	return isalnum((unsigned char) byte) || byte == '_';
}

/* Whether a statement has a name as a word of its own, in a line that is no comment. */
static bool
statement_has_name(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = text; *at != '\0'; at++)
	{
		bool begins = at == text || !is_name_byte(at[-1]);

		at += strncmp(at, "--", 2) == 0 ? strcspn(at, "\n") : 0;
		if (*at == '\0')
			return false;
		if (begins && strncmp(at, name, len) == 0 && !is_name_byte(at[len]))
			return true;
	}
	return false;
}

/* Without a name that its answer shows, each request would be an internal error. */
START_TEST(statements_have_the_columns_that_rows_show)
{
	for (int i = 0; i < table.count; i++)
	{
		const Endpoint *endpoint = table.routes[i].endpoint;
		const Column *columns = endpoint->open == NULL ? endpoint->columns : NULL;
		const char *text = columns == NULL ? "" : db_statements[table.routes[i].statement].text;

		for (int c = 0; columns != NULL && columns[c].type != COLUMN_END; c++)
			ck_assert_msg(statement_has_name(text, columns[c].column), "%s lacks %s",
						  endpoint->statement, columns[c].column);
		for (int c = 0; columns != NULL && c < ENDPOINT_CURSOR_MAX; c++)
			ck_assert(endpoint->cursor[c].type == CURSOR_NONE ||
					  statement_has_name(text, endpoint->cursor[c].column));
	}
	ck_assert(statement_has_name("-- c\nSELECT m.error", "error"));
	ck_assert(!statement_has_name("SELECT m.error -- error_code", "error_code"));
	ck_assert(!statement_has_name("SELECT m.error_codes", "error_code"));
}
END_TEST

static void
has_text(const JsonValue *object, const char *name, const char *expected)
{
	const char *text = NULL;
	size_t len;

	json_read_string(json_read_member(object, name), &text, &len);
	ck_assert_pstr_eq(text, expected);
}

static void
has_number(const JsonValue *object, const char *name, int64_t expected)
{
	int64_t number = 0;

	json_read_int64(json_read_member(object, name), &number);
	ck_assert_int_eq(number, expected);
}

static void
has_truth(const JsonValue *object, const char *name, bool expected)
{
	bool truth = false;

	json_read_bool(json_read_member(object, name), &truth);
	ck_assert_int_eq(truth, expected);
}

/* The row's parameter of that name that a caller sends. */
static const Param *
find_param(const Endpoint *endpoint, const char *name)
{
	const Param *param = endpoint->params;

	while (param->source != PARAM_END && (param->name == NULL || strcmp(param->name, name) != 0))
		param++;
	return param;
}

static void
shows_params(const JsonValue *params, const Endpoint *endpoint)
{
	for (size_t i = 0; i < json_read_count(params); i++)
	{
		const JsonValue *shown = json_read_element(params, i);
		const char *name;
		size_t len;
		const Param *param;

		ck_assert(json_read_string(json_read_member(shown, "name"), &name, &len));
		param = find_param(endpoint, name);
		if (param->source == PARAM_END)
		{
			ck_assert(strcmp(name, "limit") == 0 || strcmp(name, "cursor") == 0);
			continue;
		}
		has_text(shown, "prefix", param->prefix);
		has_number(shown, "min", param->min);
		has_number(shown, "max", param->max);
		has_number(shown, "maxItems", param->max_items);
		has_truth(shown, "required", param->required || param->source == PARAM_PATH);
		has_truth(shown, "clearable", param->clearable);
		ck_assert_int_eq(param->choices != NULL,
						 json_read_kind(json_read_member(shown, "choices")) == JSON_KIND_ARRAY);
	}
}

/* --endpoints shows every row of the document as it is, in JSON that a strict reader takes. */
START_TEST(rows_as_json)
{
	const Endpoint *endpoint = document_endpoints;
	Buffer json;
	JsonValue *root;

	buffer_init(&json, 1024 * 1024);
	ck_assert(api_print_endpoints(&json));
	/* json_read() takes no text with so many values */
	root = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(root);
	for (size_t i = 0; i < json_read_count(root); i++)
	{
		const JsonValue *row = json_read_element(root, i);
		bool open = false;

		ck_assert(json_read_bool(json_read_member(row, "open"), &open));
		if (open)
			continue;
		has_text(row, "method", http_method_name(endpoint->method));
		has_text(row, "pattern", endpoint->pattern);
		has_text(row, "needs", endpoint->needs);
		has_text(row, "statement", endpoint->statement);
		has_text(row, "flag", endpoint->flag);
		has_truth(row, "people", endpoint->people);
		has_number(row, "status", endpoint->status);
		has_number(row, "flagStatus", endpoint->flag_status);
		has_number(row, "bodyMax", (int64_t) endpoint->body_max);
		shows_params(json_read_member(row, "parameters"), endpoint);
		endpoint++;
	}
	ck_assert_ptr_null(endpoint->pattern);
	json_decref(root);
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
	tcase_add_test(tests, statements_have_the_columns_that_rows_show);
	tcase_add_test(tests, rows_as_json);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	routes_free(&table);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
