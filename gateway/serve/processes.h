/*
 * processes.h
 *		Several processes that serve, and one that watches them.
 */
#ifndef SERVE_PROCESSES_H
#define SERVE_PROCESSES_H

#include <signal.h>

#include "lib/metrics.h"

/* The delay before a process is started again; it doubles each time the process ends early. */
#define PROCESS_RESTART_FIRST_MS 1000
#define PROCESS_RESTART_LAST_MS 30000

/* A process that has run for this long did not end early; the count of early ends restarts. */
#define PROCESS_STEADY_MS 60000

/* A process that could not start this many times in a row is given up. */
#define PROCESS_STARTS_MAX 5

/*
 * Starts --workers processes and keeps them running until SIGTERM or SIGINT; then it sends
 * SIGTERM to them.  Each writes its own part of metrics, which may be NULL.  *stops counts
 * the signals to stop that came before.  Returns the exit status, which is
 * CONFIG_EXIT_FAILED when every process was given up.
 */
extern int processes_run(Metrics *metrics, const volatile sig_atomic_t *stops);

/*
 * For a process that ended after ran_ms: in how many milliseconds to start it again, or -1 for
 * never.  Updates *early, which counts its early ends in a row.  could_not_start is what its
 * exit status said.  Only a process that could not start is given up; one that crashes is
 * always started again.
 */
extern int64_t processes_restart_delay(int *early, int64_t ran_ms, bool could_not_start);

#endif
