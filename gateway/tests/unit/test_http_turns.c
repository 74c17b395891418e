/*
 * test_http_turns.c
 *		However many connections of one owner have input, another's is handled after a few.
 *
 * What counts is how many requests of the one are handled before that of the other, and never
 * how long anything takes.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "http/server.h"
#include "lib/log.h"
#include "tests/unit/http_wire.h"
#include "tests/unit/suite.h"

#define MANY 200
#define ONE_ADDRESS "127.0.0.1"
#define OTHER_ADDRESS "127.0.0.2"
#define ECHO "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"
#define OF_A "GET /of/a HTTP/1.1\r\nHost: a\r\n\r\n"
#define OF_B "GET /of/b HTTP/1.1\r\nHost: a\r\n\r\n"

static Wire wire;
static int many[MANY];
static int other = -1;
static int changes; /* of what the kernel watches */

int
epoll_ctl(int epfd, int operation, int fd, struct epoll_event *event)
{
	changes++;
	return (int) syscall(SYS_epoll_ctl, epfd, operation, fd, event);
}

static void
start(void)
{
	wire_start(&wire, NULL);
	log_set_level(LOG_LEVEL_ERROR);
}

static void
stop(void)
{
	wire_stop(&wire);
}

/* Many connections, and after them the other one. */
static void
connect_all(const char *from, const char *other_from)
{
	for (int i = 0; i < MANY; i++)
		many[i] = wire_connect_from(&wire, from);
	other = wire_connect_from(&wire, other_from);
}

static void
close_all(void)
{
	for (int i = 0; i < MANY; i++)
		close(many[i]);
	close(other);
}

/* The server does not run while these are sent. */
static void
send_from_all(const char *text, const char *other_text)
{
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(send(many[i], text, strlen(text), 0), (ssize_t) strlen(text));
	ck_assert_int_eq(send(other, other_text, strlen(other_text), 0), (ssize_t) strlen(other_text));
}

static bool
has_answer(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* One pass of the loop. */
static void
pass(void)
{
	ck_assert_int_ge(event_base_loop(wire.base, EVLOOP_ONCE), 0);
}

/* How many requests were handled until the other one has its answer. */
static int
handled_until_answered(void)
{
	int before = wire.n_requests;

	while (!has_answer(other))
		pass();
	return wire.n_requests - before;
}

static void
discard_answers(void)
{
	bool closed;

	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(wire_status(wire_read(&wire, many[i], "]", &closed)), 200);
	ck_assert_int_eq(wire_status(wire_read(&wire, other, "]", &closed)), 200);
}

/* The many have an address each; the other one has another. */
static void
connect_from_many_addresses(void)
{
	char from[32];

	for (int i = 0; i < MANY; i++)
	{
		snprintf(from, sizeof(from), "127.0.1.%d", i + 1);
		many[i] = wire_connect_from(&wire, from);
	}
	other = wire_connect_from(&wire, ONE_ADDRESS);
}

/* All ask, and the other one is answered when few of the many have been. */
static void
check_turns_of_other(void)
{
	send_from_all(ECHO, ECHO);
	ck_assert_int_le(handled_until_answered(), 2 * HTTP_TURNS_MAX);
	discard_answers();
}

START_TEST(many_connections_of_one_address_do_not_keep_another_waiting)
{
	connect_all(ONE_ADDRESS, OTHER_ADDRESS);
	for (int i = 0; i < 2; i++)
	{
		/* The first time libevent still learns how many sockets it may find ready at once. */
		send_from_all(ECHO, ECHO);
		ck_assert_int_le(handled_until_answered(), i == 0 ? MANY / 2 : 2 * HTTP_TURNS_MAX);
		discard_answers();
	}
	close_all();
}
END_TEST

/* Once the organizations are known their address does not matter. */
START_TEST(many_connections_of_one_organization_do_not_keep_another_waiting)
{
	connect_all(ONE_ADDRESS, ONE_ADDRESS);
	send_from_all(OF_A, OF_B);
	discard_answers();
	check_turns_of_other();
	close_all();
}
END_TEST

/* A client gets no more turns from more addresses, once its organization is known. */
START_TEST(an_organization_has_one_turn_whatever_addresses_it_has)
{
	connect_from_many_addresses();
	send_from_all(OF_A, OF_B);
	discard_answers();
	check_turns_of_other();
	close_all();
}
END_TEST

/* What many addresses ask that no organization is known of counts as one among these. */
START_TEST(unknown_clients_together_have_every_second_turn)
{
	connect_from_many_addresses();
	send_from_all(ECHO, OF_B);
	discard_answers();
	check_turns_of_other();
	close_all();
}
END_TEST

START_TEST(a_client_that_is_unknown_again_takes_the_turns_of_its_address)
{
	connect_all(ONE_ADDRESS, OTHER_ADDRESS);
	send_from_all(OF_A, OF_A);
	discard_answers();
	send_from_all("GET /of/nobody HTTP/1.1\r\nHost: a\r\n\r\n",
				  "GET /of/nobody HTTP/1.1\r\nHost: a\r\n\r\n");
	discard_answers();
	check_turns_of_other();
	close_all();
}
END_TEST

/* A turn is one request, however many a client sends at once. */
START_TEST(requests_that_one_connection_has_sent_ahead_are_many_turns)
{
	static char ahead[MANY * sizeof(ECHO)];
	int fd = wire_connect_from(&wire, ONE_ADDRESS);
	bool closed;

	for (int i = 0; i < MANY; i++)
		strcat(ahead, ECHO);
	other = wire_connect_from(&wire, OTHER_ADDRESS);
	ck_assert_int_eq(send(fd, ahead, strlen(ahead), 0), (ssize_t) strlen(ahead));
	ck_assert_int_eq(send(other, ECHO, sizeof(ECHO) - 1, 0), sizeof(ECHO) - 1);
	ck_assert_int_le(handled_until_answered(), 2 * HTTP_TURNS_MAX);
	shutdown(fd, SHUT_WR);
	ck_assert_int_eq(wire_count(wire_read(&wire, fd, NULL, &closed)), MANY);
	ck_assert(closed);
	close(fd);
	close(other);
}
END_TEST

START_TEST(one_pass_handles_no_more_than_its_turns)
{
	connect_all(ONE_ADDRESS, ONE_ADDRESS);
	send_from_all(ECHO, ECHO);
	for (int before = 0; before < MANY + 1; before = wire.n_requests)
	{
		pass();
		ck_assert_int_le(wire.n_requests - before, HTTP_TURNS_MAX);
	}
	discard_answers();
	close_all();
}
END_TEST

/* The loop stops watching those that wait, so that its work does not grow with their number. */
START_TEST(a_connection_that_waits_is_watched_no_more)
{
	connect_all(ONE_ADDRESS, ONE_ADDRESS);
	changes = 0;
	send_from_all(ECHO, ECHO);
	while (wire.n_requests < MANY + 1)
		pass();
	discard_answers();
	ck_assert_int_gt(changes, 0);
	ck_assert_int_le(changes, 2 * (MANY + 1));
	changes = 0;
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(send(other, ECHO, sizeof(ECHO) - 1, 0), sizeof(ECHO) - 1);
	wire_run(&wire, 20);
	ck_assert_int_le(changes, 2 * MANY);
	close_all();
}
END_TEST

START_TEST(one_pass_accepts_no_more_than_its_bound)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t) http_server_port(wire.server)),
	};

	for (int i = 0; i < MANY; i++)
	{
		many[i] = socket(AF_INET, SOCK_STREAM, 0);
		ck_assert_int_eq(connect(many[i], (struct sockaddr *) &address, sizeof(address)), 0);
	}
	for (int before = 0; before < MANY; before = http_server_connections(wire.server))
	{
		pass();
		ck_assert_int_le(http_server_connections(wire.server) - before, HTTP_ACCEPTS_MAX);
	}
	for (int i = 0; i < MANY; i++)
		close(many[i]);
}
END_TEST

/* Also when all deadlines pass at the same moment. */
START_TEST(one_pass_ends_no_more_late_connections_than_its_bound)
{
	connect_all(ONE_ADDRESS, OTHER_ADDRESS);
	for (int state = 0; state < HTTP_CONNECTION_CLOSED; state++)
	{
		HttpConnection *connection;

		TAILQ_FOREACH(connection, &wire.server->lists[state], link)
		connection->deadline_ms = 0;
	}
	for (int before = MANY + 1; before > 0; before = http_server_connections(wire.server))
	{
		pass();
		ck_assert_int_le(before - http_server_connections(wire.server), HTTP_EXPIRES_MAX);
	}
	close_all();
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, many_connections_of_one_address_do_not_keep_another_waiting);
	tcase_add_test(cases, many_connections_of_one_organization_do_not_keep_another_waiting);
	tcase_add_test(cases, an_organization_has_one_turn_whatever_addresses_it_has);
	tcase_add_test(cases, unknown_clients_together_have_every_second_turn);
	tcase_add_test(cases, a_client_that_is_unknown_again_takes_the_turns_of_its_address);
	tcase_add_test(cases, requests_that_one_connection_has_sent_ahead_are_many_turns);
	tcase_add_test(cases, one_pass_handles_no_more_than_its_turns);
	tcase_add_test(cases, a_connection_that_waits_is_watched_no_more);
	tcase_add_test(cases, one_pass_accepts_no_more_than_its_bound);
	tcase_add_test(cases, one_pass_ends_no_more_late_connections_than_its_bound);
}

SUITE_WITH("http_turns", add_tests)
