/*
 * interval.c
 *		A parameter of type interval.
 */
#include "db/db.h"

#define INTERVAL_SIZE 16

/* The format: microseconds in eight bytes, then days and months in four each, big endian. */
bool
db_param_interval_ms(DbRequest *request, int64_t ms)
{
	uint64_t us = (uint64_t) ms * 1000;
	char bytes[INTERVAL_SIZE] = {0};

	for (int i = 7; i >= 0; i--)
	{
		bytes[i] = (char) (us & 0xff);
		us >>= 8;
	}
	/* db_param_text() adds the bytes unchanged */
	return db_param_text(request, bytes, sizeof(bytes));
}
