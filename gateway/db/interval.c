/*
 * interval.c
 *		A parameter of type interval.
 */
#include "db/db.h"

#define INTERVAL_SIZE 16

/* Microseconds in eight bytes, then days and months in four each; all big endian. */
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
	/* what is added as text is added as it is */
	return db_param_text(request, bytes, sizeof(bytes));
}
