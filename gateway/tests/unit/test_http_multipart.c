/*
 * test_http_multipart.c
 *		A multipart body is read the same however it is cut; a wrong one is refused.
 */
#include <stdio.h>
#include <string.h>

#include "http/multipart.h"
#include "src/common/media_type.h"
#include "tests/unit/suite.h"

#define TYPE "multipart/form-data; boundary=b0"
#define READ_MAX 65536

/*
 * What was read, as text: "{name=value,name=value|bytes}" for each part, "!" behind what is
 * malformed, "." behind a complete body.
 */
typedef struct Reading
{
	char text[READ_MAX];
	size_t len;
	size_t stop_at; /* the number of the event that returns false; 0: none */
	size_t events;
} Reading;

static bool
note(Reading *reading, const char *text, size_t len)
{
	ck_assert_uint_lt(reading->len + len, READ_MAX);
	memcpy(reading->text + reading->len, text, len);
	reading->len += len;
	reading->text[reading->len] = '\0';
	return true;
}

static bool
goes_on(Reading *reading)
{
	return ++reading->events != reading->stop_at;
}

static bool
on_head(void *context, const HttpField *fields, size_t count)
{
	Reading *reading = context;

	note(reading, "{", 1);
	for (size_t i = 0; i < count; i++)
	{
		ck_assert_uint_eq(strlen(fields[i].value.data), fields[i].value.len);
		note(reading, i == 0 ? "" : ",", i == 0 ? 0 : 1);
		note(reading, fields[i].name.data, fields[i].name.len);
		note(reading, "=", 1);
		note(reading, fields[i].value.data, fields[i].value.len);
	}
	note(reading, "|", 1);
	return goes_on(reading);
}

static bool
on_bytes(void *context, const char *bytes, size_t len)
{
	ck_assert_uint_gt(len, 0);
	note(context, bytes, len);
	return goes_on(context);
}

static bool
on_end(void *context)
{
	note(context, "}", 1);
	return goes_on(context);
}

static const MultipartEvents events = {.head = on_head, .bytes = on_bytes, .end = on_end};

static bool
begin(Multipart *reader, const char *type, Reading *reading)
{
	char written[WAK_MEDIA_TYPE_WRITTEN_MAX + 1];

	ck_assert_msg(wak_media_type_read(type, strlen(type), written), "%s", type);
	return multipart_begin(reader, written, &events, reading);
}

/* Reads the pieces in front of and behind two places. */
static void
read_cut(const char *body, size_t len, size_t first, size_t second, Reading *reading)
{
	const size_t ends[] = {first, second, len};
	MultipartResult result = MULTIPART_MORE;
	Multipart reader;
	size_t at = 0;

	*reading = (Reading){.len = 0};
	ck_assert(begin(&reader, TYPE, reading));
	for (int i = 0; i < 3 && result == MULTIPART_MORE; i++)
	{
		char *piece = malloc(ends[i] - at + 1); /* so that a sanitizer sees what lies behind it */

		memcpy(piece, body + at, ends[i] - at);
		result = multipart_read(&reader, piece, ends[i] - at);
		free(piece);
		at = ends[i];
	}
	if (result == MULTIPART_MALFORMED)
		note(reading, "!", 1);
	else if (multipart_is_complete(&reader))
		note(reading, ".", 1);
}

#define PART(head, bytes) "\r\n--b0\r\n" head "\r\n\r\n" bytes
#define END "\r\n--b0--"

static const struct
{
	const char *what;
	const char *body;
	const char *read;
} samples[] = {
	{"nothing", "", ""},
	{"a file",
	 "--b0\r\nContent-Disposition: form-data; name=\"file\"\r\nContent-Type: image/png\r\n\r\nbytes"
	 "\r\n--b0--\r\n",
	 "{content-disposition=form-data; name=\"file\",content-type=image/png|bytes}."},
	{"no line break at the end", PART("a: b", "c") END, "{a=b|c}."},
	{"two parts", PART("a: b", "c") PART("d: e", "f") END, "{a=b|c}{d=e|f}."},
	{"an empty file", PART("a: b", "") END, "{a=b|}."},
	{"a part without fields", "--b0\r\n\r\nx" END, "{|x}."},
	{"no part", "--b0--\r\n", "."},
	{"what stands in front and behind",
	 "hello\r\n" PART("a: b", "c") END "\r\nbye --b0 \r\n--b0\r\n", "{a=b|c}."},
	{"white space behind a delimiter", "--b0 \t\r\na: b\r\n\r\nc" END, "{a=b|c}."},
	{"white space around a value", PART("A-b:\t x y \t", "c") END, "{a-b=x y|c}."},
	{"an empty value", PART("a:", "c") END, "{a=|c}."},
	{"a colon in a value", PART("a: b:c", "") END, "{a=b:c|}."},
	{"text that is not ASCII", PART("a: \xc3\xa9", "\xff") END, "{a=\xc3\xa9|\xff}."},
	{"line breaks in the bytes", PART("a: b", "\r\n\r\n\n\r\r\n") END, "{a=b|\r\n\r\n\n\r\r\n}."},
	{"nearly a delimiter", PART("a: b", "\r\n--b\r\n-\r\r\n--\r\n--b1\n--b0 --b0") END,
	 "{a=b|\r\n--b\r\n-\r\r\n--\r\n--b1\n--b0 --b0}."},
	{"a delimiter at once behind another one", PART("a: b", "\r\n--b\r\n--b0--"), "{a=b|\r\n--b}."},

	{"cut off in the preamble", "hello", ""},
	{"cut off in a delimiter", "--b", ""},
	{"cut off behind a delimiter", "--b0", ""},
	{"cut off in a head", "--b0\r\na: b\r\n", ""},
	{"cut off in the bytes", PART("a: b", "c"), "{a=b|c"},
	{"cut off in the last delimiter", PART("a: b", "c\r\n--b0-"), "{a=b|c}"},
	{"another boundary", "--b1\r\na: b\r\n\r\nc\r\n--b1--", ""},

	{"a longer boundary", "--b01\r\na: b\r\n\r\nc" END, "!"},
	{"one dash behind a delimiter", "--b0-\r\n", "!"},
	{"a dash behind white space", "--b0 --\r\n", "!"},
	{"a line feed alone behind a delimiter", "--b0\na: b\n\nc\n--b0--", "!"},
	{"a carriage return alone", "--b0\ra: b", "!"},
	{"a field without a colon", PART("a", "c") END, "!"},
	{"a field without a name", PART(": a", "c") END, "!"},
	{"a name with a space", PART("a b: c", "c") END, "!"},
	{"a space in front of the colon", PART("a : c", "c") END, "!"},
	{"a folded line", PART("a: b\r\n c", "c") END, "!"},
	{"a line feed in a value", PART("a: b\nc: d", "c") END, "!"},
	{"a carriage return in a value", PART("a: b\rc: d", "c") END, "!"},
	{"a control character in a value", PART("a: b\x01", "c") END, "!"},
	{"a delete in a value", PART("a: b\x7f", "c") END, "!"},
	{"a delimiter in a head", "--b0\r\na: b\r\n--b0--\r\n\r\n", "!"},
	{"as many fields as there may be",
	 PART("a:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:", "x") END, "{a=,b=,c=,d=,e=,f=,g=,h=|x}."},
	{"too many fields", PART("a:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\ni:", "x") END, "!"},
};

START_TEST(a_body_is_read_the_same_however_it_is_cut)
{
	static Reading reading;

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		size_t len = strlen(samples[i].body);

		for (size_t first = 0; first <= len; first++)
			for (size_t second = first; second <= len; second++)
			{
				read_cut(samples[i].body, len, first, second, &reading);
				ck_assert_msg(strcmp(reading.text, samples[i].read) == 0,
							  "%s, cut at %zu and %zu: %s", samples[i].what, first, second,
							  reading.text);
			}
	}
}
END_TEST

START_TEST(bytes_of_every_value_are_handed_on)
{
	static const char head[] = "--b0\r\na: b\r\n\r\n";
	static Reading reading;
	char body[4096];
	size_t begin_len = sizeof(head) - 1;
	size_t len = begin_len;

	memcpy(body, head, begin_len);
	for (int i = 0; i < 256; i++)
	{
		body[len++] = (char) i;
		body[len++] = '\r';
	}
	memcpy(body + len, END, sizeof(END) - 1);
	for (size_t at = 0; at <= len + sizeof(END) - 1; at++)
	{
		read_cut(body, len + sizeof(END) - 1, at, at, &reading);
		ck_assert_uint_eq(reading.len, 5 + (len - begin_len) + 2);
		ck_assert_mem_eq(reading.text + 5, body + begin_len, len - begin_len);
	}
}
END_TEST

START_TEST(the_head_of_a_part_is_bounded)
{
	static Multipart reader;
	static Reading reading;
	static char head[MULTIPART_HEAD_MAX + 1];
	static const char begin_of_part[] = "--b0\r\na:";
	size_t room = MULTIPART_HEAD_MAX - strlen("a:\r\n\r\n");

	memset(head, 'x', sizeof(head));
	ck_assert(begin(&reader, TYPE, &reading));
	ck_assert_int_eq(multipart_read(&reader, begin_of_part, strlen(begin_of_part)), MULTIPART_MORE);
	ck_assert_int_eq(multipart_read(&reader, head, room), MULTIPART_MORE);
	ck_assert_int_eq(multipart_read(&reader, "\r\n\r\n", 4), MULTIPART_MORE);
	ck_assert_uint_eq(reading.len, room + 4);

	ck_assert(begin(&reader, TYPE, &reading));
	ck_assert_int_eq(multipart_read(&reader, begin_of_part, strlen(begin_of_part)), MULTIPART_MORE);
	ck_assert_int_eq(multipart_read(&reader, head, room + 1), MULTIPART_MORE);
	ck_assert_int_eq(multipart_read(&reader, "\r\n\r\n", 4), MULTIPART_MALFORMED);
}
END_TEST

START_TEST(an_event_can_stop_the_reader)
{
	static const char body[] = PART("a: b", "c\rd") PART("e: f", "g") END;

	for (size_t stop_at = 1; stop_at <= 9; stop_at++)
	{
		static Reading reading;
		Multipart *reader = malloc(sizeof(*reader));

		reading = (Reading){.stop_at = stop_at};
		ck_assert(begin(reader, TYPE, &reading));
		ck_assert_int_eq(multipart_read(reader, body, sizeof(body) - 1),
						 stop_at == 9 ? MULTIPART_MORE : MULTIPART_STOPPED);
		ck_assert_uint_eq(reading.events, stop_at == 9 ? 8 : stop_at);
		free(reader);
	}
}
END_TEST

START_TEST(the_boundary_is_as_rfc_2046_allows_it)
{
	static const char *const good[] = {
		"multipart/form-data; boundary=b0",
		"Multipart/Form-Data;Boundary=\"b0\"",
		"multipart/form-data; charset=utf-8; boundary=b0",
		"multipart/form-data; boundary=b0; charset=utf-8",
		"multipart/form-data; x=\"; boundary=b1\"; boundary=b0",
		"multipart/form-data; x=\"\\\"; boundary=b1\"; boundary=b0",
	};
	static const char *const bad[] = {
		"multipart/form-data",
		"multipart/form-data; x=boundary",
		"multipart/form-data; xboundary=b0",
		"multipart/form-data; boundary=\"\"",
		"multipart/form-data; boundary=\"b0 \"",
		"multipart/form-data; boundary=\"b\\\"0\"",
		"multipart/form-data; boundary=\"b*0\"",
		"multipart/form-data; boundary=b&0",
		/* 71 characters */
		"multipart/form-data; "
		"boundary=0123456789012345678901234567890123456789012345678901234567890123456789x",
	};
	static Multipart reader;
	static Reading reading;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		ck_assert_msg(begin(&reader, good[i], &reading), "%s", good[i]);
		ck_assert_uint_eq(reader.delimiter_len, 6);
		ck_assert_mem_eq(reader.delimiter, "\r\n--b0", 6);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!begin(&reader, bad[i], &reading), "%s", bad[i]);
	ck_assert(begin(&reader,
					"multipart/form-data; boundary=\"'()+_,-./:=? "
					"456789012345678901234567890123456789012345678901234567\"",
					&reading));
}
END_TEST

SUITE("http multipart", a_body_is_read_the_same_however_it_is_cut,
	  bytes_of_every_value_are_handed_on, the_head_of_a_part_is_bounded,
	  an_event_can_stop_the_reader, the_boundary_is_as_rfc_2046_allows_it)
