/*
 * cors.h
 *		Which pages of other origins may read answers (CORS).
 *
 * Off unless origins are configured.  An origin is compared with the request's Origin
 * byte for byte; there is no pattern, no "*", and no credential of a browser is ever
 * allowed along: what opens this server is a header that the page itself sets.
 *
 * Here and not above, so that the answers that this floor makes have it too: a page could
 * otherwise not read why its request was refused.
 */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include "http/http.h"

/* The configured origins: each text holds one or several, separated by commas. */
typedef struct HttpOrigins
{
	const char *const *texts; /* borrowed */
	size_t count;             /* 0 = CORS is off */
} HttpOrigins;

/*
 * Whether all of them are origins as browsers write them: "https://app.example.com" or
 * "http://localhost:3000", in lower case, with no slash at the end.  False: error says why.
 */
extern bool http_cors_check(const HttpOrigins *origins, char *error, size_t error_size);

/* The request's origin, when there is exactly one and it is a configured one; else NULL. */
extern const HttpText *http_cors_origin(const HttpOrigins *origins, const HttpRequest *request);

/*
 * Appends what the answer to this request says about origins: nothing while CORS is off.
 * allow is the answer's own Allow, which a preflight is told too; NULL = it has none.
 */
extern void http_cors_append(Buffer *head, const HttpOrigins *origins, const HttpRequest *request,
							 const char *allow);

#endif
