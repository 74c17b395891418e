/*
 * login.h
 *		Opens a connection to PostgreSQL, and chooses its startup options.
 */
#ifndef DB_LOGIN_H
#define DB_LOGIN_H

#include <libpq-fe.h>
#include <stdbool.h>

/*
 * Begins to connect.  Only the look-up of a host name blocks.  The result may be NULL or a
 * failed connection; the caller checks PQstatus() and ends it with PQfinish().
 */
extern PGconn *login_start(const char *conninfo, const char *application_name);

/* Continues the attempt and blocks until it has succeeded or failed, or ms are over. */
extern bool login_wait(PGconn *pg, int ms);

/*
 * Called after the login.  Makes OpenSSL wipe its buffers; otherwise they would keep the data
 * that was last decrypted or encrypted until it is overwritten.
 */
extern void login_keep_nothing(PGconn *pg);

#endif
