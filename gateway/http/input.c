/*
 * input.c
 *		From a connection's input to requests.
 *
 * Input is only looked at in http_connection_run(), which does not nest: an
 * answer that a handler gives at once comes back to the connection while it is
 * running, and the loop goes on from there.  What has been read is wiped before
 * libevent frees it.
 */
#include "http/connection.h"

#include <event2/buffer.h>

#include "src/common/memory.h"
#include "http/server.h"
#include "http/websocket.h"

/* Whether input is looked at in this state. */
static bool
reads(const HttpConnection *connection)
{
	return connection->state == HTTP_CONNECTION_IDLE || connection->state == HTTP_CONNECTION_HEAD ||
		   connection->state == HTTP_CONNECTION_BODY;
}

/*
 * Asks for the bound of the body that is to come.  One that nobody wants is read when it is
 * short, so that the connection can stay.
 */
static void
limit_body(const HttpServer *server, HttpRequestState *request)
{
	HttpGuard *guard = &request->guard;
	size_t limit = HTTP_BODY_MAX;

	if (server->body_limit != NULL && (guard->chunked || guard->content_length > 0))
		limit = server->body_limit(&request->request, server->context);
	if (limit == HTTP_BODY_UNWANTED)
	{
		request->unwanted = guard->chunked || guard->content_length > HTTP_BODY_SHORT;
		limit = HTTP_BODY_MAX;
	}
	guard->body_max = limit;
	request->body.max = limit;
}

/* What the head says may already be too much; false when the request is refused. */
static bool
end_head(HttpConnection *connection)
{
	HttpRequestState *request = connection->request;
	HttpErrorKind kind;
	const char *wrong = http_request_end_head(request, &kind);

	if (wrong == NULL)
		limit_body(connection->server, request);
	if (wrong != NULL)
		http_connection_refuse_kind(connection, kind, wrong);
	else if (!request->unwanted && request->guard.content_length > request->guard.body_max)
		http_connection_refuse_kind(connection, HTTP_ERROR_PAYLOAD_TOO_LARGE,
									"request body is too large");
	else if (request->guard.bad_expect)
		http_connection_refuse_kind(connection, HTTP_ERROR_EXPECTATION_FAILED,
									"expectation is not supported");
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

		if (http_connection_send(connection, &interim, NULL) == HTTP_SEND_FAILED)
			http_connection_close(connection, "out of memory");
	}
}

static void
hand_over(HttpConnection *connection)
{
	HttpRequestState *request = connection->request;
	HttpServer *server = connection->server;

	if (request->body.len > 0)
		request->request.body = (HttpText){request->body.data, request->body.len};
	if (!request->keep_alive || websocket_requested(&request->request))
		connection->last = true; /* unless it becomes a socket */
	request->handed_over = true;
	http_connection_enter(connection, HTTP_CONNECTION_ANSWER);
	server->handle(&request->request, server->context);
}

/* The handler needs no body for its answer: what comes of it is thrown away. */
static void
hand_over_without_body(HttpConnection *connection)
{
	connection->refused = true;
	connection->last = true;
	hand_over(connection);
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
		http_connection_refuse_kind(connection, request->guard.error, request->guard.reason);
	else if (!agreed && result == HTTP_GUARD_MORE && !head_ended)
		return; /* the guard sees soon what it is, and has the better word for it */
	else if (!agreed || request->complete != (result == HTTP_GUARD_DONE))
		http_connection_refuse_kind(connection, HTTP_ERROR_VALIDATION, "request is not valid HTTP");
	else if (connection->server->body_bytes > HTTP_BODIES_MAX)
		http_connection_refuse_kind(connection, HTTP_ERROR_UNAVAILABLE,
									"too many request bodies at once");
	else if (result == HTTP_GUARD_MORE || (!head_ended && !end_head(connection)))
		return;
	else if (result == HTTP_GUARD_HEAD && request->unwanted)
		hand_over_without_body(connection);
	else if (result == HTTP_GUARD_HEAD)
		begin_body(connection);
	else
		hand_over(connection);
}

/* Wipes and drains the first bytes of the input, which lie in one piece. */
static void
drain(struct evbuffer *input, void *bytes, size_t len)
{
	wak_wipe(bytes, len);
	evbuffer_drain(input, len);
}

size_t
http_connection_discard(HttpConnection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	size_t len = evbuffer_get_length(input);
	struct evbuffer_iovec piece;

	while (evbuffer_peek(input, -1, NULL, &piece, 1) > 0 && piece.iov_len > 0)
		drain(input, piece.iov_base, piece.iov_len);
	return len;
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

	drain(input, piece.iov_base, used);
	act_on(connection, result, agreed);
}

/*
 * libevent's own high watermark is no use here: it calls the read callback again
 * and again while the input stays at the mark.
 */
void
http_connection_pause_or_resume(HttpConnection *connection)
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
		http_connection_pause_or_resume(connection);

	if (connection->state == HTTP_CONNECTION_CLOSED)
		http_connection_free(connection);
	else if (reads(connection) && connection->input_ended)
		http_connection_close(connection, "client closed");
}
