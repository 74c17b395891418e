/*
 * cancel.c
 *		Stopping a statement that runs past its deadline.
 *
 * A cancel is a separate connection to the server.  Closing the statement's connection
 * instead would not stop the statement, because a backend notices that only when it writes,
 * and it would end every other request in the pipeline.  How a cancel is sent without
 * blocking the loop depends on libpq: cancel_async.c from version 17 on, cancel_fork.c
 * before.  A connection has at most one cancel at a time.
 *
 * A cancel stops whatever the backend is doing when it arrives, and it often arrives twice:
 * the postmaster signals the backend and also its process group.  So only the request at the
 * head of a pipeline is cancelled, and the requests after it are marked.  If one of them is
 * stopped too, its transaction was rolled back, and it is reported as not done instead of
 * too slow.  Nothing new is sent until the cancel has ended; by then the server has received
 * it.
 */
#include "db/db_internal.h"

/*
 * Cancels the request at the head of the connection's pipeline.  False: it could not, and
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

/* Frees the cancel if it has ended.  True when there is none, or none any more. */
bool
cancel_reap(DbConnection *connection)
{
	if (connection->cancel != NULL && cancel_has_ended(connection->cancel))
		cancel_drop(connection);
	return connection->cancel == NULL;
}

/* Frees the cancel, even if it has not ended. */
void
cancel_drop(DbConnection *connection)
{
	if (connection->cancel != NULL)
	{
		cancel_free(connection->cancel);
		connection->cancel = NULL;
	}
}
