/*
 * metrics.h
 *		Numbers for Prometheus, in its text format 0.0.4.
 *
 * A program has one catalogue of metrics, a table of MetricDefinition.  A *series* is a
 * metric with the values of its labels, and is made when it is first written.
 *
 * Several processes of a program can share one Metrics: it is made before they are forked,
 * lies in shared memory, and each process writes into a part of its own, so that no write
 * waits for another; whoever prints adds all parts up.  What a process has counted stays
 * when it ends; its gauges go when its successor enters.
 *
 * Bounds: METRICS_SERIES_MAX series of a process; what does not fit is counted in
 * wa_metrics_dropped_total.  Nothing here can fail but metrics_open() and metrics_print().
 */
#ifndef LIB_METRICS_H
#define LIB_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buffer.h"

#define METRICS_SERIES_MAX 1024     /* of one process */
#define METRICS_LABELS_MAX 3        /* of one metric */
#define METRICS_LABEL_BYTES_MAX 120 /* of the values of one series; longer ones are dropped */
#define METRICS_PRINT_MAX (4 * 1024 * 1024)

typedef enum MetricKind
{
	METRIC_COUNTER,  /* only grows */
	METRIC_GAUGE,    /* what is now */
	METRIC_HISTOGRAM /* of durations */
} MetricKind;

typedef struct MetricDefinition
{
	const char *name; /* "wa_http_requests_total" */
	const char *help; /* one line */
	MetricKind kind;
	const char *labels[METRICS_LABELS_MAX + 1]; /* their names; NULL ends them */
} MetricDefinition;

/* The values of the labels, in the order of the definition; NULL ends them. */
typedef const char *const *MetricLabels;

typedef struct Metrics Metrics;

/*
 * For "processes" processes.  The definitions must outlive it.  NULL: no memory.  Every
 * process writes as the first one until it has called metrics_enter().
 */
extern Metrics *metrics_open(const MetricDefinition *definitions, int count, int processes);
extern void metrics_close(Metrics *metrics);

/* From now on this process writes as process number "process", from 0, whose gauges are reset. */
extern void metrics_enter(Metrics *metrics, int process);

/*
 * metric is an index into the definitions; labels may be NULL when it has none.  A Metrics
 * that is NULL takes everything and keeps nothing, so that a program without a listener for
 * them needs no conditions.
 */
extern void metrics_add(Metrics *metrics, int metric, MetricLabels labels, uint64_t amount);
extern void metrics_set(Metrics *metrics, int metric, MetricLabels labels, int64_t value);
extern void metrics_observe_us(Metrics *metrics, int metric, MetricLabels labels, int64_t us);

/* Appends all of them; false when they do not fit. */
extern bool metrics_print(const Metrics *metrics, Buffer *out);

#endif
