/*
 * statement.h
 *		The registered statements, as scripts/statements generates them.
 *
 * There is one row for each file gateway/statements/ROLE/NAME.sql.  Its text is the whole
 * file without trailing white space.  The install script contains the hash of the same bytes,
 * so that a sealed role may run exactly these statements.  Rows are sorted by role, then by
 * name.  All of it is static.
 */
#ifndef DB_STATEMENT_H
#define DB_STATEMENT_H

typedef struct DbStatement
{
	const char *role; /* the group role without its prefix: "gateway", "connector" */
	const char *name; /* of the file, without .sql, and of the prepared statement */
	const char *text;
} DbStatement;

extern const DbStatement db_statements[];
extern const int db_statement_count;

/* The index of a statement in db_statements, or -1 when there is none. */
extern int db_statement_find(const char *role, const char *name);

#endif
