/*
 * own_error.h
 *		Recognises the extension's errors that programs must tell from all others.
 *
 * The SQLSTATE alone is not enough: a missing privilege has the same one as a statement that
 * is not registered.  So the extension also writes a name into the constraint-name field.
 * RAISE can set that field too, and a trigger could thereby imitate such an error.  But RAISE
 * cannot set the source file of an error, so the file is compared as well.
 */
#ifndef DB_OWN_ERROR_H
#define DB_OWN_ERROR_H

#include <libpq-fe.h>
#include <stdbool.h>

/* No identity is bound to the transaction.  An invalid credential has the same SQLSTATE. */
extern bool own_error_is_unbound(const PGresult *error);

/* A text that is no credential.  Input of other types has the same SQLSTATE. */
extern bool own_error_is_no_credential(const PGresult *error);

/*
 * The text of the prepared statement is not registered: the program and the database have
 * different versions.  error may be NULL.
 */
extern bool own_error_is_unregistered(const PGresult *error);

#endif
