/*
 * cors.h
 *		CORS: decides which web pages of other origins may read answers.
 *
 * CORS is off unless origins are configured.  A configured origin is compared with the
 * request's Origin byte for byte; there is no pattern and no "*".  Pages may not send
 * credentials that the browser adds by itself (cookies), because this server is used with a
 * credential that the page puts into a header.
 *
 * This is part of gateway/http, so that the errors that gateway/http itself sends have the
 * CORS headers too.  Otherwise a page could not read why its request was refused.
 */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include "http/http.h"

/* The configured origins; each text contains one or several, separated by commas. */
typedef struct HttpOrigins
{
	const char *const *texts; /* borrowed */
	size_t count;             /* 0 = CORS is off */
} HttpOrigins;

/*
 * Whether all of them have the form that browsers send: "https://app.example.com" or
 * "http://localhost:3000", in lower case, without a slash at the end.  False: error says why.
 */
extern bool http_cors_check(const HttpOrigins *origins, char *error, size_t error_size);

/* The request's Origin, if it has exactly one and that is a configured one; else NULL. */
extern const HttpText *http_cors_origin(const HttpOrigins *origins, const HttpRequest *request);

/*
 * Appends the CORS headers of the answer to this request; none while CORS is off.  allow is
 * the answer's Allow header, whose methods a preflight is told; NULL = it has none.
 */
extern void http_cors_append(Buffer *head, const HttpOrigins *origins, const HttpRequest *request,
							 const char *allow);

#endif
