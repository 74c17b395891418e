/*
 * attachment.h
 *		Calls whose JSON body has a file in it, which goes to the store.
 */
#ifndef API_ATTACHMENT_H
#define API_ATTACHMENT_H

#include "api/call.h"
#include "db/result.h"
#include "lib/json_write.h"

/*
 * Looks for a file in the body that was read.  One that is found is noted in the call, if this
 * gateway stores files.  False: out of memory.
 */
extern bool call_find_attachment(Call *call);

/* The statement that a call runs next: that of its endpoint, if it has no file. */
extern int call_next_statement(const Call *call);

/* Adds the parameters of that statement; false when memory is out. */
extern bool call_add_next_params(Call *call);

/* Whether the call goes on when that statement has succeeded. */
extern bool call_has_more_statements(const Call *call);

/* Whether the result of such a statement is the answer already: the message was sent before. */
extern bool call_was_repeated(const Call *call, const DbResult *result);

/*
 * The database has answered a statement after which the call goes on.  Calls next(call) when the
 * next one can run, or when the call is refused; may answer the call and call end(call), as
 * call_take_upload() does.
 */
extern void call_take_attachment(Call *call, const DbResult *result, void (*next)(Call *call),
								 void (*end)(Call *call));

/* Whether the body's member of that name has a file that is in the store now. */
extern bool call_is_attachment_stored(const Call *call, const char *name);

/* Writes what such a member becomes: an object of the file's id. */
extern void call_write_attachment(const Call *call, JsonWriter *writer);

/* Frees what a call knows of the file in its body. */
extern void call_free_attachment(Call *call);

#endif
