/*
 * statements.c
 *		The statements of the worker; each is a file in gateway/statements/worker.
 */
#include "webhooks/statements.h"

/* The time for one answer. */
#define ANSWER_MS 10000

ProgramStatements worker_statements = {
	.role = WORKER_ROLE,
	.answer_ms = ANSWER_MS,
	.count = WORKER_STATEMENT_COUNT,
	.rows =
		{
			/* a statement that waits for events uses the slow lane */
			[WORKER_EVENT_WAIT] = {"event_wait", DB_LANE_SLOW},
			[WORKER_CLAIM_WEBHOOKS] = {"claim_webhooks", DB_LANE_FAST},
			[WORKER_DELIVERIES_TAKE] = {"deliveries_take", DB_LANE_FAST},
			[WORKER_DELIVERIES_DONE] = {"deliveries_done", DB_LANE_FAST},
			[WORKER_LANE_RENEW] = {"lane_renew", DB_LANE_FAST},
			[WORKER_LANE_RELEASE] = {"lane_release", DB_LANE_FAST},
			[WORKER_HOUSEKEEPING] = {"housekeeping", DB_LANE_FAST},
			[WORKER_FLUSH_KEY_USAGE] = {"flush_key_usage", DB_LANE_FAST},
			[WORKER_DELIVERY_STATS] = {"delivery_stats", DB_LANE_FAST},
			[WORKER_MEDIA_TAKE] = {"media_take", DB_LANE_FAST},
			[WORKER_MEDIA_REMOVED] = {"media_removed", DB_LANE_FAST},
			[WORKER_MEDIA_SCAN_TAKE] = {"media_scan_take", DB_LANE_FAST},
			[WORKER_MEDIA_SCANNED] = {"media_scanned", DB_LANE_FAST},
			[WORKER_MEDIA_CHECK] = {"media_check", DB_LANE_FAST},
		},
};
