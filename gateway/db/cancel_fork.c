/*
 * cancel_fork.c
 *		Sends a cancel with a libpq that always blocks while it does so (before 17).
 *
 * We cannot send the cancel over a socket of our own, because it must carry a key that no
 * public function of such a libpq returns.  So a forked child calls PQcancel() and exits.
 * PQcancel() is documented as safe in a signal handler, and is therefore safe in a fork too.
 * The child closes every descriptor first, so that it never holds a client's socket open.  An
 * alarm ends it when the server does not answer.
 *
 * The loop's signal handlers write to a pipe, which the child shares with the parent, so that
 * a SIGTERM to the child alone would stop the whole gateway.  So the signals are blocked
 * during the fork, and the child resets the handlers before it unblocks the signals.
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

/* Begins to cancel what the connection's backend is doing.  NULL: it could not; logged. */
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
	/* Other than 0: it has ended, or other code has already collected it. */
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
