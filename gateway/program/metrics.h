/*
 * metrics.h
 *		A program's listener for metrics, and the metrics that all programs have.
 *
 * These come last in a program's catalogue, which program_metrics_complete() copies them into:
 *
 *	enum { REQUESTS, …, SHARED, METRIC_COUNT = SHARED + PROGRAM_METRIC_COUNT };
 *
 * They and the program's own gauges are looked at every second, whoever asks: another process
 * may be the one that prints.
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

/* Writes the definitions of these to catalogue[first] and behind. */
extern void program_metrics_complete(MetricDefinition *catalogue, int first);

/* All of it is borrowed until program_metrics_stop(). */
typedef struct ProgramMetricsSetup
{
	struct event_base *base;
	const char *listen;
	bool reuse_port; /* several processes share the address */
	Metrics *metrics;
	int first; /* where these begin in the catalogue */
	const Db *db;
	void (*look)(void *context); /* sets the program's own gauges */
	void *context;
} ProgramMetricsSetup;

typedef struct ProgramMetrics ProgramMetrics;

/* Whether "listen" is an address to listen on, or NULL.  False: error says why not. */
extern bool program_metrics_check(const char *listen, char *error, size_t size);

/* NULL: could not, and error (of size bytes) says why. */
extern ProgramMetrics *
program_metrics_start(const ProgramMetricsSetup *setup, char *error, size_t size);
extern void program_metrics_stop(ProgramMetrics *program);

#endif
