/*
 * test_config.c
 *		Settings: flag over environment over default, and what is refused.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/config.h"
#include "tests/unit/suite.h"

#define ARGUMENTS_MAX 8

static const char *listen_to;
static int64_t count;
static const char *level;
static bool fast;
static ConfigList names;

static const char *const levels[] = {"low", "high", NULL};

static const ConfigOption options[] = {{.flag = "listen",
										.environment = "TEST_LISTEN",
										.argument = "ADDR:PORT",
										.fallback = "here:1",
										.kind = CONFIG_TEXT,
										.target = &listen_to,
										.help = "where to listen"},
									   {.flag = "count",
										.environment = "TEST_COUNT",
										.argument = "N",
										.fallback = "3",
										.kind = CONFIG_INTEGER,
										.target = &count,
										.min = -1,
										.max = 10,
										.help = "how many"},
									   {.flag = "level",
										.environment = "TEST_LEVEL",
										.fallback = "low",
										.kind = CONFIG_CHOICE,
										.target = &level,
										.choices = levels,
										.help = "how much"},
									   {.flag = "fast",
										.environment = "TEST_FAST",
										.kind = CONFIG_FLAG,
										.target = &fast,
										.help = "go"},
									   {.flag = "name",
										.environment = "TEST_NAME",
										.kind = CONFIG_LIST,
										.target = &names,
										.help = "who"},
									   {.flag = NULL}};

static const ConfigProgram program = {
	.name = "test", .version = "1.0", .summary = "a test", .options = options};

/* Reads settings from a command line in one text. */
static ConfigResult
read_line(const char *line)
{
	static char copy[200];
	char *arguments[ARGUMENTS_MAX] = {"test"};
	int n = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
		arguments[n++] = word;
	fast = false;
	return config_read(&program, n, arguments);
}

/* Catches what goes to a stream while the line is read. */
static ConfigResult
read_quietly(const char *line, int stream, char *text, size_t size)
{
	FILE *file = tmpfile();
	int kept = dup(stream);
	ConfigResult result;
	size_t len;

	dup2(fileno(file), stream);
	result = read_line(line);
	fflush(stdout);
	dup2(kept, stream);
	close(kept);
	rewind(file);
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	fclose(file);
	return result;
}

START_TEST(defaults_hold_when_nothing_is_said)
{
	ck_assert(read_line("") == CONFIG_RUN);
	ck_assert_str_eq(listen_to, "here:1");
	ck_assert_int_eq(count, 3);
	ck_assert_str_eq(level, "low");
	ck_assert(!fast);
}
END_TEST

START_TEST(a_flag_wins_over_the_environment)
{
	setenv("TEST_LISTEN", "env:2", 1);
	setenv("TEST_COUNT", "4", 1);
	setenv("TEST_FAST", "on", 1);
	setenv("TEST_LEVEL", "", 1);
	ck_assert(read_line("--count 5 --level=high") == CONFIG_RUN);
	ck_assert_str_eq(listen_to, "env:2");
	ck_assert_int_eq(count, 5);
	ck_assert_str_eq(level, "high");
	ck_assert(fast);
	ck_assert(read_line("--fast=off") == CONFIG_RUN);
	ck_assert(!fast);
}
END_TEST

START_TEST(a_list_is_every_flag_or_the_environment)
{
	ck_assert(read_line("--name a --count 1 --name=b,c") == CONFIG_RUN);
	ck_assert_uint_eq(names.count, 2);
	ck_assert_str_eq(names.texts[0], "a");
	ck_assert_str_eq(names.texts[1], "b,c");
}
END_TEST

START_TEST(a_list_of_flags_drops_the_environment)
{
	setenv("TEST_NAME", "env", 1);
	ck_assert(read_line("") == CONFIG_RUN);
	ck_assert_uint_eq(names.count, 1);
	ck_assert_str_eq(names.texts[0], "env");
	ck_assert(read_line("--name a") == CONFIG_RUN);
	ck_assert_uint_eq(names.count, 1);
	ck_assert_str_eq(names.texts[0], "a");
}
END_TEST

START_TEST(check_config_reads_everything)
{
	ck_assert(read_line("--check-config --count 7") == CONFIG_CHECK_ONLY);
	ck_assert_int_eq(count, 7);
}
END_TEST

START_TEST(what_is_wrong_is_a_usage_error_that_names_the_setting_not_the_value)
{
	static const struct
	{
		const char *line;
		const char *message;
	} samples[] = {
		{"--count", "test: option \"--count\" requires a value"},
		{"--count 11", "test: invalid value for count: it must be an integer from -1 to 10"},
		{"--count -2", "test: invalid value for count: it must be an integer from -1 to 10"},
		{"--count 5x", "test: invalid value for count"},
		{"--count=", "test: invalid value for count"},
		{"--count 99999999999999999999", "test: invalid value for count"},
		{"--level loud", "test: invalid value for level: it must be one of: low high"},
		{"--fast=maybe", "test: invalid value for fast: it must be on or off"},
		{"--none=secret", "test: unrecognized option \"--none\""},
		{"secret", "test: unexpected argument"},
		{"-x", "test: unexpected argument"},
		{"--", "test: unexpected argument"},
	};
	char text[500];

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		ck_assert(read_quietly(samples[i].line, STDERR_FILENO, text, sizeof(text)) == CONFIG_USAGE);
		ck_assert_msg(strncmp(text, samples[i].message, strlen(samples[i].message)) == 0, "%s",
					  text);
		ck_assert_ptr_null(strstr(text, "secret"));
		ck_assert_ptr_nonnull(strstr(text, "Try \"test --help\" for more information.\n"));
	}
	setenv("TEST_COUNT", "many", 1);
	ck_assert(read_quietly("", STDERR_FILENO, text, sizeof(text)) == CONFIG_USAGE);
	ck_assert_ptr_nonnull(strstr(text, "invalid value for TEST_COUNT"));
}
END_TEST

START_TEST(help_and_version_come_even_when_the_environment_is_wrong)
{
	char text[4000];

	setenv("TEST_COUNT", "many", 1);
	ck_assert(read_quietly("--help", STDOUT_FILENO, text, sizeof(text)) == CONFIG_DONE);
	ck_assert_ptr_nonnull(strstr(text, "--listen ADDR:PORT"));
	ck_assert_ptr_nonnull(strstr(text, "where to listen (default here:1) [TEST_LISTEN]"));
	ck_assert_ptr_nonnull(strstr(text, "--check-config"));
	ck_assert(read_quietly("--version", STDOUT_FILENO, text, sizeof(text)) == CONFIG_DONE);
	ck_assert_str_eq(text, "test 1.0\n");
}
END_TEST

SUITE("config", defaults_hold_when_nothing_is_said, a_flag_wins_over_the_environment,
	  a_list_is_every_flag_or_the_environment, a_list_of_flags_drops_the_environment,
	  check_config_reads_everything,
	  what_is_wrong_is_a_usage_error_that_names_the_setting_not_the_value,
	  help_and_version_come_even_when_the_environment_is_wrong)
