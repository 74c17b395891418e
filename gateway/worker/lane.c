/*
 * lane.c
 *		The deliveries of one webhook, as long as this process holds them: its lease, and
 *		what it does next.
 */
#include "worker/lane.h"

#include <stdlib.h>
#include <string.h>

#include "db/result.h"
#include "lib/clock.h"
#include "worker/lane_internal.h"

/* ---- asking the database ---- */

DbRequest *
lane_request(Lane *lane, WorkerStatement statement, DbDone done, void *arg)
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

DbRequest *
lane_submit(Lane *lane, DbRequest *request, bool complete)
{
	if (request != NULL && !complete)
	{
		db_request_free(request);
		return NULL;
	}
	return request != NULL && db_submit(lane->setup->db, request) ? request : NULL;
}

void
lane_drop_request(DbRequest **request)
{
	if (*request != NULL)
		db_abandon(*request);
	*request = NULL;
}

/* ---- reading, taking, releasing ---- */

static void
stop(Lane *lane)
{
	lane->stopping = true;
	deliveries_drop(lane, DELIVERY_WAITING);
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
		if (!delivery_add(lane, result, i))
			stop(lane);
	lane->more |= result->outcome == DB_ROWS && result->rows > 0;
	lane_advance(lane);
}

static void
take(Lane *lane)
{
	DbRequest *request = lane_request(lane, WORKER_DELIVERIES_TAKE, on_taken, lane);

	lane->state = LANE_TAKING;
	lane->taken_ms = clock_monotonic_ms();
	lane->more = false;
	lane->asked = lane_submit(
		lane, request, request != NULL && db_param_int32(request, LANE_TAKEN_MAX - lane->taken));
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
	lane_advance(lane);
}

static void
read_webhook(Lane *lane)
{
	DbRequest *request = lane_request(lane, WORKER_WEBHOOK_LANE, on_read, lane);

	lane->state = LANE_READING;
	lane->asked = lane_submit(lane, request, true);
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
	lane_drop_request(&lane->renewal);
	if (!lane->lost)
		lane->asked =
			lane_submit(lane, lane_request(lane, WORKER_LANE_RELEASE, on_released, lane), true);
	if (lane->asked == NULL)
		end_lane(lane);
}

void
lane_advance(Lane *lane)
{
	if (lane->receiver != NULL)
		deliveries_send(lane);
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

bool
lane_is_of(const Lane *lane, const uint8_t org[DB_UUID_SIZE])
{
	return memcmp(lane->org, org, DB_UUID_SIZE) == 0;
}

void
lane_wake(Lane *lane)
{
	lane->more = true;
	lane_advance(lane);
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
	lane_advance(lane);
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
	DbRequest *request = lane_request(lane, WORKER_LANE_RENEW, on_renewed, lane);

	lane->renewed_ms = now_ms;
	lane->renewal = lane_submit(lane, request,
								request != NULL && db_param_int32(request, lane->setup->lease_ms));
}

/* What waits is taken anew with the next claim, and then signed anew. */
static void
give_back(Lane *lane)
{
	lane->more = true;
	stop(lane);
}

/* The lease is over: whoever holds the lane now sends what we could not report. */
static void
give_up(Lane *lane)
{
	lane->lost = true;
	stop(lane);
	deliveries_drop(lane, DELIVERY_REPORTING);
}

void
lane_tick(Lane *lane, int64_t now_ms)
{
	if (lane->state == LANE_RELEASING)
		return;
	deliveries_report_again(lane, now_ms);
	if (lane->renewal == NULL && !lane->lost &&
		now_ms >= lane->lease_until_ms - lane->setup->lease_ms * 2 / 3)
		renew(lane, now_ms);
	if (deliveries_too_old(lane, now_ms))
		give_back(lane);
	if (now_ms >= lane->lease_until_ms)
		give_up(lane);
	lane_advance(lane);
}

void
lane_free(Lane *lane)
{
	lane_drop_request(&lane->asked);
	lane_drop_request(&lane->renewal);
	deliveries_free(lane);
	receiver_drop(lane->receiver);
	free(lane);
}
