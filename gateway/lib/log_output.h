/*
 * log_output.h
 *		Writes log lines to standard error without making the caller wait.
 *
 * Callers hand lines over, and a thread writes them to standard error in the same order.  At
 * most LOG_OUTPUT_MAX bytes wait while at most as many are being written.  A line that does
 * not fit is lost, and so is one that could not be written.  The thread writes how many
 * lines were lost as soon as it can write again; log_output_lost() returns the number at any
 * time.
 *
 * Before log_output_start(), and in a forked child before the child calls it, there is no
 * thread.  Then the caller writes the line itself and may have to wait.
 */
#ifndef LIB_LOG_OUTPUT_H
#define LIB_LOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"

#define LOG_OUTPUT_MAX (512 * 1024)

/*
 * After the thread has written, it rests this long, so that a busy program need not wake it for
 * each line.  So a line waits at most this long, and the first one after a silence does not.
 */
#define LOG_OUTPUT_REST_MS 5

/* When this many bytes wait, the thread does not rest. */
#define LOG_OUTPUT_HURRY (LOG_OUTPUT_MAX / 4)

/* How long a program that ends waits at most for its lines to be written. */
#define LOG_OUTPUT_END_MS 1000

/* Appends a line that says how many were lost.  Called by the thread. */
typedef void (*LogOutputTell)(Buffer *out, uint64_t lines);

/* Starts the thread.  False: it could not, and callers still write lines themselves. */
extern bool log_output_start(LogOutputTell tell);

/* Hands over a line, with its newline.  It may wait until log_output_wake(). */
extern void log_output_line(const char *line, size_t len);

/* Wakes the thread, so that it writes what was handed over. */
extern void log_output_wake(void);

/*
 * Waits until everything is written, for LOG_OUTPUT_END_MS at most.  exit() calls this
 * function.  A process that ends by _exit() has to call it.
 */
extern void log_output_end(void);

/* The number of lines that this process has lost so far. */
extern uint64_t log_output_lost(void);

#endif
