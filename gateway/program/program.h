/*
 * program.h
 *		What every program does, from its first line until it works.
 *
 * Starting goes in this order, and the first step that fails ends it with a line that says
 * why: what is never needed is given up (lib/process.h), settings, the checks of the database,
 * what the program itself opens.  A signal to stop that comes meanwhile is counted.
 *
 * A program is a Program, a table of options (options.h), and its work on a loop (loop.h).
 */
#ifndef PROGRAM_PROGRAM_H
#define PROGRAM_PROGRAM_H

#include <signal.h>

#include "db/db.h"
#include "program/options.h"

/* Of the release that all programs belong to. */
#define PROGRAM_VERSION "1.0"

typedef struct Program
{
	ConfigProgram config;
	ProgramSettings *settings;

	/* NULL: it holds no leases; else what an owner's name that is made up begins with */
	const char *owner;

	/* Listens on a port, which may be one below 1024. */
	bool listens;

	/*
	 * The version of the extension that it needs, "1.0".  With NULL the role has no statements
	 * for checks, and only has to be able to run those that it has.
	 */
	const char *needs;

	/* What an option asks for instead of everything else: the exit status, or -1.  NULL: none does. */
	int (*instead)(void);

	/*
	 * What can be said about the settings without a database and without listening.  False:
	 * problem (of size bytes) says why.  NULL: nothing.
	 */
	bool (*check)(char *problem, size_t size);

	/* The pool of connections. */
	DbConfig (*database)(void);

	/* Works until it is told to stop; *stops is for program_loop_run().  The exit status. */
	int (*run)(const volatile sig_atomic_t *stops);
} Program;

/* The whole of main(). */
extern int program_main(const Program *program, int argc, char **argv);

#endif
