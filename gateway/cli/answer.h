/*
 * answer.h
 *		What was answered to a command: a table of texts, each column with a type.
 *
 * Who makes an answer adds its columns first, then its rows.  Names of columns are borrowed
 * until the answer is freed; a value is borrowed (answer_set()) or copied (answer_copy()).
 */
#ifndef CLI_ANSWER_H
#define CLI_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#define ANSWER_COLUMNS_MAX 64

typedef enum AnswerType
{
	ANSWER_TEXT,
	ANSWER_NUMBER, /* as JSON writes it */
	ANSWER_BOOL,   /* "t" or "f" */
	ANSWER_JSON,
	ANSWER_TIME /* as PostgreSQL writes it in UTC: "2026-01-31 12:00:00.5+00", or "infinity" */
} AnswerType;

typedef struct AnswerColumn
{
	const char *name;
	AnswerType type;
} AnswerColumn;

/* A value and its column. */
typedef struct AnswerField
{
	const char *name;
	const char *value; /* NULL: null */
	AnswerType type;
} AnswerField;

typedef struct AnswerText AnswerText;

/* All zero, it is an empty answer. */
typedef struct Answer
{
	AnswerColumn columns[ANSWER_COLUMNS_MAX];
	int column_count;
	int row_count;
	int row_max;         /* rows for which there is room */
	const char **values; /* owned, row by row */
	AnswerText *copies;  /* owned */
	bool failed;         /* memory has run out, or there are too many columns */
} Answer;

extern void answer_add_column(Answer *answer, const char *name, AnswerType type);

/* Adds a row of nulls. */
extern void answer_add_row(Answer *answer);

/* Sets a value of the last row. */
extern void answer_set(Answer *answer, int column, const char *value);
extern void answer_copy(Answer *answer, int column, const char *text, size_t len);

/* Turns the order of the rows round. */
extern void answer_reverse(Answer *answer);

extern void answer_free(Answer *answer);

/* The field of a row; a row that is not there has nulls. */
extern AnswerField answer_field(const Answer *answer, int row, int column);

/* The field of a row with a name of "len" bytes.  Its name is NULL if there is none. */
extern AnswerField answer_find(const Answer *answer, int row, const char *name, size_t len);

/* The value of the latest row's column "id", or NULL. */
extern const char *answer_latest_id(const Answer *answer);

/* Whether a row's column "passed" is not false. */
extern bool answer_has_passed(const Answer *answer, int row);

/* Whether a check has not passed. */
extern bool answer_has_findings(const Answer *answer);

/* Whether a row's column "result" has this value. */
extern bool answer_has_result(const Answer *answer, const char *result);

#endif
