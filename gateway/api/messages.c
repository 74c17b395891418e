/*
 * messages.c
 *		Messages: a chat's list, one message, sending.
 *
 * Each type of message that can be sent is a row of its own; the body's "type" chooses.
 */
#include <stddef.h>

#include "api/endpoint.h"

#define MENTIONS_MAX 256
#define ADDRESS_MAX 128

/* As message_list and message_get return them. */
static const Column columns[] = {
	{COLUMN_ID, "id", "msg"},
	{COLUMN_ID, "sessionId", "sess"},
	{COLUMN_TEXT, "chatJid", NULL},
	{COLUMN_TEXT, "waMessageId", NULL},
	{COLUMN_TEXT, "direction", NULL},
	{COLUMN_BOOL, "fromMe", NULL},
	{COLUMN_TEXT, "senderJid", NULL},
	{COLUMN_TEXT, "senderName", NULL},
	{COLUMN_TEXT, "type", NULL},
	{COLUMN_TEXT, "body", NULL},
	{COLUMN_ID, "quotedMessageId", "msg"},
	{COLUMN_TEXT_ARRAY, "mentions", NULL},
	{COLUMN_BOOL, "hasMedia", NULL},
	{COLUMN_JSON, "media", NULL},
	{COLUMN_TEXT, "status", NULL},
	{COLUMN_TEXT, "error", NULL},
	{COLUMN_BOOL, "edited", NULL},
	{COLUMN_BOOL, "revoked", NULL},
	{COLUMN_JSON, "reactions", NULL},
	{COLUMN_TIME, "timestamp", NULL},
	{COLUMN_TIME, "createdAt", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Column sent_columns[] = {
	{COLUMN_ID, "id", "msg"},         {COLUMN_ID, "messageId", "msg"},
	{COLUMN_ID, "sessionId", "sess"}, {COLUMN_TEXT, "status", NULL},
	{COLUMN_TIME, "timestamp", NULL}, {COLUMN_END, NULL, NULL},
};

static const Param list_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_PATH, .type = PARAM_TEXT, .name = "chat"},
	{.source = PARAM_QUERY, .type = PARAM_ID_OR_TIME, .name = "before", .prefix = "msg"},
	{.source = PARAM_QUERY, .type = PARAM_ID_OR_TIME, .name = "after", .prefix = "msg"},
	{.source = PARAM_CURSOR},
	{.source = PARAM_LIMIT},
	{.source = PARAM_END},
};

static const Param get_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "m", .prefix = "msg"},
	{.source = PARAM_END},
};

static const char *const type_text[] = {"text", NULL};

static const Param send_text_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT,
	 .name = "to",
	 .required = true,
	 .min = 1,
	 .max = ADDRESS_MAX},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT,
	 .name = "type",
	 .required = true,
	 .choices = type_text},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT,
	 .name = "text",
	 .required = true,
	 .min = 1,
	 .max = 65536},
	{.source = PARAM_NULL}, /* content: what other types have besides a body */
	{.source = PARAM_BODY, .type = PARAM_ID, .name = "replyTo", .prefix = "msg"},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT_ARRAY,
	 .name = "mentions",
	 .min = 1,
	 .max = ADDRESS_MAX,
	 .max_items = MENTIONS_MAX},
	{.source = PARAM_END},
};

const Endpoint message_endpoints[] = {
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/sessions/{s}/chats/{chat}/messages",
		.needs = "read",
		.statement = "message_list",
		.params = list_params,
		.status = 200,
		.answer = ANSWER_LIST_IN,
		.columns = columns,
		.cursor = {{CURSOR_UUID, 0}},
	},
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/sessions/{s}/messages/{m}",
		.needs = "read",
		.statement = "message_get",
		.params = get_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/api/v1/sessions/{s}/messages",
		.needs = "send",
		.statement = "message_send",
		.variant_field = "type",
		.variant = "text",
		.params = send_text_params,
		.status = 202,
		.answer = ANSWER_ONE,
		.columns = sent_columns,
		.conflict = "the session is logged out",
	},
	{.pattern = NULL},
};
