/*
 * db_stage.h
 *		A database that only notes what is asked, and answers as the test says.
 *
 * Its db_open(), db_close(), db_submit() and db_abandon() replace the program's: a test that
 * links this links it in front of the rest.
 */
#ifndef TESTS_UNIT_DB_STAGE_H
#define TESTS_UNIT_DB_STAGE_H

#include "db/db_internal.h"

#define DB_STAGE_ASKED_MAX 64

/* Nothing more is taken. */
extern bool db_stage_is_full;

/* What is asked and has no answer yet: how much, and the first of a statement; NULL: none. */
extern int db_stage_count(void);
extern const DbRequest *db_stage_find(const char *statement);

/* Answers the first that is asked of the statement. */
extern void db_stage_answer(const char *statement, const DbResult *result);
extern void db_stage_refuse(const char *statement, DbOutcome outcome, const char *sqlstate);

/* A cell in binary; bytes NULL: null. */
typedef struct DbStageCell
{
	const void *bytes;
	int len;
} DbStageCell;

/* ... with these cells, row by row. */
extern void
db_stage_answer_rows(const char *statement, int rows, int columns, const DbStageCell *cells);

#endif
