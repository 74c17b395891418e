/*
 * test_http_guard.c
 *		The guard: what it refuses, what it lets through, and that it does not
 *		matter where the reads are cut.
 *
 * Each piece is handed over in a heap block of its exact length, so that the
 * address sanitizer sees any read beyond it.
 */
#include <stdlib.h>
#include <string.h>

#include "http/request.h"
#include "tests/unit/http_oracle.h"
#include "tests/unit/http_samples.h"
#include "tests/unit/suite.h"

/* Feeds a piece as a connection would; *used counts up. */
static HttpGuardResult
feed(HttpGuard *guard, const char *text, size_t len, size_t *used)
{
	HttpGuardResult result = HTTP_GUARD_MORE;
	char *block = malloc(len > 0 ? len : 1);
	size_t at = 0;

	ck_assert_ptr_nonnull(block);
	memcpy(block, text, len);
	while (at < len && (result == HTTP_GUARD_MORE || result == HTTP_GUARD_HEAD))
	{
		size_t n;

		result = http_guard_feed(guard, block + at, len - at, &n);
		ck_assert_uint_le(n, len - at);
		ck_assert(n > 0 || result == HTTP_GUARD_REFUSED);
		at += n;
	}
	free(block);
	*used += at;
	return result;
}

/* Feeds a text in two pieces to a new guard; returns the last result. */
static HttpGuardResult
feed_cut(HttpGuard *guard, const char *text, size_t len, size_t cut, size_t *used)
{
	HttpGuardResult result;

	http_guard_init(guard);
	*used = 0;
	result = feed(guard, text, cut, used);
	if (result == HTTP_GUARD_REFUSED || result == HTTP_GUARD_DONE)
		return result;
	return feed(guard, text + cut, len - cut, used);
}

/* Feeds a text byte by byte to a new guard. */
static HttpGuardResult
feed_bytes(HttpGuard *guard, const char *text, size_t len, size_t *used)
{
	HttpGuardResult result = HTTP_GUARD_MORE;

	http_guard_init(guard);
	*used = 0;
	for (size_t i = 0; i < len && result != HTTP_GUARD_REFUSED && result != HTTP_GUARD_DONE; i++)
		result = feed(guard, text + i, 1, used);
	return result;
}


static void
check_refused(const HttpSample *sample)
{
	HttpGuard guard;
	size_t used;

	for (size_t cut = 0; cut <= sample->len; cut++)
	{
		HttpGuardResult result = feed_cut(&guard, sample->text, sample->len, cut, &used);

		ck_assert_msg(result == HTTP_GUARD_REFUSED, "accepted: %s, cut at %zu", sample->name, cut);
		ck_assert_msg(http_error(guard.error)->status == sample->status, "%s: %d", sample->name,
					  http_error(guard.error)->status);
		ck_assert_ptr_nonnull(guard.reason);
		http_guard_free(&guard);
	}
	ck_assert(feed_bytes(&guard, sample->text, sample->len, &used) == HTTP_GUARD_REFUSED);

	/* and stays refused */
	ck_assert(http_guard_feed(&guard, "x", 1, &used) == HTTP_GUARD_REFUSED);
	ck_assert_uint_eq(used, 0);
	http_guard_free(&guard);
}

START_TEST(malformed_is_refused_wherever_it_is_cut)
{
	for (int i = 0; i < http_n_refused; i++)
		check_refused(&http_refused[i]);
}
END_TEST

static void
check_accepted(const HttpSample *sample)
{
	HttpGuard guard;
	size_t used;

	for (size_t cut = 0; cut <= sample->len; cut++)
	{
		ck_assert_msg(feed_cut(&guard, sample->text, sample->len, cut, &used) == HTTP_GUARD_DONE,
					  "%s, cut at %zu: %s", sample->name, cut, guard.reason);
		ck_assert_uint_eq(used, sample->len);
		http_guard_free(&guard);
	}
	ck_assert(feed_bytes(&guard, sample->text, sample->len, &used) == HTTP_GUARD_DONE);
	ck_assert_uint_eq(used, sample->len);
	http_guard_free(&guard);
}

START_TEST(well_formed_ends_where_it_ends_wherever_it_is_cut)
{
	for (int i = 0; i < http_n_accepted; i++)
		check_accepted(&http_accepted[i]);
}
END_TEST

static void
check_beginnings(const HttpSample *sample)
{
	for (size_t len = 0; len < sample->len; len++)
	{
		HttpGuard guard;
		size_t used = 0;
		HttpGuardResult result;

		http_guard_init(&guard);
		result = feed(&guard, sample->text, len, &used);
		ck_assert(result == HTTP_GUARD_MORE || result == HTTP_GUARD_HEAD);
		ck_assert_uint_eq(used, len);
		http_guard_free(&guard);
	}
}

START_TEST(no_beginning_of_a_request_is_taken_for_a_whole_one)
{
	for (int i = 0; i < http_n_accepted; i++)
		check_beginnings(&http_accepted[i]);
}
END_TEST

START_TEST(bytes_behind_a_message_are_left_alone)
{
	static const char two[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nxGET / HTTP";
	HttpGuard guard;
	size_t used;

	http_guard_init(&guard);
	ck_assert(http_guard_feed(&guard, two, sizeof(two) - 1, &used) == HTTP_GUARD_HEAD);
	ck_assert_uint_eq(guard.content_length, 1);
	ck_assert(guard.method == HTTP_METHOD_POST);
	ck_assert(http_guard_feed(&guard, two + used, sizeof(two) - 1 - used, &used) ==
			  HTTP_GUARD_DONE);
	ck_assert_uint_eq(used, 1);
	http_guard_free(&guard);
}
END_TEST

/* Fills a head to exactly len bytes. */
static void
make_head(Buffer *head, size_t len)
{
	static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nX-Long: ";

	buffer_append_text(head, start);
	while (head->len < len - 4)
		buffer_append_char(head, 'x');
	buffer_append_text(head, "\r\n\r\n");
	ck_assert_uint_eq(head->len, len);
}

START_TEST(a_head_may_have_sixteen_kilobytes_and_not_a_byte_more)
{
	for (size_t more = 0; more <= 1; more++)
	{
		Buffer head;
		HttpGuard guard;
		size_t used = 0;

		buffer_init(&head, 2 * HTTP_HEAD_MAX);
		make_head(&head, HTTP_HEAD_MAX + more);
		http_guard_init(&guard);
		ck_assert(feed(&guard, head.data, head.len, &used) ==
				  (more == 0 ? HTTP_GUARD_DONE : HTTP_GUARD_REFUSED));
		ck_assert(more == 0 || guard.error == HTTP_ERROR_HEADERS_TOO_LARGE);
		http_guard_free(&guard);
		buffer_free(&head);
	}
}
END_TEST

START_TEST(a_head_may_have_a_hundred_fields_and_not_one_more)
{
	for (int more = 0; more <= 1; more++)
	{
		Buffer head;
		HttpGuard guard;
		size_t used = 0;

		buffer_init(&head, HTTP_HEAD_MAX);
		buffer_append_text(&head, "GET / HTTP/1.1\r\nHost: a\r\n");
		for (int i = 0; i < HTTP_FIELDS_MAX - 1 + more; i++)
			buffer_append_text(&head, "a:b\r\n");
		buffer_append_text(&head, "\r\n");
		http_guard_init(&guard);
		ck_assert(feed(&guard, head.data, head.len, &used) ==
				  (more == 0 ? HTTP_GUARD_DONE : HTTP_GUARD_REFUSED));
		ck_assert(more == 0 || guard.error == HTTP_ERROR_HEADERS_TOO_LARGE);
		http_guard_free(&guard);
		buffer_free(&head);
	}
}
END_TEST

START_TEST(chunks_of_one_byte_may_make_a_whole_body)
{
	HttpGuard guard;
	size_t used = 0;

	http_guard_init(&guard);
	feed(&guard, http_accepted[8].text, http_accepted[8].len - 5, &used);
	ck_assert(guard.state == HTTP_GUARD_CHUNK_SIZE);
	for (int i = 0; i < HTTP_BODY_MAX; i++)
		ck_assert(http_guard_feed(&guard, "1\r\na\r\n", 6, &used) == HTTP_GUARD_MORE);
	ck_assert(http_guard_feed(&guard, "1\r\na\r\n", 6, &used) == HTTP_GUARD_REFUSED);
	ck_assert(guard.error == HTTP_ERROR_PAYLOAD_TOO_LARGE);
	http_guard_free(&guard);
}
END_TEST

/* The fields behind a body have a bound of their own, so that a full head has room for them. */
START_TEST(a_trailer_may_have_as_much_as_a_head)
{
	for (size_t more = 0; more <= 1; more++)
	{
		const HttpSample *sample = &http_accepted[8];
		Buffer trailer;
		HttpGuard guard;
		size_t used = 0;

		buffer_init(&trailer, 2 * HTTP_HEAD_MAX);
		buffer_append_text(&trailer, "X-Long: ");
		while (trailer.len < HTTP_HEAD_MAX + more - 4)
			buffer_append_char(&trailer, 'x');
		buffer_append_text(&trailer, "\r\n\r\n");
		http_guard_init(&guard);
		feed(&guard, sample->text, sample->len - 2, &used);
		ck_assert(guard.state == HTTP_GUARD_FIELD_FIRST);
		ck_assert(feed(&guard, trailer.data, trailer.len, &used) ==
				  (more == 0 ? HTTP_GUARD_DONE : HTTP_GUARD_REFUSED));
		ck_assert(more == 0 || guard.error == HTTP_ERROR_HEADERS_TOO_LARGE);
		http_guard_free(&guard);
		buffer_free(&trailer);
	}
}
END_TEST

START_TEST(chunk_extensions_have_a_bound_for_all_of_them)
{
	const HttpSample *sample = &http_accepted[8];
	HttpGuard guard;
	size_t used = 0;

	http_guard_init(&guard);
	feed(&guard, sample->text, sample->len - 5, &used);
	for (int i = 0; i < HTTP_GUARD_EXTENSIONS_MAX / 4; i++)
		ck_assert(feed(&guard, "1;ab\r\na\r\n", 9, &used) == HTTP_GUARD_MORE);
	ck_assert(feed(&guard, "1;a\r\n", 6, &used) == HTTP_GUARD_REFUSED);
	ck_assert(guard.error == HTTP_ERROR_VALIDATION);
	ck_assert_str_eq(guard.reason, "too many chunk extensions in the request body");
	http_guard_free(&guard);
}
END_TEST

/* What a request without a path of its own asks for. */
START_TEST(targets_without_a_path)
{
	static const struct
	{
		const char *line;
		const char *path;
		size_t parameters;
	} samples[] = {
		{"GET http://a HTTP/1.1", "/", 0},
		{"GET http://a?b=c HTTP/1.1", "/", 1},
		{"GET http://a/ HTTP/1.1", "/", 0},
		{"OPTIONS * HTTP/1.1", "*", 0},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		HttpRequestState *state = http_request_create(NULL, "127.0.0.1", false);
		HttpErrorKind error;
		Buffer text;
		size_t used = 0;

		buffer_init(&text, 256);
		buffer_printf(&text, "%s\r\nHost: a\r\n\r\n", samples[i].line);
		ck_assert(feed(&state->guard, text.data, text.len, &used) == HTTP_GUARD_DONE);
		ck_assert_ptr_null(http_request_end_head(state, &error));
		ck_assert_str_eq(state->request.path.data, samples[i].path);
		ck_assert_uint_eq(state->request.path.len, strlen(samples[i].path));
		ck_assert_uint_eq(state->request.n_segments, 0);
		ck_assert_uint_eq(state->request.n_parameters, samples[i].parameters);
		buffer_free(&text);
		http_request_release(state);
	}
}
END_TEST

/* Others point into the buffer of the head by then. */
START_TEST(trailer_fields_do_not_become_headers)
{
	static const char head[] =
		"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const char rest[] = "1\r\nx\r\n0\r\nX-Role: admin\r\nX-B:\r\n\r\n";
	HttpRequestState *state = http_request_create(NULL, "127.0.0.1", false);
	HttpErrorKind error;
	size_t used = 0;
	size_t text_len;

	ck_assert(feed(&state->guard, head, sizeof(head) - 1, &used) == HTTP_GUARD_HEAD);
	ck_assert_ptr_null(http_request_end_head(state, &error));
	text_len = state->guard.text.len;
	for (size_t i = 0; i < sizeof(rest) - 1; i++)
		feed(&state->guard, rest + i, 1, &used);
	ck_assert(state->guard.state == HTTP_GUARD_END);
	ck_assert_str_eq(state->guard.body.data, "x");
	ck_assert_uint_eq(state->guard.text.len, text_len);
	ck_assert_uint_eq(state->guard.n_spans, 2);
	http_request_release(state);
}
END_TEST

START_TEST(an_expectation_is_told_apart)
{
	static const struct
	{
		const char *fields;
		bool bad;
	} samples[] = {
		{"Expect: 100-continue\r\n", false},
		{"expect:\t100-Continue \r\n", false},
		{"Expect: 200-ok\r\n", true},
		{"Expect: 100-continue\r\nExpect: 100-continue\r\n", true},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		HttpGuard guard;
		Buffer head;
		size_t used = 0;

		buffer_init(&head, HTTP_HEAD_MAX);
		buffer_printf(&head, "PUT / HTTP/1.1\r\nHost: a\r\n%sContent-Length: 1\r\n\r\n",
					  samples[i].fields);
		http_guard_init(&guard);
		ck_assert(feed(&guard, head.data, head.len, &used) == HTTP_GUARD_HEAD);
		ck_assert(guard.has_expect);
		ck_assert_int_eq(guard.bad_expect, samples[i].bad);
		http_guard_free(&guard);
		buffer_free(&head);
	}
}
END_TEST

/* Another program must see the same message in what the guard accepts. */
static void
check_read(const HttpSample *sample)
{
	for (size_t cut = 0; cut <= sample->len; cut++)
	{
		HttpRequestState *state = http_request_create(NULL, "127.0.0.1", false);
		HttpOracle oracle;
		HttpErrorKind error;
		const Buffer *body;
		size_t used = 0;

		ck_assert_ptr_nonnull(state);
		http_oracle_init(&oracle);
		feed(&state->guard, sample->text, cut, &used);
		ck_assert(cut == sample->len || feed(&state->guard, sample->text + cut, sample->len - cut,
											 &used) == HTTP_GUARD_DONE);
		ck_assert(http_oracle_feed(&oracle, sample->text, cut));
		if (cut < sample->len)
		{
			ck_assert_msg(!oracle.complete, "%s, cut at %zu", sample->name, cut);
			ck_assert(http_oracle_feed(&oracle, sample->text + cut, sample->len - cut));
		}
		ck_assert_msg(http_oracle_agrees(&oracle, &state->guard), "%s, cut at %zu", sample->name,
					  cut);
		ck_assert_ptr_null(http_request_end_head(state, &error));
		body = &state->guard.body;
		ck_assert_uint_eq(body->len, strlen(sample->body));
		ck_assert_str_eq(body->len > 0 ? body->data : "", sample->body);
		ck_assert_str_eq(state->request.path.data, "/echo");
		http_oracle_free(&oracle);
		http_request_release(state);
	}
}

START_TEST(llhttp_agrees_wherever_it_is_cut)
{
	for (int i = 0; i < http_n_accepted; i++)
		check_read(&http_accepted[i]);
}
END_TEST

/* The test of the test: it has to see a difference in each part. */
START_TEST(the_oracle_sees_what_differs)
{
	static const char text[] = "PUT /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 1\r\n\r\nz";
	static const struct
	{
		const char *part;
		const char *other;
	} changes[] = {{"PUT", "GET"}, {"/a", "/c"}, {"?b", "/b"},  {"Host", "Hosu"},
				   {"X:", "W:"},   {"y", "Y"},   {"\nz", "\nw"}};
	HttpGuard guard;
	size_t used = 0;

	http_guard_init(&guard);
	ck_assert(feed(&guard, text, sizeof(text) - 1, &used) == HTTP_GUARD_DONE);
	for (size_t i = 0; i <= sizeof(changes) / sizeof(changes[0]); i++)
	{
		bool unchanged = i == sizeof(changes) / sizeof(changes[0]);
		char changed[sizeof(text)];
		HttpOracle oracle;

		memcpy(changed, text, sizeof(text));
		if (!unchanged)
			memcpy(strstr(changed, changes[i].part), changes[i].other, strlen(changes[i].other));
		http_oracle_init(&oracle);
		ck_assert(http_oracle_feed(&oracle, changed, sizeof(text) - 1));
		ck_assert_int_eq(http_oracle_agrees(&oracle, &guard), unchanged);
		http_oracle_free(&oracle);
	}
	http_guard_free(&guard);
}
END_TEST

/* A small generator of its own, so that a failure can be repeated. */
static size_t
random_below(size_t bound)
{
	static uint64_t state = UINT64_C(88172645463325252);

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return bound > 0 ? (size_t) ((state >> 16) % bound) : 0;
}

/* Puts, drops or repeats something at a random place; returns the new length. */
static size_t
change(char *text, size_t len, size_t max)
{
	static const char *const pieces[] = {"\r\n",
										 "\n",
										 "\r",
										 " ",
										 "\t",
										 ":",
										 ";a",
										 ",",
										 "0\r\n\r\n",
										 "5\r\nhello\r\n",
										 "Content-Length: 5\r\n",
										 "Transfer-Encoding: chunked\r\n",
										 "Host: b\r\n",
										 "Connection: upgrade, close\r\n",
										 "Upgrade: x\r\n"};
	const char *piece = pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))];
	size_t at = random_below(len);
	size_t size = strlen(piece);

	switch (random_below(3))
	{
		case 0:
			text[at] = (char) random_below(256);
			return len;
		case 1:
			memmove(text + at, text + at + 1, len - at - 1);
			return len - 1;
		default:
			if (len + size > max)
				return len;
			memmove(text + at + size, text + at, len - at);
			memcpy(text + at, piece, size);
			return len + size;
	}
}

/* Feeds random pieces to both; what the guard accepts ends for both at the same byte. */
static void
compare(const char *text, size_t len)
{
	HttpGuard guard;
	HttpOracle oracle;
	HttpGuardResult result = HTTP_GUARD_MORE;
	size_t at = 0;

	http_guard_init(&guard);
	http_oracle_init(&oracle);
	while (at < len && (result == HTTP_GUARD_MORE || result == HTTP_GUARD_HEAD))
	{
		size_t used;
		bool accepted;

		result = http_guard_feed(&guard, text + at, 1 + random_below(len - at), &used);
		if (result == HTTP_GUARD_REFUSED)
			break;
		accepted = http_oracle_feed(&oracle, text + at, used);
		at += used;
		ck_assert_msg(accepted || result == HTTP_GUARD_MORE, "%.*s", (int) len, text);
		ck_assert_msg(oracle.complete == (result == HTTP_GUARD_DONE), "%.*s", (int) len, text);
	}
	if (result == HTTP_GUARD_DONE)
		ck_assert_msg(http_oracle_agrees(&oracle, &guard), "%.*s", (int) len, text);
	http_guard_free(&guard);
	http_oracle_free(&oracle);
}

START_TEST(llhttp_never_reads_changed_requests_in_another_way)
{
	char text[1024];

	for (int i = 0; i < 50000; i++)
	{
		const HttpSample *sample = i % 2 == 0
									   ? &http_accepted[random_below((size_t) http_n_accepted)]
									   : &http_refused[random_below((size_t) http_n_refused)];
		size_t len = sample->len;

		memcpy(text, sample->text, len);
		for (size_t changes = random_below(4); changes > 0 && len > 1; changes--)
			len = change(text, len, sizeof(text));
		compare(text, len);
	}
}
END_TEST

/* Each byte of the text becomes every other one, and has every one put before it. */
static void
compare_changes(const char *text, size_t len)
{
	char changed[1024];

	for (size_t at = 0; at < len; at++)
	{
		for (int byte = 0; byte < 256; byte++)
		{
			memcpy(changed, text, len);
			changed[at] = (char) byte;
			compare(changed, len);
			memcpy(changed + at + 1, text + at, len - at);
			compare(changed, len + 1);
		}
	}
}

START_TEST(llhttp_reads_every_byte_in_every_place_alike)
{
	for (int i = 0; i < http_n_accepted; i++)
		compare_changes(http_accepted[i].text, http_accepted[i].len);
}
END_TEST

START_TEST(headers_arrive_whole_wherever_they_are_cut)
{
	const HttpSample *sample = &http_accepted[1];

	for (size_t cut = 1; cut < sample->len; cut++)
	{
		HttpRequestState *state = http_request_create(NULL, "127.0.0.1", false);
		HttpErrorKind error;
		size_t used = 0;
		size_t count;

		feed(&state->guard, sample->text, cut, &used);
		feed(&state->guard, sample->text + cut, sample->len - cut, &used);
		ck_assert_ptr_null(http_request_end_head(state, &error));
		ck_assert_uint_eq(state->request.n_headers, 4);
		ck_assert_str_eq(http_request_header(&state->request, "host", &count)->data,
						 "example.org:8080");
		ck_assert_uint_eq(count, 1);
		ck_assert_str_eq(http_request_header(&state->request, "x-empty", NULL)->data, "");
		ck_assert_str_eq(http_request_header(&state->request, "x-a", NULL)->data, "b");
		ck_assert_str_eq(http_request_header(&state->request, "x-latin", NULL)->data, "\xE4");
		ck_assert_ptr_null(http_request_header(&state->request, "x-b", &count));
		ck_assert_uint_eq(count, 0);
		http_request_release(state);
	}
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, malformed_is_refused_wherever_it_is_cut);
	tcase_add_test(cases, well_formed_ends_where_it_ends_wherever_it_is_cut);
	tcase_add_test(cases, no_beginning_of_a_request_is_taken_for_a_whole_one);
	tcase_add_test(cases, bytes_behind_a_message_are_left_alone);
	tcase_add_test(cases, a_head_may_have_sixteen_kilobytes_and_not_a_byte_more);
	tcase_add_test(cases, a_head_may_have_a_hundred_fields_and_not_one_more);
	tcase_add_test(cases, chunks_of_one_byte_may_make_a_whole_body);
	tcase_add_test(cases, a_trailer_may_have_as_much_as_a_head);
	tcase_add_test(cases, chunk_extensions_have_a_bound_for_all_of_them);
	tcase_add_test(cases, targets_without_a_path);
	tcase_add_test(cases, trailer_fields_do_not_become_headers);
	tcase_add_test(cases, an_expectation_is_told_apart);
	tcase_add_test(cases, llhttp_agrees_wherever_it_is_cut);
	tcase_add_test(cases, the_oracle_sees_what_differs);
	tcase_add_test(cases, llhttp_never_reads_changed_requests_in_another_way);
	tcase_add_test(cases, llhttp_reads_every_byte_in_every_place_alike);
	tcase_add_test(cases, headers_arrive_whole_wherever_they_are_cut);
}

SUITE_WITH("http_guard", add_tests)
