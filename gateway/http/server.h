/*
 * server.h
 *		The server as the files of this floor see it.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <event2/event.h>
#include <event2/listener.h>

#include "http/connection.h"
#include "http/cors.h"
#include "http/proxies.h"

typedef struct HttpConnectionList
{
	HttpConnection *first; /* the next to reach its deadline */
	HttpConnection *last;
} HttpConnectionList;

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
	HttpConnectionList lists[HTTP_CONNECTION_STATES];
	int connections;
	size_t output_bytes;  /* that wait to be sent on all connections (output.c) */
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

	/* answers */
	Buffer head;         /* the head of the answer that is being made */
	int64_t date_second; /* the second that date shows */
	char date[32];

	char address[HTTP_PEER_MAX];
	int port;
};

/* The time that a connection may stay in a state. */
extern int http_server_period(const HttpServer *server, HttpConnectionState state);

/* A connection has been closed: it is not counted any longer. */
extern void http_server_forget(HttpServer *server, const HttpConnection *connection);

/* tls.c: reads certificate and key; NULL and error when they cannot be used. */
extern struct ssl_ctx_st *
http_tls_create(const char *certificate, const char *key, char *error, size_t error_size);
extern void http_tls_free(struct ssl_ctx_st *tls);

/* Logs which of the certificates read from that file are not valid now. */
extern void http_tls_warn(struct ssl_ctx_st *tls, const char *name);

/* A bufferevent that owns fd and waits for the client's handshake; NULL when out of memory. */
extern struct bufferevent *http_tls_accept(struct ssl_ctx_st *tls, struct event_base *base, int fd);

/* Tells the client that nothing more will be sent. */
extern void http_tls_shutdown(struct bufferevent *bev);

/* listen.c: the parts of "ADDR:PORT"; a socket that is bound, not listening. */
extern int http_listen_bind(const char *listen, bool reuse_port, char *error, size_t error_size);
extern bool http_listen_check(const char *listen, char *error, size_t error_size);
extern void http_listen_name(const struct sockaddr *address, char *name, size_t size, int *port);

#endif
