/*
 * statement.h
 *		The registered statements, as scripts/statements generates them.
 *
 * One row for each file gateway/statements/ROLE/NAME.sql: its whole text, with
 * trailing white space stripped.  The same bytes are hashed into the install
 * script, so that a sealed role may run exactly these.  Rows are sorted by role,
 * then name.  Everything is static; nobody frees.
 */
#ifndef DB_STATEMENT_H
#define DB_STATEMENT_H

typedef struct DbStatement
{
	const char *role; /* group role, without its prefix: "gateway", "connector" */
	const char *name; /* the file's name, also the prepared statement's name */
	const char *text;
} DbStatement;

extern const DbStatement db_statements[];
extern const int db_statement_count;

/*
 * The index of a statement in db_statements, or -1 when there is none.
 */
extern int db_statement_find(const char *role, const char *name);

#endif
