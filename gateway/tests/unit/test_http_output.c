/*
 * test_http_output.c
 *		What waits for clients that do not read has one bound, and the slowest of them pay for it.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "http/output.h"
#include "http/server.h"
#include "tests/unit/http_wire.h"
#include "tests/unit/suite.h"

#define GET_LARGE "GET /large HTTP/1.1\r\nHost: a\r\n\r\n"
#define MIB ((size_t) 1024 * 1024)
#define READERS 8
#define IDLE 200

static Wire wire;
static int questions; /* to the kernel, how much a client has not confirmed */

int
ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	questions += request == SIOCOUTQ ? 1 : 0;
	return (int) syscall(SYS_ioctl, fd, request, argument);
}

/* The kernel takes a part of each answer, and the rest is ours: less than LARGE_BYTES. */
static void
start(size_t bound)
{
	HttpLimits limits = HTTP_LIMITS_DEFAULT;

	limits.output_all_bytes = bound;
	limits.socket_output_bytes = (int) (64 * MIB);
	wire_start(&wire, &limits);
}

/* A client that has asked for much, and reads nothing so far. */
static int
ask(void)
{
	int fd = wire_connect(&wire);

	wire_send_text(&wire, fd, GET_LARGE);
	wire_run(&wire, 20);
	return fd;
}

/* Bytes that can be read right now; *cut tells whether the connection has ended. */
static size_t
read_some(int fd, bool *cut)
{
	static char room[64 * 1024];
	ssize_t got = recv(fd, room, sizeof(room), MSG_DONTWAIT);

	*cut = got == 0 || (got < 0 && errno != EAGAIN);
	return got > 0 ? (size_t) got : 0;
}

/* Reads the rest of the answer; false when it was cut. */
static bool
read_all(int fd, size_t left)
{
	bool cut = false;

	while (left > 0 && !cut)
	{
		size_t got = read_some(fd, &cut);

		left -= got < left ? got : left;
		wire_run(&wire, 0);
	}
	return !cut;
}

START_TEST(all_that_waits_is_counted_and_let_go_of)
{
	int fds[3];

	start(100 * MIB);
	for (int i = 0; i < 3; i++)
		fds[i] = ask();
	ck_assert_uint_gt(http_server_output_bytes(wire.server), 3 * MIB);
	ck_assert(read_all(fds[0], LARGE_BYTES));
	close(fds[1]);
	ck_assert(read_all(fds[2], LARGE_BYTES));
	wire_run(&wire, 50);
	ck_assert_uint_eq(http_server_output_bytes(wire.server), 0);
	wire_stop(&wire);
}
END_TEST

START_TEST(the_sum_has_a_bound_and_who_has_waited_longest_is_cut)
{
	int fds[READERS];
	int cut = 0;

	start(16 * MIB);
	for (int i = 0; i < READERS; i++)
	{
		fds[i] = ask();
		ck_assert_uint_le(http_server_output_bytes(wire.server), 16 * MIB);
	}
	cut = READERS - http_server_connections(wire.server);
	ck_assert_int_gt(cut, 0);
	ck_assert_int_lt(cut, READERS - 1);
	for (int i = 0; i < READERS; i++)
		ck_assert_msg(read_all(fds[i], LARGE_BYTES) == (i >= cut), "reader %d of %d", i, cut);
	wire_stop(&wire);
}
END_TEST

/*
 * The first who asked reads all the time, beyond what its own kernel has kept for it; those
 * behind it do not read at all.
 */
START_TEST(who_reads_is_not_cut_for_those_who_do_not)
{
	int reader;
	size_t done = 0;
	bool cut = false;

	start(24 * MIB);
	reader = ask();
	for (int i = 0; i < 3; i++)
		ask();
	for (int ms = 0; ms < HTTP_OUTPUT_GRACE_MS + 200; ms += 20)
	{
		for (int i = 0; i < 2; i++)
			done += read_some(reader, &cut);
		wire_run(&wire, 20);
	}
	ck_assert(!cut);
	ck_assert_uint_lt(done, LARGE_BYTES);
	ck_assert_uint_gt(http_server_output_bytes(wire.server), 0);
	for (int i = 0; i < READERS; i++)
		ask();
	ck_assert_int_lt(http_server_connections(wire.server), 1 + 3 + READERS);
	ck_assert(read_all(reader, LARGE_BYTES - done));
	wire_stop(&wire);
}
END_TEST

START_TEST(web_sockets_are_in_the_same_sum)
{
	static char frames[8 * 1024 * 1024];
	int fd;

	start(16 * MIB);
	fd = wire_connect(&wire);
	wire_send_text(
		&wire, fd,
		"GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	wire_run(&wire, 20);
	ck_assert_ptr_nonnull(wire.socket);
	ck_assert(websocket_send(wire.socket, frames, sizeof(frames)));
	for (int i = 0; i < READERS; i++)
		ask();
	ck_assert_uint_le(http_server_output_bytes(wire.server), 16 * MIB);
	ck_assert_int_eq(wire.n_closed, 1);
	ck_assert_int_eq(wire.closed_code, WEBSOCKET_SLOW_READER);
	wire_stop(&wire);
}
END_TEST

/* However many connections have nothing that waits. */
START_TEST(the_search_asks_about_connections_with_output_only)
{
	int cut;

	start(16 * MIB);
	for (int i = 0; i < IDLE; i++)
		wire_connect(&wire);
	for (int i = 0; i < READERS; i++)
		ask();
	cut = IDLE + READERS - http_server_connections(wire.server);
	ck_assert_int_gt(cut, 0);
	/* once when the output of each began to wait, and for each search once for each of them */
	ck_assert_int_le(questions, READERS + cut * READERS);
	wire_stop(&wire);
}
END_TEST

SUITE("http output", all_that_waits_is_counted_and_let_go_of,
	  the_sum_has_a_bound_and_who_has_waited_longest_is_cut,
	  who_reads_is_not_cut_for_those_who_do_not, web_sockets_are_in_the_same_sum,
	  the_search_asks_about_connections_with_output_only)
