/*
 * metrics.c
 *		The list of the worker's metrics.
 *
 * Metrics of a process can be added up over all processes.  Metrics that are read from the
 * database are the same in each process; of these take the maximum.
 */
#include "webhooks/metrics.h"

static MetricDefinition worker_metrics[WORKER_METRIC_COUNT] = {
	[WORKER_ATTEMPTS] = {"wa_webhook_attempts_total",
						 "Requests to receivers, by outcome: 2xx, 3xx, 4xx, 5xx or failed.",
						 METRIC_COUNTER,
						 {"outcome"}},
	[WORKER_ATTEMPT_TIME] = {"wa_webhook_attempt_duration_seconds",
							 "How long receivers take, by outcome.",
							 METRIC_HISTOGRAM,
							 {"outcome"}},
	[WORKER_DELIVERIES] = {"wa_webhook_deliveries_total",
						   "Reported attempts by what they made of the delivery: delivered, failed "
						   "(to be tried again), dead, or stale (another worker has it).",
						   METRIC_COUNTER,
						   {"result"}},
	[WORKER_SENDING] = {"wa_webhook_sending", "Requests under way.", METRIC_GAUGE, {NULL}},
	[WORKER_QUEUES] = {"wa_webhook_lanes",
					   "Webhooks that this worker holds.",
					   METRIC_GAUGE,
					   {NULL}},
	[WORKER_UNDELIVERED] = {"wa_webhook_undelivered",
							"Deliveries in the database, by status: pending, failed or dead.",
							METRIC_GAUGE,
							{"status"}},
	[WORKER_OLDEST_SECONDS] = {"wa_webhook_oldest_undelivered_seconds",
							   "Age of the oldest delivery that is pending or failed.",
							   METRIC_GAUGE,
							   {NULL}},
	[WORKER_PAUSED] = {"wa_webhooks_paused",
					   "Webhooks whose receivers have failed for too long.",
					   METRIC_GAUGE,
					   {NULL}},
	[WORKER_HELD_SECONDS] =
		{"wa_events_held_seconds",
		 "Age of the oldest event that no reader may see yet, because an older transaction "
		 "that writes events of its organization is open.",
		 METRIC_GAUGE,
		 {NULL}},
	[WORKER_HOUSEKEPT] = {"wa_housekeeping_rows_total",
						  "Expired rows that were taken away, by task.",
						  METRIC_COUNTER,
						  {"task"}},
	[WORKER_REMOVALS] = {"wa_media_removals_total",
						 "Files that the store was asked to remove, because no row has them, by "
						 "result: removed or failed.",
						 METRIC_COUNTER,
						 {"result"}},
	[WORKER_SCANS] = {"wa_media_scans_total",
					  "Scans of the names in the store that were complete, or have failed (and go "
					  "on later).",
					  METRIC_COUNTER,
					  {"result"}},
	[WORKER_SCANNED] = {"wa_media_scan_names_total",
						"Names that these have found: known to a row, unknown (to be removed), "
						"strange (their organization does not exist), young, or other names.",
						METRIC_COUNTER,
						{"result"}},
	[WORKER_CHECKED] = {"wa_media_scan_rows_total",
						"Rows whose bytes were looked for, by result: stored, missing, damaged, or "
						"unread (the store could not be asked).",
						METRIC_COUNTER,
						{"result"}},
};

/* The values that a counter's label can have. */
typedef struct Expected
{
	WorkerMetric metric;
	const char *label;
} Expected;

static const Expected expected[] = {
	{WORKER_ATTEMPTS, "2xx"},      {WORKER_ATTEMPTS, "3xx"},    {WORKER_ATTEMPTS, "4xx"},
	{WORKER_ATTEMPTS, "5xx"},      {WORKER_ATTEMPTS, "failed"}, {WORKER_DELIVERIES, "delivered"},
	{WORKER_DELIVERIES, "failed"}, {WORKER_DELIVERIES, "dead"}, {WORKER_DELIVERIES, "stale"},
};

Metrics *
worker_metrics_open(void)
{
	Metrics *metrics;

	program_metrics_complete(worker_metrics, WORKER_PROGRAM_METRICS);
	metrics = metrics_open(worker_metrics, WORKER_METRIC_COUNT, 1);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		metrics_add(metrics, expected[i].metric, (const char *[]){expected[i].label, NULL}, 0);
	return metrics;
}
