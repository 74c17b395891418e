/*
 * answer_write.h
 *		Writes what was answered to a command: as JSON, as a table, as a record, as findings, or
 *		as a sentence.
 *
 * JSON has the names of the REST API.  A value that is null is left out there and is "-"
 * elsewhere.  Outside of JSON, control characters become blanks: a terminal would obey them.
 */
#ifndef CLI_ANSWER_WRITE_H
#define CLI_ANSWER_WRITE_H

#include "cli/answer.h"
#include "cli/command.h"
#include "lib/buffer.h"

/* Appends one JSON value and a line break; of COMMAND_LINES and COMMAND_FOLLOW, one for each row. */
extern void answer_write_json(const Answer *answer, CommandShape shape, Buffer *out);

/* Appends what people read. */
extern void answer_write_text(const Answer *answer, const Command *command, Buffer *out);

/* Appends text that a terminal cannot take for orders: each control character is a blank. */
extern void answer_write_plain(Buffer *out, const char *text);

#endif
