/*
 * http_wire.c
 *		A tiny server and its clients, for tests of the HTTP floor.
 */
#include "tests/unit/http_wire.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

#define READ_MS 15000

/* However little of its time this process got, so often the loop runs behind its end. */
#define LOOPS_BEHIND 20
#define TEXT_MAX (LARGE_BYTES + 64 * 1024)

static void
on_gone(HttpRequest *request, void *context)
{
	Wire *wire = context;

	ck_assert_ptr_eq(request, wire->held);
	wire->n_gone++;
}

static void
answer_echo(HttpRequest *request)
{
	Buffer body;

	buffer_init(&body, 2 * HTTP_BODY_MAX);
	buffer_printf(&body, "%s %s [%s]", http_method_name(request->method), request->path.data,
				  request->body.data);
	http_respond(request, 200, NULL, 0, "text/plain", &body);
}

static void
answer_large(HttpRequest *request)
{
	Buffer body;

	buffer_init(&body, LARGE_BYTES);
	buffer_reserve(&body, LARGE_BYTES);
	memset(body.data, 'x', LARGE_BYTES);
	body.len = LARGE_BYTES;
	http_respond(request, 200, NULL, 0, "text/plain", &body);
}

static void
on_socket_drained(void *owner)
{
	((Wire *) owner)->n_drained++;
}

/* Gives what the file still has, in pieces. */
static void
on_next(void *context, HttpStream *stream)
{
	static char piece[HTTP_STREAM_PIECE];
	Wire *wire = context;
	ssize_t len = wire->waits ? 0 : read(wire->file, piece, sizeof(piece));

	wire->n_pieces++;
	wire->stream = stream;
	if (len > 0)
		http_stream_give(stream, piece, (size_t) len);
	else if (!wire->waits)
		http_stream_break(stream, "the file is too short");
}

static void
on_end(void *context)
{
	Wire *wire = context;

	wire->stream = NULL;
	wire->n_ended++;
}

static void
answer_stream(Wire *wire, HttpRequest *request)
{
	static const HttpSource source = {.next = on_next, .end = on_end};

	http_respond_stream(request, 200, NULL, 0, "text/plain", wire->file_length, &source, wire);
}

static void
on_socket_closed(void *owner, int code, const char *reason)
{
	Wire *wire = owner;

	ck_assert_ptr_nonnull(reason);
	wire->socket = NULL;
	wire->n_closed++;
	wire->closed_code = code;
}

static void
answer_socket(Wire *wire, HttpRequest *request)
{
	static const WebSocketEvents events = {
		.heartbeat = "beat", .drained = on_socket_drained, .closed = on_socket_closed};

	if (websocket_check(request))
		wire->socket = websocket_accept(request, &events, wire);
}

/* The letter after the slash is the owner. */
static void
answer_of(HttpRequest *request)
{
	FairOwner owner = {.class = FAIR_ORG};

	memset(owner.group.bytes, request->segments[1].data[0], FAIR_KEY_SIZE);
	memset(owner.flow.bytes, request->segments[1].data[0], FAIR_KEY_SIZE);
	http_request_set_owner(request,
						   strcmp(request->segments[1].data, "nobody") == 0 ? NULL : &owner);
	answer_echo(request);
}

static const char *
first_segment(const HttpRequest *request)
{
	return request->n_segments > 0 ? request->segments[0].data : "";
}

static size_t
body_limit(const HttpRequest *request, void *context)
{
	const char *first = first_segment(request);

	ck_assert_ptr_nonnull(context);
	return strcmp(first, "small") == 0      ? 10
		   : strcmp(first, "unwanted") == 0 ? HTTP_BODY_UNWANTED
		   : strcmp(first, "stream") == 0   ? HTTP_BODY_STREAMED
											: HTTP_BODY_MAX;
}

static void
handle(HttpRequest *request, void *context)
{
	static const HttpHeader bad = {"X-Bad", "a\r\nX-Injected: b"};
	Wire *wire = context;
	const char *first = first_segment(request);

	wire->n_requests++;
	if (strcmp(first, "echo") == 0 || strcmp(first, "small") == 0 || strcmp(first, "unwanted") == 0)
		answer_echo(request);
	else if (strcmp(first, "of") == 0)
		answer_of(request);
	else if (strcmp(first, "empty") == 0)
		http_respond(request, 204, NULL, 0, NULL, NULL);
	else if (strcmp(first, "large") == 0)
		answer_large(request);
	else if (strcmp(first, "file") == 0)
		answer_stream(wire, request);
	else if (strcmp(first, "socket") == 0)
		answer_socket(wire, request);
	else if (strcmp(first, "bad") == 0)
		http_respond(request, 200, &bad, 1, NULL, NULL);
	else if (strcmp(first, "hold") == 0 || strcmp(first, "stream") == 0)
	{
		wire->held = request;
		http_request_on_gone(request, on_gone, wire);
	}
	else
	{
		http_request_set_route(request, "/{name}");
		http_request_set_key(request, "key_1");
		http_respond_error(request, http_error(HTTP_ERROR_NOT_FOUND), NULL, 0, NULL, 0);
	}
}

void
wire_start_tls(Wire *wire, const HttpLimits *limits, const char *certificate, const char *key)
{
	HttpServerConfig config = {
		.listen = "127.0.0.1:0",
		.tls_certificate = certificate,
		.tls_key = key,
		.limits = limits,
		.handle = handle,
		.body_limit = body_limit,
		.context = wire,
	};
	char error[256];

	log_set_level(LOG_LEVEL_ERROR);
	*wire = (Wire){.base = event_base_new()};
	wire->server = http_server_start(wire->base, &config, error, sizeof(error));
	ck_assert_msg(wire->server != NULL, "%s", error);
	ck_assert_int_gt(http_server_port(wire->server), 0);
}

void
wire_start(Wire *wire, const HttpLimits *limits)
{
	wire_start_tls(wire, limits, NULL, NULL);
}

void
wire_stop(Wire *wire)
{
	if (wire->server != NULL)
		http_server_free(wire->server);
	event_base_free(wire->base);
}

int
wire_connect(Wire *wire)
{
	return wire_connect_from(wire, "127.0.0.1");
}

int
wire_connect_from(Wire *wire, const char *from)
{
	struct sockaddr_in own = {.sin_family = AF_INET};
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t) http_server_port(wire->server)),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(inet_pton(AF_INET, from, &own.sin_addr), 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *) &own, sizeof(own)), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *) &address, sizeof(address)), 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	event_base_loop(wire->base, EVLOOP_NONBLOCK);
	return fd;
}

void
wire_send(Wire *wire, int fd, const char *data, size_t len)
{
	int64_t end = clock_monotonic_ms() + READ_MS;

	while (len > 0 && clock_monotonic_ms() < end)
	{
		ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

		if (sent > 0)
		{
			data += sent;
			len -= (size_t) sent;
		}
		else if (errno != EAGAIN)
			return; /* the server has had enough; the test looks at its answer */
		event_base_loop(wire->base, EVLOOP_NONBLOCK);
	}
}

void
wire_send_text(Wire *wire, int fd, const char *text)
{
	wire_send(wire, fd, text, strlen(text));
}

void
wire_run(Wire *wire, int ms)
{
	int64_t end = clock_monotonic_ms() + ms;

	do
	{
		event_base_loop(wire->base, EVLOOP_NONBLOCK);
		usleep(200);
	} while (clock_monotonic_ms() < end);
	for (int i = 0; ms > 0 && i < LOOPS_BEHIND; i++)
		event_base_loop(wire->base, EVLOOP_NONBLOCK);
}

const char *
wire_read(Wire *wire, int fd, const char *until, bool *closed)
{
	static char *text;
	size_t len = 0;
	int64_t end = clock_monotonic_ms() + READ_MS;

	if (text == NULL)
		text = malloc(TEXT_MAX + 1);
	ck_assert_ptr_nonnull(text);
	text[0] = '\0';
	*closed = false;
	while (clock_monotonic_ms() < end && !*closed && (until == NULL || strstr(text, until) == NULL))
	{
		ssize_t got;

		event_base_loop(wire->base, EVLOOP_NONBLOCK);
		got = recv(fd, text + len, TEXT_MAX - len, 0);
		if (got > 0)
			len += (size_t) got;
		else if (got == 0 || errno != EAGAIN)
			*closed = true;
		else
			usleep(100);
		text[len] = '\0';
	}
	return text;
}

const char *
wire_ask(Wire *wire, const char *request, const char *until)
{
	int fd = wire_connect(wire);
	bool closed;
	const char *answer;

	wire_send_text(wire, fd, request);
	answer = wire_read(wire, fd, until, &closed);
	close(fd);
	event_base_loop(wire->base, EVLOOP_NONBLOCK);
	return answer;
}

int
wire_status(const char *answer)
{
	return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

int
wire_count(const char *answers)
{
	int count = 0;

	for (const char *at = answers; (at = strstr(at, "HTTP/1.1 ")) != NULL; at++)
		if (at[9] >= '1' && at[9] <= '5')

			count++;
	return count;
}

static void
on_drained(void *context)
{
	Wire *wire = context;

	wire->drained = true;
}

void
wire_drain(Wire *wire, int bound_ms)
{
	http_server_drain(wire->server, bound_ms, on_drained, wire);
}
