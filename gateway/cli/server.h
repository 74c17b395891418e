/*
 * server.h
 *		The connection to the database, as an administrator.
 *
 * Everything that fails says why on standard error, in the server's words: its message, detail
 * and hint, without the marks that libpq puts around them.
 */
#ifndef CLI_SERVER_H
#define CLI_SERVER_H

#include <stdbool.h>
#include <libpq-fe.h>

#include "cli/answer.h"

/*
 * Connects with a connection string or the name of a database (NULL: as the environment says),
 * and asks for a password on the terminal if the server wants one.  NULL: it has said why.
 */
extern PGconn *server_connect(const char *database);

/* Whether a connection string has a password, which other users could see. */
extern bool server_has_password(const char *database);

/* Runs a statement with parameters as text.  NULL: it has said why.  The caller clears it. */
extern PGresult *
server_run(PGconn *connection, const char *statement, int count, const char *const *values);

/*
 * Makes an answer of rows, whose values it borrows.  "shown", of Command.show, takes the place of
 * the first column; NULL: there is none.  False: it has said why.  The caller frees it.
 */
extern bool server_answer(const PGresult *rows, const PGresult *shown, Answer *answer);

/* Runs a statement without parameters, for what has no answer. */
extern bool server_do(PGconn *connection, const char *statement);

/* Takes in what the server has sent between statements.  False: the connection is lost, and it has said so. */
extern bool server_is_alive(PGconn *connection);

#endif
