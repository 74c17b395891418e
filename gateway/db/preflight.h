/*
 * preflight.h
 *		The checks before the first request is served.
 */
#ifndef DB_PREFLIGHT_H
#define DB_PREFLIGHT_H

#include <signal.h>

#include "db/db.h"

/*
 * Connects with the login that will serve, and retries for up to wait_seconds while the
 * server cannot be reached; blocks.  Then it checks four things: the extension is installed
 * in at least needs_version ("1.0"), every statement of the role is registered, the login
 * has no privilege that it should not have, and the extension's self-check passes.  Each
 * failure is logged in a line of its own.  When stop is not NULL, a value of *stop other than
 * 0 ends the waiting early.
 *
 * With a negative wait_seconds it waits without a limit, and being stopped is not logged as a
 * failure.  When needs_version is NULL, only the statements are checked.
 */
extern bool db_preflight(const DbConfig *config, const char *needs_version, int wait_seconds,
						 const volatile sig_atomic_t *stop);

/*
 * Whether this text is a valid connection string; connects to nothing.  False: problem says
 * why, without repeating any value of the string.
 */
extern bool db_conninfo_valid(const char *conninfo, char *problem, size_t size);

#endif
