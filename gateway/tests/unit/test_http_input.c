/*
 * test_http_input.c
 *		A request takes two system calls, input keeps its order, and nothing of it remains.
 */
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "http/server.h"
#include "lib/log.h"
#include "tests/unit/http_wire.h"
#include "tests/unit/suite.h"

#define REQUESTS 50
#define SECRET "wak_0123456789abcdef"

static Wire wire;
static int client = -1;

/* System calls on the server's side of connections. */
static int reads;
static int writes;
static int questions; /* how much there is to read */

#undef recv

ssize_t
recv(int fd, void *bytes, size_t len, int flags)
{
	reads += fd != client ? 1 : 0;
	return syscall(SYS_recvfrom, fd, bytes, len, flags, NULL, NULL);
}

ssize_t
readv(int fd, const struct iovec *parts, int count)
{
	reads += fd != client ? 1 : 0;
	return syscall(SYS_readv, fd, parts, count);
}

ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	writes += fd != client ? 1 : 0;
	return syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
	writes += fd != client ? 1 : 0;
	return syscall(SYS_writev, fd, parts, count);
}

int
ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	questions += request == FIONREAD ? 1 : 0;
	return (int) syscall(SYS_ioctl, fd, request, argument);
}

static void
start(void)
{
	wire_start(&wire, NULL);
	log_set_level(LOG_LEVEL_ERROR);
	client = wire_connect(&wire);
}

static void
stop(void)
{
	close(client);
	wire_stop(&wire);
}

START_TEST(a_request_is_read_by_one_system_call_and_answered_by_one)
{
	bool closed;

	start();
	for (int i = 0; i < REQUESTS; i++)
	{
		wire_send_text(&wire, client, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
		ck_assert_int_eq(wire_status(wire_read(&wire, client, "GET /echo", &closed)), 200);
	}
	ck_assert_int_eq(reads, REQUESTS);
	ck_assert_int_eq(writes, REQUESTS);
	ck_assert_int_eq(questions, 0);
	stop();
}
END_TEST

/* While the first request is held, the second one comes whole and the third one in two pieces. */
START_TEST(input_that_waits_keeps_its_order)
{
	const char *text;
	bool closed;
	Buffer body;

	start();
	wire_send_text(&wire, client,
				   "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"
				   "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nsecond");
	wire_run(&wire, 20);
	wire_send_text(&wire, client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Le");
	wire_run(&wire, 20);
	wire_send_text(&wire, client, "ngth: 5\r\n\r\nthird");
	wire_run(&wire, 20);
	ck_assert_int_eq(wire.n_requests, 1);

	buffer_init(&body, 10);
	buffer_append_text(&body, "first");
	http_respond(wire.held, 200, NULL, 0, "text/plain", &body);
	text = wire_read(&wire, client, "third", &closed);
	ck_assert_int_eq(wire_count(text), 3);
	ck_assert_ptr_nonnull(strstr(strstr(strstr(text, "first"), "second"), "third"));
	stop();
}
END_TEST

START_TEST(no_input_remains_where_it_was_read)
{
	const HttpFreshInput *fresh;
	bool closed;

	start();
	fresh = &wire.server->fresh;
	wire_send_text(&wire, client,
				   "GET /hold HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " SECRET "\r\n\r\n"
				   "GET /echo HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " SECRET "\r\n\r\n");
	wire_run(&wire, 20);
	ck_assert_ptr_nonnull(wire.held);
	ck_assert_ptr_null(fresh->connection);
	ck_assert_ptr_null(memmem(fresh->bytes, sizeof(fresh->bytes), SECRET, sizeof(SECRET) - 1));

	/* also when the connection ends while it is read */
	wire_send_text(&wire, client, "GET /echo");
	http_respond(wire.held, 204, NULL, 0, NULL, NULL);
	wire_read(&wire, client, "GET /echo", &closed);
	wire_send_text(&wire, client, " HTTP/0.9\r\nAuthorization: Bearer " SECRET "\r\n\r\n");
	ck_assert_int_ge(wire_status(wire_read(&wire, client, NULL, &closed)), 400);
	ck_assert(closed);
	ck_assert_ptr_null(memmem(fresh->bytes, sizeof(fresh->bytes), SECRET, sizeof(SECRET) - 1));
	stop();
}
END_TEST

START_TEST(a_connection_that_breaks_is_given_up)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	start();
	wire_send_text(&wire, client, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	wire_run(&wire, 20);
	ck_assert_int_eq(http_server_connections(wire.server), 1);
	ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close(client);
	wire_run(&wire, 20);
	ck_assert_int_eq(http_server_connections(wire.server), 0);
	ck_assert_int_eq(wire.n_gone, 1);
	wire_stop(&wire);
}
END_TEST

SUITE("http_input", a_request_is_read_by_one_system_call_and_answered_by_one,
	  input_that_waits_keeps_its_order, no_input_remains_where_it_was_read,
	  a_connection_that_breaks_is_given_up)
