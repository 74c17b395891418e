/*
 * position.h
 *		A position in the order of an organization's events.
 *
 * Behind every event whose (epoch, ordinal, id) is not above it.  The id is all zeros in a
 * position that is no event's: then all events of smaller ordinals have been read.
 */
#ifndef REALTIME_POSITION_H
#define REALTIME_POSITION_H

#include "db/result.h"

typedef struct Position
{
	int32_t epoch;
	int64_t ordinal;
	uint8_t id[DB_UUID_SIZE];
} Position;

/* Columns of realtime_start. */
enum
{
	POSITION_EPOCH,
	POSITION_ORDINAL,
	POSITION_ID,
	POSITION_KEY,
	POSITION_SINCE
};

/* Below, at or above 0, as memcmp() says it. */
extern int position_compare(const Position *a, const Position *b);

/* When the position's event was written, milliseconds since 1970: its id is a UUIDv7. */
extern int64_t position_written_ms(const Position *position);

/* Reads it from these columns of a row; false when they are no position. */
extern bool
position_read(const DbResult *result, int row, int epoch, int ordinal, int id, Position *position);

/* Adds its three parameters. */
extern bool position_add(DbRequest *request, const Position *position);

#endif
