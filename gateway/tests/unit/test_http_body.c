/*
 * test_http_body.c
 *		Bodies that are streamed: a sink gets them in parts, when the handler has decided to take
 *		them, and as fast as it has room.
 */
#include <string.h>
#include <unistd.h>

#include "http/server.h"
#include "lib/log.h"
#include "tests/unit/http_wire.h"
#include "tests/unit/suite.h"

#define LARGE (4 * 1024 * 1024)
#define OTHER "GET /echo/next HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

/* What a sink does and has seen. */
typedef struct Sink
{
	HttpRequest *request;
	size_t bytes;
	size_t largest; /* part */
	uint32_t sum;   /* of the bytes, by their place */
	size_t full_at; /* it is full when it has so many bytes; 0: never */
	bool refuses;   /* answers with a 503 to the first part */
	int ended;
} Sink;

static Wire wire;
static Sink sink;

static uint32_t
sum_of(const char *bytes, size_t len, size_t at)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += (unsigned char) bytes[i] * (uint32_t) (at + i + 1);
	return sum;
}

static bool
take_part(void *context, const char *bytes, size_t len)
{
	Sink *to = context;

	ck_assert_int_eq(to->ended, 0);
	to->sum += sum_of(bytes, len, to->bytes);
	to->bytes += len;
	to->largest = len > to->largest ? len : to->largest;
	if (to->refuses)
		http_respond_error(to->request, http_error(HTTP_ERROR_UNAVAILABLE), NULL, 0, NULL, 0);
	return to->full_at == 0 || to->bytes < to->full_at;
}

static void
end(void *context)
{
	Sink *to = context;
	Buffer text;

	to->ended++;
	buffer_init(&text, 64);
	buffer_append_int64(&text, (int64_t) to->bytes);
	http_respond(to->request, 200, NULL, 0, "text/plain", &text);
}

static void
start(void)
{
	wire_start(&wire, NULL);
	log_set_level(LOG_LEVEL_ERROR);
	sink = (Sink){0};
}

static void
stop(void)
{
	wire_stop(&wire);
}

/* The handler takes the body of the request that it holds. */
static void
take(uint64_t max)
{
	static HttpBodySink taker = {.part = take_part, .end = end};

	taker.max = max;
	ck_assert_ptr_nonnull(wire.held);
	sink.request = wire.held;
	http_body_take(wire.held, &taker, &sink);
}

static const char *
read_to(int fd, const char *until)
{
	bool closed;

	return wire_read(&wire, fd, until, &closed);
}

/* The request was told that its client is gone; the answer only frees it. */
static void
let_go(int gone)
{
	ck_assert_int_eq(wire.n_gone, gone);
	http_respond_error(wire.held, http_error(HTTP_ERROR_UNAVAILABLE), NULL, 0, NULL, 0);
}

/* Sends head and body; what the client reads then. */
static const char *
stream(int fd, const char *head, const char *body, size_t len)
{
	wire_send_text(&wire, fd, head);
	wire_run(&wire, 20);
	take(LARGE);
	wire_send(&wire, fd, body, len);
	return read_to(fd, "\r\n\r\n");
}

START_TEST(a_handler_decides_before_the_body_is_read)
{
	int fd = wire_connect(&wire);

	wire_send_text(&wire, fd, "POST /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe");
	wire_run(&wire, 20);
	ck_assert_int_eq(wire.n_requests, 1);
	ck_assert_uint_eq(wire.held->body.len, 0);
	ck_assert_uint_eq(sink.bytes, 0);
	take(5);
	wire_run(&wire, 20);
	ck_assert_uint_eq(sink.bytes, 2);
	ck_assert_int_eq(sink.ended, 0);
	wire_send_text(&wire, fd, "llo" OTHER);
	ck_assert_int_eq(wire_count(read_to(fd, NULL)), 2);
	ck_assert_int_eq(sink.ended, 1);
	ck_assert_uint_eq(sink.sum, sum_of("hello", 5, 0));
	ck_assert_int_eq(wire.n_gone, 0);
	close(fd);
}
END_TEST

START_TEST(chunks_arrive_as_their_bytes_wherever_the_input_is_cut)
{
	static const char body[] = "3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nX-Trailer: t\r\n\r\n";

	for (size_t cut = 0; cut < sizeof(body); cut++)
	{
		int fd = wire_connect(&wire);

		sink = (Sink){0};
		wire_send_text(&wire, fd,
					   "POST /stream HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
		wire_send(&wire, fd, body, cut);
		wire_run(&wire, 2);
		take(5);
		wire_send(&wire, fd, body + cut, sizeof(body) - 1 - cut);
		ck_assert_int_eq(wire_status(read_to(fd, "\r\n\r\n5")), 200);
		ck_assert_uint_eq(sink.sum, sum_of("hello", 5, 0));
		close(fd);
	}
}
END_TEST

START_TEST(a_large_body_comes_in_small_parts)
{
	char *body = malloc(LARGE);
	int fd = wire_connect(&wire);

	ck_assert_ptr_nonnull(body);
	for (size_t i = 0; i < LARGE; i++)
		body[i] = (char) (i * 7 + i / 256);
	ck_assert_int_eq(wire_status(stream(
						 fd, "POST /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 4194304\r\n\r\n",
						 body, LARGE)),
					 200);
	ck_assert_uint_eq(sink.bytes, LARGE);
	ck_assert_uint_eq(sink.sum, sum_of(body, LARGE, 0));
	ck_assert_uint_le(sink.largest, HTTP_PART_MAX);
	free(body);
	close(fd);
}
END_TEST

START_TEST(a_full_sink_gets_nothing_until_it_has_room)
{
	char body[64 * 1024];
	int fd = wire_connect(&wire);
	size_t before;

	memset(body, 'b', sizeof(body));
	sink.full_at = 1000;
	wire_send_text(&wire, fd, "POST /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n");
	wire_run(&wire, 20);
	take(LARGE);
	wire_send(&wire, fd, body, sizeof(body));
	wire_run(&wire, 50);
	before = sink.bytes;
	ck_assert_uint_le(before, HTTP_PART_MAX);
	ck_assert_int_eq(sink.ended, 0);

	/* it takes one more part, and then all */
	sink.full_at = before + 1;
	http_body_resume(wire.held);
	wire_run(&wire, 50);
	ck_assert_uint_gt(sink.bytes, before);
	ck_assert_int_eq(sink.ended, 0);
	sink.full_at = 0;
	http_body_resume(wire.held);
	ck_assert_int_eq(wire_status(read_to(fd, "65536")), 200);
	close(fd);
}
END_TEST

START_TEST(a_client_that_expects_100_continue_waits_for_the_handler)
{
	int fd = wire_connect(&wire);

	wire_send_text(
		&wire, fd,
		"POST /stream HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	wire_run(&wire, 20);
	ck_assert_int_eq(wire.n_requests, 1);
	take(2);
	ck_assert_ptr_nonnull(strstr(read_to(fd, "\r\n\r\n"), "100 Continue"));
	wire_send_text(&wire, fd, "ab");
	ck_assert_int_eq(wire_status(read_to(fd, "\r\n\r\n2")), 200);
	close(fd);
}
END_TEST

START_TEST(an_answer_before_the_end_refuses_the_rest)
{
	int fd = wire_connect(&wire);
	bool closed;
	const char *answers;

	/* ... before the body is taken: a second request in it is never served */
	wire_send_text(&wire, fd,
				   "POST /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n" OTHER);
	wire_run(&wire, 20);
	http_respond_error(wire.held, http_error(HTTP_ERROR_FORBIDDEN), NULL, 0, NULL, 0);
	answers = wire_read(&wire, fd, NULL, &closed);
	ck_assert_int_eq(wire_count(answers), 1);
	ck_assert_int_eq(wire_status(answers), 403);
	ck_assert_ptr_nonnull(strstr(answers, "Connection: close"));
	ck_assert(closed);
	close(fd);

	/* ... and from within the sink */
	fd = wire_connect(&wire);
	sink.refuses = true;
	wire_send_text(&wire, fd,
				   "POST /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n" OTHER);
	wire_run(&wire, 20);
	take(LARGE);
	answers = wire_read(&wire, fd, NULL, &closed);
	ck_assert_int_eq(wire_count(answers), 1);
	ck_assert_int_eq(wire_status(answers), 503);
	ck_assert(closed);
	ck_assert_int_eq(wire.n_requests, 2);
	ck_assert_int_eq(wire.n_gone, 0);
	close(fd);

	/* What was counted of a body is not taken off twice: nobody else is refused for room. */
	ck_assert_uint_eq(wire.server->body_bytes, 0);
	fd = wire_connect(&wire);
	wire_send_text(&wire, fd, OTHER);
	wire_run(&wire, 20);
	ck_assert_int_eq(wire.n_requests, 3);
	close(fd);
}
END_TEST

/* The answer to such a body, of which the sink may have 10 bytes. */
static int
status_of(const char *head, const char *body)
{
	int fd = wire_connect(&wire);
	int gone = wire.n_gone;
	int status;

	sink = (Sink){0};
	wire_send_text(&wire, fd, head);
	wire_run(&wire, 20);
	take(10);
	if (wire.n_gone == gone)
		wire_send_text(&wire, fd, body);
	status = wire_status(read_to(fd, NULL));
	let_go(gone + 1);
	ck_assert_int_eq(sink.ended, 0);
	ck_assert_uint_le(sink.bytes, 10);
	close(fd);
	return status;
}

START_TEST(the_server_refuses_what_is_too_large_or_malformed)
{
	static const char chunked[] =
		"POST /stream HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

	ck_assert_int_eq(
		status_of("POST /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", ""), 413);
	ck_assert_uint_eq(sink.bytes, 0);
	ck_assert_int_eq(status_of(chunked, "b\r\n"), 413);
	ck_assert_int_eq(status_of(chunked, "a\r\n0123456789\r\n1\r\n"), 413);
	ck_assert_uint_eq(sink.bytes, 10);
	ck_assert_int_eq(status_of(chunked, "2\r\nabX"), 400);
	ck_assert_uint_eq(sink.bytes, 2);
}
END_TEST

START_TEST(a_client_that_leaves_ends_the_stream)
{
	int fd = wire_connect(&wire);

	wire_send_text(&wire, fd, "POST /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
	wire_run(&wire, 20);
	take(LARGE);
	wire_run(&wire, 20);
	ck_assert_uint_eq(sink.bytes, 3);
	close(fd);
	wire_run(&wire, 50);
	let_go(1);
	ck_assert_int_eq(sink.ended, 0);
}
END_TEST

START_TEST(a_slow_client_gets_a_408_and_a_slow_sink_does_not_cost_it_one)
{
	HttpLimits limits = HTTP_LIMITS_DEFAULT;
	int fd;

	limits.body_period_ms = 100;
	limits.tick_ms = 10;
	wire_stop(&wire);
	wire_start(&wire, &limits);
	log_set_level(LOG_LEVEL_ERROR);
	fd = wire_connect(&wire);
	sink.full_at = 1;
	wire_send_text(&wire, fd, "POST /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
	wire_run(&wire, 20);
	take(LARGE);
	wire_run(&wire, 300);
	ck_assert_int_eq(wire.n_gone, 0);
	sink.full_at = 0;
	http_body_resume(wire.held);
	ck_assert_int_eq(wire_status(read_to(fd, NULL)), 408);
	let_go(1);
	close(fd);
}
END_TEST

START_TEST(a_request_without_a_body_has_an_empty_one)
{
	int fd = wire_connect(&wire);

	wire_send_text(&wire, fd, "POST /stream HTTP/1.1\r\nHost: h\r\n\r\n");
	wire_run(&wire, 20);
	take(LARGE);
	ck_assert_int_eq(wire_status(read_to(fd, "\r\n\r\n0")), 200);
	ck_assert_int_eq(sink.ended, 1);
	close(fd);
}
END_TEST

static void
add(TCase *cases)
{
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, a_handler_decides_before_the_body_is_read);
	tcase_add_test(cases, chunks_arrive_as_their_bytes_wherever_the_input_is_cut);
	tcase_add_test(cases, a_large_body_comes_in_small_parts);
	tcase_add_test(cases, a_full_sink_gets_nothing_until_it_has_room);
	tcase_add_test(cases, a_client_that_expects_100_continue_waits_for_the_handler);
	tcase_add_test(cases, an_answer_before_the_end_refuses_the_rest);
	tcase_add_test(cases, the_server_refuses_what_is_too_large_or_malformed);
	tcase_add_test(cases, a_client_that_leaves_ends_the_stream);
	tcase_add_test(cases, a_slow_client_gets_a_408_and_a_slow_sink_does_not_cost_it_one);
	tcase_add_test(cases, a_request_without_a_body_has_an_empty_one);
	tcase_set_timeout(cases, 30);
}

SUITE_WITH("http body", add)
