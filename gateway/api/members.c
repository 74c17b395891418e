/*
 * members.c
 *		/members and /invitations: the people of an organization, for its owners and admins.
 *
 * Whoever the user token stands for decides: an admin does nothing to an owner, the last
 * owner stays, everybody may leave; the database says so.  An invitation's secret is shown
 * by the request that makes it, and by no other.
 */
#include <stddef.h>

#include "api/endpoint.h"

#define EMAIL_MAX_CHARACTERS 254

static const char *const roles[] = {"owner", "admin", "member", NULL};

static const Column member_columns[] = {
	{COLUMN_ID, "userId", "usr"}, {COLUMN_TEXT, "email", NULL},     {COLUMN_TEXT, "name", NULL},
	{COLUMN_TEXT, "role", NULL},  {COLUMN_TIME, "createdAt", NULL}, {COLUMN_BOOL, "disabled", NULL},
	{COLUMN_END, NULL, NULL},
};

#define INVITATION_COLUMNS                                                               \
	{COLUMN_ID, "id", "inv"}, {COLUMN_TEXT, "email", NULL}, {COLUMN_TEXT, "role", NULL}, \
		{COLUMN_TIME, "createdAt", NULL}, {COLUMN_ID, "createdBy", "usr"},               \
		{COLUMN_TEXT, "createdByName", NULL},                                            \
	{                                                                                    \
		COLUMN_TIME, "expiresAt", NULL                                                   \
	}

static const Column invitation_columns[] = {INVITATION_COLUMNS, {COLUMN_END, NULL, NULL}};

static const Column invitation_columns_with_secret[] = {
	INVITATION_COLUMNS,
	{COLUMN_TEXT, "invitation", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Param update_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "u", .prefix = "usr"},
	{.source = PARAM_BODY, .type = PARAM_TEXT, .name = "role", .required = true, .choices = roles},
	{.source = PARAM_END},
};

static const Param remove_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "u", .prefix = "usr"},
	{.source = PARAM_END},
};

static const Param invite_params[] = {
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT,
	 .name = "email",
	 .required = true,
	 .min = 3,
	 .max = EMAIL_MAX_CHARACTERS},
	{.source = PARAM_BODY, .type = PARAM_TEXT, .name = "role", .required = true, .choices = roles},
	{.source = PARAM_END},
};

static const Param withdraw_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "i", .prefix = "inv"},
	{.source = PARAM_END},
};

const Endpoint member_endpoints[] = {
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/members",
		.people = true,
		.statement = "member_list",
		.params = page_params,
		.status = 200,
		.answer = ANSWER_LIST,
		.columns = member_columns,
		.cursor = {{CURSOR_UUID, 0}},
	},
	{
		.method = HTTP_METHOD_PATCH,
		.pattern = "/api/v1/members/{u}",
		.people = true,
		.statement = "member_update",
		.params = update_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = member_columns,
	},
	{
		.method = HTTP_METHOD_DELETE,
		.pattern = "/api/v1/members/{u}",
		.people = true,
		.statement = "member_remove",
		.params = remove_params,
		.status = 204,
		.answer = ANSWER_NONE,
	},
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/invitations",
		.people = true,
		.statement = "invitation_list",
		.params = page_params,
		.status = 200,
		.answer = ANSWER_LIST,
		.columns = invitation_columns,
		.cursor = {{CURSOR_UUID, 0}},
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/api/v1/invitations",
		.people = true,
		.statement = "invitation_create",
		.params = invite_params,
		.status = 201,
		.answer = ANSWER_ONE,
		.columns = invitation_columns_with_secret,
		.conflict = "this person is a member already, or is just being invited",
	},
	{
		.method = HTTP_METHOD_DELETE,
		.pattern = "/api/v1/invitations/{i}",
		.people = true,
		.statement = "invitation_withdraw",
		.params = withdraw_params,
		.status = 204,
		.answer = ANSWER_NONE,
	},
	{.pattern = NULL},
};
