/*
 * request.h
 *		A request as this floor holds it: the public part and what is behind it.
 *
 * Life: made by the connection at the first byte of a message, filled by the
 * guard, handed to a handler when complete.  It has two holders from then
 * on, connection and handler; before that only the connection.  Each lets go
 * once, and the last one frees.  All text of the head lies in one buffer; it
 * and all that was decoded from it is wiped at the end, since a credential is
 * among it.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "http/http.h"
#include "http/head.h"

#define HTTP_KEY_ID_MAX 63 /* bytes of a key's public id that the log shows */
#define HTTP_PEER_MAX 64   /* bytes of an address */

typedef struct HttpRequestState
{
	HttpRequest request;               /* the public part; request.state points here */
	HttpConnection *connection;        /* NULL when the connection has let go */
	const struct HttpProxies *proxies; /* that it may have come through; NULL: none */

	/* reading */
	HttpGuard guard; /* holds the text of the head, and the body */
	bool unwanted;   /* its body is not read */
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
