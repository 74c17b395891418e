/*
 * http.h
 *		The public interface of the HTTP server.
 *
 * The server speaks HTTP/1.1 over TCP or TLS, on one libevent loop in one thread.  It calls
 * a handler with a complete request, including its body.  The handler answers exactly once,
 * immediately or later, with http_respond() or http_respond_error().  A handler gets the
 * requests of one connection one at a time, so they are answered in order.  The server itself
 * answers errors of HTTP (framing, sizes, deadlines, encoding of the target); a handler never
 * sees such a request.
 *
 * A request has two holders, the handler and the connection, and is freed when both have
 * released it.  The handler releases it by answering, and must not touch it after that.  The
 * connection releases it when the answer was sent or queued, or when the client is gone.  If
 * the client is gone first, the function set by http_request_on_gone() is called once.  The
 * handler must still answer; that only frees the request.
 *
 * "Gone" means a reset, a failed write, or the end of a TLS stream.  A client that only shut
 * down its sending side (TCP half-close) still gets its answer.
 *
 * The server ignores SIGPIPE and raises the soft limit of open files.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/fair_queue.h"
#include "http/error.h"
#include "http/limits.h"
#include "http/stream.h"

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

/* Text of a request: len bytes without a NUL, followed by a NUL. */
typedef struct HttpText
{
	const char *data;
	size_t len;
} HttpText;

/* A header field of a request (name in lower case), or a query parameter (decoded). */
typedef struct HttpField
{
	HttpText name;
	HttpText value; /* of a header: without white space at either end */
} HttpField;

/* A header of an answer; both texts are borrowed until http_respond() returns. */
typedef struct HttpHeader
{
	const char *name;
	const char *value; /* with a control character in it the answer becomes a 500 */
} HttpHeader;

typedef void (*HttpGone)(HttpRequest *request, void *context);

/* Handlers only read it, except for owner.  All of it is valid as long as the request. */
struct HttpRequest
{
	HttpMethod method;
	HttpText path;               /* as sent, without the query: "/api/v1/sessions/a%40b" */
	HttpText query;              /* as sent, without the "?"; empty when there is none */
	const HttpText *segments;    /* decoded, valid UTF-8: "api" "v1" "sessions" "a@b" */
	size_t n_segments;           /* 0 for "/"; after a slash at the end the last one is empty */
	const HttpField *parameters; /* of the query, decoded, valid UTF-8, in order */
	size_t n_parameters;
	const HttpField *headers; /* in order; values may contain bytes above 127 */
	size_t n_headers;
	HttpText body;    /* complete; empty when there is none, or when it is streamed */
	HttpText id;      /* X-Request-Id: the client's if it is valid, else a generated one */
	HttpText peer;    /* the address of the connection's other end, without its port */
	bool tls;         /* it came over TLS */
	int64_t start_us; /* clock_monotonic_us() at its first byte */

	void *owner;                    /* for the handler; NULL at first */
	struct HttpRequestState *state; /* internal to gateway/http */
};

/*
 * The first header of that name (in lower case), or NULL.  Unless count is NULL, *count is set
 * to the number of headers of that name.
 */
extern const HttpText *
http_request_header(const HttpRequest *request, const char *name, size_t *count);

/* Whether a header of that name (in lower case) lists the token; ignores the token's case. */
extern bool
http_request_header_has(const HttpRequest *request, const char *name, const char *token);

/* The first query parameter of that name, or NULL; *count as above. */
extern const HttpText *
http_request_parameter(const HttpRequest *request, const char *name, size_t *count);

/*
 * Whether the client already has the version with this ETag (including the quotation marks):
 * If-None-Match is "*" or contains the ETag, also among others or as a weak one.
 */
extern bool http_request_has_current(const HttpRequest *request, const char *etag);

/* Bytes of a client's address, with the NUL. */
#define HTTP_CLIENT_MAX 64

/*
 * The address of the client: the peer's address, or the one that trusted proxies report
 * (proxies.h).  The text is in the request or in "room".
 */
extern HttpText http_request_client(const HttpRequest *request, char room[HTTP_CLIENT_MAX]);

/* Whether the client uses TLS, to this server or to a trusted proxy. */
extern bool http_request_is_secure(const HttpRequest *request);

/* "GET" and so on. */
extern const char *http_method_name(HttpMethod method);

/* For the access log: the route's pattern (a constant), and the key's public id (copied). */
extern void http_request_set_route(HttpRequest *request, const char *pattern);
extern void http_request_set_key(HttpRequest *request, const char *key_id);

/*
 * From now on the connection takes the turns of this owner (turns.h), to whom the request was
 * found to belong; with NULL, those of the client's address.
 */
extern void http_request_set_owner(HttpRequest *request, const FairOwner *owner);

/*
 * The answer tells what is left of the caller's rate, in the headers RateLimit-Policy and
 * RateLimit: how many requests a minute are allowed, how many could follow at once, and after
 * how many seconds the most.
 */
extern void http_request_set_rate(HttpRequest *request, int per_minute, int left, int full_in);

/* For the access log: why a valid credential was refused (a constant). */
extern void http_request_set_denied(HttpRequest *request, const char *reason);

/* Calls gone(request, context) once if the client leaves before the answer. */
extern void http_request_on_gone(HttpRequest *request, HttpGone gone, void *context);

/*
 * Answers and releases the request.  Takes the memory of body, and wipes it after it was sent;
 * body may be NULL or empty.  If body is marked failed, the answer becomes a 500.  Adds
 * X-Request-Id, X-Content-Type-Options, Date, Content-Length and Connection, and
 * Cache-Control: no-store unless the answer has its own.  content_type may be NULL when there
 * is no body.  A 204, a 304 and the answer to a HEAD are sent without their body.
 */
extern void http_respond(HttpRequest *request, int status, const HttpHeader *headers,
						 size_t n_headers, const char *content_type, Buffer *body);

/*
 * The same with a body of that many bytes, at least one, that a source gives piece by piece
 * (stream.h).  The source is ended whatever happens, also from within this function.
 */
extern void http_respond_stream(HttpRequest *request, int status, const HttpHeader *headers,
								size_t n_headers, const char *content_type, uint64_t length,
								const HttpSource *source, void *context);

/* The handler is at work: the time in which it has to answer begins anew. */
extern void http_request_keep(HttpRequest *request);

/* Answers with the error and releases the request.  headers may be NULL with n_headers 0. */
extern void
http_respond_error(HttpRequest *request, const HttpError *error, const HttpDetail *details,
				   size_t n_details, const HttpHeader *headers, size_t n_headers);

/* ---- the server ---- */

typedef void (*HttpHandler)(HttpRequest *request, void *context);

/*
 * Called when a head is complete and a body follows.  Returns how many bytes the body may
 * have, at most HTTP_BODY_MAX; a larger body gets a 413.
 *
 * HTTP_BODY_UNWANTED says that the answer does not depend on the body.  Then the handler gets
 * the request at once without its body, which is never read, and the connection ends after
 * the answer.  But if the length is given and is at most HTTP_BODY_SHORT, the body is read
 * and the connection can go on.
 */
typedef size_t (*HttpBodyLimit)(const HttpRequest *request, void *context);

#define HTTP_BODY_UNWANTED SIZE_MAX

/*
 * HTTP_BODY_STREAMED says that the body is not to be kept in memory.  The handler gets the
 * request at once without its body, and may then take the body with http_body_take().  An
 * answer before the body has ended refuses the rest of it: the connection ends after it.
 */
#define HTTP_BODY_STREAMED (SIZE_MAX - 1)

/* The most bytes of a body that a sink gets at once. */
#define HTTP_PART_MAX (16 * 1024)

/* What takes a body that is streamed. */
typedef struct HttpBodySink
{
	uint64_t max; /* bytes of the body; a larger one gets a 413 */

	/*
	 * The next bytes of the body, which are wiped after the call.  May answer the request.
	 * False: no more until http_body_resume().
	 */
	bool (*part)(void *context, const char *bytes, size_t len);

	/* The body has ended; the handler still has to answer. */
	void (*end)(void *context);
} HttpBodySink;

/*
 * Takes the body of a request whose HttpBodyLimit was HTTP_BODY_STREAMED.  A client that waits
 * for "100 Continue" gets it now.  The sink is borrowed until the request is answered.  When
 * the body is too large, too slow, malformed or cut off, the server answers, and the function
 * set by http_request_on_gone() is called.  Any of these functions may be called before this
 * one returns, and they may release the request.
 */
extern void http_body_take(HttpRequest *request, const HttpBodySink *sink, void *context);

/* The sink has room again.  As above, this may call the sink and release the request. */
extern void http_body_resume(HttpRequest *request);

/*
 * Called for each answer that is sent, with what the access log says.  method and route are
 * constants; they are "" when the request was refused before they were known.
 */
typedef void (*HttpObserver)(const char *method, const char *route, int status, int64_t us,
							 void *context);

typedef struct HttpServerConfig
{
	const char *listen;          /* "127.0.0.1:8080", "[::1]:0"; port 0 = a free one */
	bool reuse_port;             /* several processes share the port */
	const char *tls_certificate; /* PEM files, both or neither; borrowed while the server runs */
	const char *tls_key;
	const HttpLimits *limits;   /* copied; NULL = HTTP_LIMITS_DEFAULT */
	const char *const *origins; /* CORS: origins whose pages may read answers; see cors.h */
	size_t n_origins;           /* 0 = CORS is off */
	const char *const *proxies; /* trusted proxies; see proxies.h */
	size_t n_proxies;           /* 0 = none */
	int other_descriptors;      /* files that the rest of the process may have open at once */
	bool sends_files;           /* some answers are files */
	HttpHandler handle;
	HttpBodyLimit body_limit; /* NULL: HTTP_BODY_MAX for all requests */
	void *context;            /* passed to handle and body_limit */
	HttpObserver observe;     /* may be NULL */
	void *observe_context;
} HttpServerConfig;

/*
 * Starts to listen.  NULL when it could not; error (of error_size bytes) says why.  The base
 * must outlive the server.
 */
extern HttpServer *http_server_start(struct event_base *base, const HttpServerConfig *config,
									 char *error, size_t error_size);

/* The address and the port that it listens on; the actual port, if 0 was requested. */
extern const char *http_server_address(const HttpServer *server);
extern int http_server_port(const HttpServer *server);

/* The number of open connections. */
extern int http_server_connections(const HttpServer *server);

/* The bytes of answers and WebSockets that wait to be sent. */
extern size_t http_server_output_bytes(const HttpServer *server);

/*
 * Reads certificate and key again, and uses them for new connections.  False: they cannot be
 * used, error says why, and the previous ones stay in use.  Without TLS this does nothing.
 */
extern bool http_server_reload_tls(HttpServer *server, char *error, size_t error_size);

/*
 * Goes on listening and serving, but each answer says "Connection: close" and no new WebSocket
 * is accepted, so that clients go to other instances.
 */
extern void http_server_leave(HttpServer *server);

/*
 * Stops accepting, closes idle connections, and lets requests finish; their answers say
 * "Connection: close".  Calls done(context) once, when no connection is left, or when bound_ms
 * have passed and the remaining ones were closed.  done is called from the loop, never from
 * within this function.
 */
extern void
http_server_drain(HttpServer *server, int bound_ms, void (*done)(void *context), void *context);

/* Closes everything and frees the server; handlers of unanswered requests are told "gone". */
extern void http_server_free(HttpServer *server);

/*
 * Checks what http_server_start() would use (address, origins, proxies, certificate, key)
 * without listening.  False: error says why.  For a certificate that is not valid now it only
 * logs a warning.
 */
extern bool http_server_check(const HttpServerConfig *config, char *error, size_t error_size);

/*
 * For several processes on one port, which may be 0.  Binds the address with SO_REUSEPORT
 * without listening, writes the address with its actual port to bound, and returns the socket,
 * which the parent process keeps open.  -1 when it could not; error says why.
 */
extern int http_reserve_port(const char *listen, char *bound, size_t bound_size, char *error,
							 size_t error_size);

#endif
