/*
 * metrics.h
 *		The metrics of the gateway: its answers, its connections and its sockets.
 */
#ifndef SERVE_METRICS_H
#define SERVE_METRICS_H

#include "http/http.h"
#include "program/metrics.h"
#include "realtime/realtime.h"

/*
 * Makes the metrics for all processes of the gateway; called before any fork.  False: out of
 * memory.  *metrics is NULL when the settings ask for no metrics.
 */
extern bool service_metrics_open(Metrics **metrics);

/* The setup of one process's metrics listener; the caller fills in the loop and the sources. */
extern ProgramMetricsSetup service_metrics_setup(void);

/* Sets the gauges to their current values. */
extern void
service_metrics_look(Metrics *metrics, const HttpServer *http, const Realtime *realtime);

/* An HttpObserver whose context is the Metrics. */
extern void service_metrics_observe(const char *method, const char *route, int status, int64_t us,
									void *context);

/* A RealtimeObserver whose context is the Metrics. */
extern void service_metrics_event(int64_t delay_us, void *context);

#endif
