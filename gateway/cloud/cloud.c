/*
 * cloud.c
 *		The statements of wa-cloud.
 */
#include "cloud/cloud.h"

/* The time for one answer. */
#define ANSWER_MS 10000

ProgramStatements cloud_statements = {
	.role = CLOUD_ROLE,
	.answer_ms = ANSWER_MS,
	.count = CLOUD_STATEMENT_COUNT,
	.rows =
		{
			[CLOUD_SESSIONS] = {"sessions", DB_LANE_FAST},
			[CLOUD_CREDENTIALS] = {"credentials", DB_LANE_FAST},
			[CLOUD_SESSION] = {"session", DB_LANE_FAST},
			[CLOUD_RELEASE] = {"release", DB_LANE_FAST},
			[CLOUD_CLAIM] = {"claim", DB_LANE_FAST},
			[CLOUD_ACTIONS] = {"actions", DB_LANE_FAST},
			[CLOUD_RECEIVERS] = {"receivers", DB_LANE_FAST},
			[CLOUD_REPORT] = {"report", DB_LANE_FAST},
			[CLOUD_MEDIA] = {"media", DB_LANE_FAST},
			[CLOUD_MEDIA_STORED] = {"media_stored", DB_LANE_FAST},
			[CLOUD_MEDIA_FAILED] = {"media_failed", DB_LANE_FAST},
		},
};
