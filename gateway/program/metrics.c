/*
 * metrics.c
 *		A program's metrics listener, and the metrics that all programs have; see metrics.h.
 */
#include "program/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/metrics.h"
#include "lib/log.h"
#include "lib/timer.h"

#define LOOK_MS 1000

static const MetricDefinition shared[PROGRAM_METRIC_COUNT] = {
	[PROGRAM_DB_CONNECTIONS] = {"wa_database_connections",
								"Connections that a lane of the pool has.",
								METRIC_GAUGE,
								{"lane"}},
	[PROGRAM_DB_READY] = {"wa_database_connections_ready",
						  "Connections of a lane that take requests.",
						  METRIC_GAUGE,
						  {"lane"}},
	[PROGRAM_DB_QUEUED] = {"wa_database_queue",
						   "Requests that wait for a connection of a lane.",
						   METRIC_GAUGE,
						   {"lane"}},
	[PROGRAM_DB_IN_FLIGHT] = {"wa_database_in_flight",
							  "Requests of a lane that are sent and not answered.",
							  METRIC_GAUGE,
							  {"lane"}},
	[PROGRAM_DB_OWNERS] = {"wa_database_owners",
						   "Organizations and addresses whose requests wait or are sent.",
						   METRIC_GAUGE,
						   {"lane"}},
	[PROGRAM_DB_CROWDED] = {"wa_database_crowded_total",
							"Requests refused because too many of their organization waited.",
							METRIC_COUNTER,
							{"lane"}},
	[PROGRAM_DB_VIOLATIONS] = {"wa_database_protocol_violations_total",
							   "Connections dropped because the server said what it never says.",
							   METRIC_COUNTER,
							   {NULL}},
	[PROGRAM_LOG_LOST] = {"wa_log_lines_lost_total",
						  "Lines of the log that could not be written in time.",
						  METRIC_COUNTER,
						  {NULL}},
};

struct ProgramMetrics
{
	ProgramMetricsSetup setup;
	HttpServer *listener;
	Timer timer;
	uint64_t violations; /* this and the next two: what was already added to the metric */
	uint64_t log_lost;
	uint64_t crowded[DB_LANE_COUNT];
};

/* Adds to the metric by how much a number has grown since the last call. */
static void
add_growth(const ProgramMetrics *program, ProgramMetric metric, MetricLabels labels,
		   uint64_t *counted, uint64_t now)
{
	metrics_add(program->setup.metrics, program->setup.first + (int) metric, labels,
				now - *counted);
	*counted = now;
}

static void
look_at_lane(ProgramMetrics *program, DbLaneName lane)
{
	const ProgramMetricsSetup *setup = &program->setup;
	const DbStats stats = db_stats(setup->db, lane);
	const MetricLabels labels = (const char *[]){db_lane_names[lane], NULL};

	metrics_set(setup->metrics, setup->first + PROGRAM_DB_CONNECTIONS, labels, stats.connections);
	metrics_set(setup->metrics, setup->first + PROGRAM_DB_READY, labels, stats.ready);
	metrics_set(setup->metrics, setup->first + PROGRAM_DB_QUEUED, labels, stats.queued);
	metrics_set(setup->metrics, setup->first + PROGRAM_DB_IN_FLIGHT, labels, stats.in_flight);
	metrics_set(setup->metrics, setup->first + PROGRAM_DB_OWNERS, labels, stats.owners);
	add_growth(program, PROGRAM_DB_CROWDED, labels, &program->crowded[lane], stats.crowded);
}

static void
on_look(void *context)
{
	ProgramMetrics *program = context;

	add_growth(program, PROGRAM_DB_VIOLATIONS, NULL, &program->violations,
			   db_protocol_violations());
	add_growth(program, PROGRAM_LOG_LOST, NULL, &program->log_lost, log_lost());
	for (int i = 0; i < DB_LANE_COUNT; i++)
		look_at_lane(program, (DbLaneName) i);
	program->setup.look(program->setup.context);
}

void
program_metrics_complete(MetricDefinition *catalogue, int first)
{
	memcpy(catalogue + first, shared, sizeof(shared));
}

bool
program_metrics_check(const char *listen, char *error, size_t size)
{
	return listen == NULL || http_metrics_check(listen, error, size);
}

ProgramMetrics *
program_metrics_start(const ProgramMetricsSetup *setup, char *error, size_t size)
{
	ProgramMetrics *program = calloc(1, sizeof(*program));

	snprintf(error, size, "out of memory");
	if (program == NULL)
		return NULL;
	program->setup = *setup;
	if (!timer_open(&program->timer, setup->base, on_look, program) ||
		!timer_repeat(&program->timer, LOOK_MS) ||
		(program->listener = http_metrics_start(setup->base, setup->listen, setup->reuse_port,
												setup->metrics, error, size)) == NULL)
	{
		program_metrics_stop(program);
		return NULL;
	}
	on_look(program);
	log_line(LOG_LEVEL_INFO, "metrics_listening",
			 log_text("address", http_server_address(program->listener)),
			 log_int("port", http_server_port(program->listener)));
	return program;
}

void
program_metrics_stop(ProgramMetrics *program)
{
	if (program == NULL)
		return;
	timer_close(&program->timer);
	if (program->listener != NULL)
		http_server_free(program->listener);
	free(program);
}
