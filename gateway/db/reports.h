/*
 * reports.h
 *		What a server says of a connection without being asked, and what of it is no news
 *		that an honest server has.
 *
 * Fixed from the login on: who it is logged in as, how texts are encoded and quoted, which
 * process serves it.  (in_hot_standby is not among them: a standby that is promoted says so,
 * and nothing here rests on it.)  Nobody listens, so there is nothing to notify of.  A notice
 * may inform, warn, or say why the server closes; libpq's own, of a message that nothing was
 * asked for, have no state.
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

/* After the login.  The address must not change as long as the connection lives. */
extern void reports_begin(Reports *reports, PGconn *pg);

/*
 * NULL, or what has come that no server says to us.  Takes in what libpq has read already;
 * so not between the last statement's NULL and the Sync's result (ready.h).
 */
extern const char *reports_problem(const Reports *reports, PGconn *pg);

/*
 * Does an error's state show that messages were lost, added or out of order?  No statement
 * of ours raises it when it is sent as we send it.  NULL does: such an error is libpq's own.
 */
extern bool reports_disorder(const char *sqlstate);

/*
 * Can a commit fail with an error of this state: a lost race, shortage, shutdown, a fault of
 * the server; that it was not asked for in time, or not by who still may?  Behind an error of
 * the statement (has_failed) only what the server says last.
 */
extern bool reports_of_commit(const char *sqlstate, bool has_failed);

#endif
