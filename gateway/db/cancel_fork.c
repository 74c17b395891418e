/*
 * cancel_fork.c
 *		Sending a cancel with a libpq that only can do so blocking (before 17).
 *
 * The key that a cancel must carry is not to be had from such a libpq by any public
 * function, so that a socket of ours could not send it.  So a forked child calls
 * PQcancel(), which is documented as safe in a signal handler and therefore in a fork too,
 * and ends.  The child closes every descriptor first, so that it never holds a client's
 * socket open, and an alarm ends it when the server does not answer.
 *
 * The loop's signal handlers write to a pipe of the loop, which the child would share with
 * us: a SIGTERM to the child alone would stop the whole gateway.  So the signals are
 * blocked over the fork, and the child takes the handlers out before it lets them in.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* close_range */
#endif

#include "db/db_internal.h"

#ifndef LIBPQ_HAS_ASYNC_CANCEL

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"

struct DbCancel
{
	pid_t child;
};

static void
run_child(PGcancel *cancel, const sigset_t *mask)
{
	char ignored[256];

	signal(SIGALRM, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	alarm(DB_CANCEL_SECONDS);
	(void) PQcancel(cancel, ignored, sizeof(ignored));
	_exit(0);
}

static pid_t
fork_child(PGcancel *cancel)
{
	sigset_t stops;
	sigset_t before;
	pid_t child;

	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	sigprocmask(SIG_BLOCK, &stops, &before);
	child = fork();
	if (child == 0)
		run_child(cancel, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return child;
}

/*
 * Begin to cancel what the connection's backend is doing.  NULL: could not; logged.
 */
DbCancel *
cancel_begin(DbConnection *connection)
{
	DbCancel *started = malloc(sizeof(*started));
	PGcancel *cancel = PQgetCancel(connection->pg);

	if (started != NULL && cancel != NULL && (started->child = fork_child(cancel)) > 0)
	{
		PQfreeCancel(cancel);
		return started;
	}
	log_line(
		LOG_LEVEL_WARNING, "database_cancel_failed",
		log_text("reason", started == NULL || cancel == NULL ? "out of memory" : "could not fork"));
	PQfreeCancel(cancel);
	free(started);
	return NULL;
}

bool
cancel_has_ended(DbCancel *cancel)
{
	/* Not 0 is: it has ended, or somebody else has collected it. */
	if (cancel->child != 0 && waitpid(cancel->child, NULL, WNOHANG) != 0)
		cancel->child = 0;
	return cancel->child == 0;
}

void
cancel_free(DbCancel *cancel)
{
	if (cancel->child != 0)
	{
		kill(cancel->child, SIGKILL);
		waitpid(cancel->child, NULL, 0);
	}
	free(cancel);
}

#endif /* LIBPQ_HAS_ASYNC_CANCEL */
