/*
 * health.c
 *		GET /healthz: the process is up.  GET /readyz: it can serve.
 *
 * Both are for load balancers and need no credential.  Ready means two things.  The
 * database answers on a connection whose statements are prepared, which succeeds only with
 * a suitable version of the extension.  And it accepts changes, so it is no standby.  The
 * self-check has passed before the process listened.  A process that is told to stop is not
 * ready.
 *
 * Because anybody may ask, the database is asked at most once a second: its answer is used
 * for READY_CACHE_MS, and requests that come while it is being asked wait for that answer.
 */
#include "api/call.h"

#include <stdlib.h>

#include "db/result.h"
#include "lib/clock.h"

/* Short, because a load balancer asks again soon. */
#define READY_TIMEOUT_MS 2000

/* How long an answer of the database is used. */
#define READY_CACHE_MS 1000

/* A request that waits.  It is on the list until it is answered or its client has left. */
typedef struct ReadyWaiter
{
	TAILQ_ENTRY(ReadyWaiter) link;
	Readiness *readiness;
	HttpRequest *http;
} ReadyWaiter;

static void
answer_status(HttpRequest *request, const char *json)
{
	Buffer body;

	buffer_init(&body, 256);
	buffer_append_text(&body, json);
	http_respond(request, 200, NULL, 0, "application/json; charset=utf-8", &body);
}

static void
answer_healthy(HttpRequest *request, void *context)
{
	(void) context;
	answer_status(request, "{\"status\":\"ok\"}");
}

static void
answer_readiness(HttpRequest *request, bool ready)
{
	if (ready)
		answer_status(request, "{\"status\":\"ready\"}");
	else
		http_respond_error(request, http_error(HTTP_ERROR_UNAVAILABLE), NULL, 0, NULL, 0);
}

/* Takes a waiter off the list.  The caller has to answer its request. */
static HttpRequest *
end_waiting(ReadyWaiter *waiter)
{
	HttpRequest *request = waiter->http;

	TAILQ_REMOVE(&waiter->readiness->waiters, waiter, link);
	free(waiter);
	return request;
}

static bool
takes_changes(const DbResult *result)
{
	bool writable = false;

	return result->outcome == DB_ROWS && result->rows == 1 && db_bool(result, 0, 0, &writable) &&
		   writable;
}

static void
on_ready_result(void *arg, const DbResult *result)
{
	Readiness *readiness = arg;
	ReadyWaiter *waiter;

	readiness->asked = NULL;
	readiness->known = true;
	readiness->ready = takes_changes(result);
	readiness->answered_ms = clock_monotonic_ms();
	while ((waiter = TAILQ_FIRST(&readiness->waiters)) != NULL)
		answer_readiness(end_waiting(waiter), readiness->ready && !readiness->leaving);
}

/* The client has left.  The database request goes on, since other clients may wait for it. */
static void
on_ready_gone(HttpRequest *request, void *context)
{
	end_waiting(context);
	answer_readiness(request, false);
}

/* Asks the database, unless a request is under way.  Returns false when it could not be asked. */
static bool
ask(Api *api)
{
	Readiness *readiness = &api->readiness;
	DbRequest *db;

	if (readiness->asked != NULL)
		return true;
	db = db_request_new(api->ready, DB_LANE_FAST, READY_TIMEOUT_MS, on_ready_result, readiness);
	if (db == NULL || !db_submit(api->db, db))
		return false;
	readiness->asked = db;
	return true;
}

static void
answer_ready(HttpRequest *request, void *context)
{
	Api *api = context;
	Readiness *readiness = &api->readiness;
	ReadyWaiter *waiter;

	if (readiness->leaving)
	{
		answer_readiness(request, false);
		return;
	}
	if (readiness->known && clock_monotonic_ms() - readiness->answered_ms < READY_CACHE_MS)
	{
		answer_readiness(request, readiness->ready);
		return;
	}
	waiter = malloc(sizeof(*waiter));
	if (waiter == NULL || !ask(api))
	{
		free(waiter);
		answer_readiness(request, false);
		return;
	}
	*waiter = (ReadyWaiter){.readiness = readiness, .http = request};
	TAILQ_INSERT_TAIL(&readiness->waiters, waiter, link);
	http_request_on_gone(request, on_ready_gone, waiter);
}

void
api_leave(Api *api)
{
	api->readiness.leaving = true;
}

void
readiness_init(Readiness *readiness)
{
	TAILQ_INIT(&readiness->waiters);
}

void
readiness_stop(Readiness *readiness)
{
	if (readiness->asked != NULL)
	{
		db_abandon(readiness->asked);
		readiness->asked = NULL;
	}
}

const Endpoint health_endpoints[] = {
	{.method = HTTP_METHOD_GET, .pattern = "/healthz", .open = answer_healthy},
	{.method = HTTP_METHOD_GET, .pattern = "/readyz", .open = answer_ready},
	{.pattern = NULL},
};
