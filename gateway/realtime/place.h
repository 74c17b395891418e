/*
 * place.h
 *		A place in the order of an organization's events.
 *
 * Behind every event whose (epoch, ordinal, id) is not above it.  The id is all zeros in a
 * place that is no event's: then all events of smaller ordinals have been read.
 */
#ifndef REALTIME_PLACE_H
#define REALTIME_PLACE_H

#include "db/result.h"

typedef struct Place
{
	int32_t epoch;
	int64_t ordinal;
	uint8_t id[DB_UUID_SIZE];
} Place;

/* Below, at or above 0, as memcmp() says it. */
extern int place_compare(const Place *a, const Place *b);

/* When the place's event was written, milliseconds since 1970: its id is a UUIDv7. */
extern int64_t place_written_ms(const Place *place);

/* Reads it from these columns of a row; false when they are no place. */
extern bool
place_read(const DbResult *result, int row, int epoch, int ordinal, int id, Place *place);

/* Adds its three parameters. */
extern bool place_add(DbRequest *request, const Place *place);

#endif
