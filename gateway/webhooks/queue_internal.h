/*
 * queue_internal.h
 *		The inside of a queue: queue.c decides what it does next, delivery.c sends and reports.
 *
 * A queue owns its deliveries, a delivery its attempt and its report.  Everything runs from
 * callbacks of the loop, none of which comes from within a call of ours; each ends with
 * queue_advance(), which may end the queue, after which nothing of it may be touched.
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
	QUEUE_OPEN,     /* nothing is asked; what was taken is sent */
	QUEUE_RELEASING /* the lease is being given back */
} QueueState;

typedef enum DeliveryState
{
	DELIVERY_WAITING,  /* its turn has not come */
	DELIVERY_SENDING,  /* an attempt is under way */
	DELIVERY_REPORTING /* its outcome is to be reported; report is NULL between two tries */
} DeliveryState;

typedef struct Delivery
{
	TAILQ_ENTRY(Delivery) link;
	Queue *queue;
	DeliveryState state;
	uint8_t id[DB_UUID_SIZE];
	uint8_t session[DB_UUID_SIZE]; /* zeros: of no session */
	char event_id[WAK_TYPEID_MAX + 1];
	char *body;
	size_t body_len;
	AttemptSignatures signatures;
	int64_t taken_ms;   /* when it was asked for: no later than it was signed */
	Receiver *receiver; /* DELIVERY_SENDING: held */
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
	bool stopping; /* takes nothing more */
	bool lost;     /* the lease is not ours any more */
	int64_t claimed_ms;
	int64_t lease_until_ms;
	DbRequest *asked; /* READING, TAKING, RELEASING */
	int64_t taken_ms; /* when deliveries were last asked for */
	DbRequest *renewal;
	int64_t renewed_ms; /* when the renewal that is under way was asked for */
	Receiver *receiver;
	struct DeliveryList deliveries; /* in the order of their events */
	int taken;
	int sending;
};

/* ---- queue.c ---- */

/* The one place that decides what a queue does next; it may end the queue. */
extern void queue_advance(Queue *queue);

/*
 * Asks about the queue's webhook: its owner and its id are the first parameters, types and
 * those behind it the others (statements_request()).  The request when it was taken, NULL when
 * not.
 */
#define queue_ask(queue, statement, done, arg, types, ...)                                    \
	statements_submit((queue)->setup->db,                                                     \
					  statements_request(&worker_statements, (int) (statement), (queue)->org, \
										 (done), (arg), "su" types, (queue)->setup->owner,    \
										 (queue)->webhook, ##__VA_ARGS__))

/* ---- delivery.c ---- */

/*
 * Adds the delivery of this row of deliveries_take; one whose event is gone is reported at
 * once.  False: it cannot be read, or memory is out.
 */
extern bool delivery_add(Queue *queue, const DbResult *result, int row);

/* Sends those whose turn it is, unless their signature is too old. */
extern void deliveries_send(Queue *queue);

/* Does one wait whose signature is too old? */
extern bool deliveries_too_old(const Queue *queue, int64_t now_ms);

/* Reports again what could not be reported. */
extern void deliveries_report_again(Queue *queue, int64_t now_ms);

/* Forgets those in this state. */
extern void deliveries_drop(Queue *queue, DeliveryState state);

/* Forgets all, and ends their attempts. */
extern void deliveries_free(Queue *queue);

#endif
