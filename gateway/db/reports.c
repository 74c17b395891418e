/*
 * reports.c
 *		What a server says of a connection without being asked; see reports.h.
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
 * Of a notice: information, a warning, and that the server shuts down or an administrator
 * ends the connection.
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
		"08",    /* the protocol: counts of parameters, formats, unknown messages */
		"22P03", /* a value in binary, for a parameter of another type */
		"25000", /* the transaction is bound to another identity already */
		"25001", "25P01", "25P02", "25P03", /* there is a transaction, or none, or a failed one */
		"34000",                            /* there is no such portal */
		"42P03", "42P05",                   /* there is such a portal or statement already */
		NULL};

	return sqlstate == NULL || begins_with_one(sqlstate, states);
}

bool
reports_of_commit(const char *sqlstate, bool has_failed)
{
	static const char *const of_end[] = {
		"25P04",                         /* the Sync did not come in time */
		"40",    "53", "57", "58", "XX", /* a lost race, shortage, shutdown, a fault */
		NULL};
	/* the credential has ended meanwhile, or can do less: there is no commit behind an error */
	static const char *const of_commit[] = {"28000", "42501", NULL};

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

/*
 * From the login on.
 */
void
reports_begin(Reports *reports, PGconn *pg)
{
	memset(reports, 0, sizeof(*reports));
	reports->backend = PQbackendPID(pg);
	for (int i = 0; i < REPORTS_FIXED; i++)
		strncpy(reports->values[i], parameter(pg, i), REPORTS_VALUE_MAX - 1);
	PQsetNoticeReceiver(pg, on_notice, reports);
}

/*
 * NULL, or what has come that no server says to us.
 */
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
