/*
 * shape.h
 *		Compares a result with the columns that its statement was described with.
 *
 * The server described the columns when the statement was prepared.  A result with other
 * columns answers another statement.  The format and the number of rows are compared too: the
 * server sends the number after the rows, so a row that was lost or repeated is noticed.
 */
#ifndef DB_SHAPE_H
#define DB_SHAPE_H

#include <libpq-fe.h>
#include <stdbool.h>

/* Columns of one statement. */
#define DB_COLUMNS_MAX 32

/* The format in which rows are requested and must come. */
typedef enum DbFormat
{
	DB_TEXT,
	DB_BINARY
} DbFormat;

typedef struct DbShape
{
	int columns;
	Oid types[DB_COLUMNS_MAX]; /* of the columns */
} DbShape;

/*
 * Stores the answer to a Describe of the statement.  False: it has more columns or parameters
 * than any statement of ours, or differs from what this file knows of a binding.
 */
extern bool shape_keep(DbShape *shape, const char *name, const PGresult *described);

/* Whether the result holds all rows of a statement of this shape. */
extern bool shape_fits(const DbShape *shape, PGresult *result, DbFormat format);

#endif
