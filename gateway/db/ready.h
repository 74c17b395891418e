/*
 * ready.h
 *		What the server says behind a pipeline's Sync: its ReadyForQuery, and nothing else.
 *
 * PQtransactionStatus() cannot tell.  In pipeline mode it says PQTRANS_ACTIVE as long as
 * anything more is queued, and by the time that the queue is empty the statuses of all but
 * the last Sync are gone.  libpq's trace does tell: it prints each message that libpq has
 * read, ReadyForQuery with its status.  It is switched on for nothing but the look that can
 * find that message, so that no credential and no row is ever printed.
 *
 * libpq hands out statement by statement, and reads what is behind a Sync only when
 * everything in front of it was handed out, its NULL included.  So the user knows when to
 * look: then, and until the PGRES_PIPELINE_SYNC is there, he asks ready_is_busy() in place
 * of PQisBusy().
 *
 * One cost is known: libpq prints a DataRow that no RowDescription announced without
 * checking the lengths in it.  Whoever can write such a message into the stream of the
 * server can crash the process by it, and no more.
 */
#ifndef DB_READY_H
#define DB_READY_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What is looked at of one line of the trace. */
#define READY_LINE_MAX 64

/* Between libpq and us: some lines. */
#define READY_BUFFER 256

typedef struct Ready
{
	FILE *stream; /* what libpq prints to; PQuntrace() flushes it */
	char buffer[READY_BUFFER];
	char line[READY_LINE_MAX];
	size_t len;
	char message[READY_LINE_MAX]; /* one that does not belong there; "" = none came */
	char status;                  /* I, or the first that is not; 0 = none came yet */
} Ready;

/* False: no memory.  The address must not change until ready_close(). */
extern bool ready_open(Ready *ready);
extern void ready_close(Ready *ready);

/* A Sync is waited for from now on, of which nothing was read. */
extern void ready_begin(Ready *ready);

/* PQisBusy(), which it calls, between the last statement's NULL and the Sync's result. */
extern bool ready_is_busy(Ready *ready, PGconn *pg);

/*
 * When the Sync's result was taken: was it all in order?  NULL, or what came instead of an
 * idle transaction; valid until ready_begin().
 */
extern const char *ready_problem(const Ready *ready);

#endif
