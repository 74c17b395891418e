/*
 * test_websocket_frame.c
 *		Frames of a client are read the same however they are cut; wrong ones are refused.
 */
#include <stdio.h>
#include <string.h>

#include "http/websocket.h"
#include "http/websocket_frame.h"
#include "tests/unit/suite.h"

#define M "\x01\x02\x03\x04" /* a masking key */
#define BYTES_MAX 4096
#define KINDS_MAX 16

/* What a client sends, and what is read: a letter a frame, and the code at the end. */
typedef struct Sample
{
	const char *what;
	const char *bytes;
	size_t len;
	const char *kinds; /* f ragment, m essage, p ing, o = pong, c lose, r efused */
	int code;
} Sample;

#define SAMPLE(what, bytes, kinds, code)            \
	{                                               \
		what, bytes, sizeof(bytes) - 1, kinds, code \
	}

/* "Hi" masked is "I" ^ ..., so the bytes are written out: 'H'^1 'i'^2. */
#define HI "\x49\x6b"

static const Sample samples[] = {
	SAMPLE("nothing", "", "", 0),
	SAMPLE("a text", "\x81\x82" M HI, "m", 0),
	SAMPLE("an empty text", "\x81\x80" M, "m", 0),
	SAMPLE("two texts", "\x81\x82" M HI "\x81\x82" M HI, "mm", 0),
	SAMPLE("a text in fragments", "\x01\x82" M HI "\x00\x80" M "\x80\x82" M HI, "ffm", 0),
	SAMPLE("a ping", "\x89\x82" M HI, "p", 0),
	SAMPLE("an empty ping", "\x89\x80" M, "p", 0),
	SAMPLE("a pong", "\x8a\x82" M HI, "o", 0),
	SAMPLE("a ping between fragments", "\x01\x82" M HI "\x89\x80" M "\x80\x80" M, "fpm", 0),
	SAMPLE("a text of 126 bytes in the longer form",
		   "\x81\xfe\x00\x7e" M
		   "\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04"
		   "\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04"
		   "\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04"
		   "\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04"
		   "\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04"
		   "\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04"
		   "\x01\x02\x03\x04\x01\x02",
		   "m", 0),
	SAMPLE("a close without a code", "\x88\x80" M, "c", WEBSOCKET_NO_CODE),
	SAMPLE("a close with 1000", "\x88\x82" M "\x02\xea", "c", 1000),
	SAMPLE("a close with 4000 and a reason", "\x88\x84" M "\x0e\xa2\x4b\x6d", "c", 4000),
	SAMPLE("what stands behind a close", "\x88\x80" M "\x81\x82" M HI, "c", WEBSOCKET_NO_CODE),
	SAMPLE("half a close code", "\x88\x81" M "\x02", "r", 1002),
	SAMPLE("a close with 999", "\x88\x82" M "\x02\xe5", "r", 1002),
	SAMPLE("a close with 1005", "\x88\x82" M "\x02\xef", "r", 1002),
	SAMPLE("a close with 1006", "\x88\x82" M "\x02\xec", "r", 1002),
	SAMPLE("a close with 1015", "\x88\x82" M "\x02\xf5", "r", 1002),
	SAMPLE("a close with 2999", "\x88\x82" M "\x0a\xb5", "r", 1002),
	SAMPLE("a close with 5000", "\x88\x82" M "\x12\x8a", "r", 1002),
	SAMPLE("a close whose reason is not UTF-8", "\x88\x83" M "\x02\xea\xfc", "r", 1007),
	SAMPLE("no mask", "\x81\x02Hi", "r", 1002),
	SAMPLE("a reserved bit", "\xc1\x82" M HI, "r", 1002),
	SAMPLE("the third reserved bit", "\x91\x82" M HI, "r", 1002),
	SAMPLE("opcode 3", "\x83\x82" M HI, "r", 1002),
	SAMPLE("opcode 11", "\x8b\x82" M HI, "r", 1002),
	SAMPLE("opcode 15", "\x8f\x82" M HI, "r", 1002),
	SAMPLE("a binary message", "\x82\x82" M HI, "r", 1003),
	SAMPLE("a continuation of nothing", "\x80\x82" M HI, "r", 1002),
	SAMPLE("a text within a text", "\x01\x82" M HI "\x81\x82" M HI, "fr", 1002),
	SAMPLE("a continuation behind the end", "\x81\x82" M HI "\x80\x80" M, "mr", 1002),
	SAMPLE("a ping in fragments", "\x09\x80" M, "r", 1002),
	SAMPLE("a ping of 126 bytes", "\x89\xfe\x00\x7e" M "x", "r", 1002),
	SAMPLE("a length of 16 bits that would fit in 7", "\x81\xfe\x00\x02" M HI, "r", 1002),
	SAMPLE("a length of 64 bits that would fit in 16", "\x81\xff\0\0\0\0\0\0\x7f\xff" M "x", "r",
		   1002),
	SAMPLE("a length with its highest bit", "\x81\xff\x80\0\0\0\0\0\0\0" M "x", "r", 1002),
	SAMPLE("a text of 1025 bytes", "\x81\xfe\x04\x01" M "x", "r", 1009),
	SAMPLE("a text of 8 exabytes", "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff" M "x", "r", 1009),
	SAMPLE("fragments that are too large together", "\x01\x82" M HI "\x80\xfe\x03\xff" M "x", "fr",
		   1009),
	SAMPLE("a text that is not UTF-8", "\x81\x82" M "\xfe\xfd", "r", 1007),
	SAMPLE("a text that ends within a character", "\x81\x81" M "\xc2", "r", 1007),
	SAMPLE("a character over two fragments",
		   "\x01\x81" M "\xc2"
		   "\x80\x81" M "\xa8",
		   "fm", 0),
	SAMPLE("a surrogate", "\x81\x83" M "\xec\xa2\x83", "r", 1007),
};

static char
letter_of(WebSocketInputKind kind)
{
	static const char letters[] = {
		[WEBSOCKET_INPUT_FRAGMENT] = 'f', [WEBSOCKET_INPUT_MESSAGE] = 'm',
		[WEBSOCKET_INPUT_PING] = 'p',     [WEBSOCKET_INPUT_PONG] = 'o',
		[WEBSOCKET_INPUT_CLOSE] = 'c',    [WEBSOCKET_INPUT_REFUSED] = 'r'};

	return letters[kind];
}

/* Feeds a piece, if nothing has ended the reading; appends the letters. */
static void
feed(WebSocketInput *input, const char *bytes, size_t len, char kinds[KINDS_MAX])
{
	size_t at = strlen(kinds);
	WebSocketInputKind kind;

	if (at > 0 && (kinds[at - 1] == 'c' || kinds[at - 1] == 'r'))
		return;
	websocket_input_feed(input, (const uint8_t *) bytes, len);
	while ((kind = websocket_input_next(input)) != WEBSOCKET_INPUT_MORE)
	{
		ck_assert_uint_lt(at, KINDS_MAX - 1);
		kinds[at++] = letter_of(kind);
		if (kind == WEBSOCKET_INPUT_CLOSE || kind == WEBSOCKET_INPUT_REFUSED)
			return;
	}
}

/* A copy of exactly the size, so that reading behind it is seen. */
static void
feed_copy(WebSocketInput *input, const char *bytes, size_t len, char kinds[KINDS_MAX])
{
	char *copy = malloc(len + 1);

	memcpy(copy, bytes, len);
	feed(input, copy, len, kinds);
	free(copy);
}

static void
check(const Sample *sample, const WebSocketInput *input, const char *kinds, size_t cut)
{
	size_t len = strlen(kinds);
	bool ended = len > 0 && (kinds[len - 1] == 'c' || kinds[len - 1] == 'r');

	ck_assert_msg(strcmp(kinds, sample->kinds) == 0, "%s, cut at %zu: \"%s\"", sample->what, cut,
				  kinds);
	if (ended)
		ck_assert_msg(input->code == sample->code && input->reason != NULL,
					  "%s, cut at %zu: code %d", sample->what, cut, input->code);
	else
		ck_assert_msg(websocket_input_is_idle(input), "%s, cut at %zu: not idle", sample->what,
					  cut);
}

START_TEST(it_reads_the_same_wherever_it_is_cut)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		const Sample *sample = &samples[i];

		for (size_t cut = 0; cut <= sample->len; cut++)
		{
			WebSocketInput *input = websocket_input_create();
			char kinds[KINDS_MAX] = "";

			feed_copy(input, sample->bytes, cut, kinds);
			feed_copy(input, sample->bytes + cut, sample->len - cut, kinds);
			check(sample, input, kinds, cut);
			websocket_input_free(input);
		}
	}
}
END_TEST

START_TEST(it_reads_the_same_byte_by_byte)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		WebSocketInput *input = websocket_input_create();
		char kinds[KINDS_MAX] = "";

		for (size_t at = 0; at < samples[i].len; at++)
			feed_copy(input, samples[i].bytes + at, 1, kinds);
		check(&samples[i], input, kinds, 1);
		websocket_input_free(input);
	}
}
END_TEST

/* It may be freed only when nothing of a frame or a message has arrived. */
START_TEST(it_is_idle_only_between_messages)
{
	static const char bytes[] = "\x01\x82" M HI "\x89\x80" M "\x80\x82" M HI;
	size_t len = sizeof(bytes) - 1;

	for (size_t cut = 0; cut <= len; cut++)
	{
		WebSocketInput *input = websocket_input_create();
		char kinds[KINDS_MAX] = "";

		feed_copy(input, bytes, cut, kinds);
		ck_assert_int_eq(websocket_input_is_idle(input), cut == 0 || cut == len);
		websocket_input_free(input);
	}
}
END_TEST

START_TEST(a_message_may_be_as_long_as_the_bound)
{
	WebSocketInput *input = websocket_input_create();
	char bytes[8 + WEBSOCKET_MESSAGE_MAX] = "\x81\xfe\x04\x00";
	char kinds[KINDS_MAX] = "";

	memset(bytes + 8, 'x', WEBSOCKET_MESSAGE_MAX);
	feed(input, bytes, sizeof(bytes), kinds);
	ck_assert_str_eq(kinds, "m");
	ck_assert_int_eq(input->message[WEBSOCKET_MESSAGE_MAX - 1], 'x');
	websocket_input_free(input);
}
END_TEST

START_TEST(a_ping_shows_what_to_send_back)
{
	WebSocketInput *input = websocket_input_create();
	char kinds[KINDS_MAX] = "";

	feed(input, "\x89\x82" M HI, 8, kinds);
	ck_assert_uint_eq(input->control_len, 2);
	ck_assert_mem_eq(input->control, "Hi", 2);
	websocket_input_free(input);
}
END_TEST

START_TEST(frames_are_written)
{
	static const char expected[] = "\x81\x02Hi"
								   "\x89\x00"
								   "\x8a\x01x"
								   "\x88\x04\x11\x31no"
								   "\x88\x00";
	Buffer out;

	buffer_init(&out, BYTES_MAX);
	ck_assert(websocket_frame_text(&out, "Hi", 2));
	ck_assert(websocket_frame_ping(&out));
	ck_assert(websocket_frame_pong(&out, (const uint8_t *) "x", 1));
	ck_assert(websocket_frame_close(&out, 4401, "no"));
	ck_assert(websocket_frame_close(&out, WEBSOCKET_NO_CODE, ""));
	ck_assert_uint_eq(out.len, sizeof(expected) - 1);
	ck_assert_mem_eq(out.data, expected, out.len);
	buffer_free(&out);
}
END_TEST

START_TEST(lengths_are_written_in_the_shortest_form)
{
	static const struct
	{
		size_t len;
		size_t head;
	} cases[] = {{0, 2}, {125, 2}, {126, 4}, {65535, 4}, {65536, 10}};
	static char text[65536];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Buffer out;

		buffer_init(&out, 2 * sizeof(text));
		ck_assert(websocket_frame_text(&out, text, cases[i].len));
		ck_assert_uint_eq(out.len, cases[i].head + cases[i].len);
		buffer_free(&out);
	}
}
END_TEST

/* ... and the next one is right again. */
START_TEST(a_frame_that_does_not_fit_leaves_nothing)
{
	Buffer small;
	Buffer out;

	buffer_init(&small, 8);
	ck_assert(!websocket_frame_text(&small, "123456789", 9));
	ck_assert_uint_eq(small.len, 0);
	buffer_init(&out, BYTES_MAX);
	ck_assert(websocket_frame_text(&out, "a", 1));
	ck_assert_mem_eq(out.data,
					 "\x81\x01"
					 "a",
					 3);
	buffer_free(&small);
	buffer_free(&out);
}
END_TEST

SUITE("websocket_frame", it_reads_the_same_wherever_it_is_cut, it_reads_the_same_byte_by_byte,
	  it_is_idle_only_between_messages, a_message_may_be_as_long_as_the_bound,
	  a_ping_shows_what_to_send_back, frames_are_written, lengths_are_written_in_the_shortest_form,
	  a_frame_that_does_not_fit_leaves_nothing)
