/*
 * processes.h
 *		Several processes that serve, and one that watches them.
 */
#ifndef SERVE_PROCESSES_H
#define SERVE_PROCESSES_H

#include <signal.h>

#include "lib/metrics.h"

/* A process that ends is started again after so long, doubled each time that it ends early. */
#define PROCESS_RESTART_FIRST_MS 1000
#define PROCESS_RESTART_LAST_MS 30000

/* A process that has run for so long had a good start; what went before is forgotten. */
#define PROCESS_STEADY_MS 60000

/* A process that could not start so many times in a row is given up. */
#define PROCESS_STARTS_MAX 5

/*
 * Starts --workers processes and keeps them running until SIGTERM or SIGINT, which they get
 * too.  Each writes its own part of metrics, which may be NULL.  *stops counts signals that
 * came before.  Returns the exit status: failed when every process was given up.
 */
extern int processes_run(Metrics *metrics, const volatile sig_atomic_t *stops);

/*
 * A process ended after ran_ms: in how many milliseconds it is started again; -1: never.
 * *early counts its early ends in a row and is changed.  could_not_start: it said so by
 * its exit status; what crashes is started again however often.
 */
extern int64_t processes_restart_delay(int *early, int64_t ran_ms, bool could_not_start);

#endif
