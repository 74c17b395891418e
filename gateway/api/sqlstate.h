/*
 * sqlstate.h
 *		What an error of PostgreSQL is to a caller.
 */
#ifndef API_SQLSTATE_H
#define API_SQLSTATE_H

#include "db/db.h"
#include "http/error.h"

/*
 * The kind of error for an outcome that is not DB_ROWS.  A 42501 is "forbidden" only
 * when it names one of our permissions, "person" or "owner": anything else is the gateway's
 * own lack of a privilege, which is no fault of the caller.
 */
extern HttpErrorKind sqlstate_error(const DbResult *result);

/*
 * What a 403 says where it is not a permission that is missing: this is for people, or for
 * owners; else NULL, and the result's constraint is the permission.
 */
extern const char *sqlstate_forbidden_text(const DbResult *result);

#endif
