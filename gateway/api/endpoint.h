/*
 * endpoint.h
 *		An endpoint is a row: what it takes, which statement it runs, what it answers.
 *
 * Nothing here is code.  A row says where each parameter of its statement comes from,
 * in the statement's order, and what each column of the statement's rows becomes, in the
 * statement's order.  endpoint.c does the same with every row: credential, parameters, one
 * statement, answer.  Adding an endpoint is adding a row, a statement and a test.
 *
 * Some paths take bodies of several kinds (a message is a text or a poll).  Then each
 * kind is a row of its own with the same method and pattern and another "variant", and
 * the body's member "variant_field" chooses among them.
 *
 * All rows are constants.
 */
#ifndef API_ENDPOINT_H
#define API_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "http/http.h"

/* Rows of a list: when ?limit= is not given, and at most. */
#define LIST_LIMIT_DEFAULT 50
#define LIST_LIMIT_MAX 200

#define ENDPOINT_CURSOR_MAX 2
#define ENDPOINT_PARAMS_MAX 14
#define ENDPOINT_COLUMNS_MAX 32

typedef enum ParamSource
{
	PARAM_END,    /* closes the list */
	PARAM_PATH,   /* the {name} of the pattern */
	PARAM_QUERY,  /* ?name=, at most once */
	PARAM_BODY,   /* the member of the JSON object */
	PARAM_NULL,   /* always NULL: the statement has it, this row does not */
	PARAM_CURSOR, /* ?cursor=: a parameter for each column of the endpoint's cursor */
	PARAM_LIMIT   /* ?limit=: rows to fetch, one more than is shown */
} ParamSource;

typedef enum ParamType
{
	PARAM_TEXT, /* min to max characters; one of choices, when there are any */
	PARAM_ID,   /* TypeID with that prefix */
	PARAM_BOOL,
	PARAM_INT,        /* int4, min to max */
	PARAM_TEXT_ARRAY, /* body only: up to max_items texts of min to max characters */
	PARAM_ID_OR_TIME  /* TypeID or epoch milliseconds: two parameters, one of them NULL */
} ParamType;

typedef struct Param
{
	ParamSource source;
	ParamType type;
	const char *name;
	bool required;
	const char *prefix; /* PARAM_ID, PARAM_ID_OR_TIME */
	int64_t min;
	int64_t max;
	int max_items;
	const char *const *choices; /* ends with NULL */
} Param;

typedef enum ColumnType
{
	COLUMN_END,    /* closes the list */
	COLUMN_HIDDEN, /* not shown; in the cursor, perhaps */
	COLUMN_ID,     /* uuid, shown as a TypeID with that prefix */
	COLUMN_TEXT,
	COLUMN_INT,
	COLUMN_BOOL,
	COLUMN_TIME, /* timestamptz, shown as epoch milliseconds */
	COLUMN_JSON, /* jsonb, shown as it is */
	COLUMN_TEXT_ARRAY
} ColumnType;

/* A cell that is NULL is left out of the answer. */
typedef struct Column
{
	ColumnType type;
	const char *name; /* in the answer; a hidden one's is for the reader */
	const char *prefix;
} Column;

/* What a column is as a part of a cursor. */
typedef enum CursorType
{
	CURSOR_NONE,
	CURSOR_UUID,
	CURSOR_TIME,
	CURSOR_TEXT
} CursorType;

typedef struct CursorPart
{
	CursorType type;
	int column;
} CursorPart;

typedef enum AnswerKind
{
	ANSWER_ONE,    /* the row as an object; no row is a 404 */
	ANSWER_LIST,   /* {"data":[...],"nextCursor"?} */
	ANSWER_LIST_IN /* the same within something: no row is a 404 (there is no such thing), a
					* row whose first column is NULL is no item */
} AnswerKind;

typedef struct Endpoint
{
	HttpMethod method;   /* GET answers HEAD too */
	const char *pattern; /* "/api/v1/sessions/{s}" */
	const char *needs;   /* permission; NULL = any valid credential */
	const char *statement;
	bool slow; /* runs in the slow lane */

	const char *variant_field;
	const char *variant;
	const Param *params;

	int status; /* of success */
	AnswerKind answer;
	const Column *columns;
	CursorPart cursor[ENDPOINT_CURSOR_MAX];
	const char *conflict; /* what a 409 means here; NULL = the general text */

	/* Answers by itself, without a credential; then all but method and pattern is unused. */
	void (*open)(HttpRequest *request, void *api);
} Endpoint;

/* The rows, a file a resource; each list ends with a row whose pattern is NULL. */
extern const Endpoint me_endpoints[];
extern const Endpoint session_endpoints[];
extern const Endpoint chat_endpoints[];
extern const Endpoint message_endpoints[];
extern const Endpoint health_endpoints[];

#endif /* API_ENDPOINT_H */
