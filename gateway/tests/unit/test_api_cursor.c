/*
 * test_api_cursor.c
 *		A cursor leads back to the row it was made from, in its own list only, and not when
 *		a single character of it was changed, added or taken away.
 */
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "api/cursor.h"
#include "api_request.h"
#include "db/db_internal.h"
#include "tests/unit/suite.h"

static const Endpoint endpoint = {.cursor = {{CURSOR_TIME, "at"}, {CURSOR_TEXT, "jid"}}};
static const Endpoint by_id = {.cursor = {{CURSOR_UUID, "id"}}};

#define JID "4917012345@s.whatsapp.net"
#define TIME "\x00\x02\xf0\x11\x22\x33\x44\x55"

static void
write_sample(Buffer *out, const SampleRequest *sample)
{
	PGresult *cells = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc columns[2] = {{.name = (char *) "jid", .format = 1},
							   {.name = (char *) "at", .format = 1}};
	DbResult result = {.outcome = DB_ROWS, .rows = 1, .columns = 2, .cells = cells};
	char time[] = TIME;
	char jid[] = JID;

	PQsetResultAttrs(cells, 2, columns);
	PQsetvalue(cells, 0, 0, jid, (int) strlen(jid));
	PQsetvalue(cells, 0, 1, time, 8);
	buffer_init(out, CURSOR_TEXT_MAX);
	ck_assert(cursor_write(out, &endpoint, &sample->http, &result, 0));
	PQclear(cells);
}

static bool
reads(const char *text, size_t len, const Endpoint *row, const SampleRequest *sample)
{
	DbRequest *request = db_request_new(0, DB_LANE_FAST, 1, NULL, NULL);
	HttpText cursor = {.data = text, .len = len};
	bool ok = cursor_read(&cursor, row, &sample->http, request);

	if (ok)
	{
		ck_assert_int_eq(request->params, 2);
		ck_assert_mem_eq(request->bytes.data, TIME, 8);
		ck_assert_mem_eq(request->bytes.data + 8, JID, strlen(JID));
	}
	db_request_free(request);
	return ok;
}

START_TEST(leads_back)
{
	SampleRequest sample;
	Buffer cursor;

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/sessions/x/chats");
	write_sample(&cursor, &sample);
	ck_assert(reads(cursor.data, cursor.len, &endpoint, &sample));
	buffer_free(&cursor);
}
END_TEST

START_TEST(none_is_null_for_each_part)
{
	SampleRequest sample;
	DbRequest *request = db_request_new(0, DB_LANE_FAST, 1, NULL, NULL);

	sample_request(&sample, HTTP_METHOD_GET, "/x");
	ck_assert(cursor_read(NULL, &endpoint, &sample.http, request));
	ck_assert_int_eq(request->params, 2);
	ck_assert_int_eq(request->lengths[0], -1);
	ck_assert_int_eq(request->lengths[1], -1);
	db_request_free(request);
}
END_TEST

START_TEST(another_lists_is_refused)
{
	SampleRequest sample;
	SampleRequest another;
	Buffer cursor;

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/sessions/x/chats");
	sample_request(&another, HTTP_METHOD_GET, "/api/v1/sessions/y/chats");
	write_sample(&cursor, &sample);
	ck_assert(!reads(cursor.data, cursor.len, &endpoint, &another));
	ck_assert(!reads(cursor.data, cursor.len, &by_id, &sample));
	buffer_free(&cursor);
}
END_TEST

START_TEST(every_change_is_refused)
{
	static const char others[] = "AZ09-_=+/. \x80";
	SampleRequest sample;
	Buffer cursor;
	char changed[256];

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/sessions/x/chats");
	write_sample(&cursor, &sample);
	ck_assert_uint_lt(cursor.len, sizeof(changed) - 1);
	for (size_t i = 0; i < cursor.len; i++)
	{
		for (size_t j = 0; j < sizeof(others); j++)
		{
			memcpy(changed, cursor.data, cursor.len);
			changed[i] = others[j];
			ck_assert(reads(changed, cursor.len, &endpoint, &sample) ==
					  (others[j] == cursor.data[i]));
		}
		ck_assert(!reads(cursor.data, i, &endpoint, &sample));
	}
	for (size_t j = 0; j < sizeof(others); j++)
	{
		memcpy(changed, cursor.data, cursor.len);
		changed[cursor.len] = others[j];
		ck_assert(!reads(changed, cursor.len + 1, &endpoint, &sample));
	}
	buffer_free(&cursor);
}
END_TEST

START_TEST(far_too_long_is_refused)
{
	SampleRequest sample;
	char *text = malloc(100000);

	memset(text, 'A', 100000);
	sample_request(&sample, HTTP_METHOD_GET, "/x");
	ck_assert(!reads(text, 100000, &endpoint, &sample));
	ck_assert(!reads(text, CURSOR_TEXT_MAX, &endpoint, &sample));
	free(text);
}
END_TEST

SUITE("api_cursor", leads_back, none_is_null_for_each_part, another_lists_is_refused,
	  every_change_is_refused, far_too_long_is_refused)
