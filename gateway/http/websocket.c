/*
 * websocket.c
 *		A WebSocket on its connection: accepted, sent to, read from, closed.
 *
 * Each way to the end goes through begin_closing(), which sends a close frame, or through
 * http_connection_close(), when there is nobody to send one to.
 */
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/memory.h"
#include "http/server.h"
#include "http/websocket_connection.h"

/* Heartbeats that a client may leave unanswered, and for which a message may be incomplete. */
#define SILENT_MAX 3
#define UNFINISHED_MAX 1

static struct evbuffer *
output_of(const WebSocket *socket)
{
	return bufferevent_get_output(socket->connection->bev);
}

/* Looks how much is queued, and whether that has become less. */
static size_t
look_at_queue(WebSocket *socket)
{
	size_t now = evbuffer_get_length(output_of(socket));

	socket->moved |= now < socket->queued;
	socket->queued = now;
	return now;
}

/* The owner's part is over. */
static void
disown(WebSocket *socket, int code, const char *reason)
{
	bool owned = socket->owned;

	socket->owned = false;
	if (owned)
		socket->events->closed(socket->owner, code, reason);
}

/* The closing handshake is done, or not to be hoped for: nothing more is said. */
static void
finish_when_sent(HttpConnection *connection)
{
	const WebSocket *socket = connection->socket;

	/* what is being read must stay until that is over; websocket_read() comes here itself */
	if (connection->running || !socket->peer_closed || evbuffer_get_length(output_of(socket)) > 0)
		return;
	connection->last = true;
	connection->refused = socket->deaf;
	http_connection_go_on(connection);
}

static bool
queue(WebSocket *socket, const char *frames, size_t len)
{
	Buffer bytes = {.data = (char *) frames, .len = len};
	HttpSendResult sent;

	look_at_queue(socket);
	sent = http_connection_send(socket->connection, &bytes, NULL);
	socket->moved |= sent == HTTP_SENT;
	look_at_queue(socket);
	return sent != HTTP_SEND_FAILED;
}

/* Says why, and waits for the client's close frame, unless it has come. */
static void
begin_closing(HttpConnection *connection, int code, const char *reason)
{
	WebSocket *socket = connection->socket;
	Buffer frame;
	bool sent;

	disown(socket, code, reason);
	http_connection_enter(connection, HTTP_CONNECTION_SOCKET_CLOSING);
	buffer_init(&frame, WEBSOCKET_FRAME_MAX);
	sent = websocket_frame_close(&frame, code, reason) && queue(socket, frame.data, frame.len);
	buffer_free(&frame);
	if (sent)
		finish_when_sent(connection);
	else
		http_connection_close(connection, "out of memory");
}

/* ---- for the other files of this floor ---- */

void
websocket_begin(HttpConnection *connection)
{
	WebSocket *socket = connection->socket;

	socket->open = true;
	socket->owned = true;
	http_connection_enter(connection, HTTP_CONNECTION_SOCKET);
}

void
websocket_end(HttpConnection *connection, int code, const char *reason)
{
	if (connection->state == HTTP_CONNECTION_SOCKET)
		begin_closing(connection, code, reason);
}

void
websocket_cut(HttpConnection *connection, const char *reason)
{
	disown(connection->socket, WEBSOCKET_SLOW_READER, reason);
	http_connection_close(connection, reason);
}

void
websocket_lost(HttpConnection *connection)
{
	WebSocket *socket = connection->socket;

	connection->socket = NULL;
	if (!socket->open)
		return; /* websocket_accept() has it */
	disown(socket, WEBSOCKET_NO_CODE, "connection ended");
	websocket_input_free(socket->input);
	free(socket);
}

void
websocket_written(HttpConnection *connection)
{
	WebSocket *socket = connection->socket;

	socket->moved = true;
	look_at_queue(socket);
	if (connection->state == HTTP_CONNECTION_SOCKET_CLOSING)
		finish_when_sent(connection);
	else if (socket->owned)
		socket->events->drained(socket->owner);
}

/*
 * A ping that is no frame of the application's makes every client answer, so that one that
 * is gone without a word is noticed.
 */
void
websocket_beat(HttpConnection *connection)
{
	WebSocket *socket = connection->socket;
	Buffer *frames = &connection->server->head;
	const char *text = socket->events->heartbeat;
	bool stalled = look_at_queue(socket) > 0 && !socket->moved;

	if (stalled || ++socket->silent > SILENT_MAX)
	{
		begin_closing(connection, WEBSOCKET_SLOW_READER,
					  stalled ? "client does not read" : "client does not answer");
		return;
	}
	if (socket->input != NULL && ++socket->unfinished > UNFINISHED_MAX)
	{
		begin_closing(connection, WEBSOCKET_POLICY, "message takes too long");
		return;
	}
	socket->moved = false;
	socket->frames = 0;
	http_connection_enter(connection, HTTP_CONNECTION_SOCKET);
	buffer_clear(frames);
	if (!websocket_frame_ping(frames) ||
		(text != NULL && !websocket_frame_text(frames, text, strlen(text))) ||
		!queue(socket, frames->data, frames->len))
		http_connection_close(connection, "out of memory");
}

/* ---- input ---- */

static void
answer_ping(WebSocket *socket)
{
	Buffer frame;

	buffer_init(&frame, WEBSOCKET_FRAME_MAX);
	if (!websocket_frame_pong(&frame, socket->input->control, socket->input->control_len) ||
		!queue(socket, frame.data, frame.len))
		http_connection_close(socket->connection, "out of memory");
	buffer_free(&frame);
}

/* The client's last frame, or ours to one that breaks the rules. */
static void
end_by_input(HttpConnection *connection, bool refused)
{
	WebSocket *socket = connection->socket;
	const WebSocketInput *input = socket->input;

	socket->peer_closed = true;
	socket->deaf = refused;
	if (connection->state == HTTP_CONNECTION_SOCKET)
		begin_closing(connection, input->code, input->reason);
	else
		finish_when_sent(connection);
}

/* What a frame of the client leads to; false when no further one is read. */
static bool
act_on(HttpConnection *connection, WebSocketInputKind kind)
{
	WebSocket *socket = connection->socket;
	bool open = connection->state == HTTP_CONNECTION_SOCKET;

	if (kind == WEBSOCKET_INPUT_CLOSE || kind == WEBSOCKET_INPUT_REFUSED)
	{
		end_by_input(connection, kind == WEBSOCKET_INPUT_REFUSED);
		return false;
	}
	if (++socket->frames > WEBSOCKET_FRAMES_MAX)
	{
		socket->input->code = WEBSOCKET_POLICY;
		socket->input->reason = "too many frames";
		end_by_input(connection, true);
		return false;
	}
	if (kind == WEBSOCKET_INPUT_PING && open)
		answer_ping(socket);
	return connection->state == HTTP_CONNECTION_SOCKET ||
		   connection->state == HTTP_CONNECTION_SOCKET_CLOSING;
}

static void
feed(HttpConnection *connection, const uint8_t *bytes, size_t len)
{
	WebSocket *socket = connection->socket;
	WebSocketInputKind kind;

	socket->silent = 0;
	if (socket->input == NULL)
	{
		socket->input = websocket_input_create();
		socket->unfinished = 0;
	}
	if (socket->input == NULL)
	{
		http_connection_close(connection, "out of memory");
		return;
	}
	websocket_input_feed(socket->input, bytes, len);
	do
		kind = websocket_input_next(socket->input);
	while (kind != WEBSOCKET_INPUT_MORE && act_on(connection, kind));
	if (kind == WEBSOCKET_INPUT_MORE && websocket_input_is_idle(socket->input))
	{
		websocket_input_free(socket->input);
		socket->input = NULL;
	}
}

void
websocket_read(HttpConnection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	struct evbuffer_iovec piece;

	if (connection->running)
		return;
	connection->running = true;
	while ((connection->state == HTTP_CONNECTION_SOCKET ||
			connection->state == HTTP_CONNECTION_SOCKET_CLOSING) &&
		   !connection->socket->peer_closed && evbuffer_peek(input, -1, NULL, &piece, 1) > 0 &&
		   piece.iov_len > 0)
	{
		feed(connection, piece.iov_base, piece.iov_len);
		wak_wipe(piece.iov_base, piece.iov_len);
		evbuffer_drain(input, piece.iov_len);
	}
	connection->running = false;
	if (connection->state == HTTP_CONNECTION_CLOSED)
	{
		http_connection_free(connection);
		return;
	}
	http_connection_discard(connection);
	if (connection->state == HTTP_CONNECTION_SOCKET_CLOSING)
		finish_when_sent(connection);
}

/* ---- for the owner ---- */

/* Nothing of this request has been promised yet: it can still be refused as any other. */
static bool
can_accept(HttpRequest *request)
{
	const HttpConnection *connection = request->state->connection;

	if (connection == NULL || connection->server->leaving)
	{
		http_respond_error(request, http_error(HTTP_ERROR_UNAVAILABLE), NULL, 0, NULL, 0);
		return false;
	}
	if (evbuffer_get_length(bufferevent_get_input(connection->bev)) > 0)
	{
		HttpError error = *http_error(HTTP_ERROR_VALIDATION);

		error.message = "nothing may be sent before the handshake is answered";
		http_respond_error(request, &error, NULL, 0, NULL, 0);
		return false;
	}
	return true;
}

WebSocket *
websocket_accept(HttpRequest *request, const WebSocketEvents *events, void *owner)
{
	char key[WEBSOCKET_ACCEPT_SIZE];
	const HttpHeader headers[] = {
		{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", key}};
	HttpConnection *connection = request->state->connection;
	WebSocket *socket;

	if (!can_accept(request))
		return NULL;
	socket = calloc(1, sizeof(*socket));
	if (socket == NULL || !websocket_accept_key(request, key))
	{
		free(socket);
		http_respond_error(request, http_error(HTTP_ERROR_UNAVAILABLE), NULL, 0, NULL, 0);
		return NULL;
	}
	*socket = (WebSocket){.connection = connection, .events = events, .owner = owner};
	connection->socket = socket;
	connection->last = false;
	http_respond(request, 101, headers, sizeof(headers) / sizeof(headers[0]), NULL, NULL);
	if (!socket->open)
	{
		/* it became a 500, or the connection has broken and is gone */
		free(socket);
		return NULL;
	}
	return socket;
}

bool
websocket_send(WebSocket *socket, const char *frames, size_t len)
{
	HttpConnection *connection = socket->connection;

	if (look_at_queue(socket) > (size_t) connection->server->limits.socket_output_bytes)
	{
		socket->owned = false;
		begin_closing(connection, WEBSOCKET_SLOW_READER, "client reads too slowly");
		return false;
	}
	if (queue(socket, frames, len))
		return true;
	socket->owned = false;
	http_connection_close(connection, "out of memory");
	return false;
}

size_t
websocket_queued(const WebSocket *socket)
{
	return evbuffer_get_length(output_of(socket));
}

void
websocket_close(WebSocket *socket, int code, const char *reason)
{
	socket->owned = false;
	begin_closing(socket->connection, code, reason);
}
