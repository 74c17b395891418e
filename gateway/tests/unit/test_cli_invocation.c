/*
 * test_cli_invocation.c
 *		Command lines of wa: what is a word, an option or a value, and what is refused.
 */
#include <stdio.h>
#include <string.h>

#include "cli/invocation.h"
#include "tests/unit/suite.h"

#define ARGUMENTS_MAX 12

static Invocation invocation;

/* Reads a command line in one text, in which blanks separate the words. */
static InvocationResult
read_line(const char *line)
{
	static char text[200];
	static char program[] = "wa";
	char *argv[ARGUMENTS_MAX] = {program};
	int argc = 1;

	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
		argv[argc++] = word;
	return invocation_read(&invocation, argc, argv);
}

START_TEST(words_go_to_parameters_in_order)
{
	ck_assert_int_eq(read_line("key create org_x shop read,send"), INVOCATION_RUN);
	ck_assert_str_eq(invocation.command->name, "key create");
	ck_assert_str_eq(invocation.values[0], "org_x");
	ck_assert_str_eq(invocation.values[1], "shop");
	ck_assert_str_eq(invocation.values[2], "read,send");
	ck_assert_ptr_null(invocation.values[3]);
	ck_assert(!invocation.json);
	ck_assert_ptr_null(invocation.database);
}
END_TEST

START_TEST(options_stand_anywhere_behind_their_command)
{
	ck_assert_int_eq(read_line("--database dbname=x key --json revoke --reason=leaked key_x"),
					 INVOCATION_RUN);
	ck_assert_str_eq(invocation.command->name, "key revoke");
	ck_assert_str_eq(invocation.database, "dbname=x");
	ck_assert_str_eq(invocation.values[0], "key_x");
	ck_assert_str_eq(invocation.values[1], "leaked");
	ck_assert(invocation.json);
	ck_assert_int_eq(read_line("key revoke key_x --reason leaked"), INVOCATION_RUN);
	ck_assert_str_eq(invocation.values[1], "leaked");
	ck_assert_int_eq(read_line("key revoke key_x --reason="), INVOCATION_RUN);
	ck_assert_str_eq(invocation.values[1], "");
	ck_assert_int_eq(read_line("--reason leaked key revoke key_x"), INVOCATION_WRONG);
}
END_TEST

START_TEST(a_flag_is_true_or_not_given)
{
	ck_assert_int_eq(read_line("import list --dry-run org_x keys.json"), INVOCATION_RUN);
	ck_assert_str_eq(invocation.values[2], "keys.json");
	ck_assert_str_eq(invocation.values[6], "true");
	ck_assert_int_eq(read_line("import list org_x -"), INVOCATION_RUN);
	ck_assert_ptr_null(invocation.values[6]);
}
END_TEST

START_TEST(two_dashes_end_the_options_and_one_is_a_word)
{
	ck_assert_int_eq(read_line("org create -- --json"), INVOCATION_RUN);
	ck_assert_str_eq(invocation.values[0], "--json");
	ck_assert(!invocation.json);
	ck_assert_int_eq(read_line("key find -"), INVOCATION_RUN);
	ck_assert_str_eq(invocation.values[0], "-");
}
END_TEST

START_TEST(words_may_be_left_out_where_that_is_said)
{
	ck_assert_int_eq(read_line("key list"), INVOCATION_RUN);
	ck_assert_ptr_null(invocation.values[0]);
	ck_assert_int_eq(read_line("key list --status live org_x"), INVOCATION_RUN);
	ck_assert_str_eq(invocation.values[0], "org_x");
	ck_assert_str_eq(invocation.values[1], "live");
	ck_assert_int_eq(read_line("check"), INVOCATION_RUN);
	ck_assert_str_eq(invocation.values[0], check_advice);
	ck_assert_int_eq(read_line("check now"), INVOCATION_WRONG);
}
END_TEST

START_TEST(help_and_version_need_no_whole_command)
{
	ck_assert_int_eq(read_line("--help"), INVOCATION_HELP);
	ck_assert_ptr_null(invocation.command);
	ck_assert_int_eq(read_line("key --help"), INVOCATION_HELP);
	ck_assert_str_eq(invocation.group, "key");
	ck_assert_int_eq(read_line("key create -h"), INVOCATION_HELP);
	ck_assert_str_eq(invocation.command->name, "key create");
	ck_assert_int_eq(read_line("--version"), INVOCATION_VERSION);
}
END_TEST

START_TEST(what_is_wrong_is_named_but_not_repeated)
{
	static const struct
	{
		const char *line;
		const char *problem;
	} samples[] = {
		{"", "the command is missing"},
		{"key", "which command of \"key\" is missing"},
		{"hush", "there is no such command"},
		{"ke create", "there is no such command"},
		{"key hush", "there is no such command of \"key\""},
		{"key creat", "there is no such command of \"key\""},
		{"key create org_x", "NAME is missing"},
		{"org list hush", "org list has too many arguments"},
		{"org list --hush", "org list has no such option"},
		{"org list --reason hush", "org list has no such option"},
		{"--hush", "there is no such option before the command"},
		{"org list -x", "options begin with two dashes"},
		{"key revoke key_x --reason", "--reason needs a value"},
		{"org list --database", "--database needs a value"},
		{"user create a b --password=hush", "--password takes no value"},
		{"import list org_x - --dry-run=yes", "--dry-run takes no value"},
		{"import list org_x", "FILE is missing"},
		{"org list --json=hush", "--json takes no value"},
		{"key list --status hush",
		 "--status must be one of: live rotated disabled expired revoked"},
		{"key list --status live,hush",
		 "--status must be one of: live rotated disabled expired revoked"},
		{"key list --status=", "--status must be one of: live rotated disabled expired revoked"},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		ck_assert_int_eq(read_line(samples[i].line), INVOCATION_WRONG);
		ck_assert_str_eq(invocation.problem, samples[i].problem);
	}
}
END_TEST

/* Rows that would not do what they say. */
START_TEST(the_table_is_sound)
{
	for (const Command *command = commands; command->name != NULL; command++)
	{
		int count = 0;
		bool optional = false;

		for (; command->parameters[count].kind != PARAMETER_END; count++)
		{
			const Parameter *parameter = &command->parameters[count];
			char placeholder[16];

			ck_assert_int_lt(count, COMMAND_PARAMETERS_MAX);
			ck_assert(!optional || parameter->kind > PARAMETER_SECRET_WORD);
			optional |= parameter->kind == PARAMETER_OPTIONAL_WORD;
			snprintf(placeholder, sizeof(placeholder), "$%d", count + 1);
			ck_assert_msg(strstr(command->statement, placeholder) != NULL, "%s", command->name);
		}
		ck_assert((command->print != NULL) != (command->statement != NULL));
		ck_assert((command->requires == NULL) == (command->absent == NULL));
		ck_assert((command->done == NULL) == (command->unchanged == NULL));
		ck_assert(command->done == NULL || strstr(command->statement, "AS changed") != NULL);
		ck_assert(command->show == NULL || command->shape == COMMAND_ONE);
	}
}
END_TEST

SUITE("cli_invocation", words_go_to_parameters_in_order,
	  options_stand_anywhere_behind_their_command, a_flag_is_true_or_not_given,
	  two_dashes_end_the_options_and_one_is_a_word, words_may_be_left_out_where_that_is_said,
	  help_and_version_need_no_whole_command, what_is_wrong_is_named_but_not_repeated,
	  the_table_is_sound)
