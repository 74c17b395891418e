/*
 * webhooks.c
 *		/webhooks: where events are delivered to.
 *
 * A webhook's secret is shown by the request that makes or changes it, and by no other.
 */
#include <stddef.h>

#include "api/endpoint.h"

#define URL_MAX 2048
#define SECRET_MAX 200
#define EVENT_MAX 64
#define EVENTS_MAX 64

/* After a rotation deliveries are signed with the old secret too, for a week at most. */
#define OVERLAP_MAX_SECONDS (7 * 24 * 60 * 60)

/* As all statements return them. */
static const Column columns[] = {
	{COLUMN_ID, "id", "wh"},
	{COLUMN_ID, "organizationId", "org"},
	{COLUMN_ID, "sessionId", "sess"},
	{COLUMN_TEXT, "url", NULL},
	{COLUMN_TEXT_ARRAY, "events", NULL},
	{COLUMN_JSON, "customHeaders", NULL},
	{COLUMN_JSON, "retryPolicy", NULL},
	{COLUMN_BOOL, "active", NULL},
	{COLUMN_TIME, "disabledAt", NULL},
	{COLUMN_TEXT, "disabledReason", NULL},
	{COLUMN_TIME, "createdAt", NULL},
	{COLUMN_TIME, "updatedAt", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Column columns_with_secret[] = {
	{COLUMN_ID, "id", "wh"},
	{COLUMN_ID, "organizationId", "org"},
	{COLUMN_ID, "sessionId", "sess"},
	{COLUMN_TEXT, "url", NULL},
	{COLUMN_TEXT_ARRAY, "events", NULL},
	{COLUMN_JSON, "customHeaders", NULL},
	{COLUMN_JSON, "retryPolicy", NULL},
	{COLUMN_BOOL, "active", NULL},
	{COLUMN_TIME, "disabledAt", NULL},
	{COLUMN_TEXT, "disabledReason", NULL},
	{COLUMN_TIME, "createdAt", NULL},
	{COLUMN_TIME, "updatedAt", NULL},
	{COLUMN_TEXT, "secret", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Param get_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "w", .prefix = "wh"},
	{.source = PARAM_END},
};

static const Param create_params[] = {
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT,
	 .name = "url",
	 .required = true,
	 .min = 1,
	 .max = URL_MAX},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT_ARRAY,
	 .name = "events",
	 .min = 1,
	 .max = EVENT_MAX,
	 .max_items = EVENTS_MAX},
	{.source = PARAM_BODY, .type = PARAM_ID, .name = "sessionId", .prefix = "sess"},
	{.source = PARAM_BODY, .type = PARAM_JSON, .name = "customHeaders"},
	{.source = PARAM_BODY, .type = PARAM_JSON, .name = "retryPolicy"},
	{.source = PARAM_BODY, .type = PARAM_BOOL, .name = "active"},
	{.source = PARAM_BODY, .type = PARAM_TEXT, .name = "secret", .min = 1, .max = SECRET_MAX},
	{.source = PARAM_END},
};

static const Param update_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "w", .prefix = "wh"},
	{.source = PARAM_BODY, .type = PARAM_TEXT, .name = "url", .min = 1, .max = URL_MAX},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT_ARRAY,
	 .name = "events",
	 .min = 1,
	 .max = EVENT_MAX,
	 .max_items = EVENTS_MAX},
	{.source = PARAM_BODY,
	 .type = PARAM_ID,
	 .name = "sessionId",
	 .prefix = "sess",
	 .clearable = true},
	{.source = PARAM_BODY, .type = PARAM_JSON, .name = "customHeaders", .clearable = true},
	{.source = PARAM_BODY, .type = PARAM_JSON, .name = "retryPolicy"},
	{.source = PARAM_BODY, .type = PARAM_BOOL, .name = "active"},
	{.source = PARAM_END},
};

static const Param secret_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "w", .prefix = "wh"},
	{.source = PARAM_BODY, .type = PARAM_TEXT, .name = "secret", .min = 1, .max = SECRET_MAX},
	{.source = PARAM_BODY,
	 .type = PARAM_INT,
	 .name = "overlapSeconds",
	 .min = 0,
	 .max = OVERLAP_MAX_SECONDS},
	{.source = PARAM_END},
};

const Endpoint webhook_endpoints[] = {
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/webhooks",
		.needs = "manage",
		.statement = "webhook_list",
		.params = page_params,
		.status = 200,
		.answer = ANSWER_LIST,
		.columns = columns,
		.cursor = {{CURSOR_UUID, 0}},
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/api/v1/webhooks",
		.needs = "manage",
		.statement = "webhook_create",
		.params = create_params,
		.body_max = 2 * BODY_USUAL,
		.status = 201,
		.answer = ANSWER_ONE,
		.columns = columns_with_secret,
	},
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/webhooks/{w}",
		.needs = "manage",
		.statement = "webhook_get",
		.params = get_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{
		.method = HTTP_METHOD_PATCH,
		.pattern = "/api/v1/webhooks/{w}",
		.needs = "manage",
		.statement = "webhook_update",
		.params = update_params,
		.body_max = 2 * BODY_USUAL,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{
		.method = HTTP_METHOD_DELETE,
		.pattern = "/api/v1/webhooks/{w}",
		.needs = "manage",
		.statement = "webhook_delete",
		.params = get_params,
		.status = 204,
		.answer = ANSWER_NONE,
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/api/v1/webhooks/{w}/secret",
		.needs = "manage",
		.statement = "webhook_secret",
		.params = secret_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = columns_with_secret,
	},
	{.pattern = NULL},
};
