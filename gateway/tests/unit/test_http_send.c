/*
 * test_http_send.c
 *		Answers leave, wait or break off; and clients never take all descriptors.
 */
#include <event2/buffer.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/server.h"
#include "lib/log.h"
#include "tests/unit/http_wire.h"
#include "tests/unit/suite.h"

static Wire wire;

/* The connection whose request a handler holds. */
static HttpConnection *
holding(void)
{
	HttpConnection *connection = TAILQ_FIRST(&wire.server->lists[HTTP_CONNECTION_ANSWER]);

	ck_assert_ptr_nonnull(connection);
	return connection;
}

/* A client whose request is held, and who does not read. */
static int
hold(void)
{
	int fd = wire_connect(&wire);

	wire_send_text(&wire, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	wire_run(&wire, 20);
	ck_assert_ptr_nonnull(wire.held);
	return fd;
}

static void
answer_held(size_t len)
{
	Buffer body;

	buffer_init(&body, len);
	ck_assert(buffer_reserve(&body, len));
	memset(body.data, 'x', len);
	body.len = len;
	http_respond(wire.held, 200, NULL, 0, "text/plain", &body);
}

START_TEST(what_the_socket_does_not_take_waits)
{
	int fd;

	wire_start(&wire, NULL);
	fd = hold();
	answer_held(LARGE_BYTES);
	ck_assert_ptr_nonnull(TAILQ_FIRST(&wire.server->lists[HTTP_CONNECTION_WRITE]));
	close(fd);
	wire_stop(&wire);
}
END_TEST

/* As when memory is out: libevent takes nothing for the output. */
START_TEST(what_can_neither_leave_nor_wait_closes_the_connection)
{
	static const size_t lengths[] = {LARGE_BYTES, HTTP_ANSWER_COPY_MAX};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
	{
		bool closed = false;
		int fd;

		wire_start(&wire, NULL);
		fd = hold();
		evbuffer_freeze(bufferevent_get_output(holding()->bev), 0);
		/* a socket that is shut takes not even a small answer at once */
		ck_assert_int_eq(shutdown(bufferevent_getfd(holding()->bev), SHUT_WR), 0);
		answer_held(lengths[i]);
		ck_assert_int_eq(http_server_connections(wire.server), 0);
		wire_read(&wire, fd, NULL, &closed);
		ck_assert(closed);
		close(fd);
		wire_stop(&wire);
	}
}
END_TEST

/* Clients leave room for what the rest of the process has told of, whatever the limit is. */
START_TEST(connections_fit_the_limit_of_open_files)
{
	struct rlimit files = {.rlim_cur = 400, .rlim_max = 400};
	HttpServerConfig config = {.listen = "127.0.0.1:0", .other_descriptors = 100};
	struct event_base *base = event_base_new();
	char error[256];
	HttpServer *server;

	log_set_level(LOG_LEVEL_ERROR);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	server = http_server_start(base, &config, error, sizeof(error));
	ck_assert_ptr_nonnull(server);
	ck_assert_int_gt(server->limits.max_connections, 200);
	ck_assert_int_lt(server->limits.max_connections, 300);
	http_server_free(server);

	config.sends_files = true;
	server = http_server_start(base, &config, error, sizeof(error));
	ck_assert_ptr_nonnull(server);
	ck_assert_int_gt(server->limits.max_connections, 100);
	ck_assert_int_lt(server->limits.max_connections, 150);
	http_server_free(server);

	config.other_descriptors = 1000;
	server = http_server_start(base, &config, error, sizeof(error));
	ck_assert_ptr_nonnull(server);
	ck_assert_int_eq(server->limits.max_connections, 1);
	http_server_free(server);
	event_base_free(base);
}
END_TEST

START_TEST(a_handler_at_work_may_take_its_time)
{
	HttpLimits limits = HTTP_LIMITS_DEFAULT;
	int fd;

	limits.answer_ms = 1000;
	limits.tick_ms = 10;
	wire_start(&wire, &limits);
	fd = hold();
	for (int i = 0; i < 6; i++)
	{
		wire_run(&wire, 300);
		ck_assert_int_eq(wire.n_gone, 0);
		http_request_keep(wire.held);
	}
	wire_run(&wire, 2000);
	ck_assert_int_eq(wire.n_gone, 1);
	http_request_keep(wire.held); /* nobody waits any more */
	answer_held(1);
	close(fd);
	wire_stop(&wire);
}
END_TEST

SUITE("http_send", a_handler_at_work_may_take_its_time, what_the_socket_does_not_take_waits,
	  what_can_neither_leave_nor_wait_closes_the_connection,
	  connections_fit_the_limit_of_open_files)
