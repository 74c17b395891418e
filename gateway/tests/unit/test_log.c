/*
 * test_log.c
 *		Log lines: their form, and that nothing foreign breaks or betrays.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "tests/unit/suite.h"

#define KEY "wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT"
#define TEST_KEY "wa_test_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3pOkCs"

static Buffer out;

/* The line without what comes before its first field. */
static const char *
line(const LogField *fields)
{
	buffer_free(&out);
	buffer_init(&out, LOG_LINE_MAX);
	log_format(&out, 1767323045678, LOG_LEVEL_WARNING, "thing", fields);
	return strstr(out.data, "event=");
}

#define LINE(...) line((const LogField[]){__VA_ARGS__, {.kind = LOG_FIELD_END}})

START_TEST(a_line_begins_with_time_level_process_and_event)
{
	char expected[100];

	LINE({.kind = LOG_FIELD_FIRST});
	snprintf(expected, sizeof(expected),
			 "time=2026-01-02T03:04:05.678Z level=warning pid=%d event=thing\n", (int) getpid());
	ck_assert_str_eq(out.data, expected);
}
END_TEST

START_TEST(values_are_quoted_when_they_have_to_be)
{
	ck_assert_str_eq(LINE(log_text("a", "plain-1.2/x"), log_int("n", -5), log_text("none", NULL),
						  log_text("b", "two words"), log_text("c", ""), log_text("d", "x=y")),
					 "event=thing a=plain-1.2/x n=-5 b=\"two words\" c=\"\" d=\"x=y\"\n");
}
END_TEST

START_TEST(nothing_in_a_value_can_end_the_line_or_paint_the_terminal)
{
	ck_assert_str_eq(LINE(log_bytes("a", "x\nlevel=error\r\t\x1b[31m\x7f\"\\\0z", 25)),
					 "event=thing a=\"x\\nlevel=error\\x0d\\x09\\x1b[31m\\x7f\\\"\\\\\\x00z\"\n");
	ck_assert_str_eq(LINE(log_text("a", "\xC2\x9B"
										"31m \xFF \xC3\xA4")),
					 "event=thing a=\"\\xc2\\x9b31m \\xff \xC3\xA4\"\n");
}
END_TEST

START_TEST(whatever_looks_like_a_credential_is_masked)
{
	static const char *const samples[] = {
		KEY,
		TEST_KEY,
		"wa_test_imported-JC7tj_20",
		"wa%5Ftest%5F003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3pOkCs",
		"wau_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf0t082e",
		"was_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1SixjC",
		"wad_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf37DHLq",
		"rt_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1IBrb4",
		"wai_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf4Vwuyc",
		("/api/v1/" KEY "/x"),
		"wa%5F003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT",
		("Bearer " KEY ", " KEY),
		("x" KEY),
		"wa_imported-key_of_20ch",
		"wa_imported-JC7tj_20",
		"wau_0123456JC7tj01234",
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		const char *shown = LINE(log_text("a", samples[i]));

		ck_assert_ptr_null(strstr(shown, "JC7tj"));
		ck_assert_ptr_null(strstr(shown, "20ch"));
		ck_assert_ptr_nonnull(strstr(shown, "…"));
	}
	ck_assert_ptr_nonnull(strstr(LINE(log_text("a", "/x/" KEY "/y")), " a=/x/wa_003aU…/y\n"));
	ck_assert_ptr_nonnull(strstr(LINE(log_text("a", TEST_KEY)), " a=wa_test_003aU…\n"));
}
END_TEST

START_TEST(ids_and_words_are_not_masked)
{
	ck_assert_str_eq(LINE(log_text("a", "msg_01h455vb4pex5vsknk084sn02q"), log_text("b", "was_not"),
						  log_text("c", "wa_Ab3xY"), log_text("d", "wa_0123456789abcdef")),
					 "event=thing a=msg_01h455vb4pex5vsknk084sn02q b=was_not c=wa_Ab3xY "
					 "d=wa_0123456789abcdef\n");
}
END_TEST

START_TEST(a_credential_at_the_cut_is_masked_too)
{
	char value[LOG_VALUE_MAX + 100];

	for (size_t before = LOG_VALUE_MAX - 60; before < LOG_VALUE_MAX; before++)
	{
		memset(value, 'x', before);
		strcpy(value + before, KEY);
		ck_assert_ptr_null(strstr(LINE(log_text("a", value)), "JC7tj"));
	}
}
END_TEST

START_TEST(long_lines_are_cut_and_stay_lines)
{
	static char value[LOG_VALUE_MAX + 1];
	LogField fields[20];

	memset(value, '\x01', sizeof(value) - 1);
	for (int i = 0; i < 19; i++)
		fields[i] = log_text("a", value);
	fields[19] = (LogField){.kind = LOG_FIELD_END};
	line(fields);
	ck_assert_uint_le(out.len, LOG_LINE_MAX);
	ck_assert_ptr_eq(strchr(out.data, '\n'), out.data + out.len - 1);
}
END_TEST

START_TEST(levels_have_names)
{
	LogLevel level;

	ck_assert(log_level_from_text("debug", &level) && level == LOG_LEVEL_DEBUG);
	ck_assert(log_level_from_text("error", &level) && level == LOG_LEVEL_ERROR);
	ck_assert(!log_level_from_text("loud", &level));
	log_set_level(LOG_LEVEL_WARNING);
	ck_assert(!log_enabled(LOG_LEVEL_INFO));
	ck_assert(log_enabled(LOG_LEVEL_WARNING));
}
END_TEST

SUITE("log", a_line_begins_with_time_level_process_and_event,
	  values_are_quoted_when_they_have_to_be,
	  nothing_in_a_value_can_end_the_line_or_paint_the_terminal,
	  whatever_looks_like_a_credential_is_masked, ids_and_words_are_not_masked,
	  a_credential_at_the_cut_is_masked_too, long_lines_are_cut_and_stay_lines, levels_have_names)
