/*
 * events.c
 *		What libevent says about a connection: input, output gone, end, error.
 *
 * Each callback looks at the state and calls into the state machine
 * (connection.c) or lets the input be served (input.c).
 */
#include "http/connection.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "http/output.h"
#include "http/server.h"
#include "http/websocket_connection.h"

static void
on_read(struct bufferevent *bev, void *context)
{
	HttpConnection *connection = context;

	(void) bev;
	if (connection->socket != NULL && connection->state != HTTP_CONNECTION_LINGER)
	{
		websocket_read(connection);
		return;
	}
	if (connection->state != HTTP_CONNECTION_LINGER)
	{
		http_connection_run(connection);
		return;
	}
	connection->lingered += http_connection_discard(connection);
	if (connection->lingered > HTTP_LINGER_BYTES_MAX)
		http_connection_close(connection, "client does not stop sending");
}

static void
on_write(struct bufferevent *bev, void *context)
{
	HttpConnection *connection = context;

	if (evbuffer_get_length(bufferevent_get_output(bev)) > 0)
		return;
	if (connection->state == HTTP_CONNECTION_WRITE)
		http_connection_go_on(connection);
	else if (connection->state == HTTP_CONNECTION_SOCKET ||
			 connection->state == HTTP_CONNECTION_SOCKET_CLOSING)
		websocket_written(connection);
}

static void
on_event(struct bufferevent *bev, short what, void *context)
{
	HttpConnection *connection = context;

	(void) bev;
	if (what & BEV_EVENT_CONNECTED)
		http_connection_enter(connection, HTTP_CONNECTION_HEAD);
	else if (what & BEV_EVENT_ERROR)
		http_connection_close(connection, connection->state == HTTP_CONNECTION_HANDSHAKE
											  ? "TLS handshake failed"
											  : "connection broke");
	else if (what & BEV_EVENT_EOF)
	{
		/* libevent stops writing too at the end of a TLS stream */
		connection->input_ended = true;
		if (connection->tls || connection->socket != NULL ||
			connection->state == HTTP_CONNECTION_LINGER)
			http_connection_close(connection, "client closed");
		else
			http_connection_run(connection);
	}
}

bool
http_connection_start(HttpServer *server, struct bufferevent *bev, bool tls, const char *peer,
					  HttpPeerKey peer_key)
{
	HttpConnection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL)
	{
		bufferevent_free(bev);
		return false;
	}
	connection->server = server;
	connection->bev = bev;
	connection->tls = tls;
	connection->state = HTTP_CONNECTION_CLOSED;
	connection->peer_key = peer_key;
	strncpy(connection->peer, peer, sizeof(connection->peer) - 1);
	if (!http_output_watch(connection))
	{
		bufferevent_free(bev);
		free(connection);
		return false;
	}

	bufferevent_setcb(bev, on_read, on_write, on_event, connection);
	http_connection_enter(connection, tls ? HTTP_CONNECTION_HANDSHAKE : HTTP_CONNECTION_HEAD);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	return true;
}
