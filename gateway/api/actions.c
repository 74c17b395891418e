/*
 * actions.c
 *		What is done to a message: edited, revoked, reacted to, forwarded.
 *
 * Each is queued, and answered with the action's id; the message shows it when the
 * connector has carried it out.  A forward's messageId is that of the copy.
 */
#include <stddef.h>

#include "api/endpoint.h"

#define ADDRESS_MAX 128
#define TEXT_MAX 65536
#define IDEMPOTENCY_KEY_MAX 255
#define EMOJI_MAX 64 /* enough to be told by the database that it is no emoji */

static const Column columns[] = {
	{COLUMN_ID, "id", "act"},         {COLUMN_ID, "messageId", "msg"},
	{COLUMN_ID, "sessionId", "sess"}, {COLUMN_TEXT, "status", NULL},
	{COLUMN_TIME, "timestamp", NULL}, {COLUMN_END, NULL, NULL},
};

/* Column of forward_columns: whether an earlier request with the same key made the copy. */
#define REPLAYED 5

static const Column forward_columns[] = {
	{COLUMN_ID, "id", "act"},         {COLUMN_ID, "messageId", "msg"},
	{COLUMN_ID, "sessionId", "sess"}, {COLUMN_TEXT, "status", NULL},
	{COLUMN_TIME, "timestamp", NULL}, {COLUMN_BOOL, "replayed", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Param edit_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "m", .prefix = "msg"},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT,
	 .name = "text",
	 .required = true,
	 .min = 1,
	 .max = TEXT_MAX},
	{.source = PARAM_END},
};

static const Param revoke_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "m", .prefix = "msg"},
	{.source = PARAM_END},
};

/* An empty emoji takes the reaction back. */
static const Param react_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "m", .prefix = "msg"},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT,
	 .name = "emoji",
	 .required = true,
	 .min = 0,
	 .max = EMOJI_MAX},
	{.source = PARAM_END},
};

static const Param unreact_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "m", .prefix = "msg"},
	{.source = PARAM_FIXED, .fixed = ""},
	{.source = PARAM_END},
};

static const Param forward_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "m", .prefix = "msg"},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT,
	 .name = "to",
	 .required = true,
	 .min = 1,
	 .max = ADDRESS_MAX},
	{.source = PARAM_HEADER,
	 .type = PARAM_TEXT,
	 .name = "Idempotency-Key",
	 .min = 1,
	 .max = IDEMPOTENCY_KEY_MAX},
	{.source = PARAM_END},
};

const Endpoint action_endpoints[] = {
	{
		.method = HTTP_METHOD_PATCH,
		.pattern = "/api/v1/sessions/{s}/messages/{m}",
		.needs = "send",
		.statement = "message_edit",
		.params = edit_params,
		.body_max = BODY_LARGE,
		.status = 202,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{
		.method = HTTP_METHOD_DELETE,
		.pattern = "/api/v1/sessions/{s}/messages/{m}",
		.needs = "send",
		.statement = "message_revoke",
		.params = revoke_params,
		.status = 202,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{
		.method = HTTP_METHOD_PUT,
		.pattern = "/api/v1/sessions/{s}/messages/{m}/reaction",
		.needs = "send",
		.statement = "message_react",
		.params = react_params,
		.status = 202,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/api/v1/sessions/{s}/messages/{m}/reaction",
		.needs = "send",
		.statement = "message_react",
		.params = react_params,
		.status = 202,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{
		.method = HTTP_METHOD_DELETE,
		.pattern = "/api/v1/sessions/{s}/messages/{m}/reaction",
		.needs = "send",
		.statement = "message_react",
		.params = unreact_params,
		.status = 202,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/api/v1/sessions/{s}/messages/{m}/forward",
		.needs = "send",
		.statement = "message_forward",
		.params = forward_params,
		.status = 202,
		.flag_status = 200,
		.flag_column = REPLAYED,
		.answer = ANSWER_ONE,
		.columns = forward_columns,
	},
	{.pattern = NULL},
};
