/*
 * reports.h
 *		Finds unrequested messages that a correct server does not send.
 *
 * These must not change after the login: the user, the encoding and quoting of texts, and the
 * server process.  (in_hot_standby may change, when a standby is promoted; nothing here
 * depends on it.)  We never LISTEN, so no notification may come.  A notice may inform, warn,
 * or say why the server closes the connection.  libpq itself makes a notice without a
 * SQLSTATE when a message arrives that nothing asked for.
 */
#ifndef DB_REPORTS_H
#define DB_REPORTS_H

#include <libpq-fe.h>
#include <stdbool.h>

#define REPORTS_FIXED 4
#define REPORTS_VALUE_MAX 65 /* a name and its NUL */

typedef struct Reports
{
	char values[REPORTS_FIXED][REPORTS_VALUE_MAX];
	int backend;
	bool strange_notice;
} Reports;

/* Call this after the login.  The address must not change as long as the connection lives. */
extern void reports_begin(Reports *reports, PGconn *pg);

/*
 * Returns NULL, or a text about what has come that a correct server does not send.  It makes
 * libpq parse what it has already read, so it must not be called between the last statement's
 * NULL and the Sync's result (ready.h).
 */
extern const char *reports_problem(const Reports *reports, PGconn *pg);

/*
 * Whether an error with this SQLSTATE shows that messages were lost, added or reordered.  Our
 * statements, sent the way we send them, never raise such an error.  NULL counts as such,
 * because an error without a SQLSTATE is libpq's own.
 */
extern bool reports_disorder(const char *sqlstate);

/*
 * Whether a commit can fail with an error of this SQLSTATE: a serialization failure, a lack of
 * resources, a shutdown, an internal error, a Sync that came too late, or a credential that
 * is no longer valid or sufficient.  After an error of the statement (has_failed) there is no
 * commit, and only errors with which a server ends a connection are possible.
 */
extern bool reports_of_commit(const char *sqlstate, bool has_failed);

#endif
