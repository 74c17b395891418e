/*
 * cursor.h
 *		Where a page of a list ended, as an opaque text.
 */
#ifndef API_CURSOR_H
#define API_CURSOR_H

#include "api/endpoint.h"
#include "db/db.h"
#include "lib/buffer.h"

/* Characters of a cursor; longer ones are refused. */
#define CURSOR_TEXT_MAX 1024

/*
 * Append the cursor behind that row of the result.  False when a part of it is NULL or
 * too long.
 */
extern bool cursor_write(Buffer *out, const Endpoint *endpoint, const HttpRequest *request,
						 const DbResult *result, int row);

/*
 * Read a cursor and add its parts to the request as parameters; with NULL add a NULL for
 * each.  False when it is not a cursor of this list.
 */
extern bool cursor_read(const HttpText *text, const Endpoint *endpoint, const HttpRequest *request,
						DbRequest *db);

#endif
