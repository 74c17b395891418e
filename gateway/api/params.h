/*
 * params.h
 *		The parameters of a call, from its path, query, headers and body.
 */
#ifndef API_PARAMS_H
#define API_PARAMS_H

#include "api/call.h"

/*
 * Adds all parameters to call->db.  Problems with them are noted in the call.  Returns
 * false when memory is out.
 */
extern bool call_add_params(Call *call);

/* Notes the parameters of the query that the endpoint does not have. */
extern void call_check_query(Call *call);

/*
 * Adds a parameter of the path to call->db: an id that is malformed as the id of nothing.
 * Returns false when memory is out.
 */
extern bool call_add_path(Call *call, const Param *param);

/*
 * The User-Agent of a request, or NULL if it has none or one that is not printable ASCII.  The text
 * belongs to the request.
 */
extern const HttpText *call_agent(const HttpRequest *request);

#endif
