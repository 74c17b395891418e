/*
 * endpoint.h
 *		An endpoint is a row: its parameters, its statement and its answer.
 *
 * A row contains no code.  It says where each parameter of its statement comes from, in the
 * statement's order, and what each of the statement's columns becomes, by its name.  api.c
 * treats every row alike: credential, parameters, one statement, answer.
 *
 * The rows are made from the OpenAPI document, openapi.json, when the gateway is built
 * (scripts/openapi).  To add an endpoint, add an operation there, a statement and a test.
 * Only endpoints that answer by themselves, such as health checks and pages, are rows
 * beside their code.
 *
 * The database decides whether a message or a webhook is valid.  For this a row may hand
 * over a member of the body unchanged, or all members that no other parameter takes.
 */
#ifndef API_ENDPOINT_H
#define API_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"
#include "http/http.h"

/* The number of rows of a list: the default of ?limit=, and the maximum. */
#define LIST_LIMIT_DEFAULT 50
#define LIST_LIMIT_MAX 200

/*
 * Bytes of a body, by endpoint; a larger one gets a 413.  A megabyte takes its memory
 * before the sender is known, so few senders may send one.
 */
#define BODY_USUAL (64 * 1024)
#define BODY_SIGN_IN (8 * 1024)  /* anybody may send one */
#define BODY_LARGE (1024 * 1024) /* texts of 65,536 characters, files in base64 */

#define ENDPOINT_CURSOR_MAX 4
#define ENDPOINT_PARAMS_MAX 14
#define ENDPOINT_COLUMNS_MAX 32

/*
 * What a caller has to present to an endpoint.  The endpoints for the dashboard's own pages
 * refuse requests from pages of other origins (origin.c), since a browser sends its cookies
 * whichever page makes the request.
 */
typedef enum Door
{
	DOOR_CREDENTIAL, /* an API key or user token, which the database binds before the statement */
	DOOR_COOKIE,     /* the sign-in cookie, which the statement itself checks */
	DOOR_OWN_PAGES   /* nothing: for requests before a sign-in, and for those that are signed */
} Door;

typedef enum ParamSource
{
	PARAM_END,       /* ends the list */
	PARAM_PATH,      /* the {name} of the pattern */
	PARAM_QUERY,     /* ?name=, at most once */
	PARAM_HEADER,    /* the header field, at most once: text of min to max printable characters */
	PARAM_BODY,      /* the member of the JSON object */
	PARAM_BODY_REST, /* an object of all members that no PARAM_BODY of the row takes: jsonb */
	PARAM_BODY_CREDENTIALS, /* the whole body, as PARAM_CREDENTIALS takes a member of it */
	PARAM_UPLOAD_DIGEST,    /* of the body, which is a file and is stored: SHA-256 as bytes */
	PARAM_UPLOAD_SIZE,      /* its bytes: int8 */
	PARAM_UPLOAD_TYPE,      /* its media type: text */
	PARAM_UPLOAD_NAME,      /* the file name in Content-Disposition: text, or NULL */
	PARAM_UPLOAD_BEGUN,     /* when it was begun: int8, milliseconds since 1970 */
	PARAM_BODY_RAW, /* the whole body as it was sent, for a row that takes nothing else of it: bytes */
	PARAM_FIXED,    /* always the text "fixed", to distinguish rows that share a statement */
	PARAM_COOKIE, /* the sign-in cookie as wa.secret; only for DOOR_COOKIE */
	PARAM_DEVICE, /* the cookie of a browser that is known, as wa.secret, or NULL */
	PARAM_CLIENT, /* the client's network address: text */
	PARAM_AGENT,  /* the browser's User-Agent, cut to a maximum, as text, or NULL */
	PARAM_CURSOR, /* ?cursor=: a parameter for each column of the endpoint's cursor */
	PARAM_LIMIT   /* ?limit=: the number of rows to fetch, one more than is shown */
} ParamSource;

typedef enum ParamType
{
	PARAM_TEXT, /* min to max characters; one of choices, if there are any */
	PARAM_ID,   /* TypeID with that prefix */
	PARAM_BOOL,
	PARAM_INT,         /* int4, min to max */
	PARAM_TIME,        /* query and body: epoch milliseconds */
	PARAM_JSON,        /* body only: any value, as jsonb; the database checks it */
	PARAM_TEXT_ARRAY,  /* body only: up to max_items texts of min to max characters */
	PARAM_ID_OR_TIME,  /* TypeID or epoch milliseconds: two parameters, one of them NULL */
	PARAM_CREDENTIALS, /* body only: of a session's connector, which are sealed; SEALING_WIDTH
						* parameters */
	PARAM_INVITATION   /* body only: an invitation's secret; NULL for a text that cannot be one */
} ParamType;

typedef struct Param
{
	ParamSource source;
	ParamType type;
	const char *name;
	bool required;
	bool clearable;     /* PARAM_BODY: a null removes the current value; see add_cleared() */
	const char *prefix; /* PARAM_ID, PARAM_ID_OR_TIME */
	int64_t min;
	int64_t max;
	int max_items;
	const char *const *choices; /* ends with NULL */
	const char *fixed;          /* PARAM_FIXED */

	/*
	 * A request that has this parameter runs in the slow lane, because its statement may
	 * then read many rows to find few.  For PARAM_ID_OR_TIME this holds only when a time is
	 * given.
	 */
	bool slow;
} Param;

typedef enum ColumnType
{
	COLUMN_END, /* ends the list */
	COLUMN_ID,  /* uuid, shown as a TypeID with that prefix */
	COLUMN_TEXT,
	COLUMN_INT,
	COLUMN_BOOL,
	COLUMN_TIME, /* timestamptz, shown as epoch milliseconds */
	COLUMN_JSON, /* jsonb, shown as it is */
	COLUMN_TEXT_ARRAY,
	COLUMN_COOKIE, /* a sign-in cookie: set by the answer, and not shown in it */
	COLUMN_DEVICE  /* the cookie of a browser, likewise; none is set if it is NULL */
} ColumnType;

/* A cell that is NULL has no member in the answer. */
typedef struct Column
{
	ColumnType type;
	const char *name;   /* in the answer */
	const char *column; /* in the statement's rows, which may have more columns */
	const char *prefix;
} Column;

/* The type of a column that is part of a cursor. */
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
	const char *column; /* in the statement's rows; the answer need not show it */
} CursorPart;

typedef enum AnswerKind
{
	ANSWER_ONE,       /* the row as an object; without a row the answer is 404 */
	ANSWER_LIST,      /* {"data":[...],"nextCursor"?}; a row whose first column is NULL is a place:
					   * it is not shown, and the next page begins behind it */
	ANSWER_LIST_IN,   /* the same inside a parent: without a row the parent does not exist (404);
					   * a place that is NULL too stands for the parent only */
	ANSWER_LIST_JSON, /* a list whose items are the JSON texts in one column of the rows,
					   * copied unchanged; a row without one is a place */
	ANSWER_JSON,      /* the JSON text in one column of the row, copied unchanged */
	ANSWER_FILE,      /* the stored file that the row describes (download.c); without a row 404 */
	ANSWER_LINES,     /* the rows as objects, one on each line; may be empty */
	ANSWER_NONE       /* no body; the columns are ignored */
} AnswerKind;

typedef struct Endpoint
{
	HttpMethod method;   /* a GET also answers HEAD */
	const char *pattern; /* "/api/v1/sessions/{sessionId}", "/api/v1/sessions/{sessionId}:start" */
	Door door;
	const char *needs; /* a permission; NULL: any valid credential */
	bool people;       /* only for people with a user token, not for API keys */
	const char *statement;
	DbLaneName lane; /* the lane it runs in; see also Param.slow */

	const Param *params;
	size_t body_max;        /* bytes of the body; 0 means BODY_USUAL */
	const char *attachment; /* the member of the body that may have a file in it */

	int status;       /* the status of success */
	int flag_status;  /* the same when the column "flag" is true; 0: none */
	const char *flag; /* the name of that column in the statement's rows */
	AnswerKind answer;
	const Column *columns;
	const char *item; /* ANSWER_LIST_JSON, ANSWER_JSON: the column with the JSON text */
	CursorPart cursor[ENDPOINT_CURSOR_MAX];
	const char *conflict;     /* the text of a 409 "exists already"; NULL: the general text */
	const char *unauthorized; /* the text of a 401; NULL: the general text */
	bool clears_cookie;       /* success removes the sign-in cookie */

	/*
	 * For an endpoint that answers by itself.  Everything but method and pattern is then
	 * unused; "needs" only tells the reader that the endpoint looks for a credential.
	 */
	void (*open)(HttpRequest *request, void *api);
} Endpoint;

/*
 * In endpoint_check.c: what is wrong with a row, or NULL.  Rows are constants, so every
 * mistake shows when the gateway starts, before any request.
 */
extern const char *endpoint_problem(const Endpoint *endpoint);

/* Whether the endpoint reads a body into memory. */
extern bool endpoint_takes_body(const Endpoint *endpoint);

/* Whether the body is a file, which is stored while it arrives. */
extern bool endpoint_takes_upload(const Endpoint *endpoint);

/* The most bytes of a body that is read into memory. */
extern size_t endpoint_body_max(const Endpoint *endpoint);

/* The rows from the document.  Each list ends with a row whose pattern is NULL. */
extern const Endpoint document_endpoints[];

/* The endpoints that answer by themselves, one file for each resource. */
extern const Endpoint realtime_endpoints[];
extern const Endpoint dashboard_endpoints[];
extern const Endpoint health_endpoints[];
extern const Endpoint openapi_endpoints[];

/* All lists above; the last element is NULL. */
extern const Endpoint *const endpoint_resources[];

#endif
