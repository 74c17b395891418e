/*
 * endpoint.h
 *		An endpoint is a row: what it takes, which statement it runs, what it answers.
 *
 * Nothing here is code.  A row says where each parameter of its statement comes from, in
 * the statement's order, and what each of the statement's columns becomes, by its name.
 * api.c does the same with every row: credential, parameters, one statement, answer.
 *
 * Rows are made from the OpenAPI document, openapi.json, when the gateway is built
 * (scripts/openapi).  Adding an endpoint is adding an operation there, a statement and a
 * test.  Only what answers by itself, health checks and pages, is a row beside its code.
 *
 * What a message or a webhook has to be is the database's to say: a row may hand over a
 * member of the body, or all of it that no other parameter takes, as it is.
 */
#ifndef API_ENDPOINT_H
#define API_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"
#include "http/http.h"

/* Rows of a list: when ?limit= is not given, and at most. */
#define LIST_LIMIT_DEFAULT 50
#define LIST_LIMIT_MAX 200

/*
 * Bytes of a body, by endpoint: beyond it 413.  A megabyte costs its memory before anybody
 * knows who sends it, so that few may send one.
 */
#define BODY_USUAL (64 * 1024)
#define BODY_SIGN_IN (8 * 1024)  /* from whoever comes */
#define BODY_LARGE (1024 * 1024) /* texts of 65,536 characters, files in base64 */

#define ENDPOINT_CURSOR_MAX 2
#define ENDPOINT_PARAMS_MAX 14
#define ENDPOINT_COLUMNS_MAX 32

/*
 * What opens an endpoint.  The doors of the dashboard's own pages are closed to pages of
 * other origins (origin.c), since a browser sends cookies along whoever asks.
 */
typedef enum Door
{
	DOOR_CREDENTIAL, /* an API key or user token, bound by the database before the statement */
	DOOR_COOKIE,     /* the sign-in cookie, which the statement itself looks at */
	DOOR_OWN_PAGES   /* nothing: whoever comes here wants to get in */
} Door;

typedef enum ParamSource
{
	PARAM_END,       /* closes the list */
	PARAM_PATH,      /* the {name} of the pattern */
	PARAM_QUERY,     /* ?name=, at most once */
	PARAM_HEADER,    /* the header field, at most once: text of min to max printable characters */
	PARAM_BODY,      /* the member of the JSON object */
	PARAM_BODY_REST, /* an object of all members that no PARAM_BODY of the row takes: jsonb */
	PARAM_FIXED,     /* always the text "fixed": what tells rows with one statement apart */
	PARAM_COOKIE,    /* the sign-in cookie: wa.secret; for DOOR_COOKIE */
	PARAM_DEVICE,    /* the cookie of a browser that is known: wa.secret, or NULL */
	PARAM_CLIENT,    /* the client's network address: text */
	PARAM_AGENT,     /* what the browser calls itself: text, cut, or NULL */
	PARAM_CURSOR,    /* ?cursor=: a parameter for each column of the endpoint's cursor */
	PARAM_LIMIT      /* ?limit=: rows to fetch, one more than is shown */
} ParamSource;

typedef enum ParamType
{
	PARAM_TEXT, /* min to max characters; one of choices, when there are any */
	PARAM_ID,   /* TypeID with that prefix */
	PARAM_BOOL,
	PARAM_INT,        /* int4, min to max */
	PARAM_TIME,       /* body only: epoch milliseconds */
	PARAM_JSON,       /* body only: whatever it is, as jsonb; the database looks at it */
	PARAM_TEXT_ARRAY, /* body only: up to max_items texts of min to max characters */
	PARAM_ID_OR_TIME, /* TypeID or epoch milliseconds: two parameters, one of them NULL */
	PARAM_INVITATION  /* body only: an invitation's secret; NULL for what cannot be one */
} ParamType;

typedef struct Param
{
	ParamSource source;
	ParamType type;
	const char *name;
	bool required;
	bool clearable;     /* PARAM_BODY: null takes away what is there; see add_cleared() */
	const char *prefix; /* PARAM_ID, PARAM_ID_OR_TIME */
	int64_t min;
	int64_t max;
	int max_items;
	const char *const *choices; /* ends with NULL */
	const char *fixed;          /* PARAM_FIXED */

	/*
	 * A request that gives it runs in the slow lane, because its statement may then look at
	 * many rows for few; PARAM_ID_OR_TIME only when a time is given.
	 */
	bool slow;
} Param;

typedef enum ColumnType
{
	COLUMN_END, /* closes the list */
	COLUMN_ID,  /* uuid, shown as a TypeID with that prefix */
	COLUMN_TEXT,
	COLUMN_INT,
	COLUMN_BOOL,
	COLUMN_TIME, /* timestamptz, shown as epoch milliseconds */
	COLUMN_JSON, /* jsonb, shown as it is */
	COLUMN_TEXT_ARRAY,
	COLUMN_COOKIE, /* a sign-in cookie: set with the answer, and not shown in it */
	COLUMN_DEVICE  /* the same of a browser's; NULL: none is set */
} ColumnType;

/* A cell that is NULL is left out of the answer. */
typedef struct Column
{
	ColumnType type;
	const char *name;   /* in the answer */
	const char *column; /* in the statement's rows, which may have others besides */
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
	const char *column; /* in the statement's rows; it need not be shown */
} CursorPart;

typedef enum AnswerKind
{
	ANSWER_ONE,       /* the row as an object; no row is a 404 */
	ANSWER_LIST,      /* {"data":[...],"nextCursor"?} */
	ANSWER_LIST_IN,   /* the same within something: no row is a 404 (there is no such thing), a
					 * row whose first column is NULL is no item */
	ANSWER_LIST_JSON, /* a list whose items are the JSON texts in one column of the rows, as
					   * they stand there */
	ANSWER_NONE       /* done, and nothing to say: no body, the columns are not looked at */
} AnswerKind;

typedef struct Endpoint
{
	HttpMethod method;   /* GET answers HEAD too */
	const char *pattern; /* "/api/v1/sessions/{s}", "/api/v1/sessions/{s}:start" */
	Door door;
	const char *needs; /* permission; NULL = any valid credential */
	bool people;       /* for people with a user token, and for no API key */
	const char *statement;
	DbLaneName lane; /* where it runs; see also Param.slow */

	const Param *params;
	size_t body_max; /* bytes of the body; 0: BODY_USUAL */

	int status;       /* of success */
	int flag_status;  /* of success when the row's column "flag" is true; 0: none such */
	const char *flag; /* in the statement's rows */
	AnswerKind answer;
	const Column *columns;
	const char *item; /* ANSWER_LIST_JSON: the column with the item */
	CursorPart cursor[ENDPOINT_CURSOR_MAX];
	const char *conflict;     /* what "exists already" means here; NULL = the general text */
	const char *unauthorized; /* what a 401 means here; NULL = the general text */
	bool clears_cookie;       /* success takes the sign-in cookie away */

	/*
	 * Answers by itself; then all but method and pattern is unused.  "needs" tells the reader
	 * that it does look for a credential.
	 */
	void (*open)(HttpRequest *request, void *api);
} Endpoint;

/*
 * endpoint_check.c: what is wrong with a row, or NULL.  A row is a constant, so that
 * whatever is wrong shows at start, before a request can meet it.
 */
extern const char *endpoint_problem(const Endpoint *endpoint);

/* Whether it looks at a body, and how many bytes of one it takes. */
extern bool endpoint_takes_body(const Endpoint *endpoint);
extern size_t endpoint_body_max(const Endpoint *endpoint);

/* The rows that the document has; each list ends with a row whose pattern is NULL. */
extern const Endpoint document_endpoints[];

/* Those that answer by themselves, a file a resource. */
extern const Endpoint realtime_endpoints[];
extern const Endpoint dashboard_endpoints[];
extern const Endpoint health_endpoints[];
extern const Endpoint openapi_endpoints[];

/* All of the lists above; ends with NULL. */
extern const Endpoint *const endpoint_resources[];

#endif
