/*
 * ready.h
 *		Reads the transaction status in the ReadyForQuery message that answers a Sync.
 *
 * PQtransactionStatus() does not return it.  In pipeline mode that function returns
 * PQTRANS_ACTIVE as long as more is queued, and when the queue is empty only the status of
 * the last Sync is left.  But libpq's trace prints each message that libpq reads, and
 * ReadyForQuery with its status.  We switch the trace on only for the call that may read this
 * message, so that it never prints a credential or a row.
 *
 * libpq returns results statement by statement.  It reads the answer to a Sync only after
 * every result before it, including the NULL after the last one, was returned.  From then
 * until PGRES_PIPELINE_SYNC is returned, the caller uses ready_is_busy() instead of
 * PQisBusy().
 *
 * The trace has one known risk: libpq prints a DataRow that no RowDescription announced
 * without checking the lengths in it.  An attacker who can write such a message into the
 * server's stream can crash the process that way, and nothing more.
 */
#ifndef DB_READY_H
#define DB_READY_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The first bytes of a line of the trace, which are examined. */
#define READY_LINE_MAX 64

/* Bytes of the stream's buffer; some lines of the trace. */
#define READY_BUFFER 256

typedef struct Ready
{
	FILE *stream; /* where libpq prints its trace; PQuntrace() flushes it */
	char buffer[READY_BUFFER];
	char line[READY_LINE_MAX];
	size_t len;
	char message[READY_LINE_MAX]; /* the first unexpected message; "" = none came */
	char status;                  /* I, or the first other status; 0 = none came yet */
} Ready;

/* False: out of memory.  The address must not change until ready_close(). */
extern bool ready_open(Ready *ready);
extern void ready_close(Ready *ready);

/* Begins to wait for the answer to a Sync, of which nothing was read yet. */
extern void ready_begin(Ready *ready);

/* Calls PQisBusy() with the trace on; used between the last NULL and the Sync's result. */
extern bool ready_is_busy(Ready *ready, PGconn *pg);

/*
 * Called after the Sync's result was taken.  NULL: the transaction is idle.  Otherwise a text
 * that says what came instead; it is valid until ready_begin().
 */
extern const char *ready_problem(const Ready *ready);

#endif
