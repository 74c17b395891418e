/*
 * loop.h
 *		The event loop of a program, from its start until it has drained and ends.
 *
 *	WORKING ──stop──▶ LEAVING ──delay over, or stop again──▶ DRAINING ──drained──▶ ended
 *	   └─────────────stop, without a delay─────────────────────▲  └─stop again, or time over─▶ ended
 *
 * "Stop" is SIGTERM or SIGINT.
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

/* What a program does on the loop.  A function may be NULL only where its comment says so. */
typedef struct ProgramWork
{
	/* Makes everything that uses loop->base.  False: error (of size bytes) says why it failed. */
	bool (*open)(void *context, ProgramLoop *loop, char *error, size_t size);
	/* Called just before the loop runs; logs that the program works. */
	void (*begin)(void *context);
	/* DRAINING begins: accept nothing new; call program_loop_drained() when the rest is done. */
	void (*drain)(void *context);
	/* Frees what open() has made, even if open() failed halfway. */
	void (*close)(void *context);
	/* LEAVING begins.  NULL: there is no such state. */
	void (*leave)(void *context);
	/* The time for draining is over.  NULL: drain() has a time limit of its own. */
	void (*cut)(void *context);
	/* SIGHUP has come.  NULL: it is ignored. */
	void (*hang_up)(void *context);
	/* Logs "stopped" with more fields.  NULL: "stopped" is logged without fields. */
	void (*stopped)(void *context);
} ProgramWork;

typedef enum ProgramState
{
	PROGRAM_WORKING,
	PROGRAM_LEAVING, /* still works, but announces that it will stop soon */
	PROGRAM_DRAINING /* accepts nothing new and finishes what was begun */
} ProgramState;

struct ProgramLoop
{
	/* set by the program */
	const ProgramWork *work;
	void *context;
	int64_t leave_ms; /* how long LEAVING lasts; 0: there is no such state */
	int64_t drain_ms; /* how long DRAINING lasts until work->cut() is called */

	/* set by the loop */
	struct event_base *base; /* valid from before open() until after close() */
	ProgramState state;
	struct event *signals[3];
	Timer timer; /* ends LEAVING or DRAINING */
};

/*
 * Runs until the program has drained.  *stops counts the signals to stop that came before the
 * loop handled signals itself.  Returns the exit status; errors are logged.
 */
extern int program_loop_run(ProgramLoop *loop, const volatile sig_atomic_t *stops);

/* Ends the loop; the program calls it when everything that was begun is done. */
extern void program_loop_drained(ProgramLoop *loop);

#endif
