/*
 * login.h
 *		How a connection to PostgreSQL is opened, and which startup options it sends.
 */
#ifndef DB_LOGIN_H
#define DB_LOGIN_H

#include <libpq-fe.h>
#include <stdbool.h>

/*
 * Begin to connect, without blocking but for the look-up of a host name.  The result may be
 * NULL or bad; the caller asks PQstatus() and ends it with PQfinish().
 */
extern PGconn *login_start(const char *conninfo, const char *application_name);

/* Carries the attempt on, blocking, until it succeeded, failed, or ms are over. */
extern bool login_wait(PGconn *pg, int ms);

/*
 * The login is done.  Over TLS, OpenSSL would keep the last that it has decrypted or is
 * about to encrypt in buffers of its own, until it is overwritten.
 */
extern void login_keep_nothing(PGconn *pg);

#endif
