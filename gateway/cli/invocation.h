/*
 * invocation.h
 *		What a command line asks for.
 */
#ifndef CLI_INVOCATION_H
#define CLI_INVOCATION_H

#include "cli/command.h"

typedef enum InvocationResult
{
	INVOCATION_RUN,     /* run the command */
	INVOCATION_HELP,    /* print the help of the command, or that of all if there is none */
	INVOCATION_VERSION, /* print the version */
	INVOCATION_WRONG    /* "problem" says why */
} InvocationResult;

/* An option that every command has. */
typedef struct GlobalOption
{
	const char *name;
	const char *environment; /* what has its value, if it is not given; NULL: nothing of ours */
	const char *argument;    /* NULL: it has none */
	const char *help;
} GlobalOption;

/* The last one has no name. */
extern const GlobalOption global_options[];

/* Texts are borrowed from argv and the environment. */
typedef struct Invocation
{
	const Command *command; /* NULL: none was named */
	const char *group;      /* the first word, if only that was named: "key" */
	const char *values[COMMAND_PARAMETERS_MAX];
	const char *database; /* NULL: what the environment says */
	bool over_http;       /* in place of a database; then these are set: */
	const char *url;      /* of the gateway, without the path of the API */
	const char *token_file;
	const char *ca_file; /* NULL: the system's authorities */
	bool json;
	char problem[200]; /* names what is wrong, not what was typed in its place */
} Invocation;

/* Reads the words behind the program's name. */
extern InvocationResult invocation_read(Invocation *invocation, int argc, char **argv);

/* Whether a command works over HTTP, too. */
extern bool command_works_over_http(const Command *command);

/* Whether the first word of the command's name is this group. */
extern bool command_in_group(const Command *command, const char *group, size_t len);

#endif
