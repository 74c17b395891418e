/*
 * result.c
 *		Reads binary cells by type; see result.h.
 *
 * The formats are those of PostgreSQL's send functions, all big endian.  Lengths are checked
 * before anything is read, because a faulty server could send any length.
 */
#include "db/result.h"

#include <endian.h>
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

/* libpq checks row and column again at every call, so it is called as rarely as possible. */
DbCell
db_cell(const DbResult *result, int row, int column)
{
	DbCell cell = {.bytes = NULL};

	if (row < 0 || row >= result->rows || column < 0 || column >= result->columns)
		return cell;
	/* A NULL has length 0, so PQgetisnull() is called only for empty cells. */
	cell.len = (size_t) PQgetlength(result->cells, row, column);
	if (cell.len > 0 || !PQgetisnull(result->cells, row, column))
		cell.bytes = (const uint8_t *) PQgetvalue(result->cells, row, column);
	return cell;
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
	return db_cell(result, row, column).bytes == NULL;
}

bool
db_text(const DbResult *result, int row, int column, const char **text, size_t *len)
{
	DbCell cell = db_cell(result, row, column);

	if (cell.bytes == NULL)
		return false;
	*text = (const char *) cell.bytes;
	*len = cell.len;
	return true;
}

bool
db_text_copy(const DbResult *result, int row, int column, char *copy, size_t size)
{
	DbCell cell = db_cell(result, row, column);

	if (cell.bytes == NULL || cell.len >= size)
		return false;
	memcpy(copy, cell.bytes, cell.len);
	copy[cell.len] = '\0';
	return true;
}

bool
db_cell_uuid(DbCell cell, uint8_t uuid[DB_UUID_SIZE])
{
	if (cell.bytes == NULL || cell.len != DB_UUID_SIZE)
		return false;
	memcpy(uuid, cell.bytes, DB_UUID_SIZE);
	return true;
}

bool
db_uuid(const DbResult *result, int row, int column, uint8_t uuid[DB_UUID_SIZE])
{
	return db_cell_uuid(db_cell(result, row, column), uuid);
}

bool
db_cell_bool(DbCell cell, bool *value)
{
	if (cell.bytes == NULL || cell.len != 1)
		return false;
	*value = cell.bytes[0] != 0;
	return true;
}

bool
db_bool(const DbResult *result, int row, int column, bool *value)
{
	return db_cell_bool(db_cell(result, row, column), value);
}

static uint64_t
read_eight(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return be64toh(value);
}

bool
db_cell_int(DbCell cell, int64_t *value)
{
	if (cell.bytes == NULL)
		return false;
	switch (cell.len)
	{
		case 2:
			*value = (int16_t) read_big_endian(cell.bytes, 2);
			return true;
		case 4:
			*value = (int32_t) read_big_endian(cell.bytes, 4);
			return true;
		case 8:
			*value = (int64_t) read_eight(cell.bytes);
			return true;
		default:
			return false;
	}
}

bool
db_int(const DbResult *result, int row, int column, int64_t *value)
{
	return db_cell_int(db_cell(result, row, column), value);
}

bool
db_cell_time_us(DbCell cell, int64_t *postgres_us)
{
	if (cell.bytes == NULL || cell.len != 8)
		return false;
	*postgres_us = (int64_t) read_eight(cell.bytes);
	return true;
}

bool
db_time_us(const DbResult *result, int row, int column, int64_t *postgres_us)
{
	return db_cell_time_us(db_cell(result, row, column), postgres_us);
}

bool
db_ms_of_us(int64_t us, int64_t *epoch_ms)
{
	if (us == INT64_MAX || us == INT64_MIN || us > INT64_MAX - DB_EPOCH_DIFFERENCE_US)
		return false;
	us += DB_EPOCH_DIFFERENCE_US;
	*epoch_ms = us / 1000 - (us % 1000 < 0 ? 1 : 0);
	return true;
}

bool
db_time_ms(const DbResult *result, int row, int column, int64_t *epoch_ms)
{
	int64_t us;

	return db_time_us(result, row, column, &us) && db_ms_of_us(us, epoch_ms);
}

bool
db_cell_jsonb(DbCell cell, const char **json, size_t *len)
{
	if (cell.bytes == NULL || cell.len < 2 || cell.bytes[0] != DB_JSONB_VERSION)
		return false;
	*json = (const char *) cell.bytes + 1;
	*len = cell.len - 1;
	return true;
}

bool
db_jsonb(const DbResult *result, int row, int column, const char **json, size_t *len)
{
	return db_cell_jsonb(db_cell(result, row, column), json, len);
}

/*
 * The format of an array is: the number of dimensions, whether there are NULLs, the type of
 * the elements; for each dimension its size and lower bound; then for each element its length
 * (-1 = NULL) and bytes.  Every number has four bytes.
 */
bool
db_cell_array(DbCell cell, DbArray *array)
{
	size_t size = cell.len;
	const uint8_t *bytes = cell.bytes;
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
db_array(const DbResult *result, int row, int column, DbArray *array)
{
	return db_cell_array(db_cell(result, row, column), array);
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
