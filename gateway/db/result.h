/*
 * result.h
 *		Reads the cells of a result, which are in binary format, by type.
 *
 * Each function returns false when the cell is NULL or does not have the type's length; the
 * out parameter is then unchanged.  Pointers into a result are valid until the DbDone
 * callback returns.
 *
 * The functions named db_cell_...() read a cell that was already found.  They save time where
 * many cells are read, and the cell is first examined for NULL.
 */
#ifndef DB_RESULT_H
#define DB_RESULT_H

#include "db/db.h"

/*
 * Whether a later attempt may succeed after an error of this SQLSTATE: a lack of resources, a
 * shutdown, a serialization failure, a standby.  NULL, for an error of libpq's own, counts as
 * such.
 */
extern bool db_may_pass(const char *sqlstate);

/* The index of the column of that name, or -1; checks the index "guess" first. */
extern int db_column(const DbResult *result, const char *name, int guess);

/* The bytes of a cell; bytes is NULL when the cell is NULL or does not exist. */
typedef struct DbCell
{
	const uint8_t *bytes;
	size_t len;
} DbCell;

extern DbCell db_cell(const DbResult *result, int row, int column);

extern bool db_is_null(const DbResult *result, int row, int column);

/* Not terminated by NUL: use *length. */
extern bool db_text(const DbResult *result, int row, int column, const char **text, size_t *len);

/* Copies the text and appends a NUL; also false when that needs more than "size" bytes. */
extern bool db_text_copy(const DbResult *result, int row, int column, char *copy, size_t size);

extern bool db_uuid(const DbResult *result, int row, int column, uint8_t uuid[DB_UUID_SIZE]);
extern bool db_cell_uuid(DbCell cell, uint8_t uuid[DB_UUID_SIZE]);
extern bool db_bool(const DbResult *result, int row, int column, bool *value);
extern bool db_cell_bool(DbCell cell, bool *value);

/* int2, int4 and int8, by the cell's length. */
extern bool db_int(const DbResult *result, int row, int column, int64_t *value);
extern bool db_cell_int(DbCell cell, int64_t *value);

/*
 * timestamptz: milliseconds since 1970, rounded down, or the raw microseconds since
 * 2000.  Infinite times are false in milliseconds.
 */
extern bool db_time_ms(const DbResult *result, int row, int column, int64_t *epoch_ms);
extern bool db_time_us(const DbResult *result, int row, int column, int64_t *postgres_us);
extern bool db_cell_time_us(DbCell cell, int64_t *postgres_us);

/* The milliseconds since 1970 of such microseconds; false when they are infinite. */
extern bool db_ms_of_us(int64_t postgres_us, int64_t *epoch_ms);

/* jsonb (its version byte is checked and skipped) as text, not terminated. */
extern bool db_jsonb(const DbResult *result, int row, int column, const char **json, size_t *len);
extern bool db_cell_jsonb(DbCell cell, const char **json, size_t *len);

/*
 * text[] of one dimension: walk its elements.
 *
 *	DbArray array;
 *	if (db_array(result, row, column, &array))
 *		while (db_array_next(&array, &text, &length)) …
 *
 * A NULL element has text == NULL.  A malformed array ends early.
 */
typedef struct DbArray
{
	const uint8_t *at;
	const uint8_t *end;
	int left;
} DbArray;

extern bool db_array(const DbResult *result, int row, int column, DbArray *array);
extern bool db_cell_array(DbCell cell, DbArray *array);
extern bool db_array_next(DbArray *array, const char **text, size_t *len);

#endif
