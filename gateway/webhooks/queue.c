/*
 * queue.c
 *		The deliveries of one webhook while this process holds them: the lease, and what is
 *		done next.
 */
#include "webhooks/queue.h"

#include <stdlib.h>
#include <string.h>

#include "db/result.h"
#include "lib/clock.h"
#include "webhooks/queue_internal.h"

/* ---- taking, releasing ---- */

static void
stop(Queue *queue)
{
	queue->stopping = true;
	deliveries_drop(queue, DELIVERY_WAITING);
}

/* The first row has the webhook, also when no delivery is due. */
static bool
read_taken(Queue *queue, const DbResult *result)
{
	int taken = 0;
	Receiver *receiver = result->rows == 0 ? NULL : receiver_read(result, TAKEN_URL, TAKEN_HEADERS);

	receiver_drop(queue->receiver);
	queue->receiver = receiver;
	if (receiver == NULL || queue->stopping)
		return false;
	for (; taken < result->rows && !db_is_null(result, taken, TAKEN_ID); taken++)
	{
		bool is_new = false;

		if (!delivery_add(queue, result, taken))
			return false;
		if (db_bool(result, taken, TAKEN_IS_NEW, &is_new) && is_new)
			queue->has_last = db_uuid(result, taken, TAKEN_ID, queue->last);
	}
	queue->more |= taken >= (queue->asked_max + 1) / 2;
	return true;
}

static void
on_taken(void *arg, const DbResult *result)
{
	Queue *queue = arg;

	queue->asked = NULL;
	queue->state = QUEUE_OPEN;
	if (result->outcome != DB_ROWS)
		statements_log_failure(&worker_statements, WORKER_DELIVERIES_TAKE, result);
	if (result->outcome != DB_ROWS || !read_taken(queue, result))
		stop(queue);
	queue_advance(queue);
}

/* The delivery behind which to look; NULL: from the start. */
static const uint8_t *
place(Queue *queue)
{
	if (queue->has_last && queue->taken_ms < queue->whole_ms + QUEUE_WHOLE_MS)
		return queue->last;
	queue->whole_ms = queue->taken_ms;
	return NULL;
}

static void
take(Queue *queue)
{
	queue->state = QUEUE_TAKING;
	queue->taken_ms = clock_monotonic_ms();
	queue->more = false;
	queue->asked_max = QUEUE_TAKEN_MAX - queue->taken;
	queue->asked = queue_ask(queue, WORKER_DELIVERIES_TAKE, on_taken, queue, "iu", queue->asked_max,
							 place(queue));
	if (queue->asked == NULL)
	{
		queue->state = QUEUE_OPEN;
		stop(queue);
	}
}

void
queue_end(Queue *queue)
{
	queue->setup->gone(queue->setup->context, queue);
}

static void
on_released(void *arg, const DbResult *result)
{
	Queue *queue = arg;

	queue->asked = NULL;
	if (result->outcome != DB_ROWS)
		statements_log_failure(&worker_statements, WORKER_LANE_RELEASE, result);
	queue_end(queue);
}

/* A lease that cannot be given back expires. */
static void
release(Queue *queue)
{
	queue->state = QUEUE_RELEASING;
	statements_drop(&queue->renewal);
	if (!queue->lost)
		queue->asked = queue_ask(queue, WORKER_LANE_RELEASE, on_released, queue, "");
	if (queue->asked == NULL)
		queue_end(queue);
}

/* Whether nothing is left to be taken or sent, and no request keeps the queue from ending. */
static bool
is_over(const Queue *queue)
{
	return queue->state == QUEUE_OPEN && (queue->stopping || !queue->more) &&
		   queue->taken == queue->finished_count;
}

static void
report(Queue *queue, int64_t now_ms)
{
	report_send(queue, now_ms, is_over(queue) && !queue->lost);
}

void
queue_advance(Queue *queue)
{
	if (queue->receiver != NULL)
		deliveries_send(queue);
	if (queue->state == QUEUE_OPEN && !queue->stopping && queue->more &&
		queue->taken <= QUEUE_LOW_MARK)
		take(queue);
	if (is_over(queue) && queue->taken == 0)
		release(queue);
	else
		report(queue, clock_monotonic_ms());
}

/* ---- from outside ---- */

Queue *
queue_start(const QueueSetup *setup, const uint8_t org[DB_UUID_SIZE],
			const uint8_t webhook[DB_UUID_SIZE], int64_t claimed_ms)
{
	Queue *queue = calloc(1, sizeof(*queue));

	if (queue == NULL)
		return NULL;
	*queue = (Queue){.setup = setup,
					 .more = true,
					 .claimed_ms = claimed_ms,
					 .lease_until_ms = claimed_ms + setup->lease_ms};
	memcpy(queue->org, org, DB_UUID_SIZE);
	memcpy(queue->webhook, webhook, DB_UUID_SIZE);
	TAILQ_INIT(&queue->deliveries);
	TAILQ_INIT(&queue->finished);
	take(queue);
	return queue;
}

bool
queue_is_of(const Queue *queue, const uint8_t org[DB_UUID_SIZE])
{
	return memcmp(queue->org, org, DB_UUID_SIZE) == 0;
}

void
queue_wake(Queue *queue)
{
	queue->more = true;
	queue_advance(queue);
}

bool
queue_has_more(const Queue *queue)
{
	return queue->more;
}

int64_t
queue_claimed_ms(const Queue *queue)
{
	return queue->claimed_ms;
}

void
queue_stop(Queue *queue)
{
	if (queue->state == QUEUE_RELEASING)
		return;
	stop(queue);
	queue_advance(queue);
}

static void
on_renewed(void *arg, const DbResult *result)
{
	Queue *queue = arg;
	bool renewed = false;

	queue->renewal = NULL;
	if (result->outcome != DB_ROWS)
	{
		statements_log_failure(&worker_statements, WORKER_LANE_RENEW, result);
		return;
	}
	if (result->rows == 1 && db_bool(result, 0, 0, &renewed) && renewed)
	{
		queue->lease_until_ms = queue->renewed_ms + queue->setup->lease_ms;
		return;
	}
	queue->lost = true;
	queue_stop(queue);
}

static void
renew(Queue *queue, int64_t now_ms)
{
	queue->renewed_ms = now_ms;
	queue->renewal =
		queue_ask(queue, WORKER_LANE_RENEW, on_renewed, queue, "i", queue->setup->lease_ms);
}

/* What waits is taken again with the next claim, and gets a new signature. */
static void
give_back(Queue *queue)
{
	queue->more = true;
	stop(queue);
}

/* The lease is over: its next holder sends again what could not be reported. */
static void
give_up(Queue *queue)
{
	queue->lost = true;
	stop(queue);
	report_drop(queue);
}

void
queue_tick(Queue *queue, int64_t now_ms)
{
	if (queue->state != QUEUE_RELEASING)
		report(queue, now_ms);
	if (queue->state == QUEUE_RELEASING)
		return;
	if (queue->renewal == NULL && !queue->lost &&
		now_ms >= queue->lease_until_ms - queue->setup->lease_ms * 2 / 3)
		renew(queue, now_ms);
	if (deliveries_too_old(queue, now_ms))
		give_back(queue);
	if (now_ms >= queue->lease_until_ms)
		give_up(queue);
	queue_advance(queue);
}

void
queue_free(Queue *queue)
{
	statements_drop(&queue->asked);
	statements_drop(&queue->renewal);
	statements_drop(&queue->report);
	deliveries_free(queue);
	receiver_drop(queue->receiver);
	free(queue);
}
