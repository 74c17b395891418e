/*
 * metrics.h
 *		What the gateway counts: its answers, and how full its floors are.
 */
#ifndef SERVE_METRICS_H
#define SERVE_METRICS_H

#include "http/http.h"
#include "lib/metrics.h"
#include "realtime/realtime.h"
#include "serve/settings.h"

struct event_base;

/*
 * Before any fork, for all processes of the gateway.  False: no memory.  *metrics is NULL
 * when the settings ask for none.
 */
extern bool service_metrics_open(const Settings *settings, Metrics **metrics);

typedef struct ServiceMetrics ServiceMetrics;

/* The listener of one process and what it looks at; NULL: could not, and error says why. */
extern ServiceMetrics *
service_metrics_start(struct event_base *base, const Settings *settings, Metrics *metrics,
					  const HttpServer *http, const Db *db, const Realtime *realtime, char *error,
					  size_t error_size);
extern void service_metrics_stop(ServiceMetrics *service);

/* An HttpObserver whose context is the Metrics. */
extern void service_metrics_observe(const char *method, const char *route, int status, int64_t us,
									void *context);

/* A RealtimeObserver whose context is the Metrics. */
extern void service_metrics_event(int64_t delay_us, void *context);

#endif
