/*
 * statements.h
 *		What the worker asks the database, each a file in gateway/statements/worker.
 */
#ifndef WEBHOOKS_STATEMENTS_H
#define WEBHOOKS_STATEMENTS_H

#include "db/db.h"

#define WORKER_ROLE "worker"

/* For one answer; then the request is cancelled. */
#define WORKER_ANSWER_MS 10000

typedef enum WorkerStatement
{
	WORKER_EVENT_WAIT,
	WORKER_CLAIM_WEBHOOKS,
	WORKER_WEBHOOK_LANE,
	WORKER_DELIVERIES_TAKE,
	WORKER_DELIVERY_DONE,
	WORKER_LANE_RENEW,
	WORKER_LANE_RELEASE,
	WORKER_HOUSEKEEPING,
	WORKER_FLUSH_KEY_USAGE,
	WORKER_DELIVERY_STATS,
	WORKER_STATEMENT_COUNT
} WorkerStatement;

/* Finds them all; false: one is not built in (logged). */
extern bool worker_statements_find(void);

/*
 * A request; org, unless it is NULL, is bound for it.  NULL: out of memory.  The caller adds
 * the parameters and submits it.
 */
extern DbRequest *
worker_request(WorkerStatement statement, const uint8_t *org, DbDone done, void *arg);

/* Logs what the database refused or did not answer. */
extern void worker_log_failure(WorkerStatement statement, const DbResult *result);

#endif
