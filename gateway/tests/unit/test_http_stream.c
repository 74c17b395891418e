/*
 * test_http_stream.c
 *		Answers in pieces: all of their bytes, in little memory, and never fewer than were said.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "tests/unit/http_wire.h"
#include "tests/unit/suite.h"

#define LENGTH (3 * HTTP_STREAM_PIECE + 7)
#define GET "GET /file HTTP/1.1\r\nHost: h\r\n\r\n"
#define NEXT "GET /echo/next HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

static Wire wire;
static FILE *file;

static char
byte_at(size_t place)
{
	return (char) ('a' + (place * 7 + place / 1000) % 26);
}

static void
start(void)
{
	wire_start(&wire, NULL);
	log_set_level(LOG_LEVEL_ERROR);
	file = tmpfile();
	ck_assert_ptr_nonnull(file);
	for (size_t i = 0; i < LENGTH; i++)
		putc(byte_at(i), file);
	ck_assert_int_eq(fflush(file), 0);
	rewind(file);
	wire.file = fileno(file);
	wire.file_length = LENGTH;
}

static void
stop(void)
{
	wire_stop(&wire);
	fclose(file);
}

START_TEST(all_bytes_arrive_and_the_connection_goes_on)
{
	const char *answers = wire_ask(&wire, GET NEXT, NULL);
	const char *body = strstr(answers, "\r\n\r\n") + 4;

	ck_assert_int_eq(wire_count(answers), 2);
	ck_assert_ptr_nonnull(strstr(answers, "Content-Length: 393223\r\n"));
	for (size_t i = 0; i < LENGTH; i++)
		ck_assert_int_eq(body[i], byte_at(i));
	ck_assert_int_eq(strncmp(body + LENGTH, "HTTP/1.1 200", 12), 0);
	ck_assert_int_eq(wire.n_pieces, 4);
	ck_assert_int_eq(wire.n_ended, 1);
}
END_TEST

START_TEST(a_reader_that_waits_costs_one_piece)
{
	int fd = wire_connect(&wire);
	int size = 4096;

	ck_assert_int_eq(ftruncate(wire.file, 64 * 1024 * 1024), 0);
	wire.file_length = 64 * 1024 * 1024;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	wire_send_text(&wire, fd, GET);
	wire_run(&wire, 200);
	ck_assert_uint_gt(http_server_output_bytes(wire.server), 0);
	ck_assert_uint_le(http_server_output_bytes(wire.server), HTTP_STREAM_PIECE);
	close(fd);
	wire_run(&wire, 20);
	ck_assert_uint_eq(http_server_output_bytes(wire.server), 0);
	ck_assert_int_eq(wire.n_ended, 1);
}
END_TEST

START_TEST(a_head_alone_sends_no_byte_of_it)
{
	const char *answers =
		wire_ask(&wire, "HEAD /file HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", NULL);

	ck_assert_ptr_nonnull(strstr(answers, "Content-Length: 393223\r\n"));
	ck_assert_str_eq(strstr(answers, "\r\n\r\n"), "\r\n\r\n");
	ck_assert_int_eq(wire.n_pieces, 0);
	ck_assert_int_eq(wire.n_ended, 1);
}
END_TEST

START_TEST(a_file_that_is_too_short_breaks_the_connection)
{
	int fd = wire_connect(&wire);
	bool closed;
	const char *answer;

	wire.file_length = LENGTH + 1;
	wire_send_text(&wire, fd, GET NEXT);
	answer = wire_read(&wire, fd, NULL, &closed);
	ck_assert(closed);
	ck_assert_int_eq(wire_count(answer), 1);
	ck_assert_uint_le(strlen(strstr(answer, "\r\n\r\n") + 4), LENGTH);
	ck_assert_int_eq(wire.n_ended, 1);
	close(fd);
}
END_TEST

START_TEST(a_file_that_is_too_long_breaks_the_connection)
{
	int fd = wire_connect(&wire);
	bool closed;
	const char *answer;

	wire.file_length = LENGTH - 1;
	wire_send_text(&wire, fd, GET NEXT);
	answer = wire_read(&wire, fd, NULL, &closed);
	ck_assert(closed);
	ck_assert_int_eq(wire_count(answer), 1);
	ck_assert_int_eq(wire.n_ended, 1);
	close(fd);
}
END_TEST

START_TEST(a_source_may_give_its_pieces_later)
{
	int fd = wire_connect(&wire);
	bool closed;
	const char *answer;

	wire.waits = true;
	wire.file_length = 10;
	wire_send_text(&wire, fd, GET NEXT);
	wire_run(&wire, 20);
	ck_assert_ptr_nonnull(wire.stream);
	http_stream_give(wire.stream, "hello", 5);
	wire_run(&wire, 20);
	ck_assert_int_eq(wire.n_pieces, 2);
	http_stream_give(wire.stream, "world", 5);
	ck_assert_ptr_null(wire.stream);
	answer = wire_read(&wire, fd, NULL, &closed);
	ck_assert_int_eq(wire_count(answer), 2);
	ck_assert_ptr_nonnull(strstr(answer, "\r\n\r\nhelloworldHTTP/1.1 200"));
	close(fd);
}
END_TEST

START_TEST(a_source_is_ended_when_the_client_leaves)
{
	int fd = wire_connect(&wire);

	wire.waits = true;
	wire_send_text(&wire, fd, GET);
	wire_run(&wire, 20);
	ck_assert_ptr_nonnull(wire.stream);
	http_stream_give(wire.stream, "x", 1);
	shutdown(fd, SHUT_RDWR);
	close(fd);
	for (int i = 0; i < 20 && wire.stream != NULL; i++)
	{
		/* the client's kernel says that nobody is there once more bytes come */
		http_stream_give(wire.stream, "x", 1);
		wire_run(&wire, 20);
	}
	ck_assert_ptr_null(wire.stream);
	ck_assert_int_eq(wire.n_ended, 1);
}
END_TEST

/* Starts again with a short time in which bytes of an answer have to leave. */
static void
restart_in_a_hurry(void)
{
	HttpLimits limits = HTTP_LIMITS_DEFAULT;

	limits.write_period_ms = 100;
	limits.tick_ms = 10;
	wire_stop(&wire);
	wire_start(&wire, &limits);
	log_set_level(LOG_LEVEL_ERROR);
	wire.file = fileno(file);
	wire.file_length = LENGTH;
}

START_TEST(a_source_that_is_slow_breaks_the_connection)
{
	int fd;

	restart_in_a_hurry();
	wire.waits = true;
	fd = wire_connect(&wire);
	wire_send_text(&wire, fd, GET);
	wire_run(&wire, 50);
	ck_assert_ptr_nonnull(wire.stream);
	wire_run(&wire, 500);
	ck_assert_ptr_null(wire.stream);
	ck_assert_int_eq(wire.n_ended, 1);
	ck_assert_int_eq(http_server_connections(wire.server), 0);
	close(fd);
}
END_TEST

START_TEST(a_slow_reader_of_a_file_is_closed)
{
	int size = 4096;
	int fd;

	restart_in_a_hurry();
	wire.file_length = 64 * 1024 * 1024;
	ck_assert_int_eq(ftruncate(wire.file, 64 * 1024 * 1024), 0);
	fd = wire_connect(&wire);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	wire_send_text(&wire, fd, GET);
	wire_run(&wire, 50);
	ck_assert_int_eq(http_server_connections(wire.server), 1);
	wire_run(&wire, 500);
	ck_assert_int_eq(http_server_connections(wire.server), 0);
	close(fd);
}
END_TEST

static void
add(TCase *cases)
{
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, all_bytes_arrive_and_the_connection_goes_on);
	tcase_add_test(cases, a_reader_that_waits_costs_one_piece);
	tcase_add_test(cases, a_head_alone_sends_no_byte_of_it);
	tcase_add_test(cases, a_file_that_is_too_short_breaks_the_connection);
	tcase_add_test(cases, a_file_that_is_too_long_breaks_the_connection);
	tcase_add_test(cases, a_source_may_give_its_pieces_later);
	tcase_add_test(cases, a_source_is_ended_when_the_client_leaves);
	tcase_add_test(cases, a_source_that_is_slow_breaks_the_connection);
	tcase_add_test(cases, a_slow_reader_of_a_file_is_closed);
	tcase_set_timeout(cases, 30);
}

SUITE_WITH("http stream", add)
