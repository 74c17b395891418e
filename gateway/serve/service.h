/*
 * service.h
 *		The service of one process, on one event loop.
 */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include <signal.h>

#include "lib/metrics.h"

/*
 * Listens and serves until SIGTERM or SIGINT, then lets requests that have begun finish.  A
 * second signal ends them at once.  *stops counts the signals to stop that came before the
 * loop handled signals itself.  Returns the exit status; errors are logged.  metrics may be
 * NULL.
 */
extern int service_run(const char *listen, Metrics *metrics, const volatile sig_atomic_t *stops);

#endif
