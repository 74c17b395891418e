/*
 * turns.c
 *		Connections with input take turns by their owner; see turns.h.
 *
 * The event runs after all sockets that the loop has found ready in this pass, because the
 * first connection that joins activates it.  If connections are left, a timer without a wait
 * makes it due in the next pass.  Before that the loop looks at all sockets again, so that the
 * database's answers and newcomers never wait for more than one pass.
 */
#include "http/turns.h"

#include <event2/event.h>
#include <limits.h>
#include <stddef.h>

#include "http/server.h"

/* The connection that this item of the queue belongs to. */
#define CONNECTION_OF_TURN(item) \
	((HttpConnection *) ((char *) (item) -offsetof(HttpConnection, turn)))

static bool
begins_tls(const FairItem *item)
{
	return CONNECTION_OF_TURN(item)->state == HTTP_CONNECTION_HANDSHAKE;
}

/* An owner whose next connection would begin one handshake too many is passed over. */
static bool
may_have_turn(void *context, const FairItem *next, int under_way, int groups)
{
	const int *handshakes = context;

	(void) under_way;
	(void) groups;
	return *handshakes < HTTP_HANDSHAKES_MAX || !begins_tls(next);
}

static void
on_turns(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval none = {0, 0};
	HttpServer *server = context;
	FairItem *item;
	int handshakes = 0;

	(void) fd;
	(void) what;
	for (int i = 0; i < HTTP_TURNS_MAX; i++)
	{
		item = fair_queue_take(server->turns, may_have_turn, &handshakes);
		if (item == NULL)
			break;
		handshakes += begins_tls(item) ? 1 : 0;
		fair_queue_leave(server->turns, item);
		http_connection_take_turn(CONNECTION_OF_TURN(item));
	}
	server->turns_due = fair_queue_waiting(server->turns) > 0;
	if (server->turns_due)
		event_add(server->next_turns, &none);
}

bool
http_turns_start(HttpServer *server)
{
	/* The number of connections is bounded already (limits.h). */
	server->turns = fair_queue_create(INT_MAX, INT_MAX, SIZE_MAX);
	server->next_turns = event_new(server->base, -1, 0, on_turns, server);
	return server->turns != NULL && server->next_turns != NULL;
}

void
http_turns_stop(HttpServer *server)
{
	if (server->next_turns != NULL)
		event_free(server->next_turns);
	fair_queue_free(server->turns);
}

bool
http_turns_join(HttpConnection *connection)
{
	HttpServer *server = connection->server;

	if (http_turns_waits(connection))
		return true;
	if (fair_queue_add(server->turns, &connection->owner, &connection->turn).item != NULL)
	{
		http_connection_close(connection, "out of memory");
		return false;
	}
	if (!server->turns_due)
		event_active(server->next_turns, 0, 0);
	server->turns_due = true;
	return true;
}

void
http_turns_leave(HttpConnection *connection)
{
	fair_queue_leave(connection->server->turns, &connection->turn);
}

bool
http_turns_waits(const HttpConnection *connection)
{
	return connection->turn.flow != NULL;
}
