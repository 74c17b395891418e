/*
 * connection.c
 *		One connection of a client, as a state machine; see connection.h.
 *
 * Events come from input.c (http_connection_input_came and _ended), from libevent (on_read,
 * on_write, on_event), from the deadlines (http_connection_expire) and from the handler's
 * answer (http_respond).  All of them end in http_connection_enter() or
 * http_connection_close(), or in http_turns_join().
 *
 * Only run() and run_socket() handle input, and they are never nested.  When a handler answers
 * immediately, its answer is sent while run() is active.  run() then ends, and the connection
 * takes another turn if it has more input.  A closed connection is freed at once, unless run()
 * or run_socket() is active; then that function frees it.
 *
 * No input or output of a client stays in memory.  Input is wiped by input.c, output by send.c.
 */
#include "http/connection.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "src/common/memory.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "http/input.h"
#include "http/output.h"
#include "http/server.h"
#include "http/tls.h"
#include "http/turns.h"
#include "http/websocket.h"

/* The names of the states in the log. */
static const char *const state_names[HTTP_CONNECTION_STATES] = {
	[HTTP_CONNECTION_HANDSHAKE] = "handshake", [HTTP_CONNECTION_IDLE] = "idle",
	[HTTP_CONNECTION_HEAD] = "head",           [HTTP_CONNECTION_BODY] = "body",
	[HTTP_CONNECTION_ANSWER] = "answer",       [HTTP_CONNECTION_WRITE] = "write",
	[HTTP_CONNECTION_SOCKET] = "socket",       [HTTP_CONNECTION_SOCKET_CLOSING] = "socket closing",
	[HTTP_CONNECTION_LINGER] = "linger",       [HTTP_CONNECTION_CLOSED] = "closed",
};

/* The time that a connection may stay in a state. */
static int
period_of(const HttpLimits *limits, HttpConnectionState state)
{
	switch (state)
	{
		case HTTP_CONNECTION_HANDSHAKE:
		case HTTP_CONNECTION_HEAD:
			return limits->head_ms;
		case HTTP_CONNECTION_IDLE:
			return limits->idle_ms;
		case HTTP_CONNECTION_BODY:
			return limits->body_period_ms;
		case HTTP_CONNECTION_ANSWER:
			return limits->answer_ms;
		case HTTP_CONNECTION_WRITE:
			return limits->write_period_ms;
		case HTTP_CONNECTION_SOCKET:
			return limits->socket_heartbeat_ms;
		case HTTP_CONNECTION_SOCKET_CLOSING:
			return limits->socket_close_ms;
		case HTTP_CONNECTION_LINGER:
			return limits->linger_ms;
		case HTTP_CONNECTION_CLOSED:
		case HTTP_CONNECTION_STATES:
			break;
	}
	return 0;
}

void
http_connection_enter(HttpConnection *connection, HttpConnectionState state)
{
	HttpServer *server = connection->server;

	if (connection->state != HTTP_CONNECTION_CLOSED)
		TAILQ_REMOVE(&server->lists[connection->state], connection, link);
	connection->state = state;
	connection->deadline_ms = clock_monotonic_ms() + period_of(&server->limits, state);
	if (state != HTTP_CONNECTION_CLOSED)
		TAILQ_INSERT_TAIL(&server->lists[state], connection, link);
}

static struct evbuffer *
output_of(const HttpConnection *connection)
{
	return bufferevent_get_output(connection->bev);
}

/* ---- the end ---- */

static void
free_closed(HttpConnection *connection)
{
	http_input_close(connection);
	http_output_forget(connection);
	bufferevent_free(connection->bev);
	free(connection);
}

static size_t
body_len(const HttpConnection *connection)
{
	return connection->request != NULL ? connection->request->guard.body.len : 0;
}

/* Counts the bytes of bodies that are in memory; a negative number: that have left it. */
static void
count_body(HttpConnection *connection, ssize_t bytes)
{
	if (bytes == 0)
		return;
	connection->server->body_bytes += (size_t) bytes;
	http_peers_add_bytes(connection->server->peers, connection->peer_key, bytes);
}

/* The connection releases its request. */
static void
release_request(HttpConnection *connection)
{
	HttpRequestState *request = connection->request;

	if (request == NULL)
		return;
	count_body(connection, -(ssize_t) body_len(connection));
	connection->request = NULL;
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
	http_turns_leave(connection);
	release_request(connection);
	http_stream_end(&connection->stream);
	if (connection->socket != NULL)
		websocket_lost(connection);
	if (connection->tls)
		http_tls_shutdown(connection->bev);
	http_server_forget(connection->server, connection);
	if (!connection->running)
		free_closed(connection);
}

bool
http_connection_is_idle(const HttpConnection *connection)
{
	return connection->request == NULL && !http_turns_waits(connection) &&
		   (connection->state == HTTP_CONNECTION_IDLE ||
			connection->state == HTTP_CONNECTION_HEAD ||
			connection->state == HTTP_CONNECTION_HANDSHAKE) &&
		   http_input_len(connection) == 0;
}

HttpSendResult
http_connection_send(HttpConnection *connection, const Buffer *head, Buffer *body)
{
	return http_send(connection->bev, !connection->tls, head, body);
}

/* ---- after an answer ---- */

/* Whether requests are read in this state. */
static bool
reads(const HttpConnection *connection)
{
	return connection->state == HTTP_CONNECTION_IDLE || connection->state == HTTP_CONNECTION_HEAD ||
		   connection->state == HTTP_CONNECTION_BODY;
}

/*
 * Stops reading when a client sends too far ahead, and resumes when input is needed.
 * libevent's own high watermark cannot be used, because libevent calls the read callback again
 * and again while the input stays at the mark.
 */
static void
pause_or_resume(HttpConnection *connection)
{
	bool pause = (!reads(connection) || http_turns_waits(connection)) &&
				 http_input_len(connection) >= HTTP_INPUT_MAX;

	if (pause == connection->paused || connection->input_ended)
		return;
	connection->paused = pause;
	http_input_pause(connection, pause);
}

/*
 * The last answer has been sent.  Closing a socket with unread input sends a reset, and the
 * client may then lose the answer.  So we first shut only our side, and read and discard the
 * client's input for a while.
 */
void
http_connection_linger(HttpConnection *connection)
{
	size_t unread = http_input_len(connection);

	if (connection->input_ended || (!connection->refused && unread == 0))
	{
		http_connection_close(connection, "last answer sent");
		return;
	}
	http_input_discard(connection);
	if (connection->tls)
		http_tls_shutdown(connection->bev);
	shutdown(bufferevent_getfd(connection->bev), SHUT_WR);
	http_connection_enter(connection, HTTP_CONNECTION_LINGER);
	pause_or_resume(connection);
}

/* An answer was sent.  True: the next request may be read, and its input may already be here. */
static bool
go_on(HttpConnection *connection)
{
	if (connection->last)
	{
		http_connection_linger(connection);
		return false;
	}
	http_connection_enter(connection, HTTP_CONNECTION_IDLE);
	return true;
}

/* The bytes of the answer that the kernel does not have yet. */
static size_t
unsent(const HttpConnection *connection)
{
	return evbuffer_get_length(output_of(connection)) + connection->stream.left;
}

/* The answer was given to the socket: goes on, waits or closes.  True: as for go_on(). */
static bool
answered(HttpConnection *connection, HttpSendResult result)
{
	release_request(connection);
	if (result == HTTP_SEND_FAILED)
		http_connection_close(connection, "out of memory");
	else if (connection->socket != NULL)
		websocket_begin(connection);
	else if (result == HTTP_SENT && connection->stream.source == NULL)
		return go_on(connection);
	else
	{
		connection->progress = unsent(connection);
		http_connection_enter(connection, HTTP_CONNECTION_WRITE);
		if (result == HTTP_SENT)
			http_stream_ask(&connection->stream);
	}
	return false;
}

/* ---- answers ---- */

static void
tell_observer(const HttpServer *server, const HttpRequestState *request, int status)
{
	const HttpRequest *public = &request->request;

	if (server->observe == NULL)
		return;
	server->observe(public->path.len > 0 ? http_method_name(public->method) : "",
					request->route != NULL ? request->route : "", status,
					clock_monotonic_us() - public->start_us, server->observe_context);
}

/* What is still to come of the request's body is discarded. */
static void
refuse_rest(HttpConnection *connection)
{
	connection->refused = true;
	connection->last = true;
}

/*
 * Sends an answer.  If it is invalid, its place in the local copy is taken by a 500, whose body
 * is freed before this returns.  True: the caller has to handle input again.  False: the
 * connection may have been freed.
 */
static bool
send_answer(HttpConnection *connection, HttpRequestState *request, HttpAnswer answer)
{
	HttpServer *server = connection->server;
	HttpAnswerHead *head = &server->answer_head;
	HttpMethod method = request->request.method;
	Buffer own = {0};
	bool has_body;
	HttpSendResult sent;

	if (server->leaving)
		connection->last = true;
	if (request->streaming)
		refuse_rest(connection);
	if (!http_answer_make_head(head, &answer, request, &server->origins, connection->last))
	{
		log_line(LOG_LEVEL_ERROR, "answer_invalid", log_text("request_id", request->id),
				 log_text("route", request->route));
		answer = http_answer_error(http_error(HTTP_ERROR_INTERNAL), NULL, 0, &own);
		connection->socket = NULL; /* it has not become one */
		http_answer_make_head(head, &answer, request, &server->origins, connection->last);
	}

	has_body = http_answer_has_body(&answer, method);
	http_answer_log(&answer, request, has_body ? http_answer_length(&answer) : 0, false);
	tell_observer(server, request, answer.status);
	if (has_body && answer.stream != NULL)
	{
		connection->stream = *answer.stream;
		answer.stream->source = NULL;
	}
	sent = http_connection_send(connection, &head->text, has_body ? answer.body : NULL);
	buffer_free(&own);
	wak_wipe(head->text.data, head->text.len); /* it may have set a cookie */
	return answered(connection, sent);
}

/*
 * Refuses the request that is being read, or ends one that takes too long: answers with an
 * error of the table, with the reason as its message, and closes the connection after that.
 */
static void
refuse(HttpConnection *connection, HttpErrorKind kind, const char *reason)
{
	HttpError error = *http_error(kind);
	HttpAnswer answer;
	Buffer body;

	error.message = reason;
	answer = http_answer_error(&error, NULL, 0, &body);
	answer.refused = reason;
	http_request_set_id(connection->request);
	connection->last = true;
	connection->refused = true;
	send_answer(connection, connection->request, answer);
	buffer_free(&body);
}

/* ---- from input to requests ---- */

/*
 * Asks the server's user for the maximum size of the body that follows.  An unwanted body is
 * read if it is short, so that the connection can go on.
 */
static void
limit_body(const HttpServer *server, HttpRequestState *request)
{
	HttpGuard *guard = &request->guard;
	size_t limit = HTTP_BODY_MAX;

	if (server->body_limit != NULL && (guard->chunked || guard->content_length > 0))
		limit = server->body_limit(&request->request, server->context);
	request->streaming = limit == HTTP_BODY_STREAMED;
	if (limit == HTTP_BODY_UNWANTED)
	{
		request->unwanted = guard->chunked || guard->content_length > HTTP_BODY_SHORT;
		limit = HTTP_BODY_MAX;
	}
	guard->body.max = limit;
}

/* Checks the complete head; false when the request was refused. */
static bool
end_head(HttpConnection *connection)
{
	HttpRequestState *request = connection->request;
	HttpErrorKind kind;
	const char *wrong = http_request_end_head(request, &kind);

	if (wrong == NULL)
		limit_body(connection->server, request);
	if (wrong != NULL)
		refuse(connection, kind, wrong);
	else if (!request->unwanted && !request->streaming &&
			 request->guard.content_length > request->guard.body.max)
		refuse(connection, HTTP_ERROR_PAYLOAD_TOO_LARGE, "request body is too large");
	else if (request->guard.bad_expect)
		refuse(connection, HTTP_ERROR_EXPECTATION_FAILED, "expectation is not supported");
	else
		return true;
	return false;
}

/*
 * A body follows.  A client that expects 100-continue gets a 100 before it sends the body.
 * False: the connection was closed.
 */
static bool
begin_body(HttpConnection *connection)
{
	static const char word[] = "HTTP/1.1 100 Continue\r\n\r\n";

	connection->progress = 0;
	http_connection_enter(connection, HTTP_CONNECTION_BODY);
	if (connection->request->guard.has_expect && http_input_len(connection) == 0)
	{
		Buffer interim = {.data = (char *) word, .len = sizeof(word) - 1};

		if (http_connection_send(connection, &interim, NULL) == HTTP_SEND_FAILED)
		{
			http_connection_close(connection, "out of memory");
			return false;
		}
	}
	return true;
}

static void
hand_over(HttpConnection *connection)
{
	HttpRequestState *request = connection->request;
	HttpServer *server = connection->server;
	const Buffer *body = &request->guard.body;

	if (body->len > 0)
		request->request.body = (HttpText){body->data, body->len};
	if (http_request_header_has(&request->request, "connection", "close") ||
		websocket_requested(&request->request))
		connection->last = true; /* websocket_accept() resets it */
	request->handed_over = true;
	http_connection_enter(connection, HTTP_CONNECTION_ANSWER);
	server->handle(&request->request, server->context);
}

/* The handler does not need the body; what arrives of it is discarded. */
static void
hand_over_without_body(HttpConnection *connection)
{
	refuse_rest(connection);
	hand_over(connection);
}

/*
 * The bytes that were just read are for a sink.  The maximum of the body shrinks with each, so
 * the guard needs no other.  False: the sink has answered the request.
 */
static bool
give_to_sink(HttpConnection *connection, HttpRequestState *request)
{
	Buffer *body = &request->guard.body;
	bool more;

	if (request->sink == NULL || body->len == 0)
		return true;
	more = request->sink->part(request->sink_context, body->data, body->len);
	if (connection->request != request)
		return false;
	count_body(connection, -(ssize_t) body->len);
	wak_wipe(body->data, body->len);
	body->max -= body->len;
	buffer_clear(body);
	if (!more)
		http_connection_enter(connection, HTTP_CONNECTION_ANSWER);
	return true;
}

/* A body that was streamed has ended. */
static void
end_stream(HttpConnection *connection)
{
	HttpRequestState *request = connection->request;

	request->streaming = false;
	http_connection_enter(connection, HTTP_CONNECTION_ANSWER);
	request->sink->end(request->sink_context);
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
	connection->request->proxies = &connection->server->proxies;

	/* For the first head of a connection the time runs from the accept. */
	if (connection->state != HTTP_CONNECTION_HEAD)
		http_connection_enter(connection, HTTP_CONNECTION_HEAD);
	return true;
}

static void
refuse_for_room(HttpConnection *connection)
{
	refuse(connection, HTTP_ERROR_UNAVAILABLE, "too many request bodies at once");
}

/* The largest body that arrives from the address that holds most; NULL: none does. */
static HttpConnection *
largest_body(const HttpServer *server)
{
	HttpConnection *largest = NULL;
	HttpConnection *c;
	HttpPeerKey key;

	if (!http_peers_most_bytes(server->peers, &key))
		return NULL;
	TAILQ_FOREACH(c, &server->lists[HTTP_CONNECTION_BODY], link)
	if (http_peers_same(c->peer_key, key) && body_len(c) > (largest ? body_len(largest) : 0))
		largest = c;
	return largest;
}

/*
 * Refuses bodies until all of them fit, from the address that holds most, so that no client can
 * keep the bodies of others out.  False: the connection's own was refused.
 */
static bool
make_body_room(HttpConnection *connection)
{
	HttpServer *server = connection->server;

	while (server->body_bytes > HTTP_BODIES_MAX)
	{
		HttpConnection *largest = largest_body(server);

		if (largest == NULL || largest == connection)
		{
			refuse_for_room(connection);
			return false;
		}
		refuse_for_room(largest);
	}
	return true;
}

/* Acts on what the guard has found in the bytes that it has just read. */
static void
act_on(HttpConnection *connection, HttpGuardResult result)
{
	HttpRequestState *request = connection->request;
	bool head_ended = request->arrays != NULL;

	if (result == HTTP_GUARD_REFUSED)
		refuse(connection, request->guard.error, request->guard.reason);
	else if (!make_body_room(connection) || result == HTTP_GUARD_MORE ||
			 (!head_ended && !end_head(connection)))
		return;
	else if (result == HTTP_GUARD_HEAD && request->unwanted)
		hand_over_without_body(connection);
	else if (result == HTTP_GUARD_HEAD && request->streaming)
		hand_over(connection);
	else if (result == HTTP_GUARD_HEAD)
		begin_body(connection);
	else if (request->streaming)
		end_stream(connection);
	else
		hand_over(connection);
}

/* The bytes of a piece of input that are read at once for a sink. */
static size_t
part_of(const struct iovec *piece)
{
	return piece->iov_len < HTTP_PART_MAX ? piece->iov_len : HTTP_PART_MAX;
}

/* Gives the first bytes of the input to the guard. */
static void
feed(HttpConnection *connection, const struct iovec *piece)
{
	HttpRequestState *request;
	HttpGuardResult result;
	size_t body_before;
	size_t used;

	if (connection->request == NULL && !begin_request(connection))
		return;
	request = connection->request;
	body_before = request->guard.body.len;
	result = http_guard_feed(&request->guard, piece->iov_base,
							 request->sink != NULL ? part_of(piece) : piece->iov_len, &used);
	connection->progress += used;

	http_input_drain(connection, piece->iov_base, used);
	/* The sink may answer, which releases the request with the bytes that it has. */
	count_body(connection, (ssize_t) (request->guard.body.len - body_before));
	if (give_to_sink(connection, request))
		act_on(connection, result);
}

/* Whether there is input that can be handled now. */
static bool
has_input(const HttpConnection *connection)
{
	return reads(connection) && http_input_len(connection) > 0;
}

/*
 * Goes on after input was handled or an answer was sent: with the rest of the input in another
 * turn, or to the end if nothing more will come.
 */
static void
go_on_reading(HttpConnection *connection)
{
	if (connection->running)
		return;
	pause_or_resume(connection);
	if (has_input(connection) || (connection->unread && !connection->paused))
		http_turns_join(connection);
	else if (connection->input_ended && (reads(connection) || connection->tls))
		http_connection_close(connection, "client closed");
}

/* Handles the input, as far as the state allows, until a request was answered. */
static void
run(HttpConnection *connection)
{
	struct iovec piece;

	connection->running = true;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it is not freed while it is running */
	while (reads(connection) && http_input_first(connection, &piece))
	{
		feed(connection, &piece);
		if (connection->state == HTTP_CONNECTION_IDLE)
			break;
	}
	connection->running = false;
	if (connection->state == HTTP_CONNECTION_CLOSED)
		free_closed(connection);
	else
		go_on_reading(connection);
}

/* The same for a WebSocket.  Input that is not read is discarded. */
static void
run_socket(HttpConnection *connection)
{
	struct iovec piece;

	if (connection->running)
		return;
	connection->running = true;
	while (websocket_reads(connection) && http_input_first(connection, &piece))
	{
		websocket_feed(connection, piece.iov_base, piece.iov_len);
		http_input_drain(connection, piece.iov_base, piece.iov_len);
	}
	connection->running = false;
	if (connection->state == HTTP_CONNECTION_CLOSED)
	{
		free_closed(connection);
		return;
	}
	http_input_discard(connection);
	if (connection->input_ended)
		http_connection_close(connection, "client closed");
	else
		websocket_finish(connection);
}

/* ---- called by handlers ---- */

/* Sends the handler's answer, if the client is still there; frees the body. */
static void
respond(HttpRequest *request, const HttpAnswer *answer)
{
	HttpRequestState *state = request->state;
	HttpConnection *connection = state->connection;
	bool more = false;

	state->answered = true;
	if (connection != NULL)
		more = send_answer(connection, state, *answer);
	else
		http_answer_log(answer, state, 0, true);
	if (answer->body != NULL)
		buffer_free(answer->body);
	if (answer->stream != NULL)
		http_stream_end(answer->stream);
	http_request_finish(state);
	if (more)
		go_on_reading(connection);
}

void
http_request_set_owner(HttpRequest *request, const FairOwner *owner)
{
	HttpConnection *connection = request->state->connection;

	if (connection == NULL)
		return;
	connection->owner =
		owner != NULL ? *owner : http_peers_owner(connection->server->peers, connection->peer_key);
}

void
http_request_keep(HttpRequest *request)
{
	HttpConnection *connection = request->state->connection;

	if (connection != NULL && connection->state == HTTP_CONNECTION_ANSWER)
		http_connection_enter(connection, HTTP_CONNECTION_ANSWER);
}

void
http_body_take(HttpRequest *request, const HttpBodySink *sink, void *context)
{
	HttpRequestState *state = request->state;
	HttpConnection *connection = state->connection;

	if (connection == NULL)
		return;
	state->sink = sink;
	state->sink_context = context;
	if (!state->streaming) /* there is none */
	{
		sink->end(context);
		return;
	}
	state->guard.body.max = sink->max;
	if (state->guard.content_length > sink->max)
	{
		refuse(connection, HTTP_ERROR_PAYLOAD_TOO_LARGE, "request body is too large");
		return;
	}
	if (begin_body(connection))
		go_on_reading(connection);
}

void
http_body_resume(HttpRequest *request)
{
	HttpConnection *connection = request->state->connection;

	if (connection == NULL || !request->state->streaming ||
		connection->state != HTTP_CONNECTION_ANSWER)
		return;
	connection->progress = 0;
	http_connection_enter(connection, HTTP_CONNECTION_BODY);
	go_on_reading(connection);
}

void
http_respond(HttpRequest *request, int status, const HttpHeader *headers, size_t n_headers,
			 const char *content_type, Buffer *body)
{
	HttpAnswer answer = {
		.status = status,
		.headers = headers,
		.n_headers = n_headers,
		.content_type = content_type,
		.body = body,
	};

	respond(request, &answer);
}

void
http_respond_stream(HttpRequest *request, int status, const HttpHeader *headers, size_t n_headers,
					const char *content_type, uint64_t length, const HttpSource *source,
					void *context)
{
	HttpStream stream = {.source = source, .context = context, .left = length};
	HttpAnswer answer = {
		.status = status,
		.headers = headers,
		.n_headers = n_headers,
		.content_type = content_type,
		.stream = &stream,
	};

	respond(request, &answer);
}

void
http_respond_error(HttpRequest *request, const HttpError *error, const HttpDetail *details,
				   size_t n_details, const HttpHeader *headers, size_t n_headers)
{
	Buffer body;
	HttpAnswer answer = http_answer_error(error, details, n_details, &body);

	answer.headers = headers;
	answer.n_headers = n_headers;
	respond(request, &answer);
}

/* ---- events ---- */

void
http_connection_input_came(HttpConnection *connection)
{
	if (connection->socket != NULL && connection->state != HTTP_CONNECTION_LINGER)
	{
		run_socket(connection);
		return;
	}
	if (connection->state != HTTP_CONNECTION_LINGER)
	{
		run(connection);
		return;
	}
	connection->lingered += http_input_discard(connection);
	if (connection->input_ended)
		http_connection_close(connection, "client closed");
	else if (connection->lingered > HTTP_LINGER_BYTES_MAX)
		http_connection_close(connection, "client does not stop sending");
}

void
http_connection_take_turn(HttpConnection *connection)
{
	if (connection->state == HTTP_CONNECTION_HANDSHAKE)
		http_input_begin_tls(connection);
	else if (connection->unread && !connection->paused && !has_input(connection))
		http_input_read(connection);
	else
		http_connection_input_came(connection);
}

void
http_connection_input_ended(HttpConnection *connection, bool broken)
{
	if (broken)
	{
		http_connection_close(connection, connection->state == HTTP_CONNECTION_HANDSHAKE
											  ? "TLS handshake failed"
											  : "connection broke");
		return;
	}
	connection->input_ended = true;
	if (http_turns_waits(connection))
		return; /* what came before the end is handled first */
	/* At the end of a TLS stream libevent stops writing too. */
	if (connection->tls || connection->socket != NULL ||
		connection->state == HTTP_CONNECTION_LINGER)
		http_connection_close(connection, "client closed");
	else
		run(connection);
}

/* libevent has decrypted some input. */
static void
on_read(struct bufferevent *bev, void *context)
{
	HttpConnection *connection = context;

	(void) bev;
	if (http_turns_join(connection))
		pause_or_resume(connection);
}

static void
on_write(struct bufferevent *bev, void *context)
{
	HttpConnection *connection = context;

	if (evbuffer_get_length(bufferevent_get_output(bev)) > 0)
		return;
	if (connection->state == HTTP_CONNECTION_WRITE && connection->stream.source != NULL)
		http_stream_ask(&connection->stream);
	else if (connection->state == HTTP_CONNECTION_WRITE)
	{
		if (go_on(connection))
			go_on_reading(connection);
	}
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
	else if (what & (BEV_EVENT_ERROR | BEV_EVENT_EOF))
		http_connection_input_ended(connection, (what & BEV_EVENT_ERROR) != 0);
}

bool
http_connection_start(HttpServer *server, struct bufferevent *bev, int fd, bool tls,
					  const char *peer, HttpPeerKey peer_key)
{
	HttpConnection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL)
	{
		bufferevent_free(bev);
		if (tls)
			close(fd);
		return false;
	}
	connection->server = server;
	connection->bev = bev;
	connection->tls = tls;
	connection->state = HTTP_CONNECTION_CLOSED;
	connection->peer_key = peer_key;
	connection->owner = http_peers_owner(server->peers, peer_key);
	strncpy(connection->peer, peer, sizeof(connection->peer) - 1);
	bufferevent_setcb(bev, on_read, on_write, on_event, connection);
	if (!http_input_open(connection, fd) || !http_output_watch(connection))
	{
		free_closed(connection);
		return false;
	}
	http_connection_enter(connection, tls ? HTTP_CONNECTION_HANDSHAKE : HTTP_CONNECTION_HEAD);
	return true;
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
			left = unsent(connection);
			if (connection->progress < left + (size_t) limits->write_period_bytes)
			{
				http_connection_close(connection, http_stream_is_late(&connection->stream)
													  ? "body came too slowly"
													  : "client reads too slowly");
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
