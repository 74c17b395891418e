/*
 * request.h
 *		Makes the request of a command over HTTP from what was given on the command line.
 */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include "cli/invocation.h"
#include "lib/buffer.h"

/* Where the REST API begins, behind the server's URL. */
#define REQUEST_BASE "/api/v1"

/* The rows of a page.  A page has far fewer values than REPLY_VALUES_MAX then. */
#define REQUEST_PAGE 50

/* The rows that are shown of pages, if the command has a parameter for that and it is not given. */
#define REQUEST_LIMIT 50

typedef struct Request
{
	char method[8];
	Buffer target; /* path and query, behind REQUEST_BASE */
	Buffer body;   /* JSON */
	bool has_body;
	int64_t limit;      /* the most rows of pages; 0: all */
	const char *column; /* only rows of which this column is */
	const char *wanted; /* this value are shown; NULL: all */
} Request;

/*
 * Makes the request that the command's row has.  False: the invocation's problem says which value
 * cannot be sent.  The caller frees it in any case.
 */
extern bool request_make(Request *request, Invocation *invocation);

/* Makes the request without members that is sent afterwards (CommandRequest.show). */
extern bool request_make_show(Request *request, Invocation *invocation);

/* Appends "name=value" to a target, in percent encoding. */
extern void request_add_query(Buffer *target, const char *name, const char *value);

extern void request_free(Request *request);

#endif
