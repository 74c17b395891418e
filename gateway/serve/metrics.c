/*
 * metrics.c
 *		The metrics of the gateway; see metrics.h.
 */
#include "serve/metrics.h"

#include <stdio.h>

#include "serve/settings.h"

typedef enum GatewayMetric
{
	REQUESTS,
	DURATION,
	HTTP_CONNECTIONS,
	HTTP_OUTPUT,
	SOCKETS,
	EVENT_DELAY,
	PROGRAM_METRICS,
	METRIC_COUNT = PROGRAM_METRICS + PROGRAM_METRIC_COUNT
} GatewayMetric;

static MetricDefinition definitions[METRIC_COUNT] = {
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
};

bool
service_metrics_open(Metrics **metrics)
{
	*metrics = NULL;
	if (gateway_settings.program.metrics == NULL)
		return true;
	program_metrics_complete(definitions, PROGRAM_METRICS);
	*metrics = metrics_open(definitions, METRIC_COUNT, (int) gateway_settings.workers);
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

void
service_metrics_look(Metrics *metrics, const HttpServer *http, const Realtime *realtime)
{
	metrics_set(metrics, HTTP_CONNECTIONS, NULL, http_server_connections(http));
	metrics_set(metrics, HTTP_OUTPUT, NULL, (int64_t) http_server_output_bytes(http));
	metrics_set(metrics, SOCKETS, NULL, realtime_sockets(realtime));
}

ProgramMetricsSetup
service_metrics_setup(void)
{
	return (ProgramMetricsSetup){.listen = gateway_settings.program.metrics,
								 .reuse_port = gateway_settings.workers > 1,
								 .first = PROGRAM_METRICS};
}
