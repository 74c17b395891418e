/*
 * queue_internal.h
 *		The internals of a queue: queue.c decides what it does next, delivery.c sends and reports.
 *
 * A queue owns its deliveries; a delivery owns its attempt and its report.  All code runs
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
	QUEUE_READING,  /* the webhook is being read */
	QUEUE_TAKING,   /* deliveries are being taken */
	QUEUE_OPEN,     /* no request is under way; deliveries are sent */
	QUEUE_RELEASING /* the lease is being given back */
} QueueState;

typedef enum DeliveryState
{
	DELIVERY_WAITING,  /* not sent yet */
	DELIVERY_SENDING,  /* an attempt is under way */
	DELIVERY_REPORTING /* the result is to be reported; report is NULL between two tries */
} DeliveryState;

typedef struct Delivery
{
	TAILQ_ENTRY(Delivery) link;
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
	DbRequest *report;
	int64_t report_again_ms;
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
	DbRequest *asked; /* the request of READING, TAKING or RELEASING */
	int64_t taken_ms; /* when deliveries were last asked for */
	DbRequest *renewal;
	int64_t renewed_ms; /* when the current renewal was asked for */
	Receiver *receiver;
	struct DeliveryList deliveries; /* in the order of their events */
	int taken;
	int sending;
};

/* ---- queue.c ---- */

/* Decides what a queue does next; no other function does.  It may free the queue. */
extern void queue_advance(Queue *queue);

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

/*
 * Adds the delivery of this row of deliveries_take.  If its event was deleted it is
 * reported at once.  Returns false when the row cannot be read, or memory is out.
 */
extern bool delivery_add(Queue *queue, const DbResult *result, int row);

/* Sends the deliveries whose turn it is, unless their signature is too old. */
extern void deliveries_send(Queue *queue);

/* Whether a delivery waits whose signature is too old. */
extern bool deliveries_too_old(const Queue *queue, int64_t now_ms);

/* Repeats the reports that failed. */
extern void deliveries_report_again(Queue *queue, int64_t now_ms);

/* Frees the deliveries in this state. */
extern void deliveries_drop(Queue *queue, DeliveryState state);

/* Frees all deliveries, and ends their attempts. */
extern void deliveries_free(Queue *queue);

#endif
