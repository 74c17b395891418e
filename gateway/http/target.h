/*
 * target.h
 *		Takes the target of a request apart: path segments and query.
 *
 * Percent-encoding is undone once, after the cuts, so an encoded slash or
 * ampersand never makes a new part.  Refused: broken percent-encoding, NUL,
 * text that is not UTF-8; in a path also control characters and the segments
 * "." and "..".  In a query "+" is a space, as forms send it.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "http/http.h"

/* How much room the parts take. */
typedef struct HttpTargetSize
{
	size_t n_segments;
	size_t n_parameters;
	size_t n_bytes; /* decoded text with a NUL behind each part */
} HttpTargetSize;

/* Splits "path?query"; the texts point into target, which stays as it is. */
extern void http_target_split(const char *target, size_t len, HttpText *path, HttpText *query);

/* An upper bound of the room that http_target_decode() needs. */
extern HttpTargetSize http_target_measure(HttpText path, HttpText query);

/*
 * Decodes into the caller's room; sets *n_parameters (empty parts of a query
 * are left out).  NULL, or what is wrong (a constant, safe to show).
 */
extern const char *http_target_decode(HttpText path, HttpText query, HttpText *segments,
									  HttpField *parameters, size_t *n_parameters, char *bytes);

#endif
