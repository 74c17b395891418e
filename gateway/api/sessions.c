/*
 * sessions.c
 *		/sessions: the WhatsApp numbers of an organization.
 *
 * start, stop, restart and logout are one statement, and can be written with a colon or
 * with a slash.
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

static const Param update_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT,
	 .name = "label",
	 .clearable = true,
	 .min = 1,
	 .max = 100},
	{.source = PARAM_BODY, .type = PARAM_BOOL, .name = "autoRead"},
	{.source = PARAM_BODY, .type = PARAM_BOOL, .name = "presenceTyping"},
	{.source = PARAM_BODY, .type = PARAM_INT, .name = "ratePerMin", .min = 0, .max = 100000},
	{.source = PARAM_BODY, .type = PARAM_INT, .name = "ratePerHour", .min = 0, .max = 1000000},
	{.source = PARAM_END},
};

/* The account behind the session, once a phone is paired. */
static const Column me_columns[] = {
	{COLUMN_ID, "sessionId", "sess"},
	{COLUMN_TEXT, "phoneNumber", NULL},
	{COLUMN_TEXT, "waJid", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Column qr_columns[] = {
	{COLUMN_TEXT, "code", NULL},
	{COLUMN_TIME, "expiresAt", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Param pairing_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT,
	 .name = "phone",
	 .required = true,
	 .min = 1,
	 .max = 32},
	{.source = PARAM_END},
};

static const Column pairing_columns[] = {
	{COLUMN_TEXT, "code", NULL},
	{COLUMN_END, NULL, NULL},
};

#define COMMAND_PARAMS(command)                                                  \
	{                                                                            \
		{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"}, \
			{.source = PARAM_FIXED, .fixed = (command)},                         \
		{                                                                        \
			.source = PARAM_END                                                  \
		}                                                                        \
	}

static const Param start_params[] = COMMAND_PARAMS("start");
static const Param stop_params[] = COMMAND_PARAMS("stop");
static const Param restart_params[] = COMMAND_PARAMS("restart");
static const Param logout_params[] = COMMAND_PARAMS("logout");

#define COMMAND(ending, command_params)                                                          \
	{                                                                                            \
		.method = HTTP_METHOD_POST, .pattern = "/api/v1/sessions/{s}" ending, .needs = "manage", \
		.statement = "session_control", .params = (command_params), .status = 200,               \
		.answer = ANSWER_ONE, .columns = columns,                                                \
	}

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
	{
		.method = HTTP_METHOD_PATCH,
		.pattern = "/api/v1/sessions/{s}",
		.needs = "manage",
		.statement = "session_update",
		.params = update_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{
		.method = HTTP_METHOD_DELETE,
		.pattern = "/api/v1/sessions/{s}",
		.needs = "manage",
		.statement = "session_delete",
		.lane = DB_LANE_SLOW, /* all that it has goes with it */
		.params = get_params,
		.status = 204,
		.answer = ANSWER_NONE,
	},
	COMMAND(":start", start_params),
	COMMAND("/start", start_params),
	COMMAND(":stop", stop_params),
	COMMAND("/stop", stop_params),
	COMMAND(":restart", restart_params),
	COMMAND("/restart", restart_params),
	COMMAND(":logout", logout_params),
	COMMAND("/logout", logout_params),
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/sessions/{s}/me",
		.needs = "read",
		.statement = "session_me",
		.params = get_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = me_columns,
	},
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/sessions/{s}/qr",
		.needs = "manage",
		.statement = "session_qr",
		.params = get_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = qr_columns,
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/api/v1/sessions/{s}/pairing-code",
		.needs = "manage",
		.statement = "session_pairing_code",
		.params = pairing_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = pairing_columns,
	},
	{.pattern = NULL},
};
