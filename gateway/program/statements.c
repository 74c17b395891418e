/*
 * statements.c
 *		The statements that a program asks by a number of its own; see statements.h.
 */
#include "program/statements.h"

#include <stdio.h>

#include "lib/log.h"

bool
statements_find(ProgramStatements *statements, char *error, size_t size)
{
	for (int i = 0; i < statements->count; i++)
	{
		statements->found[i] = db_statement_find(statements->role, statements->rows[i].name);
		if (statements->found[i] < 0)
		{
			snprintf(error, size, "the statement %s is not built in", statements->rows[i].name);
			return false;
		}
	}
	return true;
}

DbRequest *
statements_request(const ProgramStatements *statements, int statement, const uint8_t *org,
				   DbDone done, void *arg)
{
	DbRequest *request =
		db_request_new(statements->found[statement], statements->rows[statement].lane,
					   statements->answer_ms, done, arg);

	if (request != NULL && org != NULL)
		db_request_org(request, org);
	return request;
}

void
statements_log_failure(const ProgramStatements *statements, int statement, const DbResult *result)
{
	static const char *const outcomes[] = {[DB_ROWS] = "rows",
										   [DB_REFUSED] = "refused",
										   [DB_TIMED_OUT] = "timed out",
										   [DB_UNAVAILABLE] = "unavailable",
										   [DB_LOST] = "lost"};

	log_line(LOG_LEVEL_WARNING, "statement_failed",
			 log_text("statement", statements->rows[statement].name),
			 log_text("outcome", outcomes[result->outcome]),
			 log_text("sqlstate", result->sqlstate[0] == '\0' ? NULL : result->sqlstate),
			 log_text("message", result->message[0] == '\0' ? NULL : result->message));
}

DbRequest *
statements_submit(Db *db, DbRequest *request, bool complete)
{
	if (!complete)
	{
		db_request_free(request);
		return NULL;
	}
	return request != NULL && db_submit(db, request) ? request : NULL;
}

void
statements_drop(DbRequest **request)
{
	if (*request != NULL)
		db_abandon(*request);
	*request = NULL;
}
