/*
 * cancel.c
 *		Stopping a statement that runs past its deadline.
 *
 * A cancel is a connection of its own to the server.  Closing the connection of the
 * statement instead would not stop it (a backend notices only when it writes) and would
 * take along every other request in the pipeline.  How a cancel is sent without blocking
 * the loop depends on libpq: cancel_async.c from version 17 on, cancel_fork.c before.  At
 * most one cancel a connection.
 *
 * A cancel hits whatever the backend is doing when it arrives, and it often arrives twice:
 * the postmaster signals the backend's process group as well as the backend.  So only the
 * request at the head of a pipeline is cancelled; those behind it are marked, and one that
 * is hit too is reported as not done (its transaction was rolled back) and not as too slow;
 * and nothing new is sent until the cancel has ended, which is after the server has taken
 * it.
 */
#include "db/db_internal.h"

/*
 * Cancel the request at the head of the connection's pipeline.  False: could not, and
 * nothing was started.
 */
bool
cancel_start(DbConnection *connection)
{
	DbRequest *head = TAILQ_FIRST(&connection->in_flight);
	DbRequest *request;

	if (connection->cancel != NULL || (connection->cancel = cancel_begin(connection)) == NULL)
		return false;
	head->cancel_sent = true;
	TAILQ_FOREACH(request, &connection->in_flight, link)
	{
		request->cancel_near = request != head;
	}
	return true;
}

/*
 * Let go of the cancel when it has ended.  True when there is none (any more).
 */
bool
cancel_reap(DbConnection *connection)
{
	if (connection->cancel != NULL && cancel_has_ended(connection->cancel))
		cancel_drop(connection);
	return connection->cancel == NULL;
}

/*
 * Let go of the cancel, wherever it is.
 */
void
cancel_drop(DbConnection *connection)
{
	if (connection->cancel != NULL)
	{
		cancel_free(connection->cancel);
		connection->cancel = NULL;
	}
}
