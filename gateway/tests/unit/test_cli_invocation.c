/*
 * test_cli_invocation.c
 *		Command lines of wa: what is a word, an option or a value, and what is refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/invocation.h"
#include "tests/unit/suite.h"

#define ARGUMENTS_MAX 12

static Invocation invocation;

/* Reads a command line in one text, in which blanks separate the words. */
static InvocationResult
read_line(const char *line)
{
	static char text[300];
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
		{"key reroll", "there is no such command of \"key\": \"key rotate\" does that"},
		{"key verify", "there is no such command of \"key\": \"key explain\" does that"},
		{"org reroll", "there is no such command of \"org\""},
		{"migrate", "there is no such command: \"import\" does that"},
		{"reroll", "there is no such command"},
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
			ck_assert_msg(command->make != NULL || strstr(command->statement, placeholder) != NULL,
						  "%s", command->name);
		}
		ck_assert_int_eq(
			(command->print != NULL) + (command->make != NULL) + (command->statement != NULL), 1);
		/* a word of elsewhere is none of ours in the same group */
		for (const Command *other = commands; other->name != NULL; other++)
		{
			size_t len = strcspn(other->name, " ");
			const char *last = other->name[len] == ' ' ? other->name + len + 1 : other->name;

			ck_assert(command->elsewhere == NULL || !command_in_group(command, other->name, len) ||
					  !command_lists(command->elsewhere, last));
		}
		ck_assert((command->requires == NULL) == (command->absent == NULL));
		ck_assert((command->unchanged != NULL) ==
				  (command->statement != NULL && strstr(command->statement, "AS changed") != NULL));
		ck_assert(command->unchanged == NULL || command->done != NULL);
		ck_assert(command->show == NULL || command->shape == COMMAND_ONE);
	}
}
END_TEST

static bool
is_named(const Member *members, const char *name)
{
	while (members->name != NULL && strcmp(members->name, name) != 0)
		members++;
	return members->name != NULL;
}

START_TEST(the_requests_of_the_table_are_sound)
{
	for (const Command *command = commands; command->name != NULL; command++)
	{
		const CommandRequest *http = &command->http;
		int paths = 0;

		for (const Parameter *p = command->parameters; p->kind != PARAMETER_END; p++)
		{
			paths += p->send == SEND_PATH;
			/* what goes over HTTP goes there under a name, of a command that does */
			ck_assert(p->send == SEND_NOT || p->send == SEND_NOTHING || p->send == SEND_LIMIT ||
					  p->member != NULL);
			ck_assert(p->send == SEND_NOT || p->send == SEND_PATH || http->request != NULL);
			ck_assert(p->send != SEND_FILTER || is_named(http->members, p->member));
		}
		if (http->request == NULL)
			continue;
		ck_assert_int_eq(paths, strstr(http->request, "{}") != NULL);
		ck_assert_ptr_nonnull(http->members);
		ck_assert((http->list != NULL) == (http->form == ROWS_MEMBER));
		ck_assert(http->form == ROWS_ONE || command->shape != COMMAND_ONE);
		ck_assert(!command->has_secret || is_named(http->members, "key"));
	}
}
END_TEST

START_TEST(over_http_there_is_no_organization_among_the_words)
{
	ck_assert_int_eq(
		read_line("key create shop read --url http://127.0.0.1:1 --token-file token --burst 5"),
		INVOCATION_RUN);
	ck_assert(invocation.over_http);
	ck_assert_ptr_null(invocation.values[0]);
	ck_assert_str_eq(invocation.values[1], "shop");
	ck_assert_str_eq(invocation.values[2], "read");
	ck_assert_str_eq(invocation.values[7], "5");
	ck_assert_int_eq(read_line("--url u --token-file t key create org_x shop read"),
					 INVOCATION_WRONG);
	ck_assert_str_eq(invocation.problem, "key create has too many arguments");
	ck_assert_int_eq(read_line("--url u --token-file t check"), INVOCATION_WRONG);
	ck_assert_str_eq(invocation.problem, "check works with a database only, not over HTTP");
	ck_assert_int_eq(read_line("--url u --token-file t key revoke-all"), INVOCATION_WRONG);
	ck_assert_str_eq(invocation.problem, "key revoke-all needs --yes, because it cannot be undone");
}
END_TEST

START_TEST(a_token_chooses_http_and_a_url_of_the_environment_does_not)
{
	setenv("WA_URL", "http://127.0.0.1:2", 1);
	ck_assert_int_eq(read_line("key list"), INVOCATION_RUN);
	ck_assert(!invocation.over_http);
	ck_assert_int_eq(read_line("key list --token-file t"), INVOCATION_RUN);
	ck_assert(invocation.over_http);
	ck_assert_str_eq(invocation.url, "http://127.0.0.1:2");
	setenv("WA_TOKEN_FILE", "token", 1);
	ck_assert_int_eq(read_line("key list --url u"), INVOCATION_RUN);
	ck_assert_str_eq(invocation.url, "u");
	ck_assert_str_eq(invocation.token_file, "token");
	ck_assert_int_eq(read_line("key list"), INVOCATION_RUN);
	ck_assert(invocation.over_http);
	ck_assert_int_eq(read_line("key list --database x"), INVOCATION_RUN);
	ck_assert(!invocation.over_http);
	ck_assert_int_eq(read_line("manual"), INVOCATION_RUN);
	setenv("WA_TOKEN_FILE", "", 1);
	ck_assert_int_eq(read_line("key list"), INVOCATION_RUN);
	ck_assert(!invocation.over_http);
	ck_assert_int_eq(read_line("key list --url u"), INVOCATION_WRONG);
	ck_assert_str_eq(invocation.problem, "--token-file is missing");
	unsetenv("WA_URL");
	ck_assert_int_eq(read_line("key list --token-file t"), INVOCATION_WRONG);
	ck_assert_str_eq(invocation.problem, "--url is missing");
	ck_assert_int_eq(read_line("key list --database x --token-file t"), INVOCATION_WRONG);
}
END_TEST

SUITE("cli_invocation", words_go_to_parameters_in_order,
	  options_stand_anywhere_behind_their_command, a_flag_is_true_or_not_given,
	  two_dashes_end_the_options_and_one_is_a_word, words_may_be_left_out_where_that_is_said,
	  help_and_version_need_no_whole_command, what_is_wrong_is_named_but_not_repeated,
	  the_table_is_sound, the_requests_of_the_table_are_sound,
	  over_http_there_is_no_organization_among_the_words,
	  a_token_chooses_http_and_a_url_of_the_environment_does_not)
