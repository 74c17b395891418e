/*
 * sealing.h
 *		Calls with the credentials of a session's connector, which are sealed before they reach
 *		the database.
 *
 * Such a call is two requests to the database.  The first one says whether the caller may give
 * credentials, for which organization, and what the connector's public key is.  The second one
 * stores the ids among them as they are, and all of them sealed.  What is sealed is a JSON object
 * with the members that the caller sent and "organizationId", so that the connector notices
 * credentials that were put into another organization.
 */
#ifndef API_SEALING_H
#define API_SEALING_H

#include "api/call.h"

/* How many members credentials have, and the most characters of all of them together. */
#define SEALING_FIELDS 7
#define SEALING_TEXT_MAX 2500

/* The parameters of a statement that credentials become: three ids, the key, what is sealed. */
#define SEALING_WIDTH 5

/*
 * Checks the credentials of a call whose body was read.  Problems with them are noted.  True:
 * they are right, and the key has to be asked for, because it is not known yet.
 */
extern bool call_needs_key(Call *call);

/*
 * Makes the call one that asks for the key, and adds the parameters of this question to
 * call->db.  False when memory is out.
 */
extern bool call_ask_key(Call *call);

/* Takes the answer, if the call has asked.  False: there is no key in it. */
extern bool call_take_key(Call *call, const DbResult *result);

/*
 * Adds the parameters of credentials to call->db: of "value", or NULLs if that is NULL.  Returns
 * false when memory is out.
 */
extern bool call_add_credentials(Call *call, const JsonValue *value);

extern void call_free_sealing(Call *call);

#endif
