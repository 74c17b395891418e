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

/* What is known about readiness; only health.c looks into it. */
typedef struct Readiness
{
	bool leaving;     /* whatever the database says */
	DbRequest *asked; /* NULL: the database is not being asked */
	bool known;
	bool ready;
	int64_t answered_ms;         /* monotonic; when that was learned */
	struct ReadyWaiters waiters; /* requests that wait for what is being asked */
} Readiness;

/* Before the first request, and when the HTTP server holds none any more. */
extern void readiness_init(Readiness *readiness);
extern void readiness_stop(Readiness *readiness);

#endif
