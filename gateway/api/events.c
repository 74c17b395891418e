/*
 * events.c
 *		/events: what happened, in order; /realtime/ticket: the way to a socket.
 *
 * An event is shown in the bytes that the database keeps, so that list, socket and
 * webhook show the same ones.
 */
#include <stddef.h>

#include "api/endpoint.h"

#define TYPES_TEXT_MAX 1000
#define EVENT_MAX 64
#define EVENTS_MAX 64

static const char *const scopes[] = {"organization", "session", NULL};

/* As event_list returns them. */
static const Column columns[] = {
	{COLUMN_HIDDEN, "id", NULL},
	{COLUMN_HIDDEN, "envelope", NULL},
	{COLUMN_END, NULL, NULL},
};

/* What an envelope has; see wa.envelope() in schema/74-events.sql. */
static const Column envelope[] = {
	{COLUMN_TEXT, "schema", NULL},      {COLUMN_ID, "id", "evt"},
	{COLUMN_TEXT, "event", NULL},       {COLUMN_ID, "session", "sess"},
	{COLUMN_ID, "organization", "org"}, {COLUMN_TIME, "timestamp", NULL},
	{COLUMN_JSON, "payload", NULL},     {COLUMN_END, NULL, NULL},
};

static const Column ticket_columns[] = {
	{COLUMN_TEXT, "ticket", NULL},
	{COLUMN_INT, "expiresInSeconds", NULL},
	{COLUMN_TEXT, "url", NULL},
	{COLUMN_END, NULL, NULL},
};

/* Few of many events may be of one type or session. */
static const Param list_params[] = {
	{.source = PARAM_QUERY, .type = PARAM_ID, .name = "since", .prefix = "evt"},
	{.source = PARAM_QUERY,
	 .type = PARAM_TEXT,
	 .name = "types",
	 .min = 1,
	 .max = TYPES_TEXT_MAX,
	 .slow = true},
	{.source = PARAM_QUERY, .type = PARAM_ID, .name = "session", .prefix = "sess", .slow = true},
	{.source = PARAM_CURSOR},
	{.source = PARAM_LIMIT},
	{.source = PARAM_END},
};

static const Param ticket_params[] = {
	{.source = PARAM_BODY, .type = PARAM_TEXT, .name = "scope", .choices = scopes},
	{.source = PARAM_BODY, .type = PARAM_ID, .name = "session", .prefix = "sess"},
	{.source = PARAM_BODY,
	 .type = PARAM_TEXT_ARRAY,
	 .name = "events",
	 .min = 1,
	 .max = EVENT_MAX,
	 .max_items = EVENTS_MAX},
	{.source = PARAM_BODY, .type = PARAM_ID, .name = "since", .prefix = "evt"},
	{.source = PARAM_END},
};

const Endpoint event_endpoints[] = {
	{
		.method = HTTP_METHOD_GET,
		.pattern = "/api/v1/events",
		.needs = "events",
		.statement = "event_list",
		.params = list_params,
		.status = 200,
		.answer = ANSWER_LIST_JSON,
		.columns = columns,
		.item = envelope,
		.cursor = {{CURSOR_UUID, 0}},
	},
	{
		.method = HTTP_METHOD_POST,
		.pattern = "/api/v1/realtime/ticket",
		.needs = "events",
		.statement = "realtime_ticket",
		.params = ticket_params,
		.status = 201,
		.answer = ANSWER_ONE,
		.columns = ticket_columns,
	},
	{.pattern = NULL},
};
