/*
 * invocation.c
 *		Reads a command line by the table of commands; see invocation.h.
 *
 * Options may stand anywhere, those of a command behind its name.  "--" ends them.
 */
#include "cli/invocation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const GlobalOption global_options[] = {
	{"database", NULL, "CONNINFO",
	 "libpq connection string or name of the database, without a password; what it leaves out comes "
	 "from PGHOST and so on"},
	{"url", "WA_URL", "URL",
	 "work over HTTP in place of a database: the URL of a gateway; https, but for this machine itself"},
	{"token-file", "WA_TOKEN_FILE", "FILE",
	 "work over HTTP as the person whose user token is in the file, which others must not be able "
	 "to read"},
	{"ca-file", "WA_CA_FILE", "FILE",
	 "over HTTP: the authorities (PEM) that verify the gateway's certificate; default: the system's"},
	{"json", NULL, NULL, "print one JSON value, with times as in RFC 3339"},
	{"help", NULL, NULL, "show the help of a command, then exit"},
	{"version", NULL, NULL, "show the version, then exit"},
	{NULL, NULL, NULL, NULL},
};

/* The state of reading. */
typedef struct Reader
{
	Invocation *invocation;
	int argc;
	char **argv;
	int next;
	const char *words[COMMAND_PARAMETERS_MAX + 1]; /* behind the command's name */
	int word_count;
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

/* The command that other products call so; NULL: there is none. */
static const Command *
find_elsewhere(const char *group, const char *word)
{
	for (const Command *command = commands; command->name != NULL; command++)
		if (command->elsewhere != NULL && command_lists(command->elsewhere, word) &&
			(group == NULL ? strchr(command->name, ' ') == NULL
						   : command_in_group(command, group, strlen(group))))
			return command;
	return NULL;
}

/* Says that a word is no command, without repeating it, and what does that if it is known. */
static bool
no_such_command(Invocation *invocation, const char *word)
{
	const char *group = invocation->group;
	const Command *other = find_elsewhere(group, word);

	return wrong(invocation, "there is no such command%s%s%s%s%s%s", group != NULL ? " of \"" : "",
				 group != NULL ? group : "", group != NULL ? "\"" : "", other != NULL ? ": \"" : "",
				 other != NULL ? other->name : "", other != NULL ? "\" does that" : "");
}

/* A word of the command's name. */
static bool
read_name(Invocation *invocation, const char *word)
{
	if (invocation->group == NULL)
	{
		invocation->command = find_command(word, NULL);
		if (invocation->command == NULL && !is_group(word))
			return no_such_command(invocation, word);
		invocation->group = word;
		return true;
	}
	invocation->command = find_command(invocation->group, word);
	return invocation->command != NULL || no_such_command(invocation, word);
}

static bool
is_word(const Parameter *parameter)
{
	return parameter->kind == PARAMETER_WORD || parameter->kind == PARAMETER_OPTIONAL_WORD ||
		   parameter->kind == PARAMETER_SECRET_WORD || parameter->kind == PARAMETER_FILE;
}

static bool
has_too_many(Invocation *invocation)
{
	return wrong(invocation, "%s has too many arguments", invocation->command->name);
}

/* What words mean is known when all options are: over HTTP there is no organization among them. */
static bool
read_word(Reader *reader, const char *word)
{
	if (reader->invocation->command == NULL)
		return read_name(reader->invocation, word);
	if (reader->word_count == COMMAND_PARAMETERS_MAX)
		return has_too_many(reader->invocation);
	reader->words[reader->word_count++] = word;
	return true;
}

/* Whether a parameter can be given, over HTTP or with a database. */
static bool
can_be_given(const Invocation *invocation, const Parameter *parameter)
{
	return !invocation->over_http || parameter->send != SEND_NOT;
}

static bool
place_words(Reader *reader)
{
	Invocation *invocation = reader->invocation;
	const Parameter *parameters = invocation->command->parameters;
	int next = 0;

	for (int i = 0; parameters[i].kind != PARAMETER_END && next < reader->word_count; i++)
		if (is_word(&parameters[i]) && can_be_given(invocation, &parameters[i]))
			invocation->values[i] = reader->words[next++];
	return next == reader->word_count || has_too_many(invocation);
}

static bool
is_option(const Parameter *parameter)
{
	return parameter->kind == PARAMETER_OPTION || parameter->kind == PARAMETER_FLAG ||
		   parameter->kind == PARAMETER_PASSWORD || parameter->kind == PARAMETER_CONFIRMATION;
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
	else if (strcmp(name, "url") == 0)
		reader->invocation->url = value;
	else if (strcmp(name, "token-file") == 0)
		reader->invocation->token_file = value;
	else if (strcmp(name, "ca-file") == 0)
		reader->invocation->ca_file = value;
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
	return read_word(reader, text);
}

/* What the environment has in place of an option, if it is there and not empty. */
static void
take_environment(const char **value, const char *name)
{
	if (*value == NULL)
		*value = getenv(name);
	if (*value != NULL && **value == '\0')
		*value = NULL;
}

/*
 * Decides between a database and HTTP.  An URL alone in the environment does not: it is there for
 * other programs too, and a token is what makes somebody of a caller.
 */
static bool
choose_way(Invocation *invocation)
{
	bool asked = invocation->url != NULL || invocation->token_file != NULL;

	if (asked && invocation->database != NULL)
		return wrong(invocation, "--database cannot be combined with --url or --token-file");
	if (invocation->database != NULL)
		return true;
	take_environment(&invocation->token_file, "WA_TOKEN_FILE");
	if (!asked && invocation->token_file == NULL)
		return true;
	take_environment(&invocation->url, "WA_URL");
	take_environment(&invocation->ca_file, "WA_CA_FILE");
	invocation->over_http = true;
	if (invocation->url == NULL)
		return wrong(invocation, "--url is missing");
	return invocation->token_file != NULL || wrong(invocation, "--token-file is missing");
}

bool
command_works_over_http(const Command *command)
{
	return command->http.request != NULL;
}

/* Whether the value of an option is one that it may have. */
static bool
is_allowed(const Parameter *parameter, const char *value)
{
	return parameter->kind != PARAMETER_OPTION || parameter->words == NULL || value == NULL ||
		   command_lists(parameter->words, value);
}

static bool
check_parameter(Invocation *invocation, const Parameter *parameter, const char *value)
{
	bool can = can_be_given(invocation, parameter);

	if (!can && value != NULL)
		return wrong(invocation, "--%s works with a database only, not over HTTP", parameter->name);
	if (value == NULL && can && is_word(parameter) && parameter->kind != PARAMETER_OPTIONAL_WORD)
		return wrong(invocation, "%s is missing", parameter->name);
	if (value == NULL && parameter->kind == PARAMETER_CONFIRMATION)
		return wrong(invocation, "%s needs --%s, because it cannot be undone",
					 invocation->command->name, parameter->name);
	return is_allowed(parameter, value) ||
		   wrong(invocation, "--%s must be one of: %s", parameter->name, parameter->words);
}

static bool
has_command(Invocation *invocation)
{
	if (invocation->command == NULL && invocation->group != NULL)
		return wrong(invocation, "which command of \"%s\" is missing", invocation->group);
	return invocation->command != NULL || wrong(invocation, "the command is missing");
}

/* Completes what the arguments say, and checks it. */
static bool
complete(Reader *reader)
{
	Invocation *invocation = reader->invocation;
	const Command *command;

	if (!has_command(invocation))
		return false;
	command = invocation->command;
	if (command->print != NULL)
		return place_words(reader);
	if (command->make == NULL && !choose_way(invocation))
		return false;
	if (invocation->over_http && !command_works_over_http(command))
		return wrong(invocation, "%s works with a database only, not over HTTP", command->name);
	if (!place_words(reader))
		return false;
	for (int i = 0; command->parameters[i].kind != PARAMETER_END; i++)
		if (command->parameters[i].kind == PARAMETER_CONSTANT)
			invocation->values[i] = command->parameters[i].name;
		else if (!check_parameter(invocation, &command->parameters[i], invocation->values[i]))
			return false;
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
	return complete(&reader) ? INVOCATION_RUN : INVOCATION_WRONG;
}
