/*
 * server.h
 *		The server as the files of this floor see it.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <event2/event.h>
#include <event2/listener.h>
#include <sys/queue.h>

#include "http/answer.h"
#include "http/connection.h"
#include "http/cors.h"
#include "http/proxies.h"

/* Connections of one state; the first is the next to reach its deadline. */
TAILQ_HEAD(HttpConnectionList, HttpConnection);

struct HttpServer
{
	struct event_base *base;         /* borrowed */
	struct evconnlistener *listener; /* NULL once the server drains */
	struct event *tick;              /* looks at the deadlines */
	struct ssl_ctx_st *tls;          /* NULL = plain HTTP */
	const char *tls_certificate;     /* borrowed; read again by http_server_reload_tls() */
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
	size_t output_bytes;  /* that wait to be sent on all connections (output.h) */
	struct event *relief; /* cuts slow readers when these are too many */
	size_t body_bytes;    /* of all requests that are being read or answered */
	bool accept_paused;   /* out of descriptors: accept again at the next tick */
	bool accept_fails;    /* nothing was accepted since the line that says so */
	int64_t refused;      /* connections refused since the last line that says so */

	/* ending */
	bool leaving; /* answers say so; http_server_leave() */
	bool draining;
	int64_t drain_deadline_ms;
	void (*drained)(void *context);
	void *drained_context;

	HttpAnswerHead answer_head; /* of the answer that is being made */

	char address[HTTP_PEER_MAX];
	int port;
};

/* A connection has been closed: it is not counted any longer. */
extern void http_server_forget(HttpServer *server, const HttpConnection *connection);

#endif
