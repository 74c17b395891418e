/*
 * http_connection.c
 *		One connection of a client, as a state machine.
 *
 * Events come from three sides: libevent (input, output done, end, error),
 * the deadlines (http_connection_expire) and the handler's answer
 * (http_connection_answered).  All of them end in http_connection_enter() or
 * http_connection_close().  Input is only looked at in http_connection_run(),
 * which does not nest: an answer that a handler gives at once comes back here
 * while it is running, and the loop goes on from there.
 *
 * A closed connection is freed at once, unless http_connection_run() is at
 * work on it; then that frees it.
 */
#include "http/http_connection.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "http/http_server.h"

/* For the log. */
static const char *const state_names[HTTP_CONNECTION_STATES] = {
	[HTTP_CONNECTION_HANDSHAKE] = "handshake", [HTTP_CONNECTION_IDLE] = "idle",
	[HTTP_CONNECTION_HEAD] = "head",           [HTTP_CONNECTION_BODY] = "body",
	[HTTP_CONNECTION_ANSWER] = "answer",       [HTTP_CONNECTION_WRITE] = "write",
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

static void
destroy(HttpConnection *connection)
{
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
	if (connection->tls)
		http_tls_shutdown(connection->bev);
	http_server_forget(connection->server, connection);
	if (!connection->running)
		destroy(connection);
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

/* ---- reading ---- */

/* Whether input is looked at in this state. */
static bool
reads(const HttpConnection *connection)
{
	return connection->state == HTTP_CONNECTION_IDLE || connection->state == HTTP_CONNECTION_HEAD ||
		   connection->state == HTTP_CONNECTION_BODY;
}

static void
refuse(HttpConnection *connection, HttpErrorKind kind, const char *reason)
{
	HttpError error = *http_error(kind);

	error.message = reason;
	http_connection_refuse(connection, &error, reason);
}

/* What the head says may already be too much; false when the request is refused. */
static bool
end_head(HttpConnection *connection)
{
	HttpRequestState *request = connection->request;
	HttpErrorKind kind;
	const char *wrong = http_request_end_head(request, &kind);

	if (wrong != NULL)
		refuse(connection, kind, wrong);
	else if (request->guard.content_length > HTTP_BODY_MAX)
		refuse(connection, HTTP_ERROR_PAYLOAD_TOO_LARGE, "request body is too large");
	else if (request->guard.bad_expect)
		refuse(connection, HTTP_ERROR_EXPECTATION_FAILED, "expectation is not supported");
	else
		return true;
	return false;
}

/* A body follows.  A client that waits for a word before it sends it gets one. */
static void
begin_body(HttpConnection *connection)
{
	static const char word[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct evbuffer *input = bufferevent_get_input(connection->bev);

	connection->progress = 0;
	http_connection_enter(connection, HTTP_CONNECTION_BODY);
	if (connection->request->guard.has_expect && evbuffer_get_length(input) == 0)
	{
		Buffer interim = {.data = (char *) word, .len = sizeof(word) - 1};

		http_connection_send(connection, &interim, NULL);
	}
}

static void
hand_over(HttpConnection *connection)
{
	HttpRequestState *request = connection->request;
	HttpServer *server = connection->server;

	if (request->body.len > 0)
		request->request.body = (HttpText){request->body.data, request->body.len};
	if (!request->keep_alive)
		connection->last = true;
	request->handed_over = true;
	http_connection_enter(connection, HTTP_CONNECTION_ANSWER);
	server->handle(&request->request, server->context);
}

static bool
begin_request(HttpConnection *connection)
{
	connection->request = http_request_create(connection, connection->peer, connection->tls);
	if (connection->request == NULL)
	{
		http_connection_close(connection, "out of memory");
		return false;
	}

	/* the first head of a connection has its time from the accept on */
	if (connection->state != HTTP_CONNECTION_HEAD)
		http_connection_enter(connection, HTTP_CONNECTION_HEAD);
	return true;
}

/* What the guard found in the bytes that have just been parsed. */
static void
act_on(HttpConnection *connection, HttpGuardResult result, bool agreed)
{
	HttpRequestState *request = connection->request;
	bool head_ended = request->arrays != NULL;

	if (result == HTTP_GUARD_REFUSED)
		refuse(connection, request->guard.error, request->guard.reason);
	else if (!agreed && result == HTTP_GUARD_MORE && !head_ended)
		return; /* the guard sees soon what it is, and has the better word for it */
	else if (!agreed || request->complete != (result == HTTP_GUARD_DONE))
		refuse(connection, HTTP_ERROR_VALIDATION, "request is not valid HTTP");
	else if (connection->server->body_bytes > HTTP_BODIES_MAX)
		refuse(connection, HTTP_ERROR_UNAVAILABLE, "too many request bodies at once");
	else if (result == HTTP_GUARD_MORE || (!head_ended && !end_head(connection)))
		return;
	else if (result == HTTP_GUARD_HEAD)
		begin_body(connection);
	else
		hand_over(connection);
}

/* Gives the next contiguous bytes of the input to guard and parser. */
static void
feed(HttpConnection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	struct evbuffer_iovec piece;
	HttpRequestState *request;
	HttpGuardResult result;
	size_t used;
	size_t body_before;
	bool agreed;

	if (connection->request == NULL && !begin_request(connection))
		return;
	request = connection->request;
	body_before = request->body.len;
	evbuffer_peek(input, -1, NULL, &piece, 1);
	result = http_guard_feed(&request->guard, piece.iov_base, piece.iov_len, &used);
	agreed = result == HTTP_GUARD_REFUSED || http_request_parse(request, piece.iov_base, used);
	connection->server->body_bytes += request->body.len - body_before;
	connection->progress += used;

	/* a credential may be among them */
	explicit_bzero(piece.iov_base, used);
	evbuffer_drain(input, used);
	act_on(connection, result, agreed);
}

/*
 * Stops reading when a client sends too far ahead, and goes on when its input
 * is wanted.  (libevent's own high watermark is no use here: it calls the read
 * callback again and again while the input stays at the mark.)
 */
static void
pause_or_resume(HttpConnection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	bool pause = !reads(connection) && evbuffer_get_length(input) >= HTTP_INPUT_MAX;

	if (pause == connection->paused || connection->input_ended)
		return;
	connection->paused = pause;
	if (pause)
		bufferevent_disable(connection->bev, EV_READ);
	else
		bufferevent_enable(connection->bev, EV_READ);
}

void
http_connection_run(HttpConnection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);

	if (connection->running)
		return;
	connection->running = true;
	while (reads(connection) && evbuffer_get_length(input) > 0)
		feed(connection);
	connection->running = false;
	if (connection->state != HTTP_CONNECTION_CLOSED)
		pause_or_resume(connection);

	if (connection->state == HTTP_CONNECTION_CLOSED)
		destroy(connection);
	else if (reads(connection) && connection->input_ended)
		http_connection_close(connection, "client closed");
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
	evbuffer_drain(input, unread);
	if (connection->tls)
		http_tls_shutdown(connection->bev);
	shutdown(bufferevent_getfd(connection->bev), SHUT_WR);
	http_connection_enter(connection, HTTP_CONNECTION_LINGER);
	pause_or_resume(connection);
}

/* The answer has left: what comes next? */
static void
go_on(HttpConnection *connection)
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
http_connection_answered(HttpConnection *connection, bool all_sent)
{
	release_request(connection);
	if (all_sent)
		go_on(connection);
	else
	{
		connection->progress = evbuffer_get_length(bufferevent_get_output(connection->bev));
		http_connection_enter(connection, HTTP_CONNECTION_WRITE);
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
				refuse(connection, HTTP_ERROR_REQUEST_TIMEOUT, "request headers took too long");
			break;
		case HTTP_CONNECTION_BODY:
			if (connection->progress < (size_t) limits->body_period_bytes)
			{
				refuse(connection, HTTP_ERROR_REQUEST_TIMEOUT, "request body came too slowly");
				break;
			}
			connection->progress = 0;
			http_connection_enter(connection, HTTP_CONNECTION_BODY);
			break;
		case HTTP_CONNECTION_ANSWER:
			refuse(connection, HTTP_ERROR_TIMEOUT, "request took too long");
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
		case HTTP_CONNECTION_LINGER:
			http_connection_close(connection, "last answer sent");
			break;
		case HTTP_CONNECTION_CLOSED:
		case HTTP_CONNECTION_STATES:
			break;
	}
}

/* ---- libevent's side ---- */

static void
on_read(struct bufferevent *bev, void *context)
{
	HttpConnection *connection = context;
	struct evbuffer *input = bufferevent_get_input(bev);

	if (connection->state != HTTP_CONNECTION_LINGER)
	{
		http_connection_run(connection);
		return;
	}
	connection->lingered += evbuffer_get_length(input);
	evbuffer_drain(input, evbuffer_get_length(input));
	if (connection->lingered > HTTP_LINGER_BYTES_MAX)
		http_connection_close(connection, "client does not stop sending");
}

static void
on_write(struct bufferevent *bev, void *context)
{
	HttpConnection *connection = context;

	if (connection->state == HTTP_CONNECTION_WRITE &&
		evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		go_on(connection);
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
		if (connection->tls || connection->state == HTTP_CONNECTION_LINGER)
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

	bufferevent_setcb(bev, on_read, on_write, on_event, connection);
	http_connection_enter(connection, tls ? HTTP_CONNECTION_HANDSHAKE : HTTP_CONNECTION_HEAD);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	return true;
}
