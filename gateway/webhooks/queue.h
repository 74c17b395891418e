/*
 * queue.h
 *		The deliveries of one webhook while this process holds them.
 *
 * A queue is held under a lease that the database gives out (a row of wa.webhook_lane).
 * Only its holder sends to that webhook, so bounds and order are kept here: at most
 * QUEUE_SENDING_MAX requests at once, and those of one session one after the other.
 *
 *	READING ──the webhook is there──▶ TAKING ──▶ OPEN ──few are left──▶ READING …
 *	   │                                           │
 *	   └── it is gone, or the database fails ──▶ OPEN and stopping
 *	                                               │
 *	                                               └──nothing is left──▶ RELEASING ──▶ gone
 *
 * The webhook is read again before each taking, so a change of its URL takes effect with
 * the next batch.  Deliveries are signed when they are taken, with the time of the taking.
 * If one has waited so long that a receiver might take it for a replay, the queue and its
 * deliveries are given back; they get new signatures when they are taken again.
 *
 * Deliveries that were taken but not sent are not lost when a queue ends: releasing gives
 * them back.  Deliveries that were sent but could not be reported are sent again by the
 * next holder, so a delivery arrives at least once.
 */
#ifndef WEBHOOKS_QUEUE_H
#define WEBHOOKS_QUEUE_H

#include "db/db.h"
#include "lib/metrics.h"
#include "webhooks/attempt.h"

/* The most requests to one webhook at once. */
#define QUEUE_SENDING_MAX 4

/* The most deliveries of one webhook in memory, and how few are left when more are taken. */
#define QUEUE_TAKEN_MAX 32
#define QUEUE_LOW_MARK (QUEUE_TAKEN_MAX / 4)

/*
 * A signature of this age is no longer used.  Receivers accept 5 minutes; an attempt may
 * take 10 seconds, and clocks differ.
 */
#define QUEUE_SIGNED_MAX_MS 60000

/* The pause before a report is repeated that the database did not take. */
#define QUEUE_REPORT_AGAIN_MS 500

typedef struct Queue Queue;

/* What all queues share.  It is borrowed. */
typedef struct QueueSetup
{
	Db *db;
	AttemptSetup attempt;
	Metrics *metrics;
	const char *owner;
	int lease_ms;                              /* renewed when two thirds of it are left */
	int *sending;                              /* counts the requests under way in all queues */
	void (*gone)(void *context, Queue *queue); /* the queue has ended; called from the loop */
	void *context;
} QueueSetup;

/* Starts a queue that was just claimed.  NULL: out of memory; the lease expires. */
extern Queue *queue_start(const QueueSetup *setup, const uint8_t org[DB_UUID_SIZE],
						  const uint8_t webhook[DB_UUID_SIZE], int64_t claimed_ms);

/* Whether the queue belongs to a webhook of this organization. */
extern bool queue_is_of(const Queue *queue, const uint8_t org[DB_UUID_SIZE]);

/* When the queue was claimed, by the monotonic clock. */
extern int64_t queue_claimed_ms(const Queue *queue);

/* There may be more to take: the queue looks again before it ends. */
extern void queue_wake(Queue *queue);

/* For a queue that has ended: whether it was woken too late to look again. */
extern bool queue_has_more(const Queue *queue);

/* Takes nothing more, finishes what is under way and gives the lease back. */
extern void queue_stop(Queue *queue);

/* To be called regularly: renews the lease, and repeats reports that failed. */
extern void queue_tick(Queue *queue, int64_t now_ms);

/* Ends the queue at once and reports nothing. */
extern void queue_free(Queue *queue);

#endif
