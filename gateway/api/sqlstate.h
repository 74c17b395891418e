/*
 * sqlstate.h
 *		Translates an error of PostgreSQL for a caller.
 */
#ifndef API_SQLSTATE_H
#define API_SQLSTATE_H

#include "db/db.h"
#include "http/error.h"

/*
 * The kind of error for an outcome that is not DB_ROWS.  A 42501 is "forbidden" only when
 * it names one of our permissions, "person", "owner" or "sessions", and a 28000 only when it
 * names "address".  Any other 42501 means that the gateway itself lacks a privilege, which is
 * not the caller's fault.
 */
extern HttpErrorKind sqlstate_error(const DbResult *result);

/*
 * The text of a 403 that is not about a missing permission: the endpoint is for people or for
 * owners, or the key is restricted to sessions or addresses.  Otherwise NULL; then the result's
 * constraint is the missing permission.
 */
extern const char *sqlstate_forbidden_text(const DbResult *result);

/*
 * For the log: "address" or "rate" if a valid key was refused for its addresses or its rate;
 * otherwise NULL.
 */
extern const char *sqlstate_restriction(const DbResult *result);

#endif
