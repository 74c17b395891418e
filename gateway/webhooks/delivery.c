/*
 * delivery.c
 *		The deliveries of a queue: reads and sends each one.
 */
#include <stdlib.h>
#include <string.h>

#include "db/result.h"
#include "lib/clock.h"
#include "webhooks/queue_internal.h"
#include "webhooks/metrics.h"

void
delivery_free(Delivery *delivery)
{
	Queue *queue = delivery->queue;

	TAILQ_REMOVE(&queue->deliveries, delivery, link);
	queue->taken--;
	if (delivery->state == DELIVERY_FINISHED)
	{
		TAILQ_REMOVE(&queue->finished, delivery, finished_link);
		queue->finished_count--;
	}
	if (delivery->attempt != NULL)
	{
		attempt_abandon(delivery->attempt);
		queue->sending--;
		(*queue->setup->sending)--;
	}
	receiver_drop(delivery->receiver);
	free(delivery->body);
	free(delivery);
}

void
deliveries_drop(Queue *queue, DeliveryState state)
{
	Delivery *delivery = TAILQ_FIRST(&queue->deliveries);

	while (delivery != NULL)
	{
		Delivery *next = TAILQ_NEXT(delivery, link);

		if (delivery->state == state)
			delivery_free(delivery);
		delivery = next;
	}
}

static bool
read_body(Delivery *delivery, const DbResult *result, int row)
{
	AttemptSignatures *signatures = &delivery->signatures;
	const char *body;

	if (!db_text(result, row, TAKEN_ENVELOPE, &body, &delivery->body_len))
		return db_is_null(result, row, TAKEN_ENVELOPE);
	delivery->body = strndup(body, delivery->body_len);
	return delivery->body != NULL && db_int(result, row, TAKEN_SIGNED_MS, &signatures->signed_ms) &&
		   db_text_copy(result, row, TAKEN_HMAC, signatures->hmac, sizeof(signatures->hmac)) &&
		   db_text_copy(result, row, TAKEN_SIGNATURE, signatures->standard,
						sizeof(signatures->standard));
}

/* A delivery without an envelope, because its event was deleted, has no body. */
static Delivery *
read_delivery(Queue *queue, const DbResult *result, int row)
{
	Delivery *delivery = calloc(1, sizeof(*delivery));
	uint8_t event[DB_UUID_SIZE];

	if (delivery == NULL)
		return NULL;
	delivery->queue = queue;
	delivery->taken_ms = queue->taken_ms;
	db_uuid(result, row, TAKEN_SESSION, delivery->session);
	if (!db_uuid(result, row, TAKEN_ID, delivery->id) ||
		!db_uuid(result, row, TAKEN_EVENT, event) ||
		wak_typeid_encode("evt", event, delivery->event_id) != WAK_TYPEID_OK ||
		!read_body(delivery, result, row))
	{
		free(delivery->body);
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
finish(Delivery *delivery)
{
	delivery->state = DELIVERY_FINISHED;
	TAILQ_INSERT_TAIL(&delivery->queue->finished, delivery, finished_link);
	delivery->queue->finished_count++;
}

static void
on_attempt(void *arg, const AttemptResult *result)
{
	Delivery *delivery = arg;
	Queue *queue = delivery->queue;
	MetricLabels labels = (const char *[]){outcome_of(result), NULL};

	metrics_add(queue->setup->metrics, WORKER_ATTEMPTS, labels, 1);
	metrics_observe_us(queue->setup->metrics, WORKER_ATTEMPT_TIME, labels, result->us);
	delivery->attempt = NULL;
	delivery->result = *result;
	receiver_drop(delivery->receiver);
	delivery->receiver = NULL;
	queue->sending--;
	(*queue->setup->sending)--;
	finish(delivery);
	queue_advance(queue);
}

/* Sends a delivery.  Returns false when memory is out; its state is then unchanged. */
static bool
send_delivery(Queue *queue, Delivery *delivery)
{
	AttemptRequest request = {.url = queue->receiver->url,
							  .headers = (const char *const *) queue->receiver->headers,
							  .event_id = delivery->event_id,
							  .body = delivery->body,
							  .body_len = delivery->body_len,
							  .signatures = &delivery->signatures};

	_Static_assert(sizeof(request.asker) == sizeof(queue->org), "an asker is an organization");
	memcpy(request.asker, queue->org, sizeof(request.asker));
	delivery->attempt = attempt_start(&queue->setup->attempt, &request, on_attempt, delivery);
	if (delivery->attempt == NULL)
		return false;
	delivery->receiver = receiver_hold(queue->receiver);
	delivery->state = DELIVERY_SENDING;
	queue->sending++;
	(*queue->setup->sending)++;
	return true;
}

/* Whether an earlier delivery of the same session is under way. */
static bool
has_to_wait(const Queue *queue, const Delivery *delivery)
{
	const Delivery *earlier;

	TAILQ_FOREACH(earlier, &queue->deliveries, link)
	{
		if (earlier == delivery)
			return false;
		if (earlier->state != DELIVERY_FINISHED &&
			memcmp(earlier->session, delivery->session, DB_UUID_SIZE) == 0)
			return true;
	}
	return false;
}

/* The first delivery that waits is the oldest. */
bool
deliveries_too_old(const Queue *queue, int64_t now_ms)
{
	const Delivery *delivery;

	TAILQ_FOREACH(delivery, &queue->deliveries, link)
	{
		if (delivery->state == DELIVERY_WAITING)
			return now_ms >= delivery->taken_ms + QUEUE_SIGNED_MAX_MS;
	}
	return false;
}

void
deliveries_send(Queue *queue)
{
	int64_t now_ms = clock_monotonic_ms();
	Delivery *delivery;

	if (queue->stopping || now_ms >= queue->lease_until_ms || deliveries_too_old(queue, now_ms))
		return;
	TAILQ_FOREACH(delivery, &queue->deliveries, link)
	{
		if (queue->sending == QUEUE_SENDING_MAX)
			return;
		if (delivery->state == DELIVERY_WAITING && !has_to_wait(queue, delivery) &&
			!send_delivery(queue, delivery))
			return;
	}
}

bool
delivery_add(Queue *queue, const DbResult *result, int row)
{
	Delivery *delivery = read_delivery(queue, result, row);

	if (delivery == NULL)
		return false;
	TAILQ_INSERT_TAIL(&queue->deliveries, delivery, link);
	queue->taken++;
	if (delivery->body == NULL)
	{
		delivery->result.problem = "the event is not kept any more";
		finish(delivery);
	}
	return true;
}

void
deliveries_free(Queue *queue)
{
	Delivery *delivery;

	while ((delivery = TAILQ_FIRST(&queue->deliveries)) != NULL)
		delivery_free(delivery);
}
