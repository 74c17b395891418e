/*
 * input.h
 *		Reads a whole file, or standard input.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdbool.h>

#include "lib/buffer.h"

/* The most bytes of a file. */
#define INPUT_MAX ((size_t) 64 * 1024 * 1024)

/*
 * Appends what the file has, or standard input for "-".  Returns NULL, or what is wrong, as a
 * constant text or one of strerror().  A NUL is refused: the database takes text.
 */
extern const char *input_read(const char *path, Buffer *out);

#endif
