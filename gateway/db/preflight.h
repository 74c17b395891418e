/*
 * preflight.h
 *		What must hold before the first request is served; blocks.
 */
#ifndef DB_PREFLIGHT_H
#define DB_PREFLIGHT_H

#include <signal.h>

#include "db/db.h"

/*
 * Connect with the login that will serve, trying for up to wait_seconds while the
 * server cannot be reached, and check: the extension is installed in at least
 * needs_version ("1.0"), every statement of the role is registered, the login has no
 * privilege it should not have, and the extension's self-check passes.  Each failure
 * is logged, each in a line.  *stop, when not NULL, ends the waiting early.
 *
 * A negative wait_seconds is as long as it takes, and being stopped is no failure then.  With
 * needs_version NULL only the statements are checked.
 */
extern bool db_preflight(const DbConfig *config, const char *needs_version, int wait_seconds,
						 const volatile sig_atomic_t *stop);

/*
 * Is this text a connection string at all?  Looks up nothing.  False: the reason is in
 * problem, without the values of the string.
 */
extern bool db_conninfo_valid(const char *conninfo, char *problem, size_t size);

#endif
