/*
 * fuzz_cursor.c
 *		A cursor that is accepted adds the parameters of its list and nothing else.
 */
#include "api/cursor.h"
#include "db/db_internal.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/api_request.h"

static const Endpoint by_id = {.cursor = {{CURSOR_UUID, "id"}}};
static const Endpoint by_time = {.cursor = {{CURSOR_TIME, "at"}, {CURSOR_TEXT, "jid"}}};

static void
check_cursor(const HttpText *text, const Endpoint *endpoint, int parts)
{
	DbRequest *request = db_request_new(0, DB_LANE_FAST, 1, NULL, NULL);
	SampleRequest sample;

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/sessions");
	if (cursor_read(text, endpoint, &sample.http, request))
		FUZZ_ASSERT(request->params == parts);
	db_request_free(request);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	HttpText text = {.data = (const char *) data, .len = len};

	check_cursor(&text, &by_id, 1);
	check_cursor(&text, &by_time, 2);
	return 0;
}
