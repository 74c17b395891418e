/*
 * own_error.c
 *		Recognises errors of the extension; see own_error.h.
 */
#include "db/own_error.h"

#include <string.h>

static bool
has_field(const PGresult *error, int field, const char *text)
{
	const char *value = PQresultErrorField(error, field);

	return value != NULL && strcmp(value, text) == 0;
}

static bool
is_own(const PGresult *error, const char *sqlstate, const char *name, const char *file)
{
	return has_field(error, PG_DIAG_SQLSTATE, sqlstate) &&
		   has_field(error, PG_DIAG_CONSTRAINT_NAME, name) &&
		   has_field(error, PG_DIAG_SOURCE_FILE, file);
}

bool
own_error_is_unbound(const PGresult *error)
{
	return is_own(error, "28000", "credential", "context.c");
}

bool
own_error_is_no_credential(const PGresult *error)
{
	return has_field(error, PG_DIAG_SQLSTATE, "22P02") &&
		   has_field(error, PG_DIAG_SOURCE_FILE, "secret.c");
}

bool
own_error_is_unregistered(const PGresult *error)
{
	return is_own(error, "42501", "statement", "seal.c");
}
