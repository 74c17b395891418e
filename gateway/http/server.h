/*
 * server.h
 *		The server's internal state, for the files of gateway/http.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <event2/event.h>
#include <sys/queue.h>

#include "http/answer.h"
#include "http/connection.h"
#include "http/cors.h"
#include "http/input.h"
#include "http/proxies.h"

/* The connections in one state; the first one has the earliest deadline. */
TAILQ_HEAD(HttpConnectionList, HttpConnection);

struct HttpServer
{
	struct event_base *base;     /* borrowed */
	struct event *listener;      /* NULL once the server drains */
	struct event *tick;          /* checks the deadlines */
	struct ssl_ctx_st *tls;      /* NULL = plain HTTP */
	const char *tls_certificate; /* borrowed; read again by http_server_reload_tls() */
	const char *tls_key;
	HttpHandler handle;
	HttpBodyLimit body_limit;
	void *context;
	HttpObserver observe;
	void *observe_context;
	HttpLimits limits;
	HttpOrigins origins;
	HttpProxies proxies;
	HttpPeers *peers;
	struct HttpConnectionList lists[HTTP_CONNECTION_STATES];
	int connections;
	FairQueue *turns;         /* connections with input (turns.h) */
	struct event *next_turns; /* gives turns */
	bool turns_due;           /* next_turns is active or about to be, or runs */
	size_t output_bytes;      /* waiting to be sent on all connections (output.h) */
	struct event *relief;     /* closes slow readers when output_bytes is too large */
	size_t body_bytes;        /* of all requests that are being read or answered */
	bool accept_paused;       /* out of descriptors: accept again at the next tick */
	bool accept_fails;        /* a failure was logged, and nothing was accepted since then */
	int64_t refused;          /* connections refused since that was last logged */

	/* ending */
	bool leaving; /* answers say "Connection: close"; see http_server_leave() */
	bool draining;
	int64_t drain_deadline_ms;
	void (*drained)(void *context);
	void *drained_context;

	HttpAnswerHead answer_head; /* of the answer that is being made */
	HttpFreshInput fresh;       /* of the connection that is being read */

	char address[HTTP_PEER_MAX];
	int port;
};

/* Called when a connection has been closed, so that it is no longer counted. */
extern void http_server_forget(HttpServer *server, const HttpConnection *connection);

#endif
