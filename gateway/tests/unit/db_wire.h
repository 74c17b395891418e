/*
 * db_wire.h
 *		A tiny PostgreSQL server, for tests of the database floor without a database.
 *
 * It listens on a socket in a directory of its own and runs in the loop of the test.  It lets
 * everybody in, prepares everything, and answers each execution as the script says that is
 * set when the execution arrives.  What comes first in a request is answered as it should be:
 * with the number that was sent, and an id where a credential was.  All credentials are of one
 * organization.
 *
 * A lie takes the place of something that it would say, once.  It is raw bytes, made by
 * db_wire_message(); the eight bytes DB_WIRE_NUMBER in it become the request's number.
 */
#ifndef TESTS_UNIT_DB_WIRE_H
#define TESTS_UNIT_DB_WIRE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "db/db.h"
#include "lib/buffer.h"

#define DB_WIRE_NUMBER "#number#"

typedef enum DbWireScript
{
	DB_WIRE_ROW,          /* one row */
	DB_WIRE_ERROR,        /* an error */
	DB_WIRE_HANG,         /* nothing, this once; a cancel request makes it a 57014 */
	DB_WIRE_FATAL,        /* the error, and the connection is closed */
	DB_WIRE_ROW_AND_FATAL /* the row, then the same: before the Sync is answered */
} DbWireScript;

typedef enum DbWirePlace
{
	DB_WIRE_TRUE,      /* there is no lie */
	DB_WIRE_BINDING,   /* in place of the first statement's answer, its columns included */
	DB_WIRE_STATEMENT, /* in place of the second one's */
	DB_WIRE_QUESTION,  /* in place of the organization of a credential */
	DB_WIRE_SYNC,      /* in place of the answer to a Sync behind requests */
	DB_WIRE_PREPARED,  /* in place of the columns of authenticate when it is prepared */
	DB_WIRE_LOGIN      /* in front of the answer to the first Sync, that of preparing */
} DbWirePlace;

typedef struct DbWireLie
{
	DbWirePlace place;
	int passes; /* so many times the truth is still told there */
	const char *bytes;
	size_t len;
} DbWireLie;

typedef struct DbWire
{
	struct event_base *base;
	DbWireScript script;
	DbWireLie lie;
	size_t row_bytes;     /* of the one cell */
	const char *sqlstate; /* of the error */
	const char *refuses;  /* the SQLSTATE with which nothing is prepared; NULL = all is */
	const char *function; /* where in the server's source it was raised, */
	const char *file;
	const char *constraint; /* and its constraint-name field; NULL = there is none */

	int logins;        /* connections that have logged in */
	int cancels;       /* cancel requests that came */
	int authenticated; /* credentials */
	int questions;     /* of which organization a credential is */
	int executed;      /* other statements than those and those that come first in a request */

	char directory[64];
	char conninfo[128];
	struct event *listener;
} DbWire;

extern void db_wire_start(DbWire *wire);
extern void db_wire_stop(DbWire *wire);

/* Runs the loop until *done or for some seconds; fails the test when it takes longer. */
extern void db_wire_run_until(DbWire *wire, const bool *done);
extern void db_wire_run(DbWire *wire, int ms);

/* Says something unasked to the client that has logged in last. */
extern void db_wire_say(DbWire *wire, const char *bytes, size_t len);

/* Appends one message. */
extern void db_wire_message(Buffer *out, char type, const void *body, size_t len);

#endif
