/*
 * preflight.c
 *		The checks before the first request; see preflight.h.
 *
 * The checks use a connection of the login that will serve.  They run before there is an event
 * loop, so they may block.  A check whose failure would explain later failures comes first:
 * without the extension no statement is registered, and without statements no check can run.
 * The log gets PostgreSQL's own messages, which are never part of an answer to a client,
 * because the operator may see them.
 */
#include "db/preflight.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "db/db_internal.h"
#include "db/own_error.h"
#include "db/result.h"
#include "lib/clock.h"
#include "lib/log.h"

/* Between two attempts. */
#define ATTEMPT_PAUSE_MS 500

/* Bytes of a reason, and its NUL. */
#define REASON_MAX 256

typedef struct Preflight
{
	const DbConfig *config;
	PGconn *pg;
	char later[REASON_MAX]; /* why to try again later; "" = there is no temporary problem */
} Preflight;

static void
log_failure(const char *reason, const char *detail)
{
	log_line(LOG_LEVEL_ERROR, "cannot_start", log_text("reason", reason),
			 log_bytes("detail", detail, strcspn(detail, "\n")));
}

/* Notes an error that may be temporary.  False: it is permanent. */
static bool
passes_later(Preflight *preflight, const PGresult *error)
{
	if (!db_may_pass(PQresultErrorField(error, PG_DIAG_SQLSTATE)))
		return false;
	snprintf(preflight->later, REASON_MAX, "%s", PQresultErrorMessage(error));
	return true;
}

static bool
connect_once(Preflight *preflight)
{
	const DbConfig *config = preflight->config;
	PGconn *pg = login_start(config->conninfo, config->application_name);

	preflight->pg = pg;
	if (pg != NULL && PQstatus(pg) != CONNECTION_BAD && login_wait(pg, DB_CONNECT_MS))
		return true;
	snprintf(preflight->later, REASON_MAX, "%s", pg == NULL ? "out of memory" : PQerrorMessage(pg));
	if (preflight->later[0] == '\0')
		snprintf(preflight->later, REASON_MAX, "no answer");
	return false;
}

/* ---- checks ---- */

/* Runs a statement without parameters; the rows are in text format.  NULL: it failed. */
static PGresult *
run(Preflight *preflight, const char *name)
{
	PGresult *result;

	if (db_statement_find(preflight->config->role, name) < 0)
	{
		log_failure("statement is not built in", name);
		return NULL;
	}
	result = PQexecPrepared(preflight->pg, name, 0, NULL, NULL, NULL, 0);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		if (!passes_later(preflight, result))
			log_failure("could not run a statement", PQresultErrorMessage(result));
		PQclear(result);
		return NULL;
	}
	return result;
}

/* Prepares one statement; a refusal is logged. */
static bool
prepare(Preflight *preflight, const DbStatement *statement)
{
	PGresult *result = PQprepare(preflight->pg, statement->name, statement->text, 0, NULL);
	bool prepared = PQresultStatus(result) == PGRES_COMMAND_OK;

	if (!prepared && !passes_later(preflight, result))
	{
		const char *message = PQresultErrorMessage(result);

		log_line(LOG_LEVEL_ERROR, "statement_refused", log_text("statement", statement->name),
				 log_bytes("message", message, strcspn(message, "\n")));
	}
	PQclear(result);
	return prepared;
}

/* Whether a version is at least the needed one; compares only the first two numbers. */
static bool
version_is_at_least(const char *version, const char *needs)
{
	char *rest;
	char *needs_rest;
	long major = strtol(version, &rest, 10);
	long needs_major = strtol(needs, &needs_rest, 10);
	long minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
	long needs_minor = *needs_rest == '.' ? strtol(needs_rest + 1, NULL, 10) : 0;

	return major > needs_major || (major == needs_major && minor >= needs_minor);
}

/*
 * Prepares the first statement.  The server cannot say why a statement is not registered, so we
 * list the possible causes.  For any other error its own message explains more.
 */
static bool
prepare_first(Preflight *preflight, const DbStatement *statement)
{
	PGresult *result = PQprepare(preflight->pg, statement->name, statement->text, 0, NULL);
	bool prepared = PQresultStatus(result) == PGRES_COMMAND_OK;

	if (!prepared && !passes_later(preflight, result))
	{
		log_failure(
			"the first statement was refused",
			own_error_is_unregistered(result)
				? "the extension wa_apikeys is not installed in this database or of another "
				  "version than this program, or the login has another role"
				: PQresultErrorMessage(result));
	}
	PQclear(result);
	return prepared;
}

static bool
check_version(Preflight *preflight, const char *needs)
{
	int index = db_statement_find(preflight->config->role, "check_version");
	PGresult *result;
	bool good = false;

	if (index >= 0 && !prepare_first(preflight, &db_statements[index]))
		return false;
	result = run(preflight, "check_version");
	if (result == NULL)
		return false;
	if (PQntuples(result) == 0)
	{
		log_failure("the extension wa_apikeys is not installed in this database",
					"run CREATE EXTENSION wa_apikeys as a superuser");
	}
	else if (!version_is_at_least(PQgetvalue(result, 0, 0), needs))
	{
		log_line(LOG_LEVEL_ERROR, "cannot_start",
				 log_text("reason", "the extension wa_apikeys is older than needed"),
				 log_text("installed", PQgetvalue(result, 0, 0)), log_text("needed", needs));
	}
	else
	{
		good = true;
	}
	PQclear(result);
	return good;
}

static bool
check_statements(Preflight *preflight)
{
	bool good = true;

	for (int i = 0; i < db_statement_count && preflight->later[0] == '\0'; i++)
		if (strcmp(db_statements[i].role, preflight->config->role) == 0 &&
			strcmp(db_statements[i].name, "check_version") != 0)
			good &= prepare(preflight, &db_statements[i]);
	if (!good && preflight->later[0] == '\0')
	{
		log_failure("statements were refused",
					"program and extension are of different versions, or the login lacks its role");
	}
	return good;
}

/* Runs a statement that returns checks (name, passed, detail) and logs each that failed. */
static bool
check_rows(Preflight *preflight, const char *name)
{
	PGresult *result = run(preflight, name);
	int failed = 0;

	if (result == NULL)
		return false;
	for (int i = 0; i < PQntuples(result); i++)
	{
		if (strcmp(PQgetvalue(result, i, 1), "t") != 0)
		{
			failed++;
			log_line(LOG_LEVEL_ERROR, "check_failed", log_text("check", PQgetvalue(result, i, 0)),
					 log_text("detail", PQgetvalue(result, i, 2)));
		}
	}
	if (failed > 0 || PQntuples(result) == 0)
		log_failure(failed > 0 ? "checks of the database failed" : "no check has run", name);
	failed += PQntuples(result) == 0 ? 1 : 0;
	PQclear(result);
	return failed == 0;
}

static bool
check(Preflight *preflight, const char *needs_version)
{
	bool good;

	if (needs_version == NULL)
		return check_statements(preflight);
	if (!check_version(preflight, needs_version) || !check_statements(preflight))
		return false;
	/* Both kinds of checks always run, so that one start shows all failures. */
	good = check_rows(preflight, "check_login");
	good &= check_rows(preflight, "self_check");
	return good;
}

bool
db_preflight(const DbConfig *config, const char *needs_version, int wait_seconds,
			 const volatile sig_atomic_t *stop)
{
	const int64_t end = clock_monotonic_ms() + (int64_t) wait_seconds * 1000;
	char logged[REASON_MAX] = "";

	for (;;)
	{
		Preflight preflight = {.config = config};
		const char *reason = preflight.later;
		bool good = connect_once(&preflight) && check(&preflight, needs_version);
		bool stopped = stop != NULL && *stop != 0;

		PQfinish(preflight.pg);
		if (good || reason[0] == '\0')
			return good;
		if (stopped || (wait_seconds >= 0 && clock_monotonic_ms() >= end))
		{
			if (wait_seconds >= 0)
				log_failure("could not connect to the database", reason);
			return false;
		}
		/* a reason is logged only when it differs from the last one */
		if (strcmp(reason, logged) != 0)
		{
			log_line(LOG_LEVEL_WARNING, "waiting_for_database",
					 log_bytes("reason", reason, strcspn(reason, "\n")));
			memcpy(logged, reason, sizeof(logged));
		}
		poll(NULL, 0, ATTEMPT_PAUSE_MS);
	}
}

/*
 * libpq takes a text without "=" and without a URI scheme as the name of a database.  libpq's
 * error message is not shown, because it may quote the string with a password in it.
 */
bool
db_conninfo_valid(const char *conninfo, char *problem, size_t size)
{
	PQconninfoOption *options;

	if (strchr(conninfo, '=') == NULL && strncmp(conninfo, "postgres://", 11) != 0 &&
		strncmp(conninfo, "postgresql://", 13) != 0)
		return true;
	options = PQconninfoParse(conninfo, NULL);
	if (options == NULL)
	{
		snprintf(problem, size, "the connection string of the database is not valid");
		return false;
	}
	PQconninfoFree(options);
	return true;
}
