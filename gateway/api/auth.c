/*
 * auth.c
 *		/auth/: people who sign in at the dashboard.
 *
 * Not a part of the API: what opens these is a cookie, which is good for nothing else, and
 * only this server's own pages may use them.  From the cookie a page mints a user token,
 * and with that it calls the API as everybody does.
 *
 * bcrypt takes a quarter of a second of the database's time, so that whatever checks a
 * password runs in the costly lane; limits on guessing come before it, in the database.
 */
#include <stddef.h>

#include "api/endpoint.h"

/* Longer ones are refused anyway; all of their characters fit into the type's 1024 bytes. */
#define PASSWORD_MAX_CHARACTERS 256

#define NAME_MAX_CHARACTERS 100
#define EMAIL_MAX_CHARACTERS 254

#define NOT_SIGNED_IN "not signed in"
#define WRONG_PASSWORD "email or password is wrong"

#define PASSWORD_PARAM(member)                                                                  \
	{                                                                                           \
		.source = PARAM_BODY, .type = PARAM_TEXT, .name = (member), .required = true, .min = 1, \
		.max = PASSWORD_MAX_CHARACTERS                                                          \
	}

/* Who is signed in, as three statements return it. */
#define SIGN_IN_COLUMNS                                                                      \
	{COLUMN_ID, "userId", "usr"}, {COLUMN_TEXT, "email", NULL}, {COLUMN_TEXT, "name", NULL}, \
		{COLUMN_ID, "activeOrganizationId", "org"}, {COLUMN_JSON, "organizations", NULL},    \
		{COLUMN_TIME, "expiresAt", NULL},                                                    \
	{                                                                                        \
		COLUMN_END, NULL, NULL                                                               \
	}

static const Column who_columns[] = {SIGN_IN_COLUMNS};
static const Column signed_in_columns[] = {
	{COLUMN_COOKIE, "cookie", NULL}, {COLUMN_DEVICE, "device", NULL}, SIGN_IN_COLUMNS};

static const Column token_columns[] = {
	{COLUMN_TEXT, "token", NULL},
	{COLUMN_TIME, "expiresAt", NULL},
	{COLUMN_ID, "organizationId", "org"},
	{COLUMN_END, NULL, NULL},
};

static const Column invitation_columns[] = {
	{COLUMN_TEXT, "email", NULL}, {COLUMN_TEXT, "organization", NULL},
	{COLUMN_TEXT, "role", NULL},  {COLUMN_TIME, "expiresAt", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Column accepted_columns[] = {
	{COLUMN_ID, "organizationId", "org"},
	{COLUMN_ID, "userId", "usr"},
	{COLUMN_TEXT, "email", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Param sign_in_params[] = {
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT,
	 .name = "email",
	 .required = true,
	 .min = 1,
	 .max = EMAIL_MAX_CHARACTERS},
	PASSWORD_PARAM("password"),
	{.source = PARAM_CLIENT},
	{.source = PARAM_AGENT},
	{.source = PARAM_DEVICE},
	{.source = PARAM_END},
};

static const Param cookie_params[] = {
	{.source = PARAM_COOKIE},
	{.source = PARAM_END},
};

static const Param active_org_params[] = {
	{.source = PARAM_COOKIE},
	{.source = PARAM_BODY,
	 .type = PARAM_ID,
	 .name = "organizationId",
	 .prefix = "org",
	 .required = true},
	{.source = PARAM_END},
};

static const Param password_params[] = {
	{.source = PARAM_COOKIE},
	PASSWORD_PARAM("oldPassword"),
	PASSWORD_PARAM("newPassword"),
	{.source = PARAM_END},
};

static const Param invitation_params[] = {
	{.source = PARAM_BODY, .type = PARAM_INVITATION, .name = "invitation", .required = true},
	{.source = PARAM_END},
};

static const Param accept_params[] = {
	{.source = PARAM_BODY, .type = PARAM_INVITATION, .name = "invitation", .required = true},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT,
	 .name = "name",
	 .min = 1,
	 .max = NAME_MAX_CHARACTERS},
	PASSWORD_PARAM("password"),
	{.source = PARAM_END},
};

const Endpoint auth_endpoints[] = {
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/auth/sign-in",
		.door = DOOR_OWN_PAGES,
		.statement = "auth_sign_in",
		.lane = DB_LANE_COSTLY,
		.params = sign_in_params,
		.body_max = BODY_SIGN_IN,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = signed_in_columns,
		.unauthorized = WRONG_PASSWORD,
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/auth/sign-out",
		.door = DOOR_COOKIE,
		.statement = "auth_sign_out",
		.params = cookie_params,
		.status = 204,
		.answer = ANSWER_NONE,
		.unauthorized = NOT_SIGNED_IN,
		.clears_cookie = true,
	},
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/auth/me",
		.door = DOOR_COOKIE,
		.statement = "auth_me",
		.params = cookie_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = who_columns,
		.unauthorized = NOT_SIGNED_IN,
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/auth/active-org",
		.door = DOOR_COOKIE,
		.statement = "auth_active_org",
		.params = active_org_params,
		.body_max = BODY_SIGN_IN,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = who_columns,
		.unauthorized = NOT_SIGNED_IN,
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/auth/token",
		.door = DOOR_COOKIE,
		.statement = "auth_token",
		.params = cookie_params,
		.status = 201,
		.answer = ANSWER_ONE,
		.columns = token_columns,
		.unauthorized = NOT_SIGNED_IN,
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/auth/password",
		.door = DOOR_COOKIE,
		.statement = "auth_password",
		.lane = DB_LANE_COSTLY,
		.params = password_params,
		.body_max = BODY_SIGN_IN,
		.status = 204,
		.answer = ANSWER_NONE,
		.unauthorized = NOT_SIGNED_IN,
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/auth/invitation",
		.door = DOOR_OWN_PAGES,
		.statement = "auth_invitation",
		.params = invitation_params,
		.body_max = BODY_SIGN_IN,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = invitation_columns,
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/auth/invitation/accept",
		.door = DOOR_OWN_PAGES,
		.statement = "auth_accept",
		.lane = DB_LANE_COSTLY,
		.params = accept_params,
		.body_max = BODY_SIGN_IN,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = accepted_columns,
		.unauthorized = "this is not the password of an account with this email address",
	},
	{.pattern = NULL},
};
