/*
 * reports.c
 *		Finds unrequested messages that a correct server does not send; see reports.h.
 */
#include "db/reports.h"

#include <string.h>

#include "lib/log.h"

static const char *const fixed[REPORTS_FIXED] = {
	"client_encoding",
	"standard_conforming_strings",
	"session_authorization",
	"is_superuser",
};

static bool
begins_with_one(const char *sqlstate, const char *const *states)
{
	for (; *states != NULL; states++)
		if (strncmp(sqlstate, *states, strlen(*states)) == 0)
			return true;
	return false;
}

/*
 * A notice is harmless when it informs or warns, or says that the server shuts down or an
 * administrator ends the connection.
 */
static bool
is_harmless(const char *sqlstate)
{
	static const char *const states[] = {"00", "01", "57", NULL};

	return sqlstate != NULL && begins_with_one(sqlstate, states);
}

bool
reports_disorder(const char *sqlstate)
{
	static const char *const states[] = {
		"08",    /* protocol errors: number of parameters, formats, unknown messages */
		"22P03", /* a binary value that does not fit the type of its parameter */
		"25000", /* the transaction is already bound to another identity */
		"25001", "25P01", "25P02", "25P03", /* wrong transaction state: active, none, failed */
		"34000",                            /* the portal does not exist */
		"42P03", "42P05",                   /* the portal or statement already exists */
		NULL};

	return sqlstate == NULL || begins_with_one(sqlstate, states);
}

bool
reports_of_commit(const char *sqlstate, bool has_failed)
{
	static const char *const of_end[] = {
		"25P04",                         /* the Sync did not come in time */
		"40",    "53", "57", "58", "XX", /* rollback, lack of resources, shutdown, internal error */
		NULL};
	/*
	 * The credential is no longer valid or sufficient, or a deferred trigger refuses the change: the
	 * invitation that is accepted (P0002), the member who is made an owner or the key whose expiry
	 * is put off (55000) has ended meanwhile.
	 */
	static const char *const of_commit[] = {"28000", "42501", "55000", "P0002", NULL};

	return sqlstate != NULL && (begins_with_one(sqlstate, of_end) ||
								(!has_failed && begins_with_one(sqlstate, of_commit)));
}

static void
on_notice(void *arg, const PGresult *notice)
{
	Reports *reports = arg;
	const char *message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
	const char *sqlstate = PQresultErrorField(notice, PG_DIAG_SQLSTATE);

	log_line(LOG_LEVEL_DEBUG, "database_notice", log_text("message", message),
			 log_text("sqlstate", sqlstate));
	reports->strange_notice |= !is_harmless(sqlstate);
}

static const char *
parameter(const PGconn *pg, int index)
{
	const char *value = PQparameterStatus(pg, fixed[index]);

	return value == NULL ? "" : value;
}

/* Records the values that must not change after the login. */
void
reports_begin(Reports *reports, PGconn *pg)
{
	memset(reports, 0, sizeof(*reports));
	reports->backend = PQbackendPID(pg);
	for (int i = 0; i < REPORTS_FIXED; i++)
		strncpy(reports->values[i], parameter(pg, i), REPORTS_VALUE_MAX - 1);
	PQsetNoticeReceiver(pg, on_notice, reports);
}

/* Returns NULL, or what a correct server does not send. */
const char *
reports_problem(const Reports *reports, PGconn *pg)
{
	PGnotify *notify = PQnotifies(pg);

	if (notify != NULL)
	{
		PQfreemem(notify);
		return "a notification";
	}
	if (reports->strange_notice)
		return "an unasked message";
	if (reports->backend != PQbackendPID(pg))
		return "the key of another process";
	for (int i = 0; i < REPORTS_FIXED; i++)
		if (strncmp(reports->values[i], parameter(pg, i), REPORTS_VALUE_MAX) != 0)
			return fixed[i];
	return NULL;
}
