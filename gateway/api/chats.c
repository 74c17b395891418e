/*
 * chats.c
 *		/sessions/{s}/chats: conversations, the last active one first.
 */
#include <stddef.h>

#include "api/endpoint.h"

/* As all statements of this file return them; the jid is first, for ANSWER_LIST_IN,
 * and is the chat's id as well. */
static const Column columns[] = {
	{COLUMN_TEXT, "jid", NULL},
	{COLUMN_HIDDEN, "active_at", NULL},
	{COLUMN_TEXT, "id", NULL},
	{COLUMN_ID, "sessionId", "sess"},
	{COLUMN_TEXT, "type", NULL},
	{COLUMN_TEXT, "name", NULL},
	{COLUMN_TIME, "lastMessageAt", NULL},
	{COLUMN_INT, "unreadCount", NULL},
	{COLUMN_BOOL, "archived", NULL},
	{COLUMN_BOOL, "pinned", NULL},
	{COLUMN_TIME, "mutedUntil", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Param list_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	/* few chats among many may be so */
	{.source = PARAM_QUERY, .type = PARAM_BOOL, .name = "unread", .slow = true},
	{.source = PARAM_QUERY, .type = PARAM_BOOL, .name = "archived", .slow = true},
	{.source = PARAM_CURSOR},
	{.source = PARAM_LIMIT},
	{.source = PARAM_END},
};

static const Param get_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_PATH, .type = PARAM_TEXT, .name = "chat"},
	{.source = PARAM_END},
};

static const Param update_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_PATH, .type = PARAM_TEXT, .name = "chat"},
	{.source = PARAM_BODY, .type = PARAM_BOOL, .name = "archived"},
	{.source = PARAM_BODY, .type = PARAM_BOOL, .name = "pinned"},
	{.source = PARAM_BODY, .type = PARAM_TIME, .name = "mutedUntil", .clearable = true},
	{.source = PARAM_END},
};

const Endpoint chat_endpoints[] = {
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/sessions/{s}/chats",
		.needs = "read",
		.statement = "chat_list",
		.params = list_params,
		.status = 200,
		.answer = ANSWER_LIST_IN,
		.columns = columns,
		.cursor = {{CURSOR_TIME, 1}, {CURSOR_TEXT, 0}},
	},
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/sessions/{s}/chats/{chat}",
		.needs = "read",
		.statement = "chat_get",
		.params = get_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{
		.method = HTTP_METHOD_PATCH,
		.pattern = "/api/v1/sessions/{s}/chats/{chat}",
		.needs = "send",
		.statement = "chat_update",
		.params = update_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/api/v1/sessions/{s}/chats/{chat}/read",
		.needs = "send",
		.statement = "chat_read",
		.lane = DB_LANE_SLOW, /* it marks every unread message of the chat */
		.params = get_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{.pattern = NULL},
};
