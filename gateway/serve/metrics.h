/*
 * metrics.h
 *		What the gateway counts: its answers, and how full its floors are.
 */
#ifndef SERVE_METRICS_H
#define SERVE_METRICS_H

#include "http/http.h"
#include "program/metrics.h"
#include "realtime/realtime.h"

/*
 * Before any fork, for all processes of the gateway.  False: no memory.  *metrics is NULL
 * when the settings ask for none.
 */
extern bool service_metrics_open(Metrics **metrics);

/* The listener of one process; the caller says on which loop, and what is looked at. */
extern ProgramMetricsSetup service_metrics_setup(void);

/* How full the floors are now. */
extern void
service_metrics_look(Metrics *metrics, const HttpServer *http, const Realtime *realtime);

/* An HttpObserver whose context is the Metrics. */
extern void service_metrics_observe(const char *method, const char *route, int status, int64_t us,
									void *context);

/* A RealtimeObserver whose context is the Metrics. */
extern void service_metrics_event(int64_t delay_us, void *context);

#endif
