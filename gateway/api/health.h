/*
 * health.h
 *		Whether the gateway can serve, as /readyz says it.
 */
#ifndef API_HEALTH_H
#define API_HEALTH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "db/db.h"

TAILQ_HEAD(ReadyWaiters, ReadyWaiter);

/* What is known about readiness; used by health.c only. */
typedef struct Readiness
{
	bool leaving;     /* the process is stopping: not ready, whatever the database says */
	DbRequest *asked; /* NULL: the database is not being asked */
	bool known;
	bool ready;
	int64_t answered_ms;         /* monotonic; when "ready" was learned */
	struct ReadyWaiters waiters; /* requests that wait for the database's answer */
} Readiness;

/* To be called before the first request, and after the HTTP server has freed its last one. */
extern void readiness_init(Readiness *readiness);
extern void readiness_stop(Readiness *readiness);

#endif
