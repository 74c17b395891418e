/*
 * deliveries.c
 *		/webhooks/{w}/test and /webhooks/{w}/deliveries: what became of events that a
 *		webhook was to get.
 *
 * The worker delivers; here they are only listed, and asked for.
 */
#include <stddef.h>

#include "api/endpoint.h"

static const char *const statuses[] = {"pending", "delivered", "failed", "dead", NULL};

/* As all statements of this file return them; the id is first, for ANSWER_LIST_IN. */
static const Column columns[] = {
	{COLUMN_ID, "id", "dlv"},
	{COLUMN_ID, "eventId", "evt"},
	{COLUMN_TEXT, "event", NULL},
	{COLUMN_ID, "sessionId", "sess"},
	{COLUMN_TEXT, "status", NULL},
	{COLUMN_INT, "attempts", NULL},
	{COLUMN_TIME, "nextAttemptAt", NULL},
	{COLUMN_INT, "statusCode", NULL},
	{COLUMN_TEXT, "error", NULL},
	{COLUMN_TIME, "createdAt", NULL},
	{COLUMN_TIME, "updatedAt", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Param test_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "w", .prefix = "wh"},
	{.source = PARAM_END},
};

static const Param list_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "w", .prefix = "wh"},
	{.source = PARAM_QUERY,
	 .type = PARAM_TEXT,
	 .name = "status",
	 .choices = statuses,
	 .slow = true}, /* few of many may have it */
	{.source = PARAM_CURSOR},
	{.source = PARAM_LIMIT},
	{.source = PARAM_END},
};

static const Param replay_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "w", .prefix = "wh"},
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "d", .prefix = "dlv"},
	{.source = PARAM_END},
};

const Endpoint delivery_endpoints[] = {
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/api/v1/webhooks/{w}/test",
		.needs = "manage",
		.statement = "webhook_test",
		.params = test_params,
		.status = 202,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/webhooks/{w}/deliveries",
		.needs = "manage",
		.statement = "delivery_list",
		.params = list_params,
		.status = 200,
		.answer = ANSWER_LIST_IN,
		.columns = columns,
		.cursor = {{CURSOR_UUID, 0}},
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/api/v1/webhooks/{w}/deliveries/{d}/replay",
		.needs = "manage",
		.statement = "delivery_replay",
		.params = replay_params,
		.status = 202,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{.pattern = NULL},
};
