/*
 * metrics.h
 *		A program's metrics listener, and the metrics that all programs have.
 *
 * The metrics that all programs have come last in a program's catalogue.
 * program_metrics_complete() copies their definitions there:
 *
 *	enum { REQUESTS, …, SHARED, METRIC_COUNT = SHARED + PROGRAM_METRIC_COUNT };
 *
 * These metrics and the program's own gauges are updated every second, and not only when they
 * are asked for, because another process may be the one that answers.
 */
#ifndef PROGRAM_METRICS_H
#define PROGRAM_METRICS_H

#include "db/db.h"
#include "lib/metrics.h"

struct event_base;

typedef enum ProgramMetric
{
	PROGRAM_DB_CONNECTIONS,
	PROGRAM_DB_READY,
	PROGRAM_DB_QUEUED,
	PROGRAM_DB_IN_FLIGHT,
	PROGRAM_DB_OWNERS,
	PROGRAM_DB_CROWDED,
	PROGRAM_DB_VIOLATIONS,
	PROGRAM_LOG_LOST,
	PROGRAM_METRIC_COUNT
} ProgramMetric;

/* Copies the definitions of the shared metrics to catalogue, from index first on. */
extern void program_metrics_complete(MetricDefinition *catalogue, int first);

/* All pointers are borrowed until program_metrics_stop(). */
typedef struct ProgramMetricsSetup
{
	struct event_base *base;
	const char *listen;
	bool reuse_port; /* several processes share the address */
	Metrics *metrics;
	int first; /* index in the catalogue of the first metric that all programs have */
	const Db *db;
	void (*look)(void *context); /* sets the program's own gauges */
	void *context;
} ProgramMetricsSetup;

typedef struct ProgramMetrics ProgramMetrics;

/* Whether "listen" is NULL or an address to listen on.  False: error says why not. */
extern bool program_metrics_check(const char *listen, char *error, size_t size);

/* Starts the listener.  NULL: error (of size bytes) says why it failed. */
extern ProgramMetrics *
program_metrics_start(const ProgramMetricsSetup *setup, char *error, size_t size);
extern void program_metrics_stop(ProgramMetrics *program);

#endif
