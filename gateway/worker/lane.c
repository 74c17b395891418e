/*
 * lane.c
 *		The deliveries of one webhook, as long as this process holds them.
 *
 * Everything here runs from callbacks of the loop, none of which comes from within a call
 * of ours; each ends with advance(), which may end the lane, after which nothing of it may
 * be touched.
 */
#include "worker/lane.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/typeid.h"
#include "db/result.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "worker/receiver.h"
#include "worker/statements.h"
#include "worker/worker_metrics.h"

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
	size_t body_length;
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
	DbRequest *renewal;
	int64_t renewed_ms; /* when the renewal that is under way was asked for */
	Receiver *receiver;
	struct DeliveryList deliveries; /* in the order of their events */
	int taken;
	int sending;
};

static void advance(Lane *lane);

/* ---- asking the database ---- */

static DbRequest *
new_request(Lane *lane, WorkerStatement statement, DbDone *done, void *arg)
{
	DbRequest *request = worker_request(statement, lane->org, done, arg);

	if (request != NULL &&
		(!db_param_text(request, lane->setup->owner, strlen(lane->setup->owner)) ||
		 !db_param_uuid(request, lane->webhook)))
	{
		db_request_free(request);
		return NULL;
	}
	return request;
}

/* Submits, or frees; the request when it was taken, NULL when not. */
static DbRequest *
submit(Lane *lane, DbRequest *request, bool complete)
{
	if (request != NULL && !complete)
	{
		db_request_free(request);
		return NULL;
	}
	return request != NULL && db_submit(lane->setup->db, request) ? request : NULL;
}

static void
drop_request(DbRequest **request)
{
	if (*request != NULL)
		db_abandon(*request);
	*request = NULL;
}

/* ---- deliveries ---- */

static void
free_delivery(Delivery *delivery)
{
	Lane *lane = delivery->lane;

	TAILQ_REMOVE(&lane->deliveries, delivery, link);
	lane->taken--;
	if (delivery->attempt != NULL)
	{
		attempt_abandon(delivery->attempt);
		lane->sending--;
		(*lane->setup->sending)--;
	}
	drop_request(&delivery->report);
	receiver_drop(delivery->receiver);
	free(delivery->body);
	free(delivery);
}

static void
drop_deliveries(Lane *lane, DeliveryState state)
{
	Delivery *delivery = TAILQ_FIRST(&lane->deliveries);

	while (delivery != NULL)
	{
		Delivery *next = TAILQ_NEXT(delivery, link);

		if (delivery->state == state)
			free_delivery(delivery);
		delivery = next;
	}
}

/* The columns of deliveries_take that are looked at. */
typedef enum DeliveryColumn
{
	COLUMN_ID,
	COLUMN_EVENT,
	COLUMN_SESSION,
	COLUMN_ENVELOPE = 5
} DeliveryColumn;

/* One without an envelope, whose event is gone, has no body. */
static Delivery *
read_delivery(Lane *lane, const DbResult *result, int row)
{
	Delivery *delivery = calloc(1, sizeof(*delivery));
	uint8_t event[DB_UUID_SIZE];
	const char *body;

	if (delivery == NULL)
		return NULL;
	delivery->lane = lane;
	db_uuid(result, row, COLUMN_SESSION, delivery->session);
	if (!db_uuid(result, row, COLUMN_ID, delivery->id) ||
		!db_uuid(result, row, COLUMN_EVENT, event) ||
		wak_typeid_encode("evt", event, delivery->event_id) != WAK_TYPEID_OK ||
		(db_text(result, row, COLUMN_ENVELOPE, &body, &delivery->body_length) &&
		 (delivery->body = strndup(body, delivery->body_length)) == NULL))
	{
		free(delivery);
		return NULL;
	}
	return delivery;
}

static const char *
outcome_of(const AttemptResult *result)
{
	static const char *const classes[] = {"failed", "1xx", "2xx", "3xx", "4xx", "5xx"};

	return result->status / 100 < 6 ? classes[result->status / 100] : "failed";
}

static void
on_reported(void *arg, const DbResult *result)
{
	Delivery *delivery = arg;
	Lane *lane = delivery->lane;
	const char *status = "stale";
	char copy[16];
	size_t length;

	delivery->report = NULL;
	if (result->outcome == DB_ROWS)
	{
		if (result->rows == 1 && db_text(result, 0, 0, &status, &length) && length < sizeof(copy))
		{
			memcpy(copy, status, length);
			copy[length] = '\0';
			status = copy;
		}
		metrics_add(lane->setup->metrics, WORKER_DELIVERIES, (const char *[]){status, NULL}, 1);
		free_delivery(delivery);
	}
	else
	{
		worker_log_failure(WORKER_DELIVERY_DONE, result);
		delivery->report_again_ms = clock_monotonic_ms() + LANE_REPORT_AGAIN_MS;
		if (result->outcome == DB_REFUSED)
			free_delivery(delivery);
	}
	advance(lane);
}

/* Says what became of the attempt; when it cannot, lane_tick() comes back to it. */
static void
report(Delivery *delivery)
{
	const AttemptResult *result = &delivery->result;
	Lane *lane = delivery->lane;
	DbRequest *request = new_request(lane, WORKER_DELIVERY_DONE, on_reported, delivery);
	bool complete =
		request != NULL && db_param_uuid(request, delivery->id) &&
		(result->status == 0 ? db_param_null(request) : db_param_int32(request, result->status)) &&
		(result->problem == NULL
			 ? db_param_null(request)
			 : db_param_text(request, result->problem, strlen(result->problem))) &&
		db_param_bool(request, result->delivered);

	delivery->report = submit(lane, request, complete);
	delivery->report_again_ms = clock_monotonic_ms() + LANE_REPORT_AGAIN_MS;
}

static void
on_attempt(void *arg, const AttemptResult *result)
{
	Delivery *delivery = arg;
	Lane *lane = delivery->lane;
	MetricLabels labels = (const char *[]){outcome_of(result), NULL};

	metrics_add(lane->setup->metrics, WORKER_ATTEMPTS, labels, 1);
	metrics_observe_us(lane->setup->metrics, WORKER_ATTEMPT_TIME, labels, result->us);
	delivery->attempt = NULL;
	delivery->result = *result;
	delivery->state = DELIVERY_REPORTING;
	receiver_drop(delivery->receiver);
	delivery->receiver = NULL;
	lane->sending--;
	(*lane->setup->sending)--;
	report(delivery);
	advance(lane);
}

/* Sends one; false: out of memory, and it stays where it was. */
static bool
send_delivery(Lane *lane, Delivery *delivery)
{
	const AttemptRequest request = {.url = lane->receiver->url,
									.secret = lane->receiver->secret,
									.previous_secret = lane->receiver->previous_secret,
									.headers = (const char *const *) lane->receiver->headers,
									.event_id = delivery->event_id,
									.body = delivery->body,
									.body_length = delivery->body_length};

	delivery->attempt = attempt_start(&lane->setup->attempt, &request, on_attempt, delivery);
	if (delivery->attempt == NULL)
		return false;
	delivery->receiver = receiver_hold(lane->receiver);
	delivery->state = DELIVERY_SENDING;
	lane->sending++;
	(*lane->setup->sending)++;
	return true;
}

/* Is an earlier one of the same session under way? */
static bool
has_to_wait(const Lane *lane, const Delivery *delivery)
{
	const Delivery *earlier;

	TAILQ_FOREACH(earlier, &lane->deliveries, link)
	{
		if (earlier == delivery)
			return false;
		if (earlier->state != DELIVERY_REPORTING &&
			memcmp(earlier->session, delivery->session, DB_UUID_SIZE) == 0)
			return true;
	}
	return false;
}

static void
send_what_may_go(Lane *lane)
{
	Delivery *delivery;

	if (lane->stopping || clock_monotonic_ms() >= lane->lease_until_ms)
		return;
	TAILQ_FOREACH(delivery, &lane->deliveries, link)
	{
		if (lane->sending == LANE_SENDING_MAX)
			return;
		if (delivery->state == DELIVERY_WAITING && !has_to_wait(lane, delivery) &&
			!send_delivery(lane, delivery))
			return;
	}
}

/* ---- reading, taking, releasing ---- */

static void
stop(Lane *lane)
{
	lane->stopping = true;
	drop_deliveries(lane, DELIVERY_WAITING);
}

static void
on_taken(void *arg, const DbResult *result)
{
	Lane *lane = arg;

	lane->asked = NULL;
	lane->state = LANE_OPEN;
	if (result->outcome != DB_ROWS)
	{
		worker_log_failure(WORKER_DELIVERIES_TAKE, result);
		stop(lane);
	}
	for (int i = 0; !lane->stopping && result->outcome == DB_ROWS && i < result->rows; i++)
	{
		Delivery *delivery = read_delivery(lane, result, i);

		if (delivery == NULL)
		{
			stop(lane);
			break;
		}
		TAILQ_INSERT_TAIL(&lane->deliveries, delivery, link);
		lane->taken++;
		if (delivery->body == NULL)
		{
			delivery->result.problem = "the event is not kept any more";
			delivery->state = DELIVERY_REPORTING;
			report(delivery);
		}
	}
	lane->more |= result->outcome == DB_ROWS && result->rows > 0;
	advance(lane);
}

static void
take(Lane *lane)
{
	DbRequest *request = new_request(lane, WORKER_DELIVERIES_TAKE, on_taken, lane);

	lane->state = LANE_TAKING;
	lane->more = false;
	lane->asked = submit(lane, request,
						 request != NULL && db_param_int32(request, LANE_TAKEN_MAX - lane->taken));
	if (lane->asked == NULL)
	{
		lane->state = LANE_OPEN;
		stop(lane);
	}
}

static void
on_read(void *arg, const DbResult *result)
{
	Lane *lane = arg;
	Receiver *receiver = NULL;

	lane->asked = NULL;
	lane->state = LANE_OPEN;
	if (result->outcome != DB_ROWS)
		worker_log_failure(WORKER_WEBHOOK_LANE, result);
	else if (result->rows == 1)
		receiver = receiver_read(result, 0);
	receiver_drop(lane->receiver);
	lane->receiver = receiver;
	if (receiver == NULL)
		stop(lane);
	else if (!lane->stopping)
		take(lane);
	advance(lane);
}

static void
read_webhook(Lane *lane)
{
	DbRequest *request = new_request(lane, WORKER_WEBHOOK_LANE, on_read, lane);

	lane->state = LANE_READING;
	lane->asked = submit(lane, request, true);
	if (lane->asked == NULL)
	{
		lane->state = LANE_OPEN;
		stop(lane);
	}
}

static void
end_lane(Lane *lane)
{
	lane->setup->gone(lane->setup->context, lane);
}

static void
on_released(void *arg, const DbResult *result)
{
	Lane *lane = arg;

	lane->asked = NULL;
	if (result->outcome != DB_ROWS)
		worker_log_failure(WORKER_LANE_RELEASE, result);
	end_lane(lane);
}

/* What cannot be given back runs out. */
static void
release(Lane *lane)
{
	lane->state = LANE_RELEASING;
	drop_request(&lane->renewal);
	if (!lane->lost)
		lane->asked = submit(lane, new_request(lane, WORKER_LANE_RELEASE, on_released, lane), true);
	if (lane->asked == NULL)
		end_lane(lane);
}

/* The one place that decides what a lane does next; it may end the lane. */
static void
advance(Lane *lane)
{
	if (lane->receiver != NULL)
		send_what_may_go(lane);
	if (lane->state == LANE_OPEN && !lane->stopping && lane->more && lane->taken <= LANE_LOW_MARK)
		read_webhook(lane);
	if (lane->state == LANE_OPEN && lane->taken == 0 && (lane->stopping || !lane->more))
		release(lane);
}

/* ---- from outside ---- */

Lane *
lane_start(const LaneSetup *setup, const uint8_t org[DB_UUID_SIZE],
		   const uint8_t webhook[DB_UUID_SIZE], int64_t claimed_ms)
{
	Lane *lane = calloc(1, sizeof(*lane));

	if (lane == NULL)
		return NULL;
	*lane = (Lane){.setup = setup, .more = true, .lease_until_ms = claimed_ms + setup->lease_ms};
	memcpy(lane->org, org, DB_UUID_SIZE);
	memcpy(lane->webhook, webhook, DB_UUID_SIZE);
	TAILQ_INIT(&lane->deliveries);
	read_webhook(lane);
	return lane;
}

void
lane_wake(Lane *lane)
{
	lane->more = true;
	advance(lane);
}

bool
lane_has_more(const Lane *lane)
{
	return lane->more;
}

void
lane_stop(Lane *lane)
{
	if (lane->state == LANE_RELEASING)
		return;
	stop(lane);
	advance(lane);
}

static void
on_renewed(void *arg, const DbResult *result)
{
	Lane *lane = arg;
	bool renewed = false;

	lane->renewal = NULL;
	if (result->outcome != DB_ROWS)
	{
		worker_log_failure(WORKER_LANE_RENEW, result);
		return;
	}
	if (result->rows == 1 && db_bool(result, 0, 0, &renewed) && renewed)
	{
		lane->lease_until_ms = lane->renewed_ms + lane->setup->lease_ms;
		return;
	}
	lane->lost = true;
	lane_stop(lane);
}

static void
renew(Lane *lane, int64_t now_ms)
{
	DbRequest *request = new_request(lane, WORKER_LANE_RENEW, on_renewed, lane);

	lane->renewed_ms = now_ms;
	lane->renewal =
		submit(lane, request, request != NULL && db_param_int32(request, lane->setup->lease_ms));
}

/* The lease is over: whoever holds the lane now sends what we could not report. */
static void
give_up(Lane *lane)
{
	lane->lost = true;
	stop(lane);
	drop_deliveries(lane, DELIVERY_REPORTING);
}

void
lane_tick(Lane *lane, int64_t now_ms)
{
	Delivery *delivery;

	if (lane->state == LANE_RELEASING)
		return;
	TAILQ_FOREACH(delivery, &lane->deliveries, link)
	{
		if (delivery->state == DELIVERY_REPORTING && delivery->report == NULL &&
			now_ms >= delivery->report_again_ms)
			report(delivery);
	}
	if (lane->renewal == NULL && !lane->lost &&
		now_ms >= lane->lease_until_ms - lane->setup->lease_ms * 2 / 3)
		renew(lane, now_ms);
	if (now_ms >= lane->lease_until_ms)
		give_up(lane);
	advance(lane);
}

void
lane_free(Lane *lane)
{
	Delivery *delivery;

	drop_request(&lane->asked);
	drop_request(&lane->renewal);
	while ((delivery = TAILQ_FIRST(&lane->deliveries)) != NULL)
		free_delivery(delivery);
	receiver_drop(lane->receiver);
	free(lane);
}
