/*
 * range.h
 *		The part of a representation that a client asks for: RFC 9110, section 14.
 */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include "http/http.h"

typedef enum HttpRangeResult
{
	HTTP_RANGE_WHOLE, /* no part is asked for, or not in a way that is supported: 200 */
	HTTP_RANGE_PART,  /* 206 */
	HTTP_RANGE_NONE   /* the part lies behind the end: 416 */
} HttpRangeResult;

/* Bytes of a Content-Range, with the NUL. */
#define HTTP_CONTENT_RANGE_MAX 72

/*
 * Finds the part of size bytes, with this ETag (including the quotation marks), that the
 * request asks for.  Sets first and length, of the whole as well.  Only one range of bytes is
 * supported; several are answered with the whole, as the standard allows.
 */
extern HttpRangeResult http_range(const HttpRequest *request, const char *etag, uint64_t size,
								  uint64_t *first, uint64_t *length);

/* The value of Content-Range of a part, or of a 416 with length 0. */
extern void http_content_range(char text[HTTP_CONTENT_RANGE_MAX], uint64_t first, uint64_t length,
							   uint64_t size);

#endif
