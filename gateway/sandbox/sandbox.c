/*
 * sandbox.c
 *		The sandbox's statements.
 */
#include "sandbox/sandbox.h"

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
