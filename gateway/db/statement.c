/*
 * statement.c
 *		Finds a registered statement by its role and name.
 */
#include "db/statement.h"

#include <string.h>

int
db_statement_find(const char *role, const char *name)
{
	for (int i = 0; i < db_statement_count; i++)
		if (strcmp(db_statements[i].role, role) == 0 && strcmp(db_statements[i].name, name) == 0)
			return i;
	return -1;
}
