/*
 * config.h
 *		Reads settings from flags and environment variables, as a table describes them.
 *
 * A program describes each setting in one row: flag, environment variable, default, help.
 * A flag overrides the environment, and the environment overrides the default.  An unknown
 * flag, a missing value and an invalid value are usage errors.  The message names the
 * setting and never the value, which may be secret.
 *
 *	static const ConfigOption options[] = {
 *		{.flag = "listen", .environment = "WA_LISTEN", .argument = "ADDR:PORT",
 *		 .fallback = "127.0.0.1:8080", .kind = CONFIG_TEXT, .target = &listen,
 *		 .help = "address to listen on"},
 *		{.flag = NULL}
 *	};
 *
 * --help, --version and --check-config need no row.
 */
#ifndef LIB_CONFIG_H
#define LIB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum ConfigKind
{
	CONFIG_TEXT,    /* target: const char * (borrowed from argv or environment) */
	CONFIG_INTEGER, /* target: int64_t, within min and max */
	CONFIG_LIST,    /* target: ConfigList; a flag may be given several times */
	CONFIG_CHOICE,  /* target: const char *, one of choices */
	CONFIG_FLAG     /* target: bool; no argument; environment on|off|true|false|1|0 */
} ConfigKind;

#define CONFIG_LIST_MAX 32

/* The texts of a list, each borrowed from argv or the environment. */
typedef struct ConfigList
{
	const char *texts[CONFIG_LIST_MAX];
	size_t count;
	bool from_flags; /* the texts are from flags, which replaced those of the environment */
} ConfigList;

typedef struct ConfigOption
{
	const char *flag;        /* without the dashes; NULL ends the table */
	const char *environment; /* NULL = none */
	const char *argument;    /* its name in --help */
	const char *fallback;    /* the default, as text; NULL = none (0, NULL, false) */
	const char *help;        /* one line */
	ConfigKind kind;
	void *target;
	int64_t min; /* CONFIG_INTEGER */
	int64_t max;
	const char *const *choices; /* CONFIG_CHOICE; ends with NULL */
} ConfigOption;

typedef struct ConfigProgram
{
	const char *name;    /* "wa-gateway" */
	const char *version; /* printed by --version */
	const char *summary; /* one line, printed by --help */
	const ConfigOption *options;
} ConfigProgram;

typedef enum ConfigResult
{
	CONFIG_RUN,        /* all targets are set: run */
	CONFIG_CHECK_ONLY, /* all targets are set, and --check-config was given: check, then exit 0 */
	CONFIG_DONE,       /* --help or --version has been printed: exit 0 */
	CONFIG_USAGE       /* error (and a hint at --help) printed on stderr: exit 2 */
} ConfigResult;

#define CONFIG_EXIT_FAILED 1 /* could not start */
#define CONFIG_EXIT_USAGE 2

/* Reads the settings into their targets. */
extern ConfigResult config_read(const ConfigProgram *program, int argc, char **argv);

/* Prints what --help prints. */
extern void config_print_help(const ConfigProgram *program, FILE *out);

#endif
