/*
 * shape.h
 *		The rows that a statement gives, as the server told when it was prepared, and whether
 *		a result is of that shape.
 *
 * A result of another shape answers another statement.  Format and the count of rows belong
 * to it: the server closes rows with their count, so that one that was lost or came twice
 * shows.
 */
#ifndef DB_SHAPE_H
#define DB_SHAPE_H

#include <libpq-fe.h>
#include <stdbool.h>

/* Columns of one statement. */
#define DB_COLUMNS_MAX 32

/* In which format rows are asked for, and have to come. */
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
 * Keeps what a Describe of the statement has answered.  False: it is more than any statement
 * of ours has, or not what is known of it.
 */
extern bool shape_keep(DbShape *shape, const char *name, const PGresult *described);

/* Are these the rows, all of them, of a statement of this shape? */
extern bool shape_fits(const DbShape *shape, PGresult *result, DbFormat format);

#endif
