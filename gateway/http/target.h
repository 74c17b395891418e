/*
 * target.h
 *		Splits the target of a request into path segments and query parameters.
 *
 * Percent-encoding is decoded once, after the target was split, so that an encoded slash or
 * ampersand does not begin a new part.  These are refused: invalid percent-encoding, NUL, and
 * text that is not UTF-8; in a path also control characters and the segments "." and "..".
 * In a query "+" is a space, as forms send it.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "http/http.h"

/* The most room that the parts of a target can need. */
typedef struct HttpTargetRoom
{
	size_t n_segments;
	size_t n_parameters;
	size_t n_bytes; /* decoded text with a NUL after each part */
} HttpTargetRoom;

/* The parts of a target, in the caller's room. */
typedef struct HttpTarget
{
	HttpText *segments;
	size_t n_segments;
	HttpField *parameters;
	size_t n_parameters;
	char *bytes; /* where the next decoded text goes */
} HttpTarget;

/* The room that http_target_decode() needs at most; computed from the lengths only. */
extern HttpTargetRoom http_target_room(HttpText path, HttpText query);

/*
 * Decodes into target, which has the room and no parts yet.  Empty parts of a query are
 * skipped.  Returns NULL, or what is wrong (a constant, safe to show).
 */
extern const char *http_target_decode(HttpText path, HttpText query, HttpTarget *target);

#endif
