/*
 * position.c
 *		A position in the order of an organization's events.
 */
#include "realtime/position.h"

#include <string.h>

int
position_compare(const Position *a, const Position *b)
{
	if (a->epoch != b->epoch)
		return a->epoch < b->epoch ? -1 : 1;
	if (a->ordinal != b->ordinal)
		return a->ordinal < b->ordinal ? -1 : 1;
	return memcmp(a->id, b->id, sizeof(a->id));
}

bool
position_read(const DbResult *result, int row, int epoch, int ordinal, int id, Position *position)
{
	int64_t number;

	if (!db_int(result, row, epoch, &number) || !db_int(result, row, ordinal, &position->ordinal) ||
		!db_uuid(result, row, id, position->id))
		return false;
	position->epoch = (int32_t) number;
	return true;
}

bool
position_add(DbRequest *request, const Position *position)
{
	return db_param_int32(request, position->epoch) && db_param_int64(request, position->ordinal) &&
		   db_param_uuid(request, position->id);
}

int64_t
position_written_ms(const Position *position)
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | position->id[i];
	return ms;
}
