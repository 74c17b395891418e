/*
 * test_cli_request.c
 *		The requests that wa makes of a command line, and what it reads in the answers.
 */
#include <stdio.h>
#include <string.h>

#include "cli/reply.h"
#include "cli/request.h"
#include "tests/unit/suite.h"

#define ARGUMENTS_MAX 24
#define KEY "key_01m85ybdg8en4tk98xxp66f3p4"

static Invocation invocation;

/* Reads a command line, in which tabs separate the words. */
static void
read_line(const char *line)
{
	static char text[500];
	static char program[] = "wa";
	static char url[] = "--url=u";
	static char token[] = "--token-file=t";
	char *argv[ARGUMENTS_MAX] = {program, url, token};
	int argc = 3;

	snprintf(text, sizeof(text), "%s", line);
	for (char *rest = text, *word; (word = strsep(&rest, "\t")) != NULL;)
		argv[argc++] = word;
	ck_assert_msg(invocation_read(&invocation, argc, argv) == INVOCATION_RUN, "%s: %s", line,
				  invocation.problem);
}

START_TEST(a_command_line_becomes_a_request)
{
	static const struct
	{
		const char *line;
		const char *method;
		const char *target;
		const char *body;
	} samples[] = {
		{"key\tlist", "GET", "/api-keys", NULL},
		{"key\tshow\t" KEY, "GET", "/api-keys/" KEY, NULL},
		{"key\tshow\ta/../b?c#d%é ", "GET", "/api-keys/a%2F..%2Fb%3Fc%23d%25%C3%A9%20", NULL},
		{"key\tshow\t01a20be5-b608-7549-a9a5-1ded8c678ec4", "GET",
		 "/api-keys/key_01m85ybdg8en4tk98xxp66f3p4", NULL},
		{"key\trevoke\t" KEY "\t--reason\ta & b", "DELETE", "/api-keys/" KEY "?reason=a%20%26%20b",
		 NULL},
		{"key\tdisable\t" KEY, "PATCH", "/api-keys/" KEY, "{\"enabled\":false}"},
		{"key\tenable\t" KEY, "PATCH", "/api-keys/" KEY, "{\"enabled\":true}"},
		{"key\trotate\t" KEY, "POST", "/api-keys/" KEY "/rotate", "{}"},
		{"key\trotate\t" KEY "\t--overlap\t7 days", "POST", "/api-keys/" KEY "/rotate",
		 "{\"overlapSeconds\":604800}"},
		{"key\trotate\t" KEY "\t--overlap\t90", "POST", "/api-keys/" KEY "/rotate",
		 "{\"overlapSeconds\":90}"},
		{"key\tcreate\ta\"b\tread,send", "POST", "/api-keys",
		 "{\"name\":\"a\\\"b\",\"permissions\":[\"read\",\"send\"]}"},
		{"key\tcreate\ta\tread,\t--test\t--expires\t2027-01-31T12:00:01Z", "POST", "/api-keys",
		 "{\"name\":\"a\",\"permissions\":[\"read\",\"\"],\"expiresAt\":1801396801000,"
		 "\"test\":true}"},
		{"key\tcreate\ta\tread\t--sessions\t\t--burst\t5\t--per-minute\t6", "POST", "/api-keys",
		 "{\"name\":\"a\",\"permissions\":[\"read\"],\"sessions\":[],"
		 "\"rateLimit\":{\"requestsPerMinute\":6,\"burst\":5}}"},
		{"key\tchange\t" KEY "\t--expires\tinfinity\t--sessions\tall\t--addresses\tany", "PATCH",
		 "/api-keys/" KEY, "{\"expiresAt\":null,\"sessions\":null,\"addresses\":null}"},
		{"key\tchange\t" KEY "\t--per-minute\tany", "PATCH", "/api-keys/" KEY,
		 "{\"rateLimit\":null}"},
		{"key\tchange\t" KEY "\t--per-minute\tany\t--burst\t5", "PATCH", "/api-keys/" KEY,
		 "{\"rateLimit\":{\"requestsPerMinute\":null,\"burst\":5}}"},
		{"key\tchange\t" KEY "\t--burst\t5", "PATCH", "/api-keys/" KEY,
		 "{\"rateLimit\":{\"burst\":5}}"},
		{"key\tpolicy", "GET", "/api-keys/policy", NULL},
		{"key\tpolicy\t--default-days\tnone\t--max-days\t90", "PUT", "/api-keys/policy",
		 "{\"maxDays\":90}"},
		{"key\trevoke-all\t--yes", "POST", "/api-keys/revoke", "{\"all\":true}"},
		{"key\trevoke-all\t--yes\t--created-by\tusr_x\t--reason\tr", "POST", "/api-keys/revoke",
		 "{\"createdBy\":\"usr_x\",\"reason\":\"r\"}"},
		{"audit\tlist\t--action\tkey.created\t--from\t1970-01-02\t--to\t1970-01-03 00:00:01", "GET",
		 "/audit?action=key.created&from=86400000&to=172801000", NULL},
		{"audit\texport\t--after\t5", "GET", "/audit/export?after=5", NULL},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		Request request;

		read_line(samples[i].line);
		ck_assert_msg(request_make(&request, &invocation), "%s: %s", samples[i].line,
					  invocation.problem);
		ck_assert_str_eq(request.method, samples[i].method);
		ck_assert_str_eq(request.target.data, samples[i].target);
		ck_assert(request.has_body == (samples[i].body != NULL));
		if (request.has_body)
			ck_assert_str_eq(request.body.data, samples[i].body);
		request_free(&request);
	}
}
END_TEST

START_TEST(what_cannot_be_sent_is_named)
{
	static const struct
	{
		const char *line;
		const char *problem;
	} samples[] = {
		{"key\tchange\t" KEY, "nothing is to be changed"},
		{"key\tpolicy\t--max-days\t5", "over HTTP, key policy needs all of its options, or none"},
		{"key\tcreate\ta\tread\t--burst\t5x", "--burst must be a whole number"},
		{"key\tcreate\ta\tread\t--burst\t 5", "--burst must be a whole number"},
		{"key\tcreate\ta\tread\t--burst\t9999999999999999999", "--burst must be a whole number"},
		{"audit\tlist\t--limit\t-1", "--limit must be a whole number above 0"},
	};
	static const char *const times[] = {"",
										"now",
										"2027",
										"2027-13-01",
										"2027-02-30",
										"2027-01-31T",
										"2027-01-31 12",
										"infinity",
										"2027-01-31T12:00:00+01:00"};
	static const char *const overlaps[] = {
		"", "hours", "1 week", "1 hou", "1 hours x", "9223372036854775807 days", "1.5 days"};
	char line[200];
	Request request;

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		read_line(samples[i].line);
		ck_assert(!request_make(&request, &invocation));
		ck_assert_str_eq(invocation.problem, samples[i].problem);
		request_free(&request);
	}
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
	{
		snprintf(line, sizeof(line), "audit\tlist\t--from\t%s", times[i]);
		read_line(line);
		ck_assert_msg(!request_make(&request, &invocation), "%s", times[i]);
		request_free(&request);
	}
	for (size_t i = 0; i < sizeof(overlaps) / sizeof(overlaps[0]); i++)
	{
		snprintf(line, sizeof(line), "key\trotate\t" KEY "\t--overlap\t%s", overlaps[i]);
		read_line(line);
		ck_assert_msg(!request_make(&request, &invocation), "%s", overlaps[i]);
		request_free(&request);
	}
}
END_TEST

static Buffer
buffer_of(const char *text)
{
	Buffer buffer;

	buffer_init(&buffer, 100000);
	buffer_append_text(&buffer, text);
	return buffer;
}

/* Reads a reply to a command line, and whether it is one. */
static bool
read_reply(const char *line, const char *text, Answer *answer, Buffer *next)
{
	Buffer body = buffer_of(text);
	Request request;
	bool ok;

	read_line(line);
	ck_assert(request_make(&request, &invocation));
	*answer = (Answer){.values = NULL};
	buffer_init(next, 1000);
	reply_add_columns(invocation.command, answer);
	ok = reply_read(invocation.command, &request, &body, answer, next);
	buffer_free(&body);
	request_free(&request);
	return ok;
}

static const char *
value_of(const Answer *answer, int row, const char *name)
{
	return answer_find(answer, row, name, strlen(name)).value;
}

START_TEST(members_become_columns)
{
	Answer answer;
	Buffer next;

	ck_assert(read_reply(
		"key\tlist",
		"{\"data\":[{\"id\":\"k1\",\"status\":\"live\",\"createdAt\":1801396801500,\"permissions\":["
		"\"read\",\"send\"],\"test\":true,\"rateLimit\":{\"burst\":1},\"later\":1},"
		"{\"id\":\"k2\",\"status\":\"revoked\"}],\"nextCursor\":\"abc\"}",
		&answer, &next));
	ck_assert_int_eq(answer.row_count, 2);
	ck_assert_str_eq(next.data, "abc");
	ck_assert_str_eq(value_of(&answer, 0, "createdAt"), "2027-01-31 12:00:01.5+00");
	ck_assert_str_eq(value_of(&answer, 0, "permissions"), "[\"read\",\"send\"]");
	ck_assert_str_eq(value_of(&answer, 0, "restrictedBy"), "[\"rateLimit\",\"test\"]");
	ck_assert_ptr_null(value_of(&answer, 1, "restrictedBy"));
	ck_assert_ptr_null(value_of(&answer, 1, "name"));
	ck_assert_str_eq(value_of(&answer, 0, "status"), "live");
	ck_assert_str_eq(value_of(&answer, 1, "status"), "revoked");
	answer_reverse(&answer);
	ck_assert_str_eq(answer_latest_id(&answer), "k1");
	answer_free(&answer);
	buffer_free(&next);

	ck_assert(read_reply(
		"key\tlist\t--status\trevoked",
		"{\"data\":[{\"id\":\"k1\",\"status\":\"live\"},{\"id\":\"k2\",\"status\":\"revoked\"}]}",
		&answer, &next));
	ck_assert_int_eq(answer.row_count, 1);
	ck_assert_str_eq(answer_latest_id(&answer), "k2");
	ck_assert_uint_eq(next.len, 0);
	answer_free(&answer);
	buffer_free(&next);
}
END_TEST

START_TEST(reasons_of_an_hour_are_counted_and_summed)
{
	Answer answer;
	Buffer next;

	ck_assert(read_reply("key\tusage\t" KEY,
						 "{\"hours\":[{\"from\":0,\"allowed\":3,\"denied\":{\"rate\":2,"
						 "\"expired\":5,\"new\":1}},{\"from\":3600000,\"allowed\":0,"
						 "\"denied\":{}}]}",
						 &answer, &next));
	ck_assert_str_eq(value_of(&answer, 0, "from"), "1970-01-01 00:00:00+00");
	ck_assert_str_eq(value_of(&answer, 0, "denied"), "8");
	ck_assert_str_eq(value_of(&answer, 0, "rate"), "2");
	ck_assert_str_eq(value_of(&answer, 0, "session"), "0");
	ck_assert_str_eq(value_of(&answer, 1, "denied"), "0");
	answer_free(&answer);
	buffer_free(&next);
}
END_TEST

START_TEST(lines_go_on_behind_the_last_sequence)
{
	Answer answer;
	Buffer next;

	ck_assert(read_reply("audit\texport",
						 "{\"sequence\":1,\"detail\":{\"b\":1,\"a\":[]}}\n{\"sequence\":2}\n",
						 &answer, &next));
	ck_assert_int_eq(answer.row_count, 2);
	ck_assert_str_eq(next.data, "2");
	ck_assert_str_eq(value_of(&answer, 0, "detail"), "{\"b\":1,\"a\":[]}");
	answer_free(&answer);
	buffer_free(&next);
	ck_assert(read_reply("audit\texport", "", &answer, &next));
	ck_assert_int_eq(answer.row_count, 0);
	ck_assert_uint_eq(next.len, 0);
	answer_free(&answer);
	buffer_free(&next);
	ck_assert(!read_reply("audit\texport", "{\"sequence\":1}\n\n", &answer, &next));
	answer_free(&answer);
	buffer_free(&next);
}
END_TEST

START_TEST(an_error_is_said_in_the_words_of_the_server)
{
	static const struct
	{
		int status;
		int retry_after_s;
		const char *body;
		const char *text;
	} samples[] = {
		{404, 0, "{\"error\":{\"code\":\"not_found\",\"message\":\"not found\"}}", "not found\n"},
		{403, 0, "{\"error\":{\"message\":\"no\",\"details\":{\"required\":\"manage\"}}}",
		 "no\n  required: manage\n"},
		{429, 7, "{\"error\":{\"message\":\"slow down\"}}",
		 "slow down\n  Try again in 7 seconds.\n"},
		{400, 0, "{\"error\":{\"message\":\"a\\nb\\u001b\",\"details\":{\"x\\r\":\"y\\u009b\"}}}",
		 "a b \n  x : y \n"},
		{500, 0, "{\"error\":7}",
		 "the server answered with the status 500, and not as this API does\n"},
		{502, 0, "", "the server answered with the status 502, and not as this API does\n"},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		Buffer body = buffer_of(samples[i].body);
		Buffer out = buffer_of("");

		reply_write_error(samples[i].status, samples[i].retry_after_s, &body, &out);
		ck_assert_str_eq(out.data, samples[i].text);
		buffer_free(&body);
		buffer_free(&out);
	}
}
END_TEST

SUITE("cli_request", a_command_line_becomes_a_request, what_cannot_be_sent_is_named,
	  members_become_columns, reasons_of_an_hour_are_counted_and_summed,
	  lines_go_on_behind_the_last_sequence, an_error_is_said_in_the_words_of_the_server)
