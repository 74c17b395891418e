/*
 * metrics.h
 *		The catalogue of what the worker counts.
 */
#ifndef WEBHOOKS_METRICS_H
#define WEBHOOKS_METRICS_H

#include "lib/metrics.h"

typedef enum WorkerMetric
{
	WORKER_ATTEMPTS,       /* by outcome */
	WORKER_ATTEMPT_TIME,   /* by outcome */
	WORKER_DELIVERIES,     /* by what the database made of them */
	WORKER_SENDING,        /* now */
	WORKER_QUEUES,         /* now */
	WORKER_UNDELIVERED,    /* in the database, by status */
	WORKER_OLDEST_SECONDS, /* in the database */
	WORKER_PAUSED,         /* in the database */
	WORKER_HELD_SECONDS,   /* in the database */
	WORKER_HOUSEKEPT,      /* rows, by task */
	WORKER_DB_READY,
	WORKER_DB_QUEUED,
	WORKER_DB_VIOLATIONS,
	WORKER_LOG_LOST,
	WORKER_METRIC_COUNT
} WorkerMetric;

extern const MetricDefinition worker_metrics[WORKER_METRIC_COUNT];

/*
 * Shows the counters of attempts and deliveries at 0: what Prometheus first sees at 1 has not
 * grown for it.
 */
extern void worker_metrics_begin(Metrics *metrics);

#endif
