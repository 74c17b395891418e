/*
 * cursor.h
 *		An opaque text that says where a page of a list ended.
 */
#ifndef API_CURSOR_H
#define API_CURSOR_H

#include "api/endpoint.h"
#include "db/db.h"
#include "lib/buffer.h"

/* The number of characters of a cursor; longer ones are refused. */
#define CURSOR_TEXT_MAX 1024

/*
 * Appends the cursor that continues after this row of the result.  Returns false when a
 * part of it is NULL or too long.
 */
extern bool cursor_write(Buffer *out, const Endpoint *endpoint, const HttpRequest *request,
						 const DbResult *result, int row);

/* Whether the row has all that a cursor which continues after it is made of. */
extern bool cursor_possible(const Endpoint *endpoint, const DbResult *result, int row);

/*
 * Reads a cursor and adds its parts to the request as parameters.  If text is NULL it adds
 * a NULL for each part.  Returns false when the text is not a cursor of this list.
 */
extern bool cursor_read(const HttpText *text, const Endpoint *endpoint, const HttpRequest *request,
						DbRequest *db);

#endif
