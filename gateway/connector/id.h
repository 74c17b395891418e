/*
 * id.h
 *		Ids of the database, as connectors handle them.
 */
#ifndef CONNECTOR_ID_H
#define CONNECTOR_ID_H

#include "db/db.h"

#define UUID_TEXT_MAX 36 /* bytes of a uuid in text */

/* An id of the database, in binary and as text. */
typedef struct ConnectorId
{
	uint8_t bytes[DB_UUID_SIZE];
	char text[UUID_TEXT_MAX + 1];
} ConnectorId;

/* Returns false when the cell contains no id. */
extern bool connector_read_id(const DbResult *result, int row, int column, ConnectorId *id);

extern bool connector_same_id(const ConnectorId *a, const ConnectorId *b);

#endif
