/*
 * login.c
 *		How a connection to PostgreSQL is opened, and which startup options it sends.
 *
 * A sealed login may give application_name and client_encoding and nothing else, so
 * nothing else is set here.  libpq turns PGOPTIONS, PGDATESTYLE, PGTZ and PGGEQO of the
 * environment into startup options too; a server with the seal refuses them, which is
 * the right answer to somebody who set them.
 */
#include "db/db_internal.h"

#include <string.h>

#include <openssl/ssl.h>

#include "lib/log.h"

/*
 * What the server says without being asked; by default libpq prints it.
 */
static void
on_notice(void *arg, const char *message)
{
	(void) arg;
	log_line(LOG_LEVEL_DEBUG, "database_notice",
			 log_bytes("message", message, strcspn(message, "\n")));
}

/*
 * Begin to connect, without blocking but for the look-up of a host name.  The result
 * may be NULL or bad; the caller asks PQstatus() and ends it with PQfinish().
 */
PGconn *
login_start(const char *conninfo, const char *application_name)
{
	const char *keywords[] = {"dbname", "application_name", "client_encoding", NULL};
	const char *values[] = {conninfo, application_name, "UTF8", NULL};
	PGconn *pg = PQconnectStartParams(keywords, values, 1);

	if (pg != NULL)
	{
		PQsetNoticeProcessor(pg, on_notice, NULL);
	}
	return pg;
}

/*
 * The login is done.  Over TLS, OpenSSL would keep the last that it has decrypted or is
 * about to encrypt in buffers of its own, until it is overwritten.
 */
void
login_keep_nothing(PGconn *pg)
{
	SSL *ssl = PQsslStruct(pg, "OpenSSL");

	if (ssl != NULL)
	{
		SSL_set_options(ssl, SSL_OP_CLEANSE_PLAINTEXT);
		SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
	}
}
