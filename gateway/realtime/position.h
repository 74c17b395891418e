/*
 * position.h
 *		A position in the order of an organization's events.
 *
 * A position covers every event whose (epoch, ordinal, id) is not greater.  If the position
 * is not that of an event its id is all zeros: it then covers all events with smaller
 * ordinals.
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

/* Returns a number below, equal to or above 0, like memcmp(). */
extern int position_compare(const Position *a, const Position *b);

/*
 * The time when the position's event was written, in milliseconds since 1970; its id is a
 * UUIDv7.
 */
extern int64_t position_written_ms(const Position *position);

/* Reads a position from these columns of a row.  Returns false when they contain none. */
extern bool
position_read(const DbResult *result, int row, int epoch, int ordinal, int id, Position *position);

/* Adds the position's three parameters. */
extern bool position_add(DbRequest *request, const Position *position);

#endif
