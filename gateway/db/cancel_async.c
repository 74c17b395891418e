/*
 * cancel_async.c
 *		Sends a cancel with a libpq that can do so without blocking (17 and later).
 *
 * The cancel uses the same address and the same encryption as the connection that it belongs
 * to.  After each step libpq says which event of the socket to wait for.  The pool's tick
 * checks whether the cancel has ended, and gives it up after DB_CANCEL_SECONDS.
 */
#include "db/db_internal.h"

#ifdef LIBPQ_HAS_ASYNC_CANCEL

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

struct DbCancel
{
	PGcancelConn *pg;
	struct event_base *base; /* borrowed */
	struct event *event;     /* NULL: it waits for nothing */
	int64_t end_ms;          /* monotonic time when it is given up */
	bool ended;
};

static void on_socket(evutil_socket_t fd, short what, void *arg);

static void
end(DbCancel *cancel, const char *problem)
{
	cancel->ended = true;
	if (problem != NULL)
	{
		log_line(LOG_LEVEL_WARNING, "database_cancel_failed",
				 log_bytes("reason", problem, strcspn(problem, "\n")));
	}
}

/*
 * Waits for what libpq needs next.  libpq may change its socket between two steps, so each
 * step makes a new event.
 */
static void
watch(DbCancel *cancel, PostgresPollingStatusType status)
{
	short what = status == PGRES_POLLING_READING ? EV_READ : EV_WRITE;

	cancel->event = event_new(cancel->base, PQcancelSocket(cancel->pg), what, on_socket, cancel);
	if (cancel->event == NULL || event_add(cancel->event, NULL) != 0)
		end(cancel, "could not watch the socket");
}

static void
forget_event(DbCancel *cancel)
{
	if (cancel->event != NULL)
	{
		event_free(cancel->event);
		cancel->event = NULL;
	}
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
	DbCancel *cancel = arg;
	PostgresPollingStatusType status;

	(void) fd;
	(void) what;
	forget_event(cancel);
	status = PQcancelPoll(cancel->pg);
	if (status == PGRES_POLLING_OK || status == PGRES_POLLING_FAILED)
	{
		end(cancel, status == PGRES_POLLING_OK ? NULL : PQcancelErrorMessage(cancel->pg));
		return;
	}
	watch(cancel, status);
}

/* Begins to cancel what the connection's backend is doing.  NULL: it could not; logged. */
DbCancel *
cancel_begin(DbConnection *connection)
{
	DbCancel *cancel = calloc(1, sizeof(*cancel));

	if (cancel == NULL)
		return NULL;
	cancel->base = connection->lane->db->base;
	cancel->end_ms = clock_monotonic_ms() + DB_CANCEL_SECONDS * 1000;
	cancel->pg = PQcancelCreate(connection->pg);
	if (cancel->pg == NULL || PQcancelStart(cancel->pg) == 0)
	{
		end(cancel, cancel->pg == NULL ? "out of memory" : PQcancelErrorMessage(cancel->pg));
		cancel_free(cancel);
		return NULL;
	}
	/* libpq's documentation: wait until the socket is writable before the first poll. */
	watch(cancel, PGRES_POLLING_WRITING);
	return cancel;
}

bool
cancel_has_ended(DbCancel *cancel)
{
	if (!cancel->ended && clock_monotonic_ms() >= cancel->end_ms)
		end(cancel, "the server did not answer");
	return cancel->ended;
}

void
cancel_free(DbCancel *cancel)
{
	forget_event(cancel);
	PQcancelFinish(cancel->pg);
	free(cancel);
}

#endif /* LIBPQ_HAS_ASYNC_CANCEL */
