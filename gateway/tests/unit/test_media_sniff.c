/*
 * test_media_sniff.c
 *		Which type a file has by its bytes, and which types it may be stored as.
 */
#include <string.h>

#include "media/sniff.h"
#include "tests/unit/suite.h"

#define BYTES(text) (text), sizeof(text) - 1

START_TEST(types_are_known_by_the_first_bytes)
{
	static const struct
	{
		const char *bytes;
		size_t len;
		const char *type;
	} files[] = {
		{BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0"), "image/png"},
		{BYTES("\xff\xd8\xff\xe0\0\20JFIF\0\1"), "image/jpeg"},
		{BYTES("GIF89a\1\0\1\0\0\0\0;"), "image/gif"},
		{BYTES("RIFF\x24\0\0\0WEBPVP8 "), "image/webp"},
		{BYTES("%PDF-1.7\n"), "application/pdf"},
		{BYTES("OggS\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\23OpusHead\1"), "audio/ogg"},
		{BYTES("<!DOCTYPE html><html><body>"), "text/html"},
		{BYTES("<html><script>alert(1)</script>"), "text/html"},
		{BYTES("<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
		 "image/svg+xml"},
		{BYTES("plain words\n"), "text/plain"},
		{BYTES("\1\2\3\4\5"), SNIFF_UNKNOWN},
	};
	char error[256];
	char type[SNIFF_TYPE_MAX];
	Sniffer *sniffer = sniffer_open(error, sizeof(error));

	ck_assert_msg(sniffer != NULL, "%s", error);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
	{
		sniff(sniffer, files[i].bytes, files[i].len, type);
		ck_assert_str_eq(type, files[i].type);
	}
	sniffer_close(sniffer);
}
END_TEST

START_TEST(a_picture_is_what_it_is_said_to_be)
{
	ck_assert_str_eq(sniff_choose("image/png", "image/png"), "image/png");
	ck_assert_str_eq(sniff_choose("Image/PNG; a=b", "image/png"), "image/png");
	ck_assert_str_eq(sniff_choose("image/jpg", "image/jpeg"), "image/jpeg");
	ck_assert_ptr_null(sniff_choose("image/png", "image/jpeg"));
	ck_assert_ptr_null(sniff_choose("image/png", "text/html"));
	ck_assert_ptr_null(sniff_choose("image/png", "image/svg+xml"));
	ck_assert_ptr_null(sniff_choose("image/png", SNIFF_UNKNOWN));
	ck_assert_ptr_null(sniff_choose("image/png; image/jpeg", "image/jpeg"));
}
END_TEST

START_TEST(sound_and_video_are_neither_text_nor_pictures)
{
	ck_assert_str_eq(sniff_choose("audio/ogg; codecs=opus", "audio/ogg"), "audio/ogg; codecs=opus");
	ck_assert_str_eq(sniff_choose("audio/mp4", "video/mp4"), "audio/mp4");
	ck_assert_str_eq(sniff_choose("audio/aac", SNIFF_UNKNOWN), "audio/aac");
	ck_assert_ptr_null(sniff_choose("audio/ogg", "text/html"));
	ck_assert_ptr_null(sniff_choose("video/mp4", "text/plain"));
	ck_assert_ptr_null(sniff_choose("video/mp4", "image/svg+xml"));
	ck_assert_ptr_null(sniff_choose("AUDIO/mpeg", "application/pdf"));
}
END_TEST

START_TEST(other_types_are_believed)
{
	ck_assert_str_eq(sniff_choose("application/pdf", "application/pdf"), "application/pdf");
	ck_assert_str_eq(sniff_choose("text/csv", "text/plain"), "text/csv");
	ck_assert_str_eq(sniff_choose("text/plain", "text/html"), "text/plain");
}
END_TEST

START_TEST(a_type_that_nobody_said_is_the_one_of_the_bytes)
{
	ck_assert_str_eq(sniff_choose(NULL, "image/png"), "image/png");
	ck_assert_str_eq(sniff_choose(SNIFF_UNKNOWN, "image/png"), "image/png");
	ck_assert_str_eq(sniff_choose(NULL, SNIFF_UNKNOWN), SNIFF_UNKNOWN);
}
END_TEST

SUITE("media sniff", types_are_known_by_the_first_bytes, a_picture_is_what_it_is_said_to_be,
	  sound_and_video_are_neither_text_nor_pictures, other_types_are_believed,
	  a_type_that_nobody_said_is_the_one_of_the_bytes)
