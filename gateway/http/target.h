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

/* The most that a target's parts take. */
typedef struct HttpTargetRoom
{
	size_t n_segments;
	size_t n_parameters;
	size_t n_bytes; /* decoded text with a NUL behind each part */
} HttpTargetRoom;

/* The parts of a target, in the caller's room. */
typedef struct HttpTarget
{
	HttpText *segments;
	size_t n_segments;
	HttpField *parameters;
	size_t n_parameters;
	char *bytes; /* behind the last decoded text */
} HttpTarget;

/* The room that http_target_decode() needs at most; looks at the lengths only. */
extern HttpTargetRoom http_target_room(HttpText path, HttpText query);

/*
 * Decodes into target, which has the room and no part yet; empty parts of a query are left
 * out.  NULL, or what is wrong (a constant, safe to show).
 */
extern const char *http_target_decode(HttpText path, HttpText query, HttpTarget *target);

#endif
