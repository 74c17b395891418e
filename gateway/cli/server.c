/*
 * server.c
 *		The connection to the database; see server.h.
 */
#include "cli/server.h"

#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
#include "src/common/memory.h"

/*
 * Whoever may create objects in a schema of the path could have an administrator call its
 * functions.  Times are read and written in UTC.
 */
#define SETTINGS                                                                                \
	"SET search_path = pg_catalog, pg_temp; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; " \
	"SET client_min_messages = error"

/* Types of columns that are written in a way of their own. */
#define TYPE_BOOL 16
#define TYPE_INT8 20
#define TYPE_INT2 21
#define TYPE_INT4 23
#define TYPE_JSON 114
#define TYPE_TIMESTAMPTZ 1184

#define LOST "the connection to the server is lost"

static void
ignore_notice(void *unused, const PGresult *notice)
{
	(void) unused;
	(void) notice;
}

static PGconn *
try_connect(const char *database, const char *password)
{
	const char *const names[] = {"dbname", "password", "fallback_application_name",
								 "client_encoding", NULL};
	const char *const values[] = {database, password, "wa", "UTF8", NULL};

	return PQconnectdbParams(names, values, 1);
}

/* The words behind the marks with which the server's messages begin. */
static void
say_connection_error(const PGconn *connection, const char *what)
{
	static const char mark[] = "FATAL:  ";
	const char *text = PQerrorMessage(connection);
	size_t len = strlen(text);
	const char *found = strstr(text, mark);

	while (len > 0 && text[len - 1] == '\n')
		len--;
	fprintf(stderr, "wa: %s: ", what);
	if (found == NULL)
		fprintf(stderr, "%.*s\n", (int) len, text);
	else
		fprintf(stderr, "%.*s%.*s\n", (int) (found - text), text,
				(int) (len - (size_t) (found - text) - strlen(mark)), found + strlen(mark));
}

PGconn *
server_connect(const char *database)
{
	PGconn *connection = try_connect(database, NULL);
	char password[ASK_LINE_MAX + 1];

	if (PQstatus(connection) == CONNECTION_BAD && PQconnectionNeedsPassword(connection) &&
		ask_terminal("Password of the database login: ", password))
	{
		PQfinish(connection);
		connection = try_connect(database, password);
		wak_wipe(password, sizeof(password));
	}
	if (PQstatus(connection) == CONNECTION_OK)
	{
		PQsetNoticeReceiver(connection, ignore_notice, NULL);
		if (server_do(connection, SETTINGS))
			return connection;
	}
	else
		say_connection_error(connection, "cannot connect");
	PQfinish(connection);
	return NULL;
}

bool
server_has_password(const char *database)
{
	PQconninfoOption *options = database != NULL ? PQconninfoParse(database, NULL) : NULL;
	bool found = false;

	for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++)
		if (option->val != NULL && strcmp(option->keyword, "password") == 0)
			found = true;
	PQconninfoFree(options);
	return found;
}

static void
say_field(const PGresult *result, int field, const char *before)
{
	const char *text = PQresultErrorField(result, field);

	if (text != NULL)
		fprintf(stderr, "%s%s\n", before, text);
}

/* What to do about errors that come from having the wrong login or database. */
static const char *
advice_for(const char *sqlstate)
{
	if (strcmp(sqlstate, "42501") == 0)
		return "The login has to be a superuser or a member of wa_admin.";
	if (strcmp(sqlstate, "3F000") == 0 || strcmp(sqlstate, "42883") == 0 ||
		strcmp(sqlstate, "42P01") == 0 || strcmp(sqlstate, "42704") == 0)
		return "The database has to have the extension wa_apikeys of this release.";
	return NULL;
}

static void
say_error(const PGconn *connection, const PGresult *result)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *advice = sqlstate != NULL ? advice_for(sqlstate) : NULL;

	/* libpq's own errors, such as a lost connection, have no fields. */
	if (message == NULL)
	{
		say_connection_error(connection, LOST);
		return;
	}
	fprintf(stderr, "wa: %s\n", message);
	say_field(result, PG_DIAG_MESSAGE_DETAIL, "  ");
	say_field(result, PG_DIAG_MESSAGE_HINT, "  ");
	if (advice != NULL)
		fprintf(stderr, "  %s\n", advice);
}

static PGresult *
checked(const PGconn *connection, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return result;
	say_error(connection, result);
	PQclear(result);
	return NULL;
}

PGresult *
server_run(PGconn *connection, const char *statement, int count, const char *const *values)
{
	return checked(connection,
				   PQexecParams(connection, statement, count, NULL, values, NULL, NULL, 0));
}

bool
server_do(PGconn *connection, const char *statement)
{
	PGresult *result = checked(connection, PQexec(connection, statement));

	PQclear(result);
	return result != NULL;
}

bool
server_is_alive(PGconn *connection)
{
	if (PQconsumeInput(connection) && PQstatus(connection) == CONNECTION_OK)
		return true;
	say_connection_error(connection, LOST);
	return false;
}

/* ---- answers ---- */

static AnswerType
type_of(Oid type)
{
	switch (type)
	{
		case TYPE_BOOL:
			return ANSWER_BOOL;
		case TYPE_INT8:
		case TYPE_INT2:
		case TYPE_INT4:
			return ANSWER_NUMBER;
		case TYPE_JSON:
			return ANSWER_JSON;
		case TYPE_TIMESTAMPTZ:
			return ANSWER_TIME;
		default:
			return ANSWER_TEXT;
	}
}

/* The columns of a result behind the first "left_out". */
static void
add_columns(Answer *answer, const PGresult *result, int left_out)
{
	for (int i = left_out; i < PQnfields(result); i++)
		answer_add_column(answer, PQfname(result, i), type_of(PQftype(result, i)));
}

/* Sets the values of the last row, from this column on. */
static void
set_values(Answer *answer, int column, const PGresult *result, int row, int left_out)
{
	for (int i = left_out; i < PQnfields(result); i++, column++)
		if (row < PQntuples(result) && !PQgetisnull(result, row, i))
			answer_set(answer, column, PQgetvalue(result, row, i));
}

/* What was changed is shown first, then what the statement says of it. */
bool
server_answer(const PGresult *rows, const PGresult *shown, Answer *answer)
{
	const int first = shown != NULL ? PQnfields(shown) : 0;
	const int left_out = shown != NULL ? 1 : 0;

	*answer = (Answer){.values = NULL};
	if (shown != NULL)
		add_columns(answer, shown, 0);
	add_columns(answer, rows, left_out);
	for (int row = 0; row < PQntuples(rows); row++)
	{
		answer_add_row(answer);
		if (shown != NULL)
			set_values(answer, 0, shown, row, 0);
		set_values(answer, first, rows, row, left_out);
	}
	if (!answer->failed)
		return true;
	answer_free(answer);
	fprintf(stderr, "wa: out of memory\n");
	return false;
}
