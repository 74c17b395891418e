/*
 * body.h
 *		The body of a call, as JSON.
 */
#ifndef API_BODY_H
#define API_BODY_H

#include "api/call.h"

/*
 * Reads the body.  What is wrong with it is noted in the call.  False: it cannot be read, and
 * there is no use in looking at the parameters.
 */
extern bool call_read_body(Call *call);

/* Adds what a PARAM_BODY_REST takes as a parameter.  False: memory is out. */
extern bool call_add_body_rest(Call *call);

/* Adds a value of the body as a parameter of type jsonb.  False: memory is out. */
extern bool call_add_body_json(Call *call, const char *name, const JsonValue *value);

#endif
