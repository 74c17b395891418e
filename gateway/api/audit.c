/*
 * audit.c
 *		/audit: what happened in an organization, for its owners and admins.
 *
 * Rows are added by the database in the transaction that does the thing.  No endpoint
 * changes or removes one.
 */
#include <stddef.h>

#include "api/endpoint.h"

static const Column columns[] = {
	{COLUMN_ID, "id", "aud"},           {COLUMN_TIME, "at", NULL},
	{COLUMN_TEXT, "actor", NULL},       {COLUMN_TEXT, "actorName", NULL},
	{COLUMN_TEXT, "action", NULL},      {COLUMN_TEXT, "subject", NULL},
	{COLUMN_TEXT, "subjectName", NULL}, {COLUMN_JSON, "detail", NULL},
	{COLUMN_END, NULL, NULL},
};

const Endpoint audit_endpoints[] = {
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/audit",
		.people = true,
		.statement = "audit_list",
		.params = page_params,
		.status = 200,
		.answer = ANSWER_LIST,
		.columns = columns,
		.cursor = {{CURSOR_UUID, 0}},
	},
	{.pattern = NULL},
};
