/*
 * loop.h
 *		The event loop of a program: it works, is told to stop, drains and ends.
 *
 *	WORKING ──told──▶ LEAVING ──delay over, or told again──▶ DRAINING ──drained──▶ ended
 *	   └─────────────told, without a delay─────────────────────▲  └─told again, or time over─▶ ended
 *
 * A program is told to stop by SIGTERM or SIGINT.
 */
#ifndef PROGRAM_LOOP_H
#define PROGRAM_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/timer.h"

struct event;
struct event_base;

typedef struct ProgramLoop ProgramLoop;

/* What a program does on the loop.  Only those that say so may be NULL. */
typedef struct ProgramWork
{
	/* Makes all that works on loop->base.  False: could not, and error (of size bytes) says why. */
	bool (*open)(void *context, ProgramLoop *loop, char *error, size_t size);
	/* The loop runs next: says in the log that the program works. */
	void (*begin)(void *context);
	/* DRAINING begins: nothing new is taken; program_loop_drained() when the rest is done. */
	void (*drain)(void *context);
	/* Frees what open() has made, be it in part. */
	void (*close)(void *context);
	/* LEAVING begins; NULL: there is no delay. */
	void (*leave)(void *context);
	/* The time for draining is over; NULL: drain() bounds it. */
	void (*cut)(void *context);
	/* SIGHUP has come; NULL: it changes nothing. */
	void (*hang_up)(void *context);
	/* Logs "stopped"; NULL: it is logged without anything more. */
	void (*stopped)(void *context);
} ProgramWork;

typedef enum ProgramState
{
	PROGRAM_WORKING,
	PROGRAM_LEAVING, /* works on, while others are told that it will not for long */
	PROGRAM_DRAINING /* finishes what was begun */
} ProgramState;

struct ProgramLoop
{
	/* the program's */
	const ProgramWork *work;
	void *context;
	int64_t leave_ms; /* of LEAVING; 0: it is left out */
	int64_t drain_ms; /* of DRAINING, with work->cut */

	/* the loop's */
	struct event_base *base; /* there from open() until behind close() */
	ProgramState state;
	struct event *signals[3];
	Timer timer; /* the end of LEAVING or DRAINING */
};

/*
 * Runs until the work has ended.  *stops counts the signals that came before it listened for
 * them.  The exit status; what went wrong is logged.
 */
extern int program_loop_run(ProgramLoop *loop, const volatile sig_atomic_t *stops);

/* What was begun is done: the loop ends. */
extern void program_loop_drained(ProgramLoop *loop);

#endif
