/*
 * test_api_sealing.c
 *		Credentials of a connector are checked, and leave the gateway sealed: nothing but three
 *		ids is readable without the connector's secret key, and what is sealed names the
 *		organization.
 */
#include <check.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "api/params.h"
#include "api/sealing.h"
#include "api_request.h"
#include "db/db_internal.h"
#include "lib/sealed_box.h"

#define CREDENTIALS_PATH "/api/v1/sessions/sess_01h455vb4pex5vsknk084sn02q/credentials"
#define RIGHT                                                          \
	"{\"phoneNumberId\":\"101\",\"wabaId\":\"202\",\"appId\":\"303\"," \
	"\"accessToken\":\"EAAG~token\",\"appSecret\":\"app-secret\","     \
	"\"verifyToken\":\"verify\",\"graphVersion\":\"v25.0\"}"

static RouteTable table;
static SealedBoxKey key;
static const uint8_t org[DB_UUID_SIZE] = {1, 2, 3};
static const uint8_t key_id[DB_UUID_SIZE] = {9, 8, 7};

/* Begins a call; its statement's parameters are not made yet. */
static void
begin_call(Call *call, SampleRequest *sample, HttpMethod method, const char *path, const char *body)
{
	sample_request(sample, method, path);
	sample_header(sample, "content-type", "application/json");
	sample_body(sample, body);
	memset(call, 0, sizeof(*call));
	call->http = &sample->http;
	ck_assert_int_eq(route_find(&table, &sample->http, &call->route), ROUTE_FOUND);
	ck_assert(call_read_body(call));
}

static void
new_request(Call *call)
{
	if (call->db != NULL)
		db_request_free(call->db);
	call->db = db_request_new(0, DB_LANE_FAST, 1, NULL, NULL);
}

static void
end_call(Call *call)
{
	if (call->db != NULL)
		db_request_free(call->db);
	json_read_free(call->body);
	call_free_sealing(call);
	free(call->problems);
}

static const char *
problem(const Call *call, const char *name)
{
	for (int i = 0; i < call->problem_count; i++)
		if (strcmp(call->problems[i].name, name) == 0)
			return call->problems[i].text;
	return "";
}

/* What the database answers to the question for the key; NULL: the cell is NULL. */
static bool
take_key(Call *call, const void *public_key, int len)
{
	PGresult *cells = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc columns[] = {{.name = (char *) "org_id", .format = 1},
							  {.name = (char *) "key_id", .format = 1},
							  {.name = (char *) "public_key", .format = 1}};
	DbResult result = {.outcome = DB_ROWS, .rows = 1, .columns = 3, .cells = cells};
	bool taken;

	ck_assert(PQsetResultAttrs(cells, 3, columns));
	PQsetvalue(cells, 0, 0, (char *) (uintptr_t) org, DB_UUID_SIZE);
	PQsetvalue(cells, 0, 1, (char *) (uintptr_t) key_id, DB_UUID_SIZE);
	PQsetvalue(cells, 0, 2, (char *) (uintptr_t) public_key, len);
	taken = call_take_key(call, &result);
	PQclear(cells);
	return taken;
}

/* The bytes of the parameter of that number, counted from 0. */
static const char *
param_bytes(const Call *call, int number)
{
	const char *at = call->db->bytes.data;

	for (int i = 0; i < number; i++)
		at += call->db->lengths[i] < 0 ? 0 : call->db->lengths[i];
	return at;
}

static void
check_param(const Call *call, int number, const void *bytes, int len)
{
	ck_assert_int_eq(call->db->lengths[number], len);
	ck_assert_mem_eq(param_bytes(call, number), bytes, (size_t) len);
}

START_TEST(the_key_is_asked_for_and_then_credentials_are_sealed_to_it)
{
	static const char plain[] =
		"{\"organizationId\":\"org_01081g00000000000000000000\",\"phoneNumberId\":\"101\","
		"\"wabaId\":\"202\",\"appId\":\"303\",\"accessToken\":\"EAAG~token\",\"appSecret\":\"app-"
		"secret\",\"verifyToken\":\"verify\",\"graphVersion\":\"v25.0\"}";
	SampleRequest sample;
	Call call;
	char opened[1024] = "";
	int len;

	ck_assert(sealed_box_make_key(&key));
	begin_call(&call, &sample, HTTP_METHOD_PUT, CREDENTIALS_PATH, RIGHT);
	ck_assert(call_needs_key(&call));
	new_request(&call);
	ck_assert(call_ask_key(&call));
	ck_assert(call.asks);
	ck_assert_int_eq(call.db->params, 2);
	ck_assert_int_eq(call.db->lengths[0], DB_UUID_SIZE);
	ck_assert_int_eq(call.db->lengths[1], -1);
	/* it is asked for once */
	ck_assert(!call_needs_key(&call));
	ck_assert(take_key(&call, key.public_key, SEALED_BOX_KEY_SIZE));
	new_request(&call);
	ck_assert(call_add_params(&call));
	ck_assert_int_eq(call.db->params, 1 + SEALING_WIDTH);
	check_param(&call, 1, "101", 3);
	check_param(&call, 2, "202", 3);
	check_param(&call, 3, "303", 3);
	check_param(&call, 4, key_id, DB_UUID_SIZE);
	ck_assert_ptr_null(memmem(call.db->bytes.data, call.db->bytes.len, "EAAG", 4));
	ck_assert_ptr_null(memmem(call.db->bytes.data, call.db->bytes.len, "secret", 6));
	len = call.db->lengths[5];
	ck_assert_int_lt(len - SEALED_BOX_EXTRA, (int) sizeof(opened));
	ck_assert(sealed_box_open(&key, (const uint8_t *) param_bytes(&call, 5), (size_t) len,
							  (uint8_t *) opened));
	ck_assert_str_eq(opened, plain);
	end_call(&call);
}
END_TEST

/* The key of the connector that the body names; NULL: the default. */
START_TEST(a_new_session_asks_by_its_connector)
{
	static const char *const bodies[] = {"{\"credentials\":" RIGHT ",\"connector\":\"cloud\"}",
										 "{\"credentials\":" RIGHT "}"};

	for (int i = 0; i < 2; i++)
	{
		SampleRequest sample;
		Call call;

		begin_call(&call, &sample, HTTP_METHOD_POST, "/api/v1/sessions", bodies[i]);
		ck_assert(call_needs_key(&call));
		new_request(&call);
		ck_assert(call_ask_key(&call));
		ck_assert_int_eq(call.db->params, 2);
		ck_assert_int_eq(call.db->lengths[0], -1);
		if (i == 0)
			check_param(&call, 1, "cloud", 5);
		else
			ck_assert_int_eq(call.db->lengths[1], -1);
		end_call(&call);
	}
}
END_TEST

START_TEST(a_session_without_credentials_asks_for_no_key)
{
	SampleRequest sample;
	Call call;

	begin_call(&call, &sample, HTTP_METHOD_POST, "/api/v1/sessions", "{\"connector\":\"cloud\"}");
	ck_assert(!call_needs_key(&call));
	ck_assert(take_key(&call, NULL, -1));
	new_request(&call);
	ck_assert(call_add_params(&call));
	ck_assert(!call.refused);
	end_call(&call);
}
END_TEST

START_TEST(an_answer_without_a_key_is_none)
{
	static const int lengths[] = {-1, 0, SEALED_BOX_KEY_SIZE - 1, SEALED_BOX_KEY_SIZE + 1};
	uint8_t bytes[SEALED_BOX_KEY_SIZE + 1] = {5};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
	{
		SampleRequest sample;
		Call call;

		begin_call(&call, &sample, HTTP_METHOD_PUT, CREDENTIALS_PATH, RIGHT);
		ck_assert(call_needs_key(&call));
		new_request(&call);
		ck_assert(call_ask_key(&call));
		ck_assert(!take_key(&call, bytes, lengths[i]));
		end_call(&call);
	}
}
END_TEST

/* Nothing goes on that was sealed to a key with which everybody can open it. */
START_TEST(a_key_of_small_order_fails)
{
	static const uint8_t one[SEALED_BOX_KEY_SIZE] = {1};
	SampleRequest sample;
	Call call;

	begin_call(&call, &sample, HTTP_METHOD_PUT, CREDENTIALS_PATH, RIGHT);
	ck_assert(call_needs_key(&call));
	new_request(&call);
	ck_assert(call_ask_key(&call));
	ck_assert(take_key(&call, one, SEALED_BOX_KEY_SIZE));
	new_request(&call);
	ck_assert(!call_add_params(&call));
	ck_assert_ptr_null(memmem(call.db->bytes.data, call.db->bytes.len, "EAAG", 4));
	end_call(&call);
}
END_TEST

/* All that is wrong is named, and no value is repeated. */
START_TEST(wrong_credentials_are_named)
{
	static const struct
	{
		const char *body;
		const char *name;
		const char *text;
	} cases[] = {
		{"{}", "phoneNumberId", "is required"},
		{"{}", "accessToken", "is required"},
		{"{}", "graphVersion", ""},
		{"{\"phoneNumberId\":101}", "phoneNumberId", "must be a string"},
		{"{\"phoneNumberId\":\"\"}", "phoneNumberId", "must have 1 to 20 digits"},
		{"{\"phoneNumberId\":\"+1\"}", "phoneNumberId", "must have 1 to 20 digits"},
		{"{\"appId\":\"123456789012345678901\"}", "appId", "must have 1 to 20 digits"},
		{"{\"accessToken\":\"a b\"}", "accessToken",
		 "must have 1 to 2048 visible ASCII characters"},
		{"{\"accessToken\":\"a\\r\\nb\"}", "accessToken",
		 "must have 1 to 2048 visible ASCII characters"},
		{"{\"verifyToken\":\"\xc3\xa4\"}", "verifyToken",
		 "must have 1 to 256 visible ASCII characters"},
		{"{\"graphVersion\":\"25.0\"}", "graphVersion",
		 "must have 1 to 8 characters, such as v25.0"},
		{"{\"graphVersion\":\"v25.\"}", "graphVersion",
		 "must have 1 to 8 characters, such as v25.0"},
		{"{\"graphVersion\":\"v.0\"}", "graphVersion",
		 "must have 1 to 8 characters, such as v25.0"},
		{"{\"token\":\"x\"}", "token", "is not known here"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		SampleRequest sample;
		Call call;

		begin_call(&call, &sample, HTTP_METHOD_PUT, CREDENTIALS_PATH, cases[i].body);
		ck_assert(!call_needs_key(&call));
		ck_assert(call.refused);
		ck_assert_str_eq(problem(&call, cases[i].name), cases[i].text);
		end_call(&call);
	}
}
END_TEST

START_TEST(wrong_credentials_of_a_new_session_are_named_by_their_place)
{
	SampleRequest sample;
	Call call;

	begin_call(&call, &sample, HTTP_METHOD_POST, "/api/v1/sessions",
			   "{\"credentials\":{\"wabaId\":\"x\",\"other\":1}}");
	ck_assert(!call_needs_key(&call));
	ck_assert_str_eq(problem(&call, "credentials.wabaId"), "must have 1 to 20 digits");
	ck_assert_str_eq(problem(&call, "credentials.other"), "is not known here");
	end_call(&call);
	begin_call(&call, &sample, HTTP_METHOD_POST, "/api/v1/sessions", "{\"credentials\":[]}");
	ck_assert(!call_needs_key(&call));
	ck_assert_str_eq(problem(&call, "credentials"), "must be an object");
	end_call(&call);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("api_sealing");
	TCase *tests = tcase_create("api_sealing");
	SRunner *runner;
	int failed;

	if (!routes_make(&table, endpoint_resources))
		return EXIT_FAILURE;
	tcase_add_test(tests, the_key_is_asked_for_and_then_credentials_are_sealed_to_it);
	tcase_add_test(tests, a_new_session_asks_by_its_connector);
	tcase_add_test(tests, a_session_without_credentials_asks_for_no_key);
	tcase_add_test(tests, an_answer_without_a_key_is_none);
	tcase_add_test(tests, a_key_of_small_order_fails);
	tcase_add_test(tests, wrong_credentials_are_named);
	tcase_add_test(tests, wrong_credentials_of_a_new_session_are_named_by_their_place);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	routes_free(&table);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
