/*
 * help.h
 *		Texts made from the table of commands: help, completion for bash, and the manual page.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/invocation.h"

/*
 * What --help prints: of a command, of the commands with this first word, or of all if both
 * are NULL.
 */
extern bool help_print(const Invocation *invocation, Buffer *out);

extern bool help_completion(Buffer *out);
extern bool help_manual(Buffer *out);

#endif
