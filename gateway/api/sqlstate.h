/*
 * sqlstate.h
 *		What an error of PostgreSQL is to a caller.
 */
#ifndef API_SQLSTATE_H
#define API_SQLSTATE_H

#include "db/db.h"
#include "http/http_error.h"

/*
 * The kind of error for an outcome that is not DB_ROWS.  A 42501 is "forbidden" only
 * when it names one of our permissions, or "person": anything else is the gateway's own lack of a
 * privilege, which is no fault of the caller.
 */
extern HttpErrorKind sqlstate_error(const DbResult *result);

/* Whether what is forbidden is for people only, whatever an API key may do. */
extern bool sqlstate_is_for_people(const DbResult *result);

#endif /* API_SQLSTATE_H */
