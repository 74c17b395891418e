/*
 * test_realtime.c
 *		Positions are in order, and what is said besides events is right JSON.
 */
#include <stdio.h>
#include <string.h>

#include "realtime/notices.h"
#include "realtime/position.h"
#include "tests/unit/suite.h"

/* Bytes of a short text frame's head. */
#define HEAD 2
#define LONG_HEAD 4

START_TEST(positions_are_in_order)
{
	const Position positions[] = {
		{.epoch = 1, .ordinal = 900, .id = {0xFF}},  {.epoch = 2, .ordinal = 5},
		{.epoch = 2, .ordinal = 5, .id = {0x01}},    {.epoch = 2, .ordinal = 5, .id = {0x80}},
		{.epoch = 2, .ordinal = 5, .id = {0x80, 1}}, {.epoch = 2, .ordinal = INT64_C(1) << 40},
	};
	const size_t count = sizeof(positions) / sizeof(positions[0]);

	for (size_t i = 0; i < count; i++)
	{
		for (size_t j = 0; j < count; j++)
		{
			int order = position_compare(&positions[i], &positions[j]);

			ck_assert_int_eq(order < 0, i < j);
			ck_assert_int_eq(order > 0, i > j);
		}
	}
}
END_TEST

static void
expect(const Buffer *out, size_t head, const char *text)
{
	ck_assert_uint_eq(out->len, head + strlen(text));
	ck_assert_mem_eq(out->data + head, text, strlen(text));
}

START_TEST(the_first_frame_says_what_will_come)
{
	Identity identity = {.org = {1}};
	Filter filter = {.types = (char *) "message,chat.update"};
	const uint8_t since[DB_UUID_SIZE] = {3};
	Buffer out;

	buffer_init(&out, 4096);
	ck_assert(notice_connected(&out, 20000, &identity, &filter, NULL));
	expect(&out, LONG_HEAD,
		   "{\"event\":\"connected\",\"heartbeatSeconds\":20,"
		   "\"organization\":\"org_01000000000000000000000000\","
		   "\"events\":[\"message\",\"chat.update\"]}");
	buffer_clear(&out);
	filter = (Filter){.has_session = true, .session = {2}};
	ck_assert(notice_connected(&out, 250, &identity, &filter, since));
	expect(&out, LONG_HEAD,
		   "{\"event\":\"connected\",\"heartbeatSeconds\":0.250,"
		   "\"organization\":\"org_01000000000000000000000000\","
		   "\"session\":\"sess_02000000000000000000000000\","
		   "\"since\":\"evt_03000000000000000000000000\"}");
	buffer_free(&out);
}
END_TEST

START_TEST(what_is_wrong_is_said_in_a_frame)
{
	Buffer out;

	buffer_init(&out, 4096);
	ck_assert(notice_error(&out, "key_revoked"));
	expect(&out, HEAD, "{\"event\":\"error\",\"error\":\"key_revoked\"}");
	buffer_clear(&out);
	ck_assert(notice_resync_required(&out));
	expect(&out, HEAD, "{\"event\":\"resync_required\"}");
	buffer_free(&out);
}
END_TEST

/* What a query with these types wants, or why it is refused. */
static const char *
types_of(const char *types)
{
	static char text[WANTED_TEXT_MAX + 1];
	HttpField parameter = {.name = {"types", 5}, .value = {types, strlen(types)}};
	const HttpRequest request = {.parameters = &parameter, .n_parameters = 1};
	Wanted wanted = {0};

	wanted_read_query(&wanted, &request, false);
	snprintf(text, sizeof(text), "%s",
			 wanted.problem[0] == '\0' ? wanted.filter.types : wanted.problem_text);
	free(wanted.filter.types);
	return text;
}

START_TEST(types_are_the_same_in_any_order)
{
	ck_assert_str_eq(types_of("message"), "message");
	ck_assert_str_eq(types_of("message,chat.update"), "chat.update,message");
	ck_assert_str_eq(types_of("chat.update,message,chat.update"), "chat.update,message");
	ck_assert_str_eq(types_of("message.update,message,*"), "*,message,message.update");
	/* which there are is not known here: none is lost on the way to whom knows it */
	ck_assert_str_eq(types_of("message,,nonsense"), ",message,nonsense");
}
END_TEST

START_TEST(what_is_wrong_with_a_list_of_types_is_said)
{
	char many[2 * TYPES_MAX + 2];
	char name[TYPE_MAX + 2];

	ck_assert_str_eq(types_of(""), "must be event types, or *, separated by commas");
	ck_assert_str_eq(types_of("message,"), "ends with a comma");
	memset(name, 'x', TYPE_MAX + 1);
	name[TYPE_MAX + 1] = '\0';
	ck_assert_str_eq(types_of(name), "has a type of more than 64 characters");
	name[TYPE_MAX] = '\0';
	ck_assert_str_eq(types_of(name), name);
	for (size_t i = 0; i < sizeof(many) - 1; i++)
		many[i] = i % 2 == 0 ? 'x' : ',';
	many[sizeof(many) - 1] = '\0';
	ck_assert_str_eq(types_of(many), "must be at most 64 event types");
	many[sizeof(many) - 3] = '\0';
	ck_assert_str_eq(types_of(many), "x");
}
END_TEST

START_TEST(a_parameter_that_is_wrong_is_named)
{
	HttpField parameter = {.name = {"colour\xC3\xA4", 8}, .value = {"red", 3}};
	HttpRequest request = {.parameters = &parameter, .n_parameters = 1};
	Wanted wanted = {0};

	wanted_read_query(&wanted, &request, false);
	ck_assert_str_eq(wanted.problem, "colour\xC3\xA4");
	ck_assert_str_eq(wanted.problem_text, "is not known here");
}
END_TEST

START_TEST(filters_are_the_same_when_types_and_session_are)
{
	char types[] = "message";
	const Filter all = {0};
	const Filter some = {.types = types};
	const Filter one = {.has_session = true, .session = {1}};
	const Filter two = {.has_session = true, .session = {2}};
	const Filter zeros = {.has_session = true};

	ck_assert(filter_same(&one, &one));
	ck_assert(!filter_same(&one, &two));
	ck_assert(!filter_same(&all, &one));
	ck_assert(!filter_same(&all, &zeros));
	ck_assert(!filter_same(&all, &some));
	ck_assert(filter_same(&some, &some));
}
END_TEST

SUITE("realtime", positions_are_in_order, the_first_frame_says_what_will_come,
	  what_is_wrong_is_said_in_a_frame, types_are_the_same_in_any_order,
	  what_is_wrong_with_a_list_of_types_is_said, a_parameter_that_is_wrong_is_named,
	  filters_are_the_same_when_types_and_session_are)
