/*
 * metrics.h
 *		The catalogue of what the worker counts.
 */
#ifndef WEBHOOKS_METRICS_H
#define WEBHOOKS_METRICS_H

#include "program/metrics.h"

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
	WORKER_PROGRAM_METRICS,
	WORKER_METRIC_COUNT = WORKER_PROGRAM_METRICS + PROGRAM_METRIC_COUNT
} WorkerMetric;

/*
 * NULL: no memory.  Counters of attempts and deliveries are there at 0: what Prometheus first
 * sees at 1 has not grown for it.
 */
extern Metrics *worker_metrics_open(void);

#endif
