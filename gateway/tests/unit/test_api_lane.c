/*
 * test_api_lane.c
 *		A request that may look at many rows for few is slow; the same one without it is not.
 */
#include <stdlib.h>
#include <string.h>

#include "api/params.h"
#include "api_request.h"
#include "tests/unit/suite.h"

#define SESSION "/api/v1/sessions/sess_01h455vb4pex5vsknk084sn02q"
#define CHATS SESSION "/chats"
#define MESSAGES SESSION "/chats/a/messages"

static const Endpoint *const resources[] = {document_endpoints, NULL};

/* Whether GET path?name=value is slow; name NULL = without a query. */
static bool
is_slow(const char *path, const char *name, const char *value)
{
	RouteTable table;
	SampleRequest sample;
	Call call = {0};

	ck_assert(routes_make(&table, resources));
	sample_request(&sample, HTTP_METHOD_GET, path);
	if (name != NULL)
		sample_parameter(&sample, name, value);
	call.http = &sample.http;
	ck_assert_int_eq(route_find(&table, &sample.http, &call.route), ROUTE_FOUND);
	call.db = db_request_new(0, DB_LANE_FAST, 1, NULL, NULL);
	ck_assert(call_add_params(&call));
	ck_assert(!call.refused);
	db_request_free(call.db);
	routes_free(&table);
	return call.slow;
}

START_TEST(a_filter_that_an_index_does_not_know_is_slow)
{
	ck_assert(!is_slow(CHATS, NULL, NULL));
	ck_assert(!is_slow(CHATS, "limit", "200"));
	ck_assert(is_slow(CHATS, "unread", "true"));
	ck_assert(is_slow(CHATS, "archived", "false"));
}
END_TEST

START_TEST(messages_are_fast_between_times_and_ids)
{
	ck_assert(!is_slow(MESSAGES, NULL, NULL));
	ck_assert(!is_slow(MESSAGES, "before", "msg_01h455vb4pex5vsknk084sn02q"));
	ck_assert(!is_slow(MESSAGES, "before", "1767323045678"));
	ck_assert(!is_slow(MESSAGES, "after", "1767323045678"));
}
END_TEST

SUITE("api_lane", a_filter_that_an_index_does_not_know_is_slow,
	  messages_are_fast_between_times_and_ids)
