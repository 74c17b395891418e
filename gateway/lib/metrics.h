/*
 * metrics.h
 *		Metrics for Prometheus, in its text format 0.0.4.
 *
 * A program has one catalogue of metrics, a table of MetricDefinition.  A *series* is a
 * metric together with the values of its labels.  The first write to a series creates it.
 *
 * Several processes of a program can share one Metrics.  It is made in shared memory before
 * the processes are forked.  Each process writes into its own part, so that no write waits
 * for another.  metrics_print() adds the parts up.  When a process ends, its counters stay;
 * its gauges are reset when the process that replaces it calls metrics_enter().
 *
 * A process has at most METRICS_SERIES_MAX series.  Writes to further series are dropped and
 * counted in wa_metrics_dropped_total.  Only metrics_open() and metrics_print() can fail.
 */
#ifndef LIB_METRICS_H
#define LIB_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buffer.h"

#define METRICS_SERIES_MAX 1024     /* of one process */
#define METRICS_LABELS_MAX 3        /* of one metric */
#define METRICS_LABEL_BYTES_MAX 120 /* of all values of one series; longer series are dropped */
#define METRICS_PRINT_MAX (4 * 1024 * 1024)

typedef enum MetricKind
{
	METRIC_COUNTER,  /* only grows */
	METRIC_GAUGE,    /* a current value */
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
 * Makes a Metrics for this number of processes.  The definitions must outlive it.  NULL: out
 * of memory.  A process writes into the part of process 0 until it calls metrics_enter().
 */
extern Metrics *metrics_open(const MetricDefinition *definitions, int count, int processes);
extern void metrics_close(Metrics *metrics);

/* Makes this process write into the part of this number (from 0), and resets its gauges. */
extern void metrics_enter(Metrics *metrics, int process);

/*
 * metric is an index into the definitions; labels may be NULL for a metric without labels.
 * When metrics is NULL nothing is recorded, so that a program without a metrics listener
 * needs no conditions.
 */
extern void metrics_add(Metrics *metrics, int metric, MetricLabels labels, uint64_t amount);
extern void metrics_set(Metrics *metrics, int metric, MetricLabels labels, int64_t value);
extern void metrics_observe_us(Metrics *metrics, int metric, MetricLabels labels, int64_t us);

/* Appends all metrics as text; false when they do not fit. */
extern bool metrics_print(const Metrics *metrics, Buffer *out);

#endif
