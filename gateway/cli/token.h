/*
 * token.h
 *		Reads a user token from its file.
 */
#ifndef CLI_TOKEN_H
#define CLI_TOKEN_H

#include "src/common/key_format.h"

/* The most bytes of the file. */
#define TOKEN_FILE_MAX 1024

/*
 * Reads the token into "token", which the caller wipes.  Returns NULL, or what is wrong: a
 * constant text or one of strerror().  A file that anybody but its owner can read or change is
 * refused, because it is a credential.
 */
extern const char *token_read(const char *path, char token[TOKEN_FILE_MAX + 1]);

#endif
