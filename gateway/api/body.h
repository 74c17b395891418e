/*
 * body.h
 *		The body of a call, as JSON.
 */
#ifndef API_BODY_H
#define API_BODY_H

#include "api/call.h"

/*
 * Reads the body, unless it was read already.  Problems with it are noted in the call.  Returns false when the body
 * cannot be read; then it makes no sense to look at the parameters.
 */
extern bool call_read_body(Call *call);

/* Refuses the call if its body is compressed or otherwise encoded. */
extern void call_check_plain(Call *call);

/*
 * Adds the members that a PARAM_BODY_REST takes as a parameter, with a file that was stored
 * (attachment.h) by its id.  Returns false when memory is out.
 */
extern bool call_add_body_rest(Call *call);

/* Adds a value of the body as a parameter of type jsonb.  Returns false when memory is out. */
extern bool call_add_body_json(Call *call, const char *name, const JsonValue *value);

#endif
