/*
 * statements.h
 *		The registered statements of a program, which it numbers itself.
 *
 * Each statement is a file in gateway/statements/ROLE.
 */
#ifndef PROGRAM_STATEMENTS_H
#define PROGRAM_STATEMENTS_H

#include "db/db.h"

#define PROGRAM_STATEMENTS_MAX 16

/* The most elements of a parameter of letter A. */
#define STATEMENTS_TEXTS_MAX 256

/* SQL's NULL, for a parameter of letter s. */
#define STATEMENTS_NULL ((const char *) NULL)

typedef struct ProgramStatement
{
	const char *name; /* of its file, without .sql */
	DbLaneName lane;
} ProgramStatement;

typedef struct ProgramStatements
{
	const char *role;
	int answer_ms; /* how long one request may take; then it is cancelled */
	int count;
	ProgramStatement rows[PROGRAM_STATEMENTS_MAX];
	int found[PROGRAM_STATEMENTS_MAX]; /* set by statements_find() */
} ProgramStatements;

/* Finds all statements.  False: one is not built in, and error (of size bytes) names it. */
extern bool statements_find(ProgramStatements *statements, char *error, size_t size);

/*
 * Makes a request, which the caller submits.  Unless org is NULL, the request acts for that
 * organization.  types has one letter for each parameter that follows:
 *
 *	u	uuid, from const uint8_t *; NULL is NULL
 *	s	text, from const char *; or any type, from STATEMENTS_NULL
 *	j	jsonb, from const char *
 *	b	boolean, from int				t	timestamptz, from int64_t, milliseconds since 1970
 *	i	integer, from int				l	interval, from int, milliseconds
 *	I	bigint, from int64_t			n	integer, from int; 0 is NULL
 *	d	bytea, from const uint8_t *, the 32 bytes of a SHA-256
 *	T	timestamptz, from int64_t, as db_time_us() reads it
 *	U	uuid[], from const uint8_t (*)[DB_UUID_SIZE], and int, how many they are
 *	A	text[], from const char *const *, and int, at most STATEMENTS_TEXTS_MAX; NULL is NULL
 *
 * NULL: out of memory, or the parameters are too large.
 */
extern DbRequest *
statements_request(const ProgramStatements *statements, int statement, const uint8_t *org,
				   DbDone done, void *arg, const char *types, ...);

/* Logs that the database refused a statement or did not answer it. */
extern void
statements_log_failure(const ProgramStatements *statements, int statement, const DbResult *result);

/* Submits a request, which may be NULL.  Returns the request, or NULL when it was not taken. */
extern DbRequest *statements_submit(Db *db, DbRequest *request);

/* Abandons the request, if there is one, and sets the pointer to NULL. */
extern void statements_drop(DbRequest **request);

#endif
