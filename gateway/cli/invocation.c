/*
 * invocation.c
 *		Reads a command line by the table of commands; see invocation.h.
 *
 * Options may stand anywhere, those of a command behind its name.  "--" ends them.
 */
#include "cli/invocation.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const GlobalOption global_options[] = {
	{"database", "CONNINFO",
	 "libpq connection string or name of the database, without a password; what it leaves out comes "
	 "from PGHOST and so on"},
	{"json", NULL, "print one JSON value, with times as in RFC 3339"},
	{"help", NULL, "show the help of a command, then exit"},
	{"version", NULL, "show the version, then exit"},
	{NULL, NULL, NULL},
};

/* The state of reading. */
typedef struct Reader
{
	Invocation *invocation;
	int argc;
	char **argv;
	int next;
	bool options_ended;
	bool help;
	bool version;
} Reader;

/* Says what is wrong, and returns false. */
static bool
wrong(Invocation *invocation, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool
wrong(Invocation *invocation, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(invocation->problem, sizeof(invocation->problem), format, arguments);
	va_end(arguments);
	return false;
}

bool
command_in_group(const Command *command, const char *group, size_t len)
{
	return strncmp(command->name, group, len) == 0 &&
		   (command->name[len] == ' ' || command->name[len] == '\0');
}

static const Command *
find_command(const char *first, const char *second)
{
	for (const Command *command = commands; command->name != NULL; command++)
	{
		size_t len = strlen(first);

		if (!command_in_group(command, first, len))
			continue;
		if (second == NULL
				? command->name[len] == '\0'
				: command->name[len] == ' ' && strcmp(command->name + len + 1, second) == 0)
			return command;
	}
	return NULL;
}

static bool
is_group(const char *word)
{
	for (const Command *command = commands; command->name != NULL; command++)
		if (command_in_group(command, word, strlen(word)))
			return true;
	return false;
}

/* A word of the command's name. */
static bool
read_name(Invocation *invocation, const char *word)
{
	if (invocation->group == NULL)
	{
		invocation->command = find_command(word, NULL);
		if (invocation->command == NULL && !is_group(word))
			return wrong(invocation, "there is no such command");
		invocation->group = word;
		return true;
	}
	invocation->command = find_command(invocation->group, word);
	return invocation->command != NULL ||
		   wrong(invocation, "there is no such command of \"%s\"", invocation->group);
}

static bool
is_word(const Parameter *parameter)
{
	return parameter->kind == PARAMETER_WORD || parameter->kind == PARAMETER_OPTIONAL_WORD ||
		   parameter->kind == PARAMETER_SECRET_WORD || parameter->kind == PARAMETER_FILE;
}

static bool
read_word(Invocation *invocation, const char *word)
{
	const Command *command = invocation->command;

	if (command == NULL)
		return read_name(invocation, word);
	for (int i = 0; command->parameters[i].kind != PARAMETER_END; i++)
	{
		if (is_word(&command->parameters[i]) && invocation->values[i] == NULL)
		{
			invocation->values[i] = word;
			return true;
		}
	}
	return wrong(invocation, "%s has too many arguments", command->name);
}

static bool
is_option(const Parameter *parameter)
{
	return parameter->kind == PARAMETER_OPTION || parameter->kind == PARAMETER_FLAG ||
		   parameter->kind == PARAMETER_PASSWORD;
}

/* The value of an option: behind "=", or the next word.  NULL: there is none. */
static const char *
option_value(Reader *reader, const char *equals)
{
	if (equals != NULL)
		return equals + 1;
	return reader->next < reader->argc ? reader->argv[reader->next++] : NULL;
}

static bool
option_is(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && memcmp(name, text, len) == 0;
}

static bool
set_global(Reader *reader, const char *name, const char *value)
{
	if (strcmp(name, "database") == 0)
		reader->invocation->database = value;
	else if (strcmp(name, "json") == 0)
		reader->invocation->json = true;
	else if (strcmp(name, "help") == 0)
		reader->help = true;
	else
		reader->version = true;
	return true;
}

/* Looks for an option that takes a value, or none, and reads the value. */
static bool
take_value(Reader *reader, const char *name, bool takes_one, const char *equals, const char **value)
{
	*value = takes_one ? option_value(reader, equals) : "true";
	if (*value == NULL)
		return wrong(reader->invocation, "--%s needs a value", name);
	if (!takes_one && equals != NULL)
		return wrong(reader->invocation, "--%s takes no value", name);
	return true;
}

static bool
read_option(Reader *reader, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t len = equals != NULL ? (size_t) (equals - text) : strlen(text);
	const Command *command = reader->invocation->command;
	const char *value;

	for (const GlobalOption *option = global_options; option->name != NULL; option++)
		if (option_is(option->name, text, len))
			return take_value(reader, option->name, option->argument != NULL, equals, &value) &&
				   set_global(reader, option->name, value);
	for (int i = 0; command != NULL && command->parameters[i].kind != PARAMETER_END; i++)
	{
		const Parameter *parameter = &command->parameters[i];
		bool takes_one = parameter->kind == PARAMETER_OPTION;

		if (is_option(parameter) && option_is(parameter->name, text, len))
			return take_value(reader, parameter->name, takes_one, equals,
							  &reader->invocation->values[i]);
	}
	if (command == NULL)
		return wrong(reader->invocation, "there is no such option before the command");
	return wrong(reader->invocation, "%s has no such option", command->name);
}

static bool
read_argument(Reader *reader)
{
	const char *text = reader->argv[reader->next++];

	if (!reader->options_ended && strcmp(text, "--") == 0)
		return reader->options_ended = true;
	if (!reader->options_ended && strcmp(text, "-h") == 0)
		return reader->help = true;
	if (!reader->options_ended && text[0] == '-' && text[1] != '\0')
		return text[1] == '-' ? read_option(reader, text + 2)
							  : wrong(reader->invocation, "options begin with two dashes");
	return read_word(reader->invocation, text);
}

/* Whether the value of an option is one that it may have. */
static bool
is_allowed(const Parameter *parameter, const char *value)
{
	return parameter->kind != PARAMETER_OPTION || parameter->words == NULL || value == NULL ||
		   command_lists(parameter->words, value);
}

static bool
is_complete(Invocation *invocation)
{
	const Command *command = invocation->command;

	if (command == NULL && invocation->group != NULL)
		return wrong(invocation, "which command of \"%s\" is missing", invocation->group);
	if (command == NULL)
		return wrong(invocation, "the command is missing");
	for (int i = 0; command->parameters[i].kind != PARAMETER_END; i++)
	{
		const Parameter *parameter = &command->parameters[i];

		if (parameter->kind == PARAMETER_CONSTANT)
			invocation->values[i] = parameter->name;
		else if (is_word(parameter) && parameter->kind != PARAMETER_OPTIONAL_WORD &&
				 invocation->values[i] == NULL)
			return wrong(invocation, "%s is missing", parameter->name);
		if (!is_allowed(parameter, invocation->values[i]))
			return wrong(invocation, "--%s must be one of: %s", parameter->name, parameter->words);
	}
	return true;
}

InvocationResult
invocation_read(Invocation *invocation, int argc, char **argv)
{
	Reader reader = {.invocation = invocation, .argc = argc, .argv = argv, .next = 1};

	memset(invocation, 0, sizeof(*invocation));
	while (reader.next < argc)
		if (!read_argument(&reader))
			return INVOCATION_WRONG;
	if (reader.help)
		return INVOCATION_HELP;
	if (reader.version)
		return INVOCATION_VERSION;
	return is_complete(invocation) ? INVOCATION_RUN : INVOCATION_WRONG;
}
