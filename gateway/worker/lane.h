/*
 * lane.h
 *		The deliveries of one webhook, as long as this process holds them.
 *
 * A lane is held under a lease that the database gives out.  Its holder alone sends to that
 * webhook, so that bounds and order are kept here: at most LANE_SENDING_MAX requests at
 * once, and of one session one after the other.
 *
 *	READING ──the webhook is there──▶ TAKING ──▶ OPEN ──few are left──▶ READING …
 *	   │                                           │
 *	   └── it is gone, or the database fails ──▶ OPEN and stopping
 *	                                               │
 *	                                               └──nothing is left──▶ RELEASING ──▶ gone
 *
 * The webhook is read again before each taking, so that a change of its URL counts from the
 * next batch on.  What is taken comes signed, with the time of the taking; what has waited
 * for so long that a receiver might take it for a replay is given back, with the lane, and
 * comes with a new signature.
 *
 * What is taken and not sent when a lane ends is nobody's loss: releasing gives it back.
 * What was sent and could not be reported is sent again by the next holder: at least once.
 */
#ifndef WORKER_LANE_H
#define WORKER_LANE_H

#include "db/db.h"
#include "lib/metrics.h"
#include "worker/attempt.h"

/* Requests to one webhook at once. */
#define LANE_SENDING_MAX 4

/* Deliveries of one webhook in memory, and how few are left when more are taken. */
#define LANE_TAKEN_MAX 32
#define LANE_LOW_MARK (LANE_TAKEN_MAX / 4)

/*
 * The age at which a signature is no longer used.  Receivers accept 5 minutes; an attempt has
 * 10 seconds, and clocks differ.
 */
#define LANE_SIGNED_MAX_MS 60000

/* A report that the database did not take is made again after so long. */
#define LANE_REPORT_AGAIN_MS 500

/* The owner's name for leases. */
#define LANE_OWNER_MAX 64

typedef struct Lane Lane;

/* What all lanes share; borrowed. */
typedef struct LaneSetup
{
	Db *db;
	AttemptSetup attempt;
	Metrics *metrics;
	const char *owner;
	int lease_ms;                            /* renewed when two thirds of it are left */
	int *sending;                            /* requests under way in all lanes */
	void (*gone)(void *context, Lane *lane); /* the lane has ended; called from the loop */
	void *context;
} LaneSetup;

/* A lane that was just claimed.  NULL: out of memory; the lease runs out by itself. */
extern Lane *lane_start(const LaneSetup *setup, const uint8_t org[DB_UUID_SIZE],
						const uint8_t webhook[DB_UUID_SIZE], int64_t claimed_ms);

/* Does it belong to a webhook of this organization? */
extern bool lane_is_of(const Lane *lane, const uint8_t org[DB_UUID_SIZE]);

/* There may be more to take: looks before it ends. */
extern void lane_wake(Lane *lane);

/* When it has ended: was it woken too late to look? */
extern bool lane_has_more(const Lane *lane);

/* Takes nothing more, finishes what is under way, gives the lease back. */
extern void lane_stop(Lane *lane);

/* Called now and then: renews the lease, reports again what could not be reported. */
extern void lane_tick(Lane *lane, int64_t now_ms);

/* Ends it at once, without a word to anybody. */
extern void lane_free(Lane *lane);

#endif
