/*
 * rate.h
 *		The rate of an API key, which the database counts: what callers are told of it.
 */
#ifndef API_RATE_H
#define API_RATE_H

#include "db/db.h"
#include "http/error.h"
#include "http/http.h"

/* Bytes of a Retry-After value, with the NUL. */
#define RATE_WAIT_MAX 12

/*
 * Notes for the answer what is left of the key's rate, if it has one: from what authenticate
 * returned, or from the error with which it refused the request.
 */
extern void rate_note(HttpRequest *request, const DbResult *result);

/* Whether the request was refused because its key has made too many. */
extern bool rate_is_over(const DbResult *result);

/* Copies the seconds with which the detail of a limit's error begins.  False: there are none. */
extern bool rate_wait(const DbResult *result, char wait[RATE_WAIT_MAX]);

/* What the error of such a request says beside its status and its Retry-After. */
extern const char rate_message[];
extern const HttpDetail rate_detail;

#endif
