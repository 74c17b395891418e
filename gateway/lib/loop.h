/*
 * loop.h
 *		The event loop of a program.
 */
#ifndef LIB_LOOP_H
#define LIB_LOOP_H

#include <stdbool.h>

struct event_base;

/*
 * Runs until the loop is told to end, or nothing is left to wait for.  False: it broke.
 *
 * A turn's lines of the log go out together, and at its end none of its secrets are left on
 * the stack.
 */
extern bool loop_run(struct event_base *base);

#endif
