/*
 * statements.h
 *		The statements of the worker; each is a file in gateway/statements/worker.
 */
#ifndef WEBHOOKS_STATEMENTS_H
#define WEBHOOKS_STATEMENTS_H

#include "program/statements.h"

#define WORKER_ROLE "worker"

typedef enum WorkerStatement
{
	WORKER_EVENT_WAIT,
	WORKER_CLAIM_WEBHOOKS,
	WORKER_DELIVERIES_TAKE,
	WORKER_DELIVERIES_DONE,
	WORKER_LANE_RENEW,
	WORKER_LANE_RELEASE,
	WORKER_HOUSEKEEPING,
	WORKER_FLUSH_KEY_USAGE,
	WORKER_DELIVERY_STATS,
	WORKER_MEDIA_TAKE,
	WORKER_MEDIA_REMOVED,
	WORKER_MEDIA_SCAN_TAKE,
	WORKER_MEDIA_SCANNED,
	WORKER_MEDIA_CHECK,
	WORKER_STATEMENT_COUNT
} WorkerStatement;

extern ProgramStatements worker_statements;

#endif
