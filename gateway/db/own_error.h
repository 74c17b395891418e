/*
 * own_error.h
 *		The errors of the extension that programs have to tell from all others.
 *
 * A state alone does not tell: a privilege that is missing has that of a statement that is
 * not registered.  The extension writes a name into the constraint-name field.  RAISE can
 * write there, too, so that a trigger's error could pass for one of these; it cannot write
 * in which file of the source an error was raised.
 */
#ifndef DB_OWN_ERROR_H
#define DB_OWN_ERROR_H

#include <libpq-fe.h>
#include <stdbool.h>

/* Nobody is bound to the transaction.  The state is also that of a credential that is not valid. */
extern bool own_error_is_unbound(const PGresult *error);

/*
 * The statement is not registered as it was prepared: program and database are of different
 * versions.  NULL is no error.
 */
extern bool own_error_is_unregistered(const PGresult *error);

#endif
