/*
 * test_http_server.c
 *		The server over real connections: framing, order, bounds, ends.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "tests/unit/http_samples.h"
#include "tests/unit/http_wire.h"
#include "tests/unit/suite.h"

#define GET "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"

#define KEY "wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT"

static Wire wire;

static void
start(void)
{
	wire_start(&wire, NULL);
}

static void
stop(void)
{
	wire_stop(&wire);
}

/* The promise against smuggling: what comes behind a refused request is never served. */
static void
check_refused(const HttpSample *sample)
{
	int fd = wire_connect(&wire);
	bool closed;
	const char *answer;

	wire_send(&wire, fd, sample->text, sample->len);
	wire_send_text(&wire, fd, GET);
	answer = wire_read(&wire, fd, NULL, &closed);
	ck_assert_msg(wire_status(answer) == sample->status, "%s: %.100s", sample->name, answer);
	ck_assert_msg(wire_count(answer) == 1, "%s: %s", sample->name, answer);
	ck_assert(closed);
	ck_assert_ptr_nonnull(strstr(answer, "{\"error\":{\"code\":\""));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nConnection: close\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nX-Request-Id: "));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nCache-Control: no-store\r\n"));
	ck_assert_int_eq(wire.n_requests, 0);
	close(fd);
}

START_TEST(a_malformed_request_is_answered_and_ends_the_connection)
{
	for (int i = 0; i < http_n_refused; i++)
		check_refused(&http_refused[i]);
}
END_TEST

/* The answer does not depend on which of guard and parser sees the fault first. */
static void
check_refused_cut(const HttpSample *sample)
{
	for (size_t cut = 1; cut < sample->len; cut++)
	{
		int fd = wire_connect(&wire);
		bool closed;

		wire_send(&wire, fd, sample->text, cut);
		wire_send(&wire, fd, sample->text + cut, sample->len - cut);
		ck_assert_msg(wire_status(wire_read(&wire, fd, "}}", &closed)) == sample->status,
					  "%s, cut at %zu", sample->name, cut);
		close(fd);
	}
	ck_assert_int_eq(wire.n_requests, 0);
}

START_TEST(a_malformed_request_gets_the_same_answer_wherever_it_is_cut)
{
	for (int i = 0; i < http_n_refused; i++)
		check_refused_cut(&http_refused[i]);
}
END_TEST

/* All cuts of one sample go through one connection, as pieces that arrive apart. */
static void
check_accepted_cut(const HttpSample *sample)
{
	int before = wire.n_requests;
	int fd = wire_connect(&wire);
	char expected[100];
	bool closed;

	snprintf(expected, sizeof(expected), " /echo [%s]", sample->body);
	for (size_t cut = 0; cut < sample->len; cut++)
	{
		const char *answer;

		wire_send(&wire, fd, sample->text, cut);
		wire_send(&wire, fd, sample->text + cut, sample->len - cut);
		answer = wire_read(&wire, fd, expected, &closed);
		ck_assert_msg(wire_status(answer) == 200 && !closed, "%s, cut at %zu: %s", sample->name,
					  cut, answer);
	}
	ck_assert_int_eq(wire.n_requests - before, (int) sample->len);
	close(fd);
}

START_TEST(a_well_formed_request_is_answered_wherever_it_is_cut)
{
	for (int i = 0; i < http_n_accepted; i++)
		check_accepted_cut(&http_accepted[i]);
}
END_TEST

START_TEST(who_leaves_serves_on_and_says_so)
{
	int fd = wire_connect(&wire);
	const char *answer;
	bool closed;

	wire_send_text(&wire, fd, GET);
	answer = wire_read(&wire, fd, "[]", &closed);
	ck_assert_ptr_null(strstr(answer, "Connection: close"));
	http_server_leave(wire.server);
	wire_send_text(&wire, fd, GET GET);
	answer = wire_read(&wire, fd, NULL, &closed);
	ck_assert(closed);
	ck_assert_int_eq(wire_count(answer), 1);
	ck_assert_int_eq(wire_status(answer), 200);
	ck_assert_ptr_nonnull(strstr(answer, "\r\nConnection: close\r\n"));
	close(fd);

	/* new ones come in as before, but as no WebSocket */
	answer = wire_ask(&wire, GET, NULL);
	ck_assert_int_eq(wire_status(answer), 200);
	ck_assert_ptr_nonnull(strstr(answer, "\r\nConnection: close\r\n"));
	answer =
		wire_ask(&wire,
				 "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
				 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
				 NULL);
	ck_assert_int_eq(wire_status(answer), 503);
}
END_TEST

/* ---- bodies ---- */

/* An answer to a request with a head and a body of so many bytes, cut behind the head. */
static const char *
ask_with_body(const char *head, size_t bytes, const char *until, bool *closed)
{
	char *body = malloc(bytes + 1);
	int fd = wire_connect(&wire);
	const char *answer;

	memset(body, 'b', bytes);
	body[bytes] = '\0';
	wire_send_text(&wire, fd, head);
	wire_send(&wire, fd, body, bytes);
	wire_send_text(&wire, fd, GET);
	answer = wire_read(&wire, fd, until, closed);
	free(body);
	close(fd);
	return answer;
}

START_TEST(a_handler_can_set_a_lower_bound_for_a_body)
{
	bool closed;
	const char *answer =
		ask_with_body("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n", 10,
					  "GET /echo []", &closed);

	ck_assert_ptr_nonnull(strstr(answer, "POST /small [bbbbbbbbbb]"));
	ck_assert_int_eq(wire.n_requests, 2);

	answer = ask_with_body("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", 11,
						   NULL, &closed);
	ck_assert_int_eq(wire_status(answer), 413);
	answer = wire_ask(&wire,
					  "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
					  "6\r\nabcdef\r\n5\r\nabcde\r\n0\r\n\r\n" GET,
					  NULL);
	ck_assert_int_eq(wire_status(answer), 413);
	ck_assert_int_eq(wire_count(answer), 1);
	ck_assert_int_eq(wire.n_requests, 2);
}
END_TEST

/* The answer needs no body: it comes at once, and nothing behind it is served. */
static void
check_unwanted(const char *fields, size_t sent)
{
	char head[200];
	int before = wire.n_requests;
	bool closed;
	const char *answer;

	snprintf(head, sizeof(head), "POST /unwanted HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", fields);
	answer = ask_with_body(head, sent, NULL, &closed);
	ck_assert_int_eq(wire_status(answer), 200);
	ck_assert_int_eq(wire_count(answer), 1);
	ck_assert_ptr_nonnull(strstr(answer, "POST /unwanted []"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nConnection: close\r\n"));
	ck_assert(closed);
	ck_assert_int_eq(wire.n_requests, before + 1);
}

START_TEST(a_body_that_nobody_wants_is_not_waited_for)
{
	bool closed;
	const char *answer;

	check_unwanted("Content-Length: 4097", 0);
	check_unwanted("Content-Length: 4097", 4097);
	check_unwanted("Content-Length: 100000000", 100000);
	check_unwanted("Transfer-Encoding: chunked", 0);
	check_unwanted("Content-Length: 4097\r\nExpect: 100-continue", 0);

	/* a short one comes along, and the connection stays */
	answer = ask_with_body("POST /unwanted HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", 3,
						   "GET /echo []", &closed);
	ck_assert_ptr_nonnull(strstr(answer, "POST /unwanted [bbb]"));
	ck_assert(!closed);
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
	int fd = wire_connect(&wire);
	const char *answers;
	bool closed;

	wire_send_text(&wire, fd,
				   "GET /echo/1 HTTP/1.1\r\nHost: a\r\n\r\n"
				   "POST /echo/2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntwo"
				   "GET /empty HTTP/1.1\r\nHost: a\r\n\r\n"
				   "GET /echo/4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
				   "GET /echo/5 HTTP/1.1\r\nHost: a\r\n\r\n");
	answers = wire_read(&wire, fd, NULL, &closed);
	ck_assert(closed);
	ck_assert_int_eq(wire_count(answers), 4);
	ck_assert_int_eq(wire.n_requests, 4);
	ck_assert(strstr(answers, "/echo/1 []") < strstr(answers, "/echo/2 [two]"));
	ck_assert(strstr(answers, "/echo/2 [two]") < strstr(answers, "204 No Content"));
	ck_assert(strstr(answers, "204 No Content") < strstr(answers, "/echo/4 []"));
	close(fd);
}
END_TEST

START_TEST(the_next_request_waits_for_the_answer_before)
{
	int fd = wire_connect(&wire);
	const char *answers;
	bool closed;

	wire_send_text(&wire, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" GET);
	wire_run(&wire, 20);
	ck_assert_int_eq(wire.n_requests, 1);
	http_respond_error(wire.held, http_error(HTTP_ERROR_CONFLICT), NULL, 0, NULL, 0);
	answers = wire_read(&wire, fd, "/echo []", &closed);
	ck_assert_int_eq(wire.n_requests, 2);
	ck_assert_int_eq(wire_status(answers), 409);
	ck_assert_int_eq(wire_count(answers), 2);
	close(fd);
}
END_TEST

/* What is sent ahead of an answer is bounded by the kernel's and our own buffer. */
START_TEST(input_stops_while_an_answer_is_outstanding)
{
	static char block[64 * 1024];
	int fd = wire_connect(&wire);
	size_t total = 0;
	ssize_t sent;
	int small = 16 * 1024;
	bool closed;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	wire_send_text(&wire, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 200; i++)
	{
		while ((sent = send(fd, block, sizeof(block), MSG_NOSIGNAL)) > 0)
			total += (size_t) sent;
		wire_run(&wire, 1);
	}
	ck_assert_uint_lt(total, 16 * 1024 * 1024);

	/* and then it is read on: this was no request */
	http_respond(wire.held, 204, NULL, 0, NULL, NULL);
	ck_assert_int_eq(wire_count(wire_read(&wire, fd, NULL, &closed)), 2);
	close(fd);
}
END_TEST

START_TEST(the_answer_to_head_has_the_length_but_no_body)
{
	const char *answer =
		wire_ask(&wire, "HEAD /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", NULL);

	ck_assert_int_eq(wire_status(answer), 200);
	ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Length: 13\r\n"));
	ck_assert_str_eq(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}
END_TEST

START_TEST(the_answer_204_has_no_body_and_no_length)
{
	const char *answer =
		wire_ask(&wire, "DELETE /empty HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", NULL);

	ck_assert_int_eq(wire_status(answer), 204);
	ck_assert_ptr_null(strstr(answer, "Content-Length"));
	ck_assert_str_eq(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}
END_TEST

START_TEST(an_answer_with_a_header_that_breaks_the_head_becomes_a_500)
{
	const char *answer = wire_ask(&wire, "GET /bad HTTP/1.1\r\nHost: a\r\n\r\n", "}}");

	ck_assert_int_eq(wire_status(answer), 500);
	ck_assert_ptr_null(strstr(answer, "X-Injected"));
}
END_TEST

START_TEST(a_sane_request_id_is_taken_over_and_no_other)
{
	static const struct
	{
		const char *fields;
		const char *expected; /* NULL = one of ours */
	} samples[] = {
		{"X-Request-Id: abc-123_.:\r\n", "X-Request-Id: abc-123_.:\r\n"},
		{"X-Request-Id: a b\r\n", NULL},
		{"X-Request-Id: <script>\r\n", NULL},
		{"X-Request-Id: a\r\nX-Request-Id: b\r\n", NULL},
		{"X-Request-Id:\r\n", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		char request[300];
		const char *answer;
		const char *id;

		snprintf(request, sizeof(request), "GET /echo HTTP/1.1\r\nHost: a\r\n%s\r\n",
				 samples[i].fields);
		answer = wire_ask(&wire, request, "[]");
		id = strstr(answer, "X-Request-Id: ");
		ck_assert_ptr_nonnull(id);
		if (samples[i].expected != NULL)
			ck_assert_int_eq(strncmp(id, samples[i].expected, strlen(samples[i].expected)), 0);
		else
			ck_assert_int_eq((int) strspn(id + 14, "0123456789abcdef"), 32);
	}
}
END_TEST

START_TEST(a_client_that_waits_with_its_body_is_told_to_go_on)
{
	int fd = wire_connect(&wire);
	const char *answer;
	bool closed;

	wire_send_text(&wire, fd,
				   "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
				   "Content-Length: 5\r\n\r\n");
	answer = wire_read(&wire, fd, "\r\n\r\n", &closed);
	ck_assert_str_eq(answer, "HTTP/1.1 100 Continue\r\n\r\n");
	wire_send_text(&wire, fd, "hello");
	answer = wire_read(&wire, fd, "[hello]", &closed);
	ck_assert_int_eq(wire_status(answer), 200);
	close(fd);
}
END_TEST

START_TEST(a_client_that_waits_with_too_large_a_body_is_refused_at_once)
{
	const char *answer = wire_ask(&wire,
								  "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
								  "Content-Length: 1048577\r\n\r\n",
								  NULL);

	ck_assert_int_eq(wire_status(answer), 413);
	ck_assert_int_eq(wire_count(answer), 1);
}
END_TEST

START_TEST(another_expectation_is_refused)
{
	ck_assert_int_eq(
		wire_status(wire_ask(&wire, "GET /echo HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n", NULL)),
		417);
}
END_TEST

START_TEST(a_body_may_have_a_megabyte_and_not_a_byte_more)
{
	char *body = malloc(HTTP_BODY_MAX + 1);
	char head[100];
	bool closed;

	memset(body, 'x', HTTP_BODY_MAX + 1);
	for (int more = 0; more <= 1; more++)
	{
		int fd = wire_connect(&wire);
		const char *answer;

		snprintf(head, sizeof(head), "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
				 HTTP_BODY_MAX + more);
		wire_send_text(&wire, fd, head);
		wire_send(&wire, fd, body, HTTP_BODY_MAX + (size_t) more);
		answer = wire_read(&wire, fd, more ? NULL : "]", &closed);
		ck_assert_int_eq(wire_status(answer), more ? 413 : 200);
		ck_assert_int_eq(closed, more);
		close(fd);
	}
	ck_assert_int_eq(wire.n_requests, 1);
	free(body);
}
END_TEST

/* The kernel would take the answer away with a reset if the rest were not read. */
START_TEST(a_client_in_the_middle_of_sending_still_gets_its_refusal)
{
	static char block[512 * 1024];
	int fd = wire_connect(&wire);
	bool closed;
	const char *answer;

	wire_send_text(&wire, fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
	for (int i = 0; i < 5; i++)
		wire_send(&wire, fd, block, sizeof(block));
	answer = wire_read(&wire, fd, NULL, &closed);
	ck_assert_int_eq(wire_status(answer), 413);
	ck_assert(closed);
	close(fd);
}
END_TEST

START_TEST(targets_that_do_not_decode_are_refused)
{
	static const char *const targets[] = {"/a%00b",     "/%",      "/%4",         "/%zz",    "/%c3",
										  "/%ff",       "/a/../b", "/a/%2e%2E/b", "/.",      "/%0a",
										  "/%ed%a0%80", "/?a=%",   "/?a=%00&b=c", "/?%c0%80"};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
	{
		char request[200];
		const char *answer;

		snprintf(request, sizeof(request),
				 "GET %s HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n", targets[i]);
		answer = wire_ask(&wire, request, NULL);
		ck_assert_msg(wire_status(answer) == 400, "%s", targets[i]);
		ck_assert_ptr_nonnull(strstr(answer, "X-Request-Id: mine\r\n"));
	}
	ck_assert_int_eq(wire.n_requests, 0);
}
END_TEST

START_TEST(a_large_answer_arrives_whole_at_a_slow_reader)
{
	int fd = wire_connect(&wire);
	const char *answer;
	bool closed;

	wire_send_text(&wire, fd, "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	wire_run(&wire, 50);
	answer = wire_read(&wire, fd, NULL, &closed);
	ck_assert(closed);
	ck_assert_uint_eq(strlen(strstr(answer, "\r\n\r\n") + 4), LARGE_BYTES);
	close(fd);
}
END_TEST

START_TEST(a_client_that_shut_its_sending_side_is_still_answered)
{
	int fd = wire_connect(&wire);
	const char *answers;
	bool closed;

	wire_send_text(&wire, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" GET);
	shutdown(fd, SHUT_WR);
	wire_run(&wire, 20);
	ck_assert_int_eq(wire.n_gone, 0);
	http_respond(wire.held, 204, NULL, 0, NULL, NULL);
	answers = wire_read(&wire, fd, NULL, &closed);
	ck_assert(closed);
	ck_assert_int_eq(wire_count(answers), 2);
	close(fd);
}
END_TEST

/* What the server logs while it is asked, without the times. */
static const char *
log_of(const char *request)
{
	static char text[4000];
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	size_t len;

	dup2(fileno(file), STDERR_FILENO);
	log_set_level(LOG_LEVEL_INFO);
	wire_ask(&wire, request, NULL);
	log_set_level(LOG_LEVEL_ERROR);
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return strstr(text, "event=request ");
}

START_TEST(the_access_log_shows_neither_query_nor_credential)
{
	const char *line = log_of("GET /echo/" KEY "?token=" KEY " HTTP/1.1\r\nHost: a\r\n"
							  "Authorization: Bearer " KEY "\r\nX-Request-Id: " KEY "\r\n"
							  "Connection: close\r\n\r\n");

	ck_assert_ptr_nonnull(line);
	ck_assert_ptr_nonnull(strstr(line, " method=GET path=/echo/wa_003aU\xE2\x80\xA6 status=200 "));
	ck_assert_ptr_nonnull(strstr(line, " request_id=wa_003aU\xE2\x80\xA6 "));
	ck_assert_ptr_null(strstr(line, "token"));
	ck_assert_ptr_null(strstr(line, "TJC7"));
}
END_TEST

START_TEST(the_access_log_shows_route_key_and_reason)
{
	const char *line = log_of("GET /named HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

	ck_assert_ptr_nonnull(strstr(line, " method=GET route=/{name} status=404 bytes="));
	ck_assert_ptr_nonnull(strstr(line, " key_id=key_1 peer=127.0.0.1\n"));
	line = log_of("GET /echo HTTP/1.0\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(line, " status=505 "));
	ck_assert_ptr_nonnull(strstr(line, " refused=\"only HTTP/1.1 is supported\"\n"));
}
END_TEST

static void
reset(int fd)
{
	struct linger none = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
}

START_TEST(a_handler_hears_once_that_its_client_is_gone_and_may_still_answer)
{
	int fd = wire_connect(&wire);

	wire_send_text(&wire, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	wire_run(&wire, 10);
	ck_assert_ptr_nonnull(wire.held);
	reset(fd);
	wire_run(&wire, 10);
	ck_assert_int_eq(wire.n_gone, 1);
	ck_assert_int_eq(http_server_connections(wire.server), 0);
	ck_assert_str_eq(wire.held->path.data, "/hold");
	http_respond_error(wire.held, http_error(HTTP_ERROR_INTERNAL), NULL, 0, NULL, 0);
	wire_run(&wire, 10);
	ck_assert_int_eq(wire.n_gone, 1);
}
END_TEST

START_TEST(a_client_that_leaves_within_a_request_leaves_nothing_behind)
{
	const HttpSample *sample = &http_accepted[9];

	for (size_t len = 0; len < sample->len; len++)
	{
		int fd = wire_connect(&wire);

		wire_send(&wire, fd, sample->text, len);
		if (len % 2 == 0)
			close(fd);
		else
			reset(fd);
		wire_run(&wire, 1);
	}
	wire_run(&wire, 20);
	ck_assert_int_eq(http_server_connections(wire.server), 0);
	ck_assert_int_eq(wire.n_requests, 0);
}
END_TEST

START_TEST(a_drain_finishes_what_has_begun_and_closes_the_rest)
{
	int idle = wire_connect(&wire);
	int held = wire_connect(&wire);
	int half = wire_connect(&wire);
	const char *answer;
	bool closed;

	wire_send_text(&wire, idle, GET);
	wire_read(&wire, idle, "[]", &closed);
	wire_send_text(&wire, held, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	wire_send_text(&wire, half, "GET /echo HTT");
	wire_run(&wire, 10);

	wire_drain(&wire, 2000);
	wire_read(&wire, idle, NULL, &closed);
	ck_assert(closed);
	ck_assert(!wire.drained);

	http_respond(wire.held, 204, NULL, 0, NULL, NULL);
	answer = wire_read(&wire, held, NULL, &closed);
	ck_assert(closed);
	ck_assert_ptr_nonnull(strstr(answer, "\r\nConnection: close\r\n"));
	ck_assert(!wire.drained);

	wire_send_text(&wire, half, "P/1.1\r\nHost: a\r\n\r\n");
	answer = wire_read(&wire, half, NULL, &closed);
	ck_assert_int_eq(wire_status(answer), 200);
	ck_assert(closed);
	wire_run(&wire, 10);
	ck_assert(wire.drained);
	close(idle);
	close(held);
	close(half);
}
END_TEST

START_TEST(a_drain_has_a_bound)
{
	int fd = wire_connect(&wire);
	bool closed;

	wire_send_text(&wire, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	wire_run(&wire, 10);
	wire_drain(&wire, 100);
	wire_run(&wire, 700);
	ck_assert(wire.drained);
	ck_assert_int_eq(wire.n_gone, 1);
	wire_read(&wire, fd, NULL, &closed);
	ck_assert(closed);
	http_respond(wire.held, 204, NULL, 0, NULL, NULL);
	close(fd);
}
END_TEST

START_TEST(a_server_that_stops_lets_its_handlers_know)
{
	int fd = wire_connect(&wire);

	wire_send_text(&wire, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	wire_run(&wire, 10);
	http_server_free(wire.server);
	wire.server = NULL;
	ck_assert_int_eq(wire.n_gone, 1);
	http_respond(wire.held, 204, NULL, 0, NULL, NULL);
	close(fd);
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_set_timeout(cases, 120);
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, a_malformed_request_is_answered_and_ends_the_connection);
	tcase_add_test(cases, a_malformed_request_gets_the_same_answer_wherever_it_is_cut);
	tcase_add_test(cases, a_well_formed_request_is_answered_wherever_it_is_cut);
	tcase_add_test(cases, who_leaves_serves_on_and_says_so);
	tcase_add_test(cases, a_handler_can_set_a_lower_bound_for_a_body);
	tcase_add_test(cases, a_body_that_nobody_wants_is_not_waited_for);
	tcase_add_test(cases, pipelined_requests_are_answered_in_order);
	tcase_add_test(cases, the_next_request_waits_for_the_answer_before);
	tcase_add_test(cases, input_stops_while_an_answer_is_outstanding);
	tcase_add_test(cases, the_answer_to_head_has_the_length_but_no_body);
	tcase_add_test(cases, the_answer_204_has_no_body_and_no_length);
	tcase_add_test(cases, an_answer_with_a_header_that_breaks_the_head_becomes_a_500);
	tcase_add_test(cases, a_sane_request_id_is_taken_over_and_no_other);
	tcase_add_test(cases, a_client_that_waits_with_its_body_is_told_to_go_on);
	tcase_add_test(cases, a_client_that_waits_with_too_large_a_body_is_refused_at_once);
	tcase_add_test(cases, another_expectation_is_refused);
	tcase_add_test(cases, a_body_may_have_a_megabyte_and_not_a_byte_more);
	tcase_add_test(cases, a_client_in_the_middle_of_sending_still_gets_its_refusal);
	tcase_add_test(cases, targets_that_do_not_decode_are_refused);
	tcase_add_test(cases, a_large_answer_arrives_whole_at_a_slow_reader);
	tcase_add_test(cases, a_client_that_shut_its_sending_side_is_still_answered);
	tcase_add_test(cases, the_access_log_shows_neither_query_nor_credential);
	tcase_add_test(cases, the_access_log_shows_route_key_and_reason);
	tcase_add_test(cases, a_handler_hears_once_that_its_client_is_gone_and_may_still_answer);
	tcase_add_test(cases, a_client_that_leaves_within_a_request_leaves_nothing_behind);
	tcase_add_test(cases, a_drain_finishes_what_has_begun_and_closes_the_rest);
	tcase_add_test(cases, a_drain_has_a_bound);
	tcase_add_test(cases, a_server_that_stops_lets_its_handlers_know);
}

SUITE_WITH("http_server", add_tests)
