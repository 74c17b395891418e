/*
 * queue.h
 *		The deliveries of one webhook while this process holds them.
 *
 * A queue is held under a lease that the database gives out (a row of wa.webhook_lane).
 * Only its holder sends to that webhook, so bounds and order are kept here: at most
 * QUEUE_SENDING_MAX requests at once, and those of one session one after the other.
 *
 *	TAKING ──▶ OPEN ──few are left, and there may be more──▶ TAKING …
 *	   │         │
 *	   │         └──all that is left is to be reported──▶ RELEASING ──▶ gone
 *	   │                                                      ▲
 *	   └── the webhook is gone, or the database fails ──▶ OPEN and stopping
 *
 * Each taking also reads the webhook, so a change of its URL takes effect with the next
 * batch.  A taking that fills less than half of the places has found all that was due; only
 * a wake-up makes the queue look again.
 *
 * One report is under way at a time.  It has all results that came in while the report
 * before it was under way, in the order in which they came, so that a fast receiver costs
 * one statement for many deliveries, and none waits for others.  The last report also gives
 * the lease back.  If the database refuses a report of several results, each is reported by
 * itself, so that one does not cost the others.
 *
 * Deliveries are signed when they are taken, with the time of the taking.
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

/*
 * For how long a queue looks only behind the deliveries that it has taken last.  After that
 * it looks from the start once, and finds what was replayed meanwhile.
 */
#define QUEUE_WHOLE_MS 1000

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
