/*
 * test_http_limits.c
 *		Deadlines and caps, with limits that are short enough for a test.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/http_wire.h"
#include "tests/unit/suite.h"

#define GET "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"

static Wire wire;

/* Long enough to be out of the way, but for the one that a test makes short. */
static const HttpLimits calm = {
	.max_connections = 100,
	.max_connections_per_address = 100,
	.head_ms = 2000,
	.body_period_ms = 2000,
	.body_period_bytes = 1000,
	.idle_ms = 2000,
	.answer_ms = 2000,
	.write_period_ms = 2000,
	.write_period_bytes = 1000,
	.output_all_bytes = 128 * 1024 * 1024,
	.linger_ms = 2000,
	.tick_ms = 10,
};

/* 50 of these are the body. */
#define BODY_PART 100

static void
start(const HttpLimits *limits)
{
	wire_start(&wire, limits);
}

static void
stop(void)
{
	wire_stop(&wire);
}

START_TEST(a_head_that_does_not_end_is_a_408)
{
	HttpLimits limits = calm;
	int fd;
	bool closed;
	const char *answer;

	limits.head_ms = 100;
	start(&limits);
	fd = wire_connect(&wire);
	for (int i = 0; i < 20; i++)
	{
		wire_send_text(&wire, fd, i == 0 ? "GET /echo HTTP/1.1\r\n" : "a: b\r\n");
		wire_run(&wire, 10);
	}
	answer = wire_read(&wire, fd, NULL, &closed);
	ck_assert_int_eq(wire_status(answer), 408);
	ck_assert_ptr_nonnull(strstr(answer, "\"request_timeout\""));
	ck_assert(closed);
	close(fd);
}
END_TEST

START_TEST(a_connection_that_never_speaks_is_closed_without_a_word)
{
	HttpLimits limits = calm;
	int fd;
	bool closed;

	limits.head_ms = 100;
	start(&limits);
	fd = wire_connect(&wire);
	ck_assert_str_eq(wire_read(&wire, fd, NULL, &closed), "");
	ck_assert(closed);
	close(fd);
}
END_TEST

START_TEST(an_idle_connection_is_closed_without_a_word)
{
	HttpLimits limits = calm;
	int fd;
	bool closed;

	limits.idle_ms = 100;
	start(&limits);
	fd = wire_connect(&wire);
	wire_send_text(&wire, fd, GET);
	ck_assert_int_eq(wire_count(wire_read(&wire, fd, NULL, &closed)), 1);
	ck_assert(closed);
	close(fd);
}
END_TEST

START_TEST(a_slow_body_is_a_408_and_a_steady_one_is_not)
{
	HttpLimits limits = calm;
	/* the steady one is faster by far, or a busy machine would make it a slow one */
	static const int sizes[] = {5, BODY_PART};
	char part[BODY_PART];

	memset(part, 'x', sizeof(part));
	limits.body_period_ms = 200;
	limits.body_period_bytes = 100;
	start(&limits);
	for (int i = 0; i < 2; i++)
	{
		int fd = wire_connect(&wire);
		int sent = 0;
		bool closed;
		const char *answer;

		wire_send_text(&wire, fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n");
		while (sent < 50 * sizes[i])
		{
			wire_send(&wire, fd, part, (size_t) sizes[i]);
			sent += sizes[i];
			wire_run(&wire, 10);
		}
		answer = wire_read(&wire, fd, i == 0 ? NULL : "]", &closed);
		ck_assert_int_eq(wire_status(answer), i == 0 ? 408 : 200);
		close(fd);
	}
}
END_TEST

START_TEST(a_handler_that_does_not_answer_becomes_a_504)
{
	HttpLimits limits = calm;
	int fd;
	bool closed;
	const char *answer;

	limits.answer_ms = 100;
	start(&limits);
	fd = wire_connect(&wire);
	wire_send_text(&wire, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" GET);
	answer = wire_read(&wire, fd, NULL, &closed);
	ck_assert_int_eq(wire_status(answer), 504);
	ck_assert_int_eq(wire_count(answer), 1);
	ck_assert(closed);
	ck_assert_int_eq(wire.n_gone, 1);
	http_respond(wire.held, 204, NULL, 0, NULL, NULL);
	close(fd);
}
END_TEST

START_TEST(a_client_that_does_not_read_is_closed)
{
	HttpLimits limits = calm;
	int fd;

	limits.write_period_ms = 1000;
	start(&limits);
	fd = wire_connect(&wire);
	wire_send_text(&wire, fd, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
	wire_run(&wire, 20);
	ck_assert_int_eq(http_server_connections(wire.server), 1);
	wire_run(&wire, 4000);
	ck_assert_int_eq(http_server_connections(wire.server), 0);
	close(fd);
}
END_TEST

START_TEST(a_refused_client_that_stays_is_closed)
{
	HttpLimits limits = calm;
	int fd;

	limits.linger_ms = 1000;
	start(&limits);
	fd = wire_connect(&wire);
	wire_send_text(&wire, fd, "BAD\r\n\r\n");
	wire_run(&wire, 20);
	ck_assert_int_eq(http_server_connections(wire.server), 1);
	wire_run(&wire, 2000);
	ck_assert_int_eq(http_server_connections(wire.server), 0);
	close(fd);
}
END_TEST

START_TEST(one_address_gets_so_many_connections_and_no_more)
{
	HttpLimits limits = calm;
	int fds[3];
	bool closed;

	limits.max_connections_per_address = 2;
	start(&limits);
	for (int i = 0; i < 3; i++)
		fds[i] = wire_connect(&wire);
	wire_read(&wire, fds[2], NULL, &closed);
	ck_assert(closed);
	ck_assert_int_eq(http_server_connections(wire.server), 2);

	/* and one more when one has left */
	close(fds[0]);
	wire_run(&wire, 10);
	close(fds[2]);
	fds[2] = wire_connect(&wire);
	wire_send_text(&wire, fds[2], GET);
	ck_assert_int_eq(wire_status(wire_read(&wire, fds[2], "[]", &closed)), 200);
	close(fds[1]);
	close(fds[2]);
}
END_TEST

START_TEST(a_full_server_closes_who_is_idle_and_turns_away_when_nobody_is)
{
	HttpLimits limits = calm;
	int fds[4];
	bool closed;

	limits.max_connections = 2;
	start(&limits);
	fds[0] = wire_connect(&wire);
	wire_send_text(&wire, fds[0], GET);
	wire_read(&wire, fds[0], "[]", &closed);
	fds[1] = wire_connect(&wire);
	wire_send_text(&wire, fds[1], "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	wire_run(&wire, 10);

	fds[2] = wire_connect(&wire);
	wire_read(&wire, fds[0], NULL, &closed);
	ck_assert(closed);
	wire_send_text(&wire, fds[2], "GET /echo HTTP/1.1\r\n");
	wire_run(&wire, 10);

	fds[3] = wire_connect(&wire);
	ck_assert_int_eq(wire_status(wire_read(&wire, fds[3], NULL, &closed)), 503);
	ck_assert(closed);
	http_respond(wire.held, 204, NULL, 0, NULL, NULL);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}
END_TEST

/* One address has them all, in a head that does not end: it loses one, and the other is served. */
START_TEST(a_full_server_takes_a_place_from_the_address_that_has_most)
{
	HttpLimits limits = calm;
	int fds[3];
	int other;
	bool closed;

	limits.max_connections = 3;
	start(&limits);
	for (int i = 0; i < 3; i++)
	{
		fds[i] = wire_connect(&wire);
		wire_send_text(&wire, fds[i], "GET /echo HTTP/1.1\r\n");
	}
	other = wire_connect_from(&wire, "127.0.0.2");
	wire_send_text(&wire, other, GET);
	ck_assert_int_eq(wire_status(wire_read(&wire, other, "[]", &closed)), 200);
	wire_read(&wire, fds[0], NULL, &closed);
	ck_assert(closed);

	/* and the many do not take it back from the few, who are idle now */
	close(fds[0]);
	fds[0] = wire_connect(&wire);
	ck_assert_int_eq(wire_status(wire_read(&wire, fds[0], NULL, &closed)), 503);
	wire_send_text(&wire, other, GET);
	ck_assert_int_eq(wire_status(wire_read(&wire, other, "[]", &closed)), 200);
	ck_assert(!closed);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	close(other);
}
END_TEST

START_TEST(two_servers_share_a_port_when_asked_to_and_not_otherwise)
{
	HttpServerConfig config = {.reuse_port = true};
	char error[256];
	char bound[64];
	struct event_base *base = event_base_new();
	HttpServer *servers[2];
	int reserved = http_reserve_port("127.0.0.1:0", bound, sizeof(bound), error, sizeof(error));

	start(&calm);
	ck_assert_int_ge(reserved, 0);
	config.listen = bound;
	for (int i = 0; i < 2; i++)
	{
		servers[i] = http_server_start(base, &config, error, sizeof(error));
		ck_assert_msg(servers[i] != NULL, "%s", error);
		ck_assert_str_eq(http_server_address(servers[i]), "127.0.0.1");
		ck_assert_int_eq(http_server_port(servers[i]), atoi(strchr(bound, ':') + 1));
	}
	config.reuse_port = false;
	ck_assert_ptr_null(http_server_start(base, &config, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "could not listen on 127.0.0.1:"));
	http_server_free(servers[0]);
	http_server_free(servers[1]);
	event_base_free(base);
	close(reserved);
}
END_TEST

START_TEST(addresses_are_checked)
{
	static const char *const good[] = {"127.0.0.1:0", "0.0.0.0:8080", "[::1]:65535", "*:80"};
	static const char *const bad[] = {
		"",           "8080",         ":8080",         "localhost:80",    "127.0.0.1",
		"::1:80",     "[::1]",        "[::1:80",       "127.0.0.1:65536", "127.0.0.1:-1",
		"127.0.0.1:", "127.0.0.1:8a", "[127.0.0.1]:80"};
	char error[256];

	start(&calm);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		HttpServerConfig config = {.listen = good[i]};

		ck_assert_msg(http_server_check(&config, error, sizeof(error)), "%s", good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		HttpServerConfig config = {.listen = bad[i]};

		ck_assert_msg(!http_server_check(&config, error, sizeof(error)), "%s", bad[i]);
	}
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_set_timeout(cases, 30);
	tcase_add_checked_fixture(cases, NULL, stop);
	tcase_add_test(cases, a_head_that_does_not_end_is_a_408);
	tcase_add_test(cases, a_connection_that_never_speaks_is_closed_without_a_word);
	tcase_add_test(cases, an_idle_connection_is_closed_without_a_word);
	tcase_add_test(cases, a_slow_body_is_a_408_and_a_steady_one_is_not);
	tcase_add_test(cases, a_handler_that_does_not_answer_becomes_a_504);
	tcase_add_test(cases, a_client_that_does_not_read_is_closed);
	tcase_add_test(cases, a_refused_client_that_stays_is_closed);
	tcase_add_test(cases, one_address_gets_so_many_connections_and_no_more);
	tcase_add_test(cases, a_full_server_closes_who_is_idle_and_turns_away_when_nobody_is);
	tcase_add_test(cases, a_full_server_takes_a_place_from_the_address_that_has_most);
	tcase_add_test(cases, two_servers_share_a_port_when_asked_to_and_not_otherwise);
	tcase_add_test(cases, addresses_are_checked);
}

SUITE_WITH("http_limits", add_tests)
