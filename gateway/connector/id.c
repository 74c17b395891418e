/*
 * id.c
 *		Reads the ids of the database.
 */
#include "connector/id.h"

#include <stdio.h>
#include <string.h>

#include "db/result.h"

bool
connector_read_id(const DbResult *result, int row, int column, ConnectorId *id)
{
	const uint8_t *b = id->bytes;

	if (!db_uuid(result, row, column, id->bytes))
		return false;
	snprintf(id->text, sizeof(id->text),
			 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
			 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
			 b[15]);
	return true;
}

bool
connector_same_id(const ConnectorId *a, const ConnectorId *b)
{
	return memcmp(a->bytes, b->bytes, DB_UUID_SIZE) == 0;
}
