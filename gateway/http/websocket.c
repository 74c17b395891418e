/*
 * websocket.c
 *		WebSockets: the opening handshake (RFC 6455, 4.2), and a socket on its connection.
 *
 * A refused request for a WebSocket always ends its connection.  A proxy may believe that
 * every such request succeeds, and then pass on all further bytes of the client without
 * checking them.  Such bytes must not be served as requests.
 *
 * A WebSocket always ends through begin_closing(), which sends a close frame, or through
 * http_connection_close(), when no close frame can be sent.
 */
#include "http/websocket.h"

#include <event2/buffer.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/input.h"
#include "http/server.h"

#define VERSION "13"
#define KEY_LENGTH 24 /* 16 bytes in base64 */
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define SHA1_LENGTH 20
#define ACCEPT_SIZE 29 /* 20 bytes in base64, and a NUL */

/* How many heartbeats a client may leave unanswered, and how many a message may take. */
#define SILENT_MAX 3
#define UNFINISHED_MAX 1

struct WebSocket
{
	HttpConnection *connection;
	const WebSocketEvents *events;
	void *owner;
	WebSocketInput *input; /* NULL: between two messages of the client */
	size_t queued;         /* bytes in the output when look_at_queue() was last called */
	int frames;            /* frames that came since the last heartbeat */
	int silent;            /* heartbeats since anything came */
	int unfinished;        /* heartbeats since the current message or frame began */
	bool open;             /* the 101 was sent or queued */
	bool owned;            /* the owner may use it */
	bool moved;            /* some output has been sent since the last heartbeat */
	bool peer_closed;      /* the client's close frame came, or its input was refused */
	bool deaf;             /* the client's input was refused, and is discarded from then on */
};

/* ---- the handshake ---- */

bool
websocket_requested(const HttpRequest *request)
{
	return http_request_header_has(request, "upgrade", "websocket");
}

static bool
is_one(const HttpRequest *request, const char *name, const char *value)
{
	size_t count;
	const HttpText *text = http_request_header(request, name, &count);

	return count == 1 && strcasecmp(text->data, value) == 0;
}

/* The key is 16 bytes in base64: 22 digits, of which the last has 4 zero bits, and "==". */
static bool
key_valid(const HttpRequest *request)
{
	static const char last[] = "AQgw";
	size_t count;
	const HttpText *key = http_request_header(request, "sec-websocket-key", &count);
	unsigned char bytes[KEY_LENGTH];

	return count == 1 && key->len == KEY_LENGTH &&
		   memcmp(key->data + KEY_LENGTH - 2, "==", 2) == 0 &&
		   strchr(last, key->data[KEY_LENGTH - 3]) != NULL &&
		   memchr(key->data, '=', KEY_LENGTH - 2) == NULL &&
		   EVP_DecodeBlock(bytes, (const unsigned char *) key->data, KEY_LENGTH) >= 0;
}

/* Whether the origin without its scheme is the same as the Host header. */
static bool
is_same_host(const HttpText *origin, const HttpText *host)
{
	static const char *const schemes[] = {"https://", "http://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
	{
		size_t len = strlen(schemes[i]);

		if (origin->len == len + host->len && memcmp(origin->data, schemes[i], len) == 0 &&
			strncasecmp(origin->data + len, host->data, host->len) == 0)
			return true;
	}
	return false;
}

static bool
origin_allowed(const HttpRequest *request)
{
	const HttpConnection *connection = request->state->connection;
	size_t count;
	const HttpText *origin = http_request_header(request, "origin", &count);
	const HttpText *host = http_request_header(request, "host", NULL);

	if (origin == NULL)
		return true;
	return count == 1 && (is_same_host(origin, host) ||
						  (connection != NULL &&
						   http_cors_origin(&connection->server->origins, request) != NULL));
}

static void
refuse(HttpRequest *request, HttpErrorKind kind, const char *message)
{
	static const HttpHeader version = {"Sec-WebSocket-Version", VERSION};
	HttpError error = *http_error(kind);

	error.message = message;
	http_respond_error(request, &error, NULL, 0, &version,
					   kind == HTTP_ERROR_UPGRADE_REQUIRED ? 1 : 0);
}

bool
websocket_check(HttpRequest *request)
{
	const HttpGuard *guard = &request->state->guard;

	if (request->method != HTTP_METHOD_GET ||
		!http_request_header_has(request, "connection", "upgrade") ||
		!is_one(request, "upgrade", "websocket"))
		refuse(request, HTTP_ERROR_UPGRADE_REQUIRED, "this is for WebSockets only");
	else if (!is_one(request, "sec-websocket-version", VERSION))
		refuse(request, HTTP_ERROR_UPGRADE_REQUIRED, "only version 13 of WebSocket is supported");
	else if (!key_valid(request))
		refuse(request, HTTP_ERROR_VALIDATION, "request must have one valid Sec-WebSocket-Key");
	else if (guard->chunked || guard->content_length > 0)
		refuse(request, HTTP_ERROR_VALIDATION, "a request for a WebSocket must have no body");
	else if (http_request_header_has(request, "connection", "close"))
		refuse(request, HTTP_ERROR_VALIDATION, "a request for a WebSocket must not ask for an end");
	else if (!origin_allowed(request))
		refuse(request, HTTP_ERROR_FORBIDDEN, "pages of this origin may not connect");
	else
		return true;
	return false;
}

/* Computes the value of Sec-WebSocket-Accept. */
static bool
accept_key(const HttpRequest *request, char text[ACCEPT_SIZE])
{
	const HttpText *key = http_request_header(request, "sec-websocket-key", NULL);
	unsigned char joined[KEY_LENGTH + sizeof(GUID) - 1];
	unsigned char digest[SHA1_LENGTH];

	if (key == NULL || key->len != KEY_LENGTH)
		return false;
	memcpy(joined, key->data, KEY_LENGTH);
	memcpy(joined + KEY_LENGTH, GUID, sizeof(GUID) - 1);
	return EVP_Digest(joined, sizeof(joined), digest, NULL, EVP_sha1(), NULL) == 1 &&
		   EVP_EncodeBlock((unsigned char *) text, digest, sizeof(digest)) == ACCEPT_SIZE - 1;
}

/* ---- the socket ---- */

static struct evbuffer *
output_of(const WebSocket *socket)
{
	return bufferevent_get_output(socket->connection->bev);
}

/* Returns how much is queued, and notes whether that is less than the last time. */
static size_t
look_at_queue(WebSocket *socket)
{
	size_t now = evbuffer_get_length(output_of(socket));

	socket->moved |= now < socket->queued;
	socket->queued = now;
	return now;
}

/* Tells the owner, if there still is one, that it must not use the socket any more. */
static void
disown(WebSocket *socket, int code, const char *reason)
{
	bool owned = socket->owned;

	socket->owned = false;
	if (owned)
		socket->events->closed(socket->owner, code, reason);
}

/* Waits until the client's close frame has come, or its input was refused. */
void
websocket_finish(HttpConnection *connection)
{
	const WebSocket *socket = connection->socket;

	/* The input that is being handled must stay; run_socket() calls this again after it. */
	if (connection->running || !socket->peer_closed || evbuffer_get_length(output_of(socket)) > 0)
		return;
	connection->last = true;
	connection->refused = socket->deaf;
	http_connection_linger(connection);
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

/* Sends a close frame with the reason, and waits for the client's, unless that has come. */
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
		websocket_finish(connection);
	else
		http_connection_close(connection, "out of memory");
}

/* ---- for the connection ---- */

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
		return; /* websocket_accept() frees it */
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
		websocket_finish(connection);
	else if (socket->owned)
		socket->events->drained(socket->owner);
}

/*
 * Every client answers a ping by itself, without help of the application.  So a client that is
 * gone without closing the connection is noticed.
 */
void
websocket_beat(HttpConnection *connection)
{
	WebSocket *socket = connection->socket;
	Buffer *frames = &connection->server->answer_head.text;
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

/* Ends the socket after the client's close frame, or because its input is refused. */
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
		websocket_finish(connection);
}

static bool
lives(const HttpConnection *connection)
{
	return connection->state == HTTP_CONNECTION_SOCKET ||
		   connection->state == HTTP_CONNECTION_SOCKET_CLOSING;
}

bool
websocket_reads(const HttpConnection *connection)
{
	return lives(connection) && !connection->socket->peer_closed;
}

/* Acts on a frame of the client; false when no further frame is read. */
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
	return lives(connection);
}

void
websocket_feed(HttpConnection *connection, const void *bytes, size_t len)
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

/* ---- for the owner ---- */

/* Whether the request can become a socket; if not, it is refused as any other request. */
static bool
can_accept(HttpRequest *request)
{
	const HttpConnection *connection = request->state->connection;

	if (connection == NULL || connection->server->leaving)
	{
		http_respond_error(request, http_error(HTTP_ERROR_UNAVAILABLE), NULL, 0, NULL, 0);
		return false;
	}
	if (http_input_len(connection) > 0)
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
	char key[ACCEPT_SIZE];
	const HttpHeader headers[] = {
		{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", key}};
	HttpConnection *connection = request->state->connection;
	WebSocket *socket;

	if (!can_accept(request))
		return NULL;
	socket = calloc(1, sizeof(*socket));
	if (socket == NULL || !accept_key(request, key))
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
		/* The answer became a 500, or the connection has been closed. */
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
