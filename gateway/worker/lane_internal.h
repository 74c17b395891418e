/*
 * lane_internal.h
 *		The inside of a lane: lane.c decides what it does next, delivery.c sends and reports.
 *
 * A lane owns its deliveries, a delivery its attempt and its report.  Everything runs from
 * callbacks of the loop, none of which comes from within a call of ours; each ends with
 * lane_advance(), which may end the lane, after which nothing of it may be touched.
 */
#ifndef WORKER_LANE_INTERNAL_H
#define WORKER_LANE_INTERNAL_H

#include <sys/queue.h>

#include "src/common/typeid.h"
#include "db/db.h"
#include "worker/attempt.h"
#include "worker/lane.h"
#include "worker/receiver.h"
#include "worker/statements.h"

typedef enum LaneState
{
	LANE_READING,  /* the webhook is being read */
	LANE_TAKING,   /* deliveries are being taken */
	LANE_OPEN,     /* nothing is asked; what was taken is sent */
	LANE_RELEASING /* the lease is being given back */
} LaneState;

typedef enum DeliveryState
{
	DELIVERY_WAITING,  /* its turn has not come */
	DELIVERY_SENDING,  /* an attempt is under way */
	DELIVERY_REPORTING /* its outcome is to be reported; report is NULL between two tries */
} DeliveryState;

typedef struct Delivery
{
	TAILQ_ENTRY(Delivery) link;
	Lane *lane;
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

struct Lane
{
	const LaneSetup *setup;
	uint8_t org[DB_UUID_SIZE];
	uint8_t webhook[DB_UUID_SIZE];
	LaneState state;
	bool more;     /* there may be deliveries that the last taking did not see */
	bool stopping; /* takes nothing more */
	bool lost;     /* the lease is not ours any more */
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

/* ---- lane.c ---- */

/* The one place that decides what a lane does next; it may end the lane. */
extern void lane_advance(Lane *lane);

/* A request about the lane's webhook; its owner and its id are parameters already. */
extern DbRequest *lane_request(Lane *lane, WorkerStatement statement, DbDone done, void *arg);

/*
 * Submits it, or frees one that is not complete.  The request when it was taken, NULL when not.
 */
extern DbRequest *lane_submit(Lane *lane, DbRequest *request, bool complete);

/* Ends what was asked, if anything was. */
extern void lane_drop_request(DbRequest **request);

/* ---- delivery.c ---- */

/*
 * Adds the delivery of this row of deliveries_take; one whose event is gone is reported at
 * once.  False: it cannot be read, or memory is out.
 */
extern bool delivery_add(Lane *lane, const DbResult *result, int row);

/* Sends those whose turn it is, unless their signature is too old. */
extern void deliveries_send(Lane *lane);

/* Does one wait whose signature is too old? */
extern bool deliveries_too_old(const Lane *lane, int64_t now_ms);

/* Reports again what could not be reported. */
extern void deliveries_report_again(Lane *lane, int64_t now_ms);

/* Forgets those in this state. */
extern void deliveries_drop(Lane *lane, DeliveryState state);

/* Forgets all, and ends their attempts. */
extern void deliveries_free(Lane *lane);

#endif
