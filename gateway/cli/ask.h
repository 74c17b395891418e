/*
 * ask.h
 *		Reads a line that is a secret: from the terminal without echo, or from standard input.
 *
 * A secret is never an argument, because other users of the machine can see arguments.
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>
#include <stddef.h>

/* The longest line.  Buffers add one for the NUL. */
#define ASK_LINE_MAX 1024

/*
 * Reads a line into "line", without its end.  If standard input is a terminal, "prompt" is
 * shown there and nothing that is typed.  False: there is none, or it is too long.  The caller
 * wipes the line.
 */
extern bool ask_line(const char *prompt, char line[ASK_LINE_MAX + 1]);

/* The same from the terminal alone, whatever standard input is; false if there is no terminal. */
extern bool ask_terminal(const char *prompt, char line[ASK_LINE_MAX + 1]);

#endif
