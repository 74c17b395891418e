/*
 * report.c
 *		Reports to the database what became of attempts, many at once.
 */
#include <stdio.h>

#include "db/result.h"
#include "lib/clock.h"
#include "lib/json_write.h"
#include "webhooks/metrics.h"
#include "webhooks/queue_internal.h"

/* Bytes of one result in JSON: a UUID, numbers, and a problem of at most 100 characters. */
#define RESULT_BYTES_MAX 320

static void
write_uuid(JsonWriter *writer, const uint8_t uuid[DB_UUID_SIZE])
{
	char text[2 * DB_UUID_SIZE + 1];

	for (int i = 0; i < DB_UUID_SIZE; i++)
		snprintf(&text[2 * i], 3, "%02x", uuid[i]);
	json_write_text(writer, text);
}

/* What is 0 or NULL is left out. */
static void
write_result(JsonWriter *writer, const Delivery *delivery)
{
	const AttemptResult *result = &delivery->result;

	json_write_object_begin(writer);
	json_write_name(writer, "delivery");
	write_uuid(writer, delivery->id);
	json_write_name(writer, "succeeded");
	json_write_bool(writer, result->delivered);
	if (result->status != 0)
	{
		json_write_name(writer, "status_code");
		json_write_int64(writer, result->status);
	}
	if (result->problem != NULL)
	{
		json_write_name(writer, "problem");
		json_write_text(writer, result->problem);
	}
	if (result->retry_after_s != 0)
	{
		json_write_name(writer, "retry_after");
		json_write_int64(writer, result->retry_after_s);
	}
	json_write_object_end(writer);
}

/* Writes all that is finished, or one that has to be reported by itself.  Returns how many. */
static int
write_results(const Queue *queue, JsonWriter *writer)
{
	const Delivery *delivery;
	int count = 0;

	json_write_array_begin(writer);
	TAILQ_FOREACH(delivery, &queue->finished, finished_link)
	{
		if (delivery->apart && count > 0)
			break;
		write_result(writer, delivery);
		count++;
		if (delivery->apart)
			break;
	}
	json_write_array_end(writer);
	return count;
}

/* Each row is what the result in the same place has made of its delivery. */
static void
take_statuses(Queue *queue, const DbResult *result)
{
	for (int i = 0; i < queue->reporting; i++)
	{
		char status[16] = "stale";

		if (i < result->rows)
			db_text_copy(result, i, 0, status, sizeof(status));
		metrics_add(queue->setup->metrics, WORKER_DELIVERIES, (const char *[]){status, NULL}, 1);
		delivery_free(TAILQ_FIRST(&queue->finished));
	}
}

/* Of several results each is tried again by itself; a single one is given up. */
static void
take_refusal(Queue *queue)
{
	Delivery *delivery = TAILQ_FIRST(&queue->finished);

	if (queue->reporting == 1)
	{
		delivery_free(delivery);
		return;
	}
	for (int i = 0; i < queue->reporting; i++)
	{
		delivery->apart = true;
		delivery = TAILQ_NEXT(delivery, finished_link);
	}
}

static void
on_reported(void *arg, const DbResult *result)
{
	Queue *queue = arg;
	bool released = queue->state == QUEUE_RELEASING;

	queue->report = NULL;
	queue->report_again_ms = 0;
	if (result->outcome == DB_ROWS)
		take_statuses(queue, result);
	else
	{
		statements_log_failure(&worker_statements, WORKER_DELIVERIES_DONE, result);
		if (result->outcome == DB_REFUSED)
			take_refusal(queue);
		else
			queue->report_again_ms = clock_monotonic_ms() + QUEUE_REPORT_AGAIN_MS;
	}
	queue->reporting = 0;
	if (released && result->outcome == DB_ROWS)
	{
		queue_end(queue);
		return;
	}
	if (released)
		queue->state = QUEUE_OPEN;
	queue_advance(queue);
}

/* If the statement cannot be submitted, the queue's tick tries again. */
void
report_send(Queue *queue, int64_t now_ms, bool release)
{
	JsonWriter writer;
	Buffer json;
	int count;

	if (queue->report != NULL || queue->finished_count == 0 || now_ms < queue->report_again_ms)
		return;
	buffer_init(&json, QUEUE_TAKEN_MAX * RESULT_BYTES_MAX);
	json_write_init(&writer, &json);
	count = write_results(queue, &writer);
	release = release && count == queue->finished_count;
	if (json_write_done(&writer))
		queue->report =
			queue_ask(queue, WORKER_DELIVERIES_DONE, on_reported, queue, "jb", json.data, release);
	buffer_free(&json);
	queue->report_again_ms = now_ms + QUEUE_REPORT_AGAIN_MS;
	if (queue->report == NULL)
		return;
	queue->reporting = count;
	if (release)
		queue->state = QUEUE_RELEASING;
}

void
report_drop(Queue *queue)
{
	statements_drop(&queue->report);
	queue->reporting = 0;
	queue->report_again_ms = 0;
	deliveries_drop(queue, DELIVERY_FINISHED);
}
