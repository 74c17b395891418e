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

static void
print_row(Buffer *out, const char *left, const char *help)
{
	buffer_printf(out, "  %-*s  %s\n", HELP_COLUMN, left, help);
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
		print_row(out, left, option->help);
	}
	buffer_append_text(out, "\nThe exit status is 0, 1 if something was refused or failed, and 2 "
							"for a command line that cannot be read.\n");
}

static void
print_all(const char *group, Buffer *out)
{
	buffer_append_text(out,
					   "wa: administration of wa_apikeys, as a superuser or a member of "
					   "wa_admin\n\nUsage:\n  wa [--database CONNINFO] COMMAND ...\n\nCommands:\n");
	for (const Command *command = commands; command->name != NULL; command++)
		if (has_group(command, group))
			print_row(out, command->name, command->summary);
	buffer_append_text(out, "\n\"wa COMMAND --help\" shows the arguments of a command.\n");
	print_global_options(out);
}

static void
print_command(const Command *command, Buffer *out)
{
	char left[LEFT_MAX];

	buffer_printf(out, "wa %s: %s\n\nUsage:\n  wa %s", command->name, command->summary,
				  command->name);
	for (const Parameter *p = command->parameters; p->kind != PARAMETER_END; p++)
		if (usage_of(p, left))
			buffer_printf(out, " %s", left);
	buffer_append_text(out, "\n\n");
	for (const Parameter *p = command->parameters; p->kind != PARAMETER_END; p++)
		if (usage_of(p, left))
			print_row(out, left, p->help);
	if (command->more != NULL)
		buffer_printf(out, "\n%s\n", command->more);
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
			p->kind == PARAMETER_PASSWORD)
			buffer_printf(out, " --%s", p->name);
		if (p->words != NULL)
			buffer_printf(out, " %s", p->words);
	}
}

/* The second words of commands whose first word is that of this one. */
static void
print_second_words(const Command *first, Buffer *out)
{
	size_t len = strcspn(first->name, " ");

	for (const Command *command = first; command->name != NULL; command++)
		if (strncmp(command->name, first->name, len) == 0 && command->name[len] == ' ')
			buffer_printf(out, " %s", command->name + len + 1);
}

/* Whether no command before it has the same first word.  Commands of one word stand together. */
static bool
begins_group(const Command *command)
{
	size_t len = strcspn(command->name, " ");

	return command == commands || !command_in_group(command - 1, command->name, len);
}

bool
help_completion(Buffer *out)
{
	buffer_append_text(out, "# Completion of wa for bash, made by \"wa completion bash\".\n"
							"_wa()\n{\n"
							"\tlocal word=${COMP_WORDS[COMP_CWORD]} words=() known i\n\n"
							"\tfor ((i = 1; i < COMP_CWORD; i++))\n\tdo\n"
							"\t\tcase ${COMP_WORDS[i]} in\n"
							"\t\t\t--database) ((i++)) ;;\n\t\t\t-*) ;;\n"
							"\t\t\t*) words+=(\"${COMP_WORDS[i]}\") ;;\n\t\tesac\n\tdone\n"
							"\tcase \"${words[*]:0:2}\" in\n");
	for (const Command *command = commands; command->name != NULL; command++)
	{
		size_t len = strcspn(command->name, " ");

		if (command->name[len] == ' ' && begins_group(command))
		{
			buffer_printf(out, "\t\t\"%.*s\") known=\"", (int) len, command->name);
			print_second_words(command, out);
			buffer_append_text(out, "\" ;;\n");
		}
		buffer_printf(out, "\t\t\"%s\") known=\"", command->name);
		print_completed_options(command, out);
		buffer_append_text(out, "\" ;;\n");
	}
	buffer_append_text(out, "\t\t\"\") known=\"");
	for (const Command *command = commands; command->name != NULL; command++)
		if (begins_group(command))
			buffer_printf(out, " %.*s", (int) strcspn(command->name, " "), command->name);
	buffer_append_text(out, " --database --json --help --version\" ;;\n\tesac\n"
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

/* Text in which nothing is taken for a macro. */
static void
print_roff(Buffer *out, const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
	{
		if (*c == '\\')
			buffer_append_text(out, "\\e");
		else if (*c == ' ' && out->len > 0)
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
print_manual_command(const Command *command, Buffer *out)
{
	char left[LEFT_MAX];

	buffer_printf(out, ".It Ic %s", command->name);
	for (const Parameter *p = command->parameters; p->kind != PARAMETER_END; p++)
	{
		if (usage_of(p, left))
		{
			buffer_append_text(out, " No ");
			print_roff(out, left);
		}
	}
	buffer_append_char(out, '\n');
	print_roff(out, command->summary);
	buffer_append_text(out, ".\n");
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
							".Sh DESCRIPTION\n"
							"The commands call functions of the PostgreSQL extension wa_apikeys.\n"
							"They need a login that is a superuser or a member of wa_admin.\n");
	print_manual_options(out);
	buffer_append_text(out, ".Pp\nThe commands are:\n.Bl -tag -width Ds\n");
	for (const Command *command = commands; command->name != NULL; command++)
		print_manual_command(command, out);
	buffer_append_text(out,
					   ".El\n.Sh ENVIRONMENT\n"
					   "The variables of libpq, such as PGHOST, PGPORT, PGUSER, PGDATABASE and\n"
					   "PGPASSFILE, choose the server and the login.\n"
					   ".Sh EXIT STATUS\n"
					   "0; 1 if something was refused or failed, or if\n.Ic check\nhas found "
					   "something; 2 for a command line that cannot be read.\n");
	return !out->failed;
}
