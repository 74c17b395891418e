/*
 * sandbox.c
 *		The sandbox's statements, and the outcome of its reports.
 */
#include "sandbox/sandbox.h"

#include "db/result.h"

/* The time for one answer. */
#define ANSWER_MS 10000

ProgramStatements sandbox_statements = {
	.role = SANDBOX_ROLE,
	.answer_ms = ANSWER_MS,
	.count = SANDBOX_STATEMENT_COUNT,
	.rows =
		{
			[SANDBOX_SESSIONS] = {"sessions", DB_LANE_FAST},
			[SANDBOX_RELEASE] = {"release", DB_LANE_FAST},
			[SANDBOX_CLAIM] = {"claim", DB_LANE_FAST},
			[SANDBOX_SESSION] = {"session", DB_LANE_FAST},
			[SANDBOX_ACTIONS] = {"actions", DB_LANE_FAST},
			[SANDBOX_REPORT] = {"report", DB_LANE_FAST},
			[SANDBOX_MEDIA] = {"media", DB_LANE_FAST},
			[SANDBOX_MEDIA_STORED] = {"media_stored", DB_LANE_FAST},
			[SANDBOX_MEDIA_FAILED] = {"media_failed", DB_LANE_FAST},
		},
};

ReportOutcome
sandbox_outcome(SandboxStatement statement, const DbResult *result)
{
	bool changed;

	if (result == NULL)
		return REPORT_UNSENT;
	if (result->outcome == DB_ROWS)
		return db_bool(result, 0, 0, &changed) && !changed ? REPORT_STALE : REPORT_DONE;
	statements_log_failure(&sandbox_statements, (int) statement, result);
	return result->outcome == DB_REFUSED && !db_may_pass(result->sqlstate) ? REPORT_REFUSED
																		   : REPORT_AGAIN;
}
