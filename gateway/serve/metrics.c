/*
 * metrics.c
 *		What the gateway counts: its answers, and how full its floors are.
 *
 * Answers are counted when they are sent.  The rest is looked at once in LOOK_MS, and only
 * when somebody has asked for metrics: another process may be the one that prints.
 */
#include "serve/metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "http/metrics.h"
#include "lib/log.h"

#define LOOK_MS 1000

typedef enum GatewayMetric
{
	REQUESTS,
	DURATION,
	HTTP_CONNECTIONS,
	HTTP_OUTPUT,
	SOCKETS,
	EVENT_DELAY,
	DB_CONNECTIONS,
	DB_READY,
	DB_QUEUED,
	DB_IN_FLIGHT,
	DB_VIOLATIONS,
	LOG_LOST,
	METRIC_COUNT
} GatewayMetric;

static const MetricDefinition definitions[METRIC_COUNT] = {
	[REQUESTS] = {"wa_http_requests_total",
				  "Answers sent, by method, route and status.",
				  METRIC_COUNTER,
				  {"method", "route", "status"}},
	[DURATION] = {"wa_http_request_duration_seconds",
				  "From a request's first byte until its answer is sent.",
				  METRIC_HISTOGRAM,
				  {"method", "route"}},
	[HTTP_CONNECTIONS] = {"wa_http_connections", "Open connections.", METRIC_GAUGE, {NULL}},
	[HTTP_OUTPUT] = {"wa_http_output_bytes",
					 "Bytes that wait until clients take them, on all connections.",
					 METRIC_GAUGE,
					 {NULL}},
	[SOCKETS] = {"wa_sockets", "Open realtime sockets.", METRIC_GAUGE, {NULL}},
	[EVENT_DELAY] = {"wa_event_delay_seconds",
					 "From when an event is written until sockets that are live get it.",
					 METRIC_HISTOGRAM,
					 {NULL}},
	[DB_CONNECTIONS] = {"wa_database_connections",
						"Connections that a lane of the pool has.",
						METRIC_GAUGE,
						{"lane"}},
	[DB_READY] = {"wa_database_connections_ready",
				  "Connections of a lane that take requests.",
				  METRIC_GAUGE,
				  {"lane"}},
	[DB_QUEUED] = {"wa_database_queue",
				   "Requests that wait for a connection of a lane.",
				   METRIC_GAUGE,
				   {"lane"}},
	[DB_IN_FLIGHT] = {"wa_database_in_flight",
					  "Requests of a lane that are sent and not answered.",
					  METRIC_GAUGE,
					  {"lane"}},
	[DB_VIOLATIONS] = {"wa_database_protocol_violations_total",
					   "Connections dropped because the server said what it never says.",
					   METRIC_COUNTER,
					   {NULL}},
	[LOG_LOST] = {"wa_log_lines_lost_total",
				  "Lines of the log that could not be written in time.",
				  METRIC_COUNTER,
				  {NULL}},
};

struct ServiceMetrics
{
	Metrics *metrics;
	const HttpServer *http;
	const Db *db;
	const Realtime *realtime;
	HttpServer *listener;
	struct event *timer;
	uint64_t violations; /* counted so far, and so is the next */
	uint64_t log_lost;
};

bool
service_metrics_open(const Settings *settings, Metrics **metrics)
{
	*metrics = NULL;
	if (settings->metrics == NULL)
		return true;
	*metrics = metrics_open(definitions, METRIC_COUNT, (int) settings->workers);
	return *metrics != NULL;
}

void
service_metrics_observe(const char *method, const char *route, int status, int64_t us,
						void *context)
{
	char text[12];

	snprintf(text, sizeof(text), "%d", status);
	metrics_add(context, REQUESTS, (const char *[]){method, route, text, NULL}, 1);
	metrics_observe_us(context, DURATION, (const char *[]){method, route, NULL}, us);
}

void
service_metrics_event(int64_t delay_us, void *context)
{
	metrics_observe_us(context, EVENT_DELAY, NULL, delay_us);
}

static void
on_look(evutil_socket_t fd, short what, void *context)
{
	ServiceMetrics *service = context;
	uint64_t violations = db_protocol_violations();
	uint64_t lost = log_lost();

	(void) fd;
	(void) what;
	metrics_set(service->metrics, HTTP_CONNECTIONS, NULL, http_server_connections(service->http));
	metrics_set(service->metrics, HTTP_OUTPUT, NULL,
				(int64_t) http_server_output_bytes(service->http));
	metrics_set(service->metrics, SOCKETS, NULL, realtime_sockets(service->realtime));
	metrics_add(service->metrics, DB_VIOLATIONS, NULL, violations - service->violations);
	service->violations = violations;
	metrics_add(service->metrics, LOG_LOST, NULL, lost - service->log_lost);
	service->log_lost = lost;
	for (int i = 0; i < DB_LANE_COUNT; i++)
	{
		DbStats stats = db_stats(service->db, (DbLaneName) i);
		MetricLabels labels = (const char *[]){db_lane_names[i], NULL};

		metrics_set(service->metrics, DB_CONNECTIONS, labels, stats.connections);
		metrics_set(service->metrics, DB_READY, labels, stats.ready);
		metrics_set(service->metrics, DB_QUEUED, labels, stats.queued);
		metrics_set(service->metrics, DB_IN_FLIGHT, labels, stats.in_flight);
	}
}

ServiceMetrics *
service_metrics_start(struct event_base *base, const Settings *settings, Metrics *metrics,
					  const HttpServer *http, const Db *db, const Realtime *realtime, char *error,
					  size_t error_size)
{
	const struct timeval look = {.tv_sec = LOOK_MS / 1000, .tv_usec = LOOK_MS % 1000 * 1000};
	ServiceMetrics *service = calloc(1, sizeof(*service));

	if (service == NULL)
	{
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	*service = (ServiceMetrics){.metrics = metrics, .http = http, .db = db, .realtime = realtime};
	service->listener = http_metrics_start(base, settings->metrics, settings->workers > 1, metrics,
										   error, error_size);
	service->timer = event_new(base, -1, EV_PERSIST, on_look, service);
	if (service->listener == NULL || service->timer == NULL ||
		event_add(service->timer, &look) != 0)
	{
		service_metrics_stop(service);
		return NULL;
	}
	on_look(-1, 0, service);
	log_line(LOG_LEVEL_INFO, "metrics_listening",
			 log_text("address", http_server_address(service->listener)),
			 log_int("port", http_server_port(service->listener)));
	return service;
}

void
service_metrics_stop(ServiceMetrics *service)
{
	if (service == NULL)
		return;
	if (service->timer != NULL)
		event_free(service->timer);
	if (service->listener != NULL)
		http_server_free(service->listener);
	free(service);
}
