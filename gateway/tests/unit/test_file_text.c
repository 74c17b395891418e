/*
 * test_file_text.c
 *		Files in base64 and as data: URLs: what is read, and where the rest is wrong.
 *
 * Texts are handed over in heap blocks of their exact length, so that the address
 * sanitizer sees any read beyond it.
 */
#include <stdlib.h>
#include <string.h>

#include "src/common/file_text.h"
#include "tests/unit/suite.h"

static bool
file_read(const char *text, size_t len, uint8_t *bytes, WakFileText *file)
{
	char *block = malloc(len > 0 ? len : 1);
	uint8_t *room = malloc(len > 0 ? len : 1);
	bool read;

	memcpy(block, text, len);
	read = wak_file_text_read(block, len, room, file);
	if (read)
		memcpy(bytes, room, file->len);
	free(block);
	free(room);
	return read;
}

/* The bytes are 00 01 02 fb ff, or so many of them. */
static const struct
{
	const char *text;
	size_t len;
	const char *type; /* NULL: none is named */
} good[] = {
	{"AAEC+/8=", 5, NULL},
	{"AAEC-_8=", 5, NULL},
	{"AAEC+/8", 5, NULL},
	{"AAEC-_8", 5, NULL},
	{"AAEC\r\n+/8=\r\n", 5, NULL},
	{"\tA AE\nC", 3, NULL},
	{"AAE=", 2, NULL},
	{"AA==", 1, NULL},
	{"AA=\n=", 1, NULL},
	{"AA", 1, NULL},
	{"data:image/png;base64,AAEC+/8=", 5, "image/png"},
	{"DATA:Image/PNG;Base64,AAEC", 3, "image/png"},
	{"data:;base64,AAEC", 3, NULL},
	{"data:,%00%01%02%fB%Ff", 5, NULL},
	{"data:image/png,%00%01", 2, "image/png"},
	{"data:image/png;base64,AAEC%2B/8%3D", 5, "image/png"},
	{"data:audio/ogg;codecs=%22opus%22;base64,AAEC", 3, "audio/ogg; codecs=opus"},
	{"data:;charset=utf-8;base64,AAEC", 3, "text/plain; charset=utf-8"},
};

START_TEST(what_means_one_thing_only_is_read)
{
	static const uint8_t wanted[] = {0x00, 0x01, 0x02, 0xfb, 0xff};
	uint8_t bytes[64];
	WakFileText file;

	ck_assert_msg(file_read(good[_i].text, strlen(good[_i].text), bytes, &file), "%s: %s",
				  good[_i].text, file.problem);
	ck_assert_ptr_null(file.problem);
	ck_assert_uint_eq(file.len, good[_i].len);
	ck_assert_mem_eq(bytes, wanted, file.len);
	ck_assert(file.has_type == (good[_i].type != NULL));
	if (file.has_type)
		ck_assert_str_eq(file.type, good[_i].type);
}
END_TEST

#define NOT_BASE64 "has a character that is not of base64"
#define MIXED "mixes the usual alphabet of base64 with that for URLs"
#define GOES_ON "goes on behind the padding of its base64"
#define IN_A_BYTE "has base64 that ends within a byte"
#define PADDING "has base64 with wrong padding"
#define BITS "has base64 with bits behind its last byte"
#define PERCENT "has a percent sign without two hexadecimal digits"
#define UNESCAPED "has a character that an URL has to percent-encode"
#define NO_COMMA "is a data: URL without a comma in front of its data"
#define NO_TYPE "is a data: URL without a valid media type"

static const struct
{
	const char *text;
	const char *problem;
	size_t at;
} bad[] = {
	{"", "has no data", 0},
	{" \n", "has no data", 0},
	{"A", IN_A_BYTE, 0},
	{"AAECA", IN_A_BYTE, 0},
	{"=", PADDING, 0},
	{"AA=", PADDING, 0},
	{"AA===", PADDING, 0},
	{"AAE==", PADDING, 0},
	{"AAEC=", PADDING, 0},
	{"AAEC====", PADDING, 0},
	{"AA==AA==", GOES_ON, 5},
	{"AB", BITS, 0},
	{"AAF=", BITS, 0},
	{"AA+_", MIXED, 4},
	{"-A A/", MIXED, 5},
	{"A*", NOT_BASE64, 2},
	{"AA\xc3\xa9", NOT_BASE64, 3},
	{"AA\v=", NOT_BASE64, 3},
	{"AA%3D", NOT_BASE64, 3},
	{"data", NULL, 0}, /* is base64 */
	{"data:", NO_COMMA, 0},
	{"data:image/png;base64", NO_COMMA, 0},
	{"data:image/png;base64,", "has no data", 0},
	{"data:png;base64,AAEC", NO_TYPE, 0},
	{"data:image/png;base64;x=y,AAEC", NO_TYPE, 0},
	{"data:image/p%ng,AAEC", NO_TYPE, 0},
	{"data:a/b;x=\"c,d\",AAEC", NO_TYPE, 0},
	{"data:image/png;base64,AA*", NOT_BASE64, 25},
	{"data:;base64,AA%3", PERCENT, 16},
	{"data:;base64,AA%zz", PERCENT, 16},
	{"data:,a%4", PERCENT, 8},
	{"data:,a b", UNESCAPED, 8},
	{"data:,a#b", UNESCAPED, 8},
	{"data:,a\xc3\xa9", UNESCAPED, 8},
};

START_TEST(what_is_wrong_is_told_with_its_place)
{
	uint8_t bytes[64];
	WakFileText file;
	bool read = file_read(bad[_i].text, strlen(bad[_i].text), bytes, &file);

	ck_assert_msg(read == (bad[_i].problem == NULL), "%s", bad[_i].text);
	if (read)
		return;
	ck_assert_str_eq(file.problem, bad[_i].problem);
	ck_assert_uint_eq(file.at, bad[_i].at);
}
END_TEST

/* All that a cut leaves are the bytes in front of it, or a problem. */
START_TEST(cut_off_at_every_byte)
{
	static const char *const texts[] = {"AAEC+/8=", "data:a/b;c=\"d\";base64,AAEC%2B/8%3D",
										"data:a/b;c=%22d%22,%00%01%02%fB%Ff"};
	static const uint8_t wanted[] = {0x00, 0x01, 0x02, 0xfb, 0xff};
	uint8_t bytes[64];
	WakFileText file;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		for (size_t len = 0; len < strlen(texts[i]); len++)
			if (!file_read(texts[i], len, bytes, &file))
				ck_assert_ptr_nonnull(file.problem);
			else if (i == 0 || len > strlen("data:a/b"))
				ck_assert_mem_eq(bytes, wanted, file.len);
	}
}
END_TEST

/* Every byte at every place of a group of four is a digit, is passed over, or is refused. */
START_TEST(every_byte_at_every_place)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";
	uint8_t bytes[8];
	WakFileText file;

	for (int c = 0; c < 256; c++)
	{
		bool digit = c != 0 && strchr(digits, c) != NULL;

		for (size_t at = 0; at < 4; at++)
		{
			char text[5] = "AAAA";
			bool read;

			text[at] = (char) c;
			read = file_read(text, 4, bytes, &file);
			if (digit)
				ck_assert(read && file.len == 3);
			else if (c == '=' && at == 3)
				ck_assert(read && file.len == 2);
			else if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
				ck_assert(read && file.len == 2);
			else
				ck_assert(!read);
		}
	}
}
END_TEST

static const struct
{
	const char *text;
	const char *written; /* NULL: it is none */
} types[] = {
	{"image/png", "image/png"},
	{"IMAGE/Png", "image/png"},
	{"audio/ogg; codecs=\"opus\"", "audio/ogg; codecs=opus"},
	{"audio/ogg;codecs=opus", "audio/ogg; codecs=opus"},
	{"text/plain ;\tCharset=UTF-8 ; format=Flowed;", "text/plain; charset=UTF-8; format=Flowed"},
	{"a/b;;c=d", "a/b; c=d"},
	{"a/b; x=\"a\\\"\\\\ b\"", "a/b; x=\"a\\\"\\\\ b\""},
	{"a/b;x=\"\"", "a/b; x=\"\""},
	{"a/b;x=\"a;y=z\";y=1", "a/b; x=\"a;y=z\"; y=1"},
	{"a/b;x=\"; y=z\";y=1", "a/b; x=\"; y=z\"; y=1"},
	{"a/b;x=\"\\\"; y=z\";y=1", "a/b; x=\"\\\"; y=z\"; y=1"},
	{"application/vnd.a+b.c", "application/vnd.a+b.c"},
	{"", NULL},
	{"image", NULL},
	{"image/", NULL},
	{"/png", NULL},
	{"image/*", NULL},
	{"*/*", NULL},
	{" image/png", NULL},
	{"image /png", NULL},
	{"image/png x", NULL},
	{"image/png, a/b", NULL},
	{"a/b;x", NULL},
	{"a/b;x=", NULL},
	{"a/b;x =1", NULL},
	{"a/b;x=\"", NULL},
	{"a/b;x=\"\\", NULL},
	{"a/b;x=\"c\"d", NULL},
	{"a/b;x=1;X=2", NULL},
	{"a/b;x=\"\xc3\xa9\"", NULL},
	{"a/b;x=\"\n\"", NULL},
};

START_TEST(media_types_have_one_form)
{
	char written[WAK_MEDIA_TYPE_WRITTEN_MAX + 1];
	char again[WAK_MEDIA_TYPE_WRITTEN_MAX + 1];
	size_t len = strlen(types[_i].text);
	char *block = malloc(len > 0 ? len : 1);

	memcpy(block, types[_i].text, len);
	ck_assert_msg(wak_media_type_read(block, len, written) == (types[_i].written != NULL), "%s",
				  types[_i].text);
	if (types[_i].written != NULL)
	{
		ck_assert_str_eq(written, types[_i].written);
		ck_assert(wak_media_type_read(written, strlen(written), again));
		ck_assert_str_eq(again, written);
	}
	free(block);
}
END_TEST

/* Three characters for a byte, and one for a byte. */
START_TEST(a_file_has_a_bound)
{
	static const size_t sizes[] = {WAK_FILE_MAX, WAK_FILE_MAX + 1};
	size_t room = WAK_FILE_TEXT_MAX + 1;
	char *text = malloc(room);
	uint8_t *bytes = malloc(WAK_FILE_TEXT_MAX);
	WakFileText file;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t each = 1; each <= 3; each += 2)
		{
			size_t len = 6 + sizes[i] * each;

			memcpy(text, "data:,", 6);
			for (size_t at = 6; at < len; at += each)
				memcpy(text + at, each == 3 ? "%41" : "A", each);
			ck_assert(wak_file_text_read(text, len, bytes, &file) == (i == 0));
			if (i == 0)
				ck_assert_uint_eq(file.len, WAK_FILE_MAX);
			else
				ck_assert_str_eq(file.problem, "is a file of more than 1 MiB");
		}
	memset(text, ' ', room);
	memcpy(text, "AAEC", 4);
	ck_assert(wak_file_text_read(text, WAK_FILE_TEXT_MAX, bytes, &file));
	ck_assert_uint_eq(file.len, 3);
	ck_assert(!wak_file_text_read(text, WAK_FILE_TEXT_MAX + 1, bytes, &file));
	ck_assert_str_eq(file.problem, "is written in more than 4 MiB");
	free(bytes);
	free(text);
}
END_TEST

START_TEST(a_media_type_has_a_bound)
{
	char text[WAK_MEDIA_TYPE_MAX + 2] = "a/b";
	char written[WAK_MEDIA_TYPE_WRITTEN_MAX + 1];

	memset(text + 3, ';', sizeof(text) - 3);
	ck_assert(wak_media_type_read(text, WAK_MEDIA_TYPE_MAX, written));
	ck_assert_str_eq(written, "a/b");
	ck_assert(!wak_media_type_read(text, WAK_MEDIA_TYPE_MAX + 1, written));
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_loop_test(cases, what_means_one_thing_only_is_read, 0,
						(int) (sizeof(good) / sizeof(good[0])));
	tcase_add_loop_test(cases, what_is_wrong_is_told_with_its_place, 0,
						(int) (sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(cases, cut_off_at_every_byte);
	tcase_add_test(cases, every_byte_at_every_place);
	tcase_add_loop_test(cases, media_types_have_one_form, 0,
						(int) (sizeof(types) / sizeof(types[0])));
	tcase_add_test(cases, a_file_has_a_bound);
	tcase_add_test(cases, a_media_type_has_a_bound);
}

SUITE_WITH("file_text", add_tests)
