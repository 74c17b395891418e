/*
 * health.c
 *		GET /healthz: the process is up.  GET /readyz: it can serve.
 *
 * Both are for load balancers and take no credential.  Ready means that the database
 * answers on a connection whose statements are prepared, which only the right version of
 * the extension lets happen; the self-check has passed before the process listened.
 */
#include <string.h>

#include "api/call.h"

/* A load balancer asks again soon. */
#define READY_TIMEOUT_MS 2000

static void
answer_status(HttpRequest *request, const char *json)
{
	Buffer body;

	buffer_init(&body, 256);
	buffer_append_text(&body, json);
	http_respond(request, 200, NULL, 0, "application/json; charset=utf-8", &body);
}

static void
answer_not_ready(HttpRequest *request)
{
	http_respond_error(request, http_error(HTTP_ERROR_UNAVAILABLE), NULL, 0, NULL, 0);
}

static void
answer_healthy(HttpRequest *request, void *context)
{
	(void) context;
	answer_status(request, "{\"status\":\"ok\"}");
}

static void
on_ready_result(void *arg, const DbResult *result)
{
	HttpRequest *request = arg;

	if (result->outcome == DB_ROWS)
	{
		answer_status(request, "{\"status\":\"ready\"}");
	}
	else
	{
		answer_not_ready(request);
	}
}

static void
on_ready_gone(HttpRequest *request, void *context)
{
	db_abandon(context);
	answer_not_ready(request);
}

static void
answer_ready(HttpRequest *request, void *context)
{
	Api *api = context;
	DbRequest *db =
		db_request_new(api->ready, DB_LANE_FAST, READY_TIMEOUT_MS, on_ready_result, request);

	if (db == NULL || !db_submit(api->db, db))
	{
		answer_not_ready(request);
		return;
	}
	http_request_on_gone(request, on_ready_gone, db);
}

const Endpoint health_endpoints[] = {
	{.method = HTTP_METHOD_GET, .pattern = "/healthz", .open = answer_healthy},
	{.method = HTTP_METHOD_GET, .pattern = "/readyz", .open = answer_ready},
	{.pattern = NULL},
};
