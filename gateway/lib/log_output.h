/*
 * log_output.h
 *		The log's way out, which nobody waits for.
 *
 * Lines are handed over here and a thread writes them to standard error, in their order.  At
 * most LOG_OUTPUT_MAX bytes wait, and as many are being written; a line that does not fit,
 * and one that could not be written, is lost.  How many were lost is told as soon as
 * something can be written again, and log_output_lost() says it at any time.
 *
 * Until log_output_start(), and in a child of fork() until it starts its own, a line is
 * written at once by whoever hands it over, who may wait.
 */
#ifndef LIB_LOG_OUTPUT_H
#define LIB_LOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"

#define LOG_OUTPUT_MAX (512 * 1024)

/* What an end of the program waits at most for lines to be written. */
#define LOG_OUTPUT_END_MS 1000

/* Appends a line that says how many were lost.  Called by the thread. */
typedef void (*LogOutputTell)(Buffer *out, uint64_t lines);

/* Starts the thread.  False: could not, and lines are written as before. */
extern bool log_output_start(LogOutputTell tell);

/* Hands over a line, with its newline.  It may stay until log_output_wake(). */
extern void log_output_line(const char *line, size_t len);

/* What was handed over is to be written now. */
extern void log_output_wake(void);

/*
 * Waits until all is written, for LOG_OUTPUT_END_MS at most.  exit() calls it; what ends by
 * _exit() has to.
 */
extern void log_output_end(void);

/* Lines that this process has lost so far. */
extern uint64_t log_output_lost(void);

#endif
