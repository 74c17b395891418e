/*
 * contacts.c
 *		/sessions/{s}/contacts: the people whom a session has met, by their address.
 */
#include <stddef.h>

#include "api/endpoint.h"

/* Characters of ?q=. */
#define SEARCH_MAX 100

/* As both statements return them; the jid is first, for ANSWER_LIST_IN. */
static const Column columns[] = {
	{COLUMN_TEXT, "jid", NULL},         {COLUMN_TEXT, "phoneNumber", NULL},
	{COLUMN_TEXT, "name", NULL},        {COLUMN_TEXT, "businessName", NULL},
	{COLUMN_TIME, "firstSeenAt", NULL}, {COLUMN_TIME, "lastSeenAt", NULL},
	{COLUMN_END, NULL, NULL},
};

static const Param list_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_QUERY,
	 .type = PARAM_TEXT,
	 .name = "q",
	 .min = 1,
	 .max = SEARCH_MAX,
	 .slow = true}, /* a search that finds little looks at every contact of the session */
	{.source = PARAM_CURSOR},
	{.source = PARAM_LIMIT},
	{.source = PARAM_END},
};

static const Param get_params[] = {
	{.source = PARAM_PATH, .type = PARAM_ID, .name = "s", .prefix = "sess"},
	{.source = PARAM_PATH, .type = PARAM_TEXT, .name = "contact"},
	{.source = PARAM_END},
};

const Endpoint contact_endpoints[] = {
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/sessions/{s}/contacts",
		.needs = "read",
		.statement = "contact_list",
		.params = list_params,
		.status = 200,
		.answer = ANSWER_LIST_IN,
		.columns = columns,
		.cursor = {{CURSOR_TEXT, 0}},
	},
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/sessions/{s}/contacts/{contact}",
		.needs = "read",
		.statement = "contact_get",
		.params = get_params,
		.status = 200,
		.answer = ANSWER_ONE,
		.columns = columns,
	},
	{.pattern = NULL},
};
