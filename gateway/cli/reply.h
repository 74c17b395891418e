/*
 * reply.h
 *		Reads what the REST API answers: rows, where more of them are, and errors.
 */
#ifndef CLI_REPLY_H
#define CLI_REPLY_H

#include "cli/request.h"
#include "lib/buffer.h"

/* The most values and names of one answer. */
#define REPLY_VALUES_MAX 100000

/* Adds the columns of a command's rows to an answer that is empty. */
extern void reply_add_columns(const Command *command, Answer *answer);

/*
 * Appends the rows of a reply that are wanted to an answer, and to "next", which is emptied
 * before, the place behind them if there may be more rows.  False: it is no reply of this API.
 */
extern bool reply_read(const Command *command, const Request *request, const Buffer *body,
					   Answer *answer, Buffer *next);

/*
 * Appends the lines that say why a request was refused: what the server says, its details, and
 * what to do about it.
 */
extern void reply_write_error(int status, int retry_after_s, const Buffer *body, Buffer *out);

#endif
