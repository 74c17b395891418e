/*
 * test_websocket.c
 *		A connection becomes a WebSocket, and ends as one.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/server.h"
#include "http/websocket.h"
#include "tests/unit/http_wire.h"
#include "tests/unit/suite.h"

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define UPGRADE "Connection: Upgrade\r\nUpgrade: websocket\r\n"
#define LINE "GET /socket HTTP/1.1\r\nHost: gateway.example:8080\r\n"
#define GOOD LINE UPGRADE KEY VERSION "\r\n"
#define SECOND "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"

#define M "\x01\x02\x03\x04"
#define PING "\x89\x82" M "\x49\x6b"
#define PONG "\x8a\x02Hi"
#define CLOSE "\x88\x82" M "\x02\xea" /* 1000 */
#define READ_MAX (64 * 1024)

static Wire wire;
static char received[READ_MAX];

/* Lets the server run until len bytes, or the end, have come; returns how many. */
static size_t
read_bytes(int fd, size_t len, bool *closed)
{
	size_t got = 0;

	*closed = false;
	for (int tries = 0; tries < 300 && got < len && !*closed; tries++)
	{
		ssize_t n = recv(fd, received + got, READ_MAX - got, MSG_DONTWAIT);

		if (n > 0)
			got += (size_t) n;
		*closed = n == 0;
		if (n < 0)
			wire_run(&wire, 10);
	}
	return got;
}

/* Reads exactly these bytes, and no others. */
static void
expect(int fd, const char *bytes, size_t len)
{
	bool closed;
	size_t got = read_bytes(fd, len, &closed);

	ck_assert_uint_eq(got, len);
	ck_assert_mem_eq(received, bytes, len);
}

#define EXPECT(fd, bytes) expect(fd, bytes, sizeof(bytes) - 1)
#define SEND(fd, bytes) wire_send(&wire, fd, bytes, sizeof(bytes) - 1)

static void
expect_end(int fd)
{
	bool closed;

	ck_assert_uint_eq(read_bytes(fd, 1, &closed), 0);
	ck_assert(closed);
}

static void
start(int heartbeat_ms, int output_bytes)
{
	HttpLimits limits = HTTP_LIMITS_DEFAULT;

	limits.tick_ms = 5;
	limits.socket_heartbeat_ms = heartbeat_ms;
	limits.socket_output_bytes = output_bytes;
	limits.socket_close_ms = 100;
	limits.linger_ms = 50;
	wire_start(&wire, &limits);
}

/* A client whose socket is open. */
static int
open_socket(void)
{
	int fd = wire_connect(&wire);
	bool closed;

	wire_send_text(&wire, fd, GOOD);
	ck_assert_int_eq(wire_status(wire_read(&wire, fd, "\r\n\r\n", &closed)), 101);
	ck_assert_ptr_nonnull(wire.socket);
	return fd;
}

START_TEST(the_handshake_is_that_of_the_rfc)
{
	const char *answer;

	start(10000, 1000);
	answer = wire_ask(&wire, GOOD, "\r\n\r\n");
	ck_assert_int_eq(wire_status(answer), 101);
	ck_assert_ptr_nonnull(strstr(answer, ACCEPT));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nUpgrade: websocket\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nConnection: Upgrade\r\n"));
	ck_assert_ptr_null(strstr(answer, "Connection: close"));
	ck_assert_ptr_null(strstr(answer, "Content-Length"));
	wire_stop(&wire);
}
END_TEST

/* Each is refused, and what stands behind it is never served. */
static const struct
{
	const char *what;
	int status;
	const char *request;
} refused[] = {
	{"no upgrade", 426, LINE KEY VERSION "Connection: close\r\n\r\n"},
	{"no Connection", 426, LINE "Upgrade: websocket\r\n" KEY VERSION "\r\n"},
	{"another Connection", 426,
	 LINE "Connection: upgraded\r\nUpgrade: websocket\r\n" KEY VERSION "\r\n"},
	{"a list of upgrades", 426,
	 LINE "Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n" KEY VERSION "\r\n"},
	{"two upgrades", 426, LINE UPGRADE "Upgrade: websocket\r\n" KEY VERSION "\r\n"},
	{"no version", 426, LINE UPGRADE KEY "\r\n"},
	{"version 8", 426, LINE UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n"},
	{"versions 13 and 8", 426, LINE UPGRADE KEY VERSION "Sec-WebSocket-Version: 8\r\n\r\n"},
	{"a list of versions", 426, LINE UPGRADE KEY "Sec-WebSocket-Version: 13, 8\r\n\r\n"},
	{"POST", 426,
	 "POST /socket HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" UPGRADE KEY VERSION "\r\n"},
	{"HEAD", 426, "HEAD /socket HTTP/1.1\r\nHost: a\r\n" UPGRADE KEY VERSION "\r\n"},
	{"HTTP/1.0", 505, "GET /socket HTTP/1.0\r\nHost: a\r\n" UPGRADE KEY VERSION "\r\n"},
	{"no key", 400, LINE UPGRADE VERSION "\r\n"},
	{"two keys", 400, LINE UPGRADE KEY KEY VERSION "\r\n"},
	{"a short key", 400, LINE UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n" VERSION "\r\n"},
	{"a key of other characters", 400,
	 LINE UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub2*jZQ==\r\n" VERSION "\r\n"},
	{"a key of 17 bytes", 400,
	 LINE UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQE=\r\n" VERSION "\r\n"},
	{"a key with spare bits", 400,
	 LINE UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n" VERSION "\r\n"},
	{"a body", 400, LINE UPGRADE KEY VERSION "Content-Length: 2\r\n\r\n{}"},
	{"a chunked body", 400,
	 LINE UPGRADE KEY VERSION "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"},
	{"an empty chunked body", 400,
	 LINE UPGRADE KEY VERSION "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"Connection: close", 400,
	 LINE "Connection: close, Upgrade\r\nUpgrade: websocket\r\n" KEY VERSION "\r\n"},
	{"another origin", 403, LINE UPGRADE KEY VERSION "Origin: https://evil.example\r\n\r\n"},
	{"another port", 403, LINE UPGRADE KEY VERSION "Origin: http://gateway.example\r\n\r\n"},
	{"a name that ends the same", 403,
	 LINE UPGRADE KEY VERSION "Origin: http://x.gateway.example:8080\r\n\r\n"},
	{"another scheme", 403, LINE UPGRADE KEY VERSION "Origin: ftp://gateway.example:8080\r\n\r\n"},
	{"a null origin", 403, LINE UPGRADE KEY VERSION "Origin: null\r\n\r\n"},
	{"an empty origin", 403, LINE UPGRADE KEY VERSION "Origin:\r\n\r\n"},
	{"two origins", 403,
	 LINE UPGRADE KEY VERSION "Origin: http://gateway.example:8080\r\n"
							  "Origin: http://gateway.example:8080\r\n\r\n"},
};

START_TEST(what_is_no_handshake_is_refused_and_ends_the_connection)
{
	start(10000, 1000);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
	{
		int fd = wire_connect(&wire);
		const char *answers;
		bool closed;

		wire_send_text(&wire, fd, refused[i].request);
		wire_send_text(&wire, fd, SECOND);
		answers = wire_read(&wire, fd, NULL, &closed);
		ck_assert_msg(wire_status(answers) == refused[i].status, "%s: %s", refused[i].what,
					  answers);
		ck_assert_msg(closed && wire_count(answers) == 1, "%s: %s", refused[i].what, answers);
		ck_assert_ptr_null(wire.socket);
		if (refused[i].status == 426)
		{
			ck_assert_ptr_nonnull(strstr(answers, "\r\nUpgrade: websocket\r\n"));
			ck_assert_ptr_nonnull(strstr(answers, "\r\nSec-WebSocket-Version: 13\r\n"));
		}
		close(fd);
	}
	wire_stop(&wire);
}
END_TEST

START_TEST(lists_of_connection_and_the_own_origin_are_fine)
{
	static const char *const good[] = {
		LINE "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n" KEY VERSION "\r\n",
		LINE "Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" KEY VERSION
			 "\r\n",
		LINE UPGRADE KEY VERSION "Origin: http://gateway.example:8080\r\n\r\n",
		LINE UPGRADE KEY VERSION "Origin: https://gateway.example:8080\r\n\r\n",
		LINE UPGRADE KEY VERSION "Sec-WebSocket-Extensions: permessage-deflate\r\n"
								 "Sec-WebSocket-Protocol: chat\r\n\r\n",
	};

	start(10000, 1000);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		const char *answer = wire_ask(&wire, good[i], "\r\n\r\n");

		ck_assert_msg(wire_status(answer) == 101, "%zu: %s", i, answer);
		ck_assert_ptr_null(strstr(answer, "Sec-WebSocket-Extensions"));
		ck_assert_ptr_null(strstr(answer, "Sec-WebSocket-Protocol"));
	}
	wire_stop(&wire);
}
END_TEST

/* A second request behind the first would otherwise be read as frames, or the other way round. */
START_TEST(nothing_may_be_sent_before_the_answer)
{
	const char *answers;

	start(10000, 1000);
	answers = wire_ask(&wire, GOOD SECOND, NULL);
	ck_assert_int_eq(wire_status(answers), 400);
	ck_assert_int_eq(wire_count(answers), 1);
	ck_assert_int_eq(wire.n_requests, 1);
	wire_stop(&wire);
}
END_TEST

START_TEST(a_ping_is_answered_wherever_it_is_cut)
{
	int fd;

	start(10000, 1000);
	fd = open_socket();
	for (size_t cut = 0; cut < sizeof(PING); cut++)
	{
		wire_send(&wire, fd, PING, cut);
		wire_send(&wire, fd, PING + cut, sizeof(PING) - 1 - cut);
		EXPECT(fd, PONG);
	}
	wire_stop(&wire);
}
END_TEST

START_TEST(the_client_closes)
{
	int fd;

	start(10000, 1000);
	fd = open_socket();
	SEND(fd, CLOSE);
	read_bytes(fd, 2, &(bool){false});
	ck_assert_mem_eq(received, "\x88", 1);
	ck_assert_mem_eq(received + 2, "\x03\xe8", 2);
	expect_end(fd);
	ck_assert_int_eq(wire.n_closed, 1);
	ck_assert_int_eq(wire.closed_code, 1000);
	ck_assert_ptr_null(wire.socket);
	close(fd);
	wire_run(&wire, 20);
	ck_assert_int_eq(http_server_connections(wire.server), 0);
	wire_stop(&wire);
}
END_TEST

START_TEST(the_client_is_gone_without_a_word)
{
	int fd;

	start(10000, 1000);
	fd = open_socket();
	close(fd);
	wire_run(&wire, 20);
	ck_assert_int_eq(wire.n_closed, 1);
	ck_assert_int_eq(wire.closed_code, WEBSOCKET_NO_CODE);
	ck_assert_int_eq(http_server_connections(wire.server), 0);
	wire_stop(&wire);
}
END_TEST

START_TEST(the_owner_closes_and_hears_nothing_more)
{
	int fd;

	start(10000, 1000);
	fd = open_socket();
	websocket_close(wire.socket, 4401, "bye");
	EXPECT(fd, "\x88\x05\x11\x31"
			   "bye");
	SEND(fd, PING); /* not answered any more */
	SEND(fd, CLOSE);
	expect_end(fd);
	ck_assert_int_eq(wire.n_closed, 0);
	wire_stop(&wire);
}
END_TEST

START_TEST(a_client_that_does_not_close_is_cut)
{
	int fd;

	start(10000, 1000);
	fd = open_socket();
	websocket_close(wire.socket, 4401, "bye");
	EXPECT(fd, "\x88\x05\x11\x31"
			   "bye");
	expect_end(fd);
	ck_assert_int_eq(http_server_connections(wire.server), 0);
	wire_stop(&wire);
}
END_TEST

START_TEST(a_client_that_breaks_the_rules_is_told_and_dropped)
{
	int fd;

	start(10000, 1000);
	fd = open_socket();
	SEND(fd, "\x82\x80" M);
	read_bytes(fd, 4, &(bool){false});
	ck_assert_mem_eq(received + 2, "\x03\xeb", 2); /* 1003 */
	expect_end(fd);
	ck_assert_int_eq(wire.n_closed, 1);
	ck_assert_int_eq(wire.closed_code, WEBSOCKET_NO_BINARY);
	wire_stop(&wire);
}
END_TEST

START_TEST(a_client_that_says_too_much_is_dropped)
{
	int fd;

	start(10000, 1000);
	fd = open_socket();
	for (int i = 0; i < WEBSOCKET_FRAMES_MAX; i++)
		SEND(fd, "\x8a\x80" M);
	ck_assert_int_eq(wire.n_closed, 0);
	SEND(fd, "\x8a\x80" M);
	wire_run(&wire, 20);
	ck_assert_int_eq(wire.n_closed, 1);
	ck_assert_int_eq(wire.closed_code, WEBSOCKET_POLICY);
	wire_stop(&wire);
}
END_TEST

START_TEST(a_message_that_never_ends_is_dropped)
{
	int fd;

	start(50, 1000);
	fd = open_socket();
	SEND(fd, "\x81\x82" M "x");
	for (int i = 0; i < 20 && wire.n_closed == 0; i++)
	{
		SEND(fd, "");
		wire_run(&wire, 20);
	}
	ck_assert_int_eq(wire.n_closed, 1);
	ck_assert_int_eq(wire.closed_code, WEBSOCKET_POLICY);
	wire_stop(&wire);
}
END_TEST

START_TEST(it_beats_and_drops_who_never_answers)
{
	int fd;

	start(50, 1000);
	fd = open_socket();
	for (int i = 0; i < 6; i++)
	{
		EXPECT(fd, "\x89\x00\x81\x04"
				   "beat");
		SEND(fd, "\x8a\x80" M);
	}
	ck_assert_int_eq(wire.n_closed, 0);
	wire_run(&wire, 300);
	ck_assert_int_eq(wire.n_closed, 1);
	ck_assert_int_eq(wire.closed_code, WEBSOCKET_SLOW_READER);
	wire_stop(&wire);
}
END_TEST

/* Sends until the socket is dropped; a bound of 64 MiB is more than any kernel takes. */
static size_t
send_until_dropped(void)
{
	static char bytes[16 * 1024];
	size_t sent = 0;

	while (sent < 64 * 1024 * 1024 && websocket_send(wire.socket, bytes, sizeof(bytes)))
		sent += sizeof(bytes);
	return sent;
}

START_TEST(who_does_not_read_is_dropped_and_the_queue_is_bounded)
{
	size_t sent;
	size_t queued;

	start(10000, 100 * 1000);
	open_socket();
	sent = send_until_dropped();
	ck_assert_uint_lt(sent, 64 * 1024 * 1024);
	queued = wire.server->output_bytes;
	ck_assert_uint_gt(queued, 100 * 1000);
	ck_assert_uint_lt(queued, 100 * 1000 + 2 * 16 * 1024);
	ck_assert_int_eq(wire.n_closed, 0); /* its owner knows from websocket_send() */
	wire_run(&wire, 300);
	ck_assert_int_eq(http_server_connections(wire.server), 0);
	ck_assert_uint_eq(wire.server->output_bytes, 0);
	wire_stop(&wire);
}
END_TEST

START_TEST(who_reads_nothing_of_what_is_queued_is_dropped_at_a_heartbeat)
{
	static char bytes[8 * 1024 * 1024];

	start(50, 16 * 1024 * 1024);
	open_socket();
	ck_assert(websocket_send(wire.socket, bytes, sizeof(bytes)));
	ck_assert_uint_gt(websocket_queued(wire.socket), 0);
	wire_run(&wire, 200);
	ck_assert_int_eq(wire.n_closed, 1);
	ck_assert_int_eq(wire.closed_code, WEBSOCKET_SLOW_READER);
	wire_stop(&wire);
}
END_TEST

START_TEST(the_owner_hears_when_all_has_left)
{
	static char bytes[8 * 1024 * 1024];
	size_t got = 0;
	bool closed = false;
	int fd;

	start(10000, 16 * 1024 * 1024);
	fd = open_socket();
	ck_assert(websocket_send(wire.socket, bytes, sizeof(bytes)));
	ck_assert_int_eq(wire.n_drained, 0);
	while (got < sizeof(bytes) && !closed)
		got += read_bytes(fd, 1, &closed);
	ck_assert_uint_eq(got, sizeof(bytes));
	wire_run(&wire, 20);
	ck_assert_int_gt(wire.n_drained, 0);
	ck_assert_uint_eq(websocket_queued(wire.socket), 0);
	wire_stop(&wire);
}
END_TEST

START_TEST(a_server_that_drains_says_goodbye)
{
	int fd;

	start(10000, 1000);
	fd = open_socket();
	wire_drain(&wire, 1000);
	ck_assert_int_eq(wire.n_closed, 1);
	ck_assert_int_eq(wire.closed_code, WEBSOCKET_GOING_AWAY);
	read_bytes(fd, 4, &(bool){false});
	ck_assert_mem_eq(received + 2, "\x03\xe9", 2); /* 1001 */
	SEND(fd, CLOSE);
	wire_run(&wire, 50);
	ck_assert(wire.drained);
	wire_stop(&wire);
}
END_TEST

START_TEST(a_server_that_is_freed_tells_the_owner)
{
	start(10000, 1000);
	open_socket();
	http_server_free(wire.server);
	wire.server = NULL;
	ck_assert_int_eq(wire.n_closed, 1);
	wire_stop(&wire);
}
END_TEST

SUITE("websocket", the_handshake_is_that_of_the_rfc,
	  what_is_no_handshake_is_refused_and_ends_the_connection,
	  lists_of_connection_and_the_own_origin_are_fine, nothing_may_be_sent_before_the_answer,
	  a_ping_is_answered_wherever_it_is_cut, the_client_closes, the_client_is_gone_without_a_word,
	  the_owner_closes_and_hears_nothing_more, a_client_that_does_not_close_is_cut,
	  a_client_that_breaks_the_rules_is_told_and_dropped, a_client_that_says_too_much_is_dropped,
	  a_message_that_never_ends_is_dropped, it_beats_and_drops_who_never_answers,
	  who_does_not_read_is_dropped_and_the_queue_is_bounded,
	  who_reads_nothing_of_what_is_queued_is_dropped_at_a_heartbeat,
	  the_owner_hears_when_all_has_left, a_server_that_drains_says_goodbye,
	  a_server_that_is_freed_tells_the_owner)
