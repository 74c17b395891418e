/*
 * queue.h
 *		The deliveries of one webhook, as long as this process holds them.
 *
 * A queue is held under a lease that the database gives out (wa.webhook_lane has its row).  Its holder alone sends to that
 * webhook, so that bounds and order are kept here: at most QUEUE_SENDING_MAX requests at
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
 * for so long that a receiver might take it for a replay is given back, with the queue, and
 * comes with a new signature.
 *
 * What is taken and not sent when a queue ends is nobody's loss: releasing gives it back.
 * What was sent and could not be reported is sent again by the next holder: at least once.
 */
#ifndef WEBHOOKS_QUEUE_H
#define WEBHOOKS_QUEUE_H

#include "db/db.h"
#include "lib/metrics.h"
#include "webhooks/attempt.h"

/* Requests to one webhook at once. */
#define QUEUE_SENDING_MAX 4

/* Deliveries of one webhook in memory, and how few are left when more are taken. */
#define QUEUE_TAKEN_MAX 32
#define QUEUE_LOW_MARK (QUEUE_TAKEN_MAX / 4)

/*
 * The age at which a signature is no longer used.  Receivers accept 5 minutes; an attempt has
 * 10 seconds, and clocks differ.
 */
#define QUEUE_SIGNED_MAX_MS 60000

/* A report that the database did not take is made again after so long. */
#define QUEUE_REPORT_AGAIN_MS 500

typedef struct Queue Queue;

/* What all queues share; borrowed. */
typedef struct QueueSetup
{
	Db *db;
	AttemptSetup attempt;
	Metrics *metrics;
	const char *owner;
	int lease_ms;                              /* renewed when two thirds of it are left */
	int *sending;                              /* requests under way in all queues */
	void (*gone)(void *context, Queue *queue); /* the queue has ended; called from the loop */
	void *context;
} QueueSetup;

/* A queue that was just claimed.  NULL: out of memory; the lease runs out by itself. */
extern Queue *queue_start(const QueueSetup *setup, const uint8_t org[DB_UUID_SIZE],
						  const uint8_t webhook[DB_UUID_SIZE], int64_t claimed_ms);

/* Does it belong to a webhook of this organization? */
extern bool queue_is_of(const Queue *queue, const uint8_t org[DB_UUID_SIZE]);

/* When it was claimed, by the monotonic clock. */
extern int64_t queue_claimed_ms(const Queue *queue);

/* There may be more to take: looks before it ends. */
extern void queue_wake(Queue *queue);

/* When it has ended: was it woken too late to look? */
extern bool queue_has_more(const Queue *queue);

/* Takes nothing more, finishes what is under way, gives the lease back. */
extern void queue_stop(Queue *queue);

/* Called now and then: renews the lease, reports again what could not be reported. */
extern void queue_tick(Queue *queue, int64_t now_ms);

/* Ends it at once, without a word to anybody. */
extern void queue_free(Queue *queue);

#endif
