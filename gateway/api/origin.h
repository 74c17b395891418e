/*
 * origin.h
 *		Checks whether a request comes from one of our own pages.
 */
#ifndef API_ORIGIN_H
#define API_ORIGIN_H

#include <stdbool.h>

#include "http/http.h"

/*
 * Whether the request comes from a page of this origin, or from no page at all.  A program
 * that is not a browser sends neither Origin nor Sec-Fetch-Site.  It has no cookie that a
 * page of somebody else could make it send.
 */
extern bool origin_is_own(const HttpRequest *request);

#endif
