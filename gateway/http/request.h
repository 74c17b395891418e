/*
 * request.h
 *		A request as this floor holds it: the public part and what is behind it.
 *
 * Life: made by the connection at the first byte of a message, filled by the
 * parser, handed to a handler when complete.  It has two holders from then
 * on, connection and handler; before that only the connection.  Each lets go
 * once, and the last one frees.  All text of the head lies in one buffer; it
 * and all that was decoded from it is wiped at the end, since a credential is
 * among it.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <llhttp.h>
#include <stdbool.h>
#include <stdint.h>

#include "http/http.h"
#include "http/head.h"

#define HTTP_KEY_ID_MAX 63 /* bytes of a key's public id that the log shows */
#define HTTP_PEER_MAX 64   /* bytes of an address */

/* Where a header's texts lie in the text buffer (at most HTTP_HEAD_MAX long). */
typedef struct HttpSpan
{
	uint32_t name;
	uint32_t value;
	uint32_t name_len;
	uint32_t value_len;
} HttpSpan;

typedef struct HttpRequestState
{
	HttpRequest request;               /* the public part; request.state points here */
	HttpConnection *connection;        /* NULL when the connection has let go */
	const struct HttpProxies *proxies; /* that it may have come through; NULL: none */

	/* reading */
	HttpGuard guard;
	llhttp_t parser;
	Buffer text; /* target, header names and values, each with its NUL */
	Buffer body;
	size_t target_len;
	HttpSpan spans[HTTP_FIELDS_MAX];
	size_t n_spans;
	bool in_value; /* the parser is in the value of the last span */
	bool unwanted; /* its body is not read */
	bool head_parsed;
	bool complete;   /* the parser saw the end of the message */
	bool broken;     /* the parser refused what the guard has let through so far */
	bool keep_alive; /* it allows another message behind this one */
	void *arrays;    /* headers, parameters, segments and decoded text */
	size_t arrays_size;

	/* answering */
	bool handed_over; /* a handler holds it */
	bool answered;
	HttpGone gone;
	void *gone_context;
	const char *route;
	char key_id[HTTP_KEY_ID_MAX + 1];
	char id[HTTP_REQUEST_ID_MAX + 1];
	char peer[HTTP_PEER_MAX];
} HttpRequestState;

/* Makes an empty request; NULL when out of memory. */
extern HttpRequestState *
http_request_create(HttpConnection *connection, const char *peer, bool tls);

/*
 * Gives len bytes that the guard let through to the parser.  False when the
 * parser does not agree, now or before, or when memory ran out.  (parser.c)
 */
extern bool http_request_parse(HttpRequestState *state, const char *data, size_t len);

/*
 * When the head is complete: fills in everything of the public part but the
 * body.  NULL, or what is wrong (a constant); *error is the kind then.
 */
extern const char *http_request_end_head(HttpRequestState *state, HttpErrorKind *error);

/* Gives the request an id of our own, when it has none yet. */
extern void http_request_set_id(HttpRequestState *state);

/*
 * The connection lets go.  When a handler still holds the request it is told
 * that the client is gone, unless it has answered.
 */
extern void http_request_release(HttpRequestState *state);

/* The handler lets go. */
extern void http_request_finish(HttpRequestState *state);

#endif
