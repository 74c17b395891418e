/*
 * service.h
 *		Serving: one loop, one process.
 */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include <signal.h>

#include "lib/metrics.h"

/*
 * Listens and serves until SIGTERM or SIGINT, then lets what is under way finish; a second
 * signal cuts it.  *stops counts signals that came before it listened for them.  Returns
 * the exit status; what went wrong is logged.  metrics may be NULL.
 */
extern int service_run(const char *listen, Metrics *metrics, const volatile sig_atomic_t *stops);

#endif
