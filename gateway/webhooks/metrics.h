/*
 * metrics.h
 *		The list of the worker's metrics.
 */
#ifndef WEBHOOKS_METRICS_H
#define WEBHOOKS_METRICS_H

#include "program/metrics.h"

typedef enum WorkerMetric
{
	WORKER_ATTEMPTS,       /* by outcome */
	WORKER_ATTEMPT_TIME,   /* by outcome */
	WORKER_DELIVERIES,     /* by the status that the database gave them */
	WORKER_SENDING,        /* at present */
	WORKER_QUEUES,         /* at present */
	WORKER_UNDELIVERED,    /* in the database, by status */
	WORKER_OLDEST_SECONDS, /* in the database */
	WORKER_PAUSED,         /* in the database */
	WORKER_HELD_SECONDS,   /* in the database */
	WORKER_HOUSEKEPT,      /* rows, by task */
	WORKER_REMOVALS,       /* of bytes from the store, by result */
	WORKER_SCANS,          /* of the names in the store, by how they ended */
	WORKER_SCANNED,        /* names, by what they were */
	WORKER_CHECKED,        /* rows of bytes, by what the store has of them */
	WORKER_PROGRAM_METRICS,
	WORKER_METRIC_COUNT = WORKER_PROGRAM_METRICS + PROGRAM_METRIC_COUNT
} WorkerMetric;

/*
 * Returns NULL when memory is out.  The counters of attempts and deliveries are set to 0 at once:
 * when Prometheus first sees a counter at 1, it does not count that as growth.
 */
extern Metrics *worker_metrics_open(void);

#endif
