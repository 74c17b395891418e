/*
 * metrics.h
 *		A program's listener for metrics, and the metrics that all programs have.
 *
 * These come last in a program's catalogue:
 *
 *	enum { REQUESTS, …, SHARED, METRIC_COUNT = SHARED + PROGRAM_METRIC_COUNT };
 *	{ [REQUESTS] = …, PROGRAM_METRIC_DEFINITIONS(SHARED) }
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

/* clang-format off */
#define PROGRAM_METRIC_DEFINITIONS(first) \
	[(first) + PROGRAM_DB_CONNECTIONS] = {"wa_database_connections", \
		"Connections that a lane of the pool has.", METRIC_GAUGE, {"lane"}}, \
	[(first) + PROGRAM_DB_READY] = {"wa_database_connections_ready", \
		"Connections of a lane that take requests.", METRIC_GAUGE, {"lane"}}, \
	[(first) + PROGRAM_DB_QUEUED] = {"wa_database_queue", \
		"Requests that wait for a connection of a lane.", METRIC_GAUGE, {"lane"}}, \
	[(first) + PROGRAM_DB_IN_FLIGHT] = {"wa_database_in_flight", \
		"Requests of a lane that are sent and not answered.", METRIC_GAUGE, {"lane"}}, \
	[(first) + PROGRAM_DB_OWNERS] = {"wa_database_owners", \
		"Organizations and addresses whose requests wait or are sent.", METRIC_GAUGE, {"lane"}}, \
	[(first) + PROGRAM_DB_CROWDED] = {"wa_database_crowded_total", \
		"Requests refused because too many of their organization waited.", METRIC_COUNTER, {"lane"}}, \
	[(first) + PROGRAM_DB_VIOLATIONS] = {"wa_database_protocol_violations_total", \
		"Connections dropped because the server said what it never says.", METRIC_COUNTER, {NULL}}, \
	[(first) + PROGRAM_LOG_LOST] = {"wa_log_lines_lost_total", \
		"Lines of the log that could not be written in time.", METRIC_COUNTER, {NULL}}
/* clang-format on */

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
