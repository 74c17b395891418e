/*
 * http.h
 *		The HTTP server as the floors above see it.
 *
 * HTTP/1.1 over TCP or TLS, on one libevent loop, one thread.  A handler is
 * called with a complete request (its body included) and answers it exactly
 * once, at once or later, with http_respond() or http_respond_error().
 * Requests of one connection are handed up one at a time and answered in
 * order.  What is wrong in HTTP itself (framing, sizes, deadlines, encoding
 * of the target) is answered here and never reaches a handler.
 *
 * Who frees a request: it has two holders, the handler and the connection.
 * The handler lets go by answering, and must not touch the request after
 * that.  The connection lets go when the answer is on its way or the client
 * is gone.  The request is freed at the last of the two.  When the client is
 * gone first, the function set by http_request_on_gone() is called, once;
 * the handler still answers (which then only frees) when it is done.
 *
 * "Gone" is a reset, a failed write, or the end of a TLS stream.  A client
 * that only shut down its sending side (TCP half-close) is still answered.
 *
 * The server makes SIGPIPE ignored and raises the soft limit of open files.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "http/error.h"
#include "http/limits.h"

struct event_base;

typedef struct HttpServer HttpServer;
typedef struct HttpConnection HttpConnection;
typedef struct HttpRequest HttpRequest;

/* Any other method is answered with 501 before a handler sees it. */
typedef enum HttpMethod
{
	HTTP_METHOD_GET,
	HTTP_METHOD_HEAD, /* handlers treat it as GET; no body is sent */
	HTTP_METHOD_POST,
	HTTP_METHOD_PUT,
	HTTP_METHOD_PATCH,
	HTTP_METHOD_DELETE,
	HTTP_METHOD_OPTIONS
} HttpMethod;

/* Text of a request: len bytes and a NUL behind them, none within. */
typedef struct HttpText
{
	const char *data;
	size_t len;
} HttpText;

/* A header field of a request (name in lower case), or a query parameter (decoded). */
typedef struct HttpField
{
	HttpText name;
	HttpText value; /* of a header: no white space at either end */
} HttpField;

/* A header of an answer; both borrowed until http_respond() returns. */
typedef struct HttpHeader
{
	const char *name;
	const char *value; /* no control characters; else the answer is a 500 */
} HttpHeader;

typedef void (*HttpGone)(HttpRequest *request, void *context);

/* Handlers read it; only this floor writes.  Everything lives as long as the request. */
struct HttpRequest
{
	HttpMethod method;
	HttpText path;               /* as sent, without the query: "/api/v1/sessions/a%40b" */
	HttpText query;              /* as sent, without the "?"; empty when there is none */
	const HttpText *segments;    /* decoded, valid UTF-8: "api" "v1" "sessions" "a@b" */
	size_t n_segments;           /* 0 for "/"; a slash at the end makes an empty last one */
	const HttpField *parameters; /* of the query, decoded, valid UTF-8, in order */
	size_t n_parameters;
	const HttpField *headers; /* in order; values may hold bytes above 127 */
	size_t n_headers;
	HttpText body;    /* complete; empty when there is none */
	HttpText id;      /* X-Request-Id: the caller's, when sane, or ours */
	HttpText peer;    /* the client's address without its port */
	bool tls;         /* came over TLS */
	int64_t start_us; /* clock_monotonic_us() at its first byte */

	void *owner;                    /* the handler's own, NULL at first */
	struct HttpRequestState *state; /* this floor's own */
};

/*
 * The first header of that name (in lower case), or NULL; *count, unless it
 * is NULL, is set to how many there are.
 */
extern const HttpText *
http_request_header(const HttpRequest *request, const char *name, size_t *count);

/* Whether any header of that name (in lower case) has the token in its list, in any case. */
extern bool
http_request_header_has(const HttpRequest *request, const char *name, const char *token);

/* The first query parameter of that name, or NULL; *count as above. */
extern const HttpText *
http_request_parameter(const HttpRequest *request, const char *name, size_t *count);

/*
 * Whether the caller's copy with this ETag, quotation marks included, is still the current
 * one: If-None-Match names it, among others or as a weak one, or says "*".
 */
extern bool http_request_has_current(const HttpRequest *request, const char *etag);

/* Bytes of a client's address, with the NUL. */
#define HTTP_CLIENT_MAX 64

/*
 * Where the request came from: the peer's address, or the client's of which trusted
 * proxies in front tell (proxies.h).  Lies in the request or in "room".
 */
extern HttpText http_request_client(const HttpRequest *request, char room[HTTP_CLIENT_MAX]);

/* Whether the client's connection is TLS: to here, or to a trusted proxy. */
extern bool http_request_is_secure(const HttpRequest *request);

/* "GET" and so on. */
extern const char *http_method_name(HttpMethod method);

/* For the access log: the pattern of the route (a constant), the key's public id (copied). */
extern void http_request_set_route(HttpRequest *request, const char *pattern);
extern void http_request_set_key(HttpRequest *request, const char *key_id);

/* Calls gone(request, context) once if the client leaves before the answer. */
extern void http_request_on_gone(HttpRequest *request, HttpGone gone, void *context);

/*
 * Answers and lets go of the request.  The body's bytes are moved, and wiped
 * when they have left (body may be NULL or empty); a body that is marked failed becomes a
 * 500.  X-Request-Id, X-Content-Type-Options, Date, Content-Length and Connection are added
 * here, and so is Cache-Control: no-store to an answer that has none of its own.
 * content_type may be NULL when there is no body.  A 204 or 304 and the answer
 * to a HEAD are sent without their body.
 */
extern void http_respond(HttpRequest *request, int status, const HttpHeader *headers,
						 size_t n_headers, const char *content_type, Buffer *body);

/* Answers with the error's body, and lets go.  headers as above (Allow, say), or NULL, 0. */
extern void
http_respond_error(HttpRequest *request, const HttpError *error, const HttpDetail *details,
				   size_t n_details, const HttpHeader *headers, size_t n_headers);

/* ---- the server ---- */

typedef void (*HttpHandler)(HttpRequest *request, void *context);

/*
 * Asked when a head is complete and a body is to come: how many bytes of it are taken, at
 * most HTTP_BODY_MAX.  More is a 413.  HTTP_BODY_UNWANTED: whatever the body is, the answer
 * will be the same.  Then the handler gets the request at once, without its body, which is
 * never read, and the connection ends with the answer; only a body of HTTP_BODY_SHORT or
 * less, whose length is given, comes along, and the connection stays.
 */
typedef size_t (*HttpBodyLimit)(const HttpRequest *request, void *context);

#define HTTP_BODY_UNWANTED SIZE_MAX

/*
 * Told of each answer that is sent, with what the access log says: method and route are
 * constants, and "" when the request did not get so far.
 */
typedef void (*HttpObserver)(const char *method, const char *route, int status, int64_t us,
							 void *context);

typedef struct HttpServerConfig
{
	const char *listen;          /* "127.0.0.1:8080", "[::1]:0"; port 0 = a free one */
	bool reuse_port;             /* several processes share the port */
	const char *tls_certificate; /* PEM files; both or none; borrowed as long as it serves */
	const char *tls_key;
	const HttpLimits *limits;   /* copied; NULL = HTTP_LIMITS_DEFAULT */
	const char *const *origins; /* CORS: whose pages may read answers; see cors.h */
	size_t n_origins;           /* 0 = nobody's */
	const char *const *proxies; /* proxies in front that are believed; see proxies.h */
	size_t n_proxies;           /* 0 = none */
	int other_descriptors;      /* files that the rest of the process may have open at once */
	HttpHandler handle;
	HttpBodyLimit body_limit; /* NULL: HTTP_BODY_MAX for all */
	void *context;            /* given to these two */
	HttpObserver observe;     /* NULL: nobody */
	void *observe_context;
} HttpServerConfig;

/*
 * Listens.  NULL when it could not, and error (of error_size bytes) says why.
 * The base must outlive the server.
 */
extern HttpServer *http_server_start(struct event_base *base, const HttpServerConfig *config,
									 char *error, size_t error_size);

/* The address and the port that it listens on (the real one, if 0 was asked for). */
extern const char *http_server_address(const HttpServer *server);
extern int http_server_port(const HttpServer *server);

/* How many connections are open. */
extern int http_server_connections(const HttpServer *server);

/* How many bytes of answers and WebSockets wait until their clients take them. */
extern size_t http_server_output_bytes(const HttpServer *server);

/*
 * Reads certificate and key again; connections that are made from now on get them.  False:
 * they cannot be used, error says why, and those that were read before stay.  Without TLS
 * nothing happens.
 */
extern bool http_server_reload_tls(HttpServer *server, char *error, size_t error_size);

/*
 * Serves on and listens on, but each answer says "Connection: close", and no WebSocket is
 * begun: clients are to go elsewhere.
 */
extern void http_server_leave(HttpServer *server);

/*
 * Stops accepting, closes idle connections, lets requests finish (their
 * answers say "Connection: close") and calls done(context) once when none is
 * left, or bound_ms have passed and the rest was cut.  done is called from
 * the loop, never from within this function.
 */
extern void
http_server_drain(HttpServer *server, int bound_ms, void (*done)(void *context), void *context);

/* Closes everything and frees the server; requests that are still held become "gone". */
extern void http_server_free(HttpServer *server);

/*
 * Checks what http_server_start() would use (address, certificate, key)
 * without listening.  False and error as above.  A certificate that is not valid now is a
 * warning in the log.
 */
extern bool http_server_check(const HttpServerConfig *config, char *error, size_t error_size);

/*
 * For several workers and port 0: binds the address with SO_REUSEPORT without
 * listening, writes the address with its real port to bound, and returns the
 * socket, which the parent keeps open; -1 and error when it could not.
 */
extern int http_reserve_port(const char *listen, char *bound, size_t bound_size, char *error,
							 size_t error_size);

#endif
