/*-------------------------------------------------------------------------
 *
 * uuid_datum.h
 *		A UUID as the result of a function.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_UUID_DATUM_H
#define SRC_UUID_DATUM_H

#include "postgres.h"

#include "utils/uuid.h"

/* A copy of it, in the current memory context. */
static inline Datum
wa_uuid_datum(const pg_uuid_t *id)
{
	pg_uuid_t *copy = palloc(sizeof(pg_uuid_t));

	*copy = *id;
	return UUIDPGetDatum(copy);
}

#endif
