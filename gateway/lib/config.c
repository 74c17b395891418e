/*
 * config.c
 *		Reads settings from flags and environment variables; see config.h.
 *
 * Values are borrowed from argv and the environment; nothing here allocates.  Error messages
 * name the setting and what it accepts, but not the value, because a connection string may
 * hold a password.
 */
#include "lib/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HELP_COLUMN 30 /* where the help texts begin */

static bool
set_integer(const ConfigOption *option, const char *text)
{
	char *end;
	long long number;

	if ((text[0] < '0' || text[0] > '9') && text[0] != '-')
		return false;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || number < option->min || number > option->max)
		return false;
	*(int64_t *) option->target = number;
	return true;
}

static bool
set_choice(const ConfigOption *option, const char *text)
{
	for (const char *const *choice = option->choices; *choice != NULL; choice++)
	{
		if (strcmp(*choice, text) == 0)
		{
			*(const char **) option->target = *choice;
			return true;
		}
	}
	return false;
}

static bool
set_flag(const ConfigOption *option, const char *text)
{
	static const char *const yes[] = {"on", "true", "1", NULL};
	static const char *const no[] = {"off", "false", "0", NULL};

	for (int i = 0; yes[i] != NULL; i++)
	{
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0)
		{
			*(bool *) option->target = strcmp(text, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

static bool
add_to_list(const ConfigOption *option, const char *text)
{
	ConfigList *list = option->target;

	if (list->count == CONFIG_LIST_MAX)
		return false;
	list->texts[list->count++] = text;
	return true;
}

/* The first flag of a list discards the values from the environment. */
static void
begin_flag(const ConfigOption *option)
{
	ConfigList *list = option->kind == CONFIG_LIST ? option->target : NULL;

	if (list != NULL && !list->from_flags)
	{
		list->from_flags = true;
		list->count = 0;
	}
}

/* Sets the target from text; false when the text is not allowed. */
static bool
set_value(const ConfigOption *option, const char *text)
{
	switch (option->kind)
	{
		case CONFIG_TEXT:
			*(const char **) option->target = text;
			return true;
		case CONFIG_INTEGER:
			return set_integer(option, text);
		case CONFIG_LIST:
			return add_to_list(option, text);
		case CONFIG_CHOICE:
			return set_choice(option, text);
		case CONFIG_FLAG:
			return set_flag(option, text);
	}
	return false;
}

/* "one of: a, b" and the like, for the error message. */
static void
print_wanted(const ConfigOption *option)
{
	switch (option->kind)
	{
		case CONFIG_TEXT:
			break;
		case CONFIG_INTEGER:
			fprintf(stderr, "must be an integer from %" PRId64 " to %" PRId64, option->min,
					option->max);
			break;
		case CONFIG_LIST:
			fprintf(stderr, "must be given at most %d times", CONFIG_LIST_MAX);
			break;
		case CONFIG_FLAG:
			fprintf(stderr, "must be on or off");
			break;
		case CONFIG_CHOICE:
			fprintf(stderr, "must be one of:");
			for (const char *const *choice = option->choices; *choice != NULL; choice++)
				fprintf(stderr, " %s", *choice);
			break;
	}
}

static ConfigResult
usage_error(const ConfigProgram *program)
{
	fprintf(stderr, "Try \"%s --help\" for more information.\n", program->name);
	return CONFIG_USAGE;
}

static ConfigResult
bad_value(const ConfigProgram *program, const ConfigOption *option, const char *where)
{
	fprintf(stderr, "%s: invalid value for %s: it ", program->name, where);
	print_wanted(option);
	fprintf(stderr, "\n");
	return usage_error(program);
}

/* Sets each option to its default, then to the value in the environment, if there is one. */
static ConfigResult
read_environment(const ConfigProgram *program)
{
	for (const ConfigOption *option = program->options; option->flag != NULL; option++)
	{
		const char *text = option->environment != NULL ? getenv(option->environment) : NULL;

		if (option->fallback != NULL && !set_value(option, option->fallback))
			return bad_value(program, option, option->flag);
		if (text != NULL && text[0] != '\0' && !set_value(option, text))
			return bad_value(program, option, option->environment);
	}
	return CONFIG_RUN;
}

/* The option whose flag is the first len characters of name, or NULL. */
static const ConfigOption *
find_option(const ConfigProgram *program, const char *name, size_t len)
{
	for (const ConfigOption *option = program->options; option->flag != NULL; option++)
		if (strlen(option->flag) == len && memcmp(option->flag, name, len) == 0)
			return option;
	return NULL;
}

/*
 * Reads one flag, "--name value" or "--name=value", and leaves *index at the last argument
 * that it used.
 */
static ConfigResult
read_flag(const ConfigProgram *program, int argc, char **argv, int *index)
{
	const char *name = argv[*index] + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals != NULL ? (size_t) (equals - name) : strlen(name);
	const ConfigOption *option = find_option(program, name, len);
	const char *value = equals != NULL ? equals + 1 : NULL;

	if (option == NULL)
	{
		fprintf(stderr, "%s: unrecognized option \"--%.*s\"\n", program->name, (int) len, name);
		return usage_error(program);
	}
	if (value == NULL && option->kind == CONFIG_FLAG)
		value = "on";
	else if (value == NULL)
	{
		if (*index + 1 >= argc)
		{
			fprintf(stderr, "%s: option \"--%s\" requires a value\n", program->name, option->flag);
			return usage_error(program);
		}
		value = argv[++*index];
	}
	begin_flag(option);
	if (!set_value(option, value))
		return bad_value(program, option, option->flag);
	return CONFIG_RUN;
}

ConfigResult
config_read(const ConfigProgram *program, int argc, char **argv)
{
	ConfigResult result;
	bool check_only = false;

	/* These come first, so that they work even when the environment has an invalid value. */
	for (int i = 1; i < argc; i++)
	{
		if (strcmp(argv[i], "--help") == 0)
		{
			config_print_help(program, stdout);
			return CONFIG_DONE;
		}
		if (strcmp(argv[i], "--version") == 0)
		{
			printf("%s %s\n", program->name, program->version);
			return CONFIG_DONE;
		}
	}

	result = read_environment(program);
	for (int i = 1; i < argc && result == CONFIG_RUN; i++)
	{
		if (strcmp(argv[i], "--check-config") == 0)
			check_only = true;
		else if (strncmp(argv[i], "--", 2) == 0 && argv[i][2] != '\0')
			result = read_flag(program, argc, argv, &i);
		else
		{
			fprintf(stderr, "%s: unexpected argument: every setting is a flag\n", program->name);
			result = usage_error(program);
		}
	}
	return result == CONFIG_RUN && check_only ? CONFIG_CHECK_ONLY : result;
}

static void
print_row(FILE *out, const char *left, const char *help)
{
	fprintf(out, "  %-*s %s", HELP_COLUMN, left, help);
}

void
config_print_help(const ConfigProgram *program, FILE *out)
{
	fprintf(out, "%s: %s\n\nUsage:\n  %s [OPTION]...\n\nOptions:\n", program->name,
			program->summary, program->name);
	for (const ConfigOption *option = program->options; option->flag != NULL; option++)
	{
		char left[80];

		snprintf(left, sizeof(left), "--%s%s%s", option->flag, option->argument != NULL ? " " : "",
				 option->argument != NULL ? option->argument : "");
		print_row(out, left, option->help);
		if (option->fallback != NULL && option->fallback[0] != '\0')
			fprintf(out, " (default %s)", option->fallback);
		if (option->environment != NULL)
			fprintf(out, " [%s]", option->environment);
		fprintf(out, "\n");
	}
	print_row(out, "--check-config", "check the settings, then exit\n");
	print_row(out, "--version", "show the version, then exit\n");
	print_row(out, "--help", "show this help, then exit\n");
	fprintf(
		out,
		"\nA name in brackets is the environment variable of the setting; a flag wins over it.\n");
}
