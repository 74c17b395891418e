/*
 * shape.c
 *		Compares a result with the columns of its statement; see shape.h.
 */
#include "db/shape.h"

#include <stdlib.h>
#include <string.h>

#include "db/db.h"

/* Oids that are fixed in PostgreSQL's catalog. */
#define INT8_OID 20
#define INT4_OID 23
#define VOID_OID 2278
#define UUID_OID 2950

/* The statements whose answers gateway/db itself reads. */
typedef struct OwnStatement
{
	const char *name;
	int params;
	int columns;
	Oid types[6];
} OwnStatement;

static const OwnStatement own_statements[] = {
	{"authenticate", 5, 6, {UUID_OID, UUID_OID, INT4_OID, INT4_OID, INT4_OID, INT8_OID}},
	{"act_for", 2, 2, {VOID_OID, INT8_OID}},
	{"unbound", 1, 1, {INT8_OID}},
	{"credential_org", 1, 1, {UUID_OID}},
};

static bool
is_as_known(const DbShape *shape, const char *name, int params)
{
	for (size_t i = 0; i < sizeof(own_statements) / sizeof(own_statements[0]); i++)
	{
		const OwnStatement *own = &own_statements[i];

		if (strcmp(name, own->name) == 0)
		{
			return params == own->params && shape->columns == own->columns &&
				   memcmp(shape->types, own->types,
						  sizeof(own->types[0]) * (size_t) own->columns) == 0;
		}
	}
	return true;
}

bool
shape_keep(DbShape *shape, const char *name, const PGresult *described)
{
	int params = PQnparams(described);

	shape->columns = PQnfields(described);
	if (params > DB_PARAMS_MAX || shape->columns < 1 || shape->columns > DB_COLUMNS_MAX)
		return false;
	for (int i = 0; i < shape->columns; i++)
		shape->types[i] = PQftype(described, i);
	return is_as_known(shape, name, params);
}

bool
shape_fits(const DbShape *shape, PGresult *result, DbFormat format)
{
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQnfields(result) != shape->columns)
		return false;
	for (int i = 0; i < shape->columns; i++)
		if (PQftype(result, i) != shape->types[i] || PQfformat(result, i) != (int) format)
			return false;
	/* PQcmdTuples() is "" when no CommandComplete came */
	return PQcmdTuples(result)[0] != '\0' &&
		   strtol(PQcmdTuples(result), NULL, 10) == PQntuples(result);
}
