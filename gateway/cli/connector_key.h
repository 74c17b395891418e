/*
 * connector_key.h
 *		The key pair of a connector, which it opens the credentials of its sessions with.
 *
 * The file has the secret half: the 32 bytes in base64 (RFC 4648) and the end of the line.
 */
#ifndef CLI_CONNECTOR_KEY_H
#define CLI_CONNECTOR_KEY_H

#include <stdbool.h>

#include "lib/buffer.h"

/*
 * Makes a key pair.  Its secret half is written to the file values[0], which must not exist and
 * which its owner alone can read; it is durable then.  Appends the public half, and what to do with
 * it.  False: there is no such file then, and what was appended says why.
 */
extern bool connector_key_make(const char *const values[], Buffer *out);

#endif
