/*
 * origin.h
 *		Did one of our own pages ask?
 */
#ifndef API_ORIGIN_H
#define API_ORIGIN_H

#include <stdbool.h>

#include "http/http.h"

/*
 * Whether the request comes from a page of this origin, or from no page at all: a program
 * that is no browser sends neither Origin nor Sec-Fetch-Site, and has no cookie that
 * somebody else's page could make it send.
 */
extern bool origin_is_own(const HttpRequest *request);

#endif
