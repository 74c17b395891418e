/*
 * sessions.c
 *		/sessions: the WhatsApp numbers of an organization.
 */
#include <stddef.h>

#include "api/endpoint.h"

static const char *const statuses[] = {"starting", "scan_qr_code", "working", "stopped",
									   "failed",   "logged_out",   NULL};

/* As all statements of this file return them. */
static const Column columns[] = {
	{COLUMN_ID, "id", "sess"},
	{COLUMN_ID, "organizationId", "org"},
	{COLUMN_TEXT, "label", NULL},
	{COLUMN_TEXT, "status", NULL},
	{COLUMN_TEXT, "connector", NULL},
	{COLUMN_TEXT, "phoneNumber", NULL},
	{COLUMN_TEXT, "waJid", NULL},
	{COLUMN_BOOL, "autoRead", NULL},
	{COLUMN_BOOL, "presenceTyping", NULL},
	{COLUMN_INT, "ratePerMin", NULL},
	{COLUMN_INT, "ratePerHour", NULL},
	{COLUMN_TIME, "createdAt", NULL},
	{COLUMN_TIME, "updatedAt", NULL},
	{COLUMN_TIME, "lastConnectedAt", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Param list_params[] = {
	{.source = PARAM_QUERY, .type = PARAM_TEXT, .name = "status", .choices = statuses},
	{.source = PARAM_CURSOR},
	{.source = PARAM_LIMIT},
	{.source = PARAM_END},
};

static const Param get_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_END},
};

static const Param create_params[] = {
	{.source = PARAM_BODY, .type = PARAM_TEXT, .name = "label", .min = 1, .max = 100},
	{.source = PARAM_BODY, .type = PARAM_BOOL, .name = "start"},
	{.source = PARAM_BODY, .type = PARAM_BOOL, .name = "autoRead"},
	{.source = PARAM_BODY, .type = PARAM_BOOL, .name = "presenceTyping"},
	{.source = PARAM_BODY, .type = PARAM_TEXT, .name = "connector", .min = 1, .max = 31},
	{.source = PARAM_END},
};

const Endpoint session_endpoints[] = {
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/sessions",
		.needs = "read",
		.statement = "session_list",
		.params = list_params,
		.status = 200,
		.answer = ANSWER_LIST,
		.columns = columns,
		.cursor = {{CURSOR_UUID, 0}},
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/api/v1/sessions",
		.needs = "manage",
		.statement = "session_create",
		.params = create_params,
		.status = 201,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/sessions/{s}",
		.needs = "read",
		.statement = "session_get",
		.params = get_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{.pattern = NULL},
};
