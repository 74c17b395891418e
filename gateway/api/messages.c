/*
 * messages.c
 *		Messages: a chat's list, one message, sending.
 *
 * Which members each type of message has, and what they have to be, the database knows;
 * it gets the body as it is, but for what is the same for all types.
 */
#include <stddef.h>

#include "api/endpoint.h"

#define MENTIONS_MAX 256
#define ADDRESS_MAX 128
#define TYPE_MAX 32
#define IDEMPOTENCY_KEY_MAX 255

/* Column of columns: what messages are listed by, and then by id. */
#define TIMESTAMP 22

/* Column of sent_columns: whether an earlier request with the same key made the message. */
#define REPLAYED 5

/* As message_list and message_get return them. */
static const Column columns[] = {
	{COLUMN_ID, "id", "msg"},
	{COLUMN_ID, "sessionId", "sess"},
	{COLUMN_TEXT, "sessionPhoneNumber", NULL},
	{COLUMN_TEXT, "chatJid", NULL},
	{COLUMN_TEXT, "waMessageId", NULL},
	{COLUMN_TEXT, "direction", NULL},
	{COLUMN_BOOL, "fromMe", NULL},
	{COLUMN_TEXT, "senderJid", NULL},
	{COLUMN_TEXT, "senderName", NULL},
	{COLUMN_TEXT, "type", NULL},
	{COLUMN_TEXT, "body", NULL},
	{COLUMN_JSON, "content", NULL},
	{COLUMN_ID, "quotedMessageId", "msg"},
	{COLUMN_TEXT_ARRAY, "mentions", NULL},
	{COLUMN_BOOL, "hasMedia", NULL},
	{COLUMN_JSON, "media", NULL},
	{COLUMN_TEXT, "status", NULL},
	{COLUMN_TEXT, "error", NULL},
	{COLUMN_BOOL, "edited", NULL},
	{COLUMN_BOOL, "revoked", NULL},
	{COLUMN_BOOL, "forwarded", NULL},
	{COLUMN_JSON, "reactions", NULL},
	{COLUMN_TIME, "timestamp", NULL},
	{COLUMN_TIME, "createdAt", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Column sent_columns[] = {
	{COLUMN_ID, "id", "msg"},         {COLUMN_ID, "messageId", "msg"},
	{COLUMN_ID, "sessionId", "sess"}, {COLUMN_TEXT, "status", NULL},
	{COLUMN_TIME, "timestamp", NULL}, {COLUMN_BOOL, "replayed", NULL},
	{COLUMN_END, NULL, NULL},
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

static const Param send_params[] = {
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
	 .min = 1,
	 .max = TYPE_MAX},
	{.source = PARAM_BODY_REST},
	{.source = PARAM_BODY, .type = PARAM_ID, .name = "replyTo", .prefix = "msg"},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT_ARRAY,
	 .name = "mentions",
	 .min = 1,
	 .max = ADDRESS_MAX,
	 .max_items = MENTIONS_MAX},
	{.source = PARAM_HEADER,
	 .type = PARAM_TEXT,
	 .name = "Idempotency-Key",
	 .min = 1,
	 .max = IDEMPOTENCY_KEY_MAX},
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
		.cursor = {{CURSOR_TIME, TIMESTAMP}, {CURSOR_UUID, 0}},
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
		.params = send_params,
		.body_max = BODY_LARGE,
		.status = 202,
		.flag_status = 200,
		.flag_column = REPLAYED,
		.answer = ANSWER_ONE,
		.columns = sent_columns,
	},
	{.pattern = NULL},
};
