/*
 * program.h
 *		What every program does at its start.
 *
 * A program gives up the rights that it never needs (lib/process.h), reads its settings,
 * checks the database, and opens what it needs itself, in this order.  The first of these
 * steps that fails logs why and ends the program.  Signals to stop that come meanwhile are
 * counted.
 *
 * A program consists of a Program, a table of options (options.h), and its work on a loop
 * (loop.h).
 */
#ifndef PROGRAM_PROGRAM_H
#define PROGRAM_PROGRAM_H

#include <signal.h>

#include "db/db.h"
#include "program/options.h"
#include "program/version.h"

typedef struct Program
{
	ConfigProgram config;
	ProgramSettings *settings;

	/* The prefix of a generated owner name.  NULL: the program holds no leases. */
	const char *owner;

	/* Whether it listens on a port, which may be below 1024. */
	bool listens;

	/*
	 * The version of the extension that it needs, such as "1.0".  NULL: its role has no
	 * statements that check the database, and the start only checks that the role's
	 * statements can be prepared.
	 */
	const char *needs;

	/*
	 * Does what an option asks for instead of running, and returns the exit status; -1 when
	 * no such option was given.  NULL: there is no such option.
	 */
	int (*instead)(void);

	/*
	 * Checks the settings without a database and without listening.  False: problem (of size
	 * bytes) says what is wrong.  NULL: there is nothing to check.
	 */
	bool (*check)(char *problem, size_t size);

	/* The configuration of the database pool. */
	DbConfig (*database)(void);

	/* Works until a signal stops it, and returns the exit status; passes stops to the loop. */
	int (*run)(const volatile sig_atomic_t *stops);
} Program;

/* All that main() does; returns the exit status. */
extern int program_main(const Program *program, int argc, char **argv);

#endif
