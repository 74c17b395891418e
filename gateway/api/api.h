/*
 * api.h
 *		The REST interface: takes complete HTTP requests and answers them.
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

struct MediaStore;
struct event_base;

/*
 * Resolves the endpoints' patterns and statements.  The base is that of the loop.  timeout_ms bounds the time of each
 * request in the database.  Returns NULL when memory is out, or when a row names a
 * statement that is not built in (logged).  The caller owns the result, and frees it after
 * the HTTP server and before the database.
 */
extern Api *api_open(struct event_base *base, Db *db, int timeout_ms);
extern void api_free(Api *api);

/*
 * Takes over a request for a WebSocket, with the ticket or the credential that was found in
 * it.  The API has checked with websocket_check() that the request asks for a WebSocket
 * correctly.
 */
typedef void (*ApiRealtime)(void *context, HttpRequest *request, const char *credential, size_t len,
							bool is_ticket);

/* Sets who takes over such requests.  Before that they are answered with 503. */
extern void api_set_realtime(Api *api, ApiRealtime take, void *context);

/* Sets where files are stored, and how many bytes one may have.  Before that they get a 501. */
extern void api_set_media(Api *api, struct MediaStore *media, uint64_t max);

/* From now on GET /readyz answers 503, so that load balancers send no more requests. */
extern void api_leave(Api *api);

/* Appends the table of endpoints as JSON.  Returns false when it does not fit. */
extern bool api_print_endpoints(Buffer *out);

/* The handler for the HTTP server, and its HttpBodyLimit; context is the Api. */
extern void api_handle(HttpRequest *request, void *context);
extern size_t api_body_limit(const HttpRequest *request, void *context);

#endif
