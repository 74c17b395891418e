/*
 * me.c
 *		/me: whose credential this is and what it may do.
 */
#include "api/endpoint.h"

static const Param no_params[] = {{.source = PARAM_END}};

static const Column columns[] = {
	{COLUMN_ID, "organizationId", "org"},
	{COLUMN_ID, "keyId", "key"},
	{COLUMN_ID, "userId", "usr"},
	{COLUMN_TEXT, "name", NULL},
	{COLUMN_TEXT_ARRAY, "permissions", NULL},
	{COLUMN_END, NULL, NULL},
};

const Endpoint me_endpoints[] = {
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/me",
		.needs = NULL,
		.statement = "me",
		.params = no_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{.pattern = NULL},
};
