/*
 * metrics.h
 *		GET /metrics, on a listener of its own.
 *
 * Metrics are not secret, but the public does not need them.  They are served on another
 * address than the API, so that an operator can keep them within a private network.
 */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

#include "http/http.h"
#include "lib/metrics.h"

/*
 * Starts to listen; NULL when it could not, and error says why.  metrics must outlive the
 * server.  reuse_port: several processes share the address, and each answers for all of them.
 */
extern HttpServer *http_metrics_start(struct event_base *base, const char *listen, bool reuse_port,
									  Metrics *metrics, char *error, size_t error_size);

/* Whether "listen" is an address to listen on. */
extern bool http_metrics_check(const char *listen, char *error, size_t error_size);

#endif
