/*
 * dispatch.h
 *		Decides which webhooks this process delivers to: claims queues and gives them back.
 *
 * A queue is claimed when something is due for its webhook and nobody holds it.  The
 * database is asked when an event was committed, which it reports without being polled.  It
 * is also asked once in DISPATCH_POLL_MS, to find deliveries that are to be tried again.
 */
#ifndef WEBHOOKS_DISPATCH_H
#define WEBHOOKS_DISPATCH_H

#include "db/db.h"
#include "lib/metrics.h"
#include "webhooks/attempt.h"
#include "webhooks/queue.h"

/* The number of webhooks that one process holds.  Other processes take the rest, or it waits. */
#define DISPATCH_QUEUES_MAX 128

/* How many of these wa.claim_webhooks() reserves for organizations that hold few: its "share". */
#define DISPATCH_QUEUES_KEPT 32

/*
 * How long a queue keeps its place at most when only the reserved places are left.  Without
 * this bound the queue of a webhook that always has something to deliver would never end.
 */
#define DISPATCH_TURN_MS 10000

/* The same when no place is left at all: organizations that hold none may have to wait. */
#define DISPATCH_FULL_TURN_MS 2000

/*
 * The number of requests under way in all queues, and so of the names that are looked up at
 * once.
 */
#define DISPATCH_SENDING_MAX (DISPATCH_QUEUES_MAX * QUEUE_SENDING_MAX)

/*
 * How often the database is asked for what is due, and for how long after an event it is
 * asked more often.
 */
#define DISPATCH_POLL_MS 1000
#define DISPATCH_EAGER_POLL_MS 50
#define DISPATCH_EAGER_MS 400

/* How often it is asked when the database cannot report events (the library is not preloaded). */
#define DISPATCH_BLIND_POLL_MS 250

/*
 * The longest time of one wait for events, and of one while there are queues.  The wait is a
 * statement, and while it runs PostgreSQL keeps all row versions since its start.  Takings and
 * claims would have to pass the rows of everything that was delivered meanwhile.
 */
#define DISPATCH_WAIT_MS 5000
#define DISPATCH_BUSY_WAIT_MS 200

typedef struct Dispatch Dispatch;

typedef struct DispatchSetup
{
	struct event_base *base;
	Db *db;
	AttemptSetup attempt;
	Metrics *metrics;
	const char *owner; /* the owner of the leases; each process needs a different one */
	int lease_ms;
} DispatchSetup;

/* Returns NULL when memory is out.  Everything is borrowed. */
extern Dispatch *dispatch_start(const DispatchSetup *setup);

/*
 * Claims nothing more, lets the requests that are under way end, and gives all leases back.
 * Then it calls done(context) once, possibly before it returns.
 */
extern void dispatch_drain(Dispatch *dispatch, void (*done)(void *context), void *context);

/* The argument may be NULL. */
extern void dispatch_free(Dispatch *dispatch);

/* The numbers for the metrics. */
extern int dispatch_queues(const Dispatch *dispatch);
extern int dispatch_sending(const Dispatch *dispatch);

#endif
