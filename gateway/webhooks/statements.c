/*
 * statements.c
 *		What the worker asks the database, each a file in gateway/statements/worker.
 */
#include "webhooks/statements.h"

#include "lib/log.h"

typedef struct StatementRow
{
	const char *name;
	DbLaneName lane; /* what waits by intent waits in the slow lane */
} StatementRow;

static const StatementRow rows[WORKER_STATEMENT_COUNT] = {
	[WORKER_EVENT_WAIT] = {"event_wait", DB_LANE_SLOW},
	[WORKER_CLAIM_WEBHOOKS] = {"claim_webhooks", DB_LANE_FAST},
	[WORKER_WEBHOOK_LANE] = {"webhook_lane", DB_LANE_FAST},
	[WORKER_DELIVERIES_TAKE] = {"deliveries_take", DB_LANE_FAST},
	[WORKER_DELIVERY_DONE] = {"delivery_done", DB_LANE_FAST},
	[WORKER_LANE_RENEW] = {"lane_renew", DB_LANE_FAST},
	[WORKER_LANE_RELEASE] = {"lane_release", DB_LANE_FAST},
	[WORKER_HOUSEKEEPING] = {"housekeeping", DB_LANE_FAST},
	[WORKER_FLUSH_KEY_USAGE] = {"flush_key_usage", DB_LANE_FAST},
	[WORKER_DELIVERY_STATS] = {"delivery_stats", DB_LANE_FAST},
};

static int found[WORKER_STATEMENT_COUNT];

bool
worker_statements_find(void)
{
	bool all = true;

	for (int i = 0; i < WORKER_STATEMENT_COUNT; i++)
	{
		found[i] = db_statement_find(WORKER_ROLE, rows[i].name);
		if (found[i] < 0)
		{
			log_line(LOG_LEVEL_ERROR, "cannot_start",
					 log_text("reason", "a statement is not built in"),
					 log_text("statement", rows[i].name));
			all = false;
		}
	}
	return all;
}

DbRequest *
worker_request(WorkerStatement statement, const uint8_t *org, DbDone done, void *arg)
{
	DbRequest *request =
		db_request_new(found[statement], rows[statement].lane, WORKER_ANSWER_MS, done, arg);

	if (request != NULL && org != NULL)
		db_request_org(request, org);
	return request;
}

void
worker_log_failure(WorkerStatement statement, const DbResult *result)
{
	static const char *const outcomes[] = {[DB_ROWS] = "rows",
										   [DB_REFUSED] = "refused",
										   [DB_TIMED_OUT] = "timed out",
										   [DB_UNAVAILABLE] = "unavailable",
										   [DB_LOST] = "lost"};

	log_line(LOG_LEVEL_WARNING, "statement_failed", log_text("statement", rows[statement].name),
			 log_text("outcome", outcomes[result->outcome]),
			 log_text("sqlstate", result->sqlstate[0] == '\0' ? NULL : result->sqlstate),
			 log_text("message", result->message[0] == '\0' ? NULL : result->message));
}
