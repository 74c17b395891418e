/*
 * api_keys.c
 *		/api-keys: an organization's keys, for the people who manage them.
 *
 * No API key can touch API keys, whatever its permissions; the database says so.  A key's
 * secret is shown by the request that makes it, and by no other.
 */
#include <stddef.h>

#include "api/endpoint.h"

#define NAME_MAX_CHARACTERS 100
#define PERMISSION_MAX 16
#define PERMISSIONS_MAX 16
#define OVERLAP_MAX (90 * 86400)

#define NAME_TAKEN \
	"a live key of this organization has this name already, or one that looks like it"

/* As all statements return them. */
#define KEY_COLUMNS                                                                       \
	{COLUMN_ID, "id", "key"}, {COLUMN_TEXT, "name", NULL}, {COLUMN_TEXT, "prefix", NULL}, \
		{COLUMN_TEXT_ARRAY, "permissions", NULL}, {COLUMN_TIME, "createdAt", NULL},       \
		{COLUMN_TEXT, "createdBy", NULL}, {COLUMN_TEXT, "createdByName", NULL},           \
		{COLUMN_TIME, "expiresAt", NULL}, {COLUMN_TIME, "lastUsedAt", NULL},              \
		{COLUMN_ID, "rotatedTo", "key"},                                                  \
	{                                                                                     \
		COLUMN_TIME, "revokedAt", NULL                                                    \
	}

static const Column columns[] = {KEY_COLUMNS, {COLUMN_END, NULL, NULL}};

static const Column columns_with_key[] = {
	KEY_COLUMNS,
	{COLUMN_TEXT, "key", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Param create_params[] = {
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT,
	 .name = "name",
	 .required = true,
	 .min = 1,
	 .max = NAME_MAX_CHARACTERS},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT_ARRAY,
	 .name = "permissions",
	 .required = true,
	 .min = 1,
	 .max = PERMISSION_MAX,
	 .max_items = PERMISSIONS_MAX},
	{.source = PARAM_BODY, .type = PARAM_TIME, .name = "expiresAt"},
	{.source = PARAM_END},
};

static const Param update_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "k", .prefix = "key"},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT,
	 .name = "name",
	 .min = 1,
	 .max = NAME_MAX_CHARACTERS},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT_ARRAY,
	 .name = "permissions",
	 .min = 1,
	 .max = PERMISSION_MAX,
	 .max_items = PERMISSIONS_MAX},
	{.source = PARAM_BODY, .type = PARAM_TIME, .name = "expiresAt", .clearable = true},
	{.source = PARAM_END},
};

static const Param revoke_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "k", .prefix = "key"},
	{.source = PARAM_END},
};

static const Param rotate_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "k", .prefix = "key"},
	{.source = PARAM_BODY,
	 .type = PARAM_INT,
	 .name = "overlapSeconds",
	 .min = 0,
	 .max = OVERLAP_MAX},
	{.source = PARAM_END},
};

const Endpoint api_key_endpoints[] = {
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/api-keys",
		.people = true,
		.statement = "api_key_list",
		.params = page_params,
		.status = 200,
		.answer = ANSWER_LIST,
		.columns = columns,
		.cursor = {{CURSOR_UUID, 0}},
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/api/v1/api-keys",
		.people = true,
		.statement = "api_key_create",
		.params = create_params,
		.status = 201,
		.answer = ANSWER_ONE,
		.columns = columns_with_key,
		.conflict = NAME_TAKEN,
	},
	{
		.method = HTTP_METHOD_PATCH,
		.pattern = "/api/v1/api-keys/{k}",
		.people = true,
		.statement = "api_key_update",
		.params = update_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = columns,
		.conflict = NAME_TAKEN,
	},
	{
		.method = HTTP_METHOD_DELETE,
		.pattern = "/api/v1/api-keys/{k}",
		.people = true,
		.statement = "api_key_revoke",
		.params = revoke_params,
		.status = 204,
		.answer = ANSWER_NONE,
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/api/v1/api-keys/{k}/rotate",
		.people = true,
		.statement = "api_key_rotate",
		.params = rotate_params,
		.status = 201,
		.answer = ANSWER_ONE,
		.columns = columns_with_key,
	},
	{.pattern = NULL},
};
