/*
 * queue_internal.h
 *		The internals of a queue: queue.c decides what it does next, delivery.c sends, report.c
 *		reports.
 *
 * A queue owns its deliveries and its report; a delivery owns its attempt.  All code runs
 * in callbacks of the loop, and no callback comes from within a call of this code.  Each
 * callback ends with queue_advance(), which may free the queue, so nothing of it may be
 * used afterwards.
 */
#ifndef WEBHOOKS_QUEUE_INTERNAL_H
#define WEBHOOKS_QUEUE_INTERNAL_H

#include <sys/queue.h>

#include "src/common/typeid.h"
#include "db/db.h"
#include "webhooks/attempt.h"
#include "webhooks/queue.h"
#include "webhooks/receiver.h"
#include "webhooks/statements.h"

typedef enum QueueState
{
	QUEUE_TAKING,   /* the webhook is being read, and deliveries are being taken */
	QUEUE_OPEN,     /* deliveries are sent */
	QUEUE_RELEASING /* the lease is being given back, perhaps with the last report */
} QueueState;

typedef enum DeliveryState
{
	DELIVERY_WAITING, /* not sent yet */
	DELIVERY_SENDING, /* an attempt is under way */
	DELIVERY_FINISHED /* the result is to be reported, or is being reported */
} DeliveryState;

typedef struct Delivery
{
	TAILQ_ENTRY(Delivery) link;
	TAILQ_ENTRY(Delivery) finished_link; /* DELIVERY_FINISHED */
	Queue *queue;
	DeliveryState state;
	uint8_t id[DB_UUID_SIZE];
	uint8_t session[DB_UUID_SIZE]; /* all zeros when the delivery belongs to no session */
	char event_id[WAK_TYPEID_MAX + 1];
	char *body;
	size_t body_len;
	AttemptSignatures signatures;
	int64_t taken_ms;   /* when it was asked for, which is not later than it was signed */
	Receiver *receiver; /* held while DELIVERY_SENDING */
	Attempt *attempt;   /* DELIVERY_SENDING */
	AttemptResult result;
	bool apart; /* a report with this and other results was refused */
} Delivery;

TAILQ_HEAD(DeliveryList, Delivery);

struct Queue
{
	const QueueSetup *setup;
	uint8_t org[DB_UUID_SIZE];
	uint8_t webhook[DB_UUID_SIZE];
	QueueState state;
	bool more;     /* there may be deliveries that the last taking did not see */
	bool stopping; /* it takes nothing more */
	bool lost;     /* it no longer has the lease */
	int64_t claimed_ms;
	int64_t lease_until_ms;
	DbRequest *asked; /* the request of TAKING or RELEASING */
	int64_t taken_ms; /* when deliveries were last asked for */
	int asked_max;    /* how many */
	int64_t whole_ms; /* when they were last asked for from the start */
	bool has_last;
	uint8_t last[DB_UUID_SIZE]; /* the last one taken of those that were never tried */
	DbRequest *renewal;
	int64_t renewed_ms; /* when the current renewal was asked for */
	Receiver *receiver;
	struct DeliveryList deliveries; /* in the order of their events */
	int taken;
	int sending;
	struct DeliveryList finished; /* in the order in which their attempts ended */
	int finished_count;
	DbRequest *report;
	int reporting; /* how many at the head of "finished" are in this report */
	int64_t report_again_ms;
};

/* ---- queue.c ---- */

/* Decides what a queue does next; no other function does.  It may free the queue. */
extern void queue_advance(Queue *queue);

/* The lease was given back: frees the queue. */
extern void queue_end(Queue *queue);

/*
 * Submits a statement about the queue's webhook.  Its first parameters are the queue's
 * organization and webhook; types and the arguments after it are the others
 * (statements_request()).  Returns the request, or NULL when it could not be submitted.
 */
#define queue_ask(queue, statement, done, arg, types, ...)                                    \
	statements_submit((queue)->setup->db,                                                     \
					  statements_request(&worker_statements, (int) (statement), (queue)->org, \
										 (done), (arg), "su" types, (queue)->setup->owner,    \
										 (queue)->webhook, ##__VA_ARGS__))

/* ---- delivery.c ---- */

/* The columns of deliveries_take. */
typedef enum TakenColumn
{
	TAKEN_ID,
	TAKEN_EVENT,
	TAKEN_SESSION,
	TAKEN_ENVELOPE,
	TAKEN_SIGNED_MS,
	TAKEN_HMAC,
	TAKEN_SIGNATURE,
	TAKEN_IS_NEW,
	TAKEN_URL,
	TAKEN_HEADERS
} TakenColumn;

/*
 * Adds the delivery of this row of deliveries_take.  If its event was deleted it is
 * finished at once.  Returns false when the row cannot be read, or memory is out.
 */
extern bool delivery_add(Queue *queue, const DbResult *result, int row);

/* Sends the deliveries whose turn it is, unless their signature is too old. */
extern void deliveries_send(Queue *queue);

/* Whether a delivery waits whose signature is too old. */
extern bool deliveries_too_old(const Queue *queue, int64_t now_ms);

extern void delivery_free(Delivery *delivery);

/* Frees the deliveries in this state. */
extern void deliveries_drop(Queue *queue, DeliveryState state);

/* Frees all deliveries, and ends their attempts. */
extern void deliveries_free(Queue *queue);

/* ---- report.c ---- */

/*
 * Reports what is finished, unless a report is under way or was tried a short while ago.
 * With "release" the report also gives the lease back, if nothing is left to be reported
 * after it; then the queue's state is QUEUE_RELEASING.
 */
extern void report_send(Queue *queue, int64_t now_ms, bool release);

/* Forgets what is finished, and the report that is under way. */
extern void report_drop(Queue *queue);

#endif
