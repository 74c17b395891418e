/*
 * db_wire.h
 *		A tiny PostgreSQL server, for tests of the database floor without a database.
 *
 * It listens on a socket in a directory of its own and runs in the loop of the test.  It lets
 * everybody in, prepares everything, and answers each execution as the script says that is
 * set when the execution arrives.  "authenticate" always returns an id.
 */
#ifndef DB_WIRE_H
#define DB_WIRE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "db/db.h"

typedef enum DbWireScript
{
	DB_WIRE_ROW,          /* one row */
	DB_WIRE_ERROR,        /* an error */
	DB_WIRE_HANG,         /* nothing, this once; a cancel request makes it a 57014 */
	DB_WIRE_FATAL,        /* the error, and the connection is closed */
	DB_WIRE_ROW_AND_FATAL /* the row, then the same: before the Sync is answered */
} DbWireScript;

typedef struct DbWire
{
	struct event_base *base;
	DbWireScript script;
	size_t row_bytes;     /* of the one cell */
	const char *sqlstate; /* of the error */
	const char *refuses;  /* the SQLSTATE with which nothing is prepared; NULL = all is */
	const char *function; /* where in the server's source it was raised */

	int logins;  /* connections that have logged in */
	int cancels; /* cancel requests that came */

	char directory[64];
	char conninfo[128];
	struct event *listener;
} DbWire;

extern void db_wire_start(DbWire *wire);
extern void db_wire_stop(DbWire *wire);

/* Runs the loop until *done or for some seconds; fails the test when it takes longer. */
extern void db_wire_run_until(DbWire *wire, const bool *done);
extern void db_wire_run(DbWire *wire, int ms);

#endif /* DB_WIRE_H */
