/*
 * answer.h
 *		What the database answered to a command, and how it is written: as JSON, as a table, as
 *		a record, as findings, or as a sentence.
 *
 * JSON has the names of the REST API.  A value that is null is left out there and is "-"
 * elsewhere.  Outside of JSON, control characters become blanks: a terminal would obey them.
 */
#ifndef CLI_ANSWER_H
#define CLI_ANSWER_H

#include <libpq-fe.h>

#include "cli/command.h"
#include "lib/buffer.h"

/* Borrowed. */
typedef struct Answer
{
	const PGresult *rows;
	const PGresult *shown; /* of Command.show: takes the place of the first column; or NULL */
} Answer;

/* Appends one JSON value and a line break; of COMMAND_LINES and COMMAND_FOLLOW, one for each row. */
extern void answer_write_json(const Answer *answer, CommandShape shape, Buffer *out);

/* Appends what people read. */
extern void answer_write_text(const Answer *answer, const Command *command, Buffer *out);

/* The value of the latest row's column "id", or NULL. */
extern const char *answer_latest_id(const Answer *answer);

/* Whether a check has not passed. */
extern bool answer_has_findings(const Answer *answer);

/* Whether a row's column "result" has this value. */
extern bool answer_has_result(const Answer *answer, const char *result);

#endif
