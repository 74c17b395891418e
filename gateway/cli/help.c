/*
 * help.c
 *		Texts made from the table of commands; see help.h.
 */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "program/version.h"

#define LEFT_MAX 80
#define HELP_COLUMN 20 /* where the help texts begin */
#define MANUAL_LINE_MAX 76

/* A parameter as it is written: ORG, [ORG], [--reason TEXT].  False: it is not typed. */
static bool
usage_of(const Parameter *parameter, char left[LEFT_MAX])
{
	switch (parameter->kind)
	{
		case PARAMETER_WORD:
		case PARAMETER_SECRET_WORD:
		case PARAMETER_FILE:
			snprintf(left, LEFT_MAX, "%s", parameter->name);
			return true;
		case PARAMETER_OPTIONAL_WORD:
			snprintf(left, LEFT_MAX, "[%s]", parameter->name);
			return true;
		case PARAMETER_OPTION:
			snprintf(left, LEFT_MAX, "[--%s %s]", parameter->name, parameter->argument);
			return true;
		case PARAMETER_FLAG:
		case PARAMETER_PASSWORD:
			snprintf(left, LEFT_MAX, "[--%s]", parameter->name);
			return true;
		case PARAMETER_CONFIRMATION:
			snprintf(left, LEFT_MAX, "--%s", parameter->name);
			return true;
		case PARAMETER_CONSTANT:
		case PARAMETER_END:
			break;
	}
	return false;
}

static bool
has_group(const Command *command, const char *group)
{
	return group == NULL || command_in_group(command, group, strlen(group));
}

/* What is said behind a command that works over HTTP. */
#define HTTP_MARK " [HTTP]"

static const char *
mark_of(const Command *command)
{
	return command_works_over_http(command) ? HTTP_MARK : "";
}

/* What is said behind a parameter that cannot be given over HTTP. */
static const char *
remark_of(const Command *command, const Parameter *parameter)
{
	return command_works_over_http(command) && parameter->send == SEND_NOT
			   ? "; over HTTP it is not given: the token is for one organization"
			   : "";
}

/* "Elsewhere: reroll, roll."; nothing if other products have no other word for it. */
static void
print_elsewhere(const Command *command, Buffer *out)
{
	if (command->elsewhere == NULL)
		return;
	buffer_append_text(out, "Elsewhere called: ");
	for (const char *c = command->elsewhere; *c != '\0'; c++)
	{
		if (*c == ' ')
			buffer_append_char(out, ',');
		buffer_append_char(out, *c);
	}
	buffer_append_text(out, ".\n");
}

static void
print_row(Buffer *out, const char *left, const char *help, const char *remark)
{
	buffer_printf(out, "  %-*s  %s%s\n", HELP_COLUMN, left, help, remark);
}

static void
print_global_options(Buffer *out)
{
	buffer_append_text(out, "\nOptions of every command:\n");
	for (const GlobalOption *option = global_options; option->name != NULL; option++)
	{
		char left[LEFT_MAX];

		snprintf(left, sizeof(left), "--%s%s%s", option->name, option->argument != NULL ? " " : "",
				 option->argument != NULL ? option->argument : "");
		print_row(out, left, option->help, "");
	}
	buffer_append_text(out, "\nThe exit status is 0, 1 if something was refused or failed, and 2 "
							"for a command line that cannot be read.\n");
}

static void
print_all(const char *group, Buffer *out)
{
	buffer_append_text(out,
					   "wa: administration of wa_apikeys, as a superuser or a member of wa_admin, "
					   "or over HTTP as a\nperson with a user token\n\nUsage:\n"
					   "  wa [--database CONNINFO] COMMAND ...\n"
					   "  wa --url URL --token-file FILE COMMAND ...\n\nCommands:\n");
	for (const Command *command = commands; command->name != NULL; command++)
		if (has_group(command, group))
			print_row(out, command->name, command->summary, mark_of(command));
	buffer_append_text(out, "\n[HTTP]: works over HTTP too.\n"
							"\"wa COMMAND --help\" shows the arguments of a command.\n");
	print_global_options(out);
}

static void
print_command(const Command *command, Buffer *out)
{
	char left[LEFT_MAX];

	buffer_printf(out, "wa %s: %s%s\n\nUsage:\n  wa %s", command->name, command->summary,
				  mark_of(command), command->name);
	for (const Parameter *p = command->parameters; p->kind != PARAMETER_END; p++)
		if (usage_of(p, left))
			buffer_printf(out, " %s", left);
	buffer_append_text(out, "\n\n");
	for (const Parameter *p = command->parameters; p->kind != PARAMETER_END; p++)
		if (usage_of(p, left))
			print_row(out, left, p->help, remark_of(command, p));
	if (command->more != NULL)
		buffer_printf(out, "\n%s\n", command->more);
	if (command->elsewhere != NULL)
		buffer_append_char(out, '\n');
	print_elsewhere(command, out);
	print_global_options(out);
}

bool
help_print(const Invocation *invocation, Buffer *out)
{
	if (invocation->command != NULL)
		print_command(invocation->command, out);
	else
		print_all(invocation->group, out);
	return !out->failed;
}

/* ---- completion ---- */

static void
print_completed_options(const Command *command, Buffer *out)
{
	for (const GlobalOption *option = global_options; option->name != NULL; option++)
		buffer_printf(out, " --%s", option->name);
	for (const Parameter *p = command->parameters; p->kind != PARAMETER_END; p++)
	{
		if (p->kind == PARAMETER_OPTION || p->kind == PARAMETER_FLAG ||
			p->kind == PARAMETER_PASSWORD || p->kind == PARAMETER_CONFIRMATION)
			buffer_printf(out, " --%s", p->name);
		if (p->words != NULL)
			buffer_printf(out, " %s", p->words);
	}
}

/* The second words of commands whose first word is that of this one; of all, or over HTTP. */
static void
print_second_words(const Command *first, bool over_http, Buffer *out)
{
	size_t len = strcspn(first->name, " ");

	for (const Command *command = first; command->name != NULL; command++)
		if (strncmp(command->name, first->name, len) == 0 && command->name[len] == ' ' &&
			(!over_http || command_works_over_http(command)))
			buffer_printf(out, " %s", command->name + len + 1);
}

/* Whether no command before it has the same first word.  Commands of one word stand together. */
static bool
begins_group(const Command *command)
{
	size_t len = strcspn(command->name, " ");

	return command == commands || !command_in_group(command - 1, command->name, len);
}

/* Whether a command with the first word of this one works over HTTP. */
static bool
group_works_over_http(const Command *first)
{
	size_t len = strcspn(first->name, " ");

	for (const Command *command = first; command->name != NULL; command++)
		if (command_in_group(command, first->name, len) && command_works_over_http(command))
			return true;
	return false;
}

/* The first words; of all commands, or of those over HTTP. */
static void
print_first_words(bool over_http, Buffer *out)
{
	for (const Command *command = commands; command->name != NULL; command++)
		if (begins_group(command) && (!over_http || group_works_over_http(command)))
			buffer_printf(out, " %.*s", (int) strcspn(command->name, " "), command->name);
}

/* Sorts the words of the line: those of the command, and whether it is one over HTTP. */
static void
print_word_loop(Buffer *out)
{
	buffer_append_text(out, "# Completion of wa for bash, made by \"wa completion bash\".\n"
							"_wa()\n{\n"
							"\tlocal word=${COMP_WORDS[COMP_CWORD]} words=() known http= i\n\n"
							"\tfor ((i = 1; i < COMP_CWORD; i++))\n\tdo\n"
							"\t\tcase ${COMP_WORDS[i]} in\n"
							"\t\t\t--url | --token-file) http=yes; ((i++)) ;;\n\t\t\t");
	for (const GlobalOption *option = global_options; option->name != NULL; option++)
		if (option->argument != NULL && strcmp(option->name, "url") != 0 &&
			strcmp(option->name, "token-file") != 0)
			buffer_printf(out, "%s--%s", option == global_options ? "" : " | ", option->name);
	buffer_append_text(out, ") ((i++)) ;;\n\t\t\t-*) ;;\n"
							"\t\t\t*) words+=(\"${COMP_WORDS[i]}\") ;;\n\t\tesac\n\tdone\n"
							"\tcase \"${http:+http }${words[*]:0:2}\" in\n");
}

bool
help_completion(Buffer *out)
{
	print_word_loop(out);
	for (const Command *command = commands; command->name != NULL; command++)
	{
		size_t len = strcspn(command->name, " ");

		for (int over_http = 0; over_http < 2 && command->name[len] == ' ' && begins_group(command);
			 over_http++)
		{
			buffer_printf(out, "\t\t\"%s%.*s\") known=\"", over_http ? "http " : "", (int) len,
						  command->name);
			print_second_words(command, over_http, out);
			buffer_append_text(out, "\" ;;\n");
		}
		buffer_printf(out, "\t\t\"%s\"", command->name);
		if (command_works_over_http(command))
			buffer_printf(out, " | \"http %s\"", command->name);
		buffer_append_text(out, ") known=\"");
		print_completed_options(command, out);
		buffer_append_text(out, "\" ;;\n");
	}
	for (int over_http = 0; over_http < 2; over_http++)
	{
		buffer_printf(out, "\t\t\"%s\") known=\"", over_http ? "http " : "");
		print_first_words(over_http, out);
		for (const GlobalOption *option = global_options; option->name != NULL; option++)
			buffer_printf(out, " --%s", option->name);
		buffer_append_text(out, "\" ;;\n");
	}
	buffer_append_text(out, "\tesac\n"
							"\tmapfile -t COMPREPLY < <(compgen -W \"$known\" -- \"$word\")\n}\n"
							"complete -F _wa wa\n");
	return !out->failed;
}

/* ---- the manual ---- */

/* A blank, or a line break behind a sentence and where the line would become too long. */
static void
print_blank(Buffer *out, const char *next)
{
	const size_t word = strcspn(next, " ");
	const char *line = memrchr(out->data, '\n', out->len);
	const size_t len = line == NULL ? out->len : (size_t) (out->data + out->len - line);
	bool ends_sentence = out->data[out->len - 1] == '.';

	buffer_append_char(out, ends_sentence || len + word > MANUAL_LINE_MAX ? '\n' : ' ');
}

/* Text in which nothing is taken for a macro; on one line, or broken into several. */
static void
print_roff_text(Buffer *out, const char *text, bool is_broken)
{
	for (const char *c = text; *c != '\0'; c++)
	{
		if (*c == '\\')
			buffer_append_text(out, "\\e");
		else if (*c == ' ' && is_broken && out->len > 0)
			print_blank(out, c + 1);
		else
		{
			if (*c == '-' && (c == text || strchr(" -[", c[-1]) != NULL))
				buffer_append_char(out, '\\');
			buffer_append_char(out, *c);
		}
	}
}

static void
print_roff(Buffer *out, const char *text)
{
	print_roff_text(out, text, true);
}

static void
print_manual_command(const Command *command, Buffer *out)
{
	char left[LEFT_MAX];

	buffer_printf(out, ".It Ic %s", command->name);
	for (const Parameter *p = command->parameters; p->kind != PARAMETER_END; p++)
	{
		if (usage_of(p, left))
		{
			buffer_append_text(out, " No ");
			print_roff_text(out, left, false);
		}
	}
	buffer_append_char(out, '\n');
	print_roff(out, command->summary);
	buffer_append_text(out, ".\n");
	if (command_works_over_http(command))
		buffer_append_text(out, "Works over HTTP too.\n");
	print_elsewhere(command, out);
	if (command->more != NULL)
	{
		print_roff(out, command->more);
		buffer_append_char(out, '\n');
	}
	for (const Parameter *p = command->parameters; p->kind != PARAMETER_END; p++)
	{
		if (!usage_of(p, left))
			continue;
		buffer_append_text(out, ".Pp\n");
		print_roff(out, left);
		buffer_append_text(out, ": ");
		print_roff(out, p->help);
		print_roff(out, remark_of(command, p));
		buffer_append_text(out, ".\n");
	}
}

static void
print_manual_options(Buffer *out)
{
	buffer_append_text(out, "Every command has these options:\n.Bl -tag -width Ds\n");
	for (const GlobalOption *option = global_options; option->name != NULL; option++)
	{
		buffer_printf(out, ".It Fl \\-%s%s%s\n", option->name, option->argument ? " Ar " : "",
					  option->argument ? option->argument : "");
		print_roff(out, option->help);
		buffer_append_text(out, ".\n");
	}
	buffer_append_text(out, ".El\n");
}

bool
help_manual(Buffer *out)
{
	buffer_append_text(out, ".\\\" Made by \"wa manual\"; do not edit.\n"
							".Dd $Mdocdate$\n.Dt WA 1\n.Os\n.Sh NAME\n.Nm wa\n"
							".Nd administration of wa_apikeys\n.Sh SYNOPSIS\n.Nm wa\n"
							".Op Fl \\-database Ar CONNINFO\n.Ar COMMAND\n.Op Ar argument ...\n"
							".Nm wa\n.Fl \\-url Ar URL\n.Fl \\-token-file Ar FILE\n.Ar COMMAND\n"
							".Op Ar argument ...\n"
							".Sh DESCRIPTION\n"
							"The commands call functions of the PostgreSQL extension wa_apikeys.\n"
							"They need a login that is a superuser or a member of wa_admin.\n"
							"Some work over HTTP too, as a person with a user token, and then do\n"
							"what that person may do in the organization of the token.\n");
	print_manual_options(out);
	buffer_append_text(out, ".Pp\nThe commands are:\n.Bl -tag -width Ds\n");
	for (const Command *command = commands; command->name != NULL; command++)
		print_manual_command(command, out);
	buffer_append_text(out,
					   ".El\n.Sh ENVIRONMENT\n"
					   "The variables of libpq, such as PGHOST, PGPORT, PGUSER, PGDATABASE and\n"
					   "PGPASSFILE, choose the server and the login.\n"
					   "WA_TOKEN_FILE, WA_URL and WA_CA_FILE are\n"
					   "what\n.Fl \\-token-file ,\n.Fl \\-url\nand\n.Fl \\-ca-file\nare.\n"
					   "Without\n.Fl \\-url\nor a token's file, WA_URL alone means nothing.\n"
					   ".Sh EXIT STATUS\n"
					   "0; 1 if something was refused or failed, or if\n.Ic check\nhas found "
					   "something; 2 for a command line that cannot be read.\n");
	return !out->failed;
}
