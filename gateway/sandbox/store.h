/*
 * store.h
 *		The sandbox's way to PostgreSQL: one connection, registered statements.
 *
 * Looking across organizations (sessions, claim) is a query of its own.  A report
 * is about one organization: wa.act_for(org) and the report run in one implicit
 * transaction that ends with its own Sync.  Reports are pipelined: send up to
 * STORE_BATCH_MAX of them, then take as many outcomes, in the same order.
 *
 * Calls block, which a process of its own may do, but never for longer than
 * STORE_ANSWER_MS without a word from the server.  After STORE_LOST the connection is made again by store_connect().
 */
#ifndef SANDBOX_STORE_H
#define SANDBOX_STORE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "db/ready.h"
#include "db/reports.h"
#include "db/shape.h"

#define STORE_BATCH_MAX 32       /* reports in the pipeline at once */
#define STORE_CONNECT_MS 10000   /* for one attempt to connect, whatever the number of hosts */
#define STORE_ANSWER_MS 10000    /* for one answer; later the connection is given up */
#define STORE_BACKOFF_MIN_MS 200 /* between attempts to connect */
#define STORE_BACKOFF_MAX_MS 5000

typedef enum StoreStatement
{
	STORE_ACT_FOR,
	STORE_UNBOUND,
	STORE_SESSIONS,
	STORE_RELEASE,
	STORE_CLAIM,
	STORE_SESSION,
	STORE_SENT,
	STORE_FAILED,
	STORE_STATUS,
	STORE_RECEIVE,
	STORE_CHANGE,
	STORE_ACTIONS,
	STORE_ACTION_DONE,
	STORE_ACTION_FAILED,
	STORE_STATEMENT_COUNT
} StoreStatement;

typedef enum StoreOutcome
{
	STORE_DONE,    /* committed */
	STORE_STALE,   /* committed, but the database said false: nothing of ours to change */
	STORE_REFUSED, /* an error that will come again; logged */
	STORE_AGAIN,   /* an error that may pass: try later; logged */
	STORE_LOST     /* the connection broke: done or not, unknown */
} StoreOutcome;

typedef enum StoreConnect
{
	STORE_CONNECTED,
	STORE_WAITING, /* not now; the next attempt is due at store->next_attempt_ms */
	STORE_UNUSABLE /* connected, but the statements are not ours to run, and will not be; logged */
} StoreConnect;

typedef struct Store
{
	const char *conninfo; /* borrowed from the configuration */
	PGconn *connection;   /* NULL, or connected, prepared and in pipeline mode */
	int64_t next_attempt_ms;
	int backoff_ms;
	int answer_ms;  /* STORE_ANSWER_MS; shorter in tests */
	int unanswered; /* reports sent whose outcome was not taken */

	/* For what libpq does not check: see sandbox_store.c. */
	int64_t sent;                          /* the number of the last request that was sent */
	int64_t answered;                      /* and of the last that was answered */
	StoreStatement asked[STORE_BATCH_MAX]; /* what was sent, by its number */
	DbShape shapes[STORE_STATEMENT_COUNT]; /* of the statements' rows */
	Ready ready;
	Reports reports;
} Store;

/* Makes a store that is not connected.  conninfo must outlive it. */
extern void store_init(Store *store, const char *conninfo);

/* Connects and prepares every statement, if that is due at now_ms (monotonic). */
extern StoreConnect store_connect(Store *store, int64_t now_ms);

/* Notices a connection that the server closed while nothing was asked. */
extern void store_check(Store *store);

/* Closes the connection; outcomes that were not taken are lost. */
extern void store_close(Store *store);

/*
 * Runs a statement that looks across organizations.  The rows, in text, which the
 * caller frees by PQclear, or NULL: not done, logged, and the connection may be
 * closed.  Parameters are text; NULL is SQL's NULL.  No report may be unanswered.
 */
extern PGresult *
store_query(Store *store, StoreStatement statement, int count, const char *const *values);

/*
 * Sends a report for an organization.  False when the pipeline is full or the
 * connection is gone; then there is no outcome to take.
 */
extern bool store_report(Store *store, const char *org, StoreStatement statement, int count,
						 const char *const *values);

/* Takes the outcome of the oldest report that has none yet. */
extern StoreOutcome store_outcome(Store *store);

#endif
