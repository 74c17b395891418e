/*
 * test_http_file.c
 *		Files as answers: all of their bytes, in little memory, and never fewer than were said.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "tests/unit/http_wire.h"
#include "tests/unit/suite.h"

#define LENGTH (3 * HTTP_FILE_PIECE + 7)
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
	wire.file = fileno(file);
	wire.file_length = LENGTH;
}

static void
stop(void)
{
	wire_stop(&wire);
	fclose(file);
}

/* The lowest descriptor that is free shows whether any was left open. */
static int
free_descriptor(void)
{
	int fd = dup(STDIN_FILENO);

	close(fd);
	return fd;
}

START_TEST(all_bytes_arrive_and_the_connection_goes_on)
{
	int before = free_descriptor();
	const char *answers = wire_ask(&wire, GET NEXT, NULL);
	const char *body = strstr(answers, "\r\n\r\n") + 4;

	ck_assert_int_eq(wire_count(answers), 2);
	ck_assert_ptr_nonnull(strstr(answers, "Content-Length: 393223\r\n"));
	for (size_t i = 0; i < LENGTH; i++)
		ck_assert_int_eq(body[i], byte_at(i));
	ck_assert_int_eq(strncmp(body + LENGTH, "HTTP/1.1 200", 12), 0);
	wire_run(&wire, 20);
	ck_assert_int_eq(free_descriptor(), before);
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
	ck_assert_uint_le(http_server_output_bytes(wire.server), HTTP_FILE_PIECE);
	close(fd);
	wire_run(&wire, 20);
	ck_assert_uint_eq(http_server_output_bytes(wire.server), 0);
}
END_TEST

START_TEST(a_head_alone_sends_no_byte_of_it)
{
	int before = free_descriptor();
	const char *answers =
		wire_ask(&wire, "HEAD /file HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", NULL);

	ck_assert_ptr_nonnull(strstr(answers, "Content-Length: 393223\r\n"));
	ck_assert_str_eq(strstr(answers, "\r\n\r\n"), "\r\n\r\n");
	wire_run(&wire, 20);
	ck_assert_int_eq(free_descriptor(), before);
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
	close(fd);
}
END_TEST

START_TEST(a_slow_reader_of_a_file_is_closed)
{
	HttpLimits limits = HTTP_LIMITS_DEFAULT;
	int file_of_test = wire.file;
	int size = 4096;
	int fd;

	limits.write_period_ms = 100;
	limits.tick_ms = 10;
	wire_stop(&wire);
	wire_start(&wire, &limits);
	log_set_level(LOG_LEVEL_ERROR);
	wire.file = file_of_test;
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
	tcase_add_test(cases, a_slow_reader_of_a_file_is_closed);
	tcase_set_timeout(cases, 30);
}

SUITE_WITH("http file", add)
