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

/* ---- reading, taking, releasing ---- */

static void
stop(Queue *queue)
{
	queue->stopping = true;
	deliveries_drop(queue, DELIVERY_WAITING);
}

static void
on_taken(void *arg, const DbResult *result)
{
	Queue *queue = arg;

	queue->asked = NULL;
	queue->state = QUEUE_OPEN;
	if (result->outcome != DB_ROWS)
	{
		statements_log_failure(&worker_statements, WORKER_DELIVERIES_TAKE, result);
		stop(queue);
	}
	for (int i = 0; !queue->stopping && result->outcome == DB_ROWS && i < result->rows; i++)
		if (!delivery_add(queue, result, i))
			stop(queue);
	queue->more |= result->outcome == DB_ROWS && result->rows > 0;
	queue_advance(queue);
}

static void
take(Queue *queue)
{
	queue->state = QUEUE_TAKING;
	queue->taken_ms = clock_monotonic_ms();
	queue->more = false;
	queue->asked = queue_ask(queue, WORKER_DELIVERIES_TAKE, on_taken, queue, "i",
							 QUEUE_TAKEN_MAX - queue->taken);
	if (queue->asked == NULL)
	{
		queue->state = QUEUE_OPEN;
		stop(queue);
	}
}

static void
on_read(void *arg, const DbResult *result)
{
	Queue *queue = arg;
	Receiver *receiver = NULL;

	queue->asked = NULL;
	queue->state = QUEUE_OPEN;
	if (result->outcome != DB_ROWS)
		statements_log_failure(&worker_statements, WORKER_WEBHOOK_LANE, result);
	else if (result->rows == 1)
		receiver = receiver_read(result, 0);
	receiver_drop(queue->receiver);
	queue->receiver = receiver;
	if (receiver == NULL)
		stop(queue);
	else if (!queue->stopping)
		take(queue);
	queue_advance(queue);
}

static void
read_webhook(Queue *queue)
{
	queue->state = QUEUE_READING;
	queue->asked = queue_ask(queue, WORKER_WEBHOOK_LANE, on_read, queue, "");
	if (queue->asked == NULL)
	{
		queue->state = QUEUE_OPEN;
		stop(queue);
	}
}

static void
end_queue(Queue *queue)
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
	end_queue(queue);
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
		end_queue(queue);
}

void
queue_advance(Queue *queue)
{
	if (queue->receiver != NULL)
		deliveries_send(queue);
	if (queue->state == QUEUE_OPEN && !queue->stopping && queue->more &&
		queue->taken <= QUEUE_LOW_MARK)
		read_webhook(queue);
	if (queue->state == QUEUE_OPEN && queue->taken == 0 && (queue->stopping || !queue->more))
		release(queue);
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
	read_webhook(queue);
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
	deliveries_drop(queue, DELIVERY_REPORTING);
}

void
queue_tick(Queue *queue, int64_t now_ms)
{
	if (queue->state == QUEUE_RELEASING)
		return;
	deliveries_report_again(queue, now_ms);
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
	deliveries_free(queue);
	receiver_drop(queue->receiver);
	free(queue);
}
