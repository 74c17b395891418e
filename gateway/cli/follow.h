/*
 * follow.h
 *		Runs a command that prints what happens, as it happens (COMMAND_FOLLOW).
 *
 * Its statement is asked again every second, each time behind the latest row of before, which
 * is a transaction of its own.  It ends when the reader of standard output has gone, also while
 * nothing happens, and when the connection is lost or the statement is refused.  A signal ends
 * the program as it ends any other: the database keeps nothing for it between two statements.
 */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include <stdbool.h>
#include <libpq-fe.h>

#include "cli/invocation.h"

/* True: nobody reads it any more.  False: it has said what is wrong. */
extern bool follow_run(PGconn *connection, const Invocation *invocation);

#endif
