/*
 * test_api_params.c
 *		Bodies and queries become parameters; what is wrong with them is named, all of it,
 *		and an id that is none is the id of nothing.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "api/params.h"
#include "api_request.h"
#include "db/db_internal.h"

#define SESSION "sess_01h455vb4pex5vsknk084sn02q"
#define MESSAGES "/api/v1/sessions/" SESSION "/messages"

static RouteTable table;

/* What came of a request: the call's notes, and the parameters. */
static void
read_call(Call *call, const SampleRequest *sample)
{
	memset(call, 0, sizeof(*call));
	call->http = (HttpRequest *) &sample->http;
	ck_assert_int_eq(route_find(&table, &sample->http, &call->route), ROUTE_FOUND);
	if (call_read_body(call))
	{
		call->db = db_request_new(0, DB_LANE_FAST, 1, NULL, NULL);
		ck_assert(call_add_params(call));
	}
}

static void
end_call(Call *call)
{
	db_request_free(call->db);
	json_read_free(call->body);
	free(call->problems);
}

/* The problem noted under that name, or "". */
static const char *
problem(const Call *call, const char *name)
{
	for (int i = 0; i < call->problem_count; i++)
		if (strcmp(call->problems[i].name, name) == 0)
			return call->problems[i].text;
	return "";
}

static void
post(SampleRequest *sample, const char *path, const char *body)
{
	sample_request(sample, HTTP_METHOD_POST, path);
	sample_header(sample, "content-type", "application/json");
	sample_body(sample, body);
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

START_TEST(a_text_message)
{
	static const char content[] = "\x01{\"text\":\"hi\"}";
	SampleRequest sample;
	Call call;

	post(&sample, MESSAGES,
		 "{\"type\":\"text\",\"to\":\"123\",\"text\":\"hi\",\"mentions\":[\"9\"]}");
	read_call(&call, &sample);
	ck_assert(!call.refused);
	ck_assert_int_eq(call.db->params, 7);
	ck_assert_int_eq(call.db->lengths[0], 16);
	ck_assert_int_eq(call.db->lengths[1], 3);
	ck_assert_int_eq(call.db->lengths[2], 4);
	ck_assert_int_eq(call.db->lengths[3], (int) sizeof(content) - 1);
	ck_assert_mem_eq(param_bytes(&call, 3), content, sizeof(content) - 1);
	ck_assert_int_eq(call.db->lengths[4], -1);
	ck_assert_int_eq(call.db->lengths[6], -1);
	end_call(&call);
}
END_TEST

/* What the row does not take by name goes on as it came, whatever it is. */
START_TEST(the_rest_of_a_body)
{
	static const struct
	{
		const char *body;
		const char *content;
	} cases[] = {
		{"{\"type\":\"poll\",\"to\":\"1\"}", "{}"},
		{"{\"a\":{\"to\":[1,null,1.5]},\"type\":\"x\",\"to\":\"1\",\"b\":\"\\\"\u00e9\"}",
		 "{\"a\":{\"to\":[1,null,1.5]},\"b\":\"\\\"\xc3\xa9\"}"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		SampleRequest sample;
		Call call;

		post(&sample, MESSAGES, cases[i].body);
		read_call(&call, &sample);
		ck_assert(!call.refused);
		ck_assert_int_eq(call.db->lengths[3], (int) strlen(cases[i].content) + 1);
		ck_assert_mem_eq(param_bytes(&call, 3) + 1, cases[i].content, strlen(cases[i].content));
		end_call(&call);
	}
}
END_TEST

/* Short numbers are longer when they are written out; there can only be so many of them. */
START_TEST(a_rest_that_grows_is_sent_all_the_same)
{
	static char body[JSON_READ_VALUES_MAX * 4 + 100];

	for (int more = 0; more <= 1; more++)
	{
		size_t len = (size_t) sprintf(body, "{\"type\":\"x\",\"to\":\"1\",\"a\":[1");
		SampleRequest sample;
		Call call;

		/* besides: the object, three names, two texts, the array and its first number */
		for (int i = 0; i < JSON_READ_VALUES_MAX - 8 + more; i++)
			len += (size_t) sprintf(body + len, ",1e9");
		strcpy(body + len, "]}");
		post(&sample, MESSAGES, body);
		read_call(&call, &sample);
		if (more == 0)
			ck_assert_int_eq(call.problem_count, 0);
		else
			ck_assert_str_eq(problem(&call, "body"),
							 "JSON has too many values, at line 1, column 39997");
		end_call(&call);
	}
}
END_TEST

START_TEST(idempotency_keys)
{
	static char longest[257];
	static const struct
	{
		const char *first;
		const char *second;
		int len; /* 0: refused */
	} cases[] = {
		{"k", NULL, 1}, {" ~!", NULL, 3},   {longest + 1, NULL, 255}, {"", NULL, 0},
		{"k", "k", 0},  {longest, NULL, 0}, {"\xc3\xa9", NULL, 0},    {"a\tb", NULL, 0},
	};

	memset(longest, 'x', 256);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		SampleRequest sample;
		Call call;

		post(&sample, MESSAGES, "{\"type\":\"text\",\"to\":\"123\",\"text\":\"hi\"}");
		sample_header(&sample, "idempotency-key", cases[i].first);
		if (cases[i].second != NULL)
			sample_header(&sample, "idempotency-key", cases[i].second);
		read_call(&call, &sample);
		ck_assert(call.refused == (cases[i].len == 0));
		ck_assert(!call.refused || problem(&call, "Idempotency-Key")[0] != '\0');
		ck_assert(call.refused || call.db->lengths[6] == cases[i].len);
		end_call(&call);
	}
}
END_TEST

START_TEST(times_in_the_body)
{
	static const struct
	{
		const char *body;
		bool accepted;
	} cases[] = {
		{"{\"mutedUntil\":0}", true},
		{"{\"mutedUntil\":253402300799999}", true},
		{"{\"mutedUntil\":99999999}", true},
		{"{\"mutedUntil\":100000000000}", true},
		{"{}", true},
		/* in seconds: 1973 to the year 5138 */
		{"{\"mutedUntil\":100000000}", false},
		{"{\"mutedUntil\":1795918791}", false},
		{"{\"mutedUntil\":99999999999}", false},
		{"{\"mutedUntil\":253402300800000}", false},
		{"{\"mutedUntil\":-1}", false},
		{"{\"mutedUntil\":1.5}", false},
		{"{\"mutedUntil\":\"1\"}", false},
		{"{\"mutedUntil\":null}", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		SampleRequest sample;
		Call call;

		sample_request(&sample, HTTP_METHOD_PATCH, "/api/v1/sessions/" SESSION "/chats/1@x");
		sample_header(&sample, "content-type", "application/json");
		sample_body(&sample, cases[i].body);
		read_call(&call, &sample);
		ck_assert_msg(call.refused != cases[i].accepted, "%s", cases[i].body);
		end_call(&call);
	}
}
END_TEST

/* One statement, several rows: the row says which. */
START_TEST(fixed_texts)
{
	SampleRequest sample;
	Call call;

	sample_request(&sample, HTTP_METHOD_POST, "/api/v1/sessions/" SESSION ":restart");
	read_call(&call, &sample);
	ck_assert(!call.refused);
	ck_assert_int_eq(call.db->lengths[0], 16);
	ck_assert_mem_eq(param_bytes(&call, 1), "restart", 7);
	end_call(&call);
}
END_TEST

START_TEST(all_problems_are_named)
{
	SampleRequest sample;
	Call call;

	post(&sample, "/api/v1/sessions",
		 "{\"label\":1,\"start\":\"yes\",\"colour\":2,\"connector\":null}");
	read_call(&call, &sample);
	ck_assert(call.refused);
	ck_assert_int_eq(call.refusal, HTTP_ERROR_VALIDATION);
	ck_assert_str_eq(problem(&call, "label"), "must be a string");
	ck_assert_str_eq(problem(&call, "start"), "must be true or false");
	ck_assert_str_eq(problem(&call, "colour"), "is not known here");
	ck_assert_str_eq(problem(&call, "connector"), "must be a string");
	ck_assert_int_eq(call.problem_count, 4);
	end_call(&call);
}
END_TEST

START_TEST(elements_are_named_by_their_place)
{
	static const struct
	{
		const char *mentions;
		const char *problem;
	} cases[] = {
		{"[\"9\",7]", "mentions[1] must be a string"},
		{"[\"9\",\"9\",\"\"]", "mentions[2] must have 1 to 160 characters"},
		{"\"9\"", "must be an array of strings"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		SampleRequest sample;
		Call call;
		char body[128];

		snprintf(body, sizeof(body), "{\"type\":\"text\",\"to\":\"1\",\"mentions\":%s}",
				 cases[i].mentions);
		post(&sample, MESSAGES, body);
		read_call(&call, &sample);
		ck_assert_str_eq(problem(&call, "mentions"), cases[i].problem);
		end_call(&call);
	}
}
END_TEST

START_TEST(missing_members)
{
	SampleRequest sample;
	Call call;

	post(&sample, MESSAGES, "{\"type\":\"text\"}");
	read_call(&call, &sample);
	ck_assert_str_eq(problem(&call, "to"), "is required");
	ck_assert_int_eq(call.problem_count, 1);
	end_call(&call);

	sample_request(&sample, HTTP_METHOD_POST, MESSAGES);
	read_call(&call, &sample);
	ck_assert_str_eq(problem(&call, "to"), "is required");
	ck_assert_str_eq(problem(&call, "type"), "is required");
	end_call(&call);
}
END_TEST

/* 100 characters of two bytes are 100 characters. */
START_TEST(characters_count_not_bytes)
{
	for (int count = 0; count <= 101; count++)
	{
		SampleRequest sample;
		Call call;
		char body[512] = "{\"label\":\"";

		for (int i = 0; i < count; i++)
			strcat(body, "\xc3\xa9");
		strcat(body, "\"}");
		post(&sample, "/api/v1/sessions", body);
		read_call(&call, &sample);
		ck_assert(call.refused == (count < 1 || count > 100));
		end_call(&call);
	}
}
END_TEST

/* A body cut anywhere is no JSON; nothing is read beyond it. */
START_TEST(bodies_cut_at_every_byte)
{
	static const char body[] = "{\"type\":\"text\",\"to\":\"123\",\"text\":\"h\\u00e9\"}";

	for (size_t len = 1; len < sizeof(body) - 1; len++)
	{
		SampleRequest sample;
		Call call;
		char *cut = malloc(len + 1);

		memcpy(cut, body, len);
		cut[len] = '\0';
		post(&sample, MESSAGES, cut);
		read_call(&call, &sample);
		ck_assert(call.refused);
		ck_assert_int_eq(call.problem_count, 1);
		ck_assert_str_eq(call.problems[0].name, "body");
		end_call(&call);
		free(cut);
	}
}
END_TEST

START_TEST(content_types)
{
	static const struct
	{
		const char *type;
		bool accepted;
	} cases[] = {
		{"application/json", true},
		{"Application/JSON; charset=utf-8", true},
		{"application/json ;x", true},
		{"application/jsonx", false},
		{"application/x-www-form-urlencoded", false},
		{"text/plain", false},
		{"", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		SampleRequest sample;
		Call call;

		sample_request(&sample, HTTP_METHOD_POST, "/api/v1/sessions");
		sample_header(&sample, "content-type", cases[i].type);
		sample_body(&sample, "{}");
		read_call(&call, &sample);
		ck_assert(call.refused != cases[i].accepted);
		ck_assert(cases[i].accepted || call.refusal == HTTP_ERROR_UNSUPPORTED_MEDIA_TYPE);
		end_call(&call);
	}
}
END_TEST

START_TEST(ids_in_the_path)
{
	static const char *const ids[] = {"nonsense", "msg_01h455vb4pex5vsknk084sn02q",
									  "sess_01h455vb4pex5vsknk084sn02", "sess_",
									  "SESS_01h455vb4pex5vsknk084sn02q"};
	static const uint8_t nothing[16];

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
	{
		SampleRequest sample;
		Call call;
		char path[128] = "/api/v1/sessions/";

		sample_request(&sample, HTTP_METHOD_GET, strcat(path, ids[i]));
		read_call(&call, &sample);
		ck_assert(!call.refused);
		ck_assert_mem_eq(call.db->bytes.data, nothing, 16);
		end_call(&call);
	}
}
END_TEST

START_TEST(limits)
{
	static const struct
	{
		const char *text;
		int limit; /* 0: refused */
	} cases[] = {
		{"1", 1},  {"200", 200}, {"007", 7}, {"0", 0},  {"201", 0}, {"", 0},
		{"-1", 0}, {"+1", 0},    {"1.0", 0}, {" 1", 0}, {"1e2", 0}, {"99999999999999999999", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		SampleRequest sample;
		Call call;

		sample_request(&sample, HTTP_METHOD_GET, "/api/v1/sessions");
		sample_parameter(&sample, "limit", cases[i].text);
		read_call(&call, &sample);
		ck_assert_msg(call.refused == (cases[i].limit == 0), "%s", cases[i].text);
		ck_assert(call.refused || call.limit == cases[i].limit);
		end_call(&call);
	}
}
END_TEST

START_TEST(queries_given_twice)
{
	SampleRequest sample;
	Call call;

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/sessions");
	sample_parameter(&sample, "limit", "0");
	sample_parameter(&sample, "limit", "5");
	sample_parameter(&sample, "status", "sleepy");
	read_call(&call, &sample);
	ck_assert_str_eq(problem(&call, "limit"), "must be given once");
	ck_assert_int_eq(call.problem_count, 2);
	end_call(&call);
}
END_TEST

/* A misspelt filter or a compressed body is named, whatever the endpoint takes. */
START_TEST(parameters_that_the_endpoint_does_not_have)
{
	static const struct
	{
		HttpMethod method;
		const char *path;
		const char *name;
		bool known;
	} cases[] = {
		{HTTP_METHOD_GET, "/api/v1/sessions", "limt", false},
		{HTTP_METHOD_GET, "/api/v1/sessions", "Limit", false},
		{HTTP_METHOD_GET, "/api/v1/sessions", "", false},
		{HTTP_METHOD_GET, "/api/v1/sessions", "limit", true},
		{HTTP_METHOD_GET, "/api/v1/sessions/" SESSION, "limit", false},
		{HTTP_METHOD_GET, "/api/v1/events", "type", false},
		{HTTP_METHOD_GET, "/api/v1/events", "types", true},
		{HTTP_METHOD_GET, "/api/v1/me", "x", false},
		{HTTP_METHOD_POST, "/api/v1/sessions", "label", false},
		{HTTP_METHOD_POST, "/api/v1/sessions/" SESSION ":start", "force", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		SampleRequest sample;
		Call call;

		sample_request(&sample, cases[i].method, cases[i].path);
		sample_parameter(&sample, cases[i].name, "5");
		read_call(&call, &sample);
		ck_assert_msg((strcmp(problem(&call, cases[i].name), "is not known here") == 0) !=
						  cases[i].known,
					  "%s?%s", cases[i].path, cases[i].name);
		end_call(&call);
	}
}
END_TEST

START_TEST(bodies_that_are_not_plain)
{
	static const struct
	{
		const char *coding;
		bool accepted;
	} cases[] = {
		{"identity", true},        {"Identity", true}, {"gzip", false},
		{"identity, gzip", false}, {"br", false},      {"", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		SampleRequest sample;
		Call call;

		post(&sample, "/api/v1/sessions", "{}");
		sample_header(&sample, "content-encoding", cases[i].coding);
		read_call(&call, &sample);
		ck_assert_msg(call.refused != cases[i].accepted, "%s", cases[i].coding);
		ck_assert(cases[i].accepted || call.refusal == HTTP_ERROR_UNSUPPORTED_MEDIA_TYPE);
		ck_assert(cases[i].accepted || strstr(call.refusal_message, "Content-Encoding") != NULL);
		ck_assert(cases[i].accepted || strcmp(call.refusal_header->name, "Accept-Encoding") == 0);
		end_call(&call);
	}
}
END_TEST

START_TEST(ids_or_times)
{
	static const struct
	{
		const char *text;
		int id_len;
		int time_len;
	} cases[] = {
		{"msg_01h455vb4pex5vsknk084sn02q", 16, -1},
		{"1700000000000", -1, 8},
		{"1700000000", 0, 0}, /* in seconds */
		{"sess_01h455vb4pex5vsknk084sn02q", 0, 0},
		{"yesterday", 0, 0},
		{"999999999999999", 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		SampleRequest sample;
		Call call;

		sample_request(&sample, HTTP_METHOD_GET,
					   "/api/v1/sessions/" SESSION "/chats/1@s.whatsapp.net/messages");
		sample_parameter(&sample, "before", cases[i].text);
		read_call(&call, &sample);
		ck_assert(call.refused == (cases[i].id_len == 0));
		if (!call.refused)
		{
			ck_assert_int_eq(call.db->params, 9);
			ck_assert_int_eq(call.db->lengths[2], cases[i].id_len);
			ck_assert_int_eq(call.db->lengths[3], cases[i].time_len);
		}
		end_call(&call);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("api_params");
	TCase *tests = tcase_create("parameters");
	SRunner *runner;
	int failed;

	if (!routes_make(&table, endpoint_resources))
		return EXIT_FAILURE;
	tcase_add_test(tests, a_text_message);
	tcase_add_test(tests, all_problems_are_named);
	tcase_add_test(tests, the_rest_of_a_body);
	tcase_add_test(tests, a_rest_that_grows_is_sent_all_the_same);
	tcase_add_test(tests, idempotency_keys);
	tcase_add_test(tests, times_in_the_body);
	tcase_add_test(tests, fixed_texts);
	tcase_add_test(tests, elements_are_named_by_their_place);
	tcase_add_test(tests, missing_members);
	tcase_add_test(tests, characters_count_not_bytes);
	tcase_add_test(tests, bodies_cut_at_every_byte);
	tcase_add_test(tests, content_types);
	tcase_add_test(tests, ids_in_the_path);
	tcase_add_test(tests, limits);
	tcase_add_test(tests, queries_given_twice);
	tcase_add_test(tests, parameters_that_the_endpoint_does_not_have);
	tcase_add_test(tests, bodies_that_are_not_plain);
	tcase_add_test(tests, ids_or_times);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	routes_free(&table);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
