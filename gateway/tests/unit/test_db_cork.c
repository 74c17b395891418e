/*
 * test_db_cork.c
 *		What several requests send to the database leaves together, complete and in order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "db/db_internal.h"
#include "tests/unit/db_ask.h"
#include "tests/unit/suite.h"

#define REQUESTS 8
#define LARGE (4 * 1024 * 1024)

static int sends; /* system calls that send something to the database */
static Cork cork;
static int ends[2];

#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
	sends++;
	return write(fd, bytes, len);
}
#else
/* What send() calls, in db/cork.c. */
ssize_t
sendto(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *to, socklen_t size)
{
	struct iovec part = {.iov_base = (void *) bytes, .iov_len = len};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	(void) to;
	(void) size;
	sends++;
	return sendmsg(fd, &message, flags | MSG_NOSIGNAL);
}
#endif

START_TEST(requests_of_one_turn_leave_in_one_system_call)
{
	Told told[REQUESTS] = {0};

	ask_start_with((DbConfig){.connections = 1, .in_flight = REQUESTS, .queue = REQUESTS});
	while (!db_ready(db))
		db_wire_run(&wire, 1);
	sends = 0;
	for (int i = 0; i < REQUESTS; i++)
		ask_submit(&told[i], ASK_LONG_MS);
	for (int i = 0; i < REQUESTS; i++)
	{
		db_wire_run_until(&wire, &told[i].done);
		ck_assert_int_eq(told[i].outcome, DB_ROWS);
	}
	ck_assert_int_eq(sends, 1);
	ask_stop();
}
END_TEST

#ifndef LIBPQ_HAS_SEND_PIPELINE_SYNC
static void
open_ends(void)
{
	int small = 16 * 1024;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	ck_assert_int_eq(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	cork_open(&cork);
}

static void
close_ends(void)
{
	cork_drop(&cork);
	close(ends[0]);
	close(ends[1]);
}

/* Sends as libpq does. */
static void
send_corked(const char *bytes, size_t len)
{
	cork_begin(&cork);
	ck_assert_int_eq(send(ends[0], bytes, len, 0), (ssize_t) len);
	cork_end();
}

START_TEST(what_is_corked_waits_and_what_is_not_leaves)
{
	char came[16];

	open_ends();
	send_corked("two", 3);
	ck_assert_int_lt(recv(ends[1], came, sizeof(came), 0), 0);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(send(ends[0], "one", 3, 0), 3);
	ck_assert_int_eq(cork_flush(&cork, ends[0]), CORK_EMPTY);
	ck_assert_int_eq(recv(ends[1], came, sizeof(came), 0), 6);
	ck_assert_mem_eq(came, "onetwo", 6);
	close_ends();
}
END_TEST

START_TEST(a_full_socket_gets_the_rest_later_in_its_order)
{
	char *bytes = malloc(LARGE);
	char *came = malloc(LARGE);
	size_t len = 0;
	CorkResult result;
	int full = 0;

	ck_assert(bytes != NULL && came != NULL);
	for (int i = 0; i < LARGE; i++)
		bytes[i] = (char) (i * 7 / 3);
	open_ends();
	send_corked(bytes, LARGE / 2);
	while ((result = cork_flush(&cork, ends[0])) == CORK_FULL || len < LARGE)
	{
		ssize_t more = recv(ends[1], came + len, LARGE - len, 0);

		ck_assert_int_ne(result, CORK_BROKEN);
		ck_assert_int_gt(more, 0);
		len += (size_t) more;
		full += result == CORK_FULL ? 1 : 0;
		if (full == 1 && result == CORK_FULL)
			send_corked(bytes + LARGE / 2, LARGE / 2);
	}
	ck_assert_int_gt(full, 1);
	ck_assert_mem_eq(came, bytes, LARGE);
	ck_assert_uint_eq(cork.waiting.len, 0);
	close_ends();
	free(bytes);
	free(came);
}
END_TEST

START_TEST(what_has_left_is_wiped)
{
	static const char zeros[6];

	open_ends();
	send_corked("secret", 6);
	ck_assert_mem_eq(cork.waiting.data, "secret", 6);
	ck_assert_int_eq(cork_flush(&cork, ends[0]), CORK_EMPTY);
	ck_assert_mem_eq(cork.waiting.data, zeros, 6);
	close_ends();
}
END_TEST

START_TEST(nothing_waits_for_a_server_that_has_gone)
{
	open_ends();
	send_corked("secret", 6);
	ck_assert_int_eq(shutdown(ends[1], SHUT_RDWR), 0);
	ck_assert_int_eq(cork_flush(&cork, ends[0]), CORK_BROKEN);
	ck_assert_ptr_null(cork.waiting.data);
	ck_assert_int_eq(cork_flush(&cork, ends[0]), CORK_EMPTY);
	close_ends();
}
END_TEST

SUITE("db_cork", requests_of_one_turn_leave_in_one_system_call,
	  what_is_corked_waits_and_what_is_not_leaves, a_full_socket_gets_the_rest_later_in_its_order,
	  what_has_left_is_wiped, nothing_waits_for_a_server_that_has_gone)
#else
SUITE("db_cork", requests_of_one_turn_leave_in_one_system_call)
#endif
