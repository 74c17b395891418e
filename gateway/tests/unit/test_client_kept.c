/*
 * test_client_kept.c
 *		Kept connections: which of them the other side has closed.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/suite.h"
#include "client/kept.h"

/* A connection over the loopback, whose ends are told as curl tells them. */
typedef struct Pair
{
	int ours;
	int theirs;
	int remote_port;
	int local_port;
} Pair;

static Kept kept;
static int listener;
static int listener_port;

static int
port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &address, &size), 0);
	return ntohs(address.sin_port);
}

static void
start(void)
{
	kept = (Kept){0};
	listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	listener_port = port_of(listener);
}

static void
stop(void)
{
	close(listener);
}

static Pair
connect_pair(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
								  .sin_port = htons((in_port_t) listener_port),
								  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	Pair pair = {.ours = socket(AF_INET, SOCK_STREAM, 0), .remote_port = listener_port};

	ck_assert_int_eq(connect(pair.ours, (struct sockaddr *) &address, sizeof(address)), 0);
	pair.theirs = accept(listener, NULL, NULL);
	ck_assert_int_ge(pair.theirs, 0);
	pair.local_port = port_of(pair.ours);
	kept_add(&kept, pair.ours);
	return pair;
}

static bool
is_over(const Pair *pair)
{
	return kept_is_over(&kept, "127.0.0.1", pair->remote_port, pair->local_port);
}

/* Over the loopback too, what the other side does arrives a moment later. */
static void
wait_for_news(const Pair *pair)
{
	char byte;

	recv(pair->ours, &byte, 1, MSG_PEEK);
}

START_TEST(one_that_is_open_is_not_over)
{
	Pair one = connect_pair();
	Pair other = connect_pair();

	ck_assert(!is_over(&one));
	close(other.theirs);
	wait_for_news(&other);
	ck_assert(is_over(&other));
	ck_assert(!is_over(&one));
	close(one.ours);
	close(one.theirs);
	close(other.ours);
}
END_TEST

START_TEST(what_nobody_asked_for_ends_it_and_is_not_taken)
{
	Pair pair = connect_pair();
	char byte = 0;

	ck_assert_int_eq(send(pair.theirs, "x", 1, 0), 1);
	wait_for_news(&pair);
	ck_assert(is_over(&pair));
	ck_assert(is_over(&pair));
	ck_assert_int_eq(recv(pair.ours, &byte, 1, 0), 1);
	ck_assert_int_eq(byte, 'x');
	ck_assert(!is_over(&pair));
	close(pair.ours);
	close(pair.theirs);
}
END_TEST

START_TEST(one_that_was_reset_is_over)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	Pair pair = connect_pair();

	setsockopt(pair.theirs, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(pair.theirs);
	wait_for_news(&pair);
	/* the error was told once, and is the end of the bytes from then on */
	ck_assert(is_over(&pair));
	close(pair.ours);
}
END_TEST

START_TEST(what_is_not_known_is_not_over)
{
	Pair pair = connect_pair();

	close(pair.theirs);
	wait_for_news(&pair);
	ck_assert(is_over(&pair));
	ck_assert(!kept_is_over(&kept, "127.0.0.2", pair.remote_port, pair.local_port));
	ck_assert(!kept_is_over(&kept, "127.0.0.1", pair.remote_port + 1, pair.local_port));
	ck_assert(!kept_is_over(&kept, "127.0.0.1", pair.remote_port, pair.local_port + 1));
	kept_remove(&kept, pair.ours);
	kept_remove(&kept, pair.ours);
	ck_assert(!is_over(&pair));
	close(pair.ours);
}
END_TEST

START_TEST(a_socket_is_known_once_and_so_many_are)
{
	Pair pair = connect_pair();

	kept_add(&kept, pair.ours);
	ck_assert_int_eq(kept.count, 1);
	kept_add(&kept, listener); /* has no other side */
	ck_assert_int_eq(kept.count, 1);
	kept_remove(&kept, pair.ours);
	kept = (Kept){.count = KEPT_MAX};
	kept_add(&kept, pair.ours);
	ck_assert_int_eq(kept.count, KEPT_MAX);
	close(pair.theirs);
	wait_for_news(&pair);
	ck_assert(!is_over(&pair));
	close(pair.ours);
}
END_TEST

static void
add_tests(TCase *cases)
{
	const TTest *tests[] = {one_that_is_open_is_not_over,
							what_nobody_asked_for_ends_it_and_is_not_taken,
							one_that_was_reset_is_over, what_is_not_known_is_not_over,
							a_socket_is_known_once_and_so_many_are};

	tcase_add_checked_fixture(cases, start, stop);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(cases, tests[i]);
}

SUITE_WITH("client_kept", add_tests)
