/*
 * dispatch.h
 *		Which webhooks this process delivers to: claims their queues, and lets them go.
 *
 * A queue is claimed when something is due for its webhook and nobody holds it.  The database
 * is asked when an event was committed (it says so without being polled), and once in
 * DISPATCH_POLL_MS for what is to be tried again.
 */
#ifndef WEBHOOKS_DISPATCH_H
#define WEBHOOKS_DISPATCH_H

#include "db/db.h"
#include "lib/metrics.h"
#include "webhooks/attempt.h"
#include "webhooks/queue.h"

/* Webhooks that one process holds; the others are for other processes, or wait. */
#define DISPATCH_QUEUES_MAX 128

/* Of these, what wa.claim_webhooks() keeps for organizations that hold few: its "share". */
#define DISPATCH_QUEUES_KEPT 32

/*
 * How long a queue keeps its place at most once these are all that is left: one whose webhook
 * always has something to deliver would never end.
 */
#define DISPATCH_TURN_MS 10000

/* Requests under way in all of them, and so names that are looked up at once. */
#define DISPATCH_SENDING_MAX (DISPATCH_QUEUES_MAX * QUEUE_SENDING_MAX)

/* How often is asked for what is due again, and for how long after an event more often. */
#define DISPATCH_POLL_MS 1000
#define DISPATCH_EAGER_POLL_MS 50
#define DISPATCH_EAGER_MS 400

/* When the database cannot tell of events (the library is not preloaded). */
#define DISPATCH_BLIND_POLL_MS 250

/* How long one wait for events takes at most. */
#define DISPATCH_WAIT_MS 5000

typedef struct Dispatch Dispatch;

typedef struct DispatchSetup
{
	struct event_base *base;
	Db *db;
	AttemptSetup attempt;
	Metrics *metrics;
	const char *owner; /* of the leases; no two processes may share one */
	int lease_ms;
} DispatchSetup;

/* NULL: out of memory.  All is borrowed. */
extern Dispatch *dispatch_start(const DispatchSetup *setup);

/*
 * Claims nothing more, lets requests that are under way end, gives all leases back, and
 * calls done(context) once, maybe from within.
 */
extern void dispatch_drain(Dispatch *dispatch, void (*done)(void *context), void *context);

/* May be NULL. */
extern void dispatch_free(Dispatch *dispatch);

/* For the metrics. */
extern int dispatch_queues(const Dispatch *dispatch);
extern int dispatch_sending(const Dispatch *dispatch);

#endif
