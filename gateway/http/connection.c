/*
 * connection.c
 *		One connection of a client, as a state machine.
 *
 * Events come from three sides: libevent (events.c), the deadlines
 * (http_connection_expire) and the handler's answer (http_connection_answered).
 * All of them end in http_connection_enter() or http_connection_close().
 * Input is only looked at in http_connection_run() (input.c).
 *
 * A closed connection is freed at once, unless http_connection_run() is at
 * work on it; then that frees it.
 */
#include "http/connection.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "http/output.h"
#include "http/server.h"
#include "http/websocket_connection.h"

/* For the log. */
static const char *const state_names[HTTP_CONNECTION_STATES] = {
	[HTTP_CONNECTION_HANDSHAKE] = "handshake", [HTTP_CONNECTION_IDLE] = "idle",
	[HTTP_CONNECTION_HEAD] = "head",           [HTTP_CONNECTION_BODY] = "body",
	[HTTP_CONNECTION_ANSWER] = "answer",       [HTTP_CONNECTION_WRITE] = "write",
	[HTTP_CONNECTION_SOCKET] = "socket",       [HTTP_CONNECTION_SOCKET_CLOSING] = "socket closing",
	[HTTP_CONNECTION_LINGER] = "linger",       [HTTP_CONNECTION_CLOSED] = "closed",
};

static void
leave_list(HttpConnection *connection)
{
	HttpConnectionList *list = &connection->server->lists[connection->state];

	if (connection->state == HTTP_CONNECTION_CLOSED)
		return;
	if (connection->previous != NULL)
		connection->previous->next = connection->next;
	else
		list->first = connection->next;
	if (connection->next != NULL)
		connection->next->previous = connection->previous;
	else
		list->last = connection->previous;
	connection->previous = connection->next = NULL;
}

static void
join_list(HttpConnection *connection)
{
	HttpConnectionList *list = &connection->server->lists[connection->state];

	if (connection->state == HTTP_CONNECTION_CLOSED)
		return;
	connection->previous = list->last;
	if (list->last != NULL)
		list->last->next = connection;
	else
		list->first = connection;
	list->last = connection;
}

void
http_connection_enter(HttpConnection *connection, HttpConnectionState state)
{
	leave_list(connection);
	connection->state = state;
	connection->deadline_ms = clock_monotonic_ms() + http_server_period(connection->server, state);
	join_list(connection);
}

void
http_connection_free(HttpConnection *connection)
{
	http_connection_discard(connection);
	http_output_forget(connection);
	bufferevent_free(connection->bev);
	free(connection);
}

/* The connection lets go of its request. */
static void
release_request(HttpConnection *connection)
{
	HttpRequestState *request = connection->request;

	if (request == NULL)
		return;
	connection->request = NULL;
	connection->server->body_bytes -= request->body.len;
	http_request_release(request);
}

void
http_connection_close(HttpConnection *connection, const char *reason)
{
	bool in_work = connection->request != NULL;

	if (connection->state == HTTP_CONNECTION_CLOSED)
		return;
	log_line(in_work ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "connection_closed",
			 log_text("peer", connection->peer), log_text("state", state_names[connection->state]),
			 log_text("reason", reason));
	http_connection_enter(connection, HTTP_CONNECTION_CLOSED);
	release_request(connection);
	if (connection->socket != NULL)
		websocket_lost(connection);
	if (connection->tls)
		http_tls_shutdown(connection->bev);
	http_server_forget(connection->server, connection);
	if (!connection->running)
		http_connection_free(connection);
}

bool
http_connection_is_idle(const HttpConnection *connection)
{
	return connection->request == NULL &&
		   (connection->state == HTTP_CONNECTION_IDLE ||
			connection->state == HTTP_CONNECTION_HEAD ||
			connection->state == HTTP_CONNECTION_HANDSHAKE) &&
		   evbuffer_get_length(bufferevent_get_input(connection->bev)) == 0;
}

/* ---- behind an answer ---- */

/*
 * The last answer has been sent.  A socket that is closed with unread input
 * sends a reset, which can take the answer away from the client; so first
 * only our side is shut, and the client's input is read until it has seen it.
 */
static void
linger(HttpConnection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	size_t unread = evbuffer_get_length(input);

	if (connection->input_ended || (!connection->refused && unread == 0))
	{
		http_connection_close(connection, "last answer sent");
		return;
	}
	http_connection_discard(connection);
	if (connection->tls)
		http_tls_shutdown(connection->bev);
	shutdown(bufferevent_getfd(connection->bev), SHUT_WR);
	http_connection_enter(connection, HTTP_CONNECTION_LINGER);
	http_connection_pause_or_resume(connection);
}

void
http_connection_go_on(HttpConnection *connection)
{
	if (connection->last)
		linger(connection);
	else
	{
		http_connection_enter(connection, HTTP_CONNECTION_IDLE);
		http_connection_run(connection);
	}
}

void
http_connection_answered(HttpConnection *connection, HttpSendResult result)
{
	release_request(connection);
	if (connection->socket != NULL && result != HTTP_SEND_FAILED)
	{
		websocket_begin(connection);
		return;
	}
	switch (result)
	{
		case HTTP_SENT:
			http_connection_go_on(connection);
			break;
		case HTTP_QUEUED:
			connection->progress = evbuffer_get_length(bufferevent_get_output(connection->bev));
			http_connection_enter(connection, HTTP_CONNECTION_WRITE);
			break;
		case HTTP_SEND_FAILED:
			http_connection_close(connection, "out of memory");
			break;
	}
}

/* ---- deadlines ---- */

void
http_connection_expire(HttpConnection *connection)
{
	const HttpLimits *limits = &connection->server->limits;
	size_t left;

	switch (connection->state)
	{
		case HTTP_CONNECTION_HANDSHAKE:
			http_connection_close(connection, "TLS handshake took too long");
			break;
		case HTTP_CONNECTION_IDLE:
			http_connection_close(connection, "idle for too long");
			break;
		case HTTP_CONNECTION_HEAD:
			if (connection->request == NULL)
				http_connection_close(connection, "no request came");
			else
				http_connection_refuse_kind(connection, HTTP_ERROR_REQUEST_TIMEOUT,
											"request headers took too long");
			break;
		case HTTP_CONNECTION_BODY:
			if (connection->progress < (size_t) limits->body_period_bytes)
			{
				http_connection_refuse_kind(connection, HTTP_ERROR_REQUEST_TIMEOUT,
											"request body came too slowly");
				break;
			}
			connection->progress = 0;
			http_connection_enter(connection, HTTP_CONNECTION_BODY);
			break;
		case HTTP_CONNECTION_ANSWER:
			http_connection_refuse_kind(connection, HTTP_ERROR_TIMEOUT, "request took too long");
			break;
		case HTTP_CONNECTION_WRITE:
			left = evbuffer_get_length(bufferevent_get_output(connection->bev));
			if (connection->progress < left + (size_t) limits->write_period_bytes)
			{
				http_connection_close(connection, "client reads too slowly");
				break;
			}
			connection->progress = left;
			http_connection_enter(connection, HTTP_CONNECTION_WRITE);
			break;
		case HTTP_CONNECTION_SOCKET:
			websocket_beat(connection);
			break;
		case HTTP_CONNECTION_SOCKET_CLOSING:
			http_connection_close(connection, "client does not close its socket");
			break;
		case HTTP_CONNECTION_LINGER:
			http_connection_close(connection, "last answer sent");
			break;
		case HTTP_CONNECTION_CLOSED:
		case HTTP_CONNECTION_STATES:
			break;
	}
}
