/*
 * login.c
 *		Opens a connection to PostgreSQL; see login.h.
 *
 * A sealed login may only send the startup options application_name and client_encoding, so
 * we set no others.  libpq also turns the environment variables PGOPTIONS, PGDATESTYLE, PGTZ
 * and PGGEQO into startup options.  A server with the seal then refuses the login, and that
 * is intended.
 */
#include "db/login.h"

#include <poll.h>
#include <string.h>

#include <openssl/ssl.h>

#include "lib/clock.h"
#include "lib/log.h"

/* Logs a notice of the server, which libpq would print to standard error by default. */
static void
on_notice(void *arg, const char *message)
{
	(void) arg;
	log_line(LOG_LEVEL_DEBUG, "database_notice",
			 log_bytes("message", message, strcspn(message, "\n")));
}

PGconn *
login_start(const char *conninfo, const char *application_name)
{
	const char *keywords[] = {"dbname", "application_name", "client_encoding", NULL};
	const char *values[] = {conninfo, application_name, "UTF8", NULL};
	PGconn *pg = PQconnectStartParams(keywords, values, 1);

	if (pg != NULL)
		PQsetNoticeProcessor(pg, on_notice, NULL);
	return pg;
}

bool
login_wait(PGconn *pg, int ms)
{
	int64_t end = clock_monotonic_ms() + ms;
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED)
	{
		struct pollfd wait = {.fd = PQsocket(pg),
							  .events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT};
		int64_t left = end - clock_monotonic_ms();

		if (left <= 0 || poll(&wait, 1, (int) left) <= 0)
			return false;
		status = PQconnectPoll(pg);
	}
	return status == PGRES_POLLING_OK;
}

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
