/*
 * db_ask.h
 *		Requests to a pool, of one connection unless a test wants more, whose server is the
 *		test's own (db_wire.h).
 *
 * The server and the pool are there between ask_start() and ask_stop(), and the pool's own
 * log is off.
 */
#ifndef TESTS_UNIT_DB_ASK_H
#define TESTS_UNIT_DB_ASK_H

#include <stdbool.h>

#include "db/db.h"
#include "tests/unit/db_wire.h"

#define ASK_LONG_MS 19000 /* a deadline that is out of the way */

/* What a request was told. */
typedef struct Told
{
	bool done;
	DbOutcome outcome;
	char sqlstate[6];
	int rows;
	bool has_principal;
	DbRate rate;
} Told;

extern DbWire wire;
extern Db *db;

extern void ask_start(void);

/* With a pool of that size; conninfo and names are set here. */
extern void ask_start_with(DbConfig config);
extern void ask_stop(void);

/* A DbDone, whose argument is a Told.  Fails the test when it is told twice. */
extern void ask_told(void *arg, const DbResult *result);

/* Asks with a credential, and notes what is told. */
extern void ask_submit(Told *told, int timeout_ms);

/* The same, and waits for it. */
extern void ask(Told *told);

#endif
