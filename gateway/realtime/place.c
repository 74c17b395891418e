/*
 * place.c
 *		A place in the order of an organization's events.
 */
#include "realtime/place.h"

#include <string.h>

int
place_compare(const Place *a, const Place *b)
{
	if (a->epoch != b->epoch)
		return a->epoch < b->epoch ? -1 : 1;
	if (a->ordinal != b->ordinal)
		return a->ordinal < b->ordinal ? -1 : 1;
	return memcmp(a->id, b->id, sizeof(a->id));
}

bool
place_read(const DbResult *result, int row, int epoch, int ordinal, int id, Place *place)
{
	int64_t number;

	if (!db_int(result, row, epoch, &number) || !db_int(result, row, ordinal, &place->ordinal) ||
		!db_uuid(result, row, id, place->id))
		return false;
	place->epoch = (int32_t) number;
	return true;
}

bool
place_add(DbRequest *request, const Place *place)
{
	return db_param_int32(request, place->epoch) && db_param_int64(request, place->ordinal) &&
		   db_param_uuid(request, place->id);
}

int64_t
place_written_ms(const Place *place)
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | place->id[i];
	return ms;
}
