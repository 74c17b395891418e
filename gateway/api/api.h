/*
 * api.h
 *		The REST interface: complete HTTP requests in, answers out.
 */
#ifndef API_API_H
#define API_API_H

#include "db/db.h"
#include "http/http.h"
#include "lib/buffer.h"

/* The oldest version of the extension that these endpoints can work with. */
#define API_NEEDS_EXTENSION "1.0"

/* The role whose statements the endpoints run. */
#define API_ROLE "gateway"

typedef struct Api Api;

/*
 * Resolve the endpoints' patterns and statements.  timeout_ms is each request's time in
 * the database.  NULL when memory cannot be had, or when a row names a statement that is
 * not built in (logged).  The caller owns it, and frees it after the HTTP server and
 * before the database.
 */
extern Api *api_open(Db *db, int timeout_ms);
extern void api_free(Api *api);

/*
 * Who takes over a request for a WebSocket, with the ticket or the credential that was
 * found in it.  It asks for one in the right way: websocket_check() has said so.
 */
typedef void (*ApiRealtime)(void *context, HttpRequest *request, const char *credential, size_t len,
							bool is_ticket);

/* Until it is set such requests are answered with 503. */
extern void api_set_realtime(Api *api, ApiRealtime take, void *context);

/* From now on GET /readyz is a 503: load balancers are to send nobody here any more. */
extern void api_leave(Api *api);

/* Append the table of endpoints as JSON; false when it does not fit. */
extern bool api_print_endpoints(Buffer *out);

/* The handler for the HTTP server, and its HttpBodyLimit; context is the Api. */
extern void api_handle(HttpRequest *request, void *context);
extern size_t api_body_limit(const HttpRequest *request, void *context);

#endif
