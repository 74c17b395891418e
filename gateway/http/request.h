/*
 * request.h
 *		A request inside gateway/http: its public part and its internal state.
 *
 * The connection makes a request at the first byte of a message, the guard fills it, and a
 * handler gets it when it is complete.  Until then only the connection holds it; after that
 * the connection and the handler both do.  Each releases it once, and the last release frees
 * it.  The text of the head is in one buffer.  That buffer and all text decoded from it are
 * wiped before they are freed, because they contain the credential.
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
	HttpConnection *connection;        /* NULL when the connection has released it */
	const struct HttpProxies *proxies; /* the server's trusted proxies; NULL: none */

	/* reading */
	HttpGuard guard;          /* contains the text of the head, and the body */
	bool unwanted;            /* its body is not read */
	bool streaming;           /* its body is for a sink, and has not ended */
	const HttpBodySink *sink; /* NULL: not yet taken */
	void *sink_context;
	void *arrays; /* one allocation: headers, parameters, segments and decoded text */
	size_t arrays_size;

	/* answering */
	bool handed_over; /* a handler holds it */
	bool answered;
	HttpGone gone;
	void *gone_context;
	const char *route;
	const char *denied;  /* NULL: it was not */
	int rate_per_minute; /* 0: no rate */
	int rate_left;
	int rate_full_in;
	char key_id[HTTP_KEY_ID_MAX + 1];
	char id[HTTP_REQUEST_ID_MAX + 1];
	char peer[HTTP_PEER_MAX];
} HttpRequestState;

/* Makes an empty request; NULL when out of memory. */
extern HttpRequestState *
http_request_create(HttpConnection *connection, const char *peer, bool tls);

/*
 * Called when the head is complete: fills in the public part, except the body.  Returns NULL,
 * or what is wrong (a constant) and sets *error to the kind of error.
 */
extern const char *http_request_end_head(HttpRequestState *state, HttpErrorKind *error);

/* Generates an id for the request if it has none yet. */
extern void http_request_set_id(HttpRequestState *state);

/*
 * The connection releases the request.  If a handler still holds it and has not answered, the
 * handler is told that the client is gone.
 */
extern void http_request_release(HttpRequestState *state);

/* The handler releases the request. */
extern void http_request_finish(HttpRequestState *state);

#endif
