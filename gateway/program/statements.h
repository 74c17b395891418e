/*
 * statements.h
 *		The statements that a program asks by a number of its own.
 *
 * Each is a file in gateway/statements/ROLE.
 */
#ifndef PROGRAM_STATEMENTS_H
#define PROGRAM_STATEMENTS_H

#include "db/db.h"

#define PROGRAM_STATEMENTS_MAX 16

/* What is NULL in SQL, as a parameter of letter s. */
#define STATEMENTS_NULL ((const char *) NULL)

typedef struct ProgramStatement
{
	const char *name; /* the file's */
	DbLaneName lane;
} ProgramStatement;

typedef struct ProgramStatements
{
	const char *role;
	int answer_ms; /* for one answer; then the request is cancelled */
	int count;
	ProgramStatement rows[PROGRAM_STATEMENTS_MAX];
	int found[PROGRAM_STATEMENTS_MAX]; /* set by statements_find() */
} ProgramStatements;

/* Finds them all.  False: one is not built in, and is written into error (of size bytes). */
extern bool statements_find(ProgramStatements *statements, char *error, size_t size);

/*
 * A request, which the caller submits; org, unless it is NULL, is bound for it.  types has a
 * letter for each parameter that follows:
 *
 *	u	uuid, from const uint8_t *		s	text, from const char *; or any type, from STATEMENTS_NULL
 *	b	boolean, from int				t	timestamptz, from int64_t, milliseconds since 1970
 *	i	integer, from int				l	interval, from int, milliseconds
 *	I	bigint, from int64_t			n	integer, from int; 0 is NULL
 *
 * NULL: out of memory, or they are too large.
 */
extern DbRequest *
statements_request(const ProgramStatements *statements, int statement, const uint8_t *org,
				   DbDone done, void *arg, const char *types, ...);

/* Logs what the database refused or did not answer. */
extern void
statements_log_failure(const ProgramStatements *statements, int statement, const DbResult *result);

/* Submits a request, which may be NULL.  The request when it was taken, NULL when not. */
extern DbRequest *statements_submit(Db *db, DbRequest *request);

/* Ends what was asked, if anything was. */
extern void statements_drop(DbRequest **request);

#endif
