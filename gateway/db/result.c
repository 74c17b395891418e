/*
 * result.c
 *		Reads binary cells by type; see result.h.
 *
 * The formats are those of PostgreSQL's send functions, all big endian.  Lengths are checked
 * before anything is read, because a faulty server could send any length.
 */
#include "db/result.h"

#include <string.h>

#include "db/db_internal.h"

const char *const db_outcome_names[] = {
	[DB_ROWS] = "rows",           [DB_REFUSED] = "refused",
	[DB_TIMED_OUT] = "timed out", [DB_UNAVAILABLE] = "unavailable",
	[DB_LOST] = "lost",           [DB_CROWDED] = "crowded",
};

static uint64_t
read_big_endian(const uint8_t *bytes, int len)
{
	uint64_t value = 0;

	for (int i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* The bytes of the cell; NULL when it is NULL or does not exist. */
static const uint8_t *
cell(const DbResult *result, int row, int column, size_t *len)
{
	if (row < 0 || row >= result->rows || column < 0 || column >= result->columns)
		return NULL;
	/* A NULL has length 0, so PQgetisnull() is called only for empty cells. */
	*len = (size_t) PQgetlength(result->cells, row, column);
	if (*len == 0 && PQgetisnull(result->cells, row, column))
		return NULL;
	return (const uint8_t *) PQgetvalue(result->cells, row, column);
}

static bool
is_named(const DbResult *result, int column, const char *name)
{
	return strcmp(PQfname(result->cells, column), name) == 0;
}

int
db_column(const DbResult *result, const char *name, int guess)
{
	if (guess >= 0 && guess < result->columns && is_named(result, guess, name))
		return guess;
	for (int i = 0; i < result->columns; i++)
		if (is_named(result, i, name))
			return i;
	return -1;
}

bool
db_may_pass(const char *sqlstate)
{
	static const char *const classes[] = {"08", "25006", "40", "53", "55P03", "57"};

	if (sqlstate == NULL)
		return true;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strncmp(sqlstate, classes[i], strlen(classes[i])) == 0)
			return true;
	return false;
}

bool
db_is_null(const DbResult *result, int row, int column)
{
	if (row < 0 || row >= result->rows || column < 0 || column >= result->columns)
		return true;
	return PQgetlength(result->cells, row, column) == 0 && PQgetisnull(result->cells, row, column);
}

bool
db_text(const DbResult *result, int row, int column, const char **text, size_t *len)
{
	size_t size;
	const uint8_t *bytes = cell(result, row, column, &size);

	if (bytes == NULL)
		return false;
	*text = (const char *) bytes;
	*len = size;
	return true;
}

bool
db_text_copy(const DbResult *result, int row, int column, char *copy, size_t size)
{
	const char *text;
	size_t len;

	if (!db_text(result, row, column, &text, &len) || len >= size)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return true;
}

bool
db_uuid(const DbResult *result, int row, int column, uint8_t uuid[DB_UUID_SIZE])
{
	size_t size;
	const uint8_t *bytes = cell(result, row, column, &size);

	if (bytes == NULL || size != DB_UUID_SIZE)
		return false;
	memcpy(uuid, bytes, DB_UUID_SIZE);
	return true;
}

bool
db_bool(const DbResult *result, int row, int column, bool *value)
{
	size_t size;
	const uint8_t *bytes = cell(result, row, column, &size);

	if (bytes == NULL || size != 1)
		return false;
	*value = bytes[0] != 0;
	return true;
}

bool
db_int(const DbResult *result, int row, int column, int64_t *value)
{
	size_t size;
	const uint8_t *bytes = cell(result, row, column, &size);

	if (bytes == NULL)
		return false;
	switch (size)
	{
		case 2:
			*value = (int16_t) read_big_endian(bytes, 2);
			return true;
		case 4:
			*value = (int32_t) read_big_endian(bytes, 4);
			return true;
		case 8:
			*value = (int64_t) read_big_endian(bytes, 8);
			return true;
		default:
			return false;
	}
}

bool
db_time_us(const DbResult *result, int row, int column, int64_t *postgres_us)
{
	size_t size;
	const uint8_t *bytes = cell(result, row, column, &size);

	if (bytes == NULL || size != 8)
		return false;
	*postgres_us = (int64_t) read_big_endian(bytes, 8);
	return true;
}

bool
db_time_ms(const DbResult *result, int row, int column, int64_t *epoch_ms)
{
	int64_t us;

	if (!db_time_us(result, row, column, &us) || us == INT64_MAX || us == INT64_MIN ||
		us > INT64_MAX - DB_EPOCH_DIFFERENCE_US)
		return false;
	us += DB_EPOCH_DIFFERENCE_US;
	*epoch_ms = us / 1000 - (us % 1000 < 0 ? 1 : 0);
	return true;
}

bool
db_jsonb(const DbResult *result, int row, int column, const char **json, size_t *len)
{
	size_t size;
	const uint8_t *bytes = cell(result, row, column, &size);

	if (bytes == NULL || size < 2 || bytes[0] != DB_JSONB_VERSION)
		return false;
	*json = (const char *) bytes + 1;
	*len = size - 1;
	return true;
}

/*
 * The format of an array is: the number of dimensions, whether there are NULLs, the type of
 * the elements; for each dimension its size and lower bound; then for each element its length
 * (-1 = NULL) and bytes.  Every number has four bytes.
 */
bool
db_array(const DbResult *result, int row, int column, DbArray *array)
{
	size_t size;
	const uint8_t *bytes = cell(result, row, column, &size);
	uint64_t dimensions;
	uint64_t elements;

	if (bytes == NULL || size < 12)
		return false;
	dimensions = read_big_endian(bytes, 4);
	if (dimensions == 0)
	{
		array->at = array->end = bytes + size;
		array->left = 0;
		return true;
	}
	if (dimensions != 1 || size < 20)
		return false;
	elements = read_big_endian(bytes + 12, 4);
	if (elements > INT32_MAX)
		return false;
	array->at = bytes + 20;
	array->end = bytes + size;
	array->left = (int) elements;
	return true;
}

bool
db_array_next(DbArray *array, const char **text, size_t *len)
{
	int32_t size;

	if (array->left <= 0 || array->end - array->at < 4)
		return false;
	size = (int32_t) read_big_endian(array->at, 4);
	array->at += 4;
	array->left--;
	if (size < 0)
	{
		*text = NULL;
		*len = 0;
		return true;
	}
	if (size > array->end - array->at)
		return false;
	*text = (const char *) array->at;
	*len = (size_t) size;
	array->at += size;
	return true;
}
