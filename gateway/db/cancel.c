/*
 * cancel.c
 *		Stopping a statement that runs past its deadline, without blocking the loop.
 *
 * A cancel is a connection of its own to the server, and PQcancel() waits for it.  The
 * key that it must carry is not to be had from libpq by any public function, so that a
 * socket of ours could not send it; closing the connection instead would not stop the
 * statement (a backend notices only when it writes) and would take along every other
 * request in the pipeline.  So a forked child calls PQcancel(), which is documented as
 * safe in a signal handler and therefore in a fork too, and ends.  The child closes
 * every descriptor first, so that it never holds a client's socket open, and an alarm
 * ends it when the server does not answer.  At most one child a connection.
 *
 * A cancel hits whatever the backend is doing when it arrives, and it often arrives twice:
 * the postmaster signals the backend's process group as well as the backend.  So only the
 * request at the head of a pipeline is cancelled; those behind it are marked, and one that
 * is hit too is reported as not done (its transaction was rolled back) and not as too slow;
 * and nothing new is sent until the child has ended, which is after the server has taken
 * the cancel.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* close_range */
#endif

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db_internal.h"
#include "lib/log.h"

static void
run_child(PGcancel *cancel)
{
	char ignored[256];

	signal(SIGALRM, SIG_DFL);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	alarm(DB_CANCEL_SECONDS);
	(void) PQcancel(cancel, ignored, sizeof(ignored));
	_exit(0);
}

/*
 * Cancel the request at the head of the connection's pipeline.  False: could not, and
 * nothing was started.
 */
bool
cancel_start(DbConnection *connection)
{
	PGcancel *cancel;
	DbRequest *head = TAILQ_FIRST(&connection->in_flight);
	DbRequest *request;
	pid_t child;

	if (connection->cancel_child != 0 || (cancel = PQgetCancel(connection->pg)) == NULL)
	{
		return false;
	}
	child = fork();
	if (child == 0)
	{
		run_child(cancel);
	}
	PQfreeCancel(cancel);
	if (child < 0)
	{
		log_line(LOG_LEVEL_WARNING, "database_cancel_failed", log_text("reason", "could not fork"));
		return false;
	}
	connection->cancel_child = child;
	head->cancel_sent = true;
	TAILQ_FOREACH(request, &connection->in_flight, link)
	{
		request->cancel_near = request != head;
	}
	return true;
}

/*
 * Collect the child when it has ended.  True when there is none (any more).
 */
bool
cancel_reap(DbConnection *connection)
{
	if (connection->cancel_child != 0 && waitpid(connection->cancel_child, NULL, WNOHANG) != 0)
	{
		/* Ended, or somebody else has collected it. */
		connection->cancel_child = 0;
	}
	return connection->cancel_child == 0;
}
